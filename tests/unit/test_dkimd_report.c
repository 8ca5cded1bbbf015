/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "dkimd/report.h"
#include "dkimd/required.h"

static const struct sigfield signature = {
	.domain = "example.com",
	.selector = "mail",
	.identity = "@example.com",
	.b_start = "CTT5Ba0j",
	.algorithm = SIGFIELD_RSA_SHA256,
};
static const struct sigfield broken = {
	.domain = "",
	.selector = "",
	.identity = "",
	.b_start = "",
	.algorithm = SIGFIELD_UNKNOWN,
};
static const struct keyrecord key = { .type = KEYRECORD_RSA, .bits = 2048 };

static const struct {
	const char *name;
	struct outcome outcomes[2];
	size_t count;
	const char *problem;
	struct report_options options;
	const char *want;
} rows[] = {
	{ "no signature", { { 0 } }, 0, NULL, { "mx.test", NULL, false },
	    "mx.test;\n\tdkim=none" },
	{ "a problem of the message", { { 0 } }, 0, "From field is missing",
	    { "mx.test", NULL, false },
	    "mx.test;\n\tdkim=permerror (From field is missing)" },
	{ "a pass",
	    { { .sig = &signature,
		.result = RESULT_PASS,
		.reason = "",
		.key = &key } },
	    1, NULL, { "mx.test", NULL, false },
	    "mx.test;\n\tdkim=pass (2048-bit key) header.d=example.com"
	    " header.i=@example.com header.a=rsa-sha256 header.s=mail"
	    " header.b=CTT5Ba0j" },
	{ "a fail, and a broken one",
	    { { .sig = &signature,
		  .result = RESULT_FAIL,
		  .reason = "body hash does not match",
		  .key = &key,
		  .dnssec = OUTCOME_SECURE },
		{ .sig = &broken,
		    .result = RESULT_PERMERROR,
		    .reason = "no d=" } },
	    2, NULL, { "mx.test", NULL, true },
	    "mx.test;\n\tdkim=fail (2048-bit key; secure)"
	    " reason=\"body hash does not match\" header.d=example.com"
	    " header.i=@example.com header.a=rsa-sha256 header.s=mail;"
	    "\n\tdkim=permerror reason=\"no d=\"" },
};

static void
test_field(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char text[REPORT_SIZE];
		struct str s;

		str_init(&s, text, sizeof(text));
		report_field(&s, &rows[i].options, rows[i].outcomes,
		    rows[i].count, rows[i].problem);
		check_str(rows[i].name, text, rows[i].want);
	}
}

/* What does not fit is left out as a whole. */
static void
test_small(void)
{
	const struct report_options options = { "mx.test", NULL, false };
	char text[200];
	struct str s;

	str_init(&s, text, sizeof(text));
	report_field(&s, &options,
	    (const struct outcome[]){
		{ .sig = &signature, .result = RESULT_PASS, .reason = "" },
		{ .sig = &signature, .result = RESULT_PASS, .reason = "" } },
	    2, NULL);
	check_false("nothing is cut", s.truncated);
	check_true("one result is there",
	    strstr(text, "header.b=CTT5Ba0j") != NULL &&
		strchr(strstr(text, "dkim="), ';') == NULL);
}

static const struct {
	const char *name;
	struct outcome outcome;
	const char *want;
} log_rows[] = {
	{ "a pass", { .sig = &signature, .result = RESULT_PASS, .reason = "" },
	    "DKIM verification successful (s=mail, d=example.com,"
	    " a=rsa-sha256, b=CTT5Ba0j): dkim=pass" },
	{ "a fail",
	    { .sig = &signature,
		.result = RESULT_FAIL,
		.reason = "body hash does not match" },
	    "bad signature data (s=mail, d=example.com, a=rsa-sha256,"
	    " b=CTT5Ba0j): dkim=fail reason=\"body hash does not match\"" },
	{ "no key",
	    { .sig = &signature,
		.result = RESULT_PERMERROR,
		.reason = "key not found in DNS",
		.key_not_found = true },
	    "key retrieval failed (s=mail, d=example.com, a=rsa-sha256,"
	    " b=CTT5Ba0j): dkim=permerror reason=\"key not found in DNS\"" },
	{ "no DNS",
	    { .sig = &signature,
		.result = RESULT_TEMPERROR,
		.reason = "key retrieval failed" },
	    "key retrieval failed (s=mail, d=example.com, a=rsa-sha256,"
	    " b=CTT5Ba0j): dkim=temperror reason=\"key retrieval failed\"" },
	{ "no signature that can be read",
	    { .sig = &broken,
		.result = RESULT_PERMERROR,
		.reason = "a\nb \"c\"" },
	    "signature not used: dkim=permerror reason=\"a%0Ab %22c%22\"" },
};

static void
test_log(void)
{
	for (size_t i = 0; i < CHECK_COUNT(log_rows); i++) {
		char text[REPORT_LOG_SIZE];
		struct str s;

		str_init(&s, text, sizeof(text));
		report_log(&s, &log_rows[i].outcome);
		check_str(log_rows[i].name, text, log_rows[i].want);
	}
}

/* Fields by their first letter: f From, d Date, s Subject, x another. */
static const struct {
	const char *name;
	const char *fields;
	const char *want, *author;
} required_rows[] = {
	{ "all is well", "fdsxx", NULL, NULL },
	{ "no From", "dsx", "From field is missing", "From field is missing" },
	{ "two From", "fdsf", "several From fields", "several From fields" },
	{ "no Date", "fs", "Date field is missing", NULL },
	{ "two Subjects", "fdss", "several Subject fields", NULL },
};

static void
test_required(void)
{
	static const char *const names[] = { ['f'] = "FROM",
		['d'] = "date",
		['s'] = "Subject",
		['x'] = "X-Any" };

	for (size_t i = 0; i < CHECK_COUNT(required_rows); i++) {
		const char *letters = required_rows[i].fields;
		struct header_field fields[8];
		size_t count = 0;

		for (; letters[count] != '\0'; count++) {
			const char *name = names[(unsigned char)letters[count]];

			fields[count] = (struct header_field){ name,
				strlen(name), " x", 2 };
		}
		check_str(required_rows[i].name,
		    required_problem(fields, count), required_rows[i].want);
		check_str(required_rows[i].name,
		    required_author_problem(fields, count),
		    required_rows[i].author);
	}
}

int
main(void)
{
	test_field();
	test_small();
	test_log();
	test_required();
	return check_done();
}
