/* SPDX-License-Identifier: ISC */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "common/base64.h"
#include "common/xmem.h"

#include "dkimd/keyrecord.h"
#include "dkimd/keyrecord_der.h"

#include "tests/unit/check.h"

/* clang-format off */
/* One RSA key of 1024 bits, as SPKI and as PKCS#1, and one Ed25519 key. */
#define SPKI \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDaMiV0WMzgB+sClr//w95Z" \
	"jkFl1SaIjY8HY38OGKHGWmLNaZuEONm+7o/4fG5MNrCn99D3P2rHoBBEEHuy" \
	"O4la6IF4yoALMw2JuF05rL6MO1cj3DLImbYnvSbIX9p4sU38RVv8wp2JI5cn" \
	"yaDgfA9bqDhalH5gsmQNoonDjP6pxwIDAQAB"
#define PKCS1 \
	"MIGJAoGBANoyJXRYzOAH6wKWv//D3lmOQWXVJoiNjwdjfw4YocZaYs1pm4Q4" \
	"2b7uj/h8bkw2sKf30Pc/asegEEQQe7I7iVrogXjKgAszDYm4XTmsvow7VyPc" \
	"MsiZtie9Jshf2nixTfxFW/zCnYkjlyfJoOB8D1uoOFqUfmCyZA2iicOM/qnH" \
	"AgMBAAE="
#define ED "DzwNKE389SbQn20NoZo4LTH1a0yQeb/siZP7t8JbQxE="
/* clang-format on */

#define RSA_IS "v=DKIM1;k=rsa;h=sha256;s=email;"
#define UNUSABLE "unable to apply public key"

/* The result, the type and its bits, the flags; or the result and why. */
static const char *
render(enum result result, const struct keyrecord *record, const char *reason)
{
	static char buf[200];

	if (result != RESULT_NONE)
		snprintf(
		    buf, sizeof(buf), "%s: %s", result_name(result), reason);
	else
		snprintf(buf, sizeof(buf), "%s%u%s%s%s",
		    record->type == KEYRECORD_RSA ? "rsa" : "ed", record->bits,
		    record->is_test ? " test" : "",
		    record->is_strict ? " strict" : "", reason);
	return buf;
}

/* Parses a copy of that very size: reading on would be seen. */
static enum result
parse(
    const char *text, size_t len, struct keyrecord *record, const char **reason)
{
	char *copy = xmem_alloc(len);
	enum result result;

	memcpy(copy, text, len);
	*reason = NULL;
	result = keyrecord_parse(copy, len, record, reason);
	xmem_free(&copy);
	return result;
}

static void
check_record(const char *name, const char *text, size_t len, const char *want)
{
	struct keyrecord record;
	const char *reason;
	enum result result = parse(text, len, &record, &reason);

	check_str(name, render(result, &record, reason), want);
}

