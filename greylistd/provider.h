/* SPDX-License-Identifier: ISC */
/*
 * provider.h - what an SPF record says about where a provider sends from
 *
 * Only terms that pass for sure become networks: ip4, ip6, a and mx with "+"
 * (or none), includes, redirect. Left out are other qualifiers, "all",
 * exists, ptr and domains with macros, and networks that no mail provider
 * has for itself: wider than PROVIDER_WIDEST_V4 or PROVIDER_WIDEST_V6.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_PROVIDER_H
#define POSTERN_GREYLISTD_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ip.h"

#define PROVIDER_WIDEST_V4 8
#define PROVIDER_WIDEST_V6 20
/* The most networks of a provider; further ones are left out. */
#define PROVIDER_NETS_MAX 10000

/* A list of networks; all zero = empty. */
struct provider_nets {
	struct ip_net *items;
	size_t count, cap;
};

enum provider_kind {
	PROVIDER_INCLUDE, /* ask TXT; also redirect */
	PROVIDER_A,       /* ask A and AAAA */
	PROVIDER_MX,      /* ask MX, then A and AAAA of each */
};

/* What has to be asked to know more. */
struct provider_step {
	enum provider_kind kind;
	const char *domain;    /* valid during the call */
	unsigned cidr4, cidr6; /* A, MX */
};

typedef void provider_step_fn(void *arg, const struct provider_step *step);

/* Adds a network; too wide ones and too many are left out. */
void provider_add(struct provider_nets *nets, const struct ip_net *net);

/* Empties the list and frees its memory. */
void provider_free_nets(struct provider_nets *nets);

/* Reads the SPF record (len bytes at text) of domain: adds its networks, and
 * calls step for each thing to be asked. Returns false when it is no record
 * without a fault; nothing is added then. */
bool provider_read(const char *text, size_t len, const char *domain,
    struct provider_nets *nets, provider_step_fn *step, void *arg);

#endif
