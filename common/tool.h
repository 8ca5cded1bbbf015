/* SPDX-License-Identifier: ISC */
/*
 * tool.h - what the programs that control a daemon print and read alike
 *
 * What they print may be hostile: it reaches a terminal only escaped. Options
 * of the daemon's table that stand on the command line are kept until its
 * file was read, and then replace what the file says.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_COMMON_TOOL_H
#define POSTERN_COMMON_TOOL_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include "common/config.h"
#include "common/err.h"

/* Writes len hostile bytes, escaped, to out. */
void tool_put(FILE *out, const char *bytes, size_t len);

/* Prints "program: text" and a line end on standard error, hostile bytes
 * escaped; a text of more than 2,047 bytes is cut. */
void tool_tell(const char *program, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Flushes standard output. Returns code, or EX_IOERR after a message when
 * something could not be written. */
int tool_finish(const char *program, int code);

/* The most options that are kept. */
#define TOOL_CHANGES_MAX 64

/* Options of the command line; starts zeroed. Texts are borrowed. */
struct tool_changes {
	struct {
		const char *name; /* NULL: value is "Name=Value" */
		const char *value;
	} list[TOOL_CHANGES_MAX];
	size_t count;
};

/* Keeps one more. Returns false when there are too many. */
bool tool_change(
    struct tool_changes *changes, const char *name, const char *value);

/* Sets them in config, in their order. The first "Nameservers" given by name
 * replaces those of the file, the next ones are added. Returns 0 or -1. */
int tool_apply(
    const struct tool_changes *changes, struct config *config, struct err *err);

#endif
