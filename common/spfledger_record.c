/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/spfledger_int.h"
#include "common/str.h"

enum spf_result
spfledger_qualified(char qualifier)
{
	switch (qualifier) {
	case '-':
		return SPF_CHECK_FAIL;
	case '~':
		return SPF_CHECK_SOFTFAIL;
	case '?':
		return SPF_CHECK_NEUTRAL;
	}
	return SPF_CHECK_PASS;
}

static bool
is_network(const struct spfrecord_term *term)
{
	return term->mechanism == SPFRECORD_IP4 ||
	       term->mechanism == SPFRECORD_IP6;
}

/* A term that asks DNS, with what the evaluator has to compare: whole
 * addresses and "/0" need nothing (spfledger_addresses sees to it), ptr is
 * a question of yes or no. */
static void
add_term(struct spfledger *ledger, struct str *text,
    struct spfledger_frame *frame, const struct spfrecord_term *term)
{
	bool v4 = ledger->input->ip.family == IP_V4;
	unsigned prefix = v4 ? term->cidr4 : term->cidr6;

	str_addf(text, " %c%s:t%zu.invalid", term->qualifier,
	    spfrecord_mechanism_name(term->mechanism == SPFRECORD_PTR
					 ? SPFRECORD_EXISTS
					 : term->mechanism),
	    spfledger_add(ledger, frame, term));
	if ((term->mechanism == SPFRECORD_A ||
		term->mechanism == SPFRECORD_MX) &&
	    prefix > 0 && prefix < ip_bits(ledger->input->ip.family))
		str_addf(text, v4 ? "/%u" : "//%u", prefix);
	frame->count++;
}

/* What can be asked now, side by side, not one after the other: names without
 * macros, in the record that the check starts with; so a check never asks
 * more than the terms that it may evaluate. */
static void
want(const struct spfledger *ledger, const struct spfledger_frame *frame,
    const struct spfrecord_term *term)
{
	enum dnspacket_type type = spfledger_address_type(ledger);
	char name[SPFMACRO_DOMAIN_SIZE];
	struct spfmacro_values values = spfledger_values(ledger, "");

	if (term->mechanism == SPFRECORD_PTR || frame->depth > 0 ||
	    (term->domain.start != NULL &&
		memchr(term->domain.start, '%', term->domain.len) != NULL) ||
	    ledger->lookups + frame->count >= SPFGUARD_LOOKUPS_MAX)
		return;
	if (term->mechanism == SPFRECORD_INCLUDE)
		type = DNSPACKET_TXT;
	else if (term->mechanism == SPFRECORD_MX)
		type = DNSPACKET_MX;
	else if (term->mechanism == SPFRECORD_EXISTS)
		type = DNSPACKET_A;
	if (term->domain.start == NULL)
		spfanswers_want(ledger->answers, frame->domain, type);
	else if (spfmacro_domain(term->domain, &values, name) &&
		 dnspacket_name_ok(name))
		spfanswers_want(ledger->answers, name, type);
}

/* The record as it is for this client and this evaluator. */
static const char *
rewrite(struct spfledger *ledger, struct spfledger_frame *frame)
{
	const struct spfrecord *record = frame->record;
	char *buf = arena_alloc(ledger->arena, SPFLEDGER_RECORD_SIZE);
	struct str text;

	str_init(&text, buf, SPFLEDGER_RECORD_SIZE);
	str_add(&text, "v=spf1");
	frame->first = ledger->target_count;
	for (size_t i = 0; i < record->count && frame->final == NULL; i++) {
		const struct spfrecord_term *term = &record->terms[i];

		if (frame->count == SPFLEDGER_TERMS_MAX)
			break;
		if (term->mechanism == SPFRECORD_ALL ||
		    (is_network(term) &&
			ip_net_contains(&term->net, &ledger->input->ip))) {
			frame->final = term;
		} else if (!is_network(term)) {
			want(ledger, frame, term);
			add_term(ledger, &text, frame, term);
		}
	}
	if (frame->final != NULL) {
		str_addf(&text, " %call", frame->final->qualifier);
	} else if (record->redirect.start != NULL) {
		str_addf(&text, " redirect=t%zu.invalid",
		    spfledger_add(ledger, frame, NULL));
		frame->count++;
	}
	assert(!text.truncated);
	return buf;
}

/* Finds the one SPF record among the TXT records (section 4.5). */
static const struct dnspacket_record *
select_record(struct spfledger *ledger, const struct spfledger_target *target)
{
	const struct dnspacket_record *found = NULL;
	struct spfanswers_answer answer;
	size_t count = 0;

	answer = spfledger_ask(ledger, target->name, DNSPACKET_TXT);
	if (answer.status == SPFANSWERS_TEMPORARY)
		spfledger_halt(ledger, SPFLEDGER_TEMPERROR,
		    "DNS failed for the TXT records of %s", target->name);
	for (size_t i = 0; i < answer.count; i++) {
		if (spfrecord_is(
			answer.records[i].data, answer.records[i].len)) {
			found = &answer.records[i];
			count++;
		}
	}
	if (count > 1)
		spfledger_halt(ledger, SPFLEDGER_PERMERROR,
		    "%zu SPF records at %s", count, target->name);
	else if (count == 0 && target->frame == NULL)
		spfledger_halt(ledger, SPFLEDGER_NONE, "%s", "");
	else if (count == 0)
		spfledger_halt(ledger, SPFLEDGER_PERMERROR,
		    "%s%s has no SPF record",
		    target->term == NULL ? "redirect=" : "include:",
		    target->name);
	return count == 1 ? found : NULL;
}

