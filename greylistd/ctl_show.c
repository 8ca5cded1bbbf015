/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_list.h"
#include "greylistd/ctl_print.h"
#include "greylistd/rules.h"

/* What the user asks about. */
enum subject {
	SUBJECT_CLIENT,  /* an IP address */
	SUBJECT_ADDRESS, /* of a sender or recipient */
	SUBJECT_NAME,    /* a host or domain name */
	SUBJECT_KEY,
	SUBJECT_TRIPLET, /* client, sender and recipient */
};

struct show {
	struct ctl *ctl;
	struct json *json; /* NULL for people */
	struct ctl_print *print;
	enum subject subject;
	char *text;         /* the word */
	struct ip ip;       /* CLIENT, TRIPLET */
	char key[KEY_SIZE]; /* KEY, TRIPLET */
	struct ctl_entry_filter filter;
	struct ctl_entry_filter filter2; /* ADDRESS: as recipient */
	struct ctl_entry_walk walk;
};

static int
classify(struct show *show, int argc, char **argv)
{
	struct ctl *ctl = show->ctl;

	show->text = argv[1];
	if (argc == 4) {
		show->subject = SUBJECT_TRIPLET;
		if (!ip_parse(argv[1], &show->ip))
			return ctl_fail(
			    EX_USAGE, "%s is no client address", argv[1]);
		key_make(&ctl->key, KEY_FOLD_ALL, &show->ip,
		    strcmp(argv[2], "<>") == 0 ? "" : argv[2], argv[3],
		    show->key);
	} else if (argc != 2) {
		return ctl_fail(EX_USAGE, "write: show ADDRESS, show KEY or "
					  "show CLIENT SENDER RECIPIENT");
	} else if (ip_parse(show->text, &show->ip)) {
		show->subject = SUBJECT_CLIENT;
	} else if (strlen(show->text) < sizeof(show->key) &&
		   (ctl_entry_is_digest(show->text, strlen(show->text)) ||
		       strchr(show->text, '/') != NULL)) {
		show->subject = SUBJECT_KEY;
		memcpy(show->key, show->text, strlen(show->text) + 1);
	} else if (strchr(show->text, '@') != NULL ||
		   strcmp(show->text, "<>") == 0) {
		show->subject = SUBJECT_ADDRESS;
	} else {
		show->subject = SUBJECT_NAME;
	}
	return 0;
}

static bool
show_one(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry)
{
	struct show *show = arg;

	if (ctl_entry_filter_match(&show->filter, key, len, entry) ||
	    (show->subject == SUBJECT_ADDRESS &&
		ctl_entry_filter_match(&show->filter2, key, len, entry)))
		ctl_list_triplet(show->ctl, show->print, key, len, entry);
	return true;
}

/* Looks up show->key, and when it is not there takes it for what list prints
 * ("%XX"). */
static int
show_key(struct show *show, struct err *err)
{
	struct greylist_entry entry;
	enum greystore_found found =
	    greystore_find(show->ctl->gs, show->key, &entry, err);

	if (found == GREYSTORE_NONE && ctl_entry_unescape(show->key))
		found = greystore_find(show->ctl->gs, show->key, &entry, err);
	if (found == GREYSTORE_FOUND)
		ctl_list_triplet(show->ctl, show->print, show->key,
		    strlen(show->key), &entry);
	return found == GREYSTORE_FAILED ? -1 : 0;
}

static int
show_triplets(struct show *show, struct err *err)
{
	struct ctl *ctl = show->ctl;
	int result = 0;
	size_t rows;

	if (show->subject == SUBJECT_CLIENT) {
		show->filter.network = show->text;
	} else if (show->subject == SUBJECT_ADDRESS) {
		show->filter.sender = show->text;
		show->filter2.recipient = show->text;
	} else if (show->subject == SUBJECT_NAME) {
		return 0;
	}
	show->print = ctl_list_triplets(ctl, show->json, "triplets");
	if (show->subject == SUBJECT_KEY || show->subject == SUBJECT_TRIPLET) {
		result = show_key(show, err);
	} else if (ctl->key.privacy) {
		ctl_note("with Privacy triplets are found only by all three: "
			 "show CLIENT SENDER RECIPIENT");
	} else {
		result = ctl_entry_filter_init(&show->filter, &ctl->key, err);
		if (result == 0)
			result = ctl_entry_filter_init(
			    &show->filter2, &ctl->key, err);
		if (result == 0)
			result = ctl_entry_each(ctl, &show->walk,
			    show->filter.prefix, show_one, show, err);
	}
	rows = ctl_print_end(&show->print);
	if (rows == 0 && show->json == NULL)
		puts("no triplets");
	return result;
}

