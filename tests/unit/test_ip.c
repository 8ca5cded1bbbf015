/* SPDX-License-Identifier: ISC */
#include "common/ip.h"

#include "tests/unit/check.h"

static void
test_parse(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want; /* RFC 5952 text; NULL: refused */
		const char *want_plain;
	} rows[] = {
		{ "IPv4", "192.0.2.1", "192.0.2.1", "192.0.2.1" },
		{ "lowest", "0.0.0.0", "0.0.0.0", "0.0.0.0" },
		{ "highest", "255.255.255.255", "255.255.255.255",
		    "255.255.255.255" },
		{ "byte too large", "192.0.2.256", NULL, NULL },
		{ "far too large", "999.1.1.1", NULL, NULL },
		{ "four digits", "192.0.2.0001", NULL, NULL },
		{ "leading zero", "192.0.02.1", NULL, NULL },
		{ "two zeros", "192.0.00.1", NULL, NULL },
		{ "three numbers", "192.0.2", NULL, NULL },
		{ "five numbers", "192.0.2.1.1", NULL, NULL },
		{ "dot at the end", "192.0.2.1.", NULL, NULL },
		{ "dot in front", ".192.0.2.1", NULL, NULL },
		{ "two dots", "192..2.1", NULL, NULL },
		{ "one number", "3221225985", NULL, NULL },
		{ "hex", "0xc0.0.2.1", NULL, NULL },
		{ "minus", "-1.0.2.1", NULL, NULL },
		{ "blank in front", " 192.0.2.1", NULL, NULL },
		{ "blank behind", "192.0.2.1 ", NULL, NULL },
		{ "line end", "192.0.2.1\n", NULL, NULL },
		{ "empty", "", NULL, NULL },
		{ "unknown", "unknown", NULL, NULL },
		{ "localhost", "localhost", NULL, NULL },
		{ "network", "192.0.2.0/24", NULL, NULL },

		{ "IPv6", "2001:db8::1", "2001:db8::1",
		    "2001:db8:0:0:0:0:0:1" },
		{ "upper case", "2001:DB8::ABCD", "2001:db8::abcd",
		    "2001:db8:0:0:0:0:0:abcd" },
		{ "leading zeros of groups", "2001:0db8:0:0:0:0:0:0001",
		    "2001:db8::1", "2001:db8:0:0:0:0:0:1" },
		{ "any", "::", "::", "0:0:0:0:0:0:0:0" },
		{ "loopback", "::1", "::1", "0:0:0:0:0:0:0:1" },
		{ "zeros at the end",
		    "2001:db8::", "2001:db8::", "2001:db8:0:0:0:0:0:0" },
		{ "first of two equal runs", "2001:db8:0:0:1:0:0:1",
		    "2001:db8::1:0:0:1", "2001:db8:0:0:1:0:0:1" },
		{ "longer run behind", "2001:0:0:1:0:0:0:1", "2001:0:0:1::1",
		    "2001:0:0:1:0:0:0:1" },
		{ "a single zero is not compressed", "2001:db8:0:1:1:1:1:1",
		    "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "a single zero written short", "2001:db8::1:1:1:1:1",
		    "2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1" },
		{ "longest", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
		{ "IPv4 at the end", "64:ff9b::192.0.2.33", "64:ff9b::c000:221",
		    "64:ff9b:0:0:0:0:c000:221" },
		{ "IPv4-compatible stays IPv6", "::192.0.2.1", "::c000:201",
		    "0:0:0:0:0:0:c000:201" },
		{ "seven groups", "1:2:3:4:5:6:7", NULL, NULL },
		{ "nine groups", "1:2:3:4:5:6:7:8:9", NULL, NULL },
		{ "two compressions", "1::2::3", NULL, NULL },
		{ "three colons", "1:::2", NULL, NULL },
		{ "five digits", "2001:db8::00001", NULL, NULL },
		{ "letter", "2001:db8::g", NULL, NULL },
		{ "zone", "fe80::1%eth0", NULL, NULL },
		{ "brackets", "[2001:db8::1]", NULL, NULL },
		{ "Postfix's literal", "IPv6:2001:db8::1", NULL, NULL },
		{ "IPv6 with blank", "::1 ", NULL, NULL },
		{ "colon only", ":", NULL, NULL },
		{ "with a port", "192.0.2.1:25", NULL, NULL },

		/* RFC 4291 section 2.5.5.2 */
		{ "mapped", "::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1" },
		{ "mapped in hex", "::ffff:c000:201", "192.0.2.1",
		    "192.0.2.1" },
		{ "mapped at length", "0:0:0:0:0:FFFF:192.0.2.1", "192.0.2.1",
		    "192.0.2.1" },
		{ "mapped with a leading zero", "::ffff:192.0.02.1", NULL,
		    NULL },
		{ "not quite mapped", "::1:ffff:192.0.2.1", "::1:ffff:c000:201",
		    "0:0:0:0:1:ffff:c000:201" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char text[IP_TEXT_SIZE];
		struct ip ip;
		bool got = ip_parse(rows[i].input, &ip);

		check_bool(rows[i].name, got, rows[i].want != NULL);
		if (!got || rows[i].want == NULL)
			continue;
		check_str(rows[i].name, ip_format(&ip, text), rows[i].want);
		check_str(rows[i].name, ip_format_plain(&ip, text),
		    rows[i].want_plain);
		check_int(rows[i].name, ip.family,
		    strchr(rows[i].want, ':') == NULL ? IP_V4 : IP_V6);
		check_uint(rows[i].name, ip_bits(ip.family),
		    strchr(rows[i].want, ':') == NULL ? 32 : 128);
	}
}

/* The whole struct must be defined, or comparing bytes means nothing. */
static void
test_equal(void)
{
	struct ip a, b;

	memset(&a, 0xaa, sizeof(a));
	memset(&b, 0x55, sizeof(b));
	check_true("parse v4",
	    ip_parse("192.0.2.1", &a) && ip_parse("::ffff:192.0.2.1", &b));
	check_true("mapped and plain are the same", ip_equal(&a, &b));
	check_true("parse another", ip_parse("192.0.2.2", &b));
	check_false("another address", ip_equal(&a, &b));
	check_true("parse v6", ip_parse("c000:201::", &b));
	check_false("the same bytes in the other family", ip_equal(&a, &b));
}

static void
test_mask(void)
{
	static const struct {
		const char *input;
		unsigned prefix;
		const char *want;
	} rows[] = {
		{ "192.0.2.255", 0, "0.0.0.0" },
		{ "255.255.255.255", 1, "128.0.0.0" },
		{ "192.0.2.255", 24, "192.0.2.0" },
		{ "192.0.2.255", 25, "192.0.2.128" },
		{ "192.0.2.255", 31, "192.0.2.254" },
		{ "192.0.2.255", 32, "192.0.2.255" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 0, "::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 64,
		    "ffff:ffff:ffff:ffff::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 61,
		    "ffff:ffff:ffff:fff8::" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 127,
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe" },
		{ "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128,
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char name[64], text[IP_TEXT_SIZE];
		struct ip ip;

		(void)snprintf(name, sizeof(name), "mask %s to %u",
		    rows[i].input, rows[i].prefix);
		if (!check_true(name, ip_parse(rows[i].input, &ip)))
			continue;
		ip_mask(&ip, rows[i].prefix);
		check_str(name, ip_format(&ip, text), rows[i].want);
	}
}

static void
test_net_parse(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want; /* base; NULL: refused */
		unsigned want_prefix;
	} rows[] = {
		{ "network", "192.0.2.0/24", "192.0.2.0", 24 },
		{ "host bits go", "192.0.2.77/24", "192.0.2.0", 24 },
		{ "address alone", "192.0.2.77", "192.0.2.77", 32 },
		{ "everything", "192.0.2.77/0", "0.0.0.0", 0 },
		{ "one address", "192.0.2.77/32", "192.0.2.77", 32 },
		{ "too long", "192.0.2.0/33", NULL, 0 },
		{ "no prefix", "192.0.2.0/", NULL, 0 },
		{ "no address", "/24", NULL, 0 },
		{ "minus", "192.0.2.0/-1", NULL, 0 },
		{ "letter", "192.0.2.0/2a", NULL, 0 },
		{ "netmask", "192.0.2.0/255.255.255.0", NULL, 0 },
		{ "two slashes", "192.0.2.0/24/8", NULL, 0 },
		{ "short form", "192.0.2/24", NULL, 0 },
		{ "blank", "192.0.2.0 /24", NULL, 0 },
		{ "empty", "", NULL, 0 },
		{ "IPv6", "2001:db8::1/32", "2001:db8::", 32 },
		{ "IPv6 alone", "2001:db8::1", "2001:db8::1", 128 },
		{ "IPv6 everything", "::/0", "::", 0 },
		{ "IPv6 too long", "::/129", NULL, 0 },
		{ "mapped", "::ffff:192.0.2.9/120", "192.0.2.0", 24 },
		{ "mapped alone", "::ffff:192.0.2.9", "192.0.2.9", 32 },
		{ "mapped, all of IPv4", "::ffff:0:0/96", "0.0.0.0", 0 },
		{ "mapped, one address", "::ffff:192.0.2.9/128", "192.0.2.9",
		    32 },
		{ "mapped, wider than IPv4", "::ffff:0:0/95", NULL, 0 },
		{ "one byte too long for an address",
		    "0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:00/24", NULL,
		    0 },
		{ "very long text",
		    "0000000000000000000000000000000000000000"
		    "000000000000000000000000/24",
		    NULL, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char text[IP_TEXT_SIZE];
		struct ip_net net;
		bool got = ip_net_parse(rows[i].input, &net);

		check_bool(rows[i].name, got, rows[i].want != NULL);
		if (!got || rows[i].want == NULL)
			continue;
		check_str(
		    rows[i].name, ip_format(&net.base, text), rows[i].want);
		check_uint(rows[i].name, net.prefix, rows[i].want_prefix);
	}
}

static void
test_contains(void)
{
	static const struct {
		const char *net;
		const char *ip;
		bool want;
	} rows[] = {
		{ "192.0.2.0/24", "192.0.2.0", true },
		{ "192.0.2.0/24", "192.0.2.255", true },
		{ "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.128/25", "192.0.2.128", true },
		{ "192.0.2.128/25", "192.0.2.127", false },
		{ "192.0.2.4/30", "192.0.2.7", true },
		{ "192.0.2.4/30", "192.0.2.8", false },
		{ "192.0.2.4", "192.0.2.4", true },
		{ "192.0.2.4", "192.0.2.5", false },
		{ "0.0.0.0/0", "255.1.2.3", true },
		{ "0.0.0.0/0", "::1", false },
		{ "::/0", "2001:db8::1", true },
		{ "::/0", "192.0.2.1", false },
		{ "2001:db8::/61", "2001:db8:0:7::1", true },
		{ "2001:db8::/61", "2001:db8:0:8::1", false },
		{ "2001:db8::1", "2001:db8::1", true },
		{ "2001:db8::1", "2001:db8::2", false },
		{ "192.0.2.0/24", "::ffff:192.0.2.1", true },
		{ "::ffff:192.0.2.0/120", "192.0.2.1", true },
		{ "c000:200::/24", "192.0.2.1", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char name[128];
		struct ip_net net;
		struct ip ip;

		(void)snprintf(
		    name, sizeof(name), "is %s in %s", rows[i].ip, rows[i].net);
		if (check_true(name, ip_net_parse(rows[i].net, &net) &&
					 ip_parse(rows[i].ip, &ip)))
			check_bool(
			    name, ip_net_contains(&net, &ip), rows[i].want);
	}
}

int
main(void)
{
	test_parse();
	test_equal();
	test_mask();
	test_net_parse();
	test_contains();
	return check_done();
}
