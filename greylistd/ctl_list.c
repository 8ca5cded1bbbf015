/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "greylistd/ctl.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_list.h"
#include "greylistd/ctl_print.h"

static const struct ctl_print_column triplet_columns[] = {
	{ "state", "STATE", CTL_PRINT_TEXT },
	{ "left", "LEFT", CTL_PRINT_SPAN },
	{ "waited", "WAITED", CTL_PRINT_SPAN },
	{ "first", "FIRST SEEN", CTL_PRINT_TIME },
	{ "last", "LAST SEEN", CTL_PRINT_TIME },
	{ "network", "NETWORK", CTL_PRINT_TEXT },
	{ "sender", "SENDER", CTL_PRINT_TEXT },
	{ "recipient", "RECIPIENT", CTL_PRINT_TEXT },
};

static const struct ctl_print_column digest_columns[] = {
	{ "state", "STATE", CTL_PRINT_TEXT },
	{ "left", "LEFT", CTL_PRINT_SPAN },
	{ "waited", "WAITED", CTL_PRINT_SPAN },
	{ "first", "FIRST SEEN", CTL_PRINT_TIME },
	{ "last", "LAST SEEN", CTL_PRINT_TIME },
	{ "key", "KEY", CTL_PRINT_TEXT },
};

static const struct ctl_print_column client_columns[] = {
	{ "state", "STATE", CTL_PRINT_TEXT },
	{ "count", "COUNT", CTL_PRINT_NUMBER },
	{ "last", "LAST SEEN", CTL_PRINT_TIME },
	{ "address", "CLIENT", CTL_PRINT_TEXT },
};

static const struct ctl_print_column rule_columns[] = {
	{ "action", "ACTION", CTL_PRINT_TEXT },
	{ "kind", "KIND", CTL_PRINT_TEXT },
	{ "value", "VALUE", CTL_PRINT_TEXT },
	{ "created", "CREATED", CTL_PRINT_TIME },
	{ "expires", "EXPIRES", CTL_PRINT_TIME },
	{ "comment", "COMMENT", CTL_PRINT_TEXT },
};

#define COLUMNS(array) array, sizeof(array) / sizeof((array)[0])

struct ctl_print *
ctl_list_triplets(struct ctl *ctl, struct json *json, const char *name)
{
	if (ctl->key.privacy)
		return ctl_print_new(
		    stdout, json, name, COLUMNS(digest_columns));
	return ctl_print_new(stdout, json, name, COLUMNS(triplet_columns));
}

static void
print_string(struct ctl_print *print, const char *text)
{
	ctl_print_text(print, text, strlen(text));
}

void
ctl_list_triplet(struct ctl *ctl, struct ctl_print *print, const char *key,
    size_t len, const struct greylist_entry *entry)
{
	enum ctl_entry_state state =
	    ctl_entry_state(&ctl->policy, entry, ctl->now_s);
	struct ctl_entry_parts parts;

	print_string(print, ctl_entry_state_name(state));
	ctl_print_int(print,
	    state == CTL_ENTRY_PENDING
		? ctl->policy.delay_s - greylist_age(ctl->now_s, entry->first)
		: -1);
	ctl_print_int(print, entry->passed > GREYLIST_PASSED_UNKNOWN
				 ? greylist_age(entry->passed, entry->first)
				 : -1);
	ctl_print_int(print, entry->first);
	ctl_print_int(print, entry->last);
	if (ctl->key.privacy) {
		ctl_print_text(print, key, len);
		return;
	}
	/* What is no key in parts appears whole, as a network. */
	if (!ctl_entry_split(key, len, &parts)) {
		parts.network.text = key;
		parts.network.len = len;
	}
	ctl_print_text(print, parts.network.text, parts.network.len);
	if (parts.sender.len == 0 && parts.network.len < len && !ctl->json)
		print_string(print, "<>");
	else
		ctl_print_text(print, parts.sender.text, parts.sender.len);
	ctl_print_text(print, parts.recipient.text, parts.recipient.len);
}

struct listing {
	struct ctl *ctl;
	struct ctl_print *print;
	const struct ctl_entry_filter *filter;
	int64_t left; /* rows still to print */
};

static bool
list_one(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry)
{
	struct listing *listing = arg;

	if (!ctl_entry_filter_match(listing->filter, key, len, entry))
		return true;
	ctl_list_triplet(listing->ctl, listing->print, key, len, entry);
	return --listing->left > 0;
}

static int
list_triplets(struct ctl *ctl, struct ctl_entry_filter *filter, int64_t limit,
    struct json *json)
{
	static struct ctl_entry_walk walk;
	struct listing listing = {
		.ctl = ctl, .filter = filter, .left = limit
	};
	struct err err;
	int result;

