/* SPDX-License-Identifier: ISC */
/* KeyTable, KeyDirectory and SigningTable. */
#include "common/str.h"
#include "tests/unit/check.h"
#include "tests/unit/dkimrig.h"

#include "dkimd/signtable.h"

#define DAY INT64_C(86400)

static struct keytable *
fresh(void)
{
	struct privkey_config config = {
		.base = dkimrig_dir,
		.owner = geteuid(),
		.safe = true,
		.min_bits = 1024,
	};

	return keytable_new(&config);
}

/* The table with these lines, or NULL with err. */
static struct keytable *
load(const char *lines, struct err *err)
{
	struct keytable *table = fresh();

	(void)dkimrig_write("keytable", 0600, lines);
	if (keytable_add_table(table,
		dataset_load(dkimrig_path("keytable"), "", 0, err), err) < 0)
		keytable_free(&table);
	return table;
}

/* "selector@domain ..." of what keytable_find finds. */
static const char *
find(const struct keytable *table, const char *name, const char *from,
    int64_t now)
{
	const struct keytable_key *found[KEYTABLE_FOUND_MAX];
	size_t count = keytable_find(table, name, from, now, found);
	static char buf[256];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	for (size_t i = 0; i < count; i++)
		str_addf(&s, "%s@%s ", found[i]->selector, found[i]->domain);
	return buf;
}

static void
test_dates(void)
{
	static const struct {
		const char *text;
		int64_t want; /* days since 1970; -1: no date */
	} rows[] = {
		{ "1970-01-01", 0 },
		{ "2024-02-29", 19782 },
		{ "2026-12-31", 20818 },
		{ "2023-02-29", -1 },
		{ "2026-02-30", -1 },
		{ "2026-13-01", -1 },
		{ "2026-00-10", -1 },
		{ "2026-01-00", -1 },
		{ "2026-1-01", -1 },
		{ "2026-01-01x", -1 },
		{ "2026-01-0", -1 },
		{ "20260101", -1 },
		{ "", -1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		int64_t got = 0;
		int r = keytable_parse_date(rows[i].text, &got);

		check_int(rows[i].text, r < 0 ? -1 : got / DAY, rows[i].want);
	}
}

static void
test_find(void)
{
	static const char lines[] =
	    "plain Example.COM:mail:$/rsa\n"
	    "relative example.com:r:./rsa\n"
	    "both example.com:rsa:$/rsa\n"
	    "both example.com:ed:$/ed:ed25519-sha256\n"
	    "turn example.com:old:$/rsa\n"
	    "turn example.com:y1:$/rsa2:rsa:2026-01-01\n"
	    "turn example.com:y2:$/rsa:RSA-SHA256:2026-06-01:2026-07-01\n"
	    "future example.com:f:$/rsa::2030-01-01\n"
	    "past example.com:p:$/rsa:::2001-01-01\n"
	    "any %:mail:$/rsa\n"
	    "credit example.com:c:credential:cred:rsa:2020-01-01\n"
	    "files %:mail:$/keys/%/mail.private\n"
	    "files %:ed:$/keys/%/ed.private\n"
	    "twice fixed.example:t:$/keys/%/%.key\n";
	static const struct {
		const char *name, *key, *from;
		const char *date;
		const char *want;
	} rows[] = {
		{ "plain", "plain", "x", "2026-01-01", "mail@example.com " },
		{ "case", "PLAIN", "x", "2026-01-01", "mail@example.com " },
		{ "relative", "relative", "x", "2026-01-01", "r@example.com " },
		{ "both algorithms", "both", "x", "2026-01-01",
		    "rsa@example.com ed@example.com " },
		{ "before the first date", "turn", "x", "2025-12-31",
		    "old@example.com " },
		{ "on the first date", "turn", "x", "2026-01-01",
		    "y1@example.com " },
		{ "while two have begun", "turn", "x", "2026-06-15",
		    "y2@example.com " },
		{ "when one has ended", "turn", "x", "2026-07-01",
		    "y1@example.com " },
		{ "not begun", "future", "x", "2026-01-01", "" },
		{ "begun", "future", "x", "2030-01-01", "f@example.com " },
		{ "ended", "past", "x", "2026-01-01", "" },
		{ "not ended", "past", "x", "2000-12-31", "p@example.com " },
		{ "any domain", "any", "a.example", "2026-01-01", "mail@% " },
		{ "credential", "credit", "x", "2026-01-01", "c@example.com " },
		{ "its own file", "files", "one.example", "2026-01-01",
		    "mail@% ed@% " },
		{ "its only file", "files", "two.example", "2026-01-01",
		    "mail@% " },
		{ "no file", "files", "three.example", "2026-01-01", "" },
		{ "two places", "twice", "one.example", "2026-01-01",
		    "t@fixed.example " },
		{ "not the same twice", "twice", "two.example", "2026-01-01",
		    "" },
		{ "unknown", "nobody", "x", "2026-01-01", "" },
	};
	struct keytable *table;
	struct err err = { "" };

	dkimrig_mkdir("keys", 0700);
	dkimrig_mkdir("keys/one.example", 0700);
	dkimrig_mkdir("keys/two.example", 0700);
	dkimrig_mkdir("keys/no domain", 0700);
	(void)dkimrig_write("keys/one.example/mail.private", 0600, dkimrig_rsa);
	(void)dkimrig_write("keys/two.example/mail.private", 0600, dkimrig_rsa);
	(void)dkimrig_write("keys/no domain/mail.private", 0600, "x");
	(void)dkimrig_write(
	    "keys/one.example/ed.private", 0600, dkimrig_ed25519);
	(void)dkimrig_write(
	    "keys/one.example/one.example.key", 0600, dkimrig_rsa2);
	(void)dkimrig_write("keys/two.example/one.example.key", 0600, "x");
	(void)setenv("CREDENTIALS_DIRECTORY", dkimrig_dir, 1);
	(void)dkimrig_write("cred", 0600, dkimrig_rsa);
	table = load(lines, &err);
	check_str("loaded", err.text, "");
	if (table == NULL)
		return;
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		int64_t now = 0;

		(void)keytable_parse_date(rows[i].date, &now);
		check_str(rows[i].name,
		    find(table, rows[i].key, rows[i].from, now), rows[i].want);
	}
	check_true("has", keytable_has(table, "Plain"));
	check_false("has not", keytable_has(table, "%"));
	check_uint("all", keytable_count(table), 15);
	check_true("one file is one key",
	    keytable_at(table, 0)->key == keytable_at(table, 9)->key);
	check_contains("path", keytable_at(table, 0)->path, "/rsa");
	keytable_free(&table);
}

