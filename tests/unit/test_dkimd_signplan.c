/* SPDX-License-Identifier: ISC */
#include "common/str.h"
#include "tests/unit/check.h"
#include "tests/unit/dkimrig.h"

#include "dkimd/signplan.h"

/* 2026-01-15 */
#define NOW INT64_C(1768435200)

static void
on_warning(void *arg, const char *text)
{
	(void)arg;
	(void)text;
}

static struct settings *
load(const char *text)
{
	struct config *config =
	    config_new(options_table, sizeof(struct options));
	struct settings *settings = NULL;
	char *full = dkimrig_text(text);
	struct err err = { "" };

	config_set_style(config, OPTIONS_STYLE);
	if (config_parse(config, "f", full, strlen(full), &err) == 0 &&
	    options_check(config, &err) == 0)
		settings =
		    settings_load(config, geteuid(), on_warning, NULL, &err);
	if (settings == NULL)
		check_str("settings", err.text, "");
	config_free(&config);
	free(full);
	return settings;
}

/* A message: "name=value" of macros in one text with blanks between. */
struct message {
	const char *ip; /* "" = none */
	const char *client;
	const char *login; /* "" = none */
	const char *from;  /* "" = cannot be understood */
	const char *macros;
	const char *rcpt;
};

static const char *
macro(void *arg, const char *name)
{
	static char buf[64];
	const char *at = strstr(arg, name);
	struct str s;

	if (at == NULL || at[strlen(name)] != '=')
		return NULL;
	at += strlen(name) + 1;
	str_init(&s, buf, sizeof(buf));
	str_add_bytes(&s, at, strcspn(at, " "));
	return buf;
}

/* "sign s@d i=x, ..." or "verify: reason", with "notice: ..." behind. */
static const char *
decide(const struct settings *settings, const struct message *m)
{
	static const char *const words[] = { "sign", "verify", "pass",
		"error" };
	static char buf[1024];
	struct arena *arena = arena_new();
	struct mailbox sender;
	struct signplan plan;
	struct ip ip;
	struct str s;
	struct signplan_facts facts = {
		.client_name = m->client,
		.client_ip = ip_parse(m->ip, &ip) ? &ip : NULL,
		.daemon_name = "smtpd",
		.auth_type = m->login[0] != '\0' ? "PLAIN" : "",
		.auth_login = m->login,
		.recipients = &m->rcpt,
		.recipient_count = 1,
		.sender_error = "cannot be read",
		.macro = macro,
		.macro_arg = (void *)(uintptr_t)m->macros,
		.now = NOW,
	};

	if (mailbox_parse_address(m->from, arena, &sender, NULL) == 0)
		facts.sender = &sender;
	signplan_decide(settings, &facts, arena, &plan);
	str_init(&s, buf, sizeof(buf));
	str_add(&s, words[plan.action]);
	for (size_t i = 0; i < plan.key_count; i++)
		str_addf(&s, " %s@%s%s%s", plan.keys[i].selector,
		    plan.keys[i].domain,
		    plan.keys[i].identity != NULL ? " i=" : "",
		    plan.keys[i].identity != NULL ? plan.keys[i].identity : "");
	if (plan.reason[0] != '\0')
		str_addf(&s, ": %s", plan.reason);
	if (plan.notice[0] != '\0')
		str_addf(&s, "; notice: %s", plan.notice);
	arena_free(&arena);
	return buf;
}

struct row {
	const char *name;
	struct message message;
	const char *want;
};

static void
run(const char *title, const char *config, const struct row *rows, size_t count)
{
	struct settings *settings = load(config);
	char name[256];

	for (size_t i = 0; settings != NULL && i < count; i++) {
		(void)snprintf(
		    name, sizeof(name), "%s: %s", title, rows[i].name);
		check_str(
		    name, decide(settings, &rows[i].message), rows[i].want);
	}
	settings_release(&settings);
}

#define STRANGER "192.0.2.9", "mx.example.net"
#define LOCAL "", ""
#define ONE_KEY "KeyFile $/rsa\nSelector mail\nDomain example.com\n"
#define NOT_INTERNAL                                                           \
	"mx.example.net [192.0.2.9] not internal; not authenticated"

