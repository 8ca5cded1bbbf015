/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/xmem.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_text.h"

struct export
{
	FILE *out;
	struct ctl *ctl;
	struct ctl_text record;
	char line[CTL_TEXT_LINE_SIZE];
	int64_t rows;
	int64_t dropped; /* rows with texts that are too long */
};

static void
write_record(struct export *export)
{
	ctl_text_format(&export->record, export->line);
	fputs(export->line, export->out);
	putc('\n', export->out);
	export->rows++;
}

/* Sets text i of the record. Returns false (and counts) when it is too long
 * for the format. */
static bool
set_text(struct export *export, size_t i, const char *text)
{
	size_t len = strlen(text);

	if (len > CTL_TEXT_VALUE_MAX) {
		export->dropped++;
		return false;
	}
	memcpy(export->record.text[i], text, len + 1);
	return true;
}

static bool
write_triplet(
    void *arg, const char *key, size_t len, const struct greylist_entry *entry)
{
	struct export *export = arg;

	(void)len;
	export->record.type = CTL_TEXT_TRIPLET;
	export->record.number[0] = entry->first;
	export->record.number[1] = entry->last;
	export->record.number[2] = entry->passed;
	if (set_text(export, 0, key))
		write_record(export);
	return !ferror(export->out);
}

static int
write_rule(void *arg, const struct ctl_rule *rule)
{
	struct export *export = arg;

	export->record.type = CTL_TEXT_RULE;
	export->record.number[0] = rule->created;
	export->record.number[1] = rule->expires;
	if (set_text(export, 0, rule->action) &&
	    set_text(export, 1, rule->kind) &&
	    set_text(export, 2, rule->value) &&
	    set_text(export, 3, rule->comment))
		write_record(export);
	return 0;
}

/* Writes the rows of a query with a text and two numbers. */
static int
write_query(struct export *export, enum ctl_text_type type, const char *sql,
    struct err *err)
{
	struct store_stmt *stmt =
	    store_prepare(greystore_store(export->ctl->gs), sql, err);
	enum store_step step;

	if (stmt == NULL)
		return -1;
	while ((step = store_step(stmt, err)) == STORE_ROW) {
		export->record.type = type;
		export->record.number[0] = store_column_int(stmt, 1);
		export->record.number[1] = store_column_int(stmt, 2);
		if (set_text(export, 0, store_column_text(stmt, 0, NULL)))
			write_record(export);
	}
	return step == STORE_DONE ? 0 : -1;
}

/* Writes all tables as they are at one moment. */
static int
write_all(struct export *export, struct err *err)
{
	static struct ctl_entry_walk walk;
	struct store *store = greystore_store(export->ctl->gs);

	fprintf(export->out, "%s\n", CTL_TEXT_HEAD);
	if (store_begin_read(store, err) != 0 ||
	    ctl_rule_each(export->ctl, write_rule, export, err) != 0 ||
	    write_query(export, CTL_TEXT_CLIENT,
		"SELECT address, count, last "
		"FROM client ORDER BY address",
		err) != 0 ||
	    write_query(export, CTL_TEXT_COUNTER,
		"SELECT name, day, n "
		"FROM counter ORDER BY day, name",
		err) != 0 ||
	    ctl_entry_each(
		export->ctl, &walk, "", write_triplet, export, err) != 0)
		return -1;
	(void)store_end(store, NULL);
	export->record.type = CTL_TEXT_END;
	export->record.number[0] = export->rows;
	ctl_text_format(&export->record, export->line);
	fprintf(export->out, "%s\n", export->line);
	return 0;
}

/* Opens the file to write, for nobody else to read. */
static FILE *
open_output(const char *path)
{
	int fd;

	if (path == NULL || strcmp(path, "-") == 0)
		return stdout;
	fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0600);
	return fd < 0 ? NULL : fdopen(fd, "w");
}

int
ctl_export(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_option options[] = { { NULL, NULL, NULL, NULL } };
	struct export *export = NULL;
	struct err err = { .text = "" };
	FILE *out;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0)
		return EX_USAGE;
	if (argc > 2)
		return ctl_fail(EX_USAGE, "write: greylistctl export [FILE]");
	if (access(ctl->database, F_OK) != 0)
		return ctl_open(ctl, STORE_TOOL_READ);
	out = open_output(argv[1]);
	if (out == NULL)
		return ctl_fail(
		    EX_CANTCREAT, "%s: %s", argv[1], strerror(errno));
	code = ctl_open(ctl, STORE_TOOL_READ);
	if (code != 0)
		goto out;
	export = xmem_calloc(1, sizeof(*export));
	export->out = out;
	export->ctl = ctl;
	if (write_all(export, &err) != 0)
		code = ctl_fail(EX_UNAVAILABLE, "%s; %lld rows were written",
		    err.text, (long long)export->rows);
	if (fflush(out) != 0 || ferror(out))
		code = ctl_fail(EX_IOERR, "cannot write: %s", strerror(errno));
	if (export->dropped > 0)
		ctl_note("%lld rows are too long for the format and were left "
			 "out",
		    (long long)export->dropped);
	if (out != stdout && code == 0)
		printf("%lld rows written\n", (long long)export->rows);
	xmem_free(&export);
out:
	if (out != stdout)
		fclose(out);
	return code == 0 ? ctl_finish(code) : code;
}
