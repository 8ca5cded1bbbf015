/* SPDX-License-Identifier: ISC */
/*
 * outcome.h - from a signature's arithmetic to its result here: keys too
 * small, bodies half signed, fields that must be signed, DNSSEC
 *
 * The result "pass" is given only where nothing is left to say against it;
 * a signature that is right but not good enough is "policy" (RFC 8601
 * section 2.7.1).
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_OUTCOME_H
#define POSTERN_DKIMD_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dkimd/keyrecord.h"
#include "dkimd/result.h"
#include "dkimd/sigfield.h"

/* How the key came. */
enum outcome_dnssec {
	OUTCOME_UNKNOWN, /* not asked, or no trust anchor */
	OUTCOME_INSECURE,
	OUTCOME_SECURE,
	OUTCOME_BOGUS,
};

/* One signature of the message. */
struct outcome {
	const struct sigfield *sig;
	enum result result;
	const char *reason;          /* "" = none; static or in the arena */
	const struct keyrecord *key; /* NULL = none */
	enum outcome_dnssec dnssec;
	bool key_not_found; /* DNS said that there is none */
	bool has_failed;    /* we could not compute: no fault of theirs */
	bool is_aligned;    /* see choose_is_aligned */
	bool covers_body;   /* no l=, or one that leaves nothing out */
};

/* What a signature with a key of this kind becomes. */
enum outcome_treatment {
	OUTCOME_AS_IS,
	OUTCOME_NEUTRAL,
	OUTCOME_FAIL,
};

/* The admin's "Minimum": how much of the body l= must cover. */
enum outcome_minimum {
	OUTCOME_MINIMUM_ALL,     /* not set: the whole */
	OUTCOME_MINIMUM_BYTES,   /* n: at least n bytes, or all there is */
	OUTCOME_MINIMUM_PERCENT, /* n%: of the body */
	OUTCOME_MINIMUM_TAIL,    /* n+: at most n bytes more */
};

struct outcome_policy {
	unsigned minimum_key_bits; /* 0 = any */
	enum outcome_minimum minimum;
	uint64_t minimum_value;
	enum outcome_treatment bogus_key, unprotected_key;
	/* Fields that must be in h= when the message has them. */
	const char *const *must_be_signed;
	size_t must_be_signed_count;
};

/* What the message is like. */
struct outcome_message {
	const struct header_field *fields;
	size_t field_count;
	uint64_t body_bytes;
};

/* Judges a signature whose result is RESULT_PASS by policy; changes result
 * and reason. Leaves others alone, but for the RESULT_TEMPERROR of a bogus
 * key. */
void outcome_judge(struct outcome *outcome, const struct outcome_policy *policy,
    const struct outcome_message *message);

/* The best result of count outcomes, for the message as a whole: pass, then
 * policy, temperror, neutral, fail, permerror; RESULT_NONE when count is 0. */
enum result outcome_best(const struct outcome *outcomes, size_t count);

#endif
