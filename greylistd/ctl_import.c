/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "common/json.h"
#include "common/xmem.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_merge.h"
#include "greylistd/ctl_text.h"
#include "greylistd/rules.h"

struct import {
	FILE *in;
	const char *name;
	long long line;
	struct ctl_merge merge;
	struct ctl_text record;
	char buf[CTL_TEXT_LINE_SIZE + 2];
	int64_t rows;
	bool ended; /* the last line was seen */
};

/* Reads a line without its end. Returns its length, -1 at the end, -2 when it
 * is too long. */
static long
read_line(struct import *import)
{
	size_t len;

	if (fgets(import->buf, sizeof(import->buf), import->in) == NULL)
		return -1;
	import->line++;
	len = strlen(import->buf);
	if (len > 0 && import->buf[len - 1] == '\n')
		len--;
	else if (!feof(import->in))
		return -2;
	if (len > 0 && import->buf[len - 1] == '\r')
		len--;
	return (long)len;
}

static int
check_triplet(const struct ctl_text *record, struct err *err)
{
	if (record->text[0][0] == '\0' || strlen(record->text[0]) >= KEY_SIZE)
		return err_set(err, "a key has 1 to %d bytes", KEY_SIZE - 1);
	if (record->number[0] == 0 || record->number[1] < record->number[0])
		return err_set(err, "last is before first");
	return 0;
}

static int
check_rule(struct ctl_text *record, struct err *err)
{
	enum rules_kind kind;
	enum rules_action action;
	char value[RULES_VALUE_SIZE];

	if (!rules_action_parse(record->text[0], &action))
		return err_set(err, "%s is no action", record->text[0]);
	if (!rules_kind_parse(record->text[1], &kind))
		return err_set(err, "%s is no kind of rule", record->text[1]);
	if (rules_canonical(kind, record->text[2], value, err) != 0)
		return -1;
	memcpy(record->text[2], value, strlen(value) + 1);
	return 0;
}

static int
add_record(struct import *import, struct err *err)
{
	struct ctl_text *record = &import->record;
	const struct greylist_entry entry = {
		.first = record->number[0],
		.last = record->number[1],
		.passed = record->number[2],
	};
	const struct greylist_client client = {
		.count = record->number[0],
		.last = record->number[1],
	};

	switch (record->type) {
	case CTL_TEXT_NOTHING:
		return 0;
	case CTL_TEXT_TRIPLET:
		if (check_triplet(record, err) != 0)
			return -1;
		return ctl_merge_triplet(
		    &import->merge, record->text[0], &entry, err);
	case CTL_TEXT_CLIENT:
		return ctl_merge_client(
		    &import->merge, record->text[0], &client, err);
	case CTL_TEXT_RULE:
		if (check_rule(record, err) != 0)
			return -1;
		return ctl_merge_other(&import->merge, record, err);
	case CTL_TEXT_COUNTER:
		return ctl_merge_other(&import->merge, record, err);
	case CTL_TEXT_END:
		import->ended = true;
		if (record->number[0] == import->rows)
			return 0;
		return err_set(err,
		    "%lld rows were read, %lld were written "
		    "once",
		    (long long)import->rows, (long long)record->number[0]);
	}
	return 0;
}

/* Reads the records after the first line. */
static int
read_records(struct import *import, struct err *err)
{
	long len;

	while (!import->ended && (len = read_line(import)) != -1) {
		if (len == -2)
			return err_set(err, "the line is too long");
		if (ctl_text_parse(
			import->buf, (size_t)len, &import->record, err) != 0 ||
		    add_record(import, err) != 0)
			return -1;
		if (import->record.type != CTL_TEXT_NOTHING &&
		    import->record.type != CTL_TEXT_END)
			import->rows++;
	}
	return 0;
}

static void
report(const struct import *import)
{
	if (import->merge.ctl->json) {
		struct json json;

		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_int(&json, "read", import->rows);
		json_int(&json, "added", import->merge.added);
		json_int(&json, "merged", import->merge.merged);
		json_int(&json, "others", import->merge.others);
		json_bool(&json, "complete", import->ended);
		json_close(&json);
		return;
	}
	printf("%lld rows read: %lld triplets and clients added, %lld merged "
	       "with those there; %lld rules and counters\n",
	    (long long)import->rows, (long long)import->merge.added,
	    (long long)import->merge.merged, (long long)import->merge.others);
}

static int
import_file(struct import *import)
{
	struct err err;
	long len = read_line(import);
	int code = EX_OK;

	if (len < 0 || (size_t)len != strlen(CTL_TEXT_HEAD) ||
	    memcmp(import->buf, CTL_TEXT_HEAD, (size_t)len) != 0)
		return ctl_fail(EX_DATAERR,
		    "%s: the first line must be \"%s\";"
		    " is this a file that greylistctl export wrote?",
		    import->name, CTL_TEXT_HEAD);
	if (read_records(import, &err) != 0) {
		/* What was sound until here stays. */
		(void)ctl_merge_flush(&import->merge, NULL);
		code = ctl_fail(EX_DATAERR, "%s:%lld: %s", import->name,
		    import->line, err.text);
	} else if (ctl_merge_flush(&import->merge, &err) != 0) {
		code = ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	} else if (!import->ended) {
		code = ctl_fail(EX_DATAERR,
		    "%s: the last line is missing: "
		    "the file was cut; what it holds was imported",
		    import->name);
	}
	report(import);
	return code;
}

int
ctl_import(struct ctl *ctl, int argc, char **argv)
{
	const struct ctl_option options[] = { { NULL, NULL, NULL, NULL } };
	struct import *import;
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0)
		return EX_USAGE;
	if (argc != 2)
		return ctl_fail(EX_USAGE, "write: greylistctl import FILE "
					  "(\"-\" = standard input)");
	import = xmem_calloc(1, sizeof(*import));
	import->merge.ctl = ctl;
	import->name = argv[1];
	import->in = strcmp(argv[1], "-") == 0 ? stdin : fopen(argv[1], "re");
	if (import->in == NULL)
		code = ctl_fail(EX_NOINPUT, "%s: %s", argv[1], strerror(errno));
	else
		code = ctl_open_or_make(ctl);
	if (code == 0)
		code = ctl_finish(import_file(import));
	if (import->in != NULL && import->in != stdin)
		fclose(import->in);
	xmem_free(&import);
	return code;
}
