/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "dkimd/action.h"
#include "dkimd/outcome.h"

static const char *const names[] = { "from", "subject" };

/* One signature that is right, and what is held against it. */
static const struct {
	const char *name;
	unsigned bits, minimum_bits;
	int64_t length; /* l=, -1 none; the body has 1,000 bytes */
	enum outcome_minimum minimum;
	uint64_t value;
	const char *must; /* a field that must be signed */
	enum outcome_dnssec dnssec;
	enum outcome_treatment bogus, unprotected;
	bool is_test;
	enum result want;
	const char *reason;
} judge_rows[] = {
	{ .name = "nothing against it",
	    .bits = 2048,
	    .length = -1,
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "a small key",
	    .bits = 1023,
	    .minimum_bits = 1024,
	    .length = -1,
	    .want = RESULT_POLICY,
	    .reason = "signing key too small" },
	{ .name = "just large enough",
	    .bits = 1024,
	    .minimum_bits = 1024,
	    .length = -1,
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "l= leaves a tail",
	    .bits = 2048,
	    .length = 999,
	    .want = RESULT_POLICY,
	    .reason = "body is signed in part only" },
	{ .name = "l=0",
	    .bits = 2048,
	    .length = 0,
	    .want = RESULT_POLICY,
	    .reason = "body is signed in part only" },
	{ .name = "a tail within n+",
	    .bits = 2048,
	    .length = 900,
	    .minimum = OUTCOME_MINIMUM_TAIL,
	    .value = 100,
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "a tail beyond n+",
	    .bits = 2048,
	    .length = 899,
	    .minimum = OUTCOME_MINIMUM_TAIL,
	    .value = 100,
	    .want = RESULT_POLICY,
	    .reason = "body is signed in part only" },
	{ .name = "enough per cent",
	    .bits = 2048,
	    .length = 500,
	    .minimum = OUTCOME_MINIMUM_PERCENT,
	    .value = 50,
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "too few per cent",
	    .bits = 2048,
	    .length = 499,
	    .minimum = OUTCOME_MINIMUM_PERCENT,
	    .value = 50,
	    .want = RESULT_POLICY,
	    .reason = "body is signed in part only" },
	{ .name = "enough bytes",
	    .bits = 2048,
	    .length = 10,
	    .minimum = OUTCOME_MINIMUM_BYTES,
	    .value = 10,
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "too few bytes",
	    .bits = 2048,
	    .length = 9,
	    .minimum = OUTCOME_MINIMUM_BYTES,
	    .value = 10,
	    .want = RESULT_POLICY,
	    .reason = "body is signed in part only" },
	{ .name = "a field that is not signed",
	    .bits = 2048,
	    .length = -1,
	    .must = "Reply-To",
	    .want = RESULT_POLICY,
	    .reason = "a required field is not signed" },
	{ .name = "a required field that is",
	    .bits = 2048,
	    .length = -1,
	    .must = "SUBJECT",
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "a required field that is not there",
	    .bits = 2048,
	    .length = -1,
	    .must = "Cc",
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "a forged key",
	    .length = -1,
	    .dnssec = OUTCOME_BOGUS,
	    .bogus = OUTCOME_FAIL,
	    .want = RESULT_FAIL,
	    .reason = "key is bogus" },
	{ .name = "a forged key, neutral",
	    .length = -1,
	    .dnssec = OUTCOME_BOGUS,
	    .bogus = OUTCOME_NEUTRAL,
	    .want = RESULT_NEUTRAL,
	    .reason = "key is bogus" },
	{ .name = "a forged key, as if nobody had answered",
	    .length = -1,
	    .dnssec = OUTCOME_BOGUS,
	    .bogus = OUTCOME_AS_IS,
	    .want = RESULT_TEMPERROR,
	    .reason = "key is bogus" },
	{ .name = "an unprotected key, neutral",
	    .bits = 2048,
	    .length = -1,
	    .dnssec = OUTCOME_INSECURE,
	    .unprotected = OUTCOME_NEUTRAL,
	    .want = RESULT_NEUTRAL,
	    .reason = "key is not secure" },
	{ .name = "a secure key where others are refused",
	    .bits = 2048,
	    .length = -1,
	    .dnssec = OUTCOME_SECURE,
	    .unprotected = OUTCOME_FAIL,
	    .want = RESULT_PASS,
	    .reason = "" },
	{ .name = "a key in test mode is named",
	    .bits = 2048,
	    .length = -1,
	    .is_test = true,
	    .want = RESULT_PASS,
	    .reason = "key is in test mode" },
};

static void
test_judge(void)
{
	static const struct header_field fields[] = {
		{ "From", 4, " a@example.com", 14 },
		{ "Subject", 7, " x", 2 },
		{ "Reply-To", 8, " b@example.com", 14 },
	};
	const struct outcome_message message = { fields, CHECK_COUNT(fields),
		1000 };

	for (size_t i = 0; i < CHECK_COUNT(judge_rows); i++) {
		const struct sigfield sig = { .names = names,
			.name_count = CHECK_COUNT(names),
			.length = judge_rows[i].length };
		const struct keyrecord key = { .bits = judge_rows[i].bits,
			.is_test = judge_rows[i].is_test };
		const struct outcome_policy policy = {
			.minimum_key_bits = judge_rows[i].minimum_bits,
			.minimum = judge_rows[i].minimum,
			.minimum_value = judge_rows[i].value,
			.bogus_key = judge_rows[i].bogus,
			.unprotected_key = judge_rows[i].unprotected,
			.must_be_signed = &judge_rows[i].must,
			.must_be_signed_count = judge_rows[i].must != NULL,
		};
		/* As lookup.c tells it: a bogus key is none. */
		bool is_bogus = judge_rows[i].dnssec == OUTCOME_BOGUS;
		struct outcome o = { .sig = &sig,
			.result = is_bogus ? RESULT_TEMPERROR : RESULT_PASS,
			.reason = is_bogus ? "key is bogus" : "",
			.key = is_bogus ? NULL : &key,
			.dnssec = judge_rows[i].dnssec,
			.covers_body = judge_rows[i].length < 0 };

		outcome_judge(&o, &policy, &message);
		check_str(judge_rows[i].name, result_name(o.result),
		    result_name(judge_rows[i].want));
		check_str(judge_rows[i].name, o.reason, judge_rows[i].reason);
	}
}

