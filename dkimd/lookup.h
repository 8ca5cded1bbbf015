/* SPDX-License-Identifier: ISC */
/*
 * lookup.h - the keys of one message's signatures, asked for side by side
 *
 * Each name is asked for once, whatever the number of signatures by it. What
 * comes back is either a key that passed the guard (keyrecord.h), or the
 * result that its signatures have.
 *
 * Sources: RFC 6376 section 6.1.2; RFC 8601 section 2.7.1.
 * Threads: a source serves all; a lookup belongs to one thread at a time.
 */
#ifndef POSTERN_DKIMD_LOOKUP_H
#define POSTERN_DKIMD_LOOKUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dns_thread.h"
#include "common/err.h"

#include "dkimd/keyrecord.h"
#include "dkimd/outcome.h"
#include "dkimd/result.h"

/* Where keys are. */
struct lookup_source;

/* DNS; dns is borrowed until lookup_source_free. has_anchor: it validates, so
 * that an answer is secure or insecure. Never NULL. */
struct lookup_source *lookup_source_dns(
    struct dns_thread *dns, bool has_anchor);
/* A file of lines "NAME TEXT" instead (opendkim's TestPublicKeys), and of
 * comments with "#" in front. Returns NULL with err "FILE:LINE: ...". */
struct lookup_source *lookup_source_file(const char *path, struct err *err);
/* Frees it; no lookup may be under way. Sets *source to NULL, which it may be
 * already. */
void lookup_source_free(struct lookup_source **source);

/* What to ask for: SELECTOR._domainkey.DOMAIN; both passed sigfield.h. */
struct lookup_question {
	const char *selector;
	const char *domain;
};

struct lookup_answer {
	enum result result; /* RESULT_NONE: there is a usable key */
	const char *reason; /* "" or a static text: "key not found in DNS" */
	bool not_found;     /* DNS said that there is none */
	enum outcome_dnssec dnssec;
	const struct keyrecord *key; /* NULL = none; the lookup's */
};

struct lookup;

/* Starts to ask for count (1..ENGINE_SIGNATURES_MAX) keys; never blocks. The
 * questions are copied. Never NULL. */
struct lookup *lookup_start(struct lookup_source *source,
    const struct lookup_question *questions, size_t count);

/* Waits until all answers are there, at most until now_mono_us() reaches
 * deadline_us. Returns whether they are. */
bool lookup_wait(struct lookup *lookup, int64_t deadline_us);

/* Answer i (0..count-1), valid until lookup_free; one that is not there yet
 * is a temperror and stays one. A bogus one is a temperror too: what was
 * forged is not known. Of several TXT records the only one that means to be a
 * key counts. */
const struct lookup_answer *lookup_answer(struct lookup *lookup, size_t i);

/* Gives it up, at any time; sets *lookup to NULL, which it may be already. */
void lookup_free(struct lookup **lookup);

#endif
