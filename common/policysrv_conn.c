/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/policysrv_int.h"
#include "common/xmem.h"

/* Buffers kept for reuse. More are only in use at once when many requests
 * are half there or wait for a late reply. */
#define FREE_BUFS_MAX 64

static struct policysrv_buf *
buf_take(struct policysrv *srv)
{
	struct policysrv_buf *buf = srv->free_bufs;

	if (buf == NULL)
		return xmem_alloc(sizeof(*buf));
	srv->free_bufs = buf->next;
	srv->free_buf_count--;
	return buf;
}

static void
buf_release(struct policysrv_conn *conn)
{
	struct policysrv *srv = conn->srv;
	struct policysrv_buf *buf = conn->buf;

	if (buf == NULL)
		return;
	conn->buf = NULL;
	conn->start = conn->end = conn->scanned = 0;
	if (srv->free_buf_count >= FREE_BUFS_MAX) {
		xmem_free(&buf);
		return;
	}
	buf->next = srv->free_bufs;
	srv->free_bufs = buf;
	srv->free_buf_count++;
}

static void
leave_queue(struct policysrv_conn *conn)
{
	struct policysrv_queue *queue = &conn->srv->queue[conn->state];

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		queue->head = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
	else
		queue->tail = conn->prev;
}

static void
enter_queue(struct policysrv_conn *conn, enum policysrv_state state)
{
	struct policysrv_queue *queue = &conn->srv->queue[state];

	conn->state = state;
	conn->since_ms = conn->srv->now_ms;
	conn->next = NULL;
	conn->prev = queue->tail;
	if (queue->tail != NULL)
		queue->tail->next = conn;
	else
		queue->head = conn;
	queue->tail = conn;
}

static void
set_state(struct policysrv_conn *conn, enum policysrv_state state)
{
	leave_queue(conn);
	enter_queue(conn, state);
}

static void
on_readable(struct ev_loop *loop, struct ev_io *reader, int revents)
{
	(void)loop;
	(void)revents;
	policysrv_conn_read(reader->data);
}

static void
on_writable(struct ev_loop *loop, struct ev_io *writer, int revents)
{
	(void)loop;
	(void)revents;
	policysrv_conn_write(writer->data);
}

void
policysrv_conn_add(struct policysrv *srv, int in_fd, int out_fd, bool is_stdio)
{
	struct policysrv_conn *conn = xmem_calloc(1, sizeof(*conn));
	int type;
	socklen_t len = sizeof(type);

	conn->srv = srv;
	conn->call.conn = conn;
	conn->is_stdio = is_stdio;
	conn->is_socket = !is_stdio || getsockopt(out_fd, SOL_SOCKET, SO_TYPE,
					   &type, &len) == 0;
	ev_io_init(&conn->reader, on_readable, in_fd, EV_READ);
	ev_io_init(&conn->writer, on_writable, out_fd, EV_WRITE);
	conn->reader.data = conn;
	conn->writer.data = conn;
	enter_queue(conn, POLICYSRV_IDLE);
	ev_io_start(srv->loop, &conn->reader);
	srv->stats.accepted++;
	srv->stats.open++;
}

/* Gives the descriptors back; what remains is memory. */
static void
hang_up(struct policysrv_conn *conn)
{
	struct policysrv *srv = conn->srv;

	ev_io_stop(srv->loop, &conn->reader);
	ev_io_stop(srv->loop, &conn->writer);
	if (!conn->is_stdio)
		close(conn->reader.fd);
	conn->gone = true;
	srv->gone_count++;
	srv->stats.open--;
	policysrv_closed(srv, conn->is_stdio);
}

void
policysrv_conn_free(struct policysrv_conn *conn)
{
	if (!conn->gone)
		hang_up(conn);
	conn->srv->gone_count--;
	leave_queue(conn);
	buf_release(conn);
	xmem_free(&conn);
}

void
policysrv_conn_close(struct policysrv_conn *conn)
{
	if (conn->state != POLICYSRV_BUSY)
		policysrv_conn_free(conn);
	else if (!conn->gone)
		hang_up(conn);
}

/* Hands the request of size bytes over. The last thing that is done with the
 * connection: the handler may have replied or dropped it. */
static void
start_request(struct policysrv_conn *conn, size_t size)
{
	struct policysrv *srv = conn->srv;
	char *text = conn->buf->in + conn->start;

	conn->start += size;
	conn->scanned = 0;
	srv->stats.requests++;
	if (!policyproto_parse(text, size, &conn->buf->request)) {
		srv->stats.too_long++;
		policysrv_conn_close(conn);
		return;
	}
	set_state(conn, POLICYSRV_BUSY);
	srv->hooks.request(srv->hooks.arg, &conn->call, &conn->buf->request);
}

