/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "tests/bench/text.h"
#include "tests/bench/wire.h"

static void
put(struct text *text, const char *name, const char *value)
{
	text_str(text, name);
	text_str(text, value);
	text_str(text, "\n");
}

static void
put_num(struct text *text, const char *name, uint64_t value)
{
	text_str(text, name);
	text_num(text, value);
	text_str(text, "\n");
}

static void
put_instance(struct text *text, uint64_t serial)
{
	text_str(text, "instance=");
	text_hex(text, 0x1000 + serial % 97);
	text_str(text, ".67");
	text_hex(text, 0x100000 + serial);
	text_str(text, ".8c1f0.0\n");
}

size_t
wire_request(char buf[static WIRE_REQUEST], const struct triplet *triplet,
    uint64_t serial, int64_t test_time_s)
{
	struct text text;

	text_open(&text, buf, WIRE_REQUEST);
	text_str(&text, "request=smtpd_access_policy\n"
			"protocol_state=RCPT\n"
			"protocol_name=ESMTP\n");
	put(&text, "client_address=", triplet->client);
	put(&text, "client_name=", triplet->host);
	put_num(&text, "client_port=", 1024 + serial % 60000);
	put(&text, "reverse_client_name=", triplet->host);
	text_str(&text, "server_address=192.0.2.25\n"
			"server_port=25\n");
	put(&text, "helo_name=", triplet->host);
	put(&text, "sender=", triplet->sender);
	put(&text, "recipient=", triplet->recipient);
	text_str(&text, "recipient_count=0\n"
			"queue_id=\n");
	put_instance(&text, serial);
	put_num(&text, "size=", 2000 + serial % 50000);
	text_str(&text, "etrn_domain=\n"
			"stress=\n"
			"sasl_method=\n"
			"sasl_username=\n"
			"sasl_sender=\n"
			"ccert_subject=\n"
			"ccert_issuer=\n"
			"ccert_fingerprint=\n"
			"ccert_pubkey_fingerprint=\n"
			"encryption_protocol=TLSv1.3\n"
			"encryption_cipher=TLS_AES_256_GCM_SHA384\n"
			"encryption_keysize=256\n"
			"policy_context=\n");
	if (test_time_s > 0)
		put_num(&text, "policy_test_time=", (uint64_t)test_time_s);
	text_str(&text, "\n");
	return (size_t)(text.at - buf);
}

static bool
starts(const char *s, size_t len, const char *word)
{
	size_t n = strlen(word);

	return len >= n && strncasecmp(s, word, n) == 0;
}

static enum wire_class
classify_action(const char *action, size_t len)
{
	if (len == 5 && starts(action, len, "DUNNO"))
		return WIRE_PASS;
	if (len > 8 && starts(action, len, "PREPEND "))
		return WIRE_PASS;
	if (starts(action, len, "DEFER"))
		return WIRE_DEFER;
	if (len > 3 && action[0] == '4' && action[3] == ' ')
		return WIRE_DEFER;
	return WIRE_OTHER;
}

enum wire_class
wire_classify(const char *reply, size_t len)
{
	const char *end = memchr(reply, '\n', len);
	size_t line;

	if (end == NULL)
		return len < WIRE_REPLY ? WIRE_PARTIAL : WIRE_BROKEN;
	line = (size_t)(end - reply);
	if (!starts(reply, line, "action=") || line == 7)
		return WIRE_BROKEN;
	if (len == line + 1)
		return WIRE_PARTIAL;
	if (len > line + 2 || end[1] != '\n')
		return WIRE_BROKEN;
	return classify_action(reply + 7, line - 7);
}
