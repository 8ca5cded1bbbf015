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

/* A key as one row of bytes. */
struct row {
	uint64_t hash;
	size_t len;
	char bytes[INSTANCES_KEY_MAX];
};

/* Makes the row; returns false when this message is not to be remembered. */
static bool
make_row(const struct instances_key *key, struct row *row)
{
	const char *parts[] = { key->instance, key->client_address, key->helo,
		key->sender };

	if (key->instance == NULL || key->instance[0] == '\0')
		return false;
	row->len = 0;
	for (size_t i = 0; i < 4; i++) {
		const char *part = parts[i] == NULL ? "" : parts[i];
		size_t len = strlen(part) + 1;

		if (len > sizeof(row->bytes) - row->len)
			return false;
		memcpy(row->bytes + row->len, part, len);
		row->len += len;
	}
	/* FNV-1a. */
	row->hash = 0xcbf29ce484222325;
	for (size_t i = 0; i < row->len; i++)
		row->hash =
		    (row->hash ^ (unsigned char)row->bytes[i]) * 0x100000001b3;
	row->hash ^= row->hash >> 32;
	return true;
}

static struct entry *
make_entry(const struct row *row)
{
	struct entry *entry = xmem_calloc(1, sizeof(*entry) + row->len);

	entry->hash = row->hash;
	entry->key_len = row->len;
	memcpy(entry->key, row->bytes, row->len);
	return entry;
}

/* The place that points to the entry with the same key, or to NULL. */
static struct entry **
find(struct instances *instances, const struct row *row)
{
	struct entry **place = &instances->chains[row->hash % CHAINS];

	for (; *place != NULL; place = &(*place)->chain)
		if ((*place)->hash == row->hash &&
		    (*place)->key_len == row->len &&
		    memcmp((*place)->key, row->bytes, row->len) == 0)
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
	struct entry **place =
	    &instances->chains[instances->oldest->hash % CHAINS];

	while (*place != instances->oldest)
		place = &(*place)->chain;
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
	struct entry **place;
	struct row row;

	forget_aged(instances, now_s);
	if (!make_row(key, &row))
		return NULL;
	place = find(instances, &row);
	if (*place != NULL) {
		struct entry *entry = take_out(instances, place);

		findings = entry->findings;
		entry->findings = NULL;
		free_entry(entry);
	}
	return findings;
}

void
instances_put(struct instances *instances, const struct instances_key *key,
    struct findings **findings, int64_t now_s)
{
	struct entry *entry, **place;
	struct row row;

	forget_aged(instances, now_s);
	if (!make_row(key, &row)) {
		findings_free(findings);
		return;
	}
	place = find(instances, &row);
	if (*place != NULL)
		free_entry(take_out(instances, place));
	if (instances->count >= INSTANCES_MAX)
		forget_oldest(instances);
	entry = make_entry(&row);
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
