/* SPDX-License-Identifier: ISC */
#include "common/hostname.h"
#include "common/log.h"
#include "common/spfidn.h"
#include "common/str.h"
#include "common/xmem.h"

#include "spfd/settings.h"

static void
warn_line(void *arg, const char *text)
{
	(void)arg;
	log_warn("warning: %s", text);
}

/* HOSTNAME is our name; HEADER stands in the sample file of policyd-spf,
 * where HOSTNAME is meant. Headers are ASCII. */
static char *
own_authserv_id(const struct options *options, const char *hostname)
{
	const char *id = options->authserv_id;
	char ascii[SPFIDN_SIZE];

	if (str_equal_nocase(id, "HEADER"))
		log_info(
		    "Authserv_Id HEADER is taken as HOSTNAME: %s", hostname);
	if (id[0] == '\0' || str_equal_nocase(id, "HEADER") ||
	    str_equal_nocase(id, "HOSTNAME"))
		id = hostname;
	return xmem_strdup(spfidn_to_ascii(id, ascii) ? ascii : id);
}

struct settings *
settings_load(const struct config *config, struct err *err)
{
	const struct options *options = config_values(config);
	const char *path = options_per_user_path(options);
	struct settings *s = xmem_calloc(1, sizeof(*s));

	s->refs = 1;
	if (path != NULL) {
		s->peruser = peruser_load(path, config, warn_line, NULL, err);
		if (s->peruser == NULL) {
			settings_release(&s);
			return NULL;
		}
	}
	s->policy = policy_new(options);
	s->relays = lists_nets(&options->external_relay);
	s->helo_names = lists_names(&options->helo_whitelist);
	s->domains = lists_names(&options->domain_whitelist);
	s->ptr_domains = lists_names(&options->domain_whitelist_ptr);
	s->has_prospective = ip_parse(options->prospective, &s->prospective);
	s->skip_authenticated = options->skip_authenticated;
	s->mock = options->mock;
	s->queue_id = options->queue_id;
	s->test_clock = options->daemon.test_clock;
	s->on_error = (enum options_on_error)options->on_error;
	s->max_sessions = options->max_sessions;
	s->lookup_ms = options->lookup_time_s * 1000;
	s->whitelist_lookup_ms = options->whitelist_lookup_time_s * 1000;
	s->void_limit = (unsigned)options->void_limit;
	s->hostname = hostname_or_own(options->hostname);
	s->authserv_id = own_authserv_id(options, s->hostname);
	s->reason_url = xmem_strdup(options->reason_url);
	return s;
}

struct settings *
settings_hold(struct settings *settings)
{
	settings->refs++;
	return settings;
}

void
settings_release(struct settings **settings)
{
	struct settings *s = *settings;

	*settings = NULL;
	if (s == NULL || --s->refs > 0)
		return;
	policy_free(&s->policy);
	peruser_free(&s->peruser);
	lists_free_nets(&s->relays);
	lists_free_names(&s->helo_names);
	lists_free_names(&s->domains);
	lists_free_names(&s->ptr_domains);
	xmem_free(&s->authserv_id);
	xmem_free(&s->hostname);
	xmem_free(&s->reason_url);
	xmem_free(&s);
}

const struct policy *
settings_policy(const struct settings *settings, const char *recipient)
{
	const struct policy *own =
	    recipient == NULL ? NULL
			      : peruser_find(settings->peruser, recipient);

	return own != NULL ? own : settings->policy;
}
