/* SPDX-License-Identifier: ISC */
/*
 * report.h - the outcome of one load, for people and for programs
 */
#ifndef POSTERN_TESTS_BENCH_REPORT_H
#define POSTERN_TESTS_BENCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/bench/load.h"
#include "tests/bench/procstat.h"

struct report {
	const char *target;
	size_t connections;
	size_t idle;            /* connections held open beside the load */
	uint64_t idle_answered; /* of them, how many answered at the end */
	uint64_t failures;      /* wrong and missing replies of all phases */
	double generator_us;    /* CPU of the generator per request */
	struct load_result load;
	bool has_server;        /* the rest is known */
	struct procstat before; /* the server, at the ends of the load */
	struct procstat after;
};

/* Print some lines for people on standard output. */
void report_people(const struct report *report);

/* Print one line of JSON on standard output; times are in microseconds,
 * memory in KiB. */
void report_json(const struct report *report);

#endif
