/* SPDX-License-Identifier: ISC */
#include "dkimd/bodylen.h"
#include "dkimd/choose.h"

#include "tests/unit/check.h"

/* A letter is a candidate: "s" sound, "a" aligned and sound, "-" unsound,
 * "A" aligned but unsound, "h" sound with a huge h=; want has "x" where it is
 * chosen. */
static void
test_signatures(void)
{
	static const struct {
		const char *name, *candidates, *want;
		size_t max;
	} rows[] = {
		{ "none", "", "", 3 },
		{ "all", "ss", "xx", 3 },
		{ "from the top", "ssss", "xxx.", 3 },
		{ "aligned ones first", "ssssa", "xx..x", 3 },
		{ "aligned ones from the top", "sasaaa", ".x.xx.", 3 },
		{ "unsound ones not", "-A-s", "...x", 3 },
		{ "none wanted", "sa", "..", 0 },
		{ "huge ones cost", "hhhhhh", "xxxx..", 8 },
		{ "small ones do not", "hhhhhs", "xxxx..", 8 },
		{ "aligned even so", "hhhhha", "xxx..x", 8 },
	};
	static const struct sigfield small = { .name_count = 10 };
	static const struct sigfield huge = { .name_count = 500 };

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct choose_candidate list[8];
		size_t count = strlen(rows[i].candidates), chosen = 0, said;
		char got[9] = "";

		for (size_t k = 0; k < count; k++) {
			char c = rows[i].candidates[k];

			list[k] = (struct choose_candidate){
				.parsed = c == 'h' ? &huge : &small,
				.is_sound = strchr("sah", c) != NULL,
				.is_aligned = strchr("aA", c) != NULL,
				.is_chosen = true
			};
		}
		said = choose_signatures(list, count, rows[i].max);
		for (size_t k = 0; k < count; k++) {
			got[k] = list[k].is_chosen ? 'x' : '.';
			chosen += list[k].is_chosen;
		}
		check_str(rows[i].name, got, rows[i].want);
		check_uint(rows[i].name, said, chosen);
	}
}

static void
test_aligned(void)
{
	static const struct {
		const char *domain, *author;
		bool want;
	} rows[] = {
		{ "example.org", "Example.ORG", true },
		{ "example.org", "mail.example.org", true },
		{ "mail.example.org", "example.org", true },
		{ "a.example.org", "b.example.org", false },
		{ "example.org", "badexample.org", false },
		{ "badexample.org", "example.org", false },
		{ "example.net", "example.org", false },
		{ "", "example.org", false },
		{ "example.org", "", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].author,
		    choose_is_aligned(rows[i].domain, rows[i].author),
		    rows[i].want);
}

#define NAMES_MAX 8

/* Splits "a b c" into texts. */
static size_t
split(char *text, const char **names)
{
	size_t count = 0;

	for (char *word; (word = strsep(&text, " ")) != NULL;) {
		if (*word != '\0' && count < NAMES_MAX)
			names[count++] = word;
	}
	return count;
}

static void
test_fields(void)
{
	static const struct {
		const char *name, *first, *second, *fields, *want;
	} rows[] = {
		{ "nothing", "", "", "from to", ".." },
		{ "no fields", "from", "", "", "" },
		{ "what is named", "from subject", "", "to FROM x subject",
		    ".x.x" },
		{ "the last one", "from", "", "from from from", "..x" },
		{ "the last two", "from from", "", "from from from", ".xx" },
		{ "more than there are", "from from from", "", "from x", "x." },
		{ "the most demanding", "from a", "a a b", "a a a b b from",
		    ".xx.xx" },
		{ "prefixes", "from", "", "fro fromm from", "..x" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char texts[3][64], got[NAMES_MAX + 1] = "";
		const char *names[3][NAMES_MAX];
		struct header_field fields[NAMES_MAX];
		struct sigfield sigs[2] = { 0 };
		const struct sigfield *list[] = { &sigs[0], &sigs[1] };
		bool feed[NAMES_MAX];
		size_t count, fed = 0, said;

		snprintf(texts[0], sizeof(texts[0]), "%s", rows[i].first);
		snprintf(texts[1], sizeof(texts[1]), "%s", rows[i].second);
		snprintf(texts[2], sizeof(texts[2]), "%s", rows[i].fields);
		for (size_t k = 0; k < 2; k++) {
			sigs[k].names = names[k];
			sigs[k].name_count = split(texts[k], names[k]);
		}
		count = split(texts[2], names[2]);
		for (size_t k = 0; k < count; k++)
			fields[k] = (struct header_field){ .name = names[2][k],
				.name_len = strlen(names[2][k]) };
		said = choose_fields(list, 2, fields, count, feed);
		for (size_t k = 0; k < count; k++) {
			got[k] = feed[k] ? 'x' : '.';
			fed += feed[k];
		}
		check_str(rows[i].name, got, rows[i].want);
		check_uint(rows[i].name, said, fed);
	}
}

static void
test_blank_in_name(void)
{
	static const char *const names[] = { "subject" };
	const struct sigfield sig = { .names = names, .name_count = 1 };
	const struct sigfield *list[] = { &sig };
	const struct header_field fields[] = {
		{ .name = "Subject \t", .name_len = 9 },
	};
	bool feed;

	check_uint("a blank in front of the colon",
	    choose_fields(list, 1, fields, 1, &feed), 1);
}

static void
test_body_length(void)
{
	static const struct {
		const char *name, *body;
		int simple, relaxed;
	} rows[] = {
		{ "empty", "", 2, 0 },
		{ "empty lines", "\r\n\r\n", 2, 0 },
		{ "a line", "abc\r\n", 5, 5 },
		{ "empty lines behind it", "abc\r\n\r\n\r\n", 5, 5 },
		{ "empty lines within", "a\r\n\r\nb\r\n", 8, 8 },
		{ "empty lines before", "\r\n\r\nb\r\n", 7, 7 },
		{ "blanks", " a \t b \t\r\n", 10, 6 },
		{ "a line of blanks at the end", "a\r\n \t\r\n", 7, 3 },
		{ "a line of blanks within", "a\r\n \t\r\nb\r\n", 10, 8 },
		{ "stray CR and LF", "a\rb\nc\r\r\n", 8, 8 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		size_t len = strlen(rows[i].body);

		for (size_t piece = 1; piece <= 9; piece += 4) {
			struct bodylen simple = { .canon = SIGFIELD_SIMPLE };
			struct bodylen relaxed = { .canon = SIGFIELD_RELAXED };

			for (size_t at = 0; at < len; at += piece) {
				size_t left = len - at;

				if (left > piece)
					left = piece;
				bodylen_add(&simple, rows[i].body + at, left);
				bodylen_add(&relaxed, rows[i].body + at, left);
			}
			check_int(rows[i].name, bodylen_total(&simple),
			    rows[i].simple);
			check_int(rows[i].name, bodylen_total(&relaxed),
			    rows[i].relaxed);
		}
	}
}

int
main(void)
{
	test_signatures();
	test_aligned();
	test_fields();
	test_blank_in_name();
	test_body_length();
	return check_done();
}