static void
test_domain(void)
{
	static const struct row rows[] = {
		{ "ours", { LOCAL, "", "joe@example.com", "", "x@y" },
		    "sign mail@example.com" },
		{ "::1", { "::1", "localhost", "", "a@example.com", "", "" },
		    "sign mail@example.com" },
		{ "login", { STRANGER, "joe", "joe@example.com", "", "" },
		    "sign mail@example.com" },
		{ "stranger", { STRANGER, "", "joe@example.com", "", "" },
		    "verify: " NOT_INTERNAL
		    "; notice: external host mx.example.net attempted to send "
		    "as example.com" },
		{ "foreign", { STRANGER, "", "joe@example.net", "", "" },
		    "verify: " NOT_INTERNAL },
		{ "neither name nor address",
		    { "", "unknown", "", "joe@example.org", "", "" },
		    "verify: unknown [unknown] not internal; not "
		    "authenticated" },
		{ "no name", { "2001:db8::1", "", "", "joe@a", "", "" },
		    "verify: unknown [2001:db8::1] not internal; "
		    "not authenticated" },
		{ "ignored stranger",
		    { "192.0.2.77", "mx", "", "joe@example.com", "", "" },
		    "verify: mx [192.0.2.77] not internal; not "
		    "authenticated" },
		{ "other domain", { LOCAL, "", "joe@example.org", "", "" },
		    "verify: no signing domain match for 'example.org'" },
		{ "subdomain", { LOCAL, "", "joe@a.example.com", "", "" },
		    "verify: no signing domain match for 'a.example.com'" },
		{ "no sender", { LOCAL, "", "", "", "" },
		    "error: cannot be read" },
		{ "a stranger's bad sender", { STRANGER, "", "", "", "" },
		    "verify: " NOT_INTERNAL },
		{ "peer",
		    { "192.0.2.80", "p", "joe", "joe@example.com", "", "" },
		    "pass: client is in PeerList" },
		{ "exempt", { LOCAL, "", "joe@exempt.example", "", "" },
		    "pass: 'exempt.example' is in ExemptDomains" },
		{ "not to them",
		    { LOCAL, "", "joe@example.com", "", "list@no.example" },
		    "pass: mail to 'list@no.example' is not signed" },
		{ "nor to him",
		    { LOCAL, "", "joe@example.com", "", "Him@yes.example" },
		    "pass: mail to 'Him@yes.example' is not signed" },
		{ "but to her",
		    { LOCAL, "", "joe@example.com", "", "her@yes.example" },
		    "sign mail@example.com" },
		{ "literal", { LOCAL, "", "joe@[192.0.2.1]", "", "" },
		    "verify: no signing domain match for '[192.0.2.1]'" },
	};
	static const struct row deep[] = {
		{ "itself", { LOCAL, "", "joe@example.com", "", "" },
		    "sign mail@example.com" },
		{ "below", { LOCAL, "", "joe@b.a.example.com", "", "" },
		    "sign mail@example.com" },
		{ "not below", { LOCAL, "", "joe@badexample.com", "", "" },
		    "verify: no signing subdomain match for "
		    "'badexample.com'" },
	};
	static const struct row any[] = {
		{ "all", { LOCAL, "", "joe@b.example", "", "" },
		    "sign mail@b.example" },
		{ "IDN", { LOCAL, "", "joe@b\303\274cher.example", "", "" },
		    "sign mail@xn--bcher-kva.example" },
		{ "literal", { LOCAL, "", "joe@[192.0.2.1]", "", "" },
		    "verify: no signing domain match for '[192.0.2.1]'" },
	};
	static const struct row sign_only[] = {
		{ "ours", { LOCAL, "", "joe@example.com", "", "" },
		    "sign mail@example.com" },
		{ "other", { LOCAL, "", "joe@example.org", "", "" },
		    "pass: no signing domain match for 'example.org'" },
	};
	static const struct row verify_only[] = {
		{ "ours", { LOCAL, "", "joe@example.com", "", "" }, "verify" },
	};

	run("domain",
	    ONE_KEY "ExternalIgnoreList 192.0.2.77\nPeerList 192.0.2.80\n"
		    "ExemptDomains exempt.example\n"
		    "DontSignMailTo no.example,him@yes.example\n",
	    rows, CHECK_COUNT(rows));
	run("SubDomains", ONE_KEY "SubDomains yes\n", deep, CHECK_COUNT(deep));
	run("Domain *", "KeyFile $/rsa\nSelector mail\nDomain *\n", any,
	    CHECK_COUNT(any));
	run("Mode s", ONE_KEY "Mode s\n", sign_only, CHECK_COUNT(sign_only));
	run("Mode v", ONE_KEY "Mode v\n", verify_only,
	    CHECK_COUNT(verify_only));
}

