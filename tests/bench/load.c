/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "tests/bench/load.h"
#include "tests/bench/triplet.h"
#include "tests/bench/wire.h"

enum {
	EVENTS = 256,
	SHOWN = 5,            /* wrong replies described per run */
	PAUSE_NS = 100000000, /* look at the clock so often at least */
	REVIVE_NS = 1000000,  /* between attempts to connect anew */
};

struct conn {
	int fd;    /* -1: lost */
	bool busy; /* waits for the reply to request index */
	uint64_t index;
	int64_t since_ns; /* when the request was due */
	size_t have;
	char reply[WIRE_REPLY];
};

struct load_pool {
	const struct target *target;
	int epoll;
	size_t size;
	struct conn *conn;
	size_t *idle; /* ring of the unused connections */
	size_t idle_first;
	size_t idle_count;
};

/* One call of load_run(). */
struct run {
	struct load_pool *pool;
	const struct load *load;
	struct load_result *result;
	int64_t start_ns;
	int64_t now_ns;
	uint64_t done; /* replies and requests given up */
	size_t lost;   /* connections to revive */
};

static int64_t
mono_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void
set_idle(struct load_pool *pool, struct conn *conn)
{
	size_t at = (pool->idle_first + pool->idle_count) % pool->size;

	assert(pool->idle_count < pool->size);
	pool->idle[at] = (size_t)(conn - pool->conn);
	pool->idle_count++;
	conn->busy = false;
	conn->have = 0;
}

static struct conn *
take_idle(struct load_pool *pool)
{
	struct conn *conn = &pool->conn[pool->idle[pool->idle_first]];

	assert(pool->idle_count > 0);
	pool->idle_first = (pool->idle_first + 1) % pool->size;
	pool->idle_count--;
	return conn;
}

static int
conn_open(struct load_pool *pool, struct conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

	conn->fd = target_connect(pool->target);
	if (conn->fd < 0)
		return -1;
	if (epoll_ctl(pool->epoll, EPOLL_CTL_ADD, conn->fd, &event) == 0)
		return 0;
	close(conn->fd);
	conn->fd = -1;
	return -1;
}

struct load_pool *
load_open(const struct target *target, size_t size)
{
	struct load_pool *pool = calloc(1, sizeof(*pool));

	if (pool == NULL)
		return NULL;
	pool->target = target;
	pool->epoll = epoll_create1(EPOLL_CLOEXEC);
	pool->conn = calloc(size, sizeof(*pool->conn));
	pool->idle = calloc(size, sizeof(*pool->idle));
	if (pool->epoll < 0 || pool->conn == NULL || pool->idle == NULL) {
		perror("polload");
		load_close(&pool);
		return NULL;
	}
	for (; pool->size < size; pool->size++) {
		if (conn_open(pool, &pool->conn[pool->size]) != 0) {
			fprintf(stderr, "polload: connection %zu: %s\n",
			    pool->size + 1, strerror(errno));
			load_close(&pool);
			return NULL;
		}
	}
	for (size_t i = 0; i < size; i++)
		set_idle(pool, &pool->conn[i]);
	return pool;
}

void
load_close(struct load_pool **poolp)
{
	struct load_pool *pool = *poolp;

	if (pool == NULL)
		return;
	for (size_t i = 0; i < pool->size; i++) {
		if (pool->conn[i].fd >= 0)
			close(pool->conn[i].fd);
	}
	if (pool->epoll >= 0)
		close(pool->epoll);
	free(pool->conn);
	free(pool->idle);
	free(pool);
	*poolp = NULL;
}

/* Request number index as a triplet; returns the class of its right reply. */
static enum wire_class
request_triplet(const struct load *load, uint64_t index, struct triplet *out)
{
	uint64_t random = triplet_mix(load->seed ^ triplet_mix(index));

	if (load->kind != LOAD_MIX) {
		triplet_make(out, TRIPLET_KNOWN, 0, index % load->known);
		return load->kind == LOAD_FIRST ? WIRE_DEFER : WIRE_PASS;
	}
	if (random % 100 < load->percent) {
		triplet_make(
		    out, TRIPLET_KNOWN, 0, (random >> 8) % load->known);
		return WIRE_PASS;
	}
	triplet_make(out, TRIPLET_NEW, load->seed, index);
	return WIRE_DEFER;
}

/* Give a connection up; its request is asked anew, or is missing.  An unused
 * one stays in the ring. */
static void
conn_lost(struct run *run, struct conn *conn)
{
	if (conn->fd >= 0)
		close(conn->fd);
	conn->fd = -1;
	conn->have = 0;
	if (run->load->reconnect) {
		run->lost++;
	} else if (conn->busy) {
		conn->busy = false;
		run->done++;
	}
}

static void
conn_send(struct run *run, struct conn *conn)
{
	struct triplet triplet;
	char buf[WIRE_REQUEST];
	size_t len;

	request_triplet(run->load, conn->index, &triplet);
	len = wire_request(buf, &triplet, conn->index, run->load->test_time_s);
	/* The socket's buffer is empty: a request that does not go out at
	 * once means that the peer has gone. */
	if (send(conn->fd, buf, len, MSG_NOSIGNAL) != (ssize_t)len)
		conn_lost(run, conn);
}

