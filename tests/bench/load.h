/* SPDX-License-Identifier: ISC */
/*
 * load.h - drive requests over a pool of connections and judge the replies
 *
 * A connection carries one request at a time, as Postfix does it.  In a
 * closed loop each connection asks again as soon as it has its answer.  In an
 * open loop requests become due at a fixed rate whether or not the server
 * keeps up, and latency counts from the moment when a request was due: a
 * server that stops for a second then shows thousands of late replies, not
 * one.
 */
#ifndef POSTERN_TESTS_BENCH_LOAD_H
#define POSTERN_TESTS_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/hist.h"
#include "tests/bench/target.h"

struct load_pool;

enum load_kind {
	LOAD_FIRST, /* each known triplet for the first time: deferred */
	LOAD_AGAIN, /* each known triplet again: passes */
	LOAD_MIX,   /* known and new ones as percent says */
};

struct load {
	enum load_kind kind;
	uint64_t count;       /* requests; 0: as many as seconds allow */
	double seconds;       /* then how long; latency is not cut off */
	double rate;          /* due per second; 0: closed loop */
	double limit_s;       /* give up after so long */
	uint64_t known;       /* known triplets, > 0 */
	unsigned int percent; /* share of known ones in LOAD_MIX */
	uint64_t seed;        /* chooses the new triplets and the order */
	int64_t test_time_s;  /* policy_test_time, or 0 */
	bool reconnect;       /* connect and ask anew when hung up on */
};

struct load_result {
	struct hist hist;
	double elapsed_s;
	uint64_t sent; /* without what was asked anew */
	uint64_t replies;
	uint64_t wrong;   /* replies broken or of another class */
	uint64_t missing; /* requests without a reply, or never sent */
	uint64_t reconnects;
	double worst_at_s; /* when the latest reply came, from the start */
};

/* Open size connections to target, which is borrowed.  Returns a pool, for
 * load_close(), or NULL with a line on stderr. */
struct load_pool *load_open(const struct target *target, size_t size);

/* Close and free *pool, which may be NULL; sets it to NULL. */
void load_close(struct load_pool **pool);

/* Run load over pool and fill *result.  Describes the first wrong replies on
 * stderr.  Connections with a missing reply are not used again. */
void load_run(struct load_pool *pool, const struct load *load,
    struct load_result *result);

#endif
