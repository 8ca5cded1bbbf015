/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/rules.h"

#define NOW 1800000000

static const struct {
	const char *name;
	enum rules_kind kind;
	const char *value;
	const char *want; /* NULL: refused ... */
	const char *says; /* ... with this in the sentence */
} values[] = {
	{ "host", RULES_CLIENT, "MX.Example.ORG", "mx.example.org", NULL },
	{ "host, dots", RULES_CLIENT, ".example.org.", "example.org", NULL },
	{ "address", RULES_CLIENT, "192.0.2.1", "192.0.2.1", NULL },
	{ "IPv6", RULES_CLIENT, "2001:DB8:0:0::1", "2001:db8::1", NULL },
	{ "mapped", RULES_CLIENT, "::ffff:192.0.2.1", "192.0.2.1", NULL },
	{ "network as client", RULES_CLIENT, "192.0.2.0/24", NULL,
	    "use the kind \"network\"" },
	{ "broken address", RULES_CLIENT, "192.0.2.300", NULL,
	    "write it as in 192.0.2.1" },
	{ "broken IPv6", RULES_CLIENT, "2001:db8", NULL, "not an address" },
	{ "mail address as client", RULES_CLIENT, "a@b", NULL,
	    "write it as in mx.example.org" },
	{ "no host", RULES_CLIENT, "", NULL, "not a" },
	{ "only dots", RULES_CLIENT, "..", NULL, "not a" },
	{ "blank in a name", RULES_CLIENT, "a b", NULL, "not a name" },

	{ "network", RULES_NETWORK, "192.0.2.9/24", "192.0.2.0/24", NULL },
	{ "one address", RULES_NETWORK, "192.0.2.9", "192.0.2.9/32", NULL },
	{ "IPv6 network", RULES_NETWORK, "2001:DB8:1::/32", "2001:db8::/32",
	    NULL },
	{ "prefix too long", RULES_NETWORK, "192.0.2.0/33", NULL,
	    "write it as in 192.0.2.0/24" },
	{ "no network", RULES_NETWORK, "example.org", NULL, "not a network" },

	{ "domain", RULES_DOMAIN, "Example.ORG.", "example.org", NULL },
	{ "domain with @", RULES_DOMAIN, "@example.org", "example.org", NULL },
	{ "domain in UTF-8", RULES_DOMAIN,
	    "b\xc3\xbc"
	    "cher.example",
	    "b\xc3\xbc"
	    "cher.example",
	    NULL },
	{ "address as domain", RULES_DOMAIN, "a@example.org", NULL,
	    "not a name" },
	{ "no domain", RULES_DOMAIN, "@", NULL, "not a name" },

	{ "sender", RULES_SENDER, "Joe+X@Example.ORG", "joe+x@example.org",
	    NULL },
	{ "in brackets", RULES_SENDER, "<a@b.org>", "a@b.org", NULL },
	{ "brackets and a dot", RULES_SENDER, "<a@b.org>.", NULL,
	    "not an address" },
	{ "null sender", RULES_SENDER, "<>", "<>", NULL },
	{ "empty", RULES_SENDER, "", "<>", NULL },
	{ "no @", RULES_SENDER, "joe", NULL, "write it as in user@" },
	{ "no user", RULES_SENDER, "@b.org", NULL, "not an address" },
	{ "no domain", RULES_SENDER, "a@", NULL, "not an address" },
	{ "only dots behind", RULES_SENDER, "a@..", NULL, "not an address" },
	{ "trailing dot", RULES_SENDER, "a@b.org.", "a@b.org", NULL },
	{ "leading dot", RULES_SENDER, ".a@b.org", NULL, "not an address" },
	{ "blank", RULES_SENDER, "a b@c", NULL, "not an address" },
	{ "two @", RULES_SENDER, "\"a@b\"@c.org", "\"a@b\"@c.org", NULL },
	{ "recipient", RULES_RECIPIENT, "A@B.org", "a@b.org", NULL },
	{ "no recipient", RULES_RECIPIENT, "", NULL, "not an address" },
	{ "null recipient", RULES_RECIPIENT, "<>", NULL, "not an address" },
};

