/* SPDX-License-Identifier: ISC */
#include "common/memo.h"
#include "common/xmem.h"

#include "tests/unit/check.h"

#define MAX 4
#define AGE_MS 1000

static unsigned freed;

static void
free_value(void *value)
{
	freed++;
	xmem_free(&value);
}

/* Values are numbers. */
static void
put(struct memo *memo, const char *a, const char *b, int value, int64_t now_ms)
{
	const char *texts[] = { a, b };
	int *copy = xmem_alloc(sizeof(*copy));

	*copy = value;
	memo_put(memo, texts, CHECK_COUNT(texts), copy, now_ms);
}

/* 0 when there is none. */
static int
find(struct memo *memo, const char *a, const char *b, int64_t now_ms)
{
	const char *texts[] = { a, b };
	const int *value = memo_find(memo, texts, CHECK_COUNT(texts), now_ms);

	return value != NULL ? *value : 0;
}

/* 0 when there is none. */
static int
take(struct memo *memo, const char *a, const char *b, int64_t now_ms)
{
	const char *texts[] = { a, b };
	int *copy = memo_take(memo, texts, CHECK_COUNT(texts), now_ms);
	int value = copy != NULL ? *copy : 0;

	xmem_free(&copy);
	return value;
}

static void
test_take(struct memo *memo)
{
	put(memo, "a", "", 1, 0);
	put(memo, "b", "", 2, 0);
	put(memo, "c", "", 3, 0);
	freed = 0;
	check_int("taken", take(memo, "b", "", AGE_MS - 1), 2);
	check_uint("not freed", freed, 0);
	check_uint("the others stay", memo_count(memo), 2);
	check_int("once", take(memo, "b", "", 0), 0);
	check_int("by all texts", take(memo, "a", "x", 0), 0);
	check_int("too old", take(memo, "a", "", AGE_MS), 0);
	check_uint("and freed", freed, 1);
	put(memo, "b", "", 4, 0);
	check_int("put back", take(memo, "b", "", 0), 4);
	memo_clear(memo);
}

static void
test_texts(struct memo *memo)
{
	static const struct {
		const char *a, *b;
		int want;
	} rows[] = {
		{ "one", "two", 1 },
		{ "one", "", 2 },
		{ "", "", 3 },
		{ "two", "one", 0 },
		{ "onetwo", "", 0 },
		{ "on", "etwo", 0 },
		{ "", "one", 0 },
		{ "One", "two", 0 },
		{ "one", "two ", 0 },
	};
	const char *one[] = { "one" };

	put(memo, "one", "two", 1, 0);
	put(memo, "one", "", 2, 0);
	put(memo, "", "", 3, 0);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_int(rows[i].a, find(memo, rows[i].a, rows[i].b, 0),
		    rows[i].want);
	check_true("fewer texts", memo_find(memo, one, 1, 0) == NULL);
	put(memo, "one", "two", 4, 0);
	check_int("replaced", find(memo, "one", "two", 0), 4);
	check_uint("not added", memo_count(memo), 3);
	check_uint("the old one is freed", freed, 1);
	memo_clear(memo);
	check_uint("cleared", memo_count(memo), 0);
	check_uint("all freed", freed, 4);
	check_int("and gone", find(memo, "one", "", 0), 0);
}

static void
test_long(struct memo *memo)
{
	char text[MEMO_KEY_MAX + 1];

	memset(text, 'x', sizeof(text));
	text[MEMO_KEY_MAX - 2] = '\0';
	put(memo, text, "", 1, 0);
	check_int("just short enough", find(memo, text, "", 0), 1);
	freed = 0;
	put(memo, text, "y", 2, 0);
	check_uint("too long is freed", freed, 1);
	check_int("and not found", find(memo, text, "y", 0), 0);
	memo_clear(memo);
}

static void
test_bound(struct memo *memo)
{
	static const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	for (int i = 0; i < MAX; i++)
		put(memo, names[i], "", i + 1, 0);
	check_int("used", find(memo, "a", "", 0), 1);
	put(memo, "e", "", 5, 0);
	put(memo, "f", "", 6, 0);
	check_uint("bounded", memo_count(memo), MAX);
	check_int("what was used stays", find(memo, "a", "", 0), 1);
	check_int("the oldest goes", find(memo, "b", "", 0), 0);
	check_int("and the next", find(memo, "c", "", 0), 0);
	check_int("not the one after", find(memo, "d", "", 0), 4);
	put(memo, "d", "", 7, 0);
	check_int("to replace one needs no room", find(memo, "a", "", 0), 1);
	memo_clear(memo);
}

static void
test_age(struct memo *memo)
{
	put(memo, "a", "", 1, 100);
	put(memo, "b", "", 2, 200);
	check_int("just young enough", find(memo, "a", "", 1099), 1);
	check_int("use makes no younger", find(memo, "a", "", 1100), 0);
	check_uint("forgotten", memo_count(memo), 1);
	put(memo, "c", "", 3, 1200);
	check_uint("a new one drops the aged", memo_count(memo), 1);
	check_int("not itself", find(memo, "c", "", 1200), 3);
}

/* Far more than fit, so that chains get long and short again. */
static void
test_churn(void)
{
	struct memo *memo = memo_new(100, AGE_MS, free_value);
	unsigned wrong = 0;
	char text[16];

	for (int i = 1; i <= 5000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		put(memo, text, "x", i, 0);
	}
	check_uint("bounded", memo_count(memo), 100);
	for (int i = 1; i <= 5000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		wrong += find(memo, text, "x", 0) != (i > 4900 ? i : 0);
	}
	check_uint("the last ones are there", wrong, 0);
	memo_free(&memo);
	check_true("set to NULL", memo == NULL);
	memo_free(&memo);
}

int
main(void)
{
	struct memo *memo = memo_new(MAX, AGE_MS, free_value);

	test_texts(memo);
	test_take(memo);
	test_long(memo);
	test_bound(memo);
	test_age(memo);
	freed = 0;
	memo_free(&memo);
	check_uint("freed with the rest", freed, 1);
	test_churn();
	return check_done();
}
