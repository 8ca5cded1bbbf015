/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/now.h"
#include "common/policyengine.h"
#include "common/policysrv.h"
#include "common/xmem.h"

#include "greylistd/reply.h"
#include "greylistd/server.h"
#include "greylistd/server_int.h"

/* First room for the requests of a turn. */
#define WORK_MIN 64

static enum greystore_counter
counter_of(const struct outcome *outcome)
{
	static const struct {
		const char *reason;
		enum greystore_counter counter;
	} table[] = {
		{ "triplet found", GREYSTORE_KNOWN },
		{ "client AWL", GREYSTORE_AWL },
		{ "client whitelist", GREYSTORE_CLIENT_WHITELIST },
		{ "recipient whitelist", GREYSTORE_RECIPIENT_WHITELIST },
		{ "recipient table", GREYSTORE_RECIPIENT_TABLE },
		{ "provider", GREYSTORE_PROVIDER },
		{ "dns whitelist", GREYSTORE_DNS_WHITELIST },
		{ "not suspicious", GREYSTORE_NOT_SUSPICIOUS },
		{ "allowed", GREYSTORE_ALLOWED },
		{ "blocked", GREYSTORE_BLOCKED },
	};

	if (outcome->kind == OUTCOME_PREPEND)
		return GREYSTORE_PASSED;
	if (outcome->kind == OUTCOME_GREYLIST)
		return outcome->is_early ? GREYSTORE_EARLY : GREYSTORE_NEW;
	if (outcome->reason != NULL)
		for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++)
			if (strcmp(outcome->reason, table[i].reason) == 0)
				return table[i].counter;
	return GREYSTORE_COUNTER_COUNT;
}

/* The word for what is done, or would be without DryRun. */
static const char *
action_word(const struct server *server, enum outcome_kind kind)
{
	bool dry_run = server->settings.dry_run;

	switch (kind) {
	case OUTCOME_GREYLIST:
		return dry_run ? "dry-run-greylist" : "greylist";
	case OUTCOME_BLOCK:
		return dry_run ? "dry-run-block" : "block";
	case OUTCOME_TEMPFAIL:
		return dry_run ? "dry-run-tempfail" : "tempfail";
	case OUTCOME_PASS:
	case OUTCOME_PREPEND:
		break;
	}
	return "pass";
}

static void
log_whitelisted(const char *name, const char *address)
{
	if (name[0] == '\0')
		log_info("whitelisted: %s", address);
	else
		log_info("whitelisted: %s[%s]", name, address);
}

/* A message has one header, however many recipients it has. */
static void
keep_first_header(struct server *server, struct work *work)
{
	if (work->outcome.kind == OUTCOME_PREPEND &&
	    !instances_is_first(
		server->instances, work->request->attr[POLICYPROTO_INSTANCE])) {
		work->outcome.kind = OUTCOME_PASS;
		work->outcome.delay_s = -1;
	}
}

/* postgrey's line for the log, and that a client is known from now on. */
static void
log_outcome(const struct server *server, const struct work *work)
{
	const char *const *attr = work->request->attr;
	const struct outcome *outcome = &work->outcome;
	char line[REPLY_LOG_SIZE];
	char early[64];
	struct reply_event event = {
		.action = action_word(server, outcome->kind),
		.reason = outcome->reason,
		.delay_s = outcome->delay_s,
		.queue_id = attr[POLICYPROTO_QUEUE_ID],
		.client_name = attr[POLICYPROTO_CLIENT_NAME],
		.client_address = attr[POLICYPROTO_CLIENT_ADDRESS],
		.sender = attr[POLICYPROTO_SENDER],
		.recipient = attr[POLICYPROTO_RECIPIENT],
		.comment = outcome->comment,
		.suspicious = outcome->suspicious,
	};

	if (outcome->is_early) {
		snprintf(early, sizeof(early), "early-retry (%llds missing)",
		    (long long)outcome->left_s);
		event.reason = early;
	}
	if (!server->settings.quiet && outcome->reason != NULL &&
	    log_enabled(LOG_LEVEL_NOTICE)) {
		reply_log(&event, line);
		log_line(LOG_LEVEL_NOTICE, line);
	}
	if (outcome->whitelisted_now)
		log_whitelisted(event.client_name, event.client_address);
}

