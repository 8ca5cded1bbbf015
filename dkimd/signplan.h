/* SPDX-License-Identifier: ISC */
/*
 * signplan.h - the decision: sign this message (with what), verify it, or
 * leave it alone
 *
 * Pure: facts and settings go in, a plan comes out. A message is signed when
 * it comes from one of ours (InternalHosts, a login, MTA, MacroList) and is
 * From a domain or address that we have a key for; else it is verified.
 *
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_SIGNPLAN_H
#define POSTERN_DKIMD_SIGNPLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/header.h"
#include "common/ip.h"
#include "common/mailbox.h"

#include "dkimd/settings.h"

/* More signatures are never made for one message. */
#define SIGNPLAN_KEYS_MAX 8

enum signplan_action {
	SIGNPLAN_SIGN,
	SIGNPLAN_VERIFY,
	SIGNPLAN_PASS,  /* neither: the message goes on untouched */
	SIGNPLAN_ERROR, /* should be signed and cannot be: On-SignatureError */
};

/* What is known of the message. Texts are never NULL. */
struct signplan_facts {
	const char *client_name;    /* "" or "unknown": not verified */
	const struct ip *client_ip; /* NULL: none, counts as 127.0.0.1 */
	const char *daemon_name;
	const char *auth_type; /* "" = no login */
	const char *auth_login;
	const char *const *recipients;
	size_t recipient_count;
	/* The sender, as signplan_sender found it; NULL and why when there is
	 * none that can be understood. */
	const struct mailbox *sender;
	const char *sender_error;
	bool has_several_senders; /* legal, but nobody can tell who signs */
	/* The header, to see whether such a sender might be one of ours; it
	 * is one when there are no fields. */
	const struct header_field *fields;
	size_t field_count;
	/* The value of a macro "{name}", or NULL; may be NULL itself. */
	const char *(*macro)(void *arg, const char *name);
	void *macro_arg;
	int64_t now; /* UNIX time */
};

/* One signature to make; all but identity are borrowed from the settings. */
struct signplan_key {
	const struct engine_key *key;
	const char *domain; /* d=; perhaps in the arena */
	const char *selector;
	const char *identity; /* i=, in the arena; NULL = none */
};

struct signplan {
	enum signplan_action action;
	struct signplan_key keys[SIGNPLAN_KEYS_MAX]; /* SIGNPLAN_SIGN */
	size_t key_count;
	bool is_peer; /* of PeerList: as if we did not exist */
	/* Why the message is not signed, in opendkim's words: one line, not
	 * escaped; "" when it is signed. */
	const char *reason;
	/* A notice besides: "external host X attempted to send as Y"; "" =
	 * none. */
	const char *notice;
};

/* Finds the sender that signing goes by: SenderMacro, else the first field of
 * SenderHeaders that is there. Returns 0 with *sender_r (in arena), 1 with
 * err where there are several addresses, of different domains, or -1 with
 * err: no such field, several of its name, or it cannot be understood. */
int signplan_sender(const struct settings *settings,
    const struct header_field *fields, size_t field_count, struct arena *arena,
    const struct mailbox **sender_r, struct err *err);

/* Decides. Texts of the plan are in arena, in settings, or static. */
void signplan_decide(const struct settings *settings,
    const struct signplan_facts *facts, struct arena *arena,
    struct signplan *plan_r);

#endif
