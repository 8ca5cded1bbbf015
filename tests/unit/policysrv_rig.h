/* SPDX-License-Identifier: ISC */
/*
 * policysrv_rig.h - a policy server in a thread, and clients for it
 *
 * The server runs in a thread of its own, its clients in the main thread.
 * What the handler does, the request says: "request=echo" answers with the
 * sender, "hold" answers when told, "late" at the end of the turn, "drop"
 * never, "stall" makes the whole server wait. Commands reach the server by a
 * pipe that it watches, as a daemon's signals do.
 */
#ifndef POSTERN_TESTS_UNIT_POLICYSRV_RIG_H
#define POSTERN_TESTS_UNIT_POLICYSRV_RIG_H

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/policysrv.h"
#include "tests/unit/check.h"

#define HELD_MAX 8
#define ECHO(sender) "request=echo\nsender=" sender "\n\n"
#define REPLY(sender) "action=DUNNO " sender "\n\n"

struct server {
	struct policysrv *srv;
	struct policysrv_stats stats; /* after stop_server */
	pthread_t thread;
	struct sockaddr_storage addr;
	socklen_t addr_len;
	int command[2]; /* main writes, server reads */
	int told[2];    /* server writes, main reads */
	int release[2]; /* ends a stall */
	struct policysrv_call *held[HELD_MAX];
	int held_count;
	struct policysrv_call *late;
	int peek_fd;  /* no reply may be here at batch end, or -1 */
	bool replied; /* in this turn */
	bool reply_was_early;
	atomic_long turns;
	atomic_long ticks;
};

static const struct policysrv_config defaults = {
	.max_connections = 100,
	.request_timeout_s = 30,
};

/* ------------------------------------------------------- server's side */

static void
on_request(void *arg, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	struct server *s = arg;
	const char *what = request->attr[POLICYPROTO_REQUEST];
	const char *sender = request->attr[POLICYPROTO_SENDER];
	char text[3000];

	if (what == NULL) {
		policysrv_reply(call, "no request");
	} else if (strcmp(what, "hold") == 0) {
		s->held[s->held_count++] = call;
		(void)!write(s->told[1], "h", 1);
	} else if (strcmp(what, "late") == 0) {
		s->late = call;
	} else if (strcmp(what, "drop") == 0) {
		policysrv_drop(call);
	} else {
		if (strcmp(what, "stall") == 0) {
			(void)!write(s->told[1], "s", 1);
			(void)!read(s->release[0], text, 1);
		}
		snprintf(text, sizeof(text), "DUNNO %s", sender);
		policysrv_reply(call, text);
		s->replied = true;
	}
}