static void
test_table(void)
{
	static const struct row first[] = {
		{ "both algorithms", { LOCAL, "", "joe@a.example", "", "" },
		    "sign r@a.example e@a.example" },
		{ "first line", { LOCAL, "", "boss@a.example", "", "" },
		    "sign r@a.example i=@a.example e@a.example i=@a.example" },
		{ "signer below", { LOCAL, "", "joe@x.b.example", "", "" },
		    "sign s@b.example i=joe@x.b.example" },
		{ "signer elsewhere", { LOCAL, "", "joe@c.example", "", "" },
		    "sign s@b.example" },
		{ "no line", { LOCAL, "", "joe@z.example", "", "" },
		    "verify: no signing table match for 'joe@z.example'" },
		{ "not yet", { LOCAL, "", "joe@future.example", "", "" },
		    "error: no key 'future' can sign for 'future.example' "
		    "today" },
		{ "key of the domain", { LOCAL, "", "joe@d.example", "", "" },
		    "sign s@d.example" },
		{ "unknown domain", { LOCAL, "", "joe@d.test", "", "" },
		    "error: no key '%' can sign for 'd.test' today" },
		{ "a stranger", { STRANGER, "", "joe@a.example", "", "" },
		    "verify: " NOT_INTERNAL
		    "; notice: external host mx.example.net attempted to send "
		    "as a.example" },
	};
	static const struct row all[] = {
		{ "all lines", { LOCAL, "", "boss@a.example", "", "" },
		    "sign r@a.example i=@a.example e@a.example i=@a.example "
		    "s@b.example" },
		{ "some can", { LOCAL, "", "joe@future.example", "", "" },
		    "sign s@b.example" },
	};
#define TABLES "KeyTable $/kt\nSigningTable refile:$/st\n"

	(void)dkimrig_write("kt", 0600,
	    "a a.example:r:$/rsa\n"
	    "a a.example:e:$/ed\n"
	    "b b.example:s:$/rsa\n"
	    "future %:s:$/rsa::2030-01-01\n"
	    "d.example %:s:$/rsa\n");
	(void)dkimrig_write("st", 0600,
	    "boss@a.example a:@a.example\n"
	    "*@a.example a\n"
	    "*@x.b.example b:joe@%\n"
	    "*@c.example b:joe@%\n"
	    "*@future.example future\n"
	    "*@d.* %\n"
	    "boss@* b\n"
	    "*@future* b\n");
	run("table", TABLES, first, CHECK_COUNT(first));
	run("MultipleSignatures", TABLES "MultipleSignatures yes\n", all,
	    CHECK_COUNT(all));
}

static void
test_directory(void)
{
	static const struct row rows[] = {
		{ "there", { LOCAL, "", "joe@dir.example", "", "" },
		    "sign s@dir.example" },
		{ "not there", { LOCAL, "", "joe@x.dir.example", "", "" },
		    "verify: no signing domain match for 'x.dir.example'" },
	};
	static const struct row mixed[] = {
		{ "its own", { LOCAL, "", "joe@dir.example", "", "" },
		    "sign s@dir.example" },
		{ "below", { LOCAL, "", "joe@x.dir.example", "", "" },
		    "sign s@dir.example" },
		{ "the one key", { LOCAL, "", "joe@example.com", "", "" },
		    "sign mail@example.com" },
	};

	dkimrig_mkdir("keys", 0700);
	dkimrig_mkdir("keys/dir.example", 0700);
	(void)dkimrig_write("keys/dir.example/s.private", 0600, dkimrig_rsa);
	run("directory", "KeyDirectory $/keys\n", rows, CHECK_COUNT(rows));
	run("directory and key",
	    "KeyDirectory $/keys\nSubDomains yes\nKeyFile $/rsa\n"
	    "Selector mail\nDomain example.com,dir.example\n",
	    mixed, CHECK_COUNT(mixed));
}

