/* SPDX-License-Identifier: ISC */
#include "common/base64.h"
#include "tests/unit/check.h"

static void
test_rows(void)
{
	static const struct {
		const char *text, *bytes;
		size_t len;
	} rows[] = {
		{ "", "", 0 },
		{ "AA==", "\0", 1 },
		{ "//8=", "\xff\xff", 2 },
		{ "++++", "\xfb\xef\xbe", 3 },
		{ "QUJDREVGRw==", "ABCDEFG", 7 },
		{ "YWJjMDEyeHl6Wg==", "abc012xyzZ", 10 },
	};
	uint8_t bytes[16];
	char text[32];
	size_t i, len;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		len = 99;
		check_true(rows[i].text,
		    base64_decode(rows[i].text, strlen(rows[i].text), bytes,
			sizeof(bytes), &len));
		check_mem("bytes", bytes, len, rows[i].bytes, rows[i].len);
		check_uint("chars",
		    base64_encode(
			rows[i].bytes, rows[i].len, text, sizeof(text)),
		    strlen(rows[i].text));
		check_str("text", text, rows[i].text);
	}
}

static void
test_without_padding(void)
{
	static const struct {
		const char *text;
		size_t len; /* 99: wrong */
	} rows[] = {
		{ "AA", 1 },
		{ "AAA", 2 },
		{ "A", 99 },
		{ "AAAAA", 99 },
		{ "=", 99 },
		{ "AA=", 99 },
		{ "AAA==", 99 },
		{ "AAAA=", 99 },
		{ "AAAA==", 99 },
		{ "A===", 99 },
		{ "AA==AA==", 99 },
		{ "AA AA", 99 },
		{ "AA-_", 99 },
		{ "AA\n", 99 },
		{ "\xc3\xa4+/", 99 },
	};
	uint8_t bytes[16];
	size_t i, len;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		len = 99;
		check_bool(rows[i].text,
		    base64_decode(rows[i].text, strlen(rows[i].text), bytes,
			sizeof(bytes), &len),
		    rows[i].len != 99);
		check_uint("bytes", len, rows[i].len);
	}
}

static void
test_room(void)
{
	uint8_t bytes[3];
	char text[9];
	size_t len;

	check_true("fits", base64_decode("AAAA", 4, bytes, 3, &len));
	check_false("does not", base64_decode("AAAAAA", 6, bytes, 3, &len));
	check_uint("fits", base64_encode("ABCDEF", 6, text, 9), 8);
	check_uint("does not", base64_encode("ABCDEF", 6, text, 8), 0);
}

int
main(void)
{
	test_rows();
	test_without_padding();
	test_room();
	return check_done();
}
