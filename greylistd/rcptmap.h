/* SPDX-License-Identifier: ISC */
/*
 * rcptmap.h - patterns of recipients to pointers
 *
 *     user@domain   that address, also with an extension: user+ext@domain
 *     user@         the same at any domain
 *     domain        all addresses there and in the domains below it
 *
 * The most specific counts, in this order; the extension may also be part of
 * the pattern. No regard to case; dots at the ends of a domain do not matter.
 *
 * Threads: readers may share one map; one writer.
 */
#ifndef POSTERN_GREYLISTD_RCPTMAP_H
#define POSTERN_GREYLISTD_RCPTMAP_H

#include <stddef.h>

#include "common/err.h"

struct rcptmap;

/* Makes an empty map. */
struct rcptmap *rcptmap_new(void);

/* Frees the map, not the values; sets *map to NULL. */
void rcptmap_free(struct rcptmap **map);

/* Sets the value (not NULL) of pattern; *before_r (may be NULL) is the one it
 * had, or NULL. Returns 0, or -1 when pattern has none of the forms. */
int rcptmap_put(struct rcptmap *map, const char *pattern, void *value,
    void **before_r, struct err *err);

/* Returns the value of the most specific pattern for address, or NULL. */
void *rcptmap_find(const struct rcptmap *map, const char *address);

#endif
