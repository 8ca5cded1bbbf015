/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/spfguard.h"
#include "common/spfmacro.h"
#include "common/str.h"

#include "spfd/ctl_advice.h"

/* RFC 7208 section 3.4: what still fits a small UDP answer. */
#define LENGTH_MAX 450
/* Of networks with such short prefixes one may ask whether they are meant. */
#define WIDE_V4 8
#define WIDE_V6 16
#define TEXT_SIZE 400

struct making {
	struct arena *arena;
	struct ctl_advice *first, **end;
	const struct ctl_survey_node *node; /* that is looked at */
};

/* Adds a sentence about the stretch at of the node's record; at.start NULL =
 * no place. What comes in through arguments is made printable. */
static void __attribute__((format(printf, 5, 6)))
add(struct making *m, enum ctl_advice_level level, const char *code,
    struct spfrecord_text at, const char *format, ...)
{
	struct ctl_advice *item = arena_alloc(m->arena, sizeof(*item));
	char text[TEXT_SIZE], escaped[TEXT_SIZE];
	struct str s;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	str_init(&s, escaped, sizeof(escaped));
	str_add_escaped(&s, text, strlen(text), "");
	item->level = level;
	item->code = code;
	item->node = m->node;
	item->text = arena_strdup(m->arena, escaped);
	if (at.start != NULL) {
		item->offset = (size_t)(at.start - m->node->text);
		item->len = at.len;
	}
	*m->end = item;
	m->end = &item->next;
}

static const struct spfrecord_text nowhere = { NULL, 0 };

static const char *
domain_of(const struct ctl_survey_node *node)
{
	return node->domain[0] != '\0' ? node->domain : "the domain";
}

static bool
text_equal(struct spfrecord_text a, struct spfrecord_text b)
{
	return a.len == b.len && strncasecmp(a.start, b.start, a.len) == 0;
}

static void
judge_all(struct making *m, const struct spfrecord_term *all)
{
	if (all->qualifier == '+')
		add(m, CTL_ADVICE_WARNING, "pass-all", all->source,
		    "everybody may send for the domain");
	else if (all->qualifier == '?' && m->node->top)
		add(m, CTL_ADVICE_WARNING, "neutral-all", all->source,
		    "of all other clients nothing is said; \"~all\" or "
		    "\"-all\" protects the domain");
}

static bool
is_private(const struct ip *ip)
{
	static const char *const nets[] = { "10.0.0.0/8", "172.16.0.0/12",
		"192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7",
		"fe80::/10", "::1" };
	struct ip_net net;

	for (size_t i = 0; i < sizeof(nets) / sizeof(nets[0]); i++) {
		if (ip_net_parse(nets[i], &net) && ip_net_contains(&net, ip))
			return true;
	}
	return false;
}

static void
judge_network(struct making *m, const struct spfrecord_term *term)
{
	unsigned wide = term->net.base.family == IP_V4 ? WIDE_V4 : WIDE_V6;

	if (term->qualifier == '+' && term->net.prefix <= wide)
		add(m, CTL_ADVICE_WARNING, "wide-network", term->source,
		    "so large a network is hardly meant");
	else if (is_private(&term->net.base))
		add(m, CTL_ADVICE_WARNING, "private-network", term->source,
		    "mail from the Internet never comes from this network");
}

static void
judge_term(struct making *m, const struct spfrecord *record, size_t number)
{
	const struct spfrecord_term *term = &record->terms[number];

	if (term->mechanism == SPFRECORD_ALL)
		judge_all(m, term);
	else if (term->mechanism == SPFRECORD_PTR)
		add(m, CTL_ADVICE_WARNING, "ptr", term->source,
		    "ptr is slow, unreliable, and not to be used (RFC 7208 "
		    "section 5.5)");
	else if (term->mechanism == SPFRECORD_IP4 ||
		 term->mechanism == SPFRECORD_IP6)
		judge_network(m, term);
	if (term->domain.start != NULL &&
	    spfmacro_needs_validated(term->domain))
		add(m, CTL_ADVICE_WARNING, "macro-p", term->source,
		    "%%{p} is slow, unreliable, and not to be used (RFC "
		    "7208 section 7.2)");
	for (size_t i = 0; i < number; i++) {
		if (text_equal(record->terms[i].source, term->source)) {
			add(m, CTL_ADVICE_WARNING, "duplicate", term->source,
			    "this stands in the record twice");
			break;
		}
	}
}

