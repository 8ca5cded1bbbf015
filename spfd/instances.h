/* SPDX-License-Identifier: ISC */
/*
 * instances.h - what was found for messages that are still being received
 *
 * Postfix asks once per recipient, with the same "instance" for all of a
 * message. What the first request found serves the others. At most
 * INSTANCES_MAX messages are remembered, those that were not used for the
 * longest time are forgotten first, each after INSTANCES_AGE_S.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_INSTANCES_H
#define POSTERN_SPFD_INSTANCES_H

#include <stddef.h>
#include <stdint.h>

#include "spfd/findings.h"

#define INSTANCES_MAX 10000
#define INSTANCES_AGE_S 600
/* Messages whose key has more bytes are not remembered: no real HELO name and
 * sender are so long. */
#define INSTANCES_KEY_MAX 1024

struct instances;

/* Makes an empty memory. */
struct instances *instances_new(void);

/* Frees it with all findings; sets *instances to NULL. */
void instances_free(struct instances **instances);

/* What a message is known by: all that its checks depend on. Texts may be
 * NULL. */
struct instances_key {
	const char *instance; /* NULL or "": not remembered */
	const char *client_address;
	const char *helo;
	const char *sender;
};

/* Takes the findings of that message out, or returns NULL. The caller gives
 * them back with instances_put or frees them. */
struct findings *instances_take(struct instances *instances,
    const struct instances_key *key, int64_t now_s);

/* Remembers the findings and sets *findings to NULL. What was there under
 * the same key is freed. */
void instances_put(struct instances *instances, const struct instances_key *key,
    struct findings **findings, int64_t now_s);

/* How many are remembered. */
size_t instances_count(const struct instances *instances);

#endif
