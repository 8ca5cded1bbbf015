/* SPDX-License-Identifier: ISC */
/*
 * findings.h - what the checks of one message have found
 *
 * All recipients of a message share it: a second request runs only what the
 * first one did not.
 *
 * Threads: any.
 */
#ifndef POSTERN_SPFD_FINDINGS_H
#define POSTERN_SPFD_FINDINGS_H

#include <stdbool.h>

#include "common/spf.h"

/* Why nothing was checked. */
enum findings_bypass {
	FINDINGS_CHECKED,   /* it was */
	FINDINGS_SKIPPED,   /* skip_addresses */
	FINDINGS_WHITELIST, /* Whitelist */
	FINDINGS_HELO_WHITELIST,
	FINDINGS_DOMAIN_WHITELIST,
	FINDINGS_PTR_WHITELIST,
	FINDINGS_EXEMPT_DOMAIN, /* Exempt_Domains */
};

/* Is the record exactly "v=spf1 -all"? */
enum findings_record {
	FINDINGS_RECORD_UNKNOWN, /* not looked at */
	FINDINGS_RECORD_NO_MAIL,
	FINDINGS_RECORD_OTHER,
};

/* One identity. */
struct finding {
	bool is_known; /* was checked; else the rest is 0 */
	enum spf_result result;
	enum findings_record record;
	char *domain; /* texts as in struct spf_output, in one block */
	char *mechanism;
	char *problem;
	char *explanation;
	unsigned lookups;
};

struct findings {
	bool lists_done; /* bypass is final */
	enum findings_bypass bypass;
	struct finding helo;
	struct finding mailfrom;
	unsigned headers_given; /* to this message */
};

/* Makes empty findings. */
struct findings *findings_new(void);

/* Frees them; sets *findings to NULL. */
void findings_free(struct findings **findings);

/* Frees what finding keeps; it is all 0 then. */
void findings_drop(struct finding *finding);

/* Keeps what a check found; output is copied. */
void findings_take(struct finding *finding, const struct spf_output *output);

/* The word of the log: "skip_addresses", "Whitelist" and so on. */
const char *findings_bypass_name(enum findings_bypass bypass);

#endif
