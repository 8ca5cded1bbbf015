/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/ctl_entry.h"

static const struct {
	const char *key;
	const char *want; /* "network|sender|recipient", NULL = none */
} keys[] = {
	{ "192.0.2.0/a@b/c@d", "192.0.2.0|a@b|c@d" },
	{ "192.0.2.0//c@d", "192.0.2.0||c@d" },
	{ "192.0.2.0//", "192.0.2.0||" },
	{ "192.0.2.1/32/a@b/c@d", "192.0.2.1/32|a@b|c@d" },
	{ "192.0.2.1/32//c@d", "192.0.2.1/32||c@d" },
	{ "192.0.2.1/32/c@d", "192.0.2.1|32|c@d" },
	{ "2001:db8:0:0:0:0:0:1/128/a@b/c", "2001:db8:0:0:0:0:0:1/128|a@b|c" },
	{ "192.0.2.0/a/b@c/d/e@f", "192.0.2.0|a/b@c|d/e@f" },
	{ "192.0.2.0/nobody/c@d", "192.0.2.0|nobody|c@d" },
	{ "192.0.2.0/a@b/", "192.0.2.0|a@b|" },
	{ "192.0.2.0/a@b", NULL },
	{ "192.0.2.0/", NULL },
	{ "192.0.2.0", NULL },
	{ "/a@b/c@d", NULL },
	{ "", NULL },
	{ "0123456789abcdef0123456789abcdef01234567", NULL },
};

#define KEY4 "192.0.2.0/list-#@example.org/bob@example.net"
#define KEY6 "2001:db8:0:1:0:0:0:0//bob@example.net"
#define KEYH "192.0.2.77/32/a@b/c@d"

static const struct {
	const char *name;
	const char *network, *sender, *recipient;
	const char *key;
	bool by_host;
	bool want;
} filters[] = {
	{ "nothing asked", NULL, NULL, NULL, KEY4, false, true },
	{ "its network", "192.0.2.0/24", NULL, NULL, KEY4, false, true },
	{ "a host in it", "192.0.2.9", NULL, NULL, KEY4, false, true },
	{ "the next network", "192.0.3.9", NULL, NULL, KEY4, false, false },
	{ "a wider network", "192.0.0.0/16", NULL, NULL, KEY4, false, true },
	{ "all of IPv6", "::/0", NULL, NULL, KEY4, false, false },
	{ "all of IPv6, IPv6", "::/0", NULL, NULL, KEY6, false, true },
	{ "a host of IPv6", "2001:db8:0:1::5", NULL, NULL, KEY6, false, true },
	{ "its neighbour", "2001:db8:0:2::5", NULL, NULL, KEY6, false, false },
	{ "by host", "192.0.2.77", NULL, NULL, KEYH, true, true },
	{ "by host, another", "192.0.2.78", NULL, NULL, KEYH, true, false },
	{ "by host, the network", "192.0.2.0/24", NULL, NULL, KEYH, true,
	    true },
	{ "the sender, folded", NULL, "List-77@Example.ORG", NULL, KEY4, false,
	    true },
	{ "another sender", NULL, "x@example.org", NULL, KEY4, false, false },
	{ "the null sender", NULL, "<>", NULL, KEY6, false, true },
	{ "not the null sender", NULL, "<>", NULL, KEY4, false, false },
	{ "a domain", NULL, "@example.org", NULL, KEY4, false, true },
	{ "the end of a domain", NULL, "@ample.org", NULL, KEY4, false, false },
	{ "a pattern", NULL, "list-*@*.org", NULL, KEY4, false, true },
	{ "the recipient", NULL, NULL, "BOB@example.net", KEY4, false, true },
	{ "the recipient's domain", NULL, NULL, "@example.net", KEY6, false,
	    true },
	{ "all three", "192.0.2.1", "list-1@example.org", "bob@example.net",
	    KEY4, false, true },
	{ "two of three", "192.0.2.1", "list-1@example.org", "x@example.net",
	    KEY4, false, false },
	{ "what is no key", "192.0.2.1", NULL, NULL, "rubbish", false, false },
};

static const struct {
	const char *text;
	const char *want; /* NULL = refused */
} escaped[] = {
	{ "plain", "plain" },
	{ "a%20b", "a b" },
	{ "%c3%A4", "\xc3\xa4" },
	{ "100%", "100%" },
	{ "%4", "%4" },
	{ "%zz", "%zz" },
	{ "%%41", "%A" },
	{ "a%00b", NULL },
};

