/* SPDX-License-Identifier: ISC */
/*
 * DNS is played here: dns_ask and its like are this file's own, answers come
 * from a zone in memory when the test says so. So are the clocks.
 */
#include <ev.h>

#include "common/now.h"
#include "common/spf.h"

#include "tests/unit/spfrig.h"

struct dns_question {
	struct dns_question *next;
	char name[256];
	enum dnspacket_type type;
	dns_callback *callback;
	void *arg;
};

struct dns {
	struct ev_loop *loop;
	struct dns_question *questions; /* the oldest first */
	unsigned asked;
};

static struct dns dns;
static struct spfzone zone;
static uint32_t ttl; /* of all answers, but those about "short..." */
static int64_t clock_ms, clock_wall_s;
static bool cached; /* is all of the zone in the cache? */

int64_t
now_wall_s(void)
{
	return clock_wall_s;
}

int64_t
now_mono_ms(void)
{
	return clock_ms;
}

int64_t
now_mono_us(void)
{
	return clock_ms * 1000;
}

struct ev_loop *
dns_loop(const struct dns *d)
{
	return d->loop;
}

struct dns_question *
dns_ask(struct dns *d, const char *name, enum dnspacket_type type,
    dns_callback *callback, void *arg)
{
	struct dns_question *q = xmem_calloc(1, sizeof(*q)), **end;

	snprintf(q->name, sizeof(q->name), "%s", name);
	q->type = type;
	q->callback = callback;
	q->arg = arg;
	for (end = &d->questions; *end != NULL; end = &(*end)->next)
		;
	*end = q;
	d->asked++;
	return q;
}

static void
take_out(struct dns_question *question)
{
	struct dns_question **q = &dns.questions;

	while (*q != question)
		q = &(*q)->next;
	*q = question->next;
}

void
dns_cancel(struct dns_question **question)
{
	if (*question == NULL)
		return;
	take_out(*question);
	xmem_free(question);
}

static struct dns_answer
answer_of(const struct dns_question *question)
{
	static const enum dns_status statuses[] = {
		[SPFANSWERS_FOUND] = DNS_FOUND,
		[SPFANSWERS_NO_DATA] = DNS_NO_DATA,
		[SPFANSWERS_NO_NAME] = DNS_NO_NAME,
		[SPFANSWERS_TEMPORARY] = DNS_TEMPORARY,
	};
	struct spfanswers_answer found =
	    spfzone_answer(&zone, question->name, question->type);

	return (struct dns_answer){ .status = statuses[found.status],
		.ttl = found.status == SPFANSWERS_TEMPORARY       ? 0
		       : strncmp(question->name, "short", 5) == 0 ? 5
								  : ttl,
		.count = found.count,
		.records = found.records };
}

bool
dns_take(struct dns_question **question, struct dns_answer *answer_r)
{
	if (!cached)
		return false;
	*answer_r = answer_of(*question);
	take_out(*question);
	xmem_free(question);
	return true;
}

/* Answers one question. */
static void
answer(struct dns_question *question)
{
	struct dns_answer a = answer_of(question);

	take_out(question);
	question->callback(question->arg, &a);
	xmem_free(&question);
}

struct got {
	unsigned calls;
	enum spf_result result;
	char domain[256], mechanism[256], problem[256], explanation[512];
	unsigned lookups, void_lookups, questions;
};

static void
on_result(void *arg, const struct spf_output *output)
{
	struct got *got = arg;

	got->calls++;
	got->result = output->result;
	snprintf(got->domain, sizeof(got->domain), "%s", output->domain);
	snprintf(
	    got->mechanism, sizeof(got->mechanism), "%s", output->mechanism);
	snprintf(got->problem, sizeof(got->problem), "%s", output->problem);
	snprintf(got->explanation, sizeof(got->explanation), "%s",
	    output->explanation);
	got->lookups = output->lookups;
	got->void_lookups = output->void_lookups;
	got->questions = output->questions;
}

static void
add(const char *record)
{
	struct spfrig rig = { .zone = zone };

	spfrig_add(&rig, record);
	zone = rig.zone;
}

static struct spf_input
input_of(const char *sender)
{
	struct spf_input input = { .identity = SPF_CHECK_MAILFROM,
		.ip = { IP_V4, { 192, 0, 2, 1 } },
		.helo = "helo.example.net",
		.sender = sender,
		.receiver = "mx.example.com",
		.timeout_ms = 20000,
		.void_limit = 2 };

	return input;
}

