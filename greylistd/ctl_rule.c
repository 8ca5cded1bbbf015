/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/str.h"
#include "common/tool.h"
#include "common/unit.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_print.h"
#include "greylistd/rules.h"

#define COMMENT_MAX 500

int
ctl_rule_each(struct ctl *ctl, ctl_rule_fn *fn, void *arg, struct err *err)
{
	struct store_stmt *stmt = store_prepare(greystore_store(ctl->gs),
	    "SELECT kind, value, action, comment, created, expires "
	    "FROM rule ORDER BY kind, value",
	    err);
	enum store_step step;

	if (stmt == NULL)
		return -1;
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		const struct ctl_rule rule = {
			.kind = store_column_text(stmt, 0, NULL),
			.value = store_column_text(stmt, 1, NULL),
			.action = store_column_text(stmt, 2, NULL),
			.comment = store_column_text(stmt, 3, NULL),
			.created = store_column_int(stmt, 4),
			.expires = store_column_int(stmt, 5),
		};
		int result = fn(arg, &rule);

		if (result != 0) {
			store_reset(stmt);
			return result;
		}
	}
	return step == STORE_DONE ? 0 : -1;
}

/* Reads KIND and VALUE from argv. */
static int
read_rule(int argc, char **argv, enum rules_kind *kind_r,
    char value_r[static RULES_VALUE_SIZE])
{
	struct err err;

	if (argc != 3)
		return ctl_fail(EX_USAGE,
		    "write: greylistctl %s KIND VALUE, "
		    "as in: greylistctl %s domain example.com",
		    argv[0], argv[0]);
	if (!rules_kind_parse(argv[1], kind_r))
		return ctl_fail(EX_USAGE,
		    "%s is no kind of rule; write "
		    "client, network, domain, sender or recipient",
		    argv[1]);
	if (rules_canonical(*kind_r, argv[2], value_r, &err) != 0)
		return ctl_fail(EX_USAGE, "%s", err.text);
	return 0;
}

/* Tells what was done. */
static void
report(struct ctl *ctl, const char *action, const struct ctl_rule *rule)
{
	struct json json;
	char buf[CTL_PRINT_TEXT_SIZE];

	if (ctl->json) {
		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_text(&json, "action", action, strlen(action));
		json_text(&json, "kind", rule->kind, strlen(rule->kind));
		json_text(&json, "value", rule->value, strlen(rule->value));
		if (rule->expires != 0)
			json_int(&json, "expires", rule->expires);
		json_close(&json);
		return;
	}
	printf("%s: %s ", action, rule->kind);
	tool_put(stdout, rule->value, strlen(rule->value));
	if (rule->expires != 0)
		printf(", until %s", ctl_print_time(rule->expires, buf));
	putchar('\n');
}

static int
put_rule(struct ctl *ctl, const struct ctl_rule *rule, struct err *err)
{
	struct store *store = greystore_store(ctl->gs);
	struct store_stmt *stmt = store_prepare(store,
	    "INSERT OR REPLACE INTO rule"
	    "(kind, value, action, comment, created, expires) "
	    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)",
	    err);

	if (stmt == NULL || store_begin_write(store, err) != 0)
		return -1;
	store_bind_text(stmt, 1, rule->kind, strlen(rule->kind));
	store_bind_text(stmt, 2, rule->value, strlen(rule->value));
	store_bind_text(stmt, 3, rule->action, strlen(rule->action));
	store_bind_text(stmt, 4, rule->comment, strlen(rule->comment));
	store_bind_int(stmt, 5, rule->created);
	store_bind_int(stmt, 6, rule->expires);
	if (store_exec(stmt, err) != 0) {
		store_rollback(store);
		return -1;
	}
	return store_end(store, err);
}

static int
add_rule(struct ctl *ctl, int argc, char **argv, enum rules_action action)
{
	const char *comment = "", *expires = NULL;
	const struct ctl_option options[] = {
		{ "comment", NULL, &comment, NULL },
		{ "expires", NULL, &expires, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	struct ctl_rule rule = { .created = ctl->now_s };
	char value[RULES_VALUE_SIZE];
	enum rules_kind kind;
	struct err err;
	int64_t span_s;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0 ||
	    read_rule(argc, argv, &kind, value) != 0)
		return EX_USAGE;
	if (strlen(comment) > COMMENT_MAX)
		return ctl_fail(
		    EX_USAGE, "--comment: at most %d bytes", COMMENT_MAX);
	if (expires != NULL) {
		if (unit_parse_time(expires, 's', &span_s, &err) != 0)
			return ctl_fail(EX_USAGE, "--expires: %s", err.text);
		if (span_s == 0 || span_s > INT64_C(1) << 40)
			return ctl_fail(EX_USAGE,
			    "--expires %s: write how "
			    "long from now on, as in 30d",
			    expires);
		rule.expires = ctl->now_s + span_s;
	}
	code = ctl_open_or_make(ctl);
	if (code != 0)
		return code;
	rule.kind = rules_kind_name(kind);
	rule.value = value;
	rule.action = rules_action_name(action);
	rule.comment = comment;
	if (put_rule(ctl, &rule, &err) != 0)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	report(ctl, rule.action, &rule);
	return ctl_finish(EX_OK);
}

int
ctl_rule_allow(struct ctl *ctl, int argc, char **argv)
{
	return add_rule(ctl, argc, argv, RULES_ALLOW);
}

int
ctl_rule_block(struct ctl *ctl, int argc, char **argv)
{
	return add_rule(ctl, argc, argv, RULES_BLOCK);
}

static int
remove_row(struct ctl *ctl, const struct ctl_rule *rule, int64_t *removed_r,
    struct err *err)
{
	struct store *store = greystore_store(ctl->gs);
	struct store_stmt *stmt = store_prepare(
	    store, "DELETE FROM rule WHERE kind = ?1 AND value = ?2", err);

	if (stmt == NULL || store_begin_write(store, err) != 0)
		return -1;
	store_bind_text(stmt, 1, rule->kind, strlen(rule->kind));
	store_bind_text(stmt, 2, rule->value, strlen(rule->value));
	if (store_exec(stmt, err) != 0) {
		store_rollback(store);
		return -1;
	}
	*removed_r = store_changes(store);
	return store_end(store, err);
}

int
ctl_rule_remove(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_option options[] = { { NULL, NULL, NULL, NULL } };
	struct ctl_rule rule = { .created = 0 };
	char value[RULES_VALUE_SIZE];
	enum rules_kind kind;
	int64_t removed;
	struct err err;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0 ||
	    read_rule(argc, argv, &kind, value) != 0)
		return EX_USAGE;
	code = ctl_open(ctl, STORE_TOOL);
	if (code != 0)
		return code;
	rule.kind = rules_kind_name(kind);
	rule.value = value;
	if (remove_row(ctl, &rule, &removed, &err) != 0)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	if (removed == 0)
		return ctl_fail(EX_DATAERR,
		    "there is no rule for %s %s; "
		    "greylistctl list rules shows all",
		    rule.kind, value);
	report(ctl, "removed", &rule);
	return ctl_finish(EX_OK);
}
