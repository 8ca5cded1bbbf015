/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/now.h"
#include "common/str.h"
#include "common/xmem.h"

#include "spfd/session_int.h"
#include "spfd/verdict.h"

struct session_pool *
session_pool_new(struct dns *dns, struct spf *spf)
{
	struct session_pool *pool = xmem_calloc(1, sizeof(*pool));

	pool->dns = dns;
	pool->spf = spf;
	return pool;
}

static void
close_step(struct session *session)
{
	for (size_t i = 0; i < session->lookup_count; i++) {
		dns_cancel(&session->lookups[i].question);
		spf_cancel(&session->lookups[i].check);
	}
	xmem_free(&session->lookups);
	session->lookup_count = 0;
	session->pending = 0;
	session->deadline_ms = 0;
}

static void
free_session(struct session *session)
{
	close_step(session);
	if (session->prev != NULL)
		session->prev->next = session->next;
	else
		session->pool->first = session->next;
	if (session->next != NULL)
		session->next->prev = session->prev;
	session->pool->count--;
	xmem_free(&session);
}

void
session_pool_free(struct session_pool **pool)
{
	if (*pool == NULL)
		return;
	while ((*pool)->first != NULL)
		free_session((*pool)->first);
	xmem_free(pool);
}

size_t
session_count(const struct session_pool *pool)
{
	return pool->count;
}

void
session_open_step(struct session *session, size_t count, int64_t limit_ms)
{
	session->lookups = xmem_calloc(count, sizeof(*session->lookups));
	session->lookup_count = count;
	for (size_t i = 0; i < count; i++)
		session->lookups[i].session = session;
	if (limit_ms > 0)
		session->deadline_ms = now_mono_ms() + limit_ms;
}

static struct verdict_facts
facts_of(const struct session *session)
{
	return policy_facts(session->job.policy, session->job.findings,
	    session->job.sender[0] == '\0');
}

static struct finding *
finding_of(const struct session *session)
{
	struct findings *findings = session->job.findings;

	return session->step == SESSION_HELO ||
		       session->step == SESSION_HELO_RECORD
		   ? &findings->helo
		   : &findings->mailfrom;
}

static void
on_check(void *arg, const struct spf_output *output)
{
	struct session_lookup *lookup = arg;

	lookup->check = NULL;
	findings_take(finding_of(lookup->session), output);
	session_next(lookup->session);
}

static bool
begin_check(struct session *session)
{
	const struct session_job *job = &session->job;
	const struct verdict_policy *policy = &job->policy->verdict;
	const struct verdict_facts facts = facts_of(session);
	bool is_helo = session->step == SESSION_HELO;
	const struct spf_input input = {
		.identity = is_helo ? SPF_CHECK_HELO : SPF_CHECK_MAILFROM,
		.ip = job->ip,
		.helo = job->helo,
		.sender = job->sender,
		.receiver = job->settings->hostname,
		.timeout_ms = job->settings->lookup_ms,
		.void_limit = job->settings->void_limit,
	};
	struct spf_output known;

	if (finding_of(session)->is_known ||
	    !(is_helo ? verdict_wants_helo(policy)
		      : verdict_wants_mailfrom(policy, &facts)))
		return false;
	if (spf_known(session->pool->spf, &input, &known)) {
		findings_take(finding_of(session), &known);
		return false;
	}
	session_open_step(session, 1, 0);
	session->lookups[0].check = spf_start(
	    session->pool->spf, &input, on_check, &session->lookups[0]);
	return true;
}

/* Is this the record of a domain that sends no mail, and nothing else? */
static bool
says_no_mail(const struct dns_answer *answer)
{
	if (answer->status != DNS_FOUND)
		return false;
	for (size_t i = 0; i < answer->count; i++) {
		const struct dnspacket_record *record = &answer->records[i];
		size_t len = record->len;

		while (len > 0 && record->data[len - 1] == ' ')
			len--;
		if (len == strlen("v=spf1 -all") &&
		    strncasecmp(record->data, "v=spf1 -all", len) == 0)
			return true;
	}
	return false;
}

static void
on_record(void *arg, const struct dns_answer *answer)
{
	struct session_lookup *lookup = arg;

	lookup->question = NULL;
	finding_of(lookup->session)->record = says_no_mail(answer)
						  ? FINDINGS_RECORD_NO_MAIL
						  : FINDINGS_RECORD_OTHER;
	session_next(lookup->session);
}

static bool
begin_record(struct session *session)
{
	const struct verdict_facts facts = facts_of(session);
	enum spf_identity identity = session->step == SESSION_HELO_RECORD
					 ? SPF_CHECK_HELO
					 : SPF_CHECK_MAILFROM;

	if (!verdict_wants_record(
		&session->job.policy->verdict, &facts, identity))
		return false;
	session_open_step(session, 1, 0);
	session->lookups[0].question =
	    dns_ask(session->pool->dns, finding_of(session)->domain,
		DNSPACKET_TXT, on_record, &session->lookups[0]);
	return true;
}

/* Begins the step that the session stands at. Returns false when there is
 * nothing to wait for. */
static bool
begin_step(struct session *session)
{
	struct findings *findings = session->job.findings;

	switch (session->step) {
	case SESSION_HELO_LIST:
		return !findings->lists_done && session_lists_helo(session);
	case SESSION_DOMAIN_LIST:
		return !findings->lists_done && session_lists_domain(session);
	case SESSION_PTR_LIST:
		return !findings->lists_done && session_lists_ptr(session);
	case SESSION_LISTS_DONE:
		findings->lists_done = true;
		if (findings->bypass != FINDINGS_CHECKED)
			session->step = SESSION_MAILFROM_RECORD;
		return false;
	case SESSION_HELO:
	case SESSION_MAILFROM:
		return begin_check(session);
	case SESSION_HELO_RECORD:
	case SESSION_MAILFROM_RECORD:
		return begin_record(session);
	case SESSION_BEGIN:
	case SESSION_END:
		break;
	}
	return false;
}

void
session_next(struct session *session)
{
	session_done_fn *done = session->done;
	void *arg = session->arg;

	close_step(session);
	do {
		session->step++;
		if (begin_step(session))
			return;
	} while (session->step < SESSION_END);
	free_session(session);
	done(arg);
}

void
session_settle(struct session *session, enum findings_bypass bypass)
{
	session->job.findings->bypass = bypass;
	session->step = SESSION_LISTS_DONE - 1;
	session_next(session);
}

void
session_tick(void *arg)
{
	struct session_pool *pool = arg;
	int64_t now_ms = now_mono_ms();
	struct session *session, *next;

	for (session = pool->first; session != NULL; session = next) {
		next = session->next;
		if (session->deadline_ms != 0 && now_ms >= session->deadline_ms)
			session_next(session);
	}
}

void
session_start(struct session_pool *pool, const struct session_job *job,
    session_done_fn *done, void *arg)
{
	struct session *session = xmem_calloc(1, sizeof(*session));

	session->pool = pool;
	session->job = *job;
	session->done = done;
	session->arg = arg;
	session->next = pool->first;
	if (pool->first != NULL)
		pool->first->prev = session;
	pool->first = session;
	pool->count++;
	session_next(session);
}
