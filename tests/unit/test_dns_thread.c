/* SPDX-License-Identifier: ISC */
/*
 * A name server runs in a thread of its own; the first letters of a name say
 * what it does. What is held back is answered when the test lets it go, so
 * nothing here depends on how long things take.
 */
#include <signal.h>
#include <stdlib.h>

#include "common/dns_thread.h"
#include "common/log.h"
#include "common/now.h"
#include "tests/unit/check.h"
#include "tests/unit/dnspeer.h"

#define ASKERS 16
#define ROUNDS 100
#define SIDE_BY_SIDE 8
#define BURST 2000
#define LATER INT64_MAX

struct server {
	struct dnspeer peer;
	int mute; /* questions seen that nobody answers */
	/* The one that is held back. */
	uint8_t held[512];
	size_t held_len;
	struct sockaddr_in held_for;
};

/* TXT "one" "two", and beside it TXT "three". */
static const uint8_t records[] = {
	0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60, 0, 8, /* head */
	3, 'o', 'n', 'e', 3, 't', 'w', 'o',         /* strings */
	0xc0, 0x0c, 0, 16, 0, 1, 0, 0, 0, 60, 0, 6, /* head */
	5, 't', 'h', 'r', 'e', 'e',                 /* string */
};

static void
answer(struct server *s, uint8_t *packet, size_t len,
    const struct sockaddr_in *peer)
{
	const char *name = (const char *)packet + 13;
	size_t size = dnspeer_question_end(packet, len);

	packet[2] = 0x81;
	packet[3] = strncmp(name, "none", 4) == 0   ? 0x83
		    : strncmp(name, "fail", 4) == 0 ? 0x82
						    : 0x80;
	memset(packet + 6, 0, 6);
	if (packet[3] == 0x80 && strncmp(name, "empty", 5) != 0) {
		packet[7] = 2;
		memcpy(packet + size, records, sizeof(records));
		size += sizeof(records);
	}
	(void)sendto(s->peer.fd, packet, size, 0, (const struct sockaddr *)peer,
	    sizeof(*peer));
}

/* "end" ends it. */
static void *
serve(void *arg)
{
	struct server *s = arg;
	struct sockaddr_in peer;
	uint8_t packet[512];
	ssize_t len;

	for (;;) {
		const char *name = (const char *)packet + 13;
		socklen_t peer_len = sizeof(peer);

		len = recvfrom(s->peer.fd, packet, sizeof(packet) - 64, 0,
		    (struct sockaddr *)&peer, &peer_len);
		if (len <= 13)
			break;
		pthread_mutex_lock(&s->peer.mutex);
		if (strncmp(name, "mute", 4) == 0) {
			s->mute++;
		} else if (strncmp(name, "silent", 6) == 0) {
			/* nothing */
		} else if (strncmp(name, "held", 4) == 0) {
			memcpy(s->held, packet, sizeof(packet));
			s->held_len = (size_t)len;
			s->held_for = peer;
		} else {
			answer(s, packet, (size_t)len, &peer);
		}
		pthread_cond_signal(&s->peer.seen);
		pthread_mutex_unlock(&s->peer.mutex);
	}
	return NULL;
}

static void
start_server(struct server *s)
{
	memset(s, 0, sizeof(*s));
	dnspeer_start(&s->peer, serve, s);
}

static void
stop_server(struct server *s)
{
	dnspeer_stop(&s->peer);
}

/* Waits until the server holds a question back. */
static void
wait_for_held(struct server *s)
{
	pthread_mutex_lock(&s->peer.mutex);
	while (s->held_len == 0)
		pthread_cond_wait(&s->peer.seen, &s->peer.mutex);
	pthread_mutex_unlock(&s->peer.mutex);
}

static void
let_go(struct server *s)
{
	wait_for_held(s);
	pthread_mutex_lock(&s->peer.mutex);
	answer(s, s->held, s->held_len, &s->held_for);
	s->held_len = 0;
	pthread_mutex_unlock(&s->peer.mutex);
}

static void
wait_for_mute(struct server *s, int count)
{
	pthread_mutex_lock(&s->peer.mutex);
	while (s->mute < count)
		pthread_cond_wait(&s->peer.seen, &s->peer.mutex);
	pthread_mutex_unlock(&s->peer.mutex);
}

static struct dns_thread *
new_thread(const struct server *s, int64_t timeout_ms)
{
	char *servers[] = { strdup(s->peer.address) };
	struct dns_config config = {
		.nameservers = servers,
		.nameserver_count = 1,
		.trust_anchor_file = "",
		.question_timeout_ms = timeout_ms,
		.cache_bytes = 1 << 20,
	};
	struct err err = { "" };
	struct dns_thread *thread = dns_thread_new(&config, &err);

	check_str("a thread", err.text, "");
	free(servers[0]);
	return thread;
}

static struct dns_inquiry *
ask(struct dns_thread *thread, const char *name)
{
	return dns_thread_ask(thread, name, DNSPACKET_TXT);
}

