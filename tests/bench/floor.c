/* SPDX-License-Identifier: ISC */
/*
 * floor - a server that answers DUNNO to whatever it reads
 *
 * What it costs is what the kernel costs: no policy server that answers one
 * request with one system call each way can be cheaper.  Knows neither limits
 * nor partial requests; for the benchmark only.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/target.h"

enum { EVENTS = 64, BACKLOG = 4096 };

static void
watch(int epoll, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	const int on = 1;

	/* Fails on a Unix socket, which needs no such option. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
		close(fd);
}

static void
answer(int fd)
{
	static const char reply[] = "action=DUNNO\n\n";
	char request[4096];
	ssize_t n = recv(fd, request, sizeof(request), 0);

	if (n <= 0 || send(fd, reply, sizeof(reply) - 1, MSG_NOSIGNAL) < 0)
		close(fd);
}

static void
serve(int listener)
{
	struct epoll_event event[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	watch(epoll, listener);
	for (;;) {
		int n = epoll_wait(epoll, event, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = event[i].data.fd;

			if (fd != listener)
				answer(fd);
			else if ((fd = accept(listener, NULL, NULL)) >= 0)
				watch(epoll, fd);
		}
		if (n < 0 && errno != EINTR)
			return;
	}
}

int
main(int argc, char **argv)
{
	struct target target;
	const int on = 1;
	int fd;

	if (argc != 2 || target_parse(&target, argv[1]) != 0) {
		fputs("usage: floor inet:HOST:PORT | unix:PATH\n", stderr);
		return 64;
	}
	fd = socket(target.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (struct sockaddr *)&target.address, target.len) != 0 ||
	    listen(fd, BACKLOG) != 0) {
		perror(argv[1]);
		return 69;
	}
	serve(fd);
	perror("epoll");
	return 71;
}
