/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/spfrecord.h"
#include "common/xmem.h"

#include "tests/unit/check.h"

/* A record as one line: "+a:DOMAIN/24//64 -ip4:192.0.2.0/24 redirect=x". */
static const char *
render(const struct spfrecord *record)
{
	static char buf[1024];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < record->count; i++) {
		const struct spfrecord_term *t = &record->terms[i];
		char ip[IP_TEXT_SIZE];

		used += (size_t)snprintf(buf + used, sizeof(buf) - used,
		    "%s%c%s", i > 0 ? " " : "", t->qualifier,
		    spfrecord_mechanism_name(t->mechanism));
		if (t->mechanism == SPFRECORD_IP4 ||
		    t->mechanism == SPFRECORD_IP6)
			used += (size_t)snprintf(buf + used, sizeof(buf) - used,
			    ":%s/%u", ip_format(&t->net.base, ip),
			    t->net.prefix);
		if (t->domain.start != NULL)
			used += (size_t)snprintf(buf + used, sizeof(buf) - used,
			    ":%.*s", (int)t->domain.len, t->domain.start);
		if (t->mechanism == SPFRECORD_A || t->mechanism == SPFRECORD_MX)
			used += (size_t)snprintf(buf + used, sizeof(buf) - used,
			    "/%u//%u", t->cidr4, t->cidr6);
	}
	if (record->redirect.start != NULL)
		used += (size_t)snprintf(buf + used, sizeof(buf) - used,
		    " redirect=%.*s", (int)record->redirect.len,
		    record->redirect.start);
	if (record->exp.start != NULL)
		snprintf(buf + used, sizeof(buf) - used, " exp=%.*s",
		    (int)record->exp.len, record->exp.start);
	return buf;
}

