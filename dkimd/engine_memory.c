/* SPDX-License-Identifier: ISC */
/*
 * The library's memory of one message. It forgets some of it, and lets a
 * single line of a body take as much as it likes: here all is known and
 * bounded, and what is left over goes with the message.
 */
#include <stdalign.h>

#include "common/xmem.h"

#include "dkimd/engine_int.h"

/* Only a line of more than ten megabytes needs more. */
#define MEMORY_MAX (32 << 20)

struct engine_block {
	alignas(max_align_t) struct engine_block *next;
	struct engine_block **link; /* what points at this one */
	size_t size;
};

void *
engine_memory_alloc(void *arg, size_t size)
{
	struct engine_memory *memory = arg;
	struct engine_block *block;

	if (size > MEMORY_MAX || memory->used > MEMORY_MAX - size) {
		memory->is_exceeded = true;
		return NULL;
	}
	memory->used += size;
	block = xmem_alloc(sizeof(*block) + size);
	*block = (struct engine_block){
		.next = memory->blocks, .link = &memory->blocks, .size = size
	};
	if (block->next != NULL)
		block->next->link = &block->next;
	memory->blocks = block;
	return block + 1;
}

void
engine_memory_free(void *arg, void *bytes)
{
	struct engine_memory *memory = arg;
	struct engine_block *block = bytes;

	if (bytes == NULL)
		return;
	block--;
	memory->used -= block->size;
	*block->link = block->next;
	if (block->next != NULL)
		block->next->link = block->link;
	xmem_free(&block);
}

void
engine_memory_release(struct engine_memory *memory)
{
	while (memory->blocks != NULL)
		engine_memory_free(memory, memory->blocks + 1);
}
