/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdatomic.h>
#include <time.h>

#include "common/now.h"

#define NOT_SET INT64_MIN

/* What now_set was told; atomic because the store's thread reads it too. */
static _Atomic int64_t set_wall_s = NOT_SET;

static struct timespec
read_clock(clockid_t clock)
{
	struct timespec t;
	int r = clock_gettime(clock, &t);

	assert(r == 0);
	(void)r;
	return t;
}

int64_t
now_wall_s(void)
{
	int64_t set = atomic_load_explicit(&set_wall_s, memory_order_relaxed);

	if (set != NOT_SET)
		return set;
	return read_clock(CLOCK_REALTIME).tv_sec;
}

int64_t
now_mono_us(void)
{
	struct timespec t = read_clock(CLOCK_MONOTONIC);

	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t
now_mono_ms(void)
{
	return now_mono_us() / 1000;
}

void
now_set(int64_t wall_s)
{
	atomic_store_explicit(&set_wall_s, wall_s, memory_order_relaxed);
}
