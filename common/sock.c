/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/str.h"

#define FORMS                                                                  \
	"inet:PORT@HOST, inet:HOST:PORT, inet6:PORT@HOST, unix:PATH,"          \
	" /PATH or stdio"

_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) ==
		   sizeof(((struct sock_spec *)NULL)->path),
    "path fits sun_path");

static int
bad_spec(const char *text, const char *why, struct err *err)
{
	return err_set(
	    err, "\"%.128s\" is no socket: %s; write " FORMS, text, why);
}

static int
copy_part(const char *text, size_t len, char *buf, size_t cap)
{
	struct str s;

	str_init(&s, buf, cap);
	str_add_bytes(&s, text, len);
	return s.truncated || strlen(buf) != len ? -1 : 0;
}

/* A port is a number or a name of /etc/services (RFC 6335 section 5.1). */
static bool
is_port(const char *port)
{
	unsigned long long number;
	size_t len = strlen(port);

	if (len == 0)
		return false;
	if (strspn(port, "0123456789") == len)
		return str_to_uint(port, 65535, &number);
	return strspn(port, "abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_+.") == len;
}

/* Takes the brackets off an IPv6 address and checks the host against the
 * family that was written; an address tells the family. */
static const char *
check_host(struct sock_spec *spec)
{
	char *host = spec->host;
	size_t len = strlen(host);
	struct in6_addr addr;
	int family = AF_UNSPEC;

	if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
		memmove(host, host + 1, len - 2);
		host[len - 2] = '\0';
		if (inet_pton(AF_INET6, host, &addr) != 1)
			return "what stands in brackets is no IPv6 address";
	}
	if (inet_pton(AF_INET, host, &addr) == 1)
		family = AF_INET;
	else if (inet_pton(AF_INET6, host, &addr) == 1)
		family = AF_INET6;
	else if (strpbrk(host, ":[]@/ \t") != NULL)
		return "the host is neither an address nor a name (an IPv6"
		       " address stands in brackets)";
	if (spec->family == AF_INET6 && family == AF_INET)
		return "inet6 takes no IPv4 address";
	if (family != AF_UNSPEC)
		spec->family = family;
	return NULL;
}

/* Parses what follows "inet:". Returns a complaint or NULL. */
static const char *
parse_inet(const char *rest, struct sock_spec *spec)
{
	const char *at = strchr(rest, '@');
	const char *colon = strrchr(rest, ':');
	const char *host = "", *port = rest;
	size_t host_len = 0, port_len = strlen(rest);

	if (at != NULL) {
		port_len = (size_t)(at - rest);
		host = at + 1;
		host_len = strlen(host);
		if (host_len == 0)
			return "the host after \"@\" is missing";
	} else if (colon != NULL) {
		host = rest;
		host_len = (size_t)(colon - rest);
		port = colon + 1;
		port_len = strlen(port);
		if (memchr(host, ':', host_len) != NULL && host[0] != '[')
			return "an IPv6 address stands in brackets";
	}
	if (copy_part(host, host_len, spec->host, sizeof(spec->host)) < 0)
		return "the host is too long";
	if (copy_part(port, port_len, spec->port, sizeof(spec->port)) < 0 ||
	    !is_port(spec->port))
		return "the port is neither a number up to 65535 nor a"
		       " service's name";
	spec->kind = SOCK_INET;
	return check_host(spec);
}

static const char *
parse_unix(const char *path, struct sock_spec *spec)
{
	spec->kind = SOCK_UNIX;
	if (path[0] != '/')
		return "the path must begin with \"/\"";
	if (copy_part(path, strlen(path), spec->path, sizeof(spec->path)) < 0)
		return "the path is longer than 107 bytes";
	return NULL;
}

int
sock_parse(const char *text, struct sock_spec *spec_r, struct err *err)
{
	const char *rest = strchr(text, ':');
	const char *why = "the kind of socket is unknown";

	*spec_r = (struct sock_spec){ .family = AF_UNSPEC };
	rest = rest != NULL ? rest + 1 : "";
	if (str_equal_nocase(text, "stdio")) {
		spec_r->kind = SOCK_STDIO;
		return 0;
	}
	if (text[0] == '/')
		why = parse_unix(text, spec_r);
	else if (str_has_prefix_nocase(text, "unix:") ||
		 str_has_prefix_nocase(text, "local:"))
		why = parse_unix(rest, spec_r);
	else if (str_has_prefix_nocase(text, "inet:"))
		why = parse_inet(rest, spec_r);
	else if (str_has_prefix_nocase(text, "inet6:")) {
		spec_r->family = AF_INET6;
		why = parse_inet(rest, spec_r);
	}
	return why == NULL ? 0 : bad_spec(text, why, err);
}

