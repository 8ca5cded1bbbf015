/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/facts.h"

/* One line about lists, and about questions without an answer, in this
 * time. */
#define HEALTH_INTERVAL_S 60
/* All questions of a job beside the lists. */
#define OTHER_QUESTIONS 3
/* What Postfix says of a client whose name it does not know. */
#define NAME_UNKNOWN "unknown"

enum question_kind {
	QUESTION_BLACK,
	QUESTION_WHITE,
	QUESTION_NAME,
	QUESTION_ADDRESS,
};

struct question {
	struct facts_job *job;
	struct dns_question *asked; /* NULL: answered or never asked */
	enum question_kind kind;
	const struct dnslist *list;
	size_t index; /* of list */
};

struct facts_job {
	struct facts_job *prev, *next;
	struct facts_pool *pool;
	struct selection *selection;
	struct facts_client client;
	struct facts facts;
	int64_t deadline_ms;
	facts_callback *callback;
	void *arg;
	struct spf_check *spf;
	size_t open; /* answers to come */
	size_t count;
	struct question questions[];
};

struct facts_pool {
	struct dns *dns;
	struct spf *spf;
	const struct dnslist_checks *checks;
	struct facts_job *first, *last; /* in the order of their start */
	size_t open;
	struct log_rate list_rate;
	struct log_rate failure_rate;
	struct log_rate overload_rate;
};

struct facts_pool *
facts_pool_new(
    struct dns *dns, struct spf *spf, const struct dnslist_checks *checks)
{
	struct facts_pool *pool = xmem_calloc(1, sizeof(*pool));

	pool->dns = dns;
	pool->spf = spf;
	pool->checks = checks;
	return pool;
}

/* Cancels what is still asked. */
static void
free_job(struct facts_job *job)
{
	struct facts_pool *pool = job->pool;

	for (size_t i = 0; i < job->count; i++)
		dns_cancel(&job->questions[i].asked);
	spf_cancel(&job->spf);
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		pool->first = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	else
		pool->last = job->prev;
	pool->open--;
	selection_release(&job->selection);
	xmem_free(&job);
}

void
facts_pool_free(struct facts_pool **pool)
{
	struct facts_pool *p = *pool;

	if (p == NULL)
		return;
	while (p->first != NULL)
		free_job(p->first);
	xmem_free(pool);
}

static void
finish(struct facts_job *job)
{
	if (job->facts.failures > 0)
		log_warn_rated(&job->pool->failure_rate, HEALTH_INTERVAL_S,
		    "warning: DNS left %u questions about a client "
		    "unanswered; what is known decides",
		    job->facts.failures);
	job->callback(job->arg, &job->facts);
	free_job(job);
}

/* A whitelist settles the matter: the rest need not be waited for. */
static void
finish_if_done(struct facts_job *job)
{
	if (job->open == 0 || job->facts.white != NULL)
		finish(job);
}

static void
take_listing(struct question *q, const struct dns_answer *answer)
{
	struct facts_job *job = q->job;
	bool listed = false;

	/* That may have come out since we asked. */
	if (dnslist_checks_ignores(job->pool->checks, q->list->zone))
		return;
	for (size_t i = 0; i < answer->count; i++) {
		const struct dnspacket_record *record = &answer->records[i];
		uint8_t bytes[4];

		if (record->len != sizeof(bytes))
			continue;
		memcpy(bytes, record->data, sizeof(bytes));
		switch (dnslist_judge(q->list, bytes)) {
		case DNSLIST_LISTED:
			listed = true;
			break;
		case DNSLIST_REFUSED:
			log_warn_rated(&job->pool->list_rate, HEALTH_INTERVAL_S,
			    "warning: %s refuses to "
			    "answer us (127.255.255.%u); it counts as "
			    "not listed",
			    q->list->zone, bytes[3]);
			break;
		case DNSLIST_UNLISTED:
			break;
		}
	}
	if (listed && q->kind == QUESTION_BLACK)
		job->facts.listed[q->index] = true;
	else if (listed)
		job->facts.white = q->list;
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct question *q = arg;
	struct facts_job *job = q->job;
	struct facts *facts = &job->facts;

	q->asked = NULL;
	job->open--;
	if (answer->status == DNS_TEMPORARY || answer->status == DNS_BOGUS) {
		facts->failures++;
	} else {
		switch (q->kind) {
		case QUESTION_BLACK:
		case QUESTION_WHITE:
			take_listing(q, answer);
			break;
		case QUESTION_NAME:
			facts->has_name =
			    answer->status == DNS_FOUND ? FACTS_YES : FACTS_NO;
			break;
		case QUESTION_ADDRESS:
			facts->confirmed =
			    dns_has_address(answer, &job->client.ip) ? FACTS_YES
								     : FACTS_NO;
			break;
		}
	}
	finish_if_done(job);
}

