/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/now.h"
#include "common/store_int.h"
#include "common/xmem.h"

/* How often the file's name is looked at. */
#define LOOK_MS 1000

/* ------------------------------------------------------------- failures */

static int
failed_io(struct store *store, int errnum, struct err *why)
{
	switch (errnum) {
	case ENOSPC:
	case EDQUOT:
		return err_set(why,
		    "%s: the disk or the quota is full; "
		    "make room there",
		    store->path);
	case EROFS:
	case EACCES:
	case EPERM:
		return err_set_errno(why, errnum,
		    "%s: cannot be written; it "
		    "and its directory must belong to the daemon's user",
		    store->path);
	case 0:
		return err_set(
		    why, "%s: %s", store->path, sqlite3_errmsg(store->db));
	default:
		return err_set_errno(
		    why, errnum, "%s: the disk fails", store->path);
	}
}

/* Every SQLite of our time writes one format: where the header says another,
 * it is damaged, for which SQLite has no code of its own. */
static bool
is_damage(struct store *store, int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return true;
	case SQLITE_ERROR:
		return strcmp(sqlite3_errmsg(store->db),
			   "unsupported file format") == 0;
	default:
		return false;
	}
}

static int
describe(struct store *store, int code, struct err *why)
{
	if (is_damage(store, code)) {
		store->damaged = true;
		return err_set(why, "%s: the file is damaged (%s)", store->path,
		    sqlite3_errmsg(store->db));
	}
	switch (code & 0xff) {
	case SQLITE_FULL:
		return failed_io(store, ENOSPC, why);
	case SQLITE_READONLY:
	case SQLITE_PERM:
		return failed_io(store, EACCES, why);
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return err_set(why,
		    "%s: another program holds the lock "
		    "(waited %d ms)",
		    store->path, store->busy_ms);
	case SQLITE_CANTOPEN:
		if (code == SQLITE_CANTOPEN_SYMLINK)
			return err_set(why,
			    "%s: is a symbolic link; name "
			    "the file itself",
			    store->path);
		/* fall through */
	case SQLITE_IOERR:
		store->suspect = true;
		return failed_io(store, sqlite3_system_errno(store->db), why);
	case SQLITE_CONSTRAINT:
		return err_set(
		    why, "%s: %s", store->path, sqlite3_errmsg(store->db));
	default:
		/* Such as a table that is gone: someone, or damage, has
		 * changed the schema. */
		store->suspect = true;
		return err_set(
		    why, "%s: %s", store->path, sqlite3_errmsg(store->db));
	}
}

int
store_failed(struct store *store, int code, struct err *err)
{
	store->failed = true;
	describe(store, code, &store->why);
	if (err != NULL)
		*err = store->why;
	return -1;
}

/* The failure of before still stands. */
static int
still_failed(struct store *store, struct err *err)
{
	store->failed = true;
	if (err != NULL)
		*err = store->why;
	return -1;
}

/* ----------------------------------------------------------- statements */

int
store_compile(struct store_stmt *stmt, struct err *err)
{
	struct store *store = stmt->store;
	int code;

	code = sqlite3_prepare_v3(store->db, stmt->sql, -1,
	    SQLITE_PREPARE_PERSISTENT, &stmt->handle, NULL);
	if (code != SQLITE_OK)
		return store_failed(store, code, err);
	return 0;
}

/* SQL that never compiled before does not compile: whose fault is it? */
static void
blame(struct store *store, const char *sql, struct err *err)
{
	struct err why = store->why;

	if (store->damaged ||
	    (sqlite3_errcode(store->db) & 0xff) != SQLITE_ERROR ||
	    store_schema_verify(store, err) < 0)
		return;
	fprintf(stderr, "bug: %s: in: %s\n", why.text, sql);
	abort();
}

struct store_stmt *
store_prepare(struct store *store, const char *sql, struct err *err)
{
	struct store_stmt *stmt;

	if (store->db == NULL) {
		still_failed(store, err);
		return NULL;
	}
	stmt = xmem_calloc(1, sizeof(*stmt));
	stmt->store = store;
	stmt->sql = xmem_strdup(sql);
	if (store_compile(stmt, err) < 0) {
		blame(store, sql, err);
		xmem_free(&stmt->sql);
		xmem_free(&stmt);
		return NULL;
	}
	stmt->next = store->stmts;
	store->stmts = stmt;
	return stmt;
}

