/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "common/regex.h"
#include "greylistd/rcpttable.h"

static const char table_text[] = "# who is greylisted\n"
				 "\n"
				 "*\t\t\t\toff\n"
				 "example.org\t\t\ton\n"
				 "slow.example.org\t\t10m\n"
				 "joe@example.org\t\t\t60s\n"
				 "joe+fast@example.org\t\t0\n"
				 "abuse@\t\t\t\tOFF\n"
				 "Jane@Example.NET   on # not a comment here\n";

static const char table_good[] = "  # a comment after blanks\n"
				 "*\toff\n"
				 "example.org on\n"
				 "slow.example.org\t10m\n"
				 "joe@example.org 60s\r\n"
				 "joe+fast@example.org 0\n"
				 "abuse@ OFF\n"
				 "Jane@Example.NET \t On\n"
				 "/^list-.*@/ 5m\n"
				 "/^list-a #b@/ 7m\n"
				 "/@re\\.example$/ on";

static const struct {
	const char *name;
	const char *recipient;
	bool greylist;
	int64_t delay_s;
} rows[] = {
	{ "anybody", "x@y.example", false, -1 },
	{ "domain", "x@example.org", true, -1 },
	{ "below the domain", "x@mx.example.org", true, -1 },
	{ "the more specific domain", "x@a.SLOW.example.org", true, 600 },
	{ "address", "JOE@example.org", true, 60 },
	{ "address with extension", "joe+x@example.org", true, 60 },
	{ "its own extension", "joe+fast@example.org", true, 0 },
	{ "and one below it", "joe+fast+er@example.org", true, 0 },
	{ "not at another domain", "joe@slow.example.org", true, 600 },
	{ "user before domain", "abuse@slow.example.org", false, -1 },
	{ "user anywhere", "abuse+x@z.example", false, -1 },
	{ "case", "jane@example.net", true, -1 },
	{ "regex", "list-b@z.example", true, 300 },
	{ "the first regex", "list-a #b@z.example", true, 300 },
	{ "the last line", "a@re.example", true, -1 },
	{ "domain before regex", "list-b@example.org", true, -1 },
	{ "no @", "postmaster", false, -1 },
	{ "nothing", "", false, -1 },
};

static const struct {
	const char *name;
	const char *text;
	const char *want;
} faults[] = {
	{ "no action", "\nexample.org\n",
	    "T:2: \"example.org\" has no action" },
	{ "no such action", "a@b maybe", "T:1: \"maybe\" is neither on, off" },
	{ "comment behind", table_text, "T:9: \"on # not a comment here\"" },
	{ "negative time", "a@b -5", "T:1: \"-5\"" },
	{ "twice", "a.example on\n\nA.Example. off\n",
	    "T:3: \"A.Example.\" is in line 1 already" },
	{ "all twice", "* on\n* on\n", "T:2: \"*\" is in line 1 already" },
	{ "no user", "@b on", "T:1: doesn't look like an address" },
	{ "regex that does not compile", "/a(/ on", "T:1: " },
	{ "regex without its end", "/abc on", "T:1: \"/abc\" has no closing" },
	{ "empty regex", "// on", "has no closing" },
	{ "regex without an action", "/a/", "T:1: \"/a/\" has no action" },
};

static void
test_bounds(void)
{
	static const char text[] = "a@b off\n/^x/ 2m\na.example 3m\n* 1m\n";
	struct rcpttable *table =
	    rcpttable_parse("T", text, sizeof(text) - 1, NULL);
	char recipient[REGEX_SUBJECT_MAX + 2];
	unsigned line = 0;

	check_int("longest", rcpttable_longest_s(table, &line), 180);
	check_uint("in line", line, 3);
	memset(recipient, 'x', sizeof(recipient));
	recipient[REGEX_SUBJECT_MAX] = '\0';
	check_int("long", rcpttable_find(table, recipient).delay_s, 120);
	recipient[REGEX_SUBJECT_MAX] = 'x';
	recipient[REGEX_SUBJECT_MAX + 1] = '\0';
	check_int("too long", rcpttable_find(table, recipient).delay_s, 60);
	rcpttable_free(&table);
	table = rcpttable_parse("T", "* on", 4, NULL);
	check_int("no delay", rcpttable_longest_s(table, &line), -1);
	rcpttable_free(&table);
}

int
main(void)
{
	struct rcpttable *table;
	struct rcpttable_action action;
	struct err err;

	table = rcpttable_parse("T", table_good, sizeof(table_good) - 1, &err);
	check_true("a good table", table != NULL);
	for (size_t i = 0; table != NULL && i < CHECK_COUNT(rows); i++) {
		action = rcpttable_find(table, rows[i].recipient);
		check_bool(rows[i].name, action.greylist, rows[i].greylist);
		check_int("delay", action.delay_s, rows[i].delay_s);
	}
	rcpttable_free(&table);
	check_true("set to NULL", table == NULL);
	rcpttable_free(&table);

	for (size_t i = 0; i < CHECK_COUNT(faults); i++) {
		err.text[0] = '\0';
		table = rcpttable_parse(
		    "T", faults[i].text, strlen(faults[i].text), &err);
		check_true(faults[i].name, table == NULL);
		check_contains("says", err.text, faults[i].want);
	}
	table = rcpttable_parse("T", "a\0b on", 6, &err);
	check_true("a NUL byte", table == NULL);
	check_str("says", err.text, "T:1: too long, or not text");
	table = rcpttable_load("no/such/file", &err);
	check_true("no file", table == NULL);
	check_contains("says", err.text, "no/such/file: cannot open");
	table = rcpttable_load("/dev/null", &err);
	check_true("an empty file", table != NULL);
	action = rcpttable_find(table, "a@b");
	check_true(
	    "leaves all as it is", action.greylist && action.delay_s == -1);
	rcpttable_free(&table);
	action = rcpttable_find(NULL, "a@b");
	check_true("so does no table", action.greylist && action.delay_s == -1);
	test_bounds();
	return check_done();
}
