/* SPDX-License-Identifier: ISC */
/*
 * milterload - load for a milter: each connection hands over a message, takes
 * the verdict, and begins again
 *
 * A thread per connection, as a mail server has a process for each. Every
 * verdict is compared with what it must be. See README.md.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/hist.h"
#include "tests/bench/milterwire.h"
#include "tests/bench/procstat.h"

enum { EXIT_WRONG = 1, EXIT_USAGE = 64, CONNECTIONS_MAX = 200 };

static const char usage[] =
    "usage: milterload [options] inet:HOST:PORT | unix:PATH FILE...\n"
    "  -c N     connections (4)\n"
    "  -n N     messages (1000)\n"
    "  -s S     run for S seconds instead, 0.5 for half a second\n"
    "  -m N     messages per connection (1)\n"
    "  -a ADDR  address of the client (192.0.2.7)\n"
    "  -t       to defer a message is right as well\n"
    "  -w TEXT  must be in the fields that the milter adds; repeatable\n"
    "  -p N     process to take CPU and memory from\n";

struct load {
	struct target target;
	unsigned long connections, per_connection;
	unsigned long count; /* 0: as long as seconds allow */
	double seconds;
	const char *address;
	bool may_defer;
	const char *wanted[8];
	size_t wanted_count;
	pid_t pid;
	struct milterwire_message **messages;
	size_t message_count;

	/* While it runs. */
	double end_s;
	atomic_ulong started, done, wrong;
	pthread_mutex_t mutex; /* for hist, and stderr */
	struct hist hist;
};

static double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Describes the first ones. */
static void
complain(struct load *load, const char *why,
    const struct milterwire_verdict *verdict)
{
	if (atomic_fetch_add(&load->wrong, 1) >= 3)
		return;
	pthread_mutex_lock(&load->mutex);
	fprintf(stderr, "milterload: %s", why);
	if (verdict != NULL)
		fprintf(stderr, ": action '%c', %u edits, added: %s",
		    verdict->action == 0 ? '?' : verdict->action,
		    verdict->edits, verdict->fields);
	fputc('\n', stderr);
	pthread_mutex_unlock(&load->mutex);
}

static void
judge(struct load *load, const struct milterwire_verdict *verdict)
{
	if (load->may_defer && verdict->action == 't')
		return;
	if (verdict->action != 'a' && verdict->action != 'c') {
		complain(load, "not accepted", verdict);
		return;
	}
	for (size_t i = 0; i < load->wanted_count; i++) {
		if (strstr(verdict->fields, load->wanted[i]) == NULL) {
			complain(load, load->wanted[i], verdict);
			return;
		}
	}
}

/* Is there another message to be sent? Says which. */
static bool
next(struct load *load, unsigned long *number_r)
{
	*number_r = atomic_fetch_add(&load->started, 1);
	return load->count > 0 ? *number_r < load->count
			       : now_s() < load->end_s;
}

static bool
send_one(struct load *load, struct milterwire *wire, unsigned long number)
{
	struct milterwire_verdict verdict;
	double begin = now_s();
	bool ok = milterwire_send(
	    wire, load->messages[number % load->message_count], &verdict);

	judge(load, &verdict);
	pthread_mutex_lock(&load->mutex);
	hist_add(&load->hist, (int64_t)((now_s() - begin) * 1e9));
	pthread_mutex_unlock(&load->mutex);
	atomic_fetch_add(&load->done, 1);
	return ok;
}

static void *
run(void *arg)
{
	struct load *load = arg;
	struct milterwire wire = { .fd = -1 };
	unsigned long number, left = 0;

	while (next(load, &number)) {
		if (left == 0) {
			milterwire_close(&wire);
			left = load->per_connection;
		}
		if (wire.fd < 0 &&
		    !milterwire_open(&wire, &load->target, load->address)) {
			complain(load, strerror(errno), NULL);
			break;
		}
		left = send_one(load, &wire, number) ? left - 1 : 0;
	}
	milterwire_close(&wire);
	return NULL;
}

