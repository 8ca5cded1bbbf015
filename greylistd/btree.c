/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "greylistd/btree.h"

#define MAGIC 0x053162
#define VERSION_MIN 8
#define VERSION_MAX 10
#define PAGE_SIZE_MIN 512
#define PAGE_SIZE_MAX 65536
#define PAGE_HEADER 26

/* Page types. */
#define PAGE_OVERFLOW 7
#define PAGE_LEAF 5
#define PAGE_META 9

/* Flags of page 0. */
#define META_FLAG_CHECKSUM 0x01
#define BTREE_FLAG_RECORDS 0x02
#define BTREE_FLAG_SUBDATABASES 0x20
#define BTREE_FLAG_COMPRESSED 0x80

/* Item types. */
#define ITEM_PLAIN 1
#define ITEM_OVERFLOW 3
#define ITEM_DELETED 0x80
#define ITEM_HEADER 3
#define ITEM_OVERFLOW_SIZE 12

static uint16_t
get16(const struct btree *bt, const uint8_t *p)
{
	return (uint16_t)(bt->big_endian ? p[0] << 8 | p[1] : p[1] << 8 | p[0]);
}

static uint32_t
get32(const struct btree *bt, const uint8_t *p)
{
	uint32_t value = 0;

	for (int i = 0; i < 4; i++)
		value = value << 8 | p[bt->big_endian ? i : 3 - i];
	return value;
}

static int
check_kind(const struct btree *bt, struct err *err)
{
	uint32_t version = get32(bt, bt->data + 16);
	uint32_t flags = get32(bt, bt->data + 48);

	if (bt->data[25] != PAGE_META)
		return err_set(err, "its first page is no btree's");
	if (version < VERSION_MIN || version > VERSION_MAX)
		return err_set(err,
		    "btree version %lu is not known (%d to %d "
		    "are)",
		    (unsigned long)version, VERSION_MIN, VERSION_MAX);
	if (bt->page_size < PAGE_SIZE_MIN || bt->page_size > PAGE_SIZE_MAX ||
	    (bt->page_size & (bt->page_size - 1)) != 0)
		return err_set(
		    err, "a page size of %zu is impossible", bt->page_size);
	if (bt->data[24] != 0)
		return err_set(err, "it is encrypted");
	if ((bt->data[26] & META_FLAG_CHECKSUM) != 0)
		return err_set(err, "pages with check sums are not read");
	if ((flags & (BTREE_FLAG_RECORDS | BTREE_FLAG_SUBDATABASES |
			 BTREE_FLAG_COMPRESSED)) != 0)
		return err_set(err,
		    "this kind of btree (flags 0x%lx) is not "
		    "read",
		    (unsigned long)flags);
	return 0;
}

int
btree_open(struct btree *bt, const void *data, size_t size, struct err *err)
{
	memset(bt, 0, offsetof(struct btree, key_buf));
	bt->data = data;
	bt->size = size;
	if (size < PAGE_SIZE_MIN)
		return err_set(err, "it is too short for a btree file");
	if (get32(bt, bt->data + 12) != MAGIC) {
		bt->big_endian = true;
		if (get32(bt, bt->data + 12) != MAGIC)
			return err_set(err, "it is not a Berkeley DB btree "
					    "file");
	}
	bt->page_size = get32(bt, bt->data + 20);
	if (check_kind(bt, err) != 0)
		return -1;
	bt->page = 1;
	return 0;
}

/* The page of this number, or NULL when it is not there in full or is marked
 * as another one. */
static const uint8_t *
page_at(const struct btree *bt, size_t number)
{
	const uint8_t *page;

	if (number >= bt->size / bt->page_size)
		return NULL;
	page = bt->data + number * bt->page_size;
	return get32(bt, page + 8) == number ? page : NULL;
}

/* Puts an item together that lies on a chain of overflow pages. A page
 * without bytes ends the walk, so a chain that bites its tail ends too. */
static bool
read_overflow(const struct btree *bt, size_t number, size_t total,
    uint8_t buf[static BTREE_ITEM_MAX])
{
	size_t done = 0;

	if (total > BTREE_ITEM_MAX)
		return false;
	while (done < total) {
		const uint8_t *page = page_at(bt, number);
		size_t used;

		if (page == NULL || page[25] != PAGE_OVERFLOW)
			return false;
		used = get16(bt, page + 22);
		if (used == 0 || used > bt->page_size - PAGE_HEADER ||
		    used > total - done)
			return false;
		memcpy(buf + done, page + PAGE_HEADER, used);
		done += used;
		number = get32(bt, page + 16);
	}
	return true;
}

enum item {
	ITEM_GOOD,
	ITEM_GONE, /* deleted */
	ITEM_BAD,
};

static enum item
read_item(const struct btree *bt, const uint8_t *page, size_t index,
    uint8_t buf[static BTREE_ITEM_MAX], struct btree_bytes *bytes_r)
{
	size_t offset = get16(bt, page + PAGE_HEADER + 2 * index);
	size_t room;
	const uint8_t *item;

	if (offset < PAGE_HEADER || offset > bt->page_size - ITEM_HEADER)
		return ITEM_BAD;
	item = page + offset;
	room = bt->page_size - offset;
	if ((item[2] & ITEM_DELETED) != 0)
		return ITEM_GONE;
	if (item[2] == ITEM_PLAIN) {
		bytes_r->bytes = item + ITEM_HEADER;
		bytes_r->len = get16(bt, item);
		return bytes_r->len <= room - ITEM_HEADER ? ITEM_GOOD
							  : ITEM_BAD;
	}
	if (item[2] != ITEM_OVERFLOW || room < ITEM_OVERFLOW_SIZE)
		return ITEM_BAD;
	bytes_r->bytes = buf;
	bytes_r->len = get32(bt, item + 8);
	return read_overflow(bt, get32(bt, item + 4), bytes_r->len, buf)
		   ? ITEM_GOOD
		   : ITEM_BAD;
}

/* How many offsets of items this page can hold at most. */
static size_t
item_count(struct btree *bt, const uint8_t *page)
{
	size_t count = get16(bt, page + 20);
	size_t max = (bt->page_size - PAGE_HEADER) / 2;

	if (count <= max)
		return count;
	if (bt->index == 0)
		bt->damaged++;
	return max;
}

/* The next page from bt->page on that holds items, or NULL at the end. */
static const uint8_t *
find_leaf(struct btree *bt)
{
	size_t pages = bt->size / bt->page_size;

	for (; bt->page < pages; bt->page++) {
		const uint8_t *raw = bt->data + bt->page * bt->page_size;

		if (raw[25] != PAGE_LEAF)
			continue;
		if (page_at(bt, bt->page) != NULL)
			return raw;
		bt->damaged++;
	}
	return NULL;
}

bool
btree_next(
    struct btree *bt, struct btree_bytes *key_r, struct btree_bytes *value_r)
{
	for (;;) {
		const uint8_t *page = find_leaf(bt);
		size_t count;

		if (page == NULL)
			return false;
		count = item_count(bt, page);
		while (bt->index + 1 < count) {
			size_t i = bt->index;
			enum item key, value;

			bt->index += 2;
			key = read_item(bt, page, i, bt->key_buf, key_r);
			value =
			    read_item(bt, page, i + 1, bt->value_buf, value_r);
			if (key == ITEM_GOOD && value == ITEM_GOOD)
				return true;
			if (key == ITEM_BAD || value == ITEM_BAD)
				bt->damaged++;
			else
				bt->deleted++;
		}
		bt->index = 0;
		bt->page++;
	}
}
