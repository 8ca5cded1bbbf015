/* SPDX-License-Identifier: ISC */
/*
 * policysrv.h - the policy server: sockets in, requests out, replies back
 *
 * One thread, one libev loop. A turn of the loop reads all readable
 * connections and hands each whole request to the daemon's handler; after
 * the last one the batch-end hook runs (a store commits there, once per
 * turn); only then do replies go out. A reply may also come in a later turn
 * (DNS): other connections go on meanwhile.
 *
 * Each connection has one request in work at a time; pipelined ones wait in
 * its buffer, so replies are in order. An idle connection holds no buffer.
 * A peer that shuts its sending side down still gets the replies to what it
 * sent before.
 *
 * Limits: connections, request size, time to finish a request once started,
 * idle time. At the connection limit, and when descriptors run out, the
 * connection that we have been waiting for longest (idle, in the middle of a
 * request, or not taking its reply) is closed for a new one; when there is
 * none, accepting pauses for a moment and the loop does not spin.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_COMMON_POLICYSRV_H
#define POSTERN_COMMON_POLICYSRV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/policyproto.h"

struct policysrv;
struct ev_loop;

/* One request in work. It stays valid until it was replied to, also when the
 * peer went away meanwhile (the reply then goes nowhere). */
struct policysrv_call;

struct policysrv_config {
	int64_t max_connections;   /* 1.. */
	int64_t request_timeout_s; /* from its first byte to its last, and
					 * for a reply to be taken */
	int64_t idle_timeout_s;    /* between requests; 0 = none */
	bool close_after_reply;    /* exim's way */
};

/* The rows of struct policysrv_config for a table, see DAEMON_OPTIONS; a
 * daemon has it as its member named by POLICYSRV_OPTIONS. */
#define POLICYSRV_OPTIONS(owner, member)                                       \
	{ .name = "MaxConnections",                                            \
		.type = CONFIG_INT,                                            \
		.offset = offsetof(owner, member.max_connections),             \
		.initial = "10000",                                            \
		.min = 1,                                                      \
		.max = 1000000,                                                \
		.argument = "N",                                               \
		.help = "connections at the same time" },                      \
	    { .name = "RequestTimeout",                                        \
		    .type = CONFIG_TIME,                                       \
		    .unit = 's',                                               \
		    .offset = offsetof(owner, member.request_timeout_s),       \
		    .initial = "10s",                                          \
		    .min = 1,                                                  \
		    .max = 3600,                                               \
		    .argument = "TIME",                                        \
		    .help = "time for a request once it has begun" },          \
	{                                                                      \
		.name = "IdleTimeout", .type = CONFIG_TIME, .unit = 's',       \
		.offset = offsetof(owner, member.idle_timeout_s),              \
		.initial = "20m", .min = 0, .max = 7 * INT64_C(86400),         \
		.argument = "TIME",                                            \
		.help = "time between requests; 0 is for ever"                 \
	}

struct policysrv_hooks {
	/* A whole request. request points into the connection's buffer and
	 * is valid until the reply. The handler replies now or later, once,
	 * with policysrv_reply or policysrv_drop. */
	void (*request)(void *arg, struct policysrv_call *call,
	    const struct policyproto_request *request);
	/* All requests of this turn were handed over; replies made until now
	 * and in here go out when it returns. Called in every turn, also when
	 * there was no request: must be cheap then. May be NULL. */
	void (*batch_end)(void *arg);
	void *arg;
};

/* Figures since the start. */
struct policysrv_stats {
	uint64_t accepted; /* connections */
	uint64_t requests;
	uint64_t too_long;      /* requests over a limit: connection closed */
	uint64_t timeouts;      /* request not whole, reply not taken in time */
	uint64_t evicted;       /* connections closed for new ones */
	uint64_t accept_pauses; /* no room, and none to be made */
	int64_t open;           /* connections now */
};

/* Makes a server with no sockets. config and hooks are copied. Returns NULL
 * with err when the loop cannot be made. */
struct policysrv *policysrv_new(const struct policysrv_config *config,
    const struct policysrv_hooks *hooks, struct err *err);

/* Closes everything and frees it; sets *srv to NULL. Calls that are still in
 * work are done with: nobody may reply to them any more. */
void policysrv_free(struct policysrv **srv);

/* Adds a listening, non-blocking socket; takes it over. */
void policysrv_listen(struct policysrv *srv, int fd);

/* Serves one connection on in_fd/out_fd (spawn(8): 0 and 1); the loop ends
 * when it does. The descriptors are made non-blocking, and stay the caller's
 * to close after policysrv_run. */
void policysrv_stdio(struct policysrv *srv, int in_fd, int out_fd);

/* Replies with action ("DUNNO"; made safe by policyproto_format). The call
 * is done with: the pointer must not be used again. */
void policysrv_reply(struct policysrv_call *call, const char *action);

/* Closes the connection without a reply; the call is done with. */
void policysrv_drop(struct policysrv_call *call);

/* Calls fn(arg) every interval_ms (>= 1) on the loop, first after one
 * interval; until policysrv_free. */
void policysrv_every(struct policysrv *srv, int64_t interval_ms,
    void (*fn)(void *arg), void *arg);

/* Calls fn(arg) whenever fd (borrowed) is readable. */
void policysrv_watch(
    struct policysrv *srv, int fd, void (*fn)(void *arg), void *arg);

/* The loop, for common/dns and its like. */
struct ev_loop *policysrv_loop(struct policysrv *srv);

/* Runs until policysrv_stop has drained, or the stdio connection ended. */
void policysrv_run(struct policysrv *srv);

/* Stops accepting at once, serves requests that are under way or have
 * arrived for at most grace_ms, then ends policysrv_run. Idle connections are
 * closed. May be called again with another grace_ms, also from a hook. */
void policysrv_stop(struct policysrv *srv, int64_t grace_ms);

/* The figures; valid until the next turn. */
const struct policysrv_stats *policysrv_stats(const struct policysrv *srv);

#endif
