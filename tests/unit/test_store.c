/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/store.h"
#include "tests/unit/check.h"

#define MIB (1024 * 1024)

static const char *const migrations[] = {
	"CREATE TABLE item(name TEXT PRIMARY KEY, n INTEGER, body TEXT)"
	" STRICT, WITHOUT ROWID",
	"CREATE TABLE extra(x INTEGER) STRICT", NULL
};
/* Of an older version of ours. */
static const char *old_migrations[] = { NULL, NULL };

static char folder[PATH_MAX];
static char path[PATH_MAX + 32];
static struct err note, err;

/* ------------------------------------------------------------- helpers */

static void
name_file(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", folder, name);
}

static int64_t
file_size(const char *suffix)
{
	char name[sizeof(path) + 32];
	struct stat st;

	snprintf(name, sizeof(name), "%s%s", path, suffix);
	return stat(name, &st) == 0 ? st.st_size : -1;
}

static struct store *
open_as(enum store_mode mode)
{
	const struct store_config config = {
		.path = path,
		.mode = mode,
		.migrations = migrations,
		.cache_bytes = MIB,
		.busy_ms = 20,
	};

	memset(&err, 0, sizeof(err));
	return store_open(&config, &note, &err);
}

static struct store *
open_daemon(void)
{
	struct store *store = open_as(STORE_DAEMON);

	if (store == NULL) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return store;
}

/* Runs SQL without rows; the statement stays with the store. */
static int
run_sql(struct store *store, const char *sql)
{
	struct store_stmt *stmt = store_prepare(store, sql, &err);

	return stmt != NULL ? store_exec(stmt, &err) : -1;
}

static int64_t
get(struct store *store, const char *sql)
{
	struct store_stmt *stmt = store_prepare(store, sql, &err);
	int64_t value = -1;

	if (stmt != NULL && store_step(stmt, &err) == STORE_ROW) {
		value = store_column_int(stmt, 0);
		store_reset(stmt);
	}
	return value;
}

static int64_t
count(struct store *store)
{
	return get(store, "SELECT count(*) FROM item");
}

static int
insert(struct store *store, const char *name)
{
	struct store_stmt *stmt =
	    store_prepare(store, "INSERT INTO item(name) VALUES (?1)", &err);

	if (stmt == NULL)
		return -1;
	store_bind_text(stmt, 1, name, strlen(name));
	return store_exec(stmt, &err);
}

/* --------------------------------------------------------------- tests */

static void
test_values(void)
{
	static const struct {
		const char *name, *text;
		size_t len;
		int64_t n;
	} rows[] = {
		{ "plain", "a@b", 3, 1 },
		{ "empty", "", 0, 0 },
		{ "8-bit", "\xff\xfe'\";--%", 8, INT64_MIN },
		{ "with NUL", "a\0b", 3, INT64_MAX },
	};
	struct store_stmt *put, *look;
	struct store *store;
	const char *text;
	size_t i, len;

	name_file("values.db");
	store = open_daemon();
	put =
	    store_prepare(store, "INSERT INTO item VALUES (?1, ?2, ?3)", &err);
	look = store_prepare(store,
	    "SELECT n, body, NULL FROM item"
	    " WHERE name = ?1",
	    &err);
	for (i = 0; i < CHECK_COUNT(rows); i++) {
		store_bind_text(put, 1, rows[i].name, strlen(rows[i].name));
		store_bind_int(put, 2, rows[i].n);
		store_bind_text(put, 3, rows[i].text, rows[i].len);
		check_int(rows[i].name, store_exec(put, &err), 0);
		check_int(rows[i].name, store_changes(store), 1);
	}
	for (i = 0; i < CHECK_COUNT(rows); i++) {
		store_bind_text(look, 1, rows[i].name, strlen(rows[i].name));
		check_int(rows[i].name, store_step(look, &err), STORE_ROW);
		check_int(rows[i].name, store_column_int(look, 0), rows[i].n);
		text = store_column_text(look, 1, &len);
		check_mem(rows[i].name, text, len, rows[i].text, rows[i].len);
		check_int("NULL", store_column_int(look, 2), 0);
		check_str("NULL", store_column_text(look, 2, NULL), "");
		check_int("no second", store_step(look, &err), STORE_DONE);
	}
	check_int("after the end it starts again, unbound",
	    store_step(look, &err), STORE_DONE);
	check_int("a constraint holds", insert(store, "plain"), -1);
	check_contains("and is named", err.text, "UNIQUE");
	check_int("and is nothing to recover from",
	    store_recover(store, &note, &err), 0);
	check_int("sound", store_check(store, &err), 0);
	store_close(&store);
	check_true("closed", store == NULL);
	store_close(&store);
	check_int("no WAL is left behind", file_size("-wal"), -1);
}

