/* SPDX-License-Identifier: ISC */
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/keytable_int.h"

#define PATH_SIZE 4096
#define SUFFIX ".private"

/* Writes path with by for each "%"; what means something to glob(3) is
 * escaped when by is "*". Returns false when it is too long. */
static bool
substitute(const char *path, const char *by, char buf[static PATH_SIZE])
{
	bool is_glob = strcmp(by, "*") == 0;
	struct str s;

	str_init(&s, buf, PATH_SIZE);
	for (; *path != '\0'; path++) {
		if (*path == '%') {
			str_add(&s, by);
			continue;
		}
		if (is_glob && strchr("*?[\\", *path) != NULL)
			str_add_char(&s, '\\');
		str_add_char(&s, *path);
	}
	return !s.truncated;
}

/* Which domain makes path of pattern? Returns false when none does. */
static bool
find_domain(const char *pattern, const char *path, char domain[static 256])
{
	size_t places = str_count(pattern, '%');
	size_t fixed = strlen(pattern) - places;
	size_t len = strlen(path);
	char again[PATH_SIZE];
	struct str s;

	if (len <= fixed || (len - fixed) % places != 0 ||
	    (len - fixed) / places > 253)
		return false;
	str_init(&s, domain, 256);
	str_add_bytes(&s, path + strcspn(pattern, "%"), (len - fixed) / places);
	return keytable_is_name(domain) && substitute(pattern, domain, again) &&
	       strcmp(again, path) == 0;
}

int
keytable_add_pattern(struct keytable *table, const struct keytable_key *key,
    const char *pattern, struct err *err)
{
	char *full = dataset_path(pattern, table->config.base);
	char text[PATH_SIZE], domain[256];
	size_t before = table->count;
	glob_t found = { 0 };
	int r = 0;

	if (substitute(full, "*", text) && glob(text, 0, NULL, &found) == 0)
		for (size_t i = 0; r == 0 && i < found.gl_pathc; i++) {
			struct keytable_key one = *key;

			if (!find_domain(full, found.gl_pathv[i], domain))
				continue;
			one.from_domain = domain;
			one.path = found.gl_pathv[i];
			r = keytable_add(table, &one, found.gl_pathv[i], err);
		}
	globfree(&found);
	if (r == 0 && table->count == before)
		r = err_set(err, "there is no file %s for any domain", full);
	xmem_free(&full);
	return r;
}

/* The selector in "SELECTOR.private", else false. */
static bool
selector_of(const char *name, char selector[static 256])
{
	size_t len = strlen(name);
	struct str s;

	if (len <= strlen(SUFFIX) ||
	    strcmp(name + len - strlen(SUFFIX), SUFFIX) != 0)
		return false;
	str_init(&s, selector, 256);
	str_add_bytes(&s, name, len - strlen(SUFFIX));
	return keytable_is_name(selector);
}

/* Two keys of the same algorithm would leave it to chance which one signs. */
static int
check_twins(const struct keytable *table, size_t first, struct err *err)
{
	const struct keytable_key *last = &table->keys[table->count - 1];

	for (size_t i = first; i + 1 < table->count; i++) {
		const struct keytable_key *key = &table->keys[i];

		if (engine_key_algorithm(key->key) ==
		    engine_key_algorithm(last->key))
			return err_set(err,
			    "%s and %s are keys of the same algorithm; move "
			    "one away, or write a KeyTable with dates",
			    key->path, last->path);
	}
	return 0;
}

static int
add_domain(struct keytable *table, const char *dir, const char *domain,
    struct err *err)
{
	struct keytable_key key = {
		.name = domain,
		.domain = domain,
		.from = INT64_MIN,
		.until = INT64_MAX,
	};
	char path[PATH_SIZE], selector[256];
	size_t first = table->count;
	struct dirent **entries;
	int r = 0, count;
	struct str s;

	str_init(&s, path, sizeof(path));
	str_addf(&s, "%s/%s", dir, domain);
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0 && errno == ENOTDIR)
		return 0;
	if (count < 0)
		return err_set_errno(err, errno, "%s", path);
	for (int i = 0; i < count; i++) {
		if (r == 0 && selector_of(entries[i]->d_name, selector)) {
			str_init(&s, path, sizeof(path));
			str_addf(
			    &s, "%s/%s/%s", dir, domain, entries[i]->d_name);
			key.selector = selector;
			key.path = path;
			r = keytable_add(table, &key, path, err);
			if (r == 0)
				r = check_twins(table, first, err);
		}
		free(entries[i]);
	}
	free(entries);
	return r;
}

int
keytable_add_directory(
    struct keytable *table, const char *path, struct err *err)
{
	char *dir = dataset_path(path, table->config.base);
	struct dirent **entries;
	int r = 0, count;

	count = scandir(dir, &entries, NULL, alphasort);
	if (count < 0)
		r = err_set_errno(err, errno, "%s", dir);
	for (int i = 0; i < count; i++) {
		if (r == 0 && keytable_is_name(entries[i]->d_name))
			r = add_domain(table, dir, entries[i]->d_name, err);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
	xmem_free(&dir);
	keytable_sort(table);
	return r;
}
