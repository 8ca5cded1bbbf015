/* SPDX-License-Identifier: ISC */
/*
 * ctl_rotation.h - the next key of a name: its selector, file and line
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_CTL_ROTATION_H
#define POSTERN_DKIMD_CTL_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/str.h"

#include "dkimd/sigfield.h"

/* Room for "YYYY-MM-DD". */
#define CTL_ROTATION_DATE_SIZE 16

/* Writes the day of a UNIX time (UTC) into buf and returns it. */
const char *ctl_rotation_date(
    int64_t time_s, char buf[static CTL_ROTATION_DATE_SIZE]);

/* Appends a selector that tells its day: "20261121", with "e" behind it for
 * Ed25519. */
void ctl_rotation_selector(
    struct str *s, int64_t now, enum sigfield_algorithm algorithm);

/* Appends the path of the new key file: that of the old one with the new
 * selector where its last part holds the old one as a word, else
 * SELECTOR.private beside it. */
void ctl_rotation_path(struct str *s, const char *old_path,
    const char *old_selector, const char *selector);

/* What a line of the KeyTable says, see keytable.h. */
struct ctl_rotation_line {
	const char *name, *domain, *selector, *path;
	enum sigfield_algorithm algorithm;
	int64_t from;
};

/* Appends the line, without its end. */
void ctl_rotation_add_line(struct str *s, const struct ctl_rotation_line *line);

/* Returns a copy of text (len bytes, *len_r in the end) with lines, which end
 * in "\n", put behind line number after (from 1; beyond the last: at the end).
 * The caller frees it. */
char *ctl_rotation_insert(const char *text, size_t len, unsigned after,
    const char *lines, size_t *len_r);

#endif
