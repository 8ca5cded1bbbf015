/* SPDX-License-Identifier: ISC */
/*
 * regexset.h - many regular expressions, of which few are tried
 *
 * Most patterns in lists of hosts end in a fixed domain ("\.example\.org$").
 * Such a one is tried only on subjects that end so, found by hashing; the
 * others are tried one by one.
 *
 * Threads: a set belongs to one thread at a time.
 */
#ifndef POSTERN_GREYLISTD_REGEXSET_H
#define POSTERN_GREYLISTD_REGEXSET_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

/* Room for the domain that regexset_tail finds. */
#define REGEXSET_TAIL_SIZE 256

struct regexset;

/* Makes an empty set. */
struct regexset *regexset_new(void);

/* Frees it; sets *set to NULL. */
void regexset_free(struct regexset **set);

/* Adds a pattern, to be matched without regard to case. Returns 0, or -1
 * with what is wrong with it. */
int regexset_add(struct regexset *set, const char *pattern, struct err *err);

/* Does one of them match somewhere in the len bytes at subject? One that
 * takes too many steps does not. */
bool regexset_matches(const struct regexset *set, const char *subject,
	size_t len);

/* Finds a domain ("example.org", lower case) such that whatever the valid
 * pattern matches ends in a dot and that domain. Returns false when there is
 * none or the pattern is too involved to tell. */
bool regexset_tail(const char *pattern,
	char tail_r[static REGEXSET_TAIL_SIZE]);

#endif
