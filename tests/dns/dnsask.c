/* SPDX-License-Identifier: ISC */
/*
 * dnsask - asks names through common/dns, on the loop of a policy server
 *
 *     dnsask [-s ADDRESS@PORT]... [-t TIMEOUT_MS] [-a ANCHORS] [-c BYTES]
 *
 * Commands come on standard input, a line each; what arrives in one piece is
 * done in one turn of the loop. In NAME, %XX is a byte.
 *
 *     ask ID NAME TYPE        answers "ID STATUS [secure] [RECORD]..."
 *     again N ID NAME TYPE    and when it is there asks once more, N times
 *     cancel ID
 *     many N PREFIX TYPE      asks PREFIX0 PREFIX1 ...; answers "many" and
 *                             the figures when the last answer is there
 *     stats                   answers "stats" and the figures
 *     echo WORD
 *
 * Fields are separated by tabs; bytes of records are %XX where they must be.
 * "early" in front of ID: the answer came before dns_ask had returned. At the
 * end of its input it ends at once.
 */
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/dns.h"
#include "common/ip.h"
#include "common/log.h"
#include "common/policysrv.h"
#include "common/str.h"
#include "common/xmem.h"

#define OPEN_MAX_IDS 1000

struct asked {
	char id[32], name[1024];
	enum dnspacket_type type;
	struct dns_question *question;
	unsigned long long again;
};

static struct policysrv *srv;
static struct dns *dns;
static struct asked *open_ids[OPEN_MAX_IDS];
static bool is_asking;
static unsigned long long many_left;
static char input[65536];
static size_t input_len;

static void ask(struct asked *asked);

static enum dnspacket_type
type_of(const char *text)
{
	static const struct {
		const char *name;
		enum dnspacket_type type;
	} types[] = {
		{ "A", DNSPACKET_A },
		{ "AAAA", DNSPACKET_AAAA },
		{ "MX", DNSPACKET_MX },
		{ "PTR", DNSPACKET_PTR },
		{ "TXT", DNSPACKET_TXT },
	};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, text) == 0)
			return types[i].type;
	errx(64, "no type %s", text);
}

static void
unescape(const char *text, char *to)
{
	char hex[3] = "";

	for (; *text != '\0'; text++) {
		if (text[0] == '%' && text[1] != '\0' && text[2] != '\0') {
			memcpy(hex, text + 1, 2);
			*to++ = (char)strtol(hex, NULL, 16);
			text += 2;
		} else {
			*to++ = *text;
		}
	}
	*to = '\0';
}

static void
print_stats(const char *what)
{
	const struct dns_stats *s = dns_stats(dns);

	printf("%s\tquestions=%llu\tfound=%llu\tno_data=%llu\tno_name=%llu\t"
	       "temporary=%llu\tbogus=%llu\ttimeouts=%llu\topen=%lld\n",
	    what, (unsigned long long)s->questions,
	    (unsigned long long)s->found, (unsigned long long)s->no_data,
	    (unsigned long long)s->no_name, (unsigned long long)s->temporary,
	    (unsigned long long)s->bogus, (unsigned long long)s->timeouts,
	    (long long)s->open);
}

static void
print_record(enum dnspacket_type type, const struct dnspacket_record *record)
{
	static char text[3 * 65536];
	struct ip ip = { .family = record->len == 4 ? IP_V4 : IP_V6 };
	char address[IP_TEXT_SIZE];
	struct str s;

	if (type == DNSPACKET_A || type == DNSPACKET_AAAA) {
		memcpy(ip.bytes, record->data, record->len);
		printf("\t%s", ip_format(&ip, address));
		return;
	}
	str_init(&s, text, sizeof(text));
	if (type == DNSPACKET_MX)
		str_addf(&s, "%u ", record->preference);
	str_add_escaped(&s, record->data, record->len, "");
	printf("\t%s", text);
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct asked *asked = arg;
	size_t i;

	if (asked->again > 0) {
		asked->again--;
		ask(asked);
		return;
	}
	printf("%s%s\t%s%s", is_asking ? "early\t" : "", asked->id,
	    dns_status_name(answer->status), answer->secure ? "\tsecure" : "");
	for (i = 0; i < answer->count; i++)
		print_record(asked->type, &answer->records[i]);
	putchar('\n');
	for (i = 0; i < OPEN_MAX_IDS; i++)
		if (open_ids[i] == asked)
			open_ids[i] = NULL;
	xmem_free(&asked);
}

static void
ask(struct asked *asked)
{
	struct dns_question *question;

	is_asking = true;
	question = dns_ask(dns, asked->name, asked->type, on_answer, asked);
	is_asking = false;
	asked->question = question;
}

static void
on_many(void *arg, const struct dns_answer *answer)
{
	(void)arg;
	(void)answer;
	if (--many_left == 0)
		print_stats("many");
}

