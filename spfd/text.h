/* SPDX-License-Identifier: ISC */
/*
 * text.h - what people are told: sentences, reply texts, log lines
 *
 * Every value that came from the client or from DNS is made printable ASCII
 * on its way into a text, and bounded.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_SPFD_TEXT_H
#define POSTERN_SPFD_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/spf.h"
#include "common/str.h"

#include "spfd/findings.h"

/* Room for a sentence. */
#define TEXT_SENTENCE_SIZE 640
/* Room for a reply's text with its NUL: an SMTP reply line has 512 bytes. */
#define TEXT_REPLY_SIZE 401
/* Room for a log line. */
#define TEXT_LOG_SIZE 3000

/* Adds at most max bytes of value; what is not printable ASCII becomes
 * "?". */
void text_add_printable(struct str *s, const char *value, size_t max);

/* Writes what a result means, for a header's comment and a reply: "192.0.2.1
 * is not allowed to send for example.org". Returns out. */
const char *text_sentence(const struct finding *finding, const char *client,
    char out[static TEXT_SENTENCE_SIZE]);

/* What a template can name; values are never NULL. */
struct text_values {
	bool is_deferral;              /* {rejectdefer}: rejected or deferred */
	enum spf_identity identity;    /* {identity}: helo, mailfrom */
	const struct finding *finding; /* {spf} {result} {domain} {problem}
					 * {mechanism} {explanation} */
	const char *client;            /* {client} */
	const char *helo;              /* {helo} */
	const char *sender;            /* {sender} */
	const char *receiver;          /* {receiver} */
	const char *hostname;          /* {hostname}: ours */
	const char *url;               /* {url}: a template itself */
};

/* Does the template name only what there is? "{{" and "}}" are braces.
 * Returns 0 or -1 with a sentence. For the option table. */
int text_check_template(const char *template, struct err *err);

/* Expands the template into a reply's text. Values within {url} are escaped
 * as %XX. Returns out. */
const char *text_reply(const char *template, const struct text_values *values,
    char out[static TEXT_REPLY_SIZE]);

/* One decision for the log. Absent values are NULL or "". */
struct text_event {
	const char *queue_id;          /* NULL = not to be logged */
	const char *action;            /* "prepend", "reject" ... */
	const char *reason;            /* when no result explains it */
	const struct finding *finding; /* NULL when none decided */
	enum spf_identity identity;
	const char *client_name;
	const char *client_address;
	const char *helo;
	const char *sender;
	const char *recipient;
};

/* Writes the line: "QUEUEID: action=reject, identity=mailfrom, result=fail,
 * ..." with untrusted bytes outside 0x20..0x7e and "," as %XX. */
void text_log(const struct text_event *event, char out[static TEXT_LOG_SIZE]);

#endif
