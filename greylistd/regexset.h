/* SPDX-License-Identifier: ISC */
/*
 * regexset.h - many regular expressions, of which few are tried
 *
 * Most patterns in lists of hosts end in a fixed text ("\.example\.org$").
 * Such a one is tried only on subjects that end so, and when that text holds
 * a whole domain it is found by hashing. The others are tried one by one.
 *
 * Threads: a set belongs to one thread at a time.
 */
#ifndef POSTERN_GREYLISTD_REGEXSET_H
#define POSTERN_GREYLISTD_REGEXSET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

#define REGEXSET_ENDING_MAX 256

/* What every match ends with, in lower case; a NUL byte stands for any. */
struct regexset_ending {
	char text[REGEXSET_ENDING_MAX];
	size_t len;
	size_t domain; /* where a domain begins that has a dot before
				 * it and is without NUL bytes; len: none */
};

struct regexset;

/* Makes an empty set. */
struct regexset *regexset_new(void);

/* Frees it; sets *set to NULL. */
void regexset_free(struct regexset **set);

/* Adds a pattern, to be matched without regard to case. Returns 0, or -1
 * with what is wrong with it. */
int regexset_add(struct regexset *set, const char *pattern, struct err *err);

/* Does one of them match somewhere in the len bytes at subject? One that
 * takes too many steps does not; see also REGEX_SUBJECT_MAX. */
bool regexset_matches(
    const struct regexset *set, const char *subject, size_t len);

/* Finds what all matches of the valid pattern end with, at the end of the
 * subject. Returns false when there is nothing or the pattern is too involved
 * to tell. */
bool regexset_find_ending(
    const char *pattern, struct regexset_ending *ending_r);

#endif
