/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/bench/target.h"

enum { CONNECT_S = 5 };

static int
parse_inet(struct target *target, const char *spec)
{
	const struct addrinfo hints = {
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
		.ai_socktype = SOCK_STREAM,
	};
	const char *colon = strrchr(spec, ':');
	size_t len = colon == NULL ? 0 : (size_t)(colon - spec);
	struct addrinfo *found;
	char host[64];

	if (len > 1 && spec[0] == '[' && spec[len - 1] == ']') {
		spec++;
		len -= 2;
	}
	if (len == 0 || len >= sizeof(host))
		return -1;
	memcpy(host, spec, len);
	host[len] = '\0';
	if (getaddrinfo(host, colon + 1, &hints, &found) != 0)
		return -1;
	memcpy(&target->address, found->ai_addr, found->ai_addrlen);
	target->len = found->ai_addrlen;
	freeaddrinfo(found);
	return 0;
}

static int
parse_unix(struct target *target, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (*path == '\0' || strlen(path) >= sizeof(address.sun_path))
		return -1;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	memcpy(&target->address, &address, sizeof(address));
	target->len = sizeof(address);
	return 0;
}

int
target_parse(struct target *target, const char *spec)
{
	memset(target, 0, sizeof(*target));
	if (strncmp(spec, "inet:", 5) == 0)
		return parse_inet(target, spec + 5);
	if (strncmp(spec, "unix:", 5) == 0)
		return parse_unix(target, spec + 5);
	return -1;
}

int
target_connect(const struct target *target)
{
	const struct timeval patience = { .tv_sec = CONNECT_S };
	const int on = 1;
	int saved;
	int fd;

	fd = socket(target->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	/* Linux bounds connect() by the send timeout. */
	if (setsockopt(
		fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0)
		goto out;
	if (target->address.ss_family != AF_UNIX &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
		goto out;
	if (connect(fd, (const struct sockaddr *)&target->address,
		target->len) != 0)
		goto out;
	if (fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
out:
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
