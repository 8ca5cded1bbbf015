/* SPDX-License-Identifier: ISC */
/*
 * ctl_survey.h - an SPF record with all that it refers to, as a tree
 *
 * An evaluation stops at the first match; this looks everything up that any
 * client could make a receiver look up, so that the limits of RFC 7208
 * section 4.6.4 can be judged. Names that depend on the mail (macros other
 * than %{d}) cannot be looked up. Loops and very large trees end.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_CTL_SURVEY_H
#define POSTERN_SPFD_CTL_SURVEY_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/dns.h"
#include "common/spfrecord.h"

enum ctl_survey_state {
	CTL_SURVEY_UNKNOWN, /* not looked up, or not yet */
	CTL_SURVEY_RECORD,  /* there is one good record */
	CTL_SURVEY_NONE,
	CTL_SURVEY_SEVERAL,
	CTL_SURVEY_BROKEN,    /* see fault */
	CTL_SURVEY_TEMPORARY, /* DNS failed */
	CTL_SURVEY_LOOP,      /* a record further up, once more */
};

/* One question of DNS. */
struct ctl_survey_lookup {
	struct ctl_survey_lookup *next; /* of the same term */
	const char *name;
	enum dnspacket_type type;
	bool asked; /* false: offline, or too many */
	enum dns_status status;
	size_t count;
	const char *text; /* records, escaped, ", " between them */
	bool member;      /* addresses of an MX host */
};

struct ctl_survey_node;

/* A term that asks DNS. */
struct ctl_survey_term {
	const struct spfrecord_term *term; /* NULL = redirect */
	struct spfrecord_text source;
	const char *name; /* NULL = depends on the mail, or unknown */
	struct ctl_survey_lookup *lookups; /* in the order of asking */
	struct ctl_survey_node *inner;     /* include, redirect; else NULL */
};

/* A record. */
struct ctl_survey_node {
	const struct ctl_survey_node *parent; /* NULL = where it begins */
	const char *domain;                   /* A-labels; "" = unknown */
	unsigned depth;
	bool top; /* its exp= counts */
	enum ctl_survey_state state;
	enum dns_status status; /* for NONE: of the question */
	const char *text;       /* RECORD, BROKEN, SEVERAL: the (first) one */
	size_t len;
	struct spfrecord_fault fault;
	const struct spfrecord *record;
	size_t reachable; /* its terms before and with the first "all" */
	struct ctl_survey_term *terms; /* reachable ones that ask DNS */
	size_t count;
	struct ctl_survey_lookup *exp; /* NULL = none to be looked up */
	bool exp_good; /* it is one text, and its macros are good */
};

/* What a client that matches nothing costs. */
struct ctl_survey_sum {
	unsigned lookups;  /* terms that ask DNS */
	unsigned voids[2]; /* lookups that find nothing: for an IPv4, for
				 * an IPv6 client */
	bool temporary;    /* DNS failed somewhere */
};

struct ctl_survey;

/* Begins with a domain's record. done(arg) is called when all is there, after
 * this returned. dns is borrowed. */
struct ctl_survey *ctl_survey_domain(
    struct dns *dns, const char *domain, void (*done)(void *arg), void *arg);

/* Begins with a record given as text of len bytes (copied); domain may be "".
 * dns may be NULL: then nothing is asked. When there is nothing to ask done
 * is not called: see ctl_survey_is_done. */
struct ctl_survey *ctl_survey_text(struct dns *dns, const char *domain,
    const char *text, size_t len, void (*done)(void *arg), void *arg);

/* Is all there? */
bool ctl_survey_is_done(const struct ctl_survey *survey);

/* The tree; valid until ctl_survey_free. */
const struct ctl_survey_node *ctl_survey_root(const struct ctl_survey *survey);

/* Frees it; sets *survey to NULL, which it may be already. Only when it is
 * done, or its resolver was freed before. */
void ctl_survey_free(struct ctl_survey **survey);

/* Adds up a node with all below it. */
struct ctl_survey_sum ctl_survey_sum(const struct ctl_survey_node *node);

#endif
