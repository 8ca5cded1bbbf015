/* SPDX-License-Identifier: ISC */
/*
 * hist.h - latencies in a histogram of constant size
 *
 * Buckets are linear within each power of two, 64 to one: a percentile is
 * wrong by at most 1.6 %.  The maximum is exact.
 */
#ifndef POSTERN_TESTS_BENCH_HIST_H
#define POSTERN_TESTS_BENCH_HIST_H

#include <stdint.h>

enum { HIST_BUCKETS = 64 * 60 };

struct hist { /* starts as all zeros */
	uint64_t bucket[HIST_BUCKETS];
	uint64_t count;
	int64_t max_ns;
};

/* Add one latency, in nanoseconds; a negative one counts as 0. */
void hist_add(struct hist *hist, int64_t ns);

/* Returns the latency, in nanoseconds, that a share of all (0..1) does not
 * exceed; 0 when there is none. */
int64_t hist_share(const struct hist *hist, double share);

/* Returns how many latencies are above ns (to the bucket's width). */
uint64_t hist_above(const struct hist *hist, int64_t ns);

#endif