static void
test_faults(void)
{
	static const struct {
		const char *name, *line, *want;
	} rows[] = {
		{ "no value", "a\n", "keytable:2: the key is missing; write" },
		{ "one field", "a example.com\n", "the key is missing" },
		{ "two fields", "a example.com:s\n", "the key is missing" },
		{ "empty key", "a example.com:s:\n", "the key is missing" },
		{ "no domain", "a :s:$/rsa\n", "\"\" is no domain; write" },
		{ "U-label", "a \303\274.example:s:$/rsa\n", "is no domain" },
		{ "dots", "a a..example:s:$/rsa\n", "is no domain" },
		{ "half %", "a %.example:s:$/rsa\n", "is no domain" },
		{ "no selector", "a a.example::$/rsa\n",
		    "\"\" is no name of a selector" },
		{ "bad selector", "a a.example:s;t:$/rsa\n", "no name of a" },
		{ "no file", "a a.example:s:$/none\n",
		    "keytable:2: $/none: No such file" },
		{ "no key", "a a.example:s:hello\n", "keytable:2: " },
		{ "unsafe", "a a.example:s:$/unsafe\n",
		    "keytable:2: unsafe private key: $/unsafe has mode 0644" },
		{ "algorithm", "a a.example:s:$/rsa:ed25519\n",
		    "the line says ed25519, but the key signs by rsa-sha256" },
		{ "unknown algorithm", "a a.example:s:$/rsa:rsa-sha1\n",
		    "the line says rsa-sha1, but" },
		{ "no date", "a a.example:s:$/rsa::soon\n",
		    "\"soon\" is no date; write YYYY-MM-DD" },
		{ "no second date", "a a.example:s:$/rsa::2026-01-01:x\n",
		    "\"x\" is no date" },
		{ "ends first", "a a.example:s:$/rsa::2026-01-01:2026-01-01\n",
		    "the key ends before it begins: 2026-01-01" },
		{ "too many", "a a.example:s:$/rsa::2026-01-01::x\n",
		    "too many fields" },
		{ "no file for %", "a %:s:$/none/%.key\n",
		    "there is no file $/none/%.key for any domain" },
		{ "no credential", "a a.example:s:credential:no/pe\n",
		    "credential:no/pe is no name" },
		{ "credential alone", "a a.example:s:credential\n",
		    "credential: is no name" },
	};
	struct err err;

	(void)dkimrig_write("unsafe", 0644, dkimrig_rsa);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char lines[512], *want = dkimrig_text(rows[i].want);

		(void)snprintf(lines, sizeof(lines), "# x\n%s", rows[i].line);
		check_true(rows[i].name, load(lines, &err) == NULL);
		check_contains(rows[i].name, err.text, want);
		free(want);
	}
}

