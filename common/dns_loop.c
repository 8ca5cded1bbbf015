/* SPDX-License-Identifier: ISC */
/*
 * libunbound takes its events from two tables of functions. Here they stand
 * on libev, so that libunbound calls no function of libevent for our
 * questions and everything runs in the one loop.
 *
 * An event means what it means in libevent: it fires once unless
 * UB_EV_PERSIST is set; the time-out of a persistent one begins anew
 * whenever it fires.
 */
#include <ev.h>
#include <sys/time.h>
#include <unbound.h>
#include <unbound-event.h>

#include "common/dns_int.h"
#include "common/xmem.h"

typedef void event_fn(int fd, short bits, void *arg);

struct base {
	struct ub_event_base ub; /* first: libunbound's view of us */
	struct ev_loop *loop;
};

struct event {
	struct ub_event ub; /* first: libunbound's view of us */
	struct ev_loop *loop;
	struct ev_io io;
	struct ev_timer timer;
	int fd;     /* -1: only a timer */
	short bits; /* UB_EV_* */
	event_fn *fn;
	void *arg;
};

static void
stop(struct event *event)
{
	ev_io_stop(event->loop, &event->io);
	ev_timer_stop(event->loop, &event->timer);
}

/* The function may free the event: nothing touches it afterwards. */
static void
fire(struct event *event, short bits)
{
	if ((event->bits & UB_EV_PERSIST) == 0)
		stop(event);
	else if (ev_is_active(&event->timer))
		ev_timer_again(event->loop, &event->timer);
	event->fn(event->fd, bits, event->arg);
}

static void
on_io(struct ev_loop *loop, struct ev_io *io, int revents)
{
	int bits = 0;

	(void)loop;
	if ((revents & EV_READ) != 0)
		bits |= UB_EV_READ;
	if ((revents & EV_WRITE) != 0)
		bits |= UB_EV_WRITE;
	fire(io->data, (short)bits);
}

static void
on_timer(struct ev_loop *loop, struct ev_timer *timer, int revents)
{
	(void)loop;
	(void)revents;
	fire(timer->data, UB_EV_TIMEOUT);
}

static void
start_timer(struct event *event, const struct timeval *tv)
{
	double wait_s = (double)tv->tv_sec + (double)tv->tv_usec / 1e6;

	/* A repeat of 0 would mean none. */
	if (wait_s < 1e-6)
		wait_s = 1e-6;
	ev_timer_set(&event->timer, wait_s, wait_s);
	ev_timer_start(event->loop, &event->timer);
}

static void
event_add_bits(struct ub_event *ub, short bits)
{
	struct event *event = (struct event *)ub;

	stop(event);
	event->bits = (short)(event->bits | bits);
}

static void
event_del_bits(struct ub_event *ub, short bits)
{
	struct event *event = (struct event *)ub;

	stop(event);
	event->bits = (short)(event->bits & ~bits);
}

static void
event_set_fd(struct ub_event *ub, int fd)
{
	struct event *event = (struct event *)ub;

	stop(event);
	event->fd = fd;
}

static void
event_free(struct ub_event *ub)
{
	struct event *event = (struct event *)ub;

	if (event == NULL)
		return;
	stop(event);
	xmem_free(&event);
}

static int
event_add(struct ub_event *ub, struct timeval *tv)
{
	struct event *event = (struct event *)ub;
	int wanted = 0;

	stop(event);
	if ((event->bits & UB_EV_READ) != 0)
		wanted |= EV_READ;
	if ((event->bits & UB_EV_WRITE) != 0)
		wanted |= EV_WRITE;
	if (event->fd >= 0 && wanted != 0) {
		ev_io_set(&event->io, event->fd, wanted);
		ev_io_start(event->loop, &event->io);
	}
	if (tv != NULL && (event->bits & UB_EV_TIMEOUT) != 0)
		start_timer(event, tv);
	return 0;
}

static int
event_del(struct ub_event *ub)
{
	stop((struct event *)ub);
	return 0;
}

static int
event_add_timer(struct ub_event *ub, struct ub_event_base *base, event_fn *fn,
    void *arg, struct timeval *tv)
{
	struct event *event = (struct event *)ub;

	(void)base;
	stop(event);
	event->fn = fn;
	event->arg = arg;
	event->bits = UB_EV_TIMEOUT;
	start_timer(event, tv);
	return 0;
}

/* Signals are the daemon's. */
static int
event_add_signal(struct ub_event *ub, struct timeval *tv)
{
	(void)ub;
	(void)tv;
	return -1;
}

static struct ub_event_vmt event_vmt = {
	.add_bits = event_add_bits,
	.del_bits = event_del_bits,
	.set_fd = event_set_fd,
	.free = event_free,
	.add = event_add,
	.del = event_del,
	.add_timer = event_add_timer,
	.del_timer = event_del,
	.add_signal = event_add_signal,
	.del_signal = event_del,
};

static struct ub_event *
base_new_event(
    struct ub_event_base *ub, int fd, short bits, event_fn *fn, void *arg)
{
	struct event *event = xmem_calloc(1, sizeof(*event));

	event->ub.magic = UB_EVENT_MAGIC;
	event->ub.vmt = &event_vmt;
	event->loop = ((struct base *)ub)->loop;
	event->fd = fd;
	event->bits = bits;
	event->fn = fn;
	event->arg = arg;
	ev_init(&event->io, on_io);
	ev_init(&event->timer, on_timer);
	event->io.data = event;
	event->timer.data = event;
	return &event->ub;
}

static struct ub_event *
base_new_signal(struct ub_event_base *ub, int fd, event_fn *fn, void *arg)
{
	return base_new_event(ub, fd, 0, fn, arg);
}

/* The loop is the daemon's to run and to end. */
static int
base_dispatch(struct ub_event_base *ub)
{
	(void)ub;
	return -1;
}

static int
base_loopexit(struct ub_event_base *ub, struct timeval *tv)
{
	(void)ub;
	(void)tv;
	return -1;
}

static void
base_free(struct ub_event_base *ub)
{
	(void)ub;
}

static struct ub_event_base_vmt base_vmt = {
	.free = base_free,
	.dispatch = base_dispatch,
	.loopexit = base_loopexit,
	.new_event = base_new_event,
	.new_signal = base_new_signal,
};

struct ub_event_base *
dns_loop_new(struct ev_loop *loop)
{
	struct base *base = xmem_calloc(1, sizeof(*base));

	base->ub.magic = UB_EVENT_MAGIC;
	base->ub.vmt = &base_vmt;
	base->loop = loop;
	return &base->ub;
}

void
dns_loop_free(struct ub_event_base **ub)
{
	struct base *base = (struct base *)*ub;

	*ub = NULL;
	xmem_free(&base);
}
