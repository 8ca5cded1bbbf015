/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/now.h"
#include "common/xmem.h"

#include "greylistd/greystore_int.h"

#define CACHE_BYTES (INT64_C(24) * 1024 * 1024)
/* A tool keeps the lock for milliseconds, on a busy disk for some tens. */
#define DAEMON_BUSY_MS 100
#define TOOL_BUSY_MS 10000
#define DAY_S 86400

/* No index besides the keys: it would cost a new triplet as much as the row
 * itself. Expiry walks, and eviction samples (greystore_expire.c). */
static const char *const migrations[] = {
	"CREATE TABLE triplet("
	" key TEXT PRIMARY KEY NOT NULL,"
	" first INTEGER NOT NULL,"
	" last INTEGER NOT NULL,"
	" passed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE client("
	" address TEXT PRIMARY KEY NOT NULL,"
	" count INTEGER NOT NULL,"
	" last INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"CREATE TABLE rule("
	" kind TEXT NOT NULL,"
	" value TEXT NOT NULL,"
	" action TEXT NOT NULL,"
	" comment TEXT NOT NULL,"
	" created INTEGER NOT NULL,"
	" expires INTEGER NOT NULL,"
	" PRIMARY KEY(kind, value)) STRICT;"
	"CREATE TABLE counter("
	" day INTEGER NOT NULL,"
	" name TEXT NOT NULL,"
	" n INTEGER NOT NULL,"
	" PRIMARY KEY(day, name)) STRICT, WITHOUT ROWID;"
	"CREATE TABLE meta("
	" name TEXT PRIMARY KEY NOT NULL,"
	" value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
	"INSERT INTO meta VALUES('triplets', 0);",
	NULL
};

static const char *const counter_names[GREYSTORE_COUNTER_COUNT] = {
	[GREYSTORE_NEW] = "new",
	[GREYSTORE_EARLY] = "early",
	[GREYSTORE_PASSED] = "passed",
	[GREYSTORE_KNOWN] = "known",
	[GREYSTORE_CLIENT_WHITELIST] = "client_whitelist",
	[GREYSTORE_RECIPIENT_WHITELIST] = "recipient_whitelist",
	[GREYSTORE_AWL] = "awl",
	[GREYSTORE_RECIPIENT_TABLE] = "recipient_table",
	[GREYSTORE_PROVIDER] = "provider",
	[GREYSTORE_DNS_WHITELIST] = "dns_whitelist",
	[GREYSTORE_NOT_SUSPICIOUS] = "not_suspicious",
	[GREYSTORE_ALLOWED] = "allowed",
	[GREYSTORE_BLOCKED] = "blocked",
	[GREYSTORE_NEVER_CAME_BACK] = "never_came_back",
	[GREYSTORE_EVICTED] = "evicted",
	[GREYSTORE_STORE_ERROR] = "store_error",
};

static const char *const sql[SQL_STMT_COUNT] = {
	[SQL_FIND] = "SELECT first, last, passed FROM triplet WHERE key = ?1",
	[SQL_INSERT] = "INSERT INTO triplet VALUES(?1, ?2, ?3, ?4) "
		       "ON CONFLICT DO NOTHING",
	[SQL_UPDATE] = "UPDATE triplet SET first = ?2, last = ?3, "
		       "passed = ?4 WHERE key = ?1",
	[SQL_REMOVE] = "DELETE FROM triplet WHERE key = ?1",
	[SQL_FIND_CLIENT] = "SELECT count, last, 0 FROM client "
			    "WHERE address = ?1",
	[SQL_PUT_CLIENT] = "INSERT INTO client VALUES(?1, ?2, ?3) "
			   "ON CONFLICT DO UPDATE SET count = ?2, last = ?3",
	[SQL_COUNT] = "INSERT INTO counter VALUES(?1, ?2, ?3) "
		      "ON CONFLICT DO UPDATE SET n = n + ?3",
	[SQL_META_ADD] = "UPDATE meta SET value = value + ?1 "
			 "WHERE name = 'triplets'",
	[SQL_META_READ] = "SELECT value FROM meta WHERE name = 'triplets'",
	[SQL_WALK] = "SELECT key, first, last, passed FROM triplet "
		     "WHERE key > ?1 ORDER BY key LIMIT ?2",
	[SQL_WALK_CLIENT] = "SELECT address, last FROM client "
			    "WHERE address > ?1 ORDER BY address LIMIT ?2",
	[SQL_REMOVE_CLIENT] = "DELETE FROM client WHERE address = ?1",
	[SQL_EXPIRE_RULES] = "DELETE FROM rule "
			     "WHERE expires > 0 AND expires <= ?1",
	[SQL_RULES] = "SELECT kind, value, action, expires, comment "
		      "FROM rule WHERE expires = 0 OR expires > ?1",
};

const char *
greystore_counter_name(enum greystore_counter counter)
{
	assert(counter < GREYSTORE_COUNTER_COUNT);
	return counter_names[counter];
}

static int
read_triplets(struct greystore *gs, struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_META_READ];

	switch (store_step(stmt, err)) {
	case STORE_ROW:
		gs->triplets = store_column_int(stmt, 0) + gs->unsaved_delta;
		store_reset(stmt);
		return 0;
	case STORE_DONE:
		return err_set(err, "the table meta is empty");
	case STORE_FAILED:
		break;
	}
	return -1;
}

