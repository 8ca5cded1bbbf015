/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "common/daemon.h"
#include "common/daemon_int.h"
#include "common/log.h"
#include "common/now.h"
#include "common/sandbox.h"
#include "common/sock.h"
#include "common/str.h"
#include "common/xmem.h"

/* What a phase returns to go on with the next one; else an exit code. */
#define GO_ON (-1)

/* How long requests that are under way may take at the end. */
#define GRACE_MS 3000

struct run {
	const struct daemon_spec *spec;
	int argc;
	char **argv;
	struct config *config;
	const struct daemon_config *options; /* within config */
	struct args args;
	enum log_sink sink;
	bool has_log;
	bool has_terminal; /* with -d, until the start is done */
	bool is_stopping;
	uid_t uid;
	gid_t gid;
	sigset_t signals; /* those that we handle */
	sigset_t old_mask;
	int signal_fd;  /* -1 before */
	int starter_fd; /* -1 unless a starter waits for us */
	struct daemon_pid_file pid_file;
	void *state; /* of the daemon's hooks */
	void *engine;
};

static int
code(int of_spec, int by_default)
{
	return of_spec != 0 ? of_spec : by_default;
}

/* Says what is wrong, where the administrator looks: on the terminal before
 * the log is open and while a starter waits, and in the log. */
static int
complain(const struct run *r, const struct err *err, int status)
{
	if (!r->has_log || r->has_terminal)
		(void)fprintf(stderr, "%s: %s\n", r->spec->name, err->text);
	if (r->has_log)
		log_error("%s", err->text);
	return status;
}

static const struct daemon_config *
options_of(const struct run *r, const struct config *config)
{
	const char *values = config_values(config);

	return (const void *)(values + r->spec->common_offset);
}

/* Makes a configuration of defaults, file and command line. In each case
 * *config_r is the caller's to free. Returns 0 or -1. */
static int
load(const struct run *r, struct config **config_r, struct args *args_r,
    struct err *err)
{
	const struct daemon_spec *spec = r->spec;
	const struct daemon_default *d = spec->defaults;
	const char *facility;

	*args_r = (struct args){ .config_error = true };
	*config_r = config_new(spec->options, spec->config_size);
	for (; d != NULL && d->name != NULL; d++)
		if (config_default(*config_r, d->name, d->value, err) < 0)
			return -1;
	if (args_parse(&spec->args, r->argc, r->argv, *config_r, args_r, err) <
	    0)
		return -1;
	if (args_r->mode == ARGS_HELP || args_r->mode == ARGS_VERSION)
		return 0;
	args_r->config_error = true;
	facility = options_of(r, *config_r)->syslog_facility;
	if (log_facility(facility) < 0)
		return err_set(err,
		    "SyslogFacility: \"%.64s\" is unknown;"
		    " write mail, daemon or local0 to local7",
		    facility);
	if (spec->check != NULL && spec->check(*config_r, err) < 0)
		return -1;
	if (spec->is_background != NULL && !args_r->foreground &&
	    getenv("NOTIFY_SOCKET") == NULL && spec->is_background(*config_r))
		args_r->daemonize = true;
	args_r->config_error = false;
	return 0;
}

/* Phase 1: the process, before anything is opened. */
static int
prepare(struct run *r)
{
	static const int numbers[] = {
		SIGTERM,
		SIGINT,
		SIGQUIT,
		SIGHUP,
		SIGUSR1,
	};

	daemon_process_keep_stdio();
	if (daemon_process_is_spawned()) {
		r->sink = LOG_SINK_SYSLOG;
		log_open(r->spec->name, r->sink, LOG_MAIL);
		r->has_log = true;
	}
	(void)umask(077);
	tzset();
	(void)sock_raise_fd_limit();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)sigemptyset(&r->signals);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		(void)sigaddset(&r->signals, numbers[i]);
	/* All threads inherit the mask, so that no signal but through the
	 * descriptor reaches anybody. One that comes during the start waits
	 * there. */
	(void)sigprocmask(SIG_BLOCK, &r->signals, &r->old_mask);
	return GO_ON;
}

