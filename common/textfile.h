/* SPDX-License-Identifier: ISC */
/*
 * textfile.h - an admin's text file, line by line
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_TEXTFILE_H
#define POSTERN_COMMON_TEXTFILE_H

#include <stddef.h>

#include "common/err.h"

/* Larger files are not read. */
#define TEXTFILE_MAX (64 * 1024 * 1024)
/* Longer lines are TEXTFILE_BAD. */
#define TEXTFILE_LINE_MAX 4000

enum textfile_result {
	TEXTFILE_OK,
	TEXTFILE_MISSING, /* there is no such file; err is set */
	TEXTFILE_FAILED,  /* err is set */
};

/* Reads the whole file into *text_r (*len_r bytes), which the caller frees.
 * Any kind of file will do, also /dev/null. */
enum textfile_result textfile_read(
    const char *path, char **text_r, size_t *len_r, struct err *err);

/* Lines of a text in memory; set text and len, the rest 0. */
struct textfile {
	const char *text; /* borrowed */
	size_t len;
	size_t at;
	unsigned number; /* of the line last read, from 1 */
	char line[TEXTFILE_LINE_MAX + 1];
};

enum textfile_line {
	TEXTFILE_LINE,
	TEXTFILE_BAD, /* too long or with a NUL byte */
	TEXTFILE_END,
};

/* Reads the next line; *line_r is it without blanks at its ends, in
 * file->line, the caller's to change until the next call. */
enum textfile_line textfile_next(struct textfile *file, char **line_r);

#endif
