/* SPDX-License-Identifier: ISC */
/*
 * providers.h - the networks of named providers, from their SPF records
 *
 * The records are expanded at the start and again when their TTL is over
 * (not sooner than 10 minutes, not later than a day), never for a request:
 * a look-up only reads. When DNS fails the networks known so far stay, and
 * it is tried again after a minute.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_PROVIDERS_H
#define POSTERN_GREYLISTD_PROVIDERS_H

#include <stddef.h>

#include "common/dns.h"
#include "common/ip.h"

struct providers;

/* Makes an empty set that asks dns, which is borrowed. */
struct providers *providers_new(struct dns *dns);

/* Cancels what is asked and frees the set; sets *set to NULL. */
void providers_free(struct providers **set);

/* From now on the set is made of these count domains (copied, lower case).
 * Those that it had keep their networks until they are asked anew, which
 * begins with the next tick. */
void providers_configure(
    struct providers *set, char *const *domains, size_t count);

/* Asks for what is due; call it every second or so. */
void providers_tick(void *set);

/* Returns the domain whose networks have ip, or NULL. set may be NULL. */
const char *providers_find(const struct providers *set, const struct ip *ip);

#endif
