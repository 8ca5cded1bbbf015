/* SPDX-License-Identifier: ISC */
/*
 * target.h - the socket of the server under load
 */
#ifndef POSTERN_TESTS_BENCH_TARGET_H
#define POSTERN_TESTS_BENCH_TARGET_H

#include <sys/socket.h>

struct target {
	struct sockaddr_storage address;
	socklen_t len;
};

/* Parse "inet:HOST:PORT" (HOST is a numeric address, IPv6 in brackets or not)
 * or "unix:PATH".  Returns 0, or -1 when spec is neither. */
int target_parse(struct target *target, const char *spec);

/* Returns a connected, non-blocking, close-on-exec socket, which the caller
 * closes; or -1 with errno. */
int target_connect(const struct target *target);

#endif
