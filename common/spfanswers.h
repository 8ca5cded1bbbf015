/* SPDX-License-Identifier: ISC */
/*
 * spfanswers.h - the DNS answers that one SPF check holds
 *
 * An evaluation takes all its answers from this table. What the table lacks
 * is noted in it as a question; the evaluation is then given up, somebody
 * asks, puts the answer in, and it is run again from the start. Tests put in
 * the answers of a zone in memory.
 *
 * Names are compared without case; a dot at the end does not matter.
 *
 * Threads: any, one table per thread.
 */
#ifndef POSTERN_COMMON_SPFANSWERS_H
#define POSTERN_COMMON_SPFANSWERS_H

#include <stddef.h>

#include "common/dnspacket.h"

struct spfanswers;

enum spfanswers_status {
	SPFANSWERS_FOUND,
	SPFANSWERS_NO_DATA,
	SPFANSWERS_NO_NAME,
	SPFANSWERS_TEMPORARY,
	SPFANSWERS_MISSING,  /* not asked yet */
	SPFANSWERS_TOO_MANY, /* and cannot be: the table is full */
};

struct spfanswers_answer {
	enum spfanswers_status status;
	int64_t fresh_until; /* as long as it may be kept, on any clock */
	size_t count;        /* 0 unless SPFANSWERS_FOUND */
	const struct dnspacket_record *records;
};

/* Makes a table for at most max questions. */
struct spfanswers *spfanswers_new(size_t max);

/* Frees it; sets *answers to NULL, which it may be already. */
void spfanswers_free(struct spfanswers **answers);

/* To be called when an answer is missing: puts in what it can get without
 * waiting. It must make no questions. */
typedef void spfanswers_fetch(void *arg);

/* Sets it; there is none at first. */
void spfanswers_set_fetch(
    struct spfanswers *answers, spfanswers_fetch *fetch, void *arg);

/* Looks up name and type; what is not there yet becomes a question, and the
 * one that is awaited. The answer is valid until the table is freed. */
struct spfanswers_answer spfanswers_get(
    struct spfanswers *answers, const char *name, enum dnspacket_type type);

/* Makes a question of name and type, if it is not there yet and there is
 * room: it may be needed soon, and can be asked meanwhile. */
void spfanswers_want(
    struct spfanswers *answers, const char *name, enum dnspacket_type type);

/* The number of the question without whose answer the evaluation cannot go
 * on: the last one that spfanswers_get had to call missing. */
size_t spfanswers_awaited(const struct spfanswers *answers);

/* How long what the evaluation saw may be kept: the smallest fresh_until of
 * the answers that spfanswers_get has given; INT64_MAX when it gave none. */
int64_t spfanswers_fresh_until(const struct spfanswers *answers);

/* Questions so far, answered or not; they are numbered from 0. */
size_t spfanswers_count(const struct spfanswers *answers);

/* The name of a question; borrowed. */
const char *spfanswers_name(const struct spfanswers *answers, size_t number);

/* The type of a question. */
enum dnspacket_type spfanswers_type(
    const struct spfanswers *answers, size_t number);

/* Answers a question once; records are copied. */
void spfanswers_put(struct spfanswers *answers, size_t number,
    const struct spfanswers_answer *answer);

#endif
