/* SPDX-License-Identifier: ISC */
/*
 * base64.h - bytes as text and back
 *
 * Sources: RFC 4648 section 4.
 * Threads: any; pure.
 */
#ifndef POSTERN_COMMON_BASE64_H
#define POSTERN_COMMON_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The characters for len bytes, without a NUL. */
#define BASE64_CHARS(len) (((len) + 2) / 3 * 4)

/* Decodes the len characters at text into out of cap bytes. The padding at
 * the end may be missing, but not be wrong; blanks are no base64. Returns
 * false when it is none, or does not fit; else *len_r is set. */
bool base64_decode(
    const char *text, size_t len, uint8_t *out, size_t cap, size_t *len_r);

/* Encodes len bytes into out of cap bytes (BASE64_CHARS(len) + 1 or more),
 * NUL-terminated. Returns the length, or 0 when it does not fit. */
size_t base64_encode(const void *bytes, size_t len, char *out, size_t cap);

#endif
