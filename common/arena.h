/* SPDX-License-Identifier: ISC */
/*
 * arena.h - memory of one message, one list, one configuration: many small
 * pieces, freed in one call
 *
 * Threads: one arena belongs to one thread at a time.
 */
#ifndef POSTERN_COMMON_ARENA_H
#define POSTERN_COMMON_ARENA_H

#include <stddef.h>

struct arena;

/* Makes an empty arena. The caller frees it with arena_free. */
struct arena *arena_new(void);

/* Frees the arena and all that was taken from it; sets *arena to NULL.
 * *arena may be NULL. */
void arena_free(struct arena **arena);

/* Frees all that was taken from it but what it can use again at once: for
 * pieces of work that follow each other. */
void arena_reset(struct arena *arena);

/* Returns size bytes, all zero, aligned for any type; valid until the arena
 * is freed; never NULL. */
void *arena_alloc(struct arena *arena, size_t size)
    __attribute__((returns_nonnull));

/* Returns a copy of the NUL-terminated text. */
char *arena_strdup(struct arena *arena, const char *text)
    __attribute__((returns_nonnull));

/* Returns a NUL-terminated copy of the first len bytes of text. */
char *arena_strndup(struct arena *arena, const char *text, size_t len)
    __attribute__((returns_nonnull));

/* Bytes handed out so far, for limits and metrics. */
size_t arena_used(const struct arena *arena);

#endif
