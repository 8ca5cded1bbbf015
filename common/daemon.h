/* SPDX-License-Identifier: ISC */
/*
 * daemon.h - the one skeleton of all daemons
 *
 * daemon_main does, in this order: arguments; configuration (-t and -p end
 * here); log; open files and sockets (as root where we are); drop
 * privileges, sandbox; start; ready; loop; drain; close. It alone handles
 * signals, the pid file, systemd notification and exit codes.
 *
 *     SIGTERM SIGINT SIGQUIT   drain and end, status 0
 *     SIGHUP SIGUSR1           reload; when that fails the old state stays
 *     SIGPIPE                  ignored
 *
 * Signals arrive through a descriptor (signalfd(2)) on the engine's loop, so
 * none is ever slept through.
 *
 * Exit codes are those of sysexits.h, unless the spec says otherwise.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_COMMON_DAEMON_H
#define POSTERN_COMMON_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/args.h"
#include "common/config.h"
#include "common/err.h"

/* Options that every daemon has; part of each daemon's configuration struct
 * as its member named by DAEMON_OPTIONS. */
struct daemon_config {
	char *user;            /* "" = stay who we are */
	char *group;           /* "" = the user's own */
	char *pid_file;        /* "" = none */
	char *syslog_facility; /* "mail" */
	int64_t log_level;     /* 0 errors .. 4 debug, see enum log_level */
	bool sandbox;
	bool test_clock; /* hidden from nobody, needed by tests */
};

/* The rows of struct daemon_config for a table: owner is the daemon's
 * configuration struct, member its struct daemon_config. */
#define DAEMON_OPTIONS(owner, member)                                          \
	{ .name = "User",                                                      \
		.type = CONFIG_STRING,                                         \
		.offset = offsetof(owner, member.user),                        \
		.initial = "",                                                 \
		.argument = "USER",                                            \
		.help = "run as this user" },                                  \
	    { .name = "Group",                                                 \
		    .type = CONFIG_STRING,                                     \
		    .offset = offsetof(owner, member.group),                   \
		    .initial = "",                                             \
		    .argument = "GROUP",                                       \
		    .help = "run as this group, not the user's own" },         \
	    { .name = "PidFile",                                               \
		    .type = CONFIG_STRING,                                     \
		    .offset = offsetof(owner, member.pid_file),                \
		    .initial = "",                                             \
		    .argument = "PATH",                                        \
		    .help = "write the process id to this file" },             \
	    { .name = "SyslogFacility",                                        \
		    .type = CONFIG_STRING,                                     \
		    .offset = offsetof(owner, member.syslog_facility),         \
		    .initial = "mail",                                         \
		    .argument = "NAME",                                        \
		    .help = "syslog facility when daemonized" },               \
	    { .name = "LogLevel",                                              \
		    .type = CONFIG_INT,                                        \
		    .offset = offsetof(owner, member.log_level),               \
		    .initial = "3",                                            \
		    .min = 0,                                                  \
		    .max = 4,                                                  \
		    .argument = "LEVEL",                                       \
		    .help = "0 errors, 1 warnings, 2 decisions, 3 info, 4 "    \
			    "debug" },                                         \
	    { .name = "Sandbox",                                               \
		    .type = CONFIG_BOOL,                                       \
		    .offset = offsetof(owner, member.sandbox),                 \
		    .initial = "yes",                                          \
		    .help = "forbid system calls that are never needed" },     \
	{                                                                      \
		.name = "TestClock", .type = CONFIG_BOOL,                      \
		.offset = offsetof(owner, member.test_clock), .initial = "no", \
		.help = "for tests: take the time from policy_test_time"       \
	}

/* A loop that serves requests: the policy server, or libmilter. The daemon's
 * hooks make and configure it; the skeleton runs it through these. */
struct daemon_engine {
	/* Runs until stop has drained; calls signal(signal_arg) whenever
	 * signal_fd is readable. */
	void (*run)(void *engine, int signal_fd, void (*signal)(void *arg),
	    void *signal_arg);
	/* Stops accepting, finishes what is under way within grace_ms. */
	void (*stop)(void *engine, int64_t grace_ms);
	/* Calls fn(arg) every interval_ms on the loop (watchdog). */
	void (*every)(void *engine, int64_t interval_ms, void (*fn)(void *arg),
	    void *arg);
	int64_t grace_ms; /* what stop is given; 0 = 3 s */
};

/* A default that differs from the table's, for a second name of a program. */
struct daemon_default {
	const char *name; /* NULL ends a list */
	const char *value;
};

/* Exit codes, where a replaced program had its own. 0 = sysexits. */
struct daemon_exits {
	int usage;   /* 64 */
	int help;    /* 0 */
	int config;  /* 78 */
	int no_user; /* 67 */
	int open;    /* 69 */
};

struct daemon_spec {
	const char *name;    /* log ident, "greylistd" */
	const char *version; /* what -V prints after the name */
	const char *usage;   /* first lines of --help */
	const struct config_option *options;
	size_t config_size;   /* of the daemon's configuration struct */
	size_t common_offset; /* of its struct daemon_config */
	const struct daemon_default *defaults; /* may be NULL */
	struct args_spec args;
	struct daemon_exits exits;
	const struct daemon_engine *engine;

	/* An option's way to say -d; -f says no, and so does systemd where it
	 * waits for our notice. May be NULL. */
	bool (*is_background)(const struct config *config);
	/* What the log calls us; "" = name. May be NULL. */
	const char *(*log_name)(const struct config *config);
	/* Checks that options fit together; may adjust them. May be NULL. */
	int (*check)(struct config *config, struct err *err);
	/* For -t: reads what the options name (tables, keys) and keeps
	 * nothing of it. May be NULL. */
	int (*test)(const struct config *config, struct err *err);
	/* Reads tables, opens files and sockets, still privileged; may chown
	 * what it makes to uid/gid (those it will run as). Returns the
	 * daemon's state, or NULL with err. */
	void *(*open)(
	    const struct config *config, uid_t uid, gid_t gid, struct err *err);
	/* After privileges are dropped: opens the store, makes threads.
	 * Returns the engine to run, or NULL with err. */
	void *(*start)(void *state, struct err *err);
	/* SIGHUP: reloads tables; config is a freshly read configuration (the
	 * state takes what it can change at run time and must not keep the
	 * pointer). On -1 the old state stays. */
	int (*reload)(
	    void *state, const struct config *config, struct err *err);
	/* Closes and frees the state, in any stage after open. */
	void (*close)(void *state);
};

/* The whole life of a daemon; what main returns. */
int daemon_main(int argc, char **argv, const struct daemon_spec *spec);

#endif
