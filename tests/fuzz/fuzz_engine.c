/* SPDX-License-Identifier: ISC */
/*
 * fuzz_engine.c - whole messages through the guards and libopendkim
 *
 * Input: a byte that says how, then a message, header and body. Signatures
 * that the guard lets through are verified with keys that exist. Then the
 * message is signed, and what was signed must verify, in other pieces.
 */
#include <stdio.h>
#include <string.h>

#include "common/arena.h"
#include "common/xmem.h"

#include "dkimd/choose.h"
#include "dkimd/engine.h"

#include "tests/fuzz/must.h"
#include "tests/unit/dkimkeys.h"

#define NOW 1800000000
#define FIELDS_MAX 2000

static struct engine *engine;
static struct engine_key *keys[2];
static struct keyrecord records[2];

struct message {
	struct arena *arena;
	struct header_field fields[FIELDS_MAX + 1];
	size_t count;
	char *body;
	size_t body_len;
};

static void
start(void)
{
	const char *pems[] = { dkimkeys_rsa, dkimkeys_ed25519 };
	char public[1024], record[1200];
	const char *reason;
	struct err err;

	engine = engine_new(&err);
	must(engine != NULL);
	for (size_t i = 0; i < 2; i++) {
		keys[i] = engine_key_new(pems[i], strlen(pems[i]), &err);
		must(keys[i] != NULL);
		must(engine_key_public(keys[i], public, sizeof(public)) > 0);
		snprintf(record, sizeof(record), "v=DKIM1;k=%s;p=%s",
		    i == 0 ? "rsa" : "ed25519", public);
		must(keyrecord_parse(record, strlen(record), &records[i],
			 &reason) == RESULT_NONE);
	}
}

static void
add_field(struct message *message, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t name_len;

	if (colon == NULL || message->count == FIELDS_MAX)
		return;
	name_len = (size_t)(colon - text);
	message->fields[message->count++] = (struct header_field){
		arena_strndup(message->arena, text, name_len), name_len,
		arena_strndup(message->arena, colon + 1, len - name_len - 1),
		len - name_len - 1
	};
}

/* As a milter gives it to us: no NUL and no CR in the header, line ends of
 * the body are CRLF. */
static void
read_message(struct message *message, const char *data, size_t size)
{
	char *text = xmem_alloc(2 * size + 1);
	size_t len = 0, start = 0, at;

	for (at = 0; at < size; at++) {
		if (data[at] != '\r' && data[at] != '\0')
			text[len++] = data[at];
	}
	text[len] = '\0';
	for (at = 0; at < len && !(text[at] == '\n' && at == start); at++) {
		if (text[at] != '\n' || text[at + 1] == ' ' ||
		    text[at + 1] == '\t')
			continue;
		add_field(message, text + start, at - start);
		start = at + 1;
	}
	message->body = xmem_alloc(2 * (len - at) + 1);
	message->body_len = 0;
	for (at++; at < len; at++) {
		if (text[at] == '\n')
			message->body[message->body_len++] = '\r';
		message->body[message->body_len++] = text[at];
	}
	xmem_free(&text);
}

struct signatures {
	struct engine_signature list[ENGINE_SIGNATURES_MAX];
	struct sigfield parsed[ENGINE_SIGNATURES_MAX];
	const struct keyrecord *keys[ENGINE_SIGNATURES_MAX];
	size_t count;
};

static void
guard(const struct message *message, struct signatures *found, unsigned how)
{
	const char *reason;

	found->count = 0;
	for (size_t i = 0; i < message->count; i++) {
		size_t n = found->count;

		if (!header_is(&message->fields[i], "DKIM-Signature") ||
		    n == ENGINE_SIGNATURES_MAX ||
		    sigfield_parse(&message->fields[i], NOW, 300,
			message->arena, &found->parsed[n],
			&reason) != RESULT_NONE)
			continue;
		found->list[n] = (struct engine_signature){ &message->fields[i],
			&found->parsed[n] };
		found->keys[n] = (how & 1) != 0 && n % 3 == 2
				     ? NULL
				     : &records[found->parsed[n].algorithm ==
						SIGFIELD_ED25519_SHA256];
		found->count++;
	}
}

