/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <string.h>

#include "common/dnspacket.h"
#include "common/str.h"

#include "greylistd/dnslist.h"

static const char blanks[] = " \t";

/* Reads a number up to 255 and moves behind it. */
static bool
take_number(const char **text, uint8_t *number_r)
{
	unsigned value = 0;
	size_t len = 0;

	for (; **text >= '0' && **text <= '9' && len < 4; len++)
		value = value * 10 + (unsigned)(*(*text)++ - '0');
	*number_r = (uint8_t)value;
	return len >= 1 && len <= 3 && value <= 255;
}

/* Reads "N", "N-M" or "*". */
static bool
take_range(const char **text, uint8_t *low_r, uint8_t *high_r)
{
	if (**text == '*') {
		(*text)++;
		*low_r = 0;
		*high_r = 255;
		return true;
	}
	if (!take_number(text, low_r))
		return false;
	*high_r = *low_r;
	if (**text != '-')
		return true;
	(*text)++;
	return take_number(text, high_r) && *high_r >= *low_r;
}

static bool
parse_mask(const char *text, struct dnslist_mask *mask_r)
{
	for (size_t i = 0; i < 4; i++) {
		if (i > 0 && *text++ != '.')
			return false;
		if (!take_range(&text, &mask_r->low[i], &mask_r->high[i]))
			return false;
	}
	/* No list answers outside 127.0.0.0/8. */
	return *text == '\0' && mask_r->low[0] == 127 && mask_r->high[0] == 127;
}

static int
add_mask(struct dnslist *list, const char *word, struct err *err)
{
	if (list->mask_count == DNSLIST_MASKS_MAX)
		return err_set(err, "more than %d masks", DNSLIST_MASKS_MAX);
	if (!parse_mask(word, &list->masks[list->mask_count]))
		return err_set(err,
		    "\"%s\" is no mask; write for example "
		    "127.0.0.2-11 or 127.0.*.1",
		    word);
	list->mask_count++;
	return 0;
}

static int
parse_zone(const char *word, struct dnslist *list, struct err *err)
{
	size_t len = strlen(word);

	if (len > 0 && word[len - 1] == '.')
		len--;
	if (len > DNSLIST_ZONE_MAX)
		return err_set(
		    err, "the zone is longer than %d bytes", DNSLIST_ZONE_MAX);
	memcpy(list->zone, word, len);
	list->zone[len] = '\0';
	str_lower(list->zone, len);
	if (!dnspacket_name_ok(list->zone) || strchr(list->zone, '.') == NULL)
		return err_set(err,
		    "\"%s\" is no zone; write for example "
		    "zen.spamhaus.org",
		    word);
	return 0;
}

static void
set_default_masks(struct dnslist *list, enum dnslist_kind kind)
{
	static const struct dnslist_mask black[] = {
		{ { 127, 0, 0, 2 }, { 127, 0, 0, 255 } },
		{ { 127, 0, 1, 0 }, { 127, 0, 255, 255 } },
		{ { 127, 1, 0, 0 }, { 127, 255, 255, 255 } },
	};
	static const struct dnslist_mask white = {
		{ 127, 0, 0, 1 },
		{ 127, 0, 255, 3 },
	};

	if (kind == DNSLIST_WHITE) {
		list->masks[0] = white;
		list->mask_count = 1;
		return;
	}
	memcpy(list->masks, black, sizeof(black));
	list->mask_count = sizeof(black) / sizeof(*black);
}

/* Copies the next word (ended by a byte of separators) and moves behind it.
 * Returns its length, or sizeof(word) when it has no room. */
static size_t
next_word(const char **text, const char *separators, char word[static 256])
{
	const char *start = *text + strspn(*text, separators);
	size_t len = strcspn(start, separators);

	*text = start + len;
	if (len >= 256)
		return 256;
	memcpy(word, start, len);
	word[len] = '\0';
	return len;
}

int
dnslist_parse(const char *text, enum dnslist_kind kind, struct dnslist *list_r,
    struct err *err)
{
	unsigned long long weight;
	char word[256];
	size_t len = next_word(&text, blanks, word);
	bool may_weigh = kind == DNSLIST_BLACK;

	memset(list_r, 0, sizeof(*list_r));
	list_r->weight = DNSLIST_WEIGHT;
	if (len == sizeof(word))
		return err_set(err, "a word is too long");
	if (parse_zone(word, list_r, err) != 0)
		return -1;
	while ((len = next_word(&text, " \t,", word)) > 0) {
		if (len == sizeof(word))
			return err_set(err, "a word is too long");
		if (may_weigh && strchr(word, '.') == NULL) {
			if (!str_to_uint(word, DNSLIST_WEIGHT_MAX, &weight))
				return err_set(err,
				    "the weight \"%s\" is no "
				    "number from 0 to %d",
				    word, DNSLIST_WEIGHT_MAX);
			list_r->weight = (int64_t)weight;
		} else if (add_mask(list_r, word, err) != 0) {
			return -1;
		}
		may_weigh = false;
	}
	if (list_r->mask_count == 0)
		set_default_masks(list_r, kind);
	return 0;
}

const char *
dnslist_name(const struct dnslist *list, const struct ip *ip,
    char buf[static DNSLIST_NAME_SIZE])
{
	struct str s;

	str_init(&s, buf, DNSLIST_NAME_SIZE);
	if (ip->family == IP_V4) {
		for (size_t i = 4; i-- > 0;)
			str_addf(&s, "%u.", ip->bytes[i]);
	} else {
		for (size_t i = 16; i-- > 0;)
			str_addf(&s, "%x.%x.", ip->bytes[i] & 15U,
			    ip->bytes[i] >> 4U);
	}
	str_add(&s, list->zone);
	return buf;
}

static bool
fits(const struct dnslist_mask *mask, const uint8_t answer[static 4])
{
	for (size_t i = 0; i < 4; i++)
		if (answer[i] < mask->low[i] || answer[i] > mask->high[i])
			return false;
	return true;
}

enum dnslist_code
dnslist_judge(const struct dnslist *list, const uint8_t answer[static 4])
{
	static const struct dnslist_mask refused = {
		{ 127, 255, 255, 0 },
		{ 127, 255, 255, 255 },
	};

	if (fits(&refused, answer))
		return DNSLIST_REFUSED;
	for (size_t i = 0; i < list->mask_count; i++)
		if (fits(&list->masks[i], answer))
			return DNSLIST_LISTED;
	return DNSLIST_UNLISTED;
}
