/* SPDX-License-Identifier: ISC */
/*
 * dnspeer.h - what the name servers of tests are made of: a socket, and for
 * those that threads ask a thread of their own
 *
 * Threads: the test's and the server's; mutex guards what both use.
 */
#ifndef POSTERN_TESTS_UNIT_DNSPEER_H
#define POSTERN_TESTS_UNIT_DNSPEER_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* Room for 127.0.0.1@PORT. */
#define DNSPEER_ADDRESS_SIZE 32

struct dnspeer {
	pthread_t thread;
	int fd;
	char address[DNSPEER_ADDRESS_SIZE];
	pthread_mutex_t mutex;
	pthread_cond_t seen;
};

/* Returns a UDP socket of these flags on a free port, and its address. */
static inline int
dnspeer_socket(int flags, char address[static DNSPEER_ADDRESS_SIZE])
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | flags, 0);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&addr, len) < 0 ||
	    getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		abort();
	snprintf(address, DNSPEER_ADDRESS_SIZE, "127.0.0.1@%u",
	    ntohs(addr.sin_port));
	return fd;
}

/* Where the question of a packet of len bytes ends. */
static inline size_t
dnspeer_question_end(const uint8_t *packet, size_t len)
{
	size_t size = 12;

	while (size < len && packet[size] != 0)
		size += packet[size] + 1U;
	return size + 5;
}

/* Runs serve(arg), which reads from fd until an empty packet comes. */
static inline void
dnspeer_start(struct dnspeer *peer, void *(*serve)(void *), void *arg)
{
	pthread_mutex_init(&peer->mutex, NULL);
	pthread_cond_init(&peer->seen, NULL);
	peer->fd = dnspeer_socket(0, peer->address);
	if (pthread_create(&peer->thread, NULL, serve, arg) != 0)
		abort();
}

static inline void
dnspeer_stop(struct dnspeer *peer)
{
	struct sockaddr_in addr;
	socklen_t len = sizeof(addr);

	/* An empty packet from itself. */
	(void)getsockname(peer->fd, (struct sockaddr *)&addr, &len);
	(void)sendto(peer->fd, "", 0, 0, (struct sockaddr *)&addr, len);
	pthread_join(peer->thread, NULL);
	close(peer->fd);
	pthread_mutex_destroy(&peer->mutex);
	pthread_cond_destroy(&peer->seen);
}

#endif
