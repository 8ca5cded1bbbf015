/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/authres.h"
#include "common/dns_options.h"
#include "common/dns_thread.h"
#include "common/hostname.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/sockset.h"
#include "common/xmem.h"

#include "dkimd/server.h"
#include "dkimd/session.h"

struct server {
	struct sockset *sockets;
	struct dns_config *dns_config; /* until the start */
	struct dns_thread *dns;
	struct lookup_source *lookup;
	struct engine *engine;
	struct milter *milter;
	uid_t owner;
	char *hostname;

	/* The milter borrows the names of macros of the first one. */
	struct settings *first;
	pthread_mutex_t lock; /* guards current */
	struct settings *current;
};

static void
warn(void *arg, const char *text)
{
	(void)arg;
	log_warn("%s", text);
}

/* For -t, which has no log. */
static void
print_warning(void *arg, const char *text)
{
	(void)arg;
	(void)fprintf(stderr, "dkimd: warning: %s\n", text);
}

/* Tells what an administrator may not expect of the options. */
static void
tell(const struct options *options)
{
	if (options->on_bad_signature == OPTIONS_QUARANTINE ||
	    options->on_key_not_found == OPTIONS_QUARANTINE ||
	    options->on_no_signature == OPTIONS_QUARANTINE ||
	    options->on_dns_error == OPTIONS_QUARANTINE ||
	    options->on_security == OPTIONS_QUARANTINE || options->quarantine)
		log_info("mail will be held where an On- option says"
			 " quarantine: \"postqueue -p\" shows it, \"postsuper"
			 " -H\" releases it");
	if (options->keep_auth_results)
		log_warn("KeepAuthResults: forged results are not removed");
}

static int
open_socket(struct server *server, const struct options *options, gid_t gid,
    struct err *err)
{
	server->sockets =
	    sockset_open(&options->sockets, server->owner, gid, err);
	if (server->sockets == NULL)
		return -1;
	if (sockset_is_stdio(server->sockets))
		return err_set(
		    err, "Socket: a milter does not work on standard input");
	if (options->sockets.listen.count > 1)
		return err_set(err, "Socket: a milter has only one");
	return 0;
}

struct server *
server_open(const struct config *config, uid_t uid, gid_t gid, struct err *err)
{
	const struct options *options = config_values(config);
	struct server *server = xmem_calloc(1, sizeof(*server));

	(void)pthread_mutex_init(&server->lock, NULL);
	server->owner = uid;
	server->hostname = hostname_or_own("");
	server->dns_config = dns_options_config(&options->dns);
	server->first = settings_load(config, uid, warn, NULL, err);
	if (server->first == NULL ||
	    open_socket(server, options, gid, err) != 0) {
		server_free(&server);
		return NULL;
	}
	server->current = settings_hold(server->first);
	tell(options);
	return server;
}

int
server_test(const struct config *config, struct err *err)
{
	const struct options *options = config_values(config);
	const struct daemon_config *daemon = &options->daemon;
	struct settings *settings;
	uid_t uid = geteuid();
	gid_t gid;
	struct err why;

	if (daemon->user[0] != '\0' &&
	    sandbox_lookup(daemon->user, daemon->group, &uid, &gid, &why) < 0)
		return err_set(err,
		    "User: %s; make it (systemd-sysusers) or name another",
		    why.text);
	if (options->dns.trust_anchor_file[0] != '\0' &&
	    access(options->dns.trust_anchor_file, R_OK) != 0)
		return err_set(err,
		    "TrustAnchorFile: cannot open %s: %s; Debian's package "
		    "dns-root-data brings /usr/share/dns/root.key",
		    options->dns.trust_anchor_file, strerror(errno));
	settings = settings_load(config, uid, print_warning, NULL, err);
	if (settings == NULL)
		return -1;
	settings_release(&settings);
	return 0;
}

static bool
is_ipv4(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	return getsockname(fd, (struct sockaddr *)&address, &len) == 0 &&
	       address.ss_family == AF_INET;
}