static void
test_values(void)
{
	char out[RULES_VALUE_SIZE], again[RULES_VALUE_SIZE], text[1000];
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(values); i++) {
		int status;

		err.text[0] = '\0';
		status =
		    rules_canonical(values[i].kind, values[i].value, out, &err);
		check_str(
		    values[i].name, status == 0 ? out : NULL, values[i].want);
		if (values[i].want == NULL) {
			check_contains("says", err.text, values[i].says);
			continue;
		}
		check_int("canonical",
		    rules_canonical(values[i].kind, out, again, &err), 0);
		check_str("stays so", again, out);
	}
	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	text[1] = '@';
	for (unsigned i = 0; i < RULES_KIND_COUNT; i++)
		check_int("too long",
		    rules_canonical((enum rules_kind)i, text, out, &err), -1);
	text[RULES_VALUE_SIZE - 1] = '\0';
	check_int(
	    "the longest", rules_canonical(RULES_SENDER, text, out, &err), 0);
}

static void
test_names(void)
{
	enum rules_kind kind = RULES_CLIENT;
	enum rules_action action = RULES_NONE;

	for (unsigned i = 0; i < RULES_KIND_COUNT; i++) {
		const char *name = rules_kind_name((enum rules_kind)i);

		check_true(name, rules_kind_parse(name, &kind));
		check_int("kind", kind, i);
	}
	check_true("case", rules_kind_parse("SeNder", &kind));
	check_false("no kind", rules_kind_parse("host", &kind));
	check_str("allow", rules_action_name(RULES_ALLOW), "allow");
	check_str("block", rules_action_name(RULES_BLOCK), "block");
	check_true("Allow", rules_action_parse("Allow", &action));
	check_int("action", action, RULES_ALLOW);
	check_true("BLOCK", rules_action_parse("BLOCK", &action));
	check_int("action", action, RULES_BLOCK);
	check_false("none", rules_action_parse("none", &action));
}

static const struct {
	enum rules_kind kind;
	const char *value;
	enum rules_action action;
	int64_t expires;
	const char *comment;
} set[] = {
	{ RULES_CLIENT, "example.org", RULES_ALLOW, 0, "friends" },
	{ RULES_CLIENT, "bad.example.org", RULES_BLOCK, 0, "not this one" },
	{ RULES_CLIENT, "old.bad.example.org", RULES_ALLOW, NOW, "expired" },
	{ RULES_CLIENT, "192.0.2.77", RULES_ALLOW, 0, "one host" },
	{ RULES_NETWORK, "192.0.2.0/24", RULES_BLOCK, 0, "net" },
	{ RULES_NETWORK, "192.0.2.64/26", RULES_ALLOW, 0, "smaller net" },
	{ RULES_NETWORK, "192.0.2.96/28", RULES_BLOCK, NOW - 1, "over" },
	{ RULES_NETWORK, "2001:db8::/32", RULES_ALLOW, NOW + 1, "IPv6" },
	{ RULES_DOMAIN, "spam.example", RULES_BLOCK, 0, "domain" },
	{ RULES_DOMAIN, "ham.spam.example", RULES_ALLOW, 0, "" },
	{ RULES_SENDER, "a@b.example", RULES_ALLOW, 0, "sender" },
	{ RULES_SENDER, "<>", RULES_BLOCK, 0, "bounces" },
	{ RULES_SENDER, "twice@b.example", RULES_ALLOW, 0, "first" },
	{ RULES_SENDER, "twice@b.example", RULES_BLOCK, 0, "second" },
	{ RULES_SENDER, "gone@b.example", RULES_BLOCK, NOW - 9, "gone" },
	{ RULES_RECIPIENT, "c@d.example", RULES_ALLOW, 0, "recipient" },
	{ RULES_RECIPIENT, "e@d.example", RULES_BLOCK, 0, "closed" },
};