static void
on_batch_end(void *arg)
{
	struct server *s = arg;
	char byte;

	s->turns++;
	if (s->late != NULL) {
		policysrv_reply(s->late, "DUNNO late");
		s->late = NULL;
	}
	if (s->replied && s->peek_fd >= 0) {
		if (recv(s->peek_fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0)
			s->reply_was_early = true;
		(void)!write(s->told[1], "b", 1);
	}
	s->replied = false;
}

static void
on_command(void *arg)
{
	struct server *s = arg;
	char command = 0;
	int i;

	(void)!read(s->command[0], &command, 1);
	switch (command) {
	case 'r': /* reply to all that is held */
		for (i = 0; i < s->held_count; i++)
			policysrv_reply(s->held[i], "DUNNO held");
		s->held_count = 0;
		(void)!write(s->told[1], "r", 1);
		break;
	case 'q': /* stop, with all the time in the world; but stall */
		policysrv_stop(s->srv, 60000);
		(void)!write(s->told[1], "q", 1);
		(void)!read(s->release[0], &command, 1);
		break;
	case 'k': /* stop, with little time */
		policysrv_stop(s->srv, 20);
		break;
	}
}

static void
on_interval(void *arg)
{
	struct server *s = arg;

	s->ticks++;
	(void)!write(s->told[1], "t", 1);
}

static void *
run(void *arg)
{
	struct server *s = arg;

	policysrv_run(s->srv);
	return NULL;
}

/* A listening socket with a name of the kernel's choice. */
static int
make_listener(struct server *s, int family)
{
	struct sockaddr_in in = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const struct sockaddr *addr = (void *)&un;
	socklen_t len = sizeof(un.sun_family);
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (family == AF_INET) {
		addr = (void *)&in;
		len = sizeof(in);
	}
	s->addr_len = sizeof(s->addr);
	if (fd < 0 || bind(fd, addr, len) < 0 || listen(fd, 128) < 0 ||
	    getsockname(fd, (void *)&s->addr, &s->addr_len) < 0) {
		perror("listener");
		exit(1);
	}
	return fd;
}

static void
make_server(struct server *s, const struct policysrv_config *config)
{
	const struct policysrv_hooks hooks = {
		.request = on_request,
		.batch_end = on_batch_end,
		.arg = s,
	};
	struct err err;

	memset(s, 0, sizeof(*s));
	s->peek_fd = -1;
	if (pipe(s->command) < 0 || pipe(s->told) < 0 || pipe(s->release) < 0)
		exit(1);
	s->srv = policysrv_new(config, &hooks, &err);
	policysrv_watch(s->srv, s->command[0], on_command, s);
}

static void
start_server(struct server *s)
{
	if (pthread_create(&s->thread, NULL, run, s) != 0)
		exit(1);
}

static void
start_listening(
    struct server *s, const struct policysrv_config *config, int family)
{
	make_server(s, config);
	policysrv_listen(s->srv, make_listener(s, family));
	start_server(s);
}

/* Waits for the end of policysrv_run. */
static void
join_server(struct server *s)
{
	int i;

	pthread_join(s->thread, NULL);
	s->stats = *policysrv_stats(s->srv);
	policysrv_free(&s->srv);
	for (i = 0; i < 2; i++) {
		close(s->command[i]);
		close(s->told[i]);
		close(s->release[i]);
	}
}

static void
command(struct server *s, const char *text)
{
	(void)!write(s->command[1], text, strlen(text));
}

static void
stop_server(struct server *s)
{
	command(s, "k");
	join_server(s);
}

/* Waits until the server has told what. */
static void
await(struct server *s, char what)
{
	char got;

	while (read(s->told[0], &got, 1) == 1 && got != what)
		;
}

/* ------------------------------------------------------- client's side */

static int
new_socket(const struct server *s)
{
	/* Only so that a fault ends the test: nothing is timed by it. */
	const struct timeval limit = { .tv_sec = 10 };
	int fd = socket(s->addr.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	return fd;
}

static int
connect_to(const struct server *s)
{
	int fd = new_socket(s);

	if (connect(fd, (const void *)&s->addr, s->addr_len) < 0)
		perror("connect");
	return fd;
}

static void
say(int fd, const char *text)
{
	if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		perror("send");
}

/* Reads up to want bytes, fewer only at the end or when time is up. */
static size_t
read_all(int fd, char *buf, size_t want)
{
	size_t len = 0;
	ssize_t n;

	while (len < want && (n = read(fd, buf + len, want - len)) > 0)
		len += (size_t)n;
	return len;
}

static bool
reads_as(int fd, const char *want)
{
	char got[1024];
	size_t len = read_all(fd, got, strlen(want));

	return len == strlen(want) && memcmp(got, want, len) == 0;
}

/* Checks that exactly want comes next. */
static void
hear(const char *name, int fd, const char *want)
{
	char got[1024];
	size_t len = read_all(fd, got, strlen(want));

	check_mem(name, got, len, want, strlen(want));
}

/* Checks that the server has closed the connection and says nothing more. */
static void
check_end(const char *name, int fd)
{
	char byte;
	ssize_t n = read(fd, &byte, 1);

	check_true(name, n == 0 || (n < 0 && errno == ECONNRESET));
}

/* The same, and closes our end. */
static void
hear_end(const char *name, int fd)
{
	check_end(name, fd);
	close(fd);
}

/* When this returns, the server has read all that was sent before. */
static void
barrier(const struct server *s)
{
	char buf[64];
	int fd = connect_to(s);

	say(fd, ECHO("barrier"));
	(void)!read(fd, buf, sizeof(buf));
	close(fd);
}

#endif
