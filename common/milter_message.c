/* SPDX-License-Identifier: ISC */
#include <string.h>

#include <libmilter/mfapi.h>

#include "common/milter_int.h"
#include "common/xmem.h"

const char *
milter_macro(struct milter_message *m, const char *name)
{
	struct milter_work *work = (struct milter_work *)(void *)m;
	struct smfi_str *ctx = work->session->ctx;

	/* libmilter does not change the name. */
	return ctx == NULL ? NULL
			   : smfi_getsymval(ctx, (char *)(uintptr_t)name);
}

/* A copy of a macro's value, "" when it is not told. */
static const char *
copy_macro(struct milter_work *work, const char *name)
{
	const char *value = milter_macro(&work->message, name);

	return value == NULL ? "" : arena_strdup(work->message.arena, value);
}

struct milter_work *
milter_message_new(struct milter_session *s)
{
	struct milter_work *work = xmem_calloc(1, sizeof(*work));
	struct milter_message *m = &work->message;

	work->session = s;
	m->arena = arena_new();
	m->client = &s->client;
	m->queue_id = copy_macro(work, "i");
	m->hostname = copy_macro(work, "j");
	m->daemon_name = copy_macro(work, "{daemon_name}");
	m->auth_type = copy_macro(work, "{auth_type}");
	m->auth_login = copy_macro(work, "{auth_authen}");
	m->sender = "";
	return work;
}

/* Takes the message out of the count of those under way. */
static void
count_end(struct milter_work *work, bool is_complete)
{
	struct milter *milter = work->session->milter;

	milter_lock();
	milter->stats.under_way--;
	if (!is_complete)
		milter->stats.aborted++;
	milter_unlock();
}

void
milter_message_free(struct milter_work **work_r)
{
	struct milter_work *work = *work_r;
	struct milter_hooks *hooks;

	if (work == NULL)
		return;
	hooks = &work->session->milter->hooks;
	if (work->has_begun) {
		hooks->done(hooks->arg, &work->message);
		count_end(work, work->has_finished);
	}
	arena_free(&work->message.arena);
	xmem_free(&work->edits.removed);
	xmem_free(&work->edits.inserts);
	xmem_free(&work->fields);
	xmem_free(&work->recipients);
	xmem_free(work_r);
}

void
milter_message_add_recipient(struct milter_work *work, const char *text)
{
	struct milter_message *m = &work->message;
	size_t limit = work->session->milter->config.max_recipients;

	if (text == NULL || m->recipient_count >= limit) {
		m->recipients_cut = true;
		return;
	}
	if (m->recipient_count == work->recipient_cap) {
		work->recipient_cap = 2 * work->recipient_cap + 4;
		work->recipients = xmem_realloc(work->recipients,
		    work->recipient_cap, sizeof(*work->recipients));
		m->recipients = work->recipients;
	}
	work->recipients[m->recipient_count++] = text;
}

/* The value as header.h promises it, whatever this MTA sends: folds are "\n"
 * and a blank, no "\r". Sets *len_r. */
static const char *
copy_value(struct milter_work *work, const char *value, size_t *len_r)
{
	/* At worst a TAB for each line end. */
	char *text = arena_alloc(work->message.arena, 2 * strlen(value) + 2);
	char *to = text;

	if (!work->session->has_leading_space)
		*to++ = ' ';
	for (; *value != '\0'; value++) {
		if (*value == '\r' && value[1] == '\n')
			continue;
		*to++ = *value == '\r' ? ' ' : *value;
		if (*value == '\n' && value[1] != ' ' && value[1] != '\t')
			*to++ = '\t';
	}
	*len_r = (size_t)(to - text);
	return text;
}

void
milter_message_add_field(
    struct milter_work *work, const char *name, const char *value)
{
	const struct milter_config *config = &work->session->milter->config;
	struct milter_message *m = &work->message;
	struct header_field *field;
	size_t bytes = strlen(name) + strlen(value);

	/* All after the first that is missing are missing, so that the
	 * numbers of those before stay true. */
	if (m->header_cut || m->field_count >= config->max_fields ||
	    bytes > config->max_field_bytes - work->field_bytes) {
		m->header_cut = true;
		return;
	}
	if (m->field_count == work->field_cap) {
		work->field_cap = 2 * work->field_cap + 16;
		work->fields = xmem_realloc(
		    work->fields, work->field_cap, sizeof(*work->fields));
		m->fields = work->fields;
	}
	work->field_bytes += bytes;
	field = &work->fields[m->field_count++];
	field->name_len = strlen(name);
	field->name = arena_strndup(m->arena, name, field->name_len);
	field->value = copy_value(work, value, &field->value_len);
}

/* Is there room for one more message? Then it counts. */
static bool
is_within_limit(struct milter *milter)
{
	bool is_within;

	milter_lock();
	is_within = milter->stats.under_way < milter->config.max_messages;
	if (is_within) {
		milter->stats.under_way++;
		milter->stats.messages++;
	}
	milter_unlock();
	return is_within;
}

void
milter_message_begin(struct milter_work *work)
{
	struct milter *milter = work->session->milter;
	struct milter_message *m = &work->message;
	const char *id = milter_macro(m, "i");

	if (id != NULL && id[0] != '\0' && strcmp(id, m->queue_id) != 0)
		m->queue_id = arena_strdup(m->arena, id);
	if (work->has_begun || work->refusal != NULL)
		return;
	if (!is_within_limit(milter)) {
		work->refusal = "Too many messages at once - try again later";
		return;
	}
	work->has_begun = true;
	work->skips_body =
	    milter->hooks.header_end(milter->hooks.arg, m) == MILTER_NO_BODY;
}
