/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>

#include "common/spfledger_int.h"
#include "common/str.h"

/* Room for a term or a lookup, and for what came of it. */
#define TEXT_SIZE 512

static void
tell(const struct spfledger *ledger, unsigned depth, const char *what,
	const char *outcome)
{
	ledger->input->trace(ledger->input->trace_arg, depth, what, outcome);
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

/* A lookup of the target, when it was made. */
static void
tell_lookup(const struct spfledger *ledger, unsigned depth, const char *name,
	enum dnspacket_type type)
{
	static const char *const words[] = {
		[SPFANSWERS_NO_DATA] = "no data",
		[SPFANSWERS_NO_NAME] = "no such name",
		[SPFANSWERS_TEMPORARY] = "temporary failure",
		[SPFANSWERS_MISSING] = "not asked",
		[SPFANSWERS_TOO_MANY] = "not asked",
	};
	const char *type_name = type == DNSPACKET_MX ? "MX" :
	    type == DNSPACKET_A ? "A" : type == DNSPACKET_AAAA ? "AAAA" :
	    type == DNSPACKET_PTR ? "PTR" : "TXT";
	char what_buf[TEXT_SIZE], outcome_buf[TEXT_SIZE];
	struct str what, outcome;
	struct spfanswers_answer answer;

	str_init(&what, what_buf, sizeof(what_buf));
	str_addf(&what, "%s ", type_name);
	str_add_escaped(&what, name, strlen(name), "");
	str_init(&outcome, outcome_buf, sizeof(outcome_buf));
	answer = dnspacket_name_ok(name) ?
	    spfanswers_get(ledger->answers, name, type) :
	    (struct spfanswers_answer){ .status = SPFANSWERS_NO_NAME };
	for (size_t i = 0; i < answer.count; i++)
		add_record(&outcome, &answer.records[i], type);
	if (answer.status != SPFANSWERS_FOUND)
		str_add(&outcome, words[answer.status]);
	tell(ledger, depth, what_buf, outcome_buf);
}

static void
tell_lookups(const struct spfledger *ledger, unsigned depth,
	const struct spfledger_target *target)
{
	enum dnspacket_type address = ledger->input->ip.family == IP_V4 ?
	    DNSPACKET_A : DNSPACKET_AAAA;

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
			tell_lookup(ledger, depth, target->members[i].data,
			    address);
		break;
	case SPFRECORD_ALL:
	case SPFRECORD_INCLUDE:
	case SPFRECORD_PTR:
	case SPFRECORD_IP4:
	case SPFRECORD_IP6:
		break;
	}
}

static void tell_frame(const struct spfledger *ledger,
	const struct spfledger_frame *frame, unsigned room);

/* Returns whether the term decided. */
static bool
tell_target(const struct spfledger *ledger, unsigned depth,
	const struct spfledger_target *target, unsigned room)
{
	const struct spfledger_frame *inner = target->inner;
	bool matched = target->matched;
	char what_buf[TEXT_SIZE];
	struct str what;

	if (target->term->mechanism == SPFRECORD_INCLUDE && inner != NULL) {
		tell_frame(ledger, inner, room);
		matched = spfledger_passes(ledger, inner);
	} else {
		tell_lookups(ledger, depth, target);
	}
	str_init(&what, what_buf, sizeof(what_buf));
	str_add_escaped(&what, target->term->source.start,
	    target->term->source.len, "");
	tell(ledger, depth, what_buf, matched ? "match" : "no match");
	return matched;
}

/* The terms in their order, until one decides or was never come to. */
static void
tell_terms(const struct spfledger *ledger,
	const struct spfledger_frame *frame, unsigned room)
{
	size_t next = frame->first;

	for (size_t i = 0; i < frame->record->count; i++) {
		const struct spfrecord_term *term = &frame->record->terms[i];
		const struct spfledger_target *target = &ledger->targets[next];
		char what_buf[TEXT_SIZE];
		struct str what;

		if (next < frame->first + frame->count &&
		    target->term == term) {
			if (!target->opened || tell_target(ledger,
			    frame->depth, target, room))
				return;
			next++;
			continue;
		}
		str_init(&what, what_buf, sizeof(what_buf));
		str_add_escaped(&what, term->source.start, term->source.len,
		    "");
		tell(ledger, frame->depth, what_buf,
		    term == frame->final ? "match" : "no match");
		if (term == frame->final)
			return;
	}
	if (next < frame->first + frame->count &&
	    ledger->targets[next].opened &&
	    ledger->targets[next].inner != NULL)
		tell_frame(ledger, ledger->targets[next].inner, room);
}

static void
tell_frame(const struct spfledger *ledger, const struct spfledger_frame *frame,
	unsigned room)
{
	if (room == 0)
		return;
	tell_lookup(ledger, frame->depth, frame->domain, DNSPACKET_TXT);
	tell_terms(ledger, frame, room - 1);
}

void
spfledger_trace(const struct spfledger *ledger,
	const struct spfguard_output *output)
{
	if (ledger->input->trace == NULL)
		return;
	if (ledger->targets[0].inner != NULL)
		tell_frame(ledger, ledger->targets[0].inner,
		    SPFGUARD_LOOKUPS_MAX + 1);
	else
		tell_lookup(ledger, 0, ledger->input->sender_domain,
		    DNSPACKET_TXT);
	tell(ledger, 0, "result", output->problem[0] != '\0' ?
	    output->problem : spf_result_name(output->result));
}
