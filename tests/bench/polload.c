/* SPDX-License-Identifier: ISC */
/*
 * polload - load for a server of Postfix's policy protocol
 *
 * Phases, in order: make the known triplets known (-w), touch them (-W), the
 * load itself, and a question on every idle connection.  See README.md.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load.h"
#include "tests/bench/procstat.h"
#include "tests/bench/report.h"
#include "tests/bench/target.h"

enum { EXIT_WRONG = 1, EXIT_USAGE = 64, EXIT_DOWN = 69 };

static const char usage[] =
    "usage: polload [options] inet:HOST:PORT | unix:PATH\n"
    "  -c N  connections (20)\n"
    "  -n N  requests (20000)\n"
    "  -s S  run for S seconds instead\n"
    "  -r N  open loop: N requests become due per second\n"
    "  -k N  known triplets (5000)\n"
    "  -K P  percentage of requests for known ones (80)\n"
    "  -S N  seed: chooses the order, and the new triplets (1)\n"
    "  -w S  first make the triplets known to a server with a delay of S s\n"
    "  -t    ... by moving its clock with policy_test_time, not by waiting\n"
    "  -W    first ask for each triplet, which the server knows already\n"
    "  -i N  hold N idle connections, which must answer in the end\n"
    "  -R    connect and ask anew when the server hangs up\n"
    "  -x S  give up after S seconds per phase (120)\n"
    "  -p N  process to take CPU and memory from\n"
    "  -j    print one line of JSON only\n";

struct options {
	const char *spec;
	struct target target;
	size_t connections;
	size_t idle;
	long warm_s; /* 0: no first contact */
	bool move_clock;
	bool touch;
	bool json;
	pid_t pid;
	struct load load;
};

static unsigned long
number(const char *text, unsigned long min, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || text[0] == '-' ||
	    n < min || n > max) {
		fprintf(stderr, "polload: bad number: %s\n%s", text, usage);
		exit(EXIT_USAGE);
	}
	return n;
}

static void
take_option(struct options *options, int letter, const char *value)
{
	struct load *load = &options->load;

	switch (letter) {
	case 'c':
		options->connections = number(value, 1, 50000);
		break;
	case 'n':
		load->count = number(value, 1, 1000000000);
		break;
	case 's':
		load->seconds = (double)number(value, 1, 86400);
		load->count = 0;
		break;
	case 'r':
		load->rate = (double)number(value, 1, 10000000);
		break;
	case 'k':
		load->known = number(value, 1, 100000000);
		break;
	case 'K':
		load->percent = (unsigned int)number(value, 0, 100);
		break;
	case 'S':
		load->seed = number(value, 1, 1000000000);
		break;
	case 'w':
		options->warm_s = (long)number(value, 1, 86400);
		break;
	case 't':
		options->move_clock = true;
		break;
	case 'W':
		options->touch = true;
		break;
	case 'i':
		options->idle = number(value, 0, 50000);
		break;
	case 'R':
		load->reconnect = true;
		break;
	case 'x':
		load->limit_s = (double)number(value, 1, 86400);
		break;
	case 'p':
		options->pid = (pid_t)number(value, 1, 1 << 30);
		break;
	case 'j':
		options->json = true;
		break;
	default:
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
}

static void
parse(struct options *options, int argc, char **argv)
{
	int letter;

	options->connections = 20;
	options->load = (struct load){
		.kind = LOAD_MIX,
		.count = 20000,
		.limit_s = 120,
		.known = 5000,
		.percent = 80,
		.seed = 1,
	};
	while (
	    (letter = getopt(argc, argv, "c:n:s:r:k:K:S:w:tWi:Rx:p:j")) != -1)
		take_option(options, letter, optarg);
	if (optind != argc - 1 ||
	    target_parse(&options->target, argv[optind]) != 0) {
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
	options->spec = argv[optind];
}

/* Every connection is a descriptor; the soft limit is often 1024. */
static void
raise_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Run a closed loop over all known triplets; returns its failures. */
static uint64_t
run_known(const struct options *options, struct load_pool *pool,
    enum load_kind kind, int64_t test_time_s)
{
	static struct load_result result;
	struct load load = options->load;

	load.kind = kind;
	load.count = load.known;
	load.rate = 0;
	load.test_time_s = test_time_s;
	load_run(pool, &load, &result);
	return result.wrong + result.missing;
}

static uint64_t
warm_up(const struct options *options, struct load_pool *pool)
{
	const struct timespec wait = {
		.tv_sec = options->warm_s,
		.tv_nsec = 100000000,
	};
	uint64_t failures = 0;

	if (options->warm_s > 0 && options->move_clock) {
		failures += run_known(
		    options, pool, LOAD_FIRST, time(NULL) - options->warm_s);
		failures += run_known(options, pool, LOAD_AGAIN, 0);
	} else if (options->warm_s > 0) {
		failures += run_known(options, pool, LOAD_FIRST, 0);
		nanosleep(&wait, NULL);
		failures += run_known(options, pool, LOAD_AGAIN, 0);
	}
	if (options->touch)
		failures += run_known(options, pool, LOAD_AGAIN, 0);
	return failures;
}

/* Ask one question on each idle connection, all at once. */
static uint64_t
ask_idle(const struct options *options, struct load_pool *idle)
{
	static struct load_result result;
	struct load load = options->load;

	load.kind = LOAD_AGAIN;
	load.count = options->idle;
	load.rate = 0;
	load.reconnect = false;
	load_run(idle, &load, &result);
	return result.replies - result.wrong;
}

static double
own_cpu_us(void)
{
	struct rusage usage_now;

	getrusage(RUSAGE_SELF, &usage_now);
	return 1e6 * (double)(usage_now.ru_utime.tv_sec +
			      usage_now.ru_stime.tv_sec) +
	       (double)(usage_now.ru_utime.tv_usec +
			usage_now.ru_stime.tv_usec);
}

static int
measure(const struct options *options, struct report *report)
{
	struct load_pool *pool = NULL;
	struct load_pool *idle = NULL;
	int rc = -1;

	if (options->idle > 0) {
		idle = load_open(&options->target, options->idle);
		if (idle == NULL)
			goto out;
	}
	pool = load_open(&options->target, options->connections);
	if (pool == NULL)
		goto out;
	report->failures = warm_up(options, pool);
	report->has_server = options->pid > 0 &&
			     procstat_read(options->pid, &report->before) == 0;
	report->generator_us = -own_cpu_us();
	load_run(pool, &options->load, &report->load);
	report->generator_us += own_cpu_us();
	if (report->load.replies > 0)
		report->generator_us /= (double)report->load.replies;
	if (report->has_server &&
	    procstat_read(options->pid, &report->after) != 0)
		report->has_server = false;
	if (idle != NULL)
		report->idle_answered = ask_idle(options, idle);
	report->failures += report->load.wrong + report->load.missing +
			    options->idle - report->idle_answered;
	rc = 0;
out:
	load_close(&pool);
	load_close(&idle);
	return rc;
}

int
main(int argc, char **argv)
{
	static struct options options;
	static struct report report;

	parse(&options, argc, argv);
	raise_limit();
	report.target = options.spec;
	report.connections = options.connections;
	report.idle = options.idle;
	if (measure(&options, &report) != 0)
		return EXIT_DOWN;
	if (!options.json)
		report_people(&report);
	report_json(&report);
	return report.failures == 0 ? 0 : EXIT_WRONG;
}
