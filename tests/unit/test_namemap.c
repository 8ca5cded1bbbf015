/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/namemap.h"

static int values[8];

static bool
is_not(const void *value, const void *arg)
{
	return value != arg;
}

static const struct {
	const char *name;
	const char *subject;
	int want; /* index, -1: none */
	int but;  /* a value that does not count, -1: all do */
} rows[] = {
	{ "itself", "example.org", 0, -1 },
	{ "below", "x.y.example.org", 0, -1 },
	{ "the longest", "mx.example.org", 1, -1 },
	{ "below the longest", "a.mx.example.org", 1, -1 },
	{ "the longest that counts", "a.mx.example.org", 0, 1 },
	{ "none counts but the top", "example.org", 2, 0 },
	{ "top", "a.b.org", 2, -1 },
	{ "part of a label", "xorg", -1, -1 },
	{ "case matters", "example.ORG", -1, -1 },
	{ "leading dot", ".org", 2, -1 },
	{ "trailing dot", "org.", -1, -1 },
	{ "nothing", "", -1, -1 },
	{ "only dots", "...", -1, -1 },
};

static void
test_suffixes(void)
{
	struct namemap *map = namemap_new();

	check_true("empty", namemap_suffix(map, "org", 3, NULL, NULL) == NULL);
	namemap_put(map, "example.org", 11, &values[0]);
	namemap_put(map, "mx.example.org", 14, &values[1]);
	namemap_put(map, "org", 3, &values[2]);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const int *got = namemap_suffix(map, rows[i].subject,
		    strlen(rows[i].subject), rows[i].but < 0 ? NULL : is_not,
		    rows[i].but < 0 ? NULL : &values[rows[i].but]);

		check_int(rows[i].name, got == NULL ? -1 : got - values,
		    rows[i].want);
	}
	namemap_free(&map);
	check_true("set to NULL", map == NULL);
	namemap_free(&map);
}

/* Enough to grow several times; keys with NUL bytes and without any. */
static void
test_many(void)
{
	struct namemap *map = namemap_new();
	unsigned wrong = 0;

	for (unsigned i = 0; i < 5000; i++)
		wrong += namemap_put(map, (const char *)&i, sizeof(i),
			     &values[i % 8]) != NULL;
	check_uint("none was there", wrong, 0);
	check_uint("count", namemap_count(map), 5000);
	for (unsigned i = 0; i < 5000; i++)
		wrong += namemap_get(map, (const char *)&i, sizeof(i)) !=
			 &values[i % 8];
	for (unsigned i = 5000; i < 9000; i++)
		wrong += namemap_get(map, (const char *)&i, sizeof(i)) != NULL;
	check_uint("all found, nothing else", wrong, 0);
	check_true("empty key", namemap_put(map, "", 0, &values[3]) == NULL);
	check_true("found", namemap_get(map, "", 0) == &values[3]);
	check_true(
	    "replaced", namemap_put(map, "", 0, &values[4]) == &values[3]);
	check_true("found", namemap_get(map, "", 0) == &values[4]);
	check_uint("count", namemap_count(map), 5001);
	namemap_free(&map);
}

int
main(void)
{
	test_suffixes();
	test_many();
	return check_done();
}
