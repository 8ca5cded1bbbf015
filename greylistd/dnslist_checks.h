/* SPDX-License-Identifier: ISC */
/*
 * dnslist_checks.h - are the DNS lists alive, and do they list only some?
 *
 * A list that is given up may end up with somebody who answers for every name
 * in it: then everybody is on a blacklist, or on a whitelist. So each list
 * has test points: 127.0.0.2 is listed, 127.0.0.1 is not, and likewise
 * ::ffff:7f00:2 and ::ffff:7f00:1 where there are IPv6 addresses. They are
 * asked for at the start, after a reload, and from time to time.
 *
 * A list that has what it must not have is ignored until it is sound again.
 * One that lacks what it should have is used, with a warning: it may be dead,
 * or a small one of somebody's own. What DNS does not answer changes nothing.
 *
 * Source: RFC 5782 section 5.
 * Threads: event loop only; dnslist_checks_judge: any, pure.
 */
#ifndef POSTERN_GREYLISTD_DNSLIST_CHECKS_H
#define POSTERN_GREYLISTD_DNSLIST_CHECKS_H

#include <stdbool.h>

#include "common/dns.h"

#include "greylistd/dnslist.h"
#include "greylistd/selection.h"

/* How often a list is tested, and one that gave no good answer. */
#define DNSLIST_CHECKS_EVERY_S 3600
#define DNSLIST_CHECKS_AGAIN_S 300

/* What came of one test point. */
enum dnslist_point {
	DNSLIST_POINT_UNKNOWN, /* DNS failed */
	DNSLIST_POINT_UNLISTED,
	DNSLIST_POINT_LISTED,
	DNSLIST_POINT_REFUSED, /* the list does not answer us */
};

/* All of a list. */
struct dnslist_points {
	enum dnslist_point listed4, listed6;     /* should be listed */
	enum dnslist_point unlisted4, unlisted6; /* must not be */
};

enum dnslist_health {
	DNSLIST_HEALTH_UNKNOWN, /* no answer: what was known holds */
	DNSLIST_HEALTH_SOUND,
	DNSLIST_HEALTH_EMPTY,     /* lacks its test points */
	DNSLIST_HEALTH_REFUSES,   /* does not answer us */
	DNSLIST_HEALTH_EVERYBODY, /* lists what no list may */
};

/* What the test points say of a list. */
enum dnslist_health dnslist_checks_judge(const struct dnslist_points *points);

struct dnslist_checks;

/* Makes an empty set that asks dns, which is borrowed. */
struct dnslist_checks *dnslist_checks_new(struct dns *dns);

/* Cancels what is asked and frees the set; sets *checks to NULL. */
void dnslist_checks_free(struct dnslist_checks **checks);

/* From now on the set is made of selection's lists, or of none when it wants
 * no tests. Those that it had keep what is known of them; all are asked with
 * the next tick. */
void dnslist_checks_configure(
    struct dnslist_checks *checks, const struct selection *selection);

/* Asks for what is due; call it every second or so. */
void dnslist_checks_tick(void *checks);

/* Is the list of this zone to be ignored now? checks may be NULL. */
bool dnslist_checks_ignores(
    const struct dnslist_checks *checks, const char *zone);

#endif
