/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/policyproto.h"

/* A known name, for the switch in lookup: length, first and last character
 * together are unique, and the compiler refuses two equal cases. */
#define NAME_KEY(len, first, last)                                             \
	((unsigned)(len) << 16 | (unsigned)(first) << 8 | (unsigned)(last))
#define NAME_MAX_LEN 24

#define NAME(text)                                                             \
	{                                                                      \
		text, sizeof(text) - 1                                         \
	}

static const struct name {
	const char *text;
	size_t len;
} names[POLICYPROTO_ATTR_COUNT] = {
	[POLICYPROTO_REQUEST] = NAME("request"),
	[POLICYPROTO_PROTOCOL_STATE] = NAME("protocol_state"),
	[POLICYPROTO_PROTOCOL_NAME] = NAME("protocol_name"),
	[POLICYPROTO_CLIENT_ADDRESS] = NAME("client_address"),
	[POLICYPROTO_CLIENT_NAME] = NAME("client_name"),
	[POLICYPROTO_CLIENT_PORT] = NAME("client_port"),
	[POLICYPROTO_REVERSE_CLIENT_NAME] = NAME("reverse_client_name"),
	[POLICYPROTO_SERVER_ADDRESS] = NAME("server_address"),
	[POLICYPROTO_SERVER_PORT] = NAME("server_port"),
	[POLICYPROTO_HELO_NAME] = NAME("helo_name"),
	[POLICYPROTO_SENDER] = NAME("sender"),
	[POLICYPROTO_RECIPIENT] = NAME("recipient"),
	[POLICYPROTO_RECIPIENT_COUNT] = NAME("recipient_count"),
	[POLICYPROTO_QUEUE_ID] = NAME("queue_id"),
	[POLICYPROTO_INSTANCE] = NAME("instance"),
	[POLICYPROTO_SIZE] = NAME("size"),
	[POLICYPROTO_ETRN_DOMAIN] = NAME("etrn_domain"),
	[POLICYPROTO_STRESS] = NAME("stress"),
	[POLICYPROTO_SASL_METHOD] = NAME("sasl_method"),
	[POLICYPROTO_SASL_USERNAME] = NAME("sasl_username"),
	[POLICYPROTO_SASL_SENDER] = NAME("sasl_sender"),
	[POLICYPROTO_CCERT_SUBJECT] = NAME("ccert_subject"),
	[POLICYPROTO_CCERT_ISSUER] = NAME("ccert_issuer"),
	[POLICYPROTO_CCERT_FINGERPRINT] = NAME("ccert_fingerprint"),
	[POLICYPROTO_CCERT_PUBKEY_FINGERPRINT] =
	    NAME("ccert_pubkey_fingerprint"),
	[POLICYPROTO_ENCRYPTION_PROTOCOL] = NAME("encryption_protocol"),
	[POLICYPROTO_ENCRYPTION_CIPHER] = NAME("encryption_cipher"),
	[POLICYPROTO_ENCRYPTION_KEYSIZE] = NAME("encryption_keysize"),
	[POLICYPROTO_POLICY_CONTEXT] = NAME("policy_context"),
	[POLICYPROTO_POLICY_TEST_TIME] = NAME("policy_test_time"),
};

/* The one attribute that name of len bytes can be, to be confirmed byte by
 * byte; POLICYPROTO_ATTR_COUNT when there is none. */
static enum policyproto_attr
candidate(const char *name, size_t len)
{
	switch (NAME_KEY(
	    len, (unsigned char)name[0], (unsigned char)name[len - 1])) {
	case NAME_KEY(4, 's', 'e'):
		return POLICYPROTO_SIZE;
	case NAME_KEY(6, 's', 'r'):
		return POLICYPROTO_SENDER;
	case NAME_KEY(6, 's', 's'):
		return POLICYPROTO_STRESS;
	case NAME_KEY(7, 'r', 't'):
		return POLICYPROTO_REQUEST;
	case NAME_KEY(8, 'i', 'e'):
		return POLICYPROTO_INSTANCE;
	case NAME_KEY(8, 'q', 'd'):
		return POLICYPROTO_QUEUE_ID;
	case NAME_KEY(9, 'h', 'e'):
		return POLICYPROTO_HELO_NAME;
	case NAME_KEY(9, 'r', 't'):
		return POLICYPROTO_RECIPIENT;
	case NAME_KEY(11, 'c', 'e'):
		return POLICYPROTO_CLIENT_NAME;
	case NAME_KEY(11, 'c', 't'):
		return POLICYPROTO_CLIENT_PORT;
	case NAME_KEY(11, 'e', 'n'):
		return POLICYPROTO_ETRN_DOMAIN;
	case NAME_KEY(11, 's', 'd'):
		return POLICYPROTO_SASL_METHOD;
	case NAME_KEY(11, 's', 'r'):
		return POLICYPROTO_SASL_SENDER;
	case NAME_KEY(11, 's', 't'):
		return POLICYPROTO_SERVER_PORT;
	case NAME_KEY(12, 'c', 'r'):
		return POLICYPROTO_CCERT_ISSUER;
	case NAME_KEY(13, 'c', 't'):
		return POLICYPROTO_CCERT_SUBJECT;
	case NAME_KEY(13, 'p', 'e'):
		return POLICYPROTO_PROTOCOL_NAME;
	case NAME_KEY(13, 's', 'e'):
		return POLICYPROTO_SASL_USERNAME;
	case NAME_KEY(14, 'c', 's'):
		return POLICYPROTO_CLIENT_ADDRESS;
	case NAME_KEY(14, 'p', 'e'):
		return POLICYPROTO_PROTOCOL_STATE;
	case NAME_KEY(14, 'p', 't'):
		return POLICYPROTO_POLICY_CONTEXT;
	case NAME_KEY(14, 's', 's'):
		return POLICYPROTO_SERVER_ADDRESS;
	case NAME_KEY(15, 'r', 't'):
		return POLICYPROTO_RECIPIENT_COUNT;
	case NAME_KEY(16, 'p', 'e'):
		return POLICYPROTO_POLICY_TEST_TIME;
	case NAME_KEY(17, 'c', 't'):
		return POLICYPROTO_CCERT_FINGERPRINT;
	case NAME_KEY(17, 'e', 'r'):
		return POLICYPROTO_ENCRYPTION_CIPHER;
	case NAME_KEY(18, 'e', 'e'):
		return POLICYPROTO_ENCRYPTION_KEYSIZE;
	case NAME_KEY(19, 'e', 'l'):
		return POLICYPROTO_ENCRYPTION_PROTOCOL;
	case NAME_KEY(19, 'r', 'e'):
		return POLICYPROTO_REVERSE_CLIENT_NAME;
	case NAME_KEY(24, 'c', 't'):
		return POLICYPROTO_CCERT_PUBKEY_FINGERPRINT;
	}
	return POLICYPROTO_ATTR_COUNT;
}