static void
ask_many(unsigned long long count, const char *prefix, const char *type)
{
	char name[1024];
	unsigned long long i;

	many_left = count;
	for (i = 0; i < count; i++) {
		snprintf(name, sizeof(name), "%llu.%s", i, prefix);
		dns_ask(dns, name, type_of(type), on_many, NULL);
	}
}

static void
ask_one(const char *id, const char *name, const char *type,
    unsigned long long again)
{
	struct asked *asked = xmem_calloc(1, sizeof(*asked));
	size_t i = 0;

	while (i < OPEN_MAX_IDS && open_ids[i] != NULL)
		i++;
	if (i == OPEN_MAX_IDS || strlen(name) >= sizeof(asked->name))
		errx(64, "too much");
	open_ids[i] = asked;
	snprintf(asked->id, sizeof(asked->id), "%s", id);
	unescape(name, asked->name);
	asked->type = type_of(type);
	asked->again = again;
	ask(asked);
}

static void
cancel(const char *id)
{
	size_t i;

	for (i = 0; i < OPEN_MAX_IDS; i++) {
		if (open_ids[i] == NULL || strcmp(open_ids[i]->id, id) != 0)
			continue;
		dns_cancel(&open_ids[i]->question);
		xmem_free(&open_ids[i]);
		return;
	}
	errx(64, "nothing to cancel: %s", id);
}

static void
command(char *line)
{
	char *word[6] = { NULL }, *save = NULL;
	size_t n = 0;

	for (word[n] = strtok_r(line, " ", &save); word[n] != NULL && n < 5;)
		word[++n] = strtok_r(NULL, " ", &save);
	if (n == 4 && strcmp(word[0], "ask") == 0)
		ask_one(word[1], word[2], word[3], 0);
	else if (n == 5 && strcmp(word[0], "again") == 0)
		ask_one(word[2], word[3], word[4], strtoull(word[1], NULL, 10));
	else if (n == 2 && strcmp(word[0], "cancel") == 0)
		cancel(word[1]);
	else if (n == 4 && strcmp(word[0], "many") == 0)
		ask_many(strtoull(word[1], NULL, 10), word[2], word[3]);
	else if (n == 1 && strcmp(word[0], "stats") == 0)
		print_stats("stats");
	else if (n == 2 && strcmp(word[0], "echo") == 0)
		printf("echo\t%s\n", word[1]);
	else
		errx(64, "cannot make out: %s", line);
}

static void
on_input(void *arg)
{
	ssize_t n =
	    read(STDIN_FILENO, input + input_len, sizeof(input) - input_len);
	char *line = input, *end;

	(void)arg;
	if (n <= 0) {
		policysrv_stop(srv, 0);
		return;
	}
	input_len += (size_t)n;
	while ((end = memchr(line, '\n', (size_t)(input + input_len - line))) !=
	       NULL) {
		*end = '\0';
		command(line);
		line = end + 1;
	}
	input_len -= (size_t)(line - input);
	memmove(input, line, input_len);
}

static void
read_arguments(int argc, char **argv, struct dns_config *config)
{
	static char *servers[8];
	int option;

	config->nameservers = servers;
	while ((option = getopt(argc, argv, "s:t:a:c:v")) != -1) {
		switch (option) {
		case 's':
			if (config->nameserver_count == 8)
				errx(64, "too many servers");
			servers[config->nameserver_count++] = optarg;
			break;
		case 't':
			config->question_timeout_ms = strtol(optarg, NULL, 10);
			break;
		case 'a':
			config->trust_anchor_file = optarg;
			break;
		case 'c':
			config->cache_bytes = strtol(optarg, NULL, 10);
			break;
		case 'v':
			log_set_level(LOG_LEVEL_DEBUG);
			break;
		default:
			exit(64);
		}
	}
}

static void
on_request(void *arg, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	(void)arg;
	(void)request;
	policysrv_reply(call, "DUNNO");
}

int
main(int argc, char **argv)
{
	static const struct policysrv_config server_config = {
		.max_connections = 10,
		.request_timeout_s = 10,
	};
	const struct policysrv_hooks hooks = { .request = on_request };
	struct dns_config config = {
		.trust_anchor_file = "",
		.question_timeout_ms = 8000,
		.cache_bytes = 8 * 1024 * 1024,
	};
	struct err err = { "" };
	size_t i;

	log_open("dnsask", LOG_SINK_STDERR, 0);
	read_arguments(argc, argv, &config);
	setvbuf(stdout, NULL, _IOLBF, 1 << 18);
	srv = policysrv_new(&server_config, &hooks, &err);
	if (srv == NULL)
		errx(1, "%s", err.text);
	dns = dns_new(&config, policysrv_loop(srv), &err);
	if (dns == NULL) {
		policysrv_free(&srv);
		errx(1, "%s", err.text);
	}
	policysrv_watch(srv, STDIN_FILENO, on_input, NULL);
	policysrv_run(srv);
	dns_free(&dns);
	for (i = 0; i < OPEN_MAX_IDS; i++)
		xmem_free(&open_ids[i]);
	policysrv_free(&srv);
	return 0;
}
