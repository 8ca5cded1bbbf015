/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "spfd/verdict.h"

static enum verdict_reject
reject_of(const struct verdict_policy *policy, enum spf_identity identity)
{
	return identity == SPF_CHECK_HELO ? policy->helo_reject
					  : policy->mailfrom_reject;
}

static const struct verdict_identity *
identity_of(const struct verdict_facts *facts, enum spf_identity identity)
{
	return identity == SPF_CHECK_HELO ? &facts->helo : &facts->mailfrom;
}

static enum verdict_action
on_softfail(const struct verdict_policy *policy, enum verdict_reject reject)
{
	if (reject == VERDICT_ON_NOT_PASS || reject == VERDICT_ON_SOFTFAIL)
		return VERDICT_REJECT;
	switch (policy->softfail) {
	case VERDICT_SOFTFAIL_REJECT:
		return VERDICT_REJECT;
	case VERDICT_SOFTFAIL_DEFER:
		return VERDICT_DEFER;
	case VERDICT_SOFTFAIL_HEADER:
		break;
	}
	return VERDICT_HEADER;
}

/* What follows from one identity's result; No_Mail is for the caller. */
static enum verdict_action
action_of(const struct verdict_policy *policy,
    const struct verdict_facts *facts, enum spf_identity identity)
{
	const struct verdict_identity *id = identity_of(facts, identity);
	enum verdict_reject reject = reject_of(policy, identity);

	if (!id->finding->is_known || reject == VERDICT_NO_CHECK)
		return VERDICT_HEADER;
	if (reject == VERDICT_ON_NULL && !facts->null_sender)
		return VERDICT_HEADER;
	/* A listed domain is rejected even where others get headers only. */
	if (id->is_listed)
		reject = VERDICT_ON_NOT_PASS;
	if (reject == VERDICT_ON_NOTHING)
		return VERDICT_HEADER;
	switch (id->finding->result) {
	case SPF_CHECK_NONE:
	case SPF_CHECK_PASS:
		return VERDICT_HEADER;
	case SPF_CHECK_FAIL:
		return VERDICT_REJECT;
	case SPF_CHECK_SOFTFAIL:
		return on_softfail(policy, reject);
	case SPF_CHECK_NEUTRAL:
		return reject == VERDICT_ON_NOT_PASS ? VERDICT_REJECT
						     : VERDICT_HEADER;
	case SPF_CHECK_PERMERROR:
		return policy->permerror_reject ? VERDICT_REJECT
						: VERDICT_HEADER;
	case SPF_CHECK_TEMPERROR:
		return policy->temperror_defer ? VERDICT_DEFER : VERDICT_HEADER;
	}
	return VERDICT_HEADER;
}

/* The same with No_Mail: only "v=spf1 -all" is rejected then. */
static enum verdict_action
final_action_of(const struct verdict_policy *policy,
    const struct verdict_facts *facts, enum spf_identity identity)
{
	enum verdict_action action = action_of(policy, facts, identity);
	const struct finding *finding = identity_of(facts, identity)->finding;

	if (action == VERDICT_REJECT && policy->no_mail &&
	    finding->record != FINDINGS_RECORD_NO_MAIL)
		return VERDICT_HEADER;
	return action;
}

static bool
is_stopping(enum verdict_action action)
{
	return action == VERDICT_REJECT || action == VERDICT_DEFER;
}

bool
verdict_wants_helo(const struct verdict_policy *policy)
{
	return policy->helo_reject != VERDICT_NO_CHECK;
}

bool
verdict_wants_mailfrom(
    const struct verdict_policy *policy, const struct verdict_facts *facts)
{
	if (policy->mailfrom_reject == VERDICT_NO_CHECK)
		return false;
	if (!verdict_wants_helo(policy))
		return true;
	return !facts->null_sender &&
	       !is_stopping(final_action_of(policy, facts, SPF_CHECK_HELO));
}

