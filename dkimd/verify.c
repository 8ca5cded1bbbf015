/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/now.h"

#include "dkimd/choose.h"
#include "dkimd/verify.h"

/* How long to wait for keys between two signs of life. */
#define PROGRESS_US (INT64_C(1000000))

struct verify {
	const struct verify_config *config;
	const struct header_field *fields;
	size_t field_count;

	/* All signatures. */
	struct sigfield *parsed;
	struct choose_candidate *candidates;
	const struct header_field **sig_fields;
	struct outcome *outcomes;
	size_t count;

	/* Those that are computed: index among all. */
	size_t chosen[ENGINE_SIGNATURES_MAX];
	size_t chosen_count;
	struct engine_signature *signatures;
	struct engine_verify *engine;
	struct lookup *lookup;
};

static void
decide(struct outcome *outcome, enum result result, const char *reason)
{
	outcome->result = result;
	outcome->reason = reason;
}

/* The library could not; the next attempt may find it in better health. */
static void
give_up(struct outcome *outcome, const char *why)
{
	decide(outcome, RESULT_TEMPERROR, why);
	outcome->has_failed = true;
}

static bool
is_aligned(const struct sigfield *sig, const struct mailbox *authors,
    size_t author_count)
{
	for (size_t i = 0; i < author_count; i++)
		if (choose_is_aligned(sig->domain, authors[i].domain))
			return true;
	return false;
}

/* The guard's turn: field becomes the next signature. */
static void
parse(struct verify *v, const struct header_field *field,
    const struct mailbox *authors, size_t author_count, struct arena *arena)
{
	size_t i = v->count++;
	struct sigfield *sig = &v->parsed[i];
	struct outcome *o = &v->outcomes[i];
	const char *reason = "";
	bool is_trusted;

	v->sig_fields[i] = field;
	*o = (struct outcome){ .sig = sig };
	o->result = sigfield_parse(field, v->config->now,
	    v->config->clock_drift_s, arena, sig, &reason);
	o->reason = o->result == RESULT_NONE ? "" : reason;
	o->is_aligned = is_aligned(sig, authors, author_count);
	o->covers_body = sig->length < 0;
	is_trusted = v->config->trusts != NULL &&
		     v->config->trusts(v->config->arg, sig->domain);
	if (o->result == RESULT_NONE && !o->is_aligned &&
	    v->config->trusts != NULL && !is_trusted)
		decide(o, RESULT_NEUTRAL, "signer is not trusted");
	v->candidates[i] = (struct choose_candidate){
		.parsed = sig,
		.is_sound = o->result == RESULT_NONE,
		.is_aligned = o->is_aligned || is_trusted,
	};
}

/* Takes the chosen ones; the others are done with. */
static void
choose(struct verify *v, struct arena *arena)
{
	size_t max = v->config->maximum_signatures;

	/* 0 means those of the author's and of trusted domains. */
	for (size_t i = 0; max == 0 && i < v->count; i++)
		v->candidates[i].is_sound =
		    v->candidates[i].is_sound && v->candidates[i].is_aligned;
	if (max == 0 || max > ENGINE_SIGNATURES_MAX)
		max = ENGINE_SIGNATURES_MAX;
	(void)choose_signatures(v->candidates, v->count, max);
	v->signatures =
	    arena_alloc(arena, ENGINE_SIGNATURES_MAX * sizeof(*v->signatures));
	for (size_t i = 0; i < v->count; i++) {
		if (v->candidates[i].is_chosen) {
			v->signatures[v->chosen_count] =
			    (struct engine_signature){ v->sig_fields[i],
				    &v->parsed[i] };
			v->chosen[v->chosen_count++] = i;
		} else if (v->outcomes[i].result == RESULT_NONE) {
			decide(&v->outcomes[i], RESULT_NEUTRAL,
			    "signature ignored: there are too many");
		}
	}
}

static void
start(struct verify *v, struct arena *arena)
{
	struct lookup_question questions[ENGINE_SIGNATURES_MAX];
	struct err err;

	if (v->chosen_count == 0)
		return;
	for (size_t i = 0; i < v->chosen_count; i++)
		questions[i] = (struct lookup_question){
			.selector = v->parsed[v->chosen[i]].selector,
			.domain = v->parsed[v->chosen[i]].domain,
		};
	v->lookup = lookup_start(v->config->lookup, questions, v->chosen_count);
	v->engine = engine_verify_new(v->config->engine, v->signatures,
	    v->chosen_count, v->fields, v->field_count, &err);
	if (v->engine != NULL)
		return;
	for (size_t i = 0; i < v->chosen_count; i++)
		give_up(
		    &v->outcomes[v->chosen[i]], arena_strdup(arena, err.text));
}

