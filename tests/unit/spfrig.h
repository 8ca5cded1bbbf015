/* SPDX-License-Identifier: ISC */
/*
 * spfrig.h - a guard, a zone in memory and a client, for tests of SPF
 *
 * Zones are texts: "NAME TYPE DATA" lines.
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_UNIT_SPFRIG_H
#define POSTERN_TESTS_UNIT_SPFRIG_H

#include <stdlib.h>

#include "common/xmem.h"
#include "tests/oracle/spfzone.h"
#include "tests/unit/check.h"

struct spfrig {
	struct spfguard *guard;
	struct spfzone zone;
	struct spfguard_input input;
	struct spfguard_output output;
	struct spfguard_output oracle;
};

/* Adds one record of a line. */
static inline void
spfrig_add_line(struct spfrig *rig, char *line)
{
	char *name = strsep(&line, " "), *type = strsep(&line, " ");

	if (line == NULL)
		line = name + strlen(name);
	if (type == NULL ||
	    !spfzone_add(&rig->zone, name, type, line, strlen(line)))
		abort();
}

/* Adds the records of zone. */
static inline void
spfrig_add(struct spfrig *rig, const char *zone)
{
	char *copy = xmem_strdup(zone), *rest = copy, *line;

	while ((line = strsep(&rest, "\n")) != NULL) {
		if (*line != '\0')
			spfrig_add_line(rig, line);
	}
	xmem_free(&copy);
}

/* Starts with an empty zone; a@example.org from 192.0.2.1. */
static inline void
spfrig_open(struct spfrig *rig, const char *zone)
{
	struct err err;

	memset(rig, 0, sizeof(*rig));
	rig->guard = spfguard_new(&err);
	if (rig->guard == NULL)
		abort();
	rig->input = (struct spfguard_input){
		.ip = { IP_V4, { 192, 0, 2, 1 } },
		.sender_local = "a",
		.sender_domain = "example.org",
		.helo = "helo.example.org",
		.receiver = "mx.example.net",
		.now_s = 1700000000,
		.void_limit = 2,
	};
	spfrig_add(rig, zone);
}

static inline void
spfrig_close(struct spfrig *rig)
{
	spfzone_clear(&rig->zone);
	spfguard_free(&rig->guard);
}

/* Evaluates by both; they must agree. Returns the result's name. */
static inline const char *
spfrig_run(struct spfrig *rig)
{
	spfzone_check(&rig->zone, NULL, &rig->input, &rig->oracle);
	spfzone_check(&rig->zone, rig->guard, &rig->input, &rig->output);
	check_str("the oracle agrees", spf_result_name(rig->output.result),
	    spf_result_name(rig->oracle.result));
	check_str("also on the explanation", rig->output.explanation,
	    rig->oracle.explanation);
	return spf_result_name(rig->output.result);
}

#endif
