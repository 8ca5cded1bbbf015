/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sys/random.h>

#include "common/spfcache.h"
#include "common/xmem.h"

/* A power of two; with verdicts of some 300 bytes about one per chain in
 * 5 MiB. */
#define CHAINS 16384
/* Longer ones are not worth keeping: nobody honest has them. */
#define KEY_MAX 1024
/* What malloc takes for itself. */
#define OVERHEAD 16

/* Of struct spf_output. */
#define TEXTS 4

struct entry {
	struct entry *chain;         /* same hash */
	struct entry *newer, *older; /* by time of use */
	uint64_t hash;
	int64_t fresh_until_ms;
	struct spf_output output; /* its texts are in bytes */
	size_t size;              /* of all of it */
	size_t key_len;
	char bytes[]; /* the key, then the texts */
};

struct spfcache {
	struct entry *chains[CHAINS];
	struct entry *newest, *oldest;
	size_t max_bytes, used_bytes;
	size_t count;
	uint64_t seed[2]; /* so that nobody can choose names of one hash */
};

struct key {
	size_t len;
	uint64_t hash;
	char bytes[KEY_MAX];
};

struct spfcache *
spfcache_new(size_t max_bytes)
{
	struct spfcache *cache = xmem_calloc(1, sizeof(*cache));

	cache->max_bytes = max_bytes;
	/* Without it the seed is known, which is no worse than none. */
	if (getrandom(cache->seed, sizeof(cache->seed), GRND_NONBLOCK) < 0)
		cache->seed[0] = (uintptr_t)cache;
	return cache;
}

