/* SPDX-License-Identifier: ISC */
/*
 * session.h - the checks of one request, one after the other, on the loop
 *
 * First the whitelists that ask DNS (HELO_Whitelist, Domain_Whitelist,
 * Domain_Whitelist_PTR, each within its own time), then HELO, then MAIL FROM
 * where HELO has not settled it, and with No_Mail a look at the record. What
 * the findings already hold is not asked again.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_SESSION_H
#define POSTERN_SPFD_SESSION_H

#include <stddef.h>

#include "common/dns.h"
#include "common/ip.h"
#include "common/spf.h"

#include "spfd/findings.h"
#include "spfd/policy.h"
#include "spfd/settings.h"

struct session;
struct session_pool;

/* What to check. All is borrowed until done is called. */
struct session_job {
	const struct settings *settings;
	const struct policy *policy;
	struct ip ip;
	const char *helo;          /* never NULL */
	const char *sender;        /* never NULL, "" = null */
	struct findings *findings; /* filled */
};

/* All that was to be found is in the findings. */
typedef void session_done_fn(void *arg);

/* Makes the pool of all sessions; dns and spf are borrowed. */
struct session_pool *session_pool_new(struct dns *dns, struct spf *spf);

/* Ends all sessions without calling done and frees the pool; sets *pool to
 * NULL. */
void session_pool_free(struct session_pool **pool);

/* Checks under way. */
size_t session_count(const struct session_pool *pool);

/* To be called several times a second: ends whitelists whose time is up. */
void session_tick(void *pool);

/* Starts; done(arg) is called once, also before this returns when there is
 * nothing to ask for. */
void session_start(struct session_pool *pool, const struct session_job *job,
    session_done_fn *done, void *arg);

#endif
