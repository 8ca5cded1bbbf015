/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/log.h"
#include "common/policysrv.h"
#include "common/sock.h"
#include "common/xmem.h"

#include "greylistd/server_int.h"

/* The version in the header that postgrey would have written. */
#define POSTGREY_VERSION "1.37"

static void
warn_line(void *arg, const char *text)
{
	(void)arg;
	log_warn("warning: %s", text);
}

static struct whitelist *
load_list(enum whitelist_kind kind, const struct config *config,
    const char *option, const struct config_list *list,
    struct whitelist_faults *faults_r)
{
	size_t count;
	char **files = options_whitelist_files(
	    list, config_is_set(config, option), &count);
	struct whitelist *loaded =
	    whitelist_load(kind, files, count, warn_line, NULL, faults_r);

	options_free_files(files, count);
	return loaded;
}

void
server_free_settings(struct settings *settings)
{
	xmem_free(&settings->action);
	xmem_free(&settings->text);
	xmem_free(&settings->header);
	xmem_free(&settings->hostname);
	whitelist_free(&settings->clients);
	whitelist_free(&settings->recipients);
	rcpttable_free(&settings->table);
	selection_release(&settings->selection);
}

static char *
own_hostname(const struct options *options)
{
	char name[256] = "";

	if (options->hostname[0] != '\0')
		return xmem_strdup(options->hostname);
	if (gethostname(name, sizeof(name) - 1) != 0)
		return xmem_strdup("localhost");
	return xmem_strdup(name);
}

static void
copy_options(const struct options *options, struct settings *settings)
{
	settings->policy = (struct greylist_policy){
		.delay_s = options->delay_s,
		.retry_window_s = options->retry_window_s,
		.max_age_s = options->max_age_s,
		.client_threshold = options->auto_whitelist_clients,
	};
	settings->key = (struct key_config){
		.by_host = options->lookup_by_host,
		.ipv4_prefix = (unsigned)options->ipv4_cidr,
		.ipv6_prefix = (unsigned)options->ipv6_cidr,
		.privacy = options->privacy,
	};
	settings->action = xmem_strdup(options->greylist_action);
	settings->text = xmem_strdup(options->greylist_text);
	settings->header = xmem_strdup(options->x_greylist_header);
	settings->hostname = own_hostname(options);
	settings->header_version =
	    options->as_postgrey ? POSTGREY_VERSION : POSTERN_VERSION;
	settings->quiet = options->quiet;
	settings->dry_run = options->dry_run;
	settings->test_clock = options->daemon.test_clock;
	settings->on_error = options->on_error;
	settings->max_entries = options->max_entries;
}

/* Half a list is worse than that of before. Often it cannot be read because it
 * was written anew, for root alone. */
static bool
keeps_old(const struct whitelist_faults *faults)
{
	return faults->regexes > 0 || faults->unreadable > 0;
}

static struct rcpttable *
load_table(const struct options *options, struct err *err)
{
	struct rcpttable *table = rcpttable_load(options->recipient_table, err);
	unsigned line;

	if (table != NULL &&
	    rcpttable_longest_s(table, &line) >= options->retry_window_s) {
		err_set(err,
		    "%s:%u: the time must be shorter than "
		    "RetryWindow, else no mail ever passes",
		    options->recipient_table, line);
		rcpttable_free(&table);
	}
	return table;
}

int
server_load_settings(const struct config *config, struct settings *old,
    struct settings *settings_r, struct err *err)
{
	const struct options *options = config_values(config);
	struct settings settings = { 0 };
	struct whitelist_faults faults;

	if (options->recipient_table[0] != '\0') {
		settings.table = load_table(options, err);
		if (settings.table == NULL)
			return -1;
	}
	settings.selection = selection_load(options, err);
	if (settings.selection == NULL) {
		rcpttable_free(&settings.table);
		return -1;
	}
	copy_options(options, &settings);
	settings.clients = load_list(WHITELIST_CLIENTS, config,
	    "WhitelistClients", &options->whitelist_clients, &faults);
	if (keeps_old(&faults) && old != NULL) {
		log_warn("warning: the old list of clients stays in use");
		whitelist_free(&settings.clients);
		settings.clients = old->clients;
		old->clients = NULL;
	}
	settings.recipients = load_list(WHITELIST_RECIPIENTS, config,
	    "WhitelistRecipients", &options->whitelist_recipients, &faults);
	if (keeps_old(&faults) && old != NULL) {
		log_warn("warning: the old list of recipients stays in use");
		whitelist_free(&settings.recipients);
		settings.recipients = old->recipients;
		old->recipients = NULL;
	}
	*settings_r = settings;
	return 0;
}

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
	if (n < 0)
		return err_prefix(err, "Listen: ");
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
