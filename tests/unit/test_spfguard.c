/* SPDX-License-Identifier: ISC */
#include "common/str.h"

#include "tests/unit/spfrig.h"

#define REPEAT4(x) x x x x
#define REPEAT16(x) REPEAT4(REPEAT4(x))
#define MACROS_127                                                             \
	REPEAT16("%{d}%{d}%{d}%{d}%{d}%{d}%{d}")                               \
	"%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}%{d}"

static void
test_results(void)
{
	static const struct {
		const char *name, *zone, *want, *mechanism, *problem;
	} rows[] = {
		{ "no name", "", "none", "", "" },
		{ "no record", "example.org TXT hello", "none", "", "" },
		{ "pass", "example.org TXT v=spf1 ip4:192.0.2.0/24 -all",
		    "pass", "ip4:192.0.2.0/24", "" },
		{ "fail", "example.org TXT v=spf1 ip4:192.0.3.0/24 -all",
		    "fail", "all", "" },
		{ "softfail", "example.org TXT v=spf1 ~all", "softfail", "all",
		    "" },
		{ "nothing matches", "example.org TXT v=spf1", "neutral",
		    "default", "" },
		{ "neutral that matches", "example.org TXT v=spf1 ?all",
		    "neutral", "all", "" },
		{ "a",
		    "example.org TXT v=spf1 a -all\n"
		    "example.org A 192.0.2.1",
		    "pass", "a", "" },
		{ "a with a prefix",
		    "example.org TXT v=spf1 a/24 -all\n"
		    "example.org A 192.0.2.9",
		    "pass", "a/24", "" },
		{ "a of nobody",
		    "example.org TXT v=spf1 a/24 -all\n"
		    "example.org A 192.0.3.9",
		    "fail", "all", "" },
		{ "a with /0",
		    "example.org TXT v=spf1 ?a/0 -all\n"
		    "example.org A 192.0.3.9",
		    "neutral", "a/0", "" },
		{ "mx",
		    "example.org TXT v=spf1 ~mx -all\n"
		    "example.org MX m1.example.org\n"
		    "example.org MX m2.example.org\n"
		    "m2.example.org A 192.0.2.1",
		    "softfail", "mx", "" },
		{ "mx with /0",
		    "example.org TXT v=spf1 mx/0 -all\n"
		    "example.org MX m1.example.org\n"
		    "m1.example.org A 10.0.0.1",
		    "pass", "mx/0", "" },
		{ "mx that says there is none",
		    "example.org TXT v=spf1 mx -all\n"
		    "example.org MX .",
		    "fail", "all", "" },
		{ "ptr",
		    "example.org TXT v=spf1 ptr -all\n"
		    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
		    "mail.example.org A 192.0.2.1",
		    "pass", "ptr", "" },
		{ "ptr that leads elsewhere",
		    "example.org TXT v=spf1 ptr -all\n"
		    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
		    "mail.example.org A 192.0.2.2",
		    "fail", "all", "" },
		{ "ptr into another domain",
		    "example.org TXT v=spf1 ptr -all\n"
		    "1.2.0.192.in-addr.arpa PTR mail.badexample.org\n"
		    "mail.badexample.org A 192.0.2.1",
		    "fail", "all", "" },
		{ "exists",
		    "example.org TXT v=spf1 exists:%{ir}.l.%{d} -all\n"
		    "1.2.0.192.l.example.org A 127.0.0.2",
		    "pass", "exists:%{ir}.l.%{d}", "" },
		{ "macro p",
		    "example.org TXT v=spf1 exists:%{p}.x.org -all\n"
		    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
		    "mail.example.org A 192.0.2.1\n"
		    "mail.example.org.x.org A 127.0.0.2",
		    "pass", "exists:%{p}.x.org", "" },
		{ "include",
		    "example.org TXT v=spf1 include:b.org -all\n"
		    "b.org TXT v=spf1 ip4:192.0.2.1",
		    "pass", "include:b.org", "" },
		{ "include's fail is no match",
		    "example.org TXT v=spf1 include:b.org ?all\n"
		    "b.org TXT v=spf1 -all",
		    "neutral", "all", "" },
		{ "include of nothing",
		    "example.org TXT v=spf1 include:b.org -all", "permerror",
		    "", "include:b.org has no SPF record" },
		{ "redirect",
		    "example.org TXT v=spf1 redirect=b.org\n"
		    "b.org TXT v=spf1 a -all\nb.org A 192.0.2.1",
		    "pass", "a", "" },
		{ "redirect to nothing",
		    "example.org TXT v=spf1 redirect=b.org", "permerror", "",
		    "redirect=b.org has no SPF record" },
		{ "redirect behind all",
		    "example.org TXT v=spf1 redirect=b.org ~all\n"
		    "b.org TXT v=spf1 -all",
		    "softfail", "all", "" },
		{ "two records",
		    "example.org TXT v=spf1 -all\n"
		    "example.org TXT v=spf1 +all",
		    "permerror", "", "2 SPF records at example.org" },
		{ "a fault", "example.org TXT v=spf1 +all moo", "permerror", "",
		    "record of example.org, position 13: unknown" },
		{ "DNS fails", "example.org FAIL", "temperror", "",
		    "DNS failed for the TXT records of example.org" },
		{ "DNS fails for a term",
		    "example.org TXT v=spf1 a:b.org -all\n"
		    "b.org FAIL",
		    "temperror", "", "DNS failed for the A records of b.org" },
		{ "DNS fails behind a match",
		    "example.org TXT v=spf1 +all a\n"
		    "example.org FAIL",
		    "pass", "all", "" },
		{ "DNS fails for ptr",
		    "example.org TXT v=spf1 ptr -all\n"
		    "1.2.0.192.in-addr.arpa FAIL",
		    "fail", "all", "" },
		{ "include of itself",
		    "example.org TXT v=spf1 include:example.org -all",
		    "permerror", "", "more than 10 terms" },
		{ "redirect to itself",
		    "example.org TXT v=spf1 redirect=example.org", "permerror",
		    "", "more than 10 terms" },
		{ "ten terms",
		    "example.org TXT v=spf1"
		    " a a a a a a a a a a -all\nexample.org A 10.0.0.1",
		    "fail", "all", "" },
		{ "eleven terms",
		    "example.org TXT v=spf1"
		    " a a a a a a a a a a a -all\nexample.org A 10.0.0.1",
		    "permerror", "", "more than 10 terms that ask DNS" },
		{ "the eleventh behind a match",
		    "example.org TXT v=spf1"
		    " a a a a a a a a a a +all a\nexample.org A 10.0.0.1",
		    "pass", "all", "" },
		{ "two void lookups",
		    "example.org TXT v=spf1 a:v1.org a:v2.org -all", "fail",
		    "all", "" },
		{ "three void lookups",
		    "example.org TXT v=spf1 a:v1.org a:v2.org a:v3.org -all",
		    "permerror", "", "more than 2 void lookups" },
		{ "void names that cannot be are none",
		    "example.org TXT v=spf1"
		    " a:a..org a:b..org a:c..org -all",
		    "fail", "all", "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;

		spfrig_open(&rig, rows[i].zone);
		check_str(rows[i].name, spfrig_run(&rig), rows[i].want);
		check_str("mechanism", rig.output.mechanism, rows[i].mechanism);
		check_contains("problem", rig.output.problem, rows[i].problem);
		spfrig_close(&rig);
	}
}

static void
test_families(void)
{
	static const struct {
		const char *name, *ip, *record, *want;
	} rows[] = {
		{ "loopback is nobody special", "127.0.0.1", "-all", "fail" },
		{ "nor IPv6's", "::1", "-all", "fail" },
		{ "loopback by a", "127.0.0.1", "a -all", "pass" },
		{ "loopback by a network", "127.0.0.1", "a:n.org/8 -all",
		    "pass" },
		{ "not its neighbour", "128.0.0.1", "a:n.org/8 -all", "fail" },
		{ "IPv6's by a", "::1", "a -all", "pass" },
		{ "IPv6's by a network", "::1", "a:n.org//64 -all", "pass" },
		{ "IPv6", "2001:db8::5", "a//32 -all", "pass" },
		{ "IPv6's prefix is not IPv4's", "2001:db8::5", "a/0 -all",
		    "fail" },
		{ "mapped network matches nobody", "192.0.2.1",
		    "ip6:::ffff:192.0.2.1 -all", "fail" },
		{ "IPv4 network for IPv6", "2001:db8::5", "ip4:0.0.0.0/0 -all",
		    "fail" },
		{ "IPv6 by //0", "2001:db9::5", "a//0 -all", "pass" },
		{ "exists asks for A", "2001:db8::5", "exists:n.org -all",
		    "pass" },
		{ "IPv6 macro", "2001:db8::5", "exists:%{i}.m.org -all",
		    "pass" },
		{ "IPv6 ptr", "2001:db8::5", "ptr:p.org -all", "pass" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;
		char record[256];

		spfrig_open(&rig,
		    "n.org A 127.9.9.9\nn.org AAAA ::99\n"
		    "example.org A 127.0.0.1\nexample.org AAAA ::1\n"
		    "example.org AAAA 2001:db8:1::1\n"
		    "2.0.0.1.0.d.b.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
		    "0.0.0.5.m.org A 127.0.0.2\n"
		    "5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0."
		    "1.0.0.2.ip6.arpa PTR x.p.org\nx.p.org AAAA 2001:db8::5");
		snprintf(record, sizeof(record), "example.org TXT v=spf1 %s",
		    rows[i].record);
		spfrig_add(&rig, record);
		check_true("address", ip_parse(rows[i].ip, &rig.input.ip));
		check_str(rows[i].name, spfrig_run(&rig), rows[i].want);
		spfrig_close(&rig);
	}
}

static void
test_explanation(void)
{
	static const struct {
		const char *name, *zone, *want;
	} rows[] = {
		{ "none", "", "" },
		{ "its text", "e.org TXT See http://%{d}/why?ip=%{i}",
		    "See http://example.org/why?ip=192.0.2.1" },
		{ "with a name", "e.org TXT %{p} is not ours",
		    "unknown is not "
		    "ours" },
		{ "two of them", "e.org TXT one\ne.org TXT two", "" },
		{ "8-bit", "e.org TXT caf\303\251", "" },
		{ "a line end", "e.org TXT a\rX-Header: 1", "" },
		{ "a fault", "e.org TXT %{x}", "" },
		{ "DNS fails", "e.org FAIL", "" },
		{ "127 macros and a long end",
		    "e.org TXT " MACROS_127 REPEAT16(
			"12345678901234567890123456789012345678"),
		    NULL },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;

		spfrig_open(&rig, "example.org TXT v=spf1 exp=e.org -all");
		spfrig_add(&rig, rows[i].zone);
		check_str(rows[i].name, spfrig_run(&rig), "fail");
		if (rows[i].want != NULL)
			check_str(
			    rows[i].name, rig.output.explanation, rows[i].want);
		else
			check_uint(rows[i].name, strlen(rig.output.explanation),
			    SPFMACRO_TEXT_SIZE - 1);
		spfrig_close(&rig);
	}
}

/* Whose explanation counts: the record's that redirect leads to, never one
 * of an include. */
static void
test_explanation_whose(void)
{
	static const struct {
		const char *name, *zone, *want;
	} rows[] = {
		{ "redirect's",
		    "example.org TXT v=spf1 exp=e.org redirect=b.org\n"
		    "b.org TXT v=spf1 exp=f.org -all",
		    "f b.org" },
		{ "redirect has none",
		    "example.org TXT v=spf1 exp=e.org redirect=b.org\n"
		    "b.org TXT v=spf1 -all",
		    "" },
		{ "not include's",
		    "example.org TXT v=spf1 exp=e.org -include:b.org\n"
		    "b.org TXT v=spf1 exp=f.org +all",
		    "e example.org" },
		{ "redirect in an include",
		    "example.org TXT v=spf1 "
		    "include:b.org exp=e.org -all\n"
		    "b.org TXT v=spf1 redirect=c.org\n"
		    "c.org TXT v=spf1 exp=f.org -all",
		    "e example.org" },
		{ "none for a softfail",
		    "example.org TXT v=spf1 exp=e.org ~all", "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;

		spfrig_open(&rig, "e.org TXT e %{d}\nf.org TXT f %{d}");
		spfrig_add(&rig, rows[i].zone);
		spfrig_run(&rig);
		check_str(rows[i].name, rig.output.explanation, rows[i].want);
		spfrig_close(&rig);
	}
}

/* Adds "v=spf1", count times piece with its number for "%zu", and end. */
static void
add_long(struct spfrig *rig, const char *before, size_t count,
    const char *after, const char *end)
{
	size_t room = 200000;
	char *text = xmem_alloc(room);
	struct str s;

	str_init(&s, text, room);
	str_add(&s, "v=spf1");
	for (size_t i = 0; i < count; i++)
		str_addf(&s, "%s%zu%s", before, i, after);
	str_add(&s, end);
	if (s.truncated ||
	    !spfzone_add(&rig->zone, "example.org", "TXT", text, s.len))
		abort();
	xmem_free(&text);
}

static void
test_long_records(void)
{
	static const struct {
		const char *name, *before;
		size_t count;
		const char *after, *end, *want;
	} rows[] = {
		{ "64 networks before the one", " ip4:10.0.0.", 64, "",
		    " ip4:192.0.2.1 -all", "pass" },
		{ "250 networks", " ip4:10.0.0.", 250, "", " -all", "fail" },
		{ "1000 networks before the one",
		    " ip4:10.1.1.1 ip4:10.1.1.2 ip4:10.2.2.0/24 ip4:10.0.0.",
		    250, "", " ip4:192.0.2.1 -all", "pass" },
		{ "300 of IPv6", " ip6:2001:db8::", 300, "",
		    " ip4:192.0.2.1 -all", "pass" },
		{ "nine includes with long names", " include:x", 9,
		    ".b234567890123456789012345678901234567890123456789.org",
		    " ip4:192.0.2.1 -all", "pass" },
		{ "a hundred terms that ask", " a:x", 100, ".i.org",
		    " ip4:192.0.2.1 -all", "permerror" },
		{ "a hundred behind the one", " ip4:192.0.2.1 a:x", 100,
		    ".i.org", " -all", "pass" },
		{ "too many terms", " ip4:10.0.0.1/32 ip4:10.1.1.1 m", 1000,
		    "=", " +all", "permerror" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;

		spfrig_open(&rig, "");
		for (unsigned k = 0; k < 10; k++) {
			char line[128];

			snprintf(line, sizeof(line),
			    "x%u.b2345678901234567890"
			    "12345678901234567890123456789.org TXT v=spf1 -all",
			    k);
			spfrig_add(&rig, line);
			snprintf(line, sizeof(line), "x%u.i.org A 10.0.0.1", k);
			spfrig_add(&rig, line);
		}
		add_long(&rig, rows[i].before, rows[i].count, rows[i].after,
		    rows[i].end);
		check_str(rows[i].name, spfrig_run(&rig), rows[i].want);
		spfrig_close(&rig);
	}
}

/* Records that are known to crash or mislead libspf2 by itself. */
static void
test_hostile(void)
{
	static const struct {
		const char *name, *begin, *piece;
		unsigned count;
		const char *end, *want;
	} rows[] = {
		{ "127 macros and 8000 bytes", "exists:" MACROS_127, "12345678",
		    1000, " -all", "permerror" },
		{ "the same with a good end", "exists:" MACROS_127, "12345678",
		    1000, ".org -all", "fail" },
		{ "64 KiB of macros", "exists:", "%{s9r-.}%{d}", 5000,
		    ".org -all", "fail" },
		{ "prefix that wraps around", "a/4294967328", "", 0, " -all",
		    "permerror" },
		{ "macro number that wraps around",
		    "exists:%{d4294967297}.x.org", "", 0, " -all", "fail" },
		{ "reverse and URL", "exists:%{D255R}.x.org", "", 0, " -all",
		    "fail" },
		{ "8-bit macro", "exists:%{\344}.x.org", "", 0, " -all",
		    "permerror" },
		{ "only percent", "exists:%", "", 0, " -all", "permerror" },
		{ "many dots", "a:", ".", 255, "org -all", "fail" },
		{ "names of the guard itself", "include:t0.invalid", "", 0,
		    " a:t1.invalid -all", "permerror" },
		{ "a host of the guard", "a:t1m0.invalid", "", 0, " ?all",
		    "neutral" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char text[65536];
		struct spfrig rig;
		struct str s;

		str_init(&s, text, sizeof(text));
		str_addf(&s, "v=spf1 %s", rows[i].begin);
		for (unsigned k = 0; k < rows[i].count; k++)
			str_add(&s, rows[i].piece);
		str_add(&s, rows[i].end);
		spfrig_open(&rig, "");
		spfzone_add(&rig.zone, "example.org", "TXT", text, s.len);
		check_str(rows[i].name, spfrig_run(&rig), rows[i].want);
		spfrig_close(&rig);
	}
}

static void
test_nul(void)
{
	static const char record[] = "v=spf1 +all\0moo";
	struct spfrig rig;

	spfrig_open(&rig, "");
	spfzone_add(
	    &rig.zone, "example.org", "TXT", record, sizeof(record) - 1);
	check_str("NUL in a record", spfrig_run(&rig), "permerror");
	spfrig_close(&rig);
}

/* A record of eight includes, each of eight includes and so on. */
static void
test_amplification(void)
{
	struct spfrig rig;

	spfrig_open(&rig, "");
	for (unsigned level = 0; level < 4; level++) {
		char text[512];
		struct str s;

		str_init(&s, text, sizeof(text));
		str_addf(&s, "l%u.org TXT v=spf1", level);
		for (unsigned i = 0; i < 8; i++)
			str_addf(&s, " include:%u.l%u.org", i, level + 1);
		spfrig_add(&rig, text);
		for (unsigned i = 0; i < 8; i++) {
			str_init(&s, text, sizeof(text));
			str_addf(&s, "%u.l%u.org TXT v=spf1 redirect=l%u.org",
			    i, level, level);
			spfrig_add(&rig, text);
		}
	}
	rig.input.sender_domain = "l0.org";
	check_str("a tree of includes", spfrig_run(&rig), "permerror");
	check_true("few questions", rig.zone.questions <= 20);
	spfrig_close(&rig);
}

static void
test_limits(void)
{
	struct spfrig rig;
	char line[64];

	spfrig_open(&rig, "example.org TXT v=spf1 mx -all\n"
			  "b.org TXT v=spf1 ptr -all");
	for (unsigned i = 0; i < 10; i++) {
		snprintf(line, sizeof(line),
		    "example.org MX m%u.org\n"
		    "m%u.org A 10.0.0.1",
		    i, i);
		spfrig_add(&rig, line);
	}
	check_str("ten MX", spfrig_run(&rig), "fail");
	check_uint("one term", rig.output.lookups, 1);
	check_uint("asked side by side", rig.zone.runs, 4);
	spfrig_add(&rig, "example.org MX m10.org");
	check_str("eleven MX", spfrig_run(&rig), "permerror");
	for (unsigned i = 0; i < 250; i++) {
		snprintf(line, sizeof(line),
		    "1.2.0.192.in-addr.arpa PTR "
		    "m%u.b.org",
		    i);
		spfrig_add(&rig, line);
	}
	spfrig_add(&rig, "m11.b.org A 192.0.2.1");
	rig.input.sender_domain = "b.org";
	check_str("the eleventh PTR is not seen", spfrig_run(&rig), "fail");
	check_uint("questions", rig.zone.questions, 12);
	spfrig_add(&rig, "m9.b.org A 192.0.2.1");
	check_str("the tenth is", spfrig_run(&rig), "pass");
	spfrig_close(&rig);
}

static void
test_void_limit(void)
{
	struct spfrig rig;

	spfrig_open(&rig, "example.org TXT v=spf1 a:v1.org a:v2.org -all");
	rig.input.void_limit = 1;
	check_str("its own limit", spfrig_run(&rig), "permerror");
	check_uint("void lookups", rig.output.void_lookups, 2);
	rig.input.void_limit = 2;
	spfrig_run(&rig);
	check_uint("lookups", rig.output.lookups, 2);
	spfrig_close(&rig);
}

/* RFC 8616 section 4. */
static void
test_odd_local(void)
{
	static const struct {
		const char *name, *record, *want;
	} rows[] = {
		{ "exists", "v=spf1 exists:%{l}.x.org ~all", "softfail" },
		{ "include", "v=spf1 include:%{s}.x.org ~all", "softfail" },
		{ "redirect", "v=spf1 redirect=%{l}.x.org", "permerror" },
		{ "other macros", "v=spf1 exists:%{o}.x.org ~all", "pass" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;

		spfrig_open(&rig, "example.org.x.org A 127.0.0.2\n"
				  "\303\251.x.org A 127.0.0.2");
		spfzone_add(&rig.zone, "example.org", "TXT", rows[i].record,
		    strlen(rows[i].record));
		rig.input.sender_local = "\303\251";
		check_str(rows[i].name, spfrig_run(&rig), rows[i].want);
		spfrig_close(&rig);
	}
}

static void
take_step(void *arg, unsigned depth, const char *what, const char *outcome)
{
	str_addf(arg, "%u %s: %s\n", depth, what, outcome);
}

static void
test_trace(void)
{
	char buf[4096];
	struct str s;
	struct spfrig rig;

	str_init(&s, buf, sizeof(buf));
	spfrig_open(&rig,
	    "example.org TXT v=spf1 ip4:10.0.0.1 a include:b.org"
	    " mx -all\nexample.org A 10.0.0.1\nexample.org MX m.org\n"
	    "b.org TXT v=spf1 ip4:10.0.0.2 redirect=c.org\n"
	    "c.org TXT v=spf1 exists:%{i}.org ~all\nm.org A 192.0.2.1");
	rig.input.trace = take_step;
	rig.input.trace_arg = &s;
	check_str("pass", spfrig_run(&rig), "pass");
	check_str("each step", buf,
	    "0 TXT example.org: v=spf1 ip4:10.0.0.1 a include:b.org mx -all\n"
	    "0 ip4:10.0.0.1: no match\n"
	    "0 A example.org: 10.0.0.1\n"
	    "0 a: no match\n"
	    "1 TXT b.org: v=spf1 ip4:10.0.0.2 redirect=c.org\n"
	    "1 ip4:10.0.0.2: no match\n"
	    "1 redirect=c.org: goes on there\n"
	    "1 TXT c.org: v=spf1 exists:%{i}.org ~all\n"
	    "1 A 192.0.2.1.org: no such name\n"
	    "1 exists:%{i}.org: no match\n"
	    "1 ~all: match\n"
	    "0 include:b.org: no match\n"
	    "0 MX example.org: m.org\n"
	    "0 A m.org: 192.0.2.1\n"
	    "0 mx: match\n"
	    "0 result: pass\n");
	spfrig_close(&rig);
}

static void
test_trace_ends(void)
{
	static const struct {
		const char *name, *zone, *want;
	} rows[] = {
		{ "too many lookups in an include",
		    "example.org TXT v=spf1 include:b.org ip4:10.0.0.1 -all\n"
		    "b.org TXT v=spf1 a:v1.org a:v2.org a:v3.org a -all",
		    "0 TXT example.org: v=spf1 include:b.org ip4:10.0.0.1 "
		    "-all\n"
		    "1 TXT b.org: v=spf1 a:v1.org a:v2.org a:v3.org a -all\n"
		    "1 A v1.org: no such name\n1 a:v1.org: no match\n"
		    "1 A v2.org: no such name\n1 a:v2.org: no match\n"
		    "1 A v3.org: no such name\n"
		    "1 a:v3.org: the check ends here\n"
		    "0 result: more than 2 void lookups\n" },
		{ "no record behind an include",
		    "example.org TXT v=spf1 ip4:10.0.0.1 include:b.org -all",
		    "0 TXT example.org: v=spf1 ip4:10.0.0.1 include:b.org "
		    "-all\n"
		    "0 ip4:10.0.0.1: no match\n0 TXT b.org: no such name\n"
		    "0 include:b.org: the check ends here\n"
		    "0 result: include:b.org has no SPF record\n" },
		{ "no record behind a redirect",
		    "example.org TXT v=spf1 redirect=b.org",
		    "0 TXT example.org: v=spf1 redirect=b.org\n"
		    "0 TXT b.org: no such name\n"
		    "0 redirect=b.org: the check ends here\n"
		    "0 result: redirect=b.org has no SPF record\n" },
		{ "ptr and an explanation",
		    "example.org TXT v=spf1 ptr -all exp=e.org\n"
		    "1.2.0.192.in-addr.arpa PTR m.example.org\n"
		    "m.example.org A 10.0.0.1\ne.org TXT no",
		    "0 TXT example.org: v=spf1 ptr -all exp=e.org\n"
		    "0 PTR 1.2.0.192.in-addr.arpa: m.example.org\n"
		    "0 A m.example.org: 10.0.0.1\n0 ptr: no match\n"
		    "0 -all: match\n0 TXT e.org: no\n0 result: fail\n" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrig rig;
		char buf[4096];
		struct str s;

		str_init(&s, buf, sizeof(buf));
		spfrig_open(&rig, rows[i].zone);
		rig.input.trace = take_step;
		rig.input.trace_arg = &s;
		spfrig_run(&rig);
		check_str(rows[i].name, buf, rows[i].want);
		spfrig_close(&rig);
	}
}

int
main(void)
{
	test_results();
	test_families();
	test_explanation();
	test_explanation_whose();
	test_long_records();
	test_hostile();
	test_nul();
	test_amplification();
	test_limits();
	test_void_limit();
	test_odd_local();
	test_trace();
	test_trace_ends();
	return check_done();
}
