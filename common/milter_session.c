/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include <libmilter/mfapi.h>

#include "common/milter_int.h"
#include "common/str.h"
#include "common/xmem.h"

/* --------------------------------------------------------------- sessions */

/* Counts a session that is not counted as within the limit yet, if it fits.
 * Locked. */
static void
admit(struct milter_session *s)
{
	struct milter *m = s->milter;

	if (!s->is_admitted && m->admitted < m->config.max_sessions) {
		s->is_admitted = true;
		m->admitted++;
	}
}

struct milter_session *
milter_session_new(struct milter *m, struct smfi_str *ctx)
{
	struct milter_session *s = xmem_calloc(1, sizeof(*s));

	s->milter = m;
	s->ctx = ctx;
	milter_lock();
	s->next = m->sessions;
	if (s->next != NULL)
		s->next->previous = s;
	m->sessions = s;
	m->stats.sessions++;
	m->stats.open++;
	admit(s);
	milter_unlock();
	(void)smfi_setpriv(ctx, s);
	return s;
}

/* Ends a session and the message that was left in it. */
static void
session_free(struct milter_session **session)
{
	struct milter_session *s = *session;
	struct milter *m = s->milter;

	milter_message_free(&s->work);
	milter_lock();
	if (s->previous != NULL)
		s->previous->next = s->next;
	else
		m->sessions = s->next;
	if (s->next != NULL)
		s->next->previous = s->previous;
	m->stats.open--;
	if (s->is_admitted)
		m->admitted--;
	if (m->is_stopping && m->stats.open == 0)
		milter_wake(m);
	milter_unlock();
	xmem_free(session);
}

void
milter_session_end_all(struct milter *m)
{
	while (m->sessions != NULL) {
		struct milter_session *s = m->sessions;

		s->ctx = NULL;
		session_free(&s);
	}
}

/* A peer that skips the negotiation has a session nevertheless. */
static struct milter_session *
session_of(struct milter *m, SMFICTX *ctx)
{
	struct milter_session *s = smfi_getpriv(ctx);

	return s != NULL ? s : milter_session_new(m, ctx);
}

/* Goes on; without a reply where that was agreed. */
static sfsistat
go_on(const struct milter_session *s, unsigned long no_reply)
{
	return (s->no_reply & no_reply) != 0 ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* A macro's value, or NULL. */
static const char *
macro(SMFICTX *ctx, const char *name)
{
	/* libmilter does not change the name. */
	return smfi_getsymval(ctx, (char *)(uintptr_t)name);
}

/* ------------------------------------------------------------ negotiation */

static void
ask_for_macros(const struct milter *m, SMFICTX *ctx)
{
	static char connect[] = "j {daemon_name} {client_addr} {client_name}";
	static char helo[] = "{tls_version}";
	static char recipient[] = "i {rcpt_addr}";
	static char other[] = "i";

	(void)smfi_setsymlist(ctx, SMFIM_CONNECT, connect);
	(void)smfi_setsymlist(ctx, SMFIM_HELO, helo);
	(void)smfi_setsymlist(ctx, SMFIM_ENVFROM, m->mail_macros);
	(void)smfi_setsymlist(ctx, SMFIM_ENVRCPT, recipient);
	(void)smfi_setsymlist(ctx, SMFIM_DATA, other);
	(void)smfi_setsymlist(ctx, SMFIM_EOH, other);
	(void)smfi_setsymlist(ctx, SMFIM_EOM, other);
}

/* Which steps the MTA may leave out, and which get no reply. */
static unsigned long
choose_steps(struct milter_session *s, unsigned long offered)
{
	unsigned long steps = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_RCPT |
			      SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_HDR_LEADSPC;

	/* Past the limit MAIL is where we say so, each time anew. */
	if (s->is_admitted)
		steps |= SMFIP_NR_MAIL;
	if (!s->milter->config.wants_body)
		steps |= SMFIP_NOBODY;
	else if ((offered & SMFIP_SKIP) != 0)
		steps |= SMFIP_SKIP;
	else
		steps |= SMFIP_NR_BODY;
	steps &= offered;
	s->no_reply = steps;
	s->has_skip = (steps & SMFIP_SKIP) != 0;
	s->has_leading_space = (steps & SMFIP_HDR_LEADSPC) != 0;
	/* libmilter knows which MTAs never heard of these two. */
	return steps | SMFIP_NOUNKNOWN | SMFIP_NODATA;
}

static sfsistat
on_negotiate(SMFICTX *ctx, unsigned long actions, unsigned long steps,
    unsigned long unused2, unsigned long unused3, unsigned long *actions_r,
    unsigned long *steps_r, unsigned long *unused2_r, unsigned long *unused3_r)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	unsigned long wanted = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST;

	(void)unused2;
	(void)unused3;
	if (m == NULL)
		return SMFIS_REJECT;
	s = session_of(m, ctx);
	if (m->config.may_quarantine)
		wanted |= SMFIF_QUARANTINE;
	if ((actions & SMFIF_SETSYMLIST) != 0)
		ask_for_macros(m, ctx);
	/* What is missing now fails when it is needed, with 451. */
	*actions_r = actions & wanted;
	*steps_r = choose_steps(s, steps);
	*unused2_r = *unused3_r = 0;
	milter_lock();
	if (!s->is_admitted)
		m->stats.refused++;
	milter_unlock();
	milter_leave(m);
	return SMFIS_CONTINUE;
}

