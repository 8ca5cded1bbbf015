/* SPDX-License-Identifier: ISC */
#include <stdio.h>

#include <ev.h>

#include "common/now.h"
#include "common/spf.h"
#include "common/spf_int.h"
#include "common/spfcache.h"
#include "common/xmem.h"

/* For verdicts: some 25,000. */
#define CACHE_BYTES (8 << 20)

struct spf {
	struct dns *dns;
	struct ev_loop *loop;
	struct spfguard *guard;
	struct spfcache *cache;
	struct spf_check *checks;
	unsigned open;
};

/* A question that is under way or answered. */
struct asked {
	struct asked *next;
	struct spf_check *check;
	size_t number;                 /* in the table of answers */
	struct dns_question *question; /* NULL = answered */
};

struct spf_check {
	struct spf *spf;
	struct spf_check *next, **link;
	struct arena *arena;
	struct spf_input asked_for; /* its texts are in arena */
	struct spfguard_input input;
	struct spfanswers *answers;
	struct asked *asked;
	size_t asked_count;
	bool checkable, started;
	double timeout_s;
	struct ev_timer timer; /* first "begin", then "too late" */
	spf_callback *callback;
	void *arg;
};

struct spf *
spf_new(struct dns *dns, struct err *err)
{
	struct spfguard *guard = spfguard_new(err);
	struct spf *spf;

	if (guard == NULL)
		return NULL;
	spf = xmem_calloc(1, sizeof(*spf));
	spf->dns = dns;
	spf->loop = dns_loop(dns);
	spf->guard = guard;
	spf->cache = spfcache_new(CACHE_BYTES);
	return spf;
}

void
spf_free(struct spf **spf)
{
	if (*spf == NULL)
		return;
	while ((*spf)->checks != NULL) {
		struct spf_check *check = (*spf)->checks;

		spf_cancel(&check);
	}
	spfcache_free(&(*spf)->cache);
	spfguard_free(&(*spf)->guard);
	xmem_free(spf);
}

unsigned
spf_open(const struct spf *spf)
{
	return spf->open;
}

static void
unlink_check(struct spf_check *check)
{
	*check->link = check->next;
	if (check->next != NULL)
		check->next->link = check->link;
	check->spf->open--;
	ev_timer_stop(check->spf->loop, &check->timer);
	for (struct asked *a = check->asked; a != NULL; a = a->next)
		dns_cancel(&a->question);
}

static void
free_check(struct spf_check *check)
{
	spfanswers_free(&check->answers);
	arena_free(&check->arena);
	xmem_free(&check);
}

void
spf_cancel(struct spf_check **check)
{
	if (*check == NULL)
		return;
	unlink_check(*check);
	free_check(*check);
	*check = NULL;
}

bool
spf_known(
    struct spf *spf, const struct spf_input *input, struct spf_output *output_r)
{
	return spfcache_get(spf->cache, input, now_mono_ms(), output_r);
}

void
spf_forget(struct spf *spf)
{
	spfcache_clear(spf->cache);
}

/* Keeps the verdict where it rests on nothing that may change before the
 * answers of DNS do. */
static void
keep(struct spf_check *check, const struct spfguard_output *guarded,
    const struct spf_output *output)
{
	int64_t fresh_until_ms = spfanswers_fresh_until(check->answers);

	if (output->result == SPF_CHECK_TEMPERROR ||
	    (guarded->uses & SPFMACRO_USE_TIME) != 0 ||
	    fresh_until_ms <= now_mono_ms() || fresh_until_ms == INT64_MAX)
		return;
	spfcache_put(check->spf->cache, &check->asked_for,
	    (guarded->uses & SPFMACRO_USE_SENDER) != 0 ? SPFCACHE_THIS_SENDER
						       : SPFCACHE_ANY_SENDER,
	    output, fresh_until_ms);
}

/* Tells the result. The callback may do anything, also free the evaluator. */
static void
tell(struct spf_check *check, const struct spf_output *output)
{
	unlink_check(check);
	check->callback(check->arg, output);
	free_check(check);
}

static void
finish(struct spf_check *check, const struct spfguard_output *guarded)
{
	struct spf_output output = {
		.result = guarded->result,
		.domain = check->input.sender_domain,
		.mechanism = guarded->mechanism,
		.problem = guarded->problem,
		.explanation = guarded->explanation,
		.lookups = guarded->lookups,
		.void_lookups = guarded->void_lookups,
		.questions = (unsigned)check->asked_count,
	};

	keep(check, guarded, &output);
	tell(check, &output);
}

static void on_answer(void *arg, const struct dns_answer *answer);

