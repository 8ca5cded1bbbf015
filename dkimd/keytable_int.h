/* SPDX-License-Identifier: ISC */
/*
 * keytable_int.h - what the parts of keytable share, for keytable*.c alone
 *
 * keytable.c holds keys and finds them, keytable_line.c reads lines,
 * keytable_dir.c finds files.
 *
 * Threads: as keytable.h.
 */
#ifndef POSTERN_DKIMD_KEYTABLE_INT_H
#define POSTERN_DKIMD_KEYTABLE_INT_H

#include "common/arena.h"

#include "dkimd/keytable.h"

struct keytable {
	struct privkey_config config;
	struct arena *arena;
	struct dataset *lines; /* of the KeyTable; NULL = none */
	struct keytable_key *keys;
	size_t count, room;
	size_t *sorted; /* indices, by name and then by order */
	void *loaded;   /* tree of struct keytable_loaded, by text */
};

/* Adds a key: loads the file (or text) unless it was loaded before. The texts
 * of key are copied but entry. Returns 0 or -1 with err. */
int keytable_add(struct keytable *table, const struct keytable_key *key,
    const char *text, struct err *err);

/* Makes the keys findable, after some were added. */
void keytable_sort(struct keytable *table);

/* Adds the keys whose paths are the pattern with a domain in each place of
 * "%". Returns 0, or -1 with err, also when there is none. */
int keytable_add_pattern(struct keytable *table, const struct keytable_key *key,
    const char *pattern, struct err *err);

#endif
