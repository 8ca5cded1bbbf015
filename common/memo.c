/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/memo.h"
#include "common/xmem.h"

struct entry {
	struct entry *chain;         /* same hash */
	struct entry *newer, *older; /* by time of use */
	uint64_t hash;
	int64_t since;
	void *value;
	size_t key_len;
	char key[]; /* the texts, each with its NUL */
};

struct memo {
	struct entry *newest, *oldest;
	size_t count, max;
	int64_t age;
	memo_free_fn *free_value;
	size_t chain_count; /* a power of two */
	struct entry *chains[];
};

struct key {
	uint64_t hash;
	size_t len;
	char bytes[MEMO_KEY_MAX];
};

struct memo *
memo_new(size_t max, int64_t age, memo_free_fn *free_value)
{
	size_t chain_count = 1;
	struct memo *memo;

	assert(max > 0);
	while (chain_count < max)
		chain_count *= 2;
	memo = xmem_calloc(
	    1, sizeof(*memo) + chain_count * sizeof(memo->chains[0]));
	memo->max = max;
	memo->age = age;
	memo->free_value = free_value;
	memo->chain_count = chain_count;
	return memo;
}

void
memo_free(struct memo **memo)
{
	if (*memo != NULL)
		memo_clear(*memo);
	xmem_free(memo);
}

/* Returns false when the texts are too long. */
static bool
make_key(const char *const *texts, size_t count, struct key *key)
{
	key->len = 0;
	for (size_t i = 0; i < count; i++) {
		size_t size = strlen(texts[i]) + 1;

		if (size > sizeof(key->bytes) - key->len)
			return false;
		memcpy(key->bytes + key->len, texts[i], size);
		key->len += size;
	}
	/* FNV-1a. */
	key->hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < key->len; i++)
		key->hash =
		    (key->hash ^ (unsigned char)key->bytes[i]) * 0x100000001b3;
	key->hash ^= key->hash >> 32;
	return true;
}

/* The place that points to the entry of key, or to NULL. */
static struct entry **
place_of(struct memo *memo, const char *key, size_t len, uint64_t hash)
{
	struct entry **place = &memo->chains[hash & (memo->chain_count - 1)];

	for (; *place != NULL; place = &(*place)->chain)
		if ((*place)->hash == hash && (*place)->key_len == len &&
		    memcmp((*place)->key, key, len) == 0)
			break;
	return place;
}

static void
unlink_by_use(struct memo *memo, struct entry *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		memo->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		memo->oldest = entry->newer;
}

static void
link_as_newest(struct memo *memo, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = memo->newest;
	if (memo->newest != NULL)
		memo->newest->newer = entry;
	else
		memo->oldest = entry;
	memo->newest = entry;
}

/* Returns its value. */
static void *
take_out(struct memo *memo, struct entry *entry)
{
	struct entry **place =
	    place_of(memo, entry->key, entry->key_len, entry->hash);
	void *value = entry->value;

	*place = entry->chain;
	unlink_by_use(memo, entry);
	memo->count--;
	xmem_free(&entry);
	return value;
}

static void
forget(struct memo *memo, struct entry *entry)
{
	memo->free_value(take_out(memo, entry));
}

void
memo_clear(struct memo *memo)
{
	while (memo->oldest != NULL)
		forget(memo, memo->oldest);
}

static bool
is_aged(const struct memo *memo, const struct entry *entry, int64_t now)
{
	return now - entry->since >= memo->age;
}

/* The entry of these texts, or NULL; it is not aged. */
static struct entry *
find(struct memo *memo, const char *const *texts, size_t count, int64_t now)
{
	struct entry *entry;
	struct key key;

	if (!make_key(texts, count, &key))
		return NULL;
	entry = *place_of(memo, key.bytes, key.len, key.hash);
	if (entry != NULL && is_aged(memo, entry, now)) {
		forget(memo, entry);
		entry = NULL;
	}
	return entry;
}

void *
memo_find(
    struct memo *memo, const char *const *texts, size_t count, int64_t now)
{
	struct entry *entry = find(memo, texts, count, now);

	if (entry == NULL)
		return NULL;
	unlink_by_use(memo, entry);
	link_as_newest(memo, entry);
	return entry->value;
}

void *
memo_take(
    struct memo *memo, const char *const *texts, size_t count, int64_t now)
{
	struct entry *entry = find(memo, texts, count, now);

	return entry == NULL ? NULL : take_out(memo, entry);
}

void
memo_put(struct memo *memo, const char *const *texts, size_t count, void *value,
    int64_t now)
{
	struct entry *entry, **place;
	struct key key;

	if (!make_key(texts, count, &key)) {
		memo->free_value(value);
		return;
	}
	entry = *place_of(memo, key.bytes, key.len, key.hash);
	if (entry != NULL)
		forget(memo, entry);
	while (memo->oldest != NULL &&
	       (memo->count == memo->max || is_aged(memo, memo->oldest, now)))
		forget(memo, memo->oldest);
	entry = xmem_calloc(1, sizeof(*entry) + key.len);
	entry->hash = key.hash;
	entry->since = now;
	entry->value = value;
	entry->key_len = key.len;
	memcpy(entry->key, key.bytes, key.len);
	place = place_of(memo, key.bytes, key.len, key.hash);
	*place = entry;
	link_as_newest(memo, entry);
	memo->count++;
}

size_t
memo_count(const struct memo *memo)
{
	return memo->count;
}
