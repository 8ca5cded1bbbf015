/* SPDX-License-Identifier: ISC */
#include "common/xmem.h"

#include "greylistd/facts.h"

#include "tests/unit/greyrig.h"

#define BUDGET_MS 2000

static const char zone[] = "pass.example TXT v=spf1 ip4:192.0.2.0/24 -all\n"
			   "fail.example TXT v=spf1 -all\n"
			   "down.example !servfail\n"
			   "helo.example TXT v=spf1 -all\n"
			   "1.2.0.192.one.example A 127.0.0.2\n"
			   "2.2.0.192.two.example A 127.0.0.4\n"
			   "3.2.0.192.one.example A 127.0.0.9\n"
			   "3.2.0.192.one.example A 127.0.0.2\n"
			   "3.2.0.192.two.example A 127.0.0.4\n"
			   "4.2.0.192.one.example A 127.255.255.254\n"
			   "4.2.0.192.two.example A 203.0.113.80\n"
			   "5.2.0.192.one.example !servfail\n"
			   "5.2.0.192.two.example A 127.0.0.4\n"
			   "6.2.0.192.one.example A 10.0.0.2\n"
			   "7.2.0.192.white.example A 127.0.0.2\n"
			   "7.2.0.192.one.example !never\n"
			   "7.2.0.192.two.example !never\n"
			   "8.2.0.192.one.example !never\n"
			   "8.2.0.192.two.example A 127.0.0.4\n"
			   "8.2.0.192.white.example !never\n"
			   "9.2.0.192.one.example !held\n"
			   "2.2.0.192.in-addr.arpa PTR mx.example\n"
			   "3.2.0.192.in-addr.arpa !servfail\n"
			   "true.example A 192.0.2.1\n"
			   "true.example AAAA 2001:db8::1\n"
			   "true.example A 192.0.2.3\n"
			   "liar.example A 203.0.113.1\n"
			   "broken.example !servfail\n";

/* What came, once. */
struct got {
	struct greyrig *rig;
	unsigned calls;
	struct facts facts;
};

struct world {
	struct greyrig rig;
	struct spf *spf;
	struct dnslist_checks *checks;
	struct facts_pool *pool;
	struct dnslist black[2], white[1];
	struct selection *selection;
};

static void
on_facts(void *arg, const struct facts *facts)
{
	struct got *got = arg;

	got->calls++;
	got->facts = *facts;
	ev_break(got->rig->loop, EVBREAK_ALL);
}

static void
world_open(struct world *w)
{
	struct err err = { "" };

	memset(w, 0, sizeof(*w));
	greyrig_open(&w->rig, zone);
	w->spf = spf_new(w->rig.dns, &err);
	check_str("an evaluator", err.text, "");
	w->checks = dnslist_checks_new(w->rig.dns);
	w->pool = facts_pool_new(w->rig.dns, w->spf, w->checks);
	if (dnslist_parse("one.example 2 127.0.0.2", DNSLIST_BLACK,
		&w->black[0], &err) != 0 ||
	    dnslist_parse("two.example 3", DNSLIST_BLACK, &w->black[1], &err) !=
		0 ||
	    dnslist_parse("white.example", DNSLIST_WHITE, &w->white[0], &err) !=
		0)
		abort();
	w->selection = xmem_calloc(1, sizeof(*w->selection));
	*w->selection = (struct selection){
		.holders = 1,
		.selective = true,
		.threshold = 2,
		.scores = suspicion_defaults,
		.black = xmem_calloc(2, sizeof(w->black[0])),
		.black_count = 2,
		.white = xmem_calloc(1, sizeof(w->white[0])),
		.white_count = 1,
		.budget_ms = BUDGET_MS,
	};
	memcpy(w->selection->black, w->black, sizeof(w->black));
	memcpy(w->selection->white, w->white, sizeof(w->white));
}

static void
world_close(struct world *w)
{
	facts_pool_free(&w->pool);
	check_int("nothing is asked any more", dns_stats(w->rig.dns)->open, 0);
	check_uint("nobody holds the settings", w->selection->holders, 1);
	facts_pool_free(&w->pool);
	dnslist_checks_free(&w->checks);
	selection_release(&w->selection);
	spf_free(&w->spf);
	greyrig_close(&w->rig);
}

