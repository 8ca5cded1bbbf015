/* SPDX-License-Identifier: ISC */
/*
 * header.h - Received-SPF, Authentication-Results and X-Comment, as one line
 *
 * Values are written as the grammar wants them: a plain word or domain as it
 * is, all else (IPv6 addresses, mail addresses) as a quoted-string, with
 * control and 8-bit bytes as "?". Comments are cut, values are not: one that
 * has no room in a line of 998 bytes is left out.
 *
 * The lines are ASCII, whatever the session is: Postfix does not tell a policy
 * server whether it is one with SMTPUTF8, and in a message without it a field
 * with UTF-8 is an error, while ASCII is right in both. So domains have
 * A-labels (RFC 8616, RFC 8601 section 2.2). A local part has no such
 * form and is left out of envelope-from where it is not ASCII: "@DOMAIN" is
 * the domain that was checked, and nobody else's address. Authentication-
 * Results has no local part at all, as RFC 8601 allows.
 *
 * Sources: RFC 7208 section 9, RFC 8601 section 2.2, RFC 8616.
 * Threads: any; pure.
 */
#ifndef POSTERN_SPFD_HEADER_H
#define POSTERN_SPFD_HEADER_H

#include "common/spf.h"

#include "spfd/findings.h"

/* Room for a header with its NUL (RFC 5322 section 2.1.1). */
#define HEADER_SIZE 990

/* What headers tell; texts are never NULL. */
struct header_facts {
	const struct finding *finding; /* for the first two */
	enum spf_identity identity;
	const char *client;   /* the address that was checked */
	const char *helo;     /* "" = none */
	const char *sender;   /* "" = null */
	const char *receiver; /* the recipient's domain; "" = hidden */
	const char *hostname; /* ours */
	const char *authserv_id;
};

/* "Received-SPF: Pass (...) identity=mailfrom; ..." */
void header_received_spf(
    const struct header_facts *facts, char out[static HEADER_SIZE]);

/* "Authentication-Results: ID; spf=pass (...) smtp.mailfrom=DOMAIN" */
void header_authres(
    const struct header_facts *facts, char out[static HEADER_SIZE]);

/* Why nothing was checked: "X-Comment: SPF check N/A for local connections -
 * client-ip=...; ...". facts->finding is not looked at. */
void header_bypass(const struct header_facts *facts,
    enum findings_bypass bypass, char out[static HEADER_SIZE]);

/* The same as "Authentication-Results: ID; none (...)". */
void header_bypass_authres(const struct header_facts *facts,
    enum findings_bypass bypass, char out[static HEADER_SIZE]);

#endif
