/* SPDX-License-Identifier: ISC */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/dnspacket.h"
#include "common/ip.h"
#include "common/sock.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/dnslist.h"
#include "greylistd/options.h"
#include "greylistd/suspicion.h"

#define DAY_S INT64_C(86400)
#define DEFAULT_DELAY_S 300

static const char *const on_error_names[] = { "pass", "tempfail", NULL };
static const char *const spf_keys_names[] = { "no", "network", "sender", NULL };

/* postgrey's --unix=PATH. */
static int
set_unix(struct config *config, const char *value, struct err *err)
{
	char spec[sizeof(((struct sock_spec *)0)->path) + 8];

	if ((size_t)snprintf(spec, sizeof(spec), "unix:%s", value) >=
	    sizeof(spec))
		return err_set(err, "Unix: the path %s is too long", value);
	return config_set(config, "Listen", spec, err);
}

/* postgrey's --inet=[HOST:]PORT. */
static int
set_inet(struct config *config, const char *value, struct err *err)
{
	char spec[320];

	if ((size_t)snprintf(spec, sizeof(spec), "inet:%s", value) >=
	    sizeof(spec))
		return err_set(err, "Inet: %s is too long", value);
	return config_set(config, "Listen", spec, err);
}

/* postgrey's --dbdir=PATH: our one file lies in there. */
static int
set_dbdir(struct config *config, const char *value, struct err *err)
{
	char path[PATH_MAX];

	if ((size_t)snprintf(path, sizeof(path), "%s/%s", value,
		OPTIONS_DATABASE_NAME) >= sizeof(path))
		return err_set(err, "DBDir: the path %s is too long", value);
	return config_set(config, "Database", path, err);
}

/* The default, and the opposite of LookupByHost only in name: postgrey takes
 * it without any effect. */
static int
set_lookup_by_subnet(struct config *config, const char *value, struct err *err)
{
	(void)config;
	(void)value;
	(void)err;
	return 0;
}

static int
set_facility(struct config *config, const char *value, struct err *err)
{
	return config_set(config, "SyslogFacility", value, err);
}

static int
set_noaction(struct config *config, const char *value, struct err *err)
{
	(void)config;
	(void)value;
	return err_set(err, "NoAction is not supported; to decide and log "
			    "without greylisting use DryRun");
}

static int
check_dnsbl(const char *value, struct err *err)
{
	struct dnslist list;

	return dnslist_parse(value, DNSLIST_BLACK, &list, err);
}

static int
check_dnswl(const char *value, struct err *err)
{
	struct dnslist list;

	return dnslist_parse(value, DNSLIST_WHITE, &list, err);
}

static int
check_scores(const char *value, struct err *err)
{
	struct suspicion_scores scores = suspicion_defaults;

	return suspicion_parse(value, &scores, err);
}

static int
check_domains(const char *value, struct err *err)
{
	static const char separators[] = ", \t";
	char name[256];
	struct str s;

	for (value += strspn(value, separators); *value != '\0';
	     value += strspn(value, separators)) {
		size_t len = strcspn(value, separators);

		str_init(&s, name, sizeof(name));
		str_add_bytes(&s, value, len);
		if (s.truncated || !dnspacket_name_ok(name) ||
		    strchr(name, '.') == NULL)
			return err_set(err, "\"%s\" is no domain", name);
		value += len;
	}
	return 0;
}

#define FIELD(member) offsetof(struct options, member)

