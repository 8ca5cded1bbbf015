/* SPDX-License-Identifier: ISC */
/*
 * instances.h - which messages already have their X-Greylist header
 *
 * Postfix sends one request per recipient and the same "instance" for all of
 * a message; the header belongs there once. The last INSTANCES_MAX messages
 * are remembered.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_INSTANCES_H
#define POSTERN_GREYLISTD_INSTANCES_H

#include <stdbool.h>

#define INSTANCES_MAX 1024

struct instances;

/* Makes an empty memory. */
struct instances *instances_new(void);

/* Frees it; sets *instances to NULL. */
void instances_free(struct instances **instances);

/* Is this the first time that instance is named? Remembers it. An absent
 * (NULL) or empty instance is always a first time. */
bool instances_is_first(struct instances *instances, const char *instance);

#endif