struct greystore *
greystore_open(
    const char *path, enum store_mode mode, struct err *note_r, struct err *err)
{
	const struct store_config config = {
		.path = path,
		.mode = mode,
		.migrations = migrations,
		.cache_bytes = CACHE_BYTES,
		.busy_ms = mode == STORE_DAEMON ? DAEMON_BUSY_MS : TOOL_BUSY_MS,
	};
	struct greystore *gs = xmem_calloc(1, sizeof(*gs));

	gs->pending = gs->clients = -1;
	gs->store = store_open(&config, note_r, err);
	if (gs->store == NULL)
		goto fail;
	for (int i = 0; i < SQL_STMT_COUNT; i++) {
		gs->stmt[i] = store_prepare(gs->store, sql[i], err);
		if (gs->stmt[i] == NULL)
			goto fail;
	}
	if (read_triplets(gs, err) != 0)
		goto fail;
	store_changed_elsewhere(gs->store);
	return gs;
fail:
	greystore_close(&gs);
	return NULL;
}

void
greystore_close(struct greystore **gs)
{
	if (*gs == NULL)
		return;
	if ((*gs)->store != NULL)
		(void)greystore_flush(*gs, NULL);
	store_close(&(*gs)->store);
	xmem_free(gs);
}

struct store *
greystore_store(struct greystore *gs)
{
	return gs->store;
}

int
greystore_fail_turn(struct greystore *gs)
{
	store_rollback(gs->store);
	gs->triplets -= gs->turn_delta;
	gs->turn_delta = 0;
	gs->is_open = false;
	return -1;
}

int
greystore_begin_read(struct greystore *gs, struct err *err)
{
	if (gs->is_open)
		return 0;
	if (store_begin_read(gs->store, err) != 0)
		return greystore_fail_turn(gs);
	gs->is_open = true;
	gs->opened_ms = now_mono_ms();
	return 0;
}

int
greystore_begin_write(struct greystore *gs, struct err *err)
{
	if (store_is_writing(gs->store))
		return 0;
	if (store_begin_write(gs->store, err) != 0)
		return greystore_fail_turn(gs);
	gs->is_open = true;
	return 0;
}

int
greystore_exec(struct greystore *gs, struct store_stmt *stmt, struct err *err)
{
	return store_exec(stmt, err) == 0 ? 0 : greystore_fail_turn(gs);
}

int64_t
greystore_clients(const struct greystore *gs)
{
	return gs->clients;
}

