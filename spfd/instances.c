/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/xmem.h"

#include "spfd/instances.h"

/* About as many chains as messages; a power of two. */
#define CHAINS 16384

/*
 * Entries are known by their whole key, not by a hash of it: a message must
 * never get what another one's checks have found.
 */
struct entry {
	struct entry *chain;         /* same hash */
	struct entry *newer, *older; /* by time of use */
	uint64_t hash;
	int64_t since_s;
	struct findings *findings;
	size_t key_len;
	char key[]; /* the texts, each with its NUL */
};

struct instances {
	struct entry *chains[CHAINS];
	struct entry *newest, *oldest;
	size_t count;
};

struct instances *
instances_new(void)
{
	return xmem_calloc(1, sizeof(struct instances));
}

static void
free_entry(struct entry *entry)
{
	findings_free(&entry->findings);
	xmem_free(&entry);
}

void
instances_free(struct instances **instances)
{
	struct entry *entry, *next;

	if (*instances == NULL)
		return;
	for (entry = (*instances)->newest; entry != NULL; entry = next) {
		next = entry->older;
		free_entry(entry);
	}
	xmem_free(instances);
}

/* Makes an entry that is in no chain; NULL when this message is not to be
 * remembered. */
static struct entry *
make_entry(const struct instances_key *key)
{
	const char *parts[] = { key->instance, key->client_address, key->helo,
		key->sender };
	size_t lens[4], len = 0;
	struct entry *entry;
	char *to;

	if (key->instance == NULL || key->instance[0] == '\0')
		return NULL;
	for (size_t i = 0; i < 4; i++) {
		if (parts[i] == NULL)
			parts[i] = "";
		lens[i] = strlen(parts[i]) + 1;
		len += lens[i];
	}
	if (len > INSTANCES_KEY_MAX)
		return NULL;
	entry = xmem_calloc(1, sizeof(*entry) + len);
	entry->key_len = len;
	to = entry->key;
	for (size_t i = 0; i < 4; i++) {
		memcpy(to, parts[i], lens[i]);
		to += lens[i];
	}
	/* FNV-1a. */
	entry->hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < len; i++)
		entry->hash = (entry->hash ^ (unsigned char)entry->key[i]) *
			      0x100000001b3;
	entry->hash ^= entry->hash >> 32;
	return entry;
}

/* The place that points to the entry with the same key, or to NULL. */
static struct entry **
find(struct instances *instances, const struct entry *like)
{
	struct entry **place = &instances->chains[like->hash % CHAINS];

	for (; *place != NULL; place = &(*place)->chain)
		if ((*place)->hash == like->hash &&
		    (*place)->key_len == like->key_len &&
		    memcmp((*place)->key, like->key, like->key_len) == 0)
			break;
	return place;
}

/* Takes the entry at place out of everything. */
static struct entry *
take_out(struct instances *instances, struct entry **place)
{
	struct entry *entry = *place;

	*place = entry->chain;
	if (entry->newer != NULL)
		entry->newer->older = entry->older;
	else
		instances->newest = entry->older;
	if (entry->older != NULL)
		entry->older->newer = entry->newer;
	else
		instances->oldest = entry->newer;
	instances->count--;
	return entry;
}

static void
forget_oldest(struct instances *instances)
{
	struct entry **place = find(instances, instances->oldest);

	free_entry(take_out(instances, place));
}

static void
forget_aged(struct instances *instances, int64_t now_s)
{
	while (instances->oldest != NULL &&
	       now_s - instances->oldest->since_s >= INSTANCES_AGE_S)
		forget_oldest(instances);
}

struct findings *
instances_take(
    struct instances *instances, const struct instances_key *key, int64_t now_s)
{
	struct findings *findings = NULL;
	struct entry *like, **place;

	forget_aged(instances, now_s);
	like = make_entry(key);
	if (like == NULL)
		return NULL;
	place = find(instances, like);
	if (*place != NULL) {
		struct entry *entry = take_out(instances, place);

		findings = entry->findings;
		entry->findings = NULL;
		free_entry(entry);
	}
	free_entry(like);
	return findings;
}

void
instances_put(struct instances *instances, const struct instances_key *key,
    struct findings **findings, int64_t now_s)
{
	struct entry *entry, **place;

	forget_aged(instances, now_s);
	entry = make_entry(key);
	if (entry == NULL) {
		findings_free(findings);
		return;
	}
	place = find(instances, entry);
	if (*place != NULL)
		free_entry(take_out(instances, place));
	if (instances->count >= INSTANCES_MAX)
		forget_oldest(instances);
	entry->findings = *findings;
	*findings = NULL;
	entry->since_s = now_s;
	place = &instances->chains[entry->hash % CHAINS];
	entry->chain = *place;
	*place = entry;
	entry->older = instances->newest;
	if (instances->newest != NULL)
		instances->newest->newer = entry;
	else
		instances->oldest = entry;
	instances->newest = entry;
	instances->count++;
}

size_t
instances_count(const struct instances *instances)
{
	return instances->count;
}
