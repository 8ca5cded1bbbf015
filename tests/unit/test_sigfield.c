/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/arena.h"
#include "common/xmem.h"

#include "dkimd/sigfield.h"

#include "tests/unit/check.h"

#define NOW 1800000000
#define DRIFT 300
#define BH "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
#define B "b=AbCdEfGhIj+/0123"
#define REST "h=From:To; " BH "; " B
#define GOOD "v=1; a=rsa-sha256; d=example.org; s=sel; " REST

/* Parses a field whose texts end where memory ends. */
static enum result
parse(const char *value, struct arena *arena, struct sigfield *sig,
    const char **reason)
{
	size_t len = strlen(value);
	struct header_field field = { .name = "DKIM-Signature",
		.name_len = strlen("DKIM-Signature"),
		.value = xmem_strndup(value, len),
		.value_len = len };
	enum result result =
	    sigfield_parse(&field, NOW, DRIFT, arena, sig, reason);

	free((void *)(uintptr_t)field.value);
	return result;
}

struct row {
	const char *name, *value;
	enum result result;
	const char *reason;
};

static void
check_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct arena *arena = arena_new();
		struct sigfield sig;
		const char *reason = NULL;

		check_str(rows[i].name,
		    result_name(parse(rows[i].value, arena, &sig, &reason)),
		    result_name(rows[i].result));
		check_str(rows[i].name, reason, rows[i].reason);
		arena_free(&arena);
	}
}

#define GOOD_ROW(name, value)                                                  \
	{                                                                      \
		name, value, RESULT_NONE, ""                                   \
	}
#define BAD_ROW(name, value, reason)                                           \
	{                                                                      \
		name, value, RESULT_PERMERROR, reason                          \
	}
#define ODD_ROW(name, value, reason)                                           \
	{                                                                      \
		name, value, RESULT_NEUTRAL, reason                            \
	}
#define NO_TAG "signature lacks a required tag"

static void
test_tags(void)
{
	static const struct row rows[] = {
		GOOD_ROW("good", GOOD),
		GOOD_ROW("blanks and folds",
		    " v = 1;\n\ta=rsa-sha256 ; d="
		    "example.org;s=sel;h=From :\n To; " BH ";b=Ab Cd\n"
		    "\tEfGh;"),
		GOOD_ROW("unknown tags", GOOD "; zz=1; r=y; z=From:x|To:y"),
		BAD_ROW("empty", "", "a tag without a name"),
		BAD_ROW("twice the same tag", GOOD "; d=example.net",
		    "the same tag twice"),
		BAD_ROW("no v=", "a=rsa-sha256; d=example.org; s=sel; " REST,
		    NO_TAG),
		BAD_ROW("no a=", "v=1; d=example.org; s=sel; " REST, NO_TAG),
		BAD_ROW("no d=", "v=1; a=rsa-sha256; s=sel; " REST, NO_TAG),
		BAD_ROW(
		    "no s=", "v=1; a=rsa-sha256; d=example.org; " REST, NO_TAG),
		BAD_ROW("no h=",
		    "v=1; a=rsa-sha256; d=example.org; s=sel; " BH ";" B,
		    NO_TAG),
		BAD_ROW("no bh=",
		    "v=1; a=rsa-sha256; d=example.org; s=sel; "
		    "h=From;" B,
		    NO_TAG),
		BAD_ROW("no b=",
		    "v=1; a=rsa-sha256; d=example.org; s=sel; "
		    "h=From;" BH,
		    NO_TAG),
		BAD_ROW("other case", GOOD "; bH=x",
		    "a tag is written in another case"),
		BAD_ROW("other case of one letter", GOOD "; L=1",
		    "a tag is written in another case"),
		ODD_ROW("a tag that ends in b", GOOD "; xb=x",
		    "a tag of unknown meaning ends in \"b\""),
		ODD_ROW("b =",
		    "v=1; a=rsa-sha256; d=example.org; s=sel;"
		    "h=From;" BH "; b =AbCd",
		    "a blank in front of b's \"=\""),
		ODD_ROW("8-bit", GOOD "; i=\xc3\xa4@example.org",
		    "characters beyond ASCII are not supported"),
		BAD_ROW("carriage return", GOOD ";\r\n i=@example.org",
		    "a stray carriage return"),
		BAD_ROW("v=2", "v=2; a=rsa-sha256; d=example.org; s=sel; " REST,
		    "unknown version (v=)"),
		BAD_ROW("v=1.0",
		    "v=1.0; a=rsa-sha256; d=example.org; s=sel; " REST,
		    "unknown version (v=)"),
		{ "sha1", "v=1; a=rsa-sha1; d=example.org; s=sel; " REST,
		    RESULT_POLICY, "rsa-sha1 is not accepted" },
		ODD_ROW("unknown algorithm",
		    "v=1; a=rsa-sha512; d=example.org; s=sel; " REST,
		    "unknown algorithm (a=)"),
		GOOD_ROW("c=relaxed", GOOD "; c=relaxed"),
		GOOD_ROW("c= in capitals", GOOD "; c=Relaxed/SIMPLE"),
		BAD_ROW("c=nofws", GOOD "; c=nofws",
		    "unknown canonicalization (c=)"),
		BAD_ROW("c=simple/", GOOD "; c=simple/",
		    "unknown canonicalization (c=)"),
		BAD_ROW("c= with three", GOOD "; c=simple/simple/simple",
		    "unknown canonicalization (c=)"),
		BAD_ROW(
		    "empty c=", GOOD "; c=", "unknown canonicalization (c=)"),
		GOOD_ROW("q=", GOOD "; q=dns/txt"),
		GOOD_ROW("q= with others", GOOD "; q=http : dns/txt"),
		ODD_ROW(
		    "unknown q=", GOOD "; q=http", "unknown query method (q=)"),
		ODD_ROW("q=dns", GOOD "; q=dns", "unknown query method (q=)"),
	};

	check_rows(rows, CHECK_COUNT(rows));
}

