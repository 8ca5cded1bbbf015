/* SPDX-License-Identifier: ISC */
/*
 * test_daemon.c - the skeleton with a stand-in daemon on poll(2)
 *
 * Each row runs daemon_main in a process of its own. Nothing is timed: the
 * daemon's standard error and a notification socket are waited on, and an
 * alarm ends a test that waits in vain.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/log.h"
#include "tests/unit/check.h"

#define WORDS_MAX 12
#define NOBODY 65534

/* ------------------------------------------------- the stand-in daemon */

struct options {
	struct daemon_config common;
	char *fail; /* the hook that shall fail */
	char *value;
	bool slow; /* ends only when stopped twice */
	bool term_at_open;
};

struct state {
	bool slow;
	bool must_end;
	void (*tick)(void *arg);
	void *tick_arg;
};

#define FIELD(member) offsetof(struct options, member)

static const struct config_option table[] = { DAEMON_OPTIONS(
						  struct options, common),
	{ .name = "Fail", .type = CONFIG_STRING, .offset = FIELD(fail) },
	{ .name = "Value", .type = CONFIG_STRING, .offset = FIELD(value) },
	{ .name = "Slow", .type = CONFIG_BOOL, .offset = FIELD(slow) },
	{ .name = "TermAtOpen",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(term_at_open) },
	{ .name = "Obsolete", .type = CONFIG_IGNORED }, CONFIG_END };

static bool
fails(const struct config *config, const char *hook)
{
	const struct options *o = config_values(config);

	return strcmp(o->fail, hook) == 0;
}

static int
hook_check(struct config *config, struct err *err)
{
	return fails(config, "check") ? err_set(err, "check fails") : 0;
}

static const struct config *own_config;

static void *
hook_open(const struct config *config, uid_t uid, gid_t gid, struct err *err)
{
	const struct options *o = config_values(config);
	struct state *s;

	own_config = config;
	log_info("open as %u for %u:%u", geteuid(), uid, gid);
	if (o->term_at_open)
		(void)kill(getpid(), SIGTERM);
	if (fails(config, "open")) {
		(void)err_set(err, "open fails");
		return NULL;
	}
	s = calloc(1, sizeof(*s));
	if (s != NULL)
		s->slow = o->slow;
	return s;
}

/* The mask and the limits that threads of a daemon get. */
static void *
look_around(void *arg)
{
	sigset_t mask;
	mode_t old = umask(0);

	(void)umask(old);
	(void)pthread_sigmask(SIG_BLOCK, NULL, &mask);
	log_info("thread: umask %03o, %s", old,
	    sigismember(&mask, SIGHUP) && sigismember(&mask, SIGTERM)
		? "signals blocked"
		: "no mask");
	return arg;
}

static void *
hook_start(void *state, struct err *err)
{
	char cwd[64] = "";
	pthread_t thread;

	log_info("start as %u", geteuid());
	log_info("in %s", getcwd(cwd, sizeof(cwd)) != NULL ? cwd : "?");
	if (pthread_create(&thread, NULL, look_around, NULL) == 0)
		(void)pthread_join(thread, NULL);
	if (!fails(own_config, "start"))
		return state;
	(void)err_set(err, "start fails");
	return NULL;
}

static int
hook_reload(void *state, const struct config *config, struct err *err)
{
	const struct options *o = config_values(config);

	(void)state;
	if (fails(config, "reload"))
		return err_set(err, "reload fails");
	log_info("reload: Value is %s", o->value);
	return 0;
}

static void
hook_close(void *state)
{
	log_info("close");
	free(state);
}

static void
engine_run(
    void *engine, int signal_fd, void (*handle)(void *arg), void *signal_arg)
{
	struct pollfd pfd = { .fd = signal_fd, .events = POLLIN };
	struct state *s = engine;

	while (!s->must_end) {
		if (poll(&pfd, 1, s->tick != NULL ? 1 : -1) > 0)
			handle(signal_arg);
		else if (s->tick != NULL)
			s->tick(s->tick_arg);
	}
}

static void
engine_stop(void *engine, int64_t grace_ms)
{
	struct state *s = engine;

	log_info("stop, grace %s", grace_ms > 0 ? "some" : "none");
	s->must_end = !s->slow || grace_ms == 0;
}

