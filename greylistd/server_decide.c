/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/ip.h"
#include "common/now.h"
#include "common/policyproto.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/server_int.h"

/* How long the store is left alone after it failed. */
#define STORE_PAUSE_MS 1000
/* At the bound, room is made for a few at once. */
#define EVICT_CHUNK 16
/* The most keys under which a triplet may be. */
#define KEYS_MAX 3

/* One request with all that is looked up about it. */
struct inquiry {
	const char *client_name;
	const char *client_address;
	const struct facts *facts; /* or NULL */
	const char *sender;
	const char *recipient;
	struct ip ip;
	bool has_ip;
	bool is_data; /* asked at DATA or END-OF-MESSAGE */
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

/* Whatever can be said without looking into the store. Returns true when it
 * settles the matter. */
static bool
decide_by_lists(
    struct server *server, struct inquiry *q, struct outcome *outcome)
{
	const struct settings *settings = &server->settings;
	const struct rules_subject subject = {
		.ip = q->has_ip ? &q->ip : NULL,
		.client_name = q->client_name,
		.sender = q->sender,
		.recipient = q->recipient,
	};

	switch (
	    rules_match(server->rules, &subject, q->now_s, &outcome->comment)) {
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
	if (whitelist_has_client(
		settings->clients, q->client_name, q->has_ip ? &q->ip : NULL)) {
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
	if (providers_find(server->providers, &q->ip) != NULL) {
		pass(outcome, "provider");
		return true;
	}
	return false;
}

static const char *
text_of(const struct policyproto_request *request, enum policyproto_attr name)
{
	return request->attr[name] != NULL ? request->attr[name] : "";
}

static struct facts_client
facts_client(const struct inquiry *q, const struct policyproto_request *request)
{
	return (struct facts_client){
		.ip = q->ip,
		.name = q->client_name,
		.reverse_name =
		    text_of(request, POLICYPROTO_REVERSE_CLIENT_NAME),
		.helo = text_of(request, POLICYPROTO_HELO_NAME),
		.sender = q->sender,
	};
}

/* What DNS says. Returns true when it settles the matter. */
static bool
decide_by_facts(const struct inquiry *q,
    const struct policyproto_request *request, struct outcome *outcome)
{
	const struct facts *facts = q->facts;
	const struct facts_client client = facts_client(q, request);
	struct suspicion suspicion;

	if (facts->white != NULL) {
		pass(outcome, "dns whitelist");
		return true;
	}
	if (!facts->selection->selective)
		return false;
	facts_judge(&client, facts, &suspicion);
	if (suspicion.score < facts->selection->threshold) {
		pass(outcome, "not suspicious");
		return true;
	}
	outcome->suspicious = xmem_strdup(suspicion.text);
	return false;
}

/* Is the whole client known? Sets the outcome and returns true if so. */
static bool
decide_by_client(
    struct server *server, struct inquiry *q, struct outcome *outcome)
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
	pass(outcome, "client AWL");
	if (renew && may_write(server) &&
	    greystore_put_client(
		server->store, q->client_key, &renewed, false, &err) != 0)
		write_failed(server, &err);
	return true;
}

/* A triplet has passed: its client gets credit. */
static void
raise_client(struct server *server, struct inquiry *q, struct outcome *outcome)
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
has_spf_key(const struct server *server, const struct inquiry *q)
{
	return server->settings.selection->spf_keys != OPTIONS_SPF_KEYS_NO &&
	       q->facts != NULL && key_sender_domain(q->sender) != NULL &&
	       (!q->facts->has_spf || q->facts->spf == SPF_CHECK_PASS);
}

/* Writes the keys of the triplet: first the one to store it under. With
 * privacy the key that postgrey would have used is the last, since a hash
 * cannot be folded anew at import. Returns how many. */
static size_t
make_keys(const struct server *server, const struct inquiry *q,
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
find_triplet(struct server *server, const struct inquiry *q,
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
		pass(outcome, "triplet found");
		break;
	}
}

static void
decide_by_triplet(
    struct server *server, struct inquiry *q, struct outcome *outcome)
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

/* Tests move the clock with an attribute that postgrey knows too. */
static void
take_test_time(const struct policyproto_request *request)
{
	const char *text = request->attr[POLICYPROTO_POLICY_TEST_TIME];
	unsigned long long wall_s;

	if (text != NULL && str_to_uint(text, INT32_MAX, &wall_s))
		now_set((int64_t)wall_s);
}

/* Is one of the attributes missing that a triplet is made of? Sets which. */
static bool
has_gaps(const char *const *attr, enum policyproto_attr *missing_r)
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
		*missing_r = needed[i];
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

static struct inquiry
read_request(const struct policyproto_request *request)
{
	const char *const *attr = request->attr;
	struct inquiry q = {
		.client_name = attr[POLICYPROTO_CLIENT_NAME],
		.client_address = attr[POLICYPROTO_CLIENT_ADDRESS],
		.sender = attr[POLICYPROTO_SENDER],
		.recipient = attr[POLICYPROTO_RECIPIENT],
		.now_s = now_wall_s(),
	};

	q.has_ip = ip_parse(q.client_address, &q.ip);
	q.is_data = is_data_state(attr[POLICYPROTO_PROTOCOL_STATE]);
	return q;
}

/* Would it pass as client or triplet that is known? Then DNS has no say, and
 * no failure of DNS can do any harm. */
static bool
is_known(struct server *server, struct inquiry *q)
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

bool
server_wants_facts(struct server *server,
    const struct policyproto_request *request, struct facts_client *client_r)
{
	struct outcome outcome = { 0 };
	enum policyproto_attr missing;
	struct inquiry q;

	if (server->settings.test_clock)
		take_test_time(request);
	/* Said in the log when it is decided. */
	if (has_gaps(request->attr, &missing))
		return false;
	server_begin_turn(server);
	q = read_request(request);
	if (decide_by_lists(server, &q, &outcome) || is_known(server, &q))
		return false;
	*client_r = facts_client(&q, request);
	return true;
}

void
server_decide(struct server *server, const struct policyproto_request *request,
    const struct facts *facts, struct outcome *outcome)
{
	enum policyproto_attr missing;
	struct inquiry q;

	memset(outcome, 0, sizeof(*outcome));
	outcome->delay_s = -1;
	if (server->settings.test_clock)
		take_test_time(request);
	if (has_gaps(request->attr, &missing)) {
		log_warn("warning: attribute missing: %s",
		    policyproto_attr_name(missing));
		pass(outcome, NULL);
		return;
	}
	q = read_request(request);
	q.facts = facts;
	if (decide_by_lists(server, &q, outcome) ||
	    (facts != NULL && decide_by_facts(&q, request, outcome)))
		return;
	if (server->store == NULL || now_mono_ms() < server->read_again_ms) {
		server_store_error(server, outcome);
		return;
	}
	key_client(&server->settings.key, &q.ip, q.client_key);
	if (!decide_by_client(server, &q, outcome))
		decide_by_triplet(server, &q, outcome);
}
