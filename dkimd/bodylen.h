/* SPDX-License-Identifier: ISC */
/*
 * bodylen.h - how long a body is in canonical form
 *
 * Says whether the l= of a signature left something of the body uncovered,
 * which anybody may have appended.
 *
 * Sources: RFC 6376 sections 3.4.3, 3.4.4 and 8.2.
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_BODYLEN_H
#define POSTERN_DKIMD_BODYLEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dkimd/sigfield.h"

/* Zero but for canon at the start. */
struct bodylen {
	enum sigfield_canon canon;
	int64_t len;         /* up to the last line that is not empty */
	int64_t empty_lines; /* behind it; they count if others follow */
	bool in_line;        /* something of this line counts */
	bool has_blank;      /* seen within the line, relaxed */
	bool has_cr;         /* the last byte */
};

/* Takes the next piece of the body, with CRLF line ends. */
void bodylen_add(struct bodylen *body, const char *bytes, size_t len);

/* The length of the whole, whose last line was complete. */
int64_t bodylen_total(const struct bodylen *body);

#endif