/* The buffer holds the start of a request, or nothing. */
static void
await_more(struct policysrv_conn *conn)
{
	struct policysrv_buf *buf = conn->buf;

	if (conn->ended) {
		policysrv_conn_close(conn);
		return;
	}
	if (buf == NULL || conn->start == conn->end) {
		buf_release(conn);
		if (conn->srv->stopping) {
			policysrv_conn_close(conn);
			return;
		}
		set_state(conn, POLICYSRV_IDLE);
	} else {
		if (conn->start > 0) {
			conn->end -= conn->start;
			memmove(buf->in, buf->in + conn->start, conn->end);
			conn->start = 0;
		}
		/* The clock of a request runs from its first byte. */
		if (conn->state != POLICYSRV_HALF)
			set_state(conn, POLICYSRV_HALF);
	}
	ev_io_start(conn->srv->loop, &conn->reader);
}

void
policysrv_conn_next(struct policysrv_conn *conn)
{
	size_t size = 0;
	size_t len = conn->end - conn->start;

	if (len == 0) {
		await_more(conn);
		return;
	}
	switch (policyproto_find_end(
	    conn->buf->in + conn->start, len, &conn->scanned, &size)) {
	case POLICYPROTO_COMPLETE:
		assert(size > 0 && size <= len);
		start_request(conn, size);
		return;
	case POLICYPROTO_INCOMPLETE:
		if (len < sizeof(conn->buf->in)) {
			await_more(conn);
			return;
		}
		break;
	case POLICYPROTO_TOO_LONG:
		break;
	}
	conn->srv->stats.too_long++;
	policysrv_conn_close(conn);
}

void
policysrv_conn_read(struct policysrv_conn *conn)
{
	bool waiting =
	    conn->state == POLICYSRV_IDLE || conn->state == POLICYSRV_HALF;
	size_t room;
	ssize_t n;

	if (conn->buf == NULL)
		conn->buf = buf_take(conn->srv);
	room = sizeof(conn->buf->in) - conn->end;
	if (room == 0) {
		/* Pipelined more than fits; await_more starts it again. */
		ev_io_stop(conn->srv->loop, &conn->reader);
		return;
	}
	n = read(conn->reader.fd, conn->buf->in + conn->end, room);
	if (n > 0) {
		conn->end += (size_t)n;
		if (waiting)
			policysrv_conn_next(conn);
		return;
	}
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		if (conn->state == POLICYSRV_IDLE)
			buf_release(conn);
		return;
	}
	/* An orderly end can be a half-closed socket, whose owner still wants
	 * the replies; a half request will never be whole. */
	conn->ended = true;
	ev_io_stop(conn->srv->loop, &conn->reader);
	if (waiting || n < 0)
		policysrv_conn_close(conn);
}

/* The reply went out whole. */
static void
written(struct policysrv_conn *conn)
{
	struct policysrv *srv = conn->srv;

	ev_io_stop(srv->loop, &conn->writer);
	if (srv->config.close_after_reply) {
		policysrv_conn_close(conn);
	} else if (conn->end > conn->start) {
		set_state(conn, POLICYSRV_PENDING);
		ev_idle_start(srv->loop, &srv->again);
	} else {
		await_more(conn);
	}
}

void
policysrv_conn_write(struct policysrv_conn *conn)
{
	struct policysrv *srv = conn->srv;
	const char *text = conn->buf->out + conn->out_sent;
	size_t len = conn->out_len - conn->out_sent;
	ssize_t n;

	if (conn->is_socket)
		n = send(conn->writer.fd, text, len, MSG_NOSIGNAL);
	else
		n = write(conn->writer.fd, text, len);
	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		policysrv_conn_close(conn);
		return;
	}
	if (n > 0)
		conn->out_sent += (size_t)n;
	if (conn->out_sent == conn->out_len) {
		written(conn);
		return;
	}
	if (conn->state != POLICYSRV_WRITING) {
		/* One who does not read need not be read from. */
		ev_io_stop(srv->loop, &conn->reader);
		ev_io_start(srv->loop, &conn->writer);
		set_state(conn, POLICYSRV_WRITING);
	}
}

void
policysrv_conn_reply(struct policysrv_conn *conn, const char *action)
{
	assert(conn->state == POLICYSRV_BUSY);
	if (conn->gone) {
		policysrv_conn_free(conn);
		return;
	}
	conn->out_len =
	    policyproto_format(conn->buf->out, sizeof(conn->buf->out), action);
	conn->out_sent = 0;
	set_state(conn, POLICYSRV_READY);
}
