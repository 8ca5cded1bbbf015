/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/str.h"
#include "greylistd/whitelist.h"

static char warnings[4096];

static void
keep_warning(void *arg, const char *text)
{
	struct str *s = arg;

	str_add(s, text);
	str_add_char(s, '\n');
}

/* Loads text; what is said about it is in warnings afterwards. */
static struct whitelist *
load(enum whitelist_kind kind, const char *text, size_t len,
    struct whitelist_faults *faults_r)
{
	struct whitelist *list = whitelist_new(kind);
	struct str s;

	str_init(&s, warnings, sizeof(warnings));
	*faults_r = (struct whitelist_faults){ 0 };
	whitelist_parse(list, "FILE", text, len, keep_warning, &s, faults_r);
	return list;
}

static const struct {
	const char *name;
	const char *pattern;
	const char *client_name, *address; /* address may be NULL */
	bool want;
} clients[] = {
	{ "name", "example.org", "example.org", NULL, true },
	{ "name, below", "example.org", "mx.a.example.org", NULL, true },
	{ "name, case", "Example.ORG", "MX.eXample.org", NULL, true },
	{ "name, part of a label", "example.org", "badexample.org", NULL,
	    false },
	{ "name, above", "mx.example.org", "example.org", NULL, false },
	{ "name, in the middle", "example.org", "example.org.bad", NULL,
	    false },
	{ "name, leading dot", ".example.org", "mx.example.org", NULL, true },
	{ "name, trailing dot", "example.org.", "mx.example.org", NULL, true },
	{ "client's trailing dot", "example.org", "mx.example.org.", NULL,
	    true },
	{ "no name", "example.org", "", NULL, false },
	{ "unknown is no name", "unknown", "unknown", NULL, false },
	{ "but regular expressions see it", "/^unknown$/", "unknown", NULL,
	    true },
	{ "no name for a regular expression", "/^$/", "", NULL, true },
	{ "comment", "example.org # example.net", "example.net", NULL, false },
	{ "before the comment", "  example.org\t# x", "example.org", NULL,
	    true },
	{ "CR LF", "example.org\r\n", "example.org", NULL, true },
	{ "second line", "a.example\nb.example\n", "b.example", NULL, true },

	{ "regex", "/^mx\\d+\\.example\\.org$/", "mx12.example.org", NULL,
	    true },
	{ "regex, no case", "/^MX\\d+\\.example\\.org$/", "mx1.EXAMPLE.org",
	    NULL, true },
	{ "regex, unanchored", "/dsl/", "host.DSL.example", NULL, true },
	{ "regex, no match", "/^mx\\d+\\.example\\.org$/", "mx.example.org",
	    NULL, false },
	{ "regex, not on the address", "/^192\\./", "mx", "192.0.2.1", false },
	{ "regex with a slash", "/a/b/", "xa/by", NULL, true },

	{ "address", "192.0.2.1", "", "192.0.2.1", true },
	{ "another address", "192.0.2.1", "", "192.0.2.2", false },
	{ "mapped address", "192.0.2.1", "", "::ffff:192.0.2.1", true },
	{ "network", "192.0.2.64/26", "", "192.0.2.127", true },
	{ "outside", "192.0.2.64/26", "", "192.0.2.128", false },
	{ "host bits", "192.0.2.77/26", "", "192.0.2.64", true },
	{ "three numbers", "192.0.2", "", "192.0.2.255", true },
	{ "three numbers, outside", "192.0.2", "", "192.0.3.1", false },
	{ "two numbers are a /16", "192.0", "", "192.0.255.255", true },
	{ "two numbers, outside", "192.0", "", "192.1.0.0", false },
	{ "everything IPv4", "0.0.0.0/0", "", "203.0.113.7", true },
	{ "but not IPv6", "0.0.0.0/0", "", "2001:db8::1", false },
	{ "IPv6", "2001:db8::1", "", "2001:DB8:0::1", true },
	{ "IPv6 network", "2001:db8::/33", "", "2001:db8:7fff::1", true },
	{ "IPv6, outside", "2001:db8::/33", "", "2001:db8:8000::1", false },
	{ "everything IPv6", "::/0", "", "2001:db8::1", true },
	{ "but not IPv4", "::/0", "", "192.0.2.1", false },
	{ "several lengths", "192.0.2.0/24\n10.0.0.0/8\n10.9.0.0/16", "",
	    "10.8.1.1", true },
	{ "no address", "192.0.2.1", "x", NULL, false },
};

