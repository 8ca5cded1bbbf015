/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/xmem.h"

#include "greylistd/ctl_dbcopy.h"

#define DATABASE "postgrey.db"
#define LOCK "postgrey.lock"
#define COPY_CHUNK 65536
/* The recovery of a damaged log must end some time. */
#define RECOVERY_MAX_S 1800

/* No search along PATH: who runs us may be root. */
static const char *const recovery_programs[] = {
	"/usr/bin/db5.3_recover",
	"/usr/local/bin/db5.3_recover",
	"/usr/bin/db_recover",
	"/usr/local/bin/db_recover",
};

#define PROGRAM_COUNT (sizeof(recovery_programs) / sizeof(recovery_programs[0]))

/* A signal must not leave the copy behind: it ends the work, and strikes when
 * the copy is gone. */
static const int end_signals[] = { SIGINT, SIGTERM, SIGHUP };
#define END_SIGNAL_COUNT (sizeof(end_signals) / sizeof(end_signals[0]))
static volatile sig_atomic_t ended_by;
static struct sigaction old_actions[END_SIGNAL_COUNT];

static void
on_end(int number)
{
	ended_by = number;
}

static void
catch_signals(void)
{
	const struct sigaction action = { .sa_handler = on_end };

	for (size_t i = 0; i < END_SIGNAL_COUNT; i++)
		(void)sigaction(end_signals[i], &action, &old_actions[i]);
}

static void
release_signals(void)
{
	for (size_t i = 0; i < END_SIGNAL_COUNT; i++)
		(void)sigaction(end_signals[i], &old_actions[i], NULL);
	if (ended_by != 0)
		(void)raise(ended_by);
}

