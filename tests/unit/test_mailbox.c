/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/mailbox.h"
#include "common/str.h"
#include "common/xmem.h"

#include "tests/unit/check.h"

/* "local@domain|local@domain", or the sentence. */
static const char *
render(const char *value, size_t len)
{
	static char buf[4096];
	struct arena *arena = arena_new();
	struct mailbox *list = NULL;
	struct err err = { "" };
	struct str s;
	int count = mailbox_parse_list(value, len, arena, &list, &err);

	str_init(&s, buf, sizeof(buf));
	if (count < 0)
		str_addf(&s, "error: %s", err.text);
	for (int i = 0; i < count; i++)
		str_addf(&s, "%s%s@%s", i > 0 ? "|" : "", list[i].local,
		    list[i].domain);
	arena_free(&arena);
	return buf;
}

struct row {
	const char *name, *value, *want;
};

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *got = render(rows[i].value, strlen(rows[i].value));

		if (strncmp(rows[i].want, "error: ", 7) == 0)
			check_contains(rows[i].name, got, rows[i].want);
		else
			check_str(rows[i].name, got, rows[i].want);
	}
}

static void
test_good(void)
{
	static const struct row rows[] = {
		{ "an address", " a@example.org", "a@example.org" },
		{ "in angles", " <a@example.org>", "a@example.org" },
		{ "a name", " Alice <a@example.org>", "a@example.org" },
		{ "a name with an initial", " Alice B. Cee <a@example.org>",
		    "a@example.org" },
		{ "a quoted name", " \"Cee, Alice\" <a@example.org>",
		    "a@example.org" },
		{ "an address in a quoted name",
		    " \"<x@y.org>\" <a@example.org>", "a@example.org" },
		{ "escapes in a quoted name",
		    " \"\\\"A, Inc.\\\"\" <a@example.org>", "a@example.org" },
		{ "an encoded name",
		    " =?utf-8?B?PHhAeS5vcmc+?= <a@example.org>",
		    "a@example.org" },
		{ "a name in UTF-8", " Zo\xc3\xab <a@example.org>",
		    "a@example.org" },
		{ "a name in Latin-1", " J\xf6rg (B\xfcro) <a@example.org>",
		    "a@example.org" },
		{ "a quoted name in Latin-1",
		    " \"J\xf6rg, <x@y.org>\" <a@b.org>", "a@b.org" },
		{ "the domain in lower case", " A.B@EXAMPLE.Org",
		    "A.B@example.org" },
		{ "a dot at the end", " <a@example.org.>", "a@example.org" },
		{ "a domain in UTF-8",
		    " a@b\xc3\xbc"
		    "cher.example",
		    "a@b\xc3\xbc"
		    "cher.example" },
		{ "a local part in UTF-8", " \xc3\xbc@example.org",
		    "\xc3\xbc@example.org" },
		{ "a literal", " a@[192.0.2.1]", "a@[192.0.2.1]" },
		{ "a literal with blanks", " a@[ IPv6:2001:DB8::1 ]",
		    "a@[ipv6:2001:db8::1]" },
		{ "a quoted local part", " \"a b\"@example.org",
		    "a b@example.org" },
		{ "an address as a local part", " <\"x@y.org\"@example.org>",
		    "x@y.org@example.org" },
		{ "an empty local part", " \"\"@example.org", "@example.org" },
		{ "words of a local part", " a.\"b c\".d@example.org",
		    "a.b c.d@example.org" },
		{ "dots in a row", " .a..b.@example.org",
		    ".a..b.@example.org" },
		{ "all characters of an atom",
		    " !#$%&'*+-/=?^_`{|}~@example.org",
		    "!#$%&'*+-/=?^_`{|}~@example.org" },
		{ "comments everywhere",
		    " (c)Pete(A nice \\) chap) <pete(his (deep) account)"
		    "@(x)silly(y).(z)test(his host)>(end)",
		    "pete@silly.test" },
		{ "blanks around dots", " user @ example . com",
		    "user@example.com" },
		{ "folds", "\n Alice\n\t<a@\n example.org>\n ",
		    "a@example.org" },
		{ "the same address as a name",
		    " A@Example.org <a@example.org>", "A@example.org" },
		{ "the same address as names",
		    " a@b.org<a@b.org>,c@d.org <c@d.org>", "a@b.org|c@d.org" },
		{ "two", " a@example.org, Bob <b@example.net>",
		    "a@example.org|b@example.net" },
		{ "empty elements", " ,a@example.org,, b@example.net,",
		    "a@example.org|b@example.net" },
		{ "a group", " Us: a@example.org, B <b@example.net>;",
		    "a@example.org|b@example.net" },
		{ "an empty group", " Undisclosed recipients:;", "" },
		{ "groups and addresses",
		    " c@c.org, \"G\":;, H:,d@d.org,; , e@e.org",
		    "c@c.org|d@d.org|e@e.org" },
	};

	check_rows(rows, CHECK_COUNT(rows));
}