/* An include that cannot match anybody. */
static const char *
no_match(const struct spfledger *ledger, const struct spfledger_target *target)
{
	if (target->term != NULL && ledger->stop == SPFLEDGER_GOES_ON &&
	    !spfledger_may_match(ledger, target->term->domain))
		return "v=spf1 ?all";
	return NULL;
}

const char *
spfledger_record(struct spfledger *ledger, size_t number)
{
	struct spfledger_target *target = &ledger->targets[number];
	const struct spfledger_frame *outer = target->frame;
	const struct dnspacket_record *text;
	struct spfledger_frame *frame;
	struct spfrecord_fault fault;

	assert(number < ledger->target_count);
	if (!spfledger_open(ledger, target)) {
		const char *record = no_match(ledger, target);

		if (record == NULL)
			spfledger_halt(ledger, SPFLEDGER_PERMERROR,
			    "an include or redirect leads to no domain");
		return record;
	}
	text = select_record(ledger, target);
	if (text == NULL)
		return NULL;
	frame = arena_alloc(ledger->arena, sizeof(*frame));
	frame->domain = target->name;
	frame->record =
	    spfrecord_parse(text->data, text->len, ledger->arena, &fault);
	if (frame->record == NULL) {
		spfledger_halt(ledger, SPFLEDGER_PERMERROR,
		    "record of %s, position %zu: %s", target->name,
		    fault.offset + 1, fault.text);
		return NULL;
	}
	frame->depth =
	    outer == NULL ? 0 : outer->depth + (target->term != NULL);
	frame->top = outer == NULL || (outer->top && target->term == NULL);
	if (frame->top)
		ledger->exp_frame = frame;
	target->inner = frame;
	return rewrite(ledger, frame);
}

/* The books of the record behind target. Not deeper than there are terms. */
static enum spf_result
frame_result(const struct spfledger *ledger,
    const struct spfledger_frame *frame, const struct spfrecord_term **term_r)
{
	const struct spfledger_target *target = NULL;
	const struct spfrecord_term *inner_term;

	*term_r = NULL;
	if (frame == NULL)
		return SPF_CHECK_NEUTRAL;
	/* The last one that the evaluator came to. */
	for (size_t i = 0;
	     i < frame->count && ledger->targets[frame->first + i].opened; i++)
		target = &ledger->targets[frame->first + i];
	if (target != NULL && target->term == NULL)
		return frame_result(ledger, target->inner, term_r);
	if (target != NULL && (target->term->mechanism == SPFRECORD_INCLUDE
				      ? frame_result(ledger, target->inner,
					    &inner_term) == SPF_CHECK_PASS
				      : target->matched))
		*term_r = target->term;
	else
		*term_r = frame->final;
	return *term_r == NULL ? SPF_CHECK_NEUTRAL
			       : spfledger_qualified((*term_r)->qualifier);
}

bool
spfledger_passes(
    const struct spfledger *ledger, const struct spfledger_frame *frame)
{
	const struct spfrecord_term *term;

	return frame_result(ledger, frame, &term) == SPF_CHECK_PASS;
}

enum spf_result
spfledger_result(
    const struct spfledger *ledger, const struct spfrecord_term **term_r)
{
	assert(ledger->stop == SPFLEDGER_GOES_ON);
	return frame_result(ledger, ledger->targets[0].inner, term_r);
}

static void
explain(struct spfledger *ledger, char out[static SPFMACRO_TEXT_SIZE])
{
	const struct spfledger_frame *frame = ledger->exp_frame;
	struct spfmacro_values values;
	struct spfanswers_answer answer;
	char name[SPFMACRO_DOMAIN_SIZE];
	struct spfrecord_text text;

	if (frame == NULL || frame->record->exp.start == NULL ||
	    !spfledger_may_match(ledger, frame->record->exp))
		return;
	spfledger_expand(ledger, frame->domain, frame->record->exp, name);
	answer = spfledger_ask(ledger, name, DNSPACKET_TXT);
	if (answer.count != 1)
		return;
	text = (struct spfrecord_text){ answer.records[0].data,
		answer.records[0].len };
	values = spfledger_values(ledger, frame->domain);
	if (spfmacro_needs_validated(text))
		values.validated = spfledger_validated(ledger, frame->domain);
	if (ledger->stop == SPFLEDGER_GOES_ON)
		spfmacro_explanation(text.start, text.len, &values, out);
}

void
spfledger_explain(struct spfledger *ledger, char out[static SPFMACRO_TEXT_SIZE])
{
	out[0] = '\0';
	explain(ledger, out);
	/* A fail without its explanation is a fail. */
	if (ledger->stop == SPFLEDGER_MISSING ||
	    ledger->stop == SPFLEDGER_GOES_ON)
		return;
	ledger->stop = SPFLEDGER_GOES_ON;
	ledger->problem[0] = out[0] = '\0';
}
