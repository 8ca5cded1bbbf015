/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/spfrecord.h"

#include "tests/oracle/spforacle.h"

struct oracle {
	const struct spfguard_input *input;
	struct spfanswers *answers;
	struct spfguard_output *output;
	struct arena *arena;
	bool missing;
};

/* What one term, or one record in an include, came to. */
enum outcome {
	OUTCOME_NO_MATCH,
	OUTCOME_MATCH,
	OUTCOME_TEMPERROR,
	OUTCOME_PERMERROR,
};

static enum spf_result check_host(
    struct oracle *o, const char *domain, bool top);

static enum outcome
problem(struct oracle *o, enum outcome outcome, const char *what)
{
	if (o->output->problem[0] == '\0')
		snprintf(
		    o->output->problem, sizeof(o->output->problem), "%s", what);
	return outcome;
}

static struct spfanswers_answer
ask(struct oracle *o, const char *name, enum dnspacket_type type)
{
	struct spfanswers_answer answer = { .status = SPFANSWERS_TEMPORARY };

	if (o->missing)
		return answer;
	if (!dnspacket_name_ok(name)) {
		answer.status = SPFANSWERS_NO_NAME;
		return answer;
	}
	answer = spfanswers_get(o->answers, name, type);
	if (answer.status == SPFANSWERS_MISSING) {
		o->missing = true;
		answer.status = SPFANSWERS_TEMPORARY;
	}
	return answer;
}

static struct spfanswers_answer
ask_counted(struct oracle *o, const char *name, enum dnspacket_type type)
{
	struct spfanswers_answer answer = ask(o, name, type);

	if (dnspacket_name_ok(name) && (answer.status == SPFANSWERS_NO_DATA ||
					   answer.status == SPFANSWERS_NO_NAME))
		o->output->void_lookups++;
	return answer;
}

static enum dnspacket_type
address_type(const struct oracle *o)
{
	return o->input->ip.family == IP_V4 ? DNSPACKET_A : DNSPACKET_AAAA;
}

/* Bit by bit, unlike ip_net_contains. */
static bool
same_bits(const uint8_t *a, const uint8_t *b, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		unsigned shift = 7 - i % 8;

		if ((a[i / 8] >> shift & 1) != (b[i / 8] >> shift & 1))
			return false;
	}
	return true;
}

static enum outcome
match_addresses(
    struct oracle *o, const char *name, const struct spfrecord_term *term)
{
	struct spfanswers_answer answer = ask_counted(o, name, address_type(o));

	if (answer.status == SPFANSWERS_TEMPORARY)
		return OUTCOME_TEMPERROR;
	for (size_t i = 0; i < answer.count; i++) {
		if (answer.records[i].len == ip_bits(o->input->ip.family) / 8 &&
		    same_bits((const uint8_t *)answer.records[i].data,
			o->input->ip.bytes,
			o->input->ip.family == IP_V4 ? term->cidr4
						     : term->cidr6))
			return OUTCOME_MATCH;
	}
	return OUTCOME_NO_MATCH;
}

static enum outcome
match_mx(struct oracle *o, const char *name, const struct spfrecord_term *term)
{
	struct spfanswers_answer answer = ask_counted(o, name, DNSPACKET_MX);

	if (answer.status == SPFANSWERS_TEMPORARY)
		return OUTCOME_TEMPERROR;
	if (answer.count > SPFGUARD_MX_MAX)
		return problem(o, OUTCOME_PERMERROR, "too many MX");
	for (size_t i = 0; i < answer.count; i++) {
		enum outcome outcome =
		    match_addresses(o, answer.records[i].data, term);

		if (outcome != OUTCOME_NO_MATCH)
			return outcome;
	}
	return OUTCOME_NO_MATCH;
}

static void
reverse_name(const struct ip *ip, char *out, size_t cap)
{
	size_t used = 0;

	if (ip->family == IP_V4) {
		snprintf(out, cap, "%u.%u.%u.%u.in-addr.arpa", ip->bytes[3],
		    ip->bytes[2], ip->bytes[1], ip->bytes[0]);
		return;
	}
	for (int i = 15; i >= 0; i--)
		used += (size_t)snprintf(out + used, cap - used, "%x.%x.",
		    ip->bytes[i] & 15u, ip->bytes[i] >> 4u);
	snprintf(out + used, cap - used, "ip6.arpa");
}

/* 2 the same, 1 below it, 0 neither. */
static int
relation(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	if (strcasecmp(name, domain) == 0)
		return 2;
	return len > domain_len && name[len - domain_len - 1] == '.' &&
	       strcasecmp(name + len - domain_len, domain) == 0;
}

