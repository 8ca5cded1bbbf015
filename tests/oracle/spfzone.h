/* SPDX-License-Identifier: ISC */
/*
 * spfzone.h - DNS in memory for SPF evaluations: a table of records that
 * answers what an evaluation asks. For tests only.
 *
 * Threads: one per zone.
 */
#ifndef POSTERN_TESTS_ORACLE_SPFZONE_H
#define POSTERN_TESTS_ORACLE_SPFZONE_H

#include "common/spfguard.h"

struct spfzone_record;

/* All zero is an empty zone. */
struct spfzone {
	struct spfzone_record *records;
	size_t count;
	unsigned runs;    /* evaluations of the last spfzone_check */
	size_t questions; /* of the last spfzone_check */
};

/* Adds a record. type is A, AAAA (data: the address as text), MX, PTR (a
 * name), TXT (bytes) or FAIL: from then on questions for name fail, but for
 * the types that it has records of before. Returns false if type is unknown
 * or the address is none. */
bool spfzone_add(struct spfzone *zone, const char *name, const char *type,
    const char *data, size_t len);

/* Forgets all records. */
void spfzone_clear(struct spfzone *zone);

/* The answer to a question; names that begin with "error." fail. Valid until
 * the next call. */
struct spfanswers_answer spfzone_answer(
    const struct spfzone *zone, const char *name, enum dnspacket_type type);

/* Evaluates until nothing is missing: by guard, or by the oracle if guard is
 * NULL. */
void spfzone_check(struct spfzone *zone, struct spfguard *guard,
    const struct spfguard_input *input, struct spfguard_output *output_r);

#endif
