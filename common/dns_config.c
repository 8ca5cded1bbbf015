/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unbound.h>

#include "common/dns_int.h"
#include "common/ip.h"
#include "common/log.h"
#include "common/str.h"
#include "common/xmem.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define LINE_SIZE 512
/* Sockets for questions under way; more wait their turn. */
#define SOCKETS_MIN 64
#define SOCKETS_MAX 4096
#define CACHE_MIN (64 * 1024)
/* Less than the library needs to take a server for dead. */
#define TRY_MAX_MS 5000

struct option {
	const char *name, *value;
};

/* See unbound.conf(5). */
static const struct option always[] = {
	{ "do-not-query-localhost:", "no" },
	/* Reverse zones of private and of example networks are asked for,
	 * not answered from a table of the library's. */
	{ "unblock-lan-zones:", "yes" },
	{ "insecure-lan-zones:", "yes" },
	{ "num-queries-per-thread:", "8192" },
	{ "use-syslog:", "no" },
};

/* Names of RFC 6761 that the library would answer by itself. In a private
 * network they may well be real. */
static const char *const local_zones[] = { "test.", "invalid." };

bool
dns_config_is_server(const char *text)
{
	char address[IP_TEXT_SIZE];
	unsigned long long port = 1;
	size_t len = strcspn(text, "@%");
	const char *at = strchr(text, '@');
	struct ip ip;

	if (len >= sizeof(address) || strlen(text) >= DNS_CONFIG_SERVER_SIZE)
		return false;
	memcpy(address, text, len);
	address[len] = '\0';
	return ip_parse(address, &ip) &&
	       (at == NULL ||
		   (str_to_uint(at + 1, UINT16_MAX, &port) && port > 0));
}

static void
take_line(char *line, struct dns_config_servers *servers)
{
	char *save = NULL;
	const char *word = strtok_r(line, " \t\n", &save);
	const char *server = strtok_r(NULL, " \t\n", &save);

	if (word == NULL || server == NULL || strcmp(word, "nameserver") != 0 ||
	    !dns_config_is_server(server) || strchr(server, '@') != NULL ||
	    servers->count == DNS_CONFIG_SERVERS_MAX)
		return;
	strncpy(
	    servers->text[servers->count], server, DNS_CONFIG_SERVER_SIZE - 1);
	servers->count++;
}

int
dns_config_read_servers(
    const char *path, struct dns_config_servers *servers, struct err *err)
{
	char line[LINE_SIZE];
	FILE *file = fopen(path, "re");
	int failed;

	memset(servers, 0, sizeof(*servers));
	if (file == NULL && errno == ENOENT)
		return 0;
	if (file == NULL)
		return err_set_errno(err, errno, "cannot open %s", path);
	while (fgets(line, sizeof(line), file) != NULL)
		take_line(line, servers);
	failed = ferror(file) ? errno : 0;
	fclose(file);
	if (failed != 0)
		return err_set_errno(err, failed, "cannot read %s", path);
	return 0;
}

static int
set(struct ub_ctx *ctx, const char *name, const char *value, struct err *err)
{
	int status = ub_ctx_set_option(ctx, name, value);

	if (status != 0)
		return err_set(err, "libunbound does not take %s %s: %s", name,
		    value, ub_strerror(status));
	return 0;
}

static int
set_number(struct ub_ctx *ctx, const char *name, int64_t value, struct err *err)
{
	char text[32];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	return set(ctx, name, text, err);
}

static int
set_all(struct ub_ctx *ctx, const struct option *options, size_t count,
    struct err *err)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (set(ctx, options[i].name, options[i].value, err) < 0)
			return -1;
	return 0;
}

/* Half of the descriptors that we may have are for clients. */
static int64_t
socket_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur / 2 < SOCKETS_MIN)
		return SOCKETS_MIN;
	return limit.rlim_cur / 2 < SOCKETS_MAX ? (int64_t)(limit.rlim_cur / 2)
						: SOCKETS_MAX;
}

