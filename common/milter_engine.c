/* SPDX-License-Identifier: ISC */
#include "common/milter_engine.h"

#include "common/milter.h"

/* Postfix waits 30 s for the first word of a milter (milter_connect_timeout,
 * milter_command_timeout), and for so long new connections may wait for the
 * next process. */
#define GRACE_MS 15000

static void
run(void *engine, int signal_fd, void (*on_signal)(void *arg), void *signal_arg)
{
	milter_run(engine, signal_fd, on_signal, signal_arg);
}

static void
stop(void *engine, int64_t grace_ms)
{
	milter_stop(engine, grace_ms);
}

static void
every(void *engine, int64_t interval_ms, void (*fn)(void *arg), void *arg)
{
	milter_every(engine, interval_ms, fn, arg);
}

const struct daemon_engine milter_engine = {
	.run = run,
	.stop = stop,
	.every = every,
	.grace_ms = GRACE_MS,
};
