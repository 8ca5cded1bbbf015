/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/now.h"

#include "greylistd/greystore_int.h"

/* Rows looked at between two looks at the clock. */
#define EXPIRE_STEP 100
/* Of how many passed triplets the longest unseen one is evicted. */
#define EVICT_SAMPLE 200

/* Keys of up to EXPIRE_STEP rows that are to go. */
struct doomed {
	char keys[EXPIRE_STEP][KEY_SIZE];
	int count;
	int seen;	/* rows walked over */
};

/* Walks on by up to EXPIRE_STEP rows from the cursor, which moves along, and
 * collects those that are past their time. */
static int
walk(struct greystore *gs, const struct greylist_policy *policy,
	int64_t now_s, struct doomed *doomed, struct err *err)
{
	bool clients = gs->phase == GREYSTORE_CLIENTS;
	struct store_stmt *stmt =
		gs->stmt[clients ? SQL_WALK_CLIENT : SQL_WALK];
	char from[KEY_SIZE];
	enum store_step step;

	doomed->count = doomed->seen = 0;
	greystore_copy_key(from, gs->cursor);
	greystore_bind_key(stmt, from);
	store_bind_int(stmt, 2, EXPIRE_STEP);
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		const char *key = store_column_text(stmt, 0, NULL);
		bool expired;

		if (clients) {
			expired = now_s - store_column_int(stmt, 1) >
				policy->max_age_s;
		} else {
			const struct greylist_entry entry = {
				.first = store_column_int(stmt, 1),
				.last = store_column_int(stmt, 2),
				.passed = store_column_int(stmt, 3),
			};
			expired = greylist_expired(policy, &entry, now_s);
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
remove_doomed(struct greystore *gs, const struct doomed *doomed,
	struct err *err)
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

/* One step within the phase; true in *end_r when the phase is through. */
static int64_t
expire_step(struct greystore *gs, const struct greylist_policy *policy,
	int64_t now_s, bool *end_r, struct err *err)
{
	static struct doomed doomed;
	struct store_stmt *stmt;
	int64_t n;

	switch (gs->phase) {
	case GREYSTORE_PENDING:
		stmt = gs->stmt[SQL_EXPIRE_PENDING];
		if (greystore_begin_write(gs, err) != 0)
			return -1;
		store_bind_int(stmt, 1, now_s - policy->retry_window_s);
		store_bind_int(stmt, 2, EXPIRE_STEP);
		if (greystore_exec(gs, stmt, err) != 0)
			return -1;
		n = greystore_removed(gs);
		greystore_tally(gs, GREYSTORE_NEVER_CAME_BACK, n, now_s);
		*end_r = n < EXPIRE_STEP;
		return n;
	case GREYSTORE_TRIPLETS:
	case GREYSTORE_CLIENTS:
		if (walk(gs, policy, now_s, &doomed, err) != 0)
			return -1;
		*end_r = doomed.seen < EXPIRE_STEP;
		return remove_doomed(gs, &doomed, err);
	case GREYSTORE_RULES:
		break;
	}
	stmt = gs->stmt[SQL_EXPIRE_RULES];
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
			gs->phase = GREYSTORE_PENDING;
			*done_r = true;
			break;
		}
		gs->phase++;
	} while (now_mono_us() < until_us);
	return greystore_commit(gs, err) == 0 ? total : -1;
}

/* Removes the longest unseen of a sample of triplets. */
static int64_t
evict_sampled(struct greystore *gs, struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_WALK];
	char oldest[KEY_SIZE] = "";
	char from[KEY_SIZE];
	int64_t oldest_last = INT64_MAX;
	enum store_step step;
	int seen = 0;

	greystore_copy_key(from, gs->evict_cursor);
	greystore_bind_key(stmt, from);
	store_bind_int(stmt, 2, EVICT_SAMPLE);
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		const char *key = store_column_text(stmt, 0, NULL);

		if (store_column_int(stmt, 2) < oldest_last) {
			oldest_last = store_column_int(stmt, 2);
			greystore_copy_key(oldest, key);
		}
		greystore_copy_key(gs->evict_cursor, key);
		seen++;
	}
	if (step == STORE_FAILED)
		return greystore_fail_turn(gs);
	if (seen < EVICT_SAMPLE)
		gs->evict_cursor[0] = '\0';
	if (seen == 0)
		return 0;
	greystore_bind_key(gs->stmt[SQL_REMOVE], oldest);
	if (greystore_exec(gs, gs->stmt[SQL_REMOVE], err) != 0)
		return -1;
	return greystore_removed(gs);
}

int64_t
greystore_evict(struct greystore *gs, int64_t count, int64_t now_s,
	struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_EVICT_PENDING];
	int64_t n;

	if (greystore_begin_write(gs, err) != 0)
		return -1;
	store_bind_int(stmt, 1, count);
	if (greystore_exec(gs, stmt, err) != 0)
		return -1;
	n = greystore_removed(gs);
	if (n == 0)
		n = evict_sampled(gs, err);
	if (n > 0)
		greystore_tally(gs, GREYSTORE_EVICTED, n, now_s);
	return n;
}
