/* SPDX-License-Identifier: ISC */
/*
 * spf.h - check_host() of RFC 7208 without blocking: libspf2 behind a guard
 *
 * The unmodified library evaluates; it never sees text from DNS that
 * spfrecord.c has not parsed and spfguard.c not rewritten, and DNS only
 * through our own layer with the budgets of section 4.6.4. When an answer is
 * missing the evaluation unwinds, the question goes out on the loop, and the
 * evaluation runs again from the start on the answers that this check holds
 * ("restart-replay"): deterministic, without threads. What the first record
 * names without macros, and the hosts of an mx, are asked side by side.
 *
 * A verdict is kept, and given again to the same question, as long as the
 * shortest-lived answer of DNS that it rests on (spfcache.h); one that rests
 * on a failure of DNS is not.
 *
 * Limits: 10 terms that ask DNS, 2 void lookups (void_limit), 10 MX, 10 PTR
 * names, timeout_ms per check, 120 questions per check.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_COMMON_SPF_H
#define POSTERN_COMMON_SPF_H

#include <stdbool.h>
#include <stdint.h>

#include "common/dns.h"
#include "common/ip.h"
#include "common/spfmacro.h"

struct spf;       /* the evaluator: one per process */
struct spf_check; /* one check under way */

/* RFC 7208 section 2.6. */
enum spf_result {
	SPF_CHECK_NONE,
	SPF_CHECK_NEUTRAL,
	SPF_CHECK_PASS,
	SPF_CHECK_FAIL,
	SPF_CHECK_SOFTFAIL,
	SPF_CHECK_TEMPERROR,
	SPF_CHECK_PERMERROR,
};

enum spf_identity {
	SPF_CHECK_HELO,
	SPF_CHECK_MAILFROM, /* with a null sender: postmaster@helo */
};

struct spf_input {
	enum spf_identity identity;
	struct ip ip;
	const char *helo;     /* "" when none; copied */
	const char *sender;   /* MAIL FROM without <>, "" = null; copied */
	const char *receiver; /* our host name, for %{r}; copied */
	int64_t timeout_ms;   /* 20000 */
	unsigned void_limit;  /* 2 */
};

struct spf_output {
	enum spf_result result;
	const char *domain;      /* that was checked, A-labels, "" if none */
	const char *mechanism;   /* that matched ("ip4:192.0.2.0/24"), "default"
				 * or "" */
	const char *problem;     /* for temperror and permerror: one sentence,
				 * printable; else "" */
	const char *explanation; /* of a fail, by the domain's owner,
					 * printable ASCII; "" when none */
	unsigned lookups;        /* terms that asked DNS, of 10 */
	unsigned void_lookups;
	unsigned questions; /* DNS questions in all */
};

typedef void spf_callback(void *arg, const struct spf_output *output);

/* Told about each step of an evaluation that was finished: depth of include,
 * the term or lookup, and what came of it; for spfctl. */
typedef void spf_trace(
    void *arg, unsigned depth, const char *what, const char *outcome);

/* Makes the evaluator. dns is borrowed. Returns NULL with err. */
struct spf *spf_new(struct dns *dns, struct err *err);

/* Frees it; checks under way are cancelled. Sets *spf to NULL. */
void spf_free(struct spf **spf);

/* Finds the verdict of a check that need not be made, because the last one
 * still holds. Valid until the next call with spf. */
bool spf_known(struct spf *spf, const struct spf_input *input,
    struct spf_output *output_r);

/* Forgets the verdicts that are kept. */
void spf_forget(struct spf *spf);

/* Starts a check. callback is called exactly once, after this returned,
 * unless cancelled; output is valid until it returns. */
struct spf_check *spf_start(struct spf *spf, const struct spf_input *input,
    spf_callback *callback, void *arg);

/* Asks for the trace of this check, which is made in any case; call it right
 * after spf_start. */
void spf_set_trace(struct spf_check *check, spf_trace *trace, void *arg);

/* Cancels: callback will not be called. Sets *check to NULL, which it may be
 * already. */
void spf_cancel(struct spf_check **check);

/* Checks under way. */
unsigned spf_open(const struct spf *spf);

/* "none", "neutral", "pass" and so on. */
const char *spf_result_name(enum spf_result result);

#endif
