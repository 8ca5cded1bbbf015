/* SPDX-License-Identifier: ISC */
/*
 * verdict.h - the decision: results of the two checks in, what to do out
 *
 * Pure. HELO is judged first: when that rejects or defers, MAIL FROM is not
 * looked at. A restriction class for a pass wins over what the other identity
 * would do; when both pass and both have one, MAIL FROM's counts.
 *
 * Sources: RFC 7208 sections 2.3, 2.4 and 8, RFC 7372 section 3.2;
 * policyd-spf-python 3.0 for the meaning of the options.
 * Threads: any.
 */
#ifndef POSTERN_SPFD_VERDICT_H
#define POSTERN_SPFD_VERDICT_H

#include <stdbool.h>

#include "common/spf.h"

#include "spfd/findings.h"

/* HELO_reject, Mail_From_reject; in the order of the options' choices. */
enum verdict_reject {
	VERDICT_ON_NOT_PASS, /* fail, softfail, neutral */
	VERDICT_ON_SOFTFAIL, /* fail, softfail */
	VERDICT_ON_FAIL,
	VERDICT_ON_NULL,    /* fail, when the sender is null (HELO only) */
	VERDICT_ON_NOTHING, /* "False": headers only */
	VERDICT_NO_CHECK,   /* the identity is not even looked at */
};

/* SoftfailAction. */
enum verdict_softfail {
	VERDICT_SOFTFAIL_HEADER,
	VERDICT_SOFTFAIL_DEFER,
	VERDICT_SOFTFAIL_REJECT,
};

/* What can be set per recipient. */
struct verdict_policy {
	enum verdict_reject helo_reject;
	enum verdict_reject mailfrom_reject;
	enum verdict_softfail softfail;
	bool permerror_reject;
	bool temperror_defer;
	bool no_mail;                     /* reject only for "v=spf1 -all" */
	bool test_only;                   /* never more than a header */
	const char *helo_restriction;     /* "" = none */
	const char *mailfrom_restriction; /* "" = none */
};

/* One identity, as the decision needs it. */
struct verdict_identity {
	const struct finding *finding;
	bool is_listed; /* its domain: Reject_Not_Pass_Domains */
};

struct verdict_facts {
	struct verdict_identity helo, mailfrom;
	bool null_sender;
};

enum verdict_action {
	VERDICT_HEADER, /* let it pass with a header */
	VERDICT_REJECT,
	VERDICT_DEFER,
	VERDICT_RESTRICTION, /* hand over to a restriction class */
};

struct verdict {
	enum verdict_action action;       /* with test_only always HEADER */
	enum verdict_action without_test; /* what it would be else */
	enum spf_identity identity;       /* that decided, or the header's */
	bool has_identity;                /* false: nothing was checked */
	const char *restriction;          /* for VERDICT_RESTRICTION */
};

/* Which identities are to be checked? With a null sender the HELO identity
 * stands for both (RFC 7208 section 2.4); when HELO is not to be checked, the
 * null sender's own check is made under the rules of MAIL FROM. */
bool verdict_wants_helo(const struct verdict_policy *policy);
/* To be asked when the HELO check, if wanted, is in facts. */
bool verdict_wants_mailfrom(
    const struct verdict_policy *policy, const struct verdict_facts *facts);

/* Does the decision hang on whether that identity's record is exactly
 * "v=spf1 -all"? */
bool verdict_wants_record(const struct verdict_policy *policy,
    const struct verdict_facts *facts, enum spf_identity identity);

/* Decides. */
struct verdict verdict_decide(
    const struct verdict_policy *policy, const struct verdict_facts *facts);

/* The codes for a reply: "550 5.7.23" and the like, see RFC 7372; without
 * the enhanced code "550". DEFER gives "defer_if_permit 4.7.24", for a
 * softfail 4.7.23. */
const char *verdict_code(
    enum verdict_action action, enum spf_result result, bool enhanced);

#endif
