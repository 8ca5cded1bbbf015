/* SPDX-License-Identifier: ISC */
/*
 * reply.h - the words: what Postfix is told, what the header and the log say
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_REPLY_H
#define POSTERN_GREYLISTD_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room for any action that this module writes. */
#define REPLY_SIZE 2000
/* Room for any log line that this module writes. */
#define REPLY_LOG_SIZE 3000

/* Writes the action for a greylisted request: ACTION ["4.2.0 "] TEXT, one
 * line whatever is in them. The first %s in text is the seconds left, the
 * first %r the recipient's domain as received, made safe. "4.2.0 " is there
 * when enhanced (the request has an etrn_domain attribute, so Postfix is 2.3
 * or later) and text does not begin with a digit. */
void reply_greylist(const char *action, const char *text, int64_t left_s,
    const char *recipient, bool enhanced, char out[static REPLY_SIZE]);

/* What the header's escapes stand for. */
struct reply_header {
	const char *template; /* XGreylistHeader */
	int64_t waited_s;     /* first %t */
	const char *version;  /* first %v */
	const char *hostname; /* first %h */
	int64_t now_s;        /* first %d, local time, RFC 5322 names but the
				 * zone by its name as postgrey writes it */
};

/* Writes "PREPEND " and the header. */
void reply_header(
    const struct reply_header *header, char out[static REPLY_SIZE]);

/* One decision, for the log. */
struct reply_event {
	const char *action;      /* "greylist", "pass" */
	const char *reason;      /* "new", "triplet found" */
	int64_t delay_s;         /* "delay=N" after the reason; -1 = none */
	const char *queue_id;    /* in front as "ID: "; NULL or "" = none */
	const char *client_name; /* the rest: left out when NULL or "" */
	const char *client_address;
	const char *sender;
	const char *recipient;
	const char *comment;    /* of the rule that decided; "rule=" */
	const char *suspicious; /* signs; last, "suspicious=" */
};

/* Writes postgrey's line: "action=A, reason=R, client_name=N, ...". In
 * values, bytes outside 0x20..0x7e and commas are %XX; a value so written is
 * cut at 256 bytes. */
void reply_log(
    const struct reply_event *event, char out[static REPLY_LOG_SIZE]);

#endif
