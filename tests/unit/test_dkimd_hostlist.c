/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"
#include "tests/unit/dkimrig.h"

#include "dkimd/hostlist.h"

static struct err warning;

static void
on_warning(void *arg, const char *text)
{
	(void)arg;
	(void)err_set(&warning, "%s", text);
}

static struct hostlist *
load(const char *text, struct err *err)
{
	char *full = dkimrig_text(text);
	struct hostlist *list;

	warning.text[0] = '\0';
	list = hostlist_load(full, "", on_warning, NULL, err);
	free(full);
	return list;
}

static void
test_match(void)
{
	static const struct {
		const char *list;
		const char *name; /* "" = unknown */
		const char *ip;   /* "" = none */
		bool want;
	} rows[] = {
		{ "127.0.0.1,::1", "localhost", "127.0.0.1", true },
		{ "127.0.0.1,::1", "", "::1", true },
		{ "127.0.0.1,::1", "", "", true },
		{ "::1", "", "", false },
		{ "10.0.0.1", "", "", false },
		{ "127.0.0.1", "mail.example", "192.0.2.1", false },
		{ "mail.example", "MAIL.example", "192.0.2.1", true },
		{ "mail.example", "a.mail.example", "192.0.2.1", false },
		{ ".mail.example", "a.mail.example", "192.0.2.1", true },
		{ ".example", "a.b.mail.example", "192.0.2.1", true },
		{ ".mail.example", "mail.example", "192.0.2.1", false },
		{ "!bad.example,.example", "bad.example", "192.0.2.1", false },
		{ "!bad.example,.example", "a.bad.example", "192.0.2.1", true },
		{ "good.x.example,!.x.example", "good.x.example", "", true },
		{ "good.x.example,!.x.example", "bad.x.example", "", false },
		{ "a.example,!a.example", "a.example", "192.0.2.1", false },
		{ "192.0.2.0/24", "", "192.0.2.255", true },
		{ "192.0.2.0/24", "", "192.0.3.1", false },
		{ "192.0.2.77/24", "", "192.0.2.1", true },
		{ "192.0.2.0/24,!192.0.2.9", "", "192.0.2.9", false },
		{ "!192.0.2.0/24,192.0.2.9", "", "192.0.2.9", true },
		{ "192.0.2.9,!192.0.2.9", "", "192.0.2.9", false },
		{ "0.0.0.0/0", "", "203.0.113.9", true },
		{ "0.0.0.0/0", "", "2001:db8::1", false },
		{ "::/0", "", "203.0.113.9", false },
		{ "2001:db8::/32", "", "2001:db8:1::9", true },
		{ "2001:DB8::/32", "", "2001:db9::", false },
		{ "[192.0.2.1]", "", "192.0.2.1", true },
		{ "[2001:db8::]/32", "", "2001:db8::5", true },
		{ "::ffff:192.0.2.1", "", "192.0.2.1", true },
		{ "10.0.0.1,a.example", "a.example", "10.0.0.1", true },
		{ "10.0.0.1,!a.example", "a.example", "10.0.0.1", false },
		{ "", "a.example", "10.0.0.1", false },
	};
	struct err err;
	struct ip ip;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct hostlist *list = load(rows[i].list, &err);
		bool has_ip = ip_parse(rows[i].ip, &ip);
		char name[256];

		(void)snprintf(name, sizeof(name), "%s: %s [%s]", rows[i].list,
		    rows[i].name, rows[i].ip);
		check_bool(name,
		    hostlist_has(list, rows[i].name, has_ip ? &ip : NULL),
		    rows[i].want);
		hostlist_free(&list);
	}
	check_false("no list", hostlist_has(NULL, "a", NULL));
}

static void
test_files(void)
{
	static const struct {
		const char *name, *ip;
		bool want;
	} rows[] = {
		{ "", "192.0.2.1", true },
		{ "", "10.1.2.3", true },
		{ "", "172.16.3.4", true },
		{ "", "172.17.3.4", false },
		{ "a.example", "203.0.113.1", true },
		{ "not.a.example", "203.0.113.1", false },
		{ "localhost", "203.0.113.1", true },
		{ "b.example", "203.0.113.1", false },
		{ "172.16.b.example", "203.0.113.1", false },
		{ "172.16.b.example", "172.16.3.4", true },
	};
	struct hostlist *list;
	struct err err;
	struct ip ip;

	(void)dkimrig_write("hosts", 0644,
	    "# ours\nlocalhost\n192.0.2.1\n10.0.0.0/8\n172.16.*\n"
	    "!not.*\n*.example.org\na.*\n");
	list = load("refile:$/hosts", &err);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		(void)ip_parse(rows[i].ip, &ip);
		check_bool(rows[i].name[0] ? rows[i].name : rows[i].ip,
		    hostlist_has(list, rows[i].name, &ip), rows[i].want);
	}
	check_true("mere name", hostlist_has_name(list, "x.example.org"));
	check_false("mere name", hostlist_has_name(list, "not.example.org"));
	check_false("no name", hostlist_has_name(list, NULL));
	hostlist_free(&list);
	(void)dkimrig_write("hosts", 0644, "*\n");
	list = load("refile:$/hosts", &err);
	check_true("all names", hostlist_has_name(list, "b.example"));
	hostlist_free(&list);
}

static void
test_messages(void)
{
	static const struct {
		const char *name, *file, *want;
	} rows[] = {
		{ "prefix", "192.0.2.0/33\n",
		    ":1: \"192.0.2.0/33\" is no address or network" },
		{ "octets", "a\n192.0.2\n", ":2: \"192.0.2\" is no address" },
		{ "colon", "2001:db8::g\n", "is no address or network" },
		{ "nothing denied", "!\n", "\"!\" is no address" },
	};
	struct hostlist *list;
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		(void)dkimrig_write("hosts", 0644, rows[i].file);
		check_true(rows[i].name, load("$/hosts", &err) == NULL);
		check_contains(rows[i].name, err.text, rows[i].want);
	}
	(void)dkimrig_write("hosts", 0644, "\n192.168.0.1/24\n");
	list = load("$/hosts", &err);
	check_contains("host bits", warning.text,
	    "/hosts:2: \"192.168.0.1/24\" has bits beyond its network; "
	    "taken as 192.168.0.0/24");
	hostlist_free(&list);
	list = load("192.168.0.0/24,10.0.0.1", &err);
	check_str("no host bits", warning.text, "");
	hostlist_free(&list);
}

int
main(void)
{
	dkimrig_begin();
	test_match();
	test_files();
	test_messages();
	return check_done();
}
