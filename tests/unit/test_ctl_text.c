/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <stdlib.h>

#include "common/err.h"
#include "greylistd/ctl_text.h"

/* Lines that are read and written back as they were. */
static const char *const good[] = {
	"triplet 1 2 3 192.0.2.0/a@b/c@d",
	"triplet 1795259042 1795259042 0 192.0.2.0//c@d",
	"client 5 1795259042 2001:db8:0:0:0:0:0:1",
	"rule allow 1 0 domain example.org a%20friend,%0A100%25",
	"rule block 1 2 sender <> -",
	"rule allow 1 2 client 192.0.2.1 %2D",
	"counter 20000 17 never_came_back",
	"end 9223372036854775807",
};

static const struct {
	const char *name, *line;
	const char *want; /* in the error */
} bad[] = {
	{ "an unknown word", "quintuplet 1", "quintuplet" },
	{ "a word too short", "trip 1 2 3 x", "trip" },
	{ "nothing behind it", "triplet", "number is missing" },
	{ "a missing text", "triplet 1 2 3", "text is missing" },
	{ "a blank at the end", "triplet 1 2 3 x ", "more than" },
	{ "two blanks", "triplet  1 2 3 x", "number is missing" },
	{ "one word too many", "end 1 2", "more than" },
	{ "a negative number", "end -1", "-1 is no number" },
	{ "a huge number", "end 9223372036854775808", "is no number" },
	{ "a number of 30 digits", "end 111111111111111111111111111111",
	    "too long" },
	{ "a raw byte", "counter 1 2 a\x01z", "%01" },
	{ "an 8-bit byte", "counter 1 2 a\xe4z", "%E4" },
	{ "a lone %", "counter 1 2 100%", "hex digits" },
	{ "half a %XX", "counter 1 2 a%4", "hex digits" },
	{ "no hex", "counter 1 2 a%4gb", "hex digits" },
	{ "a NUL", "counter 1 2 a%00b", "not 00" },
};

static void
test_good(struct ctl_text *record, char *buf)
{
	for (size_t i = 0; i < CHECK_COUNT(good); i++) {
		struct err err = { .text = "" };

		check_int(good[i],
		    ctl_text_parse(good[i], strlen(good[i]), record, &err), 0);
		check_str(good[i], err.text, "");
		check_uint(
		    good[i], ctl_text_format(record, buf), strlen(good[i]));
		check_str(good[i], buf, good[i]);
	}
}

static void
test_values(struct ctl_text *record)
{
	const char *line = "rule allow 11 22 domain example.org %C3%A4%2d-";

	check_int(
	    "values", ctl_text_parse(line, strlen(line), record, NULL), 0);
	check_int("type", record->type, CTL_TEXT_RULE);
	check_int("created", record->number[0], 11);
	check_int("expires", record->number[1], 22);
	check_str("action", record->text[0], "allow");
	check_str("kind", record->text[1], "domain");
	check_str("value", record->text[2], "example.org");
	check_str("comment", record->text[3], "\xc3\xa4--");
	line = "# triplet 1 2 3 x";
	check_int(
	    "a comment", ctl_text_parse(line, strlen(line), record, NULL), 0);
	check_int("a comment", record->type, CTL_TEXT_NOTHING);
	check_str("nothing stays of the last record", record->text[3], "");
	check_int("an empty line", ctl_text_parse("", 0, record, NULL), 0);
	check_int("an empty line", record->type, CTL_TEXT_NOTHING);
}

/* The longest texts there can be, each byte escaped, fit a line. */
static void
test_bounds(struct ctl_text *record, char *buf)
{
	size_t len;
	struct err err;

	memset(record, 0, sizeof(*record));
	record->type = CTL_TEXT_RULE;
	record->number[0] = record->number[1] = INT64_MAX;
	for (int i = 0; i < 4; i++)
		memset(record->text[i], '\xff', CTL_TEXT_VALUE_MAX);
	len = ctl_text_format(record, buf);
	check_true("it fits", len < CTL_TEXT_LINE_SIZE);
	check_int(
	    "and is read again", ctl_text_parse(buf, len, record, &err), 0);
	check_uint("in full", strlen(record->text[3]), CTL_TEXT_VALUE_MAX);
	memset(buf, 'x', CTL_TEXT_LINE_SIZE);
	memcpy(buf, "counter 1 2 ", 12);
	check_int("a text too long",
	    ctl_text_parse(buf, 12 + CTL_TEXT_VALUE_MAX + 1, record, &err), -1);
	check_contains("a text too long", err.text, "longer than");
}

int
main(void)
{
	struct ctl_text *record = malloc(sizeof(*record));
	char *buf = malloc(CTL_TEXT_LINE_SIZE);

	test_good(record, buf);
	for (size_t i = 0; i < CHECK_COUNT(bad); i++) {
		struct err err = { .text = "" };

		check_int(bad[i].name,
		    ctl_text_parse(
			bad[i].line, strlen(bad[i].line), record, &err),
		    -1);
		check_contains(bad[i].name, err.text, bad[i].want);
	}
	test_values(record);
	test_bounds(record, buf);
	free(buf);
	free(record);
	return check_done();
}