#define DS(d, s) "v=1; a=rsa-sha256; d=" d "; s=" s "; " REST
#define L63 "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg"
#define BAD_D "invalid domain (d=)"
#define BAD_S "invalid selector (s=)"

static void
test_domains(void)
{
	static const struct row rows[] = {
		GOOD_ROW("labels", DS("a-b.x_y.Example.ORG", "s1.S-2_3")),
		GOOD_ROW("63 characters", DS(L63 ".example.org", L63)),
		BAD_ROW(
		    "64 characters", DS("x" L63 ".example.org", "s"), BAD_D),
		BAD_ROW(
		    "64 characters in s=", DS("example.org", "x" L63), BAD_S),
		BAD_ROW("one label", DS("org", "s"), BAD_D),
		BAD_ROW("dot at the end", DS("example.org.", "s"), BAD_D),
		BAD_ROW("dot at the start", DS(".example.org", "s"), BAD_D),
		BAD_ROW("two dots", DS("example..org", "s"), BAD_D),
		BAD_ROW(
		    "parenthesis", DS("legit.com(.example.org", "s"), BAD_D),
		BAD_ROW("blank", DS("exam ple.org", "s"), BAD_D),
		BAD_ROW("at sign", DS("@example.org", "s"), BAD_D),
		BAD_ROW("dash first", DS("-a.example.org", "s"), BAD_D),
		BAD_ROW("dash last", DS("a-.example.org", "s"), BAD_D),
		BAD_ROW("parenthesis in s=", DS("example.org", "s(x)"), BAD_S),
		BAD_ROW("slash in s=", DS("example.org", "a/b"), BAD_S),
		BAD_ROW("dot at the end of s=", DS("example.org", "s."), BAD_S),
		BAD_ROW("empty s=", DS("example.org", ""), NO_TAG),
		BAD_ROW("name of the key", DS(L63 "." L63 "." L63 ".org", L63),
		    "name of the key is too long"),
	};

	check_rows(rows, CHECK_COUNT(rows));
}

#define BAD_I "invalid identity (i=)"
#define BAD_H "invalid list of fields (h=)"
#define H(list) "v=1; a=rsa-sha256; d=example.org; s=s; h=" list "; " BH ";" B

static void
test_identities(void)
{
	static const struct row rows[] = {
		GOOD_ROW("domain only", GOOD "; i=@example.org"),
		GOOD_ROW("below", GOOD "; i=x@a.b.Example.Org"),
		GOOD_ROW("encoded", GOOD "; i=a=20b=\n C3=A4@example.org"),
		BAD_ROW("no at sign", GOOD "; i=example.org", BAD_I),
		BAD_ROW("empty", GOOD "; i=", BAD_I),
		BAD_ROW("cut encoding", GOOD "; i=@example.org=", BAD_I),
		BAD_ROW("cut encoding", GOOD "; i=@example.org=4", BAD_I),
		BAD_ROW("small hex digits", GOOD "; i=a=c3@example.org", BAD_I),
		BAD_ROW("encoded control", GOOD "; i=a=0A@example.org", BAD_I),
		BAD_ROW("encoded NUL", GOOD "; i=a=00@example.org", BAD_I),
		BAD_ROW("encoded semicolon in the domain",
		    GOOD "; i=a@x=3B.example.org", "i= is not within d="),
		BAD_ROW("another domain", GOOD "; i=a@example.net",
		    "i= is not within d="),
		BAD_ROW("ends alike", GOOD "; i=a@badexample.org",
		    "i= is not within d="),
		BAD_ROW("above", GOOD "; i=a@org", "i= is not within d="),
		ODD_ROW("two at signs", GOOD "; i=\"a=40b\"@example.org",
		    "\"@\" in the local part of i="),
	};

	check_rows(rows, CHECK_COUNT(rows));
}

