/* SPDX-License-Identifier: ISC */
/*
 * fuzz_spf.c - whole evaluations: libspf2 behind its guard, and the oracle
 *
 * Input: lines. The first byte of all says who the client is. A line is a
 * TXT record of the domain whose turn it is (0.org, 1.org ...), or with "=a"
 * and the like in front of it another record. Records are also made from
 * the bytes of a line that begins with "#": valid ones, so that evaluations
 * get far. Both must come to the same result and the same explanation, and
 * keep the limits.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "tests/fuzz/must.h"
#include "tests/oracle/spforacle.h"
#include "tests/oracle/spfzone.h"

#define DOMAINS 6
#define ZONE_MAX 60

static struct spfguard *guard;

/* A valid record, term by term from the bytes. */
static void
generate(struct str *s, const uint8_t *bytes, size_t len)
{
	static const char *const terms[] = {
		"a",
		"mx",
		"ptr",
		"a:%u.org",
		"mx:%u.org",
		"ptr:%u.org",
		"include:%u.org",
		"exists:%%{l}.%u.org",
		"a/24",
		"a:%u.org/0",
		"mx:%u.org/8//0",
		"ip4:10.%u.0.0/16",
		"ip6:2001:db8:%u::/48",
		"exists:%%{p}.%u.org",
		"exists:%%{ir}.%u.org",
		"all",
		"include:%%{d}",
		"a:%%{d2}",
		"mx:%%{h}",
		"redirect=%u.org",
		"exp=%u.org",
		"m=%u",
		"ip4:192.0.2.%u",
		"a:%u..org",
		"exists:%%{o1r}.%%{s}.%u.org",
		"a:%u.none",
	};
	static const char qualifiers[] = "+-~?";

	str_add(s, "v=spf1");
	for (size_t i = 0; i + 1 < len; i += 2) {
		size_t which = bytes[i] % (sizeof(terms) / sizeof(*terms));
		char term[128];

		/* The format is one of the table. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		snprintf(term, sizeof(term), terms[which],
		    (unsigned)bytes[i + 1] % DOMAINS);
#pragma GCC diagnostic pop
		str_add_char(s, ' ');
		if (strchr(term, '=') == NULL)
			str_add_char(s, qualifiers[bytes[i + 1] >> 6]);
		str_add(s, term);
	}
}

static void
add_line(struct spfzone *zone, unsigned domain, const uint8_t *line, size_t len)
{
	static const char *const others[] = { "A 10.0.0.1", "A 192.0.2.77",
		"AAAA 2001:db8::ab:1", "MX 0.org", "MX 1.org", "MX x.none",
		"FAIL ", "MX ." };
	char name[32], buf[2048], *type, *value;
	struct str s;

	snprintf(name, sizeof(name), "%u.org", domain);
	if (len > 1 && line[0] == '=') {
		snprintf(buf, sizeof(buf), "%s", others[line[1] % 8]);
		value = buf;
		type = strsep(&value, " ");
		spfzone_add(zone, name, type, value, strlen(value));
		return;
	}
	str_init(&s, buf, sizeof(buf));
	if (len > 0 && line[0] == '#')
		generate(&s, line + 1, len - 1);
	else
		str_add_bytes(&s, (const char *)line, len);
	spfzone_add(zone, name, "TXT", buf, s.len);
}

static void
fill_zone(struct spfzone *zone, const uint8_t *data, size_t size)
{
	unsigned domain = 0;

	while (size > 0 && zone->count < ZONE_MAX) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t len = end == NULL ? size : (size_t)(end - data);

		/* An empty line goes on to the next domain. */
		if (len == 0)
			domain = (domain + 1) % DOMAINS;
		else
			add_line(zone, domain, data, len);
		len += end != NULL;
		data += len;
		size -= len;
	}
}

static void
add_client_names(struct spfzone *zone)
{
	static const char *const reverse[] = { "77.2.0.192.in-addr.arpa",
		"1.0.0.0.b.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0."
		"2"
		".ip6.arpa" };

	for (size_t i = 0; i < 2; i++) {
		spfzone_add(zone, reverse[i], "PTR", "0.org", 5);
		spfzone_add(zone, reverse[i], "PTR", "x.1.org", 7);
		spfzone_add(zone, reverse[i], "PTR", "1.org", 5);
	}
	spfzone_add(zone, "x.1.org", "A", "192.0.2.77", 10);
}

static void
compare(struct spfzone *zone, const struct spfguard_input *input)
{
	struct spfguard_output ours, oracles;

	spfzone_check(zone, NULL, input, &oracles);
	spfzone_check(zone, guard, input, &ours);
	/* The guard's own suspicion. */
	must(!str_has_prefix_nocase(ours.problem, "the evaluator says"));
	must(!str_has_prefix_nocase(ours.problem, "libspf2 gave up"));
	if (ours.result != oracles.result ||
	    strcmp(ours.explanation, oracles.explanation) != 0) {
		fprintf(stderr, "guard %s (%s), oracle %s (%s)\n",
		    spf_result_name(ours.result), ours.problem,
		    spf_result_name(oracles.result), oracles.problem);
		abort();
	}
	must(ours.lookups <= SPFGUARD_LOOKUPS_MAX);
	must(ours.result == SPF_CHECK_PERMERROR ||
	     ours.void_lookups <= input->void_limit);
	must((ours.problem[0] != '\0') ==
	     (ours.result == SPF_CHECK_PERMERROR ||
		 ours.result == SPF_CHECK_TEMPERROR));
}

static void
ignore_step(void *arg, unsigned depth, const char *what, const char *outcome)
{
	(void)arg;
	must(depth <= SPFGUARD_LOOKUPS_MAX && what[0] != '\0');
	must(outcome != NULL);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spfzone zone = { .count = 0 };
	struct spfguard_input input = { .sender_local = "a.b-c",
		.sender_domain = "0.org",
		.helo = "1.org",
		.receiver = "r.org",
		.now_s = 1,
		.void_limit = 2,
		.trace = ignore_step };
	struct err err;

	if (size == 0)
		return 0;
	if (guard == NULL)
		guard = spfguard_new(&err);
	must(guard != NULL);
	must(ip_parse(data[0] & 1   ? data[0] & 2 ? "127.0.0.1" : "192.0.2.77"
		      : data[0] & 2 ? "::1"
				    : "2001:db8::ab:1",
	    &input.ip));
	if (data[0] & 4)
		input.sender_local = "\303\251";
	if (data[0] & 8)
		input.helo = "";
	fill_zone(&zone, data + 1, size - 1);
	add_client_names(&zone);
	compare(&zone, &input);
	spfzone_clear(&zone);
	return 0;
}
