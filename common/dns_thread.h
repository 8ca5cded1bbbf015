/* SPDX-License-Identifier: ISC */
/*
 * dns_thread.h - DNS for threads: one thread runs the resolver of dns.h, all
 * others ask it and wait
 *
 * Questions start at once and run side by side; the asker waits when it needs
 * the answer, and not longer than it wants to.
 *
 * Threads: any; one inquiry belongs to one thread at a time (the sessions of
 * libmilter hop).
 */
#ifndef POSTERN_COMMON_DNS_THREAD_H
#define POSTERN_COMMON_DNS_THREAD_H

#include <stdint.h>

#include "common/dns.h"

struct dns_thread;
struct dns_inquiry; /* one question under way, or answered */

/* Makes the resolver and its thread. config is used until it returns.
 * Returns NULL with err. */
struct dns_thread *dns_thread_new(
    const struct dns_config *config, struct err *err);

/* Answers what is under way with DNS_TEMPORARY, ends the thread and frees;
 * sets *thread to NULL. Inquiries may be waited for and dropped afterwards,
 * nothing may be asked. */
void dns_thread_free(struct dns_thread **thread);

/* Asks; never blocks on the network. See dns_ask for names that cannot exist
 * and for overload. Returns the inquiry, which the caller drops. */
struct dns_inquiry *dns_thread_ask(
    struct dns_thread *thread, const char *name, enum dnspacket_type type);

/* Waits until the answer is there, at most until now_mono_us() reaches
 * deadline_us. Returns it, valid until dns_thread_drop, or NULL when time is
 * up (it may be waited for again). */
const struct dns_answer *dns_thread_wait(
    struct dns_inquiry *inquiry, int64_t deadline_us);

/* Gives the inquiry up, answered or not; sets *inquiry to NULL, which it may
 * be already. */
void dns_thread_drop(struct dns_inquiry **inquiry);

#endif
