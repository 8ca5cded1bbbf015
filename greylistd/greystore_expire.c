/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/now.h"

#include "greylistd/greystore_int.h"

/* Rows looked at between two looks at the clock. */
#define EXPIRE_STEP 100
/* Of so many neighbours the oldest are evicted. */
#define EVICT_SAMPLE 200
/* In so many samples one is looked for of the kind that is to go. */
#define EVICT_TRIES 20
/* One place of so many is for triplets that have not passed yet. */
#define PENDING_SHARE 8

/* Keys of up to EXPIRE_STEP rows that are to go. */
struct doomed {
	char keys[EXPIRE_STEP][KEY_SIZE];
	int count;
	int pending; /* of these: never passed */
	int waiting; /* rows that stay and have not passed */
	int seen;    /* rows walked over */
};

/* Walks on by up to EXPIRE_STEP rows from the cursor, which moves along, and
 * collects those that are past their time. */
static int
walk(struct greystore *gs, const struct greylist_policy *policy, int64_t now_s,
    struct doomed *doomed, struct err *err)
{
	bool clients = gs->phase == GREYSTORE_CLIENTS;
	struct store_stmt *stmt =
	    gs->stmt[clients ? SQL_WALK_CLIENT : SQL_WALK];
	char from[KEY_SIZE];
	enum store_step step;

	doomed->count = doomed->pending = 0;
	doomed->waiting = doomed->seen = 0;
	greystore_copy_key(from, gs->cursor);
	greystore_bind_key(stmt, from);
	store_bind_int(stmt, 2, EXPIRE_STEP);
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		const char *key = store_column_text(stmt, 0, NULL);
		bool expired;

		if (clients) {
			expired =
			    greylist_age(now_s, store_column_int(stmt, 1)) >
			    policy->max_age_s;
		} else {
			const struct greylist_entry entry = {
				.first = store_column_int(stmt, 1),
				.last = store_column_int(stmt, 2),
				.passed = store_column_int(stmt, 3),
			};
			expired = greylist_expired(policy, &entry, now_s);
			doomed->pending += expired && entry.passed == 0;
			doomed->waiting += !expired && entry.passed == 0;
		}
		if (expired)
			greystore_copy_key(doomed->keys[doomed->count++], key);
		greystore_copy_key(gs->cursor, key);
		doomed->seen++;
	}
	return step == STORE_FAILED ? greystore_fail_turn(gs) : 0;
}

/* Deletes what walk collected. */
static int64_t
remove_doomed(
    struct greystore *gs, const struct doomed *doomed, struct err *err)
{
	bool clients = gs->phase == GREYSTORE_CLIENTS;
	struct store_stmt *stmt =
	    gs->stmt[clients ? SQL_REMOVE_CLIENT : SQL_REMOVE];

	if (doomed->count > 0 && greystore_begin_write(gs, err) != 0)
		return -1;
	for (int i = 0; i < doomed->count; i++) {
		greystore_bind_key(stmt, doomed->keys[i]);
		if (greystore_exec(gs, stmt, err) != 0)
			return -1;
		if (!clients)
			greystore_removed(gs);
	}
	return clients ? 0 : doomed->count;
}

/* A pass that has seen all rows knows how many there are. */
static void
note_counts(struct greystore *gs, const struct doomed *doomed, bool end)
{
	bool clients = gs->phase == GREYSTORE_CLIENTS;
	int64_t *walked = clients ? &gs->walked_clients : &gs->walked_pending;

	*walked += clients ? doomed->seen - doomed->count : doomed->waiting;
	if (!end)
		return;
	*(clients ? &gs->clients : &gs->pending) = *walked;
	*walked = 0;
}

/* One step within the phase; true in *end_r when the phase is through. */
static int64_t
expire_step(struct greystore *gs, const struct greylist_policy *policy,
    int64_t now_s, bool *end_r, struct err *err)
{
	static struct doomed doomed;
	struct store_stmt *stmt = gs->stmt[SQL_EXPIRE_RULES];
	int64_t n;

	switch (gs->phase) {
	case GREYSTORE_TRIPLETS:
	case GREYSTORE_CLIENTS:
		if (walk(gs, policy, now_s, &doomed, err) != 0)
			return -1;
		*end_r = doomed.seen < EXPIRE_STEP;
		note_counts(gs, &doomed, *end_r);
		n = remove_doomed(gs, &doomed, err);
		if (doomed.pending > 0 && n >= 0)
			greystore_tally(gs, GREYSTORE_NEVER_CAME_BACK,
			    doomed.pending, now_s);
		return n;
	case GREYSTORE_RULES:
		break;
	}
	*end_r = true;
	if (greystore_begin_write(gs, err) != 0)
		return -1;
	store_bind_int(stmt, 1, now_s);
	return greystore_exec(gs, stmt, err);
}

