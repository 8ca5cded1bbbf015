/* SPDX-License-Identifier: ISC */
/*
 * report.h - the results as an Authentication-Results field and for the log
 *
 * Sources: RFC 8601 section 2.7.1, RFC 6008 (header.b), RFC 8616.
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_REPORT_H
#define POSTERN_DKIMD_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "common/str.h"

#include "dkimd/outcome.h"

/* Room for the value of a field about the signatures of one message. */
#define REPORT_SIZE 8192
/* Room for a line of the log. */
#define REPORT_LOG_SIZE 1024

struct report_options {
	const char *authserv_id;
	const char *job_id; /* NULL, or what stands behind "/" */
	bool without_b;     /* no header.b */
};

/* Appends the value: one dkim= per outcome, or dkim=none; with problem (may
 * be NULL) a single dkim=permerror with this comment. What does not fit in s
 * is left out as a whole result. */
void report_field(struct str *s, const struct report_options *options,
    const struct outcome *outcomes, size_t count, const char *problem);

/* Appends one signature for the log, opendkim's words first: "bad signature
 * data (s=mail, d=example.com, a=rsa-sha256, b=CTT5Ba0j): dkim=fail
 * reason="..."", every byte of a stranger escaped. */
void report_log(struct str *s, const struct outcome *outcome);

#endif
