/* SPDX-License-Identifier: ISC */
#include "common/spfcache.h"

#include "tests/unit/check.h"

static struct spf_input
input_of(const char *sender)
{
	struct spf_input input = { .identity = SPF_CHECK_MAILFROM,
		.ip = { IP_V4, { 192, 0, 2, 1 } },
		.helo = "helo.example.net",
		.sender = sender,
		.receiver = "mx.example.com",
		.timeout_ms = 20000,
		.void_limit = 2 };

	return input;
}

static const struct spf_output verdict = { .result = SPF_CHECK_FAIL,
	.domain = "example.org",
	.mechanism = "all",
	.problem = "",
	.explanation = "go away",
	.lookups = 3,
	.void_lookups = 1,
	.questions = 4 };

static bool
has(struct spfcache *cache, const struct spf_input *input, int64_t now_ms)
{
	struct spf_output output;

	return spfcache_get(cache, input, now_ms, &output);
}

static void
test_output(void)
{
	struct spfcache *cache = spfcache_new(10000);
	struct spf_input input = input_of("a@example.org");
	struct spf_output got = { .result = SPF_CHECK_NONE };
	char explanation[] = "go away";
	struct spf_output put = verdict;

	check_false("empty", has(cache, &input, 0));
	put.explanation = explanation;
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &put, 1000);
	explanation[0] = 'x';
	check_true("found", spfcache_get(cache, &input, 0, &got));
	check_int("result", got.result, SPF_CHECK_FAIL);
	check_str("domain", got.domain, "example.org");
	check_str("mechanism", got.mechanism, "all");
	check_str("problem", got.problem, "");
	check_str("a copy", got.explanation, "go away");
	check_uint("lookups", got.lookups, 3);
	check_uint("void lookups", got.void_lookups, 1);
	check_uint("questions", got.questions, 4);
	put.result = SPF_CHECK_PASS;
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &put, 1000);
	check_uint("a new one replaces it", spfcache_count(cache), 1);
	spfcache_get(cache, &input, 0, &got);
	check_int("new result", got.result, SPF_CHECK_PASS);
	spfcache_free(&cache);
	check_true("freed", cache == NULL);
	spfcache_free(&cache);
}

static void
test_time(void)
{
	struct spfcache *cache = spfcache_new(10000);
	struct spf_input input = input_of("a@example.org");

	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	check_true("to the last moment", has(cache, &input, 999));
	check_false("not longer", has(cache, &input, 1000));
	check_uint("and it is gone", spfcache_count(cache), 0);
	check_uint("with its bytes", spfcache_bytes(cache), 0);
	check_false("for good", has(cache, &input, 0));
	spfcache_free(&cache);
}

/* Whose verdict is for whom: with each change of a@example.org's check. */
static void
test_key(void)
{
	static const struct {
		const char *name;
		enum spf_identity identity;
		const char *sender, *helo, *receiver;
		uint8_t last_byte;
		unsigned void_limit;
		bool any, only; /* found in either scope? */
	} rows[] = {
		{ "the same", SPF_CHECK_MAILFROM, "a@example.org", "h", "r", 1,
		    2, true, true },
		{ "another local part", SPF_CHECK_MAILFROM, "b@example.org",
		    "h", "r", 1, 2, true, false },
		{ "no local part", SPF_CHECK_MAILFROM, "@example.org", "h", "r",
		    1, 2, true, false },
		{ "in capitals", SPF_CHECK_MAILFROM, "A@example.org", "h", "r",
		    1, 2, true, false },
		{ "another HELO", SPF_CHECK_MAILFROM, "a@example.org", "i", "r",
		    1, 2, true, false },
		{ "another receiver", SPF_CHECK_MAILFROM, "a@example.org", "h",
		    "s", 1, 2, true, false },
		{ "texts that are cut elsewhere", SPF_CHECK_MAILFROM,
		    "a@example.org", "", "hr", 1, 2, true, false },
		{ "its domain as HELO", SPF_CHECK_HELO, "a@example.org",
		    "example.org", "r", 1, 2, true, false },
		{ "and no sender", SPF_CHECK_MAILFROM, "", "example.org", "r",
		    1, 2, true, false },
		{ "another address", SPF_CHECK_MAILFROM, "a@example.org", "h",
		    "r", 2, 2, false, false },
		{ "another domain", SPF_CHECK_MAILFROM, "a@example.net", "h",
		    "r", 1, 2, false, false },
		{ "one below it", SPF_CHECK_MAILFROM, "a@b.example.org", "h",
		    "r", 1, 2, false, false },
		{ "it is the HELO", SPF_CHECK_HELO, "a@example.org", "h", "r",
		    1, 2, false, false },
		{ "another limit", SPF_CHECK_MAILFROM, "a@example.org", "h",
		    "r", 1, 3, false, false },
	};
	struct spfcache *any = spfcache_new(10000);
	struct spfcache *only = spfcache_new(10000);

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct spf_input input = input_of(rows[i].sender);

		input.identity = rows[i].identity;
		input.helo = rows[i].helo;
		input.receiver = rows[i].receiver;
		input.ip.bytes[3] = rows[i].last_byte;
		input.void_limit = rows[i].void_limit;
		if (i == 0) {
			spfcache_put(
			    any, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
			spfcache_put(
			    only, &input, SPFCACHE_THIS_SENDER, &verdict, 1000);
		}
		check_bool(rows[i].name, has(any, &input, 0), rows[i].any);
		check_bool(rows[i].name, has(only, &input, 0), rows[i].only);
	}
	spfcache_free(&any);
	spfcache_free(&only);
}

