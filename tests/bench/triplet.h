/* SPDX-License-Identifier: ISC */
/*
 * triplet.h - the mail that the benchmark pretends to see
 *
 * A triplet is a pure function of its kind, a seed and an index, so that the
 * load generator and the program that fills a database mean the same mail
 * without talking to each other.  Clients live in address space that no
 * public whitelist names (RFC 1918, RFC 2544, RFC 6598, RFC 3849).  Some
 * senders carry an extension or a bounce number, so that the key is not
 * simply what stands in the request.
 */
#ifndef POSTERN_TESTS_BENCH_TRIPLET_H
#define POSTERN_TESTS_BENCH_TRIPLET_H

#include <stddef.h>
#include <stdint.h>

enum {
	TRIPLET_TEXT = 96, /* longest address with its NUL */
	TRIPLET_KEY = 256,
};

enum triplet_kind {
	TRIPLET_KNOWN, /* the same for every seed */
	TRIPLET_NEW,
	TRIPLET_FILLER, /* stored, and never asked for */
};

struct triplet {
	char client[TRIPLET_TEXT];  /* address, IPv4 or IPv6 */
	char network[TRIPLET_TEXT]; /* its /24 or /64, as keys have it */
	char host[TRIPLET_TEXT];    /* client_name, or "unknown" */
	char sender[TRIPLET_TEXT];
	char folded[TRIPLET_TEXT]; /* the sender as keys have it */
	char recipient[TRIPLET_TEXT];
};

/*
 * Spread n over all 64 bits; the same n gives the same result everywhere.
 * Source: the finalizer of Steele, Lea, Flood: "Fast splittable pseudorandom
 * number generators", 2014.
 */
uint64_t triplet_mix(uint64_t n);

/* Make triplet number index of a kind.  Two that differ in kind or index, or
 * new ones that differ in seed, have different keys. */
void triplet_make(struct triplet *triplet, enum triplet_kind kind,
    uint64_t seed, uint64_t index);

/* Write the key under which the daemon stores triplet, by its default network
 * sizes, to key (NUL-terminated). */
void triplet_key(const struct triplet *triplet, char key[static TRIPLET_KEY]);

#endif