static void
answer(const struct server *server, const struct work *work)
{
	const struct settings *settings = &server->settings;
	const char *const *attr = work->request->attr;
	const struct outcome *outcome = &work->outcome;
	char text[REPLY_SIZE];
	const char *action = "DUNNO";

	if (settings->dry_run) {
		policysrv_reply(work->call, action);
		return;
	}
	switch (outcome->kind) {
	case OUTCOME_PASS:
		break;
	case OUTCOME_PREPEND:
		reply_header(
		    &(struct reply_header){
			.template = settings->header,
			.waited_s = outcome->delay_s,
			.version = settings->header_version,
			.hostname = settings->hostname,
			.now_s = now_wall_s(),
		    },
		    text);
		action = text;
		break;
	case OUTCOME_GREYLIST:
		reply_greylist(settings->action, settings->text,
		    outcome->left_s, attr[POLICYPROTO_RECIPIENT],
		    attr[POLICYPROTO_ETRN_DOMAIN] != NULL, text);
		action = text;
		break;
	case OUTCOME_BLOCK:
		action = "REJECT 5.7.1 Access denied";
		break;
	case OUTCOME_TEMPFAIL:
		action = "DEFER_IF_PERMIT 4.3.0 Greylisting is temporarily "
			 "unavailable";
		break;
	}
	policysrv_reply(work->call, action);
}

int
server_read_rules(struct server *server, struct err *err)
{
	struct rules *rules = greystore_rules(server->store, now_wall_s(), err);

	if (rules == NULL)
		return -1;
	rules_free(&server->rules);
	server->rules = rules;
	return 0;
}

/* The first request of a turn: has a tool changed the rules? */
void
server_begin_turn(struct server *server)
{
	struct err err;

	if (server->in_turn)
		return;
	server->in_turn = true;
	server->write_failed = false;
	if (!server->failed && greystore_begin_turn(server->store) &&
	    server_read_rules(server, &err) != 0)
		server_store_failed(server, &err);
}

void
server_add_work(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request, const struct facts *facts)
{
	struct work *work;

	server_begin_turn(server);
	if (server->work_count == server->work_cap) {
		server->work_cap *= 2;
		server->work = xmem_realloc(
		    server->work, server->work_cap, sizeof(*server->work));
	}
	work = &server->work[server->work_count++];
	work->call = call;
	work->request = request;
	server_decide(server, request, facts, &work->outcome);
}

static void
on_request(void *arg, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	struct server *server = arg;
	const char *type = request->attr[POLICYPROTO_REQUEST];

	if (request->garbage_count > 0)
		log_warn(
		    "warning: ignoring garbage: <%.100s>", request->garbage);
	if (type == NULL || strcmp(type, "smtpd_access_policy") != 0) {
		log_warn("warning: unrecognized request type: '%.100s'",
		    type == NULL ? "" : type);
		policysrv_reply(call, "DUNNO");
		return;
	}
	if (!server_gather(server, call, request))
		server_add_work(server, call, request, NULL);
}

/* A deferral that rests on a write that did not last is no deferral. */
static void
retract(const struct server *server, struct outcome *outcome)
{
	if (outcome->needs_commit)
		server_store_error(server, outcome);
}

