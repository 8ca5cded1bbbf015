/* SPDX-License-Identifier: ISC */
/*
 * sigfield.h - the guard: a DKIM-Signature field, parsed strictly
 *
 * No signature reaches libopendkim that has not passed here: grammar, tags
 * (required, known, once), version, algorithm, canonicalisation, domains and
 * selectors as LDH labels, h= with From, numbers, times, identity, base64 and
 * all sizes. What does not pass has its result already: permerror, or policy
 * or neutral, with a reason.
 *
 * Sources: RFC 6376 sections 3.2, 3.5 and 6.1.1; RFC 8301; RFC 8463.
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_SIGFIELD_H
#define POSTERN_DKIMD_SIGFIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/header.h"

#include "dkimd/result.h"

#define SIGFIELD_VALUE_MAX 16384 /* longer fields: permerror */
#define SIGFIELD_NAMES_MAX 500   /* entries of h= */
#define SIGFIELD_NAMES_BYTES 3900

enum sigfield_algorithm {
	SIGFIELD_RSA_SHA256,
	SIGFIELD_ED25519_SHA256,
	SIGFIELD_RSA_SHA1, /* never verified: RFC 8301 */
	SIGFIELD_UNKNOWN,
};

enum sigfield_canon {
	SIGFIELD_SIMPLE,
	SIGFIELD_RELAXED,
};

/* All texts are in the arena. What a broken field said as far as it could be
 * read safely is here as well, for the log and the results; else "". */
struct sigfield {
	const char *domain;   /* d=, lower case */
	const char *selector; /* s=, lower case */
	const char *identity; /* i= decoded, or "@" and d= */
	const char *b_start;  /* the first characters of b=, for header.b */
	enum sigfield_algorithm algorithm;
	enum sigfield_canon header_canon, body_canon;
	const char *const *names; /* h=, lower case, in order */
	size_t name_count;
	int64_t length;    /* l=, -1 = none */
	int64_t timestamp; /* t=, -1 = none */
	int64_t expires;   /* x=, -1 = none */
};

/* Parses field at time now (UNIX seconds), drift_s forgiven for t= in the
 * future and x= in the past. Fills *sig_r in any case. Returns RESULT_NONE
 * when the signature may be verified; else its final result, and *reason_r a
 * static text or one in arena. */
enum result sigfield_parse(const struct header_field *field, int64_t now,
    int64_t drift_s, struct arena *arena, struct sigfield *sig_r,
    const char **reason_r);

/* "rsa-sha256", "ed25519-sha256", "rsa-sha1", "unknown". */
const char *sigfield_algorithm_name(enum sigfield_algorithm algorithm);

#endif
