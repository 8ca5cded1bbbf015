/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/now.h"
#include "common/policysrv.h"
#include "common/policysrv_int.h"
#include "common/xmem.h"

/* New connections taken in one go, so that those already here come first. */
#define ACCEPT_MAX 64
/* How long accepting pauses when there is no room. */
#define PAUSE_S 0.1
/* Nobody is evicted who had no chance yet to say something. */
#define EVICT_AGE_MS 100

static void
on_turn_start(struct ev_loop *loop, struct ev_check *check, int revents)
{
	struct policysrv *srv = check->data;

	(void)loop;
	(void)revents;
	srv->now_ms = now_mono_ms();
}

/* Commits, then lets the replies go. */
static void
flush(struct policysrv *srv)
{
	struct policysrv_queue *ready = &srv->queue[POLICYSRV_READY];

	if (srv->hooks.batch_end != NULL)
		srv->hooks.batch_end(srv->hooks.arg);
	while (ready->head != NULL)
		policysrv_conn_write(ready->head);
}

/* Runs before the loop blocks, after all other callbacks of the turn. */
static void
on_turn_end(struct ev_loop *loop, struct ev_prepare *prepare, int revents)
{
	struct policysrv *srv = prepare->data;

	(void)revents;
	flush(srv);
	if (srv->stopping && !srv->last_look && srv->stats.open == 0)
		ev_break(loop, EVBREAK_ALL);
}

/* Stopping: requests that have arrived but were not read yet are served,
 * connections without one are closed. */
static void
look_last(struct policysrv *srv)
{
	struct policysrv_queue *idle = &srv->queue[POLICYSRV_IDLE];
	struct policysrv_conn *conn;

	srv->last_look = false;
	while ((conn = idle->head) != NULL) {
		policysrv_conn_read(conn);
		if (idle->head == conn)
			policysrv_conn_close(conn);
	}
}

/* Goes on with connections whose next request came along with the last. */
static void
on_again(struct ev_loop *loop, struct ev_idle *again, int revents)
{
	struct policysrv *srv = again->data;
	struct policysrv_queue *pending = &srv->queue[POLICYSRV_PENDING];

	(void)revents;
	ev_idle_stop(loop, again);
	if (srv->last_look)
		look_last(srv);
	while (pending->head != NULL)
		policysrv_conn_next(pending->head);
}

static void
expire(struct policysrv *srv, enum policysrv_state state, int64_t timeout_s)
{
	struct policysrv_queue *queue = &srv->queue[state];

	while (queue->head != NULL &&
	       srv->now_ms - queue->head->since_ms >= timeout_s * 1000) {
		if (state != POLICYSRV_IDLE)
			srv->stats.timeouts++;
		policysrv_conn_close(queue->head);
	}
}

static void
on_tick(struct ev_loop *loop, struct ev_timer *tick, int revents)
{
	struct policysrv *srv = tick->data;

	(void)revents;
	expire(srv, POLICYSRV_HALF, srv->config.request_timeout_s);
	expire(srv, POLICYSRV_WRITING, srv->config.request_timeout_s);
	if (srv->config.idle_timeout_s > 0)
		expire(srv, POLICYSRV_IDLE, srv->config.idle_timeout_s);
	if (srv->stats.open == 0)
		ev_timer_stop(loop, tick);
}

static void
pause_accept(struct policysrv *srv)
{
	struct policysrv_listener *l;

	srv->stats.accept_pauses++;
	for (l = srv->listeners; l != NULL; l = l->next)
		ev_io_stop(srv->loop, &l->accept);
	ev_timer_again(srv->loop, &srv->resume);
}

static void
resume_accept(struct policysrv *srv)
{
	struct policysrv_listener *l;

	ev_timer_stop(srv->loop, &srv->resume);
	for (l = srv->listeners; l != NULL; l = l->next)
		ev_io_start(srv->loop, &l->accept);
}

static void
on_resume(struct ev_loop *loop, struct ev_timer *resume, int revents)
{
	(void)loop;
	(void)revents;
	resume_accept(resume->data);
}

void
policysrv_closed(struct policysrv *srv, bool is_stdio)
{
	if (is_stdio)
		ev_break(srv->loop, EVBREAK_ALL);
	if (ev_is_active(&srv->resume))
		resume_accept(srv);
}

/* The connection that we have been waiting for longest, or NULL when none
 * may go. Those in work never do. */
