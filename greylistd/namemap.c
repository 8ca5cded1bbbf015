/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>

#include "common/arena.h"
#include "common/xmem.h"
#include "greylistd/namemap.h"

#define SLOTS_MIN 16

struct slot {
	const char *key; /* NULL: free */
	size_t len;
	uint64_t hash;
	void *value;
};

/* Open addressing, at most half full, so that a miss ends soon. */
struct namemap {
	struct arena *keys;
	struct slot *slots;
	size_t slot_count; /* a power of two */
	size_t count;
};

/* One more byte, from the right: FNV-1a. */
static uint64_t
hash_byte(uint64_t hash, char byte)
{
	return (hash ^ (unsigned char)byte) * 0x100000001b3;
}

#define HASH_START ((uint64_t)0xcbf29ce484222325)

static uint64_t
hash_key(const char *key, size_t len)
{
	uint64_t hash = HASH_START;

	while (len > 0)
		hash = hash_byte(hash, key[--len]);
	return hash;
}

/* Returns the slot of the key, or the free one where it would be. */
static struct slot *
find(const struct namemap *map, const char *key, size_t len, uint64_t hash)
{
	/* FNV's upper bits are the better ones. */
	size_t i = (size_t)(hash ^ hash >> 32);
	struct slot *slot;

	for (;; i++) {
		slot = &map->slots[i & (map->slot_count - 1)];
		if (slot->key == NULL ||
		    (slot->hash == hash && slot->len == len &&
			memcmp(slot->key, key, len) == 0))
			return slot;
	}
}

struct namemap *
namemap_new(void)
{
	struct namemap *map = xmem_calloc(1, sizeof(*map));

	map->keys = arena_new();
	map->slot_count = SLOTS_MIN;
	map->slots = xmem_calloc(map->slot_count, sizeof(*map->slots));
	return map;
}

void
namemap_free(struct namemap **map)
{
	if (*map == NULL)
		return;
	arena_free(&(*map)->keys);
	xmem_free(&(*map)->slots);
	xmem_free(map);
}

static void
grow(struct namemap *map)
{
	struct slot *old = map->slots;
	size_t old_count = map->slot_count;

	map->slot_count *= 2;
	map->slots = xmem_calloc(map->slot_count, sizeof(*map->slots));
	for (size_t i = 0; i < old_count; i++)
		if (old[i].key != NULL)
			*find(map, old[i].key, old[i].len, old[i].hash) =
			    old[i];
	xmem_free(&old);
}

void *
namemap_put(struct namemap *map, const char *key, size_t len, void *value)
{
	uint64_t hash = hash_key(key, len);
	struct slot *slot = find(map, key, len, hash);
	void *before = slot->value;

	if (slot->key == NULL) {
		if (2 * (map->count + 1) > map->slot_count) {
			grow(map);
			slot = find(map, key, len, hash);
		}
		/* One byte more: room for none would be no address. */
		slot->key = memcpy(arena_alloc(map->keys, len + 1), key, len);
		slot->len = len;
		slot->hash = hash;
		map->count++;
	}
	slot->value = value;
	return before;
}

void *
namemap_get(const struct namemap *map, const char *key, size_t len)
{
	return find(map, key, len, hash_key(key, len))->value;
}

void *
namemap_suffix(const struct namemap *map, const char *name, size_t len,
    namemap_accept_fn *accept, const void *arg)
{
	uint64_t hash = HASH_START;
	void *best = NULL;

	if (map->count == 0)
		return NULL;
	for (size_t start = len; start-- > 0;) {
		void *value;

		hash = hash_byte(hash, name[start]);
		if (start > 0 && name[start - 1] != '.')
			continue;
		value = find(map, name + start, len - start, hash)->value;
		if (value != NULL && (accept == NULL || accept(value, arg)))
			best = value;
	}
	return best;
}

size_t
namemap_count(const struct namemap *map)
{
	return map->count;
}
