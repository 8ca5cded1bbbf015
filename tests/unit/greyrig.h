/* SPDX-License-Identifier: ISC */
/*
 * greyrig.h - the real resolver, a name server, a clock that stands still:
 * for tests of what greylistd asks DNS
 *
 * The functions of common/now.h are this file's own: time goes on when the
 * test says so, by adding to greyrig_now_ms. The event loop's own clock, and
 * libunbound's, are real; so records have a TTL of 0 unless the zone says
 * otherwise, and nothing of them is cached.
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_UNIT_GREYRIG_H
#define POSTERN_TESTS_UNIT_GREYRIG_H

#include <sys/mman.h>

#include "common/dns.h"
#include "common/log.h"
#include "common/now.h"

#include "tests/unit/check.h"
#include "tests/unit/dnsserver.h"

static int64_t greyrig_now_ms = 1000000;

int64_t
now_wall_s(void)
{
	return 1700000000;
}

int64_t
now_mono_us(void)
{
	return greyrig_now_ms * 1000;
}

int64_t
now_mono_ms(void)
{
	return greyrig_now_ms;
}

void
now_set(int64_t wall_s)
{
	(void)wall_s;
}

struct greyrig {
	struct ev_loop *loop;
	struct dnsserver server;
	struct dns *dns;
	int log_fd; /* where standard error goes */
};

static inline void
greyrig_open(struct greyrig *rig, const char *zone)
{
	struct dns_config config = {
		.nameserver_count = 1,
		.trust_anchor_file = "",
		.question_timeout_ms = 60000,
		.cache_bytes = 1 << 20,
	};
	struct err err = { "" };
	char *address;

	memset(rig, 0, sizeof(*rig));
	rig->loop = ev_default_loop(0);
	dnsserver_start(&rig->server, rig->loop, zone);
	address = rig->server.address;
	config.nameservers = &address;
	rig->dns = dns_new(&config, rig->loop, &err);
	check_str("a resolver", err.text, "");
	rig->log_fd = memfd_create("log", MFD_CLOEXEC);
	if (rig->dns == NULL || rig->log_fd < 0 ||
	    dup2(rig->log_fd, STDERR_FILENO) < 0)
		abort();
	log_open("test", LOG_SINK_STDERR, 0);
}

static inline void
greyrig_close(struct greyrig *rig)
{
	dns_free(&rig->dns);
	dnsserver_stop(&rig->server);
	(void)close(rig->log_fd);
}

static inline void
greyrig_on_turn(struct ev_loop *loop, struct ev_prepare *turn, int revents)
{
	const struct greyrig *rig = turn->data;

	(void)revents;
	if (dns_stats(rig->dns)->open == 0)
		ev_break(loop, EVBREAK_ALL);
}

/* Runs the loop until every question has its answer. */
static inline void
greyrig_settle(struct greyrig *rig)
{
	struct ev_prepare turn;

	/* Answers are given just before the loop would wait. */
	ev_prepare_init(&turn, greyrig_on_turn);
	ev_set_priority(&turn, EV_MINPRI);
	turn.data = rig;
	ev_prepare_start(rig->loop, &turn);
	ev_run(rig->loop, 0);
	ev_prepare_stop(rig->loop, &turn);
}

/* What was logged since the last call; valid until the next. */
static inline const char *
greyrig_log(struct greyrig *rig)
{
	static char text[65536];
	ssize_t len = pread(rig->log_fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = '\0';
	if (ftruncate(rig->log_fd, 0) < 0 ||
	    lseek(rig->log_fd, 0, SEEK_SET) < 0)
		abort();
	return text;
}

#endif
