/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <unistd.h>

#include "common/err.h"
#include "common/xmem.h"
#include "greylistd/btree.h"

/* Pages are built here field by field, in either byte order. */
struct image {
	uint8_t *data;
	size_t page_size;
	size_t pages;
	bool big_endian;
	size_t top; /* where the items of the page begin */
};

static void
put(struct image *im, size_t at, uint32_t value, int bytes)
{
	for (int i = 0; i < bytes; i++) {
		int shift = 8 * (im->big_endian ? bytes - 1 - i : i);

		im->data[at + (size_t)i] = (uint8_t)(value >> shift);
	}
}

static struct image
image_new(size_t page_size, size_t pages, bool big_endian)
{
	struct image im = {
		.data = xmem_calloc(pages, page_size),
		.page_size = page_size,
		.pages = pages,
		.big_endian = big_endian,
	};

	put(&im, 12, 0x053162, 4);
	put(&im, 16, 9, 4);
	put(&im, 20, (uint32_t)page_size, 4);
	im.data[25] = 9;
	return im;
}

static void
leaf_begin(struct image *im, size_t page)
{
	put(im, page * im->page_size + 8, (uint32_t)page, 4);
	im->data[page * im->page_size + 25] = 5;
	im->top = im->page_size;
}

static unsigned
leaf_count(const struct image *im, size_t page)
{
	const uint8_t *p = im->data + page * im->page_size + 20;

	return im->big_endian ? (unsigned)(p[0] << 8 | p[1])
			      : (unsigned)(p[1] << 8 | p[0]);
}

/* Adds an item: type and flags, and its bytes. Returns its offset. */
static size_t
leaf_add(struct image *im, size_t page, uint8_t type, const char *text)
{
	size_t base = page * im->page_size;
	unsigned n = leaf_count(im, page);
	size_t len = strlen(text);

	im->top -= len + 3;
	put(im, base + im->top, (uint32_t)len, 2);
	im->data[base + im->top + 2] = type;
	memcpy(im->data + base + im->top + 3, text, len);
	put(im, base + 26 + 2 * n, (uint32_t)im->top, 2);
	put(im, base + 20, n + 1, 2);
	return base + im->top;
}

static void
leaf_add_overflow(struct image *im, size_t page, uint32_t first, uint32_t total)
{
	size_t base = page * im->page_size;
	unsigned n = leaf_count(im, page);

	im->top -= 12;
	im->data[base + im->top + 2] = 3;
	put(im, base + im->top + 4, first, 4);
	put(im, base + im->top + 8, total, 4);
	put(im, base + 26 + 2 * n, (uint32_t)im->top, 2);
	put(im, base + 20, n + 1, 2);
}

static void
overflow_page(struct image *im, size_t page, uint32_t next, const char *text)
{
	size_t base = page * im->page_size;

	put(im, base + 8, (uint32_t)page, 4);
	put(im, base + 16, next, 4);
	put(im, base + 22, (uint32_t)strlen(text), 2);
	im->data[base + 25] = 7;
	memcpy(im->data + base + 26, text, strlen(text));
}

/* All items as "key=value;". */
static const char *
read_all(const struct image *im, struct btree *bt)
{
	static char out[4096];
	struct btree_bytes key, value;
	struct err err;
	size_t n = 0;

	if (btree_open(bt, im->data, im->pages * im->page_size, &err) != 0)
		return memcpy(out, err.text, sizeof(err.text));
	out[0] = '\0';
	while (btree_next(bt, &key, &value)) {
		if (key.len + value.len + 3 > sizeof(out) - n)
			return "too much";
		memcpy(out + n, key.bytes, key.len);
		out[n += key.len] = '=';
		memcpy(out + ++n, value.bytes, value.len);
		out[n += value.len] = ';';
		out[++n] = '\0';
	}
	return out;
}

