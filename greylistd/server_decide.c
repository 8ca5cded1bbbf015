/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/ip.h"
#include "common/now.h"
#include "common/policyproto.h"
#include "common/str.h"

#include "greylistd/server_int.h"

/* How long the store is left alone after it failed. */
#define STORE_PAUSE_MS 1000
/* At the bound, room is made for a few at once. */
#define EVICT_CHUNK 16

/* One request with all that is looked up about it. */
struct inquiry {
	const char *client_name;
	const char *client_address;
	const char *sender;
	const char *recipient;
	struct ip ip;
	bool has_ip;
	bool is_data;		/* asked at DATA or END-OF-MESSAGE */
	int64_t now_s;
	struct rcpttable_action table;
	char client_key[KEY_SIZE];
};

static void
pass(struct outcome *outcome, const char *reason)
{
	outcome->kind = OUTCOME_PASS;
	outcome->reason = reason;
}

void
server_store_error(const struct server *server, struct outcome *outcome)
{
	outcome->needs_commit = false;
	outcome->is_early = false;
	outcome->reason = "store error";
	outcome->kind = server->settings.on_error == OPTIONS_ON_ERROR_PASS ?
		OUTCOME_PASS :
		OUTCOME_TEMPFAIL;
}

void
server_count(struct server *server, enum greystore_counter counter,
	int64_t now_s)
{
	if (server->store != NULL)
		greystore_count(server->store, counter, now_s);
}

void
server_store_failed(struct server *server, const struct err *err)
{
	server->failed = true;
	server_count(server, GREYSTORE_STORE_ERROR, now_wall_s());
	log_warn_rated(&server->store_rate, SERVER_WARN_INTERVAL_S,
		"warning: %s; new mail is %s until this is cured", err->text,
		server->settings.on_error == OPTIONS_ON_ERROR_PASS ?
			"let through ungreylisted" :
			"deferred");
}

static void
read_failed(struct server *server, const struct err *err)
{
	server->read_again_ms = now_mono_ms() + STORE_PAUSE_MS;
	server->write_failed = true;
	server_store_failed(server, err);
}

static void
write_failed(struct server *server, const struct err *err)
{
	server->write_again_ms = now_mono_ms() + STORE_PAUSE_MS;
	server->write_failed = true;
	server_store_failed(server, err);
}

static bool
may_write(const struct server *server)
{
	return !server->write_failed &&
		now_mono_ms() >= server->write_again_ms;
}

/* Whatever can be said without looking into the store. Returns true when it
 * settles the matter. */
static bool
decide_by_lists(struct server *server, struct inquiry *q,
	struct outcome *outcome)
{
	const struct settings *settings = &server->settings;
	const struct rules_subject subject = {
		.ip = q->has_ip ? &q->ip : NULL,
		.client_name = q->client_name,
		.sender = q->sender,
		.recipient = q->recipient,
	};

	switch (rules_match(server->rules, &subject, q->now_s,
		&outcome->comment)) {
	case RULES_BLOCK:
		outcome->kind = OUTCOME_BLOCK;
		outcome->reason = "blocked";
		return true;
	case RULES_ALLOW:
		pass(outcome, "allowed");
		return true;
	case RULES_NONE:
		break;
	}
	if (whitelist_has_client(settings->clients, q->client_name,
		    q->has_ip ? &q->ip : NULL)) {
		pass(outcome, "client whitelist");
		return true;
	}
	if (whitelist_has_recipient(settings->recipients, q->recipient)) {
		pass(outcome, "recipient whitelist");
		return true;
	}
	if (!q->has_ip) {
		pass(outcome, "no client address");
		return true;
	}
	if (q->recipient[0] == '\0' && q->is_data) {
		pass(outcome, "no recipient");
		return true;
	}
	q->table = rcpttable_find(settings->table, q->recipient);
	if (!q->table.greylist) {
		pass(outcome, "recipient table");
		return true;
	}
	return false;
}

/* Is the whole client known? Sets the outcome and returns true if so. */
static bool
decide_by_client(struct server *server, struct inquiry *q,
	struct outcome *outcome)
{
	struct greylist_client client, renewed;
	struct err err;
	bool renew = false;

