/* SPDX-License-Identifier: ISC */
/*
 * rcpttable.h - greylisting per recipient: on, off, or a delay of its own
 *
 * A file of lines "PATTERN ACTION", "#" comments as in access(5):
 *
 *     PATTERN = user@domain | user@ | domain (and below) | /REGEX/ | *
 *     ACTION  = on | off | a time as for Delay ("60s", "10m")
 *
 * The most specific pattern decides, whatever the order: user@domain (also
 * without its +extension), user@, domain, its parents, then the first
 * matching REGEX, then "*". "* off" and a few "on" lines make greylisting
 * opt-in.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_RCPTTABLE_H
#define POSTERN_GREYLISTD_RCPTTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct rcpttable;

struct rcpttable_action {
	bool greylist;   /* false = off */
	int64_t delay_s; /* -1 = the daemon's Delay */
};

/* Reads the file. Returns NULL with "FILE:LINE: what" at the first fault: a
 * table with a fault is not used, not even in part. */
struct rcpttable *rcpttable_load(const char *path, struct err *err);

/* The same from text in memory; name stands for the path. */
struct rcpttable *rcpttable_parse(
    const char *name, const char *text, size_t len, struct err *err);

/* Frees the table; sets *table to NULL. */
void rcpttable_free(struct rcpttable **table);

/* The longest delay in the table, -1 when there is none; *line_r: where. */
int64_t rcpttable_longest_s(const struct rcpttable *table, unsigned *line_r);

/* Looks recipient up. Without a table (NULL) or a match: greylist, -1. */
struct rcpttable_action rcpttable_find(
    const struct rcpttable *table, const char *recipient);

#endif
