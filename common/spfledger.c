/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/spfledger_int.h"
#include "common/str.h"

void
spfledger_halt(
    struct spfledger *ledger, enum spfledger_stop why, const char *format, ...)
{
	char text[512];
	struct str s;
	va_list args;

	if (ledger->stop != SPFLEDGER_GOES_ON)
		return;
	ledger->stop = why;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	str_init(&s, ledger->problem, sizeof(ledger->problem));
	str_add_escaped(&s, text, strlen(text), "");
}

size_t
spfledger_add(struct spfledger *ledger, struct spfledger_frame *frame,
    const struct spfrecord_term *term)
{
	struct spfledger_target *target;

	assert(ledger->target_count < SPFLEDGER_TARGETS_MAX);
	target = &ledger->targets[ledger->target_count];
	*target = (struct spfledger_target){ .frame = frame, .term = term };
	return ledger->target_count++;
}

void
spfledger_init(struct spfledger *ledger, const struct spfguard_input *input,
    struct spfanswers *answers, struct spfledger_target *targets,
    struct arena *arena)
{
	memset(ledger, 0, sizeof(*ledger));
	ledger->input = input;
	ledger->answers = answers;
	ledger->arena = arena;
	ledger->uses = arena_alloc(arena, sizeof(*ledger->uses));
	ledger->targets = targets;
	spfledger_add(ledger, NULL, NULL);
}

enum dnspacket_type
spfledger_address_type(const struct spfledger *ledger)
{
	return ledger->input->ip.family == IP_V4 ? DNSPACKET_A : DNSPACKET_AAAA;
}

struct spfanswers_answer
spfledger_ask(
    struct spfledger *ledger, const char *name, enum dnspacket_type type)
{
	struct spfanswers_answer answer = { .status = SPFANSWERS_MISSING };

	if (ledger->stop != SPFLEDGER_GOES_ON)
		return answer;
	if (!dnspacket_name_ok(name)) {
		answer.status = SPFANSWERS_NO_NAME;
		return answer;
	}
	answer = spfanswers_get(ledger->answers, name, type);
	if (answer.status == SPFANSWERS_MISSING)
		spfledger_halt(ledger, SPFLEDGER_MISSING, "%s", "");
	else if (answer.status == SPFANSWERS_TOO_MANY)
		spfledger_halt(
		    ledger, SPFLEDGER_PERMERROR, "too many DNS questions");
	return answer;
}

static void
count_void(struct spfledger *ledger, const struct spfanswers_answer *answer)
{
	if ((answer->status == SPFANSWERS_NO_DATA ||
		answer->status == SPFANSWERS_NO_NAME) &&
	    ++ledger->void_lookups > ledger->input->void_limit)
		spfledger_halt(ledger, SPFLEDGER_PERMERROR,
		    "more than %u void lookups", ledger->input->void_limit);
}

/* The same on a term's account: a failure is a temperror, nothing there is
 * a void lookup. */
static struct spfanswers_answer
ask_for_term(
    struct spfledger *ledger, const char *name, enum dnspacket_type type)
{
	struct spfanswers_answer answer = spfledger_ask(ledger, name, type);

	if (answer.status == SPFANSWERS_TEMPORARY)
		spfledger_halt(ledger, SPFLEDGER_TEMPERROR,
		    "DNS failed for the %s records of %s",
		    dnspacket_type_name(type), name);
	if (dnspacket_name_ok(name))
		count_void(ledger, &answer);
	return answer;
}

/* Makes questions of all names at once, so that they are asked side by side
 * and not one after the other. */
static void
prefetch(struct spfledger *ledger, const struct dnspacket_record *names,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (dnspacket_name_ok(names[i].data))
			spfanswers_want(ledger->answers, names[i].data,
			    spfledger_address_type(ledger));
	}
}

static bool
address_is(const struct spfledger *ledger,
    const struct dnspacket_record *address, unsigned prefix)
{
	const struct ip *ip = &ledger->input->ip;
	struct ip_net net = { .base = *ip, .prefix = prefix };
	struct ip other = { .family = ip->family };

	if (address->len != ip_bits(ip->family) / 8)
		return false;
	memcpy(other.bytes, address->data, address->len);
	ip_mask(&net.base, prefix);
	return ip_net_contains(&net, &other);
}

