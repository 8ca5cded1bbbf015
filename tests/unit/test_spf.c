/* SPDX-License-Identifier: ISC */
#include "tests/unit/spfplay.h"

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
	spfzone_clear(&zone);
	ev_loop_destroy(dns.loop);
	return check_done();
}