static void
test_tags(void)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "as it should be", "v=DKIM1; k=rsa; p=" SPKI, "rsa1024" },
		{ "nothing but p", "p=" SPKI, "rsa1024" },
		{ "PKCS#1", "v=DKIM1; p=" PKCS1, "rsa1024" },
		{ "Ed25519", "v=DKIM1; k=ed25519; p=" ED, "ed256" },
		{ "a type in capitals", "k=RSA; p=" SPKI, "rsa1024" },
		{ "other order", "k=rsa; p=" SPKI "; t=s; h=sha256",
		    "rsa1024 strict" },
		{ "blanks", " v = DKIM1 ;\tk\t= rsa; p = " SPKI " ; ",
		    "rsa1024" },
		{ "p folded", "p=\n " SPKI "\r\n\t; k=rsa", "rsa1024" },
		{ "version first and wrong", "v=DKIM2; p=" SPKI,
		    "permerror: unknown key version" },
		{ "version in lower case", "v=dkim1; p=" SPKI,
		    "permerror: unknown key version" },
		{ "no version in v", "v=; p=" SPKI,
		    "permerror: unknown key version" },
		{ "version not first", "k=rsa; v=DKIM1; p=" SPKI,
		    "permerror: unknown key version" },
		{ "type unknown", "k=dsa; p=" SPKI,
		    "permerror: unknown key type" },
		{ "type empty", "k=; p=" SPKI, "permerror: unknown key type" },
		{ "a list of types", "k=rsa:ed25519; p=" SPKI,
		    "permerror: unknown key type" },
		{ "revoked", "v=DKIM1; p=", "permerror: key revoked" },
		{ "revoked, blanks", "v=DKIM1; p= ; n=gone",
		    "permerror: key revoked" },
		{ "no p", "v=DKIM1; k=rsa", "permerror: key missing" },
		{ "P is no p", "v=DKIM1; P=" SPKI, "permerror: key missing" },
		{ "p twice", "p=" SPKI "; p=" SPKI,
		    "permerror: key record syntax error" },
		{ "k twice", "k=rsa; k=rsa; p=" SPKI,
		    "permerror: key record syntax error" },
		{ "an empty tag", "v=DKIM1;; p=" SPKI,
		    "permerror: key record syntax error" },
		{ "nothing", "", "permerror: key record syntax error" },
		{ "other text", "some=thing else", "permerror: key missing" },
		{ "SPF", "v=spf1 -all", "permerror: unknown key version" },
		{ "unknown tags", "v=DKIM1; g=*; x_1=y; p=" SPKI, "rsa1024" },
		{ "a note of 8-bit", "n=schl\xfcssel \xe2\x98\xba; p=" SPKI,
		    "rsa1024" },
		{ "8-bit elsewhere", "k=rs\xe4; p=" SPKI,
		    "permerror: unknown key type" },
		{ "8-bit in p", "p=" SPKI "\xe4", "permerror: " UNUSABLE },
		{ "h sha256", "h=sha256; p=" SPKI, "rsa1024" },
		{ "h both", "h = sha1 : sha256; p=" SPKI, "rsa1024" },
		{ "h unknown too", "h=sha512:sha256; p=" SPKI, "rsa1024" },
		{ "h sha1", "h=sha1; p=" SPKI,
		    "permerror: signature-key hash mismatch" },
		{ "h empty", "h=; p=" SPKI,
		    "permerror: signature-key hash mismatch" },
		{ "h, part of a name", "h=sha2567:xsha256; p=" SPKI,
		    "permerror: signature-key hash mismatch" },
		{ "s all", "s=*; p=" SPKI, "rsa1024" },
		{ "s email", "s=web : email; p=" SPKI, "rsa1024" },
		{ "s other", "s=web; p=" SPKI, "permerror: not an e-mail key" },
		{ "s empty", "s=; p=" SPKI, "permerror: not an e-mail key" },
		{ "t both", "t=y : s; p=" SPKI, "rsa1024 test strict" },
		{ "t test", "t=y; p=" SPKI, "rsa1024 test" },
		{ "t unknown", "t=x:ys; p=" SPKI, "rsa1024" },
		{ "t empty", "t=; p=" SPKI, "rsa1024" },
		{ "no base64", "p=a-b_", "permerror: " UNUSABLE },
		{ "quotes", "p=\"" SPKI "\"", "permerror: " UNUSABLE },
		{ "padding is missing",
		    "k=ed25519; p=DzwNKE389SbQn20NoZo4LTH"
		    "1a0yQeb/siZP7t8JbQxE",
		    "ed256" },
		{ "padding too much", "k=ed25519; p=" ED "=",
		    "permerror: " UNUSABLE },
		{ "other bytes", "p=QUJD", "permerror: " UNUSABLE },
		{ "RSA as Ed25519", "k=ed25519; p=" SPKI,
		    "permerror: " UNUSABLE },
		{ "Ed25519 as RSA", "p=" ED, "permerror: " UNUSABLE },
		{ "Ed25519, SPKI",
		    "k=ed25519; p=MCowBQYDK2VwAyEADzwNKE389SbQn20N"
		    "oZo4LTH1a0yQeb/siZP7t8JbQxE=",
		    "permerror: " UNUSABLE },
	};
	char fold[2 * sizeof(SPKI)];
	size_t i, used = 0;

	for (i = 0; i < CHECK_COUNT(rows); i++)
		check_record(rows[i].name, rows[i].text, strlen(rows[i].text),
		    rows[i].want);
	check_record("a NUL", "v=DKIM1\0; p=" SPKI, 13 + sizeof(SPKI) - 1,
	    "permerror: key record syntax error");
	fold[used++] = 'p';
	fold[used++] = '=';
	for (i = 0; i < sizeof(SPKI) - 1; i++) {
		fold[used++] = SPKI[i];
		if (i % 3 == 0)
			fold[used++] = i % 2 == 0 ? ' ' : '\t';
	}
	check_record("blanks in p", fold, used, "rsa1024");
}