static uint64_t
rotate(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

/* SipHash's round. */
static void
mix(uint64_t v[static 4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 of the key; its bytes are zero up to the next whole word. */
static uint64_t
hash_of(const struct spfcache *cache, const struct key *key)
{
	uint64_t v[4] = {
		cache->seed[0] ^ 0x736f6d6570736575,
		cache->seed[1] ^ 0x646f72616e646f6d,
		cache->seed[0] ^ 0x6c7967656e657261,
		cache->seed[1] ^ 0x7465646279746573,
	};
	uint64_t word;

	for (size_t i = 0; i < key->len; i += sizeof(word)) {
		memcpy(&word, key->bytes + i, sizeof(word));
		v[3] ^= word;
		mix(v);
		v[0] ^= word;
	}
	v[3] ^= key->len;
	mix(v);
	v[0] ^= key->len;
	v[2] ^= 0xff;
	for (int i = 0; i < 3; i++)
		mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* Appends len bytes, room for the last word stays. */
static bool
add(struct key *key, const void *bytes, size_t len)
{
	if (len > KEY_MAX - sizeof(uint64_t) - key->len)
		return false;
	memcpy(key->bytes + key->len, bytes, len);
	key->len += len;
	return true;
}

/* Appends a text of len bytes and its end, which no text holds. */
static bool
add_text(struct key *key, const char *text, size_t len)
{
	return add(key, text, len) && add(key, "", 1);
}

/* Makes the key of a check in that scope. Returns false when it is too
 * long. */
static bool
make_key(const struct spfcache *cache, const struct spf_input *input,
    enum spfcache_scope scope, struct key *key)
{
	bool by_helo =
	    input->identity == SPF_CHECK_HELO || input->sender[0] == '\0';
	const char *at = by_helo ? NULL : strrchr(input->sender, '@');
	const char *domain = by_helo      ? input->helo
			     : at != NULL ? at + 1
					  : input->sender;
	uint8_t head[2] = { (uint8_t)scope, (uint8_t)input->ip.family };
	uint32_t void_limit = input->void_limit;

	key->len = 0;
	if (!add(key, head, sizeof(head)) ||
	    !add(key, input->ip.bytes, input->ip.family == IP_V4 ? 4 : 16) ||
	    !add(key, &void_limit, sizeof(void_limit)) ||
	    !add_text(key, domain, strlen(domain)))
		return false;
	if (scope == SPFCACHE_THIS_SENDER &&
	    (!add_text(key, input->helo, strlen(input->helo)) ||
		!add_text(key, input->receiver, strlen(input->receiver)) ||
		!add_text(key, input->sender,
		    at == NULL ? 0 : (size_t)(at - input->sender))))
		return false;
	memset(key->bytes + key->len, 0, sizeof(uint64_t));
	key->hash = hash_of(cache, key);
	return true;
}

/* The place that points to the entry with that key, or to NULL. */
static struct entry **
find(struct spfcache *cache, const struct key *key)
{
	struct entry **place = &cache->chains[key->hash % CHAINS];

	for (; *place != NULL; place = &(*place)->chain)
		if ((*place)->hash == key->hash &&
		    (*place)->key_len == key->len &&
		    memcmp((*place)->bytes, key->bytes, key->len) == 0)
			break;
	return place;
}

static void
unlink_use(struct spfcache *cache, struct entry *entry)
{
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		cache->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		cache->oldest = entry->newer;
}

static void
link_newest(struct spfcache *cache, struct entry *entry)
{
	entry->newer = NULL;
	entry->older = cache->newest;
	if (cache->newest != NULL)
		cache->newest->newer = entry;
	else
		cache->oldest = entry;
	cache->newest = entry;
}

static void
forget(struct spfcache *cache, struct entry **place)
{
	struct entry *entry = *place;

	*place = entry->chain;
	unlink_use(cache, entry);
	cache->used_bytes -= entry->size;
	cache->count--;
	xmem_free(&entry);
}

static void
forget_oldest(struct spfcache *cache)
{
	struct entry **place = &cache->chains[cache->oldest->hash % CHAINS];

	while (*place != cache->oldest)
		place = &(*place)->chain;
	forget(cache, place);
}

void
spfcache_clear(struct spfcache *cache)
{
	while (cache->oldest != NULL)
		forget_oldest(cache);
}

void
spfcache_free(struct spfcache **cache)
{
	if (*cache == NULL)
		return;
	spfcache_clear(*cache);
	xmem_free(cache);
}

bool
spfcache_get(struct spfcache *cache, const struct spf_input *input,
    int64_t now_ms, struct spf_output *output_r)
{
	static const enum spfcache_scope scopes[] = { SPFCACHE_ANY_SENDER,
		SPFCACHE_THIS_SENDER };
	struct entry **place;
	struct key key;

	for (size_t i = 0; i < 2; i++) {
		if (!make_key(cache, input, scopes[i], &key))
			return false;
		place = find(cache, &key);
		if (*place == NULL)
			continue;
		if ((*place)->fresh_until_ms <= now_ms) {
			forget(cache, place);
			continue;
		}
		*output_r = (*place)->output;
		unlink_use(cache, *place);
		link_newest(cache, *place);
		return true;
	}
	return false;
}

/* Makes the entry, in no chain yet. */
static struct entry *
make_entry(const struct key *key, const struct spf_output *output)
{
	struct spf_output copy = *output;
	const char **texts[TEXTS] = { &copy.domain, &copy.mechanism,
		&copy.problem, &copy.explanation };
	size_t lens[TEXTS], size = sizeof(struct entry) + key->len;
	struct entry *entry;
	char *to;

	for (size_t i = 0; i < TEXTS; i++) {
		lens[i] = strlen(*texts[i]) + 1;
		size += lens[i];
	}
	entry = xmem_calloc(1, size);
	entry->size = size + OVERHEAD;
	entry->hash = key->hash;
	entry->key_len = key->len;
	memcpy(entry->bytes, key->bytes, key->len);
	to = entry->bytes + key->len;
	for (size_t i = 0; i < TEXTS; i++) {
		memcpy(to, *texts[i], lens[i]);
		*texts[i] = to;
		to += lens[i];
	}
	entry->output = copy;
	return entry;
}

void
spfcache_put(struct spfcache *cache, const struct spf_input *input,
    enum spfcache_scope scope, const struct spf_output *output,
    int64_t fresh_until_ms)
{
	struct entry *entry, **place;
	struct key key;

	if (!make_key(cache, input, scope, &key))
		return;
	entry = make_entry(&key, output);
	entry->fresh_until_ms = fresh_until_ms;
	place = find(cache, &key);
	if (*place != NULL)
		forget(cache, place);
	entry->chain = cache->chains[key.hash % CHAINS];
	cache->chains[key.hash % CHAINS] = entry;
	link_newest(cache, entry);
	cache->used_bytes += entry->size;
	cache->count++;
	while (cache->used_bytes > cache->max_bytes)
		forget_oldest(cache);
}

size_t
spfcache_count(const struct spfcache *cache)
{
	return cache->count;
}

size_t
spfcache_bytes(const struct spfcache *cache)
{
	return cache->used_bytes;
}
