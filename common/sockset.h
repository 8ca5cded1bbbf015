/* SPDX-License-Identifier: ISC */
/*
 * sockset.h - the sockets that a daemon listens on, from options to the end
 *
 * Opened while we are privileged: those that systemd passed, or else those of
 * the Listen lines. Their descriptors go to whoever serves them: a policy
 * server takes all (policyengine.h), a milter its one. The set remembers which
 * Unix sockets are its own files and removes them at the end.
 *
 * Threads: start-up and event loop only.
 */
#ifndef POSTERN_COMMON_SOCKSET_H
#define POSTERN_COMMON_SOCKSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/err.h"

struct sockset;

/* Part of a daemon's configuration struct as its member named by
 * SOCKSET_OPTIONS. */
struct sockset_options {
	struct config_list listen; /* specifications, see sock.h */
	int64_t mode;              /* of Unix sockets */
	int64_t queue_size;        /* 0 = the system's limit */
};

/* The rows of struct sockset_options for a table, see DAEMON_OPTIONS;
 * by_default is the specification when none is given. */
#define SOCKSET_OPTIONS(owner, member, by_default)                             \
	{ .name = "Listen",                                                    \
		.type = CONFIG_LIST,                                           \
		.offset = offsetof(owner, member.listen),                      \
		.initial = by_default,                                         \
		.argument = "SOCKET",                                          \
		.help = "accept requests here; may be given several times" },  \
	    { .name = "SocketMode",                                            \
		    .type = CONFIG_OCTAL,                                      \
		    .offset = offsetof(owner, member.mode),                    \
		    .initial = "0666",                                         \
		    .min = 0,                                                  \
		    .max = 0777,                                               \
		    .argument = "MODE",                                        \
		    .help = "permissions of Unix sockets" },                   \
	{                                                                      \
		.name = "ListenQueueSize", .type = CONFIG_INT,                 \
		.offset = offsetof(owner, member.queue_size), .initial = "0",  \
		.min = 0, .max = 65535, .argument = "N",                       \
		.help = "connections that may wait; 0 is the system's limit"   \
	}

/* Can these be opened, as far as their text tells? For a daemon's check of
 * its options. Returns 0 or -1 with err. */
int sockset_check(const struct sockset_options *options, struct err *err);

/* Opens the sockets; Unix sockets get uid and gid. Where systemd passed
 * sockets, those are taken instead. Returns NULL with err. */
struct sockset *sockset_open(const struct sockset_options *options, uid_t uid,
    gid_t gid, struct err *err);

/* Is the one connection on standard input and output, with no socket? */
bool sockset_is_stdio(const struct sockset *set);

/* How many sockets are left to take. */
size_t sockset_count(const struct sockset *set);

/* The next listening, non-blocking descriptor, the caller's from now on; -1
 * when all are taken. */
int sockset_take(struct sockset *set);

/* Closes what nobody took and removes the Unix sockets that are still ours,
 * where the directory lets us; elsewhere the next start replaces them. Sets
 * *set to NULL, which it may be already. */
void sockset_free(struct sockset **set);

#endif
