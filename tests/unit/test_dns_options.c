/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/dns_options.h"
#include "tests/unit/check.h"

struct values {
	struct dns_options dns;
};

static const struct config_option table[] = { DNS_OPTIONS(struct values, dns),
	CONFIG_END };

/* Sets the options of text; "" for none. The caller frees. */
static struct dns_config *
config_of(const char *text, struct err *err)
{
	struct config *config = config_new(table, sizeof(struct values));
	struct dns_config *made = NULL;

	err->text[0] = '\0';
	if (config_parse(config, "test", text, strlen(text), err) == 0)
		made = dns_options_config(
		    &((const struct values *)config_values(config))->dns);
	config_free(&config);
	return made;
}

static void
test_servers(void)
{
	static const struct {
		const char *name, *value;
		const char *wrong; /* NULL = fine */
	} rows[] = {
		{ "address", "192.0.2.1", NULL },
		{ "with a port", "192.0.2.1@5353", NULL },
		{ "IPv6", "::1@53", NULL },
		{ "with a zone", "fe80::1%eth0", NULL },
		{ "several", " 192.0.2.1, 192.0.2.2\t::1 ,", NULL },
		{ "only separators", " , ", NULL },
		{ "name", "ns.example", "\"ns.example\" is no name server" },
		{ "the second", "::1 x@53", "\"x@53\" is no name server" },
		{ "port 0", "::1@0", "\"::1@0\" is no name server" },
		{ "no port", "::1@", "\"::1@\" is no name server" },
		{ "large port", "::1@65536", "\"::1@65536\"" },
		{ "colon", "192.0.2.1:53", "write ADDRESS or ADDRESS@PORT" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };

		check_int(rows[i].name,
		    dns_options_check_servers(rows[i].value, &err),
		    rows[i].wrong == NULL ? 0 : -1);
		check_contains(rows[i].name, err.text,
		    rows[i].wrong == NULL ? "" : rows[i].wrong);
	}
}

static void
test_defaults(void)
{
	struct err err;
	struct dns_config *config = config_of("", &err);

	check_uint("resolv.conf's", config->nameserver_count, 0);
	check_str("no DNSSEC", config->trust_anchor_file, "");
	check_int("time", config->question_timeout_ms, 8000);
	check_int("cache", config->cache_bytes, 16 * 1024 * 1024);
	dns_options_free(&config);
	check_true("freed", config == NULL);
	dns_options_free(&config);
}

static void
test_words(void)
{
	struct err err;
	struct dns_config *config =
	    config_of("Nameservers 192.0.2.1,192.0.2.2@53\n"
		      "Nameservers ::1\n"
		      "TrustAnchorFile /a\nQuestionTimeout 3s\n"
		      "DNSCacheSize 2M\n",
		&err);

	check_str("parses", err.text, "");
	if (!check_uint("count", config->nameserver_count, 3))
		return;
	check_str("first", config->nameservers[0], "192.0.2.1");
	check_str("second", config->nameservers[1], "192.0.2.2@53");
	check_str("third", config->nameservers[2], "::1");
	check_str("anchor", config->trust_anchor_file, "/a");
	check_int("time", config->question_timeout_ms, 3000);
	check_int("cache", config->cache_bytes, 2 * 1024 * 1024);
	dns_options_free(&config);
}

static void
test_equal(void)
{
	static const struct {
		const char *name, *a, *b;
		bool want;
	} rows[] = {
		{ "nothing", "", "", true },
		{ "a default", "", "QuestionTimeout 8s\n", true },
		{ "layout", "Nameservers ::1,::2\n",
		    "Nameservers ::1\nNameservers ::2\n", true },
		{ "one more", "Nameservers ::1\n", "Nameservers ::1 ::2\n",
		    false },
		{ "another", "Nameservers ::1\n", "Nameservers ::2\n", false },
		{ "order", "Nameservers ::1 ::2\n", "Nameservers ::2 ::1\n",
		    false },
		{ "anchor", "", "TrustAnchorFile /a\n", false },
		{ "time", "", "QuestionTimeout 9s\n", false },
		{ "cache", "", "DNSCacheSize 4M\n", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err;
		struct dns_config *a = config_of(rows[i].a, &err);
		struct dns_config *b = config_of(rows[i].b, &err);

		check_bool(rows[i].name, dns_options_equal(a, b), rows[i].want);
		dns_options_free(&a);
		dns_options_free(&b);
	}
}

int
main(void)
{
	test_servers();
	test_defaults();
	test_words();
	test_equal();
	return check_done();
}
