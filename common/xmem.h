/* SPDX-License-Identifier: ISC */
/*
 * xmem.h - allocators that succeed or end the process
 *
 * Every input is bounded before memory is asked for, so running out means
 * that the machine is out of memory: one line on standard error, then abort.
 * Nothing here logs through log.c (that is a higher layer).
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_XMEM_H
#define POSTERN_COMMON_XMEM_H

#include <stddef.h>

/* Returns size bytes, not cleared; never NULL. size 0 is taken as 1. */
void *xmem_alloc(size_t size)
    __attribute__((malloc, alloc_size(1), returns_nonnull));

/* Returns count elements of size bytes, all zero; never NULL. */
void *xmem_calloc(size_t count, size_t size)
    __attribute__((malloc, alloc_size(1, 2), returns_nonnull));

/* Resizes ptr (may be NULL) to count elements of size bytes, keeping what
 * fits. Returns the new block; ptr is no longer valid. */
void *xmem_realloc(void *ptr, size_t count, size_t size)
    __attribute__((alloc_size(2, 3), returns_nonnull));

/* Returns a copy of the NUL-terminated text. The caller frees it. */
char *xmem_strdup(const char *text) __attribute__((malloc, returns_nonnull));

/* Returns a NUL-terminated copy of the first len bytes of text. */
char *xmem_strndup(const char *text, size_t len)
    __attribute__((malloc, returns_nonnull));

/* Frees *ptr and sets it to NULL; *ptr may be NULL already. ptr is the
 * address of any object pointer: xmem_free(&name). */
void xmem_free(void *ptr);

#endif
