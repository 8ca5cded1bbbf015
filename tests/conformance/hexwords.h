/* SPDX-License-Identifier: ISC */
/*
 * hexwords.h - texts in hex, as the drivers of conformance tests get and give
 * them; "-" is the empty one
 *
 * Threads: any.
 */
#ifndef POSTERN_TESTS_CONFORMANCE_HEXWORDS_H
#define POSTERN_TESTS_CONFORMANCE_HEXWORDS_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Decodes hex in place and returns the length. */
static inline size_t
hexwords_decode(char *text)
{
	size_t len = 0;

	if (strcmp(text, "-") == 0)
		text[0] = '\0';
	for (char *p = text; p[0] != '\0' && p[1] != '\0'; p += 2) {
		char digits[3] = { p[0], p[1], '\0' };

		text[len++] = (char)strtoul(digits, NULL, 16);
	}
	text[len] = '\0';
	return len;
}

/* Prints a text; the empty one as nothing. */
static inline void
hexwords_print(const char *text)
{
	for (; *text != '\0'; text++)
		printf("%02x", (unsigned char)*text);
}

#endif
