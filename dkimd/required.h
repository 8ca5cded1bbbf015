/* SPDX-License-Identifier: ISC */
/*
 * required.h - RequiredHeaders: fields that must be there once, and those
 * that may be there at most once
 *
 * Sources: RFC 5322 section 3.6.
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_REQUIRED_H
#define POSTERN_DKIMD_REQUIRED_H

#include <stddef.h>

#include "common/header.h"

/* What is wrong with the number of fields, a static text such as "From field
 * is missing"; NULL = nothing. */
const char *required_problem(const struct header_field *fields, size_t count);

/* The same for From alone: without it, or with two, no result would mean
 * anything. */
const char *required_author_problem(
    const struct header_field *fields, size_t count);

#endif
