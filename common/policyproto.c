/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/policyproto.h"

/* A known name, for the switch in lookup: length, first and last character
 * together are unique, and the compiler refuses two equal cases. */
#define NAME_KEY(len, first, last) \
	((unsigned)(len) << 16 | (unsigned)(first) << 8 | (unsigned)(last))
#define NAME_MAX_LEN 24

static const char *const names[POLICYPROTO_ATTR_COUNT] = {
	[POLICYPROTO_REQUEST] = "request",
	[POLICYPROTO_PROTOCOL_STATE] = "protocol_state",
	[POLICYPROTO_PROTOCOL_NAME] = "protocol_name",
	[POLICYPROTO_CLIENT_ADDRESS] = "client_address",
	[POLICYPROTO_CLIENT_NAME] = "client_name",
	[POLICYPROTO_CLIENT_PORT] = "client_port",
	[POLICYPROTO_REVERSE_CLIENT_NAME] = "reverse_client_name",
	[POLICYPROTO_SERVER_ADDRESS] = "server_address",
	[POLICYPROTO_SERVER_PORT] = "server_port",
	[POLICYPROTO_HELO_NAME] = "helo_name",
	[POLICYPROTO_SENDER] = "sender",
	[POLICYPROTO_RECIPIENT] = "recipient",
	[POLICYPROTO_RECIPIENT_COUNT] = "recipient_count",
	[POLICYPROTO_QUEUE_ID] = "queue_id",
	[POLICYPROTO_INSTANCE] = "instance",
	[POLICYPROTO_SIZE] = "size",
	[POLICYPROTO_ETRN_DOMAIN] = "etrn_domain",
	[POLICYPROTO_STRESS] = "stress",
	[POLICYPROTO_SASL_METHOD] = "sasl_method",
	[POLICYPROTO_SASL_USERNAME] = "sasl_username",
	[POLICYPROTO_SASL_SENDER] = "sasl_sender",
	[POLICYPROTO_CCERT_SUBJECT] = "ccert_subject",
	[POLICYPROTO_CCERT_ISSUER] = "ccert_issuer",
	[POLICYPROTO_CCERT_FINGERPRINT] = "ccert_fingerprint",
	[POLICYPROTO_CCERT_PUBKEY_FINGERPRINT] = "ccert_pubkey_fingerprint",
	[POLICYPROTO_ENCRYPTION_PROTOCOL] = "encryption_protocol",
	[POLICYPROTO_ENCRYPTION_CIPHER] = "encryption_cipher",
	[POLICYPROTO_ENCRYPTION_KEYSIZE] = "encryption_keysize",
	[POLICYPROTO_POLICY_CONTEXT] = "policy_context",
	[POLICYPROTO_POLICY_TEST_TIME] = "policy_test_time",
};

/* The one attribute that name of len bytes can be, to be confirmed byte by
 * byte; POLICYPROTO_ATTR_COUNT when there is none. */
static enum policyproto_attr
candidate(const char *name, size_t len)
{
	switch (NAME_KEY(len, (unsigned char)name[0],
	    (unsigned char)name[len - 1])) {
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
	    memcmp(name, names[attr], len) != 0)
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
policyproto_find_end(const char *buf, size_t len, size_t *scanned_io,
	size_t *size_r)
{
	size_t limit = len < POLICYPROTO_REQUEST_MAX ? len :
	    POLICYPROTO_REQUEST_MAX;
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
	return len < POLICYPROTO_REQUEST_MAX ? POLICYPROTO_INCOMPLETE :
	    POLICYPROTO_TOO_LONG;
}

/* One line of len bytes, NUL-terminated at line[len]. */
static void
take_line(char *line, size_t len, struct policyproto_request *request)
{
	char *equals = memchr(line, '=', len);
	enum policyproto_attr attr;

	if (equals == NULL) {
		if (request->garbage_count++ == 0)
			request->garbage = line;
		return;
	}
	request->attr_count++;
	attr = lookup(line, (size_t)(equals - line));
	if (attr != POLICYPROTO_ATTR_COUNT)
		request->attr[attr] = equals + 1;
}

bool
policyproto_parse(char *buf, size_t size,
	struct policyproto_request *request_r)
{
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
		take_line(line, (size_t)(eol - line), request_r);
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
	return names[attr];
}
