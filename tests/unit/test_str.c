/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <stdlib.h>

#include "common/str.h"

#include "tests/unit/check.h"

static void
test_builder(void)
{
	char buf[8];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	check_str("starts empty", s.text, "");
	str_add(&s, "abc");
	str_add_char(&s, '-');
	str_addf(&s, "%d", 42);
	check_str("three ways to add", s.text, "abc-42");
	check_uint("its length", s.len, 6);
	check_false("fits", s.truncated);
	str_add_bytes(&s, "\0", 1);
	check_mem("NUL bytes are kept", s.text, s.len + 1, "abc-42\0", 8);
	check_false("full to the brim is not cut", s.truncated);
	str_add_bytes(&s, "", 0);
	check_false("nothing more fits always", s.truncated);
	str_add_char(&s, 'x');
	check_true("one more is cut", s.truncated);
	check_uint("and changes nothing", s.len, 7);
}

static void
test_cut(void)
{
	char buf[5];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	str_add(&s, "abcdef");
	check_str("add cuts", s.text, "abcd");
	check_true("add says so", s.truncated);

	str_init(&s, buf, sizeof(buf));
	str_addf(&s, "%s", "abcd");
	check_false("addf of what just fits", s.truncated);
	str_init(&s, buf, sizeof(buf));
	str_add(&s, "a");
	str_addf(&s, "%s", "bcde");
	check_str("addf cuts", s.text, "abcd");
	check_uint("addf's length", s.len, 4);
	check_true("addf says so", s.truncated);
	str_addf(&s, "%s", "x");
	check_str("addf when full", s.text, "abcd");

	str_init(&s, buf, 1);
	str_add(&s, "a");
	check_str("room for the NUL only", s.text, "");
	check_true("is cut", s.truncated);
}

static void
test_escape(void)
{
	static const struct {
		const char *name;
		const char *input;
		size_t len;
		const char *also;
		size_t cap;
		const char *want;
		bool want_truncated;
	} rows[] = {
		{ "harmless", "a b~", 4, "", 64, "a b~", false },
		{ "empty", "", 0, ",", 64, "", false },
		{ "controls", "\r\n\t", 3, "", 64, "%0D%0A%09", false },
		{ "NUL", "a\0b", 3, "", 64, "a%00b", false },
		{ "DEL", "\177", 1, "", 64, "%7F", false },
		{ "8-bit", "\200\377\303", 3, "", 64, "%80%FF%C3", false },
		{ "percent alone is not doubled", "50%", 3, "", 64, "50%",
		    false },
		{ "also", "a,b%c", 5, ",%", 64, "a%2Cb%25c", false },
		{ "NUL with also", "\0,", 2, ",", 64, "%00%2C", false },
		{ "escape at the brim", "ab\n", 3, "", 6, "ab%0A", false },
		{ "no half escape", "ab\n", 3, "", 5, "ab", true },
		{ "no half escape, one byte left", "ab\n", 3, "", 4, "ab",
		    true },
		{ "nothing after a dropped escape", "a\nb", 3, "", 3, "a",
		    true },
		{ "plain text is cut", "abcdef", 6, "", 4, "abc", true },
		{ "cut before an escape", "abc\n", 4, "", 3, "ab", true },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char buf[64];
		struct str s;

		str_init(&s, buf, rows[i].cap);
		str_add_escaped(&s, rows[i].input, rows[i].len, rows[i].also);
		check_str(rows[i].name, s.text, rows[i].want);
		check_uint(rows[i].name, s.len, strlen(rows[i].want));
		check_bool(rows[i].name, s.truncated, rows[i].want_truncated);
	}
}

/* Every byte, with and without one more in the set. */
static void
test_escape_bytes(void)
{
	for (int byte = 0; byte < 256; byte++) {
		bool is_plain = byte >= 0x20 && byte <= 0x7e;
		char input[1] = { (char)byte };
		char buf[8], name[32], escaped[8], want[8];
		struct str s;

		(void)snprintf(name, sizeof(name), "byte 0x%02x", byte);
		(void)snprintf(escaped, sizeof(escaped), "%%%02X", byte);
		(void)snprintf(
		    want, sizeof(want), is_plain ? "%c" : "%%%02X", byte);
		str_init(&s, buf, sizeof(buf));
		str_add_escaped(&s, input, 1, "");
		check_str(name, s.text, want);
		str_init(&s, buf, sizeof(buf));
		str_add_escaped(&s, input, 1, ",@");
		check_str(
		    name, s.text, byte == ',' || byte == '@' ? escaped : want);
	}
}

