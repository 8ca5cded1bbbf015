/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/arena.h"
#include "common/regex.h"
#include "common/str.h"
#include "common/textfile.h"
#include "common/unit.h"
#include "common/xmem.h"
#include "greylistd/rcptmap.h"
#include "greylistd/rcpttable.h"

#define BLANKS " \t"

struct entry {
	struct rcpttable_action action;
	unsigned line;       /* where it stands */
	struct regex *regex; /* NULL in the other forms */
	struct entry *next;  /* of the regexes, in the file's order */
};

struct rcpttable {
	struct arena *arena; /* of the entries */
	struct rcptmap *patterns;
	struct entry *regexes;
	struct entry **last_regex;
	struct entry *any; /* "*" */
	int64_t longest_s; /* delay; -1 = none */
	unsigned longest_line;
};

void
rcpttable_free(struct rcpttable **table)
{
	if (*table == NULL)
		return;
	for (struct entry *e = (*table)->regexes; e != NULL; e = e->next)
		regex_free(&e->regex);
	rcptmap_free(&(*table)->patterns);
	arena_free(&(*table)->arena);
	xmem_free(table);
}

static int
parse_action(
    const char *text, struct rcpttable_action *action_r, struct err *err)
{
	*action_r = (struct rcpttable_action){ true, -1 };
	if (str_equal_nocase(text, "on"))
		return 0;
	if (str_equal_nocase(text, "off")) {
		action_r->greylist = false;
		return 0;
	}
	if (unit_parse_time(text, 's', &action_r->delay_s, NULL) < 0)
		return err_set(
		    err, "\"%s\" is neither on, off nor a time", text);
	return 0;
}

/* Ends the pattern at the start of line and returns the text after it, or
 * NULL when there is none. A regular expression may hold blanks: it ends at
 * the last "/" that has a blank behind it. */
static char *
split_line(char *line)
{
	char *end = line + strcspn(line, BLANKS);

	if (*line == '/') {
		char *slash = NULL;

		for (char *p = line + 1; *p != '\0'; p++)
			if (*p == '/' && p[1] != '\0' &&
			    strchr(BLANKS, p[1]) != NULL)
				slash = p;
		if (slash != NULL)
			end = slash + 1;
	}
	if (*end == '\0')
		return NULL;
	*end = '\0';
	return end + 1 + strspn(end + 1, BLANKS);
}

static int
add_regex(struct rcpttable *table, struct entry *entry, char *pattern,
    struct err *err)
{
	size_t len = strlen(pattern);

	if (len < 3 || pattern[len - 1] != '/')
		return err_set(err, "\"%s\" has no closing \"/\"", pattern);
	pattern[len - 1] = '\0';
	entry->regex = regex_new(pattern + 1, true, err);
	if (entry->regex == NULL)
		return -1;
	*table->last_regex = entry;
	table->last_regex = &entry->next;
	return 0;
}

static int
add_line(struct rcpttable *table, unsigned number, char *line, struct err *err)
{
	struct entry *entry = arena_alloc(table->arena, sizeof(*entry));
	char *action = split_line(line);
	struct entry *before = NULL;
	void *old = NULL;

	if (action == NULL)
		return err_set(
		    err, "\"%s\" has no action (on, off or a time)", line);
	if (parse_action(action, &entry->action, err) < 0)
		return -1;
	entry->line = number;
	if (entry->action.delay_s > table->longest_s) {
		table->longest_s = entry->action.delay_s;
		table->longest_line = number;
	}
	if (*line == '/')
		return add_regex(table, entry, line, err);
	if (strcmp(line, "*") == 0) {
		before = table->any;
		table->any = entry;
	} else {
		if (rcptmap_put(table->patterns, line, entry, &old, err) < 0)
			return -1;
		before = old;
	}
	if (before != NULL)
		return err_set(
		    err, "\"%s\" is in line %u already", line, before->line);
	return 0;
}

struct rcpttable *
rcpttable_parse(const char *name, const char *text, size_t len, struct err *err)
{
	struct rcpttable *table = xmem_calloc(1, sizeof(*table));
	struct textfile file = { .text = text, .len = len };
	enum textfile_line kind;
	char *line = NULL;
	int status = 0;

	table->arena = arena_new();
	table->patterns = rcptmap_new();
	table->last_regex = &table->regexes;
	table->longest_s = -1;
	while (status == 0 &&
	       (kind = textfile_next(&file, &line)) != TEXTFILE_END) {
		if (kind == TEXTFILE_BAD)
			status = err_set(err, "too long, or not text");
		else if (*line != '\0' && *line != '#')
			status = add_line(table, file.number, line, err);
	}
	if (status < 0) {
		err_prefix(err, "%s:%u: ", name, file.number);
		rcpttable_free(&table);
	}
	return table;
}

struct rcpttable *
rcpttable_load(const char *path, struct err *err)
{
	struct rcpttable *table = NULL;
	char *text = NULL;
	size_t len;

	if (textfile_read(path, &text, &len, err) == TEXTFILE_OK)
		table = rcpttable_parse(path, text, len, err);
	xmem_free(&text);
	return table;
}

int64_t
rcpttable_longest_s(const struct rcpttable *table, unsigned *line_r)
{
	*line_r = table->longest_line;
	return table->longest_s;
}

struct rcpttable_action
rcpttable_find(const struct rcpttable *table, const char *recipient)
{
	const struct rcpttable_action plain = { true, -1 };
	const struct entry *entry;
	size_t len = strlen(recipient);

	if (table == NULL)
		return plain;
	entry = rcptmap_find(table->patterns, recipient);
	if (entry != NULL)
		return entry->action;
	entry = len > REGEX_SUBJECT_MAX ? NULL : table->regexes;
	for (; entry != NULL; entry = entry->next)
		if (regex_match(entry->regex, recipient, len) == REGEX_MATCH)
			return entry->action;
	return table->any == NULL ? plain : table->any->action;
}
