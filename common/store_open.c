/* SPDX-License-Identifier: ISC */
/*
 * Never open(2) a database that may be open in this process: when that
 * descriptor is closed, the kernel drops all of SQLite's locks on the file.
 * What has to be known of it, stat(2) tells.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/now.h"
#include "common/store_int.h"
#include "common/str.h"
#include "common/xmem.h"

#define PATH_SIZE 4096

/* ---------------------------------------------------------------- names */

static void
identify(struct store_file *file)
{
	struct stat st;

	file->dev = 0;
	file->ino = 0;
	if (stat(file->path, &st) == 0) {
		file->dev = st.st_dev;
		file->ino = st.st_ino;
	}
}

/* Does the name lead to another file, or to none? An unreadable directory
 * says nothing. */
static bool
has_moved(const struct store_file *file)
{
	struct stat st;

	if (file->ino == 0)
		return false;
	if (stat(file->path, &st) < 0)
		return errno == ENOENT;
	return st.st_ino != file->ino || st.st_dev != file->dev;
}

void
store_open_look(struct store *store)
{
	size_t i;

	if (store->in_memory)
		return;
	for (i = 0; i < STORE_FILES; i++) {
		if (has_moved(&store->files[i]))
			store->moved = true;
	}
}

static int64_t
size_of(const struct store *store, enum store_file_kind kind)
{
	struct stat st;

	return stat(store->files[kind].path, &st) == 0 ? st.st_size : 0;
}

/* Links in directories are an admin's right, and systemd's habit; a link in
 * place of the file is not followed. So only the directory is resolved. */
static int
set_paths(struct store *store, const char *path, struct err *err)
{
	static const char *const suffixes[STORE_FILES] = { "", "-wal", "-shm" };
	const char *slash = strrchr(path, '/');
	char *parent, *real;
	char buf[PATH_SIZE];
	struct str full;
	size_t i;

	if (slash == path)
		parent = xmem_strdup("/.");
	else if (slash != NULL)
		parent = xmem_strndup(path, (size_t)(slash - path));
	else
		parent = xmem_strdup(".");
	real = realpath(parent, NULL);
	if (real == NULL) {
		err_set_errno(
		    err, errno, "%s: the directory cannot be used", parent);
		xmem_free(&parent);
		return -1;
	}
	xmem_free(&parent);
	for (i = 0; i < STORE_FILES; i++) {
		str_init(&full, buf, sizeof(buf));
		str_addf(&full, "%s/%s%s", real,
		    slash != NULL ? slash + 1 : path, suffixes[i]);
		store->files[i].path = xmem_strdup(buf);
	}
	free(real);
	if (full.truncated)
		return err_set(err, "%s: the name is too long", path);
	return 0;
}

/* Makes the file when it is missing, and only then: so it is empty, and ours
 * alone whatever the umask. */
static int
make_file(struct store *store)
{
	struct stat st;
	int fd;

	if (store->mode == STORE_DAEMON) {
		fd = open(store->path,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd >= 0)
			close(fd);
		else if (errno != EEXIST)
			return err_set_errno(&store->why, errno,
			    "%s: cannot be made", store->path);
	}
	if (lstat(store->path, &st) < 0) {
		if (errno == ENOENT)
			return err_set(&store->why,
			    "%s: there is no such "
			    "file; the daemon makes it when it starts",
			    store->path);
		return err_set_errno(&store->why, errno, "%s", store->path);
	}
	if (!S_ISREG(st.st_mode) && !S_ISLNK(st.st_mode))
		return err_set(&store->why, "%s: is not a file", store->path);
	return 0;
}

static bool
name_is_free(const char *path)
{
	struct stat st;

	return lstat(path, &st) < 0 && errno == ENOENT;
}

/* Renames the files to "PATH.damaged-UNIXTIME", "PATH.damaged-UNIXTIME-wal"
 * and so on. The database goes last: a WAL that stayed behind would be
 * replayed into the next one. */
