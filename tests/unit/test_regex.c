/* SPDX-License-Identifier: ISC */
#include "common/regex.h"

#include "tests/unit/check.h"

static void
test_match(void)
{
	static const struct {
		const char *name;
		const char *pattern;
		const char *subject;
		bool nocase;
		bool want;
	} rows[] = {
		{ "unanchored", "mail", "a.mail.example", true, true },
		{ "not there", "mail", "a.mial.example", true, false },
		{ "anchored", "^mx\\d+\\.example\\.org$", "mx12.example.org",
		    true, true },
		{ "anchored, more in front", "^mx\\d+\\.example\\.org$",
		    "xmx12.example.org", true, false },
		{ "no case", "MaiL", "mAIl", true, true },
		{ "case", "MaiL", "mAIl", false, false },
		{ "same case", "MaiL", "MaiL", false, true },
		{ "empty pattern", "", "x", true, true },
		{ "empty subject", "^$", "", true, true },
		{ "look-ahead", "^(?!dyn)", "dyn-1.example", true, false },
		{ "back reference", "^(a+)b\\1$", "aabaa", true, true },
		{ "back reference that differs", "^(a+)b\\1$", "aabaaa", true,
		    false },
		{ "many groups", "(a)(b)(c)(d)(e)\\5", "abcdee", true, true },
		{ "bytes, not UTF-8", "^\\xe4$", "\344", true, true },
		{ "a dot is one byte", "^.$", "\303\244", true, false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		struct regex *regex =
		    regex_new(rows[i].pattern, rows[i].nocase, &err);

		if (!check_true(rows[i].name, regex != NULL)) {
			check_note("%s", err.text);
			continue;
		}
		/* Twice: what one match leaves behind must not matter. */
		for (int k = 0; k < 2; k++)
			check_int(rows[i].name,
			    regex_match(regex, rows[i].subject,
				strlen(rows[i].subject)),
			    rows[i].want ? REGEX_MATCH : REGEX_NO_MATCH);
		regex_free(&regex);
		check_true(rows[i].name, regex == NULL);
	}
}

static void
test_length(void)
{
	struct regex *regex = regex_new("b$", false, NULL);

	if (!check_true("compiles", regex != NULL))
		return;
	check_int("the subject ends at its length",
	    regex_match(regex, "abc", 2), REGEX_MATCH);
	check_int(
	    "not at a NUL", regex_match(regex, "ab\0c", 4), REGEX_NO_MATCH);
	regex_free(&regex);
	regex_free(&regex);
	check_true("free takes NULL", regex == NULL);
}

static void
test_errors(void)
{
	static const struct {
		const char *name;
		const char *pattern;
		const char *want;
	} rows[] = {
		{ "open group", "a(b", "at offset 3" },
		{ "open class", "a[b", "at offset 3" },
		{ "nothing to repeat", "a|*b", "at offset 2" },
		{ "lone backslash", "ab\\", "at offset 3" },
		{ "UTF from within", "(*UTF)a", "at offset" },
	};
	struct regex *regex;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };

		regex = regex_new(rows[i].pattern, true, &err);
		check_true(rows[i].name, regex == NULL);
		check_contains(rows[i].name, err.text, rows[i].want);
		check_true("there is a reason", err.text[0] != 'a');
		regex_free(&regex);
	}
	regex = regex_new("(", true, NULL);
	check_true("without err", regex == NULL);
}

/* Each of these takes ages without limits. */
static void
test_limits(void)
{
	static const char *const patterns[] = {
		"(a+)+$",
		"^(a|aa)+$",
		"^(([a-z])+.)+[A-Z]([a-z])+$",
		"(x+x+)+y|(a+a+)+$",
	};
	static char subject[8192];

	memset(subject, 'a', sizeof(subject));
	subject[sizeof(subject) - 1] = '!';
	for (size_t i = 0; i < CHECK_COUNT(patterns); i++) {
		struct regex *regex = regex_new(patterns[i], false, NULL);

		if (!check_true(patterns[i], regex != NULL))
			continue;
		check_int(patterns[i],
		    regex_match(regex, subject + sizeof(subject) - 64, 64),
		    REGEX_LIMIT);
		check_int(patterns[i],
		    regex_match(regex, subject, sizeof(subject)), REGEX_LIMIT);
		check_int("usable afterwards", regex_match(regex, "b1", 2),
		    REGEX_NO_MATCH);
		regex_free(&regex);
	}
}

/* The library's limits are for each byte where a match may start: together
 * these took seconds. */
static void
test_limits_of_all_starts(void)
{
	static const char *const patterns[] = {
		"a[a-z]*[a-z]*[0-9]@example\\.org$",
		"[a-z-]*a[a-z-]{0,20}a[a-z-]{0,20}[0-9]@example\\.org$",
	};
	static const char end[] = "@example.org";
	char subject[REGEX_SUBJECT_MAX];
	const size_t end_len = sizeof(end) - 1;
	struct regex *regex;

	memset(subject, 'a', sizeof(subject));
	memcpy(subject + REGEX_SUBJECT_MAX - end_len, end, end_len);
	for (size_t i = 0; i < CHECK_COUNT(patterns); i++) {
		regex = regex_new(patterns[i], false, NULL);
		if (!check_true(patterns[i], regex != NULL))
			continue;
		check_int(patterns[i],
		    regex_match(regex, subject, REGEX_SUBJECT_MAX),
		    REGEX_LIMIT);
		check_int("a short one",
		    regex_match(regex, subject + REGEX_SUBJECT_MAX - 40, 40),
		    REGEX_NO_MATCH);
		regex_free(&regex);
	}
}

/* A line of a log is longer than a name. */
static void
test_long_subject(void)
{
	struct regex *regex = regex_new("G\\w+, try .* \\d+ s", false, NULL);
	static const char found[] = "Greylisted, try again in 300 s";
	static char subject[8192];

	memset(subject, '-', sizeof(subject));
	check_int("not there", regex_match(regex, subject, sizeof(subject)),
	    REGEX_NO_MATCH);
	memcpy(subject + sizeof(subject) - sizeof(found), found,
	    sizeof(found) - 1);
	check_int("at its end", regex_match(regex, subject, sizeof(subject)),
	    REGEX_MATCH);
	regex_free(&regex);
}

/* What real lists hold must not run into a limit on the longest name. */
static void
test_ordinary(void)
{
	static const char *const patterns[] = {
		"(\\w+\\.)+[a-z]+!$",
		".*-out-.*\\.example\\.(com|net)$",
		"^[^.]+\\.[^.]+\\.example$",
		"(?:\\d{1,3}[-.]){4}",
		"\\.(?:a|b|c)[^.]*\\.example$",
	};
	char name[256];

	for (size_t i = 0; i < sizeof(name) - 1; i++)
		name[i] = i % 8 == 7 ? '.' : "1a-b2cd"[i % 8];
	name[sizeof(name) - 1] = '\0';
	for (size_t i = 0; i < CHECK_COUNT(patterns); i++) {
		struct regex *regex = regex_new(patterns[i], true, NULL);

		if (!check_true(patterns[i], regex != NULL))
			continue;
		check_int(patterns[i], regex_match(regex, name, strlen(name)),
		    REGEX_NO_MATCH);
		regex_free(&regex);
	}
}

int
main(void)
{
	test_match();
	test_length();
	test_errors();
	test_limits();
	test_limits_of_all_starts();
	test_long_subject();
	test_ordinary();
	return check_done();
}
