/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/daemon_int.h"

void
daemon_process_keep_stdio(void)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		(void)close(fd);
}

bool
daemon_process_is_spawned(void)
{
	struct stat in, err;

	return fstat(STDIN_FILENO, &in) == 0 &&
	       fstat(STDERR_FILENO, &err) == 0 && S_ISSOCK(err.st_mode) &&
	       in.st_dev == err.st_dev && in.st_ino == err.st_ino;
}

/* The child writes one byte when it is ready; an end of file without one
 * means that it ended, and why is in its exit status. */
static int
wait_for_child(int fd, pid_t pid)
{
	int status = 0;
	ssize_t n;
	char byte;

	do {
		n = read(fd, &byte, 1);
	} while (n < 0 && errno == EINTR);
	(void)close(fd);
	if (n == 1)
		return 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EX_SOFTWARE;
}

int
daemon_process_fork(
    const sigset_t *mask, int *starter_fd_r, int *status_r, struct err *err)
{
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set_errno(err, errno, "cannot make a pipe");
	pid = fork();
	if (pid < 0) {
		(void)err_set_errno(err, errno,
		    "cannot go to the"
		    " background");
		(void)close(fds[0]);
		(void)close(fds[1]);
		return -1;
	}
	if (pid > 0) {
		(void)close(fds[1]);
		/* The starter is an ordinary command: ^C ends it. */
		(void)sigprocmask(SIG_SETMASK, mask, NULL);
		*status_r = wait_for_child(fds[0], pid);
		return 1;
	}
	(void)close(fds[0]);
	(void)setsid();
	*starter_fd_r = fds[1];
	if (chdir("/") < 0)
		return err_set_errno(err, errno, "cannot change to /");
	return 0;
}

void
daemon_process_ready(int *starter_fd)
{
	int null;

	if (*starter_fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = STDIN_FILENO; null >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(null, fd);
	if (null > STDERR_FILENO)
		(void)close(null);
	/* A starter that was killed meanwhile does not matter. */
	if (write(*starter_fd, "", 1) < 0)
		errno = 0;
	(void)close(*starter_fd);
	*starter_fd = -1;
}

int
daemon_process_pid_write(
    struct daemon_pid_file *file, const char *path, struct err *err)
{
	struct stat st;
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0644);

	if (fd < 0 && errno == ELOOP)
		return err_set(err,
		    "cannot write the pid file %s: it is a"
		    " link",
		    path);
	if (fd < 0)
		return err_set_errno(err, errno,
		    "cannot write the pid file"
		    " %s",
		    path);
	/* Emptied only now: it may be somebody's other file. */
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink != 1) {
		(void)err_set(err,
		    "cannot write the pid file %s: it is not a"
		    " file of its own",
		    path);
		goto fail;
	}
	if (ftruncate(fd, 0) < 0 || fchmod(fd, 0644) < 0 ||
	    dprintf(fd, "%ld\n", (long)getpid()) < 0) {
		(void)err_set_errno(err, errno,
		    "cannot write the pid file"
		    " %s",
		    path);
		goto fail;
	}
	file->fd = fd;
	file->path = path;
	return 0;
fail:
	(void)close(fd);
	return -1;
}

void
daemon_process_pid_remove(struct daemon_pid_file *file)
{
	struct stat ours, there;

	if (file->fd < 0)
		return;
	/* A successor's file stays. */
	if (fstat(file->fd, &ours) == 0 && lstat(file->path, &there) == 0 &&
	    ours.st_dev == there.st_dev && ours.st_ino == there.st_ino &&
	    unlink(file->path) < 0 && ftruncate(file->fd, 0) < 0)
		errno = 0;
	(void)close(file->fd);
	file->fd = -1;
}