static int
set_limits(struct ub_ctx *ctx, int64_t cache_bytes, struct err *err)
{
	if (cache_bytes < CACHE_MIN)
		cache_bytes = CACHE_MIN;
	/* The records take about twice what the messages take. */
	if (set_number(ctx, "msg-cache-size:", cache_bytes / 3, err) < 0 ||
	    set_number(ctx, "rrset-cache-size:", cache_bytes / 3 * 2, err) < 0)
		return -1;
	return set_number(ctx, "outgoing-range:", socket_limit(), err);
}

static int
set_forwarder(struct ub_ctx *ctx, const char *server, struct err *err)
{
	int status;

	if (!dns_config_is_server(server))
		return err_set(err,
		    "name server \"%s\" is neither ADDRESS"
		    " nor ADDRESS@PORT",
		    server);
	status = ub_ctx_set_fwd(ctx, server);
	if (status != 0)
		return err_set(
		    err, "name server %s: %s", server, ub_strerror(status));
	return 0;
}

/* The library remembers how a server does, and a name whose own servers are
 * dead counts against the forwarder: after 12 s of time-outs in a row it is
 * taken for dead, and the next names fail unasked. So a single forwarder is
 * not remembered; of several, for 5 s, which is too short for that and makes
 * a dead one cost a time-out only now and then.
 *
 * A server that is not remembered gets try_ms, for it has to look further
 * itself. Each is asked three times, and all are given up soon after our own
 * time-out; by default a dead name would occupy the library for minutes. */
static int
set_patience(struct ub_ctx *ctx, int64_t timeout_ms, size_t server_count,
    struct err *err)
{
	int64_t try_ms = timeout_ms * 3 / 8 / (int64_t)server_count + 1;

	if (try_ms > TRY_MAX_MS)
		try_ms = TRY_MAX_MS;
	if (set_number(ctx, "infra-host-ttl:", server_count > 1 ? 5 : 0, err) <
		0 ||
	    set_number(ctx, "unknown-server-time-limit:", try_ms, err) < 0 ||
	    set_number(ctx, "infra-cache-min-rtt:", try_ms, err) < 0)
		return -1;
	return set(ctx, "outbound-msg-retry:", "2", err);
}

static int
set_forwarders(
    struct ub_ctx *ctx, const struct dns_config *config, struct err *err)
{
	struct dns_config_servers servers = { .count = 0 };
	size_t i;

	if (config->nameserver_count == 0 &&
	    dns_config_read_servers(RESOLV_CONF, &servers, err) < 0)
		return -1;
	if (config->nameserver_count == 0 && servers.count == 0)
		return 0;
	for (i = 0; i < config->nameserver_count; i++)
		if (set_forwarder(ctx, config->nameservers[i], err) < 0)
			return -1;
	for (i = 0; i < servers.count; i++)
		if (set_forwarder(ctx, servers.text[i], err) < 0)
			return -1;
	return set_patience(ctx, config->question_timeout_ms,
	    config->nameserver_count + servers.count, err);
}

static int
set_trust(struct ub_ctx *ctx, const char *anchor_file, struct err *err)
{
	FILE *file;
	int status;

	if (anchor_file == NULL || anchor_file[0] == '\0')
		return set(ctx, "module-config:", "iterator", err);
	file = fopen(anchor_file, "re");
	if (file == NULL)
		return err_set_errno(
		    err, errno, "TrustAnchorFile: cannot open %s", anchor_file);
	fclose(file);
	status = ub_ctx_add_ta_file(ctx, anchor_file);
	if (status != 0)
		return err_set(err, "TrustAnchorFile: %s: %s", anchor_file,
		    ub_strerror(status));
	return set(ctx, "module-config:", "validator iterator", err);
}

/* The first of these calls finishes the context: trust anchors are read
 * then, and no setting can be made afterwards. */
