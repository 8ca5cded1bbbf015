/* SPDX-License-Identifier: ISC */
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/keytable_int.h"

/* A key that is loaded; many names may share it. */
struct keytable_loaded {
	const char *text; /* path or credential:NAME; in the arena */
	struct engine_key *key;
};

bool
keytable_is_name(const char *text)
{
	return str_labels(text, strlen(text), false) > 0;
}

struct keytable *
keytable_new(const struct privkey_config *config)
{
	struct keytable *table = xmem_calloc(1, sizeof(*table));

	table->config = *config;
	table->arena = arena_new();
	table->sorted = xmem_calloc(1, sizeof(*table->sorted));
	return table;
}

static void
free_loaded(void *node)
{
	struct keytable_loaded *loaded = node;

	engine_key_free(&loaded->key);
	xmem_free(&loaded);
}

void
keytable_free(struct keytable **table)
{
	struct keytable *t = *table;

	if (t == NULL)
		return;
	tdestroy(t->loaded, free_loaded);
	dataset_free(&t->lines);
	arena_free(&t->arena);
	xmem_free(&t->keys);
	xmem_free(&t->sorted);
	xmem_free(table);
}

static int
compare_loaded(const void *a, const void *b)
{
	const struct keytable_loaded *x = a, *y = b;

	return strcmp(x->text, y->text);
}

/* The key that text names. Returns NULL with err. */
static const struct engine_key *
load(struct keytable *table, const char *text, struct err *err)
{
	struct keytable_loaded wanted = { .text = text };
	struct keytable_loaded *loaded;
	void *node = tfind(&wanted, &table->loaded, compare_loaded);
	struct engine_key *key;

	if (node != NULL) {
		loaded = *(struct keytable_loaded **)node;
		return loaded->key;
	}
	key = privkey_load(text, &table->config, err);
	if (key == NULL)
		return NULL;
	loaded = xmem_alloc(sizeof(*loaded));
	loaded->text = arena_strdup(table->arena, text);
	loaded->key = key;
	if (tsearch(loaded, &table->loaded, compare_loaded) == NULL)
		abort();
	return key;
}

int
keytable_add(struct keytable *table, const struct keytable_key *key,
    const char *text, struct err *err)
{
	struct keytable_key *own;
	char *domain;

	if (table->count >= KEYTABLE_KEYS_MAX)
		return err_set(err, "more than %d keys", KEYTABLE_KEYS_MAX);
	if (table->count == table->room) {
		table->room = table->room * 2 + 4;
		table->keys = xmem_realloc(
		    table->keys, table->room, sizeof(*table->keys));
	}
	own = &table->keys[table->count];
	*own = *key;
	own->key = load(table, text, err);
	if (own->key == NULL)
		return -1;
	domain = arena_strdup(table->arena, key->domain);
	str_lower(domain, strlen(domain));
	own->name = arena_strdup(table->arena, key->name);
	own->domain = domain;
	own->selector = arena_strdup(table->arena, key->selector);
	own->path = arena_strdup(table->arena, key->path);
	if (key->from_domain != NULL)
		own->from_domain = arena_strdup(table->arena, key->from_domain);
	table->count++;
	return 0;
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	const struct keytable *table = arg;
	size_t i = *(const size_t *)a;
	size_t j = *(const size_t *)b;
	int order = strcasecmp(table->keys[i].name, table->keys[j].name);

	if (order != 0)
		return order;
	return i < j ? -1 : i > j;
}

void
keytable_sort(struct keytable *table)
{
	table->sorted = xmem_realloc(
	    table->sorted, table->count + 1, sizeof(*table->sorted));
	for (size_t i = 0; i < table->count; i++)
		table->sorted[i] = i;
	qsort_r(table->sorted, table->count, sizeof(*table->sorted),
	    compare_keys, table);
}

int
keytable_add_file(struct keytable *table, const char *name, const char *domain,
    const char *selector, const char *path, struct err *err)
{
	const struct keytable_key key = {
		.name = name,
		.domain = domain,
		.selector = selector,
		.path = path,
		.from = INT64_MIN,
		.until = INT64_MAX,
	};
	char *full;
	int r;

	if (!keytable_is_name(selector))
		return err_set(
		    err, "\"%.80s\" is no name of a selector", selector);
	full = strncmp(path, "credential:", 11) == 0
		   ? xmem_strdup(path)
		   : dataset_path(path, table->config.base);
	r = keytable_add(table, &key, full, err);
	xmem_free(&full);
	keytable_sort(table);
	return r;
}

size_t
keytable_count(const struct keytable *table)
{
	return table->count;
}

const struct keytable_key *
keytable_at(const struct keytable *table, size_t i)
{
	return &table->keys[i];
}

/* The place of the first key of this name in sorted order. */
static size_t
first_of(const struct keytable *table, const char *name)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct keytable_key *key =
		    &table->keys[table->sorted[middle]];

		if (strcasecmp(key->name, name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool
keytable_has(const struct keytable *table, const char *name)
{
	size_t at = first_of(table, name);

	return at < table->count &&
	       strcasecmp(table->keys[table->sorted[at]].name, name) == 0;
}

static bool
is_usable(const struct keytable_key *key, const char *from_domain, int64_t now)
{
	return now >= key->from && now < key->until &&
	       (key->from_domain == NULL ||
		   strcasecmp(key->from_domain, from_domain) == 0);
}

size_t
keytable_find(const struct keytable *table, const char *name,
    const char *from_domain, int64_t now,
    const struct keytable_key *found_r[static KEYTABLE_FOUND_MAX])
{
	const struct keytable_key *best[KEYTABLE_FOUND_MAX] = { NULL, NULL };
	size_t count = 0;

	if (strcmp(name, "%") == 0)
		name = from_domain;
	for (size_t at = first_of(table, name); at < table->count; at++) {
		const struct keytable_key *key =
		    &table->keys[table->sorted[at]];
		size_t i;

		if (strcasecmp(key->name, name) != 0)
			break;
		i = engine_key_algorithm(key->key) == SIGFIELD_ED25519_SHA256;
		if (is_usable(key, from_domain, now) &&
		    (best[i] == NULL || key->from > best[i]->from))
			best[i] = key;
	}
	for (size_t i = 0; i < KEYTABLE_FOUND_MAX; i++)
		if (best[i] != NULL)
			found_r[count++] = best[i];
	return count;
}
