/* SPDX-License-Identifier: ISC */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "common/arena.h"
#include "common/base64.h"
#include "common/xmem.h"

#include "dkimd/engine.h"
#include "dkimd/engine_int.h"

#include "tests/unit/check.h"
#include "tests/unit/dkimkeys.h"

#define NOW 1800000000
#define FIELDS_MAX 32

/* RFC 8463 appendix A. */
#define A_DOMAIN "football.example.com"
#define A_ED25519 "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define A_RSA                                                                  \
	"MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6"     \
	"Wk08a5qhdR6wy5bdOKb2jLQiY/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/"     \
	"e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyVYLzBfO2EeC3Ip3G"     \
	"+2kryOTIKT+l/K4w3QIDAQAB"
static const char a_header[] =
    "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\n"
    " d=football.example.com; i=@football.example.com;\n"
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\n"
    " subject : date : message-id : from : subject : date;\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
    " b=/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\n"
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\n"
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\n"
    " d=football.example.com; i=@football.example.com;\n"
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\n"
    " date : message-id : from : subject : date;\n"
    " bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\n"
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\n"
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\n"
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\n"
    "From: Joe SixPack <joe@football.example.com>\n"
    "To: Suzie Q <suzie@shopping.example.net>\n"
    "Subject: Is dinner ready?\n"
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\n"
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\n";
static const char a_body[] = "Hi.\r\n\r\n"
			     "We lost the game.  Are you hungry yet?\r\n\r\n"
			     "Joe.\r\n";

struct message {
	struct arena *arena;
	struct header_field fields[FIELDS_MAX];
	size_t count;
};

static void
add_field(struct message *message, const char *name, const char *value)
{
	message->fields[message->count++] =
	    (struct header_field){ arena_strdup(message->arena, name),
		    strlen(name), arena_strdup(message->arena, value),
		    strlen(value) };
}

/* Splits a text into fields. */
static void
parse_header(struct message *message, const char *text)
{
	message->arena = arena_new();
	message->count = 0;
	while (*text != '\0') {
		const char *colon = strchr(text, ':'), *end = colon;
		char *name, *value;

		do
			end = strchr(end + 1, '\n');
		while (end[1] == ' ' || end[1] == '\t');
		name = xmem_strndup(text, (size_t)(colon - text));
		value = xmem_strndup(colon + 1, (size_t)(end - colon - 1));
		add_field(message, name, value);
		xmem_free(&name);
		xmem_free(&value);
		text = end + 1;
	}
}

static struct keyrecord
make_key(enum keyrecord_type type, const char *base64)
{
	struct keyrecord key = { .type = type, .bits = 1024 };

	key.canonical_len = (size_t)snprintf(key.canonical,
	    sizeof(key.canonical), "v=DKIM1;k=%s;p=%s",
	    type == KEYRECORD_RSA ? "rsa" : "ed25519", base64);
	return key;
}

struct outcome {
	enum result results[ENGINE_SIGNATURES_MAX];
	const char *reasons[ENGINE_SIGNATURES_MAX];
	bool covers[ENGINE_SIGNATURES_MAX];
	size_t count;
	char error[ERR_TEXT_SIZE];
};

/* Verifies all signatures of message, the body in pieces of that size. */
static struct outcome
verify(struct engine *engine, const struct message *message, const char *body,
    const struct keyrecord *const *keys, size_t piece)
{
	struct outcome outcome = { .count = 0 };
	struct engine_signature list[ENGINE_SIGNATURES_MAX];
	struct sigfield parsed[ENGINE_SIGNATURES_MAX];
	struct engine_verify *verifying;
	size_t len = strlen(body);
	struct err err = { "" };

	for (size_t i = 0; i < message->count; i++) {
		const struct header_field *field = &message->fields[i];
		size_t n = outcome.count;

		if (!header_is(field, "DKIM-Signature"))
			continue;
		outcome.results[n] = sigfield_parse(field, NOW, 300,
		    message->arena, &parsed[n], &outcome.reasons[n]);
		if (outcome.results[n] != RESULT_NONE)
			return outcome;
		list[n] = (struct engine_signature){ field, &parsed[n] };
		outcome.count++;
	}
	verifying = engine_verify_new(
	    engine, list, outcome.count, message->fields, message->count, &err);
	snprintf(outcome.error, sizeof(outcome.error), "%s", err.text);
	if (verifying == NULL)
		return outcome;
	for (size_t at = 0; at < len; at += piece)
		engine_verify_body(
		    verifying, body + at, at + piece > len ? len - at : piece);
	engine_verify_end(verifying, keys, outcome.results, outcome.reasons);
	for (size_t i = 0; i < outcome.count; i++)
		outcome.covers[i] = engine_verify_covers_body(verifying, i);
	engine_verify_free(&verifying);
	return outcome;
}