static void
test_good(void)
{
	static const struct {
		const char *name, *record, *want;
	} rows[] = {
		{ "nothing", "v=spf1", "" },
		{ "blanks", "v=spf1   ", "" },
		{ "any case", "V=SpF1 -ALL", "-all" },
		{ "no qualifier is a plus", "v=spf1 all", "+all" },
		{ "each qualifier", "v=spf1 +all -all ~all ?all",
		    "+all -all ~all ?all" },
		{ "several blanks", "v=spf1  mx  -all ", "+mx/32//128 -all" },
		{ "networks",
		    "v=spf1 ip4:192.0.2.77/24 ip4:192.0.2.1 ip6:2001:DB8::1/32",
		    "+ip4:192.0.2.0/24 +ip4:192.0.2.1/32 +ip6:2001:db8::/32" },
		{ "networks of everybody", "v=spf1 ip4:192.0.2.1/0 ip6:::/0",
		    "+ip4:0.0.0.0/0 +ip6:::/0" },
		{ "mapped address stays IPv6", "v=spf1 ip6:::ffff:192.0.2.1",
		    "+ip6:::ffff:c000:201/128" },
		{ "dual prefixes", "v=spf1 a/24 a//64 a/24//64 mx:b.org/0//0",
		    "+a/24//128 +a/32//64 +a/24//64 +mx:b.org/0//0" },
		{ "domain with a dot at the end", "v=spf1 a:example.org.",
		    "+a:example.org./32//128" },
		{ "macro at the end", "v=spf1 exists:%{ir}.%{l1r-.}.x.%{d2}",
		    "+exists:%{ir}.%{l1r-.}.x.%{d2}" },
		{ "escapes", "v=spf1 exists:a%%b%_c%-d.example.org",
		    "+exists:a%%b%_c%-d.example.org" },
		{ "slash in a domain", "v=spf1 exists:a/b.example.org",
		    "+exists:a/b.example.org" },
		{ "modifiers anywhere",
		    "v=spf1 exp=e.x.org redirect=r.x.org -all",
		    "-all redirect=r.x.org exp=e.x.org" },
		{ "unknown modifiers", "v=spf1 a.b-c_d=%{d}x moo= moo= -all",
		    "-all" },
		{ "top label with hyphen", "v=spf1 a:x.1-2",
		    "+a:x.1-2/32//128" },
		{ "macro digits beyond any number",
		    "v=spf1 exists:%{d4294967297}.x.org",
		    "+exists:%{d4294967297}.x.org" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct spfrecord_fault fault = { .text = "" };
		const struct spfrecord *record = spfrecord_parse(
		    rows[i].record, strlen(rows[i].record), arena, &fault);

		check_str(rows[i].name,
		    record == NULL ? fault.text : render(record), rows[i].want);
		arena_free(&arena);
	}
}

static void
test_faults(void)
{
	static const struct {
		const char *name, *record, *want;
		size_t offset;
	} rows[] = {
		{ "no record", "spf1 -all", "does not begin with", 0 },
		{ "longer word", "v=spf10 -all", "does not begin with", 0 },
		{ "unknown mechanism", "v=spf1 moo", "unknown mechanism: moo",
		    7 },
		{ "its place", "v=spf1  a  moo -all", "unknown mechanism", 11 },
		{ "qualifier alone", "v=spf1 -", "unknown mechanism", 7 },
		{ "modifier as mechanism", "v=spf1 redirect:x.org",
		    "unknown mechanism", 7 },
		{ "all with a value", "v=spf1 all:x.org", "takes no value", 7 },
		{ "all with a prefix", "v=spf1 all/8", "syntax error", 7 },
		{ "include of nothing", "v=spf1 include", "value missing", 7 },
		{ "empty domain", "v=spf1 a:", "bad domain", 7 },
		{ "prefix too long", "v=spf1 a/33", "bad CIDR", 7 },
		{ "second prefix too long", "v=spf1 a//129", "bad CIDR", 7 },
		{ "prefix with zeros", "v=spf1 a/024", "bad CIDR", 7 },
		{ "prefix that wraps around", "v=spf1 a/4294967328", "bad CIDR",
		    7 },
		{ "no prefix", "v=spf1 a/", "bad CIDR", 7 },
		{ "three slashes", "v=spf1 a///64", "bad CIDR", 7 },
		{ "prefixes the wrong way round", "v=spf1 a//64/24",
		    "syntax error", 7 },
		{ "prefix for exists", "v=spf1 exists:x.org/24", "bad domain",
		    7 },
		{ "IPv4 too short", "v=spf1 ip4:192.0.2", "bad address", 7 },
		{ "IPv4 with a port", "v=spf1 ip4:192.0.2.1:25", "bad address",
		    7 },
		{ "IPv4 as IPv6", "v=spf1 ip6:192.0.2.1", "bad address", 7 },
		{ "IPv4 prefix too long", "v=spf1 ip4:192.0.2.1/33", "bad CIDR",
		    7 },
		{ "one label", "v=spf1 a:localhost", "bad domain", 7 },
		{ "top label of digits", "v=spf1 a:192.0.2.1", "bad domain",
		    7 },
		{ "hyphen at its end", "v=spf1 a:x.org-", "bad domain", 7 },
		{ "hyphen at its start", "v=spf1 a:x.-org", "bad domain", 7 },
		{ "two dots at the end", "v=spf1 a:x.org..", "bad domain", 7 },
		{ "dot alone", "v=spf1 a:.", "bad domain", 7 },
		{ "unknown macro", "v=spf1 exists:%{x}.x.org", "bad domain",
		    7 },
		{ "macro of explanations", "v=spf1 exists:%{t}.x.org",
		    "bad domain", 7 },
		{ "open macro", "v=spf1 exists:%{d", "bad domain", 7 },
		{ "percent at the end", "v=spf1 exists:x.org%", "bad domain",
		    7 },
		{ "macro of no parts", "v=spf1 exists:%{d0}.x.org",
		    "bad domain", 7 },
		{ "bad delimiter", "v=spf1 exists:%{d1!}.x.org", "bad domain",
		    7 },
		{ "two redirects", "v=spf1 redirect=a.org redirect=a.org",
		    "second modifier", 22 },
		{ "two explanations", "v=spf1 exp=a.org exp=a.org",
		    "second modifier", 17 },
		{ "empty redirect", "v=spf1 redirect=", "bad domain", 7 },
		{ "modifier with a bad macro", "v=spf1 moo=%x", "bad modifier",
		    7 },
		{ "modifier that begins with a digit", "v=spf1 1=x",
		    "unknown mechanism", 7 },
		{ "fault at the end of a good record",
		    "v=spf1 ip4:192.0.2.1 -all moo", "unknown mechanism", 26 },
		{ "tab", "v=spf1 a\t-all", "not printable", 8 },
		{ "8-bit", "v=spf1 a:\303\251.org", "not printable", 9 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct spfrecord_fault fault = { .text = "" };

		check_true(rows[i].name,
		    spfrecord_parse(rows[i].record, strlen(rows[i].record),
			arena, &fault) == NULL);
		check_contains(rows[i].name, fault.text, rows[i].want);
		check_uint(rows[i].name, fault.offset, rows[i].offset);
		arena_free(&arena);
	}
}

static void
test_nul(void)
{
	static const char record[] = "v=spf1 a\0-all";
	struct arena *arena = arena_new();
	struct spfrecord_fault fault = { .text = "" };

	check_true("NUL ends no record",
	    spfrecord_parse(record, sizeof(record) - 1, arena, &fault) == NULL);
	check_uint("its place", fault.offset, 8);
	check_true("NUL in the version",
	    spfrecord_parse("v=spf1\0-all", 11, arena, &fault) == NULL);
	arena_free(&arena);
}

/* Parses count times piece behind the version. */
static bool
parse_many(const char *piece, size_t count, size_t *terms_r)
{
	size_t len = strlen(piece), used = 6;
	char *text = xmem_alloc(used + count * len);
	struct arena *arena = arena_new();
	const struct spfrecord *record;
	struct spfrecord_fault fault;

	memcpy(text, "v=spf1", used);
	for (size_t i = 0; i < count; i++, used += len)
		memcpy(text + used, piece, len);
	record = spfrecord_parse(text, used, arena, &fault);
	*terms_r = record == NULL ? 0 : record->count;
	arena_free(&arena);
	xmem_free(&text);
	return record != NULL;
}

static void
test_size(void)
{
	size_t terms;

	check_true(
	    "the most terms", parse_many(" a", SPFRECORD_TERMS_MAX, &terms));
	check_uint("all of them", terms, SPFRECORD_TERMS_MAX);
	check_false(
	    "one more", parse_many(" a", SPFRECORD_TERMS_MAX + 1, &terms));
	check_true("64 KiB of blanks", parse_many(" ", 65529, &terms));
	check_uint("no terms", terms, 0);
	check_false("64 KiB of qualifiers", parse_many("-", 65529, &terms));
	check_false("64 KiB of slashes", parse_many("/", 65529, &terms));
	check_true("many modifiers", parse_many(" m=", 20000, &terms));
}

static void
test_is(void)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "v=spf1", true },
		{ "V=SPF1 ", true },
		{ "v=spf1 -all", true },
		{ "v=spf1-all", false },
		{ "v=spf1\t-all", false },
		{ "v=spf", false },
		{ "", false },
		{ " v=spf1", false },
		{ "v=spf10", false },
		{ "spf2.0/pra", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].text,
		    spfrecord_is(rows[i].text, strlen(rows[i].text)),
		    rows[i].want);
}

