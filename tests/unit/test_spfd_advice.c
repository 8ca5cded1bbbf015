/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "common/str.h"

#include "spfd/ctl_advice.h"

#define BYTES_50 "00000000000000000000000000000000000000000000000000"

/* "code@offset+len" of each finding, a blank between them. */
static const struct {
	const char *name;
	const char *record;
	const char *want;
} rows[] = {
	{ "a good one", "v=spf1 ip4:192.0.2.0/24 mx -all", "" },
	{ "softfail is good too", "v=spf1 mx ~all", "" },
	{ "no all", "v=spf1 mx", "no-all@0+0" },
	{ "a redirect instead", "v=spf1 redirect=example.net", "" },
	{ "nothing but the version", "v=spf1", "no-all@0+0" },
	{ "everybody", "v=spf1 +all", "pass-all@7+4" },
	{ "everybody, in short", "v=spf1 ALL", "pass-all@7+3" },
	{ "neutral", "v=spf1 ?all", "neutral-all@7+4" },
	{ "behind all", "v=spf1 -all mx  a", "unreachable@12+5" },
	{ "not counted behind all", "v=spf1 -all ptr mx mx +all",
	    "unreachable@12+14" },
	{ "redirect and all", "v=spf1 redirect=example.net -all",
	    "redirect-unused@16+11" },
	{ "ptr", "v=spf1 ptr -all", "ptr@7+3" },
	{ "ptr of a domain", "v=spf1 ?ptr:example.net -all", "ptr@7+16" },
	{ "the macro p", "v=spf1 exists:%{p}.example.net -all",
	    "macro-p@7+23" },
	{ "twice", "v=spf1 mx a MX -all", "duplicate@12+2" },
	{ "three times", "v=spf1 mx mx mx -all",
	    "duplicate@10+2 duplicate@13+2" },
	{ "two qualifiers", "v=spf1 -a +a -all", "" },
	{ "a wide network", "v=spf1 ip4:8.0.0.0/8 -all", "wide-network@7+13" },
	{ "not as wide", "v=spf1 ip4:8.0.0.0/9 -all", "" },
	{ "a wide one refused", "v=spf1 -ip4:8.0.0.0/8 ~all", "" },
	{ "a wide IPv6 network", "v=spf1 ip6:2000::/3 -all",
	    "wide-network@7+12" },
	{ "everywhere", "v=spf1 ip4:0.0.0.0/0 -all", "wide-network@7+13" },
	{ "private", "v=spf1 ip4:192.168.1.1 ip6:fe80::1 -all",
	    "private-network@7+15 private-network@23+11" },
	{ "a syntax error", "v=spf1 mx ip4:192.0.2.0/33 -all", "syntax@10+16" },
	{ "an unknown mechanism at the end", "v=spf1 mx foo", "syntax@10+3" },
	{ "an odd byte", "v=spf1 a\033b -all", "syntax@8+2" },
	{ "no version", "spf1 -all", "syntax@0+4" },
	{ "no text", "", "syntax@0+1" },
	{ "a second redirect", "v=spf1 redirect=a.example redirect=b.example",
	    "syntax@26+18" },
	{ "ten lookups",
	    "v=spf1 a:1.org a:2.org a:3.org a:4.org a:5.org "
	    "mx:6.org mx:7.org exists:8.org include:9.org ptr -all",
	    "ptr@92+3" },
	{ "eleven lookups",
	    "v=spf1 a:1.org a:2.org a:3.org a:4.org a:5.org "
	    "mx:6.org mx:7.org exists:8.org include:9.org mx redirect=b.org",
	    "too-many-lookups@0+0" },
	{ "eleven, one of them never",
	    "v=spf1 a:1.org a:2.org a:3.org a:4.org "
	    "a:5.org mx:6.org mx:7.org exists:8.org include:9.org mx -all "
	    "redirect=b.org",
	    "redirect-unused@109+5" },
	{ "450 bytes",
	    "v=spf1 x=" BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50
		BYTES_50 BYTES_50 "000000000000000000000000000000000000 -all",
	    "" },
	{ "451 bytes",
	    "v=spf1 x=" BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50 BYTES_50
		BYTES_50 BYTES_50 "0000000000000000000000000000000000000 -all",
	    "long@0+0" },
};

static void
never(void *arg)
{
	(void)arg;
	check_true("nothing is asked", false);
}

static void
test_records(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct ctl_survey *survey = ctl_survey_text(NULL, "example.org",
		    rows[i].record, strlen(rows[i].record), never, NULL);
		struct arena *arena = arena_new();
		const struct ctl_advice *advice;
		char text[1024];
		struct str s;

		check_true(rows[i].name, ctl_survey_is_done(survey));
		advice = ctl_advice_make(ctl_survey_root(survey), 2, arena);
		str_init(&s, text, sizeof(text));
		for (; advice != NULL; advice = advice->next)
			str_addf(&s, "%s%s@%zu+%zu", s.len > 0 ? " " : "",
			    advice->code, advice->offset, advice->len);
		check_str(rows[i].name, text, rows[i].want);
		arena_free(&arena);
		ctl_survey_free(&survey);
	}
}

/* Names of terms, "-" for those that depend on the mail. */
static void
test_names(void)
{
	static const struct {
		const char *name, *domain, *record, *want;
	} names[] = {
		{ "its own", "example.org", "v=spf1 a mx -all",
		    "example.org example.org" },
		{ "its own, not known", "", "v=spf1 a a:%{d}.b.org -all",
		    "- -" },
		{ "another", "example.org", "v=spf1 a:b.org include:c.org",
		    "b.org c.org" },
		{ "the macro d", "a.example.org", "v=spf1 a:%{d2}.b.org",
		    "example.org.b.org" },
		{ "macros of the mail", "example.org",
		    "v=spf1 exists:%{i}.b.org a:%{l}.%{d} include:%{h}",
		    "- - -" },
		{ "a redirect", "example.org", "v=spf1 redirect=_spf.%{d}",
		    "_spf.example.org" },
	};

	for (size_t i = 0; i < CHECK_COUNT(names); i++) {
		struct ctl_survey *survey =
		    ctl_survey_text(NULL, names[i].domain, names[i].record,
			strlen(names[i].record), never, NULL);
		const struct ctl_survey_node *root = ctl_survey_root(survey);
		char text[1024];
		struct str s;

		str_init(&s, text, sizeof(text));
		for (size_t j = 0; j < root->count; j++)
			str_addf(&s, "%s%s", j > 0 ? " " : "",
			    root->terms[j].name != NULL ? root->terms[j].name
							: "-");
		check_str(names[i].name, text, names[i].want);
		ctl_survey_free(&survey);
	}
}

static void
test_worst(void)
{
	struct ctl_advice last = { .level = CTL_ADVICE_WARNING };
	struct ctl_advice middle = { .next = &last, .level = CTL_ADVICE_ERROR };
	struct ctl_advice first = { .next = &middle,
		.level = CTL_ADVICE_TEMPORARY };

	check_str("the highest of three",
	    ctl_advice_level_name(ctl_advice_worst(&first)), "error");
	check_str("the highest of one",
	    ctl_advice_level_name(ctl_advice_worst(&last)), "warning");
}

int
main(void)
{
	test_records();
	test_names();
	test_worst();
	return check_done();
}