static int
show_client(struct show *show, struct err *err)
{
	struct ctl *ctl = show->ctl;
	struct greylist_client client;
	char key[KEY_SIZE];
	enum greystore_found found;
	struct ctl_print *print;

	if (show->subject != SUBJECT_CLIENT && show->subject != SUBJECT_TRIPLET)
		return 0;
	key_client(&ctl->key, &show->ip, key);
	found = greystore_find_client(ctl->gs, key, &client, err);
	if (found == GREYSTORE_FAILED)
		return -1;
	if (show->json == NULL && found == GREYSTORE_NONE) {
		puts("\nno passed triplet was counted for this client");
		return 0;
	}
	if (show->json == NULL)
		putchar('\n');
	print = ctl_list_clients(show->json, "clients");
	if (found == GREYSTORE_FOUND)
		ctl_list_client(ctl, print, key, &client);
	ctl_print_end(&print);
	return 0;
}

/* Would this rule, if it were the only one, decide about the subject? */
static bool
rule_applies(const struct show *show, const struct ctl_rule *rule)
{
	struct rules_subject subject = {
		.client_name = "",
		.sender = "",
		.recipient = "",
	};
	struct rules *rules;
	enum rules_kind kind;
	bool applies;

	if (!rules_kind_parse(rule->kind, &kind))
		return false;
	if ((kind == RULES_CLIENT || kind == RULES_NETWORK) !=
		(show->subject == SUBJECT_CLIENT ||
		    show->subject == SUBJECT_TRIPLET) &&
	    show->subject != SUBJECT_NAME)
		return false;
	if (show->subject == SUBJECT_CLIENT ||
	    show->subject == SUBJECT_TRIPLET) {
		subject.ip = &show->ip;
	} else if (show->subject == SUBJECT_ADDRESS) {
		if (strcmp(show->text, "<>") != 0)
			subject.sender = subject.recipient = show->text;
	} else if (kind == RULES_CLIENT) {
		subject.client_name = show->text;
	} else {
		return kind == RULES_DOMAIN &&
		       str_equal_nocase(rule->value, show->text);
	}
	rules = rules_new();
	rules_add(rules, kind, rule->value, RULES_ALLOW, 0, "");
	applies =
	    rules_match(rules, &subject, show->ctl->now_s, NULL) != RULES_NONE;
	rules_free(&rules);
	return applies;
}

static int
show_rule(void *arg, const struct ctl_rule *rule)
{
	const struct show *show = arg;
	bool expired = rule->expires != 0 && rule->expires <= show->ctl->now_s;

	if (!expired && rule_applies(show, rule))
		ctl_list_rule(show->print, rule);
	return 0;
}

static int
show_rules(struct show *show, struct err *err)
{
	int result;

	if (show->subject == SUBJECT_KEY)
		return 0;
	if (show->json == NULL)
		putchar('\n');
	show->print = ctl_list_rules(show->json, "rules");
	result = ctl_rule_each(show->ctl, show_rule, show, err);
	if (ctl_print_end(&show->print) == 0 && show->json == NULL)
		puts("no rules apply");
	return result;
}

int
ctl_show(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_option options[] = { { NULL, NULL, NULL, NULL } };
	struct show *show;
	struct json json;
	struct err err;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0)
		return EX_USAGE;
	show = xmem_calloc(1, sizeof(*show));
	show->ctl = ctl;
	code = classify(show, argc, argv);
	if (code == 0)
		code = ctl_open(ctl, STORE_TOOL_READ);
	if (code != 0)
		goto out;
	json_init(&json, stdout);
	if (ctl->json) {
		show->json = &json;
		json_open(&json, NULL, '{');
	}
	if (show_triplets(show, &err) != 0 || show_client(show, &err) != 0 ||
	    show_rules(show, &err) != 0)
		code = ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	if (ctl->json)
		json_close(&json);
	code = ctl_finish(code);
out:
	xmem_free(&show);
	return code;
}
