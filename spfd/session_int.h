/* SPDX-License-Identifier: ISC */
/*
 * session_int.h - what session.c (the order of the steps) and
 * session_lists.c (whitelists that ask DNS) share; for these files only
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_SESSION_INT_H
#define POSTERN_SPFD_SESSION_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spfd/session.h"

/* The most PTR names that are looked at (RFC 7208 section 4.6.4). */
#define SESSION_PTR_MAX 10

enum session_step {
	SESSION_BEGIN,
	SESSION_HELO_LIST,
	SESSION_DOMAIN_LIST,
	SESSION_PTR_LIST,
	SESSION_LISTS_DONE,
	SESSION_HELO,
	SESSION_HELO_RECORD,
	SESSION_MAILFROM,
	SESSION_MAILFROM_RECORD,
	SESSION_END,
};

/* A question or a check under way. */
struct session_lookup {
	struct session *session;
	struct dns_question *question;
	struct spf_check *check;
};

struct session_pool {
	struct dns *dns;
	struct spf *spf;
	struct session *first;
	size_t count;
};

struct session {
	struct session_pool *pool;
	struct session *prev, *next;
	struct session_job job;
	session_done_fn *done;
	void *arg;
	enum session_step step;
	struct session_lookup *lookups; /* of this step */
	size_t lookup_count;
	size_t pending;      /* of these without an answer */
	int64_t deadline_ms; /* of this step; 0 = none */
};

/* Begins a step that asks: makes room for count lookups, all empty, until
 * the step ends. limit_ms 0 = each lookup has its own limit. */
void session_open_step(struct session *session, size_t count, int64_t limit_ms);

/* Goes on with the next step; the session may be gone when it returns. */
void session_next(struct session *session);

/* One of the whitelists matched: nothing else is checked. The session may be
 * gone when it returns. */
void session_settle(struct session *session, enum findings_bypass bypass);

/* Begin the steps of the whitelists. They return false when there is nothing
 * to ask for. */
bool session_lists_helo(struct session *session);
/* Domain_Whitelist. */
bool session_lists_domain(struct session *session);
/* Domain_Whitelist_PTR. */
bool session_lists_ptr(struct session *session);

#endif
