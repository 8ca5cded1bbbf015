/* SPDX-License-Identifier: ISC */
#include "common/spfmacro.h"
#include "common/str.h"
#include "common/xmem.h"

#include "tests/unit/check.h"

static const struct ip v4 = { IP_V4, { 192, 0, 2, 3 } };
static const struct ip v6 = { IP_V6, { 0x20, 0x01, 0x0d, 0xb8, [15] = 0xcb } };

/* The examples' sender of RFC 7208 section 7.4. */
static struct spfmacro_values
values_of(const struct ip *ip)
{
	return (struct spfmacro_values){
		.sender_local = "strong-bad",
		.sender_domain = "email.example.com",
		.domain = "email.example.com",
		.ip = ip,
		.helo = "mx.example.org",
		.receiver = "here.example.net",
		.now_s = 1700000000,
	};
}

static struct spfrecord_text
text_of(const char *text)
{
	return (struct spfrecord_text){ text, strlen(text) };
}

static void
test_domain(void)
{
	static const struct {
		const char *spec, *want;
	} rows[] = {
		{ "%{o}", "email.example.com" },
		{ "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" },
		{ "%{d1}", "com" },
		{ "%{dr}", "com.example.email" },
		{ "%{d2r}", "example.email" },
		{ "%{l}.x", "strong-bad.x" },
		{ "%{l-}.x", "strong.bad.x" },
		{ "%{lr}.x", "strong-bad.x" },
		{ "%{lr-}.x", "bad.strong.x" },
		{ "%{l1r-}.x", "strong.x" },
		{ "%{ir}.%{v}._spf.%{d2}",
		    "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{s}.x", "strong-bad@email.example.com.x" },
		{ "%{h}", "mx.example.org" },
		{ "%{p}.x", "unknown.x" },
		{ "a%_b.x", "a b.x" },
		{ "a%-b%%.x", "a%20b%.x" },
		{ "%{S}", "strong-bad%40email.example.com" },
		{ "example.org.", "example.org" },
		{ "%{d}.", "email.example.com" },
		{ "%{d99999999999}", "email.example.com" },
		{ "a..x", NULL },
		{ ".x", NULL },
		{ ".", NULL },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfmacro_values values = values_of(&v4);
		char out[SPFMACRO_DOMAIN_SIZE];
		bool good =
		    spfmacro_domain(text_of(rows[i].spec), &values, out);

		check_bool(rows[i].spec, good, rows[i].want != NULL);
		check_str(rows[i].spec, out, good ? rows[i].want : "");
	}
}

static void
test_ipv6(void)
{
	struct spfmacro_values values = values_of(&v6);
	char out[SPFMACRO_DOMAIN_SIZE];

	check_true("nibbles",
	    spfmacro_domain(text_of("%{ir}.%{v}.arpa"), &values, out));
	check_str("in reverse", out,
	    "B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6.arpa");
}

static void
test_validated(void)
{
	struct spfmacro_values values = values_of(&v4);
	char out[SPFMACRO_DOMAIN_SIZE];

	check_true("wanted", spfmacro_needs_validated(text_of("a%{P1r}.x")));
	check_false("not wanted", spfmacro_needs_validated(text_of("%%{p}")));
	check_true("local", spfmacro_needs_local(text_of("%{d}%{L}.x")));
	check_true("sender", spfmacro_needs_local(text_of("%{s}")));
	check_false("neither", spfmacro_needs_local(text_of("ls.%{o}")));
	values.validated = "mx.example.com";
	spfmacro_domain(text_of("%{p2}"), &values, out);
	check_str("its end", out, "example.com");
}

