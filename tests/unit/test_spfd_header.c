/* SPDX-License-Identifier: ISC */
#include "tests/unit/check.h"

#include "spfd/header.h"

static char empty[] = "";
static char example[] = "example.org";
static char ip4_term[] = "ip4:192.0.2.0/24";
static char problem_text[] = "no \"such\" thing";

static struct finding
finding(enum spf_result result)
{
	return (struct finding){ .is_known = true,
		.result = result,
		.domain = example,
		.mechanism = empty,
		.problem = empty,
		.explanation = empty };
}

static const struct {
	const char *name;
	enum spf_result result;
	enum spf_identity identity;
	const char *client, *helo, *sender, *receiver;
	const char *want_spf, *want_ar;
} rows[] = {
	{ "pass", SPF_CHECK_PASS, SPF_CHECK_MAILFROM, "192.0.2.1", "mx.a",
	    "u@example.org", "b.example",
	    "Received-SPF: Pass (h.example: 192.0.2.1 is allowed to send for "
	    "example.org) identity=mailfrom; client-ip=192.0.2.1; helo=mx.a; "
	    "envelope-from=\"u@example.org\"; receiver=b.example",
	    "Authentication-Results: id.example; spf=pass (h.example: "
	    "192.0.2.1 is allowed to send for example.org) "
	    "smtp.mailfrom=example.org" },
	{ "IPv6, no HELO, hidden", SPF_CHECK_NONE, SPF_CHECK_MAILFROM,
	    "2001:db8::1", "", "u@example.org", "",
	    "Received-SPF: None (h.example: example.org has no SPF record) "
	    "identity=mailfrom; client-ip=\"2001:db8::1\"; "
	    "envelope-from=\"u@example.org\"; receiver=\"<UNKNOWN>\"",
	    "Authentication-Results: id.example; spf=none (h.example: "
	    "example.org has no SPF record) smtp.mailfrom=example.org" },
	{ "null sender", SPF_CHECK_NEUTRAL, SPF_CHECK_HELO, "192.0.2.1",
	    "example.org", "", "b.example",
	    "Received-SPF: Neutral (h.example: example.org does not say "
	    "whether 192.0.2.1 may send for it) identity=helo; "
	    "client-ip=192.0.2.1; helo=example.org; envelope-from=\"<>\"; "
	    "receiver=b.example",
	    "Authentication-Results: id.example; spf=neutral (h.example: "
	    "example.org does not say whether 192.0.2.1 may send for it) "
	    "smtp.helo=example.org" },
	{ "quotes, controls, 8 bit", SPF_CHECK_FAIL, SPF_CHECK_MAILFROM,
	    "192.0.2.1", "a\r\nX: y", "\"a\\ \x80\"@e", "x)y",
	    "Received-SPF: Fail (h.example: 192.0.2.1 is not allowed to send "
	    "for example.org) identity=mailfrom; client-ip=192.0.2.1; "
	    "helo=\"a??X: y\"; envelope-from=\"@e\"; "
	    "receiver=\"x)y\"",
	    "Authentication-Results: id.example; spf=fail (h.example: "
	    "192.0.2.1 is not allowed to send for example.org) "
	    "smtp.mailfrom=e" },
	{ "dots", SPF_CHECK_SOFTFAIL, SPF_CHECK_HELO, "192.0.2.1", "a..b",
	    "a@.b", "c.",
	    "Received-SPF: Softfail (h.example: 192.0.2.1 is probably not "
	    "allowed to send for example.org) identity=helo; "
	    "client-ip=192.0.2.1; helo=\"a..b\"; envelope-from=\"a@.b\"; "
	    "receiver=\"c.\"",
	    "Authentication-Results: id.example; spf=softfail (h.example: "
	    "192.0.2.1 is probably not allowed to send for example.org) "
	    "smtp.helo=\"a..b\"" },
	{ "U-labels", SPF_CHECK_PASS, SPF_CHECK_MAILFROM, "192.0.2.1",
	    "m\u00fcll.example", "u@b\u00fccher.example", "caf\u00e9.example",
	    "Received-SPF: Pass (h.example: 192.0.2.1 is allowed to send for "
	    "example.org) identity=mailfrom; client-ip=192.0.2.1; "
	    "helo=xn--mll-hoa.example; "
	    "envelope-from=\"u@xn--bcher-kva.example\"; "
	    "receiver=xn--caf-dma.example",
	    "Authentication-Results: id.example; spf=pass (h.example: "
	    "192.0.2.1 is allowed to send for example.org) "
	    "smtp.mailfrom=xn--bcher-kva.example" },
	{ "UTF-8 before the @", SPF_CHECK_PASS, SPF_CHECK_MAILFROM, "192.0.2.1",
	    "mx.a", "\u00fc\"@\u00fc@b\u00fccher.example", "b.example",
	    "Received-SPF: Pass (h.example: 192.0.2.1 is allowed to send for "
	    "example.org) identity=mailfrom; client-ip=192.0.2.1; helo=mx.a; "
	    "envelope-from=\"@xn--bcher-kva.example\"; receiver=b.example",
	    "Authentication-Results: id.example; spf=pass (h.example: "
	    "192.0.2.1 is allowed to send for example.org) "
	    "smtp.mailfrom=xn--bcher-kva.example" },
	{ "a HELO in UTF-8", SPF_CHECK_PASS, SPF_CHECK_HELO, "192.0.2.1",
	    "m\u00fcll.example", "", "b.example",
	    "Received-SPF: Pass (h.example: 192.0.2.1 is allowed to send for "
	    "example.org) identity=helo; client-ip=192.0.2.1; "
	    "helo=xn--mll-hoa.example; envelope-from=\"<>\"; "
	    "receiver=b.example",
	    "Authentication-Results: id.example; spf=pass (h.example: "
	    "192.0.2.1 is allowed to send for example.org) "
	    "smtp.helo=xn--mll-hoa.example" },
	{ "no UTF-8, no A-labels", SPF_CHECK_NONE, SPF_CHECK_MAILFROM,
	    "192.0.2.1",
	    "m\xfc"
	    "ll.example",
	    "u@b\xfc.example", "\xfc.example",
	    "Received-SPF: None (h.example: example.org has no SPF record) "
	    "identity=mailfrom; client-ip=192.0.2.1; "
	    "helo=\"m?ll.example\"; envelope-from=\"u@b?.example\"; "
	    "receiver=\"?.example\"",
	    "Authentication-Results: id.example; spf=none (h.example: "
	    "example.org has no SPF record) "
	    "smtp.mailfrom=\"b?.example\"" },
};

