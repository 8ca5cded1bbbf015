/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/ip.h"
#include "common/spfmacro.h"
#include "common/str.h"
#include "common/xmem.h"

#include "spfd/ctl_survey.h"

/* Ten times what RFC 7208 allows a receiver: enough to say how far a record
 * is beyond it. */
#define QUESTIONS_MAX 400
#define NODES_MAX 100
#define DEPTH_MAX 20
#define MX_HOSTS_MAX 20
#define TEXT_SIZE 4096
/* "redirect=" */
#define REDIRECT_LEN 9

struct ctl_survey {
	struct dns *dns;
	struct arena *arena;
	struct ctl_survey_node *root;
	unsigned questions, nodes, open;
	void (*done)(void *arg);
	void *arg;
};

/* A question under way: for a record, an explanation, or a term. */
struct asked {
	struct ctl_survey *survey;
	struct ctl_survey_lookup *lookup;
	struct ctl_survey_node *node;
	struct ctl_survey_term *term; /* NULL = record or explanation */
};

static void open_node(struct ctl_survey *survey, struct ctl_survey_node *node);
static void on_answer(void *arg, const struct dns_answer *answer);

static struct ctl_survey_lookup *
ask(struct ctl_survey *survey, struct ctl_survey_node *node,
    struct ctl_survey_term *term, const char *name, enum dnspacket_type type)
{
	struct ctl_survey_lookup *lookup =
	    arena_alloc(survey->arena, sizeof(*lookup));
	struct asked *asked;

	lookup->name = arena_strdup(survey->arena, name);
	lookup->type = type;
	lookup->text = "";
	if (term != NULL) {
		struct ctl_survey_lookup **end = &term->lookups;

		while (*end != NULL)
			end = &(*end)->next;
		*end = lookup;
	}
	if (survey->dns == NULL || survey->questions == QUESTIONS_MAX)
		return lookup;
	asked = arena_alloc(survey->arena, sizeof(*asked));
	*asked = (struct asked){ survey, lookup, node, term };
	lookup->asked = true;
	survey->questions++;
	survey->open++;
	dns_ask(survey->dns, name, type, on_answer, asked);
	return lookup;
}

/* Expands a domain-spec that does not depend on the mail; NULL for others. */
static const char *
fixed_name(struct ctl_survey *survey, const struct ctl_survey_node *node,
    struct spfrecord_text spec)
{
	const struct ip nowhere = { .family = IP_V4 };
	const struct spfmacro_values values = {
		.sender_local = "",
		.sender_domain = "",
		.domain = node->domain,
		.ip = &nowhere,
		.helo = "",
		.receiver = "",
	};
	char name[SPFMACRO_DOMAIN_SIZE];
	struct spfrecord_macro macro;
	size_t used;

	if (spec.start == NULL)
		return node->domain[0] != '\0' ? node->domain : NULL;
	for (size_t i = 0; i < spec.len; i += used) {
		used = 1;
		if (spec.start[i] != '%')
			continue;
		used = spfrecord_macro(
		    spec.start + i, spec.len - i, false, &macro);
		if (used == 0 || strchr("%_-d", macro.letter) == NULL ||
		    (macro.letter == 'd' && node->domain[0] == '\0'))
			return NULL;
	}
	/* One that cannot be a name is asked for as it is: no such name. */
	return arena_strdup(
	    survey->arena, spfmacro_domain(spec, &values, name) ? name : "");
}

static bool
is_loop(const struct ctl_survey_node *node)
{
	const struct ctl_survey_node *above = node->parent;

	for (; above != NULL; above = above->parent) {
		if (node->domain[0] != '\0' &&
		    str_equal_nocase(above->domain, node->domain))
			return true;
	}
	return false;
}

/* The record behind include or redirect. */
static void
follow(struct ctl_survey *survey, struct ctl_survey_node *parent,
    struct ctl_survey_term *term)
{
	struct ctl_survey_node *node =
	    arena_alloc(survey->arena, sizeof(*node));

	term->inner = node;
	node->parent = parent;
	node->domain = term->name != NULL ? term->name : "";
	node->depth = parent->depth + 1;
	node->top = parent->top && term->term == NULL;
	node->text = "";
	if (term->name == NULL)
		return;
	if (is_loop(node))
		node->state = CTL_SURVEY_LOOP;
	else if (survey->nodes < NODES_MAX && node->depth <= DEPTH_MAX)
		open_node(survey, node);
}