/* Takes the lock that postgrey holds while it runs. */
static int
lock(struct ctl_dbcopy *copy, const char *old, struct err *err)
{
	copy->lock_fd = openat(
	    copy->old_fd, LOCK, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (copy->lock_fd < 0) {
		if (errno == ENOENT)
			return 0;
		err_set_errno(err, errno, "%s/" LOCK, old);
		return EX_NOINPUT;
	}
	if (flock(copy->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	if (errno != EWOULDBLOCK) {
		err_set_errno(err, errno, "%s/" LOCK, old);
		return EX_OSERR;
	}
	err_set(err,
	    "postgrey is running on %s; stop it first: systemctl "
	    "stop postgrey",
	    old);
	return EX_TEMPFAIL;
}

/* Which files of the directory the copy needs. */
static bool
is_wanted(const char *name)
{
	return strcmp(name, DATABASE) == 0 ||
	       strcmp(name, "postgrey_clients.db") == 0 ||
	       (strncmp(name, "log.", 4) == 0 && strlen(name) == 14 &&
		   strspn(name + 4, "0123456789") == 10);
}

static int
copy_bytes(int from, int to, const char *name, struct err *err)
{
	char *buf = xmem_alloc(COPY_CHUNK);
	ssize_t n = 0;

	while (ended_by == 0 && (n = read(from, buf, COPY_CHUNK)) > 0) {
		for (ssize_t done = 0; done < n;) {
			ssize_t w = write(to, buf + done, (size_t)(n - done));

			if (w < 0) {
				xmem_free(&buf);
				return err_set_errno(
				    err, errno, "cannot copy %s", name);
			}
			done += w;
		}
	}
	xmem_free(&buf);
	return n < 0 ? err_set_errno(err, errno, "cannot read %s", name) : 0;
}

static int
copy_file(const struct ctl_dbcopy *copy, const char *name, struct err *err)
{
	struct stat st;
	int from, to = -1, result = -1;

	from = openat(
	    copy->old_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (from < 0 || fstat(from, &st) != 0) {
		err_set_errno(err, errno, "cannot open %s", name);
		goto out;
	}
	if (!S_ISREG(st.st_mode)) {
		err_set(err, "%s is no regular file", name);
		goto out;
	}
	to = openat(
	    copy->dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0 ||
	    (geteuid() == 0 && fchown(to, st.st_uid, st.st_gid) != 0)) {
		err_set_errno(err, errno, "cannot make a copy of %s", name);
		goto out;
	}
	result = copy_bytes(from, to, name, err);
out:
	if (from >= 0)
		close(from);
	if (to >= 0)
		close(to);
	return result;
}

/* Copies all wanted files. Returns how many log files there were, or -1. */
static int
copy_files(const struct ctl_dbcopy *copy, struct err *err)
{
	int list_fd =
	    openat(copy->old_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = list_fd < 0 ? NULL : fdopendir(list_fd);
	struct dirent *entry;
	int logs = 0;

	if (dir == NULL) {
		logs = err_set_errno(err, errno, "cannot list the files");
		goto out;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (!is_wanted(entry->d_name))
			continue;
		if (copy_file(copy, entry->d_name, err) != 0) {
			logs = -1;
			break;
		}
		if (entry->d_name[0] == 'l')
			logs++;
	}
out:
	if (dir != NULL)
		closedir(dir);
	else if (list_fd >= 0)
		close(list_fd);
	return logs;
}

/* The child: never returns. */
static void
exec_recovery(const char *program, const char *dir, uid_t uid, gid_t gid)
{
	char *const env[] = { xmem_strdup("LC_ALL=C"), NULL };
	char *const args[] = { xmem_strdup(program), xmem_strdup("-h"),
		xmem_strdup(dir), NULL };
	int null = open("/dev/null", O_RDWR);

	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 ||
	    dup2(null, 2) < 0)
		_exit(EX_OSERR);
	if (geteuid() == 0 &&
	    (setgroups(0, NULL) != 0 || setgid(gid) != 0 || setuid(uid) != 0))
		_exit(EX_NOPERM);
	alarm(RECOVERY_MAX_S);
	execve(program, args, env);
	_exit(EX_UNAVAILABLE);
}

static enum ctl_dbcopy_recovery
recover(const struct ctl_dbcopy *copy, const struct stat *owner)
{
	size_t i = 0;
	int status;
	pid_t pid;

	while (i < PROGRAM_COUNT && access(recovery_programs[i], X_OK) != 0)
		i++;
	if (i == PROGRAM_COUNT)
		return CTL_DBCOPY_NO_PROGRAM;
	pid = fork();
	if (pid == 0)
		exec_recovery(recovery_programs[i], copy->dir, owner->st_uid,
		    owner->st_gid);
	if (pid < 0)
		return CTL_DBCOPY_FAILED;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return CTL_DBCOPY_FAILED;
		(void)kill(pid, SIGTERM);
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0
		   ? CTL_DBCOPY_RECOVERED
		   : CTL_DBCOPY_FAILED;
}

/* Makes the private directory, owned by who owns the database. From then on
 * that user can put a link in its place: only the descriptor is used. */
static int
make_dir(struct ctl_dbcopy *copy, const struct stat *owner, struct err *err)
{
	const char *base = secure_getenv("TMPDIR");

	if (base == NULL || base[0] != '/' ||
	    strlen(base) + 32 >= sizeof(copy->dir))
		base = P_tmpdir;
	snprintf(copy->dir, sizeof(copy->dir), "%s/greylistctl.XXXXXX", base);
	if (mkdtemp(copy->dir) == NULL) {
		copy->dir[0] = '\0';
		return err_set_errno(err, errno,
		    "cannot make a directory in "
		    "%s",
		    base);
	}
	copy->dir_fd =
	    open(copy->dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (copy->dir_fd < 0)
		return err_set_errno(err, errno, "%s", copy->dir);
	if (geteuid() == 0 &&
	    fchown(copy->dir_fd, owner->st_uid, owner->st_gid) != 0)
		return err_set_errno(
		    err, errno, "cannot give %s away", copy->dir);
	return 0;
}

int
ctl_dbcopy_make(struct ctl_dbcopy *copy, const char *old, struct err *err)
{
	struct stat owner;
	int result, logs;

	copy->dir[0] = '\0';
	copy->dir_fd = -1;
	copy->catches = false;
	copy->lock_fd = -1;
	copy->recovery = CTL_DBCOPY_NO_LOGS;
	copy->old_fd = open(old, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (copy->old_fd < 0) {
		err_set_errno(
		    err, errno, "%s (postgrey's --dbdir is wanted)", old);
		return EX_NOINPUT;
	}
	if (fstatat(copy->old_fd, DATABASE, &owner, AT_SYMLINK_NOFOLLOW) != 0) {
		err_set_errno(err, errno, "%s/" DATABASE, old);
		return EX_NOINPUT;
	}
	result = lock(copy, old, err);
	if (result != 0)
		return result;
	catch_signals();
	copy->catches = true;
	if (make_dir(copy, &owner, err) != 0)
		return EX_CANTCREAT;
	logs = copy_files(copy, err);
	if (logs < 0) {
		err_prefix(err, "%s: ", old);
		return EX_IOERR;
	}
	if (logs > 0 && ended_by == 0)
		copy->recovery = recover(copy, &owner);
	if (ended_by == 0)
		return 0;
	err_set(err, "interrupted");
	return EX_TEMPFAIL;
}

int
ctl_dbcopy_map(const struct ctl_dbcopy *copy, const char *name,
    struct ctl_dbcopy_file *file_r, struct err *err)
{
	int fd = openat(
	    copy->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int result = 0;

	file_r->data = NULL;
	file_r->size = 0;
	if (fd < 0 && errno == ENOENT)
		goto out;
	if (fd < 0 || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		result = err_set(err, "cannot read the copy of %s", name);
		goto out;
	}
	if (st.st_size == 0)
		goto out;
	file_r->data =
	    mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file_r->data == MAP_FAILED) {
		file_r->data = NULL;
		result = err_set_errno(
		    err, errno, "cannot map the copy of %s", name);
		goto out;
	}
	file_r->size = (size_t)st.st_size;
out:
	if (fd >= 0)
		close(fd);
	return result;
}

void
ctl_dbcopy_unmap(struct ctl_dbcopy_file *file)
{
	if (file->data != NULL)
		munmap(file->data, file->size);
	file->data = NULL;
	file->size = 0;
}

/* Deletes the plain files of the copy; nothing of ours makes directories in
 * it. Takes the descriptor over. */
static void
delete_files(int dir_fd)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (dir == NULL) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0)
			(void)unlinkat(dirfd(dir), entry->d_name, 0);
	}
	closedir(dir);
}

void
ctl_dbcopy_remove(struct ctl_dbcopy *copy)
{
	if (copy->dir_fd >= 0)
		delete_files(copy->dir_fd);
	if (copy->dir[0] != '\0')
		(void)rmdir(copy->dir);
	copy->dir[0] = '\0';
	if (copy->lock_fd >= 0)
		close(copy->lock_fd);
	if (copy->old_fd >= 0)
		close(copy->old_fd);
	copy->lock_fd = copy->old_fd = copy->dir_fd = -1;
	if (copy->catches)
		release_signals();
	copy->catches = false;
}