/* Makes count times piece and then end. */
static char *
repeat(const char *piece, size_t count, const char *end)
{
	size_t len = strlen(piece);
	char *text = xmem_alloc(count * len + strlen(end) + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(text + i * len, piece, len);
	memcpy(text + count * len, end, strlen(end) + 1);
	return text;
}

static void
test_length(void)
{
	static const struct {
		const char *name, *piece;
		size_t count;
		const char *end;
		bool good;
		size_t len;
	} rows[] = {
		/* 253 = 63 * 4 + 1 */
		{ "253 characters", "abc.", 63, "x", true, 253 },
		{ "one label too many", "abc.", 64, "x", true, 253 },
		{ "far too many", "abc.", 16000, "x", true, 253 },
		{ "cut at a label", "abcdefg.", 40, "x", true, 249 },
		{ "no label to cut at", "a", 254, "", false, 0 },
		{ "64 KiB without a dot", "a", 65000, "", false, 0 },
		{ "label of 63", "a", 63, ".x", true, 65 },
		{ "label of 64", "a", 64, ".x", false, 0 },
		{ "thousands of macros", "%{d}.", 13000, "x", true, 253 },
		{ "thousands in reverse", "%{s200r.-+,/_=}.", 4000, "x", true,
		    253 },
		{ "thousands of dots", ".", 60000, "x", false, 0 },
		/* Cut at its only dot, as 7.3 has it. */
		{ "thousands of escapes", "_", 60000, ".x", true, 1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfmacro_values values = values_of(&v4);
		char *spec = repeat(rows[i].piece, rows[i].count, rows[i].end);
		char out[SPFMACRO_DOMAIN_SIZE];

		check_bool(rows[i].name,
		    spfmacro_domain(text_of(spec), &values, out), rows[i].good);
		/* Which labels stay depends on the macros' lengths. */
		if (rows[i].piece[0] == '%' && rows[i].good)
			check_true(rows[i].name, strlen(out) > 200);
		else
			check_uint(rows[i].name, strlen(out), rows[i].len);
		xmem_free(&spec);
	}
}

static void
test_empty_values(void)
{
	struct spfmacro_values values = values_of(&v4);
	char *spec = repeat("%{h}%{l1-}", 6000, ".x.org");
	char out[SPFMACRO_DOMAIN_SIZE];

	values.helo = "";
	values.sender_local = "a-";
	check_false(
	    "macros of nothing", spfmacro_domain(text_of(spec), &values, out));
	check_true("nothing between labels",
	    spfmacro_domain(text_of("a%{h}b%{l1-}.x.org"), &values, out));
	check_str("is nothing", out, "ab.x.org");
	xmem_free(&spec);
}

static void
test_explanation(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "plain", "plain" },
		{ "%{i} is %{c} by %{v}", "192.0.2.3 is 192.0.2.3 by in-addr" },
		{ "See http://x.org/?s=%{S}&r=%{r}",
		    "See http://x.org/"
		    "?s=strong-bad%40email.example.com&r=here.example.net" },
		{ "at %{t}", "at 1700000000" },
		{ "100%% a%_b%-c", "100% a b%20c" },
		{ "", "" },
		{ "%", NULL },
		{ "%(d)", NULL },
		{ "%{d", NULL },
		{ "a\r\nX-Header: 1", NULL },
		{ "tab\t", NULL },
		{ "caf\303\251", NULL },
		{ "\177", NULL },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfmacro_values values = values_of(&v4);
		char out[SPFMACRO_TEXT_SIZE];
		bool good = spfmacro_explanation(
		    rows[i].text, strlen(rows[i].text), &values, out);

		check_bool(rows[i].text, good, rows[i].want != NULL);
		check_str(rows[i].text, out, good ? rows[i].want : "");
	}
}

static void
test_explanation_hostile(void)
{
	struct spfmacro_values values = values_of(&v4);
	char *text = repeat("%{d}", 127, "");
	char out[SPFMACRO_TEXT_SIZE];

	check_true("longer than its room",
	    spfmacro_explanation(text, strlen(text), &values, out));
	check_uint("is cut", strlen(out), SPFMACRO_TEXT_SIZE - 1);
	xmem_free(&text);

	values.helo = "a\r\nX-Header: 1\303\251";
	check_true("odd bytes in a value",
	    spfmacro_explanation("%{h} %{H}", 9, &values, out));
	check_str("are replaced", out,
	    "a??X-Header: 1?? "
	    "a%0D%0AX-Header%3A%201%C3%A9");
	check_false(
	    "NUL in the text", spfmacro_explanation("a\0b", 3, &values, out));
}

/* What else than domains and addresses an expansion has looked at. */
static void
test_uses(void)
{
	static const struct {
		const char *text;
		unsigned want;
	} rows[] = {
		{ "plain.org %% %_ %-", 0 },
		{ "%{d}%{o}%{i}%{c}%{p}%{v}", 0 },
		{ "%{l}", SPFMACRO_USE_SENDER },
		{ "%{S}", SPFMACRO_USE_SENDER },
		{ "%{h1r}", SPFMACRO_USE_SENDER },
		{ "%{r}", SPFMACRO_USE_SENDER },
		{ "%{T}", SPFMACRO_USE_TIME },
		{ "%{d} %{l} %{t}", SPFMACRO_USE_SENDER | SPFMACRO_USE_TIME },
		{ "no %{l} with a fault %", 0 },
	};
	char out[SPFMACRO_TEXT_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spfmacro_values values = values_of(&v4);
		unsigned uses = 0;

		values.uses = &uses;
		spfmacro_explanation(
		    rows[i].text, strlen(rows[i].text), &values, out);
		check_uint(rows[i].text, uses, rows[i].want);
	}
}

int
main(void)
{
	test_domain();
	test_ipv6();
	test_validated();
	test_length();
	test_empty_values();
	test_explanation();
	test_explanation_hostile();
	test_uses();
	return check_done();
}
