/* SPDX-License-Identifier: ISC */
/*
 * server.h - greylistd at work: requests in, facts from lists and store,
 * decisions out
 *
 * All requests of one loop turn share one transaction. Replies are composed
 * after it was committed; when the commit fails, requests that would have
 * been deferred on the strength of it are answered by OnError.
 *
 * Order of a decision: policy_test_time (TestClock), missing attributes,
 * rules of greylistctl, unusable client address, client whitelist, recipient
 * whitelist, recipient table, empty recipient, provider, known client and
 * known triplet, then with what DNS says: DNS whitelist, not suspicious;
 * auto-whitelist, triplet.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_SERVER_H
#define POSTERN_GREYLISTD_SERVER_H

#include "common/config.h"
#include "common/err.h"
#include "common/policysrv.h"

#include "greylistd/options.h"

struct server;

/* Makes the server, loads the lists and makes the listening sockets (still as
 * root). uid and gid will own Unix sockets. Returns NULL with err. */
struct server *server_open(
    const struct config *config, uid_t uid, gid_t gid, struct err *err);

/* As the final user: opens the database; one that cannot be opened now is
 * tried again and again. Returns the policy server to run, or NULL with err
 * when there is no directory to write in. */
struct policysrv *server_start(struct server *server, struct err *err);

/* Rereads lists, tables and what else can change at run time from config.
 * On -1 everything stays as it was. A broken regular expression in a
 * whitelist, or a file that cannot be read, keeps the old list, with a line in
 * the log. */
int server_reload(
    struct server *server, const struct config *config, struct err *err);

/* Closes and frees everything; sets *server to NULL. */
void server_free(struct server **server);

#endif
