/* SPDX-License-Identifier: ISC */
/*
 * server_int.h - what server.c (requests) and server_setup.c (sockets,
 * resolver) share; for these files only
 */
#ifndef POSTERN_SPFD_SERVER_INT_H
#define POSTERN_SPFD_SERVER_INT_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/dns.h"
#include "common/log.h"
#include "common/policysrv.h"
#include "common/spf.h"

#include "spfd/instances.h"
#include "spfd/options.h"
#include "spfd/session.h"
#include "spfd/settings.h"

/* A Unix socket, and which file it was: a successor's stays. */
struct unix_socket {
	char *path;
	dev_t dev;
	ino_t ino;
};

struct server {
	struct policysrv *srv;
	struct settings *settings;
	struct instances *instances;
	struct dns *dns;
	struct spf *spf;
	struct session_pool *pool;
	struct work *first; /* requests under way */

	char **nameservers; /* for dns_config, until the start */
	size_t nameserver_count;
	char *trust_anchor_file;
	int64_t question_timeout_ms;
	int64_t dns_cache_bytes;

	struct unix_socket *sockets; /* Unix sockets that we made */
	size_t socket_count;

	struct log_rate relay_rate;
	struct log_rate private_rate;
	struct log_rate overload_rate;
};

/* Makes the listening sockets, or takes systemd's. Returns 0 or -1. */
int server_open_sockets(struct server *server, const struct options *options,
    uid_t uid, gid_t gid, struct err *err);

/* Removes the Unix sockets that we made where the directory lets us;
 * elsewhere the next start replaces them. */
void server_remove_sockets(struct server *server);

/* Keeps what the resolver's configuration says. */
void server_keep_dns_options(
    struct server *server, const struct options *options);

/* Makes resolver, evaluator and the pool of sessions. Returns 0 or -1. */
int server_open_dns(struct server *server, struct err *err);

/* Closes them and frees what server_keep_dns_options keeps. */
void server_close_dns(struct server *server);

#endif