static int
move_aside(struct store *store, struct err *note_r)
{
	static const char *const suffixes[STORE_FILES] = { "", "-wal", "-shm" };
	struct err why = store->why;
	char base[PATH_SIZE];
	char name[PATH_SIZE + 8];
	unsigned n = 0;
	size_t i;

	do {
		snprintf(base, sizeof(base) - 4,
		    n == 0 ? "%s.damaged-%lld" : "%s.damaged-%lld.%u",
		    store->path, (long long)now_wall_s(), n);
	} while (!name_is_free(base) && ++n < 100);
	for (i = STORE_FILES; i-- > 0;) {
		snprintf(name, sizeof(name), "%s%s", base, suffixes[i]);
		if (rename(store->files[i].path, name) < 0 && errno != ENOENT)
			return err_set_errno(&store->why, errno,
			    "%s: the "
			    "file is damaged and cannot be moved to %s",
			    store->path, name);
	}
	err_set(note_r,
	    "%s; it was moved to %s, and an empty one takes its "
	    "place",
	    why.text, base);
	store->damaged = false;
	store->struck_ms = 0;
	return 0;
}

/* ----------------------------------------------------------- connection */

/* The WAL hook's word: after each commit, the pages in the WAL. */
static int
on_commit(void *arg, sqlite3 *db, const char *name, int pages)
{
	struct store *store = arg;

	(void)db;
	(void)name;
	store->wal_pages = pages;
	return SQLITE_OK;
}

static void
configure_library(void)
{
	/* Its statistics take a lock at each allocation. Fails harmlessly
	 * when somebody used SQLite before us. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static int
set_pragmas(struct store *store)
{
	char sql[256];
	const char *kind =
	    "PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;"
	    "PRAGMA temp_store = MEMORY; PRAGMA synchronous = NORMAL;"
	    "PRAGMA journal_size_limit = " STORE_WAL_KEEP_BYTES ";";

	sqlite3_busy_timeout(store->db, store->busy_ms);
	/* A hostile file must not make us run code of its choice. */
	sqlite3_db_config(
	    store->db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	snprintf(sql, sizeof(sql), "%s PRAGMA cache_size = -%lld;%s", kind,
	    (long long)(store->cache_bytes + 1023) / 1024,
	    store->mode == STORE_TOOL_READ ? "PRAGMA query_only = ON;" : "");
	if (store_run_sql(store, sql, NULL) < 0)
		return -1;
	if (store->mode != STORE_TOOL_READ && !store->in_memory &&
	    store_run_sql(store, "PRAGMA journal_mode = WAL", NULL) < 0)
		return -1;
	sqlite3_wal_hook(store->db, on_commit, store);
	return 0;
}

static int
connect(struct store *store)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int flags =
	    SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	int code;

	pthread_once(&once, configure_library);
	flags |= store->mode == STORE_TOOL_READ ? SQLITE_OPEN_READONLY
						: SQLITE_OPEN_READWRITE;
	code = sqlite3_open_v2(store->path, &store->db, flags, NULL);
	if (code != SQLITE_OK)
		return store_failed(store, code, NULL);
	if (set_pragmas(store) < 0)
		return -1;
	/* SQLite falls back to reading without a word. */
	if (store->mode != STORE_TOOL_READ &&
	    sqlite3_db_readonly(store->db, "main") == 1)
		return store_failed(store, SQLITE_READONLY, NULL);
	return 0;
}

