/* SPDX-License-Identifier: ISC */
#include "common/store.h"
#include "common/str.h"
#include "common/textfile.h"
#include "tests/unit/check.h"
#include "tests/unit/dkimrig.h"

#include "dkimd/dataset.h"

static struct dataset *
load(const char *text, unsigned flags, struct err *err)
{
	char *full = dkimrig_text(text);
	struct dataset *set = dataset_load(full, "", flags, err);

	free(full);
	return set;
}

/* "key=value@line;..." of all entries. */
static const char *
print(const struct dataset *set)
{
	static char buf[1024];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	for (size_t i = 0; i < dataset_count(set); i++) {
		const struct dataset_entry *e = dataset_at(set, i);

		str_addf(&s, "%s=%s@%u;", e->key, e->value, e->line);
	}
	return buf;
}

static void
test_sources(void)
{
	static const struct {
		const char *name;
		const char *file; /* content of f, or NULL */
		const char *text;
		const char *want;
	} rows[] = {
		{ "list", NULL, "a, b ,c=1=2,, d = x y ",
		    "a=@1;b=@2;c=1=2@3;d=x y@5;" },
		{ "csl:", NULL, "csl:a,b", "a=@1;b=@2;" },
		{ "addresses are a list", NULL, "::1,127.0.0.1,fe80::1",
		    "::1=@1;127.0.0.1=@2;fe80::1=@3;" },
		{ "file:", "a\n# x\n\n b\tc:d # e\nf#g\n#\n", "file:$/f",
		    "a=@1;b=c:d@4;f=@5;" },
		{ "a path is a file", "a x\n", "$/f", "a=x@1;" },
		{ "CRLF", "a x\r\nb\r\n", "$/f", "a=x@1;b=@2;" },
		{ "no line end", "a", "FILE:$/f", "a=@1;" },
		{ "empty file", "", "$/f", "" },
		{ "refile:", "*@a.example k\n*.b k2\n", "refile:$/f",
		    "*@a.example=k@1;*.b=k2@2;" },
		{ "a pattern with more", "\n^a k\n", "refile:$/f",
		    "$/f:2: \"^a\": patterns know \"*\" and nothing" },
		{ "NUL", NULL, "/dev/zero", "larger than" },
		{ "missing", NULL, "$/missing", "$/missing: cannot open" },
		{ "db:", NULL, "db:/x", "Berkeley DB is not read: write a" },
		{ "a .db file", NULL, "/x.db", "Berkeley DB is not read" },
		{ "dsn:", NULL, "dsn:mysql://u:p@h/d", "SQL servers are not" },
		{ "ldap:", NULL, "ldap://h/", "LDAP is not asked" },
		{ "lua:", NULL, "lua:/x", "there is no Lua" },
		{ "mdb:", NULL, "mdb:/x", "LMDB is not read" },
		{ "memcache:", NULL, "memcache:h/k", "memcached is not" },
		{ "erlang:", NULL, "erlang:n:c:m:f", "Erlang is not asked" },
		{ "unknown", NULL, "regexp:/x", "kind of dataset is unknown" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		struct dataset *set;
		char *want;

		if (rows[i].file != NULL)
			(void)dkimrig_write("f", 0600, rows[i].file);
		want = dkimrig_text(rows[i].want);
		set = load(rows[i].text, 0, &err);
		if (set != NULL)
			check_str(rows[i].name, print(set), want);
		else
			check_contains(rows[i].name, err.text, want);
		free(want);
		dataset_free(&set);
	}
}

static void
test_find(void)
{
	static const struct {
		const char *name;
		const char *file;
		unsigned flags;
		const char *key;
		const char *want; /* the values, in order */
	} rows[] = {
		{ "exact", "b 1\na 2\nB 3\nab 4\n", 0, "b", "1 3 " },
		{ "by case", "b 1\na 2\nB 3\n", DATASET_CASE, "B", "3 " },
		{ "none", "b 1\na 2\n", 0, "c", "" },
		{ "no pattern", "* 1\na 2\n", 0, "a", "2 " },
		{ "empty", "", 0, "a", "" },
	};
	static const struct {
		const char *key, *want;
	} patterns[] = {
		{ "joe@example.com", "1 3 4 " },
		{ "JOE@EXAMPLE.COM", "1 3 4 " },
		{ "jim@example.com", "3 4 " },
		{ "joe@example.org", "4 " },
		{ "joe@exampleXcom", "4 " },
		{ "x", "" },
	};
	struct err err;
	struct dataset *set;

	for (size_t i = 0; i < CHECK_COUNT(rows) + CHECK_COUNT(patterns); i++) {
		const bool is_exact = i < CHECK_COUNT(rows);
		const size_t j = i - CHECK_COUNT(rows);
		const char *key = is_exact ? rows[i].key : patterns[j].key;
		const struct dataset_entry *e = NULL;
		char got[64] = "";
		struct str s;

		(void)dkimrig_write("f", 0600,
		    is_exact ? rows[i].file
			     : "joe@example.com 1\n*@other 2\n"
			       "*@example.com 3\n*@* 4\n");
		set = load(is_exact ? "file:$/f" : "refile:$/f",
		    is_exact ? rows[i].flags : 0, &err);
		str_init(&s, got, sizeof(got));
		while ((e = dataset_find_next(set, key, e)) != NULL)
			str_addf(&s, "%s ", e->value);
		check_str(is_exact ? rows[i].name : key, got,
		    is_exact ? rows[i].want : patterns[j].want);
		dataset_free(&set);
	}
	check_true("no set has nothing", dataset_find(NULL, "a") == NULL);
	check_uint("nor entries", dataset_count(NULL), 0);
}

static void
test_wildcard(void)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "abc", true },
		{ "**", "abc", true },
		{ "a*", "a", true },
		{ "a*", "b", false },
		{ "*a", "ba", true },
		{ "*a", "ab", false },
		{ "a*a", "a", false },
		{ "a*a", "aa", true },
		{ "a*b*c", "aXbYc", true },
		{ "a*b*c", "abc", true },
		{ "a*b*c", "acb", false },
		{ "a*bc*c", "abc", false },
		{ "*ab*ab*", "abab", true },
		{ "*ab*ab*", "aab", false },
		{ "*abc*bcd", "abcbcd", true },
		{ "*abc*bcd", "abcd", false },
		{ "A*B", "axb", true },
		{ "a.b", "axb", false },
		{ "a+b", "aab", false },
	};
	char long_text[DATASET_KEY_MAX + 2], pattern[512];
	struct str s;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].pattern,
		    dataset_wildcard(rows[i].pattern, rows[i].text,
			strlen(rows[i].text), false),
		    rows[i].want);
	check_false("by case", dataset_wildcard("A*", "ab", 2, true));
	check_true("only len bytes", dataset_wildcard("a*", "ab", 1, true));
	/* Trying each place of each star would never end. */
	memset(long_text, 'a', sizeof(long_text));
	str_init(&s, pattern, sizeof(pattern));
	for (int i = 0; i < 100; i++)
		str_add(&s, "*a");
	str_add(&s, "*b*");
	check_false("many stars",
	    dataset_wildcard(pattern, long_text, DATASET_KEY_MAX, true));
}