static void
judge_end(struct making *m, const struct spfrecord *record)
{
	size_t count = record->count, reachable = m->node->reachable;
	bool has_all = reachable > 0 &&
		       record->terms[reachable - 1].mechanism == SPFRECORD_ALL;

	if (reachable < count) {
		struct spfrecord_text at = record->terms[reachable].source;
		const struct spfrecord_text last =
		    record->terms[count - 1].source;

		at.len = (size_t)(last.start + last.len - at.start);
		add(m, CTL_ADVICE_WARNING, "unreachable", at,
		    "nothing behind \"all\" is ever looked at");
	}
	if (has_all && record->redirect.start != NULL)
		add(m, CTL_ADVICE_WARNING, "redirect-unused", record->redirect,
		    "with \"all\" in the record the redirect is not used");
	if (!has_all && record->redirect.start == NULL && m->node->top)
		add(m, CTL_ADVICE_WARNING, "no-all", nowhere,
		    "the record ends without \"all\" or redirect: of all "
		    "other clients nothing is said");
}

static bool
is_void(const struct ctl_survey_lookup *lookup)
{
	return lookup->asked && lookup->count == 0 &&
	       (lookup->status == DNS_NO_DATA || lookup->status == DNS_NO_NAME);
}

/* The answer of MX; its hosts' addresses come in pairs behind it. */
static void
judge_mx(struct making *m, const struct ctl_survey_term *term)
{
	const struct ctl_survey_lookup *mx = term->lookups, *a;

	if (is_void(mx)) {
		add(m, CTL_ADVICE_WARNING, "no-mx", term->source,
		    "%.80s has no MX (%s)", mx->name,
		    dns_status_name(mx->status));
		return;
	}
	if (mx->count > SPFGUARD_MX_MAX)
		add(m, CTL_ADVICE_ERROR, "too-many-mx", term->source,
		    "%.80s has %zu MX, %d are allowed", mx->name, mx->count,
		    SPFGUARD_MX_MAX);
	for (a = mx->next; a != NULL && a->next != NULL; a = a->next->next) {
		if (a->name[0] == '\0')
			add(m, CTL_ADVICE_WARNING, "null-mx", term->source,
			    "%.80s says that it takes no mail: this "
			    "matches nothing",
			    mx->name);
		else if (is_void(a) && is_void(a->next))
			add(m, CTL_ADVICE_WARNING, "mx-no-address",
			    term->source, "the MX %.80s has no address",
			    a->name);
	}
}

static void
judge_failures(struct making *m, const struct ctl_survey_term *term)
{
	const struct ctl_survey_lookup *l = term->lookups;

	for (; l != NULL; l = l->next) {
		if (l->asked &&
		    (l->status == DNS_TEMPORARY || l->status == DNS_BOGUS))
			add(m, CTL_ADVICE_TEMPORARY, "dns-failure",
			    term->source, "%s %.80s: %s",
			    dnspacket_type_name(l->type), l->name,
			    dns_status_name(l->status));
	}
}

static void
judge_lookups(struct making *m, const struct ctl_survey_term *term)
{
	const struct ctl_survey_lookup *first = term->lookups;

	if (first == NULL)
		return;
	judge_failures(m, term);
	if (term->term->mechanism == SPFRECORD_MX)
		judge_mx(m, term);
	else if (is_void(first) &&
		 (first->next == NULL || is_void(first->next)))
		add(m, CTL_ADVICE_WARNING, "no-address", term->source,
		    "%.80s has no address (%s)",
		    first->name[0] != '\0' ? first->name : "the name",
		    dns_status_name(first->status));
}

static void
judge_exp(struct making *m)
{
	const struct ctl_survey_lookup *exp = m->node->exp;

	if (exp == NULL || !exp->asked || m->node->exp_good)
		return;
	if (exp->status == DNS_TEMPORARY || exp->status == DNS_BOGUS)
		add(m, CTL_ADVICE_TEMPORARY, "dns-failure",
		    m->node->record->exp, "TXT %.80s: %s", exp->name,
		    dns_status_name(exp->status));
	else if (exp->count == 1)
		add(m, CTL_ADVICE_WARNING, "exp-syntax", m->node->record->exp,
		    "the explanation at %.80s has a fault, so it is not "
		    "used",
		    exp->name);
	else
		add(m, CTL_ADVICE_WARNING, "exp-missing", m->node->record->exp,
		    "%.80s has %zu texts instead of "
		    "one, so there is no explanation",
		    exp->name, exp->count);
}

static void
judge_record(struct making *m)
{
	const struct ctl_survey_node *node = m->node;

	if (node->len > LENGTH_MAX)
		add(m, CTL_ADVICE_WARNING, "long", nowhere,
		    "the record has %zu bytes; beyond %d it may not reach "
		    "every receiver (RFC 7208 section 3.4)",
		    node->len, LENGTH_MAX);
	for (size_t i = 0; i < node->reachable; i++)
		judge_term(m, node->record, i);
	judge_end(m, node->record);
	judge_exp(m);
	for (size_t i = 0; i < node->count; i++)
		judge_lookups(m, &node->terms[i]);
}

