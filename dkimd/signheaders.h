/* SPDX-License-Identifier: ISC */
/*
 * signheaders.h - which fields of the header a new signature covers
 *
 * SignHeaders minus OmitHeaders, and always From; OversignHeaders besides.
 * Each list is a dataset of names and replaces the default, unless it has
 * the entry "*" (or only entries with a sign): then "+name" adds to the
 * default and "-name" takes from it. "." is the empty list.
 *
 * Sources: RFC 6376 section 5.4.
 * Threads: any, once made.
 */
#ifndef POSTERN_DKIMD_SIGNHEADERS_H
#define POSTERN_DKIMD_SIGNHEADERS_H

#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/header.h"

#include "dkimd/dataset.h"

struct signheaders;

/* Makes the lists; each dataset may be NULL: the default. They are not kept.
 * Returns NULL with err. */
struct signheaders *signheaders_new(const struct dataset *sign,
    const struct dataset *omit, const struct dataset *oversign,
    struct err *err);

/* Frees them; sets *lists to NULL. */
void signheaders_free(struct signheaders **lists);

/* Is a field of this name signed? */
bool signheaders_has(
    const struct signheaders *lists, const struct header_field *field);

/* Puts the fields to sign into chosen_r (room for count), in order. Returns
 * how many. */
size_t signheaders_choose(const struct signheaders *lists,
    const struct header_field *fields, size_t count,
    const struct header_field **chosen_r);

/* The names to sign once more than they occur. Returns how many. */
size_t signheaders_oversign(
    const struct signheaders *lists, const char *const **names_r);

#endif