static struct spf *
open_spf(void)
{
	struct err err;
	struct spf *spf = spf_new(&dns, &err);

	if (spf == NULL)
		abort();
	dns.asked = 0;
	return spf;
}

static void
turn(void)
{
	ev_run(dns.loop, EVRUN_NOWAIT);
}

static struct got
run_check(struct spf *spf, const struct spf_input *input)
{
	struct got got = { .calls = 0 };

	spf_start(spf, input, on_result, &got);
	for (turn(); dns.questions != NULL;)
		answer(dns.questions);
	return got;
}

/* One check to its end. */
static struct got
check_by(struct spf *spf, const struct spf_input *input)
{
	struct got got = run_check(spf, input);

	check_uint("one callback", got.calls, 1);
	check_uint("nothing open", spf_open(spf), 0);
	return got;
}

/* By an evaluator that knows nothing. */
static struct got
check(const struct spf_input *input)
{
	struct spf *spf = open_spf();
	struct got got = check_by(spf, input);

	spf_free(&spf);
	return got;
}

static void
test_identity(void)
{
	static const struct {
		const char *name;
		enum spf_identity identity;
		const char *helo, *sender;
		enum spf_result want;
		const char *domain;
	} rows[] = {
		{ "sender", SPF_CHECK_MAILFROM, "x", "a@example.org",
		    SPF_CHECK_PASS, "example.org" },
		{ "several @", SPF_CHECK_MAILFROM, "x", "\"b@x\"@example.org",
		    SPF_CHECK_PASS, "example.org" },
		{ "dot at the end", SPF_CHECK_MAILFROM, "x", "a@example.org.",
		    SPF_CHECK_PASS, "example.org" },
		{ "null sender", SPF_CHECK_MAILFROM, "example.org", "",
		    SPF_CHECK_PASS, "example.org" },
		{ "HELO", SPF_CHECK_HELO, "example.org", "a@example.com",
		    SPF_CHECK_PASS, "example.org" },
		{ "HELO is a literal", SPF_CHECK_HELO, "[192.0.2.1]", "",
		    SPF_CHECK_NONE, "" },
		{ "no HELO", SPF_CHECK_HELO, "", "", SPF_CHECK_NONE, "" },
		{ "nobody", SPF_CHECK_MAILFROM, "", "", SPF_CHECK_NONE, "" },
		{ "no local part", SPF_CHECK_MAILFROM, "x", "@l.example.org",
		    SPF_CHECK_PASS, "l.example.org" },
		{ "no @", SPF_CHECK_MAILFROM, "x", "l.example.org",
		    SPF_CHECK_PASS, "l.example.org" },
		{ "no domain", SPF_CHECK_MAILFROM, "x", "a@", SPF_CHECK_NONE,
		    "" },
		{ "one label", SPF_CHECK_MAILFROM, "x", "a@localhost",
		    SPF_CHECK_NONE, "" },
		{ "U-labels", SPF_CHECK_MAILFROM, "x",
		    "a@b\303\274cher.example", SPF_CHECK_PASS,
		    "xn--bcher-kva.example" },
		{ "U-labels not composed", SPF_CHECK_MAILFROM, "x",
		    "a@bu\314\210cher.example", SPF_CHECK_PASS,
		    "xn--bcher-kva.example" },
		{ "in capitals", SPF_CHECK_MAILFROM, "x",
		    "a@B\303\234CHER.example", SPF_CHECK_PASS,
		    "xn--bcher-kva.example" },
		{ "A-labels", SPF_CHECK_MAILFROM, "x",
		    "a@xn--bcher-kva.example", SPF_CHECK_PASS,
		    "xn--bcher-kva.example" },
		{ "no UTF-8", SPF_CHECK_MAILFROM, "x", "a@\377.example",
		    SPF_CHECK_NONE, "" },
	};

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 ip4:192.0.2.1 -all\n"
	    "l.example.org TXT v=spf1 exists:%{l}.%{o} -all\n"
	    "postmaster.l.example.org A 127.0.0.2\n"
	    "xn--bcher-kva.example TXT v=spf1 exists:%{o} -all\n"
	    "xn--bcher-kva.example A 127.0.0.2");
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spf_input input = input_of(rows[i].sender);
		struct got got;

		input.identity = rows[i].identity;
		input.helo = rows[i].helo;
		got = check(&input);
		check_str(rows[i].name, spf_result_name(got.result),
		    spf_result_name(rows[i].want));
		check_str(rows[i].name, got.domain, rows[i].domain);
	}
}

