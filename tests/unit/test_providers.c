/* SPDX-License-Identifier: ISC */
#include "greylistd/providers.h"

#include "tests/unit/greyrig.h"

/* Moves time, and what is due is asked for under this zone. Returns whether
 * anything was. */
static bool
pass(struct greyrig *rig, struct providers *set, int64_t time_s,
    const char *zone)
{
	uint64_t before = dns_stats(rig->dns)->questions;

	rig->server.zone = zone;
	greyrig_now_ms += time_s * 1000;
	providers_tick(set);
	greyrig_settle(rig);
	return dns_stats(rig->dns)->questions != before;
}

/* Which provider has the address, or "nobody". */
static const char *
find(const struct providers *set, const char *text)
{
	const char *domain;
	struct ip ip;

	if (!ip_parse(text, &ip))
		abort();
	domain = providers_find(set, &ip);
	return domain != NULL ? domain : "nobody";
}

/* The story of a provider, step by step. */
static void
test_refresh(struct greyrig *rig)
{
	static const struct {
		const char *name;
		int64_t time_s; /* since the step before */
		const char *zone;
		bool asked;
		const char *of1, *of2; /* who has 192.0.2.1, 192.0.2.2 */
	} steps[] = {
		{ "the start", 0, "a.example TXT v=spf1 ip4:192.0.2.1 -all",
		    true, "a.example", "nobody" },
		{ "not sooner than in 10 minutes", 599,
		    "a.example TXT v=spf1 a:b.example -all\n"
		    "b.example A 192.0.2.2",
		    false, "a.example", "nobody" },
		{ "then what was is replaced", 1,
		    "a.example TXT v=spf1 a:b.example -all\n"
		    "b.example A 192.0.2.2",
		    true, "nobody", "a.example" },
		{ "a gap only adds", 600,
		    "a.example TXT v=spf1 ip4:192.0.2.1 a:c.example -all\n"
		    "c.example !servfail",
		    true, "a.example", "a.example" },
		{ "which is tried again", 59, "", false, "a.example",
		    "a.example" },
		{ "soon", 1,
		    "a.example TXT v=spf1 a:d.example a:e.example\n"
		    "$TTL 4000\n"
		    "d.example A 192.0.2.2\n"
		    "$TTL 3000\n"
		    "e.example A 192.0.2.3\n",
		    true, "nobody", "a.example" },
		{ "a TTL of 0", 599, "", false, "nobody", "a.example" },
		{ "counts as 10 minutes", 1,
		    "$TTL 3500\n"
		    "a.example TXT v=spf1 a:e.example a:d.example\n",
		    true, "nobody", "a.example" },
		{ "the shortest of all", 2900, "", false, "nobody",
		    "a.example" },
		{ "has come", 100, "", true, "nobody", "a.example" },
	};
	char domain[] = "a.example", *domains[] = { domain };
	struct providers *set = providers_new(rig->dns);

	providers_configure(set, domains, 1);
	for (size_t i = 0; i < CHECK_COUNT(steps); i++) {
		bool asked = pass(rig, set, steps[i].time_s, steps[i].zone);

		check_bool(steps[i].name, asked, steps[i].asked);
		check_str(steps[i].name, find(set, "192.0.2.1"), steps[i].of1);
		check_str(steps[i].name, find(set, "192.0.2.2"), steps[i].of2);
	}
	check_contains("says so", greyrig_log(rig),
	    "provider a.example: DNS does not answer all questions");
	providers_free(&set);
}

static void
test_longest(struct greyrig *rig)
{
	static const char zone[] = "$TTL 200000\n"
				   "long.example TXT v=spf1 ip4:192.0.2.1";
	char domain[] = "long.example", *domains[] = { domain };
	struct providers *set = providers_new(rig->dns);

	providers_configure(set, domains, 1);
	check_true("the start", pass(rig, set, 0, zone));
	check_false("not sooner", pass(rig, set, 86399, zone));
	check_true("than after a day", pass(rig, set, 1, zone));
	providers_free(&set);
}

static void
test_configure(struct greyrig *rig)
{
	static const char zone[] = "e.example TXT v=spf1 ip4:192.0.2.1 -all\n"
				   "f.example TXT v=spf1 ip4:192.0.2.2 -all\n";
	char e[] = "e.example", f[] = "f.example", *domains[] = { e, f };
	struct providers *set = providers_new(rig->dns);

	providers_configure(set, domains, 2);
	(void)pass(rig, set, 0, zone);
	check_str("the one", find(set, "192.0.2.1"), "e.example");
	check_str("the other", find(set, "192.0.2.2"), "f.example");
	check_true("no set",
	    providers_find(NULL, &(struct ip){ .family = IP_V4 }) == NULL);
	providers_configure(set, domains, 1);
	check_str("is kept", find(set, "192.0.2.1"), "e.example");
	check_str("is dropped", find(set, "192.0.2.2"), "nobody");
	rig->server.zone = "e.example !never";
	providers_tick(set);
	providers_tick(set);
	check_int("asked once at a time", dns_stats(rig->dns)->open, 1);
	providers_configure(set, domains + 1, 1);
	check_int("and not for nobody", dns_stats(rig->dns)->open, 0);
	providers_tick(set);
	providers_free(&set);
	check_int("nor after the end", dns_stats(rig->dns)->open, 0);
	providers_free(&set);
}

int
main(void)
{
	struct greyrig rig;

	greyrig_open(&rig, "");
	test_refresh(&rig);
	test_longest(&rig);
	test_configure(&rig);
	greyrig_close(&rig);
	return check_done();
}
