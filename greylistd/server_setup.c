/* SPDX-License-Identifier: ISC */
#include "common/dns_options.h"
#include "common/hostname.h"
#include "common/log.h"
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
	dns_options_free(&settings->dns_config);
}

void
server_discard_settings(struct settings *settings, struct settings *old)
{
	if (old->clients == NULL) {
		old->clients = settings->clients;
		settings->clients = NULL;
	}
	if (old->recipients == NULL) {
		old->recipients = settings->recipients;
		settings->recipients = NULL;
	}
	server_free_settings(settings);
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
	settings->hostname = hostname_or_own(options->hostname);
	settings->header_version =
	    options->as_postgrey ? POSTGREY_VERSION : POSTERN_VERSION;
	settings->quiet = options->quiet;
	settings->dry_run = options->dry_run;
	settings->test_clock = options->daemon.test_clock;
	settings->on_error = options->on_error;
	settings->max_entries = options->max_entries;
	settings->dns_config = dns_options_config(&options->dns);
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
