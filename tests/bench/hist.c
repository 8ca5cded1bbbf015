/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "tests/bench/hist.h"

/* Values below 64 have a bucket each; above, the leading bit chooses a group
 * of 64 and the six bits below it the bucket. */
static size_t
bucket_of(int64_t ns)
{
	uint64_t n = ns > 0 ? (uint64_t)ns : 0;
	unsigned int shift;

	if (n < 64)
		return n;
	shift = 63 - (unsigned int)__builtin_clzll(n) - 6;
	return 64 * ((size_t)shift + 1) + ((n >> shift) & 63);
}

static int64_t
bucket_start(size_t bucket)
{
	size_t shift = bucket / 64;

	if (shift == 0)
		return (int64_t)bucket;
	return (int64_t)((64 + (uint64_t)bucket % 64) << (shift - 1));
}

void
hist_add(struct hist *hist, int64_t ns)
{
	hist->bucket[bucket_of(ns)]++;
	hist->count++;
	if (ns > hist->max_ns)
		hist->max_ns = ns;
}

int64_t
hist_share(const struct hist *hist, double share)
{
	uint64_t want = (uint64_t)(share * (double)hist->count);
	uint64_t seen = 0;
	size_t i;

	for (i = 0; i + 1 < HIST_BUCKETS; i++) {
		seen += hist->bucket[i];
		if (seen > want)
			break;
	}
	return i + 1 < HIST_BUCKETS && bucket_start(i + 1) < hist->max_ns
		   ? bucket_start(i + 1)
		   : hist->max_ns;
}

uint64_t
hist_above(const struct hist *hist, int64_t ns)
{
	uint64_t count = 0;

	for (size_t i = bucket_of(ns) + 1; i < HIST_BUCKETS; i++)
		count += hist->bucket[i];
	return count;
}
