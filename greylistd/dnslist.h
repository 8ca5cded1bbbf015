/* SPDX-License-Identifier: ISC */
/*
 * dnslist.h - DNS lists of addresses: what to ask, and what an answer means
 *
 * An answer counts only when it fits the mask. Lists answer in
 * 127.255.255.0/24 to say that they refuse us (asked through a public
 * resolver, over a limit); a resolver that invents answers gives addresses
 * outside 127.0.0.0/8. Neither is a listing.
 *
 * Source: RFC 5782 section 2.
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_DNSLIST_H
#define POSTERN_GREYLISTD_DNSLIST_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ip.h"

#define DNSLIST_MASKS_MAX 16
/* The longest zone: 64 bytes of reversed IPv6 go in front of it. */
#define DNSLIST_ZONE_MAX 180
/* Room for any name to ask for. */
#define DNSLIST_NAME_SIZE 256
/* The weight of a list that names none: enough by itself. */
#define DNSLIST_WEIGHT 2
#define DNSLIST_WEIGHT_MAX 1000

enum dnslist_kind {
	DNSLIST_BLACK, /* "ZONE [WEIGHT] [MASK]" */
	DNSLIST_WHITE, /* "ZONE [MASK]" */
};

/* Each of an answer's four numbers from low to high. */
struct dnslist_mask {
	uint8_t low[4], high[4];
};

struct dnslist {
	char zone[DNSLIST_ZONE_MAX + 1];
	int64_t weight;
	struct dnslist_mask masks[DNSLIST_MASKS_MAX];
	size_t mask_count;
};

enum dnslist_code {
	DNSLIST_UNLISTED,
	DNSLIST_LISTED,
	DNSLIST_REFUSED, /* the list does not answer us */
};

/* Parses an option's value. A mask is four numbers with dots, of which each
 * may be a range "2-11" or "*"; several with commas or blanks between them.
 * Default: anything but 127.0.0.0 and 127.0.0.1 in 127.0.0.0/8 for a
 * blacklist, 127.0.*.1-3 for a whitelist (dnswl.org's codes, without those
 * for "no trust" and "over the limit"). Returns 0 or -1 with err. */
int dnslist_parse(const char *text, enum dnslist_kind kind,
    struct dnslist *list_r, struct err *err);

/* Writes the name to ask for and returns buf. */
const char *dnslist_name(const struct dnslist *list, const struct ip *ip,
    char buf[static DNSLIST_NAME_SIZE]);

/* What one address of an answer means. */
enum dnslist_code dnslist_judge(
    const struct dnslist *list, const uint8_t answer[static 4]);

#endif
