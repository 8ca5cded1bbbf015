/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/authres.h"
#include "common/xmem.h"

#include "tests/unit/check.h"

#define ID "mx.example.org"

/* "id v1: dkim/1=pass reason='x' header.d=[a]; ...", or the sentence. */
static const char *
render(const char *value, size_t len)
{
	static char buf[8192];
	struct arena *arena = arena_new();
	struct authres a;
	struct err err;
	struct str s;

	str_init(&s, buf, sizeof(buf));
	if (authres_parse(value, len, arena, &a, &err) != 0) {
		str_addf(&s, "error: %s", err.text);
		arena_free(&arena);
		return buf;
	}
	str_addf(&s, "%s v%u:", a.authserv_id, a.version);
	for (size_t i = 0; i < a.result_count; i++) {
		const struct authres_result *r = &a.results[i];

		str_addf(&s, "%s %s/%u=%s", i > 0 ? ";" : "", r->method,
		    r->version, r->result);
		if (r->reason != NULL)
			str_addf(&s, " reason='%s'", r->reason);
		for (size_t k = 0; k < r->property_count; k++)
			str_addf(&s, " %s.%s=[%s]", r->properties[k].type,
			    r->properties[k].name, r->properties[k].value);
	}
	arena_free(&arena);
	return buf;
}

struct row {
	const char *name, *value, *want;
};

