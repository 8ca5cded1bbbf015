/* SPDX-License-Identifier: ISC */
#include "common/authres.h"
#include "common/log.h"
#include "common/now.h"
#include "common/spfidn.h"

#include "dkimd/report.h"
#include "dkimd/required.h"
#include "dkimd/session_int.h"
#include "dkimd/verify_config.h"

/* What makes every result of this message worthless, or NULL. */
static const char *
whole_problem(const struct milter_message *m, const struct options *options)
{
	if (m->header_cut)
		return SESSION_TOO_MUCH;
	if (options->strict_headers)
		return required_problem(m->fields, m->field_count);
	return required_author_problem(m->fields, m->field_count);
}

/* The authors of the message, with the domains in A-labels, as signatures
 * have them. Returns how many, 0 when nobody can tell. */
static size_t
find_authors(struct milter_message *m, struct mailbox **authors_r)
{
	const struct header_field *from =
	    header_first(m->fields, m->field_count, "From");
	char domain[SPFIDN_SIZE];
	struct err err;
	int count = mailbox_parse_list(
	    from->value, from->value_len, m->arena, authors_r, &err);

	if (count < 0)
		log_info(
		    "%s: can't parse From: %s", session_queue_id(m), err.text);
	for (int i = 0; i < count; i++)
		if (spfidn_to_ascii((*authors_r)[i].domain, domain))
			(*authors_r)[i].domain = arena_strdup(m->arena, domain);
	return count < 0 ? 0 : (size_t)count;
}

void
session_verify_begin(struct milter_message *m, struct job *job)
{
	const struct options *options = job->settings->options;
	struct mailbox *authors = NULL;
	size_t author_count;

	job->problem = whole_problem(m, options);
	if (job->problem != NULL) {
		job->kind = JOB_REPORT;
		return;
	}
	author_count = find_authors(m, &authors);
	job->kind = JOB_VERIFY;
	job->deadline_us =
	    now_mono_us() + options->dns.question_timeout_s * 1000000;
	verify_config_fill(
	    job->settings, m->arena, &job->policy, &job->verify_config);
	job->verify_config.engine = server_engine(job->server);
	job->verify_config.lookup = server_lookup(job->server);
	job->verify_config.now = now_wall_s();
	job->verify = verify_new(&job->verify_config, m->fields, m->field_count,
	    authors, author_count, m->arena);
}

static void
log_outcomes(const struct milter_message *m, const struct job *job,
    const struct outcome *outcomes, size_t count)
{
	const struct options *options = job->settings->options;
	char text[REPORT_LOG_SIZE];
	struct str s;

	for (size_t i = 0; i < count; i++) {
		if (outcomes[i].result == RESULT_PASS &&
		    !options->syslog_success && !options->log_results)
			continue;
		str_init(&s, text, sizeof(text));
		report_log(&s, &outcomes[i]);
		log_info("%s: %s", session_queue_id(m), text);
	}
}

/* Adds the results: of count outcomes, or of the problem. */
static void
add_results(struct milter_message *m, const struct job *job,
    const struct outcome *outcomes, size_t count)
{
	const struct options *options = job->settings->options;
	const struct report_options report = {
		.authserv_id = session_authserv_id(m, job),
		.job_id = options->authserv_id_with_job_id ? m->queue_id : NULL,
		.without_b = options->no_header_b,
	};
	char *text;
	struct str s;

	if (count == 0 && job->problem == NULL &&
	    !options->always_add_ar_header)
		return;
	text = arena_alloc(m->arena, REPORT_SIZE);
	str_init(&s, text, REPORT_SIZE);
	report_field(&s, &report, outcomes, count, job->problem);
	milter_insert(m, AUTHRES_NAME, text);
}

static bool
progress(void *arg)
{
	return milter_progress(arg);
}

void
session_verify_end(
    struct milter_message *m, struct job *job, struct milter_verdict *verdict)
{
	size_t count;
	const struct outcome *outcomes = verify_end(
	    job->verify, m->body_bytes, job->deadline_us, progress, m, &count);

	log_outcomes(m, job, outcomes, count);
	add_results(m, job, outcomes, count);
	session_act(m, job, action_cause(outcomes, count), verdict);
}

/* Without usable results a signature counts as a bad one. */
void
session_verify_report(
    struct milter_message *m, struct job *job, struct milter_verdict *verdict)
{
	enum action_cause cause = ACTION_NO_SIGNATURE;

	log_info("%s: not verified: %s", session_queue_id(m), job->problem);
	if (m->header_cut)
		cause = ACTION_SECURITY;
	else if (header_first(m->fields, m->field_count, "DKIM-Signature") !=
		 NULL)
		cause = ACTION_BAD_SIGNATURE;
	if (m->header_cut || !job->settings->options->ignore_malformed_mail)
		add_results(m, job, NULL, 0);
	session_act(m, job, cause, verdict);
}
