/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/dns_options.h"
#include "common/now.h"
#include "common/policyengine.h"
#include "common/str.h"
#include "common/xmem.h"

#include "spfd/answer.h"
#include "spfd/server.h"
#include "spfd/server_int.h"

/* How often whitelists are looked at whose time may be up. */
#define TICK_MS 250
/* One line about a wrong set-up, or about too much work, in this time. */
#define SETUP_INTERVAL_S 3600
#define OVERLOAD_INTERVAL_S 60
/* Postfix's smtpd_policy_service_timeout. */
#define POSTFIX_TIMEOUT_MS 100000

/* A request whose answer needs DNS. */
struct work {
	struct work *prev, *next;
	struct server *server;
	struct policysrv_call *call;
	struct settings *settings;
	const struct policy *policy;
	struct findings *findings;
	struct answer_request request;
	char client[IP_TEXT_SIZE];
	const char *instance;
	int64_t now_s; /* when it came */
};

static const char *
attr(const struct policyproto_request *request, enum policyproto_attr name)
{
	return request->attr[name] != NULL ? request->attr[name] : "";
}

static struct answer_request
answer_request(const struct policyproto_request *request, const char *client)
{
	return (struct answer_request){
		.client = client,
		.client_address = attr(request, POLICYPROTO_CLIENT_ADDRESS),
		.client_name = attr(request, POLICYPROTO_CLIENT_NAME),
		.helo = attr(request, POLICYPROTO_HELO_NAME),
		.sender = attr(request, POLICYPROTO_SENDER),
		.recipient = attr(request, POLICYPROTO_RECIPIENT),
		.queue_id = attr(request, POLICYPROTO_QUEUE_ID),
	};
}

/* The time for what is remembered of a message. */
static int64_t
time_of(const struct settings *settings, const char *test_time)
{
	unsigned long long now_s;

	if (settings->test_clock && test_time != NULL &&
	    str_to_uint(test_time, INT64_MAX, &now_s))
		return (int64_t)now_s;
	return now_mono_ms() / 1000;
}

/* The lines of a turn go out with one system call. */
static void
on_batch_end(void *arg)
{
	struct server *server = arg;

	if (server->holds_log)
		log_release();
	server->holds_log = false;
}

static void
send_answer(struct server *server, struct policysrv_call *call,
    const struct answer *answer)
{
	if (!server->holds_log)
		log_hold();
	server->holds_log = true;
	log_line(LOG_LEVEL_NOTICE, answer->log);
	policysrv_reply(call, answer->action);
}

static void
answer_at_once(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request, const char *action,
    const char *reason)
{
	const struct answer_request r = answer_request(request, "");
	struct answer answer;

	answer_without(server->settings, action, reason, &r, &answer);
	send_answer(server, call, &answer);
}

/* Before MAIL there is no sender to check. */
static bool
is_before_mail(const struct policyproto_request *request)
{
	static const char *const states[] = { "CONNECT", "EHLO", "HELO", "VRFY",
		"ETRN" };
	const char *state = attr(request, POLICYPROTO_PROTOCOL_STATE);

	for (size_t i = 0; i < sizeof(states) / sizeof(*states); i++)
		if (str_equal_nocase(state, states[i]))
			return true;
	return false;
}

static bool
is_private(const struct ip *ip)
{
	static const char *const texts[] = { "10.0.0.0/8", "172.16.0.0/12",
		"192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16", "fc00::/7",
		"fe80::/10" };
	struct ip_net net;

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (ip_net_parse(texts[i], &net) && ip_net_contains(&net, ip))
			return true;
	return false;
}

/* Finds the address to check. Returns NULL, or why there is none. */
static const char *
find_address(struct server *server, const struct policyproto_request *request,
    struct ip *ip_r)
{
	const struct settings *settings = server->settings;
	const char *text = attr(request, POLICYPROTO_CLIENT_ADDRESS);

	if (settings->has_prospective) {
		*ip_r = settings->prospective;
		return NULL;
	}
	if (settings->skip_authenticated &&
	    attr(request, POLICYPROTO_SASL_USERNAME)[0] != '\0')
		return "authenticated";
	if (!ip_parse(text, ip_r))
		return "no client address";
	if (lists_has_ip(&settings->relays, ip_r)) {
		log_warn_rated(&server->relay_rate, SETUP_INTERVAL_S,
		    "warning: client %.64s is an ExternalRelay, and the "
		    "address behind it is not known here: SPF is not "
		    "checked. Let the relay pass it on by XCLIENT, see "
		    "smtpd_authorized_xclient_hosts",
		    text);
		return "external relay";
	}
	return NULL;
}

