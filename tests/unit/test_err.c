/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdlib.h>

#include "common/err.h"

#include "tests/unit/check.h"

static void
test_set(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want;
	} rows[] = {
		{ "plain text", "cannot open", "say cannot open" },
		{ "line ends", "a\r\nb", "say a??b" },
		{ "escape sequence", "\033[2J", "say ?[2J" },
		{ "8-bit text", "\303\244\177", "say ???" },
		{ "the last that prints", " ~", "say  ~" },
		{ "percent signs stay", "100%s", "say 100%s" },
		{ "empty", "", "say " },
	};
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		int r = err_set(&err, "say %s", rows[i].input);

		check_int(rows[i].name, r, -1);
		check_str(rows[i].name, err.text, rows[i].want);
	}
	check_int("set takes NULL", err_set(NULL, "x"), -1);
	check_int("set_errno takes NULL", err_set_errno(NULL, 1, "x"), -1);
	check_int("prefix takes NULL", err_prefix(NULL, "x"), -1);
}

static void
test_errno(void)
{
	struct err err;

	check_int("set_errno returns -1",
	    err_set_errno(&err, ENOENT, "cannot open %s", "x.db"), -1);
	check_str("set_errno appends the reason", err.text,
	    "cannot open x.db: No such file or directory");
}

static void
test_prefix(void)
{
	struct err err;

	err_set(&err, "bad value");
	check_int("prefix returns -1", err_prefix(&err, "%s:%d: ", "f", 3), -1);
	check_str("prefix stands in front", err.text, "f:3: bad value");
	err_set(&err, "again: %s", err.text);
	check_str("the old text may be an argument", err.text,
	    "again: f:3: bad value");
	err_prefix(&err, "%s <- ", err.text);
	check_str("also of prefix", err.text,
	    "again: f:3: bad value <- again: f:3: bad value");
}

/* Texts at and above the limit. */
static void
test_cut(void)
{
	char fits[ERR_TEXT_SIZE], longer[ERR_TEXT_SIZE + 1];
	char want[ERR_TEXT_SIZE];
	struct err err;

	memset(fits, 'x', sizeof(fits) - 1);
	fits[sizeof(fits) - 1] = '\0';
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	memcpy(want, fits, sizeof(want));
	memcpy(want + sizeof(want) - 4, "...", 4);

	err_set(&err, "%s", fits);
	check_str("the longest text is whole", err.text, fits);
	err_set(&err, "%s", longer);
	check_str("one more ends in dots", err.text, want);
	err_set(&err, "%s", fits);
	err_prefix(&err, "%s", "x");
	check_str("prefix cuts the end", err.text, want);
	err_set_errno(&err, ENOENT, "%s", fits);
	check_str("set_errno cuts the reason", err.text, want);
	err_set(&err, "%s", fits);
	err_prefix(&err, "%s", longer);
	check_str("prefix alone may fill it", err.text, want);
}

int
main(void)
{
	test_set();
	test_errno();
	test_prefix();
	test_cut();
	return check_done();
}
