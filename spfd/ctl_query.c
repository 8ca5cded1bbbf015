/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sysexits.h>

#include "common/arena.h"
#include "common/json.h"
#include "common/spfguard.h"
#include "common/str.h"

#include "spfd/answer.h"
#include "spfd/ctl.h"
#include "spfd/findings.h"
#include "spfd/settings.h"
#include "spfd/text.h"

#define INDENT_MAX 40
#define WHAT_COLUMNS 36
/* The trace's word for the end. */
#define RESULT "result"

/* A term or a lookup, and what came of it. */
struct step {
	struct step *next;
	unsigned depth;
	const char *what, *outcome;
};

/* The check of an identity. */
struct check {
	struct query *query;
	enum spf_identity identity;
	struct spf_check *running;
	struct step *steps, **end;
	struct finding finding; /* with copies of the texts */
	unsigned lookups, void_lookups, questions;
};

struct query {
	struct ctl *ctl;
	struct arena *arena;
	struct settings *settings;
	struct ip ip;
	char client[IP_TEXT_SIZE];
	const char *helo, *sender;
	struct check checks[2];
	size_t count, open;
};

static void
on_step(void *arg, unsigned depth, const char *what, const char *outcome)
{
	struct check *check = arg;
	struct step *step;

	if (strcmp(what, RESULT) == 0)
		return;
	step = arena_alloc(check->query->arena, sizeof(*step));
	step->depth = depth;
	step->what = arena_strdup(check->query->arena, what);
	step->outcome = arena_strdup(check->query->arena, outcome);
	*check->end = step;
	check->end = &step->next;
}

static void
on_output(void *arg, const struct spf_output *output)
{
	struct check *check = arg;

	check->running = NULL;
	findings_take(&check->finding, output);
	check->lookups = output->lookups;
	check->void_lookups = output->void_lookups;
	check->questions = output->questions;
	if (--check->query->open == 0)
		ctl_stop(check->query->ctl);
}

static void
start(struct query *query, enum spf_identity identity)
{
	struct check *check = &query->checks[query->count++];
	const struct spf_input input = {
		.identity = identity,
		.ip = query->ip,
		.helo = query->helo,
		.sender = query->sender,
		.receiver = query->settings->hostname,
		.timeout_ms = query->settings->lookup_ms,
		.void_limit = query->settings->void_limit,
	};

	check->query = query;
	check->identity = identity;
	check->end = &check->steps;
	query->open++;
	check->running = spf_start(query->ctl->spf, &input, on_output, check);
	spf_set_trace(check->running, on_step, check);
}

/* A lookup is "TYPE NAME"; terms have no blanks. */
static bool
is_lookup(const struct step *step)
{
	return strchr(step->what, ' ') != NULL;
}

static void
put(const char *text)
{
	ctl_put(text, strlen(text));
}

static void
print_step(const struct step *step)
{
	unsigned columns = 2 * step->depth;
	size_t width = strlen(step->what);

	printf("  %-5s%*s", is_lookup(step) ? "dns" : "term",
	    (int)(columns < INDENT_MAX ? columns : INDENT_MAX), "");
	put(step->what);
	printf("%*s  ", width < WHAT_COLUMNS ? (int)(WHAT_COLUMNS - width) : 0,
	    "");
	put(step->outcome);
	putchar('\n');
}

static void
print_field(const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	printf("  %-12s ", name);
	put(text);
	putchar('\n');
}

static const char *
identity_name(const struct check *check)
{
	return check->identity == SPF_CHECK_HELO ? "HELO" : "MAIL FROM";
}

static void
print_check(const struct query *query, const struct check *check)
{
	const struct finding *finding = &check->finding;
	bool by_helo =
	    check->identity == SPF_CHECK_HELO || query->sender[0] == '\0';
	char sentence[TEXT_SENTENCE_SIZE];

	printf("%s ", identity_name(check));
	put(by_helo ? query->helo : query->sender);
	printf(" from %s\n", query->client);
	for (const struct step *s = check->steps; s != NULL; s = s->next)
		print_step(s);
	print_field("result", spf_result_name(finding->result));
	print_field("which means",
	    finding->domain[0] == '\0'
		? "this is no domain that can have a record"
		: text_sentence(finding, query->client, sentence));
	print_field("matched", finding->mechanism);
	print_field("explanation", finding->explanation);
	printf("  %-12s %u of %d; void lookups: %u of %u; DNS questions: "
	       "%u\n\n",
	    "lookups", check->lookups, SPFGUARD_LOOKUPS_MAX,
	    check->void_lookups, query->settings->void_limit, check->questions);
}

/* With No_Mail only the plainest of records rejects: the trace shows it. */
static void
note_record(struct check *check)
{
	const char *first = check->steps != NULL ? check->steps->outcome : "";

	check->finding.record = str_equal_nocase(first, "v=spf1 -all")
				    ? FINDINGS_RECORD_NO_MAIL
				    : FINDINGS_RECORD_OTHER;
}

/* What spfd would answer with these settings; whitelists by name are not
 * looked at. */