/* What to listen on, for the messages. */
struct target {
	const struct sock_spec *spec;
	int backlog;
	bool is_local;  /* "localhost" as a name */
	int last_errno; /* why an address was passed over */
};

static int
set_options(int fd, int family)
{
	const int on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	/* Connections inherit it: replies are single small packets. */
	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0)
		return -1;
	/* "*" has a socket of its own for each family. */
	if (family == AF_INET6 &&
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)) < 0)
		return -1;
	return 0;
}

/* May the address be passed over when another one works? */
static bool
is_absent(const struct target *target, int family, int errnum)
{
	if (errnum == EAFNOSUPPORT)
		return true;
	return errnum == EADDRNOTAVAIL && family == AF_INET6 &&
	       target->is_local;
}

/* Returns a descriptor, -1 with err, or -2 when the machine has no such
 * address and another may do. */
static int
listen_inet(struct target *target, const struct addrinfo *ai, struct err *err)
{
	int fd = socket(ai->ai_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
	char host[INET6_ADDRSTRLEN] = "?";

	if (fd >= 0 && set_options(fd, ai->ai_family) == 0 &&
	    bind(fd, ai->ai_addr, ai->ai_addrlen) == 0 &&
	    listen(fd, target->backlog) == 0)
		return fd;
	target->last_errno = errno;
	if (fd >= 0)
		(void)close(fd);
	if (is_absent(target, ai->ai_family, target->last_errno))
		return -2;
	(void)getnameinfo(ai->ai_addr, ai->ai_addrlen, host, sizeof(host), NULL,
	    0, NI_NUMERICHOST);
	return err_set_errno(err, target->last_errno,
	    "cannot listen on %s"
	    " port %s%s",
	    host, target->spec->port,
	    target->last_errno != EADDRINUSE ? ""
					     : " (ss -ltnp shows who does)");
}

static int
resolve(const struct sock_spec *spec, const char *host,
    struct addrinfo **list_r, struct err *err)
{
	const struct addrinfo hints = {
		.ai_family = spec->family,
		.ai_socktype = SOCK_STREAM,
		.ai_protocol = IPPROTO_TCP,
		.ai_flags = AI_PASSIVE,
	};
	int r = getaddrinfo(
	    strcmp(host, "*") == 0 ? NULL : host, spec->port, &hints, list_r);

	if (r == 0)
		return 0;
	return err_set(err,
	    "cannot find address and port of \"%s\" port"
	    " \"%s\": %s",
	    host, spec->port, gai_strerror(r));
}

/* Names may list an address twice, with several lines of /etc/hosts. */
static bool
is_repeated(const struct addrinfo *list, const struct addrinfo *ai)
{
	for (; list != ai; list = list->ai_next)
		if (list->ai_addrlen == ai->ai_addrlen &&
		    memcmp(list->ai_addr, ai->ai_addr, ai->ai_addrlen) == 0)
			return true;
	return false;
}

static void
close_all(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		(void)close(fds[i]);
}

/* Adds a socket for each address of host to the count in fds. Returns the
 * new count or -1; the sockets stay the caller's in any case. */
static int
listen_host(struct target *target, const char *host, int *fds, int *count,
    int cap, struct err *err)
{
	struct addrinfo *list = NULL;
	int r = -1;

	if (resolve(target->spec, host, &list, err) < 0)
		return -1;
	for (struct addrinfo *ai = list; ai != NULL; ai = ai->ai_next) {
		int fd;

		if (is_repeated(list, ai))
			continue;
		if (*count == cap) {
			(void)err_set(err,
			    "too many listening sockets: more"
			    " than %d",
			    SOCK_LISTEN_MAX);
			goto out;
		}
		fd = listen_inet(target, ai, err);
		if (fd == -1)
			goto out;
		if (fd >= 0)
			fds[(*count)++] = fd;
	}
	r = 0;
out:
	freeaddrinfo(list);
	return r;
}

static int
listen_all(const struct sock_spec *spec, int backlog, int *fds_r, int cap,
    struct err *err)
{
	bool is_local =
	    spec->host[0] == '\0' || str_equal_nocase(spec->host, "localhost");
	struct sock_spec part = *spec;
	struct target target = {
		.spec = &part,
		.backlog = backlog,
		.is_local = is_local,
	};
	int count = 0, r = 0;

	/* Not asked of the resolver: /etc/hosts differs among machines. */
	if (is_local && spec->family != AF_INET6) {
		part.family = AF_INET;
		r = listen_host(&target, "127.0.0.1", fds_r, &count, cap, err);
	}
	if (is_local && r == 0) {
		part.family = AF_INET6;
		r = listen_host(&target, "::1", fds_r, &count, cap, err);
	}
	if (!is_local)
		r = listen_host(&target, spec->host, fds_r, &count, cap, err);
	if (r == 0 && count == 0)
		r = err_set_errno(err, target.last_errno,
		    "cannot listen on"
		    " %s port %s",
		    is_local ? "localhost" : spec->host, spec->port);
	if (r == 0)
		return count;
	close_all(fds_r, count);
	return -1;
}

static struct sockaddr_un
unix_address(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, path, strlen(path) + 1);
	return addr;
}