static void
test_output(void)
{
	struct spf_input input = input_of("a@example.org");
	struct got got;

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 a:v.org mx exp=e.org -all\n"
	    "example.org MX m1.org\nexample.org MX m2.org\n"
	    "m1.org A 10.0.0.1\nm2.org A 10.0.0.2\n"
	    "e.org TXT %{h} for %{r}: %{s} at %{t}");
	clock_wall_s = 1700000000;
	got = check(&input);
	check_str("result", spf_result_name(got.result), "fail");
	check_str("mechanism", got.mechanism, "all");
	check_str("problem", got.problem, "");
	check_str("explanation", got.explanation,
	    "helo.example.net for "
	    "mx.example.com: a@example.org at 1700000000");
	check_uint("lookups", got.lookups, 2);
	check_uint("void lookups", got.void_lookups, 1);
	check_uint("questions", got.questions, 6);
	check_uint("each asked once", dns.asked, 6);
}

static void
test_later(void)
{
	struct spf_input input = input_of("a@localhost");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };
	struct spf_check *cancelled;

	spf_start(spf, &input, on_result, &got);
	check_uint("not before spf_start returns", got.calls, 0);
	check_uint("one open", spf_open(spf), 1);
	turn();
	check_uint("but then", got.calls, 1);
	cancelled = spf_start(spf, &input, on_result, &got);
	spf_cancel(&cancelled);
	check_true("is NULL", cancelled == NULL);
	spf_cancel(&cancelled);
	turn();
	check_uint("cancelled before it began", got.calls, 1);
	spf_free(&spf);
	check_true("freed", spf == NULL);
	spf_free(&spf);
}

/* Answers may come in any order; each brings the check on. */
static void
test_order(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 mx -all\nexample.org MX m1.org\n"
	    "example.org MX m2.org\nexample.org MX m3.org\n"
	    "m1.org A 10.0.0.1\nm2.org A 192.0.2.1\nm3.org A 10.0.0.1");
	spf_start(spf, &input, on_result, &got);
	turn();
	answer(dns.questions);
	answer(dns.questions);
	check_uint("three hosts at once", dns.asked, 5);
	answer(dns.questions->next);
	check_uint("the first is still missing", got.calls, 0);
	answer(dns.questions);
	check_uint("the third is not waited for", got.calls, 1);
	check_str("pass", spf_result_name(got.result), "pass");
	check_true("and not asked any more", dns.questions == NULL);
	spf_free(&spf);
}

/* Names of the first record that need no answer before are asked at once,
 * those of an include are not. */
static void
test_side_by_side(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 include:b.org a:c.org mx "
	    "exists:%{i}.d.org ip4:192.0.2.1 a:after.org -all\n"
	    "b.org TXT v=spf1 a:e.org a:f.org -all\n"
	    "c.org A 10.0.0.1\ne.org A 10.0.0.1\nf.org A 10.0.0.1");
	spf_start(spf, &input, on_result, &got);
	turn();
	answer(dns.questions);
	check_uint("the record, and three of its terms", dns.asked, 4);
	answer(dns.questions->next);
	answer(dns.questions->next);
	check_uint("others bring nothing on", dns.asked, 4);
	answer(dns.questions);
	check_uint("the include's first", dns.asked, 5);
	answer(dns.questions);
	check_uint("then its second", dns.asked, 6);
	answer(dns.questions);
	check_uint("then exists, the rest is there", dns.asked, 7);
	answer(dns.questions);
	check_str("pass", spf_result_name(got.result), "pass");
	check_uint("terms of both records", got.lookups, 6);
	spf_free(&spf);
}

static void
test_cached(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 include:b.org mx a:void.org -all\n"
	    "b.org TXT v=spf1 a:c.org -all\nc.org A 10.0.0.1\n"
	    "example.org MX m1.org\nexample.org MX m2.org\n"
	    "m1.org A 10.0.0.1\nm2.org A 10.0.0.2");
	cached = true;
	spf_start(spf, &input, on_result, &got);
	check_uint("still not before spf_start returns", got.calls, 0);
	turn();
	check_uint("but in the first turn", got.calls, 1);
	check_str("fail", spf_result_name(got.result), "fail");
	check_uint("questions", got.questions, 7);
	check_uint("void lookups", got.void_lookups, 1);
	cached = false;
	spf_free(&spf);
}

