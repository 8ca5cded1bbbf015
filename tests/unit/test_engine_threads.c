/* SPDX-License-Identifier: ISC */
/* Several threads sign and verify with one engine and the same keys. */
#include <pthread.h>
#include <stdlib.h>

#include "common/arena.h"

#include "dkimd/engine.h"

#include "tests/unit/check.h"
#include "tests/unit/dkimkeys.h"

#define NOW 1800000000
#define THREADS 4
#define ROUNDS 100

struct shared {
	struct engine *engine;
	struct engine_key *keys[2];
	struct keyrecord records[2];
};

struct thread {
	pthread_t id;
	const struct shared *shared;
	unsigned number;
	unsigned failures;
};

/* Signs with key i; returns the value in arena, or NULL. */
static const char *
sign(const struct shared *shared, size_t i, const struct header_field *from,
    const char *body, struct arena *arena)
{
	static const char *const oversign[] = { "From", "To" };
	const struct engine_sign_config config = { .key = shared->keys[i],
		.domain = "example.org",
		.selector = i == 0 ? "rsa" : "ed",
		.header_canon = SIGFIELD_RELAXED,
		.timestamp = NOW,
		.expires = -1,
		.oversign = oversign,
		.oversign_count = i + 1 };
	struct err err;
	struct engine_sign *sign =
	    engine_sign_new(shared->engine, &config, &from, 1, &err);
	const char *value = NULL;

	if (sign != NULL) {
		engine_sign_body(sign, body, strlen(body));
		value = engine_sign_end(sign, &err);
	}
	if (value != NULL)
		value = arena_strdup(arena, value);
	engine_sign_free(&sign);
	return value;
}

static bool
verifies(const struct shared *shared, const struct header_field *fields,
    size_t count, const char *body, struct arena *arena)
{
	struct engine_signature list[2];
	struct sigfield parsed[2];
	const struct keyrecord *keys[] = { &shared->records[0],
		&shared->records[1] };
	enum result results[2];
	const char *reasons[2];
	struct engine_verify *verify;
	struct err err;

	for (size_t i = 0; i < 2; i++) {
		if (sigfield_parse(&fields[i], NOW, 0, arena, &parsed[i],
			&reasons[i]) != RESULT_NONE)
			return false;
		list[i] = (struct engine_signature){ &fields[i], &parsed[i] };
	}
	verify =
	    engine_verify_new(shared->engine, list, 2, fields, count, &err);
	if (verify == NULL)
		return false;
	engine_verify_body(verify, body, strlen(body));
	engine_verify_end(verify, keys, results, reasons);
	engine_verify_free(&verify);
	return results[0] == RESULT_PASS && results[1] == RESULT_PASS;
}

static bool
run_round(const struct thread *thread, unsigned round)
{
	struct arena *arena = arena_new();
	struct header_field fields[3] = { [2] = { "From", 4,
					      " alice@example.org", 18 } };
	bool good = true;
	char body[64];

	snprintf(body, sizeof(body), "%u %u\r\n", thread->number, round);
	for (size_t i = 0; i < 2; i++) {
		const char *value =
		    sign(thread->shared, i, &fields[2], body, arena);

		good = good && value != NULL;
		if (value == NULL)
			value = "";
		fields[i] = (struct header_field){ "DKIM-Signature", 14, value,
			strlen(value) };
	}
	good = good && verifies(thread->shared, fields, 3, body, arena);
	arena_free(&arena);
	return good;
}

static void *
run(void *arg)
{
	struct thread *thread = arg;

	for (unsigned round = 0; round < ROUNDS; round++)
		thread->failures += !run_round(thread, round);
	return NULL;
}

static void
make_key(struct shared *shared, size_t i, const char *pem, const char *kind)
{
	char public[1024], record[1200];
	const char *reason;
	struct err err;

	shared->keys[i] = engine_key_new(pem, strlen(pem), &err);
	engine_key_public(shared->keys[i], public, sizeof(public));
	snprintf(record, sizeof(record), "v=DKIM1;k=%s;p=%s", kind, public);
	check_int("the key is good",
	    keyrecord_parse(
		record, strlen(record), &shared->records[i], &reason),
	    RESULT_NONE);
}

int
main(void)
{
	struct err err = { "" };
	struct shared shared = { .engine = engine_new(&err) };
	struct thread threads[THREADS];

	check_str("starts", err.text, "");
	make_key(&shared, 0, dkimkeys_rsa, "rsa");
	make_key(&shared, 1, dkimkeys_ed25519, "ed25519");
	for (unsigned i = 0; i < THREADS; i++) {
		threads[i] = (struct thread){ .shared = &shared, .number = i };
		pthread_create(&threads[i].id, NULL, run, &threads[i]);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(threads[i].id, NULL);
		check_uint("all signatures are valid", threads[i].failures, 0);
	}
	engine_key_free(&shared.keys[0]);
	engine_key_free(&shared.keys[1]);
	engine_free(&shared.engine);
	return check_done();
}