/* The same within longer texts, wherever it stands. */
static void
test_escape_places(void)
{
	unsigned wrong = 0;

	for (int i = 0; i < 256 * 20; i++) {
		int byte = i % 256, at = i / 256;
		bool is_plain = byte >= 0x20 && byte <= 0x7e;
		char input[21] = "\"abcdefgh ABCDEFGH~ ";
		char buf[32], want[32];
		struct str s;

		input[at] = (char)byte;
		(void)snprintf(want, sizeof(want),
		    is_plain ? "%.*s%c%s" : "%.*s%%%02X%s", at, input, byte,
		    input + at + 1);
		str_init(&s, buf, sizeof(buf));
		str_add_escaped(&s, input, 20, "");
		wrong += strcmp(buf, want) != 0;
	}
	check_uint("bytes in their places", wrong, 0);
}

static void
test_trim(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want;
	} rows[] = {
		{ "nothing to cut", "a b", "a b" },
		{ "both ends", " \t a b\r\n", "a b" },
		{ "only blanks", " \t\r\n", "" },
		{ "empty", "", "" },
		{ "other control characters stay", "\va\f", "\va\f" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char buf[32];

		(void)snprintf(buf, sizeof(buf), "%s", rows[i].input);
		check_str(rows[i].name, str_trim(buf), rows[i].want);
	}
}

static void
test_lower(void)
{
	char text[] = "AZaz@[`{09\303\204";

	str_lower(text, sizeof(text) - 1);
	check_str("lower touches A to Z only", text, "azaz@[`{09\303\204");
	memcpy(text, "ABC", 4);
	str_lower(text, 2);
	check_str("lower stops at its length", text, "abC");
}

