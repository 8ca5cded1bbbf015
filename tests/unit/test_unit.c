/* SPDX-License-Identifier: ISC */
#include "common/unit.h"

#include "tests/unit/check.h"

#define REFUSED (-1)

struct row {
	const char *input;
	char default_unit;
	int64_t want; /* REFUSED: not a value */
};

static void
test_parse(const struct row *rows, size_t count,
    int (*parse)(const char *, char, int64_t *, struct err *),
    const char *units)
{
	for (size_t i = 0; i < count; i++) {
		struct err err = { "" };
		int64_t value = 12345;
		int r =
		    parse(rows[i].input, rows[i].default_unit, &value, &err);
		char name[128];

		(void)snprintf(name, sizeof(name), "\"%s\" with default %c",
		    rows[i].input, rows[i].default_unit);
		check_int(name, r, rows[i].want == REFUSED ? -1 : 0);
		if (rows[i].want != REFUSED) {
			check_int(name, value, rows[i].want);
			continue;
		}
		check_contains(name, err.text, rows[i].input);
		check_contains(name, err.text, units);
	}
}

static const struct row times[] = {
	{ "0", 's', 0 },
	{ "300", 's', 300 },
	{ "300s", 'd', 300 },
	{ "5m", 's', 300 },
	{ "5M", 's', 300 },
	{ "2h", 's', 7200 },
	{ "35d", 's', 3024000 },
	{ "35", 'd', 3024000 },
	{ "2", 'h', 7200 },
	{ "1w", 's', 604800 },
	{ "1W", 's', 604800 },
	{ "007", 's', 7 },
	{ "0000000000000000000000000000000001m", 's', 60 },
	{ "9223372036854775807", 's', INT64_MAX },
	{ "9223372036854775808", 's', REFUSED },
	{ "153722867280912930m", 's', 9223372036854775800 },
	{ "153722867280912931m", 's', REFUSED },
	{ "123456789012345678901234", 's', REFUSED },
	{ "99999999999999999999999999999999", 's', REFUSED },
	{ "", 's', REFUSED },
	{ "s", 's', REFUSED },
	{ "5 m", 's', REFUSED },
	{ " 5m", 's', REFUSED },
	{ "5m ", 's', REFUSED },
	{ "5mm", 's', REFUSED },
	{ "1h30m", 's', REFUSED },
	{ "-5", 's', REFUSED },
	{ "+5", 's', REFUSED },
	{ "1.5h", 's', REFUSED },
	{ "5y", 's', REFUSED },
	{ "5k", 's', REFUSED },
	{ "0x10", 's', REFUSED },
	{ "5min", 's', REFUSED },
};

static const struct row sizes[] = {
	{ "0", 'b', 0 },
	{ "100", 'b', 100 },
	{ "100b", 'k', 100 },
	{ "16k", 'b', 16384 },
	{ "16K", 'b', 16384 },
	{ "16", 'k', 16384 },
	{ "10M", 'b', 10485760 },
	{ "10m", 'b', 10485760 },
	{ "2G", 'b', 2147483648 },
	{ "3", 'g', 3221225472 },
	{ "8589934591G", 'b', 9223372035781033984 },
	{ "8589934592G", 'b', REFUSED },
	{ "", 'b', REFUSED },
	{ "5T", 'b', REFUSED },
	{ "5kb", 'b', REFUSED },
	{ "5s", 'b', REFUSED },
	{ "-1", 'b', REFUSED },
};

static void
test_format(void)
{
	static const struct {
		int64_t value;
		const char *want_time;
		const char *want_size;
	} rows[] = {
		{ 0, "0s", "0" },
		{ 1, "1s", "1" },
		{ 59, "59s", "59" },
		{ 60, "1m", "60" },
		{ 61, "61s", "61" },
		{ 300, "5m", "300" },
		{ 5400, "90m", "5400" },
		{ 7200, "2h", "7200" },
		{ 172800, "2d", "172800" },
		{ 604800, "7d", "604800" },
		{ 3024000, "35d", "3024000" },
		{ 16384, "16384s", "16k" },
		{ 10485760, "10485760s", "10M" },
		{ 3221225472, "3221225472s", "3G" },
		{ 1025, "1025s", "1025" },
		{ INT64_MAX, "9223372036854775807s", "9223372036854775807" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char text[UNIT_TEXT_SIZE];
		int64_t back = -1;

		check_str("time", unit_format_time(rows[i].value, text),
		    rows[i].want_time);
		check_int("a time can be read back",
		    unit_parse_time(text, 'd', &back, NULL), 0);
		check_int(text, back, rows[i].value);
		check_str("size", unit_format_size(rows[i].value, text),
		    rows[i].want_size);
		check_int("a size can be read back",
		    unit_parse_size(text, 'b', &back, NULL), 0);
		check_int(text, back, rows[i].value);
	}
}

int
main(void)
{
	test_parse(times, CHECK_COUNT(times), unit_parse_time, "s, m, h, d, w");
	test_parse(sizes, CHECK_COUNT(sizes), unit_parse_size, "b, k, M, G");
	test_format();
	return check_done();
}
