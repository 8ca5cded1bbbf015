/* SPDX-License-Identifier: ISC */
/*
 * ctl.h - spfctl: what its commands share
 *
 * Read ctl.c first. Pure parts, with tests of their own: ctl_caret.h,
 * ctl_advice.h. What comes from DNS or was given as an argument is hostile:
 * it reaches a terminal only escaped, and JSON only through common/json.h.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_SPFD_CTL_H
#define POSTERN_SPFD_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "common/config.h"
#include "common/dns.h"
#include "common/spf.h"
#include "spfd/options.h"

struct policysrv;

/* Exit codes beside those of sysexits.h. */
enum ctl_code {
	CTL_PASS = 0, /* query: pass; record: nothing to say */
	CTL_FAIL = 1,
	CTL_SOFTFAIL = 2,
	CTL_NEUTRAL = 3,
	CTL_NONE = 4,      /* also of record: there is none */
	CTL_PERMERROR = 5, /* also of record: it has an error */
	CTL_TEMPERROR = 6, /* also of record: DNS failed */
	CTL_WARNINGS = 10, /* record: good, but for warnings */
};

struct ctl {
	struct config *config;         /* spfd's */
	const struct options *options; /* its values */
	bool json;
	bool offline;
	const char *text; /* --text, or NULL */
	struct dns_config *dns_config;
	struct policysrv *srv; /* for its loop; NULL until ctl_open */
	struct dns *dns;
	struct spf *spf;
};

/* Prints "spfctl: text" on standard error, hostile bytes escaped, and returns
 * code. */
int ctl_fail(int code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Flushes standard output. Returns code, or EX_IOERR after a message when
 * something could not be written. */
int ctl_finish(int code);

/* Writes len hostile bytes, escaped, to standard output. */
void ctl_put(const char *bytes, size_t len);

/* Makes the loop, the resolver and the evaluator. Returns 0, or an exit code
 * after a message. */
int ctl_open(struct ctl *ctl);

/* Turns the loop until ctl_stop is called. */
void ctl_run(struct ctl *ctl);

/* Ends ctl_run. */
void ctl_stop(struct ctl *ctl);

/* The commands: words after options were taken out, words[0] the command.
 * They return an exit code. */
/* spfctl query IP SENDER [HELO] */
int ctl_query(struct ctl *ctl, int count, char **words);
/* spfctl record [DOMAIN] */
int ctl_record(struct ctl *ctl, int count, char **words);

#endif