static int
quick_check(struct store *store)
{
	sqlite3_stmt *handle = NULL;
	const void *text = NULL;
	int code, result = 0;

	if (size_of(store, STORE_FILE_DB) + size_of(store, STORE_FILE_WAL) >=
	    STORE_CHECK_BYTES_MAX)
		return 0;
	code = sqlite3_prepare_v2(
	    store->db, "PRAGMA quick_check(1)", -1, &handle, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_step(handle);
	if (code != SQLITE_ROW)
		result = store_failed(store, code, NULL);
	else if ((text = sqlite3_column_text(handle, 0)) == NULL ||
		 strcmp(text, "ok") != 0)
		result = store_schema_damaged(
		    store, text != NULL ? text : "check failed");
	sqlite3_finalize(handle);
	return result;
}

static int
open_once(struct store *store, bool check)
{
	size_t i;

	if (!store->in_memory) {
		if (make_file(store) < 0)
			return -1;
		/* The last to close removes the WAL: it is there when there
		 * was no time to close. */
		if (store->mode == STORE_DAEMON &&
		    size_of(store, STORE_FILE_WAL) > 0)
			check = true;
	}
	if (connect(store) < 0 || (check && quick_check(store) < 0) ||
	    store_schema_migrate(store) < 0)
		return -1;
	for (i = 0; i < STORE_FILES && !store->in_memory; i++)
		identify(&store->files[i]);
	return 0;
}

static int
compile_all(struct store *store)
{
	struct store_stmt *stmt;

	for (stmt = store->stmts; stmt != NULL; stmt = stmt->next) {
		if (store_compile(stmt, NULL) < 0)
			return -1;
	}
	return 0;
}

static int
start_thread(struct store *store)
{
	if (store->mode != STORE_DAEMON || store->in_memory)
		return 0;
	store->checkpoint = store_checkpoint_start(store->path, &store->why);
	return store->checkpoint != NULL ? 0 : -1;
}

int
store_open_file(
    struct store *store, bool check, struct err *note_r, struct err *err)
{
	const bool may_move = store->mode == STORE_DAEMON && !store->in_memory;
	int tries, result = 0;

	store->suspect = store->moved = false;
	store->wal_pages = 0;
	store_wal_reset(store);
	for (tries = 0; tries < 2; tries++) {
		if (store->damaged && may_move)
			result = move_aside(store, note_r);
		if (result < 0)
			break;
		store->damaged = false;
		result = open_once(store, check);
		if (result == 0)
			result = compile_all(store);
		if (result == 0 || !store->damaged || !may_move)
			break;
		store_open_undo(store);
		result = 0;
	}
	if (store->damaged)
		result = -1;
	if (result == 0)
		result = start_thread(store);
	if (result < 0) {
		store_open_undo(store);
		if (err != NULL)
			*err = store->why;
		return -1;
	}
	store->failed = false;
	return 0;
}

/* SQLite leaves the WAL of a database alone that was moved away; with our
 * connection gone it would be replayed into whatever bears the name now. */
static void
remove_orphans(const struct store *store)
{
	size_t i;

	for (i = STORE_FILE_WAL; i < STORE_FILES; i++) {
		const struct store_file *file = &store->files[i];

		if (file->ino != 0 && !has_moved(file))
			(void)unlink(file->path);
	}
}

void
store_open_undo(struct store *store)
{
	struct store_stmt *stmt;

	store_checkpoint_stop(&store->checkpoint);
	for (stmt = store->stmts; stmt != NULL; stmt = stmt->next) {
		sqlite3_finalize(stmt->handle);
		stmt->handle = NULL;
	}
	if (store->db == NULL)
		return;
	/* When a tool has the file open too, SQLite does not do this. */
	if (store->mode == STORE_DAEMON && !store->damaged) {
		sqlite3_busy_timeout(store->db, 0);
		(void)sqlite3_wal_checkpoint_v2(
		    store->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	}
	sqlite3_close(store->db);
	store->db = NULL;
	if (!store->in_memory && has_moved(&store->files[STORE_FILE_DB]))
		remove_orphans(store);
	store->is_reading = store->is_writing = store->is_lost = false;
}

struct store *
store_open_new(const struct store_config *config, struct err *err)
{
	struct store *store = xmem_calloc(1, sizeof(*store));

	store->mode = config->mode;
	store->migrations = config->migrations;
	store->cache_bytes = config->cache_bytes;
	store->busy_ms = config->busy_ms;
	store->in_memory = strcmp(config->path, ":memory:") == 0;
	if (store->in_memory) {
		store->files[STORE_FILE_DB].path = xmem_strdup(config->path);
	} else if (set_paths(store, config->path, err) < 0) {
		store_close(&store);
		return NULL;
	}
	store->path = store->files[STORE_FILE_DB].path;
	return store;
}