static void
print_help(const struct daemon_spec *spec)
{
	const struct daemon_default *d = spec->defaults;
	struct config_option *options;
	size_t count = 0;

	while (spec->options[count].name != NULL)
		count++;
	/* A copy, to show the defaults that hold under this name. */
	options = xmem_calloc(count + 1, sizeof(*options));
	memcpy(options, spec->options, count * sizeof(*options));
	for (; d != NULL && d->name != NULL; d++)
		for (size_t i = 0; i < count; i++)
			if (str_equal_name(options[i].name, d->name))
				options[i].initial = d->value;
	(void)printf("%s\n", spec->usage);
	args_help(stdout);
	(void)printf("\nOptions of the configuration file; -o NAME=VALUE works"
		     " as well:\n");
	config_help(options, stdout);
	xmem_free(&options);
}

/* Phase 2: arguments and configuration; -h, -V, -p and -t end here. */
static int
configure(struct run *r)
{
	const struct daemon_spec *spec = r->spec;
	struct err err;

	if (load(r, &r->config, &r->args, &err) < 0)
		return complain(r, &err,
		    r->args.config_error ? code(spec->exits.config, EX_CONFIG)
					 : code(spec->exits.usage, EX_USAGE));
	r->options = options_of(r, r->config);
	switch (r->args.mode) {
	case ARGS_HELP:
		print_help(spec);
		return spec->exits.help;
	case ARGS_VERSION:
		(void)printf("%s %s\n", spec->name, spec->version);
		return EX_OK;
	case ARGS_PRINT:
		config_print(r->config, stdout);
		return EX_OK;
	case ARGS_CHECK:
		if (spec->test != NULL && spec->test(r->config, &err) < 0)
			return complain(
			    r, &err, code(spec->exits.config, EX_CONFIG));
		for (size_t i = 0; i < config_notice_count(r->config); i++)
			(void)printf("%s: %s\n", spec->name,
			    config_notice(r->config, i));
		(void)printf("%s: %s: the configuration is fine\n", spec->name,
		    r->args.config_file != NULL ? r->args.config_file
						: "no file");
		return EX_OK;
	case ARGS_RUN:
		break;
	}
	/* It is read again at SIGHUP, from another directory. */
	if (r->args.daemonize && r->args.config_file != NULL &&
	    r->args.config_file[0] != '/') {
		(void)err_set(&err,
		    "in the background the configuration file"
		    " needs a path that begins with \"/\", not %.200s",
		    r->args.config_file);
		return complain(r, &err, code(spec->exits.usage, EX_USAGE));
	}
	return GO_ON;
}

/* From the first configuration, which stays. */
static const char *
own_name(const struct run *r)
{
	const char *name =
	    r->spec->log_name == NULL ? "" : r->spec->log_name(r->config);

	return name[0] != '\0' ? name : r->spec->name;
}

static void
set_log(struct run *r, const struct daemon_config *options, int verbosity)
{
	int64_t level = options->log_level + verbosity;

	if (level < LOG_LEVEL_ERROR)
		level = LOG_LEVEL_ERROR;
	if (level > LOG_LEVEL_DEBUG)
		level = LOG_LEVEL_DEBUG;
	log_open(own_name(r), r->sink, log_facility(options->syslog_facility));
	log_set_level((enum log_level)level);
	r->has_log = true;
}

/* Phase 3: the log. */
static int
open_log(struct run *r)
{
	if (r->args.daemonize) {
		r->sink = LOG_SINK_SYSLOG;
		r->has_terminal = true;
	}
	set_log(r, r->options, r->args.verbosity);
	for (size_t i = 0; i < config_notice_count(r->config); i++)
		log_info("%s", config_notice(r->config, i));
	return GO_ON;
}

/* Without root's rights we stay who we are: systemd's User= has chosen, or
 * an administrator who tries something out. */
