/* SPDX-License-Identifier: ISC */
/*
 * hostlist.h - lists of hosts: InternalHosts, ExternalIgnoreList, PeerList
 *
 * A dataset (dataset.h) of host names, .domains, addresses and networks, each
 * perhaps with "!" for "not this one". Names go before addresses, the longer
 * name and the smaller network win, "!" wins over its own like. Networks are
 * compared as numbers; one with host bits (192.168.0.1/24) is taken as its
 * network, with a warning.
 *
 * Threads: any, once loaded.
 */
#ifndef POSTERN_DKIMD_HOSTLIST_H
#define POSTERN_DKIMD_HOSTLIST_H

#include <stdbool.h>

#include "common/err.h"
#include "common/ip.h"

struct hostlist;

/* Loads the list that text names, see dataset_load; warn gets one sentence
 * per doubtful entry. Returns NULL with err. */
struct hostlist *hostlist_load(const char *text, const char *base,
    void (*warn)(void *arg, const char *text), void *arg, struct err *err);

/* Frees it; sets *list to NULL. */
void hostlist_free(struct hostlist **list);

/* Is the host of this name ("" or NULL = unknown) and address (NULL: none,
 * as with sendmail(1), which is 127.0.0.1) in the list? list may be NULL: it
 * is empty. */
bool hostlist_has(
    const struct hostlist *list, const char *name, const struct ip *ip);

/* The same for a mere name. */
bool hostlist_has_name(const struct hostlist *list, const char *name);

#endif