static const struct {
	const char *name;
	const char *address; /* NULL: none */
	const char *client_name, *sender, *recipient;
	enum rules_action want;
	const char *comment;
} rows[] = {
	{ "nothing fits", "203.0.113.1", "x.example", "x@y", "x@y", RULES_NONE,
	    "" },
	{ "all empty", NULL, "", "x", "", RULES_NONE, "" },
	{ "client", NULL, "example.org", "x", "", RULES_ALLOW, "friends" },
	{ "client below", NULL, "MX.Example.org.", "x", "", RULES_ALLOW,
	    "friends" },
	{ "a more specific client", NULL, "x.bad.example.org", "x", "",
	    RULES_BLOCK, "not this one" },
	{ "an expired one does not count", NULL, "old.bad.example.org", "x", "",
	    RULES_BLOCK, "not this one" },
	{ "network", "192.0.2.5", "", "x", "", RULES_BLOCK, "net" },
	{ "a smaller network", "192.0.2.65", "", "x", "", RULES_ALLOW,
	    "smaller net" },
	{ "an expired network", "192.0.2.97", "", "x", "", RULES_ALLOW,
	    "smaller net" },
	{ "address before name", "192.0.2.77", "bad.example.org", "x", "",
	    RULES_ALLOW, "one host" },
	{ "IPv6, expires in a second", "2001:db8:ffff::1", "", "x", "",
	    RULES_ALLOW, "IPv6" },
	{ "mapped", "::ffff:192.0.2.5", "", "x", "", RULES_BLOCK, "net" },
	{ "domain", NULL, "", "x@spam.example", "", RULES_BLOCK, "domain" },
	{ "domain below", NULL, "", "x@a.SPAM.example", "", RULES_BLOCK,
	    "domain" },
	{ "the exception, without a comment", NULL, "", "x@ham.spam.example",
	    "", RULES_ALLOW, "" },
	{ "sender", NULL, "", "A@B.Example.", "", RULES_ALLOW, "sender" },
	{ "null sender", NULL, "", "", "", RULES_BLOCK, "bounces" },
	{ "the later rule of two", NULL, "", "twice@b.example", "", RULES_BLOCK,
	    "second" },
	{ "expired sender", NULL, "", "gone@b.example", "", RULES_NONE, "" },
	{ "recipient", NULL, "", "x", "C@d.example", RULES_ALLOW, "recipient" },
	{ "block wins over allow", NULL, "example.org", "a@b.example",
	    "e@d.example", RULES_BLOCK, "closed" },
	{ "wherever it stands", "192.0.2.5", "example.org", "a@b.example",
	    "c@d.example", RULES_BLOCK, "net" },
	{ "the first of two allows", NULL, "example.org", "a@b.example", "",
	    RULES_ALLOW, "friends" },
};

static void
test_matching(void)
{
	struct rules *rules = rules_new();
	char text[900];
	const char *comment;

	for (size_t i = 0; i < CHECK_COUNT(set); i++)
		check_true(set[i].value,
		    rules_add(rules, set[i].kind, set[i].value, set[i].action,
			set[i].expires, set[i].comment));
	check_false("not canonical",
	    rules_add(rules, RULES_CLIENT, "A.b", RULES_ALLOW, 0, ""));
	check_false("no action",
	    rules_add(rules, RULES_CLIENT, "a.b", RULES_NONE, 0, ""));
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct ip ip;
		struct rules_subject subject = { NULL, rows[i].client_name,
			rows[i].sender, rows[i].recipient };

		if (rows[i].address != NULL && ip_parse(rows[i].address, &ip))
			subject.ip = &ip;
		check_int(rows[i].name,
		    rules_match(rules, &subject, NOW, &comment), rows[i].want);
		check_str("comment", comment, rows[i].comment);
	}
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	check_int("long texts",
	    rules_match(rules,
		&(struct rules_subject){ NULL, text, text, text }, NOW, NULL),
	    RULES_NONE);
	text[3] = '@';
	check_int("long domain",
	    rules_match(rules, &(struct rules_subject){ NULL, "", text, text },
		NOW, NULL),
	    RULES_NONE);
	rules_free(&rules);
	check_true("set to NULL", rules == NULL);
	rules_free(&rules);
}

int
main(void)
{
	struct rules *empty = rules_new();
	const struct rules_subject subject = { NULL, "a", "", "b@c" };

	check_int(
	    "no rules", rules_match(empty, &subject, NOW, NULL), RULES_NONE);
	rules_free(&empty);
	test_names();
	test_values();
	test_matching();
	return check_done();
}
