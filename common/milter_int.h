/* SPDX-License-Identifier: ISC */
/*
 * milter_int.h - what the files of common/milter share
 *
 * The gate: libmilter's threads cannot be joined, and it may call back as
 * long as the process lives. So each callback passes milter_enter, which
 * lets nobody in any more once milter_run is about to return; what is inside
 * then is waited for. The gate is static, so it outlives all else.
 *
 * Threads: as each function says; "locked" means between milter_lock and
 * milter_unlock.
 */
#ifndef POSTERN_COMMON_MILTER_INT_H
#define POSTERN_COMMON_MILTER_INT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "common/arena.h"
#include "common/header.h"
#include "common/milter.h"

struct smfi_str; /* libmilter's session */

#define MILTER_TIMERS_MAX 8
/* Room for a reply's text: libmilter and Postfix take some 900 bytes. */
#define MILTER_TEXT_SIZE 512
/* Longer addresses are not addresses (RFC 5321 section 4.5.3.1). */
#define MILTER_ADDRESS_MAX 1024

struct milter_timer {
	int64_t interval_ms;
	int64_t next_ms; /* monotonic */
	void (*fn)(void *arg);
	void *arg;
};

/* What a listening socket is called; len 0 = unknown. */
struct milter_name {
	struct sockaddr_storage address;
	socklen_t len;
};

struct milter {
	struct milter_config config;
	struct milter_hooks hooks;
	char *name;
	char *mail_macros; /* what to ask for at MAIL */
	int wake_fd;       /* eventfd: milter_run has to look */
	int spare_fd;      /* eventfd that is never readable */
	struct milter_name name_of_fd;

	/* milter_run's thread alone. */
	struct milter_timer timers[MILTER_TIMERS_MAX];
	size_t timer_count;
	int64_t deadline_ms; /* of the drain */
	int64_t quiet_ms;    /* no session is open since; -1 = some are */

	/* Locked. */
	struct milter_session *sessions;
	struct milter_stats stats;
	int64_t admitted;   /* sessions within the limit */
	unsigned in_flight; /* callbacks inside */
	bool is_stopping;
	bool has_ended; /* nobody may enter any more */
};

/* A client's session, from negotiation to its end. */
struct milter_session {
	struct milter *milter;
	struct milter_session *next, *previous; /* locked */
	struct smfi_str *ctx;
	struct milter_client client;
	struct milter_work *work; /* the message, NULL between them */
	unsigned long no_reply;   /* SMFIP_NR_* that hold */
	bool has_skip;            /* the MTA knows SMFIS_SKIP */
	bool has_leading_space;   /* SMFIP_HDR_LEADSPC holds */
	bool is_admitted;         /* within max_sessions; locked */
};

/* Edits of a header, collected. */
struct milter_edits {
	bool *removed;                /* one for each field; NULL = none */
	struct header_field *inserts; /* in the order of the calls */
	size_t insert_count, insert_cap, removed_count;
};

/* A message with what only we need to know. */
struct milter_work {
	struct milter_message message;
	struct milter_session *session;
	struct milter_edits edits;
	struct header_field *fields;
	const char **recipients;
	size_t field_cap, recipient_cap;
	size_t field_bytes;
	const char *refusal; /* say 451 with this text; NULL = judge it */
	bool has_begun;      /* header_end was called: done must be */
	bool skips_body;
	bool is_at_end;    /* in the end hook */
	bool has_finished; /* the end hook returned */
};

/* ------------------------------------------------------------- milter.c */

/* Lets a callback in: the milter, or NULL when it has ended. Any thread. */
struct milter *milter_enter(void);

/* Ends what milter_enter began. */
void milter_leave(struct milter *m);

/* Takes the lock of all that is marked so above. Any thread. */
void milter_lock(void);

/* Releases it. */
void milter_unlock(void);

/* Makes milter_run look. Any thread. */
void milter_wake(const struct milter *m);