static void
show_wrong(struct run *run, const struct conn *conn)
{
	if (run->result->wrong > SHOWN)
		return;
	fprintf(stderr, "polload: request %llu: wrong reply: ",
	    (unsigned long long)conn->index);
	for (size_t i = 0; i < conn->have && i < 200; i++) {
		char c = conn->reply[i];

		fputc(c >= ' ' && c <= '~' ? c : '|', stderr);
	}
	fputc('\n', stderr);
}

static void
conn_reply(struct run *run, struct conn *conn, enum wire_class class)
{
	struct load_result *result = run->result;
	struct triplet triplet;
	int64_t latency_ns;

	run->now_ns = mono_ns();
	latency_ns = run->now_ns - conn->since_ns;
	result->replies++;
	run->done++;
	if (class != request_triplet(run->load, conn->index, &triplet)) {
		result->wrong++;
		show_wrong(run, conn);
	}
	if (latency_ns > result->hist.max_ns)
		result->worst_at_s =
		    (double)(run->now_ns - run->start_ns) / 1e9;
	hist_add(&result->hist, latency_ns);
	set_idle(run->pool, conn);
}

static void
conn_read(struct run *run, struct conn *conn)
{
	enum wire_class class;
	ssize_t n;

	n = recv(conn->fd, conn->reply + conn->have,
	    sizeof(conn->reply) - conn->have, 0);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		conn_lost(run, conn);
		return;
	}
	conn->have += (size_t)n;
	if (!conn->busy) {
		run->result->wrong++; /* a reply that nobody asked for */
		show_wrong(run, conn);
		conn->have = 0;
		return;
	}
	class = wire_classify(conn->reply, conn->have);
	if (class != WIRE_PARTIAL)
		conn_reply(run, conn, class);
}

/* When request number index is due, or INT64_MAX when there is none. */
static int64_t
due_ns(const struct run *run, uint64_t index)
{
	const struct load *load = run->load;
	int64_t at_ns = run->now_ns;

	if (load->count > 0 && index >= load->count)
		return INT64_MAX;
	if (load->rate > 0)
		at_ns =
		    run->start_ns + (int64_t)((double)index / load->rate * 1e9);
	if (load->count == 0 &&
	    at_ns >= run->start_ns + (int64_t)(load->seconds * 1e9))
		return INT64_MAX;
	return at_ns;
}

/* Send what is due as far as connections are free.  Returns how long to wait
 * for replies at most, in nanoseconds. */
static int64_t
dispatch(struct run *run)
{
	struct load_result *result = run->result;
	int64_t wait_ns = PAUSE_NS;
	int64_t at_ns = due_ns(run, result->sent);

	while (run->pool->idle_count > 0 && at_ns <= run->now_ns) {
		struct conn *conn = take_idle(run->pool);

		conn->busy = true;
		conn->index = result->sent++;
		conn->since_ns = at_ns;
		if (conn->fd >= 0)
			conn_send(run, conn);
		else if (!run->load->reconnect)
			conn_lost(run, conn);
		run->now_ns = mono_ns();
		at_ns = due_ns(run, result->sent);
	}
	if (run->pool->idle_count > 0 && at_ns - run->now_ns < wait_ns)
		wait_ns = at_ns - run->now_ns;
	if (run->lost > 0 && wait_ns > REVIVE_NS)
		wait_ns = REVIVE_NS;
	return wait_ns;
}

static void
revive(struct run *run)
{
	struct load_pool *pool = run->pool;

	for (size_t i = 0; i < pool->size && run->lost > 0; i++) {
		struct conn *conn = &pool->conn[i];

		if (conn->fd >= 0)
			continue;
		if (conn_open(pool, conn) != 0)
			return;
		run->lost--;
		run->result->reconnects++;
		if (conn->busy)
			conn_send(run, conn);
	}
}

static void
wait_replies(struct run *run, int64_t wait_ns)
{
	const struct timespec wait = { .tv_nsec = wait_ns };
	struct epoll_event event[EVENTS];
	int n;

	n = epoll_pwait2(run->pool->epoll, event, EVENTS, &wait, NULL);
	run->now_ns = mono_ns();
	for (int i = 0; i < n; i++) {
		struct conn *conn = event[i].data.ptr;

		if (conn->fd >= 0)
			conn_read(run, conn);
	}
}

/* Whether nothing is outstanding, and nothing can be sent any more. */
static bool
is_over(const struct run *run)
{
	if (run->done < run->result->sent)
		return false;
	return due_ns(run, run->result->sent) == INT64_MAX ||
	       run->pool->idle_count == 0;
}

void
load_run(
    struct load_pool *pool, const struct load *load, struct load_result *result)
{
	struct run run = { .pool = pool, .load = load, .result = result };
	int64_t limit_ns;

	assert(load->known > 0 && (load->count > 0 || load->seconds > 0));
	memset(result, 0, sizeof(*result));
	run.start_ns = run.now_ns = mono_ns();
	limit_ns = run.start_ns + (int64_t)(load->limit_s * 1e9);
	while (run.now_ns < limit_ns) {
		int64_t wait_ns = dispatch(&run);

		if (is_over(&run))
			break;
		wait_replies(&run, wait_ns);
		if (run.lost > 0)
			revive(&run);
	}
	result->elapsed_s = (double)(mono_ns() - run.start_ns) / 1e9;
	result->missing =
	    (load->count > 0 ? load->count : result->sent) - result->replies;
}