static void
test_field_names(void)
{
	static const struct row rows[] = {
		GOOD_ROW("any case", H("FROM:x-1!")),
		GOOD_ROW("From twice", H("from:from")),
		BAD_ROW("no From", H("To:Subject"), "From is not signed (h=)"),
		BAD_ROW("a part of From", H("Fro:rom:xFrom"),
		    "From is not signed (h=)"),
		BAD_ROW("empty entry", H("From::To"), BAD_H),
		BAD_ROW("colon at the end", H("From:"), BAD_H),
		BAD_ROW("blank within", H("From:A B"), BAD_H),
		BAD_ROW("empty", H(""), NO_TAG),
		ODD_ROW("signatures", H("From:dkim-signature"),
		    "signed signatures (h=) are not supported"),
	};

	check_rows(rows, CHECK_COUNT(rows));
}

#define BAD_L "invalid body length (l=)"
#define BAD_T "invalid timestamp (t=)"
#define BAD_X "invalid expiration (x=)"

static void
test_numbers(void)
{
	static const struct row rows[] = {
		GOOD_ROW("l=0", GOOD "; l=0"),
		GOOD_ROW("15 digits", GOOD "; l=999999999999999"),
		BAD_ROW("16 digits", GOOD "; l=0000000000000001", BAD_L),
		BAD_ROW("2^63", GOOD "; l=9223372036854775808", BAD_L),
		BAD_ROW("2^64-2", GOOD "; l=18446744073709551614", BAD_L),
		BAD_ROW("negative", GOOD "; l=-1", BAD_L),
		BAD_ROW("sign", GOOD "; l=+1", BAD_L),
		BAD_ROW("letters", GOOD "; l=1x", BAD_L),
		BAD_ROW("blank", GOOD "; l=1 2", BAD_L),
		BAD_ROW("empty", GOOD "; l=", BAD_L),
		GOOD_ROW("now", GOOD "; t=1800000000"),
		GOOD_ROW("drift", GOOD "; t=1800000300"),
		BAD_ROW("future", GOOD "; t=1800000301",
		    "signature is from the future"),
		BAD_ROW("13 digits", GOOD "; t=0001000000000", BAD_T),
		BAD_ROW("t=x", GOOD "; t=x", BAD_T),
		GOOD_ROW("x= later", GOOD "; x=1800000001"),
		GOOD_ROW("x= within drift", GOOD "; x=1799999700"),
		BAD_ROW("expired", GOOD "; x=1799999699", "signature expired"),
		BAD_ROW("13 digits", GOOD "; x=9999999999999", BAD_X),
		BAD_ROW("x= is t=", GOOD "; t=1800000000; x=1800000000",
		    "signature expires before it begins"),
	};

	check_rows(rows, CHECK_COUNT(rows));
}

#define BBH(b, bh)                                                             \
	"v=1; a=rsa-sha256; d=example.org; s=s; h=From; bh=" bh "; b=" b
#define A32 "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="

