/* SPDX-License-Identifier: ISC */
/*
 * test_milter.c - the decisions of common/milter: addresses, edits, replies
 *
 * What goes over the wire is tested by tests/milter.
 */
#include <stdlib.h>

#include "common/milter_int.h"
#include "tests/unit/check.h"

static struct arena *arena;

static void
test_addresses(void)
{
	static const struct {
		const char *name, *macro, *argument, *want;
	} rows[] = {
		{ "the macro counts", "a@b.example", "<c@d.example>",
		    "a@b.example" },
		{ "an empty macro is the null sender", "", "<a@b>", "" },
		{ "quoted as the macro has it", "\"(any\"@b", "<(any@b>",
		    "\"(any\"@b" },
		{ "plain argument", NULL, "<a.b+c@d-e.example>",
		    "a.b+c@d-e.example" },
		{ "null sender", NULL, "<>", "" },
		{ "no brackets", NULL, "a@b", NULL },
		{ "nothing", NULL, "", NULL },
		{ "no argument", NULL, NULL, NULL },
		{ "quoted local part", NULL, "<\"a\"@b>", NULL },
		{ "comment", NULL, "<(any@b.example>", NULL },
		{ "source route", NULL, "<@c:a@b>", NULL },
		{ "two @", NULL, "<a@b@c>", NULL },
		{ "no domain", NULL, "<a@>", NULL },
		{ "no local part", NULL, "<@b>", NULL },
		{ "no @", NULL, "<a>", NULL },
		{ "literal", NULL, "<a@[192.0.2.1]>", NULL },
		{ "blank", NULL, "<a @b>", NULL },
		{ "8-bit", NULL, "<\xc3\xa4@b>", NULL },
		{ "open bracket", NULL, "<a@b", NULL },
		{ "something behind", NULL, "<a@b> ", NULL },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_str(rows[i].name,
		    milter_address_choose(
			arena, rows[i].macro, rows[i].argument),
		    rows[i].want);
}

static void
test_long_addresses(void)
{
	char text[MILTER_ADDRESS_MAX + 3];

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	check_str("a macro that is too long",
	    milter_address_choose(arena, text, "<a@b>"), NULL);
	text[0] = '<';
	text[2] = '@';
	text[sizeof(text) - 2] = '>';
	check_str("an argument that is too long",
	    milter_address_choose(arena, NULL, text), NULL);
}

static void
test_values(void)
{
	static const struct {
		const char *name, *value, *want;
	} rows[] = {
		{ "as it is", "a; b", " a; b" },
		{ "fold with a TAB", "a;\n\tb", " a;\n\tb" },
		{ "fold with blanks", "a;\n   b", " a;\n   b" },
		{ "CRLF", "a;\r\n\tb", " a;\n\tb" },
		{ "bare line end", "a\nX-B: c", " a\n\tX-B: c" },
		{ "bare CR", "a\rX-B: c", " a\n\tX-B: c" },
		{ "empty line", "a\n\nb", " a\n\tb" },
		{ "line of blanks", "a\n \t\n b", " a\n b" },
		{ "line end at the end", "a\n", " a" },
		{ "blanks at the end", "a \t ", " a" },
		{ "blanks in front", " \n\ta", " a" },
		{ "control characters", "a\001b\177\033", " a?b??" },
		{ "TAB inside", "a\tb", " a\tb" },
		{ "UTF-8 stays", "\xc3\xa4", " \xc3\xa4" },
		{ "nothing", "", "" },
		{ "blanks only", " \n ", "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_str(rows[i].name,
		    milter_edit_value(arena, " ", rows[i].value), rows[i].want);
	check_str("no leading space was agreed",
	    milter_edit_value(arena, "", "a"), "a");
}

static const char *const names[] = { "Received", "X-A", "x-a", "Subject",
	"X-A \t", "X-AB", "X-A" };
static struct header_field fields[CHECK_COUNT(names)];

/* The plan as text: "-NAME NTH" and "+NAME=VALUE". */
static const char *
plan_text(const struct milter_work *work)
{
	static char text[512];
	struct milter_step *steps;
	size_t len = 0;
	size_t count =
	    milter_edit_plan(arena, &work->message, &work->edits, &steps);

	text[0] = '\0';
	for (size_t i = 0; i < count; i++) {
		char *to = text + len;
		size_t room = sizeof(text) - len;

		if (steps[i].is_removal)
			len += (size_t)snprintf(
			    to, room, "-%s %d;", steps[i].name, steps[i].nth);
		else
			len += (size_t)snprintf(
			    to, room, "+%s=%s;", steps[i].name, steps[i].value);
	}
	return text;
}

static void
test_plans(void)
{
	static const struct {
		const char *name, *removed, *inserted, *want;
	} rows[] = {
		{ "nothing", "", "", "" },
		{ "one", "0", "", "-Received 1;" },
		{ "one of several", "2", "", "-x-a 2;" },
		{ "from the last to the first", "1246", "",
		    "-X-A 4;-X-A 3;-X-A 2;-X-A 1;" },
		{ "in any order of calls", "6142", "",
		    "-X-A 4;-X-A 3;-X-A 2;-X-A 1;" },
		{ "twice is once", "33", "", "-Subject 1;" },
		{ "blanks before the colon", "4", "", "-X-A 3;" },
		{ "names mixed", "0356", "",
		    "-X-A 4;-X-AB 1;-Subject 1;-Received 1;" },
		{ "insertions backwards", "", "123", "+N3=3;+N2=2;+N1=1;" },
		{ "insertions after removals", "36", "12",
		    "-X-A 4;-Subject 1;+N2=2;+N1=1;" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct milter_work work = {
			.message = { .arena = arena,
			    .fields = fields,
			    .field_count = CHECK_COUNT(fields) },
		};
		struct milter_message *m = &work.message;

		for (const char *p = rows[i].removed; *p != '\0'; p++)
			milter_remove(m, (size_t)(*p - '0'));
		for (const char *p = rows[i].inserted; *p != '\0'; p++)
			milter_insert(
			    m, (char[]){ 'N', *p, '\0' }, (char[]){ *p, '\0' });
		check_str(rows[i].name, plan_text(&work), rows[i].want);
		check_bool(rows[i].name, milter_edit_count(m) != 0,
		    rows[i].want[0] != '\0');
		free(work.edits.removed);
		free(work.edits.inserts);
	}
}

static void
test_replies(void)
{
	static const struct {
		const char *name;
		struct milter_verdict verdict;
		const char *want;
	} rows[] = {
		{ "nothing but reject", { .action = MILTER_REJECT },
		    "550 5.7.1 Message rejected" },
		{ "nothing but tempfail", { .action = MILTER_TEMPFAIL },
		    "451 4.7.1 Service unavailable - try again later" },
		{ "all given", { MILTER_REJECT, "554", "5.6.0", "no" },
		    "554 5.6.0 no" },
		{ "codes of the other class",
		    { MILTER_REJECT, "451", "4.6.0", "no" }, "550 5.7.1 no" },
		{ "a reject's code for a tempfail",
		    { MILTER_TEMPFAIL, "550", "5.7.1", "no" }, "451 4.7.1 no" },
		{ "codes that are none",
		    { MILTER_REJECT, "55", "5.7.1.1", "no" }, "550 5.7.1 no" },
		{ "a code with a tail", { MILTER_REJECT, "550 ", "5.7.", "no" },
		    "550 5.7.1 no" },
		{ "long details", { MILTER_REJECT, "550", "5.7.123", "no" },
		    "550 5.7.123 no" },
		{ "details too long", { MILTER_REJECT, "550", "5.7.1234", "" },
		    "550 5.7.1 Message rejected" },
		{ "percent", { MILTER_REJECT, NULL, NULL, "100 %n" },
		    "550 5.7.1 100 %%n" },
		{ "line ends", { MILTER_REJECT, NULL, NULL, "a\r\n250 ok\tb" },
		    "550 5.7.1 a  250 ok b" },
		{ "control and 8-bit",
		    { MILTER_REJECT, NULL, NULL, "a\001\177\xc3\xa4" },
		    "550 5.7.1 a????" },
	};
	char text[600];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct milter_reply reply;

		milter_reply_make(&rows[i].verdict, &reply);
		(void)snprintf(text, sizeof(text), "%s %s %s", reply.code,
		    reply.enhanced, reply.text);
		check_str(rows[i].name, text, rows[i].want);
	}
}

static void
test_reply_bounds(void)
{
	char percents[2000], text[9];

	memset(percents, '%', sizeof(percents));
	percents[sizeof(percents) - 1] = '\0';
	milter_reply_text(text, sizeof(text), percents, true);
	check_str("pairs stay pairs", text, "%%%%%%%%");
	milter_reply_text(text, sizeof(text), "a%%%%%%%%%", true);
	check_str("no half pair", text, "a%%%%%%");
	milter_reply_text(text, sizeof(text), "100 %", false);
	check_str("no reply, no doubling", text, "100 %");
}

int
main(void)
{
	arena = arena_new();
	for (size_t i = 0; i < CHECK_COUNT(names); i++)
		fields[i] = (struct header_field){ names[i], strlen(names[i]),
			" v", 2 };
	test_addresses();
	test_long_addresses();
	test_values();
	test_plans();
	test_replies();
	test_reply_bounds();
	arena_free(&arena);
	return check_done();
}
