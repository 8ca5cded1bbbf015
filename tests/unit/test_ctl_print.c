/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <stdlib.h>
#include <time.h>

#include "common/json.h"
#include "greylistd/ctl_print.h"

static const struct {
	const char *name;
	const char *text;
	size_t len; /* 0 = all */
	const char *want;
} texts[] = {
	{ "plain", "alice@example.org", 0, "\"alice@example.org\"" },
	{ "empty", "", 0, "\"\"" },
	{ "quote and backslash", "\"\\", 0, "\"\\\"\\\\\"" },
	{ "control characters", "\x1b[0m\n\t\x7f", 0,
	    "\"\\u001b[0m\\u000a\\u0009\\u007f\"" },
	{ "a NUL", "a\0b", 3, "\"a\\u0000b\"" },
	{ "UTF-8", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", 0,
	    "\"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
	{ "a C1 control", "\xc2\x9b", 0, "\"\\u009b\"" },
	{ "right to left", "\xe2\x80\xae", 0, "\"\\u202e\"" },
	{ "a byte of no sequence",
	    "a\xff"
	    "b",
	    0, "\"a%FFb\"" },
	{ "a lone continuation", "\x80", 0, "\"%80\"" },
	{ "a cut sequence", "\xe2\x82", 0, "\"%E2%82\"" },
	{ "overlong", "\xc0\xaf \xe0\x80\xaf", 0, "\"%C0%AF %E0%80%AF\"" },
	{ "a surrogate", "\xed\xa0\x80", 0, "\"%ED%A0%80\"" },
	{ "beyond Unicode", "\xf4\x90\x80\x80", 0, "\"%F4%90%80%80\"" },
};

static const struct {
	int64_t seconds;
	const char *want;
} spans[] = {
	{ -1, "-" },
	{ 0, "0s" },
	{ 59, "59s" },
	{ 60, "1m" },
	{ 290, "4m 50s" },
	{ 3600, "1h" },
	{ 3661, "1h 1m" },
	{ 86399, "23h 59m" },
	{ 86400, "1d" },
	{ 35 * 86400 + 7200, "35d 2h" },
};

/* What fn writes. */
static char *
capture(void (*fn)(FILE *out))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	fn(out);
	fclose(out);
	return text;
}

static size_t row;

static void
write_text(FILE *out)
{
	struct json json;

	json_init(&json, out);
	json_text(&json, NULL, texts[row].text,
	    texts[row].len > 0 ? texts[row].len : strlen(texts[row].text));
}

static void
write_tree(FILE *out)
{
	struct json json;

	json_init(&json, out);
	json_open(&json, NULL, '{');
	json_int(&json, "a", -1);
	json_open(&json, "rows", '[');
	json_open(&json, NULL, '{');
	json_bool(&json, "b", true);
	json_null(&json, "c");
	json_close(&json);
	json_open(&json, NULL, '{');
	json_close(&json);
	json_close(&json);
	json_open(&json, "none", '[');
	json_close(&json);
	json_close(&json);
}

static const struct ctl_print_column columns[] = {
	{ "who", "WHO", CTL_PRINT_TEXT },
	{ "n", "N", CTL_PRINT_NUMBER },
	{ "when", "WHEN", CTL_PRINT_TIME },
	{ "left", "LEFT", CTL_PRINT_SPAN },
};

static void
write_rows(FILE *out, struct json *json)
{
	struct ctl_print *print =
	    ctl_print_new(out, json, NULL, columns, CHECK_COUNT(columns));

	ctl_print_text(print, "long-name", 9);
	ctl_print_int(print, 7);
	ctl_print_int(print, 1795259042);
	ctl_print_int(print, 90);
	ctl_print_text(print, "\x1b", 1);
	ctl_print_int(print, 12345);
	ctl_print_int(print, 0);
	ctl_print_int(print, -1);
	check_uint("rows", ctl_print_end(&print), 2);
	check_true("freed", print == NULL);
}

static void
write_table(FILE *out)
{
	write_rows(out, NULL);
}

static void
write_array(FILE *out)
{
	struct json json;

	json_init(&json, out);
	write_rows(out, &json);
}

/* More rows than are held back for their widths. */
static void
write_many(FILE *out)
{
	struct ctl_print *print = ctl_print_new(out, NULL, NULL, columns, 1);

	for (int i = 0; i < 1234; i++)
		ctl_print_text(print, "x", 1);
	check_uint("many rows", ctl_print_end(&print), 1234);
}

static void
write_none(FILE *out)
{
	struct ctl_print *print = ctl_print_new(out, NULL, NULL, columns, 1);

	check_uint("no rows", ctl_print_end(&print), 0);
}

static void
check_output(const char *name, void (*fn)(FILE *out), const char *want)
{
	char *got = capture(fn);

	check_str(name, got, want);
	free(got);
}

static void
test_many(void)
{
	char *got = capture(write_many);
	size_t lines = 0;

	for (const char *p = got; *p != '\0'; p++)
		lines += *p == '\n';
	check_uint("a line for each and the headline", lines, 1235);
	free(got);
}

int
main(void)
{
	char buf[CTL_PRINT_TEXT_SIZE];

	setenv("TZ", "UTC", 1);
	tzset();
	for (row = 0; row < CHECK_COUNT(texts); row++)
		check_output(texts[row].name, write_text, texts[row].want);
	for (size_t i = 0; i < CHECK_COUNT(spans); i++)
		check_str("span", ctl_print_span(spans[i].seconds, buf),
		    spans[i].want);
	check_str(
	    "time", ctl_print_time(1795259042, buf), "2026-11-21 11:04:02");
	check_str("a time out of this world", ctl_print_time(INT64_MAX, buf),
	    "@9223372036854775807");
	check_output("tree", write_tree,
	    "{\n \"a\": -1,\n \"rows\": [\n"
	    "  {\"b\": true, \"c\": null},\n  {}\n ],\n \"none\": []\n}\n");
	check_output("table", write_table,
	    "WHO            N  WHEN                 LEFT\n"
	    "long-name      7  2026-11-21 11:04:02  1m 30s\n"
	    "%1B        12345  -                    -\n");
	check_output("array", write_array,
	    "[\n {\"who\": \"long-name\", \"n\": 7, \"when\": 1795259042, "
	    "\"left\": 90},\n {\"who\": \"\\u001b\", \"n\": 12345, "
	    "\"when\": null, \"left\": null}\n]\n");
	check_output("no rows, no headline", write_none, "");
	test_many();
	return check_done();
}
