/* SPDX-License-Identifier: ISC */
/*
 * policysrv_int.h - what policysrv.c (sockets, limits, time) and
 * policysrv_conn.c (one connection: bytes, requests, replies) share
 *
 * Every connection is in exactly one state, and in the queue of that state,
 * which is ordered by the time it came in. So the oldest of each kind is the
 * head of a queue, and neither time-outs nor eviction search.
 *
 *     IDLE ──first byte──► HALF ──last byte──► BUSY ──reply──► READY
 *      ▲  └──────────whole request──────────────┘  ▲              │ batch end
 *      │                                           │              ▼
 *      └──written, nothing more──┬──────────── PENDING ◄──── (written)
 *                                └── WRITING ◄── peer takes no more
 *
 * The including file includes <ev.h> first: headers do not.
 */
#ifndef POSTERN_COMMON_POLICYSRV_INT_H
#define POSTERN_COMMON_POLICYSRV_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/policyproto.h"
#include "common/policysrv.h"

enum policysrv_state {
	POLICYSRV_IDLE,    /* between requests, no buffer */
	POLICYSRV_HALF,    /* a request has begun and goes on */
	POLICYSRV_BUSY,    /* the daemon works on a request */
	POLICYSRV_READY,   /* the reply waits for the end of the turn */
	POLICYSRV_WRITING, /* the peer does not take its reply */
	POLICYSRV_PENDING, /* more bytes wait for the next turn */
	POLICYSRV_STATES
};

struct policysrv_call {
	struct policysrv_conn *conn;
};

/* What a connection needs while a request or a reply is under way. Of the
 * arrays only the pages that are used take memory. */
struct policysrv_buf {
	struct policysrv_buf *next; /* in the free list */
	struct policyproto_request request;
	char out[POLICYPROTO_REPLY_MAX];
	char in[POLICYPROTO_REQUEST_MAX];
};

struct policysrv_conn {
	struct ev_io reader;
	struct ev_io writer; /* active in WRITING only */
	struct policysrv *srv;
	struct policysrv_call call;
	struct policysrv_conn *prev, *next; /* in the queue of state */
	int64_t since_ms;                   /* when it entered that state */
	struct policysrv_buf *buf;          /* NULL in IDLE */
	size_t start;   /* of the first unhandled byte of in */
	size_t end;     /* of the bytes that arrived */
	size_t scanned; /* see policyproto_find_end */
	size_t out_len, out_sent;
	enum policysrv_state state;
	bool is_socket;
	bool is_stdio; /* descriptors are not ours to close */
	bool ended;    /* the peer sends no more */
	bool gone;     /* closed while BUSY: awaits reply */
};

struct policysrv_queue {
	struct policysrv_conn *head, *tail;
};

struct policysrv_listener {
	struct ev_io accept;
	struct policysrv_listener *next;
};

struct policysrv_timer {
	struct ev_timer timer;
	void (*fn)(void *arg);
	void *arg;
	struct policysrv_timer *next;
};

struct policysrv_watcher {
	struct ev_io readable;
	void (*fn)(void *arg);
	void *arg;
	struct policysrv_watcher *next;
};

struct policysrv {
	struct ev_loop *loop;
	struct policysrv_config config;
	struct policysrv_hooks hooks;
	struct policysrv_stats stats;
	struct policysrv_queue queue[POLICYSRV_STATES];
	struct policysrv_buf *free_bufs;
	unsigned free_buf_count;
	int64_t now_ms;     /* monotonic, of this turn */
	int64_t gone_count; /* BUSY connections that are closed */
	struct ev_check turn_start;
	struct ev_prepare turn_end;
	struct ev_idle again;   /* active: do not block, see PENDING */
	struct ev_timer tick;   /* looks for what is over time */
	struct ev_timer resume; /* active while accepting pauses */
	struct ev_timer grace;  /* active while stopping */
	struct policysrv_listener *listeners;
	struct policysrv_timer *timers;
	struct policysrv_watcher *watchers;
	bool stopping;
	bool last_look; /* stopping, idle ones not yet closed */
};

/* Adds a connection in state IDLE. in_fd and out_fd may be the same; they
 * are non-blocking and taken over unless is_stdio. */
void policysrv_conn_add(
    struct policysrv *srv, int in_fd, int out_fd, bool is_stdio);

/* Closes the connection. Its memory stays until the reply when it is BUSY,
 * else it is freed. */
void policysrv_conn_close(struct policysrv_conn *conn);

/* Frees the connection in whatever state it is. */
void policysrv_conn_free(struct policysrv_conn *conn);

/* Reads what has arrived and hands a whole request over. conn may be freed
 * when it returns. */
void policysrv_conn_read(struct policysrv_conn *conn);

/* Goes on with the bytes that are in the buffer already (PENDING). conn may
 * be freed when it returns. */
void policysrv_conn_next(struct policysrv_conn *conn);

/* Takes the reply to the request in work; it goes out with the others of the
 * turn. conn may be freed. */
void policysrv_conn_reply(struct policysrv_conn *conn, const char *action);

/* Sends the reply, or what is left of it. conn may be freed. */
void policysrv_conn_write(struct policysrv_conn *conn);

/* A connection was freed or closed: accepting may go on, the loop may be
 * done. Defined in policysrv.c. */
void policysrv_closed(struct policysrv *srv, bool is_stdio);

#endif