static void
test_cancel(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };
	struct spf_check *checks[5];

	for (size_t i = 0; i < CHECK_COUNT(checks); i++)
		checks[i] = spf_start(spf, &input, on_result, &got);
	turn();
	check_uint("all ask", dns.asked, 5);
	spf_cancel(&checks[2]);
	spf_cancel(&checks[0]);
	spf_cancel(&checks[4]);
	check_uint("two are open", spf_open(spf), 2);
	check_true("and ask", dns.questions != NULL &&
				  dns.questions->next != NULL &&
				  dns.questions->next->next == NULL);
	spf_free(&spf);
	check_true("then none", dns.questions == NULL);
	check_uint("nobody was called", got.calls, 0);
}

static void
test_timeout(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 }, patient = { .calls = 0 };

	spf_start(spf, &input, on_result, &patient);
	input.timeout_ms = 20;
	spf_start(spf, &input, on_result, &got);
	while (got.calls == 0)
		ev_run(dns.loop, EVRUN_ONCE);
	check_str("temperror", spf_result_name(got.result), "temperror");
	check_contains("says why", got.problem, "DNS did not answer within");
	check_uint("one with more time goes on", spf_open(spf), 1);
	check_true("the other asks no more",
	    dns.questions != NULL && dns.questions->next == NULL);
	spf_free(&spf);
	check_uint("until it is freed", patient.calls, 0);
}

static struct spf *freed_by_callback;

static void
on_result_free(void *arg, const struct spf_output *output)
{
	on_result(arg, output);
	spf_free(&freed_by_callback);
}

static void
test_free_in_callback(void)
{
	struct spf_input input = input_of("a@example.org");
	struct got first = { .calls = 0 }, second = { .calls = 0 };

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 -all");
	freed_by_callback = open_spf();
	spf_start(freed_by_callback, &input, on_result_free, &first);
	turn();
	spf_start(freed_by_callback, &input, on_result, &second);
	turn();
	answer(dns.questions);
	check_uint("the first was called", first.calls, 1);
	check_uint("the other cancelled", second.calls, 0);
	check_true("its question too", dns.questions == NULL);
}

/* Statuses of DNS that say nothing about the domain. */
static void
test_bogus(void)
{
	static const enum dns_status rows[] = { DNS_BOGUS, DNS_TEMPORARY };

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spf_input input = input_of("a@example.org");
		struct spf *spf = open_spf();
		struct got got = { .calls = 0 };
		struct dns_answer a = { .status = rows[i] };
		struct dns_question *q;

		spf_start(spf, &input, on_result, &got);
		turn();
		q = dns.questions;
		take_out(q);
		q->callback(q->arg, &a);
		xmem_free(&q);
		check_str(
		    "temperror", spf_result_name(got.result), "temperror");
		spf_free(&spf);
	}
}

/* As many hosts and names of the client as are allowed are too many. */
static void
test_questions(void)
{
	struct spf_input input = input_of("a@example.org");
	char line[128];
	struct got got;

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 mx:0.org mx:1.org mx:2.org mx:3.org "
	    "mx:4.org mx:5.org mx:6.org mx:7.org mx:8.org mx:%{p9}.x.org "
	    "exp=e.org -all");
	for (unsigned i = 0; i < 100; i++) {
		snprintf(line, sizeof(line),
		    "%u.org MX m%u.org\n"
		    "m%u.org A 10.0.0.1",
		    i / 10, i, i);
		add(line);
		snprintf(line, sizeof(line),
		    "unknown.x.org MX n%u.org\n"
		    "n%u.org A 10.0.0.1\n1.2.0.192.in-addr.arpa PTR p%u.org",
		    i, i, i);
		if (i < 10)
			add(line);
	}
	got = check(&input);
	check_uint("questions", got.questions, 120);
	check_str("result", spf_result_name(got.result), "permerror");
	check_str("why", got.problem, "too many DNS questions");
}

static void
count_step(void *arg, unsigned depth, const char *what, const char *outcome)
{
	(void)depth;
	(void)what;
	(void)outcome;
	++*(unsigned *)arg;
}

