/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"
#include "greylistd/namemap.h"
#include "greylistd/rcptmap.h"

/* Longer addresses match nothing: RFC 5321 section 4.5.3.1 ends at 320. */
#define ADDRESS_MAX 512
/* How many "+" of a local part may begin the extension. */
#define EXTENSIONS_MAX 8

struct rcptmap {
	struct namemap *users; /* "user@domain" and "user@" */
	struct namemap *domains;
};

/* An address in lower case, taken apart. */
struct address {
	char text[ADDRESS_MAX + 1];
	size_t local_len;
	const char *domain; /* in text */
	size_t domain_len;
};

struct rcptmap *
rcptmap_new(void)
{
	struct rcptmap *map = xmem_calloc(1, sizeof(*map));

	map->users = namemap_new();
	map->domains = namemap_new();
	return map;
}

void
rcptmap_free(struct rcptmap **map)
{
	if (*map == NULL)
		return;
	namemap_free(&(*map)->users);
	namemap_free(&(*map)->domains);
	xmem_free(map);
}

/* Splits text at its last "@"; without one all of it is the domain. */
static bool
split(const char *text, struct address *address)
{
	size_t len = strlen(text);
	const char *at;

	if (len == 0 || len > ADDRESS_MAX)
		return false;
	memcpy(address->text, text, len + 1);
	str_lower(address->text, len);
	while (len > 0 && address->text[len - 1] == '.')
		len--;
	address->text[len] = '\0';
	at = strrchr(address->text, '@');
	address->local_len = at == NULL ? 0 : (size_t)(at - address->text);
	address->domain = at == NULL ? address->text : at + 1;
	address->domain_len = len - (size_t)(address->domain - address->text);
	return true;
}

int
rcptmap_put(struct rcptmap *map, const char *pattern, void *value,
    void **before_r, struct err *err)
{
	struct address a;
	void *before;

	for (const char *p = pattern; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || *p == 0x7f)
			return err_set(err,
			    "doesn't look like an address: "
			    "\"%s\"",
			    pattern);
	if (!split(pattern, &a))
		return err_set(err, "doesn't look like an address");
	while (*a.domain == '.') {
		a.domain++;
		a.domain_len--;
	}
	if (a.local_len > 0) {
		char key[ADDRESS_MAX + 1];

		memcpy(key, a.text, a.local_len + 1);
		memcpy(key + a.local_len + 1, a.domain, a.domain_len);
		before = namemap_put(
		    map->users, key, a.local_len + 1 + a.domain_len, value);
	} else if (*pattern == '@' || a.domain_len == 0 ||
		   strchr(a.domain, '/') != NULL) {
		return err_set(err,
		    "doesn't look like an address: \"%s\" "
		    "(user@domain, user@ or domain)",
		    pattern);
	} else {
		before =
		    namemap_put(map->domains, a.domain, a.domain_len, value);
	}
	if (before_r != NULL)
		*before_r = before;
	return 0;
}

/* Looks for the local part with domain_len bytes of the domain, first as it
 * is, then without ever more of its extension. */
static void *
find_user(const struct rcptmap *map, const struct address *a, size_t domain_len)
{
	char key[ADDRESS_MAX + 1];
	size_t local_len = a->local_len;
	unsigned tries = 0;
	void *value;

	for (;;) {
		memcpy(key, a->text, local_len);
		key[local_len] = '@';
		memcpy(key + local_len + 1, a->domain, domain_len);
		value =
		    namemap_get(map->users, key, local_len + 1 + domain_len);
		if (value != NULL || tries++ == EXTENSIONS_MAX)
			return value;
		/* An extension has at least one byte. */
		do {
			if (local_len < 2)
				return NULL;
			local_len--;
		} while (
		    a->text[local_len] != '+' || local_len + 1 == a->local_len);
	}
}

void *
rcptmap_find(const struct rcptmap *map, const char *address)
{
	struct address a;
	void *value = NULL;

	if (!split(address, &a) || a.domain == a.text)
		return NULL;
	if (a.local_len > 0 && namemap_count(map->users) > 0) {
		value = find_user(map, &a, a.domain_len);
		if (value == NULL)
			value = find_user(map, &a, 0);
	}
	if (value == NULL)
		value = namemap_suffix(
		    map->domains, a.domain, a.domain_len, NULL, NULL);
	return value;
}