static void
test_canonical(void)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "as it should be", "v=DKIM1;k=rsa;h=sha256;s=email;p=" SPKI,
		    RSA_IS "p=" SPKI },
		{ "PKCS#1", "p=" PKCS1, RSA_IS "p=" SPKI },
		{ "all of it",
		    "v=DKIM1; n=\xe4; p=" SPKI "; t=s:y:z; g=; s=*; h=x:sha256",
		    RSA_IS "t=y:s;p=" SPKI },
		{ "test", "t=y; p=" SPKI, RSA_IS "t=y;p=" SPKI },
		{ "strict", "t=s; p=" SPKI, RSA_IS "t=s;p=" SPKI },
		{ "Ed25519", "k=ed25519; p=" ED,
		    "v=DKIM1;k=ed25519;h=sha256;s=email;p=" ED },
	};
	struct keyrecord record, again;
	const char *reason;
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		(void)parse(
		    rows[i].text, strlen(rows[i].text), &record, &reason);
		check_str(rows[i].name, record.canonical, rows[i].want);
		check_uint(
		    "length", record.canonical_len, strlen(rows[i].want));
		(void)parse(
		    record.canonical, record.canonical_len, &again, &reason);
		check_str("again", again.canonical, record.canonical);
	}
}

/* A key of numbers as they come; OpenSSL must read it the same way. */
static void
check_numbers(const char *name, unsigned bits, const uint8_t *exponent,
    size_t exponent_len, const char *want)
{
	static uint8_t modulus[2048], der[2200];
	static char text[4000];
	struct keyrecord_rsa key = {
		.modulus = { modulus, (bits + 7) / 8 },
		.exponent = { exponent, exponent_len },
	};
	struct keyrecord record;
	const unsigned char *at = der;
	const char *reason;
	enum result result;
	EVP_PKEY *pkey;
	size_t len;

	memset(modulus, 0xa5, sizeof(modulus));
	modulus[0] = (uint8_t)(1U << (bits - 1) % 8);
	len = keyrecord_der_write(&key, der, sizeof(der));
	memcpy(text, "p=", 2);
	(void)base64_encode(der, len, text + 2, sizeof(text) - 2);
	result = parse(text, strlen(text), &record, &reason);
	check_str(name, render(result, &record, reason), want);
	pkey = d2i_PUBKEY(NULL, &at, (long)len);
	check_true("for OpenSSL a key", pkey != NULL && at == der + len);
	check_int("of so many bits", EVP_PKEY_bits(pkey), bits);
	EVP_PKEY_free(pkey);
}

