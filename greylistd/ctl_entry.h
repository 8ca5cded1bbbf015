/* SPDX-License-Identifier: ISC */
/*
 * ctl_entry.h - stored triplets seen from outside: split, describe, choose
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_GREYLISTD_CTL_ENTRY_H
#define POSTERN_GREYLISTD_CTL_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ip.h"
#include "greylistd/ctl.h"
#include "greylistd/greylist.h"
#include "greylistd/key.h"

/* A piece of a key; not NUL-terminated. */
struct ctl_entry_part {
	const char *text;
	size_t len;
};

/* A key in its parts. For a digest (privacy) all parts are empty. */
struct ctl_entry_parts {
	struct ctl_entry_part network; /* "192.0.2.0", "192.0.2.1/32" */
	struct ctl_entry_part sender;  /* folded; empty = null sender */
	struct ctl_entry_part recipient;
};

/* Splits a key; the parts point into it. Returns false when it has not the
 * three parts. A "/" within an address is told from a separator by the "@"
 * before it, where there is one. */
bool ctl_entry_split(
    const char *key, size_t len, struct ctl_entry_parts *parts_r);

/* Is this the digest of a key? */
bool ctl_entry_is_digest(const char *key, size_t len);

/* Where a triplet stands. */
enum ctl_entry_state {
	CTL_ENTRY_PENDING, /* must wait */
	CTL_ENTRY_READY,   /* would pass now, did not come back yet */
	CTL_ENTRY_LATE,    /* did not come back within the window */
	CTL_ENTRY_PASSED,
	CTL_ENTRY_EXPIRED, /* passed, not seen for the maximum age */
};

/* Tells the state by the policy that is configured. */
enum ctl_entry_state ctl_entry_state(const struct greylist_policy *policy,
    const struct greylist_entry *entry, int64_t now_s);

/* "pending" and so on. */
const char *ctl_entry_state_name(enum ctl_entry_state state);

/* Which triplets are meant; texts NULL = any. */
struct ctl_entry_filter {
	const char *network;   /* address or ADDRESS/PREFIX */
	const char *sender;    /* address, "<>", "@domain", or with "*" "?" */
	const char *recipient; /* the same */
	bool pending;
	bool passed;
	/* Below: made by ctl_entry_filter_init. */
	struct ip_net net;
	bool one_network; /* only one key network is meant: prefix */
	char prefix[IP_TEXT_SIZE + 8]; /* "192.0.2.0/", else "" */
	char sender_fold[KEY_SIZE];
	char recipient_fold[KEY_SIZE];
};

/* Checks and completes a filter whose texts were set. Returns 0, or -1 with
 * what to write instead (also when keys are digests and cannot be searched). */
int ctl_entry_filter_init(struct ctl_entry_filter *filter,
    const struct key_config *key, struct err *err);

/* Is the triplet meant? */
bool ctl_entry_filter_match(const struct ctl_entry_filter *filter,
    const char *key, size_t len, const struct greylist_entry *entry);

/* Called with each triplet in key order; key has len bytes and a NUL. Return
 * true to go on. */
typedef bool ctl_entry_fn(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry);

/* Room for the longest key that is walked over. */
#define CTL_ENTRY_KEY_SIZE 4096

/* Where a walk stands: zero = at the start. */
struct ctl_entry_walk {
	char after[CTL_ENTRY_KEY_SIZE]; /* last key seen */
	bool ended;
};

/* Walks on over the triplets whose key begins with prefix (may be ""), until
 * the end or until fn says stop; no snapshot is kept open meanwhile, except
 * the caller's. Returns 0, or -1 with err. */
int ctl_entry_each(struct ctl *ctl, struct ctl_entry_walk *walk,
    const char *prefix, ctl_entry_fn *fn, void *arg, struct err *err);

/* Turns "%XX" back into bytes in place, as what greylistctl prints can be
 * given to it again. Returns false when a result would hold a NUL. */
bool ctl_entry_unescape(char *text);

#endif