const struct config_option options_table[] = {
	SOCKSET_OPTIONS(struct options, sockets, "inet:10023@127.0.0.1"),
	POLICYSRV_OPTIONS(struct options, policysrv),
	{ .name = "Exim",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(policysrv.close_after_reply),
	    .initial = "no",
	    .help = "close the connection after each reply" },
	{ .name = "Database",
	    .type = CONFIG_STRING,
	    .offset = FIELD(database),
	    .initial = "/var/lib/postern/greylistd/greylist.db",
	    .argument = "PATH",
	    .help = "the file that keeps the state" },
	{ .name = "MaxEntries",
	    .type = CONFIG_INT,
	    .offset = FIELD(max_entries),
	    .initial = "2000000",
	    .min = 1000,
	    .max = 1000000000,
	    .argument = "N",
	    .help = "triplets to keep; the oldest that never passed go first" },
	{ .name = "OnError",
	    .type = CONFIG_ENUM,
	    .offset = FIELD(on_error),
	    .initial = "pass",
	    .choices = on_error_names,
	    .argument = "WORD",
	    .help = "pass or tempfail new mail when the state cannot be kept" },
	{ .name = "Delay",
	    .type = CONFIG_TIME,
	    .unit = 's',
	    .offset = FIELD(delay_s),
	    .initial = "300s",
	    .min = 0,
	    .max = DAY_S,
	    .argument = "TIME",
	    .help = "time before a retry may pass" },
	{ .name = "RetryWindow",
	    .type = CONFIG_TIME,
	    .unit = 'd',
	    .offset = FIELD(retry_window_s),
	    .initial = "2d",
	    .min = 60,
	    .max = 3650 * DAY_S,
	    .argument = "TIME",
	    .help = "time for the first retry (default unit: days)" },
	{ .name = "MaxAge",
	    .type = CONFIG_TIME,
	    .unit = 'd',
	    .offset = FIELD(max_age_s),
	    .initial = "35d",
	    .min = 60,
	    .max = 3650 * DAY_S,
	    .argument = "TIME",
	    .help =
		"forget what was not seen for so long (default unit: days)" },
	{ .name = "AutoWhitelistClients",
	    .type = CONFIG_INT,
	    .offset = FIELD(auto_whitelist_clients),
	    .initial = "5",
	    .if_bare = "5",
	    .min = 0,
	    .max = 1000000,
	    .argument = "N",
	    .help = "deliveries after which a client is known; 0 is never" },
	{ .name = "LookupByHost",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(lookup_by_host),
	    .initial = "no",
	    .help = "tell clients apart by address, not by network" },
	{ .name = "LookupBySubnet",
	    .type = CONFIG_CALL,
	    .if_bare = "yes",
	    .set = set_lookup_by_subnet,
	    .help = "the default; accepted, no effect" },
	{ .name = "IPv4CIDR",
	    .type = CONFIG_INT,
	    .offset = FIELD(ipv4_cidr),
	    .initial = "24",
	    .min = 0,
	    .max = 32,
	    .argument = "N",
	    .help = "bits of an IPv4 network" },
	{ .name = "IPv6CIDR",
	    .type = CONFIG_INT,
	    .offset = FIELD(ipv6_cidr),
	    .initial = "64",
	    .min = 0,
	    .max = 128,
	    .argument = "N",
	    .help = "bits of an IPv6 network" },
	{ .name = "Privacy",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(privacy),
	    .initial = "no",
	    .help = "store hashes instead of addresses" },
	{ .name = "DryRun",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(dry_run),
	    .initial = "no",
	    .help = "decide and log, but let all mail pass" },
	{ .name = "WhitelistClients",
	    .type = CONFIG_LIST,
	    .offset = FIELD(whitelist_clients),
	    .initial = "/etc/postern/whitelist_clients",
	    .argument = "FILE",
	    .help = "clients that are never greylisted; repeatable" },
	{ .name = "WhitelistRecipients",
	    .type = CONFIG_LIST,
	    .offset = FIELD(whitelist_recipients),
	    .initial = "/etc/postern/whitelist_recipients",
	    .argument = "FILE",
	    .help = "recipients that never greylist; repeatable" },
	{ .name = "RecipientTable",
	    .type = CONFIG_STRING,
	    .offset = FIELD(recipient_table),
	    .initial = "",
	    .argument = "FILE",
	    .help = "greylisting on, off or slower per recipient or domain" },
	{ .name = "GreylistAction",
	    .type = CONFIG_STRING,
	    .offset = FIELD(greylist_action),
	    .initial = "DEFER_IF_PERMIT",
	    .argument = "ACTION",
	    .help = "what Postfix is told to do" },
	{ .name = "GreylistText",
	    .type = CONFIG_STRING,
	    .offset = FIELD(greylist_text),
	    .initial = "Greylisted, please try again in %s seconds",
	    .argument = "TEXT",
	    .help = "what the client is told; %s seconds, %r domain" },
	{ .name = "XGreylistHeader",
	    .type = CONFIG_STRING,
	    .offset = FIELD(x_greylist_header),
	    .initial =
		"X-Greylist: delayed %t seconds by greylistd-%v at %h; %d",
	    .argument = "TEXT",
	    .help = "header of mail that was delayed" },
	{ .name = "Hostname",
	    .type = CONFIG_STRING,
	    .offset = FIELD(hostname),
	    .initial = "",
	    .argument = "NAME",
	    .help = "the %h in that header (default: this host's name)" },
	{ .name = "Quiet",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(quiet),
	    .initial = "no",
	    .help = "no line per decision in the log" },
	{ .name = "Selective",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(selective),
	    .initial = "no",
	    .help = "greylist only clients that look like trouble" },
	{ .name = "SuspicionThreshold",
	    .type = CONFIG_INT,
	    .offset = FIELD(suspicion_threshold),
	    .initial = "2",
	    .min = 1,
	    .max = 1000000,
	    .argument = "N",
	    .help = "the score from which a client does" },
	{ .name = "SuspicionScores",
	    .type = CONFIG_LIST,
	    .offset = FIELD(suspicion_scores),
	    .check = check_scores,
	    .argument = "SIGN=N",
	    .help = "what a sign adds to the score" },
	{ .name = "Dnsbl",
	    .type = CONFIG_LIST,
	    .offset = FIELD(dnsbl),
	    .check = check_dnsbl,
	    .argument = "ZONE [N] [MASK]",
	    .help = "a list in DNS of clients that are trouble; repeatable" },
	{ .name = "Dnswl",
	    .type = CONFIG_LIST,
	    .offset = FIELD(dnswl),
	    .check = check_dnswl,
	    .argument = "ZONE [MASK]",
	    .help = "a list in DNS of clients that pass; repeatable" },
	{ .name = "DNSListTests",
	    .type = CONFIG_BOOL,
	    .offset = FIELD(dns_list_tests),
	    .initial = "yes",
	    .help = "ignore a Dnsbl or Dnswl that lists 127.0.0.1" },
	{ .name = "ProviderDomains",
	    .type = CONFIG_LIST,
	    .offset = FIELD(provider_domains),
	    .check = check_domains,
	    .argument = "DOMAIN",
	    .help = "clients in the SPF records of these pass" },
	{ .name = "SpfKeys",
	    .type = CONFIG_ENUM,
	    .offset = FIELD(spf_keys),
	    .initial = "no",
	    .choices = spf_keys_names,
	    .argument = "WORD",
	    .help = "what is known where SPF passes, instead of a network" },
	{ .name = "DNSBudget",
	    .type = CONFIG_TIME,
	    .unit = 's',
	    .offset = FIELD(dns_budget_s),
	    .initial = "2s",
	    .min = 1,
	    .max = 60,
	    .argument = "TIME",
	    .help = "time for all DNS questions about a request" },
	DNS_OPTIONS(struct options, dns),
	{ .name = "Inet",
	    .type = CONFIG_CALL,
	    .set = set_inet,
	    .argument = "[HOST:]PORT",
	    .help = "the same as Listen inet:..." },
	{ .name = "Unix",
	    .type = CONFIG_CALL,
	    .set = set_unix,
	    .argument = "PATH",
	    .help = "the same as Listen unix:PATH" },
	{ .name = "DBDir",
	    .type = CONFIG_CALL,
	    .set = set_dbdir,
	    .argument = "DIR",
	    .help = "the same as Database DIR/greylist.db" },
	{ .name = "Facility",
	    .type = CONFIG_CALL,
	    .set = set_facility,
	    .argument = "NAME",
	    .help = "the same as SyslogFacility" },
	{ .name = "NoAction",
	    .type = CONFIG_CALL,
	    .if_bare = "yes",
	    .set = set_noaction,
	    .help = "not supported (nor by postgrey); see DryRun" },
	DAEMON_OPTIONS(struct options, daemon), CONFIG_END
};

