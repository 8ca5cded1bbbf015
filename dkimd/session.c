/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/authres.h"
#include "common/log.h"
#include "common/now.h"

#include "dkimd/claims.h"
#include "dkimd/required.h"
#include "dkimd/session.h"
#include "dkimd/session_int.h"

const char *
session_queue_id(const struct milter_message *m)
{
	return m->queue_id[0] == '\0' ? "NOQUEUE" : m->queue_id;
}

static const char *
macro_of(void *arg, const char *name)
{
	return milter_macro(arg, name);
}

/* The reasons of a plan may hold a stranger's text: log.h makes it safe. */
static void
log_plan(const struct milter_message *m, const struct job *job)
{
	const struct options *options = job->settings->options;

	if (job->plan.notice[0] != '\0')
		log_info("%s: %s", session_queue_id(m), job->plan.notice);
	/* An error is logged in the end, LogWhy or not. */
	if (options->log_why && job->plan.reason[0] != '\0' &&
	    job->plan.action != SIGNPLAN_ERROR)
		log_info("%s: not signed: %s", session_queue_id(m),
		    job->plan.reason);
}

static void
decide(struct milter_message *m, struct job *job)
{
	const struct mailbox *sender = NULL;
	struct err err = { "" };
	int found;
	struct signplan_facts facts = {
		.client_name = m->client->name,
		.client_ip =
		    m->client->has_address ? &m->client->address : NULL,
		.daemon_name = m->daemon_name,
		.auth_type = m->auth_type,
		.auth_login = m->auth_login,
		.recipients = m->recipients,
		.recipient_count = m->recipient_count,
		.fields = m->fields,
		.field_count = m->field_count,
		.macro = macro_of,
		.macro_arg = m,
		.now = now_wall_s(),
	};

	found = signplan_sender(
	    job->settings, m->fields, m->field_count, m->arena, &sender, &err);
	facts.sender = sender;
	facts.has_several_senders = found > 0;
	if (found != 0)
		facts.sender_error = arena_strdup(m->arena, err.text);
	signplan_decide(job->settings, &facts, m->arena, &job->plan);
	job->is_peer = job->plan.is_peer;
	log_plan(m, job);
}

static void
fail(struct milter_message *m, struct job *job, enum action_cause cause,
    const char *problem)
{
	job->kind = JOB_FAILED;
	job->cause = cause;
	job->problem = arena_strdup(m->arena, problem);
}

static void
begin_signing(struct milter_message *m, struct job *job)
{
	const struct signing_message message = {
		.fields = m->fields,
		.field_count = m->field_count,
		.now = now_wall_s(),
		.arena = m->arena,
	};
	struct err err;

	if (m->header_cut) {
		fail(m, job, ACTION_SECURITY, SESSION_TOO_MUCH);
		return;
	}
	job->kind = JOB_SIGN;
	job->signing = signing_new(server_engine(job->server), job->settings,
	    &job->plan, &message, &err);
	if (job->signing == NULL)
		fail(m, job, ACTION_SIGNATURE_ERROR, err.text);
}

static enum milter_next
on_header_end(void *arg, struct milter_message *m)
{
	struct server *server = arg;
	struct job *job = arena_alloc(m->arena, sizeof(*job));

	m->work = job;
	job->server = server;
	job->settings = server_settings(server);
	decide(m, job);
	switch (job->plan.action) {
	case SIGNPLAN_SIGN:
		begin_signing(m, job);
		break;
	case SIGNPLAN_VERIFY:
		session_verify_begin(m, job);
		break;
	case SIGNPLAN_ERROR:
		if (m->header_cut) /* From may be what is missing */
			fail(m, job, ACTION_SECURITY, SESSION_TOO_MUCH);
		else
			fail(m, job, ACTION_SIGNATURE_ERROR, job->plan.reason);
		break;
	case SIGNPLAN_PASS:
		break;
	}
	if (job->kind == JOB_SIGN ||
	    (job->kind == JOB_VERIFY && verify_wants_body(job->verify)))
		return MILTER_BODY;
	return MILTER_NO_BODY;
}

static void
on_body(void *arg, struct milter_message *m, const void *bytes, size_t len)
{
	struct job *job = m->work;

	(void)arg;
	if (job->signing != NULL)
		signing_body(job->signing, bytes, len);
	if (job->verify != NULL)
		verify_body(job->verify, bytes, len);
}

const char *
session_authserv_id(const struct milter_message *m, const struct job *job)
{
	if (job->settings->authserv_id[0] != '\0')
		return job->settings->authserv_id;
	return authres_id_ok(m->hostname) ? m->hostname
					  : server_hostname(job->server);
}

static void
remove_claims(struct milter_message *m, const struct job *job)
{
	bool *removed =
	    arena_alloc(m->arena, (m->field_count + 1) * sizeof(*removed));
	size_t count = claims_find(job->settings, session_authserv_id(m, job),
	    m->fields, m->field_count, removed);

	for (size_t i = 0; count > 0 && i < m->field_count; i++)
		if (removed[i])
			milter_remove(m, i);
	if (count > 0)
		log_info("%s: removed %zu Authentication-Results field%s that"
			 " claim%s to be ours",
		    session_queue_id(m), count, count == 1 ? "" : "s",
		    count == 1 ? "s" : "");
}

/* Results in our name that could not even be counted. No honest message has
 * so many. */
static bool
has_claims_left(const struct milter_message *m, const struct job *job,
    struct milter_verdict *verdict)
{
	if (!m->kept_cut || job->settings->options->keep_auth_results)
		return false;
	*verdict = (struct milter_verdict){
		.action = MILTER_REJECT,
		.code = "550",
		.enhanced = "5.7.0",
		.text = "too many Authentication-Results fields",
	};
	log_info("%s: action=reject cause=\"%s\"", session_queue_id(m),
	    verdict->text);
	return true;
}

