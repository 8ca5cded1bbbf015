/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/xmem.h"

#include "tests/unit/check.h"

static void
test_blocks(void)
{
	unsigned char *p = xmem_alloc(0);
	unsigned char zeros[64] = { 0 };
	int *numbers;

	check_true("alloc of 0 bytes gives a block", p != NULL);
	xmem_free(&p);
	check_true("free sets the pointer to NULL", p == NULL);
	xmem_free(&p);
	check_true("free takes NULL", p == NULL);

	p = xmem_calloc(8, 8);
	check_mem("calloc clears", p, 64, zeros, 64);
	xmem_free(&p);
	p = xmem_calloc(64, 1);
	check_mem("calloc of bytes", p, 64, zeros, 64);
	xmem_free(&p);
	p = xmem_calloc(1, 64);
	check_mem("calloc of one element", p, 64, zeros, 64);
	xmem_free(&p);
	p = xmem_realloc(NULL, 64, 1);
	memset(p, 0, 64);
	check_mem("realloc of bytes", p, 64, zeros, 64);
	xmem_free(&p);
	p = xmem_calloc(0, 8);
	check_true("calloc of no elements gives a block", p != NULL);
	xmem_free(&p);

	numbers = xmem_realloc(NULL, 2, sizeof(*numbers));
	numbers[0] = 7;
	numbers[1] = 11;
	numbers = xmem_realloc(numbers, 1000, sizeof(*numbers));
	check_int("realloc keeps the first", numbers[0], 7);
	check_int("realloc keeps the second", numbers[1], 11);
	numbers = xmem_realloc(numbers, 0, sizeof(*numbers));
	check_true("realloc to no elements gives a block", numbers != NULL);
	xmem_free(&numbers);
}

static void
test_copies(void)
{
	static const struct {
		const char *name;
		const char *input;
		size_t len;
		const char *want;
	} rows[] = {
		{ "a part", "abcdef", 3, "abc" },
		{ "nothing", "abcdef", 0, "" },
		{ "all", "abcdef", 6, "abcdef" },
	};
	char *copy = xmem_strdup("text");

	check_str("strdup", copy, "text");
	xmem_free(&copy);
	copy = xmem_strdup("");
	check_str("strdup of an empty text", copy, "");
	xmem_free(&copy);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		copy = xmem_strndup(rows[i].input, rows[i].len);
		check_str(rows[i].name, copy, rows[i].want);
		xmem_free(&copy);
	}
	copy = xmem_strndup("a\0b", 3);
	check_mem("strndup keeps NUL bytes", copy, 4, "a\0b", 4);
	xmem_free(&copy);
}

/* Never constants, or the compiler objects to such sizes. */
static volatile size_t huge = SIZE_MAX / 2;

static void
ask_alloc(void)
{
	(void)xmem_alloc(huge);
}

static void
ask_calloc(void)
{
	(void)xmem_calloc(huge, 4);
}

static void
ask_realloc(void)
{
	(void)xmem_realloc(NULL, huge, 4);
}

static void
ask_strndup(void)
{
	(void)xmem_strndup("", huge * 2 + 1);
}

/* Runs ask in a child; fills what it wrote to standard error and returns its
 * wait status. */
static int
run_child(void (*ask)(void), char *said, size_t cap)
{
	const struct rlimit no_core = { 0, 0 };
	int fds[2], status = 0;
	size_t len = 0;
	ssize_t n;
	pid_t pid;

	if (pipe(fds) != 0 || (pid = fork()) < 0)
		return -1;
	if (pid == 0) {
		(void)setrlimit(RLIMIT_CORE, &no_core);
		if (dup2(fds[1], STDERR_FILENO) < 0)
			_exit(99);
		ask();
		_exit(0);
	}
	(void)close(fds[1]);
	while ((n = read(fds[0], said + len, cap - 1 - len)) > 0)
		len += (size_t)n;
	said[len] = '\0';
	(void)close(fds[0]);
	(void)waitpid(pid, &status, 0);
	return status;
}

static void
test_exhausted(void)
{
	static const struct {
		const char *name;
		void (*ask)(void);
	} rows[] = {
		{ "alloc of too much ends the process", ask_alloc },
		{ "calloc whose product overflows", ask_calloc },
		{ "realloc whose product overflows", ask_realloc },
		{ "strndup of the longest text", ask_strndup },
	};
	char said[4096] = "";

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		int status = run_child(rows[i].ask, said, sizeof(said));

		check_true(rows[i].name,
		    WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
		check_contains(rows[i].name, said, "out of memory\n");
	}
}

/* The sanitizers' and valgrind's allocators would speak up first; they are
 * told to return NULL, as malloc does. */
const char *__asan_default_options(void);
const char *__tsan_default_options(void);

__attribute__((visibility("default"))) const char *
__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

__attribute__((visibility("default"))) const char *
__tsan_default_options(void)
{
	return "allocator_may_return_null=1";
}

int
main(void)
{
	test_blocks();
	test_copies();
	test_exhausted();
	return check_done();
}