static void
test_transactions(void)
{
	struct store *store, *other;
	struct store_stmt *look;

	name_file("transactions.db");
	store = open_daemon();
	other = open_as(STORE_TOOL_READ);
	check_int("begin", store_begin_write(store, &err), 0);
	check_int("again", store_begin_write(store, &err), 0);
	check_true("writing", store_is_writing(store));
	insert(store, "a");
	check_int("unseen before the end", count(other), 0);
	check_int("end", store_end(store, &err), 0);
	check_int("nothing to end", store_end(store, &err), 0);
	check_int("seen after it", count(other), 1);
	store_begin_write(store, &err);
	insert(store, "b");
	store_rollback(store);
	check_false("rolled back", store_is_writing(store));
	check_int("nothing of it is kept", count(store), 1);

	check_int("snapshot", store_begin_read(other, &err), 0);
	check_int("is taken", count(other), 1);
	insert(store, "c");
	check_int("and stays", count(other), 1);
	check_int("until its end", store_end(other, &err), 0);
	check_int("then all is seen", count(other), 2);

	store_begin_read(store, &err);
	look = store_prepare(store, "SELECT name FROM item", &err);
	check_int("in the middle of rows", store_step(look, &err), STORE_ROW);
	check_int("a snapshot gives way to writing",
	    store_begin_write(store, &err), 0);
	check_int("that works", insert(store, "d"), 0);
	check_int("and ends", store_end(store, &err), 0);
	check_int("three", count(other), 3);
	check_int("a reader cannot write", insert(other, "e"), -1);
	store_close(&other);
	store_close(&store);
}

static void
test_two_writers(void)
{
	struct store *store, *other;

	name_file("writers.db");
	store = open_daemon();
	other = open_as(STORE_TOOL);
	check_false("no change", store_changed_elsewhere(store));
	insert(store, "ours");
	check_false("our own is none", store_changed_elsewhere(store));
	insert(other, "theirs");
	check_true("another's is one", store_changed_elsewhere(store));
	check_false("once", store_changed_elsewhere(store));
	store_begin_write(store, &err);
	check_int("locked", store_begin_write(other, &err), -1);
	check_contains("it says so", err.text, "another program holds");
	check_false("and is not writing", store_is_writing(other));
	insert(store, "more");
	store_end(store, &err);
	check_int("free again", store_begin_write(other, &err), 0);
	store_rollback(other);
	check_false("nothing was changed", store_changed_elsewhere(store));
	store_close(&other);
	store_close(&store);
}

static void
test_versions(void)
{
	struct store_config config = {
		.path = path,
		.migrations = old_migrations,
		.busy_ms = 20,
	};
	struct store *store;

	name_file("versions.db");
	check_true("a tool makes no file", open_as(STORE_TOOL) == NULL);
	check_contains("but says who does", err.text, "the daemon makes it");
	old_migrations[0] = migrations[0];
	store = store_open(&config, &note, &err);
	insert(store, "kept");
	check_int("old", get(store, "PRAGMA user_version"), 1);
	store_close(&store);
	check_true("a reader cannot bring it up to date",
	    open_as(STORE_TOOL_READ) == NULL);
	check_contains("and says who can", err.text, "start the daemon");
	store = open_daemon();
	check_int("migrated", get(store, "PRAGMA user_version"), 2);
	check_int("with its rows", count(store), 1);
	check_int(
	    "and new tables", get(store, "SELECT count(*) FROM extra"), 0);
	store_close(&store);
	store = store_open(&config, &note, &err);
	check_true("a newer one is refused", store == NULL);
	check_contains("by its number", err.text,
	    "made by a newer version (format 2, we know up to 1)");
	check_true("and stays", file_size("") > 0);
}

