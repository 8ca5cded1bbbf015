/* SPDX-License-Identifier: ISC */
/* What greylistd keeps: found again, counted right, expired in time, bounded,
 * and never half written. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "greylistd/greystore.h"
#include "tests/unit/check.h"

#define NOW INT64_C(1800000000)
#define DAY 86400

static const struct greylist_policy policy = {
	.delay_s = 300,
	.retry_window_s = 2 * DAY,
	.max_age_s = 35 * DAY,
	.client_threshold = 5,
};

static char folder[] = "build/greystore-XXXXXX";
static char path[64];

static struct greystore *
open_store(enum store_mode mode)
{
	struct err err, note;
	struct greystore *gs = greystore_open(path, mode, &note, &err);

	if (gs == NULL) {
		printf("Bail out! %s\n", err.text);
		exit(1);
	}
	return gs;
}

static struct greystore *
fresh_store(void)
{
	static int number;

	snprintf(path, sizeof(path), "%s/%d.db", folder, number++);
	return open_store(STORE_DAEMON);
}

static void
put(struct greystore *gs, const char *key, int64_t first, int64_t last,
    int64_t passed)
{
	const struct greylist_entry entry = { first, last, passed };
	struct err err;

	if (greystore_put(gs, key, &entry, true, &err) != 0)
		check_str("put", err.text, "");
}

static bool
has(struct greystore *gs, const char *key)
{
	struct greylist_entry entry;

	return greystore_find(gs, key, &entry, NULL) == GREYSTORE_FOUND;
}

static void
what_was_put_is_found(void)
{
	struct greystore *gs = fresh_store();
	struct greylist_entry entry = { 0, 0, 0 };
	struct greylist_client client = { 3, NOW };

	put(gs, "net/a'b/\"c;--", 1, 2, 3);
	check_int("put client",
	    greystore_put_client(gs, "192.0.2.1", &client, true, NULL), 0);
	check_int("commit", greystore_commit(gs, NULL), 0);
	greystore_close(&gs);
	check_true("closing clears the pointer", gs == NULL);

	gs = open_store(STORE_DAEMON);
	check_int("odd bytes are data, not SQL",
	    greystore_find(gs, "net/a'b/\"c;--", &entry, NULL),
	    GREYSTORE_FOUND);
	check_int("first", entry.first, 1);
	check_int("last", entry.last, 2);
	check_int("passed", entry.passed, 3);
	check_int("another key", greystore_find(gs, "net/a/c", &entry, NULL),
	    GREYSTORE_NONE);
	client.count = 0;
	check_int("client",
	    greystore_find_client(gs, "192.0.2.1", &client, NULL),
	    GREYSTORE_FOUND);
	check_int("its count", client.count, 3);
	check_int(
	    "triplets are counted over a restart", greystore_triplets(gs), 1);
	greystore_close(&gs);
}

static void
a_turn_is_all_or_nothing(void)
{
	struct greystore *gs = fresh_store();

	put(gs, "kept", NOW, NOW, 0);
	check_int("commit", greystore_commit(gs, NULL), 0);
	put(gs, "gone", NOW, NOW, 0);
	put(gs, "gone too", NOW, NOW, 0);
	check_int("with the turn", greystore_triplets(gs), 3);
	greystore_rollback(gs);
	check_int("without it", greystore_triplets(gs), 1);
	check_true("before the turn", has(gs, "kept"));
	check_false("of the turn", has(gs, "gone"));
	check_int("an empty commit", greystore_commit(gs, NULL), 0);
	put(gs, "kept", NOW + 1, NOW + 1, 0);
	check_int("a row that was there is not counted twice",
	    greystore_triplets(gs), 1);
	check_int("commit", greystore_commit(gs, NULL), 0);
	check_int("remove", greystore_remove(gs, "kept", NULL), 0);
	check_int("remove nothing", greystore_remove(gs, "no", NULL), 0);
	check_int("commit", greystore_commit(gs, NULL), 0);
	check_int("empty again", greystore_triplets(gs), 0);
	greystore_close(&gs);
}

static int64_t
expire_all(struct greystore *gs, int64_t now_s)
{
	int64_t total = 0;
	bool done = false;

	for (int i = 0; i < 10000 && !done; i++) {
		struct err err;
		int64_t n =
		    greystore_expire(gs, &policy, now_s, 100, &done, &err);

		if (n < 0) {
			check_str("expire", err.text, "");
			return -1;
		}
		total += n;
	}
	check_true("a pass ends", done);
	return total;
}

static void
the_old_goes_and_the_rest_stays(void)
{
	static const struct {
		const char *key;
		int64_t first_ago, last_ago, passed_ago;
		bool stays;
	} rows[] = {
		{ "pending, fresh", 10, 10, 0, true },
		{ "pending, at the window", 2 * DAY, 10, 0, true },
		{ "pending, too late", 2 * DAY + 1, 10, 0, false },
		{ "passed, fresh", 9 * DAY, 1 * DAY, 9 * DAY, true },
		{ "passed, old but seen", 99 * DAY, 35 * DAY, 99 * DAY, true },
		{ "passed, unseen", 99 * DAY, 35 * DAY + 1, 99 * DAY, false },
	};
	struct greystore *gs = fresh_store();
	struct greylist_client client = { 1, NOW - 36 * DAY };
	int gone = 0;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		put(gs, rows[i].key, NOW - rows[i].first_ago,
		    NOW - rows[i].last_ago,
		    rows[i].passed_ago == 0 ? 0 : NOW - rows[i].passed_ago);
		gone += rows[i].stays ? 0 : 1;
	}
	greystore_put_client(gs, "old", &client, true, NULL);
	client.last = NOW;
	greystore_put_client(gs, "new", &client, true, NULL);
	greystore_commit(gs, NULL);
	check_int("clients are not counted yet", greystore_clients(gs), -1);
	check_int("so many go", expire_all(gs, NOW), gone);
	check_int("now they are", greystore_clients(gs), 1);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].key, has(gs, rows[i].key), rows[i].stays);
	check_int(
	    "count", greystore_triplets(gs), (int64_t)CHECK_COUNT(rows) - gone);
	check_int("an old client goes",
	    greystore_find_client(gs, "old", &client, NULL), GREYSTORE_NONE);
	check_int("a new one stays",
	    greystore_find_client(gs, "new", &client, NULL), GREYSTORE_FOUND);
	greystore_put_client(gs, "new", &client, false, NULL);
	check_int("as many as before", greystore_clients(gs), 1);
	greystore_put_client(gs, "newer", &client, true, NULL);
	check_int("one more", greystore_clients(gs), 2);
	greystore_close(&gs);
}

/* More rows than one step walks over. */
static void
expiry_walks_through_all(void)
{
	struct greystore *gs = fresh_store();
	char key[32];

	for (int i = 0; i < 2500; i++) {
		snprintf(key, sizeof(key), "key %d", i);
		put(gs, key, NOW - 99 * DAY, i % 2 ? NOW : NOW - 40 * DAY,
		    NOW - 98 * DAY);
	}
	for (int i = 0; i < 700; i++) {
		snprintf(key, sizeof(key), "pending %d", i);
		put(gs, key, NOW - 3 * DAY, NOW, 0);
	}
	greystore_commit(gs, NULL);
	check_int(
	    "half of these and all of those", expire_all(gs, NOW), 1250 + 700);
	check_int("the rest", greystore_triplets(gs), 1250);
	check_int("nothing more", expire_all(gs, NOW), 0);
	greystore_close(&gs);
}