static void
test_parse(void)
{
	static const struct row rows[] = {
		/* RFC 8601, appendix B. */
		{ "none", " example.org 1; none", "example.org v1:" },
		{ "none in a line of its own", " example.org;\n\tNone",
		    "example.org v1:" },
		{ "one result",
		    " example.com;\n\tspf=pass smtp.mailfrom=example.net",
		    "example.com v1: spf/1=pass smtp.mailfrom=[example.net]" },
		{ "several, with comments",
		    " example.com;\n\tauth=pass (cram-md5) "
		    "smtp.auth=sender@example.net;\n\t"
		    "spf=pass smtp.mailfrom=example.net",
		    "example.com v1: auth/1=pass "
		    "smtp.auth=[sender@example.net]; "
		    "spf/1=pass smtp.mailfrom=[example.net]" },
		{ "a reason",
		    " example.com;\n\tdkim=pass reason=\"good signature\" "
		    "header.i=@mail-router.example.net;\n\tdkim=fail "
		    "reason=bad header.i=@newyork.example.com",
		    "example.com v1: dkim/1=pass reason='good signature' "
		    "header.i=[@mail-router.example.net]; dkim/1=fail "
		    "reason='bad' header.i=[@newyork.example.com]" },
		{ "comments everywhere",
		    " foo.example.net (foobar) 1 (baz);\n dkim (Because I "
		    "like it) / 1 (One yay) = (wait for it) fail\n policy "
		    "(A dot can go here) . (like that) expired (this "
		    "surprised me) = (as I wasn't expecting it) 1362471462",
		    "foo.example.net v1: dkim/1=fail "
		    "policy.expired=[1362471462]" },
		{ "versions", " a 2;dkim/3=pass", "a v2: dkim/3=pass" },
		{ "keywords in any case", " A; DKIM=PASS Header.D=Example.ORG",
		    "A v1: dkim/1=pass header.d=[Example.ORG]" },
		{ "no blanks", "a;spf=none;dkim=none",
		    "a v1: spf/1=none; dkim/1=none" },
		{ "a quoted identifier", " \"a b\\\"c\"; none", "a b\"c v1:" },
		{ "an identifier with a job", " a/4BQ; none", "a/4BQ v1:" },
		{ "an identifier in UTF-8", " \xc3\xbc.org; none",
		    "\xc3\xbc.org v1:" },
		{ "values without the quotes they need",
		    " a; dkim=pass header.b=aB/c+d=; iprev=pass "
		    "policy.iprev=2001:db8::1",
		    "a v1: dkim/1=pass header.b=[aB/c+d=]; iprev/1=pass "
		    "policy.iprev=[2001:db8::1]" },
		{ "quoted values", " a; spf=pass smtp.mailfrom=\"a;b@c\"",
		    "a v1: spf/1=pass smtp.mailfrom=[a;b@c]" },
		{ "a quoted local part",
		    " a; spf=pass smtp.mailfrom=\"a b@x\"@c.org",
		    "a v1: spf/1=pass smtp.mailfrom=[a b@x@c.org]" },
		{ "a folded value", " a; spf=fail reason=\"a\n\tb\"",
		    "a v1: spf/1=fail reason='a b'" },
		{ "an empty value", " a; spf=pass smtp.mailfrom=\"\"",
		    "a v1: spf/1=pass smtp.mailfrom=[]" },
		{ "UTF-8 in a value", " a; spf=pass smtp.mailfrom=\xc3\xbc@c",
		    "a v1: spf/1=pass smtp.mailfrom=[\xc3\xbc@c]" },
		{ "a type named reason", " a; x=pass reason.x=y",
		    "a v1: x/1=pass reason.x=[y]" },
		{ "a method named none", " a; none=pass", "a v1: none/1=pass" },
		{ "nothing", "", "error: no value" },
		{ "an identifier only", " a", "error: no semicolon" },
		{ "no result", " a;", "error: no method" },
		{ "no result at the end", " a; spf=pass;", "error: no method" },
		{ "none and more", " a; none; spf=pass",
		    "error: no = after a method" },
		{ "none after more", " a; spf=pass; none",
		    "error: no = after a method" },
		{ "no semicolon", " a spf=pass", "error: no semicolon" },
		{ "no equals sign", " a; spf pass",
		    "error: no = after a method" },
		{ "an empty result", " a; spf=;", "error: no result" },
		{ "a quoted result", " a; spf=\"pass\"", "error: no result" },
		{ "no dot", " a; spf=pass x=y", "error: no dot" },
		{ "no property's name", " a; spf=pass x.=y",
		    "error: no name of a property" },
		{ "no value", " a; spf=pass x.y=", "error: no value" },
		{ "a reason behind a property",
		    " a; spf=pass x.y=z reason=\"r\"", "error: no dot" },
		{ "a version too high", " a 10000; none",
		    "error: a version too high" },
		{ "no version", " a; dkim/=pass", "error: no version" },
		{ "two versions", " a 1 1; none", "error: no semicolon" },
		{ "an open comment", " a (; none", "error: a broken comment" },
		{ "an open quote", " \"a; none", "error: a quoted text" },
		{ "a control character", " a;\x01spf=pass",
		    "error: no method" },
		{ "invalid UTF-8", " a; spf=pass x.y=\xff", "error: no value" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const char *got = render(rows[i].value, strlen(rows[i].value));

		if (strncmp(rows[i].want, "error: ", 7) == 0)
			check_contains(rows[i].name, got, rows[i].want);
		else
			check_str(rows[i].name, got, rows[i].want);
	}
	check_contains("NUL", render(" a; spf=pass\0", 13), "error: no prop");
}

static void
test_limits(void)
{
	static const struct {
		const char *name, *before, *piece;
		size_t times;
		const char *want;
	} rows[] = {
		{ "so many results", "a", ";x=y", 100, "a v1: x/1=y;" },
		{ "too many results", "a", ";x=y", 101,
		    "error: too many results" },
		{ "so many properties", "a; x=y", " b.c=d", 64, "b.c=[d]" },
		{ "too many properties", "a; x=y", " b.c=d", 65,
		    "error: too many properties" },
		{ "a long value", "a;none", " ", 65530, "a v1:" },
		{ "a longer one", "a;none", " ", 65531,
		    "error: longer than 65536 bytes" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		size_t piece_len = strlen(rows[i].piece);
		size_t size =
		    strlen(rows[i].before) + rows[i].times * piece_len;
		char *text = xmem_alloc(size + 1);
		struct str s;

		str_init(&s, text, size + 1);
		str_add(&s, rows[i].before);
		for (size_t k = 0; k < rows[i].times; k++)
			str_add(&s, rows[i].piece);
		check_contains(rows[i].name, render(text, size), rows[i].want);
		xmem_free(&text);
	}
}

static const char *
format(const struct authres *authres)
{
	static char buf[8192];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	authres_format(&s, authres);
	return buf;
}

static void
test_format(void)
{
	static const struct authres_property properties[] = {
		{ "header", "d", "example.org" },
		{ "header", "i", "@example.org" },
		{ "header", "b", "a/b+c===" },
	};
	static const struct authres_result results[] = {
		{ .method = "dkim",
		    .version = 1,
		    .result = "pass",
		    .comment = "2048-bit key",
		    .properties = properties,
		    .property_count = 3 },
		{ .method = "x-new",
		    .version = 2,
		    .result = "fail",
		    .reason = "a \"b\" \\c",
		    .comment = "a) \\ (\r\n\xff\xc3\xbc" },
	};
	struct authres a = { ID, 1, results, 2 };

	check_str("two results", format(&a),
	    ID ";\n\tdkim=pass (2048-bit key) header.d=example.org "
	       "header.i=@example.org header.b=\"a/b+c===\";\n\t"
	       "x-new/2=fail (a\\) \\\\ \\(???\xc3\xbc) "
	       "reason=\"a \\\"b\\\" \\\\c\"");
	a.result_count = 0;
	check_str("none", format(&a), ID "; none");
	a.version = 2;
	check_str("a version", format(&a), ID " 2; none");
	a.version = 1;
	a.authserv_id = ID "/4BQ";
	check_str("a job", format(&a), ID "/4BQ; none");
	a.authserv_id = "a;b";
	check_str("an odd identifier", format(&a), "\"a;b\"; none");
}

static void
test_values(void)
{
	static const struct row rows[] = {
		{ "a domain", "example.org", "example.org" },
		{ "an address", "a.b+c=d/e@example.org",
		    "a.b+c=d/e@example.org" },
		{ "a domain behind @", "@example.org", "@example.org" },
		{ "nothing", "", "\"\"" },
		{ "an @", "@", "\"@\"" },
		{ "two @", "a@b@c", "\"a@b@c\"" },
		{ "dots", "a..b@c", "\"a..b@c\"" },
		{ "a dot first", ".a@c", "\".a@c\"" },
		{ "a dot last", "a.@c", "\"a.@c\"" },
		{ "a blank", "a b", "\"a b\"" },
		{ "a semicolon", "x;dkim=pass", "\"x;dkim=pass\"" },
		{ "a bracket", "x(y", "\"x(y\"" },
		{ "a quote", "x\"y\\", "\"x\\\"y\\\\\"" },
		{ "line ends", "x\r\n y\n\tz", "\"x?? y??z\"" },
		{ "UTF-8", "\xc3\xbc@x.org", "\"\xc3\xbc@x.org\"" },
		{ "invalid UTF-8", "\xc3@x.org", "\"?@x.org\"" },
		{ "a literal", "a@[192.0.2.1]", "\"a@[192.0.2.1]\"" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct authres_property property = { "smtp", "mailfrom",
			rows[i].value };
		struct authres_result result = { .method = "spf",
			.version = 1,
			.result = "pass",
			.properties = &property,
			.property_count = 1 };
		struct authres a = { "a", 1, &result, 1 };
		char want[128];

		snprintf(want, sizeof(want), "a;\n\tspf=pass smtp.mailfrom=%s",
		    rows[i].want);
		check_str(rows[i].name, format(&a), want);
	}
}

/* No line gets too long for mail, and a small buffer is no danger. */
static void
test_long(void)
{
	char value[200], buf[64];
	struct authres_property properties[10];
	struct authres_result result = { .method = "x",
		.version = 1,
		.result = "pass",
		.properties = properties,
		.property_count = CHECK_COUNT(properties) };
	struct authres a = { "a", 1, &result, 1 };
	const char *line;
	size_t longest = 0;
	struct str s;

	memset(value, 'v', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	for (size_t i = 0; i < CHECK_COUNT(properties); i++)
		properties[i] = (struct authres_property){ "x", "y", value };
	for (line = format(&a); line != NULL; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strcspn(line, "\n") > longest)
			longest = strcspn(line, "\n");
	}
	check_true("lines are short enough", longest > 600 && longest <= 998);
	str_init(&s, buf, sizeof(buf));
	authres_format(&s, &a);
	check_true("what does not fit is said", s.truncated);
}

struct claim {
	const char *name, *field, *value;
};

/* With and without its results, the value is a claim or not. */
static void
check_claims(const struct claim *rows, size_t count, bool want)
{
	static const char *const rests[] = { "", "; none",
		";\n\tdkim=pass header.d=x.org", "; (", ";;= \"" };

	for (size_t i = 0; i < count; i++) {
		for (size_t k = 0; k < CHECK_COUNT(rests); k++) {
			char value[512], name[512];
			struct header_field field = { rows[i].field,
				strlen(rows[i].field), value, 0 };

			snprintf(value, sizeof(value), "%s%s", rows[i].value,
			    rests[k]);
			field.value_len = strlen(value);
			snprintf(name, sizeof(name), "%s, then '%s'",
			    rows[i].name, rests[k]);
			check_bool(name, authres_claims(&field, ID), want);
		}
	}
}

#define AR AUTHRES_NAME

static void
test_claims(void)
{
	static const struct claim ours[] = {
		{ "plain", AR, " mx.example.org" },
		{ "no blank", AR, "mx.example.org" },
		{ "another case", "AUTHENTICATION-results", " MX.Example.ORG" },
		{ "a blank before the colon", AR " ", " mx.example.org" },
		{ "blanks before the colon", AR "\t  ", " mx.example.org" },
		{ "a version", AR, " mx.example.org 1" },
		{ "another version", AR, " mx.example.org 99999999999" },
		{ "a version behind a slash", AR, " mx.example.org/1" },
		{ "a job", AR, " mx.example.org/4BQxyz" },
		{ "a dot at the end", AR, " mx.example.org." },
		{ "dots at the end", AR, " mx.example.org...." },
		{ "quoted", AR, " \"mx.example.org\"" },
		{ "quoted, another case", AR, " \"MX.EXAMPLE.ORG\"" },
		{ "quoted with escapes", AR, " \"m\\x.exampl\\e.org\"" },
		{ "quoted with a fold", AR, " \"\n mx.example.org\"" },
		{ "quoted with blanks", AR, " \" mx.example.org \"" },
		{ "quoted with a slash", AR, " \"mx.example.org/1\"" },
		{ "quoted with a semicolon", AR, " \"x ;mx.example.org\"" },
		{ "an open quote", AR, " \"mx.example.org" },
		{ "quotes around a part", AR, " \"mx\".example.org" },
		{ "quotes around another part", AR, " mx.\"example\".org" },
		{ "a comment before", AR, " (x) mx.example.org" },
		{ "nested comments before", AR,
		    "(a;(b\\)(c)) \"d) mx.example.org" },
		{ "a comment with another", AR, " (x.org;) mx.example.org" },
		{ "a comment behind", AR, " mx.example.org(x)" },
		{ "a comment and a version", AR, " mx.example.org(x)1(y)" },
		{ "a comment within", AR, " mx.(x)example.org" },
		{ "an open comment", AR, " (mx.example.org" },
		{ "a fold before", AR, "\n\tmx.example.org" },
		{ "folds around", AR, " \n mx.example.org\n\t1\n " },
		{ "a fold within", AR, " mx.exam\n ple.org" },
		{ "no semicolon", AR, " mx.example.org dkim=pass" },
		{ "no semicolon, no blank", AR, " mx.example.org=pass" },
		{ "two identifiers", AR, " x.org mx.example.org" },
		{ "two identifiers, one a version", AR,
		    " x.org 1 mx.example.org" },
		{ "with a comma", AR, " x.org, mx.example.org" },
		{ "an encoded word", AR, " =?us-ascii?q?mx.example.org?=" },
		{ "an address", AR, " x@mx.example.org" },
		{ "a control character", AR, " \x01mx.example.org" },
		{ "a carriage return", AR, " \r\n mx.example.org" },
		{ "a bad line end", AR, " \nmx.example.org" },
		{ "DEL", AR, " mx.example.org\x7f" },
		{ "invalid UTF-8", AR, " \xffmx.example.org" },
		{ "UTF-8 before", AR, " \xe2\x80\x8bmx.example.org" },
		{ "a wide letter", AR, " \xef\xbd\x8dx.example.org" },
		{ "an identifier in UTF-8", AR,
		    " b\xc3\xbc"
		    "cher.example" },
		{ "the same, quoted", AR,
		    " \"b\xc3\xbc"
		    "cher.example\"" },
		{ "no identifier", AR, "" },
		{ "blanks", AR, " \n " },
	};
	static const struct claim others[] = {
		{ "another's", AR, " x.org" },
		{ "another's with a version", AR, " x.org 1" },
		{ "another's, quoted", AR, " \"x.org\" (c) 1 (d)" },
		{ "another's, folded", AR, "\n\tx.org\n " },
		{ "another's with a job", AR, " x.org/1" },
		{ "ours in a comment", AR, " (mx.example.org;) x.org" },
		{ "ours begins like it", AR, " mx.example" },
		{ "ours ends like it", AR, " example.org" },
		{ "it begins like ours", AR, " mx.example.org.x.org" },
		{ "it ends like ours", AR, " smx.example.org" },
		{ "ours behind a slash", AR, " x.org/mx.example.org" },
		{ "another field", "X-" AR, " mx.example.org" },
		{ "ARC", "ARC-" AR, " i=1; mx.example.org" },
		{ "the old field", "Authentication-Result", " mx.example.org" },
	};
	static char large[AUTHRES_VALUE_MAX + 2] = " x.org;";
	struct header_field field = { AR, strlen(AR), large,
		sizeof(large) - 1 };

	check_claims(ours, CHECK_COUNT(ours), true);
	check_claims(others, CHECK_COUNT(others), false);
	memset(large + 7, ' ', sizeof(large) - 8);
	check_true("an oversized one", authres_claims(&field, ID));
	field.value_len--;
	check_false("one that just fits", authres_claims(&field, ID));
	field = (struct header_field){ AR, strlen(AR), " mx.test", 8 };
	check_true("ours has a dot", authres_claims(&field, "mx.test."));
	check_true("ours has a job", authres_claims(&field, "mx.test/1"));
	field = (struct header_field){ AR, strlen(AR), " x\0;", 4 };
	check_true("NUL", authres_claims(&field, ID));
}

static void
test_id_ok(void)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "mx.example.org", true },
		{ "a", true },
		{ "a_b-c.1", true },
		{ "xn--bcher-kva.example", true },
		{ "", false },
		{ "a b", false },
		{ "a;b", false },
		{ "a/b", false },
		{ "a\"b", false },
		{ "a(b", false },
		{ "a\\b", false },
		{ "a\tb", false },
		{ "a\nb", false },
		{ "a@b", false },
		{ "b\xc3\xbc"
		  "cher.example",
		    false },
	};
	char text[257];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(
		    rows[i].text, authres_id_ok(rows[i].text), rows[i].want);
	memset(text, 'a', sizeof(text) - 1);
	text[255] = '\0';
	check_true("the longest", authres_id_ok(text));
	text[255] = 'a';
	text[256] = '\0';
	check_false("a longer one", authres_id_ok(text));
}

int
main(void)
{
	test_parse();
	test_limits();
	test_format();
	test_values();
	test_long();
	test_claims();
	test_id_ok();
	return check_done();
}
