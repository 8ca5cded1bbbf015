/* SPDX-License-Identifier: ISC */
/*
 * header.h - header fields of a message, as a milter sees them
 *
 * A field's value is kept as received: everything after the colon, leading
 * space included, lines folded with "\n" (no "\r") and a blank. Neither name
 * nor value holds a NUL byte.
 *
 * Sources: RFC 5322 section 2.2.
 * Threads: any.
 */
#ifndef POSTERN_COMMON_HEADER_H
#define POSTERN_COMMON_HEADER_H

#include <stdbool.h>
#include <stddef.h>

/* One field; the texts are borrowed, mostly from an arena. */
struct header_field {
	const char *name; /* NUL-terminated, without the colon */
	size_t name_len;
	const char *value; /* NUL-terminated */
	size_t value_len;
};

/* Is this the field's name? Without regard to case; blanks that stand
 * between name and colon (RFC 5322 section 4.5) do not count. */
bool header_is(const struct header_field *field, const char *name);

/* How many fields of this name there are. */
size_t header_count(
    const struct header_field *fields, size_t count, const char *name);

/* The first field of this name, or NULL. */
const struct header_field *header_first(
    const struct header_field *fields, size_t count, const char *name);

#endif