/* libmilter has one listener. Of a name with several addresses, such as
 * localhost, IPv4 is served, as by opendkim; at the others nobody must
 * listen, or Postfix would wait there. */
static int
take_socket(struct sockset *sockets)
{
	int chosen = sockset_take(sockets);
	int fd;

	while ((fd = sockset_take(sockets)) >= 0) {
		bool is_better = is_ipv4(fd) && !is_ipv4(chosen);

		(void)close(is_better ? chosen : fd);
		if (is_better)
			chosen = fd;
	}
	return chosen;
}

static struct milter *
make_milter(struct server *server, struct err *err)
{
	const struct options *options = server->first->options;
	const struct milter_hooks hooks = session_hooks(server);
	struct milter_config config = {
		.name = "dkimd",
		.fd = take_socket(server->sockets),
		.max_sessions = options->max_sessions,
		.max_messages = options->max_messages,
		.timeout_s = options->session_timeout_s,
		.max_fields = (size_t)options->max_fields,
		.max_field_bytes = (size_t)options->maximum_headers,
		.kept_name = AUTHRES_NAME,
		.max_recipients = (size_t)options->max_recipients,
		.may_quarantine = true,
		.wants_body = true,
	};

	config.macro_count = settings_macros(server->first, &config.macros);
	return milter_new(&config, &hooks, err);
}

struct milter *
server_start(struct server *server, struct err *err)
{
	const struct options *options = server->first->options;

	server->engine = engine_new(err);
	if (server->engine == NULL)
		return NULL;
	if (options->test_public_keys[0] != '\0') {
		server->lookup =
		    lookup_source_file(options->test_public_keys, err);
	} else {
		server->dns = dns_thread_new(server->dns_config, err);
		if (server->dns != NULL)
			server->lookup = lookup_source_dns(server->dns,
			    server->dns_config->trust_anchor_file[0] != '\0');
	}
	if (server->lookup == NULL)
		return NULL;
	server->milter = make_milter(server, err);
	return server->milter;
}

/* Postfix is asked for macros when the milter begins. */
static void
warn_of_macros(const struct settings *first, const struct settings *settings)
{
	const char *const *known, *const *names;
	size_t known_count = settings_macros(first, &known);
	size_t count = settings_macros(settings, &names);

	for (size_t i = 0; i < count; i++) {
		size_t k = 0;

		while (k < known_count && strcmp(known[k], names[i]) != 0)
			k++;
		if (k == known_count)
			log_warn("MacroList, SenderMacro: Postfix is asked for "
				 "%s from the next start on only; type: "
				 "systemctl restart dkimd",
			    names[i]);
	}
}

int
server_reload(
    struct server *server, const struct config *config, struct err *err)
{
	struct settings *settings =
	    settings_load(config, server->owner, warn, NULL, err);
	struct settings *old;

	if (settings == NULL)
		return -1;
	(void)pthread_mutex_lock(&server->lock);
	old = server->current;
	server->current = settings;
	(void)pthread_mutex_unlock(&server->lock);
	settings_release(&old);
	warn_of_macros(server->first, settings);
	tell(config_values(config));
	return 0;
}

void
server_free(struct server **server)
{
	struct server *s = *server;

	if (s == NULL)
		return;
	milter_free(&s->milter);
	lookup_source_free(&s->lookup);
	dns_thread_free(&s->dns);
	engine_free(&s->engine);
	settings_release(&s->current);
	settings_release(&s->first);
	sockset_free(&s->sockets);
	xmem_free(&s->hostname);
	dns_options_free(&s->dns_config);
	(void)pthread_mutex_destroy(&s->lock);
	xmem_free(server);
}

struct settings *
server_settings(struct server *server)
{
	struct settings *settings;

	(void)pthread_mutex_lock(&server->lock);
	settings = settings_hold(server->current);
	(void)pthread_mutex_unlock(&server->lock);
	return settings;
}

struct engine *
server_engine(struct server *server)
{
	return server->engine;
}

struct lookup_source *
server_lookup(struct server *server)
{
	return server->lookup;
}

const char *
server_hostname(const struct server *server)
{
	return server->hostname;
}
