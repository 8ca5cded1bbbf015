/* SPDX-License-Identifier: ISC */
/*
 * sandbox.h - give up what the daemon no longer needs
 *
 * Threads: start-up only, before any thread is made.
 */
#ifndef POSTERN_COMMON_SANDBOX_H
#define POSTERN_COMMON_SANDBOX_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

/* Looks a user and a group up by name or number. An empty group means the
 * user's own. Returns 0, or -1 with a sentence. */
int sandbox_lookup(const char *user, const char *group, uid_t *uid_r,
    gid_t *gid_r, struct err *err);

/* Becomes uid/gid for good with no supplementary groups, and verifies that
 * there is no way back. As another user than root with the same uid it does
 * nothing. Returns 0 or -1. */
int sandbox_drop(uid_t uid, gid_t gid, struct err *err);

/* Forbids what no daemon of ours ever does after start-up: gaining
 * privileges, running programs, tracing, mounting, loading modules, making
 * namespaces, changing the clock; such a call then fails with EPERM.
 * Returns 0, or -1 when the kernel refuses (not fatal: the caller warns). */
int sandbox_enter(struct err *err);

#endif
