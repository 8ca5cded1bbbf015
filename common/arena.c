/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdalign.h>
#include <stdint.h>
#include <string.h>

#include "common/arena.h"
#include "common/xmem.h"

/* A block with malloc's own header fills a page or two of the allocator. */
#define BLOCK_SIZE 4064
/* A piece above this gets a block of its own, so that the rest of the
 * current block is not thrown away for it. */
#define LARGE_SIZE (BLOCK_SIZE / 4)

struct block {
	struct block *next;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *blocks; /* the current one first */
	size_t left;          /* unused bytes of the current block */
	unsigned char *free;  /* where they begin */
	size_t used;
};

struct arena *
arena_new(void)
{
	return xmem_calloc(1, sizeof(struct arena));
}

static void
free_blocks(struct block *block)
{
	while (block != NULL) {
		struct block *next = block->next;

		xmem_free(&block);
		block = next;
	}
}

void
arena_free(struct arena **arena)
{
	if (*arena == NULL)
		return;
	free_blocks((*arena)->blocks);
	xmem_free(arena);
}

void
arena_reset(struct arena *arena)
{
	struct block *kept = NULL;

	/* The current block comes first, unless there are only large ones. */
	if (arena->free != NULL) {
		kept = arena->blocks;
		arena->blocks = kept->next;
		kept->next = NULL;
		memset(kept->bytes, 0, BLOCK_SIZE - arena->left);
		arena->free = kept->bytes;
		arena->left = BLOCK_SIZE;
	}
	free_blocks(arena->blocks);
	arena->blocks = kept;
	arena->used = 0;
}

static struct block *
new_block(size_t room)
{
	return xmem_calloc(1, sizeof(struct block) + room);
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	size_t align = alignof(max_align_t);
	void *piece;

	assert(size <= SIZE_MAX / 2);
	size = size == 0 ? align : (size + align - 1) / align * align;
	arena->used += size;
	if (size > LARGE_SIZE) {
		struct block *block = new_block(size);

		/* Behind the current one, which goes on being filled. */
		if (arena->blocks == NULL) {
			arena->blocks = block;
		} else {
			block->next = arena->blocks->next;
			arena->blocks->next = block;
		}
		return block->bytes;
	}
	if (size > arena->left) {
		struct block *block = new_block(BLOCK_SIZE);

		block->next = arena->blocks;
		arena->blocks = block;
		arena->free = block->bytes;
		arena->left = BLOCK_SIZE;
	}
	piece = arena->free;
	arena->free += size;
	arena->left -= size;
	return piece;
}

char *
arena_strdup(struct arena *arena, const char *text)
{
	return arena_strndup(arena, text, strlen(text));
}

char *
arena_strndup(struct arena *arena, const char *text, size_t len)
{
	char *copy;

	assert(len < SIZE_MAX / 2);
	copy = arena_alloc(arena, len + 1);
	memcpy(copy, text, len);
	return copy;
}

size_t
arena_used(const struct arena *arena)
{
	return arena->used;
}
