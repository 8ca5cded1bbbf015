/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "common/log.h"
#include "common/milter_int.h"
#include "common/now.h"

/* Once no session is open, connections that have not spoken yet are looked
 * for so often. */
#define SETTLE_MS 50
/* libmilter sends a callback's reply after the callback. */
#define REPLY_MS 50

/* libmilter has a thread that waits for SIGHUP, SIGTERM and SIGINT and takes
 * each for the end; whoever waits first gets the signal. It calls this one,
 * because a program's own function goes before the C library's: it never
 * gets any. Nobody else in our programs may call it. */
__attribute__((visibility("default"))) int
sigwait(const sigset_t *set, int *number_r)
{
	sigset_t all;

	(void)set;
	(void)number_r;
	(void)sigfillset(&all);
	/* What smfi_main did before (atexit) is now known to the thread that
	 * ends the process. */
	milter_lock();
	milter_unlock();
	for (;;)
		(void)sigsuspend(&all);
}

void
milter_every(
    struct milter *m, int64_t interval_ms, void (*fn)(void *arg), void *arg)
{
	struct milter_timer *timer = &m->timers[m->timer_count];

	assert(m->timer_count < MILTER_TIMERS_MAX && interval_ms > 0);
	m->timer_count++;
	timer->interval_ms = interval_ms;
	timer->next_ms = now_mono_ms() + interval_ms;
	timer->fn = fn;
	timer->arg = arg;
}

static void
run_timers(struct milter *m)
{
	for (size_t i = 0; i < m->timer_count; i++) {
		struct milter_timer *timer = &m->timers[i];
		int64_t now_ms = now_mono_ms();

		if (now_ms < timer->next_ms)
			continue;
		timer->next_ms = now_ms + timer->interval_ms;
		timer->fn(timer->arg);
	}
}

/* A listening socket that nobody can reach: all packets to it are dropped.
 * Returns -1 where there is no IPv4. */
static int
deaf_socket(void)
{
	struct sock_filter drop = BPF_STMT(BPF_RET | BPF_K, 0);
	const struct sock_fprog program = { .len = 1, .filter = &drop };
	const struct sockaddr_in any_port = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program,
		sizeof(program)) < 0 ||
	    bind(fd, (const struct sockaddr *)&any_port, sizeof(any_port)) <
		0 ||
	    listen(fd, 1) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

/* Puts something else in the listening socket's place, without libmilter's
 * knowledge: it accepts no more, and new connections wait in the socket's
 * backlog for the next process. The spare descriptor is the second choice:
 * of it libmilter says once in the log that it cannot accept from it. What
 * is there stays open as long as the process lives, for libmilter goes on
 * using its number. */
static void
stop_accepting(struct milter *m)
{
	int fd = deaf_socket();

	/* It cannot fail: both are ours and open. */
	(void)dup3(fd >= 0 ? fd : m->spare_fd, m->config.fd, O_CLOEXEC);
	if (fd >= 0)
		(void)close(fd);
}

void
milter_stop(struct milter *m, int64_t grace_ms)
{
	bool was_stopping;

	m->deadline_ms = now_mono_ms() + grace_ms;
	milter_lock();
	was_stopping = m->is_stopping;
	m->is_stopping = true;
	milter_unlock();
	if (!was_stopping)
		stop_accepting(m);
}

static void *
serve(void *arg)
{
	struct milter *m;

	(void)arg;
	(void)smfi_main();
	/* It gave up; without it we are of no use, but systemd starts us
	 * anew. */
	m = milter_enter();
	if (m != NULL) {
		log_error("libmilter has stopped serving, its own message is"
			  " in syslog; giving up");
		abort();
	}
	return NULL;
}

/* Starts libmilter in a thread of its own. Nobody can wait for its end: it
 * looks up every 5 s only. */
static void
start_serving(void)
{
	pthread_attr_t detached;
	pthread_t thread;
	int status;

	(void)pthread_attr_init(&detached);
	(void)pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	status = pthread_create(&thread, &detached, serve, NULL);
	(void)pthread_attr_destroy(&detached);
	if (status != 0) {
		log_error("cannot make a thread for libmilter");
		abort();
	}
}

/* Is everything done that will be done? From the moment that this decides
 * so, no callback gets in. */
static bool
is_over(struct milter *m)
{
	int64_t now_ms = now_mono_ms();
	bool is_quiet = m->quiet_ms >= 0 && now_ms - m->quiet_ms >= SETTLE_MS;
	bool over;

	if (is_quiet && milter_peers_any(&m->name_of_fd)) {
		is_quiet = false;
		m->quiet_ms = now_ms;
	}
	milter_lock();
	if (m->stats.open > 0 || !m->is_stopping)
		m->quiet_ms = -1;
	else if (m->quiet_ms < 0)
		m->quiet_ms = now_ms;
	if (m->is_stopping &&
	    (now_ms >= m->deadline_ms || (is_quiet && m->quiet_ms >= 0)))
		m->has_ended = true;
	over = m->has_ended && m->in_flight == 0;
	milter_unlock();
	return over;
}

/* Milliseconds to the next thing to do, -1 = none. */
static int
wait_ms(const struct milter *m)
{
	int64_t next_ms = INT64_MAX;
	int64_t now_ms = now_mono_ms();

	for (size_t i = 0; i < m->timer_count; i++)
		if (m->timers[i].next_ms < next_ms)
			next_ms = m->timers[i].next_ms;
	if (m->is_stopping && !m->has_ended) {
		if (m->deadline_ms < next_ms)
			next_ms = m->deadline_ms;
		if (m->quiet_ms >= 0 && m->quiet_ms + SETTLE_MS < next_ms)
			next_ms = m->quiet_ms + SETTLE_MS;
	}
	if (next_ms == INT64_MAX)
		return -1;
	if (next_ms <= now_ms)
		return 0;
	return next_ms - now_ms > INT32_MAX ? INT32_MAX
					    : (int)(next_ms - now_ms);
}

void
milter_run(struct milter *m, int signal_fd, void (*on_signal)(void *arg),
    void *signal_arg)
{
	struct pollfd fds[2] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = m->wake_fd, .events = POLLIN },
	};
	eventfd_t ignored;

	if (!m->is_stopping)
		start_serving();
	else
		m->deadline_ms = 0; /* nothing was begun */
	while (!is_over(m)) {
		if (poll(fds, 2, wait_ms(m)) > 0) {
			if (fds[0].revents != 0)
				on_signal(signal_arg);
			if (fds[1].revents != 0)
				(void)!eventfd_read(m->wake_fd, &ignored);
		}
		run_timers(m);
	}
	milter_close_gate(m);
	if (m->sessions != NULL)
		(void)poll(NULL, 0, REPLY_MS);
	milter_session_end_all(m);
}
