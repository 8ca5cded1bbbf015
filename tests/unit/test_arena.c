/* SPDX-License-Identifier: ISC */
#include <stdalign.h>

#include "common/arena.h"

#include "tests/unit/check.h"

static bool
is_zero(const unsigned char *p, size_t size)
{
	for (size_t i = 0; i < size; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* Sizes around the limits between blocks; each piece is filled with a mark of
 * its own, and all marks must be there at the end. */
static void
test_pieces(void)
{
	static const size_t sizes[] = {
		1,
		0,
		7,
		16,
		17,
		100,
		1000,
		1015,
		1016,
		1017,
		1024,
		2000,
		4064,
		4065,
		10000,
		3,
		1000,
		1000,
		1000,
		1000,
		1000,
		100000,
		1,
	};
	struct arena *arena = arena_new();
	unsigned char *pieces[CHECK_COUNT(sizes)];
	bool zero = true, aligned = true, kept = true;
	size_t total = 0;

	check_uint("a new one has nothing", arena_used(arena), 0);
	for (size_t i = 0; i < CHECK_COUNT(sizes); i++) {
		pieces[i] = arena_alloc(arena, sizes[i]);
		zero = zero && is_zero(pieces[i], sizes[i]);
		aligned =
		    aligned && (uintptr_t)pieces[i] % alignof(max_align_t) == 0;
		memset(pieces[i], (int)(i + 1), sizes[i]);
		total += sizes[i];
	}
	check_true("every piece is zero", zero);
	check_true("every piece is aligned", aligned);
	for (size_t i = 0; i < CHECK_COUNT(sizes); i++)
		for (size_t k = 0; k < sizes[i]; k++)
			kept = kept && pieces[i][k] == i + 1;
	check_true("no piece overlaps another", kept);
	check_true("used counts at least what was asked for",
	    arena_used(arena) >= total);
	check_true("and little more",
	    arena_used(arena) <=
		total + CHECK_COUNT(sizes) * alignof(max_align_t));
	check_true("pieces of no size differ",
	    arena_alloc(arena, 0) != arena_alloc(arena, 0));
	arena_free(&arena);
	check_true("free sets the pointer to NULL", arena == NULL);
	arena_free(&arena);
	check_true("free takes NULL", arena == NULL);
}

static void
test_text(void)
{
	struct arena *arena = arena_new();
	char source[] = "text";
	const char *copy = arena_strdup(arena, source);

	source[0] = 'X';
	check_str("strdup copies", copy, "text");
	check_str("empty text", arena_strdup(arena, ""), "");
	check_str(
	    "strndup ends its text", arena_strndup(arena, "abcdef", 3), "abc");
	check_mem("strndup keeps NUL bytes", arena_strndup(arena, "a\0b", 3), 4,
	    "a\0b", 4);
	/* Without its NUL it would just fill a piece. */
	copy = arena_strdup(arena, "sixteen letters.");
	memset(arena_alloc(arena, 16), 'x', 16);
	check_str("the NUL has room of its own", copy, "sixteen letters.");
	arena_free(&arena);
}

/* A large piece first: there is no current block yet. */
static void
test_large_first(void)
{
	struct arena *arena = arena_new();
	char *large = arena_alloc(arena, 50000);
	char *small;

	memset(large, 'a', 50000);
	small = arena_alloc(arena, 8);
	memset(small, 'b', 8);
	check_int("the large piece's end", large[49999], 'a');
	arena_free(&arena);
}

/* After whatever was taken, pieces are zero again. */
static void
test_reset(void)
{
	static const size_t sizes[][4] = {
		{ 0 },
		{ 100, 3000, 2000, 1 },
		{ 3000 },
		{ 3000, 10 },
		{ 4064, 4064 },
		{ 1000, 1000, 1000, 1000 },
		{ 10, 50000, 10 },
	};
	struct arena *arena = arena_new();

	for (size_t i = 0; i < CHECK_COUNT(sizes); i++) {
		bool zero = true;

		for (size_t j = 0; j < 4 && sizes[i][j] > 0; j++) {
			unsigned char *p = arena_alloc(arena, sizes[i][j]);

			zero = zero && is_zero(p, sizes[i][j]);
			memset(p, 0xff, sizes[i][j]);
		}
		check_true("zero", zero);
		arena_reset(arena);
		check_uint("nothing used", arena_used(arena), 0);
	}
	for (int i = 0; i < 10; i++)
		check_true(
		    "all of a block", is_zero(arena_alloc(arena, 900), 900));
	arena_free(&arena);
}

int
main(void)
{
	test_pieces();
	test_text();
	test_large_first();
	test_reset();
	return check_done();
}
