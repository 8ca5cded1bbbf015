/* SPDX-License-Identifier: ISC */
/*
 * spfledger.h - the books of one SPF evaluation
 *
 * Who asks for what, on whose account: each record met is a frame, each of
 * its terms that asks DNS (and its redirect) a target with a number. The
 * evaluator only knows the numbers. A target is opened when the evaluator
 * comes to it: only then its macros are expanded, its lookup is counted
 * (RFC 7208 section 4.6.4) and DNS is asked. When an answer is missing or a
 * limit is broken the ledger is stopped, and answers nothing from then on.
 *
 * Nothing of libspf2 in here.
 *
 * Threads: any, one ledger per thread.
 */
#ifndef POSTERN_COMMON_SPFLEDGER_H
#define POSTERN_COMMON_SPFLEDGER_H

#include <stdbool.h>
#include <stddef.h>

#include "common/arena.h"
#include "common/spfanswers.h"
#include "common/spfguard.h"
#include "common/spfrecord.h"

/* A record is cut behind the term that breaks the limit of lookups: that is
 * a permerror whatever follows. */
#define SPFLEDGER_TERMS_MAX (SPFGUARD_LOOKUPS_MAX + 1)
/* The start, and the targets of all the records that can be opened. */
#define SPFLEDGER_TARGETS_MAX                                                  \
	(1 + (SPFGUARD_LOOKUPS_MAX + 1) * (SPFLEDGER_TERMS_MAX + 1))
/* Room for a record in the evaluator's words. */
#define SPFLEDGER_RECORD_SIZE 512

enum spfledger_stop {
	SPFLEDGER_GOES_ON,
	SPFLEDGER_MISSING,
	SPFLEDGER_NONE, /* no record where the check starts */
	SPFLEDGER_TEMPERROR,
	SPFLEDGER_PERMERROR,
};

struct spfledger_target {
	struct spfledger_frame *frame;     /* whose term it is; NULL = start */
	const struct spfrecord_term *term; /* NULL = redirect or start */
	bool opened;
	bool matched;     /* not for include: see its inner frame */
	const char *name; /* expanded when opened; "" = cannot be */
	struct spfledger_frame *inner;          /* include, redirect, start */
	const struct dnspacket_record *members; /* mx: its hosts */
	size_t member_count;
};

struct spfledger_frame {
	const char *domain;
	unsigned depth; /* of includes */
	bool top;       /* its exp= counts */
	const struct spfrecord *record;
	size_t first, count;                /* its targets, redirect last */
	const struct spfrecord_term *final; /* all, or a network that
						 * matches; or NULL */
};

struct spfledger {
	const struct spfguard_input *input;
	struct spfanswers *answers;
	struct arena *arena;
	enum spfledger_stop stop;
	unsigned lookups, void_lookups;
	unsigned *uses; /* SPFMACRO_USE_*; in the arena */
	char problem[256];
	struct spfledger_frame *exp_frame; /* whose exp= counts */
	size_t target_count;
	struct spfledger_target *targets;
};

/* What the evaluator is told about a lookup. */
struct spfledger_reply {
	bool found; /* else nothing, or the ledger is stopped */
	size_t count;
	const struct dnspacket_record *addresses; /* A or AAAA; NULL
				 * = the client's own, count is then 1 */
};

/* Opens the books. input and answers are borrowed; what the ledger needs it
 * takes from arena. The start is target 0. */
void spfledger_init(struct spfledger *ledger,
    const struct spfguard_input *input, struct spfanswers *answers,
    struct arena *arena);

/* The record of target number (start, include, redirect), rewritten; NULL
 * when the ledger is stopped. Valid as long as the arena. */
const char *spfledger_record(struct spfledger *ledger, size_t number);

/* The addresses for target number (a, exists, ptr). */
struct spfledger_reply spfledger_addresses(
    struct spfledger *ledger, size_t number);

/* How many hosts the mx of target number has. */
size_t spfledger_members(struct spfledger *ledger, size_t number);

/* The addresses of one of them. */
struct spfledger_reply spfledger_member(
    struct spfledger *ledger, size_t number, size_t member);

/* What the books say: the result, and the term that decided; NULL = none
 * did, and the result is neutral. For a ledger that goes on. */
enum spf_result spfledger_result(
    const struct spfledger *ledger, const struct spfrecord_term **term_r);

/* Gets the explanation of a fail; "" when there is none. May stop the ledger
 * for a missing answer. */
void spfledger_explain(
    struct spfledger *ledger, char out[static SPFMACRO_TEXT_SIZE]);

/* Tells input->trace all that happened. */
void spfledger_trace(
    const struct spfledger *ledger, const struct spfguard_output *output);

#endif
