/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/log.h"
#include "common/now.h"
#include "common/xmem.h"

#include "greylistd/netmap.h"
#include "greylistd/provider_int.h"
#include "greylistd/providers.h"

#define REFRESH_MIN_S 600
#define REFRESH_MAX_S 86400
#define RETRY_S 60
/* One line about each kind of trouble in this time. */
#define WARN_INTERVAL_S 600

struct provider {
	struct provider *next;
	struct provider_walk *walk; /* under way, or NULL */
	struct netmap *nets;        /* NULL until known */
	int64_t due_ms;             /* monotonic */
	struct log_rate rate;
	char domain[];
};

struct providers {
	struct dns *dns;
	struct provider *first;
};

struct providers *
providers_new(struct dns *dns)
{
	struct providers *set = xmem_calloc(1, sizeof(*set));

	set->dns = dns;
	return set;
}

static void
free_provider(struct provider *provider)
{
	provider_walk_cancel(&provider->walk);
	if (provider->nets != NULL)
		netmap_free(&provider->nets);
	xmem_free(&provider);
}

static void
free_all(struct provider *first)
{
	struct provider *p;

	while ((p = first) != NULL) {
		first = p->next;
		free_provider(p);
	}
}

void
providers_free(struct providers **set)
{
	if (*set == NULL)
		return;
	free_all((*set)->first);
	xmem_free(set);
}

/* Takes the provider of domain out of the list, or makes one. */
static struct provider *
take(struct provider **list, const char *domain)
{
	size_t size = strlen(domain) + 1;
	struct provider *p;

	for (struct provider **at = list; *at != NULL; at = &(*at)->next) {
		if (strcmp((*at)->domain, domain) == 0) {
			p = *at;
			*at = p->next;
			return p;
		}
	}
	p = xmem_calloc(1, sizeof(*p) + size);
	memcpy(p->domain, domain, size);
	return p;
}

void
providers_configure(struct providers *set, char *const *domains, size_t count)
{
	struct provider *old = set->first;

	set->first = NULL;
	for (size_t i = 0; i < count; i++) {
		struct provider *p = take(&old, domains[i]);

		p->due_ms = 0;
		p->next = set->first;
		set->first = p;
	}
	free_all(old);
}

/* An answer with gaps adds to what is known, a whole one replaces it. */
static void
take_nets(struct provider *p, const struct provider_result *result)
{
	const struct provider_nets *nets = result->nets;
	size_t before = p->nets != NULL ? netmap_count(p->nets) : 0;
	bool is_first = p->nets == NULL;

	if (p->nets != NULL && !result->failed)
		netmap_free(&p->nets);
	if (p->nets == NULL)
		p->nets = netmap_new();
	for (size_t i = 0;
	     i < nets->count && netmap_count(p->nets) < PROVIDER_NETS_MAX; i++)
		(void)netmap_put(p->nets, &nets->items[i], p->domain);
	if (is_first || netmap_count(p->nets) != before)
		log_info("provider %s: %zu networks", p->domain,
		    netmap_count(p->nets));
}

static int64_t
clamp(int64_t value, int64_t min, int64_t max)
{
	return value < min ? min : value > max ? max : value;
}

static void
on_walked(void *arg, struct provider_result *result)
{
	struct provider *p = arg;
	int64_t wait_s = clamp(result->ttl_s, REFRESH_MIN_S, REFRESH_MAX_S);

	p->walk = NULL;
	if (result->failed) {
		wait_s = RETRY_S;
		log_warn_rated(&p->rate, WARN_INTERVAL_S,
		    "warning: provider %s: DNS does not answer all "
		    "questions; the networks known so far stay",
		    p->domain);
	} else if (!result->has_record) {
		log_warn_rated(&p->rate, WARN_INTERVAL_S,
		    "warning: provider %s has no valid SPF record", p->domain);
	} else if (result->cut) {
		log_warn_rated(&p->rate, WARN_INTERVAL_S,
		    "warning: provider %s needs more than %d questions; "
		    "the rest is left out",
		    p->domain, PROVIDER_QUESTIONS_MAX);
	}
	take_nets(p, result);
	p->due_ms = now_mono_ms() + wait_s * 1000;
}

void
providers_tick(void *arg)
{
	struct providers *set = arg;
	int64_t now_ms = now_mono_ms();

	for (struct provider *p = set->first; p != NULL; p = p->next)
		if (p->walk == NULL && now_ms >= p->due_ms)
			p->walk = provider_walk_start(
			    set->dns, p->domain, on_walked, p);
}

const char *
providers_find(const struct providers *set, const struct ip *ip)
{
	if (set == NULL)
		return NULL;
	for (const struct provider *p = set->first; p != NULL; p = p->next)
		if (p->nets != NULL &&
		    netmap_find(p->nets, ip, NULL, NULL) != NULL)
			return p->domain;
	return NULL;
}