static void
run_all(struct load *load)
{
	pthread_t threads[CONNECTIONS_MAX];
	unsigned long i;

	load->end_s = now_s() + load->seconds;
	for (i = 0; i < load->connections; i++)
		if (pthread_create(&threads[i], NULL, run, load) != 0)
			abort();
	for (i = 0; i < load->connections; i++)
		pthread_join(threads[i], NULL);
}

static double
own_cpu_us(void)
{
	struct rusage use;

	getrusage(RUSAGE_SELF, &use);
	return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) * 1e6 +
	       (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
}

/* Runs load and prints a line of JSON. */
static void
measure(struct load *load)
{
	struct procstat before, after;
	double begin, own, wall, count;

	(void)procstat_read(load->pid, &before);
	own = own_cpu_us();
	begin = now_s();
	run_all(load);
	wall = now_s() - begin;
	own = own_cpu_us() - own;
	(void)procstat_read(load->pid, &after);
	count = (double)atomic_load(&load->done);
	if (count < 1)
		count = 1;
	printf("{\"messages\": %lu, \"wrong\": %lu, \"wall_s\": %.4f,"
	       " \"rps\": %.2f, \"cpu_us\": %.2f, \"generator_us\": %.2f,"
	       " \"p50_us\": %.1f, \"p99_us\": %.1f, \"max_us\": %.1f,"
	       " \"rss_before_kib\": %jd, \"rss_kib\": %jd,"
	       " \"peak_kib\": %jd}\n",
	    atomic_load(&load->done), atomic_load(&load->wrong), wall,
	    count / wall,
	    (double)(after.user_us + after.system_us - before.user_us -
		     before.system_us) /
		count,
	    own / count, (double)hist_share(&load->hist, 0.5) / 1e3,
	    (double)hist_share(&load->hist, 0.99) / 1e3,
	    (double)load->hist.max_ns / 1e3, (intmax_t)before.rss_kib,
	    (intmax_t)after.rss_kib, (intmax_t)after.peak_kib);
}

static unsigned long
number(const char *text, unsigned long max)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || n < 1 || n > max) {
		fprintf(stderr, "milterload: bad number: %s\n%s", text, usage);
		exit(EXIT_USAGE);
	}
	return n;
}

static void
take_option(struct load *load, int letter, const char *value)
{
	switch (letter) {
	case 'c':
		load->connections = number(value, CONNECTIONS_MAX);
		return;
	case 'n':
		load->count = number(value, 1000000000);
		return;
	case 's':
		load->seconds = strtod(value, NULL);
		load->count = 0;
		return;
	case 'm':
		load->per_connection = number(value, 1000000);
		return;
	case 'a':
		load->address = value;
		return;
	case 't':
		load->may_defer = true;
		return;
	case 'w':
		if (load->wanted_count < 8)
			load->wanted[load->wanted_count++] = value;
		return;
	case 'p':
		load->pid = (pid_t)number(value, 1 << 30);
		return;
	default:
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
}

static void
parse(struct load *load, int argc, char **argv)
{
	int letter;

	load->connections = 4;
	load->count = 1000;
	load->per_connection = 1;
	load->address = "192.0.2.7";
	while ((letter = getopt(argc, argv, "c:n:s:m:a:tw:p:")) != -1)
		take_option(load, letter, optarg);
	if (argc - optind < 2 ||
	    target_parse(&load->target, argv[optind]) != 0) {
		fputs(usage, stderr);
		exit(EXIT_USAGE);
	}
	load->message_count = (size_t)(argc - optind - 1);
	load->messages = calloc(load->message_count, sizeof(*load->messages));
	for (size_t i = 0; i < load->message_count; i++) {
		load->messages[i] = milterwire_read(argv[optind + 1 + (int)i]);
		if (load->messages[i] == NULL)
			exit(EXIT_USAGE);
	}
}

int
main(int argc, char **argv)
{
	static struct load load;

	parse(&load, argc, argv);
	signal(SIGPIPE, SIG_IGN);
	pthread_mutex_init(&load.mutex, NULL);
	measure(&load);
	for (size_t i = 0; i < load.message_count; i++)
		milterwire_free(&load.messages[i]);
	free(load.messages);
	return atomic_load(&load.wrong) > 0 ? EXIT_WRONG : 0;
}
