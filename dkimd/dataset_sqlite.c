/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/store.h"
#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/dataset_int.h"

#define CACHE_BYTES 1048576
#define BUSY_MS 2000
#define NAME_SIZE 64
/* domain:selector:key:algorithm:from:until */
#define VALUES_MAX 6

/* What the text asks for. */
struct query {
	char table[NAME_SIZE], key[NAME_SIZE];
	char values[VALUES_MAX][NAME_SIZE];
	size_t value_count;
};

/* Names go into SQL as they are: letters, digits and "_" only. */
static int
copy_name(char buf[static NAME_SIZE], const char *text, size_t len)
{
	struct str s;

	for (size_t i = 0; i < len; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz"
			   "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
			text[i]) == NULL)
			return -1;
	str_init(&s, buf, NAME_SIZE);
	str_add_bytes(&s, text, len);
	return len == 0 || s.truncated ? -1 : 0;
}

/* "V,W": several make one value, with ":" between them. */
static int
copy_values(struct query *query, const char *text, size_t len)
{
	const char *end = text + len;

	query->value_count = 0;
	do {
		size_t name_len = strcspn(text, ",&");

		if (query->value_count == VALUES_MAX ||
		    copy_name(query->values[query->value_count++], text,
			name_len) < 0)
			return -1;
		text += name_len + 1;
	} while (text <= end);
	return 0;
}

/* "?table=T&key=K&value=V" */
static int
parse_query(const char *text, struct query *query_r)
{
	*query_r = (struct query){ .key = "key" };
	while (*text == '?' || *text == '&') {
		size_t name_len = strcspn(++text, "=&");
		const char *value = text + name_len + 1;
		size_t len;
		int r = -1;

		if (text[name_len] != '=')
			return -1;
		len = strcspn(value, "&");
		if (strncmp(text, "table=", name_len + 1) == 0)
			r = copy_name(query_r->table, value, len);
		else if (strncmp(text, "key=", name_len + 1) == 0)
			r = copy_name(query_r->key, value, len);
		else if (strncmp(text, "value=", name_len + 1) == 0)
			r = copy_values(query_r, value, len);
		if (r < 0)
			return -1;
		text = value + len;
	}
	return *text != '\0' || query_r->table[0] == '\0' ? -1 : 0;
}

/* A statement that names what is not there would be taken for our bug. */
static int
check_column(struct store *store, const struct dataset *dataset,
    const char *table, const char *column, struct err *err)
{
	struct store_stmt *stmt = store_prepare(store,
	    "SELECT count(*) FROM pragma_table_info(?1)"
	    " WHERE name = ?2 COLLATE NOCASE",
	    err);
	int64_t count;

	if (stmt == NULL)
		return -1;
	store_bind_text(stmt, 1, table, strlen(table));
	store_bind_text(stmt, 2, column, strlen(column));
	if (store_step(stmt, err) == STORE_FAILED)
		return -1;
	count = store_column_int(stmt, 0);
	store_reset(stmt);
	if (count > 0)
		return 0;
	return err_set(err, "%s: there is no column \"%s\" in a table \"%s\"",
	    dataset->path, column, table);
}

static int
add_rows(struct dataset *dataset, struct store_stmt *stmt, struct err *err)
{
	struct dataset_entry entry = { .line = 0 };
	enum store_step step;

	while ((step = store_step(stmt, err)) == STORE_ROW) {
		entry.key = store_column_text(stmt, 0, NULL);
		entry.value = store_column_text(stmt, 1, NULL);
		entry.line++;
		if (entry.key[0] == '\0')
			continue;
		if (dataset_add(dataset, &entry, err) < 0) {
			store_reset(stmt);
			return err_prefix(
			    err, "%s: row %u: ", dataset->path, entry.line);
		}
	}
	return step == STORE_DONE ? 0 : -1;
}

static int
read_table(struct dataset *dataset, struct store *store,
    const struct query *query, struct err *err)
{
	struct store_stmt *stmt;
	char sql[1024];
	struct str s;

	if (check_column(store, dataset, query->table, query->key, err) < 0)
		return -1;
	str_init(&s, sql, sizeof(sql));
	str_addf(&s, "SELECT \"%s\", ''", query->key);
	for (size_t i = 0; i < query->value_count; i++) {
		const char *name = query->values[i];

		if (check_column(store, dataset, query->table, name, err) < 0)
			return -1;
		str_addf(&s, "%s || ifnull(\"%s\", '')", i > 0 ? " || ':'" : "",
		    name);
	}
	str_addf(&s, " FROM \"%s\"", query->table);
	stmt = store_prepare(store, sql, err);
	return stmt == NULL ? -1 : add_rows(dataset, stmt, err);
}

int
dataset_load_sqlite(struct dataset *dataset, const char *text, struct err *err)
{
	const struct store_config config = {
		.path = dataset->path,
		.mode = STORE_TOOL_READ,
		.cache_bytes = CACHE_BYTES,
		.busy_ms = BUSY_MS,
	};
	struct store *store;
	struct query query;
	int r;

	if (parse_query(text, &query) < 0)
		return err_set(err,
		    "sqlite:%s%.80s: write "
		    "sqlite:PATH?table=NAME&key=COLUMN&value=COLUMN",
		    dataset->path, text);
	store = store_open(&config, NULL, err);
	if (store == NULL)
		return -1;
	r = read_table(dataset, store, &query, err);
	store_close(&store);
	return r;
}
