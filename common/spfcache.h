/* SPDX-License-Identifier: ISC */
/*
 * spfcache.h - verdicts of SPF that still hold
 *
 * A verdict follows from the client's address, the domain, the answers of
 * DNS and what the macros of the records look at; it may be kept as long as
 * the shortest-lived of these answers. The key is all of that but the
 * answers, byte for byte: when a macro looked at local part, HELO or
 * receiver, all three belong to it.
 *
 * Bounded in bytes; what was not used for longest goes first. The clock is
 * the caller's.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_COMMON_SPFCACHE_H
#define POSTERN_COMMON_SPFCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/spf.h"

struct spfcache;

/* What a verdict hangs on besides address, domain and DNS. */
enum spfcache_scope {
	SPFCACHE_ANY_SENDER,
	SPFCACHE_THIS_SENDER, /* local part, HELO and receiver */
};

/* Makes a cache that takes at most max_bytes. */
struct spfcache *spfcache_new(size_t max_bytes);

/* Frees it; sets *cache to NULL, which it may be already. */
void spfcache_free(struct spfcache **cache);

/* Finds the verdict for input that holds at now_ms. Its texts are valid
 * until the cache is used again. */
bool spfcache_get(struct spfcache *cache, const struct spf_input *input,
    int64_t now_ms, struct spf_output *output_r);

/* Keeps a verdict, copied, until fresh_until_ms. */
void spfcache_put(struct spfcache *cache, const struct spf_input *input,
    enum spfcache_scope scope, const struct spf_output *output,
    int64_t fresh_until_ms);

/* Forgets all. */
void spfcache_clear(struct spfcache *cache);

/* Verdicts that it holds. */
size_t spfcache_count(const struct spfcache *cache);

/* Bytes that they take. */
size_t spfcache_bytes(const struct spfcache *cache);

#endif