static bool
any_address_is(const struct spfledger *ledger,
    const struct spfanswers_answer *answer, unsigned prefix)
{
	for (size_t i = 0; i < answer->count; i++) {
		if (address_is(ledger, &answer->records[i], prefix))
			return true;
	}
	return false;
}

struct spfmacro_values
spfledger_values(const struct spfledger *ledger, const char *domain)
{
	const struct spfguard_input *input = ledger->input;

	return (struct spfmacro_values){
		.sender_local = input->sender_local,
		.sender_domain = input->sender_domain,
		.domain = domain,
		.ip = &input->ip,
		.helo = input->helo,
		.receiver = input->receiver,
		.now_s = input->now_s,
		.uses = ledger->uses,
	};
}

/* How well does name suit domain: 3 it is it, 2 it is below it, 1 neither
 * (section 7.3 on "p"). */
static int
suits(const char *name, const char *domain)
{
	size_t name_len = strlen(name), len = strlen(domain);

	if (name_len > 0 && name[name_len - 1] == '.')
		name_len--;
	if (name_len < len ||
	    strncasecmp(name + name_len - len, domain, len) != 0)
		return 1;
	if (name_len == len)
		return 3;
	return name[name_len - len - 1] == '.' ? 2 : 1;
}

void
spfledger_reverse_name(
    const struct spfledger *ledger, char out[static SPFMACRO_DOMAIN_SIZE])
{
	static const char spec[] = "%{ir}.%{v}.arpa";
	struct spfmacro_values values = spfledger_values(ledger, "");

	spfmacro_domain(
	    (struct spfrecord_text){ spec, sizeof(spec) - 1 }, &values, out);
}

static struct spfanswers_answer
client_names(struct spfledger *ledger, bool for_term)
{
	struct spfanswers_answer answer;
	char name[SPFMACRO_DOMAIN_SIZE];

	spfledger_reverse_name(ledger, name);
	answer = spfledger_ask(ledger, name, DNSPACKET_PTR);
	if (for_term)
		count_void(ledger, &answer);
	if (answer.count > SPFGUARD_PTR_MAX)
		answer.count = SPFGUARD_PTR_MAX;
	return answer;
}

/* The name of the client that suits domain best, of those that lead back to
 * its address (section 5.5); NULL when none is at least as good as least. A
 * failure of DNS counts as no name. */
static const char *
validated_name(
    struct spfledger *ledger, const char *domain, int least, bool for_term)
{
	struct spfanswers_answer names = client_names(ledger, for_term);
	struct dnspacket_record wanted[SPFGUARD_PTR_MAX] = { 0 };
	const char *best = NULL;
	int best_suits = 0;
	size_t count = 0;

	for (size_t i = 0; i < names.count; i++) {
		if (suits(names.records[i].data, domain) >= least)
			wanted[count++] = names.records[i];
	}
	prefetch(ledger, wanted, count);
	for (size_t i = 0; i < count; i++) {
		int how = suits(wanted[i].data, domain);
		struct spfanswers_answer answer;

		if (how <= best_suits)
			continue;
		answer = spfledger_ask(
		    ledger, wanted[i].data, spfledger_address_type(ledger));
		if (any_address_is(
			ledger, &answer, ip_bits(ledger->input->ip.family))) {
			best = wanted[i].data;
			best_suits = how;
		}
	}
	return ledger->stop == SPFLEDGER_GOES_ON ? best : NULL;
}

const char *
spfledger_validated(struct spfledger *ledger, const char *domain)
{
	return validated_name(ledger, domain, 1, false);
}

void
spfledger_expand(struct spfledger *ledger, const char *domain,
    struct spfrecord_text spec, char out[static SPFMACRO_DOMAIN_SIZE])
{
	struct spfmacro_values values = spfledger_values(ledger, domain);

	if (spfmacro_needs_validated(spec))
		values.validated = spfledger_validated(ledger, domain);
	out[0] = '\0';
	if (ledger->stop == SPFLEDGER_GOES_ON)
		spfmacro_domain(spec, &values, out);
}

bool
spfledger_may_match(const struct spfledger *ledger, struct spfrecord_text spec)
{
	if (!spfmacro_needs_local(spec))
		return true;
	*ledger->uses |= SPFMACRO_USE_SENDER;
	return str_is_ascii(ledger->input->sender_local);
}

