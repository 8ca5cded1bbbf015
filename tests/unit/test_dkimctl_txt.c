/* SPDX-License-Identifier: ISC */
#include "dkimd/ctl_txt.h"

#include "tests/unit/check.h"

static void
test_record(void)
{
	static const struct {
		const char *name;
		struct ctl_txt txt;
		const char *want;
	} rows[] = {
		{ "rsa", { .type = "rsa", .key = "MII", .hashes = "sha256" },
		    "v=DKIM1; h=sha256; k=rsa; p=MII" },
		{ "ed25519, no hashes",
		    { .type = "ed25519", .key = "ab+/=", .hashes = "" },
		    "v=DKIM1; k=ed25519; p=ab+/=" },
		{ "test",
		    { .type = "rsa", .key = "", .hashes = "", .is_test = true },
		    "v=DKIM1; k=rsa; t=y; p=" },
		{ "strict",
		    { .type = "rsa",
			.key = "",
			.hashes = "",
			.is_strict = true },
		    "v=DKIM1; k=rsa; t=s; p=" },
		{ "all",
		    { .type = "rsa",
			.key = "M",
			.hashes = "sha1:sha256",
			.note = "it's \"ours\"",
			.is_test = true,
			.is_strict = true,
			.is_email = true },
		    "v=DKIM1; n=it's \"ours\"; h=sha1:sha256; k=rsa; t=y:s; "
		    "s=email; p=M" },
		{ "a hostile note",
		    { .type = "rsa",
			.key = "M",
			.hashes = "",
			.note = " a;p=\t\xc3\xbc\n " },
		    "v=DKIM1; n==20a=3Bp=3D=09=C3=BC=0A=20; k=rsa; p=M" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char buf[CTL_TXT_SIZE];
		struct str s;

		str_init(&s, buf, sizeof(buf));
		ctl_txt_record(&s, &rows[i].txt);
		check_str(rows[i].name, buf, rows[i].want);
	}
}

static const char *
zone(const char *domain, bool is_absolute, const char *record)
{
	static char buf[CTL_TXT_SIZE];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	ctl_txt_zone(&s, "s1", domain, is_absolute, record);
	return buf;
}

static void
test_zone(void)
{
	char record[600] = "v=DKIM1; k=rsa; p=";
	const char *text, *at;
	size_t longest = 0;

	check_str("relative", zone("b.org", false, "v=DKIM1; k=rsa; p=abc"),
	    "s1._domainkey\tIN\tTXT\t( \"v=DKIM1; k=rsa; \"\n\t  \"p=abc\" )"
	    "  ; ----- DKIM key s1 for b.org\n");
	check_str("absolute", zone("b.org", true, "v=DKIM1; p=abc"),
	    "s1._domainkey.b.org.\tIN\tTXT\t( \"v=DKIM1; \"\n\t  \"p=abc\" )"
	    "  ; ----- DKIM key s1 for b.org\n");
	check_str("no domain", zone("", false, "v=DKIM1; p=a"),
	    "s1._domainkey\tIN\tTXT\t( \"v=DKIM1; \"\n\t  \"p=a\" )\n");
	check_str("escapes", zone("", false, "n=\"a\\b\"; p="),
	    "s1._domainkey\tIN\tTXT\t( \"n=\\\"a\\\\b\\\"; \"\n\t  \"p=\" )\n");
	check_str("no key", zone("", false, "x"),
	    "s1._domainkey\tIN\tTXT\t( \"x\" )\n");
	memset(record + strlen(record), 'A', sizeof(record) - 20);
	record[sizeof(record) - 1] = '\0';
	text = zone("b.org", false, record);
	for (at = strchr(text, '"'); at != NULL; at = strchr(at + 1, '"')) {
		size_t len = strcspn(at + 1, "\"");

		if (at[1] != '\n' && len > longest)
			longest = len;
	}
	check_uint("strings are short enough", longest, 250);
}

static void
test_names(void)
{
	static const char longest[] =
	    "a23456789012345678901234567890123456789012345678901234567890123";
	static const struct {
		const char *name;
		bool want;
	} rows[] = {
		{ "a", true },
		{ "s1.mail", true },
		{ "S-1_x", true },
		{ "1", true },
		{ longest, true },
		{ "", false },
		{ ".", false },
		{ "a.", false },
		{ ".a", false },
		{ "a..b", false },
		{ "-a", false },
		{ "a-", false },
		{ "a-.b", false },
		{ "a/b", false },
		{ "../a", false },
		{ "a b", false },
		{ "a;b", false },
		{ "a\nb", false },
		{ "\xc3\xbc", false },
	};
	char label[80];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].name, ctl_txt_name_ok(rows[i].name, 63),
		    rows[i].want);
	snprintf(label, sizeof(label), "%sx", longest);
	check_false("a label too long", ctl_txt_name_ok(label, 253));
	snprintf(label, sizeof(label), "%s.x", longest);
	check_true("two labels", ctl_txt_name_ok(label, 65));
	check_false("a name too long", ctl_txt_name_ok(label, 64));
}

static void
test_hashes(void)
{
	static const struct {
		const char *hashes;
		bool want;
	} rows[] = {
		{ "sha256", true },
		{ "sha1:sha256", true },
		{ "sha256:sha512-256", true },
		{ "", false },
		{ "sha1", false },
		{ "sha256:", false },
		{ ":sha256", false },
		{ "sha256;p=", false },
		{ "sha2567", false },
		{ "sha256 ", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_bool(rows[i].hashes, ctl_txt_hashes_ok(rows[i].hashes),
		    rows[i].want);
}

int
main(void)
{
	test_record();
	test_zone();
	test_names();
	test_hashes();
	return check_done();
}
