/* SPDX-License-Identifier: ISC */
/*
 * dkimcases.c - verifies and signs messages of a suite, as dkimd would
 *
 *     dkimcases < CASES
 *
 * A line of CASES is made of words; every text is in hex, "-" = "". HEADER
 * is the header of a message, lines ending in LF, without the empty one.
 *
 *     zone                          forget all records
 *     txt NAME RECORD               a key record
 *     verify ID NOW PIECE HEADER BODY
 *                                   the body in pieces of PIECE bytes; prints
 *                                   "ID RESULT:REASON ..." for each
 *                                   DKIM-Signature, "+" behind the result
 *                                   when the body goes on behind l=; REASON
 *                                   in hex
 *     key PEM                       the key to sign with; prints its p=
 *     sign ID C T X DOMAIN SELECTOR IDENTITY OVERSIGN HEADER BODY
 *                                   C is "relaxed/simple", OVERSIGN has
 *                                   colons; prints "ID VALUE" or "ID !WHY",
 *                                   both in hex
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/xmem.h"

#include "dkimd/choose.h"
#include "dkimd/engine.h"

#include "tests/conformance/hexwords.h"

#define FIELDS_MAX 5000
#define SIGNATURES_MAX 64
#define RECORDS_MAX 64
#define DRIFT_S 300
/* As the option MinimumKeyBits is by default. */
#define KEY_BITS_MIN 1024
#define WORDS_MAX 11

struct record {
	char *name;
	char *text;
	size_t len;
};

struct cases {
	struct engine *engine;
	struct engine_key *key;
	struct record records[RECORDS_MAX];
	size_t record_count;
};

struct message {
	struct arena *arena;
	struct header_field fields[FIELDS_MAX];
	size_t field_count;
	const char *body;
	size_t body_len;
};

static void
die(const char *why, const char *what)
{
	fprintf(stderr, "dkimcases: %s: %.200s\n", why, what);
	exit(2);
}

static void
add_field(struct message *message, const char *text, size_t len)
{
	const char *colon = memchr(text, ':', len);
	size_t name_len;

	if (colon == NULL || message->field_count == FIELDS_MAX)
		die("no field, or too many", text);
	name_len = (size_t)(colon - text);
	message->fields[message->field_count++] = (struct header_field){
		arena_strndup(message->arena, text, name_len), name_len,
		arena_strndup(message->arena, colon + 1, len - name_len - 1),
		len - name_len - 1
	};
}

static void
read_message(struct message *message, char *header, char *body)
{
	message->arena = arena_new();
	message->field_count = 0;
	message->body = body;
	message->body_len = hexwords_decode(body);
	hexwords_decode(header);
	for (char *start = header, *end; *start != '\0'; start = end + 1) {
		end = strchr(start, '\n');
		while (end != NULL && (end[1] == ' ' || end[1] == '\t'))
			end = strchr(end + 1, '\n');
		if (end == NULL)
			die("a field without its line end", start);
		add_field(message, start, (size_t)(end - start));
	}
}

/* One signature, from its field to its result. */
struct signature {
	struct header_field *field;
	struct sigfield parsed;
	struct keyrecord key;
	enum result result;
	const char *reason;
	bool covers_body;
};

static void
find_key(const struct cases *cases, struct signature *signature)
{
	char name[512];

	snprintf(name, sizeof(name), "%s._domainkey.%s",
	    signature->parsed.selector, signature->parsed.domain);
	signature->result = RESULT_PERMERROR;
	signature->reason = "key not found in DNS";
	for (size_t i = 0; i < cases->record_count; i++) {
		if (strcasecmp(cases->records[i].name, name) == 0)
			signature->result = keyrecord_parse(
			    cases->records[i].text, cases->records[i].len,
			    &signature->key, &signature->reason);
	}
	if (signature->result == RESULT_NONE &&
	    signature->key.type == KEYRECORD_RSA &&
	    signature->key.bits < KEY_BITS_MIN) {
		signature->result = RESULT_POLICY;
		signature->reason = "signing key too small";
	}
}

