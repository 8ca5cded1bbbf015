/* SPDX-License-Identifier: ISC */
/*
 * session.h - one message on its way: the hooks of common/milter.h
 *
 * header_end decides to sign or to verify and starts what takes time (key
 * look-ups); body feeds the engine; end collects results, edits the header,
 * and says what becomes of the message.
 *
 * Threads: see milter.h.
 */
#ifndef POSTERN_DKIMD_SESSION_H
#define POSTERN_DKIMD_SESSION_H

#include "common/milter.h"

#include "dkimd/server.h"

/* The hooks; server outlives the milter. */
struct milter_hooks session_hooks(struct server *server);

#endif
