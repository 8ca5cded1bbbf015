/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "common/regex.h"
#include "greylistd/regexset.h"

/* In endings, "?" stands for any byte. */
static const struct {
	const char *pattern;
	const char *ending; /* NULL: none */
	const char *domain; /* NULL: none */
} endings[] = {
	{ "^mx\\d+\\.Example\\.org$", ".example.org", "example.org" },
	{ "^mx.*\\.a-b\\.example$", ".a-b.example", "a-b.example" },
	{ "^smtp\\d+.example.org$", "?example?org", NULL },
	{ "^.*?.mx.a\\.example$", "?mx?a.example", "example" },
	{ "^(?:a|b)\\d+-x\\.example$", "-x.example", "example" },
	{ "^(a|b).c\\.example$", "?c.example", "example" },
	{ "mx[12]\\.b\\.example$", ".b.example", "b.example" },
	{ "mx[]a]x\\.example$", "x.example", "example" },
	{ "mx[^]a\\]]x\\.example$", "x.example", "example" },
	{ "a\\@b\\.example$", "a@b.example", "example" },
	{ "example$", "example", NULL },
	{ "example\\.$", "example.", NULL },
	{ "a?b\\.c$", "b.c", "c" },
	{ "a\\.bc?$", NULL, NULL },
	{ "a\\.bc{2}$", NULL, NULL },
	{ "a\\.(b)$", NULL, NULL },
	{ "a\\.b[c]$", NULL, NULL },
	{ "a\\.b", NULL, NULL },
	{ "a\\.b\\$", NULL, NULL },
	{ "a$b", NULL, NULL },
	{ "(a\\.b$)", NULL, NULL },
	{ "$", NULL, NULL },
	{ "", NULL, NULL },
	/* Too involved to tell. */
	{ "x|a\\.b$", NULL, NULL },
	{ "(?i)a\\.b$", NULL, NULL },
	{ "(?m)a\\.b$", NULL, NULL },
	{ "(?x) a\\.b$", NULL, NULL },
	{ "(?!x)a\\.b$", NULL, NULL },
	{ "(*ANYCRLF)a\\.b$", NULL, NULL },
	{ "\\Qa.b$", NULL, NULL },
	{ "\\x2eb\\.c$", NULL, NULL },
	{ "\\056\\.b$", NULL, NULL },
	{ "(a)\\1\\.b$", NULL, NULL },
	{ "a\\cb\\.b$", NULL, NULL },
	{ "[[:alpha:]]\\.b$", NULL, NULL },
	{ "[[:]a|b].com$", NULL, NULL },
	{ "[\\Q]a\\E]\\.b$", NULL, NULL },
	{ "a\\zb\\.c$", NULL, NULL },
};

static void
test_endings(void)
{
	for (size_t i = 0; i < CHECK_COUNT(endings); i++) {
		struct regexset_ending e;
		bool found = regexset_find_ending(endings[i].pattern, &e);
		char text[REGEXSET_ENDING_MAX + 1];
		bool has_domain = found && e.domain < e.len;

		for (size_t k = 0; found && k < e.len; k++)
			text[k] = '?';
		for (size_t k = 0; found && k < e.len; k++)
			if (e.text[k] != '\0')
				text[k] = e.text[k];
		if (found)
			text[e.len] = '\0';
		check_str(
		    endings[i].pattern, found ? text : NULL, endings[i].ending);
		check_str("domain", has_domain ? text + e.domain : NULL,
		    endings[i].domain);
	}
}

