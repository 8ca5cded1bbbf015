/* SPDX-License-Identifier: ISC */
/*
 * ctl_text.h - the export format: one record per line, nothing lost
 *
 *     file     = "postern-greylist 1" LF { record LF } "end" SP ROWS LF
 *     record   = "triplet" SP FIRST SP LAST SP PASSED SP KEY
 *              | "client" SP COUNT SP LAST SP ADDRESS
 *              | "rule" SP ACTION SP CREATED SP EXPIRES SP KIND SP VALUE
 *                SP COMMENT
 *              | "counter" SP DAY SP N SP NAME
 *              | "#" ANYTHING | ""
 *     numbers  = decimal, not negative; times are UNIX seconds
 *     texts    = "-" (empty) | bytes 0x21..0x7e, all others and "%" as %XX,
 *                a lone "-" as %2D
 *
 * ROWS counts the records, so that a file that was cut is noticed. PASSED is
 * 0 (never), 1 (at an unknown time) or a time.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_CTL_TEXT_H
#define POSTERN_GREYLISTD_CTL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#define CTL_TEXT_HEAD "postern-greylist 1"
/* The longest text after decoding; longer ones are an error. */
#define CTL_TEXT_VALUE_MAX 1024
/* Room for any line: each byte of the longest texts escaped. */
#define CTL_TEXT_LINE_SIZE (4 * 3 * CTL_TEXT_VALUE_MAX + 128)

enum ctl_text_type {
	CTL_TEXT_NOTHING, /* comment or empty line */
	CTL_TEXT_TRIPLET,
	CTL_TEXT_CLIENT,
	CTL_TEXT_RULE,
	CTL_TEXT_COUNTER,
	CTL_TEXT_END,
};

/* A record. Numbers and texts that its type has not are 0 and "". */
struct ctl_text {
	enum ctl_text_type type;
	/* triplet: first last passed; client: count last; rule: created
	 * expires; counter: day n; end: rows */
	int64_t number[3];
	/* triplet: key; client: address; rule: action kind value comment;
	 * counter: name */
	char text[4][CTL_TEXT_VALUE_MAX + 1];
};

/* Parses a line of len bytes without its line end. Returns 0, or -1 with what
 * is wrong. */
int ctl_text_parse(
    const char *line, size_t len, struct ctl_text *record_r, struct err *err);

/* Writes a record (not NOTHING) without line end into buf. Texts longer than
 * CTL_TEXT_VALUE_MAX are not possible. Returns the length. */
size_t ctl_text_format(
    const struct ctl_text *record, char buf[static CTL_TEXT_LINE_SIZE]);

#endif
