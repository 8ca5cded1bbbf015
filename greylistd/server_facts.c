/* SPDX-License-Identifier: ISC */
#include "common/xmem.h"

#include "greylistd/server_int.h"

/* How often providers are looked at. */
#define PROVIDERS_TICK_MS 1000
/* A request that waits for DNS. */
struct server_waiting {
	struct server_waiting *prev, *next;
	struct server *server;
	struct policysrv_call *call;
	const struct policyproto_request *request;
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
		server->facts = facts_pool_new(server->dns, server->spf);
		server->providers = providers_new(server->dns);
		policysrv_every(
		    server->srv, FACTS_TICK_MS, facts_tick, server->facts);
		policysrv_every(server->srv, PROVIDERS_TICK_MS, providers_tick,
		    server->providers);
	}
	providers_configure(server->providers, s->providers, s->provider_count);
	providers_tick(server->providers);
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
	providers_free(&server->providers);
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

	server_add_work(w->server, w->call, w->request, facts);
	end_waiting(w);
}

bool
server_gather(struct server *server, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	struct selection *selection = server->settings.selection;
	struct facts nothing = { .selection = selection };
	struct facts_client client;
	struct server_waiting *w;

	if (server->facts == NULL || !selection_needs_facts(selection) ||
	    !server_wants_facts(server, request, &client))
		return false;
	w = xmem_calloc(1, sizeof(*w));
	w->server = server;
	w->call = call;
	w->request = request;
	w->next = server->waiting;
	if (w->next != NULL)
		w->next->prev = w;
	server->waiting = w;
	if (facts_start(server->facts, selection, &client, on_facts, w) == NULL)
		on_facts(w, &nothing);
	return true;
}
