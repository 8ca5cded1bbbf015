/* SPDX-License-Identifier: ISC */
/*
 * rawdkim - what a signature costs without a daemon: OpenSSL alone, and
 * dkimd's engine
 *
 *     rawdkim SECONDS KEY.pem MESSAGE
 *     rawdkim sign KEY.pem MESSAGE
 *     rawdkim key KEY.pem MESSAGE
 *
 * Takes each operation for so many seconds of CPU and prints a line of JSON
 * with microseconds; or prints the message with a signature by example.org
 * and the selector rsa or ed; or the key record. The message has no folded
 * fields; c=relaxed/simple.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/arena.h"
#include "common/xmem.h"

#include "dkimd/engine.h"

enum { FIELDS_MAX = 30, EXIT_USAGE = 64, CHUNK = 65535 };

struct bench {
	char *text; /* the message as it is, and its fields and body */
	size_t len;
	struct header_field fields[FIELDS_MAX];
	size_t field_count;
	int64_t now_s;
	const char *body;
	size_t body_len;

	EVP_PKEY *pkey;
	const EVP_MD *digest; /* of the signature; Ed25519: none */
	unsigned char input[32], sig[1024];
	size_t sig_len;

	struct engine *engine;
	struct engine_key *key;
	struct header_field signature; /* by the engine */
	char record[1200];             /* its key, as in DNS */
};

static void
must(bool held, const char *what)
{
	if (held)
		return;
	fprintf(stderr, "rawdkim: %s failed\n", what);
	exit(1);
}

static void
do_sha256(struct bench *b)
{
	unsigned char out[EVP_MAX_MD_SIZE];

	must(EVP_Digest(b->text, b->len, out, NULL, EVP_sha256(), NULL) == 1,
	    "SHA-256");
}

static void
do_sign(struct bench *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	b->sig_len = sizeof(b->sig);
	must(EVP_DigestSignInit(ctx, NULL, b->digest, NULL, b->pkey) == 1 &&
		 EVP_DigestSign(
		     ctx, b->sig, &b->sig_len, b->input, sizeof(b->input)) == 1,
	    "signing");
	EVP_MD_CTX_free(ctx);
}

static void
do_verify(struct bench *b)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	must(EVP_DigestVerifyInit(ctx, NULL, b->digest, NULL, b->pkey) == 1 &&
		 EVP_DigestVerify(
		     ctx, b->sig, b->sig_len, b->input, sizeof(b->input)) == 1,
	    "verifying");
	EVP_MD_CTX_free(ctx);
}

static void
do_engine_sign(struct bench *b)
{
	const struct engine_sign_config config = {
		.key = b->key,
		.domain = "example.org",
		.selector = b->digest != NULL ? "rsa" : "ed",
		.header_canon = SIGFIELD_RELAXED,
		.body_canon = SIGFIELD_SIMPLE,
		.timestamp = b->now_s,
		.expires = -1,
	};
	const struct header_field *fields[FIELDS_MAX];
	struct engine_sign *sign;
	const char *value;
	size_t i;

	for (i = 0; i < b->field_count; i++)
		fields[i] = &b->fields[i];
	sign =
	    engine_sign_new(b->engine, &config, fields, b->field_count, NULL);
	must(sign != NULL, "the engine");
	for (i = 0; i < b->body_len; i += CHUNK)
		engine_sign_body(sign, b->body + i,
		    b->body_len - i < CHUNK ? b->body_len - i : CHUNK);
	value = engine_sign_end(sign, NULL);
	must(value != NULL, "the engine's signature");
	if (b->signature.value == NULL) {
		b->signature.name = "DKIM-Signature";
		b->signature.name_len = strlen(b->signature.name);
		b->signature.value = xmem_strdup(value);
		b->signature.value_len = strlen(value);
	}
	engine_sign_free(&sign);
}

static void
do_engine_verify(struct bench *b)
{
	struct header_field fields[FIELDS_MAX + 1];
	struct arena *arena = arena_new();
	struct engine_signature signature;
	struct engine_verify *verify;
	struct keyrecord record;
	const struct keyrecord *key = &record;
	struct sigfield parsed;
	enum result result;
	const char *reason;
	size_t i;

	fields[0] = b->signature;
	memcpy(fields + 1, b->fields, b->field_count * sizeof(fields[0]));
	must(sigfield_parse(&fields[0], b->now_s, 0, arena, &parsed, &reason) ==
		     RESULT_NONE &&
		 keyrecord_parse(b->record, strlen(b->record), &record,
		     &reason) == RESULT_NONE,
	    "the guard");
	signature = (struct engine_signature){ &fields[0], &parsed };
	verify = engine_verify_new(
	    b->engine, &signature, 1, fields, b->field_count + 1, NULL);
	must(verify != NULL, "the engine");
	for (i = 0; i < b->body_len; i += CHUNK)
		engine_verify_body(verify, b->body + i,
		    b->body_len - i < CHUNK ? b->body_len - i : CHUNK);
	engine_verify_end(verify, &key, &result, &reason);
	must(result == RESULT_PASS, "the engine's verification");
	engine_verify_free(&verify);
	arena_free(&arena);
}

