/* SPDX-License-Identifier: ISC */
/*
 * ctl_advice.h - what the owner of an SPF record should be told about it
 *
 * An error makes receivers answer permerror for some or all clients; a
 * warning is about what works and is not meant, or not wise.
 *
 * Sources: RFC 7208, above all sections 3, 4.6.4, 5 and 10.1.
 * Threads: any; pure.
 */
#ifndef POSTERN_SPFD_CTL_ADVICE_H
#define POSTERN_SPFD_CTL_ADVICE_H

#include <stddef.h>

#include "common/arena.h"
#include "spfd/ctl_survey.h"

enum ctl_advice_level {
	CTL_ADVICE_WARNING,
	CTL_ADVICE_TEMPORARY, /* DNS failed: ask again later */
	CTL_ADVICE_NONE,      /* there is no record at all */
	CTL_ADVICE_ERROR,
};

struct ctl_advice {
	struct ctl_advice *next;
	enum ctl_advice_level level;
	const char *code; /* for programs: "no-all"; see spfctl(8) */
	const struct ctl_survey_node *node; /* whose record it is about */
	size_t offset, len; /* the place in its text; len 0 = none */
	const char *text;   /* printable */
};

/* Judges the tree below root. Returns the first of a list in arena, or NULL.
 * The limit of lookups is RFC 7208's. */
const struct ctl_advice *ctl_advice_make(const struct ctl_survey_node *root,
    unsigned void_limit, struct arena *arena);

/* The highest level of a list that is not empty. */
enum ctl_advice_level ctl_advice_worst(const struct ctl_advice *first);

/* "warning", "temporary", "none", "error". */
const char *ctl_advice_level_name(enum ctl_advice_level level);

#endif
