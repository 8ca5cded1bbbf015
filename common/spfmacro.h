/* SPDX-License-Identifier: ISC */
/*
 * spfmacro.h - macro expansion of SPF, bounded (RFC 7208 section 7)
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_COMMON_SPFMACRO_H
#define POSTERN_COMMON_SPFMACRO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ip.h"
#include "common/spfrecord.h"

/* Room for an expanded domain name with its NUL: names are cut from the left
 * to 253 characters at a label (section 7.3). */
#define SPFMACRO_DOMAIN_SIZE 256
/* Room for an explanation with its NUL. */
#define SPFMACRO_TEXT_SIZE 512

/* What an expansion has looked at, besides domains and addresses. */
enum spfmacro_use {
	SPFMACRO_USE_SENDER = 1, /* local part, HELO, receiver: l s h r */
	SPFMACRO_USE_TIME = 2,   /* t */
};

/* What the letters stand for. */
struct spfmacro_values {
	const char *sender_local;  /* l; never empty: "postmaster" */
	const char *sender_domain; /* o */
	const char *domain;        /* d: the current domain */
	const struct ip *ip;       /* i, c, v */
	const char *validated;     /* p: a validated name or "unknown";
					 * NULL = not known yet */
	const char *helo;          /* h */
	const char *receiver;      /* r, in explanations */
	int64_t now_s;             /* t, in explanations */
	unsigned *uses;            /* SPFMACRO_USE_* are added; may be NULL */
};

/* Does the text use %{p}? Then the validated name must be looked up. */
bool spfmacro_needs_validated(struct spfrecord_text text);

/* Does the text use the local part, %{l} or %{s}? With one that is not ASCII
 * such a term matches nothing (RFC 8616 section 4). */
bool spfmacro_needs_local(struct spfrecord_text text);

/* Expands a domain-spec that spfrecord_parse accepted. Returns false when
 * the result cannot be a domain name to ask for. The name has no dot at its
 * end. */
bool spfmacro_domain(struct spfrecord_text text,
    const struct spfmacro_values *values,
    char out[static SPFMACRO_DOMAIN_SIZE]);

/* Expands an explanation (a TXT record's text, so hostile): strict syntax,
 * ASCII only, cut at SPFMACRO_TEXT_SIZE, control characters refused. What
 * the macros stand for may hold such bytes; they become "?". Returns false
 * when the text has a fault; then there is no explanation, and out is "". */
bool spfmacro_explanation(const char *text, size_t len,
    const struct spfmacro_values *values, char out[static SPFMACRO_TEXT_SIZE]);

#endif
