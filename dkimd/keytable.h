/* SPDX-License-Identifier: ISC */
/*
 * keytable.h - KeyTable, KeyDirectory, KeyFile: which keys there are
 *
 * A line of the KeyTable is
 *
 *     NAME DOMAIN:SELECTOR:KEY[:ALGORITHM[:FROM[:UNTIL]]]
 *
 * with KEY as in privkey.h; dates are YYYY-MM-DD, UTC: the key signs from the
 * first on and from the second on no longer. A name may have several lines:
 * of each algorithm the line signs whose FROM came last. "%" as DOMAIN, and
 * within the path, is the domain of From; the paths are looked for when the
 * table is loaded.
 *
 * A KeyDirectory holds DOMAIN/SELECTOR.private; the name of such a key is its
 * domain.
 *
 * All keys are read and checked when the table is loaded.
 *
 * Threads: any, once loaded.
 */
#ifndef POSTERN_DKIMD_KEYTABLE_H
#define POSTERN_DKIMD_KEYTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#include "dkimd/dataset.h"
#include "dkimd/engine.h"
#include "dkimd/privkey.h"

/* More keys are an error: each costs a third of a millisecond at start. */
#define KEYTABLE_KEYS_MAX 200000
/* Keys that keytable_find finds at most: one per algorithm. */
#define KEYTABLE_FOUND_MAX 2

struct keytable;

/* One key, for dkimctl and for signing. */
struct keytable_key {
	const char *name;
	const char *domain; /* A-labels, lower case; "%" = that of From */
	const char *selector;
	const char *path; /* or credential:..., "" = in the table itself */
	const char *from_domain;           /* not NULL: only for this domain */
	const struct engine_key *key;      /* the table's */
	int64_t from;                      /* UNIX time, INT64_MIN = always */
	int64_t until;                     /* UNIX time, INT64_MAX = for ever */
	const struct dataset_entry *entry; /* its line, or NULL */
};

/* Makes a table without keys; config is copied (its texts are borrowed until
 * keytable_free). */
struct keytable *keytable_new(const struct privkey_config *config);

/* Adds the lines of a KeyTable, which the keytable owns from then on (also
 * when this fails). Returns 0 or -1 with err "FILE:LINE: ...". */
int keytable_add_table(
    struct keytable *table, struct dataset *lines, struct err *err);
/* Adds all keys below the directory path. Returns 0 or -1 with err. */
int keytable_add_directory(
    struct keytable *table, const char *path, struct err *err);
/* Adds one key (KeyFile) under the name; domain may be "%". Returns 0 or
 * -1. */
int keytable_add_file(struct keytable *table, const char *name,
    const char *domain, const char *selector, const char *path,
    struct err *err);

/* Frees the table with its keys; sets *table to NULL. */
void keytable_free(struct keytable **table);

/* All keys, in their order. */
size_t keytable_count(const struct keytable *table);
/* Key i (0..count-1). */
const struct keytable_key *keytable_at(const struct keytable *table, size_t i);

/* Is there a line of this name at all? "%" means that of From's domain. */
bool keytable_has(const struct keytable *table, const char *name);

/* The keys of this name that sign mail of from_domain at time now: at most
 * one per algorithm. Returns how many (0..KEYTABLE_FOUND_MAX). */
size_t keytable_find(const struct keytable *table, const char *name,
    const char *from_domain, int64_t now,
    const struct keytable_key *found_r[static KEYTABLE_FOUND_MAX]);

/* Parses YYYY-MM-DD into the UNIX time at which that day begins. */
int keytable_parse_date(const char *text, int64_t *time_r);

/* Is text a domain (or a selector) in A-labels: letters, digits, "-", "_",
 * with dots between the labels? */
bool keytable_is_name(const char *text);

#endif
