/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>
#include <unbound.h>
#include <unbound-event.h>

#include "common/dns_int.h"
#include "common/xmem.h"

static void
free_context(struct dns_context *context)
{
	if (context->ctx != NULL)
		ub_ctx_delete(context->ctx);
	dns_loop_free(&context->base);
	xmem_free(&context->key);
	xmem_free(&context);
}

/* The library has one log for all contexts, and silences it when any of them
 * goes. */
static void
set_log(struct dns_context *first, const struct dns_config_log *log)
{
	if (first != NULL && log->stream != NULL)
		(void)ub_ctx_debugout(first->ctx, log->stream);
}

static int
fill(struct dns_context *context, const struct dns_config *config,
    struct ev_loop *loop, struct dns_config_log *log, struct err *err)
{
	context->base = dns_loop_new(loop);
	context->ctx = ub_ctx_create_ub_event(context->base);
	if (context->ctx == NULL)
		return err_set(err, "cannot make a DNS resolver");
	log->last[0] = '\0';
	(void)ub_ctx_debugout(context->ctx, log->stream);
	if (dns_config_apply(context->ctx, config, err) == 0)
		return 0;
	if (err != NULL && log->last[0] != '\0')
		err_set(err, "%s (%s)", err->text, log->last);
	return -1;
}

int
dns_context_open(struct dns_context **list, const struct dns_config *config,
    struct ev_loop *loop, struct dns_config_log *log, struct err *err)
{
	struct dns_context *context;
	char *key = dns_config_key(config, err);

	if (key == NULL)
		return -1;
	if (*list != NULL && strcmp((*list)->key, key) == 0) {
		xmem_free(&key);
		return 0;
	}
	context = xmem_calloc(1, sizeof(*context));
	context->key = key;
	if (fill(context, config, loop, log, err) < 0) {
		free_context(context);
		set_log(*list, log);
		return -1;
	}
	context->next = *list;
	*list = context;
	return 0;
}

void
dns_context_free_idle(struct dns_context *first, struct dns_config_log *log)
{
	struct dns_context **at = first == NULL ? NULL : &first->next;

	while (at != NULL && *at != NULL) {
		struct dns_context *context = *at;

		if (context->lookup_count > 0) {
			at = &context->next;
			continue;
		}
		*at = context->next;
		free_context(context);
		set_log(first, log);
	}
}

void
dns_context_free_all(struct dns_context **list)
{
	while (*list != NULL) {
		struct dns_context *context = *list;

		*list = context->next;
		free_context(context);
	}
}