/* The best validated name; "unknown" if there is none that has least. */
static const char *
validated(struct oracle *o, const char *domain, int least, bool counted)
{
	const char *found[3] = { NULL, NULL, NULL };
	struct spfanswers_answer names, addresses;
	char reverse[128];

	reverse_name(&o->input->ip, reverse, sizeof(reverse));
	names = counted ? ask_counted(o, reverse, DNSPACKET_PTR)
			: ask(o, reverse, DNSPACKET_PTR);
	for (size_t i = 0; i < names.count && i < SPFGUARD_PTR_MAX; i++) {
		const char *name = names.records[i].data;
		int how = relation(name, domain);

		if (how < least || found[how] != NULL)
			continue;
		addresses = ask(o, name, address_type(o));
		for (size_t k = 0; k < addresses.count; k++) {
			if (memcmp(addresses.records[k].data,
				o->input->ip.bytes,
				ip_bits(o->input->ip.family) / 8) == 0)
				found[how] = name;
		}
	}
	for (int how = 2; how >= least; how--) {
		if (found[how] != NULL)
			return found[how];
	}
	return "unknown";
}

static struct spfmacro_values
macro_values(struct oracle *o, const char *domain, struct spfrecord_text text)
{
	return (struct spfmacro_values){
		.sender_local = o->input->sender_local,
		.sender_domain = o->input->sender_domain,
		.domain = domain,
		.ip = &o->input->ip,
		.validated = spfmacro_needs_validated(text)
				 ? validated(o, domain, 0, false)
				 : NULL,
		.helo = o->input->helo,
		.receiver = o->input->receiver,
		.now_s = o->input->now_s,
	};
}

static void
target_name(struct oracle *o, const char *domain, struct spfrecord_text spec,
    char out[static SPFMACRO_DOMAIN_SIZE])
{
	struct spfmacro_values values;

	if (spec.start == NULL) {
		snprintf(out, SPFMACRO_DOMAIN_SIZE, "%s", domain);
		return;
	}
	values = macro_values(o, domain, spec);
	if (!spfmacro_domain(spec, &values, out))
		out[0] = '\0';
}

static bool
has_odd_local(const struct oracle *o, struct spfrecord_text spec)
{
	for (const char *c = o->input->sender_local; *c != '\0'; c++) {
		if ((unsigned char)*c > 127)
			return spfmacro_needs_local(spec);
	}
	return false;
}

static bool
count_term(struct oracle *o)
{
	if (o->output->lookups == SPFGUARD_LOOKUPS_MAX)
		return false;
	o->output->lookups++;
	return true;
}

static enum outcome
match_include(struct oracle *o, const char *name)
{
	switch (check_host(o, name, false)) {
	case SPF_CHECK_PASS:
		return OUTCOME_MATCH;
	case SPF_CHECK_FAIL:
	case SPF_CHECK_SOFTFAIL:
	case SPF_CHECK_NEUTRAL:
		return OUTCOME_NO_MATCH;
	case SPF_CHECK_TEMPERROR:
		return OUTCOME_TEMPERROR;
	case SPF_CHECK_NONE:
	case SPF_CHECK_PERMERROR:
		break;
	}
	return problem(o, OUTCOME_PERMERROR, "include");
}

static enum outcome
match(struct oracle *o, const char *domain, const struct spfrecord_term *term)
{
	char name[SPFMACRO_DOMAIN_SIZE];
	struct spfanswers_answer answer;

	if (term->mechanism == SPFRECORD_ALL)
		return OUTCOME_MATCH;
	if (term->mechanism == SPFRECORD_IP4 ||
	    term->mechanism == SPFRECORD_IP6)
		return term->net.base.family == o->input->ip.family &&
			       same_bits(term->net.base.bytes,
				   o->input->ip.bytes, term->net.prefix)
			   ? OUTCOME_MATCH
			   : OUTCOME_NO_MATCH;
	if (!count_term(o))
		return problem(o, OUTCOME_PERMERROR, "too many terms");
	if (has_odd_local(o, term->domain))
		return OUTCOME_NO_MATCH;
	target_name(o, domain, term->domain, name);
	switch (term->mechanism) {
	case SPFRECORD_A:
		return match_addresses(o, name, term);
	case SPFRECORD_MX:
		return match_mx(o, name, term);
	case SPFRECORD_INCLUDE:
		return match_include(o, name);
	case SPFRECORD_PTR:
		return name[0] != '\0' && strcmp(validated(o, name, 1, true),
					      "unknown") != 0
			   ? OUTCOME_MATCH
			   : OUTCOME_NO_MATCH;
	case SPFRECORD_EXISTS:
		answer = ask_counted(o, name, DNSPACKET_A);
		return answer.status == SPFANSWERS_TEMPORARY ? OUTCOME_TEMPERROR
		       : answer.count > 0                    ? OUTCOME_MATCH
							     : OUTCOME_NO_MATCH;
	case SPFRECORD_ALL:
	case SPFRECORD_IP4:
	case SPFRECORD_IP6:
		break;
	}
	return OUTCOME_NO_MATCH;
}

