/* SPDX-License-Identifier: ISC */
/*
 * now.h - the only reader of clocks
 *
 * Wall time is what records and messages carry; monotonic time is what
 * time-outs are made of. Tests move the wall clock with now_set.
 *
 * Threads: any; now_set only before others run or on the event loop.
 */
#ifndef POSTERN_COMMON_NOW_H
#define POSTERN_COMMON_NOW_H

#include <stdint.h>

/* Seconds since 1970 UTC. */
int64_t now_wall_s(void);

/* Milliseconds of a clock that only goes forward. */
int64_t now_mono_ms(void);

/* Microseconds of the same clock, for latencies. */
int64_t now_mono_us(void);

/* From now on now_wall_s() answers wall_s and does not advance (tests). */
void now_set(int64_t wall_s);

#endif
