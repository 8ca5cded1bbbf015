/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/xmem.h"

/* Neither stdio nor log.c: both may want memory themselves. */
static _Noreturn void
die(void)
{
	static const char line[] = "out of memory\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)n;
	abort();
}

void *
xmem_alloc(size_t size)
{
	void *p = malloc(size == 0 ? 1 : size);

	if (p == NULL)
		die();
	return p;
}

void *
xmem_calloc(size_t count, size_t size)
{
	void *p;

	if (count == 0 || size == 0)
		count = size = 1;
	p = calloc(count, size);
	if (p == NULL)
		die();
	return p;
}

void *
xmem_realloc(void *ptr, size_t count, size_t size)
{
	void *p;

	/* realloc(ptr, 0) may free and return NULL. */
	if (count == 0 || size == 0)
		count = size = 1;
	p = reallocarray(ptr, count, size);
	if (p == NULL)
		die();
	return p;
}

char *
xmem_strdup(const char *text)
{
	return xmem_strndup(text, strlen(text));
}

char *
xmem_strndup(const char *text, size_t len)
{
	char *copy;

	if (len == SIZE_MAX)
		die();
	copy = xmem_alloc(len + 1);
	memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

void
xmem_free(void *ptr)
{
	void *block;

	/* By memcpy, because ptr is a char ** or a struct foo **, and reading
	 * it as a void ** would break the aliasing rules. */
	memcpy(&block, ptr, sizeof(block));
	free(block);
	block = NULL;
	memcpy(ptr, &block, sizeof(block));
}