static struct policysrv_conn *
find_victim(const struct policysrv *srv)
{
	static const enum policysrv_state states[] = {
		POLICYSRV_IDLE,
		POLICYSRV_HALF,
		POLICYSRV_WRITING,
	};
	struct policysrv_conn *victim = NULL;
	size_t i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct policysrv_conn *conn = srv->queue[states[i]].head;

		if (conn != NULL &&
		    (victim == NULL || conn->since_ms < victim->since_ms))
			victim = conn;
	}
	if (victim == NULL || srv->now_ms - victim->since_ms < EVICT_AGE_MS)
		return NULL;
	return victim;
}

static void
evict(struct policysrv *srv, struct policysrv_conn *victim)
{
	srv->stats.evicted++;
	policysrv_conn_close(victim);
}

/* Takes one connection. Returns false when there is none, or no room. */
static bool
accept_one(struct policysrv *srv, int listen_fd)
{
	struct policysrv_conn *victim = find_victim(srv);
	bool full =
	    srv->stats.open + srv->gone_count >= srv->config.max_connections;
	int fd;

	if (full && victim == NULL) {
		pause_accept(srv);
		return false;
	}
	fd = accept4(listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		if (full)
			evict(srv, victim);
		policysrv_conn_add(srv, fd, fd, false);
		if (!ev_is_active(&srv->tick))
			ev_timer_again(srv->loop, &srv->tick);
		return true;
	}
	switch (errno) {
	case EAGAIN:
		return false;
	case EMFILE:
	case ENFILE:
	case ENOBUFS:
	case ENOMEM:
		if (victim != NULL) {
			evict(srv, victim);
			return true;
		}
		pause_accept(srv);
		return false;
	case EBADF:
	case EINVAL:
	case ENOTSOCK:
		/* Cannot happen; but if it did, the loop would spin. */
		pause_accept(srv);
		return false;
	default:
		/* The peer gave up, or a network error that accept(2) says
		 * to take as such. */
		return true;
	}
}

static void
on_acceptable(struct ev_loop *loop, struct ev_io *w, int revents)
{
	int i;

	(void)loop;
	(void)revents;
	for (i = 0; i < ACCEPT_MAX; i++) {
		if (!accept_one(w->data, w->fd))
			break;
	}
}

static void
on_grace(struct ev_loop *loop, struct ev_timer *grace, int revents)
{
	(void)grace;
	(void)revents;
	ev_break(loop, EVBREAK_ALL);
}

static void
init_watchers(struct policysrv *srv)
{
	double tick_s = (double)srv->config.request_timeout_s / 4;

	ev_check_init(&srv->turn_start, on_turn_start);
	ev_set_priority(&srv->turn_start, EV_MAXPRI);
	ev_prepare_init(&srv->turn_end, on_turn_end);
	ev_set_priority(&srv->turn_end, EV_MINPRI);
	ev_idle_init(&srv->again, on_again);
	/* Otherwise busy sockets could starve it. */
	ev_set_priority(&srv->again, EV_MAXPRI);
	ev_timer_init(&srv->tick, on_tick, 0, tick_s < 1 ? tick_s : 1);
	ev_timer_init(&srv->resume, on_resume, 0, PAUSE_S);
	ev_timer_init(&srv->grace, on_grace, 0, 0);
	srv->turn_start.data = srv;
	srv->turn_end.data = srv;
	srv->again.data = srv;
	srv->tick.data = srv;
	srv->resume.data = srv;
	srv->grace.data = srv;
	ev_check_start(srv->loop, &srv->turn_start);
	ev_prepare_start(srv->loop, &srv->turn_end);
}

struct policysrv *
policysrv_new(const struct policysrv_config *config,
    const struct policysrv_hooks *hooks, struct err *err)
{
	const unsigned flags =
	    EVFLAG_NOENV | EVFLAG_NOINOTIFY | EVFLAG_NOSIGMASK;
	struct policysrv *srv;
	struct ev_loop *loop = ev_loop_new(flags | EVBACKEND_EPOLL);

	if (loop == NULL)
		loop = ev_loop_new(flags | EVBACKEND_POLL);
	if (loop == NULL) {
		err_set_errno(err, errno, "cannot make an event loop");
		return NULL;
	}
	assert(config->max_connections > 0 && config->request_timeout_s > 0);
	srv = xmem_calloc(1, sizeof(*srv));
	srv->loop = loop;
	srv->config = *config;
	srv->hooks = *hooks;
	srv->now_ms = now_mono_ms();
	init_watchers(srv);
	return srv;
}

static void
close_listeners(struct policysrv *srv)
{
	struct policysrv_listener *l;

	ev_timer_stop(srv->loop, &srv->resume);
	while ((l = srv->listeners) != NULL) {
		srv->listeners = l->next;
		ev_io_stop(srv->loop, &l->accept);
		close(l->accept.fd);
		xmem_free(&l);
	}
}

