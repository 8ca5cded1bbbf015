/* SPDX-License-Identifier: ISC */
/*
 * peruser.h - the file of Per_User: other policies for some recipients
 *
 * Recipients are compared without case, also the part before the "@".
 * "#" starts a comment. The first line of a recipient counts. What is wrong
 * in a line is reported with its number, and that line is left out.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_PERUSER_H
#define POSTERN_SPFD_PERUSER_H

#include <stddef.h>

#include "common/config.h"
#include "common/err.h"

#include "spfd/policy.h"

struct peruser;

/* Hears of each line that is left out: "FILE:LINE: what". */
typedef void peruser_fault_fn(void *arg, const char *text);

/* Reads the file; what a line does not set is as in base. Returns NULL with
 * err when it cannot be read. */
struct peruser *peruser_load(const char *path, const struct config *base,
    peruser_fault_fn *fault, void *arg, struct err *err);

/* The same from text in memory; name stands for the path. */
struct peruser *peruser_parse(const char *name, const char *text, size_t len,
    const struct config *base, peruser_fault_fn *fault, void *arg);

/* Frees it; sets *peruser to NULL. */
void peruser_free(struct peruser **peruser);

/* The policy of this recipient, or NULL. */
const struct policy *peruser_find(
    const struct peruser *peruser, const char *recipient);

#endif
