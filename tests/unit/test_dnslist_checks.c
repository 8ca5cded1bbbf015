/* SPDX-License-Identifier: ISC */
#include "greylistd/dnslist_checks.h"

#include "tests/unit/greyrig.h"

#define V6_1 "1.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define V6_2 "2.0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
#define SOUND "2.0.0.127.a.example A 127.0.0.2\n"

#define UNKNOWN DNSLIST_POINT_UNKNOWN
#define UNLISTED DNSLIST_POINT_UNLISTED
#define LISTED DNSLIST_POINT_LISTED
#define REFUSED DNSLIST_POINT_REFUSED

static void
test_judge(void)
{
	static const struct {
		const char *name;
		struct dnslist_points points; /* listed 4, 6, unlisted 4, 6 */
		enum dnslist_health want;
	} rows[] = {
		{ "both kinds", { LISTED, LISTED, UNLISTED, UNLISTED },
		    DNSLIST_HEALTH_SOUND },
		{ "IPv4", { LISTED, UNLISTED, UNLISTED, UNLISTED },
		    DNSLIST_HEALTH_SOUND },
		{ "IPv6", { UNLISTED, LISTED, UNLISTED, UNLISTED },
		    DNSLIST_HEALTH_SOUND },
		{ "nothing", { UNLISTED, UNLISTED, UNLISTED, UNLISTED },
		    DNSLIST_HEALTH_EMPTY },
		{ "all of IPv4", { LISTED, UNLISTED, LISTED, UNLISTED },
		    DNSLIST_HEALTH_EVERYBODY },
		{ "all of IPv6", { LISTED, LISTED, UNLISTED, LISTED },
		    DNSLIST_HEALTH_EVERYBODY },
		{ "that is enough", { UNKNOWN, UNKNOWN, UNKNOWN, LISTED },
		    DNSLIST_HEALTH_EVERYBODY },
		{ "also with a refusal", { REFUSED, REFUSED, LISTED, REFUSED },
		    DNSLIST_HEALTH_EVERYBODY },
		{ "refusals", { REFUSED, REFUSED, REFUSED, REFUSED },
		    DNSLIST_HEALTH_REFUSES },
		{ "one refusal", { LISTED, UNLISTED, UNLISTED, REFUSED },
		    DNSLIST_HEALTH_REFUSES },
		{ "no answers", { UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN },
		    DNSLIST_HEALTH_UNKNOWN },
		{ "maybe everybody", { LISTED, LISTED, UNKNOWN, UNLISTED },
		    DNSLIST_HEALTH_UNKNOWN },
		{ "maybe nothing", { UNKNOWN, UNLISTED, UNLISTED, UNLISTED },
		    DNSLIST_HEALTH_UNKNOWN },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_int(rows[i].name, dnslist_checks_judge(&rows[i].points),
		    rows[i].want);
}

/* Adds a list, in two roles. */
static void
add(struct selection *selection, const char *zone)
{
	static struct dnslist lists[3];
	struct err err;

	if (dnslist_parse(
		zone, DNSLIST_BLACK, &lists[selection->black_count], &err) != 0)
		abort();
	selection->black = selection->white = lists;
	selection->black_count++;
	selection->white_count++;
}

/* Moves time, and what is due is asked for under this zone. Returns how many
 * questions came. */
static unsigned
pass(struct greyrig *rig, struct dnslist_checks *checks, int64_t time_s,
    const char *zone)
{
	unsigned before = rig->server.asked;

	rig->server.zone = zone;
	greyrig_now_ms += time_s * 1000;
	dnslist_checks_tick(checks);
	greyrig_settle(rig);
	return rig->server.asked - before;
}

/* The story of a list, step by step. */
static void
test_story(struct greyrig *rig, struct dnslist_checks *checks)
{
	static const struct {
		const char *name;
		int64_t time_s; /* since the step before */
		const char *zone;
		unsigned asked;
		bool ignored;
		const char *log; /* "": nothing */
	} steps[] = {
		{ "sound", 0, SOUND, 4, false, "" },
		{ "not yet", 3599, SOUND "1.0.0.127.a.example A 127.0.0.2\n", 0,
		    false, "" },
		{ "given up", 1, SOUND "1.0.0.127.a.example A 127.0.0.2\n", 4,
		    true, "a.example lists 127.0.0.1" },
		{ "no sooner", 299, SOUND, 0, true, "" },
		{ "once is enough", 1,
		    SOUND "1.0.0.127.a.example A 127.1.2.3\n", 4, true, "" },
		{ "sound again", 300, SOUND, 4, false,
		    "a.example is a sound list again" },
		{ "IPv6", 3600, V6_1 "a.example A 127.0.0.2\n" SOUND, 4, true,
		    "a.example lists 127.0.0.1" },
		{ "only for IPv6", 300, V6_2 "a.example A 127.0.0.2\n", 4,
		    false, "a.example is a sound list again" },
		{ "dead, with an answer for all", 3600,
		    "1.0.0.127.a.example A 203.0.113.80\n"
		    "2.0.0.127.a.example A 203.0.113.80\n",
		    4, false, "a.example does not list 127.0.0.2" },
		{ "refuses", 300,
		    "1.0.0.127.a.example A 127.255.255.254\n"
		    "2.0.0.127.a.example A 127.255.255.254\n",
		    4, false, "a.example refuses to answer us" },
		{ "everybody", 300, "1.0.0.127.a.example A 127.1.2.3\n", 4,
		    true, "a.example lists 127.0.0.1" },
		/* The last step: libunbound keeps a SERVFAIL for a while. */
		{ "nobody knows", 300, "1.0.0.127.a.example !servfail", 4, true,
		    "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(steps); i++) {
		/* Unbound asks again when it gets SERVFAIL. */
		unsigned asked =
		    pass(rig, checks, steps[i].time_s, steps[i].zone);
		const char *log = greyrig_log(rig);

		check_uint(
		    steps[i].name, asked > 4 ? 4 : asked, steps[i].asked);
		check_bool(steps[i].name,
		    dnslist_checks_ignores(checks, "a.example"),
		    steps[i].ignored);
		if (steps[i].log[0] == '\0')
			check_str(steps[i].name, log, "");
		else
			check_contains(steps[i].name, log, steps[i].log);
	}
}

static void
test_configure(struct greyrig *rig, struct dnslist_checks *checks,
    struct selection *selection)
{
	static const char zone[] = "1.0.0.127.c.example A 127.0.0.2\n"
				   "2.0.0.127.b.example A 127.0.0.2\n";

	dnslist_checks_configure(checks, selection);
	check_uint("two lists, each once", pass(rig, checks, 0, zone), 8);
	check_true("the one", dnslist_checks_ignores(checks, "c.example"));
	check_false("the other", dnslist_checks_ignores(checks, "b.example"));
	check_false("no list", dnslist_checks_ignores(checks, "d.example"));
	check_false("no checks", dnslist_checks_ignores(NULL, "c.example"));
	(void)greyrig_log(rig);
	selection->black_count = selection->white_count = 1;
	dnslist_checks_configure(checks, selection);
	check_true("known", dnslist_checks_ignores(checks, "c.example"));
	check_uint("a reload asks", pass(rig, checks, 0, zone), 4);
	check_str("and says nothing new", greyrig_log(rig), "");
	selection->tests_lists = false;
	dnslist_checks_configure(checks, selection);
	check_uint("switched off", pass(rig, checks, 9999, zone), 0);
	check_false(
	    "ignores none", dnslist_checks_ignores(checks, "c.example"));
	selection->tests_lists = true;
	dnslist_checks_configure(checks, selection);
	rig->server.zone = "1.0.0.127.c.example !never\n";
	dnslist_checks_tick(checks);
	dnslist_checks_tick(checks);
	check_int("asked once at a time", dns_stats(rig->dns)->open, 4);
}

int
main(void)
{
	struct greyrig rig;
	struct selection selection = { .tests_lists = true };
	struct dnslist_checks *checks;

	test_judge();
	greyrig_open(&rig, "");
	add(&selection, "a.example");
	checks = dnslist_checks_new(rig.dns);
	dnslist_checks_configure(checks, &selection);
	test_story(&rig, checks);
	selection.black_count = selection.white_count = 0;
	add(&selection, "c.example");
	add(&selection, "b.example");
	test_configure(&rig, checks, &selection);
	dnslist_checks_free(&checks);
	check_int("nothing is left", dns_stats(rig.dns)->open, 0);
	dnslist_checks_free(&checks);
	greyrig_close(&rig);
	return check_done();
}