struct verify *
verify_new(const struct verify_config *config,
    const struct header_field *fields, size_t field_count,
    const struct mailbox *authors, size_t author_count, struct arena *arena)
{
	struct verify *v = arena_alloc(arena, sizeof(*v));
	size_t cap = header_count(fields, field_count, "DKIM-Signature");

	if (cap > VERIFY_FIELDS_MAX)
		cap = VERIFY_FIELDS_MAX;
	v->config = config;
	v->fields = fields;
	v->field_count = field_count;
	v->parsed = arena_alloc(arena, (cap + 1) * sizeof(*v->parsed));
	v->candidates = arena_alloc(arena, (cap + 1) * sizeof(*v->candidates));
	v->sig_fields = arena_alloc(arena, (cap + 1) * sizeof(*v->sig_fields));
	v->outcomes = arena_alloc(arena, (cap + 1) * sizeof(*v->outcomes));
	for (size_t i = 0; i < field_count && v->count < cap; i++)
		if (header_is(&fields[i], "DKIM-Signature"))
			parse(v, &fields[i], authors, author_count, arena);
	choose(v, arena);
	start(v, arena);
	return v;
}

bool
verify_wants_body(const struct verify *verify)
{
	return verify->engine != NULL;
}

void
verify_body(struct verify *verify, const void *bytes, size_t len)
{
	if (verify->engine != NULL)
		engine_verify_body(verify->engine, bytes, len);
}

/* Waits in slices, so that the other side knows that we live. */
static void
wait_for_keys(struct lookup *lookup, int64_t deadline_us,
    bool (*progress)(void *arg), void *arg)
{
	for (;;) {
		int64_t until = now_mono_us() + PROGRESS_US;

		if (until > deadline_us)
			until = deadline_us;
		if (lookup_wait(lookup, until) || until == deadline_us)
			return;
		if (progress != NULL && !progress(arg))
			return;
	}
}

/* Puts the keys in place; a signature without one is decided by that. */
static void
take_keys(struct verify *v, const struct keyrecord **keys)
{
	for (size_t i = 0; i < v->chosen_count; i++) {
		const struct lookup_answer *answer =
		    lookup_answer(v->lookup, i);
		struct outcome *o = &v->outcomes[v->chosen[i]];

		o->dnssec = answer->dnssec;
		o->key_not_found = answer->not_found;
		o->key = keys[i] = answer->key;
		if (answer->result != RESULT_NONE) {
			decide(o, answer->result, answer->reason);
			keys[i] = NULL;
		}
	}
}

static void
compute(struct verify *v)
{
	const struct keyrecord *keys[ENGINE_SIGNATURES_MAX] = { NULL };
	enum result results[ENGINE_SIGNATURES_MAX];
	const char *reasons[ENGINE_SIGNATURES_MAX];

	take_keys(v, keys);
	engine_verify_end(v->engine, keys, results, reasons);
	for (size_t i = 0; i < v->chosen_count; i++) {
		struct outcome *o = &v->outcomes[v->chosen[i]];

		if (o->result != RESULT_NONE)
			continue;
		if (results[i] == RESULT_TEMPERROR)
			give_up(o, reasons[i]);
		else
			decide(o, results[i], reasons[i]);
		o->covers_body = engine_verify_covers_body(v->engine, i);
	}
}

const struct outcome *
verify_end(struct verify *verify, uint64_t body_bytes, int64_t deadline_us,
    bool (*progress)(void *arg), void *arg, size_t *count_r)
{
	const struct outcome_message message = {
		.fields = verify->fields,
		.field_count = verify->field_count,
		.body_bytes = body_bytes,
	};

	if (verify->engine != NULL) {
		wait_for_keys(verify->lookup, deadline_us, progress, arg);
		compute(verify);
	}
	for (size_t i = 0; i < verify->count; i++)
		outcome_judge(
		    &verify->outcomes[i], verify->config->policy, &message);
	*count_r = verify->count;
	return verify->outcomes;
}

void
verify_free(struct verify **verify)
{
	if (*verify == NULL)
		return;
	engine_verify_free(&(*verify)->engine);
	lookup_free(&(*verify)->lookup);
	*verify = NULL;
}
