/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/sock.h"
#include "tests/unit/check.h"

/* A folder of the test's own for Unix sockets. */
static char folder[64];

static const struct sock_owner nobody_special = {
	.uid = (uid_t)-1,
	.gid = (gid_t)-1,
	.mode = 0660,
};

static void
test_parse(void)
{
	static const struct {
		const char *input;
		enum sock_kind kind;
		int family;
		const char *host;
		const char *port;
		const char *path;
	} rows[] = {
		{ "inet:10023@127.0.0.1", SOCK_INET, AF_INET, "127.0.0.1",
		    "10023", "" },
		{ "inet:127.0.0.1:10023", SOCK_INET, AF_INET, "127.0.0.1",
		    "10023", "" },
		{ "inet:10023", SOCK_INET, AF_UNSPEC, "", "10023", "" },
		{ "inet::10023", SOCK_INET, AF_UNSPEC, "", "10023", "" },
		{ "inet:10023@localhost", SOCK_INET, AF_UNSPEC, "localhost",
		    "10023", "" },
		{ "inet:*:10023", SOCK_INET, AF_UNSPEC, "*", "10023", "" },
		{ "inet:10023@*", SOCK_INET, AF_UNSPEC, "*", "10023", "" },
		{ "inet:[::1]:10023", SOCK_INET, AF_INET6, "::1", "10023", "" },
		{ "inet:10023@::1", SOCK_INET, AF_INET6, "::1", "10023", "" },
		{ "inet6:10023@[::1]", SOCK_INET, AF_INET6, "::1", "10023",
		    "" },
		{ "inet6:10023", SOCK_INET, AF_INET6, "", "10023", "" },
		{ "inet6:mx.example.org:smtp", SOCK_INET, AF_INET6,
		    "mx.example.org", "smtp", "" },
		{ "INET:smtp@mx", SOCK_INET, AF_UNSPEC, "mx", "smtp", "" },
		{ "inet:0", SOCK_INET, AF_UNSPEC, "", "0", "" },
		{ "inet:65535", SOCK_INET, AF_UNSPEC, "", "65535", "" },
		{ "unix:/run/a", SOCK_UNIX, AF_UNSPEC, "", "", "/run/a" },
		{ "local:/run/a", SOCK_UNIX, AF_UNSPEC, "", "", "/run/a" },
		{ "/run/a:b", SOCK_UNIX, AF_UNSPEC, "", "", "/run/a:b" },
		{ "stdio", SOCK_STDIO, AF_UNSPEC, "", "", "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct sock_spec spec;
		struct err err = { "" };

		check_int(
		    rows[i].input, sock_parse(rows[i].input, &spec, &err), 0);
		check_str(rows[i].input, err.text, "");
		check_int(rows[i].input, spec.kind, rows[i].kind);
		check_int(rows[i].input, spec.family, rows[i].family);
		check_str(rows[i].input, spec.host, rows[i].host);
		check_str(rows[i].input, spec.port, rows[i].port);
		check_str(rows[i].input, spec.path, rows[i].path);
	}
}

static void
test_parse_faults(void)
{
	static const struct {
		const char *input;
		const char *want;
	} rows[] = {
		{ "", "the kind of socket is unknown" },
		{ "10023", "the kind of socket is unknown" },
		{ "tcp:10023", "the kind of socket is unknown" },
		{ "localhost:10023", "the kind of socket is unknown" },
		{ "inet:", "the port is neither" },
		{ "inet:65536", "the port is neither" },
		{ "inet:99999999999999999999", "the port is neither" },
		{ "inet:localhost:", "the port is neither" },
		{ "inet:@localhost", "the port is neither" },
		{ "inet:1 2", "the port is neither" },
		{ "inet:123456789012345678901234567890123@x",
		    "the port is neither" },
		{ "inet:10023@", "the host after \"@\" is missing" },
		{ "inet:::1:10023", "an IPv6 address stands in brackets" },
		{ "inet:[::1", "an IPv6 address stands in brackets" },
		{ "inet:[::1]", "the port is neither" },
		{ "inet:[::g]:1", "no IPv6 address" },
		{ "inet:[127.0.0.1]:1", "no IPv6 address" },
		{ "inet:1@a b", "neither an address nor a name" },
		{ "inet6:1@127.0.0.1", "inet6 takes no IPv4 address" },
		{ "unix:", "the path must begin with \"/\"" },
		{ "unix:run/a", "the path must begin with \"/\"" },
	};
	char path[120] = "/";
	struct sock_spec spec;
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		check_int(
		    rows[i].input, sock_parse(rows[i].input, &spec, &err), -1);
		check_contains(rows[i].input, err.text, rows[i].want);
		check_contains(rows[i].input, err.text, "inet:PORT@HOST");
	}
	memset(path + 1, 'x', 106);
	check_int("longest path", sock_parse(path, &spec, &err), 0);
	path[107] = 'x';
	check_int("longer path", sock_parse(path, &spec, &err), -1);
	check_contains("longer path", err.text, "longer than 107 bytes");
}