/* A check that says "fail" of our own relay or NAT helps nobody. */
static void
warn_of_private(struct server *server, const struct ip *ip)
{
	char text[IP_TEXT_SIZE];

	if (!server->settings->has_prospective && is_private(ip))
		log_warn_rated(&server->private_rate, SETUP_INTERVAL_S,
		    "warning: client %s has a private address, SPF cannot "
		    "judge it: if a relay or NAT of yours is in front, see "
		    "ExternalRelay and skip_addresses in spfd.conf(5)",
		    ip_format(ip, text));
}

static void
free_work(struct work *work)
{
	if (work->prev != NULL)
		work->prev->next = work->next;
	else
		work->server->first = work->next;
	if (work->next != NULL)
		work->next->prev = work->prev;
	findings_free(&work->findings);
	settings_release(&work->settings);
	xmem_free(&work);
}

static struct instances_key
key_of(const struct work *work)
{
	return (struct instances_key){
		.instance = work->instance,
		.client_address = work->client,
		.helo = work->request.helo,
		.sender = work->request.sender,
	};
}

static void
on_done(void *arg)
{
	struct work *work = arg;
	struct instances_key key = key_of(work);
	struct answer answer;

	answer_make(work->settings, work->policy, &work->request,
	    work->findings, &answer);
	instances_put(
	    work->server->instances, &key, &work->findings, work->now_s);
	send_answer(work->server, work->call, &answer);
	free_work(work);
}

/* Checks one by one; the answer comes from on_done, perhaps at once. */
static void
begin_work(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request, const struct ip *ip)
{
	struct work *work = xmem_calloc(1, sizeof(*work));
	const struct settings *settings = server->settings;
	struct instances_key key;

	work->server = server;
	work->call = call;
	work->settings = settings_hold(server->settings);
	work->policy =
	    settings_policy(settings, request->attr[POLICYPROTO_RECIPIENT]);
	ip_format(ip, work->client);
	work->request = answer_request(request, work->client);
	work->instance = request->attr[POLICYPROTO_INSTANCE];
	work->next = server->first;
	if (server->first != NULL)
		server->first->prev = work;
	server->first = work;

	work->now_s =
	    time_of(settings, request->attr[POLICYPROTO_POLICY_TEST_TIME]);
	key = key_of(work);
	work->findings = instances_take(server->instances, &key, work->now_s);
	if (work->findings == NULL)
		work->findings = findings_new();
	session_start(server->pool,
	    &(struct session_job){
		.settings = work->settings,
		.policy = work->policy,
		.ip = *ip,
		.helo = work->request.helo,
		.sender = work->request.sender,
		.findings = work->findings,
	    },
	    on_done, work);
}

/* Answers for addresses that this recipient's lists leave out: without DNS,
 * but the header comes once per message all the same. */
static bool
is_left_out(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request, const struct ip *ip)
{
	const struct settings *settings = server->settings;
	const struct policy *policy =
	    settings_policy(settings, request->attr[POLICYPROTO_RECIPIENT]);
	int64_t now_s =
	    time_of(settings, request->attr[POLICYPROTO_POLICY_TEST_TIME]);
	char client[IP_TEXT_SIZE];
	const struct answer_request r =
	    answer_request(request, ip_format(ip, client));
	const struct instances_key key = {
		.instance = request->attr[POLICYPROTO_INSTANCE],
		.client_address = client,
		.helo = r.helo,
		.sender = r.sender,
	};
	enum findings_bypass bypass, before;
	struct findings *findings;
	struct answer answer;

	if (lists_has_ip(&policy->skip, ip))
		bypass = FINDINGS_SKIPPED;
	else if (lists_has_ip(&policy->whitelist, ip))
		bypass = FINDINGS_WHITELIST;
	else
		return false;
	findings = instances_take(server->instances, &key, now_s);
	if (findings == NULL)
		findings = findings_new();
	/* Another recipient may have other lists. */
	before = findings->bypass;
	findings->bypass = bypass;
	answer_make(settings, policy, &r, findings, &answer);
	findings->bypass = before;
	instances_put(server->instances, &key, &findings, now_s);
	send_answer(server, call, &answer);
	return true;
}

