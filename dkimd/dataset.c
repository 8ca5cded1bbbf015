/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/dataset_int.h"

static char
fold(char c, bool with_case)
{
	return !with_case && c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool
same_bytes(const char *a, const char *b, size_t len, bool with_case)
{
	for (size_t i = 0; i < len; i++)
		if (fold(a[i], with_case) != fold(b[i], with_case))
			return false;
	return true;
}

/* The leftmost place of part in text, or NULL. */
static const char *
find_part(const char *text, size_t len, const char *part, size_t part_len,
    bool with_case)
{
	for (size_t i = 0; i + part_len <= len; i++)
		if (same_bytes(text + i, part, part_len, with_case))
			return text + i;
	return NULL;
}

/* What follows the last "*" must be the end of text: most patterns are out
 * at once. What stands between two of them may be taken where it is found
 * first, so that nothing is ever tried twice. */
bool
dataset_wildcard(
    const char *pattern, const char *text, size_t len, bool with_case)
{
	const char *last = strrchr(pattern, '*');
	size_t head = strcspn(pattern, "*");
	size_t tail;

	if (last == NULL)
		return head == len && same_bytes(text, pattern, len, with_case);
	tail = strlen(last + 1);
	if (head + tail > len ||
	    !same_bytes(text + len - tail, last + 1, tail, with_case) ||
	    !same_bytes(text, pattern, head, with_case))
		return false;
	text += head;
	len -= head + tail;
	pattern += head;
	while (pattern < last) {
		size_t part = strcspn(++pattern, "*");
		const char *at = find_part(text, len, pattern, part, with_case);

		if (at == NULL)
			return false;
		len -= (size_t)(at - text) + part;
		text = at + part;
		pattern += part;
	}
	return true;
}

static int
compare_keys(const struct dataset *dataset, const char *a, const char *b)
{
	return (dataset->flags & DATASET_CASE) != 0 ? strcmp(a, b)
						    : strcasecmp(a, b);
}

static int
compare(const void *a, const void *b, void *arg)
{
	const struct dataset *dataset = arg;
	size_t i = *(const size_t *)a;
	size_t j = *(const size_t *)b;
	int order = compare_keys(
	    dataset, dataset->entries[i].key, dataset->entries[j].key);

	if (order != 0)
		return order;
	return i < j ? -1 : i > j;
}

int
dataset_add(
    struct dataset *dataset, const struct dataset_entry *entry, struct err *err)
{
	struct dataset_entry *own;

	if (strlen(entry->key) > DATASET_KEY_MAX)
		return err_set(
		    err, "the key is longer than %d bytes", DATASET_KEY_MAX);
	if (dataset->count >= DATASET_ENTRIES_MAX)
		return err_set(
		    err, "more than %d entries", DATASET_ENTRIES_MAX);
	if (dataset->count == dataset->room) {
		dataset->room = dataset->room * 2 + 16;
		dataset->entries = xmem_realloc(
		    dataset->entries, dataset->room, sizeof(*dataset->entries));
	}
	own = &dataset->entries[dataset->count++];
	own->key = arena_strdup(dataset->arena, entry->key);
	own->value = arena_strdup(dataset->arena, entry->value);
	own->line = entry->line;
	return 0;
}

void
dataset_sort(struct dataset *dataset)
{
	dataset->sorted =
	    xmem_calloc(dataset->count + 1, sizeof(*dataset->sorted));
	for (size_t i = 0; i < dataset->count; i++)
		dataset->sorted[i] = i;
	qsort_r(dataset->sorted, dataset->count, sizeof(*dataset->sorted),
	    compare, dataset);
}

void
dataset_free(struct dataset **dataset)
{
	struct dataset *d = *dataset;

	if (d == NULL)
		return;
	arena_free(&d->arena);
	xmem_free(&d->path);
	xmem_free(&d->entries);
	xmem_free(&d->sorted);
	xmem_free(dataset);
}

/* The first entry for key that has the index from or a later one. */
static const struct dataset_entry *
find_pattern(const struct dataset *dataset, const char *key, size_t from)
{
	size_t len = strlen(key);

	if (len > DATASET_KEY_MAX)
		return NULL;
	for (size_t i = from; i < dataset->count; i++)
		if (dataset_wildcard(dataset->entries[i].key, key, len,
			(dataset->flags & DATASET_CASE) != 0))
			return &dataset->entries[i];
	return NULL;
}

/* The same among what is sorted. */
static const struct dataset_entry *
find_equal(const struct dataset *dataset, const char *key, size_t from)
{
	size_t low = 0, high = dataset->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t i = dataset->sorted[middle];
		int order = compare_keys(dataset, dataset->entries[i].key, key);

		if (order < 0 || (order == 0 && i < from))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == dataset->count)
		return NULL;
	low = dataset->sorted[low];
	if (compare_keys(dataset, dataset->entries[low].key, key) != 0)
		return NULL;
	return &dataset->entries[low];
}

const struct dataset_entry *
dataset_find(const struct dataset *dataset, const char *key)
{
	return dataset_find_next(dataset, key, NULL);
}

const struct dataset_entry *
dataset_find_next(const struct dataset *dataset, const char *key,
    const struct dataset_entry *after)
{
	size_t from;

	if (dataset == NULL)
		return NULL;
	from = after == NULL ? 0 : (size_t)(after - dataset->entries) + 1;
	return (dataset_has_patterns(dataset) ? find_pattern : find_equal)(
	    dataset, key, from);
}

bool
dataset_has_patterns(const struct dataset *dataset)
{
	return dataset->kind == DATASET_PATTERNS;
}

size_t
dataset_count(const struct dataset *dataset)
{
	return dataset == NULL ? 0 : dataset->count;
}

const struct dataset_entry *
dataset_at(const struct dataset *dataset, size_t i)
{
	return &dataset->entries[i];
}

int
dataset_blame(const struct dataset *dataset, const struct dataset_entry *entry,
    struct err *err)
{
	switch (dataset->kind) {
	case DATASET_LIST:
		return err_prefix(err, "entry %u: ", entry->line);
	case DATASET_SQLITE:
		return err_prefix(
		    err, "%s: row %u: ", dataset->path, entry->line);
	case DATASET_FILE:
	case DATASET_PATTERNS:
		break;
	}
	return err_prefix(err, "%s:%u: ", dataset->path, entry->line);
}
