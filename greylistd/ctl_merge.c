/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/now.h"

#include "greylistd/ctl_merge.h"

int
ctl_merge_flush(struct ctl_merge *merge, struct err *err)
{
	merge->waiting = 0;
	return greystore_commit(merge->ctl->gs, err);
}

/* Counts a row that was written. */
static int
count(struct ctl_merge *merge, bool is_new, struct err *err)
{
	if (is_new)
		merge->added++;
	else
		merge->merged++;
	if (++merge->waiting < CTL_BATCH &&
	    now_mono_us() - merge->began_us < CTL_BATCH_US)
		return 0;
	if (ctl_merge_flush(merge, err) != 0)
		return -1;
	ctl_pause(merge->ctl, merge->began_us);
	return 0;
}

/* The first row of a transaction is read within it, so that nothing can come
 * between reading and writing. */
static int
begin(struct ctl_merge *merge, struct err *err)
{
	if (merge->waiting > 0)
		return 0;
	if (store_begin_write(greystore_store(merge->ctl->gs), err) != 0)
		return -1;
	merge->began_us = now_mono_us();
	return 0;
}

/* Both have passed: the earlier known time, if any is known. */
static int64_t
merge_passed(int64_t a, int64_t b)
{
	if (a <= GREYLIST_PASSED_UNKNOWN)
		return b > a ? b : a;
	if (b <= GREYLIST_PASSED_UNKNOWN)
		return a;
	return a < b ? a : b;
}

int
ctl_merge_triplet(struct ctl_merge *merge, const char *key,
    const struct greylist_entry *entry, struct err *err)
{
	struct greystore *gs = merge->ctl->gs;
	struct greylist_entry old, new = *entry;
	bool is_new = true;

	if (begin(merge, err) != 0)
		return -1;
	switch (greystore_find(gs, key, &old, err)) {
	case GREYSTORE_FAILED:
		return -1;
	case GREYSTORE_NONE:
		break;
	case GREYSTORE_FOUND:
		is_new = false;
		if (old.first < new.first)
			new.first = old.first;
		if (old.last > new.last)
			new.last = old.last;
		new.passed = merge_passed(old.passed, new.passed);
		break;
	}
	if (greystore_put(gs, key, &new, is_new, err) != 0)
		return -1;
	return count(merge, is_new, err);
}

int
ctl_merge_client(struct ctl_merge *merge, const char *address,
    const struct greylist_client *client, struct err *err)
{
	struct greystore *gs = merge->ctl->gs;
	struct greylist_client old, new = *client;
	bool is_new = true;

	if (begin(merge, err) != 0)
		return -1;
	switch (greystore_find_client(gs, address, &old, err)) {
	case GREYSTORE_FAILED:
		return -1;
	case GREYSTORE_NONE:
		break;
	case GREYSTORE_FOUND:
		is_new = false;
		if (old.count > new.count)
			new.count = old.count;
		if (old.last > new.last)
			new.last = old.last;
		break;
	}
	if (greystore_put_client(gs, address, &new, is_new, err) != 0)
		return -1;
	return count(merge, is_new, err);
}

static void
bind_text(struct store_stmt *stmt, int index, const char *text)
{
	store_bind_text(stmt, index, text, strlen(text));
}

int
ctl_merge_other(
    struct ctl_merge *merge, const struct ctl_text *record, struct err *err)
{
	/* One database per process. */
	static struct store_stmt *rule, *counter;
	struct store *store = greystore_store(merge->ctl->gs);
	struct store_stmt *stmt;

	if (rule == NULL)
		rule = store_prepare(store,
		    "INSERT INTO rule(action, kind, "
		    "value, comment, created, expires) "
		    "VALUES(?1, ?2, ?3, ?4, ?5, ?6) "
		    "ON CONFLICT(kind, value) DO UPDATE SET action = ?1, "
		    "comment = ?4, created = ?5, expires = ?6 "
		    "WHERE created < ?5",
		    err);
	if (counter == NULL)
		counter = store_prepare(store,
		    "INSERT INTO counter(name, day, "
		    "n) VALUES(?1, ?2, ?3) ON CONFLICT(day, name) "
		    "DO UPDATE SET n = max(n, ?3)",
		    err);
	if (rule == NULL || counter == NULL ||
	    ctl_merge_flush(merge, err) != 0 ||
	    store_begin_write(store, err) != 0)
		return -1;
	assert(
	    record->type == CTL_TEXT_RULE || record->type == CTL_TEXT_COUNTER);
	stmt = record->type == CTL_TEXT_RULE ? rule : counter;
	bind_text(stmt, 1, record->text[0]);
	if (stmt == rule) {
		bind_text(stmt, 2, record->text[1]);
		bind_text(stmt, 3, record->text[2]);
		bind_text(stmt, 4, record->text[3]);
		store_bind_int(stmt, 5, record->number[0]);
		store_bind_int(stmt, 6, record->number[1]);
	} else {
		store_bind_int(stmt, 2, record->number[0]);
		store_bind_int(stmt, 3, record->number[1]);
	}
	if (store_exec(stmt, err) != 0) {
		store_rollback(store);
		return -1;
	}
	merge->others++;
	return store_end(store, err);
}