/* One of whom all is well. */
static struct facts_client
client_at(const char *address)
{
	struct facts_client client = {
		.name = "true.example",
		.reverse_name = "true.example",
		.helo = "true.example",
		.sender = "a@pass.example",
	};

	if (!ip_parse(address, &client.ip))
		abort();
	return client;
}

static struct facts_job *
start(struct world *w, const struct facts_client *client, struct got *got)
{
	struct facts_job *job;

	memset(got, 0, sizeof(*got));
	got->rig = &w->rig;
	job = facts_start(w->pool, w->selection, client, on_facts, got);
	check_uint("not called before the return", got->calls, 0);
	return job;
}

static void
gather(struct world *w, const struct facts_client *client, struct got *got)
{
	if (start(w, client, got) != NULL)
		ev_run(w->rig.loop, 0);
	check_uint("called once", got->calls, 1);
	check_true("by the settings", got->facts.selection == w->selection);
}

static void
test_lists(struct world *w)
{
	static const struct {
		const char *address;
		bool one, two, white;
		unsigned failures;
	} rows[] = {
		{ "192.0.2.1", true, false, false, 0 },
		{ "192.0.2.2", false, true, false, 0 },
		{ "192.0.2.3", true, true, false, 0 },
		{ "192.0.2.4", false, false, false, 0 },
		{ "192.0.2.5", false, true, false, 1 },
		{ "192.0.2.6", false, false, false, 0 },
		{ "192.0.2.7", false, false, true, 0 },
		{ "192.0.2.10", false, false, false, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct facts_client client = client_at(rows[i].address);
		struct got got;

		gather(w, &client, &got);
		check_bool(rows[i].address, got.facts.listed[0], rows[i].one);
		check_bool(rows[i].address, got.facts.listed[1], rows[i].two);
		check_bool(
		    rows[i].address, got.facts.white != NULL, rows[i].white);
		check_uint(
		    rows[i].address, got.facts.failures, rows[i].failures);
	}
	check_contains("a refusal is said", greyrig_log(&w->rig),
	    "one.example refuses to answer us (127.255.255.254)");
}

static void
test_names(struct world *w)
{
	static const struct {
		const char *address, *name, *reverse_name;
		enum facts_answer has_name, confirmed;
		unsigned failures;
	} rows[] = {
		{ "192.0.2.11", "mx.example", "mx.example", FACTS_YES,
		    FACTS_YES, 0 },
		{ "192.0.2.11", "unknown", "unknown", FACTS_NO, FACTS_UNKNOWN,
		    0 },
		{ "192.0.2.11", "", "", FACTS_NO, FACTS_UNKNOWN, 0 },
		{ "192.0.2.2", "unknown", "unknown", FACTS_YES, FACTS_UNKNOWN,
		    0 },
		{ "192.0.2.3", "unknown", "unknown", FACTS_UNKNOWN,
		    FACTS_UNKNOWN, 1 },
		{ "192.0.2.3", "unknown", "true.example", FACTS_YES, FACTS_YES,
		    0 },
		{ "2001:db8::1", "unknown", "true.example", FACTS_YES,
		    FACTS_YES, 0 },
		{ "192.0.2.11", "unknown", "liar.example", FACTS_YES, FACTS_NO,
		    0 },
		{ "2001:db8::1", "unknown", "liar.example", FACTS_YES, FACTS_NO,
		    0 },
		{ "192.0.2.11", "unknown", "gone.example", FACTS_YES, FACTS_NO,
		    0 },
		{ "192.0.2.11", "unknown", "no..name", FACTS_YES, FACTS_NO, 0 },
		{ "192.0.2.11", "unknown", "broken.example", FACTS_YES,
		    FACTS_UNKNOWN, 1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct facts_client client = client_at(rows[i].address);
		struct got got;

		client.name = rows[i].name;
		client.reverse_name = rows[i].reverse_name;
		gather(w, &client, &got);
		check_int(
		    rows[i].reverse_name, got.facts.has_name, rows[i].has_name);
		check_int(rows[i].reverse_name, got.facts.confirmed,
		    rows[i].confirmed);
		check_uint(
		    rows[i].reverse_name, got.facts.failures, rows[i].failures);
	}
}

static void
test_spf(struct world *w)
{
	static const struct {
		const char *sender;
		bool has_spf;
		enum spf_result spf;
		unsigned failures;
	} rows[] = {
		{ "a@pass.example", true, SPF_CHECK_PASS, 0 },
		{ "a@fail.example", true, SPF_CHECK_FAIL, 0 },
		{ "a@none.example", true, SPF_CHECK_NONE, 0 },
		{ "a@down.example", false, SPF_CHECK_NONE, 1 },
		{ "", true, SPF_CHECK_FAIL, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct facts_client client = client_at("192.0.2.11");
		struct got got;

		client.sender = rows[i].sender;
		client.helo = "helo.example";
		gather(w, &client, &got);
		check_bool(rows[i].sender, got.facts.has_spf, rows[i].has_spf);
		if (got.facts.has_spf)
			check_int(rows[i].sender, got.facts.spf, rows[i].spf);
		check_uint(
		    rows[i].sender, got.facts.failures, rows[i].failures);
	}
}

/* Only what is asked for is asked. */
static void
test_choice(struct world *w)
{
	struct facts_client client = client_at("192.0.2.1"), bounce = client;
	struct got got;

	bounce.sender = "";
	w->selection->selective = false;
	gather(w, &client, &got);
	check_true(
	    "a whitelist alone", !got.facts.listed[0] && !got.facts.has_spf &&
				     got.facts.has_name == FACTS_UNKNOWN);
	w->selection->white_count = 0;
	check_true("nothing to ask", start(w, &client, &got) == NULL);
	w->selection->spf_keys = OPTIONS_SPF_KEYS_NETWORK;
	gather(w, &client, &got);
	check_true("SPF alone", got.facts.has_spf && !got.facts.listed[0]);
	check_true("no key without a sender", start(w, &bounce, &got) == NULL);
	w->selection->spf_keys = OPTIONS_SPF_KEYS_NO;
	w->selection->white_count = 1;
	w->selection->selective = true;
}

static void
test_budget(struct world *w)
{
	struct facts_client client = client_at("192.0.2.8");
	struct facts_client other = client_at("192.0.2.10");
	struct got late, fast;

	(void)greyrig_log(&w->rig);
	greyrig_now_ms += 60000; /* for the next line of its kind */
	(void)start(w, &client, &late);
	gather(w, &other, &fast);
	check_uint("others do not wait", late.calls, 0);
	greyrig_now_ms += BUDGET_MS - 1;
	facts_tick(w->pool);
	check_uint("there is time", late.calls, 0);
	greyrig_now_ms += 1;
	facts_tick(w->pool);
	check_uint("no more", late.calls, 1);
	check_uint("two did not answer", late.facts.failures, 2);
	check_true("what is known", late.facts.listed[1] && late.facts.has_spf);
	facts_tick(w->pool);
	check_uint("once", late.calls, 1);
	check_contains("is said", greyrig_log(&w->rig),
	    "DNS left 2 questions about a client unanswered");
}

static void
test_overload(struct world *w)
{
	struct facts_client client = client_at("192.0.2.8");
	struct got got = { .rig = &w->rig };
	unsigned refused = 0;

	for (unsigned i = 0; i < FACTS_OPEN_MAX; i++)
		refused += facts_start(w->pool, w->selection, &client, on_facts,
			       &got) == NULL;
	check_uint("as many as may be", refused, 0);
	check_true("not one more", facts_start(w->pool, w->selection, &client,
				       on_facts, &got) == NULL);
	check_contains("is said", greyrig_log(&w->rig),
	    "DNS is asked about 2000 clients already");
	greyrig_now_ms += BUDGET_MS;
	facts_tick(w->pool);
	check_uint("each has its end", got.calls, FACTS_OPEN_MAX);
	check_true("then there is room", start(w, &client, &got) != NULL);
}

/* Runs until the test points are answered. */
static void
test_lists_that_lie(struct world *w)
{
	struct facts_client client = client_at("192.0.2.9");
	struct got got;

	w->selection->tests_lists = true;
	(void)start(w, &client, &got);
	while (w->rig.server.held_count == 0)
		ev_run(w->rig.loop, EVRUN_ONCE);
	dnslist_checks_configure(w->checks, w->selection);
	w->rig.server.zone = "1.0.0.127.one.example A 127.0.0.2\n"
			     "1.0.0.127.white.example A 127.0.0.2\n"
			     "9.2.0.192.one.example A 127.0.0.2\n"
			     "9.2.0.192.white.example A 127.0.0.2\n"
			     "9.2.0.192.two.example A 127.0.0.2\n";
	dnslist_checks_tick(w->checks);
	while (!dnslist_checks_ignores(w->checks, "one.example") ||
	       !dnslist_checks_ignores(w->checks, "white.example"))
		ev_run(w->rig.loop, EVRUN_ONCE);
	dnsserver_release(&w->rig.server);
	ev_run(w->rig.loop, 0);
	check_uint("called", got.calls, 1);
	check_false("found out while we asked", got.facts.listed[0]);
	check_uint("and answered", got.facts.failures, 0);
	gather(w, &client, &got);
	check_true(
	    "the other counts", !got.facts.listed[0] && got.facts.listed[1]);
	check_true("none whitelisted", got.facts.white == NULL);
}

static void
test_judge(struct world *w)
{
	static const struct {
		const char *name, *reverse_name, *helo, *sender;
		struct facts facts;
		const char *want;
		int64_t score;
	} rows[] = {
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .has_name = FACTS_YES, .confirmed = FACTS_YES }, "", 0 },
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .listed = { true, true } }, "one.example:2 two.example:3",
		    5 },
		{ "unknown", "unknown", "mx.example", "a@b",
		    { .has_name = FACTS_NO }, "no-name:2", 2 },
		{ "unknown", "unknown", "mx.example", "a@b",
		    { .has_name = FACTS_UNKNOWN }, "", 0 },
		{ "unknown", "mx.example", "mx.example", "a@b",
		    { .confirmed = FACTS_NO }, "unconfirmed-name:1", 1 },
		{ "mx.example", "mx.example", "[192.0.2.1]", "a@b", { 0 },
		    "helo-literal:1", 1 },
		{ "mx.example", "mx.example", "other.example", "a@b", { 0 },
		    "helo-other:1", 1 },
		{ "192-0-2-1.dsl.example", "192-0-2-1.dsl.example",
		    "192-0-2-1.dsl.example", "a@b", { 0 }, "generic-name:1",
		    1 },
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .has_spf = true, .spf = SPF_CHECK_FAIL }, "spf-fail:2",
		    2 },
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .has_spf = false, .spf = SPF_CHECK_FAIL }, "", 0 },
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .has_spf = true, .spf = SPF_CHECK_SOFTFAIL },
		    "spf-softfail:1", 1 },
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .has_spf = true, .spf = SPF_CHECK_NONE }, "spf-none:1",
		    1 },
		{ "mx.example", "mx.example", "mx.example", "",
		    { .has_spf = true, .spf = SPF_CHECK_NONE }, "", 0 },
		{ "mx.example", "mx.example", "mx.example", "a@b",
		    { .has_spf = true, .spf = SPF_CHECK_PERMERROR }, "", 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct facts_client client = client_at("192.0.2.1");
		struct facts facts = rows[i].facts;
		struct suspicion suspicion;

		client.name = rows[i].name;
		client.reverse_name = rows[i].reverse_name;
		client.helo = rows[i].helo;
		client.sender = rows[i].sender;
		facts.selection = w->selection;
		facts_judge(&client, &facts, &suspicion);
		check_str(rows[i].helo, suspicion.text, rows[i].want);
		check_int(rows[i].helo, suspicion.score, rows[i].score);
	}
}

int
main(void)
{
	struct world w;

	world_open(&w);
	test_judge(&w);
	test_lists(&w);
	test_names(&w);
	test_spf(&w);
	test_choice(&w);
	test_budget(&w);
	test_overload(&w);
	world_close(&w);
	world_open(&w);
	test_lists_that_lie(&w);
	world_close(&w);
	return check_done();
}
