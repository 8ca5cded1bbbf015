/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/json.h"
#include "common/now.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_entry.h"

struct forget {
	struct ctl *ctl;
	struct ctl_entry_filter filter;
	struct ctl_entry_walk walk;
	char *keys[CTL_BATCH];
	size_t count;
	int64_t triplets; /* removed */
	int64_t clients;
};

static bool
collect(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry)
{
	struct forget *forget = arg;

	if (ctl_entry_filter_match(&forget->filter, key, len, entry))
		forget->keys[forget->count++] = xmem_strndup(key, len);
	return forget->count < CTL_BATCH;
}

/* Removes what it can in the time of one transaction, from key *next on. */
static int
remove_some(struct forget *forget, size_t *next, struct err *err)
{
	struct greystore *gs = forget->ctl->gs;
	int64_t before = greystore_triplets(gs);
	int64_t began_us = 0;

	do {
		if (greystore_remove(gs, forget->keys[*next], err) != 0)
			return -1;
		++*next;
		/* The clock runs from the moment that the lock was got. */
		if (began_us == 0)
			began_us = now_mono_us();
	} while (
	    *next < forget->count && now_mono_us() - began_us < CTL_BATCH_US);
	if (greystore_commit(gs, err) != 0)
		return -1;
	forget->triplets += before - greystore_triplets(gs);
	ctl_pause(forget->ctl, began_us);
	return 0;
}

/* Removes the collected keys. */
static int
remove_batch(struct forget *forget, struct err *err)
{
	size_t next = 0;
	int result = 0;

	while (next < forget->count && result == 0)
		result = remove_some(forget, &next, err);
	for (size_t i = 0; i < forget->count; i++)
		xmem_free(&forget->keys[i]);
	forget->count = 0;
	return result;
}

static int
forget_triplets(struct forget *forget, struct err *err)
{
	if (ctl_entry_filter_init(&forget->filter, &forget->ctl->key, err) != 0)
		return -1;
	do {
		if (ctl_entry_each(forget->ctl, &forget->walk,
			forget->filter.prefix, collect, forget, err) != 0)
			return -1;
		if (forget->count == 0)
			break;
		if (remove_batch(forget, err) != 0)
			return -1;
	} while (!forget->walk.ended);
	return 0;
}

/* Forgets keys that were written out; "%XX" counts when the plain text is not
 * there. */
static int
forget_keys(struct forget *forget, int argc, char **argv, struct err *err)
{
	struct greystore *gs = forget->ctl->gs;

	for (int i = 1; i < argc; i++) {
		struct greylist_entry entry;
		enum greystore_found found =
		    greystore_find(gs, argv[i], &entry, err);

		if (found == GREYSTORE_NONE && ctl_entry_unescape(argv[i]))
			found = greystore_find(gs, argv[i], &entry, err);
		if (found == GREYSTORE_FAILED)
			return -1;
		if (found == GREYSTORE_NONE) {
			ctl_note("there is no triplet %s", argv[i]);
			continue;
		}
		forget->keys[forget->count++] = xmem_strdup(argv[i]);
		if (forget->count == CTL_BATCH &&
		    remove_batch(forget, err) != 0)
			return -1;
	}
	return remove_batch(forget, err);
}

/* Removes the client of this key, or all (NULL). */
static int
forget_clients(struct forget *forget, const char *key, struct err *err)
{
	struct store *store = greystore_store(forget->ctl->gs);
	struct store_stmt *stmt;
	int64_t removed;

	stmt = store_prepare(store,
	    key != NULL ? "DELETE FROM client WHERE address = ?1"
			: "DELETE FROM client WHERE address IN "
			  "(SELECT address FROM client LIMIT ?1)",
	    err);
	if (stmt == NULL)
		return -1;
	do {
		int64_t began_us;

		if (store_begin_write(store, err) != 0)
			return -1;
		began_us = now_mono_us();
		if (key != NULL)
			store_bind_text(stmt, 1, key, strlen(key));
		else
			store_bind_int(stmt, 1, CTL_BATCH);
		if (store_exec(stmt, err) != 0) {
			store_rollback(store);
			return -1;
		}
		removed = store_changes(store);
		if (store_end(store, err) != 0)
			return -1;
		forget->clients += removed;
		if (key == NULL)
			ctl_pause(forget->ctl, began_us);
	} while (key == NULL && removed > 0);
	return 0;
}

static int
check_usage(const struct forget *forget, bool all, bool yes, int argc,
    const char *client)
{
	bool some = forget->filter.network != NULL ||
		    forget->filter.sender != NULL ||
		    forget->filter.recipient != NULL;

	if (all && (some || client != NULL || argc > 1))
		return ctl_fail(EX_USAGE, "--all stands alone");
	if (all && !yes)
		return ctl_fail(EX_USAGE,
		    "this forgets every triplet and "
		    "every client, so that all mail is delayed anew; if "
		    "that is meant, write: greylistctl forget --all "
		    "--yes");
	if (!all && !some && client == NULL && argc < 2)
		return ctl_fail(EX_USAGE,
		    "say what to forget: a key, "
		    "--network, --sender, --recipient or --client; see "
		    "greylistctl --help");
	if (some && argc > 1)
		return ctl_fail(EX_USAGE, "give either keys or a search");
	return 0;
}

static int
run(struct forget *forget, const char *client_key, bool all, int argc,
    char **argv)
{
	struct err err;
	bool some = forget->filter.network != NULL ||
		    forget->filter.sender != NULL ||
		    forget->filter.recipient != NULL;

	if ((some || all) && forget_triplets(forget, &err) != 0)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	if (argc > 1 && forget_keys(forget, argc, argv, &err) != 0)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	if ((client_key != NULL || all) &&
	    forget_clients(forget, all ? NULL : client_key, &err) != 0)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	if (forget->ctl->json) {
		struct json json;

		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_int(&json, "triplets", forget->triplets);
		json_int(&json, "clients", forget->clients);
		json_close(&json);
	} else {
		printf("forgotten: %lld triplets, %lld clients\n",
		    (long long)forget->triplets, (long long)forget->clients);
	}
	return EX_OK;
}

int
ctl_forget(struct ctl *ctl, int argc, char **argv)
{
	static struct forget forget;
	bool all = false, yes = false;
	const char *client = NULL;
	const struct ctl_option options[] = {
		{ "network", NULL, &forget.filter.network, NULL },
		{ "sender", NULL, &forget.filter.sender, NULL },
		{ "recipient", NULL, &forget.filter.recipient, NULL },
		{ "client", NULL, &client, NULL },
		{ "all", &all, NULL, NULL },
		{ "yes", &yes, NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	char client_key[KEY_SIZE];
	struct ip ip;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0 ||
	    check_usage(&forget, all, yes, argc, client) != 0)
		return EX_USAGE;
	if (client != NULL) {
		if (!ip_parse(client, &ip))
			return ctl_fail(EX_USAGE,
			    "--client %s: this is no IP "
			    "address",
			    client);
		key_client(&ctl->key, &ip, client_key);
	}
	forget.ctl = ctl;
	/* A faulty search is the user's error, not the database's. */
	if (!all) {
		struct err err;

		if (ctl_entry_filter_init(&forget.filter, &ctl->key, &err) != 0)
			return ctl_fail(EX_USAGE, "%s", err.text);
	}
	code = ctl_open(ctl, STORE_TOOL);
	if (code != 0)
		return code;
	return ctl_finish(
	    run(&forget, client != NULL ? client_key : NULL, all, argc, argv));
}