static double
cpu_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Microseconds of one call. */
static double
take(struct bench *b, void (*operation)(struct bench *), double seconds)
{
	unsigned count = 0;
	double begin, spent;

	operation(b); /* caches are warm */
	begin = cpu_s();
	do {
		for (unsigned i = 0; i < 8; i++)
			operation(b);
		count += 8;
		spent = cpu_s() - begin;
	} while (spent < seconds);
	return spent / count * 1e6;
}

static char *
read_file(const char *path, size_t *len_r)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t cap = 0;
	ssize_t len;

	if (file == NULL || (len = getdelim(&text, &cap, '\0', file)) < 0) {
		fprintf(stderr, "rawdkim: %s: %s\n", path, strerror(errno));
		exit(EXIT_USAGE);
	}
	fclose(file);
	*len_r = (size_t)len;
	return text;
}

/* Takes fields and body apart, in a copy. */
static void
split(struct bench *b)
{
	char *line = xmem_strndup(b->text, b->len);

	while (*line != '\r') {
		char *colon = strchr(line, ':'), *end = strstr(line, "\r\n");

		must(b->field_count < FIELDS_MAX && colon != NULL &&
			 end != NULL && colon < end,
		    "reading the message");
		*colon = *end = '\0';
		b->fields[b->field_count++] = (struct header_field){ line,
			strlen(line), colon + 1, strlen(colon + 1) };
		line = end + 2;
	}
	b->body = line + 2;
	b->body_len = strlen(b->body);
}

static void
set_up(struct bench *b, const char *key_path, const char *message_path)
{
	size_t pem_len;
	char *pem = read_file(key_path, &pem_len);
	BIO *bio = BIO_new_mem_buf(pem, (int)pem_len);
	bool is_rsa;

	b->now_s = (int64_t)time(NULL);
	b->text = read_file(message_path, &b->len);
	split(b);
	b->pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	BIO_free(bio);
	must(b->pkey != NULL, "reading the key");
	is_rsa = EVP_PKEY_is_a(b->pkey, "RSA") == 1;
	b->digest = is_rsa ? EVP_sha256() : NULL;
	b->engine = engine_new(NULL);
	b->key = engine_key_new(pem, pem_len, NULL);
	must(b->engine != NULL && b->key != NULL, "the engine");
	snprintf(b->record, sizeof(b->record),
	    "v=DKIM1; k=%s; p=", is_rsa ? "rsa" : "ed25519");
	must(engine_key_public(b->key, b->record + strlen(b->record),
		 sizeof(b->record) - strlen(b->record)) > 0,
	    "the public key");
	free(pem);
}

static void
print_signed(struct bench *b)
{
	const char *c;

	do_engine_sign(b);
	printf("%s: ", b->signature.name);
	for (c = b->signature.value; *c != '\0'; c++) {
		if (*c == '\n')
			putchar('\r');
		putchar(*c);
	}
	printf("\r\n%s", b->text);
}

static void
print_costs(struct bench *b, double seconds)
{
	static const struct {
		const char *name;
		void (*operation)(struct bench *);
	} operations[] = {
		{ "sha256", do_sha256 },
		{ "sign", do_sign },
		{ "verify", do_verify },
		{ "engine_sign", do_engine_sign },
		{ "engine_verify", do_engine_verify },
	};

	for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++)
		printf("%s\"%s\": %.3f", i == 0 ? "{" : ", ",
		    operations[i].name,
		    take(b, operations[i].operation, seconds));
	puts("}");
}

int
main(int argc, char **argv)
{
	static struct bench b;
	double seconds;

	if (argc != 4) {
		fputs("usage: rawdkim SECONDS|sign|key KEY.pem MESSAGE\n",
		    stderr);
		return EXIT_USAGE;
	}
	set_up(&b, argv[2], argv[3]);
	seconds = strtod(argv[1], NULL);
	if (strcmp(argv[1], "sign") == 0)
		print_signed(&b);
	else if (strcmp(argv[1], "key") == 0)
		puts(b.record);
	else if (seconds > 0)
		print_costs(&b, seconds);
	else
		return EXIT_USAGE;
	return 0;
}
