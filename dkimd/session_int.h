/* SPDX-License-Identifier: ISC */
/*
 * session_int.h - what session.c (a message's way) and session_verify.c
 * (verifying) share; for these files only
 */
#ifndef POSTERN_DKIMD_SESSION_INT_H
#define POSTERN_DKIMD_SESSION_INT_H

#include "common/milter.h"

#include "dkimd/action.h"
#include "dkimd/server.h"
#include "dkimd/signing.h"
#include "dkimd/signplan.h"
#include "dkimd/verify.h"

/* Why a message past the limits of the header is not worked on. */
#define SESSION_TOO_MUCH "too much header data"

enum job_kind {
	JOB_PASS, /* nothing to do but to remove forged results */
	JOB_SIGN,
	JOB_VERIFY,
	JOB_REPORT, /* not verified: problem says why */
	JOB_FAILED, /* cause and problem say why */
};

/* What we know of a message; in its arena. */
struct job {
	struct server *server;
	struct settings *settings;
	enum job_kind kind;
	bool is_peer;
	struct signplan plan;
	struct signing *signing;
	struct verify *verify;
	struct verify_config verify_config;
	struct outcome_policy policy;
	const char *problem;
	enum action_cause cause; /* of JOB_FAILED */
	int64_t deadline_us;     /* of keys */
};

/* The queue id for the log, "NOQUEUE" where there is none. */
const char *session_queue_id(const struct milter_message *m);

/* Who speaks in our fields. */
const char *session_authserv_id(
    const struct milter_message *m, const struct job *job);

/* Does what policy says to cause: fills the verdict, and says so. */
void session_act(const struct milter_message *m, const struct job *job,
    enum action_cause cause, struct milter_verdict *verdict);

/* Begins to verify; job->kind becomes JOB_VERIFY or JOB_REPORT. */
void session_verify_begin(struct milter_message *m, struct job *job);

/* Ends JOB_VERIFY: results, log, verdict. */
void session_verify_end(
    struct milter_message *m, struct job *job, struct milter_verdict *verdict);

/* The same for JOB_REPORT. */
void session_verify_report(
    struct milter_message *m, struct job *job, struct milter_verdict *verdict);

#endif