	if (ctl_entry_filter_init(filter, &ctl->key, &err) != 0)
		return ctl_fail(EX_USAGE, "%s", err.text);
	listing.print = ctl_list_triplets(ctl, json, NULL);
	result = ctl_entry_each(
	    ctl, &walk, filter->prefix, list_one, &listing, &err);
	if (ctl_print_end(&listing.print) == 0 && result == 0 && json == NULL)
		ctl_note("no triplets are stored that fit");
	return result == 0 ? EX_OK : ctl_fail(EX_UNAVAILABLE, "%s", err.text);
}

struct ctl_print *
ctl_list_clients(struct json *json, const char *name)
{
	return ctl_print_new(stdout, json, name, COLUMNS(client_columns));
}

void
ctl_list_client(const struct ctl *ctl, struct ctl_print *print,
    const char *address, const struct greylist_client *client)
{
	bool known = ctl->policy.client_threshold > 0 &&
		     client->count >= ctl->policy.client_threshold;

	print_string(print, known ? "known" : "counting");
	ctl_print_int(print, client->count);
	ctl_print_int(print, client->last);
	print_string(print, address);
}

static int
list_clients(
    struct ctl *ctl, const char *network, int64_t limit, struct json *json)
{
	struct err err;
	struct ip_net net;
	struct store_stmt *stmt;
	struct ctl_print *print;
	enum store_step step;

	if (network != NULL && !ip_net_parse(network, &net))
		return ctl_fail(EX_USAGE,
		    "%s is no network; write 192.0.2.1, "
		    "192.0.2.0/24 or 2001:db8::/64",
		    network);
	stmt = store_prepare(greystore_store(ctl->gs),
	    "SELECT address, count, last FROM client ORDER BY address", &err);
	if (stmt == NULL)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	print = ctl_list_clients(json, NULL);
	while ((step = store_step(stmt, &err)) == STORE_ROW && limit > 0) {
		const char *address = store_column_text(stmt, 0, NULL);
		struct greylist_client client = {
			.count = store_column_int(stmt, 1),
			.last = store_column_int(stmt, 2),
		};
		struct ip ip;

		if (network != NULL &&
		    (!ip_parse(address, &ip) || !ip_net_contains(&net, &ip)))
			continue;
		ctl_list_client(ctl, print, address, &client);
		limit--;
	}
	store_reset(stmt);
	if (ctl_print_end(&print) == 0 && step != STORE_FAILED && json == NULL)
		ctl_note("no clients are stored that fit");
	return step == STORE_FAILED ? ctl_fail(EX_UNAVAILABLE, "%s", err.text)
				    : EX_OK;
}

struct ctl_print *
ctl_list_rules(struct json *json, const char *name)
{
	return ctl_print_new(stdout, json, name, COLUMNS(rule_columns));
}

void
ctl_list_rule(struct ctl_print *print, const struct ctl_rule *rule)
{
	print_string(print, rule->action);
	print_string(print, rule->kind);
	print_string(print, rule->value);
	ctl_print_int(print, rule->created);
	ctl_print_int(print, rule->expires);
	print_string(print, rule->comment);
}

static int
print_rule(void *arg, const struct ctl_rule *rule)
{
	ctl_list_rule(arg, rule);
	return 0;
}

static int
list_rules(struct ctl *ctl, struct json *json)
{
	struct err err;
	struct ctl_print *print = ctl_list_rules(json, NULL);
	int result = ctl_rule_each(ctl, print_rule, print, &err);

	if (ctl_print_end(&print) == 0 && result == 0 && json == NULL)
		ctl_note("no rules are stored");
	return result == 0 ? EX_OK : ctl_fail(EX_UNAVAILABLE, "%s", err.text);
}

int
ctl_list(struct ctl *ctl, int argc, char **argv)
{
	static struct ctl_entry_filter filter;
	const char *limit_text = NULL;
	const struct ctl_option options[] = {
		{ "pending", &filter.pending, NULL, NULL },
		{ "passed", &filter.passed, NULL, NULL },
		{ "network", NULL, &filter.network, NULL },
		{ "sender", NULL, &filter.sender, NULL },
		{ "recipient", NULL, &filter.recipient, NULL },
		{ "limit", NULL, &limit_text, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	const char *what = "triplets";
	int64_t limit = INT64_MAX;
	struct json json;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0 ||
	    ctl_number("limit", limit_text, INT64_MAX, &limit) != 0)
		return EX_USAGE;
	if (argc > 1)
		what = argv[1];
	if (argc > 2 ||
	    (strcmp(what, "triplets") != 0 && strcmp(what, "clients") != 0 &&
		strcmp(what, "rules") != 0))
		return ctl_fail(EX_USAGE, "write: list, list clients or list "
					  "rules");
	code = ctl_open(ctl, STORE_TOOL_READ);
	if (code != 0)
		return code;
	json_init(&json, stdout);
	if (what[0] == 't')
		code = list_triplets(
		    ctl, &filter, limit, ctl->json ? &json : NULL);
	else if (what[0] == 'c')
		code = list_clients(
		    ctl, filter.network, limit, ctl->json ? &json : NULL);
	else
		code = list_rules(ctl, ctl->json ? &json : NULL);
	return ctl_finish(code);
}
