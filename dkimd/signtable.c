/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/mailbox.h"
#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/signtable.h"

/* Room for "local@domain" as it is looked up. */
#define ADDRESS_SIZE (MAILBOX_LOCAL_MAX + MAILBOX_DOMAIN_MAX + 4)

struct signtable {
	struct dataset *lines;
	struct signtable_match *parsed; /* one per line */
	char *texts;                    /* what parsed points into */
};

/* What is being looked for, and what was found. */
struct search {
	const struct signtable *table;
	struct signtable_match *matches;
	size_t count, cap;
};

static int
parse(struct signtable_match *match, char *value, const struct keytable *keys,
    struct err *err)
{
	char *signer = value;

	match->key_name = str_trim(strsep(&signer, ":"));
	match->signer = signer == NULL ? "" : str_trim(signer);
	if (match->key_name[0] == '\0')
		return err_set(err,
		    "the name of the key is missing; write ADDRESS KEYNAME");
	if (match->key_name[strcspn(match->key_name, " \t")] != '\0')
		return err_set(err,
		    "\"%.80s\": the name of a key has no blanks; write "
		    "ADDRESS KEYNAME",
		    match->key_name);
	if (keys != NULL && strcmp(match->key_name, "%") != 0 &&
	    !keytable_has(keys, match->key_name))
		return err_set(err, "there is no key \"%.80s\" in KeyTable",
		    match->key_name);
	return 0;
}

struct signtable *
signtable_new(
    struct dataset *lines, const struct keytable *keys, struct err *err)
{
	struct signtable *table = xmem_calloc(1, sizeof(*table));
	size_t count = dataset_count(lines);
	size_t size = 1;
	char *to;

	table->lines = lines;
	table->parsed = xmem_calloc(count + 1, sizeof(*table->parsed));
	for (size_t i = 0; i < count; i++)
		size += strlen(dataset_at(lines, i)->value) + 1;
	to = table->texts = xmem_alloc(size);
	for (size_t i = 0; i < count; i++) {
		const struct dataset_entry *entry = dataset_at(lines, i);
		size_t len = strlen(entry->value) + 1;

		memcpy(to, entry->value, len);
		table->parsed[i].entry = entry;
		if (parse(&table->parsed[i], to, keys, err) < 0) {
			(void)dataset_blame(lines, entry, err);
			signtable_free(&table);
			return NULL;
		}
		to += len;
	}
	return table;
}

void
signtable_free(struct signtable **table)
{
	if (*table == NULL)
		return;
	dataset_free(&(*table)->lines);
	xmem_free(&(*table)->parsed);
	xmem_free(&(*table)->texts);
	xmem_free(table);
}

/* Takes all lines for this very key. Returns false when there is no room for
 * more. */
static bool
take(struct search *search, const char *key)
{
	const struct dataset *lines = search->table->lines;
	const struct dataset_entry *entry = NULL;
	const struct dataset_entry *first =
	    dataset_count(lines) > 0 ? dataset_at(lines, 0) : NULL;

	while (search->count < search->cap &&
	       (entry = dataset_find_next(lines, key, entry)) != NULL)
		search->matches[search->count++] =
		    search->table->parsed[entry - first];
	return search->count < search->cap;
}

/* The same for local (may be "") + at + domain. */
static bool
take_parts(struct search *search, const char *local, const char *at,
    const char *domain)
{
	char key[ADDRESS_SIZE];
	struct str s;

	str_init(&s, key, sizeof(key));
	str_addf(&s, "%s%s%s", local, at, domain);
	return s.truncated || take(search, key);
}

size_t
signtable_find(const struct signtable *table, const char *local,
    const char *domain, struct signtable_match *matches_r, size_t cap)
{
	struct search search = {
		.table = table,
		.matches = matches_r,
		.cap = cap,
	};
	bool more = take_parts(&search, local, "@", domain);

	if (dataset_has_patterns(table->lines))
		return search.count;
	more = more && take(&search, domain);
	for (const char *parent = strchr(domain, '.'); more && parent != NULL;
	     parent = strchr(parent + 1, '.'))
		more = take_parts(&search, local, "@", parent) &&
		       take(&search, parent);
	if (more && take_parts(&search, local, "@", "*"))
		(void)take(&search, "*");
	return search.count;
}
