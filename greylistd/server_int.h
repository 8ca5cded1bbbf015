/* SPDX-License-Identifier: ISC */
/*
 * server_int.h - the state that server*.c share;
 * for these files only
 */
#ifndef POSTERN_GREYLISTD_SERVER_INT_H
#define POSTERN_GREYLISTD_SERVER_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/config.h"
#include "common/log.h"
#include "common/policysrv.h"
#include "common/sockset.h"

#include "greylistd/facts.h"
#include "greylistd/facts_memory.h"
#include "greylistd/greylist.h"
#include "greylistd/greystore.h"
#include "greylistd/instances.h"
#include "greylistd/key.h"
#include "greylistd/options.h"
#include "greylistd/providers.h"
#include "greylistd/rcpttable.h"
#include "greylistd/rules.h"
#include "greylistd/selection.h"
#include "greylistd/whitelist.h"

/* One repeated line about the store at most once in this time. */
#define SERVER_WARN_INTERVAL_S 60

enum outcome_kind {
	OUTCOME_PASS,    /* DUNNO */
	OUTCOME_PREPEND, /* pass with the X-Greylist header */
	OUTCOME_GREYLIST,
	OUTCOME_BLOCK,
	OUTCOME_TEMPFAIL, /* the store failed, OnError tempfail */
};

/* What was decided for a request. */
struct outcome {
	enum outcome_kind kind;
	const char *reason; /* for the log; NULL = no line */
	int64_t delay_s;    /* waited; -1 = not said */
	int64_t left_s;     /* OUTCOME_GREYLIST */
	bool needs_commit;  /* holds only if this turn's writes last */
	bool is_early;
	bool whitelisted_now; /* the client reached the threshold */
	const char *comment;  /* of the rule that decided, or NULL */
	char *suspicious;     /* the signs, or NULL; freed with the work */
};

/* A request of this turn, until its reply. */
struct work {
	struct policysrv_call *call;
	const struct policyproto_request *request;
	struct outcome outcome;
};

/* What a reload can replace; freed as one. */
struct settings {
	struct greylist_policy policy;
	struct key_config key;
	char *action;
	char *text;
	char *header;
	char *hostname;
	const char *header_version;
	bool quiet;
	bool dry_run;
	bool test_clock;
	int on_error;
	int64_t max_entries;
	struct whitelist *clients;
	struct whitelist *recipients;
	struct rcpttable *table;
	struct selection *selection; /* what asks DNS */
	struct dns_config *dns_config;
};

struct server {
	struct policysrv *srv;
	struct settings settings;
	struct greystore *store; /* NULL while it cannot be opened */
	char *database;
	struct sockset *sockets;
	struct rules *rules;
	struct instances *instances;

	/* Only when an option asks DNS, see server_facts.c. */
	struct dns *dns;
	struct spf *spf;
	struct facts_pool *facts;
	struct facts_memory *memory;
	struct providers *providers;
	struct dnslist_checks *checks;
	struct server_waiting *waiting; /* requests whose facts come */

	struct work *work; /* this turn's requests */
	size_t work_count;
	size_t work_cap;
	bool in_turn;
	bool write_failed; /* in this turn */

	/* After a failure reading or writing is left alone until then
	 * (monotonic), so that a lock or a full disk does not slow down every
	 * request. */
	int64_t read_again_ms;
	int64_t write_again_ms;
	bool failed;   /* recovery is due */
	bool tick_due; /* housekeeping waits for the turn's end */
	struct log_rate store_rate;

	/* Housekeeping, see server_housekeeping.c. */
	bool pass_running;
	int64_t next_pass_ms;
	int64_t pass_before; /* triplets when the pass began */
	int64_t pass_removed;
	int64_t next_flush_ms;
	int64_t next_recover_ms;
	int64_t clock_offset_s; /* wall minus monotonic, when last looked */
	int64_t expiry_paused_until_ms;
};

/* Decides on one request and writes what follows from it into the turn's
 * transaction (server_decide.c). facts is what DNS knows, NULL when it was
 * not asked. */
void server_decide(struct server *server,
    const struct policyproto_request *request, const struct facts *facts,
    struct outcome *outcome);

/* Does it take facts to decide on the request: is it neither settled by the
 * lists nor known? Sets client_r then; its texts are the request's. */
bool server_wants_facts(struct server *server,
    const struct policyproto_request *request, struct facts_client *client_r);

/* Decides on a request in this turn; the reply goes out at its end
 * (server.c). */
void server_add_work(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request, const struct facts *facts);

/* Before the first look at the store in a turn; does nothing later in it. */
void server_begin_turn(struct server *server);

/* Makes the resolver if the settings need one and there is none, and tells
 * it what providers there are (server_facts.c). Returns 0 or -1. */
int server_open_dns(struct server *server, struct err *err);

/* Cancels all questions and frees the resolver. Requests that waited for it
 * get no answer. */
void server_close_dns(struct server *server);

/* Asks DNS about the request when that is what the settings want. Returns
 * true when it takes care of the request; it is decided later. */
bool server_gather(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request);

/* New mail cannot be remembered: the outcome becomes what OnError says. */
void server_store_error(const struct server *server, struct outcome *outcome);

/* Counts, where there is a store to count in. */
void server_count(
    struct server *server, enum greystore_counter counter, int64_t now_s);

/* Notes that the store failed: one line a minute, recovery by the timer. */
void server_store_failed(struct server *server, const struct err *err);

/* Reads all that the options name into settings_r, which the caller frees. A
 * list with a broken regular expression, or from a file that is there but
 * cannot be read, is replaced by that of old (may be NULL), which then is
 * old's no more. On -1 settings_r is not set (server_setup.c). */
int server_load_settings(const struct config *config, struct settings *old,
    struct settings *settings_r, struct err *err);

/* Frees what the settings own. */
void server_free_settings(struct settings *settings);

/* Reads the rules of greylistctl anew. On -1 the old ones stay. */
int server_read_rules(struct server *server, struct err *err);

/* Opens the database and reads its rules (server.c). On -1 the store is NULL
 * or may be unusable; try again later. */
int server_open_store(struct server *server, struct err *err);

/* The clean-up timer's work, every SERVER_TICK_MS (server_housekeeping.c). */
void server_housekeeping(void *server);

#define SERVER_TICK_MS 100

#endif
