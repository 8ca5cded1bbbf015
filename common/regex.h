/* SPDX-License-Identifier: ISC */
/*
 * regex.h - Perl-compatible regular expressions that always end
 *
 * PCRE2 with limits on matching steps, depth and memory: a pattern that
 * would run away on a hostile subject stops and counts as "no match".
 *
 * Threads: a struct regex belongs to one thread at a time.
 */
#ifndef POSTERN_COMMON_REGEX_H
#define POSTERN_COMMON_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

struct regex;

enum regex_result {
	REGEX_NO_MATCH,
	REGEX_MATCH,
	REGEX_LIMIT, /* given up: too many steps */
};

/* Daemons do not try longer subjects that strangers chose: host names (RFC
 * 1035, 255 bytes) and addresses (RFC 5321, 320) are shorter, and time grows
 * with the square of the length. */
#define REGEX_SUBJECT_MAX 512

/* Compiles pattern (NUL-terminated, bytes), without regard to case when
 * nocase. Returns NULL with what is wrong and at which offset. */
struct regex *regex_new(const char *pattern, bool nocase, struct err *err);

/* Frees *regex (may be NULL) and sets it to NULL. */
void regex_free(struct regex **regex);

/* Does the unanchored pattern match somewhere in the len bytes at subject? */
enum regex_result regex_match(
    const struct regex *regex, const char *subject, size_t len);

#endif