static void
test_trace(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };
	unsigned steps = 0;

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 a -all\nexample.org A 192.0.2.1");
	spf_set_trace(
	    spf_start(spf, &input, on_result, &got), count_step, &steps);
	turn();
	answer(dns.questions);
	check_uint("not before it is finished", steps, 0);
	answer(dns.questions);
	check_uint("TXT, A, term and result", steps, 4);
	spf_free(&spf);
}

static bool
is_known(struct spf *spf, const struct spf_input *input)
{
	struct spf_output output;

	return spf_known(spf, input, &output);
}

/* A verdict holds as long as the answers that it rests on, and no longer. */
static void
test_kept(void)
{
	static const struct {
		const char *name, *zone;
		uint32_t ttl;
		enum spf_result result;
		int64_t seconds;
	} rows[] = {
		{ "its record", "example.org TXT v=spf1 ip4:192.0.2.1 -all", 60,
		    SPF_CHECK_PASS, 60 },
		{ "the shortest",
		    "example.org TXT v=spf1 a:short.org a:x.org -all\n"
		    "short.org A 10.0.0.1\nx.org A 192.0.2.1",
		    60, SPF_CHECK_PASS, 5 },
		{ "not what it came by",
		    "example.org TXT v=spf1 a:x.org a:short.org -all\n"
		    "short.org A 10.0.0.1\nx.org A 192.0.2.1",
		    60, SPF_CHECK_PASS, 60 },
		{ "an explanation",
		    "example.org TXT v=spf1 exp=short.org -all\n"
		    "short.org TXT no",
		    60, SPF_CHECK_FAIL, 5 },
		{ "nothing", "", 60, SPF_CHECK_NONE, 60 },
		{ "a void lookup", "example.org TXT v=spf1 a:short.org -all",
		    60, SPF_CHECK_FAIL, 5 },
		{ "an owner's fault", "example.org TXT v=spf1 fault -all", 60,
		    SPF_CHECK_PERMERROR, 60 },
		{ "a TTL of 0", "example.org TXT v=spf1 -all", 0,
		    SPF_CHECK_FAIL, 0 },
		{ "a failure", "error.x FAIL\nexample.org FAIL", 60,
		    SPF_CHECK_TEMPERROR, 0 },
		{ "a failure of a term",
		    "example.org TXT v=spf1 a:error.x -all", 60,
		    SPF_CHECK_TEMPERROR, 0 },
		{ "a failure that is none",
		    "example.org TXT v=spf1 ptr -all\n"
		    "1.2.0.192.in-addr.arpa FAIL",
		    60, SPF_CHECK_FAIL, 0 },
		{ "an explanation that failed",
		    "example.org TXT v=spf1 exp=error.x -all", 60,
		    SPF_CHECK_FAIL, 0 },
		{ "a clock",
		    "example.org TXT v=spf1 exp=e.org -all\ne.org TXT %{t}", 60,
		    SPF_CHECK_FAIL, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spf_input input = input_of("a@example.org");
		struct spf *spf = open_spf();

		spfzone_clear(&zone);
		add(rows[i].zone);
		ttl = rows[i].ttl;
		check_str(rows[i].name,
		    spf_result_name(check_by(spf, &input).result),
		    spf_result_name(rows[i].result));
		clock_ms += rows[i].seconds * 1000 - 1;
		check_bool(
		    rows[i].name, is_known(spf, &input), rows[i].seconds > 0);
		clock_ms += 1;
		check_false("no longer", is_known(spf, &input));
		spf_free(&spf);
	}
	ttl = 0;
}

/* What DNS says now is seen when the time is up, and not before. */
static void
test_changed(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 ip4:192.0.2.1 -all");
	ttl = 60;
	check_int("pass", check_by(spf, &input).result, SPF_CHECK_PASS);
	spfzone_clear(&zone);
	add("example.org TXT v=spf1 -all");
	clock_ms += 59999;
	dns.asked = 0;
	check_int("still", check_by(spf, &input).result, SPF_CHECK_PASS);
	check_uint("nobody was asked", dns.asked, 0);
	clock_ms += 1;
	check_int("then fail", check_by(spf, &input).result, SPF_CHECK_FAIL);
	check_true("it is known", is_known(spf, &input));
	spf_forget(spf);
	check_false("forgotten", is_known(spf, &input));
	spf_free(&spf);
	ttl = 0;
}

/* Whatever the callback is told. */
static bool
is_same(const struct got *got, const struct got *want)
{
	if (memcmp(got, want, sizeof(*got)) == 0)
		return true;
	check_note("%s (%s) %s %s, not %s (%s) %s %s",
	    spf_result_name(got->result), got->mechanism, got->problem,
	    got->explanation, spf_result_name(want->result), want->mechanism,
	    want->problem, want->explanation);
	return false;
}

/* Checks that differ in all that a macro can see, by one evaluator, and each
 * by a new one: they must say the same. Returns how often the first had to
 * ask. */
static unsigned
check_everybody(struct spf *spf, const char *name)
{
	static const char *const senders[] = { "a@example.org", "b@example.org",
		"\303\274@example.org", "@example.org", "a@d.example.org", "" };
	static const char *const hosts[] = { "a.example.org", "b.org" };
	unsigned asking = 0, wrong = 0;

	for (unsigned i = 0; i < 2 * 2 * 2 * 6; i++) {
		struct spf_input input = input_of(senders[i / 8 % 6]);
		struct got got, want;
		struct spf *fresh;

		input.ip.bytes[3] = (uint8_t)(1 + i % 2);
		input.helo = hosts[i / 2 % 2];
		input.receiver = hosts[i / 4 % 2];
		fresh = open_spf();
		want = run_check(fresh, &input);
		spf_free(&fresh);
		dns.asked = 0;
		got = run_check(spf, &input);
		asking += dns.asked > 0;
		wrong += !is_same(&got, &want);
	}
	check_uint(name, wrong, 0);
	return asking;
}

/* No verdict is given to somebody whom it is not about. */
static void
test_macros(void)
{
	static const struct {
		const char *name, *record;
		unsigned asking; /* of 48 */
	} rows[] = {
		/* 2 addresses, 2 domains of senders, 2 HELOs without one. */
		{ "no macros", "v=spf1 ip4:192.0.2.1 exp=e -all", 8 },
		{ "d, o, i, c, v, p",
		    "v=spf1 exists:%{d}.%{o}.%{i}.%{v}.%{p}.org -all", 8 },
		{ "l", "v=spf1 exists:%{l}.yes.org -all", 46 },
		{ "s", "v=spf1 exists:%{s1r-}.yes.org -all", 46 },
		{ "h", "v=spf1 exists:%{h1r}.yes.org -all", 46 },
		{ "h behind a match", "v=spf1 ip4:192.0.2.1 exists:%{h} -all",
		    27 },
		{ "l in an include", "v=spf1 include:in.org ~all", 46 },
		{ "l as an include", "v=spf1 include:%{l}.in.org ?all", 46 },
		{ "l as a redirect", "v=spf1 redirect=%{l}.in.org", 46 },
		{ "h in a permerror", "v=spf1 include:%{h}.no.org -all", 46 },
		{ "l in an explanation", "v=spf1 exp=l.org -all", 46 },
		{ "r in an explanation", "v=spf1 exp=r.org -all", 46 },
		{ "l of an explanation", "v=spf1 exp=%{l}.exp.org -all", 46 },
	};

	ttl = 60;
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		static const char *const domains[] = { "example.org",
			"d.example.org", "a.example.org" };
		struct spf *spf = open_spf();
		char line[256];

		spfzone_clear(&zone);
		for (size_t j = 0; j < CHECK_COUNT(domains); j++) {
			snprintf(line, sizeof(line), "%s TXT %s", domains[j],
			    rows[i].record);
			add(line);
		}
		add("a.yes.org A 127.0.0.2\npostmaster.yes.org A 127.0.0.2\n"
		    "in.org TXT v=spf1 exists:%{l}.yes.org -all\n"
		    "a.in.org TXT v=spf1 +all\nb.in.org TXT v=spf1 -all\n"
		    "l.org TXT %{l}\nr.org TXT %{r}\na.exp.org TXT only a");
		check_uint(rows[i].name, check_everybody(spf, rows[i].name),
		    rows[i].asking);
		/* Once more, now that all is known. */
		check_uint(rows[i].name, check_everybody(spf, rows[i].name), 0);
		spf_free(&spf);
	}
	ttl = 0;
}

int
main(void)
{
	dns.loop = ev_loop_new(0);
	test_identity();
	test_output();
	test_later();
	test_order();
	test_side_by_side();
	test_cached();
	test_cancel();
	test_timeout();
	test_free_in_callback();
	test_bogus();
	test_questions();
	test_trace();
	test_kept();
	test_changed();
	test_macros();
	spfzone_clear(&zone);
	ev_loop_destroy(dns.loop);
	return check_done();
}