static void
verify(const struct message *message, unsigned how, size_t piece, bool is_ours)
{
	struct signatures found;
	enum result results[ENGINE_SIGNATURES_MAX];
	const char *reasons[ENGINE_SIGNATURES_MAX];
	struct engine_verify *verifying;
	struct err err;

	guard(message, &found, how);
	if (is_ours)
		must(found.count == 1);
	if (found.count == 0)
		return;
	verifying = engine_verify_new(engine, found.list, found.count,
	    message->fields, message->count, &err);
	must(verifying != NULL);
	for (size_t at = 0; at < message->body_len; at += piece)
		engine_verify_body(verifying, message->body + at,
		    message->body_len - at < piece ? message->body_len - at
						   : piece);
	engine_verify_end(verifying, found.keys, results, reasons);
	for (size_t i = 0; i < found.count; i++) {
		must((results[i] == RESULT_PASS) == (reasons[i][0] == '\0'));
		must(found.keys[i] != NULL || results[i] == RESULT_TEMPERROR);
		must(results[i] == RESULT_PASS || results[i] == RESULT_FAIL ||
		     results[i] == RESULT_PERMERROR || found.keys[i] == NULL);
		(void)engine_verify_covers_body(verifying, i);
	}
	must(!is_ours || results[0] == RESULT_PASS);
	engine_verify_free(&verifying);
}

/* Puts a signature of all fields on top of those that are no signatures. */
static bool
sign(struct message *message, unsigned how, size_t piece)
{
	static const char *const oversign[] = { "From", "X-None" };
	static const struct header_field *fields[FIELDS_MAX];
	struct engine_sign_config config = { .key = keys[(how >> 1) & 1],
		.domain = "example.org",
		.selector = "sel",
		.identity = (how & 4) != 0 ? "a=b@x.example.org" : NULL,
		.header_canon =
		    (how & 8) != 0 ? SIGFIELD_RELAXED : SIGFIELD_SIMPLE,
		.body_canon =
		    (how & 16) != 0 ? SIGFIELD_RELAXED : SIGFIELD_SIMPLE,
		.timestamp = NOW,
		.expires = (how & 4) != 0 ? NOW + 60 : -1,
		.oversign = oversign,
		.oversign_count = (how >> 5) % 3 };
	struct engine_sign *signing;
	size_t count = 0;
	const char *value;
	struct err err = { "" };
	char *spaced;

	for (size_t i = 0; i < message->count; i++) {
		if (!header_is(&message->fields[i], "DKIM-Signature"))
			message->fields[count++] = message->fields[i];
	}
	message->count = count;
	for (size_t i = 0; i < count; i++)
		fields[i] = &message->fields[i];
	signing = engine_sign_new(engine, &config, fields, count, &err);
	if (signing == NULL) {
		must(err.text[0] != '\0');
		return false;
	}
	for (size_t at = 0; at < message->body_len; at += piece)
		engine_sign_body(signing, message->body + at,
		    message->body_len - at < piece ? message->body_len - at
						   : piece);
	value = engine_sign_end(signing, &err);
	must(value != NULL && strchr(value, '\r') == NULL);
	spaced = arena_alloc(message->arena, strlen(value) + 2);
	spaced[0] = ' ';
	memcpy(spaced + 1, value, strlen(value) + 1);
	message->fields[message->count++] =
	    (struct header_field){ "DKIM-Signature", 14, spaced,
		    strlen(spaced) };
	engine_sign_free(&signing);
	return true;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct message message;
	unsigned how = size > 0 ? data[0] : 0;

	if (engine == NULL)
		start();
	message.arena = arena_new();
	message.count = 0;
	read_message(&message, (const char *)data + (size > 0 ? 1 : 0),
	    size > 0 ? size - 1 : 0);
	verify(&message, how, how % 7 + 1, false);
	if (sign(&message, how, how % 5 + 1))
		verify(&message, 0, how % 3 + 1, true);
	xmem_free(&message.body);
	arena_free(&message.arena);
	return 0;
}
