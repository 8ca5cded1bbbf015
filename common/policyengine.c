/* SPDX-License-Identifier: ISC */
#include <unistd.h>

#include "common/policyengine.h"

static void
engine_run(
    void *engine, int signal_fd, void (*on_signal)(void *arg), void *signal_arg)
{
	policysrv_watch(engine, signal_fd, on_signal, signal_arg);
	policysrv_run(engine);
}

static void
engine_stop(void *engine, int64_t grace_ms)
{
	policysrv_stop(engine, grace_ms);
}

static void
engine_every(
    void *engine, int64_t interval_ms, void (*fn)(void *arg), void *arg)
{
	policysrv_every(engine, interval_ms, fn, arg);
}

const struct daemon_engine policyengine_hooks = {
	.run = engine_run,
	.stop = engine_stop,
	.every = engine_every,
};

void
policyengine_listen(struct policysrv *srv, struct sockset *set)
{
	int fd;

	if (sockset_is_stdio(set))
		policysrv_stdio(srv, STDIN_FILENO, STDOUT_FILENO);
	while ((fd = sockset_take(set)) >= 0)
		policysrv_listen(srv, fd);
}
