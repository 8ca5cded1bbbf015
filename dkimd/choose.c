/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/xmem.h"

#include "dkimd/choose.h"

size_t
choose_signatures(struct choose_candidate *candidates, size_t count, size_t max)
{
	size_t chosen = 0, names = 0;

	for (size_t i = 0; i < count; i++)
		candidates[i].is_chosen = false;
	for (int aligned = 1; aligned >= 0; aligned--) {
		for (size_t i = 0; i < count && chosen < max; i++) {
			struct choose_candidate *candidate = &candidates[i];
			size_t more = candidate->parsed->name_count;

			if (!candidate->is_sound ||
			    candidate->is_aligned != (aligned == 1) ||
			    names + more > CHOOSE_NAMES_MAX)
				continue;
			candidate->is_chosen = true;
			names += more;
			chosen++;
		}
	}
	return chosen;
}

static bool
is_below(const char *name, const char *domain)
{
	size_t len = strlen(name), domain_len = strlen(domain);

	return domain_len > 0 && len > domain_len &&
	       name[len - domain_len - 1] == '.' &&
	       strcasecmp(name + len - domain_len, domain) == 0;
}

bool
choose_is_aligned(const char *domain, const char *author_domain)
{
	if (domain[0] == '\0')
		return false;
	return strcasecmp(domain, author_domain) == 0 ||
	       is_below(domain, author_domain) ||
	       is_below(author_domain, domain);
}

/* A name, and how many fields of it are wanted still. */
struct wanted {
	const char *name;
	size_t len;
	size_t count;
};

static int
compare_names(const char *a, size_t a_len, const char *b, size_t b_len)
{
	if (a_len != b_len)
		return a_len < b_len ? -1 : 1;
	return strncasecmp(a, b, a_len);
}

static int
compare(const void *a, const void *b)
{
	const struct wanted *left = a, *right = b;

	return compare_names(left->name, left->len, right->name, right->len);
}

/* Merges runs of the same name: adds their counts up, or takes the largest.
 * Returns how many names are left. */
static size_t
merge(struct wanted *list, size_t count, bool add_up)
{
	size_t merged = 0;

	if (count == 0)
		return 0;
	qsort(list, count, sizeof(*list), compare);
	for (size_t i = 1; i < count; i++) {
		struct wanted *last = &list[merged];

		if (compare(last, &list[i]) != 0)
			list[++merged] = list[i];
		else if (add_up)
			last->count += list[i].count;
		else if (list[i].count > last->count)
			last->count = list[i].count;
	}
	return merged + 1;
}

static size_t
name_len(const struct header_field *field)
{
	size_t len = field->name_len;

	while (len > 0 &&
	       (field->name[len - 1] == ' ' || field->name[len - 1] == '\t'))
		len--;
	return len;
}

size_t
choose_fields(const struct sigfield *const *signatures, size_t signature_count,
    const struct header_field *fields, size_t count, bool *feed_r)
{
	struct wanted *list, *entry, key;
	size_t total = 0, names = 0, fed = 0;

	for (size_t i = 0; i < signature_count; i++)
		total += signatures[i]->name_count;
	list = xmem_calloc(total + 1, sizeof(*list));
	for (size_t i = 0; i < signature_count; i++) {
		size_t own = signatures[i]->name_count;

		for (size_t k = 0; k < own; k++) {
			const char *name = signatures[i]->names[k];

			list[names + k] =
			    (struct wanted){ name, strlen(name), 1 };
		}
		names += merge(list + names, own, true);
	}
	names = merge(list, names, false);
	for (size_t i = count; i-- > 0;) {
		key =
		    (struct wanted){ fields[i].name, name_len(&fields[i]), 0 };
		entry = bsearch(&key, list, names, sizeof(*list), compare);
		feed_r[i] = entry != NULL && entry->count > 0;
		if (feed_r[i]) {
			entry->count--;
			fed++;
		}
	}
	xmem_free(&list);
	return fed;
}
