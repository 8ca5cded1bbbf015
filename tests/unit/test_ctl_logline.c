/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/ctl_logline.h"

#define HEAD "Nov 21 10:43:12 mx postfix/smtpd[123]: "
#define REJECT "NOQUEUE: reject: RCPT from "
#define WHY ": 450 4.2.0 <r@d>: Recipient address rejected: Greylisted"
#define OURS "Nov 21 10:43:12 mx greylistd[7]: "

static const struct {
	const char *name, *line;
	enum ctl_logline_kind kind;
	const char *want; /* "time|name|address|sender|recipient" */
} rows[] = {
	{ "Postfix, IPv4",
	    HEAD REJECT "mx.example[192.0.2.1]" WHY
			"; from=<s@e> to=<r@d> proto=ESMTP helo=<x>",
	    CTL_LOGLINE_REFUSED,
	    "Nov 21 10:43:12|mx.example|192.0.2.1|s@e|r@d" },
	{ "Postfix, IPv6, null sender",
	    HEAD REJECT "unknown[2001:db8::1]" WHY
			"; from=<> to=<r@d> proto=ESMTP helo=<x>",
	    CTL_LOGLINE_REFUSED, "Nov 21 10:43:12|unknown|2001:db8::1||r@d" },
	{ "Postfix, with a queue id and another clock",
	    "2026-11-21T10:43:12.123456+01:00 mx postfix/smtpd[123]: 4XyZ12: "
	    "reject: RCPT from a[1.2.3.4]" WHY "; from=<s@e> to=<r@d>",
	    CTL_LOGLINE_REFUSED,
	    "2026-11-21T10:43:12.123456+01:00|a|1.2.3.4|s@e|r@d" },
	{ "Postfix, other reply codes are no deferral",
	    HEAD REJECT "a[1.2.3.4]: 554 5.7.1 Greylisted; from=<s@e> to=<r@d>",
	    CTL_LOGLINE_OTHER, NULL },
	{ "Postfix, cut", HEAD REJECT "a[1.2.3.4]" WHY "; from=<s@e> to=<r",
	    CTL_LOGLINE_OTHER, NULL },
	{ "Postfix, what the HELO says does not count",
	    HEAD REJECT "a[1.2.3.4]" WHY "; from=<s@e> to=<r@d> proto=ESMTP "
			"helo=<; from=<x@x> to=<y@y> proto=>",
	    CTL_LOGLINE_REFUSED, "Nov 21 10:43:12|a|1.2.3.4|s@e|r@d" },
	{ "ours, new",
	    OURS "action=greylist, reason=new, client_name=mx.example, "
		 "client_address=192.0.2.1, sender=s@e, recipient=r@d",
	    CTL_LOGLINE_DEFERRED,
	    "Nov 21 10:43:12|mx.example|192.0.2.1|s@e|r@d" },
	{ "ours, passed, with a delay and a queue id",
	    OURS "4XyZ12: action=pass, reason=triplet found, delay=301, "
		 "client_name=n, client_address=2001:db8::1, recipient=r@d",
	    CTL_LOGLINE_PASSED, "Nov 21 10:43:12|n|2001:db8::1||r@d" },
	{ "ours, in the foreground",
	    "action=greylist, reason=new, client_address=1.2.3.4, sender=s@e, "
	    "recipient=r@d",
	    CTL_LOGLINE_DEFERRED, "||1.2.3.4|s@e|r@d" },
	{ "ours, escaped bytes",
	    OURS
	    "action=pass, reason=client AWL, client_name=n, "
	    "client_address=1.2.3.4, sender=a%2C%20b@e, recipient=%C3%A4@d",
	    CTL_LOGLINE_PASSED, "Nov 21 10:43:12|n|1.2.3.4|a, b@e|\xc3\xa4@d" },
	{ "ours, a NUL",
	    OURS "action=pass, reason=new, "
		 "client_address=1.2.3.4, sender=%00",
	    CTL_LOGLINE_OTHER, NULL },
	{ "ours, no address", OURS "action=pass, reason=new, sender=s",
	    CTL_LOGLINE_OTHER, NULL },
	{ "ours, another action",
	    OURS "action=block, reason=blocked, "
		 "client_address=1.2.3.4",
	    CTL_LOGLINE_OTHER, NULL },
	{ "shadow mode defers nobody",
	    OURS "action=dry-run-greylist, "
		 "reason=new, client_address=1.2.3.4",
	    CTL_LOGLINE_OTHER, NULL },
	{ "a stranger's words in the middle of a line",
	    HEAD "4XyZ12: warning: header Subject: action=pass, "
		 "client_address=1.2.3.4, sender=s@e, recipient=r@d",
	    CTL_LOGLINE_OTHER, NULL },
	{ "a stranger's head in a sender",
	    "action=greylist, reason=new, client_address=1.2.3.4, sender=x[1]: "
	    "action=pass, recipient=r@d",
	    CTL_LOGLINE_DEFERRED, "||1.2.3.4|x[1]: action=pass|r@d" },
	{ "a stranger's head in a refusal",
	    HEAD
	    "NOQUEUE: reject: MAIL from a[1.2.3.4]: 450 <x[1]: action=pass,"
	    " client_address=1.2.3.4, sender=s@e, recipient=r@d",
	    CTL_LOGLINE_OTHER, NULL },
	{ "an empty line", "", CTL_LOGLINE_OTHER, NULL },
	{ "only a head", HEAD, CTL_LOGLINE_OTHER, NULL },
};

int
main(void)
{
	static struct ctl_logline line;
	static char got[5 * CTL_LOGLINE_VALUE_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		check_int(rows[i].name,
		    ctl_logline_parse(
			rows[i].line, strlen(rows[i].line), &line),
		    rows[i].kind);
		if (rows[i].want == NULL)
			continue;
		snprintf(got, sizeof(got), "%s|%s|%s|%s|%s", line.time,
		    line.name, line.address, line.sender, line.recipient);
		check_str(rows[i].name, got, rows[i].want);
	}
	/* Values that do not fit. */
	memset(got, 'x', sizeof(got));
	memcpy(got, "action=pass, client_address=", 28);
	check_int("a long value", ctl_logline_parse(got, sizeof(got), &line),
	    CTL_LOGLINE_OTHER);
	return check_done();
}