/* Listens on the text of a specification. */
static int
listen_on(const char *text, int *fds, int cap, struct err *err)
{
	struct sock_spec spec;

	err->text[0] = '\0';
	if (sock_parse(text, &spec, err) < 0)
		return -1;
	return sock_listen(&spec, 16, &nobody_special, fds, cap, err);
}

static int
port_of(int fd)
{
	struct sockaddr_storage addr;
	socklen_t len = sizeof(addr);

	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0)
		return -1;
	return addr.ss_family == AF_INET6
		   ? ntohs(((struct sockaddr_in6 *)(void *)&addr)->sin6_port)
		   : ntohs(((struct sockaddr_in *)(void *)&addr)->sin_port);
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

static void
close_fds(const int *fds, int count)
{
	for (int i = 0; i < count; i++)
		(void)close(fds[i]);
}

static void
test_inet(void)
{
	int fds[4], more[4], count, on = 0;
	socklen_t len = sizeof(on);
	char text[64];
	struct err err;

	count = listen_on("inet:0@127.0.0.1", fds, 4, &err);
	check_int("one address, one socket", count, 1);
	check_int(
	    "non-blocking", fcntl(fds[0], F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	check_int("close-on-exec", fcntl(fds[0], F_GETFD), FD_CLOEXEC);
	(void)getsockopt(fds[0], IPPROTO_TCP, TCP_NODELAY, &on, &len);
	check_true("replies are not held back", on != 0);
	check_int("it listens", accept(fds[0], NULL, NULL), -1);
	check_int("and nobody came", errno, EAGAIN);
	(void)snprintf(
	    text, sizeof(text), "inet:%d@127.0.0.1", port_of(fds[0]));
	check_int("a busy port", listen_on(text, more, 4, &err), -1);
	check_contains("is named", err.text,
	    "cannot listen on 127.0.0.1"
	    " port ");
	check_contains("with the reason", err.text, "Address already in use");
	close_fds(fds, count);
	check_int("a free port again", listen_on(text, more, 4, &err), 1);
	close_fds(more, 1);
	check_int("nobody's address",
	    listen_on("inet:0@192.0.2.1", fds, 4, &err), -1);
	check_contains("nobody's address", err.text,
	    "cannot listen on 192.0.2.1 port 0: ");
	check_int("nobody's service",
	    listen_on("inet:no-such@127.0.0.1", fds, 4, &err), -1);
	check_contains("nobody's service", err.text, "\"no-such\"");
	check_int("no room", listen_on("inet:0@127.0.0.1", fds, 0, &err), -1);
	check_contains("no room", err.text, "too many listening sockets");
}

static bool
has_ipv6(void)
{
	struct sockaddr_in6 addr = { .sin6_family = AF_INET6,
		.sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool has =
	    fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0;

	if (fd >= 0)
		(void)close(fd);
	return has;
}

static void
test_families(void)
{
	int both = has_ipv6() ? 2 : 1;
	int fds[4], count;
	struct err err;

	count = listen_on("inet:0", fds, 4, &err);
	check_int("localhost is each family's", count, both);
	close_fds(fds, count);
	count = listen_on("inet:LocalHost:0", fds, 4, &err);
	check_int("by its name too", count, both);
	close_fds(fds, count);
	if (both == 1) {
		check_skip("IPv6", "this machine has no ::1");
		return;
	}
	count = listen_on("inet:*:0", fds, 4, &err);
	check_int("all addresses", count, 2);
	close_fds(fds, count);
	count = listen_on("inet:[::1]:0", fds, 4, &err);
	check_int("an IPv6 address", count, 1);
	close_fds(fds, count);
	count = listen_on("inet6:0", fds, 4, &err);
	check_int("localhost of IPv6", count, 1);
	close_fds(fds, count);
}

/* One port for both families: neither takes the other's. */
static void
test_same_port(void)
{
	int first[4], second[4], count, more;
	struct err err;
	char text[64];

	count = listen_on("inet:0@0.0.0.0", first, 4, &err);
	check_int("IPv4", count, 1);
	if (!has_ipv6()) {
		close_fds(first, count);
		return;
	}
	(void)snprintf(text, sizeof(text), "inet6:%d@*", port_of(first[0]));
	more = listen_on(text, second, 4, &err);
	check_int("IPv6 on the same port", more, 1);
	close_fds(first, count);
	close_fds(second, more);
}

static void
test_unix(void)
{
	char path[128], plain[128];
	int fd, more, client;
	struct stat st;
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/socket", folder);
	(void)snprintf(plain, sizeof(plain), "%s/plain", folder);
	check_int("a new socket", listen_on(path, &fd, 1, &err), 1);
	check_int("is there", lstat(path, &st), 0);
	check_true("is a socket", S_ISSOCK(st.st_mode));
	check_int("has its mode", st.st_mode & 0777, 0660);
	check_int("the mask is as before", umask(077), 077);
	client = connect_unix(path);
	check_true("answers", client >= 0);
	(void)close(client);
	check_int("is not taken from a living one",
	    listen_on(path, &more, 1, &err), -1);
	check_contains(
	    "but reported", err.text, "another process answers there");
	(void)close(fd);
	check_int("is taken from a dead one", listen_on(path, &fd, 1, &err), 1);
	client = connect_unix(path);
	check_true("answers again", client >= 0);
	(void)close(client);
	(void)close(fd);
	(void)unlink(path);

	(void)close(open(plain, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	check_int("a file in the way", listen_on(plain, &fd, 1, &err), -1);
	check_contains("stays", err.text, "a file that is no socket");
	check_int("really", access(plain, F_OK), 0);
	check_int("a link in the way", symlink(plain, path), 0);
	check_int("is not followed", listen_on(path, &fd, 1, &err), -1);
	(void)unlink(path);
	(void)unlink(plain);
	check_int(
	    "no folder", listen_on("/nonexistent/socket", &fd, 1, &err), -1);
	check_contains("no folder", err.text,
	    "cannot listen on"
	    " /nonexistent/socket: No such file or directory");
	check_int("no room", listen_on(path, &fd, 0, &err), -1);
	check_int("nothing to listen on", listen_on("stdio", &fd, 1, &err), -1);
}

/* A queue that is full answers EAGAIN: somebody is there. */
static void
test_busy_unix(void)
{
	struct sock_spec spec;
	char path[128];
	int fd, more, client;
	struct err err;

	(void)snprintf(path, sizeof(path), "%s/busy", folder);
	if (sock_parse(path, &spec, &err) < 0 ||
	    sock_listen(&spec, 0, &nobody_special, &fd, 1, &err) != 1) {
		check_true("listens", false);
		return;
	}
	client = connect_unix(path);
	check_int("a full queue",
	    sock_listen(&spec, 0, &nobody_special, &more, 1, &err), -1);
	check_contains("is somebody", err.text, "another process answers");
	(void)close(client);
	(void)close(fd);
	(void)unlink(path);
}

static void
test_owner(void)
{
	struct sock_owner owner = { .uid = 65534, .gid = 8, .mode = 0600 };
	struct sock_spec spec;
	char path[128];
	struct stat st;
	struct err err;
	int fd;

	if (geteuid() != 0) {
		check_skip("owner", "not root");
		return;
	}
	(void)snprintf(path, sizeof(path), "%s/owned", folder);
	check_int("path", sock_parse(path, &spec, &err), 0);
	check_int("listens", sock_listen(&spec, 1, &owner, &fd, 1, &err), 1);
	(void)lstat(path, &st);
	check_uint("owner", st.st_uid, 65534);
	check_uint("group", st.st_gid, 8);
	check_int("mode", st.st_mode & 0777, 0600);
	(void)close(fd);
	(void)unlink(path);
}

static void
pass_sockets(const char *count)
{
	char pid[32];

	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", count, 1);
	(void)setenv("LISTEN_FDNAMES", "a", 1);
}

static void
test_systemd(void)
{
	int listener, fds[2] = { -1, -1 };
	struct err err;

	check_int("nothing passed", sock_systemd(fds, 2, &err), 0);
	(void)setenv("LISTEN_PID", "1", 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	check_int("passed to somebody else", sock_systemd(fds, 2, &err), 0);
	check_true("is forgotten", getenv("LISTEN_FDS") == NULL);
	check_int(
	    "a listener", listen_on("inet:0@127.0.0.1", &listener, 1, &err), 1);
	/* As systemd does: descriptor 3, blocking, open over exec. */
	(void)dup2(listener, 3);
	(void)fcntl(3, F_SETFD, 0);
	(void)fcntl(3, F_SETFL, 0);
	pass_sockets("1");
	check_int("one passed", sock_systemd(fds, 2, &err), 1);
	check_int("it is number 3", fds[0], 3);
	check_int("close-on-exec", fcntl(3, F_GETFD), FD_CLOEXEC);
	check_int("non-blocking", fcntl(3, F_GETFL) & O_NONBLOCK, O_NONBLOCK);
	check_true("the environment is clean",
	    getenv("LISTEN_PID") == NULL && getenv("LISTEN_FDS") == NULL &&
		getenv("LISTEN_FDNAMES") == NULL);
	pass_sockets("3");
	check_int("too many", sock_systemd(fds, 2, &err), -1);
	check_contains("too many", err.text, "systemd passed 3 sockets");
	pass_sockets("x");
	check_int("no number", sock_systemd(fds, 2, &err), 0);
	(void)dup2(STDOUT_FILENO, 3);
	pass_sockets("1");
	check_int("no socket", sock_systemd(fds, 2, &err), -1);
	check_contains("no socket", err.text, "no listening stream socket");
	(void)close(3);
	pass_sockets("1");
	check_int("not even open", sock_systemd(fds, 2, &err), -1);
	(void)close(listener);
}

static void
test_notify(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	char buf[64] = "";
	socklen_t len = sizeof(addr);
	char name[sizeof(addr.sun_path) + 1];

	sock_notify("READY=1");
	(void)snprintf(
	    addr.sun_path, sizeof(addr.sun_path), "%s/notify", folder);
	(void)setenv("NOTIFY_SOCKET", addr.sun_path, 1);
	sock_notify("READY=1");
	check_true("nobody listens, nothing happens", true);
	check_int("bound", bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	sock_notify("READY=1");
	check_int("one datagram", recv(fd, buf, sizeof(buf), 0), 7);
	check_str("as it is", buf, "READY=1");
	(void)unlink(addr.sun_path);
	(void)close(fd);

	/* Bound without a name the kernel chooses an abstract one. */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	addr.sun_family = AF_UNIX;
	(void)bind(fd, (struct sockaddr *)&addr, sizeof(sa_family_t));
	(void)getsockname(fd, (struct sockaddr *)&addr, &len);
	(void)snprintf(name, sizeof(name), "@%.*s",
	    (int)(len - sizeof(sa_family_t) - 1), addr.sun_path + 1);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	sock_notify("STOPPING=1");
	check_int("an abstract name", recv(fd, buf, sizeof(buf), 0), 10);
	(void)close(fd);
	(void)setenv("NOTIFY_SOCKET", "vsock:2:1", 1);
	sock_notify("READY=1");
	(void)unsetenv("NOTIFY_SOCKET");
}

static void
test_fd_limit(void)
{
	struct rlimit limit;

	(void)getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = 64;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	check_int(
	    "the hard limit", sock_raise_fd_limit(), (long)limit.rlim_max);
	(void)getrlimit(RLIMIT_NOFILE, &limit);
	check_uint("is the soft one now", limit.rlim_cur, limit.rlim_max);
}

/* Nothing may be left in the folder: sockets of failed attempts, say. */
static void
remove_folder(void)
{
	check_int("nothing is left over", rmdir(folder), 0);
}

int
main(void)
{
	const char *base = getenv("TMPDIR");

	(void)umask(077);
	(void)snprintf(folder, sizeof(folder), "%.40s/sock.XXXXXX",
	    base != NULL && strlen(base) <= 40 ? base : P_tmpdir);
	if (mkdtemp(folder) == NULL)
		return 1;
	test_systemd();
	test_parse();
	test_parse_faults();
	test_inet();
	test_families();
	test_same_port();
	test_unix();
	test_busy_unix();
	test_owner();
	test_notify();
	test_fd_limit();
	remove_folder();
	return check_done();
}
