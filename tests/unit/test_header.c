/* SPDX-License-Identifier: ISC */
#include "common/header.h"

#include "tests/unit/check.h"

static struct header_field
field_of(const char *name)
{
	return (struct header_field){ name, strlen(name), " x", 2 };
}

static void
test_names(void)
{
	static const struct {
		const char *title, *name;
		bool want;
	} rows[] = {
		{ "the same", "From", true },
		{ "any case", "fROM", true },
		{ "blanks before the colon", "From \t ", true },
		{ "a blank before", " From", false },
		{ "shorter", "Fro", false },
		{ "longer", "Froms", false },
		{ "another", "Form", false },
		{ "nothing", "", false },
		{ "blanks only", "  ", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct header_field field = field_of(rows[i].name);

		check_bool(
		    rows[i].title, header_is(&field, "From"), rows[i].want);
	}
}

static void
test_lists(void)
{
	struct header_field fields[] = { field_of("To"), field_of("from "),
		field_of("Subject"), field_of("From") };
	size_t count = CHECK_COUNT(fields);

	check_uint("two of that name", header_count(fields, count, "From"), 2);
	check_uint("none of that name", header_count(fields, count, "Cc"), 0);
	check_uint("none at all", header_count(NULL, 0, "Cc"), 0);
	check_true(
	    "the first", header_first(fields, count, "FROM") == &fields[1]);
	check_true("none", header_first(fields, count, "Cc") == NULL);
}

static void
test_skip(void)
{
	static const struct {
		const char *name, *text;
		bool want;
		size_t at;
	} rows[] = {
		{ "nothing", "", true, 0 },
		{ "a word", "x", true, 0 },
		{ "blanks", " \t x", true, 3 },
		{ "a fold", "\n x", true, 2 },
		{ "a line end", " \nx", true, 1 },
		{ "a comment", "(a)x", true, 3 },
		{ "comments", " (a) (b\n c)\t x", true, 13 },
		{ "nested", "(a(b)(c(d)))x", true, 12 },
		{ "escapes", "(\\)\\(\\\\)x", true, 8 },
		{ "UTF-8", "(\xc3\xbc)x", true, 4 },
		{ "an open one", "(a", false, 2 },
		{ "a nested open one", "(a(b)", false, 5 },
		{ "an escape at the end", "(\\", false, 2 },
		{ "an escaped fold", "(\\\n )", false, 2 },
		{ "a control character", "(a\x01)", false, 2 },
		{ "invalid UTF-8", "(\xff)", false, 1 },
		{ "a control character outside", " \x01", true, 1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct header_cursor cursor = { .text = rows[i].text,
			.len = strlen(rows[i].text) };

		check_bool(rows[i].name, header_skip(&cursor), rows[i].want);
		check_uint(rows[i].name, cursor.at, rows[i].at);
	}
}

static void
test_quoted(void)
{
	static const struct {
		const char *name, *text, *want; /* NULL = fails */
		size_t at;
	} rows[] = {
		{ "a word", "\"a\"x", "a", 3 },
		{ "nothing", "\"\"", "", 2 },
		{ "blanks stay", "\" a  b\t\"", " a  b\t", 8 },
		{ "brackets are text", "\"(a\"", "(a", 4 },
		{ "escapes", "\"\\\"\\\\\\a\"", "\"\\a", 8 },
		{ "a fold", "\"a\n b\"", "a b", 6 },
		{ "UTF-8", "\"\xc3\xbc\\\xc3\xbc\"", "\xc3\xbc\xc3\xbc", 7 },
		{ "an open one", "\"a", NULL, 2 },
		{ "an escape at the end", "\"\\", NULL, 2 },
		{ "an escaped quote at the end", "\"\\\"", NULL, 3 },
		{ "a control character", "\"\x02\"", NULL, 1 },
		{ "invalid UTF-8", "\"\xe2\x82\"", NULL, 1 },
		{ "a line end", "\"a\nb\"", NULL, 2 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct header_cursor cursor = { .text = rows[i].text,
			.len = strlen(rows[i].text) };
		char buf[64];
		struct str s;
		bool got;

		str_init(&s, buf, sizeof(buf));
		got = header_quoted(&cursor, &s);
		check_str(rows[i].name, got ? buf : NULL, rows[i].want);
		check_uint(rows[i].name, cursor.at, rows[i].at);
	}
}

static void
test_char(void)
{
	/* Every byte: only these are one character by themselves. */
	for (int c = 0; c < 256; c++) {
		char text[2] = { (char)c, 'x' };
		struct header_cursor cursor = { .text = text, .len = 2 };
		bool want = c == '\t' || (c >= ' ' && c <= '~');

		if (header_char(&cursor) != want)
			check_int("a byte", c, -1);
	}
	check_true("digits are atext", header_is_atext('0'));
	check_false("NUL is not", header_is_atext('\0'));
	check_false("a dot is not", header_is_atext('.'));
	check_false("a blank is not", header_is_atext(' '));
}

int
main(void)
{
	test_names();
	test_lists();
	test_skip();
	test_quoted();
	test_char();
	return check_done();
}
