/* SPDX-License-Identifier: ISC */
#include <stdint.h>

#include "common/xmem.h"
#include "greylistd/instances.h"

/* Twice as many chains as messages; a power of two. */
#define CHAINS (2 * INSTANCES_MAX)
/* Ends a chain. */
#define NOBODY UINT16_MAX

/*
 * What is remembered is a 64-bit hash: should two messages ever share one,
 * the second goes without its header, which is for people only.
 */
struct instances {
	uint64_t hash[INSTANCES_MAX];  /* a ring, the oldest at next */
	uint16_t after[INSTANCES_MAX]; /* in the same chain */
	uint16_t first[CHAINS];
	uint16_t next;
	bool full;
};

/* FNV-1a. */
static uint64_t
hash_text(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325;

	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return hash ^ hash >> 32;
}

struct instances *
instances_new(void)
{
	struct instances *instances = xmem_calloc(1, sizeof(*instances));

	for (size_t i = 0; i < CHAINS; i++)
		instances->first[i] = NOBODY;
	return instances;
}

void
instances_free(struct instances **instances)
{
	xmem_free(instances);
}

/* Takes the oldest out of its chain. */
static void
forget_oldest(struct instances *instances)
{
	uint16_t oldest = instances->next;
	uint16_t *link = &instances->first[instances->hash[oldest] % CHAINS];

	while (*link != oldest)
		link = &instances->after[*link];
	*link = instances->after[oldest];
}

bool
instances_is_first(struct instances *instances, const char *instance)
{
	uint16_t *chain;
	uint64_t hash;

	if (instance == NULL || *instance == '\0')
		return true;
	hash = hash_text(instance);
	chain = &instances->first[hash % CHAINS];
	for (uint16_t i = *chain; i != NOBODY; i = instances->after[i])
		if (instances->hash[i] == hash)
			return false;
	if (instances->full)
		forget_oldest(instances);
	instances->hash[instances->next] = hash;
	instances->after[instances->next] = *chain;
	*chain = instances->next;
	instances->next = (uint16_t)((instances->next + 1) % INSTANCES_MAX);
	instances->full = instances->full || instances->next == 0;
	return true;
}
