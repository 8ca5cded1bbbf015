/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/milter_int.h"

static bool
is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9');
}

/* How many characters at text are alphanumeric or one of also. */
static size_t
span(const char *text, const char *also)
{
	size_t len = 0;

	while (text[len] != '\0' &&
	       (is_alnum(text[len]) || strchr(also, text[len]) != NULL))
		len++;
	return len;
}

/* RFC 5321 section 4.1.2, with no quoting, no source route and no literal:
 * what every MTA takes for the same address. */
static bool
is_plain(const char *text, size_t len)
{
	size_t local, domain;

	if (len < 2 || text[0] != '<' || text[len - 1] != '>')
		return false;
	if (len == 2)
		return true;
	local = span(text + 1, "!#$%&'*+-/=?^_`{|}~.");
	if (local == 0 || text[1 + local] != '@')
		return false;
	domain = span(text + 2 + local, "-.");
	return domain > 0 && 3 + local + domain == len;
}

const char *
milter_address_choose(
    struct arena *arena, const char *macro, const char *argument)
{
	size_t len;

	if (macro != NULL)
		return strlen(macro) > MILTER_ADDRESS_MAX
			   ? NULL
			   : arena_strdup(arena, macro);
	if (argument == NULL)
		return NULL;
	len = strlen(argument);
	if (len > MILTER_ADDRESS_MAX || !is_plain(argument, len))
		return NULL;
	return arena_strndup(arena, argument + 1, len - 2);
}