/* The first bytes of an IPv6 address are not an IPv4 address. */
static void
test_families(void)
{
	struct spfcache *cache = spfcache_new(10000);
	struct spf_input input = input_of("a@example.org");

	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	input.ip.family = IP_V6;
	check_false("IPv6", has(cache, &input, 0));
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	input.ip.bytes[15] = 1;
	check_false("its last byte", has(cache, &input, 0));
	spfcache_free(&cache);
}

static void
numbered(struct spf_input *input, char name[static 32], unsigned n)
{
	snprintf(name, 32, "a@d%u.example.org", n);
	*input = input_of(name);
}

static void
test_bound(void)
{
	const size_t max = 20000;
	struct spfcache *cache = spfcache_new(max);
	struct spf_input input;
	char name[32];

	for (unsigned n = 0; n < 1000; n++) {
		numbered(&input, name, n);
		spfcache_put(
		    cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
		numbered(&input, name, 0);
		if (!has(cache, &input, 0))
			break;
	}
	check_true("what is in use stays", has(cache, &input, 0));
	numbered(&input, name, 999);
	check_true("so does what is new", has(cache, &input, 0));
	numbered(&input, name, 1);
	check_false("what is old goes", has(cache, &input, 0));
	check_true("it is bounded", spfcache_bytes(cache) <= max);
	check_true("and used",
	    spfcache_bytes(cache) > max / 2 && spfcache_count(cache) > 20);
	spfcache_clear(cache);
	check_uint("cleared", spfcache_count(cache), 0);
	check_uint("of all", spfcache_bytes(cache), 0);
	numbered(&input, name, 999);
	check_false("and finds nothing", has(cache, &input, 0));
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	check_true("but goes on", has(cache, &input, 0));
	spfcache_free(&cache);
}

static void
test_too_large(void)
{
	struct spfcache *cache = spfcache_new(100000);
	struct spf_input input;
	char sender[3000];

	memset(sender, 'x', sizeof(sender));
	memcpy(sender + sizeof(sender) - 13, "@example.org", 13);
	input = input_of(sender);
	spfcache_put(cache, &input, SPFCACHE_THIS_SENDER, &verdict, 1000);
	check_uint("a local part of 3,000", spfcache_count(cache), 0);
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	check_true("that nobody looks at", has(cache, &input, 0));
	sender[5] = '@';
	memset(sender + sizeof(sender) - 13, 'x', 12);
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	check_uint("a domain of 3,000", spfcache_count(cache), 1);
	check_false("is not found", has(cache, &input, 0));
	spfcache_free(&cache);
	cache = spfcache_new(10);
	input = input_of("a@example.org");
	spfcache_put(cache, &input, SPFCACHE_ANY_SENDER, &verdict, 1000);
	check_uint("no room for one", spfcache_count(cache), 0);
	spfcache_free(&cache);
}

int
main(void)
{
	test_output();
	test_time();
	test_key();
	test_families();
	test_bound();
	test_too_large();
	return check_done();
}