static void
on_spf(void *arg, const struct spf_output *output)
{
	struct facts_job *job = arg;

	job->spf = NULL;
	job->open--;
	if (output->result == SPF_CHECK_TEMPERROR) {
		job->facts.failures++;
	} else {
		job->facts.has_spf = true;
		job->facts.spf = output->result;
	}
	finish_if_done(job);
}

static bool
is_unknown(const char *name)
{
	return name[0] == '\0' || str_equal_nocase(name, NAME_UNKNOWN);
}

static void
ask(struct facts_job *job, const struct question *question, const char *name,
    enum dnspacket_type type)
{
	struct question *q = &job->questions[job->count++];

	*q = *question;
	q->job = job;
	q->asked = dns_ask(job->pool->dns, name, type, on_answer, q);
	job->open++;
}

static void
ask_lists(struct facts_job *job, enum question_kind kind,
    const struct dnslist *lists, size_t count)
{
	char name[DNSLIST_NAME_SIZE];

	for (size_t i = 0; i < count; i++) {
		if (dnslist_checks_ignores(job->pool->checks, lists[i].zone))
			continue;
		ask(job,
		    &(struct question){
			.kind = kind,
			.list = &lists[i],
			.index = i,
		    },
		    dnslist_name(&lists[i], &job->client.ip, name),
		    DNSPACKET_A);
	}
}

/* Postfix confirmed the name, or we ask whether there is really none, or one
 * that really does not lead back. */
static void
ask_names(struct facts_job *job)
{
	const struct facts_client *client = &job->client;
	char name[DNS_REVERSE_SIZE];

	if (!is_unknown(client->name)) {
		job->facts.has_name = FACTS_YES;
		job->facts.confirmed = FACTS_YES;
	} else if (is_unknown(client->reverse_name)) {
		ask(job, &(struct question){ .kind = QUESTION_NAME },
		    dns_reverse_name(&client->ip, name), DNSPACKET_PTR);
	} else {
		job->facts.has_name = FACTS_YES;
		ask(job, &(struct question){ .kind = QUESTION_ADDRESS },
		    client->reverse_name,
		    client->ip.family == IP_V4 ? DNSPACKET_A : DNSPACKET_AAAA);
	}
}

static void
ask_spf(struct facts_job *job)
{
	const struct spf_input input = {
		.identity = SPF_CHECK_MAILFROM,
		.ip = job->client.ip,
		.helo = job->client.helo,
		.sender = job->client.sender,
		.receiver = "",
		.timeout_ms = job->selection->budget_ms,
		.void_limit = 2,
	};

	job->spf = spf_start(job->pool->spf, &input, on_spf, job);
	job->open++;
}

static void
ask_all(struct facts_job *job)
{
	const struct selection *s = job->selection;

	ask_lists(job, QUESTION_WHITE, s->white, s->white_count);
	if (s->selective) {
		ask_lists(job, QUESTION_BLACK, s->black, s->black_count);
		ask_names(job);
	}
	if (s->selective || (s->spf_keys != OPTIONS_SPF_KEYS_NO &&
				job->client.sender[0] != '\0'))
		ask_spf(job);
}

