/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "spfd/lists.h"

static const struct {
	const char *name, *text, *address;
	bool valid, want;
} nets[] = {
	{ "empty", "", "192.0.2.1", true, false },
	{ "only separators", " ,, ", "192.0.2.1", true, false },
	{ "None", "None", "192.0.2.1", true, false },
	{ "address", "192.0.2.1", "192.0.2.1", true, true },
	{ "another", "192.0.2.1", "192.0.2.2", true, false },
	{ "network", "192.0.2.0/24", "192.0.2.255", true, true },
	{ "blanks", " 10.0.0.0/8 ,\t192.0.2.0/24 ", "192.0.2.1", true, true },
	{ "blanks only", "10.0.0.0/8 192.0.2.0/24", "192.0.2.1", true, true },
	{ "host bits", "192.0.2.77/24", "192.0.2.1", true, true },
	{ "IPv6", "2001:db8::/32", "2001:db8:1::1", true, true },
	{ "mapped network", "::ffff:127.0.0.0/104", "127.1.2.3", true, true },
	{ "mapped client", "127.0.0.0/8", "::ffff:127.1.2.3", true, true },
	{ "other family", "0.0.0.0/0", "2001:db8::1", true, false },
	{ "no number", "192.0.2.x", "192.0.2.1", false, false },
	{ "prefix too long", "192.0.2.0/33", "192.0.2.1", false, false },
	{ "name", "example.org", "192.0.2.1", false, false },
	{ "one of several", "10.0.0.0/8,x", "10.0.0.1", false, true },
};

static const struct {
	const char *name, *text, *query;
	bool valid, has, covers;
} names[] = {
	{ "empty", "", "example.org", true, false, false },
	{ "None", "None", "none", true, false, false },
	{ "the same", "example.org", "example.org", true, true, true },
	{ "case", "Example.ORG", "eXample.oRg", true, true, true },
	{ "dot in the list", "example.org.", "example.org", true, true, true },
	{ "dot in the name", "example.org", "example.org.", true, true, true },
	{ "below", "example.org", "a.example.org", true, false, true },
	{ "below with dot", "example.org", "a.example.org.", true, false,
	    true },
	{ "end of a label", "example.org", "badexample.org", true, false,
	    false },
	{ "above", "a.example.org", "example.org", true, false, false },
	{ "several", "a.example, b.example ,c.example", "c.example", true, true,
	    true },
	{ "no name", "example.org", "", true, false, false },
	{ "a dot", "example.org", ".", true, false, false },
	{ "dot before", "example.org", ".example.org", true, false, true },
	{ "underscore", "_spf.example.org", "_spf.example.org", true, true,
	    true },
	{ "only a dot", ".", "x", false, false, false },
	{ "empty label", "a..b", "x", false, false, false },
	{ "starts with a dot", ".a", "x", false, false, false },
	{ "odd sign", "a/b", "x", false, false, false },
	{ "long label",
	    "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeef"
	    "fffffffffgggg.example",
	    "x", false, false, false },
};

static void
test_nets(void)
{
	for (size_t i = 0; i < CHECK_COUNT(nets); i++) {
		char text[128];
		char *items[] = { text };
		struct config_list texts = { items, 1 };
		struct lists_nets list;
		struct err err;
		struct ip ip;

		snprintf(text, sizeof(text), "%s", nets[i].text);
		list = lists_nets(&texts);
		check_bool(nets[i].name, lists_check_nets(text, &err) == 0,
		    nets[i].valid);
		check_bool(nets[i].name,
		    ip_parse(nets[i].address, &ip) && lists_has_ip(&list, &ip),
		    nets[i].want);
		lists_free_nets(&list);
		check_uint("freed", list.count, 0);
	}
}

static void
test_names(void)
{
	for (size_t i = 0; i < CHECK_COUNT(names); i++) {
		char text[128];
		char *items[] = { text };
		struct config_list texts = { items, 1 };
		struct lists_names list;
		struct err err;

		snprintf(text, sizeof(text), "%s", names[i].text);
		list = lists_names(&texts);
		check_bool(names[i].name, lists_check_names(text, &err) == 0,
		    names[i].valid);
		check_bool(names[i].name, lists_has_name(&list, names[i].query),
		    names[i].has);
		check_bool(names[i].name,
		    lists_covers_name(&list, names[i].query), names[i].covers);
		lists_free_names(&list);
	}
}

int
main(void)
{
	struct err err;

	test_nets();
	test_names();
	lists_check_nets("192.0.2.1, moo", &err);
	check_str("sentence", err.text,
	    "\"moo\" is no address or network; "
	    "write 192.0.2.0/24, 2001:db8::/32");
	return check_done();
}
