/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "spfd/verdict.h"

/* A policy in short: reject options, then the switches as letters: p
 * PermError_reject, t TempError_Defer, n No_Mail, T TestOnly 0, d and r
 * SoftfailAction. */
static struct verdict_policy
policy(enum verdict_reject helo, enum verdict_reject mailfrom,
    const char *switches)
{
	return (struct verdict_policy){
		.helo_reject = helo,
		.mailfrom_reject = mailfrom,
		.softfail =
		    strchr(switches, 'r') != NULL   ? VERDICT_SOFTFAIL_REJECT
		    : strchr(switches, 'd') != NULL ? VERDICT_SOFTFAIL_DEFER
						    : VERDICT_SOFTFAIL_HEADER,
		.permerror_reject = strchr(switches, 'p') != NULL,
		.temperror_defer = strchr(switches, 't') != NULL,
		.no_mail = strchr(switches, 'n') != NULL,
		.test_only = strchr(switches, 'T') != NULL,
		.helo_restriction =
		    strchr(switches, 'h') != NULL ? "helo_class" : "",
		.mailfrom_restriction =
		    strchr(switches, 'm') != NULL ? "mfrom_class" : "",
	};
}

/* A result in short: Pass Fail Soft neUtral None Temperror pErmerror, -
 * unknown; lower case: the domain is listed. */
static bool
take(char letter, struct finding *finding, struct verdict_identity *identity)
{
	static const char letters[] = "NUPFSTE";
	const char *at;
	bool is_listed = letter >= 'a' && letter <= 'z';

	if (is_listed)
		letter = (char)(letter - 'a' + 'A');
	at = strchr(letters, letter);
	*finding = (struct finding){ .is_known = letter != '-' };
	if (finding->is_known && at != NULL)
		finding->result = (enum spf_result)(at - letters);
	*identity = (struct verdict_identity){ finding, is_listed };
	return at != NULL || letter == '-';
}

#define NP VERDICT_ON_NOT_PASS
#define SF VERDICT_ON_SOFTFAIL
#define FA VERDICT_ON_FAIL
#define NU VERDICT_ON_NULL
#define NO VERDICT_ON_NOTHING
#define NC VERDICT_NO_CHECK

