/* SPDX-License-Identifier: ISC */
/*
 * greystore.h - triplets, clients, rules and counters in their SQLite file
 *
 *     triplet  key, first, last, passed     see key.h and greylist.h
 *     client   address, count, last         the auto-whitelist
 *     rule     kind, value, action, comment, created, expires   see rules.h
 *     counter  day, name, n                 day = UNIX time / 86400
 *     meta     name, value                  'triplets' = rows in triplet,
 *                                           about
 *
 * Reads and writes of one loop turn are one transaction: reads open a
 * snapshot, the first write upgrades it, greystore_commit ends it; a turn
 * that only read leaves its snapshot to the next ones for a while. A failed
 * call leaves no transaction open and says why; what was written in the turn
 * is then gone, and the caller answers by OnError.
 *
 * Threads: one thread per struct greystore.
 */
#ifndef POSTERN_GREYLISTD_GREYSTORE_H
#define POSTERN_GREYLISTD_GREYSTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/store.h"
#include "greylistd/greylist.h"
#include "greylistd/rules.h"

struct greystore;

/* What is counted per day. */
enum greystore_counter {
	GREYSTORE_NEW,
	GREYSTORE_EARLY,
	GREYSTORE_PASSED,
	GREYSTORE_KNOWN,
	GREYSTORE_CLIENT_WHITELIST,
	GREYSTORE_RECIPIENT_WHITELIST,
	GREYSTORE_AWL,
	GREYSTORE_RECIPIENT_TABLE,
	GREYSTORE_PROVIDER,
	GREYSTORE_DNS_WHITELIST,
	GREYSTORE_NOT_SUSPICIOUS,
	GREYSTORE_ALLOWED,
	GREYSTORE_BLOCKED,
	GREYSTORE_NEVER_CAME_BACK,
	GREYSTORE_EVICTED,
	GREYSTORE_STORE_ERROR,
	GREYSTORE_COUNTER_COUNT
};

/* The counter's name in the file and in output ("never_came_back"). */
const char *greystore_counter_name(enum greystore_counter counter);

/* A look-up's answer. */
enum greystore_found {
	GREYSTORE_FOUND,
	GREYSTORE_NONE,
	GREYSTORE_FAILED, /* err is set */
};

/* Opens (STORE_DAEMON: makes) the file. note_r as in store_open. Returns
 * NULL with err. */
struct greystore *greystore_open(const char *path, enum store_mode mode,
    struct err *note_r, struct err *err);

/* Closes it; sets *gs to NULL. */
void greystore_close(struct greystore **gs);

/* The store beneath, for tools (check, vacuum, own queries). */
struct store *greystore_store(struct greystore *gs);

/* Looks a triplet up. */
enum greystore_found greystore_find(struct greystore *gs, const char *key,
    struct greylist_entry *entry_r, struct err *err);

/* Stores a triplet; is_new = greystore_find found none, which a tool may have
 * changed since. */
int greystore_put(struct greystore *gs, const char *key,
    const struct greylist_entry *entry, bool is_new, struct err *err);

/* Removes a triplet. Returns 0 also when there was none. */
int greystore_remove(struct greystore *gs, const char *key, struct err *err);

/* Looks a client up by its key (key_client). */
enum greystore_found greystore_find_client(struct greystore *gs,
    const char *address, struct greylist_client *client_r, struct err *err);

/* Stores a client; is_new = no row of this address exists. */
int greystore_put_client(struct greystore *gs, const char *address,
    const struct greylist_client *client, bool is_new, struct err *err);

/* Rows in client, about: counted by each pass of expiry, -1 before the first
 * one has ended. */
int64_t greystore_clients(const struct greystore *gs);

/* Counts in memory; greystore_flush writes it to the file. */
void greystore_count(
    struct greystore *gs, enum greystore_counter counter, int64_t now_s);

/* How long a snapshot of reads may serve, in milliseconds: opening one costs
 * more than a look-up. What a tool changes is seen after that. */
#define GREYSTORE_SNAPSHOT_MS 10

/* Starts a turn: takes a new snapshot when the last one is stale. Returns
 * whether a tool changed the file meanwhile. */
bool greystore_begin_turn(struct greystore *gs);

/* Gives a snapshot back, when no request came for a while. */
void greystore_rest(struct greystore *gs);

/* Ends the turn's transaction. 0, or -1: nothing of this turn was kept. */
int greystore_commit(struct greystore *gs, struct err *err);

/* Forgets what the turn wrote. */
void greystore_rollback(struct greystore *gs);

/* Writes the counters that wait in memory, in a transaction of its own; call
 * it from a timer and before closing. */
int greystore_flush(struct greystore *gs, struct err *err);

/* Rows in triplet. The file's own count is brought up to date by
 * greystore_flush; a crash leaves it behind by what came since the last one,
 * until "greylistctl vacuum" counts anew. */
int64_t greystore_triplets(const struct greystore *gs);

/* One small step of expiry, a transaction of its own of about budget_us:
 * walks on through the table in key order and deletes what never came back
 * within the retry window, or was not seen for the maximum age. *done_r: a
 * whole pass is finished. Does nothing while the disk is behind. Returns how
 * many triplets went, or -1. */
int64_t greystore_expire(struct greystore *gs,
    const struct greylist_policy *policy, int64_t now_s, int64_t budget_us,
    bool *done_r, struct err *err);

/* Removes up to count triplets to make room, in the turn's transaction: of
 * some hundred neighbours the oldest that never passed, the next time of the
 * next neighbours. But when these are less than an eighth of all, or none can
 * be found, the longest unseen of those that did pass go: new mail would be
 * forgotten otherwise before it can come back, again and again. Without an
 * index that all new mail would have to pay for, "oldest" is true among
 * neighbours only. Returns how many went, or -1. */
int64_t greystore_evict(
    struct greystore *gs, int64_t count, int64_t now_s, struct err *err);

/* Reads all rules that have not expired into a new set. NULL with err. */
struct rules *greystore_rules(
    struct greystore *gs, int64_t now_s, struct err *err);

/* Did a tool change the file since the last call? */
bool greystore_changed_elsewhere(struct greystore *gs);

/* After failures: tries to make the store work again, see store_recover. */
int greystore_recover(
    struct greystore *gs, struct err *note_r, struct err *err);

#endif
