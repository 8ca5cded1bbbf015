/* SPDX-License-Identifier: ISC */
/*
 * ctl_caret.h - a place in a long text, shown by a caret under it
 *
 *     ...ude:_spf.example.net ip4:192.0.2.0/33 -all
 *                             ^~~~~~~~~~~~~~~~
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_SPFD_CTL_CARET_H
#define POSTERN_SPFD_CTL_CARET_H

#include <stddef.h>

/* Columns of the excerpt, with the dots where it was cut. */
#define CTL_CARET_COLUMNS 72

struct ctl_caret {
	char text[CTL_CARET_COLUMNS + 1];  /* hostile bytes as %XX */
	char marks[CTL_CARET_COLUMNS + 1]; /* blanks, "^", "~" */
};

/* Makes the excerpt of the len bytes at text around offset (at most len), and
 * marks count bytes there, at least one column. */
void ctl_caret_make(struct ctl_caret *caret, const char *text, size_t len,
    size_t offset, size_t count);

#endif
