/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/arena.h"
#include "common/spfrecord.h"
#include "common/xmem.h"

#include "greylistd/provider.h"

#define NETS_MIN 16
/* The longest domain that is asked about. */
#define DOMAIN_MAX 253

void
provider_add(struct provider_nets *nets, const struct ip_net *net)
{
	unsigned widest =
	    net->base.family == IP_V4 ? PROVIDER_WIDEST_V4 : PROVIDER_WIDEST_V6;

	if (net->prefix < widest || nets->count == PROVIDER_NETS_MAX)
		return;
	if (nets->count == nets->cap) {
		nets->cap = nets->cap == 0 ? NETS_MIN : nets->cap * 2;
		nets->items =
		    xmem_realloc(nets->items, nets->cap, sizeof(*nets->items));
	}
	nets->items[nets->count++] = *net;
}

void
provider_free_nets(struct provider_nets *nets)
{
	xmem_free(&nets->items);
	nets->count = nets->cap = 0;
}

static void
take_step(const struct spfrecord_text *text, const char *current,
    struct provider_step *step, provider_step_fn *fn, void *arg)
{
	char domain[DOMAIN_MAX + 1];

	step->domain = current;
	if (text->start != NULL) {
		if (text->len > DOMAIN_MAX ||
		    memchr(text->start, '%', text->len) != NULL)
			return;
		memcpy(domain, text->start, text->len);
		domain[text->len] = '\0';
		step->domain = domain;
	}
	fn(arg, step);
}

static void
take_term(const struct spfrecord_term *term, const char *domain,
    struct provider_nets *nets, provider_step_fn *fn, void *arg)
{
	struct provider_step step = {
		.cidr4 = term->cidr4,
		.cidr6 = term->cidr6,
	};

	if (term->qualifier != '+')
		return;
	switch (term->mechanism) {
	case SPFRECORD_IP4:
	case SPFRECORD_IP6:
		provider_add(nets, &term->net);
		return;
	case SPFRECORD_INCLUDE:
		step.kind = PROVIDER_INCLUDE;
		break;
	case SPFRECORD_A:
		step.kind = PROVIDER_A;
		break;
	case SPFRECORD_MX:
		step.kind = PROVIDER_MX;
		break;
	case SPFRECORD_ALL:
	case SPFRECORD_PTR:
	case SPFRECORD_EXISTS:
		return;
	}
	take_step(&term->domain, domain, &step, fn, arg);
}

bool
provider_read(const char *text, size_t len, const char *domain,
    struct provider_nets *nets, provider_step_fn *step, void *arg)
{
	struct arena *arena = arena_new();
	struct spfrecord_fault fault;
	const struct spfrecord *record =
	    spfrecord_parse(text, len, arena, &fault);
	bool has_all = false;

	for (size_t i = 0; record != NULL && i < record->count; i++) {
		/* Nothing behind "all" ever counts. */
		has_all = record->terms[i].mechanism == SPFRECORD_ALL;
		if (has_all)
			break;
		take_term(&record->terms[i], domain, nets, step, arg);
	}
	if (record != NULL && !has_all && record->redirect.start != NULL)
		take_step(&record->redirect, domain,
		    &(struct provider_step){
			.kind = PROVIDER_INCLUDE,
		    },
		    step, arg);
	arena_free(&arena);
	return record != NULL;
}
