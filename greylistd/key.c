/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <assert.h>
#include <nettle/sha1.h>

#include "common/ip.h"
#include "common/str.h"
#include "greylistd/key.h"
#include "greylistd/sender.h"

/* What a cut key ends in: this and half a SHA-1. */
#define CUT_MARK "/#"
#define CUT_MARK_LEN (sizeof(CUT_MARK) - 1)
#define CUT_HEX_LEN 32
#define SHA1_HEX_LEN 40
/* The longest key before it is cut: address, "/128", two values. */
#define FULL_SIZE (IP_TEXT_SIZE + 8 + 2 * (KEY_VALUE_MAX + 1))

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
add_client(
    struct str *s, const struct key_config *config, const struct ip *client)
{
	char text[IP_TEXT_SIZE];
	struct ip net = *client;

	if (config->by_host) {
		str_add(s, ip_format_plain(client, text));
		str_add(s, client->family == IP_V4 ? "/32" : "/128");
		return;
	}
	ip_mask(&net, client->family == IP_V4 ? config->ipv4_prefix
					      : config->ipv6_prefix);
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
	str_add_bytes(full, folded,
	    sender_fold(
		sender, strnlen(sender, KEY_VALUE_MAX), folding, folded));
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
    const char *sender, const char *recipient, char key_r[static KEY_SIZE])
{
	char text[FULL_SIZE + KEY_VALUE_MAX];
	const char *domain = key_sender_domain(sender);
	struct str full;

	assert(domain != NULL);
	str_init(&full, text, sizeof(text));
	str_add(&full, "spf:");
	str_add_bytes(&full, domain, strnlen(domain, KEY_VALUE_MAX));
	str_lower(full.text, full.len);
	finish_key(config, KEY_FOLD_ALL, &full,
	    with_local ? sender : domain - 1, recipient, key_r);
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
key_fold_sender(
    const char *sender, enum key_folding folding, char out[static KEY_SIZE])
{
	out[sender_fold(sender, strnlen(sender, KEY_VALUE_MAX), folding, out)] =
	    '\0';
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
	if (slash < at &&
	    memchr(at + 1, '@', len - (size_t)(at + 1 - text)) == NULL)
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
	    sender_fold(key + from, sender, KEY_FOLD_ALL, folded));
	str_add_bytes(&full, key + from + sender, len - from - sender);
	str_lower(full.text, full.len);
	bound(&full, key_r);
	return true;
}
