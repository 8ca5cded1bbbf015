/* SPDX-License-Identifier: ISC */
/*
 * spf_int.h - what the files of spf share
 *
 * Threads: any.
 */
#ifndef POSTERN_COMMON_SPF_INT_H
#define POSTERN_COMMON_SPF_INT_H

#include "common/arena.h"
#include "common/spfguard.h"

/* The most questions of one check: ten MX with ten hosts each, and records. */
#define SPF_CHECK_QUESTIONS_MAX 120

/* Makes what the guard needs from what a mail server knows: who is to be
 * checked (RFC 7208 sections 2.3, 2.4 and 4.3), domains as A-labels. It lies
 * in arena. Returns false when there is nothing to check, which is the
 * result "none"; sender_domain is then "". */
bool spf_prepare(const struct spf_input *input, struct arena *arena,
    struct spfguard_input *guarded_r);

#endif