static enum spf_result
result_of(char qualifier)
{
	return qualifier == '+'   ? SPF_CHECK_PASS
	       : qualifier == '-' ? SPF_CHECK_FAIL
	       : qualifier == '~' ? SPF_CHECK_SOFTFAIL
				  : SPF_CHECK_NEUTRAL;
}

static void
explain(struct oracle *o, const char *domain, struct spfrecord_text spec)
{
	char name[SPFMACRO_DOMAIN_SIZE];
	struct spfanswers_answer answer;
	struct spfmacro_values values;
	struct spfrecord_text text;

	if (spec.start == NULL || has_odd_local(o, spec))
		return;
	target_name(o, domain, spec, name);
	answer = ask(o, name, DNSPACKET_TXT);
	if (answer.count != 1)
		return;
	text = (struct spfrecord_text){ answer.records[0].data,
		answer.records[0].len };
	values = macro_values(o, domain, text);
	spfmacro_explanation(
	    text.start, text.len, &values, o->output->explanation);
}

static const struct spfrecord *
find_record(struct oracle *o, const char *domain, enum spf_result *result_r)
{
	struct spfanswers_answer answer = ask(o, domain, DNSPACKET_TXT);
	const struct dnspacket_record *found = NULL;
	const struct spfrecord *record;
	struct spfrecord_fault fault;

	*result_r = answer.status == SPFANSWERS_TEMPORARY ? SPF_CHECK_TEMPERROR
							  : SPF_CHECK_NONE;
	for (size_t i = 0; i < answer.count; i++) {
		if (!spfrecord_is(
			answer.records[i].data, answer.records[i].len))
			continue;
		*result_r = SPF_CHECK_PERMERROR;
		if (found != NULL)
			return NULL;
		found = &answer.records[i];
	}
	if (found == NULL)
		return NULL;
	record = spfrecord_parse(found->data, found->len, o->arena, &fault);
	if (record == NULL)
		problem(o, OUTCOME_PERMERROR, fault.text);
	return record;
}

/* Section 6.1. */
static enum spf_result
redirect(struct oracle *o, const char *domain, const struct spfrecord *record,
    bool top)
{
	char name[SPFMACRO_DOMAIN_SIZE];
	enum spf_result result;

	if (!count_term(o))
		return SPF_CHECK_PERMERROR;
	if (has_odd_local(o, record->redirect))
		return SPF_CHECK_PERMERROR;
	target_name(o, domain, record->redirect, name);
	result = check_host(o, name, top);
	return result == SPF_CHECK_NONE ? SPF_CHECK_PERMERROR : result;
}

static enum spf_result
check_host(struct oracle *o, const char *domain, bool top)
{
	const struct spfrecord *record;
	enum spf_result result;

	record = find_record(o, domain, &result);
	if (record == NULL)
		return result;
	for (size_t i = 0; i < record->count; i++) {
		const struct spfrecord_term *term = &record->terms[i];
		enum outcome outcome = match(o, domain, term);

		if (o->output->void_lookups > o->input->void_limit)
			return SPF_CHECK_PERMERROR;
		if (outcome == OUTCOME_PERMERROR)
			return SPF_CHECK_PERMERROR;
		if (outcome == OUTCOME_TEMPERROR)
			return SPF_CHECK_TEMPERROR;
		if (outcome == OUTCOME_NO_MATCH)
			continue;
		result = result_of(term->qualifier);
		if (result == SPF_CHECK_FAIL && top)
			explain(o, domain, record->exp);
		return result;
	}
	if (record->redirect.start != NULL)
		return redirect(o, domain, record, top);
	return SPF_CHECK_NEUTRAL;
}

bool
spforacle_check(const struct spfguard_input *input, struct spfanswers *answers,
    struct spfguard_output *output_r)
{
	struct oracle o = { .input = input,
		.answers = answers,
		.output = output_r,
		.arena = arena_new() };

	memset(output_r, 0, sizeof(*output_r));
	output_r->result = check_host(&o, input->sender_domain, true);
	arena_free(&o.arena);
	return !o.missing;
}
