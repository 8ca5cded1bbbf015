/* SPDX-License-Identifier: ISC */
/*
 * facts.h - what DNS knows about a client, gathered without blocking
 *
 * All questions of a request go out at once. When the last answer is there,
 * a whitelist has the client, or the time is up, the callback gets what is
 * known until then; what is missing is unknown, and unknown counts neither
 * for nor against a client.
 *
 * Postfix says "unknown" both for an address without a name and when DNS
 * failed, so names are looked up here once more before they count.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_FACTS_H
#define POSTERN_GREYLISTD_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dns.h"
#include "common/ip.h"
#include "common/spf.h"

#include "greylistd/dnslist_checks.h"
#include "greylistd/selection.h"

/* The most gatherings under way; beyond it nothing is asked. */
#define FACTS_OPEN_MAX 2000

/* Who is asked about. The texts are hostile, "" when absent, and must stay
 * until the callback or the cancelling. */
struct facts_client {
	struct ip ip;
	const char *name;         /* confirmed by Postfix, or "unknown" */
	const char *reverse_name; /* or "unknown" */
	const char *helo;
	const char *sender;
};

enum facts_answer {
	FACTS_UNKNOWN,
	FACTS_YES,
	FACTS_NO,
};

/* What is known. All zero but selection: nothing. */
struct facts {
	struct selection *selection; /* that was asked for */
	enum facts_answer has_name;
	enum facts_answer confirmed; /* the name leads back */
	bool has_spf;                /* spf is a statement by the domain */
	enum spf_result spf;
	bool listed[SELECTION_LISTS_MAX]; /* by selection's black[i] */
	const struct dnslist *white; /* the whitelist that has it, or NULL */
	unsigned failures;           /* questions without an answer */
};

struct facts_pool;
struct facts_job;

/* Valid until the callback returns. */
typedef void facts_callback(void *arg, const struct facts *facts);

/* Makes a pool that asks through dns and spf, which are borrowed, and ignores
 * the lists that checks (borrowed, or NULL) says. */
struct facts_pool *facts_pool_new(
    struct dns *dns, struct spf *spf, const struct dnslist_checks *checks);

/* Cancels what is under way without calling back; sets *pool to NULL. */
void facts_pool_free(struct facts_pool **pool);

/* Asks what selection wants to know. callback is called exactly once, after
 * this returned. Returns NULL, and never calls back, when there is nothing to
 * ask or too much is under way. */
struct facts_job *facts_start(struct facts_pool *pool,
    struct selection *selection, const struct facts_client *client,
    facts_callback *callback, void *arg);

/* Ends the gatherings whose time is up; call it every FACTS_TICK_MS. */
void facts_tick(void *pool);
#define FACTS_TICK_MS 50

/* Adds the signs against client that facts and its own words give. */
void facts_judge(const struct facts_client *client, const struct facts *facts,
    struct suspicion *suspicion_r);

#endif
