/* SPDX-License-Identifier: ISC */
/*
 * server.h - spfd at work: requests in, checks, answers out
 *
 * Order of a decision: Mock; a state without sender; the client's address
 * (unusable, authenticated, ExternalRelay); skip_addresses, Whitelist; what
 * is known of the message by its instance; the checks of session.h; the
 * verdict for this recipient.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_SERVER_H
#define POSTERN_SPFD_SERVER_H

#include <sys/types.h>

#include "common/config.h"
#include "common/err.h"
#include "common/policysrv.h"

struct server;

/* Makes the server and its listening sockets (still as root). uid and gid
 * will own Unix sockets. Returns NULL with err. */
struct server *server_open(
    const struct config *config, uid_t uid, gid_t gid, struct err *err);

/* As the final user: makes the resolver. Returns the policy server to run,
 * or NULL with err. */
struct policysrv *server_start(struct server *server, struct err *err);

/* Rereads what can change at run time from config. On -1 everything stays as
 * it was. Checks under way go on with what they began with. */
int server_reload(
    struct server *server, const struct config *config, struct err *err);

/* Closes and frees everything; sets *server to NULL. */
void server_free(struct server **server);

#endif
