/* SPDX-License-Identifier: ISC */
/*
 * unit.h - "5m", "35d", "10M": numbers with a unit, as in main.cf
 *
 * Times: s m h d w, in upper or lower case. Sizes: k M G (1024-based), b.
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_UNIT_H
#define POSTERN_COMMON_UNIT_H

#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* Room for any value that this module prints. */
#define UNIT_TEXT_SIZE 32

/* Parses a time. A number without a unit is in default_unit ('s', 'm', 'h',
 * 'd' or 'w'). Returns 0 and whole seconds (>= 0), or -1 with a sentence
 * that names the text and the units. */
int unit_parse_time(
    const char *text, char default_unit, int64_t *seconds_r, struct err *err);

/* Parses a size in bytes (>= 0); default_unit is 'b', 'k', 'm' or 'g'. */
int unit_parse_size(
    const char *text, char default_unit, int64_t *bytes_r, struct err *err);

/* Writes seconds with the largest unit up to days that divides it ("35d",
 * "300s" as "5m", "0s") and returns buf. */
const char *unit_format_time(int64_t seconds, char buf[static UNIT_TEXT_SIZE]);

/* Writes bytes with the largest unit that divides it ("16k", "100"). */
const char *unit_format_size(int64_t bytes, char buf[static UNIT_TEXT_SIZE]);

#endif
