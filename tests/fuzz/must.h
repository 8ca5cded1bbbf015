/* SPDX-License-Identifier: ISC */
/*
 * must.h - what every fuzz target has: its entry, and how it complains
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_FUZZ_MUST_H
#define POSTERN_TESTS_FUZZ_MUST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What does not hold is a find. */
static inline void
must(bool held)
{
	if (!held)
		abort();
}

#endif