static void
look_up(struct ctl_survey *survey, struct ctl_survey_node *node,
    struct ctl_survey_term *term)
{
	if (term->term == NULL || term->term->mechanism == SPFRECORD_INCLUDE) {
		follow(survey, node, term);
		return;
	}
	if (term->name == NULL)
		return;
	switch (term->term->mechanism) {
	case SPFRECORD_A:
		ask(survey, node, term, term->name, DNSPACKET_A);
		ask(survey, node, term, term->name, DNSPACKET_AAAA);
		break;
	case SPFRECORD_MX:
		ask(survey, node, term, term->name, DNSPACKET_MX);
		break;
	case SPFRECORD_EXISTS:
		ask(survey, node, term, term->name, DNSPACKET_A);
		break;
	case SPFRECORD_ALL:
	case SPFRECORD_INCLUDE:
	case SPFRECORD_PTR: /* asks for names of the client */
	case SPFRECORD_IP4:
	case SPFRECORD_IP6:
		break;
	}
}

static bool
asks_dns(const struct spfrecord_term *term)
{
	return term->mechanism != SPFRECORD_ALL &&
	       term->mechanism != SPFRECORD_IP4 &&
	       term->mechanism != SPFRECORD_IP6;
}

static void
add_term(struct ctl_survey *survey, struct ctl_survey_node *node,
    const struct spfrecord_term *term)
{
	struct ctl_survey_term *added = &node->terms[node->count++];
	struct spfrecord_text spec = node->record->redirect;

	added->term = term;
	if (term != NULL) {
		spec = term->domain;
		added->source = term->source;
	} else {
		added->source.start = spec.start - REDIRECT_LEN;
		added->source.len = spec.len + REDIRECT_LEN;
	}
	added->name = fixed_name(survey, node, spec);
}

/* Looks up all that the record of node refers to. */
static void
expand(struct ctl_survey *survey, struct ctl_survey_node *node)
{
	const struct spfrecord *record = node->record;
	const char *exp;
	bool has_all = false;

	node->terms = arena_alloc(
	    survey->arena, (record->count + 1) * sizeof(*node->terms));
	for (size_t i = 0; i < record->count && !has_all; i++) {
		has_all = record->terms[i].mechanism == SPFRECORD_ALL;
		node->reachable = i + 1;
		if (asks_dns(&record->terms[i]))
			add_term(survey, node, &record->terms[i]);
	}
	if (!has_all && record->redirect.start != NULL)
		add_term(survey, node, NULL);
	for (size_t i = 0; i < node->count; i++)
		look_up(survey, node, &node->terms[i]);
	if (!node->top || record->exp.start == NULL)
		return;
	exp = fixed_name(survey, node, record->exp);
	if (exp != NULL)
		node->exp = ask(survey, node, NULL, exp, DNSPACKET_TXT);
}

static void
take_text(struct ctl_survey *survey, struct ctl_survey_node *node,
    const char *text, size_t len)
{
	node->text = arena_strndup(survey->arena, text, len);
	node->len = len;
	node->record =
	    spfrecord_parse(node->text, len, survey->arena, &node->fault);
	node->state =
	    node->record == NULL ? CTL_SURVEY_BROKEN : CTL_SURVEY_RECORD;
	if (node->record != NULL)
		expand(survey, node);
}

static void
take_record(struct ctl_survey *survey, struct ctl_survey_node *node,
    const struct dns_answer *answer)
{
	const struct dnspacket_record *first = NULL;
	size_t found = 0;

	node->status = answer->status;
	node->state =
	    answer->status == DNS_TEMPORARY || answer->status == DNS_BOGUS
		? CTL_SURVEY_TEMPORARY
		: CTL_SURVEY_NONE;
	for (size_t i = 0; i < answer->count; i++) {
		const struct dnspacket_record *record = &answer->records[i];

		if (!spfrecord_is(record->data, record->len))
			continue;
		if (found++ == 0)
			first = record;
	}
	if (found == 1) {
		take_text(survey, node, first->data, first->len);
	} else if (found > 1) {
		node->state = CTL_SURVEY_SEVERAL;
		node->text =
		    arena_strndup(survey->arena, first->data, first->len);
		node->len = first->len;
	}
}

