/* SPDX-License-Identifier: ISC */
/*
 * signtable.h - SigningTable: which key signs for which address
 *
 *     ADDRESS KEYNAME[:SIGNER]
 *
 * From a refile the address is a pattern for user@domain, and the first line
 * that matches counts. Else these are looked for in this order: user@host,
 * host, user@.domain and .domain for each parent domain, user@*, *. The
 * KEYNAME "%" and a "%" in SIGNER are the domain of From.
 *
 * Threads: any, once loaded.
 */
#ifndef POSTERN_DKIMD_SIGNTABLE_H
#define POSTERN_DKIMD_SIGNTABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#include "dkimd/dataset.h"
#include "dkimd/keytable.h"

struct signtable;

/* A line that matches. */
struct signtable_match {
	const char *key_name; /* may be "%" */
	const char *signer;   /* may hold "%"; "" = none */
	const struct dataset_entry *entry;
};

/* Makes a table of these lines, which it owns from then on (also when this
 * fails). Every key name that is not "%" must be in keys (may be NULL: not
 * checked). Returns NULL with err "FILE:LINE: ...". */
struct signtable *signtable_new(
    struct dataset *lines, const struct keytable *keys, struct err *err);

/* Frees it; sets *table to NULL. */
void signtable_free(struct signtable **table);

/* The lines for the address local@domain (domain in lower case), at most cap,
 * in the order in which they are looked for. Returns how many. */
size_t signtable_find(const struct signtable *table, const char *local,
    const char *domain, struct signtable_match *matches_r, size_t cap);

#endif
