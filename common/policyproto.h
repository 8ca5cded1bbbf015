/* SPDX-License-Identifier: ISC */
/*
 * policyproto.h - the Postfix policy delegation protocol, as bytes
 *
 * Source: Postfix SMTPD_POLICY_README. A request is
 *
 *     request   = *( name "=" value EOL ) EOL
 *     EOL       = LF | CR LF
 *
 * and a reply is "action=" text LF LF. The parser works in place on the
 * caller's buffer: nothing is copied, values are NUL-terminated where they
 * stand. Every value is the sender's text and hostile.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_COMMON_POLICYPROTO_H
#define POSTERN_COMMON_POLICYPROTO_H

#include <stdbool.h>
#include <stddef.h>

/* The longest request, with its empty line. Postfix 3.7 sends 640 bytes for
 * ordinary mail. */
#define POLICYPROTO_REQUEST_MAX 16384
/* The most lines in a request, with "=" or without; Postfix 3.7 sends 30. */
#define POLICYPROTO_ATTRS_MAX 128
/* The longest reply, with "action=" and the empty line. */
#define POLICYPROTO_REPLY_MAX 2048

/* The attributes that our daemons look at; others are skipped. */
enum policyproto_attr {
	POLICYPROTO_REQUEST,
	POLICYPROTO_PROTOCOL_STATE,
	POLICYPROTO_PROTOCOL_NAME,
	POLICYPROTO_CLIENT_ADDRESS,
	POLICYPROTO_CLIENT_NAME,
	POLICYPROTO_CLIENT_PORT,
	POLICYPROTO_REVERSE_CLIENT_NAME,
	POLICYPROTO_SERVER_ADDRESS,
	POLICYPROTO_SERVER_PORT,
	POLICYPROTO_HELO_NAME,
	POLICYPROTO_SENDER,
	POLICYPROTO_RECIPIENT,
	POLICYPROTO_RECIPIENT_COUNT,
	POLICYPROTO_QUEUE_ID,
	POLICYPROTO_INSTANCE,
	POLICYPROTO_SIZE,
	POLICYPROTO_ETRN_DOMAIN,
	POLICYPROTO_STRESS,
	POLICYPROTO_SASL_METHOD,
	POLICYPROTO_SASL_USERNAME,
	POLICYPROTO_SASL_SENDER,
	POLICYPROTO_CCERT_SUBJECT,
	POLICYPROTO_CCERT_ISSUER,
	POLICYPROTO_CCERT_FINGERPRINT,
	POLICYPROTO_CCERT_PUBKEY_FINGERPRINT,
	POLICYPROTO_ENCRYPTION_PROTOCOL,
	POLICYPROTO_ENCRYPTION_CIPHER,
	POLICYPROTO_ENCRYPTION_KEYSIZE,
	POLICYPROTO_POLICY_CONTEXT,
	POLICYPROTO_POLICY_TEST_TIME, /* postgrey's policy-test(8) */
	POLICYPROTO_ATTR_COUNT
};

/* One parsed request. All pointers lead into the buffer that was parsed. */
struct policyproto_request {
	/* NULL when the attribute was absent, "" when its value was empty.
	 * NUL bytes in a value end it early here. When a name was repeated,
	 * the last one counts. */
	const char *attr[POLICYPROTO_ATTR_COUNT];
	unsigned attr_count;    /* lines with "=", known or not */
	unsigned garbage_count; /* lines without "=" */
	const char *garbage;    /* the first of them, or NULL */
};

/* What policyproto_find_end says. */
enum policyproto_status {
	POLICYPROTO_INCOMPLETE, /* more bytes are needed */
	POLICYPROTO_COMPLETE,   /* a whole request stands at the start */
	POLICYPROTO_TOO_LONG,   /* no end within POLICYPROTO_REQUEST_MAX */
};

/* Looks for the end of the request that starts at buf, len bytes of which
 * have arrived. *scanned_io is how far earlier calls have looked (0 at
 * first; set it to 0 for the next request), so that slow senders cost no
 * rescans. On COMPLETE *size_r is the size of the request with its empty line
 * (1..len). */
enum policyproto_status policyproto_find_end(
    const char *buf, size_t len, size_t *scanned_io, size_t *size_r);

/* Takes the complete request of size bytes at buf (as policyproto_find_end
 * found it) apart, in place. Names are compared exactly. Returns false when it
 * has more than POLICYPROTO_ATTRS_MAX lines; request_r then holds what stood
 * before. */
bool policyproto_parse(
    char *buf, size_t size, struct policyproto_request *request_r);

/* Writes "action=ACTION\n\n" to buf (cap >= 16), without a NUL, and returns
 * its length. An action is one line: control characters in it become "?", and
 * what is longer than cap or POLICYPROTO_REPLY_MAX is cut, keeping the line
 * ends. 8-bit text passes. */
size_t policyproto_format(char *buf, size_t cap, const char *action);

/* The protocol's name of attr ("client_address"). */
const char *policyproto_attr_name(enum policyproto_attr attr);

#endif