static void
check_result(const char *name, const struct outcome *outcome, size_t i,
    enum result want, const char *want_reason)
{
	check_str(name, outcome->error, "");
	check_str(name, result_name(outcome->results[i]), result_name(want));
	check_str(name, outcome->reasons[i], want_reason);
}

static void
test_rfc8463(struct engine *engine)
{
	struct keyrecord ed25519 = make_key(KEYRECORD_ED25519, A_ED25519);
	struct keyrecord rsa = make_key(KEYRECORD_RSA, A_RSA);
	const struct keyrecord *keys[] = { &ed25519, &rsa };
	const struct keyrecord *crossed[] = { &rsa, &ed25519 };
	const struct keyrecord *one[] = { NULL, &rsa };
	struct message message;
	struct outcome outcome;

	parse_header(&message, a_header);
	for (size_t piece = 1; piece < 200; piece *= 3) {
		outcome = verify(engine, &message, a_body, keys, piece);
		check_result("RFC 8463: ed25519", &outcome, 0, RESULT_PASS, "");
		check_result("RFC 8463: rsa", &outcome, 1, RESULT_PASS, "");
	}
	outcome = verify(engine, &message, a_body, crossed, 1000);
	check_result("keys of the wrong type", &outcome, 0, RESULT_PERMERROR,
	    "key type does not match a=");
	check_result("keys of the wrong type", &outcome, 1, RESULT_PERMERROR,
	    "key type does not match a=");
	outcome = verify(engine, &message, a_body, one, 1000);
	check_result(
	    "no key", &outcome, 0, RESULT_TEMPERROR, "key not available");
	check_result("the other one has", &outcome, 1, RESULT_PASS, "");
	outcome = verify(engine, &message, "Hi.\r\n", keys, 1000);
	check_result(
	    "other body", &outcome, 0, RESULT_FAIL, "body hash mismatch");
	message.fields[4].value = " Is dinner cold?";
	message.fields[4].value_len = strlen(message.fields[4].value);
	outcome = verify(engine, &message, a_body, keys, 1000);
	check_result("other subject", &outcome, 1, RESULT_FAIL,
	    "signature verification failed");
	message.fields[4].value = " Is dinner\vready?";
	outcome = verify(engine, &message, a_body, keys, 1000);
	check_result("control character", &outcome, 1, RESULT_PERMERROR,
	    "control character in a field");
	message.fields[4].name = "Subject\t";
	message.fields[4].name_len = 8;
	outcome = verify(engine, &message, a_body, keys, 1000);
	check_result("tab in a name", &outcome, 1, RESULT_PERMERROR,
	    "tab in the name of a field");
	message.fields[2].name = "X-From";
	message.fields[2].name_len = 6;
	outcome = verify(engine, &message, a_body, keys, 1000);
	check_result("no From", &outcome, 0, RESULT_PERMERROR,
	    "the message has no From field");
	arena_free(&message.arena);
}

/* Signs message with the fields that are no signatures, and puts the
 * signature in. Returns the value. */
