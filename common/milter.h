/* SPDX-License-Identifier: ISC */
/*
 * milter.h - the milter half of the house: libmilter, tamed
 *
 * A daemon gives three hooks per message and gets whole things: the envelope
 * as Postfix means it, the header as received, the body in pieces; it decides
 * once, at the end, and its edits of the header are applied then, in an order
 * that cannot disturb itself. All quirks of libmilter and of Postfix's milter
 * client live here:
 *
 *   - sender and recipients come from {mail_addr} and {rcpt_addr}, not from
 *     the raw arguments, which an attacker can make to mean something else;
 *     an MTA that does not tell these macros is believed when the argument is
 *     "<>" or a plain <local@domain>, with nothing to interpret;
 *   - libmilter never sees a signal; SIGHUP does not stop it;
 *   - the listening socket is ours, or systemd's; stopping means: accept no
 *     more (the socket's backlog waits for the next process), serve the open
 *     sessions until they end or time is up;
 *   - callbacks of one session hop threads: nothing is thread-local;
 *   - sessions, messages under way, fields, bytes and recipients are limited.
 *
 * Past a limit of sessions or messages Postfix is told 451: mail waits at the
 * sender. A session past the limit is told so at each MAIL until there is
 * room, a message at its end; so is one whose sender nobody can tell. A
 * message over the limits of the header is handed over with header_cut set:
 * what that means is the daemon's to decide.
 *
 * When the grace of milter_stop is over, no hook is called any more but done;
 * those inside are waited for, so each must come to an end by itself (when
 * milter_progress returns false, at the latest at its own deadline).
 *
 * Sources: libmilter's documentation; Postfix MILTER_README.
 * Threads: hooks are called from libmilter's threads, many at once, but for
 * one message one after the other. All functions on a message belong into its
 * hooks.
 */
#ifndef POSTERN_COMMON_MILTER_H
#define POSTERN_COMMON_MILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/err.h"
#include "common/header.h"
#include "common/ip.h"

struct milter;

/* The client of a session. Texts are "" when unknown, bounded, as Postfix
 * gives them: hostile. */
struct milter_client {
	char name[256]; /* {client_name}; "unknown" when unverified */
	char helo[512];
	bool has_address;  /* false: a Unix socket, or none was told */
	struct ip address; /* sendmail(1): 127.0.0.1 */
};

/* One message. All texts are valid until the done hook. */
struct milter_message {
	struct arena *arena; /* the message's memory, freed after done */
	const struct milter_client *client;
	const char *queue_id;    /* {i}; "" before it is known */
	const char *hostname;    /* {j}, Postfix's myhostname; "" unknown */
	const char *daemon_name; /* {daemon_name}, "" unknown */
	const char *auth_type;   /* {auth_type}: "" = no SASL login */
	const char *auth_login;  /* {auth_authen} */
	const char *sender;      /* {mail_addr}; "" = null sender */
	const char *const *recipients; /* {rcpt_addr} of those accepted */
	size_t recipient_count;
	bool recipients_cut; /* some are not here: more than the limit, or
			      * nobody can tell which */
	const struct header_field *fields; /* in order, from the top */
	size_t field_count;
	bool header_cut;     /* fields or bytes over a limit are missing here */
	bool is_smtputf8;    /* MAIL FROM said SMTPUTF8 */
	uint64_t body_bytes; /* so far */
	void *work;          /* the daemon's */
};

/* What the header_end hook wants. */
enum milter_next {
	MILTER_BODY,    /* body, then end */
	MILTER_NO_BODY, /* end, without the body */
};

/* What becomes of the message. */
enum milter_action {
	MILTER_ACCEPT, /* as far as we are concerned; edits are kept */
	MILTER_REJECT,
	MILTER_TEMPFAIL,
	MILTER_DISCARD,
	MILTER_QUARANTINE, /* Postfix's hold queue; edits are kept */
};