/* Two leaves with a deleted pair, and something else between them. */
static void
test_orders(struct btree *bt)
{
	static const struct {
		const char *name;
		size_t page_size;
		bool big_endian;
	} rows[] = {
		{ "512, little endian", 512, false },
		{ "512, big endian", 512, true },
		{ "4096, little endian", 4096, false },
		{ "65536, little endian", 65536, false },
		{ "65536, big endian", 65536, true },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct image im =
		    image_new(rows[i].page_size, 4, rows[i].big_endian);

		leaf_begin(&im, 1);
		leaf_add(&im, 1, 1, "a");
		leaf_add(&im, 1, 1, "1,2");
		leaf_add(&im, 1, 1, "gone");
		leaf_add(&im, 1, 0x81, "3,4");
		leaf_begin(&im, 3);
		leaf_add(&im, 3, 1, "b");
		leaf_add(&im, 3, 1, "");
		check_str(rows[i].name, read_all(&im, bt), "a=1,2;b=;");
		check_uint(rows[i].name, bt->deleted, 1);
		check_uint(rows[i].name, bt->damaged, 0);
		xmem_free(&im.data);
	}
}

static void
test_overflow(struct btree *bt)
{
	static const struct {
		const char *name;
		uint32_t first, second, total; /* second: after page 2 */
		const char *want;
	} rows[] = {
		{ "two pages", 2, 3, 6, "k=abcdef;" },
		{ "one page", 2, 0, 3, "k=abc;" },
		{ "nothing at all", 0, 0, 0, "k=;" },
		{ "shorter than its page", 2, 3, 2, "" },
		{ "longer than its pages", 2, 3, 7, "" },
		{ "a chain that bites its tail", 2, 2, 16000, "k=" },
		{ "beyond the file", 99, 0, 3, "" },
		{ "a page far beyond", UINT32_MAX, 0, 3, "" },
		{ "a leaf is no overflow page", 1, 0, 3, "" },
		{ "the head is none either", 0, 0, 3, "" },
		{ "too long", 2, 3, UINT32_MAX, "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct image im = image_new(512, 4, false);
		const char *got;

		leaf_begin(&im, 1);
		leaf_add(&im, 1, 1, "k");
		leaf_add_overflow(&im, 1, rows[i].first, rows[i].total);
		overflow_page(&im, 2, rows[i].second, "abc");
		overflow_page(&im, 3, 0, "def");
		got = read_all(&im, bt);
		/* A loop ends, whatever comes of it. */
		if (rows[i].total == 16000)
			check_true(rows[i].name, got != NULL);
		else
			check_str(rows[i].name, got, rows[i].want);
		xmem_free(&im.data);
	}
}

/* A page without bytes that names itself as the next one. */
static void
test_empty_loop(struct btree *bt)
{
	struct image im = image_new(512, 3, false);

	leaf_begin(&im, 1);
	leaf_add(&im, 1, 1, "k");
	leaf_add_overflow(&im, 1, 2, 5);
	overflow_page(&im, 2, 2, "");
	check_str("a loop of nothing ends", read_all(&im, bt), "");
	check_uint("and is damage", bt->damaged, 1);
	xmem_free(&im.data);
}

static void
test_damage(struct btree *bt)
{
	static const struct {
		const char *name;
		size_t at; /* in page 1 */
		uint32_t value;
		int bytes;
		const char *want;
		unsigned damaged;
	} rows[] = {
		{ "as it should be", 0, 0, 1, "a=1;b=2;", 0 },
		{ "an offset beyond the page", 26, 511, 2, "b=2;", 1 },
		{ "an offset into the header", 28, 25, 2, "b=2;", 1 },
		{ "an item longer than the page", 508, 600, 2, "b=2;", 1 },
		{ "an unknown type", 510, 9, 1, "b=2;", 1 },
		{ "a key without value", 20, 3, 2, "a=1;", 0 },
		{ "more items than fit", 20, 65535, 2, NULL, 0 },
		{ "another page's number", 8, 7, 4, "", 1 },
		{ "no items", 20, 0, 2, "", 0 },
		{ "not a leaf", 25, 3, 1, "", 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct image im = image_new(512, 2, false);
		const char *got;

		leaf_begin(&im, 1);
		leaf_add(&im, 1, 1, "a");
		leaf_add(&im, 1, 1, "1");
		leaf_add(&im, 1, 1, "b");
		leaf_add(&im, 1, 1, "2");
		if (rows[i].at != 0)
			put(&im, 512 + rows[i].at, rows[i].value,
			    rows[i].bytes);
		got = read_all(&im, bt);
		if (rows[i].want == NULL) {
			check_true(
			    rows[i].name, strncmp(got, "a=1;b=2;", 8) == 0 &&
					      bt->damaged > 0);
		} else {
			check_str(rows[i].name, got, rows[i].want);
			check_uint(rows[i].name, bt->damaged, rows[i].damaged);
		}
		xmem_free(&im.data);
	}
}

static void
test_heads(struct btree *bt)
{
	static const struct {
		const char *name;
		size_t at;
		uint32_t value;
		int bytes;
		const char *want; /* in the error; NULL = good */
	} rows[] = {
		{ "good", 16, 9, 4, NULL },
		{ "the version before", 16, 8, 4, NULL },
		{ "no magic", 12, 0x061561, 4, "not a Berkeley DB btree" },
		{ "version 6", 16, 6, 4, "version 6" },
		{ "page size 0", 20, 0, 4, "page size" },
		{ "page size 513", 20, 513, 4, "page size" },
		{ "page size 2^31", 20, UINT32_C(1) << 31, 4, "page size" },
		{ "another first page", 25, 8, 1, "first page" },
		{ "encrypted", 24, 1, 1, "encrypted" },
		{ "check sums", 26, 1, 1, "check sums" },
		{ "compressed", 48, 0x80, 4, "flags 0x80" },
		{ "subdatabases", 48, 0x20, 4, "flags 0x20" },
	};
	static const uint8_t short_file[511] = { 0 };
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct image im = image_new(512, 1, false);
		int result;

		put(&im, rows[i].at, rows[i].value, rows[i].bytes);
		result = btree_open(bt, im.data, 512, &err);
		check_int(rows[i].name, result, rows[i].want == NULL ? 0 : -1);
		if (rows[i].want != NULL)
			check_contains(rows[i].name, err.text, rows[i].want);
		xmem_free(&im.data);
	}
	check_int("an empty file", btree_open(bt, short_file, 0, &err), -1);
	check_int("a short file", btree_open(bt, short_file, 511, &err), -1);
	check_contains("a short file", err.text, "too short");
}

/* The last page is not there in full. */
static void
test_cut(struct btree *bt)
{
	struct image im = image_new(512, 3, false);
	struct btree_bytes key, value;
	uint8_t *exact;

	leaf_begin(&im, 1);
	leaf_add(&im, 1, 1, "a");
	leaf_add(&im, 1, 1, "1");
	leaf_begin(&im, 2);
	leaf_add(&im, 2, 1, "b");
	leaf_add(&im, 2, 1, "2");
	exact = xmem_alloc(1535);
	memcpy(exact, im.data, 1535);
	check_int("open", btree_open(bt, exact, 1535, NULL), 0);
	check_true("first", btree_next(bt, &key, &value));
	check_mem("first", key.bytes, key.len, "a", 1);
	check_false("the cut page", btree_next(bt, &key, &value));
	check_false("the end stays", btree_next(bt, &key, &value));
	xmem_free(&exact);
	xmem_free(&im.data);
}

int
main(void)
{
	struct btree *bt = xmem_alloc(sizeof(*bt));

	/* A walk that does not end is a failure, too. */
	alarm(60);
	test_orders(bt);
	test_overflow(bt);
	test_empty_loop(bt);
	test_damage(bt);
	test_heads(bt);
	test_cut(bt);
	xmem_free(&bt);
	return check_done();
}