static void
refuse_work(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	bool pass = server->settings->on_error == OPTIONS_ON_ERROR_PASS;

	log_warn_rated(&server->overload_rate, OVERLOAD_INTERVAL_S,
	    "warning: %lld checks are under way, as many as MaxSessions "
	    "allows: %s",
	    (long long)server->settings->max_sessions,
	    pass ? "mail passes unchecked" : "mail is deferred");
	answer_at_once(server, call, request,
	    pass ? "DUNNO"
		 : "defer_if_permit 4.7.24 SPF cannot be checked now, please "
		   "try again later",
	    "too many checks");
}

static void
on_request(void *arg, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	struct server *server = arg;
	const char *type = attr(request, POLICYPROTO_REQUEST);
	const char *reason;
	struct ip ip;

	if (request->garbage_count > 0)
		log_warn(
		    "warning: ignoring garbage: <%.100s>", request->garbage);
	if (strcmp(type, "smtpd_access_policy") != 0) {
		log_warn("warning: unrecognized request type: '%.100s'", type);
		policysrv_reply(call, "DUNNO");
		return;
	}
	if (server->settings->mock || is_before_mail(request)) {
		policysrv_reply(call, "DUNNO");
		return;
	}
	reason = find_address(server, request, &ip);
	if (reason != NULL) {
		answer_at_once(server, call, request, "DUNNO", reason);
		return;
	}
	if (is_left_out(server, call, request, &ip))
		return;
	if (session_count(server->pool) >=
	    (size_t)server->settings->max_sessions) {
		refuse_work(server, call, request);
		return;
	}
	warn_of_private(server, &ip);
	begin_work(server, call, request, &ip);
}

struct server *
server_open(const struct config *config, uid_t uid, gid_t gid, struct err *err)
{
	const struct options *options = config_values(config);
	struct server *server = xmem_calloc(1, sizeof(*server));
	const struct policysrv_hooks hooks = {
		.request = on_request,
		.batch_end = on_batch_end,
		.arg = server,
	};

	server->instances = instances_new();
	server->dns_config = dns_options_config(&options->dns);
	server->settings = settings_load(config, err);
	if (server->settings != NULL)
		server->srv = policysrv_new(&options->policysrv, &hooks, err);
	if (server->srv != NULL)
		server->sockets =
		    sockset_open(&options->sockets, uid, gid, err);
	if (server->sockets == NULL)
		server_free(&server);
	else
		policyengine_listen(server->srv, server->sockets);
	return server;
}

/* Longer than Postfix waits: then all the work is for nothing. */
static void
warn_of_times(const struct settings *s)
{
	int64_t lists = (s->helo_names.count > 0) + (s->domains.count > 0) +
			(s->ptr_domains.count > 0);
	int64_t sum = 2 * s->lookup_ms + lists * s->whitelist_lookup_ms;

	if (sum > POSTFIX_TIMEOUT_MS)
		log_warn("warning: checks may take %llds: set Postfix's "
			 "smtpd_policy_service_timeout (100s) higher than "
			 "that, or Lookup_Time lower",
		    (long long)sum / 1000);
}

struct policysrv *
server_start(struct server *server, struct err *err)
{
	if (server_open_dns(server, err) != 0)
		return NULL;
	warn_of_times(server->settings);
	if (server->settings->policy->verdict.test_only)
		log_info("TestOnly is 0: mail gets headers, none is refused");
	policysrv_every(server->srv, TICK_MS, session_tick, server->pool);
	return server->srv;
}

int
server_reload(
    struct server *server, const struct config *config, struct err *err)
{
	struct settings *settings = settings_load(config, err);

	if (settings == NULL)
		return -1;
	settings_release(&server->settings);
	server->settings = settings;
	spf_forget(server->spf);
	return 0;
}

void
server_free(struct server **server)
{
	struct server *s = *server;

	if (s == NULL)
		return;
	on_batch_end(s);
	server_close_dns(s);
	while (s->first != NULL)
		free_work(s->first);
	policysrv_free(&s->srv);
	sockset_free(&s->sockets);
	settings_release(&s->settings);
	instances_free(&s->instances);
	xmem_free(server);
}
