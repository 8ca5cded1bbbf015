/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/str.h"

#include "greylistd/suspicion.h"

/* The longest host name that is looked at. */
#define HOST_MAX 255

const struct suspicion_scores suspicion_defaults = { {
    [SUSPICION_NO_NAME] = 2,
    [SUSPICION_UNCONFIRMED] = 1,
    [SUSPICION_GENERIC] = 1,
    [SUSPICION_HELO_LITERAL] = 1,
    [SUSPICION_HELO_OTHER] = 1,
    [SUSPICION_SPF_FAIL] = 2,
    [SUSPICION_SPF_SOFTFAIL] = 1,
    [SUSPICION_SPF_NONE] = 1,
} };

static const char *const sign_names[SUSPICION_SIGNS] = {
	[SUSPICION_NO_NAME] = "no-name",
	[SUSPICION_UNCONFIRMED] = "unconfirmed-name",
	[SUSPICION_GENERIC] = "generic-name",
	[SUSPICION_HELO_LITERAL] = "helo-literal",
	[SUSPICION_HELO_OTHER] = "helo-other",
	[SUSPICION_SPF_FAIL] = "spf-fail",
	[SUSPICION_SPF_SOFTFAIL] = "spf-softfail",
	[SUSPICION_SPF_NONE] = "spf-none",
};

const char *
suspicion_name(enum suspicion_sign sign)
{
	return sign_names[sign];
}

/* Returns the sign of this name, or SUSPICION_SIGNS. */
static size_t
find_sign(const char *name)
{
	size_t i = 0;

	while (i < SUSPICION_SIGNS && !str_equal_name(name, sign_names[i]))
		i++;
	return i;
}

static int
unknown_sign(const char *name, struct err *err)
{
	char list[200];
	struct str s;

	str_init(&s, list, sizeof(list));
	for (size_t i = 0; i < SUSPICION_SIGNS; i++) {
		str_add_char(&s, ' ');
		str_add(&s, sign_names[i]);
	}
	return err_set(err, "\"%s\" is no sign; these are:%s", name, list);
}

/* Copies the next word and moves behind it. */
static bool
next_word(const char **text, char word[static 32])
{
	static const char separators[] = " \t,=";
	struct str s;
	size_t len;

	*text += strspn(*text, separators);
	len = strcspn(*text, separators);
	str_init(&s, word, 32);
	str_add_bytes(&s, *text, len);
	*text += len;
	return len > 0;
}

int
suspicion_parse(
    const char *text, struct suspicion_scores *scores, struct err *err)
{
	char name[32], number[32];

	while (next_word(&text, name)) {
		size_t sign = find_sign(name);
		unsigned long long score;

		if (sign == SUSPICION_SIGNS)
			return unknown_sign(name, err);
		if (!next_word(&text, number) ||
		    !str_to_uint(number, SUSPICION_SCORE_MAX, &score))
			return err_set(err, "%s needs a score from 0 to %d",
			    name, SUSPICION_SCORE_MAX);
		scores->of[sign] = (int64_t)score;
	}
	return 0;
}

void
suspicion_begin(struct suspicion *suspicion)
{
	memset(suspicion, 0, sizeof(*suspicion));
}

void
suspicion_add(struct suspicion *suspicion, const char *name, int64_t score)
{
	char sign[SUSPICION_TEXT_SIZE];
	size_t len = strlen(suspicion->text);
	struct str s;

	if (score == 0)
		return;
	suspicion->score += score;
	str_init(&s, sign, sizeof(sign));
	str_addf(&s, "%s%s:%lld", len > 0 ? " " : "", name, (long long)score);
	if (s.truncated || suspicion->truncated ||
	    len + s.len >= SUSPICION_TEXT_SIZE) {
		suspicion->truncated = true;
		return;
	}
	memcpy(suspicion->text + len, sign, s.len + 1);
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads a number of at most three digits. Returns how many, 0 when it is
 * none or larger than a byte. */
static size_t
read_number(const char *text, unsigned *value_r)
{
	size_t len = 0;

	*value_r = 0;
	while (is_digit(text[len]) && len < 4)
		*value_r = *value_r * 10 + (unsigned)(text[len++] - '0');
	return len <= 3 && *value_r <= 255 ? len : 0;
}

/* Do count numbers stand here, with one byte between them that is no letter
 * nor digit? */
static bool
has_numbers_at(const char *host, const uint8_t *numbers, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		unsigned value;
		size_t len;

		if (i > 0 && (*host == '\0' || strchr("-._x", *host++) == NULL))
			return false;
		len = read_number(host, &value);
		if (len == 0 || value != numbers[i])
			return false;
		host += len;
	}
	return true;
}

static bool
has_numbers(const char *host, const uint8_t *numbers, size_t count)
{
	for (const char *p = host; *p != '\0'; p++) {
		if (is_digit(*p) && (p == host || !is_digit(p[-1])) &&
		    has_numbers_at(p, numbers, count))
			return true;
	}
	return false;
}

static bool
is_generic_v4(const char *host, const struct ip *ip)
{
	const uint8_t *b = ip->bytes;
	const uint8_t reversed[] = { b[3], b[2], b[1], b[0] };
	char digits[16];

	for (size_t from = 0; from < 2; from++)
		if (has_numbers(host, b + from, 3) ||
		    has_numbers(host, reversed + from, 3))
			return true;
	snprintf(
	    digits, sizeof(digits), "%03u%03u%03u%03u", b[0], b[1], b[2], b[3]);
	if (strstr(host, digits) != NULL)
		return true;
	snprintf(
	    digits, sizeof(digits), "%02x%02x%02x%02x", b[0], b[1], b[2], b[3]);
	return strstr(host, digits) != NULL;
}

static bool
is_generic_v6(const char *host, const struct ip *ip)
{
	char bare[HOST_MAX + 1], forward[17], backward[17];
	size_t len = 0;

	for (; *host != '\0'; host++)
		if (strchr("-._:", *host) == NULL)
			bare[len++] = *host;
	bare[len] = '\0';
	for (size_t i = 0; i < 8; i++)
		snprintf(forward + 2 * i, 3, "%02x", ip->bytes[8 + i]);
	for (size_t i = 0; i < 16; i++)
		backward[i] = forward[15 - i];
	backward[16] = '\0';
	return strstr(bare, forward) != NULL || strstr(bare, backward) != NULL;
}

bool
suspicion_is_generic(const char *host, const struct ip *ip)
{
	char lower[HOST_MAX + 1];
	size_t len = strnlen(host, HOST_MAX);

	memcpy(lower, host, len);
	lower[len] = '\0';
	str_lower(lower, len);
	return ip->family == IP_V4 ? is_generic_v4(lower, ip)
				   : is_generic_v6(lower, ip);
}

bool
suspicion_is_literal(const char *helo)
{
	struct ip ip;

	return helo[0] == '[' || ip_parse(helo, &ip);
}

bool
suspicion_same_host(const char *a, const char *b)
{
	size_t a_len = strlen(a), b_len = strlen(b);

	if (a_len > 0 && a[a_len - 1] == '.')
		a_len--;
	if (b_len > 0 && b[b_len - 1] == '.')
		b_len--;
	return a_len == b_len && strncasecmp(a, b, a_len) == 0;
}
