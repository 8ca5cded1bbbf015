/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/policyproto.h"

#include "tests/unit/check.h"

/* What Postfix 3.7 sends for an ordinary mail, in its order. */
static const char ordinary[] = "request=smtpd_access_policy\n"
			       "protocol_state=RCPT\n"
			       "protocol_name=ESMTP\n"
			       "client_address=192.0.2.1\n"
			       "client_name=mx.example.org\n"
			       "client_port=45678\n"
			       "reverse_client_name=mx.example.org\n"
			       "server_address=192.0.2.25\n"
			       "server_port=25\n"
			       "helo_name=mx.example.org\n"
			       "sender=alice@example.org\n"
			       "recipient=bob@example.net\n"
			       "recipient_count=0\n"
			       "queue_id=\n"
			       "instance=1b2c.655a3f2c.8e3f1.0\n"
			       "size=12345\n"
			       "etrn_domain=\n"
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
			       "policy_context=\n"
			       "compatibility_level=3.6\n"
			       "\n";

/* A copy on the heap, where one byte too far is noticed. */
static char *
heap_copy(const char *bytes, size_t len)
{
	char *copy = malloc(len);

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	return copy;
}

static const struct end_row {
	const char *name;
	const char *input;
	size_t want; /* size of the request; 0: incomplete */
} end_rows[] = {
	{ "one attribute", "a=b\n\n", 5 },
	{ "two attributes", "a=b\nc=d\n\n", 9 },
	{ "CR LF", "a=b\r\n\r\n", 7 },
	{ "CR LF and LF", "a=b\r\n\n", 6 },
	{ "LF and CR LF", "a=b\n\r\n", 6 },
	{ "empty line alone", "\n", 1 },
	{ "empty line alone with CR", "\r\n", 2 },
	{ "the next request waits", "a=b\n\nc=d\n\n", 5 },
	{ "three line ends", "a=b\n\n\n", 5 },
	{ "no empty line yet", "a=b\n", 0 },
	{ "CR of the empty line", "a=b\n\r", 0 },
	{ "half a line", "a=b\nc=", 0 },
	{ "nothing", "", 0 },
	{ "CR alone ends no line", "a=b\r\rc=d\n", 0 },
	{ "two CRs are not an empty line", "a=b\n\r\r\n", 0 },
	{ "blank is not an empty line", "a=b\n \n", 0 },
	{ "a line of a lone CR first", "\r\r\n\n", 4 },
};

/* Feeds the input to policyproto_find_end in steps of step bytes. */
static void
check_end(const struct end_row *row, size_t step)
{
	size_t len = strlen(row->input), scanned = 0, size = 0, have = 0;
	enum policyproto_status status = POLICYPROTO_INCOMPLETE;

	while (have < len && status == POLICYPROTO_INCOMPLETE) {
		char *copy;

		have = have + step < len ? have + step : len;
		copy = heap_copy(row->input, have);
		status = policyproto_find_end(copy, have, &scanned, &size);
		free(copy);
	}
	check_int(row->name, status,
	    row->want == 0 ? POLICYPROTO_INCOMPLETE : POLICYPROTO_COMPLETE);
	check_uint(row->name, size, row->want);
}

static void
test_find_end(void)
{
	char *buf = malloc(POLICYPROTO_REQUEST_MAX + 2);
	size_t scanned = 0, size = 0, max = POLICYPROTO_REQUEST_MAX;

	for (size_t i = 0; i < CHECK_COUNT(end_rows); i++)
		for (size_t step = 1; step <= 4; step++)
			check_end(&end_rows[i], step);

	if (buf == NULL)
		abort();
	memset(buf, 'x', max + 2);
	check_int("one less than the most may go on",
	    policyproto_find_end(buf, max - 1, &scanned, &size),
	    POLICYPROTO_INCOMPLETE);
	check_uint("all of it was looked at", scanned, max - 1);
	check_int("the most without an end is too long",
	    policyproto_find_end(buf, max, &scanned, &size),
	    POLICYPROTO_TOO_LONG);
	scanned = 0;
	buf[max - 2] = buf[max - 1] = '\n';
	check_int("an end at the most is fine",
	    policyproto_find_end(buf, max, &scanned, &size),
	    POLICYPROTO_COMPLETE);
	check_uint("and takes all", size, max);
	scanned = 0;
	memset(buf, 'x', max);
	buf[max - 1] = buf[max] = '\n';
	check_int("an end one behind is not looked for",
	    policyproto_find_end(buf, max + 1, &scanned, &size),
	    POLICYPROTO_TOO_LONG);
	free(buf);
}

