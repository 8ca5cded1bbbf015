/* SPDX-License-Identifier: ISC */
/*
 * spforacle.h - a small SPF evaluator, to compare the real one with
 *
 * Straight from RFC 7208 sections 4 and 5 on top of spfrecord and spfmacro;
 * shares nothing with spfledger and libspf2. For tests only.
 *
 * Threads: any.
 */
#ifndef POSTERN_TESTS_ORACLE_SPFORACLE_H
#define POSTERN_TESTS_ORACLE_SPFORACLE_H

#include "common/spfguard.h"

/* As spfguard_check: false when answers are missing. mechanism and trace are
 * not served. */
bool spforacle_check(const struct spfguard_input *input,
    struct spfanswers *answers, struct spfguard_output *output_r);

#endif
