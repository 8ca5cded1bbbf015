/* SPDX-License-Identifier: ISC */
/*
 * dns.h - DNS for all daemons: libunbound on the libev loop
 *
 * One resolver per process. Questions are asynchronous: the answer comes by
 * callback, in the same thread, never before dns_ask has returned. Equal
 * questions under way are asked once. Answers are cached by libunbound,
 * bounded, by their TTL.
 *
 * With forwarders (from resolv.conf or Nameservers) a name that times out
 * must not make the next one fail: see dns.c for the settings that see to
 * that. Each question has a time-out of its own.
 *
 * Answers say found, no data, no such name, temporary failure or bogus; they
 * are never mixed up: only no data and no such name are statements about the
 * domain.
 *
 * Threads: event loop only; milters use dns_thread.h.
 */
#ifndef POSTERN_COMMON_DNS_H
#define POSTERN_COMMON_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/dnspacket.h"
#include "common/err.h"

struct dns;
struct dns_question;
struct ev_loop;

enum dns_status {
	DNS_FOUND,
	DNS_NO_DATA,
	DNS_NO_NAME,
	DNS_TEMPORARY, /* time-out, SERVFAIL, REFUSED, garbage */
	DNS_BOGUS,     /* DNSSEC says forged */
};

/* An answer; valid until the callback returns. */
struct dns_answer {
	enum dns_status status;
	bool secure;  /* DNSSEC proved it */
	uint32_t ttl; /* seconds that it may be kept; 0 = not at all */
	size_t count; /* 0 unless DNS_FOUND */
	const struct dnspacket_record *records;
};

struct dns_config {
	char *const *nameservers;      /* "ADDR" or "ADDR@PORT" */
	size_t nameserver_count;       /* 0: those of /etc/resolv.conf; if it
					 * names none, full recursion */
	const char *trust_anchor_file; /* "" = no DNSSEC */
	int64_t question_timeout_ms;   /* 8000 */
	int64_t cache_bytes;           /* for messages and records together */
};

/* Figures since the start. */
struct dns_stats {
	uint64_t questions; /* asked by callers */
	uint64_t found, no_data, no_name, temporary, bogus;
	uint64_t timeouts; /* of these temporary: by our own timer */
	int64_t open;      /* under way now */
};

/* Makes the resolver on loop. Returns NULL with err. */
struct dns *dns_new(
    const struct dns_config *config, struct ev_loop *loop, struct err *err);

/* Takes other settings into use, on the same loop. What is under way is still
 * answered with the old ones; when there is nothing of that left, they and
 * their cache go. Does nothing when the settings, and the files that they
 * name, are as before. On -1 the old settings stay. */
int dns_configure(
    struct dns *dns, const struct dns_config *config, struct err *err);

/* Cancels all questions without calling back and frees everything; sets *dns
 * to NULL. */
void dns_free(struct dns **dns);

/* The loop that it runs on, for timers of its callers. */
struct ev_loop *dns_loop(const struct dns *dns);

typedef void dns_callback(void *arg, const struct dns_answer *answer);

/* Asks for name (text as in a configuration; odd bytes are escaped here).
 * Names that cannot exist (dnspacket_name_ok) are answered DNS_NO_NAME
 * without asking; beyond 20,000 lookups under way (those that were given up
 * count until libunbound ends them) the answer is DNS_TEMPORARY. callback is
 * called exactly once, after this returned, unless the question is cancelled.
 * Returns the question; its pointer dies with the callback. */
struct dns_question *dns_ask(struct dns *dns, const char *name,
    enum dnspacket_type type, dns_callback *callback, void *arg);

/* Takes the answer to a question when it is there already, from the cache:
 * then callback will not be called, *question becomes NULL, and *answer_r is
 * valid until the caller is back in the loop. Otherwise returns false. To be
 * called before that, directly after dns_ask. */
bool dns_take(struct dns_question **question, struct dns_answer *answer_r);

/* Cancels: callback will not be called. Sets *question to NULL; *question
 * may be NULL. */
void dns_cancel(struct dns_question **question);

/* The figures; valid until the next call. */
const struct dns_stats *dns_stats(const struct dns *dns);

struct ip;

/* Is ip one of the answer's A or AAAA records? */
bool dns_has_address(const struct dns_answer *answer, const struct ip *ip);

/* "found", "no data", "no such name", "temporary failure", "bogus". */
const char *dns_status_name(enum dns_status status);

/* The name to ask for an address's PTR: "1.2.0.192.in-addr.arpa", or below
 * ip6.arpa. (RFC 1035 section 3.5, RFC 3596 section 2.5) */
#define DNS_REVERSE_SIZE 80
/* Writes it and returns buf. */
const char *dns_reverse_name(
    const struct ip *ip, char buf[static DNS_REVERSE_SIZE]);

#endif