/* Does anybody answer on the Unix socket at path? When nobody does it is
 * removed. Returns 0 when the path is free. */
static int
clear_path(const char *path, struct err *err)
{
	struct sockaddr_un addr = unix_address(path);
	struct stat st;
	int fd, r, errnum;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0
				       : err_set_errno(err, errno,
					     "cannot listen on %s", path);
	if (!S_ISSOCK(st.st_mode))
		return err_set(err,
		    "cannot listen on %s: a file that is no"
		    " socket is in the way",
		    path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, errno, "cannot make a socket");
	r = connect(fd, (struct sockaddr *)&addr, sizeof(addr));
	errnum = errno;
	(void)close(fd);
	/* EAGAIN: somebody listens, and is busy. */
	if (r == 0 || errnum == EAGAIN)
		return err_set(err,
		    "cannot listen on %s: another process"
		    " answers there",
		    path);
	if (errnum != ECONNREFUSED && errnum != ENOENT)
		return err_set_errno(err, errnum,
		    "cannot tell whether"
		    " anybody listens on %s",
		    path);
	if (unlink(path) < 0 && errno != ENOENT)
		return err_set_errno(err, errno,
		    "cannot remove the old"
		    " socket %s",
		    path);
	return 0;
}

static int
listen_unix(const char *path, int backlog, const struct sock_owner *owner,
    struct err *err)
{
	struct sockaddr_un addr = unix_address(path);
	mode_t mask;
	int fd, r;

	if (clear_path(path, err) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set_errno(err, errno, "cannot make a socket");
	/* The mode comes from the mask and the owner without following
	 * links: the directory may belong to somebody else, who could put a
	 * link in the socket's place. */
	mask = umask(~owner->mode & 0777);
	r = bind(fd, (struct sockaddr *)&addr, sizeof(addr));
	(void)umask(mask);
	if (r < 0) {
		(void)err_set_errno(err, errno, "cannot listen on %s", path);
		goto fail;
	}
	if (lchown(path, owner->uid, owner->gid) < 0) {
		(void)err_set_errno(err, errno,
		    "cannot change the owner of"
		    " %s",
		    path);
		goto fail_path;
	}
	if (listen(fd, backlog) == 0)
		return fd;
	(void)err_set_errno(err, errno, "cannot listen on %s", path);
fail_path:
	(void)unlink(path);
fail:
	(void)close(fd);
	return -1;
}

int
sock_listen(const struct sock_spec *spec, int backlog,
    const struct sock_owner *owner, int *fds_r, int cap, struct err *err)
{
	switch (spec->kind) {
	case SOCK_INET:
		return listen_all(spec, backlog, fds_r, cap, err);
	case SOCK_UNIX:
		if (cap < 1)
			return err_set(err,
			    "too many listening sockets: more"
			    " than %d",
			    SOCK_LISTEN_MAX);
		fds_r[0] = listen_unix(spec->path, backlog, owner, err);
		return fds_r[0] < 0 ? -1 : 1;
	case SOCK_STDIO:
		break;
	}
	return err_set(err, "standard input is not listened on");
}

long
sock_raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -1;
	if (limit.rlim_cur < limit.rlim_max) {
		rlim_t old = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
			limit.rlim_cur = old;
	}
	return (long)limit.rlim_cur;
}
