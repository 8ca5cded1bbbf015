/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/spfrecord.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/provider_int.h"

/* The most hosts of one MX answer, as in RFC 7208 section 4.6.4. */
#define MX_MAX 10

/* A question, under way or answered; kept to the end so that none is asked
 * twice. */
struct task {
	struct task *next;
	struct provider_walk *walk;
	struct dns_question *asked;
	enum dnspacket_type type;
	unsigned depth; /* of nested records */
	unsigned cidr4, cidr6;
	char domain[];
};

struct provider_walk {
	struct dns *dns;
	struct task *tasks;
	unsigned count; /* of tasks */
	unsigned open;
	struct provider_nets nets;
	struct provider_result result;
	provider_walk_fn *done;
	void *arg;
};

static void on_answer(void *arg, const struct dns_answer *answer);

static bool
is_asked(const struct provider_walk *walk, const struct task *like,
    const char *domain)
{
	for (const struct task *t = walk->tasks; t != NULL; t = t->next)
		if (t->type == like->type && t->cidr4 == like->cidr4 &&
		    t->cidr6 == like->cidr6 &&
		    str_equal_nocase(t->domain, domain))
			return true;
	return false;
}

static void
ask(struct provider_walk *walk, const struct task *like, const char *domain)
{
	size_t size = strlen(domain) + 1;
	struct task *t;

	if (like->depth > PROVIDER_DEPTH_MAX || is_asked(walk, like, domain))
		return;
	if (walk->count == PROVIDER_QUESTIONS_MAX) {
		walk->result.cut = true;
		return;
	}
	t = xmem_calloc(1, sizeof(*t) + size);
	t->walk = walk;
	t->type = like->type;
	t->depth = like->depth;
	t->cidr4 = like->cidr4;
	t->cidr6 = like->cidr6;
	memcpy(t->domain, domain, size);
	t->next = walk->tasks;
	walk->tasks = t;
	walk->count++;
	walk->open++;
	t->asked = dns_ask(walk->dns, domain, like->type, on_answer, t);
}

/* Asks for the addresses of a host. */
static void
ask_addresses(
    struct provider_walk *walk, const struct task *like, const char *domain)
{
	struct task next = *like;

	next.type = DNSPACKET_A;
	ask(walk, &next, domain);
	next.type = DNSPACKET_AAAA;
	ask(walk, &next, domain);
}

static void
on_step(void *arg, const struct provider_step *step)
{
	const struct task *t = arg;
	struct task next = {
		.depth = t->depth,
		.cidr4 = step->cidr4,
		.cidr6 = step->cidr6,
	};

	switch (step->kind) {
	case PROVIDER_INCLUDE:
		next.type = DNSPACKET_TXT;
		next.depth++;
		ask(t->walk, &next, step->domain);
		break;
	case PROVIDER_A:
		ask_addresses(t->walk, &next, step->domain);
		break;
	case PROVIDER_MX:
		next.type = DNSPACKET_MX;
		ask(t->walk, &next, step->domain);
		break;
	}
}

/* With two records none counts (RFC 7208 section 4.5). */
static void
take_texts(struct task *t, const struct dns_answer *answer)
{
	struct provider_walk *walk = t->walk;
	const struct dnspacket_record *record = NULL;

	for (size_t i = 0; i < answer->count; i++) {
		const struct dnspacket_record *r = &answer->records[i];

		if (!spfrecord_is(r->data, r->len))
			continue;
		if (record != NULL)
			return;
		record = r;
	}
	if (record != NULL &&
	    provider_read(record->data, record->len, t->domain, &walk->nets,
		on_step, t) &&
	    t->depth == 0)
		walk->result.has_record = true;
}

static void
take_address(struct task *t, const struct dnspacket_record *record)
{
	bool is_v4 = t->type == DNSPACKET_A;
	struct ip_net net = {
		.base.family = is_v4 ? IP_V4 : IP_V6,
		.prefix = is_v4 ? t->cidr4 : t->cidr6,
	};

	if (record->len != (is_v4 ? 4 : 16))
		return;
	memcpy(net.base.bytes, record->data, record->len);
	ip_mask(&net.base, net.prefix);
	provider_add(&t->walk->nets, &net);
}

static void
take_records(struct task *t, const struct dns_answer *answer)
{
	for (size_t i = 0; i < answer->count; i++) {
		const struct dnspacket_record *r = &answer->records[i];

		if (r->ttl < t->walk->result.ttl_s)
			t->walk->result.ttl_s = r->ttl;
		if (t->type == DNSPACKET_MX && i < MX_MAX)
			ask_addresses(t->walk, t, r->data);
		else if (t->type == DNSPACKET_A || t->type == DNSPACKET_AAAA)
			take_address(t, r);
	}
	if (t->type == DNSPACKET_TXT)
		take_texts(t, answer);
}

static void
free_walk(struct provider_walk *walk)
{
	struct task *t;

	while ((t = walk->tasks) != NULL) {
		walk->tasks = t->next;
		dns_cancel(&t->asked);
		xmem_free(&t);
	}
	provider_free_nets(&walk->nets);
	xmem_free(&walk);
}

static void
on_answer(void *arg, const struct dns_answer *answer)
{
	struct task *t = arg;
	struct provider_walk *walk = t->walk;

	t->asked = NULL;
	walk->open--;
	if (answer->status == DNS_TEMPORARY || answer->status == DNS_BOGUS)
		walk->result.failed = true;
	else
		take_records(t, answer);
	if (walk->open > 0)
		return;
	walk->done(walk->arg, &walk->result);
	free_walk(walk);
}

struct provider_walk *
provider_walk_start(
    struct dns *dns, const char *domain, provider_walk_fn *done, void *arg)
{
	struct provider_walk *walk = xmem_calloc(1, sizeof(*walk));
	const struct task first = { .type = DNSPACKET_TXT };

	walk->dns = dns;
	walk->done = done;
	walk->arg = arg;
	walk->result.ttl_s = UINT32_MAX;
	walk->result.nets = &walk->nets;
	ask(walk, &first, domain);
	return walk;
}

void
provider_walk_cancel(struct provider_walk **walk)
{
	if (*walk != NULL)
		free_walk(*walk);
	*walk = NULL;
}
