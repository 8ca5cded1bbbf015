/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/xmem.h"

#include "spfd/server_int.h"

static void
note_socket(struct server *server, const char *path)
{
	struct unix_socket *own = &server->sockets[server->socket_count];
	struct stat st;

	if (lstat(path, &st) != 0)
		return;
	own->path = xmem_strdup(path);
	own->dev = st.st_dev;
	own->ino = st.st_ino;
	server->socket_count++;
}

/* Opens one specification's sockets and hands them to the server. */
static int
listen_on(struct server *server, const char *text,
    const struct options *options, const struct sock_owner *owner,
    struct err *err)
{
	int backlog = options->listen_queue_size > 0
			  ? (int)options->listen_queue_size
			  : SOMAXCONN;
	int fds[SOCK_LISTEN_MAX];
	struct sock_spec spec;
	int n;

	if (sock_parse(text, &spec, err) != 0)
		return -1;
	if (spec.kind == SOCK_STDIO) {
		policysrv_stdio(server->srv, STDIN_FILENO, STDOUT_FILENO);
		return 0;
	}
	n = sock_listen(&spec, backlog, owner, fds, SOCK_LISTEN_MAX, err);
	for (int i = 0; i < n; i++)
		policysrv_listen(server->srv, fds[i]);
	if (n > 0 && spec.kind == SOCK_UNIX)
		note_socket(server, spec.path);
	return n > 0 ? 0 : -1;
}

int
server_open_sockets(struct server *server, const struct options *options,
    uid_t uid, gid_t gid, struct err *err)
{
	const struct sock_owner owner = {
		.uid = uid,
		.gid = gid,
		.mode = (mode_t)options->socket_mode,
	};
	int fds[SOCK_LISTEN_MAX];
	int n = sock_systemd(fds, SOCK_LISTEN_MAX, err);

	for (int i = 0; i < n; i++)
		policysrv_listen(server->srv, fds[i]);
	if (n != 0)
		return n < 0 ? -1 : 0;
	server->sockets =
	    xmem_calloc(options->listen.count + 1, sizeof(*server->sockets));
	for (size_t i = 0; i < options->listen.count; i++)
		if (listen_on(server, options->listen.items[i], options, &owner,
			err) != 0)
			return -1;
	return 0;
}

void
server_remove_sockets(struct server *server)
{
	for (size_t i = 0; i < server->socket_count; i++) {
		struct unix_socket *own = &server->sockets[i];
		struct stat st;

		if (lstat(own->path, &st) == 0 && st.st_dev == own->dev &&
		    st.st_ino == own->ino)
			(void)unlink(own->path);
		xmem_free(&own->path);
	}
	xmem_free(&server->sockets);
}

/* Adds the name servers of one line of the configuration. */
static void
add_nameservers(struct server *server, const char *text)
{
	static const char separators[] = ", \t";

	for (text += strspn(text, separators); *text != '\0';
	     text += strspn(text, separators)) {
		size_t len = strcspn(text, separators);

		server->nameservers = xmem_realloc(server->nameservers,
		    server->nameserver_count + 1, sizeof(*server->nameservers));
		server->nameservers[server->nameserver_count++] =
		    xmem_strndup(text, len);
		text += len;
	}
}

void
server_keep_dns_options(struct server *server, const struct options *options)
{
	for (size_t i = 0; i < options->nameservers.count; i++)
		add_nameservers(server, options->nameservers.items[i]);
	server->trust_anchor_file = xmem_strdup(options->trust_anchor_file);
	server->question_timeout_ms = options->question_timeout_s * 1000;
	server->dns_cache_bytes = options->dns_cache_bytes;
}

int
server_open_dns(struct server *server, struct err *err)
{
	const struct dns_config config = {
		.nameservers = server->nameservers,
		.nameserver_count = server->nameserver_count,
		.trust_anchor_file = server->trust_anchor_file,
		.question_timeout_ms = server->question_timeout_ms,
		.cache_bytes = server->dns_cache_bytes,
	};

	server->dns = dns_new(&config, policysrv_loop(server->srv), err);
	if (server->dns == NULL)
		return -1;
	server->spf = spf_new(server->dns, err);
	if (server->spf == NULL)
		return -1;
	server->pool = session_pool_new(server->dns, server->spf);
	return 0;
}

void
server_close_dns(struct server *server)
{
	session_pool_free(&server->pool);
	spf_free(&server->spf);
	dns_free(&server->dns);
	for (size_t i = 0; i < server->nameserver_count; i++)
		xmem_free(&server->nameservers[i]);
	xmem_free(&server->nameservers);
	xmem_free(&server->trust_anchor_file);
}
