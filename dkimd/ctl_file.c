/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"

#include "dkimd/ctl_file.h"

/* Names that are tried for the new version of a file. */
#define TRIES 100

static int
write_all(int fd, const char *text, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		text += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A file is on disk for certain when its directory is, too. */
static int
sync_directory(const char *path)
{
	char *folder = xmem_strdup(path), *slash = strrchr(folder, '/');
	int fd, status;

	if (slash != NULL)
		slash[slash == folder] = '\0';
	fd = open(
	    slash != NULL ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	status = fd < 0 ? -1 : fsync(fd);
	if (fd >= 0)
		(void)close(fd);
	xmem_free(&folder);
	return status;
}

/* Fills the new file behind fd and closes it. Returns 0 or -1 with errno. */
static int
fill(int fd, mode_t mode, const struct stat *like, const char *text, size_t len)
{
	int status = 0, errnum;

	if (like != NULL &&
	    (like->st_uid != geteuid() || like->st_gid != getegid()))
		status = fchown(fd, like->st_uid, like->st_gid);
	/* After the change of owner, which takes bits away. */
	if (status == 0)
		status = fchmod(fd, mode);
	if (status == 0)
		status = write_all(fd, text, len);
	if (status == 0)
		status = fsync(fd);
	errnum = errno;
	if (close(fd) != 0 && status == 0)
		return -1;
	errno = errnum;
	return status;
}

/* Returns 0, or -1 with errno; EEXIST when there is such a file. */
static int
create(const char *path, mode_t mode, const struct stat *like, const char *text,
    size_t len)
{
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int errnum;

	if (fd < 0)
		return -1;
	if (fill(fd, mode, like, text, len) == 0 && sync_directory(path) == 0)
		return 0;
	errnum = errno;
	(void)unlink(path);
	errno = errnum;
	return -1;
}

int
ctl_file_create(const char *path, mode_t mode, const struct stat *like,
    const char *text, size_t len, struct err *err)
{
	if (create(path, mode, like, text, len) == 0)
		return 0;
	if (errno == EEXIST)
		return err_set(err,
		    "%s exists already, and no file is ever overwritten; take "
		    "another selector (-s) or move it away",
		    path);
	return err_set_errno(err, errno, "cannot write %s", path);
}

int
ctl_file_draft(const char *path, const char *text, size_t len,
    struct ctl_file_draft *draft_r, struct err *err)
{
	struct stat st;
	char *real = realpath(path, NULL);
	size_t size;

	if (real == NULL || stat(real, &st) != 0) {
		err_set_errno(err, errno, "%s", path);
		free(real);
		return -1;
	}
	draft_r->path = xmem_strdup(real);
	free(real);
	size = strlen(draft_r->path) + 8;
	draft_r->temp = xmem_alloc(size);
	for (int i = 0; i < TRIES; i++) {
		snprintf(draft_r->temp, size, "%s.new%d", draft_r->path, i);
		if (create(draft_r->temp, st.st_mode & 07777, &st, text, len) ==
		    0)
			return 0;
		if (errno != EEXIST)
			break;
	}
	err_set_errno(err, errno, "cannot write %s", draft_r->temp);
	xmem_free(&draft_r->temp);
	xmem_free(&draft_r->path);
	return -1;
}

int
ctl_file_commit(const struct ctl_file_draft *draft, struct err *err)
{
	if (rename(draft->temp, draft->path) != 0)
		return err_set_errno(
		    err, errno, "cannot replace %s", draft->path);
	if (sync_directory(draft->path) != 0)
		return err_set_errno(
		    err, errno, "cannot sync the directory of %s", draft->path);
	return 0;
}

void
ctl_file_drop(struct ctl_file_draft *draft)
{
	/* After a commit there is none. */
	if (draft->temp != NULL)
		(void)unlink(draft->temp);
	xmem_free(&draft->temp);
	xmem_free(&draft->path);
}
