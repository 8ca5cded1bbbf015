/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "spfd/ctl_caret.h"

#define TEN "0123456789"
#define FORTY TEN TEN TEN TEN

static const struct {
	const char *name;
	const char *text;
	size_t len; /* 0 = all */
	size_t offset, count;
	const char *want_text, *want_marks;
} rows[] = {
	{ "a word", "v=spf1 foo -all", 0, 7, 3, "v=spf1 foo -all",
	    "       ^~~" },
	{ "the first byte", "v=spf2", 0, 0, 1, "v=spf2", "^" },
	{ "a place without length", "abc", 0, 1, 0, "abc", " ^" },
	{ "behind the end", "abc", 0, 3, 1, "abc", "   ^" },
	{ "nothing at all", "", 0, 0, 0, "", "^" },
	{ "more than there is", "abc", 0, 1, 99, "abc", " ^~" },
	{ "a byte that is escaped", "a\033b", 0, 1, 1, "a%1Bb", " ^~~" },
	{ "escaped bytes before", "\303\251x", 0, 2, 1, "%C3%A9x", "      ^" },
	{ "a NUL", "a\0b", 3, 2, 1, "a%00b", "    ^" },
	{ "forty bytes before", FORTY "x", 0, 40, 1, FORTY "x",
	    "                                        ^" },
	{ "cut on the left", "ab" FORTY "x", 0, 42, 1, "..." FORTY "x",
	    "                                           ^" },
	{ "72 columns", FORTY TEN TEN TEN "ab", 0, 0, 2, FORTY TEN TEN TEN "ab",
	    "^~" },
	{ "cut on the right", FORTY TEN TEN TEN "abc", 0, 0, 2,
	    FORTY TEN TEN "012345678...", "^~" },
	{ "a mark that is cut", FORTY FORTY FORTY, 0, 60, 50,
	    "..." FORTY TEN TEN "012345...",
	    "                                           "
	    "^~~~~~~~~~~~~~~~~~~~~~~~~~" },
	{ "no escape is cut", FORTY TEN TEN "01234567\033bc", 0, 0, 1,
	    FORTY TEN TEN "01234567...", "^" },
};

static void
test_rows(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct ctl_caret caret;

		ctl_caret_make(&caret, rows[i].text,
		    rows[i].len > 0 ? rows[i].len : strlen(rows[i].text),
		    rows[i].offset, rows[i].count);
		check_str(rows[i].name, caret.text, rows[i].want_text);
		check_str(rows[i].name, caret.marks, rows[i].want_marks);
	}
}

/* Whatever the text, both lines fit and the mark is under the text. */
static void
test_any_text(void)
{
	bool fits = true, under = true;

	srand(1);
	for (int round = 0; round < 20000; round++) {
		char text[200];
		size_t len = (size_t)rand() % sizeof(text);
		struct ctl_caret caret;

		for (size_t i = 0; i < len; i++)
			text[i] = (char)(rand() % 4 == 0 ? rand() : 'a');
		ctl_caret_make(&caret, text, len, (size_t)rand() % (len + 1),
		    (size_t)rand() % 30);
		fits &= strlen(caret.text) <= CTL_CARET_COLUMNS &&
			strlen(caret.marks) <= CTL_CARET_COLUMNS;
		under &= strlen(caret.marks) <= strlen(caret.text) + 1;
	}
	check_true("both lines fit", fits);
	check_true("the mark is under the text", under);
}

int
main(void)
{
	test_rows();
	test_any_text();
	return check_done();
}