static void
test_split(void)
{
	for (size_t i = 0; i < CHECK_COUNT(keys); i++) {
		struct ctl_entry_parts parts;
		char got[200];

		check_bool(keys[i].key,
		    ctl_entry_split(keys[i].key, strlen(keys[i].key), &parts),
		    keys[i].want != NULL);
		snprintf(got, sizeof(got), "%.*s|%.*s|%.*s",
		    (int)parts.network.len, parts.network.text,
		    (int)parts.sender.len, parts.sender.text,
		    (int)parts.recipient.len, parts.recipient.text);
		check_str(keys[i].key, got,
		    keys[i].want != NULL ? keys[i].want : "||");
	}
}

static void
test_filters(void)
{
	static struct ctl_entry_filter filter;
	const struct greylist_entry entry = { .first = 1, .last = 1 };
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(filters); i++) {
		const struct key_config key = {
			.by_host = filters[i].by_host,
			.ipv4_prefix = 24,
			.ipv6_prefix = 64,
		};

		memset(&filter, 0, sizeof(filter));
		filter.network = filters[i].network;
		filter.sender = filters[i].sender;
		filter.recipient = filters[i].recipient;
		check_int(filters[i].name,
		    ctl_entry_filter_init(&filter, &key, &err), 0);
		check_bool(filters[i].name,
		    ctl_entry_filter_match(&filter, filters[i].key,
			strlen(filters[i].key), &entry),
		    filters[i].want);
		/* The walk begins there: a row that is meant has it. */
		if (filters[i].want)
			check_int(filters[i].name,
			    strncmp(filters[i].key, filter.prefix,
				strlen(filter.prefix)),
			    0);
	}
}

static void
test_refused(void)
{
	struct key_config key = { .ipv4_prefix = 24, .ipv6_prefix = 64 };
	struct ctl_entry_filter filter = { .network = "example.org" };
	struct err err;

	check_int("a name is no network",
	    ctl_entry_filter_init(&filter, &key, &err), -1);
	check_contains("a name is no network", err.text, "write 192.0.2.1");
	filter.network = "192.0.2.1";
	key.privacy = true;
	check_int("privacy", ctl_entry_filter_init(&filter, &key, &err), -1);
	check_contains("privacy", err.text, "digests");
	filter.network = NULL;
	filter.pending = true;
	check_int("pending with privacy",
	    ctl_entry_filter_init(&filter, &key, &err), 0);
	filter.passed = true;
	check_int("pending and passed",
	    ctl_entry_filter_init(&filter, &key, &err), -1);
}

static void
test_states(void)
{
	static const struct greylist_policy policy = {
		.delay_s = 300,
		.retry_window_s = 1000,
		.max_age_s = 5000,
	};
	static const struct {
		struct greylist_entry entry;
		int64_t now_s;
		const char *want;
	} rows[] = {
		{ { 10000, 10000, 0 }, 10299, "pending" },
		{ { 10000, 10000, 0 }, 10300, "ready" },
		{ { 10000, 10000, 0 }, 11000, "ready" },
		{ { 10000, 10000, 0 }, 11001, "late" },
		{ { 10000, 10400, 10400 }, 15400, "passed" },
		{ { 10000, 10400, 10400 }, 15401, "expired" },
		{ { 10000, 10400, 1 }, 10401, "passed" },
		{ { INT64_MIN, 0, 0 }, 10000, "late" },
		{ { INT64_MAX, 0, 0 }, 10000, "pending" },
		{ { 0, INT64_MIN, 1 }, 10000, "expired" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_str("state",
		    ctl_entry_state_name(ctl_entry_state(
			&policy, &rows[i].entry, rows[i].now_s)),
		    rows[i].want);
}

int
main(void)
{
	test_split();
	test_filters();
	test_refused();
	test_states();
	for (size_t i = 0; i < CHECK_COUNT(escaped); i++) {
		char text[16];

		memcpy(text, escaped[i].text, strlen(escaped[i].text) + 1);
		check_bool(escaped[i].text, ctl_entry_unescape(text),
		    escaped[i].want != NULL);
		if (escaped[i].want != NULL)
			check_str(escaped[i].text, text, escaped[i].want);
	}
	check_true(
	    "a digest", ctl_entry_is_digest(
			    "0123456789abcdef0123456789abcdef01234567", 40));
	check_false(
	    "upper case", ctl_entry_is_digest(
			      "0123456789ABCDEF0123456789abcdef01234567", 40));
	check_false("a short one", ctl_entry_is_digest("0123", 4));
	return check_done();
}