static void
stay(struct run *r)
{
	const char *user = r->options->user;
	uid_t uid = 0;
	gid_t gid = 0;
	struct err err;

	r->uid = geteuid();
	r->gid = getegid();
	if (user[0] != '\0' &&
	    (sandbox_lookup(user, r->options->group, &uid, &gid, &err) < 0 ||
		uid != r->uid))
		log_warn("not started as root: going on as user %lu, not as"
			 " %s",
		    (unsigned long)r->uid, user);
}

/* Phase 4: who we are going to be. */
static int
choose_identity(struct run *r)
{
	const struct daemon_spec *spec = r->spec;
	struct err err, why;

	if (geteuid() != 0) {
		stay(r);
		return GO_ON;
	}
	if (r->options->user[0] == '\0') {
		(void)err_set(&err,
		    "will not run as root: set User in the"
		    " configuration file or add --user=NAME (--user=root when"
		    " it must be root)");
		return complain(r, &err, code(spec->exits.config, EX_CONFIG));
	}
	if (sandbox_lookup(r->options->user, r->options->group, &r->uid,
		&r->gid, &err) < 0) {
		(void)err_set(&why,
		    "User, Group: %.400s; make it (useradd"
		    " --system, groupadd --system) or name another",
		    err.text);
		return complain(r, &why, code(spec->exits.no_user, EX_NOUSER));
	}
	return GO_ON;
}

/* Phase 5: the background, with -d. The starter returns from here with the
 * daemon's fate; the signal descriptor belongs to the process that reads. */
static int
go_background(struct run *r)
{
	struct err err;
	int status = 0, side = 0;

	if (r->args.daemonize)
		side = daemon_process_fork(
		    &r->old_mask, &r->starter_fd, &status, &err);
	if (side < 0)
		return complain(r, &err, EX_OSERR);
	if (side > 0)
		return status;
	r->signal_fd = signalfd(-1, &r->signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (r->signal_fd < 0) {
		(void)err_set_errno(&err, errno, "cannot receive signals");
		return complain(r, &err, EX_OSERR);
	}
	return GO_ON;
}

/* Phase 6: files and sockets that want privileges. The pid file comes after
 * the sockets: a second start fails there and leaves the first one's file. */
static int
open_files(struct run *r)
{
	const struct daemon_spec *spec = r->spec;
	const char *pid_file = r->options->pid_file;
	struct err err;

	r->state = spec->open(r->config, r->uid, r->gid, &err);
	if (r->state == NULL)
		return complain(
		    r, &err, code(spec->exits.open, EX_UNAVAILABLE));
	if (pid_file[0] != '\0' &&
	    daemon_process_pid_write(&r->pid_file, pid_file, &err) < 0)
		return complain(r, &err, EX_CANTCREAT);
	return GO_ON;
}

/* Phase 7: privileges go, for good. */
static int
drop_privileges(struct run *r)
{
	struct err err;

	if (sandbox_drop(r->uid, r->gid, &err) < 0)
		return complain(r, &err, EX_NOPERM);
	if (r->options->sandbox && sandbox_enter(&err) < 0)
		log_warn("going on without the sandbox: %s", err.text);
	return GO_ON;
}

/* Phase 8: state and tables, as the user that we stay; threads from here. */
static int
start(struct run *r)
{
	struct err err;

	r->engine = r->spec->start(r->state, &err);
	if (r->engine == NULL)
		return complain(
		    r, &err, code(r->spec->exits.open, EX_UNAVAILABLE));
	return GO_ON;
}

static void
feed_watchdog(void *arg)
{
	(void)arg;
	sock_notify("WATCHDOG=1");
}

/* sd_watchdog_enabled(3): WATCHDOG_PID, when set, says whom it is for, and
 * half of the time is a good interval. */
static void
start_watchdog(const struct run *r)
{
	const char *usec_text = getenv("WATCHDOG_USEC");
	const char *pid_text = getenv("WATCHDOG_PID");
	unsigned long long usec, pid;
	int64_t interval_ms;

	if (usec_text == NULL || !str_to_uint(usec_text, INT64_MAX, &usec) ||
	    usec == 0)
		return;
	if (pid_text != NULL &&
	    (!str_to_uint(pid_text, INT32_MAX, &pid) || (pid_t)pid != getpid()))
		return;
	interval_ms = (int64_t)(usec / 2 / 1000);
	r->spec->engine->every(
	    r->engine, interval_ms > 0 ? interval_ms : 1, feed_watchdog, NULL);
}

/* Phase 9: tell everybody who waits for us. */
static int
tell_ready(struct run *r)
{
	char text[64];
	struct str s;

	start_watchdog(r);
	daemon_process_ready(&r->starter_fd);
	r->has_terminal = false;
	str_init(&s, text, sizeof(text));
	str_addf(&s, "READY=1\nMAINPID=%ld", (long)getpid());
	sock_notify(text);
	log_info("%s %s is ready", r->spec->name, r->spec->version);
	return GO_ON;
}

static void
reload(struct run *r)
{
	struct config *config = NULL;
	struct args args;
	struct err err;
	char text[64];
	struct str s;

	/* sd_notify(3): systemd wants the time of the start of a reload. */
	str_init(&s, text, sizeof(text));
	str_addf(
	    &s, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)now_mono_us());
	sock_notify(text);
	if (load(r, &config, &args, &err) < 0 ||
	    r->spec->reload(r->state, config, &err) < 0) {
		log_error("not reloaded, all stays as it was: %s", err.text);
	} else {
		set_log(r, options_of(r, config), args.verbosity);
		log_info("reloaded");
	}
	config_free(&config);
	sock_notify("READY=1");
}

