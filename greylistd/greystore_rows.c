/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "greylistd/greystore_int.h"

void
greystore_bind_key(struct store_stmt *stmt, const char *key)
{
	store_bind_text(stmt, 1, key, strlen(key));
}

/* Looks a row of at most three integers up by its key. */
static enum greystore_found
find_row(struct greystore *gs, enum greystore_sql which, const char *key,
    int64_t values_r[static 3], struct err *err)
{
	struct store_stmt *stmt = gs->stmt[which];

	if (greystore_begin_read(gs, err) != 0)
		return GREYSTORE_FAILED;
	greystore_bind_key(stmt, key);
	switch (store_step(stmt, err)) {
	case STORE_ROW:
		for (int i = 0; i < 3; i++)
			values_r[i] = store_column_int(stmt, i);
		store_reset(stmt);
		return GREYSTORE_FOUND;
	case STORE_DONE:
		return GREYSTORE_NONE;
	case STORE_FAILED:
		break;
	}
	greystore_fail_turn(gs);
	return GREYSTORE_FAILED;
}

enum greystore_found
greystore_find(struct greystore *gs, const char *key,
    struct greylist_entry *entry_r, struct err *err)
{
	int64_t values[3];
	enum greystore_found found = find_row(gs, SQL_FIND, key, values, err);

	if (found == GREYSTORE_FOUND)
		*entry_r = (struct greylist_entry){
			.first = values[0],
			.last = values[1],
			.passed = values[2],
		};
	return found;
}

static void
bind_entry(struct store_stmt *stmt, const char *key,
    const struct greylist_entry *entry)
{
	greystore_bind_key(stmt, key);
	store_bind_int(stmt, 2, entry->first);
	store_bind_int(stmt, 3, entry->last);
	store_bind_int(stmt, 4, entry->passed);
}

/* Keeps the estimate of those that wait; the next pass of expiry makes up for
 * what a rollback undoes. */
static void
count_pending(
    struct greystore *gs, const struct greylist_entry *entry, bool is_new)
{
	if (is_new && entry->passed == 0 && gs->pending >= 0)
		gs->pending++;
	/* One that passes now has waited before. */
	if (!is_new && entry->passed == entry->last && gs->pending > 0)
		gs->pending--;
}

static int
insert(struct greystore *gs, const char *key,
    const struct greylist_entry *entry, struct err *err)
{
	bind_entry(gs->stmt[SQL_INSERT], key, entry);
	if (greystore_exec(gs, gs->stmt[SQL_INSERT], err) != 0)
		return -1;
	if (store_changes(gs->store) == 0)
		return 0;
	gs->triplets++;
	gs->turn_delta++;
	count_pending(gs, entry, true);
	return 0;
}

static int
update(struct greystore *gs, const char *key,
    const struct greylist_entry *entry, struct err *err)
{
	bind_entry(gs->stmt[SQL_UPDATE], key, entry);
	if (greystore_exec(gs, gs->stmt[SQL_UPDATE], err) != 0)
		return -1;
	if (store_changes(gs->store) > 0)
		count_pending(gs, entry, false);
	return 0;
}

int
greystore_put(struct greystore *gs, const char *key,
    const struct greylist_entry *entry, bool is_new, struct err *err)
{
	if (greystore_begin_write(gs, err) != 0 ||
	    (is_new ? insert : update)(gs, key, entry, err) != 0)
		return -1;
	if (store_changes(gs->store) > 0)
		return 0;
	/* A tool was faster: what it put there is replaced, what it removed
	 * comes back. */
	return (is_new ? update : insert)(gs, key, entry, err);
}

int64_t
greystore_removed(struct greystore *gs)
{
	int64_t n = store_changes(gs->store);

	gs->triplets -= n;
	gs->turn_delta -= n;
	return n;
}

int
greystore_remove(struct greystore *gs, const char *key, struct err *err)
{
	if (greystore_begin_write(gs, err) != 0)
		return -1;
	greystore_bind_key(gs->stmt[SQL_REMOVE], key);
	if (greystore_exec(gs, gs->stmt[SQL_REMOVE], err) != 0)
		return -1;
	greystore_removed(gs);
	return 0;
}

enum greystore_found
greystore_find_client(struct greystore *gs, const char *address,
    struct greylist_client *client_r, struct err *err)
{
	int64_t values[3];
	enum greystore_found found =
	    find_row(gs, SQL_FIND_CLIENT, address, values, err);

	if (found == GREYSTORE_FOUND)
		*client_r = (struct greylist_client){
			.count = values[0],
			.last = values[1],
		};
	return found;
}

int
greystore_put_client(struct greystore *gs, const char *address,
    const struct greylist_client *client, bool is_new, struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_PUT_CLIENT];

	if (greystore_begin_write(gs, err) != 0)
		return -1;
	greystore_bind_key(stmt, address);
	store_bind_int(stmt, 2, client->count);
	store_bind_int(stmt, 3, client->last);
	if (greystore_exec(gs, stmt, err) != 0)
		return -1;
	if (is_new && gs->clients >= 0)
		gs->clients++;
	return 0;
}

void
greystore_copy_key(char to[static KEY_SIZE], const char *key)
{
	size_t len = strnlen(key, KEY_SIZE - 1);

	memcpy(to, key, len);
	to[len] = '\0';
}

struct rules *
greystore_rules(struct greystore *gs, int64_t now_s, struct err *err)
{
	struct store_stmt *stmt = gs->stmt[SQL_RULES];
	struct rules *rules = rules_new();
	enum store_step step;

	store_bind_int(stmt, 1, now_s);
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		enum rules_kind kind;
		enum rules_action action;

		/* What a later version wrote is skipped. */
		if (!rules_kind_parse(
			store_column_text(stmt, 0, NULL), &kind) ||
		    !rules_action_parse(
			store_column_text(stmt, 2, NULL), &action))
			continue;
		rules_add(rules, kind, store_column_text(stmt, 1, NULL), action,
		    store_column_int(stmt, 3),
		    store_column_text(stmt, 4, NULL));
	}
	if (step == STORE_FAILED)
		rules_free(&rules);
	return rules;
}
