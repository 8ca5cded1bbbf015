/* SPDX-License-Identifier: ISC */
#include "common/str.h"
#include "tests/unit/check.h"
#include "tests/unit/dkimrig.h"

#include "dkimd/settings.h"

static char warnings[2000];

static void
on_warning(void *arg, const char *text)
{
	size_t len = strlen(warnings);

	(void)arg;
	(void)snprintf(warnings + len, sizeof(warnings) - len, "%s\n", text);
}

static struct settings *
load(const char *text, struct err *err)
{
	struct config *config =
	    config_new(options_table, sizeof(struct options));
	struct settings *settings = NULL;
	char *full = dkimrig_text(text);

	warnings[0] = '\0';
	err->text[0] = '\0';
	config_set_style(config, OPTIONS_STYLE);
	if (config_parse(config, "f", full, strlen(full), err) == 0 &&
	    options_check(config, err) == 0)
		settings =
		    settings_load(config, geteuid(), on_warning, NULL, err);
	/* Settings outlive what they were made of. */
	config_free(&config);
	free(full);
	return settings;
}

static void
test_defaults(void)
{
	struct err err;
	struct settings *s = load("", &err);
	const char *const *names;
	struct settings *held;

	check_str("no error", err.text, "");
	check_contains("no keys", warnings, "nothing will be signed: there is");
	check_true("signs", s->signs && s->verifies);
	check_int("header", s->header_canon, SIGFIELD_RELAXED);
	check_int("body", s->body_canon, SIGFIELD_RELAXED);
	check_str("authserv-id", s->authserv_id, "");
	check_true(
	    "we are internal", hostlist_has(s->internal_hosts, "", NULL));
	check_true("nobody is a peer", s->peers == NULL);
	check_str("From", dataset_at(s->sender_headers, 0)->key, "From");
	check_uint("no macros", settings_macros(s, &names), 0);
	check_false("limit", s->headers_limit_is_given);
	held = settings_hold(s);
	settings_release(&s);
	check_true("given back", s == NULL);
	check_true("still there", held->signs);
	settings_release(&held);
	settings_release(&held);
}

static void
test_values(void)
{
	struct err err;
	const char *const *names;
	struct settings *s = load("Mode v\n"
				  "Canonicalization relaxed\n"
				  "AuthservID HOSTNAME\n"
				  "Minimum 90%\n"
				  "MaximumHeaders 70000\n"
				  "MacroList daemon_name=a|b,{x},i=1\n"
				  "SenderMacro {f}\n"
				  "SenderHeaders Sender, From\n"
				  "BaseDirectory $\n"
				  "InternalHosts ./hosts\n"
				  "RemoveARFrom .example\n"
				  "SignOnlyOwnFrom No\n"
				  "KeyTable /nonexistent\n"
				  "SigningTable /nonexistent\n",
	    &err);

	check_str("keys are not read to verify", err.text, "");
	check_str("no warning", warnings, "");
	check_true("verifies", s->verifies && !s->signs);
	check_int("header", s->header_canon, SIGFIELD_RELAXED);
	check_int("body", s->body_canon, SIGFIELD_SIMPLE);
	check_true("authserv-id", strlen(s->authserv_id) > 0 &&
				      strcmp(s->authserv_id, "HOSTNAME") != 0);
	check_int("minimum", s->minimum_kind, OPTIONS_MINIMUM_PERCENT);
	check_int("minimum", s->minimum_number, 90);
	check_true("limit", s->headers_limit_is_given);
	check_uint("macros", settings_macros(s, &names), 4);
	check_str("braces", names[0], "{daemon_name}");
	check_str("as written", names[1], "{x}");
	check_str("a letter", names[2], "i");
	check_str("the sender's", names[3], "{f}");
	check_str("sender", dataset_at(s->sender_headers, 0)->key, "Sender");
	check_true("relative", hostlist_has_name(s->internal_hosts, "a.b"));
	check_true(
	    "results of", hostlist_has_name(s->remove_ar_from, "x.example"));
	check_false("own from", s->only_own_from);
	settings_release(&s);
	s = load("SignOnlyOwnFrom yes\nMode v\n", &err);
	check_true("own from", s->only_own_from && s->owners == NULL);
	settings_release(&s);
	s = load("SignOnlyOwnFrom a=b@c\nMode v\n", &err);
	check_true("own from", s->only_own_from && dataset_count(s->owners));
	settings_release(&s);
}