static void
room_is_made_from_what_never_came_back(void)
{
	struct greystore *gs = fresh_store();

	put(gs, "pending, older", NOW - 200, NOW, 0);
	put(gs, "pending", NOW - 100, NOW, 0);
	put(gs, "passed, unseen", NOW - 999, NOW - 900, NOW - 950);
	put(gs, "passed", NOW - 999, NOW - 10, NOW - 950);
	check_int("one", greystore_evict(gs, 1, NOW, NULL), 1);
	check_false("the older goes first", has(gs, "pending, older"));
	check_int("one more", greystore_evict(gs, 1, NOW, NULL), 1);
	check_false("then the younger", has(gs, "pending"));
	check_int("another", greystore_evict(gs, 1, NOW, NULL), 1);
	check_false("then who was unseen longest", has(gs, "passed, unseen"));
	check_true("the last one", has(gs, "passed"));
	check_int("commit", greystore_commit(gs, NULL), 0);
	check_int("count", greystore_triplets(gs), 1);
	greystore_close(&gs);
}

/* Between looking a triplet up and storing it a tool may come in. */
static void
tools_are_overruled(void)
{
	const struct greylist_entry entry = { NOW, NOW, 0 };
	struct greylist_entry found;
	struct greystore *gs = fresh_store();

	put(gs, "theirs", NOW - 9, NOW - 9, 0);
	check_int("not new after all",
	    greystore_put(gs, "theirs", &entry, true, NULL), 0);
	check_int("gone meanwhile",
	    greystore_put(gs, "gone", &entry, false, NULL), 0);
	check_int("commit", greystore_commit(gs, NULL), 0);
	check_int("replaced", greystore_find(gs, "theirs", &found, NULL),
	    GREYSTORE_FOUND);
	check_int("by ours", found.first, NOW);
	check_true("back again", has(gs, "gone"));
	check_int("count", greystore_triplets(gs), 2);
	greystore_close(&gs);
}