/* Closes the gate for good, when nobody is inside. */
void milter_close_gate(struct milter *m);

/* ----------------------------------------------------- milter_session.c */

/* The callbacks, for smfi_register; ctx and arguments are libmilter's. */
struct smfiDesc;

/* Fills in the callbacks of description. */
void milter_session_describe(struct smfiDesc *description);

/* Makes the session of ctx; it counts from here. */
struct milter_session *milter_session_new(
    struct milter *m, struct smfi_str *ctx);

/* Ends all sessions and their messages (done hook), when no callback is
 * inside and libmilter's own state may be gone. */
void milter_session_end_all(struct milter *m);

/* ----------------------------------------------------- milter_message.c */

/* Begins a message. The session's thread, as below. */
struct milter_work *milter_message_new(struct milter_session *s);

/* Ends it: done hook if header_end saw it, memory. *work may be NULL. */
void milter_message_free(struct milter_work **work);

/* Takes in a recipient; NULL when it cannot be told. */
void milter_message_add_recipient(struct milter_work *work, const char *text);

/* Takes in a field within the limits. */
void milter_message_add_field(
    struct milter_work *work, const char *name, const char *value);

/* Calls header_end, unless that was done or the message is refused. */
void milter_message_begin(struct milter_work *work);

/* ------------------------------------------------------- milter_peers.c */

/* What listener is called. */
void milter_peers_name(int listener, struct milter_name *name_r);

/* Are there connections that came in by this name? libmilter tells nobody of
 * one that has not spoken yet, so this looks at all descriptors. The listener
 * itself must be gone. False also where /proc is not mounted. */
bool milter_peers_any(const struct milter_name *name);

/* ----------------------------------------------------- milter_address.c */

/* What an address of the envelope is: macro as it is, or argument when there
 * is no macro and the argument is "<>" or strictly <local@domain> with no
 * quoting. Returns a copy without brackets, or NULL: nobody can tell. */
const char *milter_address_choose(
    struct arena *arena, const char *macro, const char *argument);

/* -------------------------------------------------------- milter_edit.c */

/* One thing to tell the MTA. */
struct milter_step {
	bool is_removal;
	int nth; /* removal: the how-manieth of this name, from 1 */
	const char *name;
	const char *value; /* insertion, at the top */
};

/* Edits in the order in which they must be sent: removals from the last to
 * the first, so that numbers stay true; insertions the other way round, so
 * that they stand in the order of the calls. Returns how many. */
size_t milter_edit_plan(struct arena *arena, const struct milter_message *m,
    const struct milter_edits *edits, struct milter_step **steps_r);

/* A value that cannot break a header: folds are "\n\t", no "\r", no other
 * control characters, no empty line, no blank at the end. prefix ("" or " ")
 * comes first. */
const char *milter_edit_value(
    struct arena *arena, const char *prefix, const char *value);

/* Tells the MTA. Returns 0, or -1 when it would not hear of it. */
int milter_edit_send(struct milter_work *work);

/* ------------------------------------------------------- milter_reply.c */

/* What an SMTP client is told. */
struct milter_reply {
	char code[4];
	char enhanced[12];
	char text[MILTER_TEXT_SIZE];
};

/* Makes text one line of printable ASCII in buf of cap bytes; with percent,
 * "%" is doubled, as libmilter's replies want it. */
void milter_reply_text(char *buf, size_t cap, const char *text, bool percent);

/* The reply of a verdict that rejects or defers; codes that do not fit the
 * action become the usual ones. */
void milter_reply_make(
    const struct milter_verdict *verdict, struct milter_reply *reply_r);

/* Carries a verdict out. Returns libmilter's status. */
int milter_reply_send(
    struct milter_work *work, const struct milter_verdict *verdict);

/* Defers with text, in any step that has a reply. */
int milter_reply_defer(struct smfi_str *ctx, const char *text);

#endif
