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

/* Is this pattern one that a text can be looked up for? "*@example.com" is
 * what most tables are made of. */
static bool
is_simple(const char *pattern)
{
	if (strncmp(pattern, "*@", 2) == 0)
		pattern += 2;
	else if (strchr(pattern, '*') == NULL)
		return true;
	return strpbrk(pattern, "*@") == NULL;
}

void
dataset_sort(struct dataset *dataset)
{
	size_t count = dataset->count;

	dataset->sorted = xmem_calloc(count + 1, sizeof(*dataset->sorted));
	dataset->others = xmem_calloc(count + 1, sizeof(*dataset->others));
	for (size_t i = 0; i < count; i++) {
		if (dataset_has_patterns(dataset) &&
		    !is_simple(dataset->entries[i].key))
			dataset->others[dataset->other_count++] = i;
		else
			dataset->sorted[dataset->sorted_count++] = i;
	}
	qsort_r(dataset->sorted, dataset->sorted_count,
	    sizeof(*dataset->sorted), compare, dataset);
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
	xmem_free(&d->others);
	xmem_free(dataset);
}

/* The first entry whose key is this one and whose index is from or more; its
 * index, or count when there is none. */
static size_t
find_equal(const struct dataset *dataset, const char *key, size_t from)
{
	size_t low = 0, high = dataset->sorted_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		size_t i = dataset->sorted[middle];
		int order = compare_keys(dataset, dataset->entries[i].key, key);

		if (order < 0 || (order == 0 && i < from))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == dataset->sorted_count)
		return dataset->count;
	low = dataset->sorted[low];
	if (compare_keys(dataset, dataset->entries[low].key, key) != 0)
		return dataset->count;
	return low;
}

/* The same for "*@example.com", which matches key by its end. */
static size_t
find_domain(const struct dataset *dataset, const char *key, size_t from)
{
	const char *at = strrchr(key, '@');
	char pattern[DATASET_KEY_MAX + 2];
	struct str s;

	if (at == NULL)
		return dataset->count;
	str_init(&s, pattern, sizeof(pattern));
	str_add_char(&s, '*');
	str_add(&s, at);
	return find_equal(dataset, pattern, from);
}

/* The same for any pattern. */
static size_t
find_pattern(const struct dataset *dataset, const char *key, size_t from)
{
	const bool with_case = (dataset->flags & DATASET_CASE) != 0;
	size_t len = strlen(key);
	size_t best, other;

	if (len > DATASET_KEY_MAX)
		return dataset->count;
	best = find_domain(dataset, key, from);
	other = find_equal(dataset, key, from);
	if (other < best)
		best = other;
	for (size_t i = 0; i < dataset->other_count; i++) {
		other = dataset->others[i];
		if (other >= best)
			break;
		if (other >= from &&
		    dataset_wildcard(
			dataset->entries[other].key, key, len, with_case))
			return other;
	}
	return best;
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
	size_t i;

	if (dataset == NULL)
		return NULL;
	i = after == NULL ? 0 : (size_t)(after - dataset->entries) + 1;
	i = (dataset_has_patterns(dataset) ? find_pattern : find_equal)(
	    dataset, key, i);
	return i < dataset->count ? &dataset->entries[i] : NULL;
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
