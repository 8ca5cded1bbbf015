/* SPDX-License-Identifier: ISC */
/*
 * ctl_merge.h - adds rows to a database that may know them already
 *
 * Of two triplets with the same key the earliest first and the latest last
 * count, and having passed wins; of two clients the larger count. So adding
 * the same twice changes nothing. Rows are written in small
 * transactions, with pauses between.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_GREYLISTD_CTL_MERGE_H
#define POSTERN_GREYLISTD_CTL_MERGE_H

#include <stdint.h>

#include "common/err.h"
#include "greylistd/ctl.h"
#include "greylistd/ctl_text.h"

struct ctl_merge {
	struct ctl *ctl;
	unsigned waiting; /* rows in the open transaction */
	int64_t began_us; /* when it was opened */
	int64_t added;    /* triplets and clients that were new */
	int64_t merged;   /* that were there already */
	int64_t others;   /* rules and counters */
};

/* Adds a triplet. Returns 0, or -1 with err and no transaction open. */
int ctl_merge_triplet(struct ctl_merge *merge, const char *key,
    const struct greylist_entry *entry, struct err *err);

/* Adds a client. */
int ctl_merge_client(struct ctl_merge *merge, const char *address,
    const struct greylist_client *client, struct err *err);

/* Adds a rule (the newer of two counts) or a day's counter (the larger one)
 * from an export. */
int ctl_merge_other(
    struct ctl_merge *merge, const struct ctl_text *record, struct err *err);

/* Writes what waits. */
int ctl_merge_flush(struct ctl_merge *merge, struct err *err);

#endif