static void
test_clients(void)
{
	struct whitelist_faults faults;

	for (size_t i = 0; i < CHECK_COUNT(clients); i++) {
		struct whitelist *list = load(WHITELIST_CLIENTS,
		    clients[i].pattern, strlen(clients[i].pattern), &faults);
		struct ip ip;
		bool has_ip = clients[i].address != NULL &&
			      ip_parse(clients[i].address, &ip);

		check_bool(clients[i].name,
		    whitelist_has_client(
			list, clients[i].client_name, has_ip ? &ip : NULL),
		    clients[i].want);
		check_str("no warning", warnings, "");
		whitelist_free(&list);
	}
}

static const struct {
	const char *name;
	const char *pattern;
	const char *recipient;
	bool want;
} recipients[] = {
	{ "address", "joe@example.org", "joe@example.org", true },
	{ "address, case", "Joe@Example.ORG", "jOe@eXample.org", true },
	{ "another", "joe@example.org", "jane@example.org", false },
	{ "not below the domain", "joe@example.org", "joe@a.example.org",
	    false },
	{ "extension", "joe@example.org", "joe+a@example.org", true },
	{ "two extensions", "joe@example.org", "joe+a+b@example.org", true },
	{ "empty extension", "joe@example.org", "joe+@example.org", false },
	{ "empty last extension", "joe@example.org", "joe+a+@example.org",
	    true },
	{ "extension in the pattern", "joe+a@example.org", "joe+a@example.org",
	    true },
	{ "and one more", "joe+a@example.org", "joe+a+b@example.org", true },
	{ "but not without", "joe+a@example.org", "joe@example.org", false },
	{ "only a plus", "+a@example.org", "+a@example.org", true },
	{ "user", "postmaster@", "postmaster@example.org", true },
	{ "user, case, extension", "PostMaster@", "postmaster+x@b.c", true },
	{ "user, longer", "postmaster@", "thepostmaster@b.c", false },
	{ "user without a domain", "postmaster@", "postmaster", false },
	{ "domain", "example.org", "joe@example.org", true },
	{ "domain, below", "example.org", "joe@mx.Example.org", true },
	{ "domain, part of a label", "example.org", "joe@badexample.org",
	    false },
	{ "domain, dots", ".example.org.", "joe@mx.example.org", true },
	{ "domain, no @", "example.org", "example.org", false },
	{ "the last @", "example.org", "\"a@b\"@example.org", true },
	{ "recipient's trailing dot", "example.org", "a@example.org.", true },
	{ "no recipient", "example.org", "", false },
	{ "regex", "/^joe.*@example\\.org$/", "JOEY@example.org", true },
	{ "regex, no match", "/^joe.*@example\\.org$/", "jo@example.org",
	    false },
	{ "regex, several", "/^x@/\n/^y@/\n/^z@/", "y@b", true },
};

static void
test_recipients(void)
{
	struct whitelist_faults faults;

	for (size_t i = 0; i < CHECK_COUNT(recipients); i++) {
		struct whitelist *list =
		    load(WHITELIST_RECIPIENTS, recipients[i].pattern,
			strlen(recipients[i].pattern), &faults);

		check_bool(recipients[i].name,
		    whitelist_has_recipient(list, recipients[i].recipient),
		    recipients[i].want);
		check_str("no warning", warnings, "");
		whitelist_free(&list);
	}
}

