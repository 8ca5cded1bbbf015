/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <stdlib.h>
#include <time.h>

#include "greylistd/reply.h"

static const struct {
	const char *name;
	const char *action, *text;
	int64_t left_s;
	const char *recipient;
	bool enhanced;
	const char *want;
} rows[] = {
	{ "plain", "DEFER_IF_PERMIT", "Greylisted", 300, "a@b", false,
	    "DEFER_IF_PERMIT Greylisted" },
	{ "with its code", "DEFER_IF_PERMIT", "Greylisted", 300, "a@b", true,
	    "DEFER_IF_PERMIT 4.2.0 Greylisted" },
	{ "a code of one's own", "DEFER", "4.7.1 Wait", 300, "a@b", true,
	    "DEFER 4.7.1 Wait" },
	{ "seconds and domain", "X", "wait %s, see http://h/%r.html", 299,
	    "a@B.Example", false, "X wait 299, see http://h/B.Example.html" },
	{ "only the first of each", "X", "%s %s %r %r", 1, "a@b", false,
	    "X 1 %s b %r" },
	{ "other signs stay", "X", "50% %% %d %", 1, "a@b", false,
	    "X 50% %% %d %" },
	{ "what is put in is not expanded", "X", "%r %s", 1, "a@%s", false,
	    "X %25s 1" },
	{ "the last @ counts", "X", "%r", 1, "\"a@b\"@c", false, "X c" },
	{ "no @", "X", "%r", 1, "postmaster", false, "X postmaster" },
	{ "no domain", "X", "%r|", 1, "a@", false, "X |" },
	{ "no recipient", "X", "%r|", 1, "", false, "X |" },
	{ "a hostile domain", "X", "%r", 1, "a@b c\r\n\x01\xff<\">\\", false,
	    "X b%20c%0D%0A%01%FF%3C%22%3E%5C" },
	{ "a line end in the text", "X", "a\nb\tc", 1, "a@b", false,
	    "X a b c" },
	{ "empty text", "DUNNO", "", 1, "a@b", false, "DUNNO " },
};

static void
test_header(void)
{
	struct reply_header header = {
		.template = "X-Greylist: delayed %t seconds by p-%v at %h; %d",
		.waited_s = 301,
		.version = "1.37",
		.hostname = "mx.example",
		.now_s = 1795251016,
	};
	char out[REPLY_SIZE];

	reply_header(&header, out);
	check_str("header", out,
	    "PREPEND X-Greylist: delayed 301 seconds by "
	    "p-1.37 at mx.example; Sat, 21 Nov 2026 08:50:16 UTC");
	header.template = "X: %t %t %x %d";
	setenv("TZ", "EST5", 1);
	tzset();
	reply_header(&header, out);
	check_str("local time", out,
	    "PREPEND X: 301 %t %x Sat, 21 Nov 2026 03:50:16 EST");
	header.now_s = INT64_MAX;
	reply_header(&header, out);
	check_str("no such year", out, "PREPEND X: 301 %t %x ");
}

static void
test_long(void)
{
	char text[REPLY_SIZE + 500], out[REPLY_SIZE], line[REPLY_LOG_SIZE];
	struct reply_event event = {
		.action = "pass",
		.reason = "client whitelist",
		.delay_s = -1,
		.queue_id = text,
		.client_name = text,
		.client_address = text,
		.sender = text,
		.recipient = text,
		.comment = text,
	};

	memset(text, '\xe4', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	reply_greylist("X", "%r", 1, text, false, out);
	check_uint("a long domain", strlen(out), 2 + 3 * 255);
	reply_greylist("X", text, 1, "", false, out);
	check_uint("a long text is cut", strlen(out), REPLY_SIZE - 1);
	reply_log(&event, line);
	check_contains("all values fit", line, ", rule=%E4");
	check_str(
	    "and none is cut within %XX", line + strlen(line) - 6, "%E4%E4");
}

static const struct {
	const char *name;
	struct reply_event event;
	const char *want;
} log_rows[] = {
	{ "greylisted",
	    { "greylist", "new", -1, NULL, "mx.example", "192.0.2.1", "a@b",
		"c@d", NULL, NULL },
	    "action=greylist, reason=new, client_name=mx.example, "
	    "client_address=192.0.2.1, sender=a@b, recipient=c@d" },
	{ "passed, null sender, with its queue id",
	    { "pass", "triplet found", 301, "4XyZ12", "mx.example", "192.0.2.1",
		"", "c@d", "", NULL },
	    "4XyZ12: action=pass, reason=triplet found, delay=301, "
	    "client_name=mx.example, client_address=192.0.2.1, recipient=c@d" },
	{ "nothing known",
	    { "pass", "no client address", -1, "", NULL, NULL, NULL, NULL, NULL,
		NULL },
	    "action=pass, reason=no client address" },
	{ "a delay of 0",
	    { "pass", "triplet found", 0, "", NULL, NULL, NULL, NULL, NULL,
		NULL },
	    "action=pass, reason=triplet found, delay=0" },
	{ "hostile values",
	    { "pass", "triplet found", -1, "Q\n,", "a,b", "1\r", "50%\x7f",
		"\xc3\xa4@d", "spammer, really", NULL },
	    "Q%0A%2C: action=pass, reason=triplet found, client_name=a%2Cb, "
	    "client_address=1%0D, sender=50%%7F, recipient=%C3%A4@d, "
	    "rule=spammer%2C really" },
	{ "suspicious",
	    { "greylist", "new", -1, NULL, NULL, NULL, NULL, NULL, NULL,
		"dnsbl,no name" },
	    "action=greylist, reason=new, suspicious=dnsbl%2Cno name" },
};

int
main(void)
{
	char out[REPLY_SIZE], line[REPLY_LOG_SIZE];

	setenv("TZ", "UTC0", 1);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		reply_greylist(rows[i].action, rows[i].text, rows[i].left_s,
		    rows[i].recipient, rows[i].enhanced, out);
		check_str(rows[i].name, out, rows[i].want);
	}
	test_header();
	for (size_t i = 0; i < CHECK_COUNT(log_rows); i++) {
		reply_log(&log_rows[i].event, line);
		check_str(log_rows[i].name, line, log_rows[i].want);
	}
	test_long();
	return check_done();
}
