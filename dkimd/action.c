/* SPDX-License-Identifier: ISC */
#include <assert.h>

#include "dkimd/action.h"

static bool
is_wrong(const struct outcome *o)
{
	return !o->key_not_found &&
	       (o->result == RESULT_FAIL || o->result == RESULT_PERMERROR ||
		   o->result == RESULT_POLICY);
}

enum action_cause
action_cause(const struct outcome *outcomes, size_t count)
{
	bool failed = false, dns_error = false, wrong = false,
	     not_found = false;

	for (size_t i = 0; i < count; i++) {
		const struct outcome *o = &outcomes[i];

		if (o->result == RESULT_PASS)
			return ACTION_FINE;
		if (o->has_failed) {
			failed = true;
			continue;
		}
		if (o->key != NULL && o->key->is_test)
			continue;
		if (o->result == RESULT_TEMPERROR && o->is_aligned)
			dns_error = true;
		if (is_wrong(o))
			wrong = true;
		if (o->key_not_found)
			not_found = true;
	}
	if (failed)
		return ACTION_INTERNAL_ERROR;
	if (dns_error)
		return ACTION_DNS_ERROR;
	if (wrong)
		return ACTION_BAD_SIGNATURE;
	return not_found ? ACTION_KEY_NOT_FOUND : ACTION_NO_SIGNATURE;
}

enum action
action_decide(const struct action_policy *policy, enum action_cause cause)
{
	switch (cause) {
	case ACTION_FINE:
		return ACTION_ACCEPT;
	case ACTION_BAD_SIGNATURE:
		return policy->bad_signature;
	case ACTION_DNS_ERROR:
		return policy->dns_error;
	case ACTION_INTERNAL_ERROR:
		return policy->internal_error;
	case ACTION_KEY_NOT_FOUND:
		return policy->key_not_found;
	case ACTION_NO_SIGNATURE:
		return policy->no_signature;
	case ACTION_SECURITY:
		return policy->security;
	case ACTION_SIGNATURE_ERROR:
		return policy->signature_error;
	}
	assert(!"no cause");
	return ACTION_TEMPFAIL;
}

/* The texts are opendkim's; the codes those of RFC 7372 where it has one. */
static const struct {
	const char *rejected, *deferred, *text;
} replies[] = {
	[ACTION_FINE] = { "5.7.0", "4.7.0", "" },
	[ACTION_BAD_SIGNATURE] = { "5.7.20", "4.7.20",
	    "bad DKIM signature data" },
	[ACTION_DNS_ERROR] = { "5.7.5", "4.7.5", "DKIM key retrieval failed" },
	[ACTION_INTERNAL_ERROR] = { "5.3.0", "4.3.0", "internal DKIM error" },
	[ACTION_KEY_NOT_FOUND] = { "5.7.20", "4.7.20",
	    "DKIM key not found in DNS" },
	[ACTION_NO_SIGNATURE] = { "5.7.20", "4.7.20",
	    "no DKIM signature data" },
	[ACTION_SECURITY] = { "5.7.0", "4.7.0", "too much header data" },
	[ACTION_SIGNATURE_ERROR] = { "5.7.0", "4.7.0", "DKIM signing error" },
};

struct action_reply
action_reply(enum action action, enum action_cause cause)
{
	bool is_reject = action == ACTION_REJECT;

	return (struct action_reply){
		.code = is_reject ? "550" : "451",
		.enhanced = is_reject ? replies[cause].rejected
				      : replies[cause].deferred,
		.text = replies[cause].text,
	};
}

const char *
action_name(enum action action)
{
	static const char *const names[] = { "accept", "discard", "quarantine",
		"reject", "tempfail" };

	return names[action];
}