static const char *
sign(struct engine *engine, struct message *message,
    const struct engine_sign_config *config, const char *body, struct err *err)
{
	const struct header_field *fields[FIELDS_MAX];
	struct engine_sign *signing;
	const char *value;
	size_t count = 0;

	for (size_t i = 0; i < message->count; i++) {
		if (!header_is(&message->fields[i], "DKIM-Signature"))
			fields[count++] = &message->fields[i];
	}
	err->text[0] = '\0';
	signing = engine_sign_new(engine, config, fields, count, err);
	if (signing == NULL)
		return NULL;
	engine_sign_body(signing, body, strlen(body));
	value = engine_sign_end(signing, err);
	if (value != NULL) {
		char spaced[2048];

		snprintf(spaced, sizeof(spaced), " %s", value);
		add_field(message, "DKIM-Signature", spaced);
		value = message->fields[message->count - 1].value + 1;
	}
	engine_sign_free(&signing);
	return value;
}

static struct engine_key *
parse_key(const char *pem)
{
	struct err err = { "" };
	struct engine_key *key = engine_key_new(pem, strlen(pem), &err);

	check_str("the key parses", err.text, "");
	return key;
}

static struct keyrecord
public_key(const struct engine_key *key)
{
	char base64[1024];

	engine_key_public(key, base64, sizeof(base64));
	return make_key(engine_key_algorithm(key) == SIGFIELD_RSA_SHA256
			    ? KEYRECORD_RSA
			    : KEYRECORD_ED25519,
	    base64);
}

static const char letter[] = "From: Alice <alice@example.org>\n"
			     "To: Bob  <bob@example.net>,\n"
			     "\tCarol <carol@example.net>\n"
			     "Received: one\nReceived: two\n"
			     "Subject: a  b\n";

static void
test_round_trip(struct engine *engine, const struct engine_key *key, int canons)
{
	static const char *const bodies[] = { "", "\r\n", "no line end",
		"one line\r\n", "blanks  here \t\r\n \r\n\r\n\r\n",
		"\r\n\r\nx\r\n\r\ny\r\n", "a CR at the end\r" };
	static const char *const oversign[] = { "From", "Subject", "Reply-To" };
	struct engine_sign_config config = { .key = key,
		.domain = "example.org",
		.selector = "sel",
		.identity = "alice@mail.example.org",
		.header_canon =
		    (canons & 1) != 0 ? SIGFIELD_RELAXED : SIGFIELD_SIMPLE,
		.body_canon =
		    (canons & 2) != 0 ? SIGFIELD_RELAXED : SIGFIELD_SIMPLE,
		.timestamp = NOW,
		.expires = (canons & 1) != 0 ? NOW + 3600 : -1,
		.oversign = oversign,
		.oversign_count = 3 };
	struct keyrecord public = public_key(key);
	const struct keyrecord *keys[] = { &public, &public };
	struct outcome outcome;
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(bodies); i++) {
		struct message message;

		parse_header(&message, letter);
		sign(engine, &message, &config, bodies[i], &err);
		check_str("signed", err.text, "");
		sign(engine, &message, &config, bodies[i], &err);
		outcome = verify(engine, &message, bodies[i], keys, 3);
		check_result("verifies", &outcome, 0, RESULT_PASS, "");
		check_result("the second too", &outcome, 1, RESULT_PASS, "");
		add_field(&message, "Reply-To", " mallory@example.net");
		outcome = verify(engine, &message, bodies[i], keys, 1000);
		check_result("a field was added", &outcome, 0, RESULT_FAIL,
		    "signature verification failed");
		arena_free(&message.arena);
	}
}