static void
test_names(void)
{
	char link_name[sizeof(path)], real[sizeof(path)];
	struct store *store;
	struct stat st;

	name_file("real");
	mkdir(path, 0700);
	snprintf(real, sizeof(real), "%s", path);
	name_file("link");
	check_int("link", symlink(real, path), 0);
	name_file("link/a.db");
	umask(0);
	store = open_daemon();
	umask(022);
	check_int("a directory may be a link", insert(store, "a"), 0);
	check_int("there", stat(path, &st), 0);
	check_int("for us alone", st.st_mode & 07777, 0600);
	store_close(&store);

	snprintf(real, sizeof(real), "%s", path);
	name_file("file_link");
	snprintf(link_name, sizeof(link_name), "%s", path);
	check_int("link", symlink(real, link_name), 0);
	check_true("the file may not", open_as(STORE_DAEMON) == NULL);
	check_contains("it says so", err.text, "is a symbolic link");
	name_file("real");
	check_true("nor be a directory", open_as(STORE_DAEMON) == NULL);
	check_contains("it says so", err.text, "is not a file");
	name_file("missing/a.db");
	check_true("nor be in none", open_as(STORE_DAEMON) == NULL);
	check_contains("it says so", err.text, "the directory cannot be used");
}

static void
test_recovery(void)
{
	struct store *store;
	struct store_stmt *look;
	int fd;

	name_file("recovery.db");
	store = open_daemon();
	look = store_prepare(store, "SELECT count(*) FROM item", &err);
	insert(store, "a");
	check_int("nothing to do", store_recover(store, &note, &err), 0);
	check_str("nothing to note", note.text, "");
	check_int("a row", count(store), 1);
	unlink(path);
	check_int("removed", store_recover(store, &note, &err), 0);
	check_true("may have changed", store_changed_elsewhere(store));
	check_int("statements stay valid", store_step(look, &err), STORE_ROW);
	check_int("the new file is empty", store_column_int(look, 0), 0);
	store_reset(look);

	unlink(path);
	mkdir(path, 0700);
	check_int("nothing to open", store_recover(store, &note, &err), -1);
	check_contains("it says so", err.text, "is not a file");
	check_int(
	    "meanwhile nothing works", store_step(look, &err), STORE_FAILED);
	check_contains("and says why", err.text, "is not a file");
	check_int("nor this", store_begin_write(store, &err), -1);
	check_true("nor this", store_prepare(store, "SELECT 1", &err) == NULL);
	rmdir(path);
	check_int("until it can", store_recover(store, &note, &err), 0);
	check_int("then all does", store_step(look, &err), STORE_ROW);
	store_reset(look);
	store_close(&store);

	fd = open(path, O_WRONLY | O_TRUNC);
	check_true("spoilt", write(fd, "no database at all", 18) == 18);
	close(fd);
	check_true("a tool does not touch it", open_as(STORE_TOOL) == NULL);
	check_contains("but says why", err.text, "is damaged");
	store = open_daemon();
	check_contains("a daemon moves it aside", note.text, "it was moved to");
	check_int("and works", insert(store, "b"), 0);
	check_int("as if new", count(store), 1);
	store_close(&store);
}

static void
test_memory(void)
{
	struct store *store;

	snprintf(path, sizeof(path), ":memory:");
	store = open_daemon();
	store_begin_write(store, &err);
	insert(store, "a");
	check_int("in memory", store_end(store, &err), 0);
	check_int("in memory", count(store), 1);
	check_int("nothing to recover", store_recover(store, &note, &err), 0);
	check_int("in memory", count(store), 1);
	store_close(&store);
}

