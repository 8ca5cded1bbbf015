/* SPDX-License-Identifier: ISC */
/*
 * answer.h - from findings to Postfix's action and the line in the log
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_SPFD_ANSWER_H
#define POSTERN_SPFD_ANSWER_H

#include "spfd/findings.h"
#include "spfd/header.h"
#include "spfd/policy.h"
#include "spfd/settings.h"
#include "spfd/text.h"

/* Room for an action with its NUL. */
#define ANSWER_SIZE (HEADER_SIZE + 32)

/* Who asks; texts are never NULL. */
struct answer_request {
	const char *client;         /* the address that was checked */
	const char *client_address; /* as Postfix gave it */
	const char *client_name;
	const char *helo;
	const char *sender;
	const char *recipient;
	const char *queue_id;
};

struct answer {
	char action[ANSWER_SIZE];
	char log[TEXT_LOG_SIZE];
};

/* Decides by policy and writes action and log line. A header counts as given
 * in findings. */
void answer_make(const struct settings *settings, const struct policy *policy,
    const struct answer_request *request, struct findings *findings,
    struct answer *answer);

/* The answer when nothing was looked at: action as it is, reason for the
 * log. */
void answer_without(const struct settings *settings, const char *action,
    const char *reason, const struct answer_request *request,
    struct answer *answer);

#endif