/* Signatures in short: p pass, f fail, P policy, t temperror, T one by the
 * author's domain, e permerror, k no key, n neutral, i we failed; y the one
 * before has a key in test mode. */
static const struct {
	const char *name;
	const char *signatures;
	enum action_cause want;
	enum result best;
} cause_rows[] = {
	{ "none at all", "", ACTION_NO_SIGNATURE, RESULT_NONE },
	{ "one that passes", "p", ACTION_FINE, RESULT_PASS },
	{ "one passes, others do not", "fkTp", ACTION_FINE, RESULT_PASS },
	{ "one that fails", "f", ACTION_BAD_SIGNATURE, RESULT_FAIL },
	{ "fails, in test mode", "fy", ACTION_NO_SIGNATURE, RESULT_FAIL },
	{ "refused by policy", "P", ACTION_BAD_SIGNATURE, RESULT_POLICY },
	{ "cannot be used", "e", ACTION_BAD_SIGNATURE, RESULT_PERMERROR },
	{ "no key", "k", ACTION_KEY_NOT_FOUND, RESULT_PERMERROR },
	{ "no key, and one that fails", "kf", ACTION_BAD_SIGNATURE,
	    RESULT_FAIL },
	{ "no DNS for the author's", "T", ACTION_DNS_ERROR, RESULT_TEMPERROR },
	{ "no DNS for a stranger's", "t", ACTION_NO_SIGNATURE,
	    RESULT_TEMPERROR },
	{ "no DNS for the author's, a stranger's fails", "fT", ACTION_DNS_ERROR,
	    RESULT_TEMPERROR },
	{ "we failed", "i", ACTION_INTERNAL_ERROR, RESULT_TEMPERROR },
	{ "we failed, another passes", "ip", ACTION_FINE, RESULT_PASS },
	{ "not looked at", "n", ACTION_NO_SIGNATURE, RESULT_NEUTRAL },
};

static struct outcome
outcome_of(char letter)
{
	static const enum result results[] = { ['p'] = RESULT_PASS,
		['f'] = RESULT_FAIL,
		['P'] = RESULT_POLICY,
		['t'] = RESULT_TEMPERROR,
		['T'] = RESULT_TEMPERROR,
		['e'] = RESULT_PERMERROR,
		['k'] = RESULT_PERMERROR,
		['n'] = RESULT_NEUTRAL,
		['i'] = RESULT_TEMPERROR };

	return (struct outcome){ .result = results[(unsigned char)letter],
		.reason = "",
		.key_not_found = letter == 'k',
		.has_failed = letter == 'i',
		.is_aligned = letter == 'T' };
}

static void
test_cause(void)
{
	static const struct keyrecord test_key = { .is_test = true };

	for (size_t i = 0; i < CHECK_COUNT(cause_rows); i++) {
		struct outcome outcomes[8];
		size_t count = 0;

		for (const char *p = cause_rows[i].signatures; *p; p++)
			if (*p == 'y')
				outcomes[count - 1].key = &test_key;
			else
				outcomes[count++] = outcome_of(*p);
		check_int(cause_rows[i].name, action_cause(outcomes, count),
		    cause_rows[i].want);
		check_str(cause_rows[i].name,
		    result_name(outcome_best(outcomes, count)),
		    result_name(cause_rows[i].best));
	}
}

/* Each option acts on its own cause, and on no other. */
static void
test_options(void)
{
	for (int cause = ACTION_BAD_SIGNATURE; cause <= ACTION_SIGNATURE_ERROR;
	     cause++) {
		struct action_policy policy = { 0 };
		enum action *const fields[] = {
			[ACTION_BAD_SIGNATURE] = &policy.bad_signature,
			[ACTION_DNS_ERROR] = &policy.dns_error,
			[ACTION_INTERNAL_ERROR] = &policy.internal_error,
			[ACTION_KEY_NOT_FOUND] = &policy.key_not_found,
			[ACTION_NO_SIGNATURE] = &policy.no_signature,
			[ACTION_SECURITY] = &policy.security,
			[ACTION_SIGNATURE_ERROR] = &policy.signature_error,
		};

		*fields[cause] = ACTION_REJECT;
		for (int other = ACTION_FINE; other <= ACTION_SIGNATURE_ERROR;
		     other++)
			check_str("each option for its cause",
			    action_name(action_decide(
				&policy, (enum action_cause)other)),
			    other == cause ? "reject" : "accept");
	}
	check_str("a reject's code",
	    action_reply(ACTION_REJECT, ACTION_BAD_SIGNATURE).code, "550");
	check_str("a reject's enhanced code",
	    action_reply(ACTION_REJECT, ACTION_BAD_SIGNATURE).enhanced,
	    "5.7.20");
	check_str("a tempfail's code",
	    action_reply(ACTION_TEMPFAIL, ACTION_DNS_ERROR).code, "451");
	check_str("a tempfail's enhanced code",
	    action_reply(ACTION_TEMPFAIL, ACTION_DNS_ERROR).enhanced, "4.7.5");
}

int
main(void)
{
	test_judge();
	test_cause();
	test_options();
	return check_done();
}
