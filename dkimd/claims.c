/* SPDX-License-Identifier: ISC */
#include "common/arena.h"
#include "common/authres.h"

#include "dkimd/claims.h"

/* Longer ones are of no host. */
#define ID_SIZE 260

static bool
has_dkim_result(const struct authres *authres)
{
	for (size_t i = 0; i < authres->result_count; i++)
		if (str_equal_nocase(authres->results[i].method, "dkim"))
			return true;
	return false;
}

/* RemoveARFrom names others whose results are not wanted: those about DKIM,
 * or all with RemoveARAll. What does not parse may be about DKIM to others. */
static bool
is_unwanted(const struct settings *settings, const struct header_field *field)
{
	struct arena *arena;
	struct authres authres;
	char id[ID_SIZE];
	struct str s;
	bool is;

	str_init(&s, id, sizeof(id));
	if (settings->remove_ar_from == NULL || !authres_speaker(field, &s) ||
	    !hostlist_has_name(settings->remove_ar_from, id))
		return false;
	if (settings->options->remove_ar_all)
		return true;
	arena = arena_new();
	is = authres_parse(
		 field->value, field->value_len, arena, &authres, NULL) != 0 ||
	     has_dkim_result(&authres);
	arena_free(&arena);
	return is;
}

/* Policy servers speak before milters do: what they added is on top. */
static bool
is_prepended(const struct header_field *field)
{
	struct arena *arena;
	struct authres authres;
	bool is;

	if (!header_is(field, AUTHRES_NAME))
		return false;
	arena = arena_new();
	is = authres_parse(
		 field->value, field->value_len, arena, &authres, NULL) == 0 &&
	     !has_dkim_result(&authres);

	arena_free(&arena);
	return is;
}

size_t
claims_find(const struct settings *settings, const char *authserv_id,
    const struct header_field *fields, size_t count, bool *removed_r)
{
	size_t prepended = (size_t)settings->options->prepended_results;
	size_t found = 0, i = 0;

	for (; i < count && i < prepended && is_prepended(&fields[i]); i++)
		removed_r[i] = false;
	for (; i < count; i++) {
		removed_r[i] = !settings->options->keep_auth_results &&
			       (authres_claims(&fields[i], authserv_id) ||
				   is_unwanted(settings, &fields[i]));
		found += removed_r[i];
	}
	return found;
}
