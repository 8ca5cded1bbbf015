/* SPDX-License-Identifier: ISC */
/*
 * verify.h - all signatures of one message of somebody else's
 *
 * The guard looks at every DKIM-Signature field, some are chosen, their keys
 * are asked for side by side while the body streams; in the end each has an
 * outcome.
 *
 * Threads: one message at a time.
 */
#ifndef POSTERN_DKIMD_VERIFY_H
#define POSTERN_DKIMD_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/header.h"
#include "common/mailbox.h"

#include "dkimd/engine.h"
#include "dkimd/lookup.h"
#include "dkimd/outcome.h"

/* DKIM-Signature fields of one message that are looked at at all, and
 * reported; from the top. */
#define VERIFY_FIELDS_MAX 32

struct verify_config {
	struct engine *engine;
	struct lookup_source *lookup;
	const struct outcome_policy *policy;
	size_t maximum_signatures; /* that are computed; 0 = only those of the
				    * author's and of trusted domains */
	int64_t clock_drift_s;
	int64_t now; /* UNIX time */
	/* Is this a domain whose signature counts, though it is not the
	 * author's? NULL: all are. */
	bool (*trusts)(void *arg, const char *domain);
	void *arg;
};

struct verify;

/* Begins to verify the message with these fields, of these authors (0: not
 * known). config and all else is borrowed until verify_free; memory is from
 * arena. Cannot fail: what goes wrong is an outcome. */
struct verify *verify_new(const struct verify_config *config,
    const struct header_field *fields, size_t field_count,
    const struct mailbox *authors, size_t author_count, struct arena *arena);

/* Is there a signature whose result the body decides? */
bool verify_wants_body(const struct verify *verify);

/* A piece of the body. */
void verify_body(struct verify *verify, const void *bytes, size_t len);

/* Waits for keys that are still asked for, until deadline_us (now_mono_us) at
 * the latest; progress (may be NULL) is called now and then while it waits
 * and ends the waiting when it returns false. Then judges. Returns the
 * outcomes, in the order of the fields, and their number. body_bytes is the
 * length of the body. */
const struct outcome *verify_end(struct verify *verify, uint64_t body_bytes,
    int64_t deadline_us, bool (*progress)(void *arg), void *arg,
    size_t *count_r);

/* Ends it at any stage; sets *verify to NULL. */
void verify_free(struct verify **verify);

#endif
