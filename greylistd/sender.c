/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/str.h"
#include "greylistd/sender.h"

/* BATV's tag: key number, three digits of the day, six of the hash. */
#define TAG_LEN 10
#define TAG_DECIMALS 4
#define HEX_WORD_MIN 8
#define SRS_TIME_MAX 4

/* The local part while it is folded, in place: it only ever shrinks. */
struct local {
	char *text; /* not NUL-terminated */
	size_t len;
};

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static bool
is_lower_or_digit(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z');
}

/* Perl's \w without a locale. */
static bool
is_word(char c)
{
	return is_lower_or_digit(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool
has_prefix(const struct local *local, const char *prefix)
{
	size_t len = strlen(prefix);

	return local->len >= len && memcmp(local->text, prefix, len) == 0;
}

/* Returns where c stands at or after from, or local->len. */
static size_t
find(const struct local *local, size_t from, char c)
{
	const char *at;

	if (from >= local->len)
		return local->len;
	at = memchr(local->text + from, c, local->len - from);
	return at == NULL ? local->len : (size_t)(at - local->text);
}

static size_t
find_last(const struct local *local, char c)
{
	const char *at = memrchr(local->text, c, local->len);

	return at == NULL ? local->len : (size_t)(at - local->text);
}

static void
keep(struct local *local, size_t from, size_t to)
{
	memmove(local->text, local->text + from, to - from);
	local->len = to - from;
}

/* Is this what postgrey takes for a tag: ten lower-case letters or digits,
 * and whatever comes after? */
static bool
looks_like_tag(const char *text, size_t len)
{
	if (len < TAG_LEN)
		return false;
	for (size_t i = 0; i < TAG_LEN; i++)
		if (!is_lower_or_digit(text[i]))
			return false;
	return true;
}

/* Is this a tag as BATV defines it (draft-levine-smtp-batv, section 4), or
 * one that postgrey has folded? */
static bool
is_tag(const char *text, size_t len)
{
	if (len == 1 && *text == '#')
		return true;
	if (len != TAG_LEN)
		return false;
	for (size_t i = 0; i < TAG_LEN; i++)
		if (!(i < TAG_DECIMALS ? is_digit(text[i]) : is_hex(text[i])))
			return false;
	return true;
}

/* postgrey's idea of "prvs=A=B": Perl's split, so empty fields at the end do
 * not count; only with exactly two fields after "prvs". */
static void
fold_prvs_postgrey(struct local *local)
{
	const size_t a = strlen("prvs=");
	size_t end = local->len;
	size_t a_end, b;

	if (!has_prefix(local, "prvs="))
		return;
	while (end > a && local->text[end - 1] == '=')
		end--;
	a_end = find(local, a, '=');
	b = a_end + 1;
	if (a_end >= end || find(local, b, '=') < end)
		return;
	if (looks_like_tag(local->text + b, end - b) &&
	    !looks_like_tag(local->text + a, a_end - a))
		keep(local, a, a_end);
	else
		keep(local, b, end);
}

/* The forms of "prvs=" in the field: tag in front as the draft has it, tag
 * behind as some wrote it, and the older "LOCAL/TAG". What is none of them
 * is left to postgrey's rule. */
static void
fold_prvs(struct local *local)
{
	const size_t a = strlen("prvs=");
	size_t first, last, slash;

	if (!has_prefix(local, "prvs="))
		return;
	first = find(local, a, '=');
	last = find_last(local, '=');
	slash = find_last(local, '/');
	if (first + 1 < local->len && is_tag(local->text + a, first - a))
		keep(local, first + 1, local->len);
	else if (first < local->len && last > a &&
		 is_tag(local->text + last + 1, local->len - last - 1))
		keep(local, a, last);
	else if (first == local->len && slash < local->len && slash > a &&
		 is_tag(local->text + slash + 1, local->len - slash - 1))
		keep(local, a, slash);
	else
		fold_prvs_postgrey(local);
}

/* Barracuda's "btv1==TAG==LOCAL" and Message Systems' "msprvs1=TAG=LOCAL". */
static void
fold_other_batv(struct local *local)
{
	size_t tag, end;

	if (has_prefix(local, "btv1==")) {
		tag = strlen("btv1==");
		end = find(local, tag, '=');
		if (end > tag && end + 2 < local->len &&
		    local->text[end + 1] == '=')
			keep(local, end + 2, local->len);
	} else if (has_prefix(local, "msprvs1=")) {
		tag = strlen("msprvs1=");
		end = find(local, tag, '=');
		if (end > tag && end + 1 < local->len)
			keep(local, end + 1, local->len);
	}
}

static bool
is_srs_separator(char c)
{
	return c == '=' || c == '+' || c == '-';
}

/* Reads "HASH=TIME=" at from: returns where the rest begins (not empty), or
 * 0 when it is something else. */
static size_t
skip_srs_stamp(const struct local *local, size_t from)
{
	size_t hash_end = find(local, from, '=');
	size_t time_end = find(local, hash_end + 1, '=');

	if (hash_end == from || time_end <= hash_end + 1 ||
	    time_end - hash_end - 1 > SRS_TIME_MAX ||
	    time_end + 1 >= local->len)
		return 0;
	return time_end + 1;
}

/* Writes stamp (shorter than what it replaces, or as long) over the bytes
 * from .. to. */
static void
replace(struct local *local, size_t from, size_t to, const char *with)
{
	size_t len = strlen(with);

	assert(len <= to - from);
	memcpy(local->text + from, with, len);
	memmove(local->text + from + len, local->text + to, local->len - to);
	local->len -= to - from - len;
}

/* Rewritten senders: hash and time stamp change, who it was does not. The
 * separator after the name may be "=", "+" or "-" (the SRS paper, section
 * "SRS Compliant Mailers"). */
static void
fold_srs(struct local *local)
{
	const size_t start = strlen("srs0=");
	size_t rest, forwarder, second;

	if (local->len <= start || !is_srs_separator(local->text[start - 1]))
		return;
	if (has_prefix(local, "srs0")) {
		rest = skip_srs_stamp(local, start);
		if (rest > 0)
			replace(local, 0, rest, "srs0=#=#=");
	} else if (has_prefix(local, "srs1")) {
		forwarder = find(local, start, '=') + 1;
		second = find(local, forwarder, '=') + 1;
		if (forwarder <= start + 1 || second <= forwarder + 1 ||
		    second + 1 >= local->len ||
		    !is_srs_separator(local->text[second]))
			return;
		rest = skip_srs_stamp(local, second + 1);
		if (rest == 0)
			return;
		replace(local, second, rest, "=#=#=");
		replace(local, 0, forwarder, "srs1=#=");
	}
}

static void
cut_extension(struct local *local)
{
	local->len = find(local, 0, '+');
}

/* Is the word a number, or (all) a hexadecimal one that is long enough not
 * to be English? */
static bool
is_number(const char *word, size_t len, bool all)
{
	size_t digits = 0, hex = 0;

	for (size_t i = 0; i < len; i++) {
		digits += is_digit(word[i]);
		hex += is_hex(word[i]);
	}
	return digits == len ||
	       (all && hex == len && len >= HEX_WORD_MIN && digits > 0);
}

/* Returns how many bytes at from are a UUID (RFC 9562 section 4), whose
 * groups may already be "#", or 0. Its groups of four are too short to be
 * told from words by themselves. */
static size_t
skip_uuid(const struct local *local, size_t from)
{
	static const size_t group_len[] = { 8, 4, 4, 4, 12 };
	size_t at = from;

	for (size_t i = 0; i < sizeof(group_len) / sizeof(*group_len); i++) {
		size_t end;

		if (i > 0 && (at >= local->len || local->text[at++] != '-'))
			return 0;
		end = at;
		while (end < local->len && is_hex(local->text[end]))
			end++;
		if (end - at == group_len[i])
			at = end;
		else if (end == at && end < local->len &&
			 local->text[end] == '#')
			at++;
		else
			return 0;
	}
	return at < local->len && is_word(local->text[at]) ? 0 : at - from;
}

static void
fold_words(struct local *local, bool all)
{
	size_t in = 0, out = 0;

	while (in < local->len) {
		char *word = local->text + in;
		size_t uuid = all ? skip_uuid(local, in) : 0;
		size_t len = 0;

		if (uuid > 0) {
			memcpy(local->text + out, "#-#-#-#-#", 9);
			out += 9;
			in += uuid;
			continue;
		}
		while (in + len < local->len && is_word(word[len]))
			len++;
		if (len > 0 && is_number(word, len, all)) {
			local->text[out++] = '#';
			in += len;
			continue;
		}
		/* A word as it is, or one byte between words. */
		len = len > 0 ? len : 1;
		memmove(local->text + out, word, len);
		out += len;
		in += len;
	}
	local->len = out;
}

/* Again and again until nothing changes: what is left of one form may be
 * another, and folding twice must be the same as folding once. */
static void
fold_all(struct local *local)
{
	char before[KEY_VALUE_MAX];
	size_t before_len;

	str_lower(local->text, local->len);
	do {
		before_len = local->len;
		memcpy(before, local->text, local->len);
		fold_prvs(local);
		fold_other_batv(local);
		fold_srs(local);
		cut_extension(local);
		fold_words(local, true);
	} while (local->len != before_len ||
		 memcmp(before, local->text, before_len) != 0);
}

size_t
sender_fold(const char *sender, size_t len, enum key_folding folding, char *out)
{
	const char *at = memchr(sender, '@', len);
	struct local local = { out, at == NULL ? 0 : (size_t)(at - sender) };
	size_t domain = local.len;

	/* Without "@" all of it stays; there domain is 0. */
	memcpy(out, sender, local.len);
	if (at != NULL && folding == KEY_FOLD_ALL) {
		fold_all(&local);
	} else if (at != NULL) {
		fold_prvs_postgrey(&local);
		cut_extension(&local);
		fold_words(&local, false);
	}
	memcpy(out + local.len, sender + domain, len - domain);
	len = local.len + len - domain;
	str_lower(out, len);
	return len;
}
