/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"

#include "spfd/answer.h"
#include "spfd/verdict.h"

/* Everything that an answer is made of. */
struct making {
	const struct settings *settings;
	const struct policy *policy;
	const struct answer_request *request;
	struct findings *findings;
	struct verdict verdict;
	struct answer *answer;
	const char *word; /* action= of the log */
};

static const char *
domain_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return at == NULL ? address : at + 1;
}

static const struct finding *
deciding(const struct making *m)
{
	return m->verdict.identity == SPF_CHECK_HELO ? &m->findings->helo
						     : &m->findings->mailfrom;
}

static struct header_facts
header_facts(const struct making *m)
{
	return (struct header_facts){
		.finding = deciding(m),
		.identity = m->verdict.identity,
		.client = m->request->client,
		.helo = m->request->helo,
		.sender = m->request->sender,
		.receiver = m->policy->hide_receiver
				? ""
				: domain_of(m->request->recipient),
		.hostname = m->settings->hostname,
		.authserv_id = m->settings->authserv_id,
	};
}

/* Which header is due, as the type of one: a message gets each once. */
static enum options_header
due_header(const struct making *m)
{
	unsigned given = m->findings->headers_given;

	if (m->settings->has_prospective)
		return OPTIONS_HEADER_NONE;
	switch (m->policy->header_type) {
	case OPTIONS_HEADER_BOTH:
		return given == 0   ? OPTIONS_HEADER_SPF
		       : given == 1 ? OPTIONS_HEADER_AR
				    : OPTIONS_HEADER_NONE;
	case OPTIONS_HEADER_SPF:
	case OPTIONS_HEADER_AR:
		return given == 0 ? m->policy->header_type
				  : OPTIONS_HEADER_NONE;
	case OPTIONS_HEADER_NONE:
		break;
	}
	return OPTIONS_HEADER_NONE;
}

static void
prepend(struct making *m)
{
	const struct header_facts facts = header_facts(m);
	enum findings_bypass bypass = m->findings->bypass;
	enum options_header due = due_header(m);
	char header[HEADER_SIZE];
	struct str s;

	str_init(&s, m->answer->action, ANSWER_SIZE);
	m->word = "dunno";
	if (due == OPTIONS_HEADER_NONE ||
	    (bypass == FINDINGS_CHECKED && !m->verdict.has_identity)) {
		str_add(&s, "DUNNO");
		return;
	}
	if (bypass != FINDINGS_CHECKED && due == OPTIONS_HEADER_AR)
		header_bypass_authres(&facts, bypass, header);
	else if (bypass != FINDINGS_CHECKED)
		header_bypass(&facts, bypass, header);
	else if (due == OPTIONS_HEADER_AR)
		header_authres(&facts, header);
	else
		header_received_spf(&facts, header);
	str_add(&s, "PREPEND ");
	str_add(&s, header);
	m->findings->headers_given++;
	m->word = "prepend";
}

static void
refuse(struct making *m)
{
	const struct finding *finding = deciding(m);
	const struct text_values values = {
		.is_deferral = m->verdict.action == VERDICT_DEFER,
		.identity = m->verdict.identity,
		.finding = finding,
		.client = m->request->client,
		.helo = m->request->helo,
		.sender = m->request->sender,
		.receiver = m->policy->hide_receiver
				? "<UNKNOWN>"
				: domain_of(m->request->recipient),
		.hostname = m->settings->hostname,
		.url = m->settings->reason_url,
	};
	char text[TEXT_REPLY_SIZE];
	struct str s;

	str_init(&s, m->answer->action, ANSWER_SIZE);
	str_addf(&s, "%s %s",
	    verdict_code(
		m->verdict.action, finding->result, m->policy->enhanced_codes),
	    text_reply(m->policy->reason_message, &values, text));
	m->word = m->verdict.action == VERDICT_DEFER ? "defer" : "reject";
}

/* What would be done without TestOnly 0. */
static const char *
test_reason(const struct verdict *verdict)
{
	if (verdict->action == verdict->without_test)
		return NULL;
	switch (verdict->without_test) {
	case VERDICT_REJECT:
		return "TestOnly 0: would reject";
	case VERDICT_DEFER:
		return "TestOnly 0: would defer";
	case VERDICT_RESTRICTION:
		return "TestOnly 0: would restrict";
	case VERDICT_HEADER:
		break;
	}
	return NULL;
}

static void
log_line_of(
    const struct making *m, const char *reason, const struct finding *finding)
{
	const struct answer_request *request = m->request;
	const struct text_event event = {
		.queue_id = m->settings->queue_id ? request->queue_id : NULL,
		.action = m->word,
		.reason = reason,
		.finding = finding,
		.identity = m->verdict.identity,
		.client_name = request->client_name,
		.client_address = request->client_address,
		.helo = request->helo,
		.sender = request->sender,
		.recipient = request->recipient,
	};

	text_log(&event, m->answer->log);
}

void
answer_make(const struct settings *settings, const struct policy *policy,
    const struct answer_request *request, struct findings *findings,
    struct answer *answer)
{
	const struct verdict_facts facts =
	    policy_facts(policy, findings, request->sender[0] == '\0');
	struct making m = {
		.settings = settings,
		.policy = policy,
		.request = request,
		.findings = findings,
		.answer = answer,
	};
	struct str s;

	if (findings->bypass != FINDINGS_CHECKED) {
		prepend(&m);
		log_line_of(&m, findings_bypass_name(findings->bypass), NULL);
		return;
	}
	m.verdict = verdict_decide(&policy->verdict, &facts);
	switch (m.verdict.action) {
	case VERDICT_HEADER:
		prepend(&m);
		break;
	case VERDICT_REJECT:
	case VERDICT_DEFER:
		refuse(&m);
		break;
	case VERDICT_RESTRICTION:
		str_init(&s, answer->action, ANSWER_SIZE);
		str_add(&s, m.verdict.restriction);
		m.word = "restriction";
		break;
	}
	log_line_of(&m, test_reason(&m.verdict),
	    m.verdict.has_identity ? deciding(&m) : NULL);
}

void
answer_without(const struct settings *settings, const char *action,
    const char *reason, const struct answer_request *request,
    struct answer *answer)
{
	struct making m = {
		.settings = settings,
		.request = request,
		.answer = answer,
		.word = strcmp(action, "DUNNO") == 0 ? "dunno" : "defer",
	};
	struct str s;

	str_init(&s, answer->action, ANSWER_SIZE);
	str_add(&s, action);
	log_line_of(&m, reason, NULL);
}
