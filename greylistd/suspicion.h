/* SPDX-License-Identifier: ISC */
/*
 * suspicion.h - how much a client looks like trouble: signs and their scores
 *
 * A sign counts only when it is certain: what DNS did not answer is no sign.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_SUSPICION_H
#define POSTERN_GREYLISTD_SUSPICION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ip.h"

enum suspicion_sign {
	SUSPICION_NO_NAME,      /* the address has no name */
	SUSPICION_UNCONFIRMED,  /* its name does not lead back to it */
	SUSPICION_GENERIC,      /* its name is made of the address */
	SUSPICION_HELO_LITERAL, /* HELO is an address */
	SUSPICION_HELO_OTHER,   /* HELO is not the address's name */
	SUSPICION_SPF_FAIL,
	SUSPICION_SPF_SOFTFAIL,
	SUSPICION_SPF_NONE,
	SUSPICION_SIGNS
};

#define SUSPICION_SCORE_MAX 1000
/* At this score a client is suspicious, if nothing else is said. */
#define SUSPICION_THRESHOLD 2

struct suspicion_scores {
	int64_t of[SUSPICION_SIGNS];
};

/* The scores when nothing is said: 2 for no name and SPF fail, else 1. */
extern const struct suspicion_scores suspicion_defaults;

/* Reads "SIGN N" (several with blanks or commas between them; also "SIGN=N")
 * into scores. Returns 0 or -1 with err, which names the signs. */
int suspicion_parse(
    const char *text, struct suspicion_scores *scores, struct err *err);

/* "no-name", "generic-name" and so on. */
const char *suspicion_name(enum suspicion_sign sign);

/* Room for the signs as text. */
#define SUSPICION_TEXT_SIZE 240

/* Signs that were found. */
struct suspicion {
	int64_t score;
	char text[SUSPICION_TEXT_SIZE]; /* "no-name:2 zen.example:2" */
	bool truncated;
};

/* Begins with no sign at all. */
void suspicion_begin(struct suspicion *suspicion);

/* Adds a sign by its name; a score of 0 does not count and is not named. */
void suspicion_add(
    struct suspicion *suspicion, const char *name, int64_t score);

/* Is host made of the address, as providers name their dial-up customers:
 * three of the four numbers of an IPv4 address in a row, from either side,
 * all of it as 12 decimal or 8 hexadecimal digits; the lower half of an IPv6
 * address in hexadecimal digits, from either side? Separators do not
 * matter. host is hostile. */
bool suspicion_is_generic(const char *host, const struct ip *ip);

/* Is the HELO name an address, with or without brackets? */
bool suspicion_is_literal(const char *helo);

/* Are both the same host name? Case and a dot at the end do not matter. */
bool suspicion_same_host(const char *a, const char *b);

#endif
