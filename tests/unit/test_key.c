/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "greylistd/key.h"

static const struct {
	const char *name;
	const char *sender;
	const char *postgrey;
	const char *all;
} senders[] = {
	{ "plain", "Joe@Example.ORG", "joe@example.org", "joe@example.org" },
	{ "null sender", "", "", "" },
	{ "no @: nothing folds", "A1+b 12 77", "a1+b 12 77", "a1+b 12 77" },
	{ "the first @ counts", "a+b@c+d@12", "a@c+d@12", "a@c+d@12" },
	{ "empty local part", "@example.org", "@example.org", "@example.org" },
	{ "empty domain", "a-1@", "a-#@", "a-#@" },
	{ "extension", "joe+list-17@x.org", "joe@x.org", "joe@x.org" },
	{ "only an extension", "+x@y", "@y", "@y" },
	{ "VERP numbers", "bounce-123-45@x", "bounce-#-#@x", "bounce-#-#@x" },
	{ "a number at each end", "1.a.22@x", "#.a.#@x", "#.a.#@x" },
	{ "digits within a word stay", "a1-_2-3b@x", "a1-_2-3b@x",
	    "a1-_2-3b@x" },
	{ "8-bit bytes end words",
	    "\xc3\xa4"
	    "12\xff@x",
	    "\xc3\xa4#\xff@x", "\xc3\xa4#\xff@x" },
	{ "numbers of the domain stay", "a@1.example", "a@1.example",
	    "a@1.example" },

	{ "BATV", "prvs=0123abcdef=joe@x", "joe@x", "joe@x" },
	{ "BATV, tag behind", "prvs=joe=0123abcdef@x", "joe@x", "joe@x" },
	{ "BATV, any tag behind", "prvs=joe=tagtagtagt@x", "joe@x", "joe@x" },
	{ "BATV, long name, tag behind", "prvs=christopher=0123abcdef@x",
	    "0123abcdef@x", "christopher@x" },
	{ "BATV, short tag", "prvs=abc=joe@x", "joe@x", "joe@x" },
	{ "BATV, neither is a tag", "prvs=a=b@x", "b@x", "b@x" },
	{ "BATV, empty tag", "prvs==b@x", "b@x", "b@x" },
	{ "BATV, empty rest", "prvs=abc=@x", "prvs=abc=@x", "prvs=abc=@x" },
	{ "BATV, empty fields at the end", "prvs=a=b==@x", "b@x", "b@x" },
	{ "BATV, nothing in it", "prvs===@x", "prvs===@x", "prvs===@x" },
	{ "BATV, just the word", "prvs=@x", "prvs=@x", "prvs=@x" },
	{ "BATV in capitals", "PRVS=0123ABCDEF=joe@x", "prvs=0123abcdef=joe@x",
	    "joe@x" },
	{ "BATV of a name with =", "prvs=0123abcdef=joe=y.org@x",
	    "prvs=0123abcdef=joe=y.org@x", "joe=y.org@x" },
	{ "BATV, three fields without a tag", "prvs=a=b=c@x", "prvs=a=b=c@x",
	    "prvs=a=b=c@x" },
	{ "BATV, old form", "prvs=joe/0123abcdef@x", "prvs=joe/0123abcdef@x",
	    "joe@x" },
	{ "BATV, old form without a tag", "prvs=joe/x@x", "prvs=joe/x@x",
	    "prvs=joe/x@x" },
	{ "BATV, then an extension", "prvs=0123abcdef=joe+x@x", "joe@x",
	    "joe@x" },
	{ "BATV in BATV", "prvs=0123abcdef=prvs=0456abcdef=joe@x",
	    "prvs=0123abcdef=prvs=0456abcdef=joe@x", "joe@x" },
	{ "BATV, its end cut off with the extension", "prvs=a=b+c=d@x",
	    "prvs=a=b@x", "b@x" },
	{ "a tag that was folded before", "prvs=#=a=b@x", "prvs=#=a=b@x",
	    "a=b@x" },
	{ "Barracuda", "btv1==0123ab==joe@x", "btv1==0123ab==joe@x", "joe@x" },
	{ "Barracuda, no name", "btv1==0123ab==@x", "btv1==0123ab==@x",
	    "btv1==0123ab==@x" },
	{ "Barracuda, one =", "btv1==0123ab=joe@x", "btv1==0123ab=joe@x",
	    "btv1==0123ab=joe@x" },
	{ "Message Systems", "msprvs1=17000xyz=bounces-5@x",
	    "msprvs1=17000xyz=bounces-#@x", "bounces-#@x" },
	{ "Message Systems, no name", "msprvs1=17000xyz=@x",
	    "msprvs1=17000xyz=@x", "msprvs1=17000xyz=@x" },

	{ "SRS0", "SRS0=HaSh=4T=example.org=joe@x",
	    "srs0=hash=4t=example.org=joe@x", "srs0=#=#=example.org=joe@x" },
	{ "SRS0, hash with + and /", "SRS0=H+/h=4T=y.org=joe@x", "srs0=h@x",
	    "srs0=#=#=y.org=joe@x" },
	{ "SRS0, other separators", "SRS0-Hash=4T=y.org=joe@x",
	    "srs0-hash=4t=y.org=joe@x", "srs0=#=#=y.org=joe@x" },
	{ "SRS0 of a name with =", "SRS0=Hash=4T=y.org=a=b=@x",
	    "srs0=hash=4t=y.org=a=b=@x", "srs0=#=#=y.org=a=b=@x" },
	{ "SRS0, no time", "SRS0=Hash==y.org=joe@x", "srs0=hash==y.org=joe@x",
	    "srs0=hash==y.org=joe@x" },
	{ "SRS0, long time", "SRS0=a=bcdef=y.org@x", "srs0=a=bcdef=y.org@x",
	    "srs0=a=bcdef=y.org@x" },
	{ "SRS0, cut short", "SRS0=a=bc=@x", "srs0=a=bc=@x", "srs0=a=bc=@x" },
	{ "SRS0, only its name", "SRS0=@x", "srs0=@x", "srs0=@x" },
	{ "SRS1", "SRS1=Hash=fw.example==HaSh=4T=y.org=joe@x",
	    "srs1=hash=fw.example==hash=4t=y.org=joe@x",
	    "srs1=#=fw.example==#=#=y.org=joe@x" },
	{ "SRS1 of SRS0-", "SRS1=Hash=fw.example=-HaSh=4T=y.org=joe@x",
	    "srs1=hash=fw.example=-hash=4t=y.org=joe@x",
	    "srs1=#=fw.example==#=#=y.org=joe@x" },
	{ "SRS1 without the second stamp", "SRS1=Hash=fw.example==y.org@x",
	    "srs1=hash=fw.example==y.org@x", "srs1=hash=fw.example==y.org@x" },
	{ "SRS1, one =", "SRS1=Hash=fw.example=joe@x",
	    "srs1=hash=fw.example=joe@x", "srs1=hash=fw.example=joe@x" },
	{ "SRS1, no forwarder", "SRS1=Hash===abc=4T=joe@x",
	    "srs1=hash===abc=4t=joe@x", "srs1=hash===abc=4t=joe@x" },

	{ "hexadecimal word", "b-0123abcD-x@x", "b-0123abcd-x@x", "b-#-x@x" },
	{ "too short for one", "b-012abcd@x", "b-012abcd@x", "b-012abcd@x" },
	{ "a word of a to f", "b-deadbeef@x", "b-deadbeef@x", "b-deadbeef@x" },
	{ "hexadecimal within a word", "b_0123abcd@x", "b_0123abcd@x",
	    "b_0123abcd@x" },
	{ "UUID", "550e8400-e29b-41d4-a716-446655440000@x",
	    "550e8400-e29b-41d4-a716-#@x", "#-#-#-#-#@x" },
	{ "UUID among others", "x.aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee-1@x",
	    "x.aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee-#@x", "x.#-#-#-#-#-#@x" },
	{ "UUID, last group too long",
	    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeee@x",
	    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeee@x",
	    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeee@x" },
	{ "UUID, then a letter", "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeex@x",
	    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeex@x",
	    "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeeex@x" },
	{ "UUID, four groups", "aaaaaaaa-bbbb-cccc-dddd@x",
	    "aaaaaaaa-bbbb-cccc-dddd@x", "aaaaaaaa-bbbb-cccc-dddd@x" },
};

static void
test_folding(void)
{
	char got[KEY_SIZE], again[KEY_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(senders); i++) {
		key_fold_sender(senders[i].sender, KEY_FOLD_POSTGREY, got);
		check_str(senders[i].name, got, senders[i].postgrey);
		key_fold_sender(got, KEY_FOLD_ALL, again);
		if (strncmp(senders[i].sender, "SRS0=H+", 7) != 0 &&
		    strcmp(senders[i].postgrey, "0123abcdef@x") != 0)
			check_str("an import folds to the same", again,
			    senders[i].all);
		key_fold_sender(senders[i].sender, KEY_FOLD_ALL, got);
		check_str(senders[i].name, got, senders[i].all);
		key_fold_sender(got, KEY_FOLD_ALL, again);
		check_str("folding twice", again, got);
	}
}

static const struct {
	const char *name;
	struct key_config config;
	const char *address, *sender, *recipient;
	const char *want;
} keys[] = {
	{ "IPv4 /24", { false, 24, 64, false }, "192.0.2.130", "A@b.org",
	    "C+x@D.org", "192.0.2.0/a@b.org/c+x@d.org" },
	{ "IPv4 /32", { false, 32, 64, false }, "192.0.2.130", "a@b", "c@d",
	    "192.0.2.130/a@b/c@d" },
	{ "IPv4 /0", { false, 0, 64, false }, "192.0.2.130", "a@b", "c@d",
	    "0.0.0.0/a@b/c@d" },
	{ "IPv4 /27", { false, 27, 64, false }, "192.0.2.130", "a@b", "c@d",
	    "192.0.2.128/a@b/c@d" },
	{ "IPv6 /64", { false, 24, 64, false }, "2001:DB8::AB:1", "a@b", "c@d",
	    "2001:db8:0:0:0:0:0:0/a@b/c@d" },
	{ "IPv6 /128", { false, 24, 128, false }, "2001:db8::ab:1", "a@b",
	    "c@d", "2001:db8:0:0:0:0:ab:1/a@b/c@d" },
	{ "IPv6 /20", { false, 24, 20, false }, "2001:fff8::1", "a@b", "c@d",
	    "2001:f000:0:0:0:0:0:0/a@b/c@d" },
	{ "an IPv4-mapped address is IPv4", { false, 24, 64, false },
	    "::ffff:192.0.2.130", "a@b", "c@d", "192.0.2.0/a@b/c@d" },
	{ "by host, IPv4", { true, 24, 64, false }, "192.0.2.130", "a@b", "c@d",
	    "192.0.2.130/32/a@b/c@d" },
	{ "by host, IPv6", { true, 24, 64, false }, "2001:db8::1", "a@b", "c@d",
	    "2001:db8:0:0:0:0:0:1/128/a@b/c@d" },
	{ "null sender", { false, 24, 64, false }, "192.0.2.1", "", "c@d",
	    "192.0.2.0//c@d" },
	{ "privacy", { false, 24, 64, true }, "192.0.2.130", "a@b", "c@d",
	    "0f8018d80a85e3ff08f7cf0396380e263d2a7c5b" },
};

static void
test_keys(void)
{
	char got[KEY_SIZE];
	struct ip ip;

	for (size_t i = 0; i < CHECK_COUNT(keys); i++) {
		check_true("address", ip_parse(keys[i].address, &ip));
		key_make(&keys[i].config, KEY_FOLD_ALL, &ip, keys[i].sender,
		    keys[i].recipient, got);
		check_str(keys[i].name, got, keys[i].want);
	}
}

/* Values count up to 512 bytes, keys end at KEY_SIZE - 1. */
static void
test_bounds(void)
{
	static const struct key_config config = { false, 24, 64, false };
	static const struct key_config hashed = { false, 24, 64, true };
	char sender[700], other[700], a[KEY_SIZE], b[KEY_SIZE];
	struct ip ip;

	check_true("address", ip_parse("192.0.2.1", &ip));
	memset(sender, 'x', sizeof(sender) - 1);
	sender[sizeof(sender) - 1] = '\0';
	memcpy(other, sender, sizeof(other));
	other[600] = 'y';
	key_fold_sender(sender, KEY_FOLD_ALL, a);
	check_uint("a folded sender", strlen(a), KEY_VALUE_MAX);
	key_make(&config, KEY_FOLD_ALL, &ip, sender, "c@d", a);
	key_make(&config, KEY_FOLD_ALL, &ip, other, "c@d", b);
	check_uint("a long key is cut", strlen(a), KEY_SIZE - 1);
	check_true("and marked", strncmp(a + KEY_SIZE - 1 - 34, "/#", 2) == 0);
	check_str("after 512 bytes nothing counts", b, a);
	other[511] = 'y';
	key_make(&config, KEY_FOLD_ALL, &ip, other, "c@d", b);
	check_true("the 512th does", strcmp(a, b) != 0);
	key_make(&config, KEY_FOLD_ALL, &ip, sender, "c@e", b);
	check_true("so does the recipient behind the cut", strcmp(a, b) != 0);
	key_make(&config, KEY_FOLD_ALL, &ip, sender, sender, a);
	check_uint("two long values", strlen(a), KEY_SIZE - 1);
	key_make(&hashed, KEY_FOLD_ALL, &ip, sender, sender, a);
	check_uint("a hash is not cut", strlen(a), 40);
	sender[KEY_SIZE - 1 - strlen("192.0.2.0//d")] = '\0';
	key_make(&config, KEY_FOLD_ALL, &ip, sender, "d", a);
	check_uint("the longest whole key", strlen(a), KEY_SIZE - 1);
	check_str("ends in its recipient", a + KEY_SIZE - 1 - 2, "/d");
}

static void
test_clients(void)
{
	static const struct key_config plain = { false, 24, 64, false };
	static const struct key_config hashed = { false, 24, 64, true };
	char got[KEY_SIZE];
	struct ip ip;

	check_true("address", ip_parse("192.0.2.130", &ip));
	key_client(&plain, &ip, got);
	check_str("a client is its address", got, "192.0.2.130");
	check_true("address", ip_parse("2001:db8::ab", &ip));
	key_client(&plain, &ip, got);
	check_str("IPv6", got, "2001:db8:0:0:0:0:0:ab");
	key_client(&hashed, &ip, got);
	check_str("hashed in capitals, as postgrey does", got,
	    "9c7f0024b7dd36a58eb7c2203ba6fecf8f5703c2");
}

static const struct {
	const char *name;
	const char *key;
	const char *want; /* NULL: refused */
} refolds[] = {
	{ "as it is", "192.0.2.0/a@b/c@d", "192.0.2.0/a@b/c@d" },
	{ "SRS", "192.0.2.0/srs0=hash=4t=y.org=joe@x/c@d",
	    "192.0.2.0/srs0=#=#=y.org=joe@x/c@d" },
	{ "the recipient is not folded", "192.0.2.0/a@b/c-0123abcd-12@d",
	    "192.0.2.0/a@b/c-0123abcd-12@d" },
	{ "null sender", "192.0.2.0//c-0123abcd@d", "192.0.2.0//c-0123abcd@d" },
	{ "a slash in the sender", "192.0.2.0/a/b-0123abcd@x/c@d",
	    "192.0.2.0/a/b-#@x/c@d" },
	{ "a slash in the recipient", "192.0.2.0/a-0123abcd@x/c/e@d",
	    "192.0.2.0/a-#@x/c/e@d" },
	{ "a sender without @", "192.0.2.0/a-0123abcd/c-0123abcd@d",
	    "192.0.2.0/a-0123abcd/c-0123abcd@d" },
	{ "neither has an @", "192.0.2.0/a-0123abcd/c",
	    "192.0.2.0/a-0123abcd/c" },
	{ "IPv6", "2001:db8:0:0:0:0:0:0/b-0123abcd@x/c@d",
	    "2001:db8:0:0:0:0:0:0/b-#@x/c@d" },
	{ "by host", "192.0.2.9/32/b-0123abcd@x/c@d",
	    "192.0.2.9/32/b-#@x/c@d" },
	{ "by host, IPv6", "2001:db8:0:0:0:0:0:1/128/b-0123abcd@x/c@d",
	    "2001:db8:0:0:0:0:0:1/128/b-#@x/c@d" },
	{ "by host, IPv4-mapped", "0:0:0:0:0:ffff:c000:209/128/a@b/c@d",
	    "192.0.2.9/32/a@b/c@d" },
	{ "a sender that is 32", "192.0.2.0/32/c@d", "192.0.2.0/32/c@d" },
	{ "a hash", "0f8018d80a85e3ff08f7cf0396380e263d2a7c5b", NULL },
	{ "two parts", "192.0.2.0/a@b", NULL },
	{ "one part", "192.0.2.0", NULL },
	{ "nothing", "", NULL },
	{ "no address", "localhost/a@b/c@d", NULL },
	{ "no slash at all, long",
	    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    NULL },
};

static void
test_refold(void)
{
	char got[KEY_SIZE], long_key[1200];

	for (size_t i = 0; i < CHECK_COUNT(refolds); i++) {
		bool ok =
		    key_refold(refolds[i].key, strlen(refolds[i].key), got);

		check_str(refolds[i].name, ok ? got : NULL, refolds[i].want);
	}
	check_false("a NUL byte", key_refold("192.0.2.0/a\0/c", 13, got));
	check_false("longer than postgrey's",
	    key_refold(memset(long_key, '/', sizeof(long_key)),
		sizeof(long_key), got));
}

/* A long key that is imported is the one that a request makes. */
static void
test_refold_long(void)
{
	static const struct key_config config = { false, 24, 64, false };
	char sender[KEY_VALUE_MAX + 1], recipient[KEY_VALUE_MAX + 1];
	char text[1100], made[KEY_SIZE], refolded[KEY_SIZE];
	struct ip ip;
	int len;

	memset(sender, 's', KEY_VALUE_MAX);
	memset(recipient, 'r', KEY_VALUE_MAX);
	sender[KEY_VALUE_MAX] = recipient[KEY_VALUE_MAX] = '\0';
	sender[300] = recipient[10] = '@';
	len =
	    snprintf(text, sizeof(text), "192.0.2.0/%s/%s", sender, recipient);
	check_true("address", ip_parse("192.0.2.1", &ip));
	key_make(&config, KEY_FOLD_ALL, &ip, sender, recipient, made);
	check_true("taken", key_refold(text, (size_t)len, refolded));
	check_str("a long key", refolded, made);
}

static const struct {
	const char *name;
	const char *sender;
	bool with_local;
	const char *want;
} spf_keys[] = {
	{ "domain for network", "Alice@Example.COM", true,
	    "spf:example.com/alice@example.com/bob@example.net" },
	{ "the sender is folded", "a+b@example.com", true,
	    "spf:example.com/a@example.com/bob@example.net" },
	{ "domain for all", "bounce-x-y@example.com", false,
	    "spf:example.com/@example.com/bob@example.net" },
	{ "the last @ counts", "\"a@b\"@example.com", false,
	    "spf:example.com/@example.com/bob@example.net" },
};

static void
test_spf(void)
{
	static const struct key_config config = { true, 24, 64, false };
	static const struct key_config hashed = { true, 24, 64, true };
	char sender[KEY_VALUE_MAX * 2], key[KEY_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(spf_keys); i++) {
		key_make_spf(&config, spf_keys[i].with_local,
		    spf_keys[i].sender, "Bob@example.net", key);
		check_str(spf_keys[i].name, key, spf_keys[i].want);
	}
	key_make_spf(&hashed, true, "a@b", "c", key);
	check_uint("hashed", strlen(key), 40);
	memset(sender, 'x', sizeof(sender));
	sender[0] = '@';
	sender[sizeof(sender) - 1] = '\0';
	key_make_spf(&config, true, sender, sender, key);
	check_uint("bounded", strlen(key), KEY_SIZE - 1);
	check_str("no domain", key_sender_domain("alice"), NULL);
	check_str("nothing behind the @", key_sender_domain("alice@"), NULL);
	check_str("null sender", key_sender_domain(""), NULL);
}

int
main(void)
{
	char hex[41];

	/* FIPS 180-4's examples. */
	key_sha1_hex("abc", 3, hex);
	check_str("SHA-1", hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
	key_sha1_hex("", 0, hex);
	check_str("SHA-1 of nothing", hex,
	    "da39a3ee5e6b4b0d3255bfef95601890afd80709");
	test_folding();
	test_keys();
	test_bounds();
	test_clients();
	test_refold();
	test_refold_long();
	test_spf();
	return check_done();
}
