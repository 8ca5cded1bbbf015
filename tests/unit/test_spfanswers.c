/* SPDX-License-Identifier: ISC */
#include "common/spfanswers.h"

#include "tests/unit/check.h"

static void
test_questions(void)
{
	struct spfanswers *answers = spfanswers_new(3);

	check_int("missing",
	    spfanswers_get(answers, "a.org", DNSPACKET_A).status,
	    SPFANSWERS_MISSING);
	check_int("another case, a dot",
	    spfanswers_get(answers, "A.oRg.", DNSPACKET_A).status,
	    SPFANSWERS_MISSING);
	check_uint("are the same", spfanswers_count(answers), 1);
	check_str("its name", spfanswers_name(answers, 0), "a.org");
	check_int("its type", spfanswers_type(answers, 0), DNSPACKET_A);
	spfanswers_get(answers, "a.org", DNSPACKET_MX);
	check_uint("another type", spfanswers_count(answers), 2);
	check_uint("is awaited", spfanswers_awaited(answers), 1);
	spfanswers_want(answers, "b.org", DNSPACKET_A);
	check_uint("only wanted", spfanswers_awaited(answers), 1);
	spfanswers_want(answers, "c.org", DNSPACKET_A);
	check_uint("no room", spfanswers_count(answers), 3);
	check_int("too many",
	    spfanswers_get(answers, "c.org", DNSPACKET_A).status,
	    SPFANSWERS_TOO_MANY);
	check_int("old ones still serve",
	    spfanswers_get(answers, "b.org", DNSPACKET_A).status,
	    SPFANSWERS_MISSING);
	check_uint("and are awaited", spfanswers_awaited(answers), 2);
	spfanswers_free(&answers);
	check_true("freed", answers == NULL);
	spfanswers_free(&answers);
}

static void
test_answers(void)
{
	struct spfanswers *answers = spfanswers_new(100);
	char bytes[] = "a\0b";
	struct dnspacket_record records[2] = {
		{ .data = bytes, .len = 3, .ttl = 60 },
		{ .data = "", .len = 0 },
	};
	struct spfanswers_answer answer = {
		.status = SPFANSWERS_FOUND, .count = 2, .records = records
	};

	spfanswers_get(answers, "a.org", DNSPACKET_TXT);
	spfanswers_put(answers, 0, &answer);
	bytes[0] = 'x';
	/* The table grows; what was handed out stays. */
	answer = spfanswers_get(answers, "a.org", DNSPACKET_TXT);
	for (int i = 0; i < 50; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.org", i);
		spfanswers_get(answers, name, DNSPACKET_A);
	}
	check_int("found", answer.status, SPFANSWERS_FOUND);
	check_uint("both records", answer.count, 2);
	check_mem("bytes are copied", answer.records[0].data,
	    answer.records[0].len, "a\0b", 3);
	check_mem("an empty one", answer.records[1].data, answer.records[1].len,
	    "", 0);
	answer = (struct spfanswers_answer){ .status = SPFANSWERS_NO_NAME };
	spfanswers_put(answers, 50, &answer);
	check_int("no such name",
	    spfanswers_get(answers, "49.org", DNSPACKET_A).status,
	    SPFANSWERS_NO_NAME);
	spfanswers_free(&answers);
}

/* How long all that was given may be kept, and nothing else. */
static void
test_fresh(void)
{
	struct spfanswers *answers = spfanswers_new(3);
	struct spfanswers_answer answer = { .status = SPFANSWERS_NO_NAME };

	for (int i = 0; i < 3; i++) {
		char name[16];

		snprintf(name, sizeof(name), "%d.org", i);
		spfanswers_get(answers, name, DNSPACKET_A);
		answer.fresh_until = 300 - 100 * i;
		spfanswers_put(answers, (size_t)i, &answer);
	}
	check_int(
	    "nothing was given", spfanswers_fresh_until(answers), INT64_MAX);
	spfanswers_get(answers, "3.org", DNSPACKET_A);
	check_int(
	    "no room is no answer", spfanswers_fresh_until(answers), INT64_MAX);
	spfanswers_get(answers, "1.org", DNSPACKET_A);
	check_int("one", spfanswers_fresh_until(answers), 200);
	spfanswers_get(answers, "0.org", DNSPACKET_A);
	check_int("a longer one", spfanswers_fresh_until(answers), 200);
	spfanswers_get(answers, "2.org", DNSPACKET_A);
	check_int("a shorter one", spfanswers_fresh_until(answers), 100);
	spfanswers_free(&answers);
}

int
main(void)
{
	test_questions();
	test_answers();
	test_fresh();
	return check_done();
}