/* --------------------------------------------------------------- envelope */

/* Copies what fits. */
static void
copy_text(char *buf, size_t cap, const char *text)
{
	struct str s;

	str_init(&s, buf, cap);
	str_add(&s, text == NULL ? "" : text);
}

/* RFC 4291 section 2.5.5.2 is ip_parse's to know: through text. */
static bool
take_address(const struct sockaddr *address, struct ip *ip_r)
{
	const void *bytes;
	char text[IP_TEXT_SIZE];

	if (address == NULL)
		return false;
	if (address->sa_family == AF_INET)
		bytes = &((const struct sockaddr_in *)(const void *)address)
			     ->sin_addr;
	else if (address->sa_family == AF_INET6)
		bytes = &((const struct sockaddr_in6 *)(const void *)address)
			     ->sin6_addr;
	else
		return false;
	return inet_ntop(address->sa_family, bytes, text, sizeof(text)) !=
		   NULL &&
	       ip_parse(text, ip_r);
}

static sfsistat
on_connect(SMFICTX *ctx, char *host, struct sockaddr *address)
{
	struct milter *m = milter_enter();
	const char *name = macro(ctx, "{client_name}");
	const char *told = macro(ctx, "{client_addr}");
	struct milter_session *s;
	struct milter_client *client;
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	s = session_of(m, ctx);
	client = &s->client;
	milter_message_free(&s->work);
	/* An unverified client is called by its address, in brackets. */
	if (name == NULL)
		name = host == NULL || host[0] == '[' ? "unknown" : host;
	copy_text(client->name, sizeof(client->name), name);
	client->helo[0] = '\0';
	client->has_address = take_address(address, &client->address);
	if (!client->has_address && told != NULL)
		client->has_address = ip_parse(told, &client->address);
	status = go_on(s, SMFIP_NR_CONN);
	milter_leave(m);
	return status;
}

static sfsistat
on_helo(SMFICTX *ctx, char *name)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	s = session_of(m, ctx);
	copy_text(s->client.helo, sizeof(s->client.helo), name);
	status = go_on(s, SMFIP_NR_HELO);
	milter_leave(m);
	return status;
}

/* Does the session have a place within the limit, now? */
static bool
has_place(struct milter_session *s)
{
	bool has;

	milter_lock();
	admit(s);
	has = s->is_admitted;
	milter_unlock();
	return has;
}

static sfsistat
begin_mail(struct milter_session *s, SMFICTX *ctx, char **arguments)
{
	struct milter_message *m;

	milter_message_free(&s->work);
	if (!has_place(s))
		return milter_reply_defer(
		    ctx, "Too many sessions at once - try again later");
	s->work = milter_message_new(s);
	m = &s->work->message;
	m->sender = milter_address_choose(
	    m->arena, macro(ctx, "{mail_addr}"), arguments[0]);
	if (m->sender == NULL) {
		m->sender = "";
		s->work->refusal =
		    "The mail server does not tell who sends this";
	}
	for (size_t i = 1; arguments[0] != NULL && arguments[i] != NULL; i++)
		if (str_equal_nocase(arguments[i], "SMTPUTF8"))
			m->is_smtputf8 = true;
	return go_on(s, SMFIP_NR_MAIL);
}

static sfsistat
on_mail(SMFICTX *ctx, char **arguments)
{
	struct milter *m = milter_enter();
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	status = begin_mail(session_of(m, ctx), ctx, arguments);
	milter_leave(m);
	return status;
}

static sfsistat
on_recipient(SMFICTX *ctx, char **arguments)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	s = session_of(m, ctx);
	if (s->work != NULL)
		milter_message_add_recipient(
		    s->work, milter_address_choose(s->work->message.arena,
				 macro(ctx, "{rcpt_addr}"), arguments[0]));
	status = go_on(s, SMFIP_NR_RCPT);
	milter_leave(m);
	return status;
}

