/* SPDX-License-Identifier: ISC */
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/sock.h"
#include "common/sockset.h"
#include "common/xmem.h"

/* A Unix socket, and which file it was: a successor's stays. */
struct unix_socket {
	char *path;
	dev_t dev;
	ino_t ino;
};

struct sockset {
	int *fds;
	size_t fd_count;
	size_t taken;
	bool is_stdio;
	struct unix_socket *own;
	size_t own_count;
};

int
sockset_check(const struct sockset_options *options, struct err *err)
{
	for (size_t i = 0; i < options->listen.count; i++) {
		struct sock_spec spec;

		if (sock_parse(options->listen.items[i], &spec, err) != 0)
			return err_prefix(err, "Listen: ");
		if (spec.kind == SOCK_STDIO && options->listen.count > 1)
			return err_set(
			    err, "Listen: stdio must be the only socket");
	}
	return 0;
}

static void
add_fds(struct sockset *set, const int *fds, int count)
{
	if (count <= 0)
		return;
	set->fds = xmem_realloc(
	    set->fds, set->fd_count + (size_t)count, sizeof(*set->fds));
	for (int i = 0; i < count; i++)
		set->fds[set->fd_count++] = fds[i];
}

static void
note_own(struct sockset *set, const char *path)
{
	struct unix_socket *own;
	struct stat st;

	if (lstat(path, &st) != 0)
		return;
	set->own =
	    xmem_realloc(set->own, set->own_count + 1, sizeof(*set->own));
	own = &set->own[set->own_count++];
	own->path = xmem_strdup(path);
	own->dev = st.st_dev;
	own->ino = st.st_ino;
}

/* Opens the sockets of one specification. */
static int
open_one(struct sockset *set, const char *text, int backlog,
    const struct sock_owner *owner, struct err *err)
{
	int fds[SOCK_LISTEN_MAX];
	struct sock_spec spec;
	int n;

	if (sock_parse(text, &spec, err) != 0)
		return err_prefix(err, "Listen: ");
	if (spec.kind == SOCK_STDIO) {
		set->is_stdio = true;
		return 0;
	}
	n = sock_listen(&spec, backlog, owner, fds, SOCK_LISTEN_MAX, err);
	if (n < 0)
		return err_prefix(err, "Listen: ");
	add_fds(set, fds, n);
	if (spec.kind == SOCK_UNIX)
		note_own(set, spec.path);
	return 0;
}

static int
open_all(struct sockset *set, const struct sockset_options *options,
    const struct sock_owner *owner, struct err *err)
{
	int backlog =
	    options->queue_size > 0 ? (int)options->queue_size : SOMAXCONN;
	int fds[SOCK_LISTEN_MAX];
	int n = sock_systemd(fds, SOCK_LISTEN_MAX, err);

	if (n < 0)
		return -1;
	add_fds(set, fds, n);
	if (n > 0)
		return 0;
	for (size_t i = 0; i < options->listen.count; i++)
		if (open_one(set, options->listen.items[i], backlog, owner,
			err) != 0)
			return -1;
	return 0;
}

struct sockset *
sockset_open(const struct sockset_options *options, uid_t uid, gid_t gid,
    struct err *err)
{
	const struct sock_owner owner = {
		.uid = uid,
		.gid = gid,
		.mode = (mode_t)options->mode,
	};
	struct sockset *set = xmem_calloc(1, sizeof(*set));

	if (open_all(set, options, &owner, err) != 0)
		sockset_free(&set);
	return set;
}

bool
sockset_is_stdio(const struct sockset *set)
{
	return set->is_stdio;
}

size_t
sockset_count(const struct sockset *set)
{
	return set->fd_count - set->taken;
}

int
sockset_take(struct sockset *set)
{
	return set->taken < set->fd_count ? set->fds[set->taken++] : -1;
}

void
sockset_free(struct sockset **set_p)
{
	struct sockset *set = *set_p;
	int fd;

	if (set == NULL)
		return;
	while ((fd = sockset_take(set)) >= 0)
		(void)close(fd);
	for (size_t i = 0; i < set->own_count; i++) {
		struct unix_socket *own = &set->own[i];
		struct stat st;

		if (lstat(own->path, &st) == 0 && st.st_dev == own->dev &&
		    st.st_ino == own->ino)
			(void)unlink(own->path);
		xmem_free(&own->path);
	}
	xmem_free(&set->own);
	xmem_free(&set->fds);
	xmem_free(set_p);
}
