/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/now.h"

#include "greylistd/server_int.h"

/* How long the store is left alone after it failed. */
#define STORE_PAUSE_MS 1000
/* At the bound, room is made for a few at once. */
#define EVICT_CHUNK 16
/* The most keys under which a triplet may be. */
#define KEYS_MAX 3

void
server_store_error(const struct server *server, struct outcome *outcome)
{
	outcome->needs_commit = false;
	outcome->is_early = false;
	outcome->reason = "store error";
	outcome->kind = server->settings.on_error == OPTIONS_ON_ERROR_PASS
			    ? OUTCOME_PASS
			    : OUTCOME_TEMPFAIL;
}

void
server_count(
    struct server *server, enum greystore_counter counter, int64_t now_s)
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
	    server->settings.on_error == OPTIONS_ON_ERROR_PASS
		? "let through ungreylisted"
		: "deferred");
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
	return !server->write_failed && now_mono_ms() >= server->write_again_ms;
}

/* Is the whole client known? Sets the outcome and returns true if so. */
static bool
decide_by_client(
    struct server *server, struct server_inquiry *q, struct outcome *outcome)
{
	struct greylist_client client, renewed;
	struct err err;
	bool renew = false;

	if (server->settings.policy.client_threshold == 0)
		return false;
	switch (greystore_find_client(
	    server->store, q->client_key, &client, &err)) {
	case GREYSTORE_NONE:
		return false;
	case GREYSTORE_FAILED:
		read_failed(server, &err);
		server_store_error(server, outcome);
		return true;
	case GREYSTORE_FOUND:
		break;
	}
	if (!greylist_client_known(
		&server->settings.policy, &client, q->now_s, &renew, &renewed))
		return false;
	server_pass(outcome, "client AWL");
	if (renew && may_write(server) &&
	    greystore_put_client(
		server->store, q->client_key, &renewed, false, &err) != 0)
		write_failed(server, &err);
	return true;
}

/* A triplet has passed: its client gets credit. */
static void
raise_client(
    struct server *server, struct server_inquiry *q, struct outcome *outcome)
{
	struct greylist_client client, raised;
	bool reached = false;
	struct err err;
	enum greystore_found found;

	if (server->settings.policy.client_threshold == 0 || !may_write(server))
		return;
	found =
	    greystore_find_client(server->store, q->client_key, &client, &err);
	if (found == GREYSTORE_FAILED) {
		read_failed(server, &err);
		return;
	}
	if (!greylist_client_raise(&server->settings.policy,
		found == GREYSTORE_FOUND ? &client : NULL, q->now_s, &raised,
		&reached))
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

/* May the sender's domain stand for the network: SPF passes, or nobody can
 * tell (then an entry that is there already counts)? */
static bool
has_spf_key(const struct server *server, const struct server_inquiry *q)
{
	return server->settings.selection->spf_keys != OPTIONS_SPF_KEYS_NO &&
	       q->facts != NULL && key_sender_domain(q->sender) != NULL &&
	       (!q->facts->has_spf || q->facts->spf == SPF_CHECK_PASS);
}

/* Writes the keys of the triplet: first the one to store it under. With
 * privacy the key that postgrey would have used is the last, since a hash
 * cannot be folded anew at import. Returns how many. */
static size_t
make_keys(const struct server *server, const struct server_inquiry *q,
    char keys[static KEYS_MAX][KEY_SIZE])
{
	const struct key_config *config = &server->settings.key;
	bool with_local =
	    server->settings.selection->spf_keys != OPTIONS_SPF_KEYS_SENDER;
	bool has_spf = has_spf_key(server, q);
	bool spf_first = has_spf && q->facts->has_spf;
	size_t count = 1;

	key_make(config, KEY_FOLD_ALL, &q->ip, q->sender, q->recipient,
	    keys[spf_first ? 1 : 0]);
	if (has_spf) {
		key_make_spf(config, with_local, q->sender, q->recipient,
		    keys[spf_first ? 0 : 1]);
		count++;
	}
	if (config->privacy)
		key_make(config, KEY_FOLD_POSTGREY, &q->ip, q->sender,
		    q->recipient, keys[count++]);
	return count;
}

/* Looks the triplet up under each of its keys; key is then the one under
 * which it is, or is to be stored. */
static enum greystore_found
find_triplet(struct server *server, const struct server_inquiry *q,
    char key[static KEY_SIZE], struct greylist_entry *entry)
{
	char keys[KEYS_MAX][KEY_SIZE];
	size_t count = make_keys(server, q, keys);
	enum greystore_found found = GREYSTORE_NONE;
	struct err err;
	size_t i;

	for (i = 0; i < count; i++) {
		if (i > 0 && strcmp(keys[i], keys[0]) == 0)
			continue;
		found = greystore_find(server->store, keys[i], entry, &err);
		if (found != GREYSTORE_NONE)
			break;
	}
	memcpy(key, keys[found == GREYSTORE_FOUND ? i : 0], KEY_SIZE);
	if (found == GREYSTORE_FAILED)
		read_failed(server, &err);
	return found;
}

/* Turns the decision on a triplet into an outcome. */
static void
set_outcome(struct server *server, struct server_inquiry *q,
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
		outcome->needs_commit =
		    decision->write ||
		    store_is_writing(greystore_store(server->store));
		break;
	case GREYLIST_PASSED:
		outcome->kind = OUTCOME_PREPEND;
		outcome->reason = "triplet found";
		outcome->delay_s = decision->waited_s;
		raise_client(server, q, outcome);
		break;
	case GREYLIST_KNOWN:
		server_pass(outcome, "triplet found");
		break;
	}
}

static void
decide_by_triplet(
    struct server *server, struct server_inquiry *q, struct outcome *outcome)
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
	decision = greylist_decide(
	    &policy, found == GREYSTORE_FOUND ? &entry : NULL, q->now_s);
	if (decision.clock_stepped)
		log_info("first seen in the future, corrected: %s", key);
	if (decision.write)
		store_entry(
		    server, key, &decision.entry, found == GREYSTORE_NONE);
	if (decision.gave_up && !server->write_failed)
		server_count(server, GREYSTORE_NEVER_CAME_BACK, q->now_s);
	set_outcome(server, q, &decision, outcome);
	if (server->write_failed && outcome->needs_commit)
		server_store_error(server, outcome);
}

bool
server_is_known(struct server *server, struct server_inquiry *q)
{
	const struct greylist_policy *policy = &server->settings.policy;
	struct greylist_client client, renewed;
	struct greylist_entry entry;
	char key[KEY_SIZE];
	struct err err;
	bool renew;

	if (server->store == NULL || now_mono_ms() < server->read_again_ms)
		return false;
	key_client(&server->settings.key, &q->ip, key);
	if (policy->client_threshold > 0 &&
	    greystore_find_client(server->store, key, &client, &err) ==
		GREYSTORE_FOUND &&
	    greylist_client_known(policy, &client, q->now_s, &renew, &renewed))
		return true;
	return find_triplet(server, q, key, &entry) == GREYSTORE_FOUND &&
	       entry.passed != 0 && !greylist_expired(policy, &entry, q->now_s);
}

void
server_decide_by_store(
    struct server *server, struct server_inquiry *q, struct outcome *outcome)
{
	if (server->store == NULL || now_mono_ms() < server->read_again_ms) {
		server_store_error(server, outcome);
		return;
	}
	key_client(&server->settings.key, &q->ip, q->client_key);
	if (!decide_by_client(server, q, outcome))
		decide_by_triplet(server, q, outcome);
}
