/* SPDX-License-Identifier: ISC */
/*
 * provider_int.h - the expansion of one provider's record; for the files of
 * provider only
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_PROVIDER_INT_H
#define POSTERN_GREYLISTD_PROVIDER_INT_H

#include "common/dns.h"

#include "greylistd/provider.h"

/* The most questions for one provider, and how deep records may nest. */
#define PROVIDER_QUESTIONS_MAX 200
#define PROVIDER_DEPTH_MAX 10

struct provider_walk;

/* What came of it. */
struct provider_result {
	bool failed;                /* DNS left something unanswered */
	bool has_record;            /* the domain has an SPF record */
	bool cut;                   /* more questions than the limit */
	uint32_t ttl_s;             /* the shortest of all answers */
	struct provider_nets *nets; /* the callback may take its content */
};

typedef void provider_walk_fn(void *arg, struct provider_result *result);

/* Starts to expand domain's record. done is called once, after this
 * returned, unless cancelled. */
struct provider_walk *provider_walk_start(
    struct dns *dns, const char *domain, provider_walk_fn *done, void *arg);

/* Cancels: done will not be called. Sets *walk to NULL, which it may be
 * already. */
void provider_walk_cancel(struct provider_walk **walk);

#endif