static void
test_text(struct engine *engine, const struct engine_key *key)
{
	static const char *const oversign[] = { "From" };
	struct engine_sign_config config = { .key = key,
		.domain = "example.org",
		.selector = "sel",
		.identity = "a=b;c@d e@example.org",
		.timestamp = NOW,
		.expires = NOW + 60,
		.oversign = oversign,
		.oversign_count = 1 };
	struct message message;
	const char *value;
	struct err err;

	parse_header(&message, letter);
	value = sign(engine, &message, &config, "", &err);
	check_contains("canonicalization", value, "c=relaxed/simple; ");
	check_contains("time", value, "t=1800000000; x=1800000060;");
	check_contains("identity", value, "i=a=3Db=3Bc=40d=20e@example.org;");
	check_contains(
	    "fields", value, "h=From:To:Received:Received:Subject:From;");
	check_contains("folds", value, ";\n\t");
	check_true("no CR", strchr(value, '\r') == NULL);
	check_mem("begins with the version", value, 5, "v=1; ", 5);
	/* Options of one signing do not stay for the next. */
	config.identity = NULL;
	config.expires = -1;
	config.oversign_count = 0;
	value = sign(engine, &message, &config, "", &err);
	check_contains(
	    "no more oversigning", value, "Received:Received:Subject;");
	check_true("no more x=", strstr(value, "x=") == NULL);
	check_true("no more i=", strstr(value, "i=") == NULL);
	arena_free(&message.arena);
}