static int
open_local_zones(struct ub_ctx *ctx, struct err *err)
{
	size_t i;
	int status;

	for (i = 0; i < sizeof(local_zones) / sizeof(*local_zones); i++) {
		status = ub_ctx_zone_remove(ctx, local_zones[i]);
		if (status != 0)
			return err_set(err, "libunbound cannot start: %s",
			    ub_strerror(status));
	}
	return 0;
}

int
dns_config_apply(
    struct ub_ctx *ctx, const struct dns_config *config, struct err *err)
{
	if (set_all(ctx, always, sizeof(always) / sizeof(*always), err) < 0 ||
	    set_limits(ctx, config->cache_bytes, err) < 0 ||
	    set_trust(ctx, config->trust_anchor_file, err) < 0 ||
	    set_forwarders(ctx, config, err) < 0)
		return -1;
	return open_local_zones(ctx, err);
}

/* Adds the state of the file at path: not what is in it, but whether it is
 * still the same. */
static void
add_file(FILE *out, const char *path)
{
	struct stat st = { .st_size = -1 };

	if (path == NULL || path[0] == '\0')
		return;
	if (stat(path, &st) < 0)
		st.st_size = -1;
	fprintf(out, "%s %lld %lld %lld.%09ld", path, (long long)st.st_ino,
	    (long long)st.st_size, (long long)st.st_mtim.tv_sec,
	    st.st_mtim.tv_nsec);
}

char *
dns_config_key(const struct dns_config *config, struct err *err)
{
	struct dns_config_servers servers = { .count = 0 };
	char *key = NULL;
	size_t size = 0;
	FILE *out;

	if (config->nameserver_count == 0 &&
	    dns_config_read_servers(RESOLV_CONF, &servers, err) < 0)
		return NULL;
	out = open_memstream(&key, &size);
	if (out == NULL) {
		err_set_errno(err, errno, "cannot read the settings of DNS");
		return NULL;
	}
	fprintf(out, "%lld %lld ", (long long)config->question_timeout_ms,
	    (long long)config->cache_bytes);
	for (size_t i = 0; i < config->nameserver_count; i++)
		fprintf(out, "%s ", config->nameservers[i]);
	for (size_t i = 0; i < servers.count; i++)
		fprintf(out, "%s ", servers.text[i]);
	add_file(out, config->trust_anchor_file);
	if (fclose(out) != 0) {
		err_set_errno(err, errno, "cannot read the settings of DNS");
		xmem_free(&key);
		return NULL;
	}
	return key;
}

/* Takes a line "[TIME] libunbound[PID:0] error: TEXT". */
static ssize_t
take_log(void *cookie, const char *bytes, size_t size)
{
	struct dns_config_log *log = cookie;
	const char *text = memmem(bytes, size, "] libunbound[", 13);
	size_t len = size;

	if (text != NULL)
		text = memmem(text, size - (size_t)(text - bytes), ":0] ", 4);
	text = text == NULL ? bytes : text + 4;
	len -= (size_t)(text - bytes);
	if (len > 0 && text[len - 1] == '\n')
		len--;
	if (len >= sizeof(log->last))
		len = sizeof(log->last) - 1;
	if (len == 0)
		return (ssize_t)size;
	memcpy(log->last, text, len);
	log->last[len] = '\0';
	log_debug("libunbound: %s", log->last);
	return (ssize_t)size;
}

void
dns_config_log_open(struct dns_config_log *log)
{
	log->last[0] = '\0';
	log->stream =
	    fopencookie(log, "w", (cookie_io_functions_t){ .write = take_log });
	/* Silence without it. */
	if (log->stream != NULL)
		setvbuf(log->stream, NULL, _IOLBF, BUFSIZ);
}

void
dns_config_log_close(struct dns_config_log *log)
{
	if (log->stream != NULL)
		fclose(log->stream);
	log->stream = NULL;
}