static const struct {
	const char *name;
	enum whitelist_kind kind;
	const char *text;
	unsigned lines, regexes;
	size_t count;
	const char *warning;
} faults_rows[] = {
	{ "two words", WHITELIST_CLIENTS, "\n# x\na b\nexample.org\n", 1, 0, 1,
	    "FILE line 3: doesn't look like a hostname: \"a b\"\n" },
	{ "no address", WHITELIST_CLIENTS, "999.1.1.1\n", 1, 0, 0,
	    "FILE line 1: doesn't look like an address: \"999.1.1.1\"\n" },
	{ "prefix too long", WHITELIST_CLIENTS, "192.0.2.1/33", 1, 0, 0,
	    "line 1: doesn't look like an address" },
	{ "one number", WHITELIST_CLIENTS, "10", 1, 0, 0, "an address" },
	{ "a partial network with a length", WHITELIST_CLIENTS, "10.1/16", 1, 0,
	    0, "an address" },
	{ "IPv6 with a zone", WHITELIST_CLIENTS, "fe80::1%lo", 1, 0, 0,
	    "an address" },
	{ "one colon", WHITELIST_CLIENTS, "a:b", 1, 0, 0, "a hostname" },
	{ "only dots", WHITELIST_CLIENTS, "...a...\n. .", 1, 0, 1,
	    "line 2: doesn't look like a hostname" },
	{ "regex that does not compile", WHITELIST_CLIENTS,
	    "/a(b/\n/c/\nexample.org", 1, 1, 2, "FILE line 1: " },
	{ "regex without its end", WHITELIST_CLIENTS, "/abc", 1, 0, 0,
	    "a hostname" },
	{ "regex cut by a comment", WHITELIST_CLIENTS, "/a#b/", 1, 0, 0,
	    "a hostname: \"/a\"" },
	{ "regex with a blank", WHITELIST_CLIENTS, "/a b/", 1, 0, 0,
	    "a hostname" },
	{ "an empty regex", WHITELIST_CLIENTS, "//", 1, 0, 0, "address" },
	{ "recipient: two words", WHITELIST_RECIPIENTS, "joe @b\njoe@b\n", 1, 0,
	    1, "FILE line 1: doesn't look like an address" },
	{ "recipient: no user", WHITELIST_RECIPIENTS, "@example.org", 1, 0, 0,
	    "user@domain, user@ or domain" },
	{ "recipient: regex", WHITELIST_RECIPIENTS, "/+/", 1, 1, 0,
	    "FILE line 1: " },
	{ "recipient: unclosed regex", WHITELIST_RECIPIENTS, "/joe@", 0, 0, 1,
	    "" },
	{ "nothing at all", WHITELIST_CLIENTS, "", 0, 0, 0, "" },
	{ "only a comment", WHITELIST_CLIENTS, "#", 0, 0, 0, "" },
};

static void
test_faults(void)
{
	static const char nul[] = "a.example\nb\0c\nd.example";
	struct whitelist_faults faults;
	struct whitelist *list;
	char long_line[6000];

	for (size_t i = 0; i < CHECK_COUNT(faults_rows); i++) {
		list = load(faults_rows[i].kind, faults_rows[i].text,
		    strlen(faults_rows[i].text), &faults);
		check_uint(
		    faults_rows[i].name, faults.lines, faults_rows[i].lines);
		check_uint("regexes", faults.regexes, faults_rows[i].regexes);
		check_uint(
		    "in use", whitelist_count(list), faults_rows[i].count);
		check_contains("warning", warnings, faults_rows[i].warning);
		whitelist_free(&list);
	}
	list = load(WHITELIST_CLIENTS, nul, sizeof(nul) - 1, &faults);
	check_str(
	    "a NUL byte", warnings, "FILE line 2: too long, or not text\n");
	check_true("the next line counts",
	    whitelist_has_client(list, "d.example", NULL));
	whitelist_free(&list);
	memset(long_line, 'a', sizeof(long_line));
	list = load(WHITELIST_CLIENTS, long_line, sizeof(long_line), &faults);
	check_uint("a long line", faults.lines, 1);
	whitelist_free(&list);
}