static void
make_answer(struct query *query, struct answer *answer)
{
	const struct policy *policy = query->settings->policy;
	const struct answer_request request = {
		.client = query->client,
		.client_address = query->client,
		.client_name = "",
		.helo = query->helo,
		.sender = query->sender,
		.recipient = "",
		.queue_id = "",
	};
	struct findings findings = { .lists_done = true };

	for (size_t i = 0; i < query->count; i++) {
		struct check *check = &query->checks[i];

		note_record(check);
		if (check->identity == SPF_CHECK_HELO)
			findings.helo = check->finding;
		else
			findings.mailfrom = check->finding;
	}
	findings.bypass = policy_bypass(policy, &query->ip, query->sender);
	answer_make(query->settings, policy, &request, &findings, answer);
}

static void
json_str(struct json *json, const char *name, const char *text)
{
	json_text(json, name, text, strlen(text));
}

static void
json_check(
    struct json *json, const struct query *query, const struct check *check)
{
	const struct finding *finding = &check->finding;

	json_open(json, NULL, '{');
	json_str(json, "identity",
	    check->identity == SPF_CHECK_HELO ? "helo" : "mailfrom");
	json_str(json, "domain", finding->domain);
	json_str(json, "result", spf_result_name(finding->result));
	json_str(json, "mechanism", finding->mechanism);
	json_str(json, "problem", finding->problem);
	json_str(json, "explanation", finding->explanation);
	json_int(json, "lookups", check->lookups);
	json_int(json, "lookup_limit", SPFGUARD_LOOKUPS_MAX);
	json_int(json, "void_lookups", check->void_lookups);
	json_int(json, "void_limit", query->settings->void_limit);
	json_int(json, "questions", check->questions);
	json_open(json, "steps", '[');
	for (const struct step *s = check->steps; s != NULL; s = s->next) {
		json_open(json, NULL, '{');
		json_int(json, "depth", s->depth);
		json_str(json, "kind", is_lookup(s) ? "lookup" : "term");
		json_str(json, "what", s->what);
		json_str(json, "outcome", s->outcome);
		json_close(json);
	}
	json_close(json);
	json_close(json);
}

static void
print_json(const struct query *query, const struct answer *answer)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	json_str(&json, "client", query->client);
	json_str(&json, "helo", query->helo);
	json_str(&json, "sender", query->sender);
	json_open(&json, "checks", '[');
	for (size_t i = 0; i < query->count; i++)
		json_check(&json, query, &query->checks[i]);
	json_close(&json);
	json_str(&json, "answer", answer->action);
	json_close(&json);
}

static int
code_of(enum spf_result result)
{
	switch (result) {
	case SPF_CHECK_NONE:
		return CTL_NONE;
	case SPF_CHECK_NEUTRAL:
		return CTL_NEUTRAL;
	case SPF_CHECK_PASS:
		return CTL_PASS;
	case SPF_CHECK_FAIL:
		return CTL_FAIL;
	case SPF_CHECK_SOFTFAIL:
		return CTL_SOFTFAIL;
	case SPF_CHECK_TEMPERROR:
		return CTL_TEMPERROR;
	case SPF_CHECK_PERMERROR:
		break;
	}
	return CTL_PERMERROR;
}

static int
report(struct query *query)
{
	struct answer answer;

	make_answer(query, &answer);
	if (query->ctl->json) {
		print_json(query, &answer);
	} else {
		for (size_t i = 0; i < query->count; i++)
			print_check(query, &query->checks[i]);
		fputs("spfd would answer: ", stdout);
		put(answer.action);
		putchar('\n');
	}
	return ctl_finish(
	    code_of(query->checks[query->count - 1].finding.result));
}

/* Takes <> off. */
static const char *
bare_sender(struct arena *arena, const char *text)
{
	size_t len = strlen(text);

	if (len >= 2 && text[0] == '<' && text[len - 1] == '>')
		return arena_strndup(arena, text + 1, len - 2);
	return text;
}

static int
take_words(struct query *query, int count, char **words)
{
	if (count < 3 || count > 4)
		return ctl_fail(EX_USAGE, "query: write IP SENDER [HELO]");
	if (!ip_parse(words[1], &query->ip))
		return ctl_fail(
		    EX_USAGE, "query: %.100s is no address", words[1]);
	query->sender = bare_sender(query->arena, words[2]);
	query->helo = count > 3 ? words[3] : "";
	if (query->sender[0] == '\0' && query->helo[0] == '\0')
		return ctl_fail(EX_USAGE, "query: a null sender is checked by "
					  "its HELO name, which is missing");
	ip_format(&query->ip, query->client);
	return 0;
}

static void
close_query(struct query *query)
{
	for (size_t i = 0; i < query->count; i++) {
		spf_cancel(&query->checks[i].running);
		findings_drop(&query->checks[i].finding);
	}
	settings_release(&query->settings);
	arena_free(&query->arena);
}

int
ctl_query(struct ctl *ctl, int count, char **words)
{
	struct query query = { .ctl = ctl, .arena = arena_new() };
	struct err err;
	int code = take_words(&query, count, words);

	if (code != 0)
		goto out;
	query.settings = settings_load(ctl->config, &err);
	if (query.settings == NULL) {
		code = ctl_fail(EX_CONFIG, "%s", err.text);
		goto out;
	}
	code = ctl_open(ctl);
	if (code != 0)
		goto out;
	if (query.helo[0] != '\0')
		start(&query, SPF_CHECK_HELO);
	if (query.sender[0] != '\0')
		start(&query, SPF_CHECK_MAILFROM);
	ctl_run(ctl);
	code = report(&query);
out:
	close_query(&query);
	return code;
}