/* Many write refile: for tables without any pattern. */
static void
test_patterns(void)
{
	struct keytable *table = fresh();
	struct err err;

	(void)dkimrig_write("keytable", 0600, "a.b a.example:s:$/rsa\n");
	check_int("no pattern",
	    keytable_add_table(table,
		dataset_load("refile:keytable", dkimrig_dir, 0, &err), &err),
	    0);
	check_str("found", find(table, "a.b", "x", 0), "s@a.example ");
	keytable_free(&table);
	table = fresh();
	(void)dkimrig_write("keytable", 0600, "a.* a.example:s:$/rsa\n");
	check_int("pattern",
	    keytable_add_table(table,
		dataset_load("refile:keytable", dkimrig_dir, 0, &err), &err),
	    -1);
	check_contains("pattern", err.text,
	    ":1: \"a.*\": a key has one name, not a pattern; write %");
	keytable_free(&table);
}

static void
test_directory(void)
{
	struct keytable *table = fresh();
	struct err err = { "" };

	dkimrig_mkdir("dir", 0700);
	dkimrig_mkdir("dir/One.example", 0700);
	dkimrig_mkdir("dir/two.example", 0700);
	dkimrig_mkdir("dir/empty.example", 0700);
	(void)dkimrig_write("dir/file", 0600, "x");
	(void)dkimrig_write("dir/One.example/s1.private", 0600, dkimrig_rsa);
	(void)dkimrig_write("dir/One.example/s1.txt", 0600, "x");
	(void)dkimrig_write("dir/One.example/.private", 0600, "x");
	(void)dkimrig_write("dir/two.example/a.private", 0600, dkimrig_rsa);
	(void)dkimrig_write("dir/two.example/b.private", 0600, dkimrig_ed25519);
	check_int("loaded", keytable_add_directory(table, "dir", &err), 0);
	check_str("loaded", err.text, "");
	check_str("one", find(table, "one.example", "x", 0), "s1@one.example ");
	check_str("two", find(table, "two.example", "x", 0),
	    "a@two.example b@two.example ");
	check_str("none", find(table, "empty.example", "x", 0), "");
	keytable_free(&table);

	table = fresh();
	(void)dkimrig_write(
	    "dir/two.example/c.private", 0600, dkimrig_ed25519_2);
	check_int("twins", keytable_add_directory(table, "dir", &err), -1);
	check_contains("twins", err.text, "/b.private and /");
	check_contains("twins", err.text, "c.private are keys of the same");
	keytable_free(&table);

	table = fresh();
	check_int("missing", keytable_add_directory(table, "no", &err), -1);
	check_contains("missing", err.text, "/no: No such file");
	keytable_free(&table);
}

static void
test_file(void)
{
	struct keytable *table = fresh();
	struct err err;

	check_int(
	    "file", keytable_add_file(table, "", "%", "s", "rsa", &err), 0);
	check_int("and another",
	    keytable_add_file(table, "x", "%", "s", "credential:cred", &err),
	    0);
	check_str("found", find(table, "", "a.example", 0), "s@% ");
	check_int("selector",
	    keytable_add_file(table, "y", "%", "s t", "rsa", &err), -1);
	check_contains("selector", err.text, "\"s t\" is no name of a sel");
	keytable_free(&table);
}

/* "key/signer key/signer", the lines for an address. */
static const char *
sign(const struct signtable *table, const char *local, const char *domain,
    size_t cap)
{
	struct signtable_match matches[8];
	size_t count = signtable_find(table, local, domain, matches, cap);
	static char buf[256];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	for (size_t i = 0; i < count; i++)
		str_addf(&s, "%s%s/%s", i > 0 ? " " : "", matches[i].key_name,
		    matches[i].signer);
	return buf;
}

