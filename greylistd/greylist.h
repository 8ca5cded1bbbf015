/* SPDX-License-Identifier: ISC */
/*
 * greylist.h - the decision: stored entry + time -> what to answer
 *
 * A triplet that was never seen is deferred; the same again after the delay,
 * and within the retry window, passes and is then known until it was not seen
 * for the maximum age. A client with enough passed triplets is known as a
 * whole (auto-whitelist); its count grows by at most one an hour.
 *
 * Sources: RFC 6647; postgrey(8).
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_GREYLIST_H
#define POSTERN_GREYLISTD_GREYLIST_H

#include <stdbool.h>
#include <stdint.h>

/* "passed" of an imported entry: it did pass, nobody knows when. */
#define GREYLIST_PASSED_UNKNOWN 1
/* How stale the last-seen time of a known entry may get before it is written
 * again: known mail then costs a look-up, not a write. */
#define GREYLIST_REFRESH_S 3600
/* A client's count grows at most once in this time. */
#define GREYLIST_CLIENT_RAISE_S 3600

struct greylist_policy {
	int64_t delay_s;
	int64_t retry_window_s;
	int64_t max_age_s;
	int64_t client_threshold; /* passed triplets; 0 = no
					 * auto-whitelist */
};

/* A stored triplet. */
struct greylist_entry {
	int64_t first;  /* UNIX time of the first attempt */
	int64_t last;   /* of the last one that was recorded */
	int64_t passed; /* of the first pass; 0 = never,
				 * GREYLIST_PASSED_UNKNOWN */
};

/* A stored client. */
struct greylist_client {
	int64_t count; /* passed triplets */
	int64_t last;  /* UNIX time of the last rise or use */
};

enum greylist_verdict {
	GREYLIST_NEW,    /* defer: never seen, or not in time */
	GREYLIST_EARLY,  /* defer: came back too early */
	GREYLIST_PASSED, /* pass: came back in time */
	GREYLIST_KNOWN,  /* pass: has passed before */
};

struct greylist_decision {
	enum greylist_verdict verdict;
	int64_t left_s;     /* NEW, EARLY: until it may pass, > 0 */
	int64_t waited_s;   /* PASSED: since the first attempt; KNOWN: what
				 * it was then, 0 when nobody knows */
	bool write;         /* entry is to be stored */
	bool gave_up;       /* NEW: an older attempt had never come back */
	bool clock_stepped; /* the entry was from the future */
	struct greylist_entry entry; /* the new state of the triplet */
};

/* How long ago then was, negative when it is still to come. Times come from a
 * file that anyone may have edited: a difference that would overflow is the
 * largest or smallest that there is. */
int64_t greylist_age(int64_t now_s, int64_t then_s);

/* Decides on a triplet. entry is NULL when none is stored; one that is older
 * than max_age_s counts as none. With delay 0 a new triplet passes at once
 * (PASSED, waited 0). When the entry is from the future, a waiting triplet
 * waits anew and a known one stays known. */
struct greylist_decision greylist_decide(const struct greylist_policy *policy,
    const struct greylist_entry *entry, int64_t now_s);

/* Is the client known as a whole? client is NULL when none is stored. When
 * it is, *renew_r says whether *renewed_r is to be stored. */
bool greylist_client_known(const struct greylist_policy *policy,
    const struct greylist_client *client, int64_t now_s, bool *renew_r,
    struct greylist_client *renewed_r);

/* Counts a passed triplet for its client (NULL: none stored). Returns true
 * when *raised_r is to be stored, false when the count rose less than an
 * hour ago or the auto-whitelist is off. *reached_r: the threshold was
 * reached just now. */
bool greylist_client_raise(const struct greylist_policy *policy,
    const struct greylist_client *client, int64_t now_s,
    struct greylist_client *raised_r, bool *reached_r);

/* May the stored triplet be deleted: older than the maximum age, or never
 * passed and out of the retry window? */
bool greylist_expired(const struct greylist_policy *policy,
    const struct greylist_entry *entry, int64_t now_s);

#endif
