/* SPDX-License-Identifier: ISC */
/*
 * ctl.h - greylistctl: what its commands share
 *
 * One file per group of commands (ctl_list.c, ctl_rule.c ...), each with
 * functions of the shape ctl_NAME(ctl, argc, argv) that return an exit code
 * of sysexits.h. Read ctl.c first: it has the table of commands.
 *
 * What comes from the database or a log is hostile: it reaches a terminal
 * only through ctl_print.h, and JSON only through json.h.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_GREYLISTD_CTL_H
#define POSTERN_GREYLISTD_CTL_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/err.h"
#include "greylistd/greylist.h"
#include "greylistd/greystore.h"
#include "greylistd/key.h"
#include "greylistd/options.h"

/* The most rows of a write transaction, and for how long one may go on in
 * microseconds: the daemon gives up on a lock after some 20 ms. */
#define CTL_BATCH 500
#define CTL_BATCH_US 2000

struct ctl {
	struct config *config;         /* the daemon's */
	const struct options *options; /* its values */
	char database[PATH_MAX];
	struct key_config key;
	struct greylist_policy policy;
	int64_t now_s;
	bool json;
	bool named;           /* the database, on the command line */
	bool writes;          /* opened for writing */
	bool made;            /* the database was made by us just now: no
				 * daemon has it open */
	struct greystore *gs; /* NULL until ctl_open */
};

#define CTL_OPTION_LIST_MAX 32

/* The values of an option that may be repeated. */
struct ctl_option_list {
	const char *items[CTL_OPTION_LIST_MAX];
	size_t count;
};

/* An option of a command: a switch, or one with a value. Names are compared
 * without case, "-" and "_". One of the three pointers is not NULL. */
struct ctl_option {
	const char *name;   /* without "--"; NULL ends a list */
	bool *flag;         /* set to true */
	const char **value; /* receives the text; the last one counts */
	struct ctl_option_list *list; /* receives all texts */
};

/* Takes the options out of argv (argv[0] is the command) and leaves the other
 * words, *argc of them with argv[0]. "--json" is known everywhere; "--" ends
 * the options. Returns 0, or EX_USAGE after a message. */
int ctl_options(
    struct ctl *ctl, const struct ctl_option *options, int *argc, char **argv);

/* Prints "greylistctl: text" on standard error, hostile bytes escaped, and
 * returns code. */
int ctl_fail(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Prints a remark on standard error in the same way. */
void ctl_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Reads the configuration into ctl: path, or the default file when it exists
 * (path NULL). database (may be NULL) replaces the configured one. Returns 0
 * or an exit code after a message. */
int ctl_configure(struct ctl *ctl, const char *path, const char *database);

/* Opens ctl->database (once). As root it becomes the owner of the file first:
 * what SQLite puts beside it must not lock the daemon out. Open all other
 * files before. Returns 0 or an exit code after a message. */
int ctl_open(struct ctl *ctl, enum store_mode mode);

/* Opens the database for writing; a missing one is made, unless it was named
 * on the command line, so that rules may come before the daemon. */
int ctl_open_or_make(struct ctl *ctl);

/* Lets the daemon have its turn after a write transaction that began at
 * began_us (now_mono_us): sleeps for a multiple of its time. */
void ctl_pause(const struct ctl *ctl, int64_t began_us);

/* Closes the database and frees the configuration. What was written is then
 * in force in a running daemon. */
void ctl_close(struct ctl *ctl);

/* Finds out whose files these are: the owner of path's directory, or when
 * that is root the owner of path. Returns 0 or -1 with err. */
int ctl_owner(const char *path, uid_t *uid_r, gid_t *gid_r, struct err *err);

/* As root: gives up root's rights for uid's (a no-op for others, and when uid
 * is root). Returns 0 or -1 with err. */
int ctl_become(uid_t uid, gid_t gid, struct err *err);

/* Parses a count of 1..max given for the option name; text NULL leaves
 * *value_io. Returns 0, or EX_USAGE after a message. */
int ctl_number(
    const char *name, const char *text, uint64_t max, int64_t *value_io);

/* Flushes standard output; returns code, or EX_IOERR when that failed. */
int ctl_finish(int code);

/* list [clients|rules]; see greylistctl(8), also for those below. */
int ctl_list(struct ctl *ctl, int argc, char **argv);
/* show ADDRESS|KEY */
int ctl_show(struct ctl *ctl, int argc, char **argv);
/* forget */
int ctl_forget(struct ctl *ctl, int argc, char **argv);
/* allow KIND VALUE */
int ctl_rule_allow(struct ctl *ctl, int argc, char **argv);
/* block KIND VALUE */
int ctl_rule_block(struct ctl *ctl, int argc, char **argv);
/* remove-rule KIND VALUE */
int ctl_rule_remove(struct ctl *ctl, int argc, char **argv);
/* stats */
int ctl_stats(struct ctl *ctl, int argc, char **argv);
/* import FILE */
int ctl_import(struct ctl *ctl, int argc, char **argv);
/* export [FILE] */
int ctl_export(struct ctl *ctl, int argc, char **argv);
/* import-postgrey OLD NEW */
int ctl_postgrey(struct ctl *ctl, int argc, char **argv);
/* report, also called as postgreyreport */
int ctl_report(struct ctl *ctl, int argc, char **argv);
/* vacuum */
int ctl_maint_vacuum(struct ctl *ctl, int argc, char **argv);
/* check */
int ctl_maint_check(struct ctl *ctl, int argc, char **argv);

/* Called with the rules of the file, one after the other, in the order of
 * kind and value; the texts are valid during the call. Return 0 to go on. */
struct ctl_rule {
	const char *kind;
	const char *value;
	const char *action;
	const char *comment;
	int64_t created;
	int64_t expires;
};
typedef int ctl_rule_fn(void *arg, const struct ctl_rule *rule);

/* Walks over all rules. Returns what fn returned last, or -1 with err. */
int ctl_rule_each(struct ctl *ctl, ctl_rule_fn *fn, void *arg, struct err *err);

#endif
