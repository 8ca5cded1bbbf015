/* SPDX-License-Identifier: ISC */
/*
 * server.h - dkimd at work: socket, resolver, engine, and the generation of
 * the settings that messages begin with
 *
 * Threads: what the daemon's skeleton calls, on its thread; server_settings
 * from any.
 */
#ifndef POSTERN_DKIMD_SERVER_H
#define POSTERN_DKIMD_SERVER_H

#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/err.h"
#include "common/milter.h"

#include "dkimd/engine.h"
#include "dkimd/lookup.h"
#include "dkimd/settings.h"

struct server;

/* Opens the socket and reads tables and keys (still as root). uid and gid own
 * a Unix socket. Returns NULL with err. */
struct server *server_open(
    const struct config *config, uid_t uid, gid_t gid, struct err *err);

/* For -t: reads tables and keys as server_open would, and keeps nothing.
 * Returns 0 or -1 with err. */
int server_test(const struct config *config, struct err *err);

/* As the final user: makes resolver, engine and milter. Returns the milter to
 * run, or NULL with err. */
struct milter *server_start(struct server *server, struct err *err);

/* Reads tables and keys anew. On -1 everything stays as it was. Messages
 * under way go on with what they began with. */
int server_reload(
    struct server *server, const struct config *config, struct err *err);

/* Closes and frees everything; sets *server to NULL. */
void server_free(struct server **server);

/* The settings of now, with a reference for the caller. */
struct settings *server_settings(struct server *server);

/* What all messages share; the server's. */
struct engine *server_engine(struct server *server);
/* Where keys are asked for. */
struct lookup_source *server_lookup(struct server *server);
/* This machine's name, for AuthservID HOSTNAME and where Postfix gives
 * none. */
const char *server_hostname(const struct server *server);

#endif