/* Already scanned bytes must not be looked at again: a line end hidden there
 * is not found. */
static void
test_rescan(void)
{
	char buf[] = "abc\n\nx";
	size_t scanned = 5, size = 0;

	check_int("what was scanned is not scanned again",
	    policyproto_find_end(buf, 6, &scanned, &size),
	    POLICYPROTO_INCOMPLETE);
	check_uint("and scanned goes on", scanned, 6);
}

static void
test_parse_values(void)
{
	static const struct {
		const char *name;
		const char *input;
		size_t len;
		const char *want; /* of sender */
		unsigned want_count;
		unsigned want_garbage_count;
		const char *want_garbage;
	} rows[] = {
#define INPUT(text) text, sizeof(text) - 1
		{ "a value", INPUT("sender=a@b\n\n"), "a@b", 1, 0, NULL },
		{ "absent", INPUT("\n"), NULL, 0, 0, NULL },
		{ "empty", INPUT("sender=\n\n"), "", 1, 0, NULL },
		{ "CR LF", INPUT("sender=a@b\r\n\r\n"), "a@b", 1, 0, NULL },
		{ "empty with CR", INPUT("sender=\r\n\n"), "", 1, 0, NULL },
		{ "two CRs, one goes", INPUT("sender=a\r\r\n\n"), "a\r", 1, 0,
		    NULL },
		{ "CR within stays", INPUT("sender=a\rb\n\n"), "a\rb", 1, 0,
		    NULL },
		{ "first = splits", INPUT("sender=a=b=\n\n"), "a=b=", 1, 0,
		    NULL },
		{ "blanks stay", INPUT("sender= a \n\n"), " a ", 1, 0, NULL },
		{ "8-bit", INPUT("sender=\303\244\377\n\n"), "\303\244\377", 1,
		    0, NULL },
		{ "NUL ends a value", INPUT("sender=a\0b\n\n"), "a", 1, 0,
		    NULL },
		{ "repeated, the last counts", INPUT("sender=a\nsender=b\n\n"),
		    "b", 2, 0, NULL },
		{ "repeated, the last is empty", INPUT("sender=a\nsender=\n\n"),
		    "", 2, 0, NULL },
		{ "names have case", INPUT("Sender=a\n\n"), NULL, 1, 0, NULL },
		{ "blank before =", INPUT("sender =a\n\n"), NULL, 1, 0, NULL },
		{ "blank before the name", INPUT(" sender=a\n\n"), NULL, 1, 0,
		    NULL },
		{ "name with NUL", INPUT("sender\0=a\n\n"), NULL, 1, 0, NULL },
		{ "no name", INPUT("=a\n\n"), NULL, 1, 0, NULL },
		{ "= alone", INPUT("=\n\n"), NULL, 1, 0, NULL },
		{ "beginning of a name", INPUT("sende=a\n\n"), NULL, 1, 0,
		    NULL },
		{ "name and more", INPUT("senders=a\n\n"), NULL, 1, 0, NULL },
		{ "same ends, other middle", INPUT("sxxxxr=a\n\n"), NULL, 1, 0,
		    NULL },
		{ "long name",
		    INPUT("ccert_pubkey_fingerprints_of_all=a\n"
			  "sender=b\n\n"),
		    "b", 2, 0, NULL },
		{ "garbage", INPUT("hello\nsender=b\n\n"), "b", 1, 1, "hello" },
		{ "the first garbage is kept",
		    INPUT("one\r\nsender=b\n"
			  "two\n\n"),
		    "b", 1, 2, "one" },
		{ "name without =", INPUT("sender\n\n"), NULL, 0, 1, "sender" },
		{ "unknown in between",
		    INPUT("request=r\nfuture=x\n"
			  "protocol_state=RCPT\nsender=c\n\n"),
		    "c", 4, 0, NULL },
		/* In Postfix's order sender follows helo_name. */
		{ "the expected one", INPUT("helo_name=h\nsender=c\n\n"), "c",
		    2, 0, NULL },
		{ "the expected name and more",
		    INPUT("helo_name=h\n"
			  "senders=a\n\n"),
		    NULL, 2, 0, NULL },
		{ "the expected length", INPUT("helo_name=h\nstress=s\n\n"),
		    NULL, 2, 0, NULL },
		{ "the expected name alone", INPUT("helo_name=h\nsender\n\n"),
		    NULL, 1, 1, "sender" },
		{ "after the last name",
		    INPUT("policy_test_time=1\n"
			  "sender=c\n\n"),
		    "c", 2, 0, NULL },
		{ "against the order",
		    INPUT("recipient=r\nsender=c\n"
			  "request=x\n\n"),
		    "c", 3, 0, NULL },
#undef INPUT
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char *buf = heap_copy(rows[i].input, rows[i].len);
		struct policyproto_request request;

		memset(&request, 0xaa, sizeof(request));
		check_true(rows[i].name,
		    policyproto_parse(buf, rows[i].len, &request));
		check_str(rows[i].name, request.attr[POLICYPROTO_SENDER],
		    rows[i].want);
		check_uint(
		    rows[i].name, request.attr_count, rows[i].want_count);
		check_uint(rows[i].name, request.garbage_count,
		    rows[i].want_garbage_count);
		check_str(rows[i].name, request.garbage, rows[i].want_garbage);
		free(buf);
	}
}