/* Gives the signatures that are still undecided to the engine. */
static void
run_engine(const struct cases *cases, struct signature *signatures,
    size_t count, const struct message *message, size_t piece)
{
	struct engine_signature list[ENGINE_SIGNATURES_MAX];
	const struct keyrecord *keys[ENGINE_SIGNATURES_MAX];
	enum result results[ENGINE_SIGNATURES_MAX];
	const char *reasons[ENGINE_SIGNATURES_MAX];
	struct engine_verify *verify;
	struct err err;

	for (size_t i = 0; i < count; i++) {
		list[i] = (struct engine_signature){ signatures[i].field,
			&signatures[i].parsed };
		keys[i] = &signatures[i].key;
	}
	verify = engine_verify_new(cases->engine, list, count, message->fields,
	    message->field_count, &err);
	if (verify == NULL)
		die("engine", err.text);
	for (size_t at = 0; at < message->body_len; at += piece)
		engine_verify_body(verify, message->body + at,
		    message->body_len - at < piece ? message->body_len - at
						   : piece);
	engine_verify_end(verify, keys, results, reasons);
	for (size_t i = 0; i < count; i++) {
		signatures[i].result = results[i];
		signatures[i].reason = reasons[i];
		signatures[i].covers_body =
		    engine_verify_covers_body(verify, i);
	}
	engine_verify_free(&verify);
}

/* Which of the signatures the engine shall see: moves them together. */
static void
verify_chosen(const struct cases *cases, struct signature *all, size_t count,
    const struct message *message, size_t piece)
{
	struct choose_candidate candidates[SIGNATURES_MAX];
	struct signature chosen[ENGINE_SIGNATURES_MAX];
	size_t origin[ENGINE_SIGNATURES_MAX], chosen_count = 0;

	for (size_t i = 0; i < count; i++)
		candidates[i] =
		    (struct choose_candidate){ .parsed = &all[i].parsed,
			    .is_sound = all[i].result == RESULT_NONE };
	choose_signatures(candidates, count, ENGINE_SIGNATURES_MAX);
	for (size_t i = 0; i < count; i++) {
		if (all[i].result != RESULT_NONE)
			continue;
		all[i].result = RESULT_NEUTRAL;
		all[i].reason = "ignored";
		if (candidates[i].is_chosen)
			find_key(cases, &all[i]);
		if (all[i].result != RESULT_NONE)
			continue;
		origin[chosen_count] = i;
		chosen[chosen_count++] = all[i];
	}
	if (chosen_count > 0)
		run_engine(cases, chosen, chosen_count, message, piece);
	for (size_t i = 0; i < chosen_count; i++)
		all[origin[i]] = chosen[i];
}

static void
run_verify(const struct cases *cases, char **words)
{
	static struct message message;
	static struct signature list[SIGNATURES_MAX];
	int64_t now = strtoll(words[2], NULL, 10);
	size_t count = 0;

	read_message(&message, words[4], words[5]);
	for (size_t i = 0; i < message.field_count; i++) {
		struct header_field *field = &message.fields[i];

		if (!header_is(field, "DKIM-Signature") ||
		    count == SIGNATURES_MAX)
			continue;
		list[count] =
		    (struct signature){ .field = field, .covers_body = true };
		list[count].result = sigfield_parse(field, now, DRIFT_S,
		    message.arena, &list[count].parsed, &list[count].reason);
		count++;
	}
	verify_chosen(
	    cases, list, count, &message, strtoul(words[3], NULL, 10));
	printf("%s", words[1]);
	for (size_t i = 0; i < count; i++) {
		printf(" %s%s:", result_name(list[i].result),
		    list[i].covers_body ? "" : "+");
		hexwords_print(list[i].reason);
	}
	putchar('\n');
	arena_free(&message.arena);
}

/* Splits "From:To" in place; "" has none. */
static size_t
split_names(char *text, const char **names, size_t max)
{
	size_t count = 0;

	while (text != NULL && *text != '\0' && count < max)
		names[count++] = strsep(&text, ":");
	return count;
}

