/* SPDX-License-Identifier: ISC */
/*
 * signing.h - all signatures of one message that is ours
 *
 * Threads: one message at a time.
 */
#ifndef POSTERN_DKIMD_SIGNING_H
#define POSTERN_DKIMD_SIGNING_H

#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/header.h"

#include "dkimd/engine.h"
#include "dkimd/settings.h"
#include "dkimd/signplan.h"

struct signing;

/* What is signed, and when. */
struct signing_message {
	const struct header_field *fields;
	size_t field_count;
	int64_t now; /* UNIX time */
	struct arena *arena;
};

/* Begins the signatures of plan over the message, as settings say. All is
 * borrowed until signing_free. Returns NULL with err. */
struct signing *signing_new(struct engine *engine,
    const struct settings *settings, const struct signplan *plan,
    const struct signing_message *message, struct err *err);

/* A piece of the body. */
void signing_body(struct signing *signing, const void *bytes, size_t len);

/* Ends. Returns how many fields there are to add (values_r[i], valid until
 * signing_free, room for SIGNPLAN_KEYS_MAX), or -1 with err: then none is to
 * be added. */
int signing_end(
    struct signing *signing, const char **values_r, struct err *err);

/* Ends it at any stage; sets *signing to NULL. */
void signing_free(struct signing **signing);

#endif