static void
engine_every(
    void *engine, int64_t interval_ms, void (*fn)(void *arg), void *arg)
{
	struct state *s = engine;

	log_info("every %" PRId64 " ms", interval_ms);
	s->tick = fn;
	s->tick_arg = arg;
}

static const struct daemon_engine engine = {
	.run = engine_run,
	.stop = engine_stop,
	.every = engine_every,
};

static const struct daemon_default defaults[] = {
	{ "Value", "default" },
	{ NULL, NULL },
};

static const struct daemon_spec sysexits = {
	.name = "standin",
	.version = "1.2",
	.usage = "usage: standin",
	.options = table,
	.config_size = sizeof(struct options),
	.common_offset = FIELD(common),
	.defaults = defaults,
	.engine = &engine,
	.check = hook_check,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

/* ------------------------------------------------------- running it */

/* A folder of the test's own, which nobody may read. */
static char folder[64];
static char pid_file[96], pid_option[112], config_file[96];
static int notify_fd;

struct run {
	pid_t pid;
	int fd;           /* its output */
	char text[16384]; /* what was read of it */
	size_t len;
};

/* How a daemon is started: before() runs in its process first. */
struct how {
	const struct daemon_spec *spec;
	void (*before)(void);
	bool without_user; /* else -o User=nobody as root */
};

static void
start_daemon(struct run *r, const struct how *how, const char *const *words)
{
	char *argv[WORDS_MAX + 4] = { (char *)(uintptr_t) "standin" };
	int argc = 1, fds[2];

	*r = (struct run){ .fd = -1 };
	if (geteuid() == 0 && !how->without_user) {
		argv[argc++] = (char *)(uintptr_t) "-o";
		argv[argc++] = (char *)(uintptr_t) "User=nobody";
	}
	for (; *words != NULL; words++)
		argv[argc++] = (char *)(uintptr_t)*words;
	if (pipe2(fds, O_CLOEXEC) < 0)
		exit(1);
	r->fd = fds[0];
	r->pid = fork();
	if (r->pid != 0) {
		(void)close(fds[1]);
		return;
	}
	(void)dup2(fds[1], STDOUT_FILENO);
	(void)dup2(fds[1], STDERR_FILENO);
	(void)close(fds[0]);
	(void)close(fds[1]);
	if (how->before != NULL)
		how->before();
	exit(daemon_main(argc, argv, how->spec));
}

/* Reads on until want is there (NULL: to the end). */
static bool
wait_for(struct run *r, const char *want)
{
	while (want == NULL || strstr(r->text, want) == NULL) {
		ssize_t n =
		    read(r->fd, r->text + r->len, sizeof(r->text) - 1 - r->len);

		if (n <= 0)
			return want == NULL;
		r->len += (size_t)n;
	}
	return true;
}

/* Forgets what was read, so that the next wait_for waits for new lines. */
static void
forget(struct run *r)
{
	memset(r->text, 0, sizeof(r->text));
	r->len = 0;
}

static int
end_of(struct run *r)
{
	int status = 0;

	(void)wait_for(r, NULL);
	(void)close(r->fd);
	(void)waitpid(r->pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

static void
write_config(const char *text)
{
	FILE *f = fopen(config_file, "w");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		exit(1);
	(void)chmod(config_file, 0644);
}

/* Waits for a notification that begins with want. */
static bool
notified(const char *want)
{
	char buf[256];
	ssize_t n;

	while ((n = recv(notify_fd, buf, sizeof(buf) - 1, 0)) >= 0) {
		buf[n] = '\0';
		if (strncmp(buf, want, strlen(want)) == 0)
			return true;
	}
	return false;
}

/* --------------------------------------------------------------- tests */

static const struct how usual = { .spec = &sysexits };
static const struct how as_root = { .spec = &sysexits, .without_user = true };

struct exit_row {
	const char *name;
	const char *words[WORDS_MAX];
	int want;
	const char *text;
};

static void
check_exits(const struct exit_row *rows, size_t count, const struct how *how)
{
	for (size_t i = 0; i < count; i++) {
		struct run r;

		start_daemon(&r, how, rows[i].words);
		check_int(rows[i].name, end_of(&r), rows[i].want);
		check_contains(rows[i].name, r.text, rows[i].text);
	}
}

static void
test_exits(void)
{
	const struct exit_row rows[] = {
		{ "version", { "-V" }, 0, "standin 1.2\n" },
		{ "help", { "--help" }, 0, "usage: standin\n" },
		{ "help lists options", { "-h" }, 0, "  --term-at-open " },
		{ "help shows our defaults", { "-h" }, 0,
		    "(default: default)\n" },
		{ "check", { "-t" }, 0,
		    "standin: no file: the configuration is fine\n" },
		{ "print", { "-p", "-o", "Value=x" }, 0, "\nValue x\n" },
		{ "print a default", { "-p" }, 0, "\n# Value default\n" },
		{ "usage", { "--bogus" }, 64,
		    "standin: unknown option \"--bogus\"" },
		{ "value", { "-o", "Slow=x" }, 78, "standin: Slow: \"x\"" },
		{ "file", { "-t", "-c", config_file }, 78, ":2: Slow: \"x\"" },
		{ "file is named", { "-c", config_file }, 78, config_file },
		{ "no file", { "-c", "/nonexistent" }, 78,
		    "standin: cannot open /nonexistent: No such file" },
		{ "facility", { "-o", "SyslogFacility=x" }, 78,
		    "standin: SyslogFacility: \"x\" is unknown" },
		{ "check hook", { "-o", "Fail=check" }, 78,
		    "standin: check fails\n" },
		{ "check hook, -t", { "-t", "-o", "Fail=check" }, 78,
		    "standin: check fails\n" },
		{ "open", { "-o", "Fail=open" }, 69, "open fails\n" },
		{ "start", { "-o", "Fail=start" }, 69, "start fails\n" },
		{ "start fails, all is closed", { "-o", "Fail=start" }, 69,
		    "start fails\nclose\n" },
		{ "pid file", { "-o", "PidFile=/nonexistent/pid" }, 73,
		    "cannot write the pid file /nonexistent/pid" },
		{ "relative file",
		    { "-d", "-c", "../../../../../../../../dev/null" }, 64,
		    "needs a path that begins with \"/\", not ../" },
		{ "background, open", { "-d", "-o", "Fail=open" }, 69,
		    "standin: open fails\n" },
		{ "background, start", { "-d", "-o", "Fail=start" }, 69,
		    "standin: start fails\n" },
	};

	write_config("\nSlow x\n");
	check_exits(rows, CHECK_COUNT(rows), &usual);
}

static void
test_own_exits(void)
{
	static const struct exit_row rows[] = {
		{ "own usage", { "--bogus" }, 1, "unknown option" },
		{ "own help", { "--help" }, 1, "usage: standin" },
		{ "own config", { "-o", "Slow=x" }, 2, "Slow" },
		{ "own open", { "-o", "Fail=open" }, 3, "open fails" },
		{ "own start", { "-o", "Fail=start" }, 3, "start fails" },
	};
	static const struct exit_row no_user[] = {
		{ "own user", { "-o", "User=no-such-user" }, 255,
		    "there is no user \"no-such-user\"" },
	};
	struct daemon_spec spec = sysexits;
	struct how how = { .spec = &spec };

	spec.exits = (struct daemon_exits){
		.usage = 1, .help = 1, .config = 2, .no_user = 255, .open = 3
	};
	check_exits(rows, CHECK_COUNT(rows), &how);
	if (geteuid() == 0)
		check_exits(no_user, CHECK_COUNT(no_user), &how);
}

static void
become_nobody(void)
{
	if (setgid(NOBODY) < 0 || setuid(NOBODY) < 0)
		_exit(99);
}

static bool
want_background(const struct config *config)
{
	(void)config;
	return true;
}

static const char *
other_name(const struct config *config)
{
	(void)config;
	return "other";
}

static void
forget_notify(void)
{
	(void)unsetenv("NOTIFY_SOCKET");
}

static void
set_notify(void)
{
	(void)setenv("NOTIFY_SOCKET", "@nobody", 1);
}

/* An option that says what -d does: seen by what the background asks for. */
static void
test_own_background(void)
{
#define RELATIVE "-c", "../../../../../../../../dev/null"
	static const struct exit_row by_option[] = {
		{ "background by an option", { RELATIVE }, 64,
		    "in the background the configuration file needs a path" },
		{ "-f wins", { RELATIVE, "-f", "-o", "TermAtOpen=yes" }, 0,
		    "start as " },
	};
	static const struct exit_row by_systemd[] = {
		{ "systemd waits", { RELATIVE, "-o", "TermAtOpen=yes" }, 0,
		    "start as " },
	};
	struct daemon_spec spec = sysexits;
	struct how how = { .spec = &spec, .before = forget_notify };

	spec.is_background = want_background;
	spec.log_name = other_name;
	check_exits(by_option, CHECK_COUNT(by_option), &how);
	how.before = set_notify;
	check_exits(by_systemd, CHECK_COUNT(by_systemd), &how);
}

static void
test_identity(void)
{
	static const struct exit_row rows[] = {
		{ "root without a user", { NULL }, 78,
		    "will not run as root: set User" },
		{ "no such user", { "-o", "User=no-such-user" }, 67,
		    "there is no user \"no-such-user\"" },
		{ "background, no such user",
		    { "-d", "-o", "User=no-such-user" }, 67,
		    "standin: User, Group: there is no user \"no-such-user\"" },
		{ "no such group",
		    { "-o", "User=nobody", "-o", "Group=no-such-group" }, 67,
		    "there is no group \"no-such-group\"" },
		{ "a user and a group",
		    { "-o", "User=nobody", "-o", "Group=8", "-o",
			"TermAtOpen=yes" },
		    0, "open as 0 for 65534:8\n" },
		{ "root by will", { "-o", "User=root", "-o", "TermAtOpen=yes" },
		    0, "start as 0\n" },
	};
	static const struct how nobody = {
		.spec = &sysexits, .before = become_nobody, .without_user = true
	};
	static const struct exit_row unprivileged[] = {
		{ "not root, no user", { "-o", "TermAtOpen=yes" }, 0,
		    "open as 65534 for 65534:65534\n" },
		{ "not root, another user",
		    { "-o", "User=root", "-o", "TermAtOpen=yes" }, 0,
		    "not started as root: going on as"
		    " user 65534, not as root\n" },
		{ "not root, no such user",
		    { "-o", "User=no-such-user", "-o", "TermAtOpen=yes" }, 0,
		    "not as no-such-user\n" },
	};
	const char *const same[] = { "-o", "User=nobody", "-o",
		"TermAtOpen=yes", NULL };
	struct run r;

	if (geteuid() != 0) {
		check_skip("identity", "not root");
		return;
	}
	check_exits(rows, CHECK_COUNT(rows), &as_root);
	check_exits(unprivileged, CHECK_COUNT(unprivileged), &nobody);
	start_daemon(&r, &nobody, same);
	check_int("not root, the same user", end_of(&r), 0);
	check_true("is not worth a word",
	    strstr(r.text, "not started as root") == NULL);
}

static void
test_life(void)
{
	const char *const words[] = { "-c", config_file, "-o", pid_option,
		NULL };
	struct run r;
	struct stat st;
	char pid[32], want[32];
	int fd;

	write_config("Value one\nObsolete\n");
	start_daemon(&r, &usual, words);
	check_true("becomes ready", wait_for(&r, "standin 1.2 is ready\n"));
	check_true("says so", notified("READY=1\nMAINPID="));
	check_contains("a notice", r.text, "option Obsolete is known");
	check_contains("a thread", r.text,
	    "thread: umask 077, signals"
	    " blocked\n");
	if (geteuid() == 0) {
		check_contains(
		    "opens as root", r.text, "open as 0 for 65534:65534\n");
		check_contains("starts as nobody", r.text, "start as 65534\n");
	}
	fd = open(pid_file, O_RDONLY | O_CLOEXEC);
	(void)snprintf(want, sizeof(want), "%ld\n", (long)r.pid);
	memset(pid, 0, sizeof(pid));
	check_true("pid file", read(fd, pid, sizeof(pid) - 1) > 0);
	check_str("holds the process id", pid, want);
	check_int("is for all to read",
	    fstat(fd, &st) == 0 ? (int)(st.st_mode & 07777) : -1, 0644);
	(void)close(fd);
	(void)kill(r.pid, SIGTERM);
	check_int("ends by SIGTERM", end_of(&r), 0);
	check_contains("in order", r.text,
	    "stopping: Terminated\n"
	    "stop, grace some\nstandin has ended\nclose\n");
	check_true("says that it stops", notified("STOPPING=1"));
	if (geteuid() == 0) {
		/* The folder is root's. */
		check_int("pid file stays", stat(pid_file, &st), 0);
		check_int("but empty", st.st_size, 0);
	} else {
		check_int("pid file is gone", stat(pid_file, &st), -1);
	}
	(void)unlink(pid_file);
}

static void
test_pid_file(void)
{
	char other[96];
	const char *const words[] = { "-o", pid_option, "-o", "TermAtOpen=yes",
		NULL };
	const char *const root[] = { "-o", pid_option, "-o", "TermAtOpen=yes",
		"-o", "User=root", NULL };
	struct stat st;
	struct run r;

	(void)snprintf(other, sizeof(other), "%s/other", folder);
	(void)close(open(other, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	check_int("a link", symlink(other, pid_file), 0);
	start_daemon(&r, &usual, words);
	check_int("is not followed", end_of(&r), 73);
	check_contains("and named", r.text, "it is a link");
	(void)unlink(pid_file);
	check_int("a second name", link(other, pid_file), 0);
	start_daemon(&r, &usual, words);
	check_int("is not written to", end_of(&r), 73);
	(void)unlink(pid_file);
	(void)unlink(other);
	if (geteuid() == 0) {
		start_daemon(&r, &usual, root);
		check_int("a folder that lets us", end_of(&r), 0);
		check_int("is left clean", stat(pid_file, &st), -1);
	}
}

static void
test_reload(void)
{
	const char *const words[] = { "-c", config_file, NULL };
	struct run r;

	write_config("Value one\n");
	start_daemon(&r, &usual, words);
	check_true("becomes ready", wait_for(&r, "is ready\n"));
	check_true("says so", notified("READY=1"));
	write_config("Value two\nLogLevel 4\n");
	(void)kill(r.pid, SIGHUP);
	check_true("SIGHUP", wait_for(&r, "reload: Value is two\nreloaded\n"));
	check_true(
	    "tells that it reloads", notified("RELOADING=1\nMONOTONIC_USEC="));
	check_true("and is ready again", notified("READY=1"));
	forget(&r);
	write_config("Value three\nVlaue x\n");
	(void)kill(r.pid, SIGHUP);
	check_true("a broken file", wait_for(&r, "not reloaded, all stays as"
						 " it was: "));
	check_true("with file and line", wait_for(&r, "config:2: unknown"
						      " option \"Vlaue\""));
	check_true("tells that it reloads", notified("RELOADING=1"));
	check_true("and is ready nevertheless", notified("READY=1"));
	write_config("Fail reload\n");
	(void)kill(r.pid, SIGHUP);
	check_true("a hook that fails", wait_for(&r, "reload fails\n"));
	write_config("Value four\n");
	(void)kill(r.pid, SIGUSR1);
	check_true("SIGUSR1 the same", wait_for(&r, "Value is four\n"));
	(void)kill(r.pid, SIGINT);
	check_int("ends by SIGINT", end_of(&r), 0);
	check_true("says that it stops", notified("STOPPING=1"));
}

static void
test_signals(void)
{
	static const char *const slow[] = { "-o", "Slow=yes", NULL };
	static const char *const early[] = { "-o", "TermAtOpen=yes", NULL };
	static const char *const none[] = { NULL };
	struct run r;

	start_daemon(&r, &usual, slow);
	check_true("becomes ready", wait_for(&r, "is ready\n"));
	(void)kill(r.pid, SIGTERM);
	check_true("the first waits", wait_for(&r, "grace some\n"));
	(void)kill(r.pid, SIGTERM);
	check_int("the second does not", end_of(&r), 0);
	check_contains("the second does not", r.text, "grace none\n");

	start_daemon(&r, &usual, early);
	check_int("one during the start is kept", end_of(&r), 0);
	check_contains("one during the start is kept", r.text,
	    "is ready\nstopping: Terminated\n");

	start_daemon(&r, &usual, none);
	check_true("becomes ready", wait_for(&r, "is ready\n"));
	for (int i = 0; i < 500; i++)
		(void)kill(r.pid, i % 2 == 0 ? SIGHUP : SIGUSR1);
	(void)kill(r.pid, SIGPIPE);
	(void)kill(r.pid, SIGQUIT);
	check_int("a storm is survived", end_of(&r), 0);
	check_contains("and ends in order", r.text, "stopping: Quit\n");
}

static void
test_level(void)
{
	static const char *const quiet[] = { "-q", "-q", "-q", "-o",
		"TermAtOpen=yes", NULL };
	struct run r;

	start_daemon(&r, &usual, quiet);
	check_int("errors only", end_of(&r), 0);
	check_str("leave nothing to say", r.text, "");
}

/* The daemon's parent is this test: PR_SET_CHILD_SUBREAPER. */
static void
test_background(void)
{
	const char *const words[] = { "-d", "-o", pid_option, NULL };
	int status = -1, pid = 0;
	char proc[32], cwd[8] = "";
	struct run r;
	FILE *f;

	start_daemon(&r, &usual, words);
	check_int("the starter returns", end_of(&r), 0);
	check_str("without a word", r.text, "");
	check_true("with the daemon ready", notified("READY=1\nMAINPID="));
	f = fopen(pid_file, "r");
	check_true("pid file",
	    f != NULL && fscanf(f, "%d", &pid) == 1 && fclose(f) == 0);
	check_true("another process", pid > 1 && pid != r.pid);
	check_int("a session of its own", getsid(pid), pid);
	(void)snprintf(proc, sizeof(proc), "/proc/%d/cwd", pid);
	check_int("in the root", readlink(proc, cwd, sizeof(cwd) - 1), 1);
	check_str("in the root", cwd, "/");
	(void)kill(pid, SIGTERM);
	check_int("ends", waitpid(pid, &status, 0), pid);
	check_int("by SIGTERM", WEXITSTATUS(status), 0);
	check_true("says that it stops", notified("STOPPING=1"));
	(void)unlink(pid_file);
}

static void
close_stdio(void)
{
	(void)close(STDIN_FILENO);
	(void)close(STDOUT_FILENO);
	(void)close(STDERR_FILENO);
}

static void
test_closed(void)
{
	static const struct how closed = { .spec = &sysexits,
		.before = close_stdio };
	static const char *const words[] = { "-o", "TermAtOpen=yes", NULL };
	struct run r;

	start_daemon(&r, &closed, words);
	check_int("no standard error", end_of(&r), 0);
	check_true("becomes ready", notified("READY=1"));
	check_true("stops", notified("STOPPING=1"));
}

static void
test_watchdog(void)
{
	static const char *const none[] = { NULL };
	struct run r;

	(void)setenv("WATCHDOG_USEC", "20000", 1);
	start_daemon(&r, &usual, none);
	check_true("half of the time", wait_for(&r, "every 10 ms\n"));
	check_true("ready goes first", notified("READY=1"));
	check_true("the watchdog is fed", notified("WATCHDOG=1"));
	(void)kill(r.pid, SIGTERM);
	check_true("stops", notified("STOPPING=1"));
	check_int("ends", end_of(&r), 0);
	(void)setenv("WATCHDOG_PID", "1", 1);
	start_daemon(&r, &usual, none);
	check_true("becomes ready", wait_for(&r, "is ready\n"));
	check_true("another's watchdog", strstr(r.text, "every") == NULL);
	(void)kill(r.pid, SIGTERM);
	check_int("ends", end_of(&r), 0);
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

static void
open_notify(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	(void)snprintf(
	    addr.sun_path, sizeof(addr.sun_path), "%s/notify", folder);
	if (bind(notify_fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(addr.sun_path, 0777) < 0)
		exit(1);
	(void)setenv("NOTIFY_SOCKET", addr.sun_path, 1);
}

int
main(void)
{
	const char *base = getenv("TMPDIR");
	char path[96];

	(void)alarm(120);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	(void)snprintf(folder, sizeof(folder), "%.40s/daemon.XXXXXX",
	    base != NULL && strlen(base) <= 40 ? base : P_tmpdir);
	if (mkdtemp(folder) == NULL || chmod(folder, 0755) < 0)
		return 1;
	(void)snprintf(pid_file, sizeof(pid_file), "%s/pid", folder);
	(void)snprintf(pid_option, sizeof(pid_option), "PidFile=%s", pid_file);
	(void)snprintf(config_file, sizeof(config_file), "%s/config", folder);
	test_exits();
	test_own_exits();
	test_own_background();
	test_identity();
	open_notify();
	test_life();
	test_reload();
	test_background();
	test_closed();
	test_watchdog();
	(void)unsetenv("NOTIFY_SOCKET");
	test_pid_file();
	test_signals();
	test_level();
	(void)unlink(config_file);
	(void)snprintf(path, sizeof(path), "%s/notify", folder);
	(void)unlink(path);
	check_int("nothing is left over", rmdir(folder), 0);
	return check_done();
}
