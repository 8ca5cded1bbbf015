/* SPDX-License-Identifier: ISC */
/*
 * ctl_file.h - files that are written whole or not at all
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_DKIMD_CTL_FILE_H
#define POSTERN_DKIMD_CTL_FILE_H

#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "common/err.h"

/* Makes the file path, which must not exist (nor be a link), with these
 * permissions, and writes text to it and to disk. like, when not NULL, is the
 * stat of a file whose owner and group it gets. What could not be finished is
 * removed. Returns 0 or -1 with err. */
int ctl_file_create(const char *path, mode_t mode, const struct stat *like,
    const char *text, size_t len, struct err *err);

/* A new version of a file, beside it. */
struct ctl_file_draft {
	char *path; /* the file itself, links followed */
	char *temp; /* the new version */
};

/* Writes the new version of the existing file path: same owner, group and
 * permissions. Returns 0 or -1 with err; then there is nothing to drop. */
int ctl_file_draft(const char *path, const char *text, size_t len,
    struct ctl_file_draft *draft_r, struct err *err);

/* Puts the new version in the old one's place, in one step. Returns 0 or -1
 * with err. Drop it in either case. */
int ctl_file_commit(const struct ctl_file_draft *draft, struct err *err);

/* Removes the new version if it did not become the file, and frees. */
void ctl_file_drop(struct ctl_file_draft *draft);

#endif