static void
test_bounds(void)
{
	static const uint8_t f4[] = { 1, 0, 1 }, three[] = { 3 };
	static const uint8_t huge[] = { 7, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t more[] = { 8, 0, 0, 0, 1 };
	static const uint8_t even[] = { 1, 0, 0 }, one[] = { 1 };
	static const struct {
		const char *name;
		unsigned bits;
		const uint8_t *exponent;
		size_t len;
		const char *want;
	} rows[] = {
		{ "too small", 511, f4, 3, "policy: signing key too small" },
		{ "the smallest", 512, f4, 3, "rsa512" },
		{ "odd bits", 1025, f4, 3, "rsa1025" },
		{ "2048", 2048, f4, 3, "rsa2048" },
		{ "the largest", 4096, huge, 5, "rsa4096" },
		{ "too large", 4097, f4, 3, "policy: signing key too large" },
		{ "far too large", 16384, f4, 3,
		    "policy: signing key too large" },
		{ "exponent 3", 2048, three, 1, "rsa2048" },
		{ "exponent of 35 bits", 2048, huge, 5, "rsa2048" },
		{ "exponent of 36 bits", 2048, more, 5,
		    "policy: exponent of signing key too large" },
		{ "even exponent", 2048, even, 3, "permerror: " UNUSABLE },
		{ "exponent 1", 2048, one, 1, "permerror: " UNUSABLE },
		{ "exponent 0", 2048, one, 0, "permerror: " UNUSABLE },
	};
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++)
		check_numbers(rows[i].name, rows[i].bits, rows[i].exponent,
		    rows[i].len, rows[i].want);
}

/* Each bit of the DER changed, and each length of it: what is still a key is
 * one for OpenSSL too, and what is written back is the same. */
static void
test_damage(void)
{
	uint8_t der[200], back[200];
	struct keyrecord_rsa key;
	size_t len, i, differ = 0, unread = 0, accepted = 0;

	(void)base64_decode(SPKI, strlen(SPKI), der, sizeof(der), &len);
	for (i = 0; i < len; i++)
		accepted += keyrecord_der_read(der, i, &key);
	check_uint("cut short", accepted, 0);
	for (i = 0; i < len * 8; i++) {
		const unsigned char *at = der;
		EVP_PKEY *pkey;

		der[i / 8] ^= (uint8_t)(1U << i % 8);
		if (keyrecord_der_read(der, len, &key)) {
			accepted++;
			differ += keyrecord_der_write(
				      &key, back, sizeof(back)) != len ||
				  memcmp(der, back, len) != 0;
			pkey = d2i_PUBKEY(NULL, &at, (long)len);
			unread += pkey == NULL;
			EVP_PKEY_free(pkey);
		}
		der[i / 8] ^= (uint8_t)(1U << i % 8);
	}
	/* The bits of the numbers (129 and 3 bytes), but for those that make
	 * them negative or begin with a zero that nobody needs. */
	check_uint("other numbers", accepted, (129 + 3) * 8 - 4);
	check_uint("written back", differ, 0);
	check_uint("unknown to OpenSSL", unread, 0);
}

