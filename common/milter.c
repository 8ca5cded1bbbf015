/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <libmilter/mfapi.h>

#include "common/milter_int.h"
#include "common/str.h"
#include "common/xmem.h"

/* What waits here is served by the next process. */
#define BACKLOG 1024
/* libmilter's own 64 KiB would cut sessions of MTAs that send longer header
 * fields. */
#define COMMAND_SIZE_MAX (1024 * 1024)
#define MACROS_SIZE 2048

/* The gate, see milter_int.h. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static struct milter *gate_milter;

void
milter_lock(void)
{
	(void)pthread_mutex_lock(&gate_lock);
}

void
milter_unlock(void)
{
	(void)pthread_mutex_unlock(&gate_lock);
}

struct milter *
milter_enter(void)
{
	struct milter *m;

	milter_lock();
	m = gate_milter;
	if (m != NULL && m->has_ended)
		m = NULL;
	if (m != NULL)
		m->in_flight++;
	milter_unlock();
	return m;
}

void
milter_leave(struct milter *m)
{
	milter_lock();
	/* Within the lock: outside it m may be gone. */
	if (--m->in_flight == 0 && m->has_ended)
		milter_wake(m);
	milter_unlock();
}

void
milter_close_gate(struct milter *m)
{
	milter_lock();
	assert(m->in_flight == 0);
	gate_milter = NULL;
	milter_unlock();
}

void
milter_wake(const struct milter *m)
{
	/* It can only fail when it is readable already. */
	(void)!eventfd_write(m->wake_fd, 1);
}

void
milter_stats(struct milter *m, struct milter_stats *stats_r)
{
	milter_lock();
	*stats_r = m->stats;
	milter_unlock();
}

/* The macros for MAIL: ours and the daemon's; by then all of a session are
 * known. Returns 0 or -1. */
static int
list_macros(struct milter *m, struct err *err)
{
	char text[MACROS_SIZE];
	struct str s;

	str_init(&s, text, sizeof(text));
	str_add(&s, "i {mail_addr} {auth_type} {auth_authen}");
	for (size_t i = 0; i < m->config.macro_count; i++)
		str_addf(&s, " %s", m->config.macros[i]);
	if (s.truncated)
		return err_set(err, "too many macros to ask for");
	m->mail_macros = xmem_strdup(text);
	return 0;
}

/* Hands everything to libmilter. Returns 0 or -1. */
static int
make_known(struct milter *m, struct err *err)
{
	struct smfiDesc description = {
		.xxfi_name = m->name,
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS,
	};
	char connection[32];
	struct str s;

	milter_session_describe(&description);
	str_init(&s, connection, sizeof(connection));
	str_addf(&s, "fd:%d", m->config.fd);
	if (smfi_register(description) != MI_SUCCESS)
		return err_set(err,
		    "libmilter refuses us: it is of another version than the"
		    " one that this program was built with");
	(void)smfi_setbacklog(BACKLOG);
	(void)smfi_settimeout((int)m->config.timeout_s);
	(void)smfi_setmaxdatasize(COMMAND_SIZE_MAX);
	if (smfi_setconn(connection) != MI_SUCCESS ||
	    smfi_opensocket(false) != MI_SUCCESS)
		return err_set(err,
		    "libmilter does not take our listening socket over"
		    " (\"%s\"): it must be one that knows \"fd:\", as"
		    " Debian's does",
		    connection);
	return 0;
}

struct milter *
milter_new(const struct milter_config *config, const struct milter_hooks *hooks,
    struct err *err)
{
	static bool is_made;
	struct milter *m;
	int flags = fcntl(config->fd, F_GETFL);

	assert(!is_made);
	if (flags < 0 || fcntl(config->fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		(void)err_set_errno(err, errno, "the listening socket");
		return NULL;
	}
	m = xmem_calloc(1, sizeof(*m));
	m->config = *config;
	m->hooks = *hooks;
	m->name = xmem_strdup(config->name);
	m->quiet_ms = -1;
	milter_peers_name(config->fd, &m->name_of_fd);
	m->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	m->spare_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (m->wake_fd < 0 || m->spare_fd < 0)
		(void)err_set_errno(err, errno, "eventfd");
	if (m->wake_fd < 0 || m->spare_fd < 0 || list_macros(m, err) < 0 ||
	    make_known(m, err) < 0) {
		milter_free(&m);
		return NULL;
	}
	is_made = true;
	milter_lock();
	gate_milter = m;
	milter_unlock();
	return m;
}

void
milter_free(struct milter **milter)
{
	struct milter *m = *milter;

	if (m == NULL)
		return;
	milter_close_gate(m);
	if (m->wake_fd >= 0)
		(void)close(m->wake_fd);
	if (m->spare_fd >= 0)
		(void)close(m->spare_fd);
	xmem_free(&m->name);
	xmem_free(&m->mail_macros);
	xmem_free(milter);
}