static void
test_parse_ordinary(void)
{
	static const struct {
		enum policyproto_attr attr;
		const char *want;
	} rows[] = {
		{ POLICYPROTO_REQUEST, "smtpd_access_policy" },
		{ POLICYPROTO_PROTOCOL_STATE, "RCPT" },
		{ POLICYPROTO_CLIENT_ADDRESS, "192.0.2.1" },
		{ POLICYPROTO_RECIPIENT, "bob@example.net" },
		{ POLICYPROTO_QUEUE_ID, "" },
		{ POLICYPROTO_ENCRYPTION_CIPHER, "TLS_AES_256_GCM_SHA384" },
		{ POLICYPROTO_POLICY_CONTEXT, "" },
		{ POLICYPROTO_POLICY_TEST_TIME, NULL },
	};
	size_t len = sizeof(ordinary) - 1, scanned = 0, size = 0;
	char *buf = heap_copy(ordinary, len);
	struct policyproto_request request;

	check_int("an ordinary request is complete",
	    policyproto_find_end(buf, len, &scanned, &size),
	    POLICYPROTO_COMPLETE);
	check_uint("all of it", size, len);
	check_true("parses", policyproto_parse(buf, size, &request));
	check_uint("has 30 attributes", request.attr_count, 30);
	check_uint("and no garbage", request.garbage_count, 0);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_str(policyproto_attr_name(rows[i].attr),
		    request.attr[rows[i].attr], rows[i].want);
	free(buf);
}

/* Every name finds its own slot and no other; all but the first are not the
 * expected one, so that each is looked up. */
