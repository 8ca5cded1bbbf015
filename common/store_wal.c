/* SPDX-License-Identifier: ISC */
#include <sqlite3.h>

#include "common/store_int.h"

/* How long a writer at the WAL's limit waits for readers of other programs;
 * they may stay for hours. */
#define LIMIT_WAIT_MS 50

/* The WAL has grown too far: the thread is too slow, or a reader of another
 * program pins it. Now the writer waits. */
static void
checkpoint_now(struct store *store)
{
	int code;

	store_checkpoint_hold(store->checkpoint);
	if (store->busy_ms > LIMIT_WAIT_MS)
		sqlite3_busy_timeout(store->db, LIMIT_WAIT_MS);
	code = sqlite3_wal_checkpoint_v2(
	    store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	sqlite3_busy_timeout(store->db, store->busy_ms);
	store_checkpoint_release(store->checkpoint);
	if (code == SQLITE_OK) {
		store->wal_pages = 0;
		store->limit_pages = STORE_WAL_PAGES_MAX;
		return;
	}
	/* What was committed is safe; only room is lost. Not at each commit
	 * from now on, though. */
	store->limit_pages = store->wal_pages + STORE_CHECKPOINT_PAGES;
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
		store_failed(store, code, NULL);
}

void
store_wal_reset(struct store *store)
{
	store->wake_pages = STORE_CHECKPOINT_PAGES;
	store->finish_pages = STORE_FINISH_FROM;
	store->limit_pages = STORE_WAL_PAGES_MAX;
}

/* The thread never copies the last pages while we go on writing. When few are
 * left, copying them here is quick, and lets the WAL begin anew. */
static void
finish_checkpoint(struct store *store)
{
	int64_t copied = store_checkpoint_copied(store->checkpoint);
	int pages = -1, done = 0;

	if (copied < 0)
		return;
	store->finish_pages = store->wal_pages + STORE_FINISH_STEP;
	if (store->wal_pages - copied > STORE_FINISH_PAGES) {
		store_checkpoint_wake(store->checkpoint);
		return;
	}
	store_checkpoint_hold(store->checkpoint);
	if (sqlite3_wal_checkpoint_v2(store->db, NULL,
		SQLITE_CHECKPOINT_PASSIVE, &pages, &done) == SQLITE_OK &&
	    pages == done) {
		/* The next write begins it anew. */
		store->wal_pages = 0;
		store_wal_reset(store);
	}
	store_checkpoint_release(store->checkpoint);
}

bool
store_is_behind(struct store *store)
{
	if (store->checkpoint == NULL || store->wal_pages < STORE_FINISH_FROM)
		return false;
	store->finish_pages = STORE_FINISH_FROM;
	finish_checkpoint(store);
	return store->wal_pages >= STORE_FINISH_FROM;
}

void
store_after_commit(struct store *store)
{
	if (store->wal_pages < store->wake_pages - STORE_CHECKPOINT_PAGES) {
		/* It began anew. */
		store_wal_reset(store);
	}
	if (store->wal_pages >= store->wake_pages) {
		store->wake_pages = store->wal_pages + STORE_CHECKPOINT_PAGES;
		/* A tool has no thread: it copies now, without a lock that a
		 * daemon would wait for. */
		if (store->checkpoint != NULL)
			store_checkpoint_wake(store->checkpoint);
		else
			(void)sqlite3_wal_checkpoint_v2(store->db, NULL,
			    SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
	}
	if (store->wal_pages >= store->finish_pages &&
	    store->checkpoint != NULL)
		finish_checkpoint(store);
	/* A daemon waits for itself, but a tool must not make it wait. */
	if (store->wal_pages >= store->limit_pages && store->checkpoint != NULL)
		checkpoint_now(store);
}
