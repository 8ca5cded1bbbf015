/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sysexits.h>

#include "common/json.h"
#include "common/spfguard.h"
#include "common/spfidn.h"
#include "common/str.h"

#include "spfd/ctl.h"
#include "spfd/ctl_advice.h"
#include "spfd/ctl_caret.h"
#include "spfd/ctl_survey.h"

/* So deep a tree is indented. */
#define INDENT_MAX 40
#define NAME_COLUMNS 32

static void
on_done(void *arg)
{
	ctl_stop(arg);
}

static void
put(const char *text)
{
	ctl_put(text, strlen(text));
}

static void
indent(unsigned columns)
{
	printf("%*s", (int)(columns < INDENT_MAX ? columns : INDENT_MAX), "");
}

static const char *
state_name(const struct ctl_survey_node *node)
{
	switch (node->state) {
	case CTL_SURVEY_UNKNOWN:
		return "not looked up";
	case CTL_SURVEY_RECORD:
		return "record";
	case CTL_SURVEY_NONE:
		return "no record";
	case CTL_SURVEY_SEVERAL:
		return "several records";
	case CTL_SURVEY_BROKEN:
		return "syntax error";
	case CTL_SURVEY_TEMPORARY:
		break;
	case CTL_SURVEY_LOOP:
		return "loop";
	}
	return "temporary failure";
}

static void
print_lookups(const struct ctl_survey_lookup *lookup, unsigned columns)
{
	for (; lookup != NULL; lookup = lookup->next) {
		const char *type = dnspacket_type_name(lookup->type);
		size_t width = strlen(type) + 1 + strlen(lookup->name);

		if (!lookup->asked)
			continue;
		indent(columns);
		printf("%s ", type);
		put(lookup->name);
		printf("%*s  ",
		    width < NAME_COLUMNS ? (int)(NAME_COLUMNS - width) : 0, "");
		put(lookup->text);
		putchar('\n');
	}
}

/* Why the name of term is not known, if so. */
static const char *
unknown_name(
    const struct ctl_survey_node *node, const struct ctl_survey_term *term)
{
	if (term->name != NULL)
		return "";
	return node->domain[0] == '\0' ? "; of which domain?"
				       : "; the name depends on the mail";
}

static void
print_node(const struct ctl_survey_node *node, unsigned columns)
{
	indent(columns);
	if (node->domain[0] != '\0') {
		put(node->domain);
		fputs(": ", stdout);
	}
	ctl_put(node->text, node->len);
	if (node->state != CTL_SURVEY_RECORD)
		printf("%s(%s)", node->len > 0 ? " " : "", state_name(node));
	putchar('\n');
	for (size_t i = 0; i < node->count; i++) {
		const struct ctl_survey_term *term = &node->terms[i];
		unsigned lookups = 1;

		if (term->inner != NULL)
			lookups += ctl_survey_sum(term->inner).lookups;
		indent(columns + 2);
		ctl_put(term->source.start, term->source.len);
		printf("  (%u lookup%s%s)\n", lookups, lookups == 1 ? "" : "s",
		    unknown_name(node, term));
		if (term->inner != NULL && term->name != NULL)
			print_node(term->inner, columns + 4);
		print_lookups(term->lookups, columns + 4);
	}
	print_lookups(node->exp, columns + 2);
}

static void
print_advice(const struct ctl_advice *advice)
{
	struct ctl_caret caret;

	for (; advice != NULL; advice = advice->next) {
		printf("%s: ",
		    advice->level == CTL_ADVICE_WARNING ? "warning" : "error");
		if (advice->node->domain[0] != '\0' && advice->len > 0) {
			put(advice->node->domain);
			fputs(": ", stdout);
		}
		puts(advice->text);
		if (advice->len == 0)
			continue;
		ctl_caret_make(&caret, advice->node->text, advice->node->len,
		    advice->offset, advice->len);
		printf("    %s\n    %s\n", caret.text, caret.marks);
	}
}

static int
code_of(const struct ctl_advice *advice)
{
	if (advice == NULL)
		return CTL_PASS;
	switch (ctl_advice_worst(advice)) {
	case CTL_ADVICE_WARNING:
		return CTL_WARNINGS;
	case CTL_ADVICE_TEMPORARY:
		return CTL_TEMPERROR;
	case CTL_ADVICE_NONE:
		return CTL_NONE;
	case CTL_ADVICE_ERROR:
		break;
	}
	return CTL_PERMERROR;
}

static const char *
verdict_name(int code)
{
	switch (code) {
	case CTL_PASS:
		return "good";
	case CTL_WARNINGS:
		return "warnings";
	case CTL_TEMPERROR:
		return "temperror";
	case CTL_NONE:
		return "none";
	}
	return "permerror";
}

static void
print_people(const struct ctl *ctl, const struct ctl_survey_node *root,
    const struct ctl_advice *advice)
{
	static const struct {
		int code;
		const char *text;
	} ends[] = {
		{ CTL_PASS, "The record is good." },
		{ CTL_WARNINGS, "The record is valid; see the warnings." },
		{ CTL_TEMPERROR, "DNS failed: ask again later." },
		{ CTL_NONE, "There is no record." },
		{ CTL_PERMERROR, "The record is in error (permerror)." },
	};
	const struct ctl_survey_sum sum = ctl_survey_sum(root);
	int code = code_of(advice);

	print_node(root, 0);
	putchar('\n');
	if (root->state == CTL_SURVEY_RECORD)
		printf("Lookups: %u of %d. Void lookups: %u of %lld for IPv4 "
		       "clients, %u for IPv6 clients.\n",
		    sum.lookups, SPFGUARD_LOOKUPS_MAX, sum.voids[0],
		    (long long)ctl->options->void_limit, sum.voids[1]);
	print_advice(advice);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (ends[i].code == code)
			puts(ends[i].text);
	}
}