static void
take_exp(struct ctl_survey_node *node, const struct dns_answer *answer)
{
	const struct ip nowhere = { .family = IP_V4 };
	const struct spfmacro_values values = {
		.sender_local = "",
		.sender_domain = "",
		.domain = node->domain,
		.ip = &nowhere,
		.validated = "unknown",
		.helo = "",
		.receiver = "",
	};
	char text[SPFMACRO_TEXT_SIZE];

	node->exp_good =
	    answer->count == 1 && spfmacro_explanation(answer->records[0].data,
				      answer->records[0].len, &values, text);
}

static void
add_record(struct str *s, enum dnspacket_type type,
    const struct dnspacket_record *record)
{
	struct ip ip = { .family = type == DNSPACKET_A ? IP_V4 : IP_V6 };
	char address[IP_TEXT_SIZE];

	if (s->len > 0)
		str_add(s, ", ");
	if (type == DNSPACKET_A || type == DNSPACKET_AAAA) {
		memcpy(ip.bytes, record->data, ip_bits(ip.family) / 8);
		str_add(s, ip_format(&ip, address));
		return;
	}
	if (type == DNSPACKET_MX)
		str_addf(s, "%u ", (unsigned)record->preference);
	str_add_escaped(s, record->data, record->len, "");
}

static void
take_lookup(struct ctl_survey *survey, struct ctl_survey_lookup *lookup,
    const struct dns_answer *answer)
{
	char text[TEXT_SIZE];
	struct str s;

	lookup->status = answer->status;
	lookup->count = answer->count;
	str_init(&s, text, sizeof(text));
	for (size_t i = 0; i < answer->count; i++)
		add_record(&s, lookup->type, &answer->records[i]);
	if (answer->count == 0)
		str_add(&s, dns_status_name(answer->status));
	lookup->text = arena_strdup(survey->arena, text);
}

/* The addresses of MX hosts. */
static void
ask_members(struct ctl_survey *survey, struct ctl_survey_node *node,
    struct ctl_survey_term *term, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count && i < MX_HOSTS_MAX; i++) {
		const char *host = answer->records[i].data;

		ask(survey, node, term, host, DNSPACKET_A)->member = true;
		ask(survey, node, term, host, DNSPACKET_AAAA)->member = true;
	}
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct asked *asked = arg;
	struct ctl_survey *survey = asked->survey;

	take_lookup(survey, asked->lookup, answer);
	if (asked->lookup->type == DNSPACKET_MX)
		ask_members(survey, asked->node, asked->term, answer);
	else if (asked->term == NULL && asked->lookup == asked->node->exp)
		take_exp(asked->node, answer);
	else if (asked->term == NULL)
		take_record(survey, asked->node, answer);
	if (--survey->open == 0)
		survey->done(survey->arg);
}

static void
open_node(struct ctl_survey *survey, struct ctl_survey_node *node)
{
	survey->nodes++;
	ask(survey, node, NULL, node->domain, DNSPACKET_TXT);
}

static struct ctl_survey *
begin(struct dns *dns, const char *domain, void (*done)(void *arg), void *arg)
{
	struct ctl_survey *survey = xmem_calloc(1, sizeof(*survey));

	survey->dns = dns;
	survey->arena = arena_new();
	survey->done = done;
	survey->arg = arg;
	survey->root = arena_alloc(survey->arena, sizeof(*survey->root));
	survey->root->domain = arena_strdup(survey->arena, domain);
	survey->root->top = true;
	survey->root->text = "";
	return survey;
}

struct ctl_survey *
ctl_survey_domain(
    struct dns *dns, const char *domain, void (*done)(void *arg), void *arg)
{
	struct ctl_survey *survey = begin(dns, domain, done, arg);

	open_node(survey, survey->root);
	return survey;
}

struct ctl_survey *
ctl_survey_text(struct dns *dns, const char *domain, const char *text,
    size_t len, void (*done)(void *arg), void *arg)
{
	struct ctl_survey *survey = begin(dns, domain, done, arg);

	take_text(survey, survey->root, text, len);
	return survey;
}

bool
ctl_survey_is_done(const struct ctl_survey *survey)
{
	return survey->open == 0;
}

const struct ctl_survey_node *
ctl_survey_root(const struct ctl_survey *survey)
{
	return survey->root;
}

void
ctl_survey_free(struct ctl_survey **survey)
{
	if (*survey == NULL)
		return;
	arena_free(&(*survey)->arena);
	xmem_free(survey);
}
