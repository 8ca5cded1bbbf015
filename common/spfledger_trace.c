/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/spfledger_int.h"
#include "common/str.h"

/* Room for a term or a lookup, and for what came of it. */
#define TEXT_SIZE 512
#define REDIRECT_LEN (sizeof("redirect=") - 1)

struct telling {
	const struct spfledger *ledger;
	size_t left; /* opened targets not told yet */
	bool ended;  /* at the one that stopped the evaluation */
};

static void
tell(const struct spfledger *ledger, unsigned depth, const char *what,
    const char *outcome)
{
	ledger->input->trace(ledger->input->trace_arg, depth, what, outcome);
}

static void
tell_text(const struct spfledger *ledger, unsigned depth,
    struct spfrecord_text what, const char *outcome)
{
	char buf[TEXT_SIZE];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	str_add_escaped(&s, what.start, what.len, "");
	tell(ledger, depth, buf, outcome);
}

static void
add_record(struct str *s, const struct dnspacket_record *record,
    enum dnspacket_type type)
{
	struct ip ip = { .family = type == DNSPACKET_A ? IP_V4 : IP_V6 };
	char text[IP_TEXT_SIZE];

	if (s->len > 0)
		str_add(s, ", ");
	if ((type == DNSPACKET_A || type == DNSPACKET_AAAA) &&
	    record->len <= sizeof(ip.bytes)) {
		memcpy(ip.bytes, record->data, record->len);
		str_add(s, ip_format(&ip, text));
	} else {
		str_add_escaped(s, record->data, record->len, "");
	}
}

/* A lookup, when it was made. Returns its answer. */
static struct spfanswers_answer
tell_lookup(const struct spfledger *ledger, unsigned depth, const char *name,
    enum dnspacket_type type)
{
	static const char *const words[] = {
		[SPFANSWERS_NO_DATA] = "no data",
		[SPFANSWERS_NO_NAME] = "no such name",
		[SPFANSWERS_TEMPORARY] = "temporary failure",
		[SPFANSWERS_MISSING] = "",
		[SPFANSWERS_TOO_MANY] = "",
	};
	char what_buf[TEXT_SIZE], outcome_buf[TEXT_SIZE];
	struct str what, outcome;
	struct spfanswers_answer answer;

	str_init(&what, what_buf, sizeof(what_buf));
	str_addf(&what, "%s ", dnspacket_type_name(type));
	str_add_escaped(&what, name, strlen(name), "");
	str_init(&outcome, outcome_buf, sizeof(outcome_buf));
	answer =
	    dnspacket_name_ok(name)
		? spfanswers_get(ledger->answers, name, type)
		: (struct spfanswers_answer){ .status = SPFANSWERS_NO_NAME };
	for (size_t i = 0; i < answer.count; i++)
		add_record(&outcome, &answer.records[i], type);
	if (answer.status != SPFANSWERS_FOUND)
		str_add(&outcome, words[answer.status]);
	if (answer.status != SPFANSWERS_MISSING &&
	    answer.status != SPFANSWERS_TOO_MANY)
		tell(ledger, depth, what_buf, outcome_buf);
	return answer;
}

/* The names of the client, and the addresses of those that were asked for. */
static void
tell_names(
    const struct spfledger *ledger, unsigned depth, enum dnspacket_type address)
{
	struct spfanswers_answer answer;
	char name[SPFMACRO_DOMAIN_SIZE];

	spfledger_reverse_name(ledger, name);
	answer = tell_lookup(ledger, depth, name, DNSPACKET_PTR);
	for (size_t i = 0; i < answer.count && i < SPFGUARD_PTR_MAX; i++)
		tell_lookup(ledger, depth, answer.records[i].data, address);
}

static void
tell_lookups(const struct spfledger *ledger, unsigned depth,
    const struct spfledger_target *target)
{
	enum dnspacket_type address =
	    ledger->input->ip.family == IP_V4 ? DNSPACKET_A : DNSPACKET_AAAA;

	switch (target->term->mechanism) {
	case SPFRECORD_A:
		tell_lookup(ledger, depth, target->name, address);
		break;
	case SPFRECORD_EXISTS:
		tell_lookup(ledger, depth, target->name, DNSPACKET_A);
		break;
	case SPFRECORD_MX:
		tell_lookup(ledger, depth, target->name, DNSPACKET_MX);
		for (size_t i = 0; i < target->member_count; i++)
			tell_lookup(
			    ledger, depth, target->members[i].data, address);
		break;
	case SPFRECORD_INCLUDE:
		tell_lookup(ledger, depth, target->name, DNSPACKET_TXT);
		break;
	case SPFRECORD_PTR:
		tell_names(ledger, depth, address);
		break;
	case SPFRECORD_ALL:
	case SPFRECORD_IP4:
	case SPFRECORD_IP6:
		break;
	}
}