	if (server->settings.policy.client_threshold == 0)
		return false;
	switch (greystore_find_client(server->store, q->client_key, &client,
		&err)) {
	case GREYSTORE_NONE:
		return false;
	case GREYSTORE_FAILED:
		read_failed(server, &err);
		server_store_error(server, outcome);
		return true;
	case GREYSTORE_FOUND:
		break;
	}
	if (!greylist_client_known(&server->settings.policy, &client,
		    q->now_s, &renew, &renewed))
		return false;
	pass(outcome, "client AWL");
	if (renew && may_write(server) &&
	    greystore_put_client(server->store, q->client_key, &renewed,
		    false, &err) != 0)
		write_failed(server, &err);
	return true;
}

/* A triplet has passed: its client gets credit. */
static void
raise_client(struct server *server, struct inquiry *q,
	struct outcome *outcome)
{
	struct greylist_client client, raised;
	bool reached = false;
	struct err err;
	enum greystore_found found;

	if (server->settings.policy.client_threshold == 0 ||
	    !may_write(server))
		return;
	found = greystore_find_client(server->store, q->client_key, &client,
		&err);
	if (found == GREYSTORE_FAILED) {
		read_failed(server, &err);
		return;
	}
	if (!greylist_client_raise(&server->settings.policy,
		    found == GREYSTORE_FOUND ? &client : NULL, q->now_s,
		    &raised, &reached))
		return;
	/* Whoever owns a network has as many addresses as he likes. */
	if (found == GREYSTORE_NONE &&
	    greystore_clients(server->store) >= server->settings.max_entries)
		return;
	if (greystore_put_client(server->store, q->client_key, &raised,
		    found == GREYSTORE_NONE, &err) != 0)
		write_failed(server, &err);
	else
		outcome->whitelisted_now = reached;
}

/* Makes room at MaxEntries, then stores the entry. */
static void
store_entry(struct server *server, const char *key,
	const struct greylist_entry *entry, bool is_new)
{
	struct greystore *store = server->store;
	struct err err;

	if (!may_write(server)) {
		server->write_failed = true;
		return;
	}
	if (is_new &&
	    greystore_triplets(store) >= server->settings.max_entries &&
	    greystore_evict(store, EVICT_CHUNK, now_wall_s(), &err) < 0) {
		write_failed(server, &err);
		return;
	}
	if (greystore_put(store, key, entry, is_new, &err) != 0)
		write_failed(server, &err);
}

/* Looks the triplet up; with privacy also under the key that postgrey would
 * have used, since a hash cannot be folded anew at import. */
static enum greystore_found
find_triplet(struct server *server, const struct inquiry *q,
	char key[static KEY_SIZE], struct greylist_entry *entry)
{
	const struct key_config *config = &server->settings.key;
	char old_key[KEY_SIZE];
	enum greystore_found found;
	struct err err;

	key_make(config, KEY_FOLD_ALL, &q->ip, q->sender, q->recipient, key);
	found = greystore_find(server->store, key, entry, &err);
	if (found == GREYSTORE_NONE && config->privacy) {
		key_make(config, KEY_FOLD_POSTGREY, &q->ip, q->sender,
			q->recipient, old_key);
		if (strcmp(key, old_key) != 0) {
			found = greystore_find(server->store, old_key, entry,
				&err);
			if (found == GREYSTORE_FOUND)
				memcpy(key, old_key, KEY_SIZE);
		}
	}
	if (found == GREYSTORE_FAILED)
		read_failed(server, &err);
	return found;
}

/* Turns the decision on a triplet into an outcome. */
static void
set_outcome(struct server *server, struct inquiry *q,
	const struct greylist_decision *decision, struct outcome *outcome)
{
	switch (decision->verdict) {
	case GREYLIST_EARLY:
		/* In the second of the first contact it is new still. */
		outcome->is_early = decision->entry.first != q->now_s;
		/* fall through */
	case GREYLIST_NEW:
		outcome->kind = OUTCOME_GREYLIST;
		outcome->reason = "new";
		outcome->left_s = decision->left_s;
		outcome->needs_commit = decision->write ||
			store_is_writing(greystore_store(server->store));
		break;
	case GREYLIST_PASSED:
		outcome->kind = OUTCOME_PREPEND;
		outcome->reason = "triplet found";
		outcome->delay_s = decision->waited_s;
		raise_client(server, q, outcome);
		break;
	case GREYLIST_KNOWN:
		pass(outcome, "triplet found");
		break;
	}
}