static const char *const subjects[] = {
	"mx1.example.org",
	"MX22.EXAMPLE.ORG",
	"mx.example.org",
	"mx1.example.org.",
	"mx1.example.orgs",
	"smtp5xexampleyorg",
	"smtp5.example.org",
	"a1-x.example",
	"b22-x.example",
	"mx1.b.example",
	"mx1b.example",
	"xc.example",
	"a.c.example",
	"mxax.example",
	"mx]x.example",
	"mxbx.example",
	"a@b.example",
	"foo.example",
	"foo",
	"a.b",
	"a.bc",
	"a.bcc",
	"x",
	"ab.c",
	"b.c",
	".b",
	"aa.b",
	"a\x02.b",
	"xa.b",
	"q.b",
	"xa",
	"y.com",
	"a",
	"\xe4.b",
	"ab\n",
	"",
	"long.mx.a.example",
	"pre.mxya.example",
	"xa.b$",
	"x\ny.b",
	"xa.b\n",
	"mx1.example.org\n",
};

/* A set of one must say what its pattern alone says, whatever was left out
 * for speed; all in one set, what any of them says. */
static void
test_same_as_alone(void)
{
	struct regexset *all = regexset_new();
	bool any[CHECK_COUNT(subjects)] = { false };
	unsigned wrong = 0, matched = 0;
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(endings); i++) {
		struct regexset *set = regexset_new();
		struct regex *alone = regex_new(endings[i].pattern, true, &err);

		if (alone == NULL) {
			check_int("it does not compile either",
			    regexset_add(set, endings[i].pattern, &err), -1);
			regexset_free(&set);
			continue;
		}
		check_int(endings[i].pattern,
		    regexset_add(set, endings[i].pattern, &err), 0);
		regexset_add(all, endings[i].pattern, &err);
		for (size_t k = 0;
		     *endings[i].pattern != '\0' && k < CHECK_COUNT(subjects);
		     k++) {
			size_t len = strlen(subjects[k]);
			bool want =
			    regex_match(alone, subjects[k], len) == REGEX_MATCH;

			any[k] = any[k] || want;
			matched += want;
			if (regexset_matches(set, subjects[k], len) == want)
				continue;
			check_note("%s on %s", endings[i].pattern, subjects[k]);
			wrong++;
		}
		regex_free(&alone);
		regexset_free(&set);
	}
	check_uint("as each alone", wrong, 0);
	check_true("with something to compare", matched > 30);
	regexset_free(&all);
	check_true("set to NULL", all == NULL);
}

static void
test_sets(void)
{
	struct regexset *set = regexset_new();
	char subject[REGEX_SUBJECT_MAX + 1];
	struct err err;

	check_false("empty", regexset_matches(set, "a", 1));
	regexset_add(set, "^a\\d\\.x\\.example$", &err);
	regexset_add(set, "^b\\d\\.x\\.example$", &err);
	regexset_add(set, "^c\\d\\.example$", &err);
	regexset_add(set, "^d.example$", &err);
	regexset_add(set, "dsl", &err);
	check_true(
	    "first of a domain", regexset_matches(set, "a1.x.example", 12));
	check_true("second", regexset_matches(set, "b1.x.example", 12));
	check_false("neither", regexset_matches(set, "e1.x.example", 12));
	check_true("a shorter domain", regexset_matches(set, "c1.example", 10));
	check_true("no domain", regexset_matches(set, "d.example", 9));
	check_true("no ending", regexset_matches(set, "x.dsl.x.example", 15));
	check_false(
	    "only len bytes count", regexset_matches(set, "a1.x.examplex", 13));
	check_true("and these do", regexset_matches(set, "a1.x.examplex", 12));
	check_false("nothing", regexset_matches(set, "", 0));
	memset(subject, 'x', sizeof(subject));
	check_false("long", regexset_matches(set, subject, sizeof(subject)));
	memcpy(subject + 400, "dsl", 3);
	check_true("the longest, found",
	    regexset_matches(set, subject, sizeof(subject) - 1));
	check_false(
	    "too long", regexset_matches(set, subject, sizeof(subject)));
	check_int("broken", regexset_add(set, "a(b", &err), -1);
	regexset_free(&set);
	regexset_free(&set);
}

int
main(void)
{
	test_endings();
	test_same_as_alone();
	test_sets();
	return check_done();
}