static void
on_batch_end(void *arg)
{
	struct server *server = arg;
	int64_t now_s = now_wall_s();
	struct err err;

	if (!server->in_turn)
		return;
	if (server->store != NULL &&
	    greystore_commit(server->store, &err) != 0) {
		server->write_failed = true;
		server_store_failed(server, &err);
	}
	log_hold();
	for (size_t i = 0; i < server->work_count; i++) {
		struct work *work = &server->work[i];
		enum greystore_counter counter;

		if (server->write_failed)
			retract(server, &work->outcome);
		counter = counter_of(&work->outcome);
		if (counter != GREYSTORE_COUNTER_COUNT)
			server_count(server, counter, now_s);
		keep_first_header(server, work);
		log_outcome(server, work);
		answer(server, work);
		xmem_free(&work->outcome.suspicious);
	}
	log_release();
	server->work_count = 0;
	server->in_turn = false;
	if (server->tick_due)
		server_housekeeping(server);
}

struct server *
server_open(const struct config *config, uid_t uid, gid_t gid, struct err *err)
{
	const struct options *options = config_values(config);
	struct server *server = xmem_calloc(1, sizeof(*server));
	const struct policysrv_hooks hooks = {
		.request = on_request,
		.batch_end = on_batch_end,
		.arg = server,
	};

	server->database = xmem_strdup(options->database);
	server->rules = rules_new();
	server->instances = instances_new();
	server->work_cap = WORK_MIN;
	server->work = xmem_calloc(server->work_cap, sizeof(*server->work));
	server->srv = policysrv_new(&options->policysrv, &hooks, err);
	if (server->srv != NULL &&
	    server_load_settings(config, NULL, &server->settings, err) == 0)
		server->sockets =
		    sockset_open(&options->sockets, uid, gid, err);
	if (server->sockets == NULL)
		server_free(&server);
	else
		policyengine_listen(server->srv, server->sockets);
	return server;
}

/* A directory that is missing or closed to us is a mistake in the set-up and
 * ends the start; what may pass (a full disk, a lock) does not: mail goes on
 * by OnError until it is cured. */
static int
check_directory(const char *path, struct err *err)
{
	char *copy = xmem_strdup(path);
	char *dir = dirname(copy);
	int result = 0;

	if (access(dir, R_OK | W_OK | X_OK) != 0 &&
	    (errno == ENOENT || errno == EACCES || errno == ENOTDIR))
		result = err_set_errno(err, errno,
		    "Database: user %lu cannot write in %s (make the "
		    "directory with: install -d -m 750 -o %lu %s)",
		    (unsigned long)geteuid(), dir, (unsigned long)geteuid(),
		    dir);
	xmem_free(&copy);
	return result;
}

int
server_open_store(struct server *server, struct err *err)
{
	struct err note;

	server->store =
	    greystore_open(server->database, STORE_DAEMON, &note, err);
	if (server->store == NULL)
		return -1;
	if (note.text[0] != '\0')
		log_warn("warning: %s", note.text);
	return server_read_rules(server, err);
}

struct policysrv *
server_start(struct server *server, struct err *err)
{
	if (check_directory(server->database, err) != 0)
		return NULL;
	if (server_open_store(server, err) != 0)
		server_store_failed(server, err);
	if (server_open_dns(server, err) != 0)
		return NULL;
	server->clock_offset_s = now_wall_s() - now_mono_ms() / 1000;
	policysrv_every(
	    server->srv, SERVER_TICK_MS, server_housekeeping, server);
	return server->srv;
}

int
server_reload(
    struct server *server, const struct config *config, struct err *err)
{
	struct settings settings;
	struct err note;

	log_info("HUP received: reloading whitelists...");
	if (server_load_settings(config, &server->settings, &settings, err) !=
	    0)
		return -1;
	server_free_settings(&server->settings);
	server->settings = settings;
	if (server_open_dns(server, &note) != 0)
		log_warn("warning: DNS is not asked: %s", note.text);
	return 0;
}

void
server_free(struct server **server)
{
	struct server *s = *server;

	if (s == NULL)
		return;
	server_close_dns(s);
	policysrv_free(&s->srv);
	sockset_free(&s->sockets);
	greystore_close(&s->store);
	server_free_settings(&s->settings);
	rules_free(&s->rules);
	instances_free(&s->instances);
	xmem_free(&s->database);
	xmem_free(&s->work);
	xmem_free(server);
}