static void
json_str(struct json *json, const char *name, const char *text)
{
	json_text(json, name, text, strlen(text));
}

static void
json_lookups(struct json *json, const struct ctl_survey_lookup *lookup)
{
	json_open(json, "lookups", '[');
	for (; lookup != NULL; lookup = lookup->next) {
		if (!lookup->asked)
			continue;
		json_open(json, NULL, '{');
		json_str(json, "type", dnspacket_type_name(lookup->type));
		json_str(json, "name", lookup->name);
		json_str(json, "status", dns_status_name(lookup->status));
		json_int(json, "count", (int64_t)lookup->count);
		json_str(json, "answer", lookup->text);
		json_close(json);
	}
	json_close(json);
}

/* A row for the node, then rows for those below it. */
static void
json_node(struct json *json, const struct ctl_survey_node *node)
{
	json_open(json, NULL, '{');
	json_int(json, "depth", node->depth);
	json_str(json, "domain", node->domain);
	json_str(json, "state", state_name(node));
	if (node->len > 0)
		json_text(json, "record", node->text, node->len);
	else
		json_null(json, "record");
	json_int(json, "lookups", ctl_survey_sum(node).lookups);
	json_open(json, "terms", '[');
	for (size_t i = 0; i < node->count; i++) {
		const struct ctl_survey_term *term = &node->terms[i];

		json_open(json, NULL, '{');
		json_text(json, "term", term->source.start, term->source.len);
		if (term->name != NULL)
			json_str(json, "name", term->name);
		else
			json_null(json, "name");
		json_lookups(json, term->lookups);
		json_close(json);
	}
	json_close(json);
	json_close(json);
	for (size_t i = 0; i < node->count; i++) {
		if (node->terms[i].inner != NULL)
			json_node(json, node->terms[i].inner);
	}
}

static void
print_json(const struct ctl *ctl, const struct ctl_survey_node *root,
    const struct ctl_advice *advice)
{
	const struct ctl_survey_sum sum = ctl_survey_sum(root);
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	json_str(&json, "domain", root->domain);
	json_str(&json, "verdict", verdict_name(code_of(advice)));
	json_int(&json, "lookups", sum.lookups);
	json_int(&json, "lookup_limit", SPFGUARD_LOOKUPS_MAX);
	json_int(&json, "void_lookups_ipv4", sum.voids[0]);
	json_int(&json, "void_lookups_ipv6", sum.voids[1]);
	json_int(&json, "void_limit", ctl->options->void_limit);
	json_open(&json, "records", '[');
	json_node(&json, root);
	json_close(&json);
	json_open(&json, "findings", '[');
	for (; advice != NULL; advice = advice->next) {
		json_open(&json, NULL, '{');
		json_str(&json, "level", ctl_advice_level_name(advice->level));
		json_str(&json, "code", advice->code);
		json_str(&json, "domain", advice->node->domain);
		json_str(&json, "text", advice->text);
		if (advice->len > 0) {
			json_int(&json, "offset", (int64_t)advice->offset);
			json_int(&json, "length", (int64_t)advice->len);
		}
		json_close(&json);
	}
	json_close(&json);
	json_close(&json);
}

static int
report(const struct ctl *ctl, const struct ctl_survey_node *root)
{
	struct arena *arena = arena_new();
	const struct ctl_advice *advice =
	    ctl_advice_make(root, (unsigned)ctl->options->void_limit, arena);
	int code = code_of(advice);

	if (ctl->json)
		print_json(ctl, root, advice);
	else
		print_people(ctl, root, advice);
	arena_free(&arena);
	return ctl_finish(code);
}

/* Returns 0, or EX_USAGE after a message. */
static int
take_domain(
    const struct ctl *ctl, const char *text, char domain[static SPFIDN_SIZE])
{
	domain[0] = '\0';
	if (text == NULL && ctl->text == NULL)
		return ctl_fail(EX_USAGE, "record: name a domain, or give a "
					  "record with --text");
	if (text != NULL &&
	    (!spfidn_to_ascii(text, domain) || !spfrecord_domain_ok(domain)))
		return ctl_fail(EX_USAGE,
		    "%.200s is no domain that can have "
		    "a record",
		    text);
	if (ctl->text == NULL && ctl->offline)
		return ctl_fail(EX_USAGE, "--offline needs a record with "
					  "--text");
	return 0;
}

int
ctl_record(struct ctl *ctl, int count, char **words)
{
	const char *name = count > 1 ? words[1] : NULL;
	struct ctl_survey *survey;
	char domain[SPFIDN_SIZE];
	int code;

	if (count > 2)
		return ctl_fail(EX_USAGE, "record: one domain at a time");
	if (take_domain(ctl, name, domain) != 0)
		return EX_USAGE;
	code = ctl->offline ? 0 : ctl_open(ctl);
	if (code != 0)
		return code;
	survey = ctl->text == NULL
		     ? ctl_survey_domain(ctl->dns, domain, on_done, ctl)
		     : ctl_survey_text(ctl->dns, domain, ctl->text,
			   strlen(ctl->text), on_done, ctl);
	if (!ctl_survey_is_done(survey))
		ctl_run(ctl);
	code = report(ctl, ctl_survey_root(survey));
	ctl_survey_free(&survey);
	return code;
}