static void
test_refusals(struct engine *engine, const struct engine_key *key)
{
	static const struct {
		const char *name, *header, *identity, *want;
		int64_t timestamp, expires;
	} rows[] = {
		{ "no From", "To: b@example.org\n", NULL, "no From field", NOW,
		    -1 },
		{ "no name", "From: a\n: x\n", NULL, "without a name", NOW,
		    -1 },
		{ "blank in a name", "From: a\nA B: x\n", NULL, "invalid name",
		    NOW, -1 },
		{ "semicolon in a name", "From: a\nA;: x\n", NULL,
		    "invalid name", NOW, -1 },
		{ "form feed", "From: a\nSubject: \f\n", NULL,
		    "Subject holds a control character", NOW, -1 },
		{ "no time", "From: a\n", NULL, "must end after", 0, -1 },
		{ "ends before it begins", "From: a\n", NULL, "must end after",
		    NOW, NOW },
		{ "no identity", "From: a\n", "alice", "is not within", NOW,
		    -1 },
		{ "other domain's identity", "From: a\n", "a@example.net",
		    "is not within", NOW, -1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct engine_sign_config config = { .key = key,
			.domain = "example.org",
			.selector = "sel",
			.identity = rows[i].identity,
			.timestamp = rows[i].timestamp,
			.expires = rows[i].expires };
		struct message message;
		struct err err;

		parse_header(&message, rows[i].header);
		check_true(rows[i].name,
		    sign(engine, &message, &config, "", &err) == NULL);
		check_contains(rows[i].name, err.text, rows[i].want);
		arena_free(&message.arena);
	}
}

static void
test_bad_names(struct engine *engine, const struct engine_key *key)
{
	struct engine_sign_config config = { .key = key,
		.domain = "example.org(",
		.selector = "sel",
		.timestamp = NOW,
		.expires = -1 };
	struct message message;
	struct err err;

	parse_header(&message, letter);
	check_true("d= is no domain",
	    sign(engine, &message, &config, "", &err) == NULL);
	check_contains("says so", err.text, "invalid domain (d=)");
	config.domain = "example.org";
	config.selector = "a/b";
	check_true("s= is no selector",
	    sign(engine, &message, &config, "", &err) == NULL);
	check_contains("says so", err.text, "invalid selector (s=)");
	arena_free(&message.arena);
}

/* Random fields under random lists of names: whatever the shape, the engine
 * answers, and what cannot be valid is not. */
static void
test_shapes(struct engine *engine)
{
	static const char *const pool[] = { "From", "To", "Subject", "X-A",
		"X-B", "Received", "Cc", "" };
	struct keyrecord rsa = make_key(KEYRECORD_RSA, A_RSA);
	const struct keyrecord *keys[] = { &rsa, &rsa, &rsa };
	unsigned wrong = 0;

	srandom(1);
	for (int round = 0; round < 1000; round++) {
		struct message message = { .arena = arena_new() };
		struct outcome outcome;
		long count = random() % 9;

		add_field(&message, "From", " alice@example.org");
		for (long i = 0; i < count; i++)
			add_field(&message, pool[random() % 7], " x");
		for (long i = random() % 3; i >= 0; i--) {
			char value[1024];
			size_t used = (size_t)snprintf(value, sizeof(value),
			    " v=1; a=rsa-sha256; c=%s; d=example.org; s=s; "
			    "bh=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=; "
			    "b=AbCdEfGh; h=From",
			    random() % 2 == 0 ? "relaxed" : "simple/relaxed");

			for (long k = random() % 12; k > 0; k--)
				used += (size_t)snprintf(value + used,
				    sizeof(value) - used, ":%s",
				    pool[random() % 7]);
			add_field(&message, "DKIM-Signature", value);
		}
		outcome = verify(engine, &message, "x\r\n", keys, 2);
		for (size_t i = 0; i < outcome.count; i++)
			wrong += outcome.results[i] != RESULT_FAIL;
		wrong += outcome.error[0] != '\0';
		arena_free(&message.arena);
	}
	check_uint("random shapes", wrong, 0);
}

/* A line that is longer than any mail's. */
static void
test_long_line(struct engine *engine, const struct engine_key *key)
{
	struct engine_sign_config config = { .key = key,
		.domain = "example.org",
		.selector = "sel",
		.body_canon = SIGFIELD_RELAXED,
		.timestamp = NOW,
		.expires = -1 };
	size_t len = 20 << 20;
	char *body = xmem_alloc(len + 1);
	struct keyrecord public = public_key(key);
	const struct keyrecord *keys[] = { &public };
	struct message message;
	struct outcome outcome;
	struct err err;

	memset(body, 'x', len);
	body[len] = '\0';
	parse_header(&message, letter);
	check_true(
	    "not signed", sign(engine, &message, &config, body, &err) == NULL);
	check_contains("says so", err.text, "too long a line");
	sign(engine, &message, &config, "x", &err);
	outcome = verify(engine, &message, body, keys, len);
	check_result("not verified", &outcome, 0, RESULT_PERMERROR,
	    "the message has too long a line");
	memset(body, ' ', len);
	memcpy(body, "x\r\n", 3);
	outcome = verify(engine, &message, body, keys, len);
	check_result("blanks cost nothing", &outcome, 0, RESULT_PASS, "");
	arena_free(&message.arena);
	xmem_free(&body);
}

static void
test_keys(void)
{
	static const char *const bad[] = {
		"", "nonsense",
		"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"
	};
	struct engine_key *key = parse_key(dkimkeys_rsa);
	char small[64];
	struct err err;

	check_int("RSA", engine_key_algorithm(key), SIGFIELD_RSA_SHA256);
	check_uint("bits", engine_key_bits(key), 1024);
	check_uint("no room", engine_key_public(key, small, sizeof(small)), 0);
	engine_key_free(&key);
	engine_key_free(&key);
	key = parse_key(dkimkeys_ed25519);
	check_int(
	    "Ed25519", engine_key_algorithm(key), SIGFIELD_ED25519_SHA256);
	check_uint("bits", engine_key_bits(key), 256);
	check_uint("raw", engine_key_public(key, small, sizeof(small)), 44);
	engine_key_free(&key);
	for (size_t i = 0; i < CHECK_COUNT(bad); i++) {
		check_true("no key",
		    engine_key_new(bad[i], strlen(bad[i]), &err) == NULL);
		check_contains("says so", err.text, "no private key");
	}
}

static void
test_many_fields(struct engine *engine, const struct engine_key *key)
{
	static const char *const oversign[] = { "From" };
	static const struct header_field from = { "From", 4, " a", 2 };
	struct engine_sign_config config = { .key = key,
		.domain = "example.org",
		.selector = "sel",
		.timestamp = NOW,
		.expires = -1 };
	const struct header_field *fields[SIGFIELD_NAMES_MAX];
	struct header_field wide = from;
	struct engine_sign *signing;
	char name[SIGFIELD_NAMES_BYTES];
	struct err err = { "" };

	for (size_t i = 0; i < SIGFIELD_NAMES_MAX; i++)
		fields[i] = &from;
	signing =
	    engine_sign_new(engine, &config, fields, SIGFIELD_NAMES_MAX, &err);
	check_true("as many as may be",
	    signing != NULL && engine_sign_end(signing, &err) != NULL);
	engine_sign_free(&signing);
	config.oversign = oversign;
	config.oversign_count = 1;
	check_true("one more", engine_sign_new(engine, &config, fields,
				   SIGFIELD_NAMES_MAX, &err) == NULL);
	check_str("says so", err.text, "too many fields to sign");
	memset(name, 'x', sizeof(name));
	wide.name = name;
	wide.name_len = sizeof(name);
	fields[1] = &wide;
	check_true("a wide one",
	    engine_sign_new(engine, &config, fields, 2, &err) == NULL);
	check_str("says so", err.text, "too many fields to sign");
}

/* The key of appendix A with another modulus, as the library asks for it. */
static EVP_PKEY *
ask_for_key(struct engine_keycache *cache, unsigned number)
{
	uint8_t der[256];
	size_t len;
	EVP_PKEY *key;
	BIO *bio;

	base64_decode(A_RSA, strlen(A_RSA), der, sizeof(der), &len);
	der[60] = (uint8_t)(number >> 8);
	der[61] = (uint8_t)number;
	bio = BIO_new_mem_buf(der, (int)len);
	engine_keycache_begin(cache, NULL);
	key = d2i_PUBKEY_bio(bio, NULL);
	engine_keycache_end();
	BIO_free(bio);
	return key;
}

static void
test_cache_bound(void)
{
	struct engine_keycache *cache = engine_keycache_new();
	EVP_PKEY *first = ask_for_key(cache, 0), *key;
	unsigned long hits;

	/* Number 0 stays in use, number 1 grows old. */
	for (unsigned i = 1; i < 1000; i++) {
		key = ask_for_key(cache, i);
		EVP_PKEY_free(key);
		key = ask_for_key(cache, 0);
		if (key != first)
			check_true("the same key", key == first);
		EVP_PKEY_free(key);
	}
	hits = engine_keycache_hits(cache);
	check_uint("parsed once", hits, 999);
	EVP_PKEY_free(ask_for_key(cache, 999));
	check_uint("a new one is there", engine_keycache_hits(cache), hits + 1);
	EVP_PKEY_free(ask_for_key(cache, 1));
	check_uint("an old one is not", engine_keycache_hits(cache), hits + 1);
	key = ask_for_key(NULL, 0);
	check_true("without a cache", key != NULL && key != first);
	EVP_PKEY_free(key);
	EVP_PKEY_free(first);
	engine_keycache_free(&cache);
}

static void
test_keycache(struct engine *engine)
{
	unsigned long before = engine_keycache_hits(engine->keycache);
	struct keyrecord rsa = make_key(KEYRECORD_RSA, A_RSA);
	const struct keyrecord *keys[] = { NULL, &rsa };
	struct message message;

	check_true("parsed keys are lent", engine_keycache_works());
	parse_header(&message, a_header);
	verify(engine, &message, a_body, keys, 1000);
	verify(engine, &message, a_body, keys, 1000);
	check_true("parsed once",
	    engine_keycache_hits(engine->keycache) >= before + 1);
	arena_free(&message.arena);
}

int
main(void)
{
	struct err err = { "" };
	struct engine *engine = engine_new(&err);
	struct engine_key *rsa = parse_key(dkimkeys_rsa);
	struct engine_key *ed25519 = parse_key(dkimkeys_ed25519);

	check_str("starts", err.text, "");
	test_keys();
	test_rfc8463(engine);
	for (int canons = 0; canons < 4; canons++) {
		test_round_trip(engine, rsa, canons);
		test_round_trip(engine, ed25519, canons);
	}
	test_text(engine, ed25519);
	test_refusals(engine, ed25519);
	test_bad_names(engine, ed25519);
	test_shapes(engine);
	test_long_line(engine, ed25519);
	test_many_fields(engine, ed25519);
	test_cache_bound();
	test_keycache(engine);
	engine_key_free(&rsa);
	engine_key_free(&ed25519);
	engine_free(&engine);
	return check_done();
}