#define LABEL63                                                                \
	"a1234567890123456789012345678901"                                     \
	"2345678901234567890123456789012"

static void
test_domain_ok(void)
{
	static const struct {
		const char *name, *domain;
		bool want;
	} rows[] = {
		{ "ordinary", "example.org", true },
		{ "dot at the end", "example.org.", true },
		{ "underscore", "_spf.example.org", true },
		{ "label of 63", LABEL63 ".org", true },
		{ "label of 64", LABEL63 "3.org", false },
		{ "253 characters",
		    LABEL63
		    "." LABEL63 "." LABEL63 "."
		    "b234567890123456789012345678901234567890123456789012345678"
		    ".or",
		    true },
		{ "255 characters", LABEL63 "." LABEL63 "." LABEL63 "." LABEL63,
		    false },
		{ "one label", "localhost", false },
		{ "nothing", "", false },
		{ "a dot", ".", false },
		{ "empty label", "a..org", false },
		{ "dot in front", ".example.org", false },
		{ "two dots at the end", "example.org..", false },
		{ "address literal", "[192.0.2.1]", false },
		{ "blank", "exa mple.org", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].name, spfrecord_domain_ok(rows[i].domain),
		    rows[i].want);
}

static void
test_macro(void)
{
	static const struct {
		const char *text;
		bool explains;
		size_t len;
		const char *want; /* letter, url, keep, reverse, delims */
	} rows[] = {
		{ "%{d}", false, 4, "d00 0." },
		{ "%{D}", false, 4, "d10 0." },
		{ "%{l12r+-}x", false, 9, "l012 1+-" },
		{ "%{sR.}", false, 6, "s00 1." },
		{ "%{d--,}", false, 7, "d00 0-," },
		{ "%%", false, 2, "%00 0" },
		{ "%-", false, 2, "-00 0" },
		{ "%{c}", true, 4, "c00 0." },
		{ "%{c}", false, 0, "" },
		{ "%{r}", false, 0, "" },
		{ "%{", true, 0, "" },
		{ "%", true, 0, "" },
		{ "%x", true, 0, "" },
		{ "%{d1", true, 0, "" },
		{ "%{d0}", true, 0, "" },
		{ "%{d1r1}", true, 0, "" },
		{ "%{}", true, 0, "" },
		{ "%{d2147483648}", false, 14, "d02147 0." },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfrecord_macro m;
		char got[64] = "";
		size_t len = spfrecord_macro(
		    rows[i].text, strlen(rows[i].text), rows[i].explains, &m);

		check_uint(rows[i].text, len, rows[i].len);
		if (len > 0)
			snprintf(got, sizeof(got), "%c%d%u %d%s", m.letter,
			    m.url, m.keep, m.reverse, m.delimiters);
		check_str(rows[i].text, got, rows[i].want);
	}
}

int
main(void)
{
	test_good();
	test_faults();
	test_nul();
	test_size();
	test_is();
	test_domain_ok();
	test_macro();
	return check_done();
}
