/* SPDX-License-Identifier: ISC */
/*
 * namemap.h - byte strings to pointers, found whole or by their last labels
 *
 * "mx.example.org" has the suffixes "mx.example.org", "example.org", "org".
 * All of them are tried in one pass from the right, so that a look-up costs
 * the same with ten names and with a million. Bytes are taken as they are:
 * who wants no case brings lower case to both sides.
 *
 * Threads: readers may share one map; one writer.
 */
#ifndef POSTERN_GREYLISTD_NAMEMAP_H
#define POSTERN_GREYLISTD_NAMEMAP_H

#include <stdbool.h>
#include <stddef.h>

struct namemap;

/* Does the value count for this look-up? */
typedef bool namemap_accept_fn(const void *value, const void *arg);

/* Makes an empty map. */
struct namemap *namemap_new(void);

/* Frees the map, not the values; sets *map to NULL. */
void namemap_free(struct namemap **map);

/* Sets the value (not NULL) of the len bytes at key, which are copied.
 * Returns the value that was there before, or NULL. */
void *namemap_put(
    struct namemap *map, const char *key, size_t len, void *value);

/* Returns the value of the len bytes at key, or NULL. */
void *namemap_get(const struct namemap *map, const char *key, size_t len);

/* Returns the value of the longest suffix of name that has one and that
 * accept (may be NULL; arg is handed on) takes, or NULL. A suffix begins at
 * the start of name or after a dot. */
void *namemap_suffix(const struct namemap *map, const char *name, size_t len,
    namemap_accept_fn *accept, const void *arg);

/* How many keys there are. */
size_t namemap_count(const struct namemap *map);

#endif