/* ---------------------------------------------------------------- message */

static sfsistat
on_header(SMFICTX *ctx, char *name, char *value)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	s = session_of(m, ctx);
	if (s->work != NULL && !s->work->has_begun)
		milter_message_add_field(s->work, name, value);
	status = go_on(s, SMFIP_NR_HDR);
	milter_leave(m);
	return status;
}

static sfsistat
on_header_end(SMFICTX *ctx)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	s = session_of(m, ctx);
	if (s->work != NULL)
		milter_message_begin(s->work);
	status = go_on(s, SMFIP_NR_EOH);
	milter_leave(m);
	return status;
}

/* Returns whether more of the body is wanted. */
static bool
take_body(struct milter_session *s, const void *bytes, size_t len)
{
	struct milter_hooks *hooks = &s->milter->hooks;
	struct milter_work *work = s->work;

	if (work == NULL)
		return false;
	milter_message_begin(work);
	work->message.body_bytes += len;
	if (!work->has_begun || work->skips_body)
		return false;
	hooks->body(hooks->arg, &work->message, bytes, len);
	return true;
}

static sfsistat
on_body(SMFICTX *ctx, unsigned char *bytes, size_t len)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	sfsistat status;

	if (m == NULL)
		return SMFIS_NOREPLY;
	s = session_of(m, ctx);
	status = go_on(s, SMFIP_NR_BODY);
	if (!take_body(s, bytes, len) && s->has_skip)
		status = SMFIS_SKIP;
	milter_leave(m);
	return status;
}

static sfsistat
judge(struct milter_session *s)
{
	struct milter_hooks *hooks = &s->milter->hooks;
	struct milter_work *work = s->work;
	struct milter_verdict verdict = { .action = MILTER_ACCEPT };

	if (work == NULL)
		return milter_reply_defer(s->ctx, "No message was begun");
	milter_message_begin(work);
	if (!work->has_begun) {
		milter_lock();
		s->milter->stats.refused++;
		milter_unlock();
		return milter_reply_defer(s->ctx, work->refusal);
	}
	work->is_at_end = true;
	hooks->end(hooks->arg, &work->message, &verdict);
	work->is_at_end = false;
	work->has_finished = true;
	return milter_reply_send(work, &verdict);
}

static sfsistat
on_message_end(SMFICTX *ctx)
{
	struct milter *m = milter_enter();
	struct milter_session *s;
	sfsistat status;

	if (m == NULL)
		return SMFIS_TEMPFAIL;
	s = session_of(m, ctx);
	status = judge(s);
	milter_message_free(&s->work);
	milter_leave(m);
	return status;
}

bool
milter_progress(struct milter_message *message)
{
	struct milter_work *work = (struct milter_work *)(void *)message;
	struct milter *m = work->session->milter;
	bool has_ended;

	milter_lock();
	has_ended = m->has_ended;
	milter_unlock();
	return !has_ended && work->is_at_end &&
	       smfi_progress(work->session->ctx) == MI_SUCCESS;
}

/* ------------------------------------------------------------------- ends */

/* libmilter may call this several times for one message. */
static sfsistat
on_abort(SMFICTX *ctx)
{
	struct milter *m = milter_enter();
	struct milter_session *s;

	if (m == NULL)
		return SMFIS_CONTINUE;
	s = smfi_getpriv(ctx);
	if (s != NULL)
		milter_message_free(&s->work);
	milter_leave(m);
	return SMFIS_CONTINUE;
}

/* Also called for a peer that connected and said nothing. */
static sfsistat
on_close(SMFICTX *ctx)
{
	struct milter *m = milter_enter();
	struct milter_session *s = smfi_getpriv(ctx);

	/* libmilter complains about what is left there. */
	(void)smfi_setpriv(ctx, NULL);
	if (m == NULL)
		return SMFIS_CONTINUE;
	if (s != NULL)
		session_free(&s);
	milter_leave(m);
	return SMFIS_CONTINUE;
}

void
milter_session_describe(struct smfiDesc *description)
{
	description->xxfi_negotiate = on_negotiate;
	description->xxfi_connect = on_connect;
	description->xxfi_helo = on_helo;
	description->xxfi_envfrom = on_mail;
	description->xxfi_envrcpt = on_recipient;
	description->xxfi_header = on_header;
	description->xxfi_eoh = on_header_end;
	description->xxfi_body = on_body;
	description->xxfi_eom = on_message_end;
	description->xxfi_abort = on_abort;
	description->xxfi_close = on_close;
}