static const struct {
	const char *name;
	enum verdict_reject helo, mailfrom;
	const char *switches;
	const char *results; /* HELO, MAIL FROM, 0 = null sender */
	const char *want;    /* action and identity: "reject helo" */
} rows[] = {
	{ "both pass", FA, FA, "", "PP", "header mailfrom" },
	{ "nothing known", FA, FA, "", "--", "header -" },
	{ "HELO fail ends it", FA, FA, "", "F-", "reject helo" },
	{ "HELO fail, Softfail", SF, FA, "", "F-", "reject helo" },
	{ "HELO fail, False", NO, FA, "", "FP", "header mailfrom" },
	{ "HELO fail, Null, a sender", NU, FA, "", "FP", "header mailfrom" },
	{ "HELO fail, Null, null sender", NU, FA, "", "F-0", "reject helo" },
	{ "HELO softfail, Null, null sender", NU, FA, "", "S-0",
	    "header helo" },
	{ "HELO softfail, Fail", FA, FA, "", "SP", "header mailfrom" },
	{ "HELO softfail, Softfail", SF, FA, "", "S-", "reject helo" },
	{ "HELO neutral, Softfail", SF, FA, "", "UP", "header mailfrom" },
	{ "HELO neutral, SPF_Not_Pass", NP, FA, "", "U-", "reject helo" },
	{ "HELO none, SPF_Not_Pass", NP, FA, "", "NP", "header mailfrom" },
	{ "MAIL FROM fail", FA, FA, "", "PF", "reject mailfrom" },
	{ "MAIL FROM fail, False", FA, NO, "", "PF", "header mailfrom" },
	{ "MAIL FROM softfail, Fail", FA, FA, "", "PS", "header mailfrom" },
	{ "MAIL FROM softfail, Softfail", FA, SF, "", "PS", "reject mailfrom" },
	{ "MAIL FROM neutral, Softfail", FA, SF, "", "PU", "header mailfrom" },
	{ "MAIL FROM neutral, SPF_Not_Pass", FA, NP, "", "PU",
	    "reject mailfrom" },
	{ "SoftfailAction reject", FA, FA, "r", "PS", "reject mailfrom" },
	{ "SoftfailAction reject for HELO", FA, FA, "r", "SP", "reject helo" },
	{ "SoftfailAction defer", FA, FA, "d", "PS", "defer mailfrom" },
	{ "SoftfailAction, False", FA, NO, "r", "PS", "header mailfrom" },
	{ "Softfail beats defer", FA, SF, "d", "PS", "reject mailfrom" },
	{ "listed softfail", FA, FA, "", "Ps", "reject mailfrom" },
	{ "listed neutral", FA, FA, "", "Pu", "reject mailfrom" },
	{ "listed pass", FA, FA, "", "Pp", "header mailfrom" },
	{ "listed none", FA, FA, "", "Pn", "header helo" },
	{ "listed HELO softfail", FA, FA, "", "sP", "reject helo" },
	{ "listed softfail, False", FA, NO, "", "Ps", "reject mailfrom" },
	{ "permerror", FA, FA, "", "PE", "header mailfrom" },
	{ "permerror, SPF_Not_Pass", NP, NP, "", "PE", "header mailfrom" },
	{ "PermError_reject", FA, FA, "p", "PE", "reject mailfrom" },
	{ "PermError_reject for HELO", FA, FA, "p", "EP", "reject helo" },
	{ "PermError_reject, False", NO, NO, "p", "EE", "header mailfrom" },
	{ "temperror", FA, FA, "", "PT", "header mailfrom" },
	{ "TempError_Defer", FA, FA, "t", "PT", "defer mailfrom" },
	{ "TempError_Defer for HELO", FA, FA, "t", "T-", "defer helo" },
	{ "TempError_Defer, False", NO, NO, "t", "TT", "header mailfrom" },
	{ "MAIL FROM none, HELO pass", FA, FA, "", "PN", "header helo" },
	{ "MAIL FROM none, HELO softfail", FA, FA, "", "SN", "header helo" },
	{ "both none", FA, FA, "", "NN", "header mailfrom" },
	{ "null sender", FA, FA, "", "P-0", "header helo" },
	{ "null sender, HELO not checked", NC, FA, "", "-F0",
	    "reject mailfrom" },
	{ "HELO not checked", NC, FA, "", "-P", "header mailfrom" },
	{ "MAIL FROM not checked", FA, NC, "", "P-", "header helo" },
	{ "known of another recipient, not of interest", NC, NC, "", "FF",
	    "header helo" },
	{ "No_Mail, another record", FA, FA, "n", "PF", "header mailfrom" },
	{ "No_Mail, permerror", FA, FA, "np", "PE", "header mailfrom" },
	{ "No_Mail defers all the same", FA, FA, "nt", "PT", "defer mailfrom" },
	{ "test only", FA, FA, "T", "PF", "header mailfrom" },
	{ "test only, HELO", FA, FA, "T", "F-", "header helo" },
	{ "HELO class", FA, FA, "h", "PS", "restriction helo" },
	{ "HELO class wins over a fail", FA, FA, "h", "PF",
	    "restriction helo" },
	{ "MAIL FROM class", FA, FA, "m", "NP", "restriction mailfrom" },
	{ "both classes", FA, FA, "hm", "PP", "restriction mailfrom" },
	{ "a class, HELO fail", FA, FA, "hm", "FP", "reject helo" },
	{ "a class, no pass", FA, FA, "hm", "NN", "header mailfrom" },
	{ "a class, test only", FA, FA, "hT", "PF", "header helo" },
};

static void
test_decide(void)
{
	static const char *const actions[] = { "header", "reject", "defer",
		"restriction" };

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct verdict_policy p =
		    policy(rows[i].helo, rows[i].mailfrom, rows[i].switches);
		struct finding helo, mailfrom;
		struct verdict_facts facts = { .null_sender =
						   rows[i].results[2] == '0' };
		struct verdict v;
		char got[64];

		check_true("row",
		    take(rows[i].results[0], &helo, &facts.helo) &&
			take(rows[i].results[1], &mailfrom, &facts.mailfrom));
		v = verdict_decide(&p, &facts);
		snprintf(got, sizeof(got), "%s %s", actions[v.action],
		    !v.has_identity                ? "-"
		    : v.identity == SPF_CHECK_HELO ? "helo"
						   : "mailfrom");
		check_str(rows[i].name, got, rows[i].want);
	}
}

static void
test_test_only(void)
{
	struct verdict_policy p = policy(FA, FA, "T");
	struct finding helo, mailfrom;
	struct verdict_facts facts = { 0 };
	struct verdict v;

	take('P', &helo, &facts.helo);
	take('F', &mailfrom, &facts.mailfrom);
	v = verdict_decide(&p, &facts);
	check_int("what it would be", v.without_test, VERDICT_REJECT);
	p = policy(FA, FA, "hT");
	v = verdict_decide(&p, &facts);
	check_int(
	    "what class it would be", v.without_test, VERDICT_RESTRICTION);
}

