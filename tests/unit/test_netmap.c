/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/netmap.h"

static const char *const nets[] = {
	"192.0.2.0/24",
	"192.0.2.64/26",
	"192.0.2.77/32",
	"10.0.0.0/8",
	"2001:db8::/32",
	"2001:db8::1/128",
	"::/0",
};

static const struct {
	const char *address;
	int want; /* index, -1: none */
	int but;  /* one that does not count, -1: all do */
} rows[] = {
	{ "192.0.2.1", 0, -1 },
	{ "192.0.2.65", 1, -1 },
	{ "192.0.2.77", 2, -1 },
	{ "192.0.2.77", 1, 2 },
	{ "192.0.2.65", 0, 1 },
	{ "192.0.2.1", -1, 0 },
	{ "10.255.0.1", 3, -1 },
	{ "11.0.0.0", -1, -1 },
	{ "2001:db8::1", 5, -1 },
	{ "2001:db8::2", 4, -1 },
	{ "2001:db9::", 6, -1 },
	{ "::ffff:10.0.0.1", 3, -1 },
	{ "::", 6, -1 },
	{ "0.0.0.0", -1, -1 },
};

static bool
is_not(const void *value, const void *arg)
{
	return value != arg;
}

int
main(void)
{
	struct netmap *map = netmap_new();
	int values[CHECK_COUNT(nets)];
	struct ip_net net;
	struct ip ip;

	check_true("empty", ip_parse("192.0.2.1", &ip) &&
				netmap_find(map, &ip, NULL, NULL) == NULL);
	for (size_t i = 0; i < CHECK_COUNT(nets); i++)
		check_true(
		    nets[i], ip_net_parse(nets[i], &net) &&
				 netmap_put(map, &net, &values[i]) == NULL);
	check_uint("count", netmap_count(map), CHECK_COUNT(nets));
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const int *got = NULL;

		if (ip_parse(rows[i].address, &ip))
			got = netmap_find(map, &ip,
			    rows[i].but < 0 ? NULL : is_not,
			    rows[i].but < 0 ? NULL : &values[rows[i].but]);
		check_int(rows[i].address, got == NULL ? -1 : got - values,
		    rows[i].want);
	}
	check_true(
	    "replaced", ip_net_parse(nets[3], &net) &&
			    netmap_put(map, &net, &values[0]) == &values[3]);
	check_uint("count", netmap_count(map), CHECK_COUNT(nets));
	netmap_free(&map);
	check_true("set to NULL", map == NULL);
	netmap_free(&map);
	return check_done();
}
