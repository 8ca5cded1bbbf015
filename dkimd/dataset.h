/* SPDX-License-Identifier: ISC */
/*
 * dataset.h - opendkim's datasets: lists and tables from many sources
 *
 *     csl:A,B=VALUE   A,B=VALUE     a list within the configuration
 *     file:PATH  /PATH  ./PATH      one entry per line: KEY [VALUE]
 *     refile:PATH                   the same, "*" in a key is any text
 *     sqlite:PATH?table=T&key=K&value=V
 *                                   the columns K (default "key") and V
 *                                   (default: no values) of the table T;
 *                                   several V,W make V:W
 *
 * In files "#" begins a comment. A pattern of a refile matches the whole
 * text, the first line that matches wins; other signs of regular expressions
 * are an error there. All is read when it is loaded, a
 * changed source is seen at the next reload. Compared without regard to case
 * unless DATASET_CASE is asked for.
 *
 * opendkim's other kinds (db: dsn: ldap: lua: mdb: memcache: erlang:) are an
 * error that says what to write instead.
 *
 * Sources: opendkim(8), "DATA SETS".
 * Threads: any, once loaded.
 */
#ifndef POSTERN_DKIMD_DATASET_H
#define POSTERN_DKIMD_DATASET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* More entries than these are an error. */
#define DATASET_ENTRIES_MAX 2000000
/* Bytes of a pattern or of a text that is looked up; longer texts match
 * nothing. */
#define DATASET_KEY_MAX 1024

struct dataset;

struct dataset_entry {
	const char *key;
	const char *value; /* "" = none */
	unsigned line;     /* of the file, row of the table; from 1 */
};

/* Flags of dataset_load. */
#define DATASET_CASE (1u << 0)  /* keys are compared byte by byte */
#define DATASET_HOSTS (1u << 1) /* keys of a refile may hold [ ] */

/* Loads what text names; relative paths are below base ("" = "/"). Returns
 * NULL with err, which names file and line but not the option. */
struct dataset *dataset_load(
    const char *text, const char *base, unsigned flags, struct err *err);

/* Frees it; sets *dataset to NULL. */
void dataset_free(struct dataset **dataset);

/* The first entry for key, or NULL; then the next one after an earlier
 * answer (MultipleSignatures). dataset may be NULL: it has no entries. */
const struct dataset_entry *dataset_find(
    const struct dataset *dataset, const char *key);
/* The next one, see dataset_find. */
const struct dataset_entry *dataset_find_next(const struct dataset *dataset,
    const char *key, const struct dataset_entry *after);

/* Are the keys patterns (refile:)? */
bool dataset_has_patterns(const struct dataset *dataset);

/* All entries in their order. */
size_t dataset_count(const struct dataset *dataset);
/* Entry i (0..count-1). */
const struct dataset_entry *dataset_at(const struct dataset *dataset, size_t i);

/* Puts where the entry is in front of what err says ("/etc/keytable:12: ").
 * Returns -1 always, as err_prefix does. */
int dataset_blame(const struct dataset *dataset,
    const struct dataset_entry *entry, struct err *err);

/* path, below base ("" = "/") when it is relative. The caller frees it. */
char *dataset_path(const char *path, const char *base);

/* Does pattern, in which "*" is any text, match the whole of text (len
 * bytes)? Time at worst len times the pattern's length. */
bool dataset_wildcard(
    const char *pattern, const char *text, size_t len, bool with_case);

#endif
