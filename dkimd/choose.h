/* SPDX-License-Identifier: ISC */
/*
 * choose.h - which signatures of a message are verified, and which of its
 * fields they need
 *
 * Anybody can put a thousand signatures into a message, each with a body hash
 * and a key of its own. Few are verified: the author's domain's first, since
 * they matter most, then those at the top, which are the newest.
 *
 * Sources: RFC 6376 sections 4.2, 5.4.2 and 6.1.
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_CHOOSE_H
#define POSTERN_DKIMD_CHOOSE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/header.h"

#include "dkimd/sigfield.h"

/* Entries of all chosen h= together: what a message costs is bounded. */
#define CHOOSE_NAMES_MAX 2000

/* One DKIM-Signature field, in the order of the message. */
struct choose_candidate {
	const struct sigfield *parsed;
	bool is_sound;   /* sigfield_parse said that it may be verified */
	bool is_aligned; /* d= belongs to an author (choose_is_aligned) */
	bool is_chosen;  /* the answer */
};

/* Sets is_chosen in at most max of count candidates; only sound ones are
 * chosen. Returns how many. A sound one that is not chosen is "neutral", for
 * the reason that it was ignored. */
size_t choose_signatures(
    struct choose_candidate *candidates, size_t count, size_t max);

/* Does a signature of domain concern an author at author_domain: the same
 * domain, or one within the other? (Without regard to case; which parts are a
 * registry's is for DMARC to say.) */
bool choose_is_aligned(const char *domain, const char *author_domain);

/* Sets feed_r[i] for each of count fields that is signed by one of the
 * signatures: for each name the last ones of the message, as many as the
 * most demanding h= names. Returns how many. */
size_t choose_fields(const struct sigfield *const *signatures,
    size_t signature_count, const struct header_field *fields, size_t count,
    bool *feed_r);

#endif
