/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include <nettle/sha1.h>

#include "common/ip.h"
#include "common/str.h"
#include "greylistd/key.h"

/* What a cut key ends in: this and half a SHA-1. */
#define CUT_MARK "/#"
#define CUT_MARK_LEN (sizeof(CUT_MARK) - 1)
#define CUT_HEX_LEN 32
#define SHA1_HEX_LEN 40
/* The longest key before it is cut: address, "/128", two values. */
#define FULL_SIZE (IP_TEXT_SIZE + 8 + 2 * (KEY_VALUE_MAX + 1))
/* BATV's tag: key number, three digits of the day, six of the hash. */
#define TAG_LEN 10
#define TAG_DECIMALS 4
#define HEX_WORD_MIN 8
#define SRS_TIME_MAX 4

/* The local part while it is folded, in place: it only ever shrinks. */
struct local {
	char *text;		/* not NUL-terminated */
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

/* Folds the len bytes of sender into out, which has room for as many.
 * Returns how many it became. */
static size_t
fold_sender(const char *sender, size_t len, enum key_folding folding,
	char *out)
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

void
key_sha1_hex(const char *bytes, size_t len, char hex_r[static 41])
{
	static const char digits[] = "0123456789abcdef";
	struct sha1_ctx ctx;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&ctx);
	sha1_update(&ctx, len, (const uint8_t *)bytes);
	sha1_digest(&ctx, sizeof(digest), digest);
	for (size_t i = 0; i < sizeof(digest); i++) {
		hex_r[2 * i] = digits[digest[i] >> 4];
		hex_r[2 * i + 1] = digits[digest[i] & 15];
	}
	hex_r[SHA1_HEX_LEN] = '\0';
}

/* Brings a finished key into the bounds of a stored one. */
static void
bound(const struct str *full, char key_r[static KEY_SIZE])
{
	const size_t kept = KEY_SIZE - 1 - CUT_MARK_LEN - CUT_HEX_LEN;
	char hex[SHA1_HEX_LEN + 1];

	if (full->len < KEY_SIZE) {
		memcpy(key_r, full->text, full->len + 1);
		return;
	}
	key_sha1_hex(full->text, full->len, hex);
	memcpy(key_r, full->text, kept);
	memcpy(key_r + kept, CUT_MARK, CUT_MARK_LEN);
	memcpy(key_r + kept + CUT_MARK_LEN, hex, CUT_HEX_LEN);
	key_r[KEY_SIZE - 1] = '\0';
}

static void
add_client(struct str *s, const struct key_config *config,
	const struct ip *client)
{
	char text[IP_TEXT_SIZE];
	struct ip net = *client;

	if (config->by_host) {
		str_add(s, ip_format_plain(client, text));
		str_add(s, client->family == IP_V4 ? "/32" : "/128");
		return;
	}
	ip_mask(&net, client->family == IP_V4 ? config->ipv4_prefix :
	    config->ipv6_prefix);
	str_add(s, ip_format_plain(&net, text));
}

/* Adds sender and recipient to the network part in full, and makes the key
 * of it. */
static void
finish_key(const struct key_config *config, enum key_folding folding,
	struct str *full, const char *sender, const char *recipient,
	char key_r[static KEY_SIZE])
{
	char folded[KEY_VALUE_MAX];
	size_t len = strnlen(recipient, KEY_VALUE_MAX);

	str_add_char(full, '/');
	str_add_bytes(full, folded, fold_sender(sender,
	    strnlen(sender, KEY_VALUE_MAX), folding, folded));
	str_add_char(full, '/');
	str_add_bytes(full, recipient, len);
	str_lower(full->text + full->len - len, len);
	if (config->privacy)
		key_sha1_hex(full->text, full->len, key_r);
	else
		bound(full, key_r);
}

void
key_make(const struct key_config *config, enum key_folding folding,
	const struct ip *client, const char *sender, const char *recipient,
	char key_r[static KEY_SIZE])
{
	char text[FULL_SIZE];
	struct str full;

	str_init(&full, text, sizeof(text));
	add_client(&full, config, client);
	finish_key(config, folding, &full, sender, recipient, key_r);
}

const char *
key_sender_domain(const char *sender)
{
	const char *at = strrchr(sender, '@');

	return at == NULL || at[1] == '\0' ? NULL : at + 1;
}