/* In any order. */
static void
check_records(const struct dns_answer *a)
{
	size_t one = a->count == 2 && a->records[0].len == 5;

	check_uint("records", a->count, 2);
	if (a->count != 2)
		return;
	check_mem(
	    "one", a->records[one].data, a->records[one].len + 1, "onetwo", 7);
	check_mem("other", a->records[1 - one].data,
	    a->records[1 - one].len + 1, "three", 6);
}

static void
test_answers(const struct server *s)
{
	static const struct {
		const char *name;
		enum dns_status want;
	} rows[] = {
		{ "good.example", DNS_FOUND },
		{ "good.example", DNS_FOUND },
		{ "none.example", DNS_NO_NAME },
		{ "empty.example", DNS_NO_DATA },
		{ "fail.example", DNS_TEMPORARY },
		{ "a..example", DNS_NO_NAME },
		{ "", DNS_NO_NAME },
	};
	struct dns_thread *thread = new_thread(s, 8000);
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		struct dns_inquiry *inquiry = ask(thread, rows[i].name);
		const struct dns_answer *a = dns_thread_wait(inquiry, LATER);

		check_str(rows[i].name, dns_status_name(a->status),
		    dns_status_name(rows[i].want));
		if (rows[i].want == DNS_FOUND)
			check_records(a);
		else
			check_uint("no records", a->count, 0);
		check_true("again, too late", dns_thread_wait(inquiry, 0) == a);
		dns_thread_drop(&inquiry);
		check_true("set to NULL", inquiry == NULL);
		dns_thread_drop(&inquiry);
	}
	dns_thread_free(&thread);
	check_true("set to NULL", thread == NULL);
	dns_thread_free(&thread);
}

static void
test_time(struct server *s)
{
	struct dns_thread *thread = new_thread(s, 8000);
	struct dns_inquiry *held = ask(thread, "held.example");
	struct dns_inquiry *good = ask(thread, "good.example");
	const struct dns_answer *a;

	check_true("time is up", dns_thread_wait(held, -1) == NULL);
	check_true("time will be up",
	    dns_thread_wait(held, now_mono_us() + 20000) == NULL);
	a = dns_thread_wait(good, LATER);
	check_int("others are answered", a->status, DNS_FOUND);
	let_go(s);
	a = dns_thread_wait(held, LATER);
	check_int("waited for again", a->status, DNS_FOUND);
	dns_thread_drop(&held);
	dns_thread_drop(&good);
	dns_thread_free(&thread);
	thread = new_thread(s, 50);
	held = ask(thread, "silent.example");
	a = dns_thread_wait(held, LATER);
	check_int("the question's own time", a->status, DNS_TEMPORARY);
	dns_thread_drop(&held);
	dns_thread_free(&thread);
}

/* Dropped: perhaps not asked yet, asked for sure, answered unseen. */
static void
test_drop(struct server *s)
{
	struct dns_thread *thread = new_thread(s, 8000);
	struct dns_inquiry *first, *second;
	int i;

	for (i = 0; i < 200; i++) {
		first = ask(thread, i % 2 == 0 ? "good.example" : "silent1.x");
		dns_thread_drop(&first);
	}
	first = ask(thread, "held.example");
	wait_for_held(s);
	dns_thread_drop(&first);
	let_go(s);
	first = ask(thread, "good.example");
	second = ask(thread, "good2.example");
	(void)dns_thread_wait(second, LATER);
	dns_thread_drop(&first);
	check_int("goes on", dns_thread_wait(second, LATER)->status, DNS_FOUND);
	dns_thread_drop(&second);
	dns_thread_free(&thread);
}

struct asker {
	pthread_t thread;
	struct dns_thread *dns;
	int number;
	int found, none;
};

/* Several at once, some given up, some names known to all. */
static void *
ask_much(void *arg)
{
	struct asker *asker = arg;
	struct dns_inquiry *list[SIDE_BY_SIDE];
	char name[64];
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		for (i = 0; i < SIDE_BY_SIDE; i++) {
			snprintf(name, sizeof(name), "%s%d-%d.example",
			    i % 2 == 0 ? "good" : "none",
			    i < 4 ? 0 : asker->number, round);
			list[i] = ask(asker->dns, name);
		}
		for (i = 0; i < SIDE_BY_SIDE - 1; i++) {
			enum dns_status status =
			    dns_thread_wait(list[i], LATER)->status;

			asker->found += status == DNS_FOUND;
			asker->none += status == DNS_NO_NAME;
			dns_thread_drop(&list[i]);
		}
		dns_thread_drop(&list[i]);
	}
	return NULL;
}

