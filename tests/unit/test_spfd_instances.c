/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "spfd/instances.h"

static struct instances_key
key_of(const char *instance)
{
	return (struct instances_key){ instance, "192.0.2.1", "helo", "a@b" };
}

/* Remembers findings that are known by a number. */
static void
put(struct instances *instances, const struct instances_key *key, unsigned mark,
    int64_t now_s)
{
	struct findings *findings = findings_new();

	findings->headers_given = mark;
	instances_put(instances, key, &findings, now_s);
	if (findings != NULL)
		check_true("taken over", false);
}

/* The number of what is remembered, 0 when nothing is; it is forgotten. */
static unsigned
take(
    struct instances *instances, const struct instances_key *key, int64_t now_s)
{
	struct findings *findings = instances_take(instances, key, now_s);
	unsigned mark = findings == NULL ? 0 : findings->headers_given;

	findings_free(&findings);
	return mark;
}

static void
test_keys(void)
{
	struct instances *instances = instances_new();
	struct instances_key one = key_of("one"), two = key_of("two");
	struct instances_key other;
	char text[1100] = "";

	put(instances, &one, 1, 0);
	put(instances, &two, 2, 0);
	check_uint("two", instances_count(instances), 2);
	other = one;
	other.client_address = "192.0.2.2";
	check_uint("another client", take(instances, &other, 0), 0);
	other = one;
	other.helo = "helo2";
	check_uint("another HELO", take(instances, &other, 0), 0);
	other = one;
	other.sender = "";
	check_uint("another sender", take(instances, &other, 0), 0);
	other = one;
	other.helo = "";
	other.client_address = "192.0.2.1helo";
	check_uint("the same letters", take(instances, &other, 0), 0);
	check_uint("found", take(instances, &one, 0), 1);
	check_uint("taken out", take(instances, &one, 0), 0);
	put(instances, &two, 3, 0);
	check_uint("replaced", instances_count(instances), 1);
	check_uint("by the later", take(instances, &two, 0), 3);
	one.instance = "";
	put(instances, &one, 4, 0);
	check_uint("no instance", instances_count(instances), 0);
	one.instance = NULL;
	put(instances, &one, 5, 0);
	check_uint("NULL instance", take(instances, &one, 0), 0);
	memset(text, 'x', sizeof(text) - 1);
	one = key_of("one");
	one.sender = text;
	put(instances, &one, 6, 0);
	check_uint("too long a key", instances_count(instances), 0);
	text[900] = '\0';
	put(instances, &one, 7, 0);
	check_uint("long enough", take(instances, &one, 0), 7);
	instances_free(&instances);
	instances_free(&instances);
}

static void
test_bounds(void)
{
	struct instances *instances = instances_new();
	struct instances_key key;
	char text[32];

	for (unsigned i = 0; i < INSTANCES_MAX + 5; i++) {
		/* The first one is used again and again. */
		if (i > 0) {
			key = key_of("0");
			put(instances, &key, take(instances, &key, 0), 0);
		}
		snprintf(text, sizeof(text), "%u", i);
		key = key_of(text);
		put(instances, &key, i + 1, 0);
	}
	check_uint("bound", instances_count(instances), INSTANCES_MAX);
	key = key_of("0");
	check_uint("in use", take(instances, &key, 0), 1);
	key = key_of("1");
	check_uint("the oldest is gone", take(instances, &key, 0), 0);
	key = key_of("5");
	check_uint("the last that had to go", take(instances, &key, 0), 0);
	key = key_of("6");
	check_uint("the oldest that stays", take(instances, &key, 0), 7);
	instances_free(&instances);
}

static void
test_age(void)
{
	struct instances *instances = instances_new();
	struct instances_key one = key_of("one"), two = key_of("two");

	put(instances, &one, 1, 100);
	put(instances, &two, 2, 200);
	check_uint("just in time",
	    take(instances, &one, 100 + INSTANCES_AGE_S - 1), 1);
	check_uint("too old", take(instances, &two, 200 + INSTANCES_AGE_S), 0);
	check_uint("forgotten", instances_count(instances), 0);
	put(instances, &one, 1, 100);
	put(instances, &two, 2, 100 + INSTANCES_AGE_S);
	check_uint("a new one drops the aged", instances_count(instances), 1);
	instances_free(&instances);
}

int
main(void)
{
	test_keys();
	test_bounds();
	test_age();
	return check_done();
}
