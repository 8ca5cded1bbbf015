/* SPDX-License-Identifier: ISC */
/*
 * ctl_dbcopy.h - a private, recovered copy of postgrey's database files
 *
 * After SIGKILL most of postgrey's entries are only in its log files; the
 * library's recovery program puts them into the database files. It runs on
 * the copy, as the owner of the originals, which are never changed.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_GREYLISTD_CTL_DBCOPY_H
#define POSTERN_GREYLISTD_CTL_DBCOPY_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"

enum ctl_dbcopy_recovery {
	CTL_DBCOPY_NO_LOGS, /* nothing to recover from */
	CTL_DBCOPY_RECOVERED,
	CTL_DBCOPY_NO_PROGRAM,
	CTL_DBCOPY_FAILED,
};

struct ctl_dbcopy {
	char dir[PATH_MAX]; /* of the copy; "" = none */
	int dir_fd;         /* the same, whatever its name leads to */
	int old_fd;         /* the original directory */
	int lock_fd;        /* postgrey's lock, held; -1 = none */
	enum ctl_dbcopy_recovery recovery;
	bool catches; /* signals are held back */
};

/* A file in memory. */
struct ctl_dbcopy_file {
	void *data; /* NULL when size is 0 */
	size_t size;
};

/* Locks out postgrey, copies old's database and log files and recovers the
 * copy. Returns 0, or a code of sysexits.h with err: EX_TEMPFAIL = postgrey
 * is running. In any case ctl_dbcopy_remove ends it; a signal that comes
 * between both waits for that. */
int ctl_dbcopy_make(struct ctl_dbcopy *copy, const char *old, struct err *err);

/* Maps a file of the copy; one that is not there is empty. The caller unmaps
 * it with ctl_dbcopy_unmap, also after ctl_dbcopy_remove. Returns 0 or -1
 * with err. */
int ctl_dbcopy_map(const struct ctl_dbcopy *copy, const char *name,
    struct ctl_dbcopy_file *file_r, struct err *err);

/* Undoes ctl_dbcopy_map. */
void ctl_dbcopy_unmap(struct ctl_dbcopy_file *file);

/* Deletes the copy; unlocks. */
void ctl_dbcopy_remove(struct ctl_dbcopy *copy);

#endif
