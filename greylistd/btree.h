/* SPDX-License-Identifier: ISC */
/*
 * btree.h - reads the items of a Berkeley DB btree file from memory
 *
 * Enough of the format to import what postgrey left behind, without the
 * library. The file is pages of equal size, in the writer's byte order:
 *
 *     page 0    12 magic 0x053162   16 version   20 page size
 *               24 encryption  25 type 9  26 flags  48 btree flags
 *     others    8 page number  16 next page  20 items (16 bit)
 *               22 bytes used (16 bit, overflow pages)  25 type
 *               26 offsets of the items (16 bit each), keys and values in
 *                  turn
 *     item      0 length (16 bit)  2 type, 0x80 = deleted  3 bytes
 *               or, type 3: 4 first overflow page  8 total length
 *
 * All leaf pages (type 5) are read one after the other, so a damaged inner
 * page hides nothing; the order is therefore not that of the keys. Whatever
 * the memory holds, nothing outside it is read and every walk ends.
 *
 * Source: the files themselves, and db5.3_dump(1) for comparison.
 * Threads: one struct belongs to one thread; pure.
 */
#ifndef POSTERN_GREYLISTD_BTREE_H
#define POSTERN_GREYLISTD_BTREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

/* The longest key or value that is put together from overflow pages; longer
 * ones count as damaged. */
#define BTREE_ITEM_MAX 16384

struct btree {
	const uint8_t *data; /* borrowed from the caller of btree_open */
	size_t size;
	size_t page_size;
	bool big_endian;
	size_t page;    /* where the walk stands */
	size_t index;   /* of the next key on it */
	size_t damaged; /* items and pages that could not be read */
	size_t deleted; /* items that are marked as deleted */
	uint8_t key_buf[BTREE_ITEM_MAX];
	uint8_t value_buf[BTREE_ITEM_MAX];
};

/* A piece of memory: valid until the next call for the same btree. */
struct btree_bytes {
	const uint8_t *bytes;
	size_t len;
};

/* Starts reading the size bytes at data, which stay the caller's. Returns 0,
 * or -1 when this is no btree file or one of a kind that is not read
 * (encrypted, with check sums, compressed, of subdatabases). */
int btree_open(
    struct btree *bt, const void *data, size_t size, struct err *err);

/* Finds the next item. Returns false at the end. */
bool btree_next(
    struct btree *bt, struct btree_bytes *key_r, struct btree_bytes *value_r);

#endif
