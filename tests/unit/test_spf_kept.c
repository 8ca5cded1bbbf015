/* SPDX-License-Identifier: ISC */
/* Verdicts that are known without a wait, for how long, and to whom. */
#include "tests/unit/spfplay.h"

static bool
is_known(struct spf *spf, const struct spf_input *input)
{
	struct spf_output output;

	return spf_known(spf, input, &output);
}

/* What DNS need not be waited for needs no callback. */
static void
test_take(void)
{
	struct spf_input input = input_of("a@example.org");
	struct spf *spf = open_spf();
	struct got got = { .calls = 0 };
	struct spf_check *check = spf_start(spf, &input, on_result, &got);
	struct spf_output output = { .lookups = 9 };

	spfzone_clear(&zone);
	add("example.org TXT v=spf1 a:b.org exp=e.org -all\ne.org TXT %{d}");
	check_false("not there", spf_take(&check, &output));
	check_uint("asked at once", dns.asked, 1);
	check_uint("nothing is told", output.lookups, 9);
	check_true("it goes on", check != NULL);
	while (dns.questions != NULL)
		answer(dns.questions);
	check_uint("and calls back", got.calls, 1);
	check_str("fail", spf_result_name(got.result), "fail");
	cached = true;
	for (int i = 0; i < 2; i++) {
		check = spf_start(spf, &input, on_result, &got);
		check_false("not known yet", is_known(spf, &input));
		check_true("all is in the cache", spf_take(&check, &output));
		check_true("it is over", check == NULL);
		check_uint("nothing open", spf_open(spf), 0);
		check_str("result", spf_result_name(output.result), "fail");
		check_str("domain", output.domain, "example.org");
		check_str("mechanism", output.mechanism, "all");
		check_str("explanation", output.explanation, "example.org");
		ttl = 60;
	}
	check_true("the last one may be kept", is_known(spf, &input));
	turn();
	check_uint("no callback", got.calls, 1);
	cached = false;
	ttl = 0;
	check = spf_start(spf, &input, on_result, &got);
	spf_forget(spf);
	check_false("forgotten", spf_take(&check, &output));
	spf_free(&spf);
	check_true("one that waits ends with the evaluator",
	    dns.questions == NULL && got.calls == 1);
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
	struct got got = { .calls = 0 };

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
	spf_start(spf, &input, on_result, &got);
	turn();
	spf_forget(spf);
	answer(dns.questions);
	check_uint("one was under way", got.calls, 1);
	check_false("and is not kept", is_known(spf, &input));
	check_by(spf, &input);
	check_true("the next one is", is_known(spf, &input));
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
		/* 2 addresses, 2 domains of senders, 2 HELOs; of one
		 * HELO there is no record for anybody. */
		{ "no macros", "v=spf1 ip4:192.0.2.1 exp=e -all", 7 },
		{ "d, o, i, c, v, p",
		    "v=spf1 exists:%{d}.%{o}.%{i}.%{v}.%{p}.org -all", 7 },
		{ "l", "v=spf1 exists:%{l}.yes.org -all", 45 },
		{ "s", "v=spf1 exists:%{s1r-}.yes.org -all", 45 },
		{ "h", "v=spf1 exists:%{h1r}.yes.org -all", 45 },
		{ "h behind a match", "v=spf1 ip4:192.0.2.1 exists:%{h} -all",
		    26 },
		{ "l in an include", "v=spf1 include:in.org ~all", 45 },
		{ "l as an include", "v=spf1 include:%{l}.in.org ?all", 45 },
		{ "l as a redirect", "v=spf1 redirect=%{l}.in.org", 45 },
		{ "h in a permerror", "v=spf1 include:%{h}.no.org -all", 45 },
		{ "l in an explanation", "v=spf1 exp=l.org -all", 45 },
		{ "r in an explanation", "v=spf1 exp=r.org -all", 45 },
		{ "l of an explanation", "v=spf1 exp=%{l}.exp.org -all", 45 },
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
	test_take();
	test_kept();
	test_changed();
	test_macros();
	spfzone_clear(&zone);
	ev_loop_destroy(dns.loop);
	return check_done();
}