static void tell_frame(struct telling *telling,
    const struct spfledger_frame *frame, unsigned room);

/* Was this the last target that was opened, and did it stop the evaluation?
 * Then there is no more to tell but that. */
static bool
is_end(struct telling *telling, unsigned depth, struct spfrecord_text what)
{
	if (telling->ended)
		return true;
	if (telling->left > 0 || telling->ledger->stop == SPFLEDGER_GOES_ON)
		return false;
	telling->ended = true;
	tell_text(telling->ledger, depth, what, "the check ends here");
	return true;
}

/* Returns whether it was the last term. */
static bool
tell_target(struct telling *telling, unsigned depth,
    const struct spfledger_target *target, unsigned room)
{
	const struct spfledger *ledger = telling->ledger;
	const struct spfledger_frame *inner = target->inner;
	bool matched = target->matched;

	telling->left--;
	if (inner != NULL) {
		tell_frame(telling, inner, room);
		if (telling->ended)
			return true;
		matched = spfledger_passes(ledger, inner);
	} else if (target->name[0] != '\0') {
		tell_lookups(ledger, depth, target);
	}
	if (is_end(telling, depth, target->term->source))
		return true;
	tell_text(ledger, depth, target->term->source,
	    matched ? "match" : "no match");
	return matched;
}

static void
tell_redirect(struct telling *telling, const struct spfledger_frame *frame,
    const struct spfledger_target *target, unsigned room)
{
	struct spfrecord_text what = frame->record->redirect;

	what.start -= REDIRECT_LEN;
	what.len += REDIRECT_LEN;
	telling->left--;
	if (target->inner != NULL) {
		tell_text(telling->ledger, frame->depth, what, "goes on there");
		tell_frame(telling, target->inner, room);
		return;
	}
	if (target->name[0] != '\0')
		tell_lookup(
		    telling->ledger, frame->depth, target->name, DNSPACKET_TXT);
	is_end(telling, frame->depth, what);
}

/* The terms in their order, until one decides or was never come to. */
static void
tell_terms(
    struct telling *telling, const struct spfledger_frame *frame, unsigned room)
{
	const struct spfledger *ledger = telling->ledger;
	size_t next = frame->first, end = frame->first + frame->count;

	for (size_t i = 0; i < frame->record->count; i++) {
		const struct spfrecord_term *term = &frame->record->terms[i];

		if (next < end && ledger->targets[next].term == term) {
			if (!ledger->targets[next].opened ||
			    tell_target(telling, frame->depth,
				&ledger->targets[next], room))
				return;
			next++;
			continue;
		}
		tell_text(ledger, frame->depth, term->source,
		    term == frame->final ? "match" : "no match");
		if (term == frame->final)
			return;
	}
	if (next < end && ledger->targets[next].opened)
		tell_redirect(telling, frame, &ledger->targets[next], room);
}

static void
tell_frame(
    struct telling *telling, const struct spfledger_frame *frame, unsigned room)
{
	if (room == 0)
		return;
	tell_lookup(
	    telling->ledger, frame->depth, frame->domain, DNSPACKET_TXT);
	tell_terms(telling, frame, room - 1);
}

/* The explanation of a fail. */
static void
tell_explanation(const struct spfledger *ledger)
{
	const struct spfledger_frame *frame = ledger->exp_frame;
	struct spfmacro_values values;
	char name[SPFMACRO_DOMAIN_SIZE];

	if (frame == NULL || frame->record->exp.start == NULL ||
	    spfmacro_needs_validated(frame->record->exp) ||
	    !spfledger_may_match(ledger, frame->record->exp))
		return;
	values = spfledger_values(ledger, frame->domain);
	if (spfmacro_domain(frame->record->exp, &values, name))
		tell_lookup(ledger, 0, name, DNSPACKET_TXT);
}

void
spfledger_trace(
    const struct spfledger *ledger, const struct spfguard_output *output)
{
	struct telling telling = { .ledger = ledger };

	if (ledger->input->trace == NULL)
		return;
	/* The start is no term. */
	for (size_t i = 1; i < ledger->target_count; i++)
		telling.left += ledger->targets[i].opened;
	if (ledger->targets[0].inner != NULL)
		tell_frame(&telling, ledger->targets[0].inner,
		    SPFGUARD_LOOKUPS_MAX + 2);
	else
		tell_lookup(
		    ledger, 0, ledger->input->sender_domain, DNSPACKET_TXT);
	if (output->result == SPF_CHECK_FAIL)
		tell_explanation(ledger);
	tell(ledger, 0, "result",
	    output->problem[0] != '\0' ? output->problem
				       : spf_result_name(output->result));
}
