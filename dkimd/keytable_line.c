/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/keytable_int.h"

#define FORM                                                                   \
	"write NAME DOMAIN:SELECTOR:KEY, and perhaps "                         \
	":ALGORITHM:YYYY-MM-DD:YYYY-MM-DD"

/* The fields of a line's value, in the line's copy. */
struct fields {
	char *domain, *selector, *key;
	char credential[160]; /* key, when it is one */
	char *algorithm, *from, *until;
};

int
keytable_parse_date(const char *text, int64_t *time_r)
{
	static const char form[] = "dddd-dd-dd";
	struct tm tm = { 0 }, same;
	unsigned numbers[3] = { 0 };
	size_t field = 0;
	time_t t;

	for (size_t i = 0; i < sizeof(form); i++) {
		bool is_digit = text[i] >= '0' && text[i] <= '9';

		if (form[i] == 'd' ? !is_digit : text[i] != form[i])
			return -1;
		if (is_digit)
			numbers[field] =
			    numbers[field] * 10 + (unsigned)(text[i] - '0');
		else
			field++;
	}
	tm.tm_year = (int)numbers[0] - 1900;
	tm.tm_mon = (int)numbers[1] - 1;
	tm.tm_mday = (int)numbers[2];
	same = tm;
	t = timegm(&same);
	/* What does not exist (02-30) was made another day. */
	if (same.tm_mon != tm.tm_mon || same.tm_mday != tm.tm_mday)
		return -1;
	*time_r = t;
	return 0;
}

static int
split(char *value, struct fields *f, struct err *err)
{
	char *next = value;
	char *name;
	struct str s;

	f->domain = strsep(&next, ":");
	f->selector = strsep(&next, ":");
	f->key = strsep(&next, ":");
	if (f->key != NULL && strcmp(f->key, "credential") == 0) {
		name = strsep(&next, ":");
		str_init(&s, f->credential, sizeof(f->credential));
		str_addf(&s, "credential:%s", name == NULL ? "" : name);
		f->key = f->credential;
	}
	f->algorithm = strsep(&next, ":");
	f->from = strsep(&next, ":");
	f->until = strsep(&next, ":");
	if (f->key == NULL || f->key[0] == '\0')
		return err_set(err, "the key is missing; " FORM);
	if (next != NULL)
		return err_set(err, "too many fields; " FORM);
	return 0;
}

static int
parse_date(const char *text, int64_t none, int64_t *time_r, struct err *err)
{
	*time_r = none;
	if (text == NULL || text[0] == '\0')
		return 0;
	if (keytable_parse_date(text, time_r) == 0)
		return 0;
	return err_set(err, "\"%.80s\" is no date; write YYYY-MM-DD", text);
}

/* Does the line's word for the algorithm fit the key? Then 0. */
static int
check_algorithm(const char *word, const struct engine_key *key, struct err *err)
{
	const char *name = engine_key_algorithm(key) == SIGFIELD_ED25519_SHA256
			       ? "ed25519-sha256"
			       : "rsa-sha256";
	size_t len = strcspn(name, "-");

	if (word == NULL || word[0] == '\0' || str_equal_nocase(word, name) ||
	    (strlen(word) == len && strncasecmp(word, name, len) == 0))
		return 0;
	return err_set(
	    err, "the line says %.80s, but the key signs by %s", word, name);
}

static int
check_names(const struct fields *f, struct err *err)
{
	if (strcmp(f->domain, "%") != 0 && !keytable_is_name(f->domain))
		return err_set(err,
		    "\"%.80s\" is no domain; write A-labels (xn--...), or %% "
		    "for the domain of From",
		    f->domain);
	if (!keytable_is_name(f->selector))
		return err_set(
		    err, "\"%.80s\" is no name of a selector", f->selector);
	return 0;
}

/* "refile:" is often written where it does nothing. */
static int
check_key_name(const struct keytable *table, const char *name, struct err *err)
{
	if (!dataset_has_patterns(table->lines) || strchr(name, '*') == NULL)
		return 0;
	return err_set(err,
	    "\"%.80s\": a key has one name, not a pattern; write %% where "
	    "the domain of From is meant",
	    name);
}

static int
add_line(
    struct keytable *table, const struct dataset_entry *entry, struct err *err)
{
	struct keytable_key key = { .name = entry->key, .entry = entry };
	char *value = xmem_strdup(entry->value);
	struct fields f = { 0 };
	size_t before = table->count;
	bool is_path;
	int r = -1;

	if (split(value, &f, err) < 0 || check_names(&f, err) < 0 ||
	    check_key_name(table, entry->key, err) < 0 ||
	    parse_date(f.from, INT64_MIN, &key.from, err) < 0 ||
	    parse_date(f.until, INT64_MAX, &key.until, err) < 0)
		goto out;
	if (key.until <= key.from) {
		err_set(err, "the key ends before it begins: %.80s", f.until);
		goto out;
	}
	is_path = privkey_is_path(f.key);
	key.domain = f.domain;
	key.selector = f.selector;
	key.path = is_path || f.key == f.credential ? f.key : "";
	r = is_path && strchr(f.key, '%') != NULL
		? keytable_add_pattern(table, &key, f.key, err)
		: keytable_add(table, &key, f.key, err);
	for (size_t i = before; r == 0 && i < table->count; i++)
		r = check_algorithm(f.algorithm, table->keys[i].key, err);
out:
	/* It may be a key itself. */
	explicit_bzero(value, strlen(entry->value));
	xmem_free(&value);
	return r;
}

int
keytable_add_table(
    struct keytable *table, struct dataset *lines, struct err *err)
{
	int r = 0;

	table->lines = lines;
	for (size_t i = 0; r == 0 && i < dataset_count(lines); i++) {
		const struct dataset_entry *entry = dataset_at(lines, i);

		r = add_line(table, entry, err);
		if (r < 0)
			r = dataset_blame(lines, entry, err);
	}
	keytable_sort(table);
	return r;
}