static void
test_hashes(void)
{
	static const struct row rows[] = {
		BAD_ROW(
		    "junk in b=", BBH("ab!d", A32), "invalid signature (b=)"),
		BAD_ROW(
		    "no padding", BBH("abcde", A32), "invalid signature (b=)"),
		GOOD_ROW("padding", BBH("ab==", A32)),
		BAD_ROW(
		    "padding only", BBH("====", A32), "invalid signature (b=)"),
		BAD_ROW("padding within", BBH("ab==abcd", A32),
		    "invalid signature (b=)"),
		BAD_ROW("three paddings", BBH("a===", A32),
		    "invalid signature (b=)"),
		BAD_ROW("short hash", BBH("abcd", "abcd"),
		    "invalid body hash (bh=)"),
		BAD_ROW("31 bytes",
		    BBH("abcd", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuF=="),
		    "invalid body hash (bh=)"),
		BAD_ROW("33 bytes",
		    BBH("abcd", "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFUA"),
		    "invalid body hash (bh=)"),
		BAD_ROW("junk in bh=",
		    BBH("abcd", "47DEQpj8HBSa+/TImW-5JCeuQeRkm5NMpJWZG3hSuFU="),
		    "invalid body hash (bh=)"),
	};

	check_rows(rows, CHECK_COUNT(rows));
}

static void
test_content(void)
{
	struct arena *arena = arena_new();
	struct sigfield sig;
	const char *reason;

	parse("v=1; a=ed25519-sha256; c=relaxed; d=Example.ORG; s=S1; t=17;"
	      "x=1900000000; l=5; i=a=40@mail.example.org; h= From :TO; " BH
	      "; b=Abc\n dEfGhIj0=",
	    arena, &sig, &reason);
	check_str("d=", sig.domain, "example.org");
	check_str("s=", sig.selector, "s1");
	check_str("b=", sig.b_start, "AbcdEfGh");
	check_int("a=", sig.algorithm, SIGFIELD_ED25519_SHA256);
	check_int("c=", sig.header_canon, SIGFIELD_RELAXED);
	check_int("c=", sig.body_canon, SIGFIELD_SIMPLE);
	check_uint("h=", sig.name_count, 2);
	check_str("h=", sig.names[0], "from");
	check_str("h=", sig.names[1], "to");
	check_int("t=", sig.timestamp, 17);
	check_int("x=", sig.expires, 1900000000);
	check_int("l=", sig.length, 5);
	parse(GOOD, arena, &sig, &reason);
	check_str("i= by default", sig.identity, "@example.org");
	check_int("no t=", sig.timestamp, -1);
	check_int("no x=", sig.expires, -1);
	check_int("no l=", sig.length, -1);
	parse(GOOD "; i=a=20b@X.example.org", arena, &sig, &reason);
	check_str("i= decoded", sig.identity, "a b@X.example.org");
	parse("v=9; d=example.org; s=(; a=rsa-sha1; b=AbCd", arena, &sig,
	    &reason);
	check_str("broken, but d= is there", sig.domain, "example.org");
	check_str("and no s=", sig.selector, "");
	check_str("and b=", sig.b_start, "AbCd");
	check_str("and a=", sigfield_algorithm_name(sig.algorithm), "rsa-sha1");
	parse("d=example.org; ; s=x", arena, &sig, &reason);
	check_str("up to the fault", sig.domain, "example.org");
	check_str("and the first fault counts", reason, "an empty tag");
	arena_free(&arena);
}

static void
check_sized(const char *name, size_t names, size_t len, const char *want)
{
	struct arena *arena = arena_new();
	char *text = xmem_alloc(SIGFIELD_VALUE_MAX * 2);
	struct sigfield sig;
	const char *reason;
	size_t used = (size_t)snprintf(text, SIGFIELD_VALUE_MAX, "%s",
	    "v=1; a=rsa-sha256; d=example.org; s=s; " BH "; " B "; h=From");

	for (size_t i = 1; i < names; i++) {
		text[used++] = ':';
		text[used++] = 'x';
	}
	memcpy(text + used, "; z=", 5);
	for (used += 4; used < len; used++)
		text[used] = 'z';
	text[used] = '\0';
	parse(text, arena, &sig, &reason);
	check_str(name, reason, want);
	xmem_free(&text);
	arena_free(&arena);
}

static void
test_sizes(void)
{
	check_sized("as many names as may be", SIGFIELD_NAMES_MAX, 0, "");
	check_sized(
	    "one more", SIGFIELD_NAMES_MAX + 1, 0, "too many fields in h=");
	check_sized("as long as may be", 1, SIGFIELD_VALUE_MAX, "");
	check_sized(
	    "longer", 1, SIGFIELD_VALUE_MAX + 1, "signature is too long");
}

static void
test_tab(void)
{
	struct header_field field = { "DKIM-Signature\t", 15, GOOD,
		strlen(GOOD) };
	struct arena *arena = arena_new();
	struct sigfield sig;
	const char *reason;

	check_int("tab in front of the colon",
	    sigfield_parse(&field, NOW, DRIFT, arena, &sig, &reason),
	    RESULT_NEUTRAL);
	check_str("said so", reason, "a tab in front of the colon");
	arena_free(&arena);
}

int
main(void)
{
	test_tags();
	test_domains();
	test_identities();
	test_field_names();
	test_numbers();
	test_hashes();
	test_content();
	test_sizes();
	test_tab();
	return check_done();
}