static void
test_bad(void)
{
	static const struct row rows[] = {
		{ "nothing", "", "error: no address" },
		{ "blanks", " \n ", "error: no address" },
		{ "commas", " ,,", "error: no address" },
		{ "a comment", " (a@example.org)", "error: no address" },
		{ "a name only", " Alice", "error: no address, at" },
		{ "a quoted address only", " \"a@example.org\"",
		    "error: no address, at" },
		{ "no domain", " <a>", "error: no address in <>" },
		{ "empty angles", " <>", "error: no address in <>" },
		{ "an empty domain", " a@",
		    "error: no domain after the @, at character 4" },
		{ "an empty domain in angles", " <a@>",
		    "error: no domain after the @, at character 5" },
		{ "nothing before the @", " @example.org",
		    "error: nothing before the @" },
		{ "a route", " <@x.org,@y.org:a@example.org>",
		    "error: a route" },
		{ "another address as a name", " x@y.org <a@example.org>",
		    "error: another address before the <>, at character 10" },
		{ "of the same domain", " b@example.org <a@example.org>",
		    "error: another address before the <>" },
		{ "in another domain", " a@example.org<a@example.com>",
		    "error: another address before the <>" },
		{ "the same and one more", " a@b.org <a@b.org> <a@b.org>",
		    "error: no comma" },
		{ "an address and words as a name", " a@b.org x <a@b.org>",
		    "error: a blank or comment in a domain" },
		{ "an address behind angles", " <a@example.org>x@y.org",
		    "error: no comma" },
		{ "two pairs of angles", " <a@example.org> <x@y.org>",
		    "error: no comma" },
		{ "an @ more", " <a@example.org@y.org>",
		    "error: a > is missing" },
		{ "an angle more", " a@example.org>", "error: no comma" },
		{ "an angle less", " <a@example.org", "error: a > is missing" },
		{ "an escaped comma", " <a@x.org>\\,<b@y.org>",
		    "error: no comma" },
		{ "a comma in a name", " Cee, Alice <a@example.org>",
		    "error: no address" },
		{ "two words before the @", " Alice a@example.org",
		    "error: several words before the @" },
		{ "two words after the @", " a@example org",
		    "error: a blank or comment in a domain" },
		{ "a comment in a domain", " a@exam(x)ple.org",
		    "error: a blank or comment in a domain" },
		{ "dots in a domain", " a@example..org",
		    "error: what follows the @ is no domain" },
		{ "two dots at the end", " a@example.org..",
		    "error: what follows the @ is no domain" },
		{ "a dot before the domain", " a@.example.org",
		    "error: what follows the @ is no domain" },
		{ "a dot as domain", " a@.",
		    "error: what follows the @ is no domain" },
		{ "a bracket in a domain", " a@example.org(.y.org",
		    "error: a comment that does not end" },
		{ "an odd character in a domain", " a@exam=ple.org",
		    "error: what follows the @ is no domain, at character 4" },
		{ "a quote in a domain", " a@\"example.org\"",
		    "error: no domain" },
		{ "an encoded word as an address",
		    " =?utf-8?B?PHhAeS5vcmc+?=@example.org",
		    "error: an encoded word" },
		{ "the same, quoted",
		    " \"=?utf-8?B?PHhAeS5vcmc+?=\"@example.org",
		    "error: an encoded word" },
		{ "an encoded word for an address",
		    " =?utf-8?B?PHhAeS5vcmc+?=, <a@example.org>",
		    "error: no address" },
		{ "an open comment", " a@example.org (",
		    "error: a comment that does not end" },
		{ "an open nested comment", " (()a@example.org",
		    "error: a comment that does not end" },
		{ "a comment that ends in a backslash", " a@example.org (\\",
		    "error: a comment that does not end" },
		{ "an open quote", " \"Alice <a@example.org>",
		    "error: a quoted text that does not end" },
		{ "an open literal", " a@[192.0.2.1",
		    "error: a domain literal" },
		{ "a literal with an escape", " a@[192\\.0.2.1]",
		    "error: a domain literal" },
		{ "an odd character in a literal", " a@[x@y.org]",
		    "error: a domain literal" },
		{ "a literal in a literal", " a@[[1]]",
		    "error: a domain literal" },
		{ "an open group", " Us: a@example.org",
		    "error: a group that does not end" },
		{ "a group in a group", " Us: Them: a@example.org;;",
		    "error: no address" },
		{ "a group without a name", " : a@example.org;",
		    "error: no address" },
		{ "no comma after a group", " Us:; a@example.org",
		    "error: no comma" },
		{ "a semicolon", " a@example.org; b@example.net",
		    "error: no comma" },
		{ "a line end without a blank", " a@example.org\nb",
		    "error: no comma" },
		{ "a line end at the end", " a@example.org\n",
		    "error: no comma" },
		{ "a carriage return", " a@example.org\r\n ",
		    "error: no comma" },
		{ "a control character", " \x01 a@example.org",
		    "error: a control or invalid UTF-8 character" },
		{ "DEL in a name", " \"\x7f\" <a@example.org>",
		    "error: a quoted text" },
		{ "invalid UTF-8 before the @", " <\xfc@example.org>",
		    "error: invalid UTF-8 in the address" },
		{ "the same, quoted", " \"\xfc\"@example.org",
		    "error: invalid UTF-8 in the address" },
		{ "invalid UTF-8 behind it", " <a@\xfc.example.org>",
		    "error: invalid UTF-8 in the address" },
		{ "overlong UTF-8", " a@\xc0\xae.example.org",
		    "error: invalid UTF-8 in the address" },
	};

	check_rows(rows, CHECK_COUNT(rows));
	check_contains("NUL", render("a@b.org\0", 8), "error: no comma");
	check_contains(
	    "NUL in a name", render("\"\0\" <a@b.org>", 13), "error: a quot");
}