static void
test_equal(void)
{
	static const struct {
		const char *name;
		const char *a;
		const char *b;
		bool want_equal;
		bool want_prefix; /* a begins with b */
		bool want_name;
	} rows[] = {
		{ "same", "delay", "delay", true, true, true },
		{ "case", "MaxAge", "maxAGE", true, true, true },
		{ "dashes", "max-age", "MaxAge", false, false, true },
		{ "underscores", "max_age", "max-age", false, false, true },
		{ "dashes at the ends", "--max-age-", "maxage", false, false,
		    true },
		{ "shorter", "max", "maxage", false, false, false },
		{ "longer", "maxage", "max", false, true, false },
		{ "empty and empty", "", "", true, true, true },
		{ "empty prefix", "a", "", false, true, false },
		{ "empty text", "", "a", false, false, false },
		{ "dashes only", "-_", "", false, true, true },
		{ "@ is not `", "@", "`", false, false, false },
		{ "[ is not {", "[", "{", false, false, false },
		{ "8-bit case is not ours", "\303\204", "\303\244", false,
		    false, false },
		{ "last letter", "abc", "abd", false, false, false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const char *a = rows[i].a, *b = rows[i].b;

		check_bool(
		    rows[i].name, str_equal_nocase(a, b), rows[i].want_equal);
		check_bool(rows[i].name, str_has_prefix_nocase(a, b),
		    rows[i].want_prefix);
		check_bool(
		    rows[i].name, str_equal_name(a, b), rows[i].want_name);
		check_bool(
		    rows[i].name, str_equal_name(b, a), rows[i].want_name);
	}
}

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static void
test_distance(void)
{
	static const struct {
		const char *name;
		const char *a;
		const char *b;
		unsigned want;
	} rows[] = {
		{ "same", "delay", "delay", 0 },
		{ "as names", "max-age", "MAXAGE", 0 },
		{ "insert", "dela", "delay", 1 },
		{ "delete", "delayy", "delay", 1 },
		{ "insert at the end", "delay", "delays", 1 },
		{ "delete at the end", "delays", "delay", 1 },
		{ "delete three at the end", "delayxyz", "delay", 3 },
		{ "replace", "deley", "delay", 1 },
		{ "swap is two", "dealy", "delay", 2 },
		{ "a classic", "kitten", "sitting", 3 },
		{ "from empty", "", "abc", 3 },
		{ "to empty", "abc", "", 3 },
		{ "longest that is compared", X60 "xxxx", "x", 63 },
		{ "both long", X60 "xxxx", X60 "yyyy", 4 },
		{ "too long", X60 "xxxxx", X60 "xxxx", 64 },
		{ "too long the other way", X60 "xxxx", X60 "xxxxx", 64 },
		{ "too long but the same", X60 X60, X60 "-" X60, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_uint(rows[i].name, str_distance(rows[i].a, rows[i].b),
		    rows[i].want);
}

static void
test_to_uint(void)
{
	static const struct {
		const char *name;
		const char *input;
		unsigned long long max;
		bool want;
		unsigned long long want_value;
	} rows[] = {
		{ "zero", "0", 10, true, 0 },
		{ "leading zeros", "007", 10, true, 7 },
		{ "at the limit", "65535", 65535, true, 65535 },
		{ "above the limit", "65536", 65535, false, 0 },
		{ "a digit more", "655350", 65535, false, 0 },
		{ "largest", "18446744073709551615", ULLONG_MAX, true,
		    ULLONG_MAX },
		{ "overflow by one", "18446744073709551616", ULLONG_MAX, false,
		    0 },
		{ "overflow by far", "99999999999999999999999", ULLONG_MAX,
		    false, 0 },
		{ "limit below ten", "5", 4, false, 0 },
		{ "limit below ten, two digits", "10", 9, false, 0 },
		{ "limit zero", "0", 0, true, 0 },
		{ "limit zero, one", "1", 0, false, 0 },
		{ "empty", "", 10, false, 0 },
		{ "minus", "-1", 10, false, 0 },
		{ "plus", "+1", 10, false, 0 },
		{ "blank in front", " 1", 10, false, 0 },
		{ "blank behind", "1 ", 10, false, 0 },
		{ "hex", "0x1", 10, false, 0 },
		{ "letter behind", "1s", 10, false, 0 },
		{ "letter behind, no limit", "1s", ULLONG_MAX, false, 0 },
		{ "slash behind, no limit", "1/", ULLONG_MAX, false, 0 },
		{ "colon behind, no limit", "1:", ULLONG_MAX, false, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		unsigned long long value = 0;

		check_bool(rows[i].name,
		    str_to_uint(rows[i].input, rows[i].max, &value),
		    rows[i].want);
		check_uint(rows[i].name, value, rows[i].want_value);
	}
}

static void
test_labels(void)
{
	static const char x63[] = "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
				  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx";
	static const struct {
		const char *name;
		size_t lax, strict;
	} rows[] = {
		{ "a", 1, 1 },
		{ "mail._domainkey.Example-9.org", 4, 4 },
		{ "", 0, 0 },
		{ ".", 0, 0 },
		{ "a.", 0, 0 },
		{ ".a", 0, 0 },
		{ "a..b", 0, 0 },
		{ "-a", 1, 0 },
		{ "a-", 1, 0 },
		{ "b.-a", 2, 0 },
		{ "b-.a", 2, 0 },
		{ "a b", 0, 0 },
		{ "a/b", 0, 0 },
		{ "\303\244", 0, 0 },
	};
	char long_name[256];
	struct str s;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		size_t len = strlen(rows[i].name);

		check_uint(rows[i].name, str_labels(rows[i].name, len, false),
		    rows[i].lax);
		check_uint(rows[i].name, str_labels(rows[i].name, len, true),
		    rows[i].strict);
	}
	check_uint("no more than asked for", str_labels("a.b", 1, true), 1);
	str_init(&s, long_name, sizeof(long_name));
	str_addf(&s, "%s.%s.%s.%s", x63, x63, x63, x63);
	check_uint("longest label", str_labels(x63, 63, true), 1);
	check_uint("longest name", str_labels(long_name, 253, true), 4);
	check_uint("a longer name", str_labels(long_name, 254, true), 0);
	long_name[63] = 'x';
	check_uint("a longer label", str_labels(long_name, 64, true), 0);
}

static void
test_characters(void)
{
	check_true("ASCII", str_is_ascii("a\x7f"));
	check_false("not ASCII", str_is_ascii("a\303\244"));
	check_uint("count", str_count("a.b.c", '.'), 2);
	check_uint("count of none", str_count("", '.'), 0);
	for (int c = 0; c < 256; c++) {
		char text[] = { (char)c, '\0' }, *end;
		long want = strtol(text, &end, 16);

		if (str_hex_digit((char)c) !=
		    (c != 0 && end == text + 1 ? want : -1))
			check_uint("hex digit", (unsigned)c, 256);
	}
	check_str("no folder", str_base("name"), "name");
	check_str("folders", str_base("/a/b/name"), "name");
	check_str("only folders", str_base("/a/"), "");
}

int
main(void)
{
	test_builder();
	test_cut();
	test_escape();
	test_escape_bytes();
	test_escape_places();
	test_trim();
	test_lower();
	test_equal();
	test_distance();
	test_to_uint();
	test_labels();
	test_characters();
	return check_done();
}
