/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/rcptmap.h"

static const char *const patterns[] = {
	"joe@example.org",
	"joe+x@example.org",
	"joe@",
	"example.org",
	".Sub.Example.org.",
	"\"a@b\"@example.org",
};

static const struct {
	const char *address;
	int want; /* index, -1: none */
} rows[] = {
	{ "joe@example.org", 0 },
	{ "JOE@example.org.", 0 },
	{ "joe+y@example.org", 0 },
	{ "joe+x@example.org", 1 },
	{ "joe+x+y@example.org", 1 },
	{ "joe+1+2+3+4+5+6+7@example.org", 0 },
	/* Eight plus signs are as far as it looks. */
	{ "joe+1+2+3+4+5+6+7+8+9@example.org", 3 },
	{ "joe+@example.org", 3 },
	{ "joe+x@sub.example.org", 2 },
	{ "joe@elsewhere", 2 },
	{ "jane@example.org", 3 },
	{ "jane@a.sub.example.org", 4 },
	{ "\"A@b\"@example.org", 5 },
	{ "jane@elsewhere", -1 },
	{ "example.org", -1 },
	{ "@example.org", 3 },
	{ "+x@example.org", 3 },
	{ "+@+", -1 },
	{ "@", -1 },
	{ "", -1 },
	{ "joe@", 2 },
};

static const char *const bad[] = {
	"",
	".",
	"@",
	"@example.org",
	"joe @example.org",
	"joe@exam\tple",
	"a/b",
	"/joe",
};

int
main(void)
{
	struct rcptmap *map = rcptmap_new();
	char text[2000];
	int values[CHECK_COUNT(patterns)];
	struct err err;
	void *before = &err;

	check_true("empty", rcptmap_find(map, "a@b") == NULL);
	for (size_t i = 0; i < CHECK_COUNT(patterns); i++) {
		check_int(patterns[i],
		    rcptmap_put(map, patterns[i], &values[i], &before, &err),
		    0);
		check_true("new", before == NULL);
	}
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const int *got = rcptmap_find(map, rows[i].address);

		check_int(rows[i].address, got == NULL ? -1 : got - values,
		    rows[i].want);
	}
	for (size_t i = 0; i < CHECK_COUNT(bad); i++)
		check_int(bad[i],
		    rcptmap_put(map, bad[i], &values[0], NULL, &err), -1);
	check_int("again",
	    rcptmap_put(map, "Example.ORG", &values[0], &before, &err), 0);
	check_true("what it was", before == &values[3]);
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	check_int(
	    "too long", rcptmap_put(map, text, &values[0], NULL, &err), -1);
	memcpy(text + sizeof(text) - 13, "@example.org", 13);
	check_true("no such address", rcptmap_find(map, text) == NULL);
	check_true("the longest",
	    rcptmap_find(map, text + sizeof(text) - 1 - 512) == &values[0]);
	rcptmap_free(&map);
	check_true("set to NULL", map == NULL);
	rcptmap_free(&map);
	return check_done();
}