void
store_bind_text(
    struct store_stmt *stmt, int index, const char *text, size_t len)
{
	int code;

	if (stmt->handle == NULL)
		return;
	code = sqlite3_bind_text64(
	    stmt->handle, index, text, len, SQLITE_STATIC, SQLITE_UTF8);
	assert(code == SQLITE_OK);
	(void)code;
}

void
store_bind_int(struct store_stmt *stmt, int index, int64_t value)
{
	int code;

	if (stmt->handle == NULL)
		return;
	code = sqlite3_bind_int64(stmt->handle, index, value);
	assert(code == SQLITE_OK);
	(void)code;
}

void
store_reset(struct store_stmt *stmt)
{
	if (stmt->handle == NULL)
		return;
	sqlite3_reset(stmt->handle);
	/* The texts were borrowed. */
	sqlite3_clear_bindings(stmt->handle);
}

/* Steps without regard to transactions. */
static enum store_step
step(struct store_stmt *stmt, struct err *err)
{
	struct store *store = stmt->store;
	int code;

	if (stmt->handle == NULL) {
		still_failed(store, err);
		return STORE_FAILED;
	}
	code = sqlite3_step(stmt->handle);
	if (code == SQLITE_ROW)
		return STORE_ROW;
	if (code != SQLITE_DONE)
		store_failed(store, code, err);
	store_reset(stmt);
	return code == SQLITE_DONE ? STORE_DONE : STORE_FAILED;
}

enum store_step
store_step(struct store_stmt *stmt, struct err *err)
{
	struct store *store = stmt->store;
	enum store_step result;

	/* What came after the loss would be kept, what came before not. */
	if (store->is_lost) {
		still_failed(store, err);
		store_reset(stmt);
		return STORE_FAILED;
	}
	result = step(stmt, err);
	if (result == STORE_FAILED && store->is_writing &&
	    sqlite3_get_autocommit(store->db) != 0)
		store->is_lost = true;
	if (result == STORE_DONE && !store->is_writing && !store->is_reading)
		store_after_commit(store);
	return result;
}

int64_t
store_column_int(struct store_stmt *stmt, int column)
{
	if (stmt->handle == NULL)
		return 0;
	return sqlite3_column_int64(stmt->handle, column);
}

const char *
store_column_text(struct store_stmt *stmt, int column, size_t *len_r)
{
	const void *text = NULL;
	int len = 0;

	if (stmt->handle != NULL) {
		text = sqlite3_column_text(stmt->handle, column);
		len = sqlite3_column_bytes(stmt->handle, column);
	}
	if (text == NULL) {
		text = "";
		len = 0;
	}
	if (len_r != NULL)
		*len_r = (size_t)len;
	return text;
}

int
store_exec(struct store_stmt *stmt, struct err *err)
{
	enum store_step result = store_step(stmt, err);

	assert(result != STORE_ROW);
	return result == STORE_DONE ? 0 : -1;
}

int64_t
store_changes(struct store *store)
{
	return store->db != NULL ? sqlite3_changes64(store->db) : 0;
}

int
store_run_sql(struct store *store, const char *sql, struct err *err)
{
	int code = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

	return code == SQLITE_OK ? 0 : store_failed(store, code, err);
}