/* A word of the letters that matter. */
static void
random_word(char *word, size_t max, const char *letters)
{
	size_t len = (size_t)rand() % max;

	for (size_t i = 0; i < len; i++)
		word[i] = letters[(size_t)rand() % strlen(letters)];
	word[len] = '\0';
}

/* What is looked up must be what is found by trying all patterns in turn. */
static void
test_order(void)
{
	unsigned found = 0, wrong = 0;
	char file[2048], word[16];
	struct dataset *set;
	struct err err;
	struct str s;

	srand(1);
	for (int round = 0; round < 300; round++) {
		str_init(&s, file, sizeof(file));
		for (int i = 0; i < 30; i++) {
			random_word(word, 6, "aA@*.");
			str_addf(&s, "%s%s\n", rand() % 2 ? "*@" : "", word);
		}
		(void)dkimrig_write("f", 0600, file);
		set = load("refile:$/f", 0, &err);
		for (int i = 0; i < 30; i++) {
			const struct dataset_entry *e = NULL;

			random_word(word, 7, "aA@.*");
			for (size_t j = 0; j < dataset_count(set); j++) {
				if (!dataset_wildcard(dataset_at(set, j)->key,
					word, strlen(word), false))
					continue;
				e = dataset_find_next(set, word, e);
				found++;
				wrong += e != dataset_at(set, j);
				if (e == NULL)
					break;
			}
			if (e != NULL || dataset_find(set, word) != NULL)
				wrong +=
				    dataset_find_next(set, word, e) != NULL;
		}
		dataset_free(&set);
	}
	check_uint("found otherwise than in turn", wrong, 0);
	check_true("some are found", found > 1000);
}

