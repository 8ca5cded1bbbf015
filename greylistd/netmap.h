/* SPDX-License-Identifier: ISC */
/*
 * netmap.h - networks to pointers, found by an address in them
 *
 * Threads: readers may share one map; one writer.
 */
#ifndef POSTERN_GREYLISTD_NETMAP_H
#define POSTERN_GREYLISTD_NETMAP_H

#include <stddef.h>

#include "common/ip.h"
#include "greylistd/namemap.h"

struct netmap;

/* Makes an empty map. */
struct netmap *netmap_new(void);

/* Frees the map, not the values; sets *map to NULL. */
void netmap_free(struct netmap **map);

/* Sets the value (not NULL) of net. Returns the one that was there before,
 * or NULL. */
void *netmap_put(struct netmap *map, const struct ip_net *net, void *value);

/* Returns the value of the smallest network that ip is in and whose value
 * accept (may be NULL; arg is handed on) takes, or NULL. Costs one look-up
 * for each length of prefix that the map has in ip's family. */
void *netmap_find(const struct netmap *map, const struct ip *ip,
    namemap_accept_fn *accept, const void *arg);

/* How many networks there are. */
size_t netmap_count(const struct netmap *map);

#endif
