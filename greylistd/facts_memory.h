/* SPDX-License-Identifier: ISC */
/*
 * facts_memory.h - facts about messages that are still being received
 *
 * Postfix asks once per recipient, with the same "instance" for all of a
 * message. What was found out for the first recipient serves the others, also
 * when DNS left something open: so all of them fare alike, and a name server
 * that is dead is waited for once.
 *
 * An instance alone is nobody's proof: facts are found again only for the
 * same address, names and sender, and under the same settings.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_FACTS_MEMORY_H
#define POSTERN_GREYLISTD_FACTS_MEMORY_H

#include <stdint.h>

#include "greylistd/facts.h"

/* The most messages; those that were not asked about for the longest time are
 * forgotten first. */
#define FACTS_MEMORY_MAX 2000
/* For how long a message's facts hold. */
#define FACTS_MEMORY_AGE_MS 600000

struct facts_memory;

/* Makes an empty memory. */
struct facts_memory *facts_memory_new(void);

/* Frees it; sets *memory to NULL. */
void facts_memory_free(struct facts_memory **memory);

/* Forgets everything: at a reload, when other settings count. */
void facts_memory_clear(struct facts_memory *memory);

/* Returns the facts about this message by this client that were gathered for
 * selection, or NULL; valid until the next call. An instance that is NULL or
 * empty has none. now_ms is monotonic. */
const struct facts *facts_memory_find(struct facts_memory *memory,
    const char *instance, const struct facts_client *client,
    const struct selection *selection, int64_t now_ms);

/* Remembers a copy of facts, which holds its selection. */
void facts_memory_put(struct facts_memory *memory, const char *instance,
    const struct facts_client *client, const struct facts *facts,
    int64_t now_ms);

#endif