static void
test_keys(void)
{
	static const struct {
		const char *name, *text;
		size_t count;
		const char *warning;
	} rows[] = {
		{ "one", "Domain a\nKeyFile $/rsa\nSelector s\n", 1, "" },
		{ "relative",
		    "Domain a\nBaseDirectory $\nKeyFile rsa\nSelector s\n", 1,
		    "" },
		{ "table", "KeyTable $/kt\nSigningTable refile:$/st\n", 2, "" },
		{ "a file of patterns", "KeyTable $/kt\nSigningTable $/st\n", 2,
		    "st:1: \"*@a.example\" is no pattern here and matches "
		    "nothing; write SigningTable refile:PATH" },
		{ "stars that do match",
		    "KeyTable $/kt\nSigningTable joe@*=k,*=k\n", 2, "" },
		{ "table wins",
		    "KeyTable $/kt\nSigningTable *=k\nDomain x\n"
		    "KeyFile /nonexistent\nSelector s\n",
		    2, "" },
		{ "directory", "KeyDirectory $/dir\n", 1, "" },
		{ "all",
		    "KeyDirectory $/dir\nKeyFile $/rsa\nSelector s\n"
		    "Domain a\n",
		    2, "" },
		{ "empty directory", "KeyDirectory $/dir/a.example\n", 0,
		    "nothing will be signed" },
		{ "no commas", "Domain a b\nKeyFile $/rsa\nSelector s\n", 1,
		    "Domain: entry 1: \"a b\" holds a blank; write commas" },
		{ "no commas between hosts",
		    "PeerList 10.0.0.1 ::1\nDomain a\nKeyFile $/rsa\n"
		    "Selector s\n",
		    1,
		    "PeerList: entry 1: \"10.0.0.1 ::1\" holds a blank; "
		    "write commas" },
		{ "unsafe but wanted",
		    "Domain a\nKeyFile $/unsafe\nSelector s\n"
		    "RequireSafeKeys no\n",
		    1, "KeyFile, KeyTable: unsafe private key: " },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err;
		struct settings *s = load(rows[i].text, &err);

		check_str(rows[i].name, err.text, "");
		if (s == NULL)
			continue;
		check_uint(
		    rows[i].name, keytable_count(s->keys), rows[i].count);
		check_contains(rows[i].name, warnings, rows[i].warning);
		check_bool(rows[i].name, warnings[0] == '\0',
		    rows[i].warning[0] == '\0');
		settings_release(&s);
	}
}

static void
test_faults(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "InternalHosts 10.0.0.0/40",
		    "InternalHosts: entry 1: \"10.0.0.0/40\" is no" },
		{ "PeerList /nonexistent",
		    "PeerList: /nonexistent: cannot open" },
		{ "MTA dsn:x", "MTA: \"dsn:x\": SQL servers are not asked" },
		{ "SignHeaders a:b",
		    "OversignHeaders: entry 1: \"a:b\" is no name" },
		{ "SignOnlyOwnFrom /nonexistent", "SignOnlyOwnFrom: " },
		{ "KeyTable $/none\nSigningTable *=k",
		    "KeyTable: $/none: cannot open" },
		{ "KeyTable k\nSigningTable *=k",
		    "KeyTable: entry 1: the key is missing" },
		{ "KeyTable $/kt\nSigningTable $/bad",
		    "SigningTable: $/bad:2: there is no key \"k9\" in" },
		{ "Domain a\nSelector s\nKeyFile $/unsafe",
		    "KeyFile: unsafe private key: $/unsafe has mode 0644: "
		    "everyone can read the key; type: chmod 0640 $/unsafe" },
		{ "KeyDirectory $/none", "KeyDirectory: $/none: No such" },
		{ "Domain a\nSelector s\nKeyFile $/rsa\nMinimumKeyBits 2048",
		    "KeyFile: $/rsa: the key has 1024 bits, Minimum" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char *want = dkimrig_text(rows[i].want);
		struct err err;

		check_true(rows[i].text, load(rows[i].text, &err) == NULL);
		check_contains(rows[i].text, err.text, want);
		free(want);
	}
	check_true("warned", load("PeerList 10.0.0.1/8\nMTA /none",
				 &(struct err){ "" }) == NULL);
	check_contains("warned", warnings,
	    "PeerList: entry 1: \"10.0.0.1/8\" has bits beyond");
}

int
main(void)
{
	dkimrig_begin();
	(void)dkimrig_write("rsa", 0600, dkimrig_rsa);
	(void)dkimrig_write("unsafe", 0644, dkimrig_rsa);
	(void)dkimrig_write("hosts", 0644, "a.b\n");
	(void)dkimrig_write(
	    "kt", 0600, "k a.example:s:$/rsa\nk b.example:t:$/rsa\n");
	(void)dkimrig_write("st", 0600, "*@a.example k\n");
	(void)dkimrig_write("bad", 0600, "a k\nb k9\n");
	dkimrig_mkdir("dir", 0700);
	dkimrig_mkdir("dir/a.example", 0700);
	(void)dkimrig_write("dir/a.example/s.private", 0600, dkimrig_rsa);
	test_defaults();
	test_values();
	test_keys();
	test_faults();
	return check_done();
}
