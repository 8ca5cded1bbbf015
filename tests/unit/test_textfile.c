/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "common/textfile.h"

static const char text[] = "one\n\n \t three \r\n\0\nfive";

static void
test_lines(void)
{
	static const char *const want[] = { "one", "", "three", NULL, "five" };
	struct textfile file = { .text = text, .len = sizeof(text) - 1 };
	char *line = NULL;

	for (unsigned i = 0; i < CHECK_COUNT(want); i++) {
		enum textfile_line kind = textfile_next(&file, &line);

		check_int("kind", kind,
		    want[i] == NULL ? TEXTFILE_BAD : TEXTFILE_LINE);
		check_uint("number", file.number, i + 1);
		if (want[i] != NULL)
			check_str("line", line, want[i]);
	}
	check_int("end", textfile_next(&file, &line), TEXTFILE_END);
	check_int("end again", textfile_next(&file, &line), TEXTFILE_END);
	check_uint("not counted", file.number, CHECK_COUNT(want));
}

static void
test_lengths(void)
{
	char *bytes = malloc(2 * TEXTFILE_LINE_MAX);
	struct textfile file = { .text = bytes, .len = TEXTFILE_LINE_MAX };
	char *line = NULL;

	if (bytes == NULL)
		return;
	memset(bytes, 'x', 2 * TEXTFILE_LINE_MAX);
	check_int("the longest", textfile_next(&file, &line), TEXTFILE_LINE);
	check_uint("all of it", strlen(line), TEXTFILE_LINE_MAX);
	file = (struct textfile){ .text = bytes, .len = TEXTFILE_LINE_MAX + 1 };
	check_int("one more", textfile_next(&file, &line), TEXTFILE_BAD);
	check_int("no more", textfile_next(&file, &line), TEXTFILE_END);
	file = (struct textfile){ .text = bytes, .len = 0 };
	check_int("nothing", textfile_next(&file, &line), TEXTFILE_END);
	free(bytes);
}

static void
test_reading(void)
{
	char *got = NULL;
	size_t len = 1;
	struct err err;

	check_int(
	    "a file", textfile_read(__FILE__, &got, &len, &err), TEXTFILE_OK);
	check_true("all of it", len > 1000 && memcmp(got, "/* SPDX", 7) == 0);
	free(got);
	got = NULL;
	check_int("a device", textfile_read("/dev/null", &got, &len, &err),
	    TEXTFILE_OK);
	check_uint("nothing", len, 0);
	free(got);
	check_int("missing", textfile_read("no/such", &got, &len, &err),
	    TEXTFILE_MISSING);
	check_str("says", err.text,
	    "no/such: cannot open: No such file or directory");
	check_int(
	    "a folder", textfile_read(".", &got, &len, &err), TEXTFILE_FAILED);
	check_contains("says", err.text, ".: cannot read: ");
	check_int("endless", textfile_read("/dev/zero", &got, &len, &err),
	    TEXTFILE_FAILED);
	check_contains("says", err.text, "/dev/zero: larger than");
}

int
main(void)
{
	test_lines();
	test_lengths();
	test_reading();
	return check_done();
}