int64_t
greystore_expire(struct greystore *gs, const struct greylist_policy *policy,
    int64_t now_s, int64_t budget_us, bool *done_r, struct err *err)
{
	int64_t until_us = now_mono_us() + budget_us;
	int64_t total = 0;

	*done_r = false;
	if (store_is_behind(gs->store))
		return 0;
	do {
		bool end = false;
		int64_t n = expire_step(gs, policy, now_s, &end, err);

		if (n < 0)
			return -1;
		total += n;
		if (!end)
			continue;
		gs->cursor[0] = '\0';
		if (gs->phase == GREYSTORE_RULES) {
			gs->phase = GREYSTORE_TRIPLETS;
			*done_r = true;
			break;
		}
		gs->phase++;
	} while (now_mono_us() < until_us);
	return greystore_commit(gs, err) == 0 ? total : -1;
}

/* Neighbours in the order of keys, of which some are to make room. */
struct sample {
	struct candidate {
		int64_t time; /* waiting: first; passed: last */
		char key[KEY_SIZE];
	} rows[EVICT_SAMPLE];
	int count;
};

static int
compare_candidates(const void *a, const void *b)
{
	const struct candidate *one = a, *other = b;

	return (one->time > other->time) - (one->time < other->time);
}

/* Takes the next EVICT_SAMPLE rows after the last sample, and keeps those that
 * are waiting, or those that have passed; oldest first. */
static int
take_sample(
    struct greystore *gs, bool passed, struct sample *sample, struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_WALK];
	char from[KEY_SIZE];
	enum store_step step;
	int seen = 0;

	sample->count = 0;
	greystore_copy_key(from, gs->evict_cursor);
	greystore_bind_key(stmt, from);
	store_bind_int(stmt, 2, EVICT_SAMPLE);
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		const char *key = store_column_text(stmt, 0, NULL);
		struct candidate *row = &sample->rows[sample->count];

		greystore_copy_key(gs->evict_cursor, key);
		seen++;
		if ((store_column_int(stmt, 3) != 0) != passed)
			continue;
		row->time = store_column_int(stmt, passed ? 2 : 1);
		greystore_copy_key(row->key, key);
		sample->count++;
	}
	if (step == STORE_FAILED)
		return greystore_fail_turn(gs);
	if (seen < EVICT_SAMPLE)
		gs->evict_cursor[0] = '\0';
	qsort(sample->rows, (size_t)sample->count, sizeof(*sample->rows),
	    compare_candidates);
	return 0;
}

int64_t
greystore_evict(
    struct greystore *gs, int64_t count, int64_t now_s, struct err *err)
{
	static struct sample sample;
	struct store_stmt *stmt = gs->stmt[SQL_REMOVE];
	bool waiting =
	    gs->pending < 0 || gs->pending > gs->triplets / PENDING_SHARE;
	bool passed = !waiting;
	int64_t n = 0;

	if (greystore_begin_write(gs, err) != 0)
		return -1;
	sample.count = 0;
	for (int i = 0; i <= EVICT_TRIES && sample.count == 0; i++) {
		passed = (i < EVICT_TRIES) != waiting;
		if (take_sample(gs, passed, &sample, err) != 0)
			return -1;
	}
	for (int i = 0; i < sample.count && n < count; i++) {
		greystore_bind_key(stmt, sample.rows[i].key);
		if (greystore_exec(gs, stmt, err) != 0)
			return -1;
		n += greystore_removed(gs);
	}
	if (!passed && gs->pending >= 0)
		gs->pending = gs->pending > n ? gs->pending - n : 0;
	if (n > 0)
		greystore_tally(gs, GREYSTORE_EVICTED, n, now_s);
	return n;
}
