/* SPDX-License-Identifier: ISC */
/*
 * dns_int.h - what dns.c (questions and answers), dns_config.c (settings,
 * forwarders) and dns_loop.c (libunbound's events on libev) share
 */
#ifndef POSTERN_COMMON_DNS_INT_H
#define POSTERN_COMMON_DNS_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/dns.h"
#include "common/err.h"

struct ub_ctx;
struct ub_event_base;

/* As many name servers are taken from resolv.conf. */
#define DNS_CONFIG_SERVERS_MAX 8
/* Room for ADDR%ZONE@PORT. */
#define DNS_CONFIG_SERVER_SIZE 80

struct dns_config_servers {
	size_t count;
	char text[DNS_CONFIG_SERVERS_MAX][DNS_CONFIG_SERVER_SIZE];
};

/* Is text ADDR, ADDR%ZONE or ADDR@PORT? */
bool dns_config_is_server(const char *text);

/* Reads the name servers of the file at path, in the form of resolv.conf(5).
 * What is no address there is passed over. A file that does not exist names
 * none; one that cannot be read is an error (-1). */
int dns_config_read_servers(
    const char *path, struct dns_config_servers *servers, struct err *err);

/* Makes all settings of config in ctx, which is fresh, and finishes it.
 * Returns -1 with err. */
int dns_config_apply(
    struct ub_ctx *ctx, const struct dns_config *config, struct err *err);

/* Where libunbound's own log goes: the last line is kept for an error at the
 * start; each line goes to our log at level debug. */
struct dns_config_log {
	FILE *stream;
	char last[256];
};

/* Opens it for ctx, which must be the only one of the process. */
void dns_config_log_open(struct dns_config_log *log, struct ub_ctx *ctx);

/* Closes it; ctx is silent from now on. */
void dns_config_log_close(struct dns_config_log *log, struct ub_ctx *ctx);

/* Makes an event base for libunbound on loop. The caller frees it with
 * dns_loop_free, after the context that uses it. */
struct ub_event_base *dns_loop_new(struct ev_loop *loop);

/* Frees it and sets *base to NULL; *base may be NULL. */
void dns_loop_free(struct ub_event_base **base);

#endif
