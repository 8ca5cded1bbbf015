/* SPDX-License-Identifier: ISC */
/*
 * dataset_int.h - what the parts of dataset share, for dataset*.c alone
 *
 * dataset.c holds entries and finds them, dataset_load.c reads them.
 *
 * Threads: as dataset.h.
 */
#ifndef POSTERN_DKIMD_DATASET_INT_H
#define POSTERN_DKIMD_DATASET_INT_H

#include "common/arena.h"

#include "dkimd/dataset.h"

enum dataset_kind {
	DATASET_LIST,
	DATASET_FILE,
	DATASET_PATTERNS, /* refile: */
	DATASET_SQLITE,
};

struct dataset {
	enum dataset_kind kind;
	unsigned flags;
	char *path; /* for messages; NULL for a list */
	struct arena *arena;
	struct dataset_entry *entries; /* in their order */
	size_t count, room;
	/* Indices, by key and then by order, of what can be looked up: of
	 * patterns only plain texts and "*@" with a plain text behind it. */
	size_t *sorted;
	size_t sorted_count;
	size_t *others; /* indices of the other patterns, in their order */
	size_t other_count;
};

/* Adds an entry; its texts are copied. Returns 0, or -1 when there are too
 * many or the key is too long. */
int dataset_add(struct dataset *dataset, const struct dataset_entry *entry,
    struct err *err);

/* Makes the entries findable, once all are there. */
void dataset_sort(struct dataset *dataset);

/* Fills *dataset from what the rest of the text ("PATH?table=...") names.
 * Returns 0 or -1 with err. */
int dataset_load_sqlite(
    struct dataset *dataset, const char *text, struct err *err);

#endif