const struct args_short options_letters[] = {
	{ 'u', "unix" },
	{ 'i', "inet" },
	{ 'n', "noaction" },
	{ 0, NULL },
};

const struct daemon_default options_greylistd_defaults[] = {
	{ "User", "greylistd" },
	{ NULL, NULL },
};

const struct daemon_default options_postgrey_defaults[] = {
	{ "User", "postgrey" },
	{ "Group", "postgrey" },
	{ "Database", "/var/lib/postgrey/" OPTIONS_DATABASE_NAME },
	{ "WhitelistClients", "/etc/postgrey/whitelist_clients" },
	{ "WhitelistRecipients", "/etc/postgrey/whitelist_recipients" },
	{ "GreylistText",
	    "Greylisted, see http://postgrey.schweikert.ch/help/%r.html" },
	{ "XGreylistHeader",
	    "X-Greylist: delayed %t seconds by postgrey-%v at %h; %d" },
	{ NULL, NULL },
};

int
options_check(struct config *config, struct err *err)
{
	struct options *options = config_values(config);

	/* postgrey takes 0 as "the default". */
	if (options->delay_s == 0)
		options->delay_s = DEFAULT_DELAY_S;
	if (sockset_check(&options->sockets, err) != 0)
		return -1;
	if (options->database[0] != '/')
		return err_set(err, "Database: %s is not an absolute path",
		    options->database);
	if (options->retry_window_s <= options->delay_s)
		return err_set(err,
		    "RetryWindow (%" PRId64 "s) must be "
		    "longer than Delay (%" PRId64 "s), else no mail ever "
		    "passes",
		    options->retry_window_s, options->delay_s);
	if (options->max_age_s <= options->retry_window_s)
		options->max_age_s = options->retry_window_s;
	return 0;
}