static void
test_signtable(void)
{
	static const char lines[] = "joe@a.example k1\n"
				    "a.example k2 : @a.example\n"
				    "joe@.example k3:%\n"
				    ".example k4\n"
				    "joe@* k5\n"
				    "* %\n"
				    "a.example k6\n";
	static const char patterns[] = "*@b.example k1\n"
				       "j*@*.example k2:x@%\n"
				       "*@.c.example k3\n"
				       "* k4\n";
	static const struct {
		bool is_pattern;
		const char *local, *domain, *one, *all;
	} rows[] = {
		{ false, "joe", "a.example", "k1/",
		    "k1/ k2/@a.example k6/ k3/% k4/ k5/ %/" },
		{ false, "JIM", "a.example", "k2/@a.example",
		    "k2/@a.example k6/ k4/ %/" },
		{ false, "joe", "x.y.example", "k3/%", "k3/% k4/ k5/ %/" },
		{ false, "jim", "b.example", "k4/", "k4/ %/" },
		{ false, "joe", "com", "k5/", "k5/ %/" },
		{ false, "jim", "example", "%/", "%/" },
		{ true, "jim", "b.example", "k1/", "k1/ k2/x@% k4/" },
		{ true, "JIM", "x.y.example", "k2/x@%", "k2/x@% k4/" },
		{ true, "x", ".c.example", "k3/", "k3/ k4/" },
		{ true, "x", "c.example", "k4/", "k4/" },
	};
	struct err err = { "" };
	struct signtable *tables[2];

	tables[0] = signtable_new(
	    dataset_load(dkimrig_write("st", 0600, lines), "", 0, &err), NULL,
	    &err);
	(void)dkimrig_write("re", 0600, patterns);
	tables[1] = signtable_new(
	    dataset_load("refile:re", dkimrig_dir, 0, &err), NULL, &err);
	check_str("loaded", err.text, "");
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const struct signtable *t = tables[rows[i].is_pattern];
		char name[128];

		(void)snprintf(name, sizeof(name), "%s@%s%s", rows[i].local,
		    rows[i].domain, rows[i].is_pattern ? " refile" : "");
		check_str(name, sign(t, rows[i].local, rows[i].domain, 1),
		    rows[i].one);
		check_str(name, sign(t, rows[i].local, rows[i].domain, 8),
		    rows[i].all);
	}
	check_str("only so many", sign(tables[0], "joe", "a.example", 3),
	    "k1/ k2/@a.example k6/");
	signtable_free(&tables[0]);
	signtable_free(&tables[1]);
}

static void
test_signtable_faults(void)
{
	static const struct {
		const char *name, *lines, *want;
	} rows[] = {
		{ "no key", "*@a.example\n",
		    "st:1: the name of the key is missing; write ADDRESS" },
		{ "no key but a signer", "# x\n*@a.example :x@y\n",
		    "st:2: the name of the key is missing" },
		{ "two words", "*@a.example a b\n", "has no blanks" },
		{ "unknown key", "a x\nb y\n",
		    "st:2: there is no key \"y\" in KeyTable" },
		{ "empty", "", "" },
		{ "known", "a x\nb %\n", "" },
	};
	struct err err = { "" };
	struct keytable *keys = load("x example.com:s:$/rsa\n", &err);

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct signtable *table;

		(void)dkimrig_write("st", 0600, rows[i].lines);
		err.text[0] = '\0';
		table = signtable_new(
		    dataset_load("refile:st", dkimrig_dir, 0, &err), keys,
		    &err);
		check_bool(
		    rows[i].name, table != NULL, rows[i].want[0] == '\0');
		check_contains(rows[i].name, err.text, rows[i].want);
		signtable_free(&table);
	}
	keytable_free(&keys);
}

int
main(void)
{
	dkimrig_begin();
	(void)dkimrig_write("rsa", 0600, dkimrig_rsa);
	(void)dkimrig_write("rsa2", 0600, dkimrig_rsa2);
	(void)dkimrig_write("ed", 0600, dkimrig_ed25519);
	test_dates();
	test_find();
	test_faults();
	test_patterns();
	test_directory();
	test_file();
	test_signtable();
	test_signtable_faults();
	return check_done();
}
