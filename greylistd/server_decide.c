/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/ip.h"
#include "common/now.h"
#include "common/policyproto.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/server_int.h"

void
server_pass(struct outcome *outcome, const char *reason)
{
	outcome->kind = OUTCOME_PASS;
	outcome->reason = reason;
}

/* Whatever can be said without looking into the store. Returns true when it
 * settles the matter. */
static bool
decide_by_lists(
    struct server *server, struct server_inquiry *q, struct outcome *outcome)
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
		server_pass(outcome, "allowed");
		return true;
	case RULES_NONE:
		break;
	}
	if (whitelist_has_client(
		settings->clients, q->client_name, q->has_ip ? &q->ip : NULL)) {
		server_pass(outcome, "client whitelist");
		return true;
	}
	if (whitelist_has_recipient(settings->recipients, q->recipient)) {
		server_pass(outcome, "recipient whitelist");
		return true;
	}
	if (!q->has_ip) {
		server_pass(outcome, "no client address");
		return true;
	}
	if (q->recipient[0] == '\0' && q->is_data) {
		server_pass(outcome, "no recipient");
		return true;
	}
	q->table = rcpttable_find(settings->table, q->recipient);
	if (!q->table.greylist) {
		server_pass(outcome, "recipient table");
		return true;
	}
	if (providers_find(server->providers, &q->ip) != NULL) {
		server_pass(outcome, "provider");
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
facts_client(
    const struct server_inquiry *q, const struct policyproto_request *request)
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
decide_by_facts(const struct server_inquiry *q,
    const struct policyproto_request *request, struct outcome *outcome)
{
	const struct facts *facts = q->facts;
	const struct facts_client client = facts_client(q, request);
	struct suspicion suspicion;

	if (facts->white != NULL) {
		server_pass(outcome, "dns whitelist");
		return true;
	}
	if (!facts->selection->selective)
		return false;
	facts_judge(&client, facts, &suspicion);
	if (suspicion.score < facts->selection->threshold) {
		server_pass(outcome, "not suspicious");
		return true;
	}
	outcome->suspicious = xmem_strdup(suspicion.text);
	return false;
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

static struct server_inquiry
read_request(const struct policyproto_request *request)
{
	const char *const *attr = request->attr;
	struct server_inquiry q = {
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

bool
server_wants_facts(struct server *server,
    const struct policyproto_request *request, struct facts_client *client_r)
{
	struct outcome outcome = { 0 };
	enum policyproto_attr missing;
	struct server_inquiry q;

	if (server->settings.test_clock)
		take_test_time(request);
	/* Said in the log when it is decided. */
	if (has_gaps(request->attr, &missing))
		return false;
	server_begin_turn(server);
	q = read_request(request);
	if (decide_by_lists(server, &q, &outcome) ||
	    server_is_known(server, &q))
		return false;
	*client_r = facts_client(&q, request);
	return true;
}

void
server_decide(struct server *server, const struct policyproto_request *request,
    const struct facts *facts, struct outcome *outcome)
{
	enum policyproto_attr missing;
	struct server_inquiry q;

	memset(outcome, 0, sizeof(*outcome));
	outcome->delay_s = -1;
	if (server->settings.test_clock)
		take_test_time(request);
	if (has_gaps(request->attr, &missing)) {
		log_warn("warning: attribute missing: %s",
		    policyproto_attr_name(missing));
		server_pass(outcome, NULL);
		return;
	}
	q = read_request(request);
	q.facts = facts;
	if (decide_by_lists(server, &q, outcome) ||
	    (facts != NULL && decide_by_facts(&q, request, outcome)))
		return;
	server_decide_by_store(server, &q, outcome);
}
