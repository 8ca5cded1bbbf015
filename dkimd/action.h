/* SPDX-License-Identifier: ISC */
/*
 * action.h - the On-* options: what becomes of a message, given the results
 *
 * A signature that passes settles it: the message is accepted, whatever other
 * signatures say (RFC 6376 section 6.1). Otherwise the first of these that is
 * the case decides:
 *
 *     we could not compute (memory)                     On-InternalError
 *     a key could not be asked for, and the signature
 *       is the author's own                             On-DNSError
 *     a signature is wrong, expired or unusable         On-BadSignature
 *     the key of a signature does not exist             On-KeyNotFound
 *     there is no signature that could be looked at     On-NoSignature
 *
 * A signature by a key in test mode (t=y) counts as none there was, and
 * one that policy refuses as wrong.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_ACTION_H
#define POSTERN_DKIMD_ACTION_H

#include "dkimd/outcome.h"

/* In the words and the order of the options. */
enum action {
	ACTION_ACCEPT,
	ACTION_DISCARD,
	ACTION_QUARANTINE,
	ACTION_REJECT,
	ACTION_TEMPFAIL,
};

/* One field per option. */
struct action_policy {
	enum action bad_signature;
	enum action dns_error;
	enum action internal_error;
	enum action key_not_found;
	enum action no_signature;
	enum action security;
	enum action signature_error; /* signing failed */
};

/* What is the case. */
enum action_cause {
	ACTION_FINE,
	ACTION_BAD_SIGNATURE,
	ACTION_DNS_ERROR,
	ACTION_INTERNAL_ERROR,
	ACTION_KEY_NOT_FOUND,
	ACTION_NO_SIGNATURE,
	ACTION_SECURITY,
	ACTION_SIGNATURE_ERROR,
};

/* The cause by the outcomes of all signatures. */
enum action_cause action_cause(const struct outcome *outcomes, size_t count);

/* What policy says to it; ACTION_FINE is accepted. */
enum action action_decide(
    const struct action_policy *policy, enum action_cause cause);

/* A decision's reply to the client; texts are static. */
struct action_reply {
	const char *code;     /* "550", "451" */
	const char *enhanced; /* "5.7.20" (RFC 7372 section 3.1) */
	const char *text;
};

/* The reply of ACTION_REJECT and ACTION_TEMPFAIL, and the text of
 * ACTION_QUARANTINE. */
struct action_reply action_reply(enum action action, enum action_cause cause);

/* "accept", "discard", ... */
const char *action_name(enum action action);

#endif