static void
free_watchers(struct policysrv *srv)
{
	struct policysrv_timer *t;
	struct policysrv_watcher *w;

	while ((t = srv->timers) != NULL) {
		srv->timers = t->next;
		ev_timer_stop(srv->loop, &t->timer);
		xmem_free(&t);
	}
	while ((w = srv->watchers) != NULL) {
		srv->watchers = w->next;
		ev_io_stop(srv->loop, &w->readable);
		xmem_free(&w);
	}
}

void
policysrv_free(struct policysrv **srv_p)
{
	struct policysrv *srv = *srv_p;
	struct policysrv_buf *buf;
	size_t state;

	if (srv == NULL)
		return;
	*srv_p = NULL;
	close_listeners(srv);
	for (state = 0; state < POLICYSRV_STATES; state++) {
		while (srv->queue[state].head != NULL)
			policysrv_conn_free(srv->queue[state].head);
	}
	free_watchers(srv);
	while ((buf = srv->free_bufs) != NULL) {
		srv->free_bufs = buf->next;
		xmem_free(&buf);
	}
	ev_loop_destroy(srv->loop);
	xmem_free(&srv);
}

void
policysrv_listen(struct policysrv *srv, int fd)
{
	struct policysrv_listener *l = xmem_calloc(1, sizeof(*l));
	int on = 1;

	/* Accepted sockets inherit it; on a Unix socket it fails, and is not
	 * needed. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	ev_io_init(&l->accept, on_acceptable, fd, EV_READ);
	l->accept.data = srv;
	l->next = srv->listeners;
	srv->listeners = l;
	ev_io_start(srv->loop, &l->accept);
}

void
policysrv_stdio(struct policysrv *srv, int in_fd, int out_fd)
{
	int fds[2] = { in_fd, out_fd };
	int i, flags;

	for (i = 0; i < 2; i++) {
		flags = fcntl(fds[i], F_GETFL);
		if (flags >= 0)
			(void)fcntl(fds[i], F_SETFL, flags | O_NONBLOCK);
	}
	policysrv_conn_add(srv, in_fd, out_fd, true);
	ev_timer_again(srv->loop, &srv->tick);
}

void
policysrv_reply(struct policysrv_call *call, const char *action)
{
	policysrv_conn_reply(call->conn, action);
}

void
policysrv_drop(struct policysrv_call *call)
{
	assert(call->conn->state == POLICYSRV_BUSY);
	policysrv_conn_free(call->conn);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
	struct policysrv_timer *t = timer->data;

	(void)loop;
	(void)revents;
	t->fn(t->arg);
}

void
policysrv_every(struct policysrv *srv, int64_t interval_ms,
    void (*fn)(void *arg), void *arg)
{
	struct policysrv_timer *t = xmem_calloc(1, sizeof(*t));

	assert(interval_ms >= 1);
	t->fn = fn;
	t->arg = arg;
	ev_timer_init(&t->timer, on_timer, 0, (double)interval_ms / 1000);
	t->timer.data = t;
	t->next = srv->timers;
	srv->timers = t;
	ev_timer_again(srv->loop, &t->timer);
}

static void
on_watched(struct ev_loop *loop, struct ev_io *readable, int revents)
{
	struct policysrv_watcher *w = readable->data;

	(void)loop;
	(void)revents;
	w->fn(w->arg);
}

void
policysrv_watch(struct policysrv *srv, int fd, void (*fn)(void *arg), void *arg)
{
	struct policysrv_watcher *w = xmem_calloc(1, sizeof(*w));

	w->fn = fn;
	w->arg = arg;
	ev_io_init(&w->readable, on_watched, fd, EV_READ);
	w->readable.data = w;
	w->next = srv->watchers;
	srv->watchers = w;
	ev_io_start(srv->loop, &w->readable);
}

struct ev_loop *
policysrv_loop(struct policysrv *srv)
{
	return srv->loop;
}

void
policysrv_run(struct policysrv *srv)
{
	ev_run(srv->loop, 0);
	/* The grace period may have ended in the middle of a turn. */
	flush(srv);
}

void
policysrv_stop(struct policysrv *srv, int64_t grace_ms)
{
	close_listeners(srv);
	if (!srv->stopping) {
		srv->stopping = true;
		srv->last_look = true;
		/* In a turn of its own: the caller may be a handler. */
		ev_idle_start(srv->loop, &srv->again);
	}
	ev_timer_stop(srv->loop, &srv->grace);
	ev_timer_set(&srv->grace, (double)grace_ms / 1000, 0);
	ev_timer_start(srv->loop, &srv->grace);
}

const struct policysrv_stats *
policysrv_stats(const struct policysrv *srv)
{
	return &srv->stats;
}
