/* SPDX-License-Identifier: ISC */
/*
 * server_int.h - what server.c (requests) and server_setup.c
 * (resolver) share; for these files only
 */
#ifndef POSTERN_SPFD_SERVER_INT_H
#define POSTERN_SPFD_SERVER_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dns.h"
#include "common/log.h"
#include "common/policysrv.h"
#include "common/sockset.h"
#include "common/spf.h"

#include "spfd/instances.h"
#include "spfd/options.h"
#include "spfd/session.h"
#include "spfd/settings.h"

struct server {
	struct policysrv *srv;
	struct settings *settings;
	struct instances *instances;
	struct dns *dns;
	struct spf *spf;
	struct session_pool *pool;
	struct work *first; /* requests under way */

	struct dns_config *dns_config;
	struct sockset *sockets;

	bool holds_log; /* until the turn ends */
	struct log_rate relay_rate;
	struct log_rate private_rate;
	struct log_rate overload_rate;
};

/* Makes resolver, evaluator and the pool of sessions. Returns 0 or -1. */
int server_open_dns(struct server *server, struct err *err);

/* Closes them and frees the resolver's configuration. */
void server_close_dns(struct server *server);

#endif
