/* SPDX-License-Identifier: ISC */
/*
 * spfledger_int.h - what the files of spfledger share
 *
 * Threads: as spfledger.h.
 */
#ifndef POSTERN_COMMON_SPFLEDGER_INT_H
#define POSTERN_COMMON_SPFLEDGER_INT_H

#include "common/spfledger.h"

/* Stops the ledger, with the sentence that becomes the problem (escaped).
 * The first reason stays. */
void spfledger_halt(struct spfledger *ledger, enum spfledger_stop why,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Adds a target and returns its number. term NULL = redirect. */
size_t spfledger_add(struct spfledger *ledger, struct spfledger_frame *frame,
    const struct spfrecord_term *term);

/* Asks the table; a missing answer stops the ledger. Names that cannot be
 * asked for do not exist. */
struct spfanswers_answer spfledger_ask(
    struct spfledger *ledger, const char *name, enum dnspacket_type type);

/* The evaluator has come to the target: counts it and expands its name.
 * Returns whether there is something to ask. */
bool spfledger_open(struct spfledger *ledger, struct spfledger_target *target);

/* What macros stand for in a record at domain. */
struct spfmacro_values spfledger_values(
    const struct spfledger *ledger, const char *domain);

/* The name to ask for the client's names (section 5.5). */
void spfledger_reverse_name(
    const struct spfledger *ledger, char out[static SPFMACRO_DOMAIN_SIZE]);

/* The client's validated name for "%{p}" at domain, or NULL. */
const char *spfledger_validated(struct spfledger *ledger, const char *domain);

/* Expands a domain-spec of a record at domain; out is "" when nothing can be
 * asked for. */
void spfledger_expand(struct spfledger *ledger, const char *domain,
    struct spfrecord_text spec, char out[static SPFMACRO_DOMAIN_SIZE]);

/* May terms with this domain-spec match at all (RFC 8616 section 4)? */
bool spfledger_may_match(
    const struct spfledger *ledger, struct spfrecord_text spec);

/* Do the books say that the record of frame passes? */
bool spfledger_passes(
    const struct spfledger *ledger, const struct spfledger_frame *frame);

/* The type of the client's addresses: A or AAAA. */
enum dnspacket_type spfledger_address_type(const struct spfledger *ledger);

/* The result that a qualifier stands for. */
enum spf_result spfledger_qualified(char qualifier);

#endif
