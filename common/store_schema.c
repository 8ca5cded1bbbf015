/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store_int.h"

/* A version above this was never given out: the number is damaged. */
#define VERSION_MAX 1000

/* How the schema of a file compares with what the migrations make. */
struct fit {
	int64_t wanted; /* objects that the migrations make */
	int64_t named;  /* of these: there by name */
	int64_t same;   /* of these: there with the same SQL */
	int64_t rows;   /* objects of any kind in the file */
};

/* What the migrations make of nothing. */
static sqlite3 *
make_reference(const struct store *store)
{
	sqlite3 *ref = NULL;
	int code = sqlite3_open_v2(":memory:", &ref,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	size_t i;

	for (i = 0; store->migrations[i] != NULL && code == SQLITE_OK; i++)
		code =
		    sqlite3_exec(ref, store->migrations[i], NULL, NULL, NULL);
	if (code != SQLITE_OK) {
		fprintf(
		    stderr, "bug: migration %zu: %s\n", i, sqlite3_errmsg(ref));
		abort();
	}
	return ref;
}

static int
compare_row(sqlite3_stmt *want, sqlite3_stmt *have, struct fit *fit)
{
	int i, code;

	fit->wanted++;
	for (i = 0; i < 3; i++)
		sqlite3_bind_value(have, i + 1, sqlite3_column_value(want, i));
	code = sqlite3_step(have);
	if (code == SQLITE_ROW) {
		fit->named++;
		fit->same += sqlite3_column_int64(have, 0);
	}
	sqlite3_reset(have);
	return code == SQLITE_ROW ? SQLITE_DONE : code;
}

static int
compare_schema(struct store *store, struct fit *fit_r)
{
	sqlite3 *ref;
	sqlite3_stmt *want = NULL, *have = NULL;
	int code, want_code;

	memset(fit_r, 0, sizeof(*fit_r));
	if (store_get_int(store, "SELECT count(*) FROM sqlite_schema",
		&fit_r->rows, NULL) < 0)
		return -1;
	ref = make_reference(store);
	code = sqlite3_prepare_v2(store->db,
	    "SELECT sql = ?3 FROM "
	    "sqlite_schema WHERE type = ?1 AND name = ?2",
	    -1, &have, NULL);
	want_code = sqlite3_prepare_v2(ref,
	    "SELECT type, name, sql FROM "
	    "sqlite_schema WHERE sql IS NOT NULL",
	    -1, &want, NULL);
	assert(want_code == SQLITE_OK);
	(void)want_code;
	while (code == SQLITE_OK && sqlite3_step(want) == SQLITE_ROW) {
		code = compare_row(want, have, fit_r);
		if (code == SQLITE_DONE)
			code = SQLITE_OK;
	}
	if (code != SQLITE_OK)
		store_failed(store, code, NULL);
	sqlite3_finalize(have);
	sqlite3_finalize(want);
	sqlite3_close(ref);
	return code == SQLITE_OK ? 0 : -1;
}

int
store_schema_damaged(struct store *store, const char *complaint)
{
	store->damaged = true;
	return err_set(&store->why, "%s: the file is damaged (%s)", store->path,
	    complaint);
}

int
store_schema_verify(struct store *store, struct err *err)
{
	struct fit fit;
	int result = 0;

	if (store->migrations == NULL)
		return 0;
	if (compare_schema(store, &fit) < 0)
		result = -1;
	else if (fit.same != fit.wanted)
		result = store_schema_damaged(
		    store, "its tables are not as they should");
	if (result < 0 && err != NULL)
		*err = store->why;
	return result;
}

static int
migrate_step(struct store *store, int64_t from)
{
	char sql[64];
	int64_t now = from;

	if (store_run_sql(store, "BEGIN IMMEDIATE", NULL) < 0)
		return -1;
	snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", (int)from + 1);
	if (store_get_int(store, "PRAGMA user_version", &now, NULL) == 0 &&
	    (now != from || /* another program was faster */
		(store_run_sql(store, store->migrations[from], NULL) == 0 &&
		    store_run_sql(store, sql, NULL) == 0)) &&
	    store_run_sql(store, "COMMIT", NULL) == 0)
		return 0;
	if (sqlite3_get_autocommit(store->db) == 0)
		(void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
	return -1;
}

/* Brings the schema up to date, or finds out why that cannot be. */
int
store_schema_migrate(struct store *store)
{
	struct fit fit;
	int64_t version, count = 0;

	if (store->migrations == NULL)
		return 0;
	while (store->migrations[count] != NULL)
		count++;
	if (compare_schema(store, &fit) < 0 ||
	    store_get_int(store, "PRAGMA user_version", &version, NULL) < 0)
		return -1;
	if (fit.rows > 0 && fit.wanted > 0 && fit.named == 0)
		return err_set(&store->why,
		    "%s: holds the tables of another "
		    "program; name a file of our own",
		    store->path);
	if (version > count && version <= VERSION_MAX)
		return err_set(&store->why,
		    "%s: was made by a newer version "
		    "(format %lld, we know up to %lld)",
		    store->path, (long long)version, (long long)count);
	if (version < 0 || version > count || (version == 0 && fit.rows > 0))
		return store_schema_damaged(
		    store, "its version number is wrong");
	if (version < count && store->mode == STORE_TOOL_READ)
		return err_set(&store->why,
		    "%s: was made by an older "
		    "version; start the daemon, it brings it up to date",
		    store->path);
	while (version < count) {
		if (migrate_step(store, version) < 0 ||
		    store_get_int(
			store, "PRAGMA user_version", &version, NULL) < 0)
			return -1;
	}
	return store_schema_verify(store, NULL);
}
