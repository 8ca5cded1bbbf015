/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"
#include "common/unit.h"

struct unit {
	char letter;
	int64_t factor;
};

/* Smallest first. */
static const struct unit time_units[] = {
	{ 's', 1 },
	{ 'm', 60 },
	{ 'h', 3600 },
	{ 'd', 86400 },
	{ 'w', 604800 },
	{ 0, 0 },
};

static const struct unit size_units[] = {
	{ 'b', 1 },
	{ 'k', 1024 },
	{ 'm', 1024 * 1024 },
	{ 'g', 1024 * 1024 * 1024 },
	{ 0, 0 },
};

static int64_t
factor_of(const struct unit *units, char letter)
{
	if (letter >= 'A' && letter <= 'Z')
		letter = (char)(letter - 'A' + 'a');
	for (; units->letter != 0; units++)
		if (units->letter == letter)
			return units->factor;
	return 0;
}

/* Digits, then at most one letter of units. */
static bool
parse(const char *text, const struct unit *units, char default_unit,
    int64_t *value_r)
{
	char number[24];
	size_t len = strspn(text, "0123456789");
	int64_t factor = factor_of(units, default_unit);
	unsigned long long value;

	assert(factor > 0);
	if (text[len] != '\0') {
		factor = factor_of(units, text[len]);
		if (factor == 0 || text[len + 1] != '\0')
			return false;
	}
	while (len > 1 && *text == '0') {
		text++;
		len--;
	}
	if (len >= sizeof(number))
		return false;
	memcpy(number, text, len);
	number[len] = '\0';
	if (!str_to_uint(
		number, (unsigned long long)(INT64_MAX / factor), &value))
		return false;
	*value_r = (int64_t)value * factor;
	return true;
}

int
unit_parse_time(
    const char *text, char default_unit, int64_t *seconds_r, struct err *err)
{
	if (parse(text, time_units, default_unit, seconds_r))
		return 0;
	return err_set(err,
	    "\"%s\" is not a time: "
	    "a number and one of s, m, h, d, w",
	    text);
}

int
unit_parse_size(
    const char *text, char default_unit, int64_t *bytes_r, struct err *err)
{
	if (parse(text, size_units, default_unit, bytes_r))
		return 0;
	return err_set(err,
	    "\"%s\" is not a size: "
	    "a number and one of b, k, M, G",
	    text);
}

const char *
unit_format_time(int64_t seconds, char buf[static UNIT_TEXT_SIZE])
{
	const struct unit *best = time_units;

	for (const struct unit *u = time_units; u->letter != 0; u++)
		if (u->letter != 'w' && seconds != 0 &&
		    seconds % u->factor == 0)
			best = u;
	(void)snprintf(buf, UNIT_TEXT_SIZE, "%lld%c",
	    (long long)(seconds / best->factor), best->letter);
	return buf;
}

const char *
unit_format_size(int64_t bytes, char buf[static UNIT_TEXT_SIZE])
{
	/* As admins write them; plain bytes bear no letter. */
	static const char *const letters[] = { "", "k", "M", "G" };
	size_t best = 0;

	for (size_t i = 0; size_units[i].letter != 0; i++)
		if (bytes != 0 && bytes % size_units[i].factor == 0)
			best = i;
	(void)snprintf(buf, UNIT_TEXT_SIZE, "%lld%s",
	    (long long)(bytes / size_units[best].factor), letters[best]);
	return buf;
}
