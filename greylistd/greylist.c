/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "greylistd/greylist.h"

int64_t
greylist_age(int64_t now_s, int64_t then_s)
{
	int64_t difference;

	if (__builtin_sub_overflow(now_s, then_s, &difference))
		return then_s < 0 ? INT64_MAX : INT64_MIN;
	return difference;
}

static int64_t
smaller(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* After what time last is written anew: an hour, but always well before the
 * maximum age would let go of an entry that is in use. */
static int64_t
refresh_s(const struct greylist_policy *policy)
{
	return smaller(GREYLIST_REFRESH_S, policy->max_age_s / 10);
}

static bool
is_too_old(const struct greylist_policy *policy, int64_t last, int64_t now_s)
{
	return greylist_age(now_s, last) > policy->max_age_s;
}

/* The decision on a triplet that is waiting, in d->entry. */
static void
decide_waiting(const struct greylist_policy *policy, int64_t now_s, bool is_new,
    struct greylist_decision *d)
{
	int64_t waited_s = greylist_age(now_s, d->entry.first);

	d->entry.last = now_s;
	d->entry.passed = 0;
	if (waited_s >= policy->delay_s) {
		d->verdict = GREYLIST_PASSED;
		d->waited_s = waited_s;
		/* 0 and 1 have a meaning of their own. */
		d->entry.passed = now_s > GREYLIST_PASSED_UNKNOWN
				      ? now_s
				      : GREYLIST_PASSED_UNKNOWN + 1;
		d->write = true;
		return;
	}
	d->verdict = is_new ? GREYLIST_NEW : GREYLIST_EARLY;
	d->left_s = policy->delay_s - waited_s;
	/* An early retry changes nothing that counts: whoever hammers costs
	 * a look-up. */
	d->write = is_new;
}

/* The decision on a triplet that has passed before, in d->entry. */
static void
decide_known(const struct greylist_policy *policy, int64_t now_s,
    struct greylist_decision *d)
{
	int64_t idle_s = greylist_age(now_s, d->entry.last);
	int64_t waited_s = greylist_age(d->entry.passed, d->entry.first);

	d->verdict = GREYLIST_KNOWN;
	if (d->entry.passed != GREYLIST_PASSED_UNKNOWN && waited_s > 0)
		d->waited_s = waited_s;
	/* It has earned its pass, whatever happened to the clock since. */
	d->clock_stepped = idle_s < 0;
	if (d->clock_stepped || idle_s >= refresh_s(policy)) {
		d->entry.last = now_s;
		d->write = true;
	}
}

struct greylist_decision
greylist_decide(const struct greylist_policy *policy,
    const struct greylist_entry *entry, int64_t now_s)
{
	struct greylist_decision d = { .entry = { .first = now_s } };
	bool is_new = true;

	if (entry != NULL && entry->passed != 0) {
		if (!is_too_old(policy, entry->last, now_s)) {
			d.entry = *entry;
			decide_known(policy, now_s, &d);
			return d;
		}
	} else if (entry != NULL) {
		int64_t waited_s = greylist_age(now_s, entry->first);

		d.clock_stepped = waited_s < 0;
		d.gave_up = waited_s > policy->retry_window_s;
		is_new = d.clock_stepped || d.gave_up;
		if (!is_new)
			d.entry.first = entry->first;
	}
	decide_waiting(policy, now_s, is_new, &d);
	return d;
}

/* The client with its count one higher. */
static struct greylist_client
raised(const struct greylist_client *client, int64_t now_s)
{
	return (struct greylist_client){
		.count =
		    client->count < INT64_MAX ? client->count + 1 : INT64_MAX,
		.last = now_s,
	};
}

bool
greylist_client_known(const struct greylist_policy *policy,
    const struct greylist_client *client, int64_t now_s, bool *renew_r,
    struct greylist_client *renewed_r)
{
	int64_t idle_s;

	*renew_r = false;
	if (policy->client_threshold <= 0 || client == NULL ||
	    client->count < policy->client_threshold ||
	    is_too_old(policy, client->last, now_s))
		return false;
	idle_s = greylist_age(now_s, client->last);
	*renewed_r = *client;
	if (idle_s < 0 || idle_s >= GREYLIST_CLIENT_RAISE_S) {
		*renewed_r = raised(client, now_s);
		*renew_r = true;
	} else if (idle_s >= refresh_s(policy)) {
		renewed_r->last = now_s;
		*renew_r = true;
	}
	return true;
}

bool
greylist_client_raise(const struct greylist_policy *policy,
    const struct greylist_client *client, int64_t now_s,
    struct greylist_client *raised_r, bool *reached_r)
{
	static const struct greylist_client nobody = { 0, 0 };
	int64_t idle_s;

	*reached_r = false;
	if (policy->client_threshold <= 0)
		return false;
	if (client == NULL || client->count < 0 ||
	    is_too_old(policy, client->last, now_s)) {
		*raised_r = raised(&nobody, now_s);
	} else {
		/* A time still to come (the clock was set back) must not
		 * hold the count up until then. */
		idle_s = greylist_age(now_s, client->last);
		if (idle_s >= 0 && idle_s < GREYLIST_CLIENT_RAISE_S)
			return false;
		*raised_r = raised(client, now_s);
	}
	*reached_r = raised_r->count == policy->client_threshold;
	return true;
}

bool
greylist_expired(const struct greylist_policy *policy,
    const struct greylist_entry *entry, int64_t now_s)
{
	if (entry->passed == 0)
		return greylist_age(now_s, entry->first) >
		       policy->retry_window_s;
	return is_too_old(policy, entry->last, now_s);
}
