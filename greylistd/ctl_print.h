/* SPDX-License-Identifier: ISC */
/*
 * ctl_print.h - the same rows for people (aligned columns) or as JSON
 *
 * For people: a headline, then columns as wide as the first rows need; times
 * are local, spans have at most two units, hostile bytes are %XX, what is
 * empty is "-". As JSON: an array of objects; times and spans in seconds,
 * null where there is none.
 *
 * Threads: one struct belongs to one thread.
 */
#ifndef POSTERN_GREYLISTD_CTL_PRINT_H
#define POSTERN_GREYLISTD_CTL_PRINT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/json.h"

enum ctl_print_type {
	CTL_PRINT_TEXT,
	CTL_PRINT_NUMBER,
	CTL_PRINT_TIME, /* UNIX seconds; 0 = none */
	CTL_PRINT_SPAN, /* seconds; negative = none */
};

struct ctl_print_column {
	const char *name;  /* in JSON: "recipient" */
	const char *title; /* for people: "RECIPIENT" */
	enum ctl_print_type type;
};

struct ctl_print;

#define CTL_PRINT_COLUMNS_MAX 12
/* Room for a time or a span as text. */
#define CTL_PRINT_TEXT_SIZE 48

/* Starts rows of count columns (borrowed). With json (may be NULL) they
 * become an array called name; else a table on out. */
struct ctl_print *ctl_print_new(FILE *out, struct json *json, const char *name,
    const struct ctl_print_column *columns, size_t count);

/* The next cell, a text of len hostile bytes. A row ends by itself when it
 * has its cells. */
void ctl_print_text(struct ctl_print *print, const char *bytes, size_t len);

/* The next cell, a number, time or span as its column says. */
void ctl_print_int(struct ctl_print *print, int64_t value);

/* Writes what is still held back and frees; sets *print to NULL. Returns how
 * many rows there were. */
size_t ctl_print_end(struct ctl_print **print);

/* Formats a local time ("2026-11-21 10:43:12"; "-" for 0); returns buf. */
const char *ctl_print_time(
    int64_t time_s, char buf[static CTL_PRINT_TEXT_SIZE]);

/* Formats a span ("4m 50s", "3d 2h"; "-" when negative); returns buf. */
const char *ctl_print_span(
    int64_t seconds, char buf[static CTL_PRINT_TEXT_SIZE]);

#endif
