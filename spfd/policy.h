/* SPDX-License-Identifier: ISC */
/*
 * policy.h - what can differ between recipients: base settings and Per_User
 *
 * A Per_User file has a line per recipient, options with "|" between them:
 *
 *     joe@example.com,HELO_reject=False|Mail_From_reject=False
 *
 * Threads: event loop only; policies do not change once made.
 */
#ifndef POSTERN_SPFD_POLICY_H
#define POSTERN_SPFD_POLICY_H

#include <stdbool.h>

#include "common/config.h"

#include "spfd/findings.h"
#include "spfd/lists.h"
#include "spfd/options.h"
#include "spfd/verdict.h"

struct policy {
	struct verdict_policy verdict; /* its texts are the next two */
	char *helo_restriction;
	char *mailfrom_restriction;
	struct lists_names not_pass; /* Reject_Not_Pass_Domains */
	struct lists_nets skip;      /* skip_addresses */
	struct lists_nets whitelist; /* Whitelist */
	struct lists_names exempt;   /* Exempt_Domains */
	enum options_header header_type;
	bool hide_receiver;
	bool enhanced_codes;
	char *reason_message;
};

/* Makes the policy that the options describe. */
struct policy *policy_new(const struct options *options);

/* Frees it; sets *policy to NULL. */
void policy_free(struct policy **policy);

/* Can this option be set per recipient? */
bool policy_has_option(const char *name);

/* Why nothing is checked of mail with this client and sender, as far as that
 * needs no DNS; FINDINGS_CHECKED when there is no reason. */
enum findings_bypass policy_bypass(
    const struct policy *policy, const struct ip *ip, const char *sender);

/* The facts for verdict_decide; they point into findings. */
struct verdict_facts policy_facts(const struct policy *policy,
    const struct findings *findings, bool null_sender);

#endif