static void
test_many(const struct server *s)
{
	struct asker askers[ASKERS];
	struct dns_thread *thread = new_thread(s, 60000);
	int found = 0, none = 0, i;

	memset(askers, 0, sizeof(askers));
	for (i = 0; i < ASKERS; i++) {
		askers[i].dns = thread;
		askers[i].number = i;
		if (pthread_create(
			&askers[i].thread, NULL, ask_much, &askers[i]) != 0)
			abort();
	}
	for (i = 0; i < ASKERS; i++) {
		pthread_join(askers[i].thread, NULL);
		found += askers[i].found;
		none += askers[i].none;
	}
	check_int("found", found, ASKERS * ROUNDS * 4);
	check_int("no such name", none, ASKERS * ROUNDS * 3);
	dns_thread_free(&thread);
}

/* More than the loop takes up in one turn. */
static void
test_burst(const struct server *s)
{
	struct dns_thread *thread = new_thread(s, 60000);
	struct dns_inquiry *list[BURST];
	int found = 0, i;

	list[0] = ask(thread, "good.example");
	(void)dns_thread_wait(list[0], LATER);
	for (i = 1; i < BURST; i++)
		list[i] = ask(thread, "good.example");
	for (i = 0; i < BURST; i++) {
		found += dns_thread_wait(list[i], LATER)->status == DNS_FOUND;
		dns_thread_drop(&list[i]);
	}
	check_int("a burst", found, BURST);
	dns_thread_free(&thread);
}

static void *
wait_long(void *arg)
{
	struct dns_inquiry **inquiry = arg;
	static enum dns_status status[ASKERS];
	static _Atomic int next;
	enum dns_status *mine = &status[next++];

	*mine = dns_thread_wait(*inquiry, LATER)->status;
	dns_thread_drop(inquiry);
	return mine;
}

/* Freed while others wait; some drop before, some after. */
static void
test_free(struct server *s)
{
	struct dns_thread *thread = new_thread(s, 600000);
	struct dns_inquiry *waited[4], *kept[3], *dropped, *burst[BURST];
	pthread_t threads[4];
	void *status;
	int answered = 0, i;

	for (i = 0; i < 4; i++) {
		waited[i] = ask(thread, "mute2.example");
		if (pthread_create(&threads[i], NULL, wait_long, &waited[i]) !=
		    0)
			abort();
	}
	kept[0] = ask(thread, "good.example");
	(void)dns_thread_wait(kept[0], LATER);
	kept[1] = ask(thread, "mute3.example");
	dropped = ask(thread, "mute4.example");
	wait_for_mute(s, 3);
	dns_thread_drop(&dropped);
	kept[2] = ask(thread, "good2.example");
	for (i = 0; i < BURST; i++)
		burst[i] = ask(thread, "good.example");
	dns_thread_free(&thread);
	for (i = 0; i < BURST; i++) {
		answered += dns_thread_wait(burst[i], 0) != NULL;
		dns_thread_drop(&burst[i]);
	}
	check_int("all answered", answered, BURST);
	for (i = 0; i < 4; i++) {
		pthread_join(threads[i], &status);
		check_int("woken", *(enum dns_status *)status, DNS_TEMPORARY);
	}
	check_records(dns_thread_wait(kept[0], 0));
	check_int("asked", dns_thread_wait(kept[1], 0)->status, DNS_TEMPORARY);
	check_true("answered in any case", dns_thread_wait(kept[2], 0) != NULL);
	for (i = 0; i < 3; i++)
		dns_thread_drop(&kept[i]);
}

/* A signal goes to whoever wants it; if the DNS thread did, the process would
 * end. */
static void
test_signals(void)
{
	struct server server;
	struct dns_thread *thread;
	struct dns_inquiry *inquiry;
	sigset_t set, old;

	signal(SIGUSR1, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	start_server(&server);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	thread = new_thread(&server, 8000);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	/* So that it runs. */
	inquiry = ask(thread, "good.example");
	(void)dns_thread_wait(inquiry, LATER);
	dns_thread_drop(&inquiry);
	kill(getpid(), SIGUSR1);
	/* Not sigwait: the milter half has taken that name over. */
	check_int("a signal is left to us", sigwaitinfo(&set, NULL), SIGUSR1);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	dns_thread_free(&thread);
	stop_server(&server);
}

static void
test_bad_config(void)
{
	char *server = strdup("localhost");
	struct dns_config config = {
		.nameservers = &server,
		.nameserver_count = 1,
		.trust_anchor_file = "",
		.question_timeout_ms = 1000,
		.cache_bytes = 1 << 20,
	};
	struct err err = { "" };

	check_true(
	    "a name for a name server", dns_thread_new(&config, &err) == NULL);
	check_contains("says why", err.text, "name server \"localhost\"");
	free(server);
}

int
main(void)
{
	struct server server;

	log_open("test_dns_thread", LOG_SINK_STDERR, 0);
	/* What is waited for may never come. */
	alarm(300);
	start_server(&server);
	test_answers(&server);
	test_time(&server);
	test_drop(&server);
	test_many(&server);
	test_burst(&server);
	test_free(&server);
	stop_server(&server);
	test_signals();
	test_bad_config();
	return check_done();
}
