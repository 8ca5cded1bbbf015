/* SPDX-License-Identifier: ISC */
/*
 * fuzz_btree.c - files of any content, read as a btree
 *
 * The walk ends, and what it finds lies in the file or in the reader's own
 * buffers, within their bounds.
 */
#include <string.h>

#include "common/xmem.h"
#include "greylistd/btree.h"

#include "tests/fuzz/must.h"

static bool
lies_in(const struct btree_bytes *bytes, const uint8_t *base, size_t size)
{
	return bytes->bytes >= base && bytes->bytes <= base + size &&
	       bytes->len <= size - (size_t)(bytes->bytes - base);
}

/* Every byte is touched, so that a sanitizer sees where it lies. */
static unsigned
sum(const struct btree_bytes *bytes)
{
	unsigned total = 0;

	for (size_t i = 0; i < bytes->len; i++)
		total += bytes->bytes[i];
	return total;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct btree bt;
	static volatile unsigned sink;
	struct btree_bytes key, value;
	/* A copy of its own, so that reading on would be seen. */
	uint8_t *copy = xmem_alloc(size);
	size_t items = 0;

	memcpy(copy, data, size);
	if (btree_open(&bt, copy, size, NULL) == 0) {
		while (btree_next(&bt, &key, &value)) {
			must(lies_in(&key, copy, size) ||
			     lies_in(&key, bt.key_buf, sizeof(bt.key_buf)));
			must(lies_in(&value, copy, size) ||
			     lies_in(
				 &value, bt.value_buf, sizeof(bt.value_buf)));
			sink = sum(&key) + sum(&value);
			items++;
		}
		/* No page holds more pairs than its offsets have room for. */
		must(items <= size / 4);
	}
	xmem_free(&copy);
	return 0;
}