int
store_get_int(
    struct store *store, const char *sql, int64_t *value_r, struct err *err)
{
	sqlite3_stmt *handle = NULL;
	int code = sqlite3_prepare_v2(store->db, sql, -1, &handle, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(handle);
	if (code != SQLITE_ROW) {
		store_failed(store, code, err);
		sqlite3_finalize(handle);
		return -1;
	}
	*value_r = sqlite3_column_int64(handle, 0);
	sqlite3_finalize(handle);
	return 0;
}

/* --------------------------------------------------------- transactions */

/* May work go on with this file? */
static int
look(struct store *store, struct err *err)
{
	int64_t now_ms;

	if (store->db == NULL || store->damaged)
		return still_failed(store, err);
	now_ms = now_mono_ms();
	if (now_ms >= store->next_look_ms) {
		store->next_look_ms = now_ms + LOOK_MS;
		store_open_look(store);
		if (store_checkpoint_met_damage(store->checkpoint)) {
			err_set(&store->why,
			    "%s: the file is damaged (found "
			    "by a checkpoint)",
			    store->path);
			store->damaged = true;
			return still_failed(store, err);
		}
	}
	if (store->moved) {
		err_set(&store->why, "%s: the file was removed or replaced",
		    store->path);
		return still_failed(store, err);
	}
	return 0;
}

static int
run(struct store_stmt *stmt, struct err *err)
{
	return step(stmt, err) == STORE_DONE ? 0 : -1;
}

/* A row that is still being looked at would keep its old snapshot alive. */
static void
reset_all(struct store *store)
{
	struct store_stmt *stmt;

	for (stmt = store->stmts; stmt != NULL; stmt = stmt->next) {
		if (stmt->handle != NULL && sqlite3_stmt_busy(stmt->handle))
			store_reset(stmt);
	}
}

int
store_begin_read(struct store *store, struct err *err)
{
	if (store->is_reading || store->is_writing)
		return 0;
	if (look(store, err) < 0 || run(store->begin_read, err) < 0)
		return -1;
	store->is_reading = true;
	return 0;
}

int
store_begin_write(struct store *store, struct err *err)
{
	if (store->is_writing)
		return 0;
	if (store->is_reading) {
		reset_all(store);
		if (store_end(store, err) < 0)
			return -1;
	}
	if (look(store, err) < 0 || run(store->begin_write, err) < 0)
		return -1;
	store->is_writing = true;
	return 0;
}

void
store_rollback(struct store *store)
{
	if (!store->is_reading && !store->is_writing)
		return;
	reset_all(store);
	if (store->db != NULL && sqlite3_get_autocommit(store->db) == 0)
		(void)run(store->rollback, NULL);
	store->is_reading = store->is_writing = store->is_lost = false;
}

int
store_end(struct store *store, struct err *err)
{
	if (!store->is_reading && !store->is_writing)
		return 0;
	if (store->is_lost) {
		store_rollback(store);
		return still_failed(store, err);
	}
	if (run(store->commit, err) < 0) {
		store_rollback(store);
		return -1;
	}
	if (store->is_writing)
		store->failed = false;
	store->is_reading = store->is_writing = false;
	store_after_commit(store);
	return 0;
}

bool
store_is_writing(const struct store *store)
{
	return store->is_writing;
}

bool
store_changed_elsewhere(struct store *store)
{
	int64_t version;

	if (store->db == NULL || step(store->data_version, NULL) != STORE_ROW)
		return false;
	version = store_column_int(store->data_version, 0);
	store_reset(store->data_version);
	if (version == store->version_seen)
		return false;
	store->version_seen = version;
	return true;
}

/* ---------------------------------------------------------- maintenance */

int
store_check(struct store *store, struct err *err)
{
	struct store_stmt *stmt;
	const char *text;
	int result = -1;

	stmt = store_prepare(store, "PRAGMA integrity_check(1)", err);
	if (stmt == NULL)
		return -1;
	if (step(stmt, err) == STORE_ROW) {
		text = store_column_text(stmt, 0, NULL);
		if (strcmp(text, "ok") == 0)
			result = 0;
		else
			err_set(err, "%s: %s", store->path, text);
		store_reset(stmt);
	}
	/* The newest stands first in the list. */
	assert(store->stmts == stmt);
	store->stmts = stmt->next;
	sqlite3_finalize(stmt->handle);
	xmem_free(&stmt->sql);
	xmem_free(&stmt);
	return result;
}

int
store_vacuum(struct store *store, struct err *err)
{
	int code;

	assert(!store->is_reading && !store->is_writing);
	if (look(store, err) < 0)
		return -1;
	/* The copy can be larger than memory. */
	if (store_run_sql(store, "PRAGMA temp_store = FILE", err) < 0 ||
	    store_run_sql(store, "VACUUM", err) < 0 ||
	    store_run_sql(store, "PRAGMA temp_store = MEMORY", err) < 0)
		return -1;
	code = sqlite3_wal_checkpoint_v2(
	    store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	/* A reader may be in the way; the last to close does it then. */
	if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
		return store_failed(store, code, err);
	return 0;
}