struct facts_job *
facts_start(struct facts_pool *pool, struct selection *selection,
    const struct facts_client *client, facts_callback *callback, void *arg)
{
	size_t room =
	    selection->black_count + selection->white_count + OTHER_QUESTIONS;
	struct facts_job *job;

	if (pool->open >= FACTS_OPEN_MAX) {
		log_warn_rated(&pool->overload_rate, HEALTH_INTERVAL_S,
		    "warning: DNS is asked about %d clients already; "
		    "what is known decides",
		    FACTS_OPEN_MAX);
		return NULL;
	}
	job = xmem_calloc(1, sizeof(*job) + room * sizeof(*job->questions));
	job->pool = pool;
	job->selection = selection_hold(selection);
	job->client = *client;
	job->facts.selection = job->selection;
	job->callback = callback;
	job->arg = arg;
	job->deadline_ms = now_mono_ms() + selection->budget_ms;
	job->prev = pool->last;
	if (pool->last != NULL)
		pool->last->next = job;
	else
		pool->first = job;
	pool->last = job;
	pool->open++;
	ask_all(job);
	if (job->open == 0) {
		free_job(job);
		return NULL;
	}
	return job;
}

void
facts_tick(void *arg)
{
	struct facts_pool *pool = arg;
	int64_t now_ms = now_mono_ms();
	struct facts_job *job, *next;

	/* A reload may have changed the budget, so not only the first. */
	for (job = pool->first; job != NULL; job = next) {
		next = job->next;
		if (now_ms < job->deadline_ms)
			continue;
		job->facts.failures += (unsigned)job->open;
		finish(job);
	}
}

static void
judge_names(const struct facts_client *client, const struct facts *facts,
    struct suspicion *suspicion)
{
	const int64_t *of = facts->selection->scores.of;
	const char *name = is_unknown(client->reverse_name)
			       ? client->name
			       : client->reverse_name;
	const struct {
		enum suspicion_sign sign;
		bool found;
	} signs[] = {
		{ SUSPICION_NO_NAME, facts->has_name == FACTS_NO },
		{ SUSPICION_UNCONFIRMED, facts->confirmed == FACTS_NO },
		{ SUSPICION_GENERIC,
		    !is_unknown(name) &&
			suspicion_is_generic(name, &client->ip) },
		{ SUSPICION_HELO_LITERAL, suspicion_is_literal(client->helo) },
		{ SUSPICION_HELO_OTHER,
		    !is_unknown(name) && !suspicion_is_literal(client->helo) &&
			!suspicion_same_host(client->helo, name) },
	};

	for (size_t i = 0; i < sizeof(signs) / sizeof(*signs); i++)
		if (signs[i].found)
			suspicion_add(suspicion, suspicion_name(signs[i].sign),
			    of[signs[i].sign]);
}

static void
judge_spf(const struct facts_client *client, const struct facts *facts,
    struct suspicion *suspicion)
{
	enum suspicion_sign sign;

	if (!facts->has_spf)
		return;
	if (facts->spf == SPF_CHECK_FAIL)
		sign = SUSPICION_SPF_FAIL;
	else if (facts->spf == SPF_CHECK_SOFTFAIL)
		sign = SUSPICION_SPF_SOFTFAIL;
	/* Few hosts publish a record for their HELO name. */
	else if (facts->spf == SPF_CHECK_NONE && client->sender[0] != '\0')
		sign = SUSPICION_SPF_NONE;
	else
		return;
	suspicion_add(
	    suspicion, suspicion_name(sign), facts->selection->scores.of[sign]);
}

void
facts_judge(const struct facts_client *client, const struct facts *facts,
    struct suspicion *suspicion_r)
{
	const struct selection *selection = facts->selection;

	suspicion_begin(suspicion_r);
	for (size_t i = 0; i < selection->black_count; i++)
		if (facts->listed[i])
			suspicion_add(suspicion_r, selection->black[i].zone,
			    selection->black[i].weight);
	judge_names(client, facts, suspicion_r);
	judge_spf(client, facts, suspicion_r);
}