static void
remove_signatures(struct milter_message *m)
{
	for (size_t i = 0; i < m->field_count; i++)
		if (header_is(&m->fields[i], "DKIM-Signature"))
			milter_remove(m, i);
}

static struct action_policy
action_policy_of(const struct settings *settings)
{
	const struct options *o = settings->options;
	struct action_policy policy = {
		.bad_signature = (enum action)o->on_bad_signature,
		.dns_error = (enum action)o->on_dns_error,
		.internal_error = (enum action)o->on_internal_error,
		.key_not_found = (enum action)o->on_key_not_found,
		.no_signature = (enum action)o->on_no_signature,
		/* Large mail is not refused unless somebody set a limit. */
		.security = settings->headers_limit_is_given
				? (enum action)o->on_security
				: ACTION_ACCEPT,
		.signature_error = (enum action)o->on_signature_error,
	};

	if (o->quarantine && policy.bad_signature == ACTION_ACCEPT)
		policy.bad_signature = ACTION_QUARANTINE;
	if (o->capture_unknown_errors)
		policy.internal_error = ACTION_QUARANTINE;
	return policy;
}

/* Fills the verdict, and says so. */
void
session_act(const struct milter_message *m, const struct job *job,
    enum action_cause cause, struct milter_verdict *verdict)
{
	static const enum milter_action actions[] = {
		[ACTION_ACCEPT] = MILTER_ACCEPT,
		[ACTION_DISCARD] = MILTER_DISCARD,
		[ACTION_QUARANTINE] = MILTER_QUARANTINE,
		[ACTION_REJECT] = MILTER_REJECT,
		[ACTION_TEMPFAIL] = MILTER_TEMPFAIL,
	};
	const struct action_policy policy = action_policy_of(job->settings);
	enum action action = action_decide(&policy, cause);
	struct action_reply reply = action_reply(action, cause);

	verdict->action = actions[action];
	verdict->text = reply.text;
	if (action == ACTION_REJECT || action == ACTION_TEMPFAIL) {
		verdict->code = reply.code;
		verdict->enhanced = reply.enhanced;
	}
	if (action != ACTION_ACCEPT)
		log_info("%s: action=%s cause=\"%s\"", session_queue_id(m),
		    action_name(action), reply.text);
}

static void
end_signing(
    struct milter_message *m, struct job *job, struct milter_verdict *verdict)
{
	const char *values[SIGNPLAN_KEYS_MAX];
	struct err err;
	int count = signing_end(job->signing, values, &err);

	if (count < 0) {
		log_warn("%s: DKIM signing error: %s", session_queue_id(m),
		    err.text);
		session_act(m, job, ACTION_SIGNATURE_ERROR, verdict);
		return;
	}
	if (job->settings->options->remove_old_signatures)
		remove_signatures(m);
	for (int i = 0; i < count; i++) {
		milter_insert(m, "DKIM-Signature", values[i]);
		if (job->settings->options->syslog_success)
			log_info("%s: DKIM-Signature field added (s=%s, d=%s)",
			    session_queue_id(m), job->plan.keys[i].selector,
			    job->plan.keys[i].domain);
	}
}

/* RequiredHeaders refuses what is no message. Returns true when it did. */
static bool
refuse(const struct milter_message *m, const struct job *job,
    struct milter_verdict *verdict)
{
	const char *text;

	if (!job->settings->options->required_headers ||
	    job->settings->options->ignore_malformed_mail || m->header_cut)
		return false;
	text = required_problem(m->fields, m->field_count);
	if (text == NULL)
		return false;
	*verdict = (struct milter_verdict){
		.action = MILTER_REJECT,
		.code = "550",
		.enhanced = "5.6.0",
		.text = text,
	};
	log_info("%s: action=reject cause=\"%s\"", session_queue_id(m), text);
	return true;
}

static void
add_software_field(struct milter_message *m, const struct job *job)
{
	char text[512];
	struct str s;

	if (!job->settings->options->software_header)
		return;
	str_init(&s, text, sizeof(text));
	str_addf(
	    &s, "dkimd %s %s ", POSTERN_VERSION, session_authserv_id(m, job));
	str_add_escaped(&s, m->queue_id, strlen(m->queue_id), "");
	milter_insert(m, "DKIM-Filter", text);
}

static void
on_end(void *arg, struct milter_message *m, struct milter_verdict *verdict)
{
	struct job *job = m->work;

	(void)arg;
	if (job->is_peer)
		return;
	remove_claims(m, job);
	if (has_claims_left(m, job, verdict) || refuse(m, job, verdict))
		return;
	switch (job->kind) {
	case JOB_PASS:
		return;
	case JOB_SIGN:
		end_signing(m, job, verdict);
		break;
	case JOB_VERIFY:
		session_verify_end(m, job, verdict);
		break;
	case JOB_REPORT:
		session_verify_report(m, job, verdict);
		break;
	case JOB_FAILED:
		log_warn(
		    "%s: not signed: %s", session_queue_id(m), job->problem);
		session_act(m, job, job->cause, verdict);
		break;
	}
	add_software_field(m, job);
}

static void
on_done(void *arg, struct milter_message *m)
{
	struct job *job = m->work;

	(void)arg;
	verify_free(&job->verify);
	signing_free(&job->signing);
	settings_release(&job->settings);
	m->work = NULL;
}

struct milter_hooks
session_hooks(struct server *server)
{
	return (struct milter_hooks){
		.header_end = on_header_end,
		.body = on_body,
		.end = on_end,
		.done = on_done,
		.arg = server,
	};
}
