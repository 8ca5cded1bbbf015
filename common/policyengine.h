/* SPDX-License-Identifier: ISC */
/*
 * policyengine.h - the policy server as the skeleton's engine
 *
 * What a policy daemon needs between daemon.h and policysrv.h: its start hook
 * returns the struct policysrv, and the skeleton runs it by these hooks.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_COMMON_POLICYENGINE_H
#define POSTERN_COMMON_POLICYENGINE_H

#include "common/daemon.h"
#include "common/policysrv.h"
#include "common/sockset.h"

/* For struct daemon_spec; the engine is a struct policysrv. */
extern const struct daemon_engine policyengine_hooks;

/* Hands all sockets of set to srv, or standard input and output where the set
 * says so. The set stays the caller's to free. */
void policyengine_listen(struct policysrv *srv, struct sockset *set);

#endif
