/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#include "dkimd/dataset_int.h"

#define DB_ADVICE                                                              \
	"write a text file (file:PATH, refile:PATH) or sqlite:PATH?table=NAME"

/* A kind of dataset by its prefix. */
struct kind {
	const char *prefix;
	enum dataset_kind kind;
	const char *instead; /* not NULL: an error, and what to do */
};

static const struct kind kinds[] = {
	{ "csl:", DATASET_LIST, NULL },
	{ "file:", DATASET_FILE, NULL },
	{ "refile:", DATASET_PATTERNS, NULL },
	{ "sqlite:", DATASET_SQLITE, NULL },
	{ "db:", DATASET_LIST, "Berkeley DB is not read: " DB_ADVICE },
	{ "bdb:", DATASET_LIST, "Berkeley DB is not read: " DB_ADVICE },
	{ "dsn:", DATASET_LIST, "SQL servers are not asked: " DB_ADVICE },
	{ "erlang:", DATASET_LIST, "Erlang is not asked: " DB_ADVICE },
	{ "ldap:", DATASET_LIST, "LDAP is not asked: " DB_ADVICE },
	{ "ldaps:", DATASET_LIST, "LDAP is not asked: " DB_ADVICE },
	{ "lua:", DATASET_LIST, "there is no Lua: " DB_ADVICE },
	{ "mdb:", DATASET_LIST, "LMDB is not read: " DB_ADVICE },
	{ "memcache:", DATASET_LIST, "memcached is not asked: " DB_ADVICE },
	{ "repute:", DATASET_LIST, "there is no reputation: " DB_ADVICE },
	{ "socket:", DATASET_LIST, "sockets are not asked: " DB_ADVICE },
};

static bool
has_suffix(const char *text, const char *suffix)
{
	size_t len = strlen(text), suffix_len = strlen(suffix);

	return len >= suffix_len &&
	       strcmp(text + len - suffix_len, suffix) == 0;
}

/* Finds the kind and moves *text past its prefix. */
static int
find_kind(const char **text, enum dataset_kind *kind_r, struct err *err)
{
	const struct kind *k = kinds;
	const struct kind *end = k + sizeof(kinds) / sizeof(*kinds);
	size_t letters = strspn(*text, "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ");

	while (k < end && !str_has_prefix_nocase(*text, k->prefix))
		k++;
	if (k < end && k->instead != NULL)
		return err_set(err, "\"%.200s\": %s", *text, k->instead);
	if (k < end) {
		*text += strlen(k->prefix);
		*kind_r = k->kind;
	} else if (letters > 0 && strncmp(*text + letters, ":/", 2) == 0) {
		return err_set(err,
		    "\"%.200s\": this kind of dataset is unknown; " DB_ADVICE,
		    *text);
	} else if ((*text)[0] == '/' || strncmp(*text, "./", 2) == 0 ||
		   strncmp(*text, "../", 3) == 0) {
		*kind_r = DATASET_FILE;
	} else {
		*kind_r = DATASET_LIST;
	}
	if (*kind_r == DATASET_FILE && has_suffix(*text, ".db"))
		return err_set(err, "\"%.200s\": Berkeley DB is not read: %s",
		    *text, DB_ADVICE);
	return 0;
}

char *
dataset_path(const char *path, const char *base)
{
	char *full;
	size_t cap;
	struct str s;

	if (path[0] == '/')
		return xmem_strdup(path);
	cap = strlen(base) + strlen(path) + 2;
	full = xmem_alloc(cap);
	str_init(&s, full, cap);
	str_addf(
	    &s, "%s/%s", base, strncmp(path, "./", 2) == 0 ? path + 2 : path);
	return full;
}

/* "A, B=VALUE" */
static int
load_list(struct dataset *dataset, const char *text, struct err *err)
{
	char *copy = xmem_strdup(text);
	char *next = copy, *item;
	unsigned number = 0;
	int r = 0;

	while (r == 0 && (item = strsep(&next, ",")) != NULL) {
		struct dataset_entry entry = { .value = "", .line = ++number };
		char *value;

		item = str_trim(item);
		value = strchr(item, '=');
		if (value != NULL) {
			*value++ = '\0';
			entry.value = str_trim(value);
			item = str_trim(item);
		}
		entry.key = item;
		if (item[0] != '\0')
			r = dataset_add(dataset, &entry, err);
	}
	xmem_free(&copy);
	return r;
}

static int
check_pattern(const struct dataset *dataset, const char *key, struct err *err)
{
	const char *signs = (dataset->flags & DATASET_HOSTS) != 0
				? "(){}|^$\\?"
				: "[](){}|^$\\?";
	size_t at = strcspn(key, signs);

	if (dataset->kind != DATASET_PATTERNS || key[at] == '\0')
		return 0;
	return err_set(err,
	    "\"%.80s\": patterns know \"*\" and nothing else, \"%c\" has no "
	    "meaning; write a line for each case, or file: for plain texts",
	    key, key[at]);
}

/* "KEY VALUE # comment" */
static int
load_line(struct dataset *dataset, char *line, unsigned number, struct err *err)
{
	struct dataset_entry entry = { .key = line, .line = number };
	char *value;

	line[strcspn(line, "#")] = '\0';
	value = line + strcspn(line, " \t");
	if (*value != '\0')
		*value++ = '\0';
	entry.value = str_trim(value);
	if (line[0] == '\0')
		return 0;
	if (check_pattern(dataset, entry.key, err) < 0)
		return -1;
	return dataset_add(dataset, &entry, err);
}

static int
load_file(struct dataset *dataset, struct err *err)
{
	struct textfile *file = xmem_calloc(1, sizeof(*file));
	enum textfile_line kind;
	char *text = NULL, *line;
	int r = 0;

	if (textfile_read(dataset->path, &text, &file->len, err) !=
	    TEXTFILE_OK) {
		r = -1;
		goto out;
	}
	file->text = text;
	while (r == 0 && (kind = textfile_next(file, &line)) != TEXTFILE_END) {
		r = kind == TEXTFILE_LINE
			? load_line(dataset, line, file->number, err)
			: err_set(err,
			      "the line is longer than %d bytes or holds a "
			      "NUL byte",
			      TEXTFILE_LINE_MAX);
		if (r < 0)
			err_prefix(err, "%s:%u: ", dataset->path, file->number);
	}
out:
	xmem_free(&text);
	xmem_free(&file);
	return r;
}

static int
load(struct dataset *dataset, const char *text, struct err *err)
{
	switch (dataset->kind) {
	case DATASET_LIST:
		return load_list(dataset, text, err);
	case DATASET_SQLITE:
		return dataset_load_sqlite(dataset, text, err);
	case DATASET_FILE:
	case DATASET_PATTERNS:
		break;
	}
	return load_file(dataset, err);
}

struct dataset *
dataset_load(
    const char *text, const char *base, unsigned flags, struct err *err)
{
	struct dataset *dataset = xmem_calloc(1, sizeof(*dataset));
	size_t path_len;
	char *path;

	dataset->flags = flags;
	dataset->arena = arena_new();
	if (find_kind(&text, &dataset->kind, err) < 0)
		goto failed;
	if (dataset->kind != DATASET_LIST) {
		path_len = dataset->kind == DATASET_SQLITE ? strcspn(text, "?")
							   : strlen(text);
		path = xmem_strndup(text, path_len);
		dataset->path = dataset_path(path, base);
		xmem_free(&path);
		text += path_len;
	}
	if (load(dataset, text, err) < 0)
		goto failed;
	dataset_sort(dataset);
	return dataset;
failed:
	dataset_free(&dataset);
	return NULL;
}
