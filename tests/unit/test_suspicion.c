/* SPDX-License-Identifier: ISC */
#include "greylistd/suspicion.h"
#include "tests/unit/check.h"

static const struct {
	const char *host;
	const char *address;
	bool want;
} generic[] = {
	{ "mx.example.org", "192.0.2.17", false },
	{ "192-0-2-17.dsl.example.org", "192.0.2.17", true },
	{ "host192.0.2.17.example.org", "192.0.2.17", true },
	{ "17.2.0.192.dyn.example.org", "192.0.2.17", true },
	{ "ip-17-2-0.example.org", "192.0.2.17", true },
	{ "p-0_2_17.example.org", "192.0.2.17", true },
	{ "c192-000-002-017.example.org", "192.0.2.17", true },
	{ "192000002017.example.org", "192.0.2.17", true },
	{ "c0000211.example.org", "192.0.2.17", true },
	{ "host-C0000211.example.org", "192.0.2.17", true },
	/* Another address, and numbers of which these are only a part. */
	{ "192-0-2-17.dsl.example.org", "192.0.2.18", true },
	{ "192-0-3-18.dsl.example.org", "192.0.2.17", false },
	{ "mail2-17.example.org", "192.0.2.17", false },
	{ "mx17.example.org", "192.0.2.17", false },
	{ "1192-0-2.example.org", "192.0.2.17", false },
	{ "0-2-171.example.org", "192.0.2.17", false },
	{ "a-192--0--2.example.org", "192.0.2.17", false },
	{ "", "192.0.2.17", false },
	{ "-", "192.0.2.17", false },
	{ "99999999999999999999", "192.0.2.17", false },
	{ "mx.example.org", "2001:db8::1234:5678:9abc:def0", false },
	{ "2001-db8--1234-5678-9abc-def0.example",
	    "2001:db8::1234:5678:9abc:"
	    "def0",
	    true },
	{ "123456789ABCDEF0.v6.example", "2001:db8::1234:5678:9abc:def0",
	    true },
	{ "0.f.e.d.c.b.a.9.8.7.6.5.4.3.2.1.ip6.example",
	    "2001:db8::1234:5678:9abc:def0", true },
	{ "5678-9abc.example", "2001:db8::1234:5678:9abc:def0", false },
};

static const struct {
	const char *helo;
	bool want;
} literals[] = {
	{ "mx.example.org", false },
	{ "[192.0.2.1]", true },
	{ "192.0.2.1", true },
	{ "[IPv6:2001:db8::1]", true },
	{ "2001:db8::1", true },
	{ "[garbage", true },
	{ "", false },
	{ "192.0.2.1.example.org", false },
};

static const struct {
	const char *a, *b;
	bool want;
} hosts[] = {
	{ "mx.example.org", "MX.example.org.", true },
	{ "mx.example.org", "mx.example.org", true },
	{ "mx.example.org", "mx.example.or", false },
	{ "mx.example.org", "mx2.example.org", false },
	{ "", "mx.example.org", false },
	{ "", ".", true },
};

static const struct {
	const char *text;
	const char *fault; /* NULL = fine */
	int64_t no_name, helo_other;
} scores[] = {
	{ "no-name=5", NULL, 5, 1 },
	{ "No_Name 0, helo-other = 3", NULL, 0, 3 },
	{ "", NULL, 2, 1 },
	{ "no-rdns=5", "\"no-rdns\" is no sign; these are: no-name", 0, 0 },
	{ "no-name", "no-name needs a score", 0, 0 },
	{ "no-name=-1", "no-name needs a score", 0, 0 },
	{ "no-name=1001", "no-name needs a score", 0, 0 },
};

static void
check_sum(void)
{
	struct suspicion s;
	char name[100];

	suspicion_begin(&s);
	check_str("no sign", s.text, "");
	check_int("no sign", s.score, 0);
	suspicion_add(&s, "no-name", 2);
	suspicion_add(&s, "helo-other", 0);
	suspicion_add(&s, "zen.example", 5);
	check_str("two signs", s.text, "no-name:2 zen.example:5");
	check_int("their sum", s.score, 7);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (int i = 0; i < 5; i++)
		suspicion_add(&s, name, 1);
	check_int("all count", s.score, 12);
	check_true("what does not fit is left out",
	    strlen(s.text) < SUSPICION_TEXT_SIZE);
	check_true("whole signs only", s.text[strlen(s.text) - 2] == ':');
}

int
main(void)
{
	for (size_t i = 0; i < CHECK_COUNT(generic); i++) {
		struct ip ip;

		check_true(
		    generic[i].address, ip_parse(generic[i].address, &ip));
		check_bool(generic[i].host,
		    suspicion_is_generic(generic[i].host, &ip),
		    generic[i].want);
	}
	for (size_t i = 0; i < CHECK_COUNT(literals); i++)
		check_bool(literals[i].helo,
		    suspicion_is_literal(literals[i].helo), literals[i].want);
	for (size_t i = 0; i < CHECK_COUNT(hosts); i++)
		check_bool(hosts[i].b,
		    suspicion_same_host(hosts[i].a, hosts[i].b), hosts[i].want);
	for (size_t i = 0; i < CHECK_COUNT(scores); i++) {
		struct suspicion_scores s = suspicion_defaults;
		struct err err;
		int result = suspicion_parse(scores[i].text, &s, &err);

		check_int(
		    scores[i].text, result, scores[i].fault == NULL ? 0 : -1);
		if (scores[i].fault != NULL) {
			check_contains(
			    scores[i].text, err.text, scores[i].fault);
			continue;
		}
		check_int(
		    scores[i].text, s.of[SUSPICION_NO_NAME], scores[i].no_name);
		check_int(scores[i].text, s.of[SUSPICION_HELO_OTHER],
		    scores[i].helo_other);
	}
	check_sum();
	return check_done();
}
