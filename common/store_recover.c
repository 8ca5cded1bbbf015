/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>
#include <stdio.h>

#include "common/now.h"
#include "common/store_int.h"
#include "common/xmem.h"

/* How long the start waits for a lock, at least: a tool may be at work, and
 * nobody waits for a reply yet. */
#define OPEN_WAIT_MS 1000
/* Damage that was not confirmed but comes again within this time is real. */
#define STRIKE_MS (600 * 1000)

struct store *
store_open(
    const struct store_config *config, struct err *note_r, struct err *err)
{
	struct store *store = store_open_new(config, err);

	if (note_r != NULL)
		note_r->text[0] = '\0';
	if (store == NULL)
		return NULL;
	if (store->busy_ms < OPEN_WAIT_MS)
		store->busy_ms = OPEN_WAIT_MS;
	if (store_open_file(store, false, note_r, err) < 0 ||
	    (store->begin_read = store_prepare(store, "BEGIN", err)) == NULL ||
	    (store->begin_write =
		    store_prepare(store, "BEGIN IMMEDIATE", err)) == NULL ||
	    (store->commit = store_prepare(store, "COMMIT", err)) == NULL ||
	    (store->rollback = store_prepare(store, "ROLLBACK", err)) == NULL ||
	    (store->data_version =
		    store_prepare(store, "PRAGMA data_version", err)) == NULL) {
		store_close(&store);
		return NULL;
	}
	(void)store_changed_elsewhere(store);
	store->busy_ms = config->busy_ms;
	sqlite3_busy_timeout(store->db, store->busy_ms);
	return store;
}

void
store_close(struct store **store_p)
{
	struct store *store = *store_p;
	struct store_stmt *stmt;
	size_t i;

	if (store == NULL)
		return;
	*store_p = NULL;
	store_rollback(store);
	store_open_undo(store);
	while ((stmt = store->stmts) != NULL) {
		store->stmts = stmt->next;
		xmem_free(&stmt->sql);
		xmem_free(&stmt);
	}
	for (i = 0; i < STORE_FILES; i++)
		xmem_free(&store->files[i].path);
	xmem_free(&store);
}

/* Full, locked or read-only: does writing work again? This writes what is
 * there already. */
static int
try_write(struct store *store, struct err *err)
{
	int64_t version;
	char sql[64];

	if (store->mode == STORE_TOOL_READ)
		return 0;
	if (store_get_int(store, "PRAGMA user_version", &version, err) < 0)
		return -1;
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", (int)version);
	if (store_run_sql(store, sql, err) < 0)
		return -1;
	store_after_commit(store);
	return 0;
}

int
store_recover(struct store *store, struct err *note_r, struct err *err)
{
	int64_t now_ms = now_mono_ms();

	if (note_r != NULL)
		note_r->text[0] = '\0';
	store_rollback(store);
	if (store->db != NULL)
		store_open_look(store);
	if (store->db != NULL && !store->damaged && !store->suspect &&
	    !store->moved) {
		if (store->failed && try_write(store, err) < 0)
			return -1;
		store->failed = false;
		return 0;
	}
	/* Damage that a check does not find may sit in the shared memory,
	 * and be gone with it. It counts when it comes a second time. */
	if (store->damaged &&
	    (store->struck_ms == 0 || now_ms - store->struck_ms > STRIKE_MS)) {
		store->struck_ms = now_ms;
		store->damaged = false;
		store->suspect = true;
	}
	store_open_undo(store);
	if (store_open_file(store, true, note_r, err) < 0) {
		store->failed = true;
		return -1;
	}
	store->failed = false;
	/* Whoever asks shall read everything again. */
	store->version_seen = -1;
	return 0;
}