/* Writes the waiting counts into the open transaction. */
static int
write_counts(struct greystore *gs, struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_META_ADD];

	store_bind_int(stmt, 1, gs->unsaved_delta);
	if (greystore_exec(gs, stmt, err) != 0)
		return -1;
	stmt = gs->stmt[SQL_COUNT];
	for (int i = 0; i < GREYSTORE_COUNTER_COUNT; i++) {
		if (gs->counts[i] == 0)
			continue;
		store_bind_int(stmt, 1, gs->count_day);
		store_bind_text(
		    stmt, 2, counter_names[i], strlen(counter_names[i]));
		store_bind_int(stmt, 3, gs->counts[i]);
		if (greystore_exec(gs, stmt, err) != 0)
			return -1;
	}
	return 0;
}

void
greystore_tally(struct greystore *gs, enum greystore_counter counter, int64_t n,
    int64_t now_s)
{
	int64_t day = now_s / DAY_S;
	bool waiting = false;

	for (int i = 0; i < GREYSTORE_COUNTER_COUNT; i++)
		waiting = waiting || gs->counts[i] != 0;
	/* At midnight the old day's counts go out first; should that fail,
	 * they are counted under the new day. */
	if (waiting && day != gs->count_day && !gs->is_open)
		(void)greystore_flush(gs, NULL);
	gs->count_day = day;
	gs->counts[counter] += n;
}

void
greystore_count(
    struct greystore *gs, enum greystore_counter counter, int64_t now_s)
{
	greystore_tally(gs, counter, 1, now_s);
}

int
greystore_commit(struct greystore *gs, struct err *err)
{
	/* A snapshot of reads serves the next turns too, see
	 * greystore_begin_turn. */
	if (!gs->is_open || !store_is_writing(gs->store))
		return 0;
	if (store_end(gs->store, err) != 0)
		return greystore_fail_turn(gs);
	gs->unsaved_delta += gs->turn_delta;
	gs->turn_delta = 0;
	gs->is_open = false;
	return 0;
}

void
greystore_rest(struct greystore *gs)
{
	if (!gs->is_open || store_is_writing(gs->store))
		return;
	if (store_end(gs->store, NULL) != 0)
		greystore_fail_turn(gs);
	gs->is_open = false;
}

bool
greystore_begin_turn(struct greystore *gs)
{
	if (gs->is_open &&
	    now_mono_ms() - gs->opened_ms < GREYSTORE_SNAPSHOT_MS)
		return false;
	greystore_rest(gs);
	/* Within a snapshot the question costs no locks. Should it fail, the
	 * next look-up says so. */
	if (greystore_begin_read(gs, NULL) != 0)
		return false;
	return greystore_changed_elsewhere(gs);
}

void
greystore_rollback(struct greystore *gs)
{
	(void)greystore_fail_turn(gs);
}

int
greystore_flush(struct greystore *gs, struct err *err)
{
	bool waiting = gs->unsaved_delta != 0;

	for (int i = 0; i < GREYSTORE_COUNTER_COUNT; i++)
		waiting = waiting || gs->counts[i] != 0;
	if (!waiting)
		return 0;
	if (greystore_begin_write(gs, err) != 0 || write_counts(gs, err) != 0 ||
	    greystore_commit(gs, err) != 0)
		return -1;
	gs->unsaved_delta = 0;
	memset(gs->counts, 0, sizeof(gs->counts));
	return 0;
}

int64_t
greystore_triplets(const struct greystore *gs)
{
	return gs->triplets;
}

bool
greystore_changed_elsewhere(struct greystore *gs)
{
	if (!store_changed_elsewhere(gs->store))
		return false;
	(void)read_triplets(gs, NULL);
	return true;
}

int
greystore_recover(struct greystore *gs, struct err *note_r, struct err *err)
{
	(void)greystore_fail_turn(gs);
	if (store_recover(gs->store, note_r, err) != 0)
		return -1;
	return read_triplets(gs, err);
}
