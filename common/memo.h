/* SPDX-License-Identifier: ISC */
/*
 * memo.h - results that are remembered by all that they depend on
 *
 * A value is found again by its texts, every one of them and in their order:
 * they are compared whole, not by a hash, so that nobody gets what was found
 * for somebody else. At most so many are kept; those that were not used for
 * the longest time make room. Each is forgotten at a certain age.
 *
 * Threads: any; one at a time per memo.
 */
#ifndef POSTERN_COMMON_MEMO_H
#define POSTERN_COMMON_MEMO_H

#include <stddef.h>
#include <stdint.h>

/* Values whose texts have more bytes together are not kept. */
#define MEMO_KEY_MAX 2048

struct memo;

typedef void memo_free_fn(void *value);

/* Makes an empty memo for max values (at least 1), each for age.
 * free_value frees one. */
struct memo *memo_new(size_t max, int64_t age, memo_free_fn *free_value);

/* Frees it with all values; sets *memo to NULL. */
void memo_free(struct memo **memo);

/* Forgets all values. */
void memo_clear(struct memo *memo);

/* Returns the value of these count texts, or NULL. It stays the memo's and is
 * valid until the next call. now is of a clock that does not go back. */
void *memo_find(
    struct memo *memo, const char *const *texts, size_t count, int64_t now);

/* Takes the value of these count texts out, or returns NULL. It is the
 * caller's then. */
void *memo_take(
    struct memo *memo, const char *const *texts, size_t count, int64_t now);

/* Takes over value (not NULL), in place of what these count texts had; frees
 * it at once when they are too long. */
void memo_put(struct memo *memo, const char *const *texts, size_t count,
    void *value, int64_t now);

/* How many values are kept. */
size_t memo_count(const struct memo *memo);

#endif
