/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/greylist.h"

#define DAY 86400
#define NOW 1800000000

static const struct greylist_policy usual = {
	.delay_s = 300,
	.retry_window_s = 2 * DAY,
	.max_age_s = 35 * DAY,
	.client_threshold = 5,
};

/* Times are written as seconds before NOW, passed as well; 0 and 1 mean what
 * they mean in the entry. */
static const struct {
	const char *name;
	bool stored;
	int64_t first_ago, last_ago, passed_ago;
	enum greylist_verdict verdict;
	int64_t left_s, waited_s;
	bool write, gave_up, clock_stepped;
	int64_t want_first_ago, want_last_ago, want_passed_ago;
} rows[] = {
	{ "never seen", false, 0, 0, 0, GREYLIST_NEW, 300, 0, true, false,
	    false, 0, 0, -1 },
	{ "again in the same second", true, 0, 0, -1, GREYLIST_EARLY, 300, 0,
	    false, false, false, 0, 0, -1 },
	{ "one second early", true, 299, 299, -1, GREYLIST_EARLY, 1, 0, false,
	    false, false, 299, 0, -1 },
	{ "in time", true, 300, 10, -1, GREYLIST_PASSED, 0, 300, true, false,
	    false, 300, 0, 0 },
	{ "at the end of the window", true, 2 * DAY, 10, -1, GREYLIST_PASSED, 0,
	    2 * DAY, true, false, false, 2 * DAY, 0, 0 },
	{ "after the window", true, 2 * DAY + 1, 10, -1, GREYLIST_NEW, 300, 0,
	    true, true, false, 0, 0, -1 },
	{ "known, seen just now", true, 900, 0, 500, GREYLIST_KNOWN, 0, 400,
	    false, false, false, 900, 0, 500 },
	{ "known, seen less than an hour ago", true, 9000, 3599, 8000,
	    GREYLIST_KNOWN, 0, 1000, false, false, false, 9000, 3599, 8000 },
	{ "known, seen an hour ago", true, 9000, 3600, 8000, GREYLIST_KNOWN, 0,
	    1000, true, false, false, 9000, 0, 8000 },
	{ "known, at the maximum age", true, 50 * DAY, 35 * DAY, 49 * DAY,
	    GREYLIST_KNOWN, 0, DAY, true, false, false, 50 * DAY, 0, 49 * DAY },
	{ "known, past it", true, 50 * DAY, 35 * DAY + 1, 49 * DAY,
	    GREYLIST_NEW, 300, 0, true, false, false, 0, 0, -1 },
	{ "known, window long over", true, 3 * DAY, 60, 2 * DAY, GREYLIST_KNOWN,
	    0, DAY, false, false, false, 3 * DAY, 60, 2 * DAY },
	{ "imported, nobody knows when", true, 900, 10, NOW - 1, GREYLIST_KNOWN,
	    0, 0, false, false, false, 900, 10, NOW - 1 },
	{ "clock set back, waiting", true, -7, -7, -1, GREYLIST_NEW, 300, 0,
	    true, false, true, 0, 0, -1 },
	{ "clock set back, known", true, -500, -100, -900, GREYLIST_KNOWN, 0,
	    400, true, false, true, -500, 0, -900 },
	{ "clock set back, known before", true, 900, -1, 500, GREYLIST_KNOWN, 0,
	    400, true, false, true, 900, 0, 500 },
	{ "nonsense: passed before it came", true, 500, 10, 900, GREYLIST_KNOWN,
	    0, 0, false, false, false, 500, 10, 900 },
};

static int64_t
passed_at(int64_t ago)
{
	return ago == -1 ? 0 : NOW - ago;
}

static void
test_decisions(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct greylist_entry entry = {
			.first = NOW - rows[i].first_ago,
			.last = NOW - rows[i].last_ago,
			.passed = passed_at(rows[i].passed_ago),
		};
		struct greylist_decision d = greylist_decide(
		    &usual, rows[i].stored ? &entry : NULL, NOW);

		check_int(rows[i].name, d.verdict, rows[i].verdict);
		check_int("left", d.left_s, rows[i].left_s);
		check_int("waited", d.waited_s, rows[i].waited_s);
		check_bool("write", d.write, rows[i].write);
		check_bool("gave up", d.gave_up, rows[i].gave_up);
		check_bool("clock", d.clock_stepped, rows[i].clock_stepped);
		check_int("first", d.entry.first, NOW - rows[i].want_first_ago);
		check_int("last", d.entry.last, NOW - rows[i].want_last_ago);
		check_int("passed", d.entry.passed,
		    passed_at(rows[i].want_passed_ago));
	}
}

/* Zero delay, small ages, times at the ends of what the file can hold. */
static void
test_edges(void)
{
	struct greylist_policy policy = usual;
	struct greylist_entry entry = { INT64_MIN, INT64_MIN, INT64_MAX };
	struct greylist_decision d;

	policy.delay_s = 0;
	d = greylist_decide(&policy, NULL, NOW);
	check_int("delay 0: passes at once", d.verdict, GREYLIST_PASSED);
	check_int("without a wait", d.waited_s, 0);
	check_int("and is known from now on", d.entry.passed, NOW);
	d = greylist_decide(&policy, NULL, 1);
	check_true("1 is not a time of passing",
	    d.entry.passed > GREYLIST_PASSED_UNKNOWN);

	policy = usual;
	policy.max_age_s = 600;
	entry = (struct greylist_entry){ NOW - 900, NOW - 60, NOW - 500 };
	check_true("a short maximum age: written sooner",
	    greylist_decide(&policy, &entry, NOW).write);
	entry.last = NOW - 59;
	check_false(
	    "but not each time", greylist_decide(&policy, &entry, NOW).write);

	entry = (struct greylist_entry){ INT64_MIN, INT64_MIN, INT64_MAX };
	d = greylist_decide(&usual, &entry, NOW);
	check_int("far past", d.verdict, GREYLIST_NEW);
	entry = (struct greylist_entry){ INT64_MAX, INT64_MAX, INT64_MIN };
	d = greylist_decide(&usual, &entry, -NOW);
	check_int("far future, known", d.verdict, GREYLIST_KNOWN);
	check_true("clock", d.clock_stepped);
	entry = (struct greylist_entry){ INT64_MIN, 0, 0 };
	d = greylist_decide(&usual, &entry, NOW);
	check_int("far past, waiting", d.verdict, GREYLIST_NEW);
	check_true("gave up", d.gave_up);
}

