/* SPDX-License-Identifier: ISC */
/*
 * spfplay.h - DNS and clocks that are played, for tests of common/spf
 *
 * dns_ask and its like, and now_mono_ms and its like, are this file's own:
 * answers come from a zone in memory when the test says so, time passes when
 * it sets the clock. One .c file of a program may include it.
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_UNIT_SPFPLAY_H
#define POSTERN_TESTS_UNIT_SPFPLAY_H

#include <ev.h>

#include "common/now.h"
#include "common/spf.h"

#include "tests/unit/spfrig.h"

struct dns_question {
	struct dns_question *next;
	char name[256];
	enum dnspacket_type type;
	dns_callback *callback;
	void *arg;
};

struct dns {
	struct ev_loop *loop;
	struct dns_question *questions; /* the oldest first */
	unsigned asked;
};

static struct dns dns;
static struct spfzone zone;
static uint32_t ttl; /* of all answers, but those about "short..." */
static int64_t clock_ms, clock_wall_s;
static bool cached; /* is all of the zone in the cache? */

int64_t
now_wall_s(void)
{
	return clock_wall_s;
}

int64_t
now_mono_ms(void)
{
	return clock_ms;
}

int64_t
now_mono_us(void)
{
	return clock_ms * 1000;
}

struct ev_loop *
dns_loop(const struct dns *d)
{
	return d->loop;
}

struct dns_question *
dns_ask(struct dns *d, const char *name, enum dnspacket_type type,
    dns_callback *callback, void *arg)
{
	struct dns_question *q = xmem_calloc(1, sizeof(*q)), **end;

	snprintf(q->name, sizeof(q->name), "%s", name);
	q->type = type;
	q->callback = callback;
	q->arg = arg;
	for (end = &d->questions; *end != NULL; end = &(*end)->next)
		;
	*end = q;
	d->asked++;
	return q;
}

static inline void
take_out(struct dns_question *question)
{
	struct dns_question **q = &dns.questions;

	while (*q != question)
		q = &(*q)->next;
	*q = question->next;
}

void
dns_cancel(struct dns_question **question)
{
	if (*question == NULL)
		return;
	take_out(*question);
	xmem_free(question);
}

static inline struct dns_answer
answer_of(const struct dns_question *question)
{
	static const enum dns_status statuses[] = {
		[SPFANSWERS_FOUND] = DNS_FOUND,
		[SPFANSWERS_NO_DATA] = DNS_NO_DATA,
		[SPFANSWERS_NO_NAME] = DNS_NO_NAME,
		[SPFANSWERS_TEMPORARY] = DNS_TEMPORARY,
	};
	struct spfanswers_answer found =
	    spfzone_answer(&zone, question->name, question->type);

	return (struct dns_answer){ .status = statuses[found.status],
		.ttl = found.status == SPFANSWERS_TEMPORARY       ? 0
		       : strncmp(question->name, "short", 5) == 0 ? 5
								  : ttl,
		.count = found.count,
		.records = found.records };
}

bool
dns_take(struct dns_question **question, struct dns_answer *answer_r)
{
	if (!cached)
		return false;
	*answer_r = answer_of(*question);
	take_out(*question);
	xmem_free(question);
	return true;
}

/* Answers one question. */
static inline void
answer(struct dns_question *question)
{
	struct dns_answer a = answer_of(question);

	take_out(question);
	question->callback(question->arg, &a);
	xmem_free(&question);
}

struct got {
	unsigned calls;
	enum spf_result result;
	char domain[256], mechanism[256], problem[256], explanation[512];
	unsigned lookups, void_lookups, questions;
};

static inline void
on_result(void *arg, const struct spf_output *output)
{
	struct got *got = arg;

	got->calls++;
	got->result = output->result;
	snprintf(got->domain, sizeof(got->domain), "%s", output->domain);
	snprintf(
	    got->mechanism, sizeof(got->mechanism), "%s", output->mechanism);
	snprintf(got->problem, sizeof(got->problem), "%s", output->problem);
	snprintf(got->explanation, sizeof(got->explanation), "%s",
	    output->explanation);
	got->lookups = output->lookups;
	got->void_lookups = output->void_lookups;
	got->questions = output->questions;
}

static inline void
add(const char *record)
{
	struct spfrig rig = { .zone = zone };

	spfrig_add(&rig, record);
	zone = rig.zone;
}

static inline struct spf_input
input_of(const char *sender)
{
	struct spf_input input = { .identity = SPF_CHECK_MAILFROM,
		.ip = { IP_V4, { 192, 0, 2, 1 } },
		.helo = "helo.example.net",
		.sender = sender,
		.receiver = "mx.example.com",
		.timeout_ms = 20000,
		.void_limit = 2 };

	return input;
}

static inline struct spf *
open_spf(void)
{
	struct err err;
	struct spf *spf = spf_new(&dns, &err);

	if (spf == NULL)
		abort();
	dns.asked = 0;
	return spf;
}

static inline void
turn(void)
{
	ev_run(dns.loop, EVRUN_NOWAIT);
}

static inline struct got
run_check(struct spf *spf, const struct spf_input *input)
{
	struct got got = { .calls = 0 };

	spf_start(spf, input, on_result, &got);
	for (turn(); dns.questions != NULL;)
		answer(dns.questions);
	return got;
}

/* One check to its end. */
static inline struct got
check_by(struct spf *spf, const struct spf_input *input)
{
	struct got got = run_check(spf, input);

	check_uint("one callback", got.calls, 1);
	check_uint("nothing open", spf_open(spf), 0);
	return got;
}

/* By an evaluator that knows nothing. */
static inline struct got
check(const struct spf_input *input)
{
	struct spf *spf = open_spf();
	struct got got = check_by(spf, input);

	spf_free(&spf);
	return got;
}

#endif
