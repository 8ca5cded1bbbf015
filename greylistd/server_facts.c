/* SPDX-License-Identifier: ISC */
#include "common/now.h"
#include "common/xmem.h"

#include "greylistd/server_int.h"

/* How often providers and lists are looked at. */
#define SLOW_TICK_MS 1000

/* A request that waits for DNS. */
struct server_waiting {
	struct server_waiting *prev, *next;
	struct server *server;
	struct policysrv_call *call;
	const struct policyproto_request *request;
	struct facts_client client;
};

int
server_open_dns(struct server *server, struct err *err)
{
	const struct selection *s = server->settings.selection;

	if (server->facts == NULL) {
		if (!selection_needs_dns(s))
			return 0;
		server->dns = dns_new(server->settings.dns_config,
		    policysrv_loop(server->srv), err);
		if (server->dns != NULL)
			server->spf = spf_new(server->dns, err);
		if (server->spf == NULL) {
			dns_free(&server->dns);
			return -1;
		}
		server->checks = dnslist_checks_new(server->dns);
		server->facts =
		    facts_pool_new(server->dns, server->spf, server->checks);
		server->memory = facts_memory_new();
		server->providers = providers_new(server->dns);
		policysrv_every(
		    server->srv, FACTS_TICK_MS, facts_tick, server->facts);
		policysrv_every(server->srv, SLOW_TICK_MS, providers_tick,
		    server->providers);
		policysrv_every(server->srv, SLOW_TICK_MS, dnslist_checks_tick,
		    server->checks);
	}
	facts_memory_clear(server->memory);
	providers_configure(server->providers, s->providers, s->provider_count);
	providers_tick(server->providers);
	dnslist_checks_configure(server->checks, s);
	dnslist_checks_tick(server->checks);
	return 0;
}

static void
end_waiting(struct server_waiting *w)
{
	if (w->prev != NULL)
		w->prev->next = w->next;
	else
		w->server->waiting = w->next;
	if (w->next != NULL)
		w->next->prev = w->prev;
	xmem_free(&w);
}

void
server_close_dns(struct server *server)
{
	facts_pool_free(&server->facts);
	facts_memory_free(&server->memory);
	providers_free(&server->providers);
	dnslist_checks_free(&server->checks);
	while (server->waiting != NULL)
		end_waiting(server->waiting);
	spf_free(&server->spf);
	dns_free(&server->dns);
}

/* The decision is made in this turn, with the turn's other requests. */
static void
on_facts(void *arg, const struct facts *facts)
{
	struct server_waiting *w = arg;

	facts_memory_put(w->server->memory,
	    w->request->attr[POLICYPROTO_INSTANCE], &w->client, facts,
	    now_mono_ms());
	server_add_work(w->server, w->call, w->request, facts);
	end_waiting(w);
}

bool
server_gather(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	struct selection *selection = server->settings.selection;
	const struct facts nothing = { .selection = selection };
	const struct facts *known;
	struct facts_client client;
	struct server_waiting *w;

	if (server->facts == NULL || !selection_needs_facts(selection) ||
	    !server_wants_facts(server, request, &client))
		return false;
	known = facts_memory_find(server->memory,
	    request->attr[POLICYPROTO_INSTANCE], &client, selection,
	    now_mono_ms());
	if (known != NULL) {
		server_add_work(server, call, request, known);
		return true;
	}
	w = xmem_calloc(1, sizeof(*w));
	w->server = server;
	w->call = call;
	w->request = request;
	w->client = client;
	w->next = server->waiting;
	if (w->next != NULL)
		w->next->prev = w;
	server->waiting = w;
	if (facts_start(server->facts, selection, &client, on_facts, w) ==
	    NULL) {
		server_add_work(server, call, request, &nothing);
		end_waiting(w);
	}
	return true;
}