static void
test_origin(void)
{
	static const struct row rows[] = {
		{ "macro", { STRANGER, "", "joe@example.com", "{mac}=yes", "" },
		    "sign mail@example.com" },
		{ "other value",
		    { STRANGER, "", "joe@example.com", "{mac}=ye", "" },
		    "verify: " NOT_INTERNAL
		    "; no MTA name match (host=mx.example.net, MTA=smtpd); no "
		    "macros match; notice: external host mx.example.net "
		    "attempted to send as example.com" },
		{ "longer value",
		    { STRANGER, "", "joe@example.net", "{mac}=yesno", "" },
		    "verify: " NOT_INTERNAL
		    "; no MTA name match (host=mx.example.net, MTA=smtpd); no "
		    "macros match" },
		{ "second value",
		    { STRANGER, "", "joe@example.com", "{mac}=da", "" },
		    "sign mail@example.com" },
		{ "any value",
		    { STRANGER, "", "joe@example.com", "{any}=1", "" },
		    "sign mail@example.com" },
		{ "empty value",
		    { STRANGER, "", "joe@example.net", "{any}=", "" },
		    "verify: " NOT_INTERNAL
		    "; no MTA name match (host=mx.example.net, MTA=smtpd); no "
		    "macros match" },
	};
	static const struct row mta[] = {
		{ "name", { STRANGER, "", "joe@example.com", "", "" },
		    "sign mail@example.com" },
	};
	static const struct row sender[] = {
		{ "macro",
		    { LOCAL, "", "joe@x.example", "{snd}=joe@example.com", "" },
		    "sign mail@example.com" },
		{ "no macro", { LOCAL, "", "joe@example.com", "", "" },
		    "sign mail@example.com" },
		{ "no address", { LOCAL, "", "joe@example.com", "{snd}=x", "" },
		    "sign mail@example.com" },
	};
	static const struct row nobody[] = {
		{ "no list", { LOCAL, "", "joe@example.com", "", "" },
		    "sign mail@example.com" },
	};

	run("MacroList", ONE_KEY "MacroList mac=yes|da,any\nMTA other\n", rows,
	    CHECK_COUNT(rows));
	run("MTA", ONE_KEY "MTA SMTPD\n", mta, CHECK_COUNT(mta));
	run("SenderMacro", ONE_KEY "SenderMacro snd\n", sender,
	    CHECK_COUNT(sender));
	run("hosts", ONE_KEY, nobody, CHECK_COUNT(nobody));
}