static void
run_sign(struct cases *cases, char **words)
{
	static struct message message;
	static const struct header_field *fields[FIELDS_MAX];
	const char *oversign[16], *value = NULL;
	struct engine_sign_config config = { .key = cases->key,
		.header_canon = strncmp(words[2], "relaxed", 7) == 0
				    ? SIGFIELD_RELAXED
				    : SIGFIELD_SIMPLE,
		.body_canon = strstr(words[2], "/relaxed") != NULL
				  ? SIGFIELD_RELAXED
				  : SIGFIELD_SIMPLE,
		.timestamp = strtoll(words[3], NULL, 10),
		.expires = strtoll(words[4], NULL, 10),
		.domain = words[5],
		.selector = words[6],
		.oversign = oversign };
	struct engine_sign *sign;
	struct err err = { "" };

	for (size_t i = 5; i <= 8; i++)
		hexwords_decode(words[i]);
	config.identity = words[7][0] == '\0' ? NULL : words[7];
	config.oversign_count = split_names(words[8], oversign, 16);
	read_message(&message, words[9], words[10]);
	for (size_t i = 0; i < message.field_count; i++)
		fields[i] = &message.fields[i];
	sign = engine_sign_new(
	    cases->engine, &config, fields, message.field_count, &err);
	if (sign != NULL) {
		engine_sign_body(sign, message.body, message.body_len);
		value = engine_sign_end(sign, &err);
	}
	printf("%s %s", words[1], value == NULL ? "!" : "");
	hexwords_print(value == NULL ? err.text : value);
	putchar('\n');
	engine_sign_free(&sign);
	arena_free(&message.arena);
}

static void
run_key(struct cases *cases, char *pem)
{
	size_t len = hexwords_decode(pem);
	char public[2048];
	struct err err;

	engine_key_free(&cases->key);
	cases->key = engine_key_new(pem, len, &err);
	if (cases->key == NULL ||
	    engine_key_public(cases->key, public, sizeof(public)) == 0)
		die("key", err.text);
	printf("key %s\n", public);
}

static void
forget(struct cases *cases)
{
	for (size_t i = 0; i < cases->record_count; i++) {
		free(cases->records[i].name);
		free(cases->records[i].text);
	}
	cases->record_count = 0;
}

static void
add_record(struct cases *cases, char *name, char *text)
{
	struct record *record = &cases->records[cases->record_count++];

	if (cases->record_count == RECORDS_MAX)
		die("too many records", name);
	hexwords_decode(name);
	record->len = hexwords_decode(text);
	record->name = xmem_strdup(name);
	record->text = xmem_strndup(text, record->len);
}

static void
read_line(struct cases *cases, char *line)
{
	char *words[WORDS_MAX] = { NULL }, *rest = line;
	size_t count = 0;

	line[strcspn(line, "\n")] = '\0';
	while (count < WORDS_MAX && (words[count] = strsep(&rest, " ")) != NULL)
		count++;
	if (count == 1 && strcmp(words[0], "zone") == 0)
		forget(cases);
	else if (count == 3 && strcmp(words[0], "txt") == 0)
		add_record(cases, words[1], words[2]);
	else if (count == 6 && strcmp(words[0], "verify") == 0)
		run_verify(cases, words);
	else if (count == 2 && strcmp(words[0], "key") == 0)
		run_key(cases, words[1]);
	else if (count == 11 && strcmp(words[0], "sign") == 0)
		run_sign(cases, words);
	else
		die("bad line", line);
	fflush(stdout);
}

int
main(void)
{
	struct cases cases = { .key = NULL };
	char *line = NULL;
	size_t room = 0;
	struct err err;

	cases.engine = engine_new(&err);
	if (cases.engine == NULL)
		die("engine", err.text);
	while (getline(&line, &room, stdin) > 0)
		read_line(&cases, line);
	free(line);
	forget(&cases);
	engine_key_free(&cases.key);
	engine_free(&cases.engine);
	return 0;
}
