/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "spfd/text.h"

static char domain[] = "example.org";
static char mechanism[] = "all";
static char problem[] = "DNS\ttimed out";
static char explanation[] = "see {url}\x80";
static char empty[] = "";

static struct finding
finding(enum spf_result result)
{
	return (struct finding){ .is_known = true,
		.result = result,
		.domain = domain,
		.mechanism = mechanism,
		.problem = problem,
		.explanation = explanation };
}

static const struct {
	enum spf_result result;
	const char *want;
} sentences[] = {
	{ SPF_CHECK_NONE, "example.org has no SPF record" },
	{ SPF_CHECK_NEUTRAL, "example.org does not say whether 192.0.2.1 may "
			     "send for it" },
	{ SPF_CHECK_PASS, "192.0.2.1 is allowed to send for example.org" },
	{ SPF_CHECK_FAIL, "192.0.2.1 is not allowed to send for "
			  "example.org" },
	{ SPF_CHECK_SOFTFAIL, "192.0.2.1 is probably not allowed to send for "
			      "example.org" },
	{ SPF_CHECK_TEMPERROR, "SPF Temporary Error: example.org: "
			       "DNS?timed out" },
	{ SPF_CHECK_PERMERROR, "SPF Permanent Error: example.org: "
			       "DNS?timed out" },
};

static const struct {
	const char *name, *template, *want;
} replies[] = {
	{ "plain", "No", "No" },
	{ "empty", "", "" },
	{ "braces", "{{}} {{spf}}", "{} {spf}" },
	{ "values", "{rejectdefer} {result} {identity} {domain} {mechanism}",
	    "rejected fail mailfrom example.org all" },
	{ "request", "{client} {helo} {sender} {receiver} {hostname}",
	    "192.0.2.1 h?\"x a%b@c r.example mx.example" },
	{ "explanation", "{explanation}", "see {url}?" },
	{ "spf", "{spf}.",
	    "192.0.2.1 is not allowed to send for example.org; "
	    "example.org explains: see {url}?." },
	{ "url", "{url}", "http://x/a%25b@c?h%01%22x{}" },
	{ "8 bit in the template", "\xc3\xa4", "??" },
	{ "unknown stays", "{moo}", "{moo}" },
	{ "no end", "a{spf", "a{spf" },
};

static const struct {
	const char *template;
	bool valid;
	const char *sentence;
} templates[] = {
	{ "", true, "" },
	{ "Message {rejectdefer} due to: {spf}. Please see {url}", true, "" },
	{ "{{x}}", true, "" },
	{ "{moo}", false, "{moo} is unknown; there are {rejectdefer}" },
	{ "{}", false, "{} is unknown" },
	{ "{", false, "{} is unknown" },
	{ "}", false, "\"}\" without \"{\"" },
	{ "{spf", false, "{spf} is unknown" },
	{ "{{{spf}}}", true, "" },
};

static struct text_values
values_of(const struct finding *f)
{
	return (struct text_values){ .identity = SPF_CHECK_MAILFROM,
		.finding = f,
		.client = "192.0.2.1",
		.helo = "h\x01\"x",
		.sender = "a%b@c",
		.receiver = "r.example",
		.hostname = "mx.example",
		.url = "http://x/{sender}?{helo}{url}{spf}{{}}" };
}

static void
test_long(void)
{
	static char text[3000];
	struct finding f = finding(SPF_CHECK_FAIL);
	struct text_values values = values_of(&f);
	char out[TEXT_REPLY_SIZE], log[TEXT_LOG_SIZE];
	char sentence[TEXT_SENTENCE_SIZE];

	memset(text, 'x', sizeof(text) - 1);
	f.domain = f.problem = f.explanation = text;
	check_uint("sentence", strlen(text_sentence(&f, text, sentence)),
	    253 + strlen(" is not allowed to send for ") + 253);
	f.result = SPF_CHECK_PERMERROR;
	check_true("problem",
	    strlen(text_sentence(&f, text, sentence)) < TEXT_SENTENCE_SIZE - 1);
	f.result = SPF_CHECK_FAIL;
	check_uint("reply", strlen(text_reply("{spf}", &values, out)), 400);
	text_log(&(struct text_event){ .queue_id = text,
		     .action = "reject",
		     .reason = text,
		     .finding = &f,
		     .client_name = text,
		     .client_address = text,
		     .helo = text,
		     .sender = text,
		     .recipient = text },
	    log);
	check_true("log", strlen(log) < TEXT_LOG_SIZE - 1);
}

static void
test_log(void)
{
	struct finding f = finding(SPF_CHECK_TEMPERROR);
	struct text_event event = { .queue_id = "3Q\n",
		.action = "defer",
		.finding = &f,
		.identity = SPF_CHECK_MAILFROM,
		.client_name = "mx.a",
		.client_address = "192.0.2.1",
		.helo = "h",
		.sender = "a,b@c%",
		.recipient = "" };
	char out[TEXT_LOG_SIZE];

	f.lookups = 3;
	text_log(&event, out);
	check_str("all of it", out,
	    "3Q%0A: action=defer, identity=mailfrom, "
	    "result=temperror, domain=example.org, mechanism=all, "
	    "problem=DNS%09timed out, lookups=3, client_name=mx.a, "
	    "client_address=192.0.2.1, helo=h, sender=a%2Cb@c%");
	event = (struct text_event){ .action = "dunno", .reason = "r" };
	text_log(&event, out);
	check_str("nearly nothing", out, "action=dunno, reason=r");
}

int
main(void)
{
	char sentence[TEXT_SENTENCE_SIZE], out[TEXT_REPLY_SIZE];
	struct finding f;
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(sentences); i++) {
		f = finding(sentences[i].result);
		check_str("sentence", text_sentence(&f, "192.0.2.1", sentence),
		    sentences[i].want);
	}
	f = finding(SPF_CHECK_NONE);
	f.domain = empty;
	check_str("no domain", text_sentence(&f, "192.0.2.1", sentence),
	    "the name has no SPF record");
	for (size_t i = 0; i < CHECK_COUNT(replies); i++) {
		struct text_values values;

		f = finding(SPF_CHECK_FAIL);
		values = values_of(&f);
		check_str(replies[i].name,
		    text_reply(replies[i].template, &values, out),
		    replies[i].want);
	}
	for (size_t i = 0; i < CHECK_COUNT(templates); i++) {
		bool valid;

		err.text[0] = '\0';
		valid = text_check_template(templates[i].template, &err) == 0;
		check_bool(templates[i].template, valid, templates[i].valid);
		check_contains(
		    templates[i].template, err.text, templates[i].sentence);
	}
	test_log();
	test_long();
	return check_done();
}
