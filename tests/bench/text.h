/* SPDX-License-Identifier: ISC */
/*
 * text.h - append text to a fixed buffer
 *
 * The generator writes some hundred bytes per request; printf would cost more
 * than the daemon under test.  Text that does not fit is cut, never written
 * past the end; the buffer is always terminated.
 */
#ifndef POSTERN_TESTS_BENCH_TEXT_H
#define POSTERN_TESTS_BENCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

struct text {
	char *at;   /* the terminating NUL */
	char *last; /* the last byte of the buffer */
};

/* Begin an empty text in buf of cap bytes, cap > 0; buf is borrowed. */
void text_open(struct text *text, char *buf, size_t cap);

/* Append the string s. */
void text_str(struct text *text, const char *s);

/* Append n in decimal. */
void text_num(struct text *text, uint64_t n);

/* Append n in lower-case hexadecimal, without leading zeros. */
void text_hex(struct text *text, uint64_t n);

#endif
