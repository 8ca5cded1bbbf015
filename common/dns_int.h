/* SPDX-License-Identifier: ISC */
/*
 * dns_int.h - what dns.c (questions and answers), dns_config.c (settings,
 * forwarders), dns_context.c (libunbound's contexts) and dns_loop.c
 * (libunbound's events on libev) share
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

/* All that config, and the files that it names, say; two that are equal make
 * the same resolver. The caller frees it with xmem_free. Returns NULL with
 * err. */
char *dns_config_key(const struct dns_config *config, struct err *err);

/* Where libunbound's own log goes: the last line is kept for an error at the
 * start; each line goes to our log at level debug. */
struct dns_config_log {
	FILE *stream;
	char last[256];
};

/* Opens it. The library has one for the whole process. */
void dns_config_log_open(struct dns_config_log *log);

/* Closes it; no context may write to it any more. */
void dns_config_log_close(struct dns_config_log *log);

/* A context of libunbound with its settings and its cache. The first of a
 * list is asked; the others end when they have answered. */
struct dns_context {
	struct dns_context *next;
	struct ub_event_base *base;
	struct ub_ctx *ctx;
	size_t lookup_count; /* under way; dns.c counts */
	char *key;           /* see dns_config_key */
};

/* Puts a context for config at the head of the list, unless the one there is
 * just like that. On -1 the list is as it was. */
int dns_context_open(struct dns_context **list, const struct dns_config *config,
    struct ev_loop *loop, struct dns_config_log *log, struct err *err);

/* Frees those behind first (may be NULL) that have no lookup under way. Not
 * to be called from libunbound. */
void dns_context_free_idle(
    struct dns_context *first, struct dns_config_log *log);

/* Frees all of them; no lookup is called back any more. */
void dns_context_free_all(struct dns_context **list);

/* Makes an event base for libunbound on loop. The caller frees it with
 * dns_loop_free, after the context that uses it. */
struct ub_event_base *dns_loop_new(struct ev_loop *loop);

/* Frees it and sets *base to NULL; *base may be NULL. */
void dns_loop_free(struct ub_event_base **base);

#endif
