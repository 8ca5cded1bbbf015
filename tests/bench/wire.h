/* SPDX-License-Identifier: ISC */
/*
 * wire.h - the policy protocol as the benchmark speaks it
 *
 * Written anew, not shared with the daemons: a generator that used their
 * parser could not see its mistakes.
 */
#ifndef POSTERN_TESTS_BENCH_WIRE_H
#define POSTERN_TESTS_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "tests/bench/triplet.h"

enum {
	WIRE_REQUEST = 2048, /* longest request with its NUL */
	WIRE_REPLY = 1024,   /* longest reply that is accepted */
};

enum wire_class {
	WIRE_PARTIAL, /* the reply is not complete yet */
	WIRE_PASS,    /* DUNNO or PREPEND */
	WIRE_DEFER,   /* DEFER, DEFER_IF_PERMIT, or a 4xx code */
	WIRE_OTHER,   /* well-formed, and neither */
	WIRE_BROKEN,  /* not one action line and one empty line */
};

/*
 * Write the RCPT request for triplet to buf, with every attribute that
 * Postfix 3.7 sends; serial makes its instance and port.  test_time_s > 0
 * adds policy_test_time, UNIX seconds.  Returns the length.
 * Source: Postfix SMTPD_POLICY_README.
 */
size_t wire_request(char buf[static WIRE_REQUEST],
    const struct triplet *triplet, uint64_t serial, int64_t test_time_s);

/* Say what the len bytes at reply are; nothing may follow the reply. */
enum wire_class wire_classify(const char *reply, size_t len);

#endif
