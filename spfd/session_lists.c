/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "spfd/session_int.h"

static enum dnspacket_type
address_type(const struct ip *ip)
{
	return ip->family == IP_V4 ? DNSPACKET_A : DNSPACKET_AAAA;
}

/* One lookup of the step has not matched. */
static void
missed(struct session *session)
{
	if (--session->pending == 0)
		session_next(session);
}

static void
on_address(struct session_lookup *lookup, const struct dns_answer *answer,
    enum findings_bypass bypass)
{
	struct session *session = lookup->session;

	lookup->question = NULL;
	if (dns_has_address(answer, &session->job.ip))
		session_settle(session, bypass);
	else
		missed(session);
}

static void
on_helo_address(void *arg, const struct dns_answer *answer)
{
	on_address(arg, answer, FINDINGS_HELO_WHITELIST);
}

bool
session_lists_helo(struct session *session)
{
	const struct settings *settings = session->job.settings;
	const char *helo = session->job.helo;

	if (!lists_has_name(&settings->helo_names, helo))
		return false;
	session_open_step(session, 1, settings->whitelist_lookup_ms);
	session->pending = 1;
	session->lookups[0].question =
	    dns_ask(session->pool->dns, helo, address_type(&session->job.ip),
		on_helo_address, &session->lookups[0]);
	return true;
}

static void
on_domain(void *arg, const struct spf_output *output)
{
	struct session_lookup *lookup = arg;
	struct session *session = lookup->session;

	lookup->check = NULL;
	if (output->result == SPF_CHECK_PASS)
		session_settle(session, FINDINGS_DOMAIN_WHITELIST);
	else
		missed(session);
}

bool
session_lists_domain(struct session *session)
{
	const struct settings *settings = session->job.settings;
	const struct lists_names *domains = &settings->domains;

	if (domains->count == 0)
		return false;
	session_open_step(
	    session, domains->count, settings->whitelist_lookup_ms);
	session->pending = domains->count;
	for (size_t i = 0; i < domains->count; i++) {
		/* The check that a HELO of that name would get. */
		const struct spf_input input = {
			.identity = SPF_CHECK_HELO,
			.ip = session->job.ip,
			.helo = domains->items[i],
			.sender = "",
			.receiver = settings->hostname,
			.timeout_ms = settings->whitelist_lookup_ms,
			.void_limit = settings->void_limit,
		};
		struct session_lookup *lookup = &session->lookups[i];

		lookup->check =
		    spf_start(session->pool->spf, &input, on_domain, lookup);
	}
	return true;
}

static void
on_ptr_address(void *arg, const struct dns_answer *answer)
{
	on_address(arg, answer, FINDINGS_PTR_WHITELIST);
}

/* The names of the client: those below a listed domain must have its
 * address, else anybody could call his machine so. */
static void
on_ptr(void *arg, const struct dns_answer *answer)
{
	struct session_lookup *lookup = arg;
	struct session *session = lookup->session;
	const struct lists_names *domains = &session->job.settings->ptr_domains;
	size_t count = answer->status == DNS_FOUND ? answer->count : 0;

	lookup->question = NULL;
	if (count > SESSION_PTR_MAX)
		count = SESSION_PTR_MAX;
	for (size_t i = 0; i < count; i++) {
		const char *name = answer->records[i].data;
		struct session_lookup *next = &session->lookups[i + 1];

		if (!lists_covers_name(domains, name))
			continue;
		session->pending++;
		next->question = dns_ask(session->pool->dns, name,
		    address_type(&session->job.ip), on_ptr_address, next);
	}
	missed(session);
}

bool
session_lists_ptr(struct session *session)
{
	const struct settings *settings = session->job.settings;
	char name[DNS_REVERSE_SIZE];

	if (settings->ptr_domains.count == 0)
		return false;
	session_open_step(
	    session, SESSION_PTR_MAX + 1, settings->whitelist_lookup_ms);
	session->pending = 1;
	session->lookups[0].question = dns_ask(session->pool->dns,
	    dns_reverse_name(&session->job.ip, name), DNSPACKET_PTR, on_ptr,
	    &session->lookups[0]);
	return true;
}
