/* SPDX-License-Identifier: ISC */
/*
 * header.h - header fields of a message, as a milter sees them
 *
 * A field's value is kept as received: everything after the colon, leading
 * space included, lines folded with "\n" (no "\r") and a blank. Neither name
 * nor value holds a NUL byte.
 *
 * Sources: RFC 5322 sections 2.2, 3.2 and 4; RFC 6532 (UTF-8).
 * Threads: any.
 */
#ifndef POSTERN_COMMON_HEADER_H
#define POSTERN_COMMON_HEADER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/str.h"

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

/* A place in the value of a structured field, for the parsers of addresses
 * and results. */
struct header_cursor {
	const char *text; /* borrowed; any bytes, NUL too */
	size_t len;
	size_t at;        /* <= len */
	bool takes_bytes; /* any byte beyond ASCII is a character */
};

/* How many bytes the character at the cursor has: 1 for printable ASCII and
 * blanks, and for the "\n" of a fold; 2 to 4 for UTF-8; 0 at the end, at a
 * control character and, unless takes_bytes says 1, at invalid UTF-8. */
size_t header_char(const struct header_cursor *cursor);

/* Is c atext: may it stand in an atom? ASCII only. */
bool header_is_atext(char c);

/* Skips blanks, folds and comments, nested ones as well. Returns false when a
 * comment does not end or holds what header_char refuses; a cursor before
 * anything else stays there, which is no error. */
bool header_skip(struct header_cursor *cursor);

/* Takes the quoted string at the cursor (which stands on its first quote) and
 * appends what it says to content, without escapes and line ends. Returns
 * false when it does not end or holds what header_char refuses. */
bool header_quoted(struct header_cursor *cursor, struct str *content);

#endif
