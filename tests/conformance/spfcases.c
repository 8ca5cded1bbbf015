/* SPDX-License-Identifier: ISC */
/*
 * spfcases.c - runs SPF cases of a suite
 *
 *     spfcases guard|oracle < CASES
 *     spfcases dns PORT < CASES
 *
 * guard is libspf2 behind the guard, oracle our small evaluator, both on
 * zones in memory; dns asks a server on 127.0.0.1 and goes through all of
 * spf.c. A line of CASES is made of words; every text is in hex, "-" = "":
 *
 *     zone                          forget all records
 *     rr NAME TYPE DATA             a record; TYPE A AAAA MX PTR TXT or
 *                                   FAIL (then nothing of the name answers)
 *     case ID IP HELO SENDER        prints "ID RESULT EXPLANATION", the
 *                                   explanation in hex
 */
#include <ev.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/dns.h"
#include "common/spf.h"
#include "common/spf_int.h"
#include "common/xmem.h"

#include "tests/conformance/hexwords.h"
#include "tests/oracle/spforacle.h"
#include "tests/oracle/spfzone.h"

#define RECEIVER "unknown"

enum engine {
	ENGINE_GUARD,
	ENGINE_ORACLE,
	ENGINE_DNS,
};

struct cases {
	enum engine engine;
	struct spfzone zone;
	struct spfguard *guard;
	struct dns *dns;
	struct spf *spf;
};

static void
die(const char *why, const char *what)
{
	fprintf(stderr, "spfcases: %s: %s\n", why, what);
	exit(2);
}

static void
print(const char *id, enum spf_result result, const char *explanation)
{
	printf("%s %s ", id, spf_result_name(result));
	hexwords_print(explanation);
	putchar('\n');
}

static void
in_memory(struct cases *cases, const char *id, const struct spf_input *input)
{
	struct arena *arena = arena_new();
	struct spfguard_input guarded;
	struct spfguard_output output;

	if (!spf_prepare(input, arena, &guarded))
		print(id, SPF_CHECK_NONE, "");
	else {
		spfzone_check(&cases->zone,
		    cases->engine == ENGINE_GUARD ? cases->guard : NULL,
		    &guarded, &output);
		print(id, output.result, output.explanation);
	}
	arena_free(&arena);
}

struct waiting {
	struct ev_loop *loop;
	const char *id;
};

static void
on_result(void *arg, const struct spf_output *output)
{
	struct waiting *waiting = arg;

	print(waiting->id, output->result, output->explanation);
	ev_break(waiting->loop, EVBREAK_ALL);
}

static void
by_dns(struct cases *cases, const char *id, const struct spf_input *input)
{
	struct waiting waiting = { dns_loop(cases->dns), id };

	spf_start(cases->spf, input, on_result, &waiting);
	ev_run(waiting.loop, 0);
}

static void
run_case(struct cases *cases, const char *id, const char *ip, char *helo,
    char *sender)
{
	struct spf_input input = { .identity = SPF_CHECK_MAILFROM,
		.helo = helo,
		.sender = sender,
		.receiver = RECEIVER,
		.timeout_ms = 20000,
		.void_limit = 2 };

	hexwords_decode(helo);
	hexwords_decode(sender);
	if (!ip_parse(ip, &input.ip))
		die("no address", ip);
	if (cases->engine == ENGINE_DNS)
		by_dns(cases, id, &input);
	else
		in_memory(cases, id, &input);
	fflush(stdout);
}

static void
open_dns(struct cases *cases, const char *port)
{
	char server[64];
	char *servers[] = { server };
	struct dns_config config = { .nameservers = servers,
		.nameserver_count = 1,
		.trust_anchor_file = "",
		.question_timeout_ms = 8000,
		.cache_bytes = 4 << 20 };
	struct err err;

	snprintf(server, sizeof(server), "127.0.0.1@%s", port);
	cases->dns = dns_new(&config, ev_default_loop(0), &err);
	if (cases->dns == NULL)
		die("dns", err.text);
	cases->spf = spf_new(cases->dns, &err);
	if (cases->spf == NULL)
		die("spf", err.text);
}

static void
read_line(struct cases *cases, char *line)
{
	char *words[6] = { NULL }, *rest = line;
	size_t count = 0, len;

	line[strcspn(line, "\n")] = '\0';
	while (count < 6 && (words[count] = strsep(&rest, " ")) != NULL)
		count++;
	if (count == 1 && strcmp(words[0], "zone") == 0) {
		spfzone_clear(&cases->zone);
	} else if (count == 4 && strcmp(words[0], "rr") == 0) {
		hexwords_decode(words[1]);
		len = hexwords_decode(words[3]);
		if (!spfzone_add(
			&cases->zone, words[1], words[2], words[3], len))
			die("bad record", words[2]);
	} else if (count == 5 && strcmp(words[0], "case") == 0) {
		run_case(cases, words[1], words[2], words[3], words[4]);
	} else {
		die("bad line", line);
	}
}

int
main(int argc, char **argv)
{
	struct cases cases = { .engine = ENGINE_GUARD };
	char *line = NULL;
	size_t room = 0;
	struct err err;

	if (argc == 3 && strcmp(argv[1], "dns") == 0) {
		cases.engine = ENGINE_DNS;
		open_dns(&cases, argv[2]);
	} else if (argc == 2 && strcmp(argv[1], "oracle") == 0) {
		cases.engine = ENGINE_ORACLE;
	} else if (argc != 2 || strcmp(argv[1], "guard") != 0) {
		die("usage", "guard | oracle | dns PORT");
	}
	cases.guard = spfguard_new(&err);
	if (cases.guard == NULL)
		die("guard", err.text);
	while (getline(&line, &room, stdin) > 0)
		read_line(&cases, line);
	free(line);
	spfzone_clear(&cases.zone);
	spfguard_free(&cases.guard);
	spf_free(&cases.spf);
	dns_free(&cases.dns);
	return 0;
}