static struct header_facts
facts_of(const struct finding *f)
{
	return (struct header_facts){ .finding = f,
		.client = "192.0.2.1",
		.helo = "mx.a",
		.sender = "u@example.org",
		.receiver = "b.example",
		.hostname = "h.example",
		.authserv_id = "id.example" };
}

static void
test_rows(void)
{
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct finding f = finding(rows[i].result);
		struct header_facts facts = facts_of(&f);
		char out[HEADER_SIZE];

		facts.identity = rows[i].identity;
		facts.client = rows[i].client;
		facts.helo = rows[i].helo;
		facts.sender = rows[i].sender;
		facts.receiver = rows[i].receiver;
		header_received_spf(&facts, out);
		check_str(rows[i].name, out, rows[i].want_spf);
		header_authres(&facts, out);
		check_str(rows[i].name, out, rows[i].want_ar);
	}
}

static void
test_details(void)
{
	struct finding f = finding(SPF_CHECK_PERMERROR);
	struct header_facts facts = facts_of(&f);
	char out[HEADER_SIZE];

	f.problem = problem_text;
	f.mechanism = ip4_term;
	header_received_spf(&facts, out);
	check_str("mechanism and problem", out,
	    "Received-SPF: Permerror "
	    "(h.example: SPF Permanent Error: example.org: no \"such\" "
	    "thing) identity=helo; client-ip=192.0.2.1; helo=mx.a; "
	    "envelope-from=\"u@example.org\"; receiver=b.example; "
	    "mechanism=\"ip4:192.0.2.0/24\"; "
	    "problem=\"no \\\"such\\\" thing\"");
	header_bypass(&facts, FINDINGS_WHITELIST, out);
	check_str("X-Comment", out,
	    "X-Comment: SPF skipped for whitelisted "
	    "relay - client-ip=192.0.2.1; helo=mx.a; "
	    "envelope-from=\"u@example.org\"; receiver=b.example");
	facts.helo = "a(b";
	header_bypass_authres(&facts, FINDINGS_SKIPPED, out);
	check_str("none", out,
	    "Authentication-Results: id.example; none "
	    "(SPF check N/A for local connections - client-ip=192.0.2.1; "
	    "helo=\"a\\(b\"; envelope-from=\"u@example.org\"; "
	    "receiver=b.example)");
}

/* Whatever comes: no line is longer, and no quote stays open. */
static void
test_long(void)
{
	static const size_t lengths[] = { 0, 1, 150, 253, 255, 300, 320, 330,
		331, 1000, 5000 };
	static char text[5001];
	char out[HEADER_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(lengths); i++) {
		struct finding f = finding(SPF_CHECK_PERMERROR);
		struct header_facts facts = facts_of(&f);
		size_t quotes = 0, opened = 0, closed = 0;

		memset(text, '(', lengths[i]);
		text[lengths[i]] = '\0';
		for (size_t j = 0; j < lengths[i]; j += 3)
			text[j] = '"';
		f.domain = f.mechanism = f.problem = text;
		facts.helo = facts.sender = facts.receiver = text;
		facts.hostname = text;
		header_received_spf(&facts, out);
		check_true("is bounded", strlen(out) < HEADER_SIZE);
		check_true(
		    "identity", strstr(out, " identity=helo; "
					    "client-ip=192.0.2.1") != NULL);
		for (const char *p = strstr(out, " identity="); *p; p++) {
			if (*p == '\\')
				p++;
			else if (*p == '"')
				quotes++;
		}
		check_uint("quotes are even", quotes % 2, 0);
		header_authres(&facts, out);
		for (const char *p = out; *p != '\0' && *p != '='; p++)
			;
		header_bypass_authres(&facts, FINDINGS_SKIPPED, out);
		for (const char *p = out; *p != '\0'; p++) {
			if (*p == '\\') {
				p++;
				continue;
			}
			opened += *p == '(';
			closed += *p == ')';
		}
		check_uint("one comment", opened, 1);
		check_uint("and its end", closed, 1);
	}
}

int
main(void)
{
	test_rows();
	test_details();
	test_long();
	return check_done();
}