static const struct {
	const char *name;
	enum verdict_reject helo, mailfrom;
	const char *switches, *results;
	bool want_mailfrom;
} wants[] = {
	{ "after a HELO pass", FA, FA, "", "P-", true },
	{ "after a HELO fail", FA, FA, "", "F-", false },
	{ "after a HELO fail, False", NO, FA, "", "F-", true },
	{ "after a HELO temperror", FA, FA, "", "T-", true },
	{ "after a deferral", FA, FA, "t", "T-", false },
	{ "after what TestOnly would refuse", FA, FA, "T", "F-", false },
	{ "HELO class", FA, FA, "h", "P-", true },
	{ "not wanted", FA, NC, "", "P-", false },
	{ "HELO not wanted", NC, FA, "", "--", true },
	{ "null sender", FA, FA, "", "P-0", false },
	{ "null sender, HELO not wanted", NC, FA, "", "--0", true },
	{ "null sender, nothing wanted", NC, NC, "", "--0", false },
};

static void
test_wants(void)
{
	struct verdict_policy p = policy(NC, FA, "");
	struct finding helo, mailfrom;

	check_false("HELO not wanted", verdict_wants_helo(&p));
	p.helo_reject = NO;
	check_true("HELO for its header", verdict_wants_helo(&p));
	for (size_t i = 0; i < CHECK_COUNT(wants); i++) {
		struct verdict_facts facts = { .null_sender =
						   wants[i].results[2] == '0' };

		p = policy(wants[i].helo, wants[i].mailfrom, wants[i].switches);
		take(wants[i].results[0], &helo, &facts.helo);
		take(wants[i].results[1], &mailfrom, &facts.mailfrom);
		check_bool(wants[i].name, verdict_wants_mailfrom(&p, &facts),
		    wants[i].want_mailfrom);
	}
}

static void
test_no_mail(void)
{
	struct verdict_policy p = policy(FA, FA, "n");
	struct finding helo, mailfrom;
	struct verdict_facts facts = { 0 };

	take('F', &helo, &facts.helo);
	take('S', &mailfrom, &facts.mailfrom);
	check_true("fail: which record",
	    verdict_wants_record(&p, &facts, SPF_CHECK_HELO));
	check_false("softfail is not of that record",
	    verdict_wants_record(&p, &facts, SPF_CHECK_MAILFROM));
	p.helo_reject = NO;
	check_false("not rejected anyway",
	    verdict_wants_record(&p, &facts, SPF_CHECK_HELO));
	p.helo_reject = FA;
	helo.record = FINDINGS_RECORD_OTHER;
	check_false("known", verdict_wants_record(&p, &facts, SPF_CHECK_HELO));
	check_int("another record", verdict_decide(&p, &facts).action,
	    VERDICT_HEADER);
	helo.record = FINDINGS_RECORD_NO_MAIL;
	check_int(
	    "that record", verdict_decide(&p, &facts).action, VERDICT_REJECT);
	p.no_mail = false;
	helo.record = FINDINGS_RECORD_UNKNOWN;
	check_false(
	    "not asked for", verdict_wants_record(&p, &facts, SPF_CHECK_HELO));
}

static const struct {
	const char *name;
	enum verdict_action action;
	enum spf_result result;
	bool enhanced;
	const char *want;
} codes[] = {
	{ "fail", VERDICT_REJECT, SPF_CHECK_FAIL, true, "550 5.7.23" },
	{ "softfail", VERDICT_REJECT, SPF_CHECK_SOFTFAIL, true, "550 5.7.23" },
	{ "permerror", VERDICT_REJECT, SPF_CHECK_PERMERROR, true,
	    "550 5.7.24" },
	{ "plain", VERDICT_REJECT, SPF_CHECK_PERMERROR, false, "550" },
	{ "temperror", VERDICT_DEFER, SPF_CHECK_TEMPERROR, true,
	    "defer_if_permit 4.7.24" },
	{ "deferred softfail", VERDICT_DEFER, SPF_CHECK_SOFTFAIL, true,
	    "defer_if_permit 4.7.23" },
	{ "plain deferral", VERDICT_DEFER, SPF_CHECK_TEMPERROR, false,
	    "defer_if_permit" },
};

int
main(void)
{
	test_decide();
	test_test_only();
	test_wants();
	test_no_mail();
	for (size_t i = 0; i < CHECK_COUNT(codes); i++)
		check_str(codes[i].name,
		    verdict_code(
			codes[i].action, codes[i].result, codes[i].enhanced),
		    codes[i].want);
	return check_done();
}