/* The decision; all zero = MILTER_ACCEPT. */
struct milter_verdict {
	enum milter_action action;
	const char *code;     /* "550"; NULL = libmilter's 550 or 451 */
	const char *enhanced; /* "5.7.1"; with code */
	const char *text;     /* for the reply or the quarantine; made safe:
			       * one line, printable, bounded, "%" doubled */
};

struct milter_hooks {
	/* Envelope and header are here. Must not wait. */
	enum milter_next (*header_end)(void *arg, struct milter_message *m);
	/* A piece of the body, CRLF line ends as on the wire. */
	void (*body)(
	    void *arg, struct milter_message *m, const void *bytes, size_t len);
	/* The whole message was seen. May wait, calling milter_progress; may
	 * edit. Fills *verdict (zeroed before; texts live in the arena or are
	 * static). */
	void (*end)(void *arg, struct milter_message *m,
	    struct milter_verdict *verdict);
	/* Called once for each message that header_end saw, last, whatever
	 * happened. */
	void (*done)(void *arg, struct milter_message *m);
	void *arg;
};

struct milter_config {
	const char *name;       /* for libmilter's own messages */
	int fd;                 /* listening; taken over, until the process
				 * ends (libmilter does not let go of it) */
	int64_t max_sessions;   /* open at once */
	int64_t max_messages;   /* between header_end and done, at once */
	int64_t timeout_s;      /* of a silent Postfix; between commands
				 * libmilter looks every 10 minutes only */
	size_t max_fields;      /* handed over per message */
	size_t max_field_bytes; /* names and values together */
	size_t max_recipients;  /* handed over */
	bool may_quarantine;    /* negotiate it */
	bool wants_body;        /* false: never sent */
	/* Names of further macros ("{client_ptr}", "{tls_version}") that
	 * milter_macro will be asked for; borrowed until milter_free. */
	const char *const *macros;
	size_t macro_count;
};

/* Figures since the start. */
struct milter_stats {
	uint64_t sessions, messages;
	uint64_t refused;  /* sessions and messages past a limit */
	uint64_t aborted;  /* messages that ended early */
	int64_t open;      /* sessions now */
	int64_t under_way; /* messages now */
};

/* Registers with libmilter; once per process. config and hooks are copied.
 * Returns NULL with err. */
struct milter *milter_new(const struct milter_config *config,
    const struct milter_hooks *hooks, struct err *err);

/* Frees it, after milter_run has returned or if it never ran; sets *milter
 * to NULL. */
void milter_free(struct milter **milter);

/* The engine for common/daemon.h: runs until milter_stop has drained. */
void milter_run(struct milter *milter, int signal_fd,
    void (*on_signal)(void *arg), void *signal_arg);

/* Accepts no more; milter_run returns when the last session is over or after
 * grace_ms. To be called from on_signal, or before milter_run. */
void milter_stop(struct milter *milter, int64_t grace_ms);

/* Calls fn(arg) every interval_ms on milter_run's thread. */
void milter_every(struct milter *milter, int64_t interval_ms,
    void (*fn)(void *arg), void *arg);

/* The figures. */
void milter_stats(struct milter *milter, struct milter_stats *stats_r);

/* A macro's value in this message ("{auth_author}"), or NULL; valid until the
 * hook returns. */
const char *milter_macro(struct milter_message *m, const char *name);

/* Tells Postfix that we are still at it (its time-out begins anew). In the
 * end hook only. Returns false when Postfix is gone, or when our grace is
 * over: come to an end. */
bool milter_progress(struct milter_message *m);

/* Adds a field on top of the header; several stand in the order of the
 * calls. value without leading space, folded with "\n\t"; "\r" and bare line
 * ends are made harmless. Copied. In the end hook (as are the next ones). */
void milter_insert(
    struct milter_message *m, const char *name, const char *value);

/* Removes field i of m->fields. */
void milter_remove(struct milter_message *m, size_t i);

/* Are there edits already? For tests and logs. */
size_t milter_edit_count(const struct milter_message *m);

#endif
