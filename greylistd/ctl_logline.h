/* SPDX-License-Identifier: ISC */
/*
 * ctl_logline.h - what a line of a mail log says about greylisting
 *
 * Two programs tell of the same attempt: Postfix, which refused it,
 *
 *     ... QUEUEID: reject: RCPT from NAME[ADDRESS]: 450 ... ; from=<SENDER>
 *     to=<RECIPIENT> proto=...
 *
 * and the policy server, which said so (greylistd and postgrey alike):
 *
 *     ... action=greylist, reason=new, client_name=NAME,
 *     client_address=ADDRESS, sender=SENDER, recipient=RECIPIENT
 *
 * Strangers choose names, senders and recipients. So both are believed only
 * at the very start of a message, where no stranger's text can stand.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_GREYLISTD_CTL_LOGLINE_H
#define POSTERN_GREYLISTD_CTL_LOGLINE_H

#include <stddef.h>

enum ctl_logline_kind {
	CTL_LOGLINE_OTHER,    /* nothing of the following */
	CTL_LOGLINE_REFUSED,  /* Postfix refused, for whatever reason */
	CTL_LOGLINE_DEFERRED, /* the policy server: action=greylist */
	CTL_LOGLINE_PASSED,   /* the policy server: action=pass */
};

/* Longer values make a line OTHER. */
#define CTL_LOGLINE_VALUE_SIZE 600

struct ctl_logline {
	char time[40]; /* as the line has it, "" when there is none */
	char name[CTL_LOGLINE_VALUE_SIZE];
	char address[CTL_LOGLINE_VALUE_SIZE];
	char sender[CTL_LOGLINE_VALUE_SIZE]; /* "" = the null sender */
	char recipient[CTL_LOGLINE_VALUE_SIZE];
};

/* Parses a line of len bytes, without line end. line_r is complete unless the
 * answer is OTHER. */
enum ctl_logline_kind ctl_logline_parse(
    const char *line, size_t len, struct ctl_logline *line_r);

#endif