static void
decide_by_triplet(struct server *server, struct inquiry *q,
	struct outcome *outcome)
{
	struct greylist_policy policy = server->settings.policy;
	struct greylist_entry entry;
	struct greylist_decision decision;
	char key[KEY_SIZE];
	enum greystore_found found;

	found = find_triplet(server, q, key, &entry);
	if (found == GREYSTORE_FAILED) {
		server_store_error(server, outcome);
		return;
	}
	if (q->table.delay_s >= 0)
		policy.delay_s = q->table.delay_s;
	decision = greylist_decide(&policy,
		found == GREYSTORE_FOUND ? &entry : NULL, q->now_s);
	if (decision.clock_stepped)
		log_info("first seen in the future, corrected: %s", key);
	if (decision.write)
		store_entry(server, key, &decision.entry,
			found == GREYSTORE_NONE);
	if (decision.gave_up && !server->write_failed)
		server_count(server, GREYSTORE_NEVER_CAME_BACK, q->now_s);
	set_outcome(server, q, &decision, outcome);
	if (server->write_failed && outcome->needs_commit)
		server_store_error(server, outcome);
}

/* Tests move the clock with an attribute that postgrey knows too. */
static void
take_test_time(const struct policyproto_request *request)
{
	const char *text = request->attr[POLICYPROTO_POLICY_TEST_TIME];
	unsigned long long wall_s;

	if (text != NULL && str_to_uint(text, INT32_MAX, &wall_s))
		now_set((int64_t)wall_s);
}

/* Is one of the attributes missing that a triplet is made of? Says which. */
static bool
is_incomplete(const char *const *attr)
{
	static const enum policyproto_attr needed[] = {
		POLICYPROTO_CLIENT_ADDRESS,
		POLICYPROTO_CLIENT_NAME,
		POLICYPROTO_RECIPIENT,
		POLICYPROTO_SENDER,
	};

	for (size_t i = 0; i < sizeof(needed) / sizeof(*needed); i++) {
		if (attr[needed[i]] != NULL)
			continue;
		log_warn("warning: attribute missing: %s",
			policyproto_attr_name(needed[i]));
		return true;
	}
	return false;
}

/* There Postfix names no recipient when a message has several. */
static bool
is_data_state(const char *state)
{
	return state != NULL && (strcmp(state, "DATA") == 0 ||
		strcmp(state, "END-OF-MESSAGE") == 0);
}

void
server_decide(struct server *server,
	const struct policyproto_request *request, struct outcome *outcome)
{
	const char *const *attr = request->attr;
	struct inquiry q = {
		.client_name = attr[POLICYPROTO_CLIENT_NAME],
		.client_address = attr[POLICYPROTO_CLIENT_ADDRESS],
		.sender = attr[POLICYPROTO_SENDER],
		.recipient = attr[POLICYPROTO_RECIPIENT],
	};

	memset(outcome, 0, sizeof(*outcome));
	outcome->delay_s = -1;
	if (server->settings.test_clock)
		take_test_time(request);
	if (is_incomplete(attr)) {
		pass(outcome, NULL);
		return;
	}
	q.now_s = now_wall_s();
	q.has_ip = ip_parse(q.client_address, &q.ip);
	q.is_data = is_data_state(attr[POLICYPROTO_PROTOCOL_STATE]);
	if (decide_by_lists(server, &q, outcome))
		return;
	if (server->store == NULL ||
	    now_mono_ms() < server->read_again_ms) {
		server_store_error(server, outcome);
		return;
	}
	key_client(&server->settings.key, &q.ip, q.client_key);
	if (!decide_by_client(server, &q, outcome))
		decide_by_triplet(server, &q, outcome);
}