static void
stop(struct run *r, int number)
{
	int64_t grace_ms = r->spec->engine->grace_ms;

	if (grace_ms == 0)
		grace_ms = GRACE_MS;
	/* Who asks twice does not want to wait. */
	if (r->is_stopping)
		grace_ms = 0;

	if (!r->is_stopping) {
		sock_notify("STOPPING=1");
		log_info("stopping: %s", strsignal(number));
	}
	r->is_stopping = true;
	r->spec->engine->stop(r->engine, grace_ms);
}

/* The engine calls this on its loop when signal_fd is readable. */
static void
on_signal(void *arg)
{
	struct run *r = arg;
	struct signalfd_siginfo info;
	bool must_reload = false;

	while (
	    read(r->signal_fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGUSR1)
			must_reload = true;
		else
			stop(r, (int)info.ssi_signo);
	}
	if (must_reload && !r->is_stopping)
		reload(r);
}

/* Phase 10: serve until told to stop. */
static int
loop(struct run *r)
{
	r->spec->engine->run(r->engine, r->signal_fd, on_signal, r);
	log_info("%s has ended", r->spec->name);
	return EX_OK;
}

/* Undoes whatever was reached. */
static void
finish(struct run *r)
{
	if (r->state != NULL)
		r->spec->close(r->state);
	daemon_process_pid_remove(&r->pid_file);
	if (r->signal_fd >= 0)
		(void)close(r->signal_fd);
	if (r->starter_fd >= 0)
		(void)close(r->starter_fd);
	config_free(&r->config);
}

int
daemon_main(int argc, char **argv, const struct daemon_spec *spec)
{
	/* The order is part of the contract in daemon.h. */
	static int (*const phases[])(struct run * r) = {
		prepare,
		configure,
		open_log,
		choose_identity,
		go_background,
		open_files,
		drop_privileges,
		start,
		tell_ready,
		loop,
	};
	struct run r = {
		.spec = spec,
		.argc = argc,
		.argv = argv,
		.sink = LOG_SINK_STDERR,
		.signal_fd = -1,
		.starter_fd = -1,
		.pid_file = { .fd = -1 },
	};
	int status = GO_ON;

	for (size_t i = 0; status == GO_ON; i++)
		status = phases[i](&r);
	finish(&r);
	return status;
}