/* A text of times copies of piece between before and after. */
static char *
make(const char *before, const char *piece, size_t times, const char *after)
{
	size_t size = strlen(before) + times * strlen(piece) + strlen(after);
	char *text = xmem_alloc(size + 1);
	struct str s;

	str_init(&s, text, size + 1);
	str_add(&s, before);
	while (times-- > 0)
		str_add(&s, piece);
	str_add(&s, after);
	return text;
}

static void
test_limits(void)
{
	static const struct {
		const char *name, *before, *piece;
		size_t times;
		const char *after, *want;
	} rows[] = {
		{ "the longest local part", "", "a", 256, "@b.org", "aaaa" },
		{ "a longer one", "", "a", 257, "@b.org",
		    "error: too much before the @" },
		{ "a longer name is none", "", "a", 257, " <c@b.org>",
		    "c@b.org" },
		{ "the longest domain", "a@", "b.", 127, "c", "a@b.b" },
		{ "with a dot at the end", "a@", "b.", 127, "c.", "a@b.b" },
		{ "a longer domain", "a@", "b.", 128, "c",
		    "error: what follows the @ is no domain" },
		{ "a longer literal", "a@[", "1", 254, "]",
		    "error: what follows the @ is no domain" },
		{ "so many mailboxes", "a@b.org", ",a@b.org", 99, "",
		    "a@b.org|a@b.org" },
		{ "too many", "a@b.org", ",a@b.org", 100, "",
		    "error: too many addresses" },
		{ "a long field", "a@b.org ", " ", 65528, "", "a@b.org" },
		{ "a longer one", "a@b.org ", " ", 65529, "",
		    "error: longer than 65536 bytes" },
		{ "deep comments", "a@b.org ", "(x", 10000, ")",
		    "error: a comment that does not end" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char *text = make(rows[i].before, rows[i].piece, rows[i].times,
		    rows[i].after);

		check_contains(
		    rows[i].name, render(text, strlen(text)), rows[i].want);
		xmem_free(&text);
	}
}

static void
test_address(void)
{
	static const struct row rows[] = {
		{ "an address", "a@Example.ORG", "a@example.org" },
		{ "a quoted one", "\"a \\\"b\"@example.org",
		    "a \"b@example.org" },
		{ "quotes taken off", "a b@example.org", "a b@example.org" },
		{ "dots anywhere", "a..b.@example.org", "a..b.@example.org" },
		{ "UTF-8", "\xc3\xbc@b\xc3\xbc.org", "\xc3\xbc@b\xc3\xbc.org" },
		{ "a literal", "a@[192.0.2.1]", "a@[192.0.2.1]" },
		{ "nothing", "", "error: no @" },
		{ "no domain", "a", "error: no @" },
		{ "an empty domain", "a@", "error: no domain" },
		{ "no local part", "@example.org", "error: nothing before" },
		{ "in angles", "<a@example.org>", "error: an odd character" },
		{ "a comment", "a(c)@example.org", "error: an odd character" },
		{ "a comment after the @", "a@(c)example.org",
		    "error: a blank or comment after" },
		{ "a comment at the end", "a@example.org(c)",
		    "error: a blank or comment after" },
		{ "a blank at the end", "a@example.org ",
		    "error: a blank or comment after" },
		{ "two", "a@example.org,b@example.org",
		    "error: an odd character after the domain" },
		{ "a route", "@x.org:a@example.org", "error: nothing before" },
		{ "an @ more", "a@b@example.org",
		    "error: an odd character after the domain" },
		{ "an open quote", "\"a@example.org", "error: a quoted text" },
		{ "words around quotes", "\"a\"b@example.org",
		    "error: no @ after" },
		{ "a fold", "\"a\n \"@example.org",
		    "error: a control character" },
		{ "a carriage return", "\"a\r\"@example.org",
		    "error: a quoted text" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct arena *arena = arena_new();
		struct mailbox mailbox;
		struct err err;
		char got[ERR_TEXT_SIZE + 16];

		if (mailbox_parse_address(
			rows[i].value, arena, &mailbox, &err) != 0)
			snprintf(got, sizeof(got), "error: %s", err.text);
		else
			snprintf(got, sizeof(got), "%s@%s", mailbox.local,
			    mailbox.domain);
		if (strncmp(rows[i].want, "error: ", 7) == 0)
			check_contains(rows[i].name, got, rows[i].want);
		else
			check_str(rows[i].name, got, rows[i].want);
		arena_free(&arena);
	}
}

int
main(void)
{
	test_good();
	test_bad();
	test_limits();
	test_address();
	return check_done();
}