static void
test_owners(void)
{
	static const struct row table[] = {
		{ "listed", { STRANGER, "joe", "JOE@example.com", "", "" },
		    "sign mail@example.com" },
		{ "second", { STRANGER, "joe", "sales@example.com", "", "" },
		    "sign mail@example.com" },
		{ "not listed", { STRANGER, "joe", "boss@example.com", "", "" },
		    "verify: login 'joe' does not own 'boss@example.com'" },
		{ "domain", { STRANGER, "eve", "x@example.com", "", "" },
		    "sign mail@example.com" },
		{ "all", { STRANGER, "root", "x@example.com", "", "" },
		    "sign mail@example.com" },
		{ "part of a domain",
		    { STRANGER, "pat", "pat@example.com", "", "" },
		    "verify: login 'pat' does not own 'pat@example.com'" },
		{ "part of a name",
		    { STRANGER, "ann", "nn@example.com", "", "" },
		    "verify: login 'ann' does not own 'nn@example.com'" },
		{ "unknown", { STRANGER, "x", "x@example.com", "", "" },
		    "verify: login 'x' does not own 'x@example.com'" },
		{ "is it",
		    { STRANGER, "Zoe@example.com", "zoe@example.com", "", "" },
		    "sign mail@example.com" },
		{ "a host", { LOCAL, "", "boss@example.com", "", "" },
		    "sign mail@example.com" },
		{ "a login on a host",
		    { LOCAL, "joe", "boss@example.com", "", "" },
		    "verify: login 'joe' does not own 'boss@example.com'" },
	};
	static const struct row self[] = {
		{ "is it",
		    { STRANGER, "joe@example.com", "joe@example.com", "", "" },
		    "sign mail@example.com" },
		{ "is not",
		    { STRANGER, "joe@example.com", "a@example.com", "", "" },
		    "verify: login 'joe@example.com' does not own "
		    "'a@example.com'" },
	};

	(void)dkimrig_write("owners", 0600,
	    "joe joe@example.com, sales@example.com\n"
	    "eve @example.com\n"
	    "ann ann@example.com\n"
	    "pat pat@example.co @example.co\n"
	    "root *\n");
	run("SignOnlyOwnFrom", ONE_KEY "SignOnlyOwnFrom $/owners\n", table,
	    CHECK_COUNT(table));
	run("SignOnlyOwnFrom yes", ONE_KEY "SignOnlyOwnFrom yes\n", self,
	    CHECK_COUNT(self));
}

/* The header's part: which field, and what it must hold. */
static void
test_sender(void)
{
	static const struct {
		const char *name, *config;
		const char *header[4]; /* name, value, name, value */
		const char *want;      /* the address, or the error */
	} rows[] = {
		{ "one", "", { "From", " Joe <joe@Example.com>" },
		    "joe@example.com" },
		{ "other fields", "", { "Sender", " x@y", "from", "a@b.c" },
		    "a@b.c" },
		{ "none", "", { "Sender", " x@y.z" },
		    "there is no From field" },
		{ "two fields", "", { "From", "a@b.c", "FROM", "a@b.c" },
		    "there are several From fields" },
		{ "not read", "", { "From", " joe" }, "can't parse From: " },
		{ "empty group", "", { "From", " nobody:;" },
		    "no address in From" },
		{ "two of a domain", "", { "From", "a@b.c, d@B.c" }, "a@b.c" },
		{ "two domains", "", { "From", "a@b.c, d@e.f" },
		    "addresses of several domains in From" },
		{ "two that own", "SignOnlyOwnFrom yes\n",
		    { "From", "a@b.c, d@b.c" }, "several addresses in From" },
		{ "first of the list", "SenderHeaders Sender,From\n",
		    { "From", "a@b.c", "Sender", "x@y.z" }, "x@y.z" },
		{ "second of the list", "SenderHeaders Sender,From\n",
		    { "From", "a@b.c" }, "a@b.c" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct settings *settings = load(rows[i].config);
		struct arena *arena = arena_new();
		const struct mailbox *sender = NULL;
		struct header_field fields[2];
		size_t count = 0;
		struct err err;
		char got[ERR_TEXT_SIZE];

		for (; count < 2 && rows[i].header[count * 2] != NULL; count++)
			fields[count] = (struct header_field){
				.name = rows[i].header[count * 2],
				.name_len = strlen(rows[i].header[count * 2]),
				.value = rows[i].header[count * 2 + 1],
				.value_len =
				    strlen(rows[i].header[count * 2 + 1]),
			};
		if (signplan_sender(
			settings, fields, count, arena, &sender, &err) == 0)
			(void)snprintf(got, sizeof(got), "%s@%s", sender->local,
			    sender->domain);
		else
			(void)snprintf(got, sizeof(got), "%s", err.text);
		check_contains(rows[i].name, got, rows[i].want);
		arena_free(&arena);
		settings_release(&settings);
	}
}

int
main(void)
{
	dkimrig_begin();
	(void)dkimrig_write("rsa", 0600, dkimrig_rsa);
	(void)dkimrig_write("ed", 0600, dkimrig_ed25519);
	test_domain();
	test_table();
	test_directory();
	test_origin();
	test_owners();
	test_sender();
	return check_done();
}
