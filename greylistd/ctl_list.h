/* SPDX-License-Identifier: ISC */
/*
 * ctl_list.h - rows of triplets, clients and rules, for list and show
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_GREYLISTD_CTL_LIST_H
#define POSTERN_GREYLISTD_CTL_LIST_H

#include <stddef.h>

#include "greylistd/ctl.h"
#include "greylistd/ctl_print.h"

/* Starts rows of triplets on standard output, see ctl_print_new. */
struct ctl_print *ctl_list_triplets(
    struct ctl *ctl, struct json *json, const char *name);
/* One row of it. */
void ctl_list_triplet(struct ctl *ctl, struct ctl_print *print, const char *key,
    size_t len, const struct greylist_entry *entry);

/* Starts rows of auto-whitelisted clients. */
struct ctl_print *ctl_list_clients(struct json *json, const char *name);
/* One row of it. */
void ctl_list_client(const struct ctl *ctl, struct ctl_print *print,
    const char *address, const struct greylist_client *client);

/* Starts rows of rules. */
struct ctl_print *ctl_list_rules(struct json *json, const char *name);
/* One row of it. */
void ctl_list_rule(struct ctl_print *print, const struct ctl_rule *rule);

#endif
