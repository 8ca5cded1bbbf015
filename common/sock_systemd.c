/* SPDX-License-Identifier: ISC */
/* The two protocols of systemd that are worth having without its library:
 * sd_listen_fds(3) and sd_notify(3), as their manual pages describe them. */
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/str.h"

/* SD_LISTEN_FDS_START */
#define FIRST_FD 3

static bool
env_number(
    const char *name, unsigned long long max, unsigned long long *number_r)
{
	const char *text = getenv(name);

	return text != NULL && str_to_uint(text, max, number_r);
}

static int
take_over(int fd, struct err *err)
{
	int flags = fcntl(fd, F_GETFL);
	int listens = 0;
	socklen_t len = sizeof(listens);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set_errno(err, errno,
		    "cannot take over descriptor"
		    " %d from systemd",
		    fd);
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &len) < 0 ||
	    listens == 0)
		return err_set(err,
		    "descriptor %d from systemd is no"
		    " listening stream socket: the socket unit wants"
		    " ListenStream= and Accept=no",
		    fd);
	return 0;
}

int
sock_systemd(int *fds_r, int cap, struct err *err)
{
	unsigned long long pid = 0, count = 0;
	bool is_ours = env_number("LISTEN_PID", INT32_MAX, &pid) &&
		       (pid_t)pid == getpid() &&
		       env_number("LISTEN_FDS", INT32_MAX, &count);

	/* Gone also when meant for another process: nobody that we start
	 * may take them for its own. */
	(void)unsetenv("LISTEN_PID");
	(void)unsetenv("LISTEN_FDS");
	(void)unsetenv("LISTEN_FDNAMES");
	if (!is_ours)
		return 0;
	if (count > (unsigned long long)cap)
		return err_set(err,
		    "systemd passed %llu sockets, more than"
		    " %d",
		    count, cap);
	for (int i = 0; i < (int)count; i++) {
		if (take_over(FIRST_FD + i, err) < 0)
			return -1;
		fds_r[i] = FIRST_FD + i;
	}
	return (int)count;
}

void
sock_notify(const char *state)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path != NULL ? strlen(path) : 0;
	/* A manager that does not read must not stop the mail. */
	const struct timeval patience = { .tv_sec = 1 };
	int fd, saved = errno;

	if (len < 2 || len >= sizeof(addr.sun_path) ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	memcpy(addr.sun_path, path, len);
	/* "@" stands for the NUL byte of Linux' abstract names. */
	if (path[0] == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd >= 0) {
		(void)setsockopt(
		    fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
		(void)sendto(fd, state, strlen(state), MSG_NOSIGNAL,
		    (struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
		(void)close(fd);
	}
	errno = saved;
}