/* The word at the place of a syntax error. */
static struct spfrecord_text
word_at(const struct ctl_survey_node *node)
{
	size_t offset =
	    node->fault.offset < node->len ? node->fault.offset : node->len;
	struct spfrecord_text word = { node->text + offset, 1 };

	while (offset + word.len < node->len && word.start[word.len] != ' ')
		word.len++;
	return word;
}

static void
judge_none(struct making *m)
{
	const char *why = dns_status_name(m->node->status);

	/* Found, but none of its texts is a record. */
	if (m->node->status == DNS_FOUND)
		why = "other texts only";
	if (m->node->parent == NULL)
		add(m, CTL_ADVICE_NONE, "no-record", nowhere,
		    "%.80s has no SPF record (%s)", domain_of(m->node), why);
	else
		add(m, CTL_ADVICE_ERROR, "no-record", nowhere,
		    "%.80s has no SPF record (%s): to refer to it is an "
		    "error",
		    domain_of(m->node), why);
}

static void
judge_node(struct making *m)
{
	switch (m->node->state) {
	case CTL_SURVEY_UNKNOWN:
		break;
	case CTL_SURVEY_RECORD:
		judge_record(m);
		break;
	case CTL_SURVEY_NONE:
		judge_none(m);
		break;
	case CTL_SURVEY_SEVERAL:
		add(m, CTL_ADVICE_ERROR, "several-records", nowhere,
		    "%.80s has several SPF records, only one is allowed",
		    domain_of(m->node));
		break;
	case CTL_SURVEY_BROKEN:
		add(m, CTL_ADVICE_ERROR, "syntax", word_at(m->node), "%s",
		    m->node->fault.text);
		break;
	case CTL_SURVEY_TEMPORARY:
		add(m, CTL_ADVICE_TEMPORARY, "dns-failure", nowhere,
		    "TXT %.80s: %s", domain_of(m->node),
		    dns_status_name(m->node->status));
		break;
	case CTL_SURVEY_LOOP:
		add(m, CTL_ADVICE_ERROR, "loop", nowhere,
		    "%.80s refers to itself", domain_of(m->node));
		break;
	}
}

static void
walk(struct making *m, const struct ctl_survey_node *node)
{
	m->node = node;
	judge_node(m);
	for (size_t i = 0; i < node->count; i++) {
		/* As deep as the survey went. */
		if (node->terms[i].inner != NULL)
			walk(m, node->terms[i].inner);
	}
}

static void
judge_limits(struct making *m, unsigned void_limit)
{
	const struct ctl_survey_sum sum = ctl_survey_sum(m->node);
	bool v4 = sum.voids[0] > void_limit, v6 = sum.voids[1] > void_limit;

	if (sum.lookups > SPFGUARD_LOOKUPS_MAX)
		add(m, CTL_ADVICE_ERROR, "too-many-lookups", nowhere,
		    "%u terms ask DNS, %d are allowed: clients that match "
		    "none of the first ones get a permerror",
		    sum.lookups, SPFGUARD_LOOKUPS_MAX);
	if (v4 && v6)
		add(m, CTL_ADVICE_ERROR, "too-many-voids", nowhere,
		    "%u lookups find nothing, %u are allowed: clients "
		    "that match nothing before get a permerror",
		    sum.voids[0] < sum.voids[1] ? sum.voids[0] : sum.voids[1],
		    void_limit);
	else if (v4 || v6)
		add(m, CTL_ADVICE_WARNING, "too-many-voids", nowhere,
		    "for an IPv%d client %u lookups find nothing, %u are "
		    "allowed: it may get a permerror",
		    v4 ? 4 : 6, sum.voids[v4 ? 0 : 1], void_limit);
}

const struct ctl_advice *
ctl_advice_make(const struct ctl_survey_node *root, unsigned void_limit,
    struct arena *arena)
{
	struct making m = { .arena = arena };

	m.end = &m.first;
	walk(&m, root);
	m.node = root;
	judge_limits(&m, void_limit);
	return m.first;
}

enum ctl_advice_level
ctl_advice_worst(const struct ctl_advice *first)
{
	enum ctl_advice_level worst = first->level;

	for (; first != NULL; first = first->next) {
		if (first->level > worst)
			worst = first->level;
	}
	return worst;
}

const char *
ctl_advice_level_name(enum ctl_advice_level level)
{
	static const char *const names[] = {
		[CTL_ADVICE_WARNING] = "warning",
		[CTL_ADVICE_TEMPORARY] = "temporary",
		[CTL_ADVICE_NONE] = "none",
		[CTL_ADVICE_ERROR] = "error",
	};

	return names[level];
}
