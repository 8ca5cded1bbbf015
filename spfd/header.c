/* SPDX-License-Identifier: ISC */
#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/spfidn.h"
#include "common/str.h"

#include "spfd/header.h"
#include "spfd/text.h"

/* Longer values are none: a path (RFC 5321 section 4.5.3.1.3) and its
 * quotes. */
#define VALUE_MAX 330
/* Where a comment is cut. */
#define COMMENT_MAX 320
/* Room for an address with its NUL. */
#define ADDRESS_SIZE (VALUE_MAX + 1)
/* How much of a domain is in a comment. */
#define DOMAIN_MAX 253

/* What is both a dot-atom (RFC 5322 section 3.2.3) and a token (RFC 2045
 * section 5.1), and can stand without quotes. */
static bool
is_plain(const char *value)
{
	bool in_atom = false;

	for (; *value != '\0'; value++) {
		if (*value == '.' && in_atom)
			in_atom = false;
		else if (isalnum((unsigned char)*value) != 0 ||
			 strchr("-_+", *value) != NULL)
			in_atom = true;
		else
			return false;
	}
	return in_atom;
}

/* Adds text with a backslash before each of signs, until max bytes or one
 * more are there. */
static void
add_with_backslashes(
    struct str *s, const char *text, const char *signs, size_t max)
{
	size_t end = s->len + max;

	while (*text != '\0' && s->len < end && !s->truncated) {
		size_t len = strcspn(text, signs);

		if (len > end - s->len)
			len = end - s->len;
		if (len == 0) {
			str_add_char(s, '\\');
			len = 1;
		}
		text_add_printable(s, text, len);
		text += len;
	}
}

static void
add_quoted(struct str *s, const char *value)
{
	str_add_char(s, '"');
	add_with_backslashes(s, value, "\"\\", SIZE_MAX - s->len);
	str_add_char(s, '"');
}

/* Adds a comment, its own signs quoted. */
static void
add_comment(struct str *s, const char *text)
{
	str_add_char(s, '(');
	add_with_backslashes(s, text, "()\\", COMMENT_MAX - 1);
	str_add_char(s, ')');
}

/* Adds "key=value" when all of it has room. */
static void
add_pair(
    struct str *s, const char *separator, const char *key, const char *value)
{
	char buf[2 * VALUE_MAX + 64];
	struct str pair;

	if (strlen(value) > VALUE_MAX)
		return;
	str_init(&pair, buf, sizeof(buf));
	str_add(&pair, separator);
	str_add(&pair, key);
	str_add_char(&pair, '=');
	if (is_plain(value))
		str_add(&pair, value);
	else
		add_quoted(&pair, value);
	if (!pair.truncated && pair.len < s->cap - s->len)
		str_add(s, pair.text);
}

/* The name with A-labels; as it is, when that cannot be. */
static const char *
ascii_name(const char *name, char buf[static SPFIDN_SIZE])
{
	return str_is_ascii(name) || !spfidn_to_ascii(name, buf) ? name : buf;
}

/* The address with A-labels, and without a local part that has no form in
 * ASCII. */
static const char *
ascii_address(const char *address, char buf[static ADDRESS_SIZE])
{
	const char *at = strrchr(address, '@');
	char name[SPFIDN_SIZE], local[VALUE_MAX + 1];
	struct str s;

	if (str_is_ascii(address) || at == NULL)
		return at == NULL ? ascii_name(address, buf) : address;
	str_init(&s, local, sizeof(local));
	str_add_bytes(&s, address, (size_t)(at - address));
	if (!str_is_ascii(local))
		str_init(&s, local, sizeof(local));
	if (s.truncated)
		return address;
	str_init(&s, buf, ADDRESS_SIZE);
	str_addf(&s, "%s@%s", local, ascii_name(at + 1, name));
	return s.truncated ? address : buf;
}

static const char *
identity_name(enum spf_identity identity)
{
	return identity == SPF_CHECK_HELO ? "helo" : "mailfrom";
}

