/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox.h"
#include "tests/unit/check.h"

static void
test_lookup(void)
{
	static const struct {
		const char *name;
		const char *user;
		const char *group;
		uid_t uid;
		const char *gid_of; /* group's name, or a number */
		const char *want;   /* of the fault, NULL = none */
	} rows[] = {
		{ "root", "root", "", 0, "root", NULL },
		{ "nobody and a group", "nobody", "mail", 65534, "mail", NULL },
		{ "number", "0", "", 0, "root", NULL },
		{ "number and number", "12345678", "87654321", 12345678,
		    "87654321", NULL },
		{ "number without entry", "12345678", "", 0, NULL,
		    "user 12345678 has no entry in the password file: set Group"
		    " as well" },
		{ "no such user", "no-such-user", "", 0, NULL,
		    "there is no user \"no-such-user\"" },
		{ "no such group", "nobody", "no-such-group", 0, NULL,
		    "there is no group \"no-such-group\"" },
		{ "minus one", "-1", "", 0, NULL, "there is no user \"-1\"" },
		{ "what means unchanged", "4294967295", "0", 0, NULL,
		    "there is no user \"4294967295\"" },
		{ "empty", "", "", 0, NULL, "there is no user \"\"" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		uid_t uid = 99;
		gid_t gid = 99;
		int r = sandbox_lookup(
		    rows[i].user, rows[i].group, &uid, &gid, &err);
		const struct group *group;

		check_int(rows[i].name, r, rows[i].want == NULL ? 0 : -1);
		if (rows[i].want != NULL) {
			check_str(rows[i].name, err.text, rows[i].want);
			continue;
		}
		group = getgrnam(rows[i].gid_of);
		check_uint(rows[i].name, uid, rows[i].uid);
		check_uint(rows[i].name, gid,
		    group != NULL ? group->gr_gid
				  : (gid_t)strtoul(rows[i].gid_of, NULL, 10));
	}
}

/* Runs fn in a child and returns its exit status, 99 for a death by signal.
 * _exit: a sanitizer's leak check belongs to the parent. */
static int
in_child(int (*fn)(void))
{
	int status = 0;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	if (pid == 0)
		_exit(fn());
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return 99;
	return WEXITSTATUS(status);
}

/* Each returns 0 when all is well, else a number that says where. */
static int
drop_to_nobody(void)
{
	const gid_t some[] = { 8, 9 };
	gid_t groups[8];
	struct err err;

	if (setgroups(2, some) < 0)
		return 8;
	if (sandbox_drop(65534, 65534, &err) < 0)
		return 1;
	if (getuid() != 65534 || geteuid() != 65534 || getgid() != 65534 ||
	    getegid() != 65534)
		return 2;
	if (getgroups(8, groups) != 0)
		return 3;
	if (setuid(0) == 0 || setgid(0) == 0)
		return 4;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 1)
		return 5;
	/* Once more is nothing. */
	if (sandbox_drop(65534, 65534, &err) < 0)
		return 6;
	if (sandbox_drop(0, 0, &err) == 0)
		return 7;
	return 0;
}

static int
stay_root(void)
{
	gid_t groups[8];
	struct err err;

	if (sandbox_drop(0, 0, &err) < 0)
		return 1;
	return geteuid() == 0 && getgroups(8, groups) == 0 ? 0 : 2;
}

static void *
return_argument(void *arg)
{
	return arg;
}

static int
enter(void)
{
	struct err err;

	if (sandbox_enter(&err) == 0)
		return 0;
	(void)printf("# %s\n", err.text);
	(void)fflush(stdout);
	return 77;
}

static bool
is_forbidden(long result)
{
	return result == -1 && errno == EPERM;
}

/* As root, so that nothing but the filter says no. */
static int
try_forbidden(void)
{
	char *const argv[] = { NULL };
	struct timeval tv = { 0, 0 };
	int r = enter();

	if (r != 0)
		return r;
	if (!is_forbidden(execve("/bin/true", argv, argv)))
		return 1;
	if (!is_forbidden(setuid(0)) || !is_forbidden(setgid(0)))
		return 2;
	if (!is_forbidden(mount("none", "/mnt", "tmpfs", 0, NULL)))
		return 3;
	if (!is_forbidden(unshare(CLONE_NEWNS)) ||
	    !is_forbidden(unshare(CLONE_NEWUSER)))
		return 4;
	/* A time of 1970 that gets through would be noticed. */
	tv.tv_usec = -1;
	if (!is_forbidden(syscall(SYS_settimeofday, &tv, NULL)))
		return 5;
	if (!is_forbidden(syscall(SYS_init_module, NULL, 0, "")))
		return 6;
	if (!is_forbidden(
		syscall(SYS_clone, CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0)))
		return 7;
	if (syscall(SYS_clone3, NULL, 0) != -1 || errno != ENOSYS)
		return 8;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 9;
	return 0;
}

/* What a daemon does go on doing. */
static int
try_allowed(void)
{
	pthread_t thread;
	void *back = NULL;
	int r = enter(), fd;

	if (r != 0)
		return r;
	if (pthread_create(&thread, NULL, return_argument, &fd) != 0 ||
	    pthread_join(thread, &back) != 0 || back != &fd)
		return 1;
	fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (fd < 0 || write(fd, "x", 1) != 1 || close(fd) < 0)
		return 2;
	if (kill(getpid(), 0) < 0)
		return 3;
	return 0;
}

static int waiting[2], answering[2];

/* Waits until the filter is there, then says what execve does. */
static void *
exec_later(void *arg)
{
	char *const argv[] = { NULL };
	char byte;

	(void)arg;
	if (read(waiting[0], &byte, 1) != 1)
		return NULL;
	byte = is_forbidden(execve("/nonexistent", argv, argv)) ? 'y' : 'n';
	if (write(answering[1], &byte, 1) != 1)
		return NULL;
	return NULL;
}

/* A library's thread that is already there is caught as well. */
static int
try_thread(void)
{
	pthread_t thread;
	char byte = 0;
	int r;

	if (pipe(waiting) < 0 || pipe(answering) < 0 ||
	    pthread_create(&thread, NULL, exec_later, NULL) != 0)
		return 1;
	r = enter();
	if (r != 0)
		return r;
	if (write(waiting[1], "", 1) != 1 || read(answering[0], &byte, 1) != 1)
		return 2;
	(void)pthread_join(thread, NULL);
	return byte == 'y' ? 0 : 3;
}

static void
test_filter(const char *name, int (*fn)(void))
{
	int status = in_child(fn);

	if (status == 77)
		check_skip(name, "no system call filters here");
	else
		check_int(name, status, 0);
}

int
main(void)
{
	test_lookup();
	if (geteuid() == 0) {
		check_int("root becomes nobody", in_child(drop_to_nobody), 0);
		check_int("root stays root", in_child(stay_root), 0);
	} else {
		check_skip("root becomes nobody", "not root");
	}
	test_filter("forbidden calls", try_forbidden);
	test_filter("allowed calls", try_allowed);
	test_filter("threads that are there already", try_thread);
	return check_done();
}