static enum policyproto_attr
lookup(const char *name, size_t len)
{
	enum policyproto_attr attr;

	if (len == 0 || len > NAME_MAX_LEN)
		return POLICYPROTO_ATTR_COUNT;
	attr = candidate(name, len);
	if (attr != POLICYPROTO_ATTR_COUNT &&
	    memcmp(name, names[attr].text, len) != 0)
		return POLICYPROTO_ATTR_COUNT;
	return attr;
}

/* Does the LF at buf[at] end an empty line? */
static bool
ends_empty_line(const char *buf, size_t at)
{
	if (at > 0 && buf[at - 1] == '\r')
		at--;
	return at == 0 || buf[at - 1] == '\n';
}

enum policyproto_status
policyproto_find_end(
    const char *buf, size_t len, size_t *scanned_io, size_t *size_r)
{
	size_t limit =
	    len < POLICYPROTO_REQUEST_MAX ? len : POLICYPROTO_REQUEST_MAX;
	size_t at = *scanned_io;

	assert(at <= len);
	while (at < limit) {
		const char *lf = memchr(buf + at, '\n', limit - at);

		if (lf == NULL)
			break;
		at = (size_t)(lf - buf);
		if (ends_empty_line(buf, at)) {
			*size_r = at + 1;
			return POLICYPROTO_COMPLETE;
		}
		at++;
	}
	*scanned_io = limit;
	return len < POLICYPROTO_REQUEST_MAX ? POLICYPROTO_INCOMPLETE
					     : POLICYPROTO_TOO_LONG;
}

/* Is the line of len bytes the one of attr? */
static bool
is_line_of(const char *line, size_t len, enum policyproto_attr attr)
{
	const struct name *name;

	if (attr == POLICYPROTO_ATTR_COUNT)
		return false;
	name = &names[attr];
	return len > name->len && line[name->len] == '=' &&
	       memcmp(line, name->text, name->len) == 0;
}

/* One line of len bytes, NUL-terminated at line[len]. *expected_io is the
 * attribute that would come next in Postfix's order, which is ours: when it
 * does, there is nothing to look for. */
static void
take_line(char *line, size_t len, struct policyproto_request *request,
    enum policyproto_attr *expected_io)
{
	enum policyproto_attr attr = *expected_io;
	char *equals;

	if (is_line_of(line, len, attr)) {
		equals = line + names[attr].len;
	} else {
		equals = memchr(line, '=', len);
		if (equals == NULL) {
			if (request->garbage_count++ == 0)
				request->garbage = line;
			return;
		}
		attr = lookup(line, (size_t)(equals - line));
	}
	request->attr_count++;
	if (attr == POLICYPROTO_ATTR_COUNT)
		return;
	request->attr[attr] = equals + 1;
	*expected_io = attr + 1;
}

bool
policyproto_parse(char *buf, size_t size, struct policyproto_request *request_r)
{
	enum policyproto_attr expected = POLICYPROTO_REQUEST;
	char *end = buf + size;
	unsigned lines = 0;

	assert(size > 0 && end[-1] == '\n');
	memset(request_r, 0, sizeof(*request_r));
	for (char *line = buf, *next; line < end; line = next) {
		char *lf = memchr(line, '\n', (size_t)(end - line));
		char *eol = lf;

		next = lf + 1;
		if (eol > line && eol[-1] == '\r')
			eol--;
		if (eol == line)
			break;
		if (++lines > POLICYPROTO_ATTRS_MAX)
			return false;
		*eol = '\0';
		take_line(line, (size_t)(eol - line), request_r, &expected);
	}
	return true;
}

static bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

size_t
policyproto_format(char *buf, size_t cap, const char *action)
{
	static const char head[] = "action=";
	static const char tail[] = "\n\n";
	size_t len = sizeof(head) - 1;
	size_t room;

	assert(cap >= 16);
	if (cap > POLICYPROTO_REPLY_MAX)
		cap = POLICYPROTO_REPLY_MAX;
	room = cap - (sizeof(tail) - 1);
	memcpy(buf, head, sizeof(head) - 1);
	for (; *action != '\0' && len < room; action++)
		buf[len++] = is_control(*action) ? '?' : *action;
	memcpy(buf + len, tail, sizeof(tail) - 1);
	return len + sizeof(tail) - 1;
}

const char *
policyproto_attr_name(enum policyproto_attr attr)
{
	assert(attr < POLICYPROTO_ATTR_COUNT);
	return names[attr].text;
}