/* Writes text to a new file in dir and returns its path. */
static char *
make_file(const char *dir, const char *name, const char *text, char *path,
    size_t size)
{
	FILE *file;

	snprintf(path, size, "%s/%s", dir, name);
	file = fopen(path, "w");
	check_true("file", file != NULL && fputs(text, file) >= 0);
	if (file != NULL)
		fclose(file);
	return path;
}

static void
test_files(void)
{
	const char *tmp = getenv("TMPDIR");
	char dir[200], a[256], b[256], local[256];
	char *files[4] = { a, b, local, dir };
	struct whitelist_faults faults;
	struct whitelist *list;
	struct str s;

	snprintf(
	    dir, sizeof(dir), "%s/whitelist.XXXXXX", tmp == NULL ? "." : tmp);
	check_true("directory", mkdtemp(dir) != NULL);
	make_file(dir, "a", "a.example\nbad one\n", a, sizeof(a));
	snprintf(b, sizeof(b), "%s/b", dir);
	make_file(dir, "a.local", "local.example", local, sizeof(local));

	str_init(&s, warnings, sizeof(warnings));
	list = whitelist_load(
	    WHITELIST_CLIENTS, files, 4, keep_warning, &s, &faults);
	check_uint("a missing file and a directory", faults.files, 2);
	check_uint("a bad line", faults.lines, 1);
	check_contains("says where", warnings, "/a line 2: ");
	check_contains("says which", warnings, "/b: cannot open: No such");
	check_true("first file", whitelist_has_client(list, "a.example", NULL));
	check_true("the third, without a line end",
	    whitelist_has_client(list, "local.example", NULL));
	whitelist_free(&list);
	check_true("set to NULL", list == NULL);
	whitelist_free(&list);

	unlink(local);
	unlink(a);
	files[0] = local;
	str_init(&s, warnings, sizeof(warnings));
	list = whitelist_load(
	    WHITELIST_CLIENTS, files, 1, keep_warning, &s, &faults);
	check_uint("a missing twin is no fault", faults.files, 0);
	check_str("and not worth a word", warnings, "");
	check_uint("empty", whitelist_count(list), 0);
	whitelist_free(&list);
	rmdir(dir);
}

/* Ten thousand of each, all found, their neighbours not. */
static void
test_many(void)
{
	struct whitelist *list = whitelist_new(WHITELIST_CLIENTS);
	struct whitelist_faults faults = { 0 };
	unsigned wrong = 0;
	char text[128];
	struct ip ip;

	for (unsigned i = 0; i < 10000; i++) {
		int len =
		    snprintf(text, sizeof(text), "d%u.example\n10.%u.%u.0/24\n",
			2 * i, i / 128, i % 128 * 2);

		whitelist_parse(
		    list, "FILE", text, (size_t)len, NULL, NULL, &faults);
	}
	check_uint("all taken", whitelist_count(list), 20000);
	check_uint("no faults", faults.lines, 0);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(text, sizeof(text), "mx.d%u.example", i);
		wrong += whitelist_has_client(list, text, NULL) != (i % 2 == 0);
		snprintf(text, sizeof(text), "10.%u.%u.7", i / 256, i % 256);
		wrong += !ip_parse(text, &ip) ||
			 whitelist_has_client(list, "", &ip) != (i % 2 == 0);
	}
	check_uint("all found, nothing else", wrong, 0);
	whitelist_free(&list);
}

int
main(void)
{
	test_clients();
	test_recipients();
	test_faults();
	test_files();
	test_many();
	return check_done();
}