static void
test_names(void)
{
	for (int attr = 0; attr < POLICYPROTO_ATTR_COUNT; attr++) {
		const char *name =
		    policyproto_attr_name((enum policyproto_attr)attr);
		struct policyproto_request request;
		char line[64];
		unsigned found = 0;
		int n = snprintf(line, sizeof(line), "%s=%s\n\n", name, name);

		check_true(name, policyproto_parse(line, (size_t)n, &request));
		check_str(name, request.attr[attr], name);
		for (int k = 0; k < POLICYPROTO_ATTR_COUNT; k++)
			found += request.attr[k] != NULL;
		check_uint(name, found, 1);
	}
}

static void
test_count(void)
{
	static const struct {
		const char *name;
		const char *line;
		unsigned lines;
		bool want;
	} rows[] = {
		{ "the most attributes", "a=b\n", POLICYPROTO_ATTRS_MAX, true },
		{ "one more", "a=b\n", POLICYPROTO_ATTRS_MAX + 1, false },
		{ "the most garbage", "ab\n", POLICYPROTO_ATTRS_MAX, true },
		{ "one more garbage", "ab\n", POLICYPROTO_ATTRS_MAX + 1,
		    false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char buf[8 * POLICYPROTO_ATTRS_MAX];
		size_t len = 0, line_len = strlen(rows[i].line);
		struct policyproto_request request;

		for (unsigned k = 0; k < rows[i].lines; k++) {
			memcpy(buf + len, rows[i].line, line_len);
			len += line_len;
		}
		buf[len++] = '\n';
		check_bool(rows[i].name, policyproto_parse(buf, len, &request),
		    rows[i].want);
		check_uint(rows[i].name,
		    request.attr_count + request.garbage_count,
		    POLICYPROTO_ATTRS_MAX);
	}
}

static void
test_neighbours(void)
{
	char buf[] = "sender=a\n\nsender=b\n\n";
	struct policyproto_request request;

	check_true("first of two", policyproto_parse(buf, 10, &request));
	check_str("its value", request.attr[POLICYPROTO_SENDER], "a");
	check_str("the second is untouched", buf + 10, "sender=b\n\n");
	check_true("second of two", policyproto_parse(buf + 10, 10, &request));
	check_str("its value", request.attr[POLICYPROTO_SENDER], "b");
}

static void
test_format(void)
{
	static const struct {
		const char *name;
		const char *action;
		size_t cap;
		const char *want;
	} rows[] = {
		{ "plain", "DUNNO", 64, "action=DUNNO\n\n" },
		{ "empty", "", 64, "action=\n\n" },
		{ "with blanks", "DEFER_IF_PERMIT 4.2.0 Greylisted", 64,
		    "action=DEFER_IF_PERMIT 4.2.0 Greylisted\n\n" },
		{ "line ends", "a\r\nb\n", 64, "action=a??b?\n\n" },
		{ "controls", "\001\t\033\177", 64, "action=????\n\n" },
		{ "8-bit passes", "\303\244\200\377", 64,
		    "action=\303\244\200\377\n\n" },
		{ "just fits", "1234567", 16, "action=1234567\n\n" },
		{ "cut", "12345678", 16, "action=1234567\n\n" },
	};
	static char action[POLICYPROTO_REPLY_MAX + 1];
	static char big[2 * POLICYPROTO_REPLY_MAX];
	size_t len;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char *buf = malloc(rows[i].cap);

		if (buf == NULL)
			abort();
		len = policyproto_format(buf, rows[i].cap, rows[i].action);
		check_mem(
		    rows[i].name, buf, len, rows[i].want, strlen(rows[i].want));
		free(buf);
	}
	memset(action, 'x', sizeof(action) - 1);
	len = policyproto_format(big, sizeof(big), action);
	check_uint("never longer than the longest", len, POLICYPROTO_REPLY_MAX);
	check_mem("and ends as it must", big + len - 3, 3, "x\n\n", 3);
}

int
main(void)
{
	test_find_end();
	test_rescan();
	test_parse_values();
	test_parse_ordinary();
	test_names();
	test_count();
	test_neighbours();
	test_format();
	return check_done();
}