static void
test_shapes(void)
{
	static const struct {
		const char *name, *bytes;
		size_t len;
		bool want;
	} rows[] = {
		{ "numbers", "\x30\6\2\1\5\2\1\3", 8, true },
		{ "more behind", "\x30\6\2\1\5\2\1\3\0", 9, false },
		{ "a third number", "\x30\x09\2\1\5\2\1\3\2\1\1", 11, false },
		{ "one number", "\x30\3\2\1\5", 5, false },
		{ "negative", "\x30\6\2\1\x85\2\1\3", 8, false },
		{ "not negative", "\x30\7\2\2\0\x85\2\1\3", 9, true },
		{ "a zero in front", "\x30\7\2\2\0\5\2\1\3", 9, false },
		{ "an empty number", "\x30\5\2\0\2\1\3", 7, false },
		{ "a long length", "\x30\x81\6\2\1\5\2\1\3", 9, false },
		{ "no length known", "\x30\x80\2\1\5\2\1\3\0\0", 10, false },
		{ "a length of 3 bytes", "\x30\x83\0\0\6\2\1\5\2\1\3", 11,
		    false },
		{ "empty", "\x30\0", 2, false },
		{ "SPKI without NULL",
		    "\x30\x18\x30\x0b\6\x09\x2a\x86\x48\x86\xf7\x0d"
		    "\1\1\1\3\x09\0\x30\6\2\1\5\2\1\3",
		    26, true },
		{ "SPKI and more in it",
		    "\x30\x1a\x30\x0b\6\x09\x2a\x86\x48\x86\xf7\x0d"
		    "\1\1\1\3\x09\0\x30\6\2\1\5\2\1\3\5\0",
		    28, false },
		{ "SPKI of RSA-PSS",
		    "\x30\x18\x30\x0b\6\x09\x2a\x86\x48\x86\xf7\x0d"
		    "\1\1\x0a\3\x09\0\x30\6\2\1\5\2\1\3",
		    26, false },
		{ "SPKI with unused bits",
		    "\x30\x18\x30\x0b\6\x09\x2a\x86\x48\x86\xf7\x0d"
		    "\1\1\1\3\x09\1\x30\6\2\1\5\2\1\3",
		    26, false },
	};
	struct keyrecord_rsa key;
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		uint8_t *copy = xmem_alloc(rows[i].len);

		memcpy(copy, rows[i].bytes, rows[i].len);
		check_bool(rows[i].name,
		    keyrecord_der_read(copy, rows[i].len, &key), rows[i].want);
		xmem_free(&copy);
	}
}

/* A number of 127 bytes and one of 2, in a SEQUENCE whose length is written
 * with one byte, or with a byte of zero in front. */
static void
test_long_form(void)
{
	static const uint8_t head[] = { 0x30, 0x82, 0, 133, 2, 127 };
	static const uint8_t tail[] = { 2, 2, 1, 1 };
	uint8_t der[sizeof(head) + 127 + sizeof(tail)];
	struct keyrecord_rsa key;

	memset(der, 0x55, sizeof(der));
	memcpy(der, head, sizeof(head));
	memcpy(der + sizeof(der) - sizeof(tail), tail, sizeof(tail));
	check_false("too many bytes for a length",
	    keyrecord_der_read(der, sizeof(der), &key));
	der[1] = 0x30;
	der[2] = 0x81;
	check_true("as many as it needs",
	    keyrecord_der_read(der + 1, sizeof(der) - 1, &key));
	check_uint("bits", keyrecord_der_bits(key.modulus), 127 * 8 - 1);
}

static void
test_sizes(void)
{
	static char text[KEYRECORD_TEXT_MAX + 2];
	size_t len = sizeof(text) - 1;

	memset(text, 'x', len);
	memcpy(text, "p=" SPKI ";n=", sizeof(SPKI) + 4);
	check_record("the longest", text, len - 1, "rsa1024");
	check_record("longer", text, len, "permerror: key record too long");
	check_true("means to be a key", keyrecord_is(text, len - 1));
	memset(text + 2, 'A', len - 2);
	check_record(
	    "a p as long as can be", text, len - 1, "permerror: " UNUSABLE);
}

static void
test_is(void)
{
	static const struct {
		const char *text;
		bool want;
	} rows[] = {
		{ "v=DKIM1; p=x", true },
		{ "v=DKIM1", true },
		{ "v=DKIM1; \x01", true },
		{ "v=DKIM1; p=x; p=y", true },
		{ "k=rsa; p=x", true },
		{ "p=", true },
		{ "v=DKIM2; p=x", false },
		{ "v=spf1 -all", false },
		{ "google-site-verification=abc", false },
		{ "words", false },
		{ "", false },
	};
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].text,
		    keyrecord_is(rows[i].text, strlen(rows[i].text)),
		    rows[i].want);
}

int
main(void)
{
	test_tags();
	test_canonical();
	test_bounds();
	test_damage();
	test_shapes();
	test_long_form();
	test_sizes();
	test_is();
	return check_done();
}
