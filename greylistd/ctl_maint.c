/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>

#include "common/json.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/rules.h"

static long long
file_size(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 ? (long long)st.st_size : 0;
}

/* The daemon's bound on entries goes by this number; a crash leaves it
 * behind. */
static int
fix_count(struct ctl *ctl, struct err *err)
{
	struct store *store = greystore_store(ctl->gs);
	struct store_stmt *stmt = store_prepare(store,
	    "UPDATE meta SET value = (SELECT count(*) FROM triplet) "
	    "WHERE name = 'triplets'",
	    err);

	if (stmt == NULL || store_begin_write(store, err) != 0)
		return -1;
	if (store_exec(stmt, err) != 0) {
		store_rollback(store);
		return -1;
	}
	return store_end(store, err);
}

int
ctl_maint_vacuum(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_option options[] = { { NULL, NULL, NULL, NULL } };
	struct err err;
	long long before, after;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0)
		return EX_USAGE;
	if (argc != 1)
		return ctl_fail(EX_USAGE, "vacuum takes no words");
	code = ctl_open(ctl, STORE_TOOL);
	if (code != 0)
		return code;
	before = file_size(ctl->database);
	if (fix_count(ctl, &err) != 0 ||
	    store_vacuum(greystore_store(ctl->gs), &err) != 0)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	/* Closing brings the new pages from the log into the file. */
	greystore_close(&ctl->gs);
	after = file_size(ctl->database);
	if (ctl->json) {
		struct json json;

		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_int(&json, "bytes_before", before);
		json_int(&json, "bytes_after", after);
		json_close(&json);
	} else {
		printf("%lld bytes before, %lld bytes after\n", before, after);
	}
	return ctl_finish(EX_OK);
}

struct check {
	int64_t triplets;  /* rows found */
	int64_t counted;   /* what the file says there are */
	int64_t malformed; /* keys in no known form */
	int64_t wrong_times;
	int64_t bad_rules;
	char damage[ERR_TEXT_SIZE]; /* "" = sound */
};

static bool
check_one(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry)
{
	struct check *check = arg;
	struct ctl_entry_parts parts;

	check->triplets++;
	if (!ctl_entry_is_digest(key, len) &&
	    !ctl_entry_split(key, len, &parts))
		check->malformed++;
	if (entry->first <= 0 || entry->last < entry->first ||
	    entry->passed < 0)
		check->wrong_times++;
	return true;
}

static int
check_rule(void *arg, const struct ctl_rule *rule)
{
	struct check *check = arg;
	enum rules_kind kind;
	enum rules_action action;
	char value[RULES_VALUE_SIZE];

	if (!rules_kind_parse(rule->kind, &kind) ||
	    !rules_action_parse(rule->action, &action) ||
	    rules_canonical(kind, rule->value, value, NULL) != 0 ||
	    strcmp(value, rule->value) != 0)
		check->bad_rules++;
	return 0;
}

static int
read_counted(struct ctl *ctl, int64_t *counted_r, struct err *err)
{
	struct store_stmt *stmt = store_prepare(greystore_store(ctl->gs),
	    "SELECT value FROM meta WHERE name = 'triplets'", err);

	if (stmt == NULL)
		return -1;
	if (store_step(stmt, err) != STORE_ROW)
		return err_set(err, "the number of triplets is missing");
	*counted_r = store_column_int(stmt, 0);
	store_reset(stmt);
	return 0;
}

static void
examine(struct ctl *ctl, struct check *check)
{
	static struct ctl_entry_walk walk;
	struct store *store = greystore_store(ctl->gs);
	struct err err = { .text = "" };

	if (store_check(store, &err) != 0 ||
	    store_begin_read(store, &err) != 0) {
		memcpy(check->damage, err.text, sizeof(check->damage));
		return;
	}
	if (ctl_entry_each(ctl, &walk, "", check_one, check, &err) != 0 ||
	    read_counted(ctl, &check->counted, &err) != 0 ||
	    ctl_rule_each(ctl, check_rule, check, &err) != 0)
		memcpy(check->damage, err.text, sizeof(check->damage));
	(void)store_end(store, NULL);
}

static void
print_json(const struct check *check)
{
	struct json json;

	json_init(&json, stdout);
	json_open(&json, NULL, '{');
	json_bool(&json, "sound", check->damage[0] == '\0');
	json_text(&json, "damage", check->damage, strlen(check->damage));
	json_int(&json, "triplets", check->triplets);
	json_int(&json, "triplets_counted", check->counted);
	json_int(&json, "malformed_keys", check->malformed);
	json_int(&json, "wrong_times", check->wrong_times);
	json_int(&json, "bad_rules", check->bad_rules);
	json_close(&json);
}

static int
report_damage(const struct ctl *ctl, const char *what)
{
	ctl_note("%s is damaged: %s", ctl->database, what);
	fprintf(stderr,
	    "What to do:\n"
	    "  1. save what can be read: greylistctl export FILE\n"
	    "  2. restart greylistd: it moves the damaged file aside and "
	    "starts with an empty one\n"
	    "  3. put back what was saved: greylistctl import FILE\n"
	    "Without 1 and 3 nothing is lost but delays: senders are "
	    "greylisted anew.\n");
	return EX_DATAERR;
}

static void
report_findings(const struct ctl *ctl, const struct check *check)
{
	if (!ctl->json)
		printf("the file is sound: %lld triplets\n",
		    (long long)check->triplets);
	if (check->triplets != check->counted)
		ctl_note("the file's own count says %lld; a running daemon is "
			 "some seconds behind, a crash leaves it behind until: "
			 "greylistctl vacuum",
		    (long long)check->counted);
	if (check->malformed > 0)
		ctl_note("%lld keys have an unknown form; they do no harm and "
			 "expire",
		    (long long)check->malformed);
	if (check->wrong_times > 0)
		ctl_note("%lld triplets have impossible times; they do no "
			 "harm",
		    (long long)check->wrong_times);
	if (check->bad_rules > 0)
		ctl_note("%lld rules cannot be understood and are not used; "
			 "greylistctl list rules shows them",
		    (long long)check->bad_rules);
}

int
ctl_maint_check(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_option options[] = { { NULL, NULL, NULL, NULL } };
	struct check check = { .damage = "" };
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0)
		return EX_USAGE;
	if (argc != 1)
		return ctl_fail(EX_USAGE, "check takes no words");
	code = ctl_open(ctl, STORE_TOOL);
	if (code != 0)
		return code;
	examine(ctl, &check);
	if (ctl->json)
		print_json(&check);
	if (check.damage[0] != '\0')
		return ctl_finish(report_damage(ctl, check.damage));
	report_findings(ctl, &check);
	return ctl_finish(EX_OK);
}