bool
verdict_wants_record(const struct verdict_policy *policy,
    const struct verdict_facts *facts, enum spf_identity identity)
{
	const struct finding *finding = identity_of(facts, identity)->finding;

	/* That record gives nothing but fail. */
	return policy->no_mail && finding->is_known &&
	       finding->record == FINDINGS_RECORD_UNKNOWN &&
	       finding->result == SPF_CHECK_FAIL &&
	       action_of(policy, facts, identity) == VERDICT_REJECT;
}

/* Is there a restriction class for a pass of this identity? */
static const char *
restriction_of(const struct verdict_policy *policy,
    const struct verdict_facts *facts, enum spf_identity identity)
{
	const struct finding *finding = identity_of(facts, identity)->finding;
	const char *text = identity == SPF_CHECK_HELO
			       ? policy->helo_restriction
			       : policy->mailfrom_restriction;

	if (reject_of(policy, identity) == VERDICT_NO_CHECK ||
	    !finding->is_known || finding->result != SPF_CHECK_PASS)
		return "";
	return text;
}

/* Whose result the header tells, when nothing is rejected. */
static enum spf_identity
header_identity(
    const struct verdict_policy *policy, const struct verdict_facts *facts)
{
	const struct finding *helo = facts->helo.finding;
	const struct finding *mailfrom = facts->mailfrom.finding;

	if (!mailfrom->is_known || policy->mailfrom_reject == VERDICT_NO_CHECK)
		return SPF_CHECK_HELO;
	if (!helo->is_known || policy->helo_reject == VERDICT_NO_CHECK)
		return SPF_CHECK_MAILFROM;
	if (facts->null_sender)
		return SPF_CHECK_HELO;
	return mailfrom->result == SPF_CHECK_NONE &&
		       helo->result != SPF_CHECK_NONE
		   ? SPF_CHECK_HELO
		   : SPF_CHECK_MAILFROM;
}

static struct verdict
decide(const struct verdict_policy *policy, const struct verdict_facts *facts)
{
	static const enum spf_identity both[] = { SPF_CHECK_HELO,
		SPF_CHECK_MAILFROM };
	struct verdict v = {
		.action = VERDICT_HEADER,
		.identity = header_identity(policy, facts),
	};
	enum verdict_action helo =
	    final_action_of(policy, facts, SPF_CHECK_HELO);

	v.has_identity = identity_of(facts, v.identity)->finding->is_known;
	if (is_stopping(helo)) {
		v.identity = SPF_CHECK_HELO;
		v.action = helo;
		return v;
	}
	for (size_t i = 0; i < 2; i++) {
		const char *text = restriction_of(policy, facts, both[i]);

		if (text[0] == '\0')
			continue;
		v.identity = both[i];
		v.restriction = text;
		v.action = VERDICT_RESTRICTION;
	}
	if (v.action == VERDICT_RESTRICTION)
		return v;
	v.action = final_action_of(policy, facts, SPF_CHECK_MAILFROM);
	if (is_stopping(v.action))
		v.identity = SPF_CHECK_MAILFROM;
	return v;
}

struct verdict
verdict_decide(
    const struct verdict_policy *policy, const struct verdict_facts *facts)
{
	struct verdict v = decide(policy, facts);

	v.without_test = v.action;
	if (policy->test_only)
		v.action = VERDICT_HEADER;
	return v;
}

const char *
verdict_code(enum verdict_action action, enum spf_result result, bool enhanced)
{
	bool is_error =
	    result == SPF_CHECK_PERMERROR || result == SPF_CHECK_TEMPERROR;

	if (action == VERDICT_DEFER) {
		if (!enhanced)
			return "defer_if_permit";
		return is_error ? "defer_if_permit 4.7.24"
				: "defer_if_permit 4.7.23";
	}
	if (!enhanced)
		return "550";
	return is_error ? "550 5.7.24" : "550 5.7.23";
}
