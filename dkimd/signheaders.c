/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/signheaders.h"

/* More names would not fit a signature. */
#define NAMES_MAX 200
#define NAME_MAX_BYTES 100

/* RFC 6376 section 5.4.1, and what makes a message look like another one. */
static const char *const default_sign[] = { "From", "Reply-To", "Sender",
	"Subject", "Date", "Message-ID", "To", "Cc", "MIME-Version",
	"Content-Type", "Content-Transfer-Encoding", "Content-ID",
	"Content-Description", "Content-Disposition", "Resent-Date",
	"Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc",
	"Resent-Message-ID", "In-Reply-To", "References", "List-Id",
	"List-Help", "List-Unsubscribe", "List-Unsubscribe-Post",
	"List-Subscribe", "List-Post", "List-Owner", "List-Archive", NULL };

/* RFC 6376 section 5.4. */
static const char *const default_omit[] = { "Return-Path", "Received",
	"Comments", "Keywords", "Bcc", "Resent-Bcc", "DKIM-Signature", NULL };

/* What a replayed message would be given a second time. */
static const char *const default_oversign[] = { "From", "Reply-To", "Subject",
	"Date", "Message-ID", "To", "Cc", "MIME-Version", "Content-Type",
	"Content-Transfer-Encoding", NULL };

struct names {
	char **items;
	size_t count;
};

struct signheaders {
	struct names sign;
	struct names oversign;
};

static bool
has(const struct names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++)
		if (str_equal_nocase(names->items[i], name))
			return true;
	return false;
}

static int
add(struct names *names, const char *name, struct err *err)
{
	bool is_name = name[0] != '\0' && strlen(name) <= NAME_MAX_BYTES;

	/* RFC 5322 section 3.6.8: printable, and no colon. */
	for (const char *p = name; *p != '\0'; p++)
		is_name =
		    is_name && *p > ' ' && *p <= '~' && *p != ':' && *p != ';';
	if (!is_name)
		return err_set(
		    err, "\"%.80s\" is no name of a header field", name);
	if (has(names, name))
		return 0;
	if (names->count >= NAMES_MAX)
		return err_set(err, "more than %d names", NAMES_MAX);
	names->items =
	    xmem_realloc(names->items, names->count + 1, sizeof(*names->items));
	names->items[names->count++] = xmem_strdup(name);
	return 0;
}

static void
drop(struct names *names, const char *name)
{
	size_t kept = 0;

	for (size_t i = 0; i < names->count; i++) {
		if (str_equal_nocase(names->items[i], name))
			xmem_free(&names->items[i]);
		else
			names->items[kept++] = names->items[i];
	}
	names->count = kept;
}

static void
free_names(struct names *names)
{
	for (size_t i = 0; i < names->count; i++)
		xmem_free(&names->items[i]);
	xmem_free(&names->items);
	names->count = 0;
}

static bool
has_sign(const char *name)
{
	return (name[0] == '+' || name[0] == '-') && name[1] != '\0';
}

/* Does the list begin with the default? */
static bool
is_delta(const struct dataset *list)
{
	bool all = dataset_count(list) > 0;

	for (size_t i = 0; i < dataset_count(list); i++) {
		if (strcmp(dataset_at(list, i)->key, "*") == 0)
			return true;
		all = all && has_sign(dataset_at(list, i)->key);
	}
	return all;
}

/* Fills names with what list makes of the default. */
static int
merge(struct names *names, const struct dataset *list,
    const char *const *by_default, struct err *err)
{
	if (list == NULL || is_delta(list))
		for (size_t i = 0; by_default[i] != NULL; i++)
			(void)add(names, by_default[i], NULL);
	for (size_t i = 0; i < dataset_count(list); i++) {
		const struct dataset_entry *entry = dataset_at(list, i);
		const char *name = entry->key;

		if (strcmp(name, "*") == 0 || strcmp(name, ".") == 0)
			continue;
		if (has_sign(name) && name[0] == '-')
			drop(names, name + 1);
		else if (add(names, name + (has_sign(name) ? 1 : 0), err) < 0)
			return dataset_blame(list, entry, err);
	}
	return 0;
}

/* From is always signed, and so is what must not be added: the place of an
 * unsigned field in h= would be taken for that of a missing one. */
static int
cover(struct signheaders *lists, struct err *err)
{
	int r = add(&lists->sign, "From", err);

	for (size_t i = 0; r == 0 && i < lists->oversign.count; i++)
		r = add(&lists->sign, lists->oversign.items[i], err);
	return r;
}

struct signheaders *
signheaders_new(const struct dataset *sign, const struct dataset *omit,
    const struct dataset *oversign, struct err *err)
{
	struct signheaders *lists = xmem_calloc(1, sizeof(*lists));
	struct names omitted = { 0 };

	if (merge(&lists->sign, sign, default_sign, err) < 0 ||
	    merge(&lists->oversign, oversign, default_oversign, err) < 0 ||
	    merge(&omitted, omit, default_omit, err) < 0) {
		free_names(&omitted);
		signheaders_free(&lists);
		return NULL;
	}
	drop(&omitted, "From");
	/* A signature cannot cover itself, nor what each server adds. */
	(void)add(&omitted, "DKIM-Signature", NULL);
	for (size_t i = 0; i < omitted.count; i++) {
		drop(&lists->sign, omitted.items[i]);
		drop(&lists->oversign, omitted.items[i]);
	}
	free_names(&omitted);
	if (cover(lists, err) < 0)
		signheaders_free(&lists);
	return lists;
}

void
signheaders_free(struct signheaders **lists)
{
	if (*lists == NULL)
		return;
	free_names(&(*lists)->sign);
	free_names(&(*lists)->oversign);
	xmem_free(lists);
}

bool
signheaders_has(
    const struct signheaders *lists, const struct header_field *field)
{
	for (size_t i = 0; i < lists->sign.count; i++)
		if (header_is(field, lists->sign.items[i]))
			return true;
	return false;
}

size_t
signheaders_choose(const struct signheaders *lists,
    const struct header_field *fields, size_t count,
    const struct header_field **chosen_r)
{
	size_t chosen = 0;

	for (size_t i = 0; i < count; i++)
		if (signheaders_has(lists, &fields[i]))
			chosen_r[chosen++] = &fields[i];
	return chosen;
}

size_t
signheaders_oversign(
    const struct signheaders *lists, const char *const **names_r)
{
	*names_r = (const char *const *)lists->oversign.items;
	return lists->oversign.count;
}