bool
spfledger_open(struct spfledger *ledger, struct spfledger_target *target)
{
	char name[SPFMACRO_DOMAIN_SIZE];
	struct spfrecord_text spec;

	if (ledger->stop != SPFLEDGER_GOES_ON)
		return false;
	if (target->opened)
		return target->name[0] != '\0';
	target->opened = true;
	target->name = "";
	if (target->frame == NULL) {
		target->name = ledger->input->sender_domain;
		return true;
	}
	if (++ledger->lookups > SPFGUARD_LOOKUPS_MAX) {
		spfledger_halt(ledger, SPFLEDGER_PERMERROR,
		    "more than %d terms that ask DNS", SPFGUARD_LOOKUPS_MAX);
		return false;
	}
	spec = target->term == NULL ? target->frame->record->redirect
				    : target->term->domain;
	if (spec.start == NULL) {
		target->name = target->frame->domain;
	} else if (spfledger_may_match(ledger, spec)) {
		spfledger_expand(ledger, target->frame->domain, spec, name);
		target->name = arena_strdup(ledger->arena, name);
	}
	return target->name[0] != '\0' && ledger->stop == SPFLEDGER_GOES_ON;
}

static unsigned
prefix_of(const struct spfledger *ledger, const struct spfrecord_term *term)
{
	return ledger->input->ip.family == IP_V4 ? term->cidr4 : term->cidr6;
}

/* What the evaluator gets for an answer. It cannot say "/0", so there it is
 * told the client's own address. */
static struct spfledger_reply
reply(const struct spfledger *ledger, struct spfledger_target *target,
    const struct spfanswers_answer *answer, unsigned prefix)
{
	struct spfledger_reply r = { .found = false };

	if (ledger->stop != SPFLEDGER_GOES_ON || answer->count == 0)
		return r;
	if (any_address_is(ledger, answer, prefix))
		target->matched = true;
	r.found = true;
	r.count = prefix == 0 ? 1 : answer->count;
	r.addresses = prefix == 0 ? NULL : answer->records;
	return r;
}

struct spfledger_reply
spfledger_addresses(struct spfledger *ledger, size_t number)
{
	struct spfledger_target *target = &ledger->targets[number];
	struct spfledger_reply none = { .found = false };
	struct spfanswers_answer answer;

	assert(number < ledger->target_count && target->term != NULL);
	if (!spfledger_open(ledger, target))
		return none;
	if (target->term->mechanism == SPFRECORD_A) {
		answer = ask_for_term(
		    ledger, target->name, spfledger_address_type(ledger));
		return reply(
		    ledger, target, &answer, prefix_of(ledger, target->term));
	}
	if (target->term->mechanism == SPFRECORD_PTR) {
		target->matched =
		    validated_name(ledger, target->name, 2, true) != NULL;
	} else {
		answer = ask_for_term(ledger, target->name, DNSPACKET_A);
		target->matched = answer.count > 0;
	}
	if (ledger->stop != SPFLEDGER_GOES_ON || !target->matched)
		return none;
	return (struct spfledger_reply){ .found = true, .count = 1 };
}

size_t
spfledger_members(struct spfledger *ledger, size_t number)
{
	struct spfledger_target *target = &ledger->targets[number];
	struct spfanswers_answer answer;

	assert(number < ledger->target_count);
	if (!spfledger_open(ledger, target))
		return 0;
	answer = ask_for_term(ledger, target->name, DNSPACKET_MX);
	if (answer.count > SPFGUARD_MX_MAX)
		spfledger_halt(ledger, SPFLEDGER_PERMERROR,
		    "more than %d MX of %s", SPFGUARD_MX_MAX, target->name);
	if (ledger->stop != SPFLEDGER_GOES_ON)
		return 0;
	prefetch(ledger, answer.records, answer.count);
	target->members = answer.records;
	target->member_count = answer.count;
	return answer.count;
}

struct spfledger_reply
spfledger_member(struct spfledger *ledger, size_t number, size_t member)
{
	struct spfledger_target *target = &ledger->targets[number];
	struct spfanswers_answer answer;

	assert(number < ledger->target_count);
	assert(member < target->member_count);
	answer = ask_for_term(ledger, target->members[member].data,
	    spfledger_address_type(ledger));
	return reply(ledger, target, &answer, prefix_of(ledger, target->term));
}
