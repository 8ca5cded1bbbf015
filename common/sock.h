/* SPDX-License-Identifier: ISC */
/*
 * sock.h - socket specifications, listening sockets, systemd's hand-over
 *
 * A specification is what the Socket options of the replaced programs take:
 *
 *     inet:PORT@HOST  inet:HOST:PORT  inet:PORT  inet6:PORT@HOST
 *     inet:[ADDRESS]:PORT  unix:PATH  local:PATH  /PATH  stdio
 *
 * HOST is an address, "*" (all addresses of both families) or a host name
 * that /etc/hosts or DNS knows; "localhost" is 127.0.0.1, and ::1 besides
 * where the machine has it. PORT is a number or a name of /etc/services.
 *
 * Threads: start-up and event loop only.
 */
#ifndef POSTERN_COMMON_SOCK_H
#define POSTERN_COMMON_SOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/err.h"

/* The most listening sockets of one daemon. */
#define SOCK_LISTEN_MAX 16

enum sock_kind {
	SOCK_INET,
	SOCK_UNIX,
	SOCK_STDIO,
};

/* A parsed specification. */
struct sock_spec {
	enum sock_kind kind;
	int family;     /* AF_UNSPEC, AF_INET, AF_INET6 (SOCK_INET) */
	char host[256]; /* "" = localhost, "*" = any */
	char port[32];
	char path[108]; /* SOCK_UNIX: absolute, fits sun_path */
};

/* Parses text. Returns 0, or -1 with a sentence that shows the forms. */
int sock_parse(const char *text, struct sock_spec *spec_r, struct err *err);

/* Owner and mode of a Unix socket. */
struct sock_owner {
	uid_t uid;   /* (uid_t)-1: unchanged */
	gid_t gid;   /* (gid_t)-1: unchanged */
	mode_t mode; /* permission bits */
};

/* Opens non-blocking, close-on-exec listening sockets for spec (several when
 * a host has several addresses) and stores them in fds_r (room for cap).
 * A stale Unix socket (nobody answers) is replaced; one that answers, or a
 * file that is no socket, is an error. Returns how many, or -1. */
int sock_listen(const struct sock_spec *spec, int backlog,
    const struct sock_owner *owner, int *fds_r, int cap, struct err *err);

/* Takes over the sockets that systemd passed (LISTEN_PID, LISTEN_FDS), made
 * non-blocking and close-on-exec, and clears the environment variables.
 * Returns how many (0 = none were passed), or -1. */
int sock_systemd(int *fds_r, int cap, struct err *err);

/* Tells systemd about our state ("READY=1", "STOPPING=1", "WATCHDOG=1"):
 * one datagram to $NOTIFY_SOCKET, see sd_notify(3). Nothing happens when the
 * variable is not set; failures are ignored (it is only advice). */
void sock_notify(const char *state);

/* Raises the soft limit of open files to the hard one. Returns the limit. */
long sock_raise_fd_limit(void);

#endif
