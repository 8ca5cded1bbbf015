/* SPDX-License-Identifier: ISC */
#include <time.h>

#include "common/now.h"
#include "tests/unit/check.h"

static int64_t
system_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int
main(void)
{
	int64_t start_us = system_us();
	int64_t before = (int64_t)time(NULL);
	int64_t wall_s = now_wall_s();
	int64_t after = (int64_t)time(NULL);
	int64_t first_us = now_mono_us();
	int64_t ms = now_mono_ms();
	int64_t last_us = now_mono_us();
	int64_t end_us = system_us();

	/* time(2) may lag by one tick of the coarse clock. */
	check_true("wall time is the system's",
	    wall_s >= before && wall_s <= after + 1);
	check_true("monotonic time does not go back",
	    start_us <= first_us && first_us <= last_us && last_us <= end_us);
	check_true("milliseconds and microseconds are one clock",
	    ms >= first_us / 1000 && ms <= last_us / 1000);
	now_set(1700000000);
	check_int("a set clock", now_wall_s(), 1700000000);
	check_true("a set clock stops only the wall", now_mono_us() >= last_us);
	now_set(5);
	check_int("a clock that was set back", now_wall_s(), 5);
	return check_done();
}