static enum spfanswers_status
translate(enum dns_status status)
{
	switch (status) {
	case DNS_FOUND:
		return SPFANSWERS_FOUND;
	case DNS_NO_DATA:
		return SPFANSWERS_NO_DATA;
	case DNS_NO_NAME:
		return SPFANSWERS_NO_NAME;
	case DNS_TEMPORARY:
	case DNS_BOGUS:
		break;
	}
	return SPFANSWERS_TEMPORARY;
}

static void
put(struct asked *asked, const struct dns_answer *answer)
{
	const struct spfanswers_answer known = {
		.status = translate(answer->status),
		.fresh_until = now_mono_ms() + (int64_t)answer->ttl * 1000,
		.count = answer->count,
		.records = answer->records,
	};

	asked->question = NULL;
	spfanswers_put(asked->check->answers, asked->number, &known);
}

/* Asks what the evaluation found missing. What is in the cache is answered
 * at once, so that an evaluation need not begin again for it. */
static void
ask(void *arg)
{
	struct spf_check *check = arg;
	struct dns_answer answer;

	while (check->asked_count < spfanswers_count(check->answers)) {
		struct asked *asked = arena_alloc(check->arena, sizeof(*asked));

		asked->check = check;
		asked->number = check->asked_count++;
		asked->next = check->asked;
		check->asked = asked;
		asked->question = dns_ask(check->spf->dns,
		    spfanswers_name(check->answers, asked->number),
		    spfanswers_type(check->answers, asked->number), on_answer,
		    asked);
		if (dns_take(&asked->question, &answer))
			put(asked, &answer);
	}
}

static void
evaluate(struct spf_check *check)
{
	struct spfguard_output output = { .result = SPF_CHECK_NONE };

	if (!check->checkable || spfguard_check(check->spf->guard,
				     &check->input, check->answers, &output))
		finish(check, &output);
	else
		ask(check);
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct asked *asked = arg;

	put(asked, answer);
	if (asked->number == spfanswers_awaited(asked->check->answers))
		evaluate(asked->check);
}

/* What is known need not be asked for, unless somebody wants to see how. The
 * callback gets copies: it may ask for more, and so change what is known. */
static void
begin(struct spf_check *check)
{
	struct spf_output o;

	if (check->input.trace != NULL ||
	    !spf_known(check->spf, &check->asked_for, &o)) {
		evaluate(check);
		return;
	}
	o.domain = arena_strdup(check->arena, o.domain);
	o.mechanism = arena_strdup(check->arena, o.mechanism);
	o.problem = arena_strdup(check->arena, o.problem);
	o.explanation = arena_strdup(check->arena, o.explanation);
	tell(check, &o);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int events)
{
	struct spf_check *check = timer->data;
	struct spfguard_output output = { .result = SPF_CHECK_TEMPERROR };

	(void)events;
	if (!check->started) {
		check->started = true;
		ev_timer_set(timer, check->timeout_s, 0.);
		ev_timer_start(loop, timer);
		begin(check);
		return;
	}
	snprintf(output.problem, sizeof(output.problem),
	    "DNS did not answer within %.0f s", check->timeout_s);
	finish(check, &output);
}

static void
keep_input(struct spf_check *check, const struct spf_input *input)
{
	check->asked_for = *input;
	check->asked_for.helo = arena_strdup(check->arena, input->helo);
	check->asked_for.sender = arena_strdup(check->arena, input->sender);
	check->asked_for.receiver = arena_strdup(check->arena, input->receiver);
}

struct spf_check *
spf_start(struct spf *spf, const struct spf_input *input,
    spf_callback *callback, void *arg)
{
	struct spf_check *check = xmem_calloc(1, sizeof(*check));

	check->spf = spf;
	check->arena = arena_new();
	keep_input(check, input);
	check->answers = spfanswers_new(SPF_CHECK_QUESTIONS_MAX);
	spfanswers_set_fetch(check->answers, ask, check);
	check->checkable = spf_prepare(input, check->arena, &check->input);
	check->timeout_s = (double)input->timeout_ms / 1000.;
	check->callback = callback;
	check->arg = arg;
	check->next = spf->checks;
	check->link = &spf->checks;
	if (check->next != NULL)
		check->next->link = &check->next;
	spf->checks = check;
	spf->open++;
	/* Begins when the caller is back in the loop. */
	ev_timer_init(&check->timer, on_timer, 0., 0.);
	check->timer.data = check;
	ev_timer_start(spf->loop, &check->timer);
	return check;
}

void
spf_set_trace(struct spf_check *check, spf_trace *trace, void *arg)
{
	check->input.trace = trace;
	check->input.trace_arg = arg;
}