/* "(mx.example.org: 192.0.2.1 is allowed to send for example.org) " */
static void
add_sentence(struct str *s, const struct header_facts *facts)
{
	char sentence[TEXT_SENTENCE_SIZE];
	char comment[TEXT_SENTENCE_SIZE + DOMAIN_MAX + 8];
	struct str c;

	str_init(&c, comment, sizeof(comment));
	text_add_printable(&c, facts->hostname, DOMAIN_MAX);
	str_add(&c, ": ");
	str_add(&c, text_sentence(facts->finding, facts->client, sentence));
	add_comment(s, comment);
}

/* What all forms tell of the client. */
static void
add_session(
    struct str *s, const struct header_facts *facts, const char *separator)
{
	char buf[ADDRESS_SIZE];

	add_pair(s, separator, "client-ip", facts->client);
	if (facts->helo[0] != '\0')
		add_pair(s, "; ", "helo", ascii_name(facts->helo, buf));
	add_pair(s, "; ", "envelope-from",
	    facts->sender[0] != '\0' ? ascii_address(facts->sender, buf)
				     : "<>");
	add_pair(s, "; ", "receiver",
	    facts->receiver[0] != '\0' ? ascii_name(facts->receiver, buf)
				       : "<UNKNOWN>");
}

void
header_received_spf(
    const struct header_facts *facts, char out[static HEADER_SIZE])
{
	const char *name = spf_result_name(facts->finding->result);
	struct str s;

	str_init(&s, out, HEADER_SIZE);
	str_add(&s, "Received-SPF: ");
	str_add_char(&s, (char)toupper((unsigned char)name[0]));
	str_add(&s, name + 1);
	str_add_char(&s, ' ');
	add_sentence(&s, facts);
	add_pair(&s, " ", "identity", identity_name(facts->identity));
	add_session(&s, facts, "; ");
	if (facts->finding->mechanism[0] != '\0')
		add_pair(&s, "; ", "mechanism", facts->finding->mechanism);
	if (facts->finding->problem[0] != '\0')
		add_pair(&s, "; ", "problem", facts->finding->problem);
}

void
header_authres(const struct header_facts *facts, char out[static HEADER_SIZE])
{
	const struct finding *finding = facts->finding;
	bool is_helo = facts->identity == SPF_CHECK_HELO;
	const char *at = strrchr(facts->sender, '@');
	const char *value = is_helo      ? facts->helo
			    : at != NULL ? at + 1
					 : finding->domain;
	char name[SPFIDN_SIZE];
	struct str s;

	str_init(&s, out, HEADER_SIZE);
	str_addf(&s, "Authentication-Results: %.253s; spf=%s ",
	    facts->authserv_id, spf_result_name(finding->result));
	add_sentence(&s, facts);
	if (value[0] != '\0')
		add_pair(&s, " ", is_helo ? "smtp.helo" : "smtp.mailfrom",
		    ascii_name(value, name));
}

static const char *
bypass_text(enum findings_bypass bypass)
{
	switch (bypass) {
	case FINDINGS_SKIPPED:
		return "SPF check N/A for local connections";
	case FINDINGS_WHITELIST:
		return "SPF skipped for whitelisted relay";
	case FINDINGS_HELO_WHITELIST:
		return "SPF skipped for whitelisted HELO domain";
	case FINDINGS_DOMAIN_WHITELIST:
		return "SPF skipped for whitelisted relay domain";
	case FINDINGS_PTR_WHITELIST:
		return "SPF skipped for PTR whitelisted relay domain";
	case FINDINGS_EXEMPT_DOMAIN:
		return "SPF skipped for exempt sender domain";
	case FINDINGS_CHECKED:
		break;
	}
	return "SPF not checked";
}

void
header_bypass(const struct header_facts *facts, enum findings_bypass bypass,
    char out[static HEADER_SIZE])
{
	struct str s;

	str_init(&s, out, HEADER_SIZE);
	str_addf(&s, "X-Comment: %s - ", bypass_text(bypass));
	add_session(&s, facts, "");
}

void
header_bypass_authres(const struct header_facts *facts,
    enum findings_bypass bypass, char out[static HEADER_SIZE])
{
	char comment[COMMENT_MAX];
	struct str s, c;

	str_init(&c, comment, sizeof(comment));
	str_addf(&c, "%s - ", bypass_text(bypass));
	add_session(&c, facts, "");
	str_init(&s, out, HEADER_SIZE);
	str_addf(
	    &s, "Authentication-Results: %.253s; none ", facts->authserv_id);
	add_comment(&s, comment);
}
