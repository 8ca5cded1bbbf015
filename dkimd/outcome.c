/* SPDX-License-Identifier: ISC */
#include "common/str.h"

#include "dkimd/outcome.h"

static void
set(struct outcome *outcome, enum result result, const char *reason)
{
	outcome->result = result;
	outcome->reason = reason;
}

static void
treat(struct outcome *outcome, enum outcome_treatment treatment,
    const char *reason)
{
	if (treatment == OUTCOME_NEUTRAL)
		set(outcome, RESULT_NEUTRAL, reason);
	else if (treatment == OUTCOME_FAIL)
		set(outcome, RESULT_FAIL, reason);
}

static bool
covers_enough(const struct outcome *outcome,
    const struct outcome_policy *policy, uint64_t body_bytes)
{
	uint64_t covered;

	if (outcome->covers_body || outcome->sig->length < 0)
		return true;
	covered = (uint64_t)outcome->sig->length;
	switch (policy->minimum) {
	case OUTCOME_MINIMUM_ALL:
		return false;
	case OUTCOME_MINIMUM_BYTES:
		return covered >= policy->minimum_value;
	case OUTCOME_MINIMUM_PERCENT:
		return covered >=
		       body_bytes / 100 * policy->minimum_value +
			   (body_bytes % 100 * policy->minimum_value + 99) /
			       100;
	case OUTCOME_MINIMUM_TAIL:
		return body_bytes <= covered ||
		       body_bytes - covered <= policy->minimum_value;
	}
	return false;
}

static bool
signs(const struct sigfield *sig, const char *name)
{
	for (size_t i = 0; i < sig->name_count; i++)
		if (str_equal_nocase(sig->names[i], name))
			return true;
	return false;
}

/* Is there a field that ought to be signed and is not? */
static bool
lacks_field(const struct sigfield *sig, const struct outcome_policy *policy,
    const struct outcome_message *message)
{
	for (size_t i = 0; i < policy->must_be_signed_count; i++) {
		const char *name = policy->must_be_signed[i];

		if (header_first(message->fields, message->field_count, name) !=
			NULL &&
		    !signs(sig, name))
			return true;
	}
	return false;
}

void
outcome_judge(struct outcome *outcome, const struct outcome_policy *policy,
    const struct outcome_message *message)
{
	/* Of a bogus key there is no more than that it is. */
	if (outcome->dnssec == OUTCOME_BOGUS &&
	    outcome->result == RESULT_TEMPERROR)
		treat(outcome, policy->bogus_key, outcome->reason);
	if (outcome->result != RESULT_PASS)
		return;
	if (outcome->key != NULL && outcome->key->type == KEYRECORD_RSA &&
	    outcome->key->bits < policy->minimum_key_bits)
		set(outcome, RESULT_POLICY, "signing key too small");
	else if (!covers_enough(outcome, policy, message->body_bytes))
		set(outcome, RESULT_POLICY, "body is signed in part only");
	else if (lacks_field(outcome->sig, policy, message))
		set(outcome, RESULT_POLICY, "a required field is not signed");
	else if (outcome->dnssec != OUTCOME_SECURE)
		treat(outcome, policy->unprotected_key, "key is not secure");
	if (outcome->result == RESULT_PASS && outcome->key != NULL &&
	    outcome->key->is_test)
		outcome->reason = "key is in test mode";
}

/* How much a result is worth; in the order of outcome_best's comment. */
static int
worth(enum result result)
{
	switch (result) {
	case RESULT_PASS:
		return 6;
	case RESULT_POLICY:
		return 5;
	case RESULT_TEMPERROR:
		return 4;
	case RESULT_NEUTRAL:
		return 3;
	case RESULT_FAIL:
		return 2;
	case RESULT_PERMERROR:
		return 1;
	case RESULT_NONE:
		break;
	}
	return 0;
}

enum result
outcome_best(const struct outcome *outcomes, size_t count)
{
	enum result best = RESULT_NONE;

	for (size_t i = 0; i < count; i++)
		if (worth(outcomes[i].result) > worth(best))
			best = outcomes[i].result;
	return best;
}
