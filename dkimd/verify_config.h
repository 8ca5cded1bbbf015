/* SPDX-License-Identifier: ISC */
/*
 * verify_config.h - from settings to how messages are verified
 *
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_VERIFY_CONFIG_H
#define POSTERN_DKIMD_VERIFY_CONFIG_H

#include "common/arena.h"

#include "dkimd/settings.h"
#include "dkimd/verify.h"

/* Fills config_r with what settings say, and policy_r, which is its policy.
 * Both borrow from settings and arena. engine, lookup and now are left to the
 * caller. */
void verify_config_fill(struct settings *settings, struct arena *arena,
    struct outcome_policy *policy_r, struct verify_config *config_r);

#endif