static void
test_our_bug(void)
{
	struct store *store;
	int status = 0;
	pid_t pid;

	name_file("bug.db");
	pid = fork();
	if (pid == 0) {
		fclose(stderr);
		/* Not a sanitizer's matter either. */
		signal(SIGABRT, SIG_DFL);
		store = open_daemon();
		store_prepare(store, "SELECT nothing FROM nowhere", &err);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	check_true("wrong SQL ends the process",
	    WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* One transaction of 100 KiB, and so of 25 pages or more. */
static int
write_much(struct store *store, struct store_stmt *put, int i)
{
	static char body[100 * 1024];
	char name[32];

	/* The same again would not be written. */
	memset(body, 'a' + i % 26, sizeof(body) - 1);
	snprintf(name, sizeof(name), "much%d", i % 100);
	if (store_begin_write(store, &err) < 0)
		return -1;
	store_bind_text(put, 1, name, strlen(name));
	store_bind_text(put, 2, body, sizeof(body) - 1);
	if (store_exec(put, &err) < 0)
		return -1;
	return store_end(store, &err);
}

static void
test_checkpoints(void)
{
	struct store *store, *reader;
	struct store_stmt *put;
	int64_t largest = 0, start;
	int i, failed = 0;

	name_file("wal.db");
	store = open_daemon();
	put = store_prepare(store,
	    "INSERT INTO item(name, body)"
	    " VALUES (?1, ?2) ON CONFLICT DO UPDATE SET body = ?2",
	    &err);
	start = file_size("");
	for (i = 0; i < 200; i++)
		failed += write_much(store, put, i) < 0;
	/* 20 MB, more than four thousand pages: the thread's turn. */
	while (file_size("") <= start + 2 * MIB)
		sched_yield();
	check_true("the thread copies the WAL", true);
	while (store_is_behind(store))
		sched_yield();
	start = file_size("-wal");
	failed += write_much(store, put, 0) < 0;
	check_int("caught up, the WAL begins anew", file_size("-wal"), start);

	for (i = 0; i < 2000; i++) {
		failed += write_much(store, put, i) < 0;
		if (file_size("-wal") > largest)
			largest = file_size("-wal");
	}
	check_true("200 MB written do not swell it", largest < 66 * MIB);
	check_note("largest WAL %lld", (long long)largest);
	check_false(
	    "checkpoints are no changes", store_changed_elsewhere(store));

	reader = open_as(STORE_TOOL_READ);
	store_begin_read(reader, &err);
	count(reader);
	for (i = 0; i < 800; i++)
		failed += write_much(store, put, i) < 0;
	check_true("a reader pins it", file_size("-wal") > 64 * MIB);
	store_end(reader, &err);
	/* The next attempt comes after four thousand pages. */
	for (i = 0; i < 200; i++)
		failed += write_much(store, put, i) < 0;
	check_true("and lets go", file_size("-wal") < 64 * MIB);
	check_int("no write failed", failed, 0);
	check_int("sound", store_check(store, &err), 0);
	store_close(&reader);
	check_int("emptied", run_sql(store, "DELETE FROM item"), 0);
	store_close(&store);

	start = file_size("");
	store = open_as(STORE_TOOL);
	check_int("vacuum", store_vacuum(store, &err), 0);
	check_true("shrinks the file", file_size("") < start / 10);
	store_close(&store);
}

static void
remove_folder(const char *name)
{
	char full[PATH_MAX + 300];
	struct dirent *entry;
	DIR *dir = opendir(name);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		if (strcmp(entry->d_name, ".") == 0 ||
		    strcmp(entry->d_name, "..") == 0)
			continue;
		snprintf(full, sizeof(full), "%s/%s", name, entry->d_name);
		if (unlink(full) < 0)
			remove_folder(full);
	}
	if (dir != NULL)
		closedir(dir);
	rmdir(name);
}

int
main(void)
{
	const char *parent = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/test_store.XXXXXX",
	    parent != NULL ? parent : P_tmpdir);
	if (mkdtemp(folder) == NULL) {
		printf("Bail out! %s: no folder\n", folder);
		return 1;
	}
	/* What is waited for may never come. */
	alarm(300);
	test_values();
	test_transactions();
	test_two_writers();
	test_versions();
	test_names();
	test_recovery();
	test_memory();
	test_our_bug();
	test_checkpoints();
	remove_folder(folder);
	return check_done();
}
