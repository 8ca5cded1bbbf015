/* SPDX-License-Identifier: ISC */
/*
 * storetool - a store under the command of a test
 *
 *     storetool PATH daemon|tool|read
 *
 * One command a line on standard input, one answer a line on standard output:
 *
 *     put N SIZE   one transaction of N rows with SIZE bytes of text each
 *     run N SIZE   the same without end, each answered "ok LAST-ROW"
 *     count        "ok ROWS"
 *     last         "ok HIGHEST-ROW"
 *     check        store_check
 *     recover      "ok" and what there is to note
 *     look         fails when the store has noticed something
 *
 * Any answer but "ok ..." is "failed SENTENCE".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/store.h"
#include "common/xmem.h"

#define SIZE_MAX_TEXT 100000

struct tool {
	struct store *store;
	struct store_stmt *insert, *count, *last;
	char *text;
};

static const char *const migrations[] = {
	"CREATE TABLE item(n INTEGER PRIMARY KEY, body TEXT NOT NULL) STRICT;"
	"CREATE INDEX item_body ON item(body)",
	NULL
};

static int
put(struct tool *t, int rows, int size, struct err *err)
{
	int i;

	if (store_begin_write(t->store, err) < 0)
		return -1;
	for (i = 0; i < rows; i++) {
		store_bind_text(t->insert, 1, t->text, (size_t)size);
		if (store_exec(t->insert, err) < 0) {
			store_rollback(t->store);
			return -1;
		}
	}
	return store_end(t->store, err);
}

static int
get(struct store_stmt *stmt, int64_t *value_r, struct err *err)
{
	if (store_step(stmt, err) != STORE_ROW)
		return -1;
	*value_r = store_column_int(stmt, 0);
	store_reset(stmt);
	return 0;
}

static int
get_in_snapshot(
    struct tool *t, struct store_stmt *stmt, int64_t *value_r, struct err *err)
{
	if (store_begin_read(t->store, err) < 0)
		return -1;
	if (get(stmt, value_r, err) < 0) {
		store_rollback(t->store);
		return -1;
	}
	return store_end(t->store, err);
}

static void
answer(int result, int64_t value, const struct err *err)
{
	if (result < 0)
		printf("failed %s\n", err->text);
	else
		printf("ok %lld\n", (long long)value);
	fflush(stdout);
}

static void
obey(struct tool *t, const char *line)
{
	struct err err = { .text = "" }, note = { .text = "" };
	int64_t value = 0;
	int rows = 1, size = 1, result = 0;
	char word[16] = "";

	sscanf(line, "%15s %d %d", word, &rows, &size);
	if (size < 0 || size > SIZE_MAX_TEXT)
		size = 1;
	if (strcmp(word, "put") == 0) {
		result = put(t, rows, size, &err);
	} else if (strcmp(word, "run") == 0) {
		while ((result = put(t, rows, size, &err)) == 0 &&
		       (result = get(t->last, &value, &err)) == 0)
			answer(result, value, &err);
	} else if (strcmp(word, "count") == 0) {
		result = get_in_snapshot(t, t->count, &value, &err);
	} else if (strcmp(word, "last") == 0) {
		result = get_in_snapshot(t, t->last, &value, &err);
	} else if (strcmp(word, "check") == 0) {
		result = store_check(t->store, &err);
	} else if (strcmp(word, "look") == 0) {
		result = store_begin_read(t->store, &err);
		if (result == 0)
			result = store_end(t->store, &err);
	} else if (strcmp(word, "recover") == 0) {
		result = store_recover(t->store, &note, &err);
		if (result == 0) {
			printf("ok %s\n", note.text);
			fflush(stdout);
			return;
		}
	}
	answer(result, value, &err);
}

int
main(int argc, char **argv)
{
	struct store_config config = {
		.migrations = migrations,
		.cache_bytes = 1024 * 1024,
		.busy_ms = 50,
	};
	struct tool t;
	struct err note, err;
	char line[100];

	if (argc != 3)
		return 64;
	config.path = argv[1];
	config.mode = strcmp(argv[2], "daemon") == 0 ? STORE_DAEMON
		      : strcmp(argv[2], "tool") == 0 ? STORE_TOOL
						     : STORE_TOOL_READ;
	t.store = store_open(&config, &note, &err);
	if (t.store == NULL) {
		answer(-1, 0, &err);
		return 1;
	}
	t.insert =
	    store_prepare(t.store, "INSERT INTO item(body) VALUES (?1)", &err);
	t.count = store_prepare(t.store, "SELECT count(*) FROM item", &err);
	t.last = store_prepare(t.store, "SELECT max(n) FROM item", &err);
	if (t.insert == NULL || t.count == NULL || t.last == NULL) {
		answer(-1, 0, &err);
		return 1;
	}
	t.text = xmem_alloc(SIZE_MAX_TEXT);
	memset(t.text, 'x', SIZE_MAX_TEXT);
	printf("ok %s\n", note.text);
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin) != NULL)
		obey(&t, line);
	store_close(&t.store);
	xmem_free(&t.text);
	return 0;
}
