/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/instances.h"

static bool
is_first(struct instances *instances, unsigned number)
{
	char text[32];

	snprintf(text, sizeof(text), "1f3.%x.0", number);
	return instances_is_first(instances, text);
}

/* As many as are remembered, several times around the ring. */
static void
test_ring(struct instances *instances)
{
	unsigned wrong = 0;

	for (unsigned i = 0; i < 3 * INSTANCES_MAX; i++)
		wrong += !is_first(instances, i);
	check_uint("each of many is new", wrong, 0);
	for (unsigned i = 2 * INSTANCES_MAX; i < 3 * INSTANCES_MAX; i++)
		wrong += is_first(instances, i);
	check_uint("the last ones are remembered", wrong, 0);
	check_true("the one before is forgotten",
	    is_first(instances, 2 * INSTANCES_MAX - 1));
	check_true("to make room for it, so is the oldest",
	    is_first(instances, 2 * INSTANCES_MAX));
	check_false("its neighbour's neighbour is not",
	    is_first(instances, 2 * INSTANCES_MAX + 2));
}

int
main(void)
{
	struct instances *instances = instances_new();

	check_true("the first time", instances_is_first(instances, "a.1"));
	check_false("the second", instances_is_first(instances, "a.1"));
	check_true("another", instances_is_first(instances, "a.2"));
	check_false("the first again", instances_is_first(instances, "a.1"));
	check_true("none", instances_is_first(instances, NULL));
	check_true("none again", instances_is_first(instances, NULL));
	check_true("empty", instances_is_first(instances, ""));
	check_true("empty again", instances_is_first(instances, ""));
	test_ring(instances);
	instances_free(&instances);
	check_true("set to NULL", instances == NULL);
	instances_free(&instances);
	return check_done();
}