/* Known mail must not take the places that new mail needs until its retry. */
static void
new_mail_has_places(void)
{
	struct greystore *gs = fresh_store();
	char key[32];

	for (int i = 0; i < 90; i++) {
		snprintf(key, sizeof(key), "passed %d", i);
		put(gs, key, NOW - 999, NOW - 500 + i, NOW - 950);
	}
	for (int i = 0; i < 10; i++) {
		snprintf(key, sizeof(key), "new %d", i);
		put(gs, key, NOW - i, NOW, 0);
	}
	greystore_commit(gs, NULL);
	check_int("nothing is old", expire_all(gs, NOW), 0);
	check_int("some", greystore_evict(gs, 3, NOW, NULL), 3);
	check_false("of the known", has(gs, "passed 2"));
	check_true("not of the new", has(gs, "new 9"));
	for (int i = 10; i < 20; i++) {
		snprintf(key, sizeof(key), "new %d", i);
		put(gs, key, NOW - i, NOW, 0);
	}
	check_int("some more", greystore_evict(gs, 3, NOW, NULL), 3);
	check_true("now there are enough of the new", has(gs, "passed 3"));
	check_false("so the oldest goes", has(gs, "new 19"));
	check_int("commit", greystore_commit(gs, NULL), 0);
	check_int("count", greystore_triplets(gs), 104);
	greystore_close(&gs);
}

static void
tools_are_noticed(void)
{
	struct greystore *gs = fresh_store();
	struct greystore *tool = open_store(STORE_TOOL);

	check_false("nothing yet", greystore_changed_elsewhere(gs));
	put(gs, "own", NOW, NOW, 0);
	greystore_commit(gs, NULL);
	check_false("own writes do not count", greystore_changed_elsewhere(gs));
	put(tool, "theirs", NOW, NOW, 0);
	check_int("commit", greystore_commit(tool, NULL), 0);
	check_int("their count", greystore_flush(tool, NULL), 0);
	check_true("theirs do", greystore_changed_elsewhere(gs));
	check_false("once", greystore_changed_elsewhere(gs));
	check_true("and are seen", has(gs, "theirs"));
	check_int("and counted", greystore_triplets(gs), 2);
	greystore_commit(gs, NULL);
	greystore_close(&tool);
	greystore_close(&gs);
}

static void
another_writer_does_not_block_for_long(void)
{
	struct greystore *gs = fresh_store();
	struct greystore *tool = open_store(STORE_TOOL);
	const struct greylist_entry entry = { NOW, NOW, 0 };
	struct err err = { "" };

	put(gs, "known", NOW, NOW, NOW);
	greystore_commit(gs, NULL);
	put(tool, "theirs", NOW, NOW, 0);
	check_true("reading goes on", has(gs, "known"));
	check_int("writing does not",
	    greystore_put(gs, "new", &entry, true, &err), -1);
	check_contains("and says why", err.text, "lock");
	check_int("their commit", greystore_commit(tool, NULL), 0);
	check_int(
	    "now it does", greystore_put(gs, "new", &entry, true, &err), 0);
	check_int("commit", greystore_commit(gs, &err), 0);
	greystore_close(&tool);
	greystore_close(&gs);
}

int
main(void)
{
	char name[80];

	if (mkdtemp(folder) == NULL) {
		printf("Bail out! cannot make %s\n", folder);
		return 1;
	}
	what_was_put_is_found();
	a_turn_is_all_or_nothing();
	the_old_goes_and_the_rest_stays();
	expiry_walks_through_all();
	room_is_made_from_what_never_came_back();
	new_mail_has_places();
	tools_are_overruled();
	tools_are_noticed();
	another_writer_does_not_block_for_long();
	for (int i = 0; i < 16; i++) {
		static const char *const suffixes[] = { "", "-wal", "-shm" };

		for (size_t s = 0; s < CHECK_COUNT(suffixes); s++) {
			snprintf(name, sizeof(name), "%s/%d.db%s", folder, i,
			    suffixes[s]);
			(void)unlink(name);
		}
	}
	(void)rmdir(folder);
	return check_done();
}
