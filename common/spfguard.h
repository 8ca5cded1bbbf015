/* SPDX-License-Identifier: ISC */
/*
 * spfguard.h - one SPF evaluation: libspf2 behind a guard
 *
 * libspf2 evaluates, but sees no byte that a stranger wrote. It is given
 * records of our own making for domains of our own naming: each term that
 * asks DNS becomes "a:t7.invalid", "include:t8.invalid" and so on, terms that
 * cannot match this client are left out, and one that does match by itself
 * (ip4, ip6, all) ends the record as "all". What t7 stands for, what may be
 * asked for it and what came of it is in the ledger (spfledger.h); the
 * library's verdict must agree with it.
 *
 * Why: fed with records from DNS, libspf2 fails more than half of the public
 * test suite, drops the end of long records, has no limit of lookups, and
 * its macro compiler can be crashed (CVE-2023-42118).
 *
 * Threads: any, one guard per thread.
 */
#ifndef POSTERN_COMMON_SPFGUARD_H
#define POSTERN_COMMON_SPFGUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ip.h"
#include "common/spf.h"
#include "common/spfanswers.h"
#include "common/spfmacro.h"

/* Limits of RFC 7208 section 4.6.4. */
#define SPFGUARD_LOOKUPS_MAX 10
#define SPFGUARD_MX_MAX 10
#define SPFGUARD_PTR_MAX 10

struct spfguard; /* a libspf2 server with its hooks */

/* What to evaluate; all borrowed. Domains are A-labels. */
struct spfguard_input {
	struct ip ip;
	const char *sender_local;  /* "postmaster" when there is none */
	const char *sender_domain; /* the domain that is checked */
	const char *helo;
	const char *receiver;
	int64_t now_s;
	unsigned void_limit;
	spf_trace *trace; /* or NULL */
	void *trace_arg;
};

/* As struct spf_output. */
struct spfguard_output {
	enum spf_result result;
	unsigned lookups, void_lookups;
	unsigned uses; /* SPFMACRO_USE_*: what else the result hangs on */
	char mechanism[256];
	char problem[256];
	char explanation[SPFMACRO_TEXT_SIZE];
};

/* Makes a guard. Returns NULL with err. */
struct spfguard *spfguard_new(struct err *err);

/* Frees it; sets *guard to NULL, which it may be already. */
void spfguard_free(struct spfguard **guard);

/* Evaluates on the answers that are there. Returns false when some are
 * missing: they are now questions in the table, and this is to be called
 * again once one of them has an answer. Returns true with *output_r. */
bool spfguard_check(struct spfguard *guard, const struct spfguard_input *input,
    struct spfanswers *answers, struct spfguard_output *output_r);

#endif
