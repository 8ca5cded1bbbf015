/* SPDX-License-Identifier: ISC */
/*
 * claims.h - which Authentication-Results fields of a message are removed
 *
 * All that claim to come from our AuthservID, in any disguise (authres.h),
 * with or without a job id, and those of RemoveARFrom; but not what our policy
 * servers have put on top (PrependedResults).
 *
 * Sources: RFC 8601 section 5.
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_CLAIMS_H
#define POSTERN_DKIMD_CLAIMS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/header.h"

#include "dkimd/settings.h"

/* Marks in removed_r (room for count) the fields to remove. Returns how many
 * there are. */
size_t claims_find(const struct settings *settings, const char *authserv_id,
    const struct header_field *fields, size_t count, bool *removed_r);

#endif