/* With both kinds of socket postgrey listens on TCP only. */
static void
drop_unix_sockets(struct config_list *listen)
{
	size_t kept = 0;

	for (size_t i = 0; i < listen->count; i++)
		if (str_has_prefix_nocase(listen->items[i], "inet"))
			kept++;
	if (kept == 0)
		return;
	kept = 0;
	for (size_t i = 0; i < listen->count; i++) {
		if (str_has_prefix_nocase(listen->items[i], "inet"))
			listen->items[kept++] = listen->items[i];
		else
			xmem_free(&listen->items[i]);
	}
	listen->count = kept;
}

int
options_check_postgrey(struct config *config, struct err *err)
{
	struct options *options = config_values(config);

	if (!config_is_set(config, "Listen"))
		return err_set(err, "--unix or --inet must be given, for "
				    "example --inet=10023");
	options->as_postgrey = true;
	drop_unix_sockets(&options->sockets.listen);
	return options_check(config, err);
}

char **
options_whitelist_files(
    const struct config_list *list, bool given, size_t *count_r)
{
	static const char twin[] = ".local";
	char **files = xmem_calloc(list->count + 1, sizeof(*files));
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		files[count++] = xmem_strdup(list->items[i]);
	if (!given && list->count == 1) {
		size_t size = strlen(list->items[0]) + sizeof(twin);

		files[count] = xmem_alloc(size);
		snprintf(files[count], size, "%s%s", list->items[0], twin);
		count++;
	}
	*count_r = count;
	return files;
}

void
options_free_files(char **files, size_t count)
{
	for (size_t i = 0; i < count; i++)
		xmem_free(&files[i]);
	xmem_free(&files);
}