static const struct {
	const char *name;
	int64_t threshold;
	bool stored;
	int64_t count, last_ago;
	bool known, renew;
	int64_t want_count;
} known_rows[] = {
	{ "no such client", 5, false, 0, 0, false, false, 0 },
	{ "one short", 5, true, 4, 10, false, false, 0 },
	{ "enough", 5, true, 5, 10, true, false, 5 },
	{ "enough, an hour ago", 5, true, 5, 3600, true, true, 6 },
	{ "enough, nearly an hour ago", 5, true, 5, 3599, true, false, 5 },
	{ "at the maximum age", 5, true, 9, 35 * DAY, true, true, 10 },
	{ "past it", 5, true, 9, 35 * DAY + 1, false, false, 0 },
	{ "clock set back", 5, true, 9, -10, true, true, 10 },
	{ "switched off", 0, true, 9, 10, false, false, 0 },
	{ "as many as can be", 5, true, INT64_MAX, 3600, true, true,
	    INT64_MAX },
};

static void
test_known_clients(void)
{
	for (size_t i = 0; i < CHECK_COUNT(known_rows); i++) {
		struct greylist_policy policy = usual;
		struct greylist_client client = { known_rows[i].count,
			NOW - known_rows[i].last_ago };
		struct greylist_client renewed = { 0, 0 };
		bool renew;

		policy.client_threshold = known_rows[i].threshold;
		check_bool(known_rows[i].name,
		    greylist_client_known(&policy,
			known_rows[i].stored ? &client : NULL, NOW, &renew,
			&renewed),
		    known_rows[i].known);
		check_bool("renew", renew, known_rows[i].renew);
		check_int("count", renewed.count, known_rows[i].want_count);
		if (renew)
			check_int("last", renewed.last, NOW);
	}
}

static void
test_short_age_renews(void)
{
	struct greylist_policy policy = usual;
	struct greylist_client client = { 7, NOW - 100 }, renewed;
	bool renew;

	policy.max_age_s = 1000;
	check_true("a short maximum age",
	    greylist_client_known(&policy, &client, NOW, &renew, &renewed));
	check_true("is renewed in time", renew);
	check_int("without being counted", renewed.count, 7);
	check_int("last", renewed.last, NOW);
}

static const struct {
	const char *name;
	int64_t threshold;
	bool stored;
	int64_t count, last_ago;
	bool raised, reached;
	int64_t want_count;
} raise_rows[] = {
	{ "the first", 5, false, 0, 0, true, false, 1 },
	{ "the first is enough", 1, false, 0, 0, true, true, 1 },
	{ "within the hour", 5, true, 2, 3599, false, false, 0 },
	{ "an hour later", 5, true, 2, 3600, true, false, 3 },
	{ "reached", 5, true, 4, 3600, true, true, 5 },
	{ "beyond", 5, true, 5, 3600, true, false, 6 },
	{ "too long ago", 5, true, 4, 35 * DAY + 1, true, false, 1 },
	{ "clock set back", 5, true, 2, -10, true, false, 3 },
	{ "nonsense in the file", 5, true, -3, 3600, true, false, 1 },
	{ "switched off", 0, false, 0, 0, false, false, 0 },
};

static void
test_raising(void)
{
	for (size_t i = 0; i < CHECK_COUNT(raise_rows); i++) {
		struct greylist_policy policy = usual;
		struct greylist_client client = { raise_rows[i].count,
			NOW - raise_rows[i].last_ago };
		struct greylist_client raised = { 0, 0 };
		bool reached;

		policy.client_threshold = raise_rows[i].threshold;
		check_bool(raise_rows[i].name,
		    greylist_client_raise(&policy,
			raise_rows[i].stored ? &client : NULL, NOW, &raised,
			&reached),
		    raise_rows[i].raised);
		check_bool("reached", reached, raise_rows[i].reached);
		check_int("count", raised.count, raise_rows[i].want_count);
		check_int("last", raised.last, raise_rows[i].raised ? NOW : 0);
	}
}

static const struct {
	const char *name;
	struct greylist_entry entry;
	bool want;
} expiry_rows[] = {
	{ "waiting", { NOW - 2 * DAY, NOW, 0 }, false },
	{ "waiting, out of the window", { NOW - 2 * DAY - 1, NOW, 0 }, true },
	{ "passed", { 0, NOW - 35 * DAY, NOW - 40 * DAY }, false },
	{ "passed, too old", { 0, NOW - 35 * DAY - 1, NOW }, true },
	{ "imported", { 0, NOW - 35 * DAY, 1 }, false },
	{ "from the future", { NOW + 9, NOW + 9, 0 }, false },
};

int
main(void)
{
	test_decisions();
	test_edges();
	test_known_clients();
	test_short_age_renews();
	test_raising();
	for (size_t i = 0; i < CHECK_COUNT(expiry_rows); i++)
		check_bool(expiry_rows[i].name,
		    greylist_expired(&usual, &expiry_rows[i].entry, NOW),
		    expiry_rows[i].want);
	return check_done();
}
