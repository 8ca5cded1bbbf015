/* SPDX-License-Identifier: ISC */
#include "common/memo.h"
#include "common/xmem.h"

#include "greylistd/facts_memory.h"

/* What a message is known by. */
#define TEXTS 6

/* The selection of the facts is held. */
struct facts_memory {
	struct memo *memo;
};

static void
free_facts(void *value)
{
	struct facts *facts = value;

	selection_release(&facts->selection);
	xmem_free(&facts);
}

struct facts_memory *
facts_memory_new(void)
{
	struct facts_memory *memory = xmem_calloc(1, sizeof(*memory));

	memory->memo =
	    memo_new(FACTS_MEMORY_MAX, FACTS_MEMORY_AGE_MS, free_facts);
	return memory;
}

void
facts_memory_free(struct facts_memory **memory)
{
	if (*memory != NULL)
		memo_free(&(*memory)->memo);
	xmem_free(memory);
}

void
facts_memory_clear(struct facts_memory *memory)
{
	memo_clear(memory->memo);
}

/* All that the facts depend on. Returns false without an instance. */
static bool
make_key(const char *instance, const struct facts_client *client,
    char address[static IP_TEXT_SIZE], const char *texts[static TEXTS])
{
	if (instance == NULL || instance[0] == '\0')
		return false;
	texts[0] = instance;
	texts[1] = ip_format(&client->ip, address);
	texts[2] = client->name;
	texts[3] = client->reverse_name;
	texts[4] = client->helo;
	texts[5] = client->sender;
	return true;
}

const struct facts *
facts_memory_find(struct facts_memory *memory, const char *instance,
    const struct facts_client *client, const struct selection *selection,
    int64_t now_ms)
{
	char address[IP_TEXT_SIZE];
	const char *texts[TEXTS];
	const struct facts *facts;

	if (!make_key(instance, client, address, texts))
		return NULL;
	facts = memo_find(memory->memo, texts, TEXTS, now_ms);
	return facts != NULL && facts->selection == selection ? facts : NULL;
}

void
facts_memory_put(struct facts_memory *memory, const char *instance,
    const struct facts_client *client, const struct facts *facts,
    int64_t now_ms)
{
	char address[IP_TEXT_SIZE];
	const char *texts[TEXTS];
	struct facts *copy;

	if (!make_key(instance, client, address, texts))
		return;
	copy = xmem_alloc(sizeof(*copy));
	*copy = *facts;
	selection_hold(copy->selection);
	memo_put(memory->memo, texts, TEXTS, copy, now_ms);
}