static void
test_long(void)
{
	char text[TEXTFILE_LINE_MAX + 100], key[DATASET_KEY_MAX + 2];
	struct dataset *set;
	struct err err;

	memset(text, 'a', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	(void)dkimrig_write("f", 0600, text);
	check_true("long line", load("$/f", 0, &err) == NULL);
	check_contains("long line", err.text, "f:1: the line is longer than");
	text[DATASET_KEY_MAX + 1] = '\0';
	(void)dkimrig_write("f", 0600, text);
	check_true("long key", load("$/f", 0, &err) == NULL);
	check_contains("long key", err.text, "f:1: the key is longer than");
	(void)dkimrig_write("f", 0600, "*\n");
	set = load("refile:$/f", 0, &err);
	memset(key, 'a', sizeof(key));
	key[sizeof(key) - 1] = '\0';
	check_true("long text", dataset_find(set, key) == NULL);
	dataset_free(&set);
}

static void
test_sqlite(void)
{
	static const struct {
		const char *name;
		const char *text;
		const char *want;
	} rows[] = {
		{ "key and value", "sqlite:$/db?table=t&key=k&value=v",
		    "a=1@1;b=@2;c=3@4;" },
		{ "two columns", "sqlite:$/db?key=k&value=v,k&table=t",
		    "a=1:a@1;b=:b@2;c=3:c@4;" },
		{ "six columns", "sqlite:$/db?table=t&key=k&value=k,k,k,v,v,v",
		    "a=a:a:a:1:1:1@1;b=b:b:b:::@2;c=c:c:c:3:3:3@4;" },
		{ "too many", "sqlite:$/db?table=t&key=k&value=k,k,k,v,v,v,v",
		    "write sqlite:PATH?table=NAME" },
		{ "no column", "sqlite:$/db?table=t&key=k&value=k,",
		    "write sqlite:PATH?table=NAME" },
		{ "missing column", "sqlite:$/db?table=t&key=k&value=k,x",
		    "there is no column \"x\" in a table \"t\"" },
		{ "keys", "sqlite:$/db?table=t&key=k", "a=@1;b=@2;c=@4;" },
		{ "names without case", "sqlite:$/db?table=T&key=K",
		    "a=@1;b=@2;c=@4;" },
		{ "no table", "sqlite:$/db", "write sqlite:PATH?table=NAME" },
		{ "empty table", "sqlite:$/db?table=", "write sqlite:PATH" },
		{ "bad name", "sqlite:$/db?table=t;x", "write sqlite:PATH" },
		{ "quote", "sqlite:$/db?table=t&key=k\"", "write sqlite:PA" },
		{ "bad word", "sqlite:$/db?tables=t", "write sqlite:PATH" },
		{ "rest", "sqlite:$/db?table=t&", "write sqlite:PATH" },
		{ "missing table", "sqlite:$/db?table=u&key=k",
		    "db: there is no column \"k\" in a table \"u\"" },
		{ "default key", "sqlite:$/db?table=t",
		    "there is no column \"key\" in a table \"t\"" },
		{ "missing value", "sqlite:$/db?table=t&key=k&value=x",
		    "there is no column \"x\" in a table \"t\"" },
		{ "missing file", "sqlite:$/no?table=t", "no such file" },
		{ "no database", "sqlite:$/f?table=t", "f" },
	};
	static const char *const schema[] = {
		"CREATE TABLE t (k TEXT, v TEXT);"
		"INSERT INTO t VALUES ('a', 1), ('b', NULL), (NULL, 'x'),"
		" ('c', '3');",
		NULL,
	};
	const struct store_config config = {
		.path = dkimrig_path("db"),
		.mode = STORE_DAEMON,
		.migrations = schema,
		.cache_bytes = 100000,
	};
	struct err err;
	struct store *store = store_open(&config, NULL, &err);

	store_close(&store);
	(void)dkimrig_write("f", 0600, "This is text, and no database.\n");
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct dataset *set;

		err.text[0] = '\0';
		set = load(rows[i].text, 0, &err);
		if (set != NULL)
			check_str(rows[i].name, print(set), rows[i].want);
		else
			check_contains(rows[i].name, err.text, rows[i].want);
		dataset_free(&set);
	}
}

static void
test_blame(void)
{
	struct err err;
	struct dataset *set = load("a,b", 0, &err);

	(void)err_set(&err, "x");
	check_int("blame", dataset_blame(set, dataset_at(set, 1), &err), -1);
	check_str("list", err.text, "entry 2: x");
	dataset_free(&set);
	(void)dkimrig_write("f", 0600, "a\n\nb\n");
	set = load("$/f", 0, &err);
	(void)err_set(&err, "x");
	(void)dataset_blame(set, dataset_at(set, 1), &err);
	check_contains("file", err.text, "/f:3: x");
	dataset_free(&set);
}

static void
test_base(void)
{
	struct err err;
	struct dataset *set;

	(void)dkimrig_write("f", 0600, "a\n");
	set = dataset_load("./f", dkimrig_dir, 0, &err);
	check_uint("./f", dataset_count(set), 1);
	dataset_free(&set);
	set = dataset_load("refile:f", dkimrig_dir, 0, &err);
	check_uint("refile:f", dataset_count(set), 1);
	dataset_free(&set);
	check_true("below /", dataset_load("./f", "", 0, &err) == NULL);
	check_contains("below /", err.text, "/f: cannot open");
}

int
main(void)
{
	dkimrig_begin();
	test_sources();
	test_find();
	test_wildcard();
	test_order();
	test_long();
	test_sqlite();
	test_blame();
	test_base();
	return check_done();
}