void
key_make_spf(const struct key_config *config, bool with_local,
	const char *sender, const char *recipient,
	char key_r[static KEY_SIZE])
{
	char text[FULL_SIZE + KEY_VALUE_MAX];
	const char *domain = key_sender_domain(sender);
	struct str full;

	assert(domain != NULL);
	str_init(&full, text, sizeof(text));
	str_add(&full, "spf:");
	str_add_bytes(&full, domain, strnlen(domain, KEY_VALUE_MAX));
	str_lower(full.text, full.len);
	finish_key(config, KEY_FOLD_ALL, &full, with_local ? sender :
	    domain - 1, recipient, key_r);
}

void
key_client(const struct key_config *config, const struct ip *client,
	char key_r[static KEY_SIZE])
{
	char text[IP_TEXT_SIZE];

	ip_format_plain(client, text);
	if (!config->privacy) {
		memcpy(key_r, text, strlen(text) + 1);
		return;
	}
	/* postgrey hashes the address with upper-case digits, and a hash
	 * cannot be converted when its database is imported. */
	for (char *p = text; *p != '\0'; p++)
		if (*p >= 'a' && *p <= 'f')
			*p = (char)(*p - 'a' + 'A');
	key_sha1_hex(text, strlen(text), key_r);
}

void
key_fold_sender(const char *sender, enum key_folding folding,
	char out[static KEY_SIZE])
{
	out[fold_sender(sender, strnlen(sender, KEY_VALUE_MAX), folding,
	    out)] = '\0';
}

/* Reads NET at the start of a key and writes it in our form. Returns the
 * bytes up to and including the "/" after it, or 0. */
static size_t
refold_net(const char *key, size_t len, struct str *full)
{
	const char *slash = memchr(key, '/', len);
	size_t net_len = slash == NULL ? len : (size_t)(slash - key);
	char text[IP_TEXT_SIZE];
	struct ip ip;
	const char *host;

	if (slash == NULL || net_len >= sizeof(text))
		return 0;
	memcpy(text, key, net_len);
	text[net_len] = '\0';
	if (!ip_parse(text, &ip))
		return 0;
	/* LookupByHost: the length tells what the address was to postgrey,
	 * and a mapped one is IPv4 to us. */
	host = strchr(text, ':') == NULL ? "/32/" : "/128/";
	str_add(full, ip_format_plain(&ip, text));
	if (len - net_len > strlen(host) &&
	    memcmp(slash, host, strlen(host)) == 0 &&
	    memchr(slash + strlen(host), '/', len - net_len - strlen(host)) !=
	    NULL) {
		str_add(full, ip.family == IP_V4 ? "/32" : "/128");
		net_len += strlen(host) - 1;
	}
	str_add_char(full, '/');
	return net_len + 1;
}

/* How many bytes of "SENDER/RECIPIENT" are surely the sender's, so that its
 * whole local part is among them? Both may hold a "/", but with one "@" only
 * that is the recipient's. */
static size_t
sender_part(const char *text, size_t len)
{
	const char *at = memchr(text, '@', len);
	const char *slash = memchr(text, '/', len);

	if (at == NULL || slash == text)
		return 0;
	if (slash < at && memchr(at + 1, '@',
	    len - (size_t)(at + 1 - text)) == NULL)
		return 0;
	return (size_t)(at - text) + 1;
}

bool
key_refold(const char *key, size_t len, char key_r[static KEY_SIZE])
{
	char text[FULL_SIZE];
	char folded[KEY_VALUE_MAX];
	struct str full;
	size_t from, sender;

	if (len >= FULL_SIZE - sizeof("/128") || memchr(key, '\0', len) != NULL)
		return false;
	str_init(&full, text, sizeof(text));
	from = refold_net(key, len, &full);
	if (from == 0 || memchr(key + from, '/', len - from) == NULL)
		return false;
	sender = sender_part(key + from, len - from);
	if (sender > sizeof(folded))
		return false;
	str_add_bytes(&full, folded,
	    fold_sender(key + from, sender, KEY_FOLD_ALL, folded));
	str_add_bytes(&full, key + from + sender, len - from - sender);
	str_lower(full.text, full.len);
	bound(&full, key_r);
	return true;
}
