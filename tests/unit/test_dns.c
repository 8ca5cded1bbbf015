/* SPDX-License-Identifier: ISC */
/*
 * A name server runs in the same loop: it counts what it is asked, and the
 * first letters of a name say what it does. What needs TCP, damaged packets
 * or long waits is in tests/fault/t_dns.py.
 */
#include <ev.h>
#include <stdlib.h>

#include "common/dns.h"
#include "common/dns_int.h"
#include "common/log.h"
#include "common/policysrv.h"
#include "tests/unit/check.h"
#include "tests/unit/dnspeer.h"

#define CROWD 2000
#define CHAIN 500

struct server {
	struct ev_io io;
	int asked;      /* questions seen */
	char name[256]; /* of the last, as on the wire */
	char address[DNSPEER_ADDRESS_SIZE];
	/* The one that is held back. */
	uint8_t held[512];
	ssize_t held_len;
	struct sockaddr_in held_for;
};

struct result {
	struct ev_loop *loop;
	int calls, found, temporary;
	int wanted; /* the loop ends after so many calls */
	enum dns_status status;
	size_t count;
	uint32_t ttl;
	char data[64]; /* of the first record */
	bool in_ask, early;
	struct dns *dns; /* for those who ask again */
	int again;
	struct dns_question *victim; /* to be cancelled */
};

static void
answer(struct server *s, uint8_t *packet, ssize_t len,
    const struct sockaddr_in *peer)
{
	static const uint8_t record[] = {
		0xc0,
		0x0c,
		0,
		1,
		0,
		1,
		0,
		0,
		0,
		60,
		0,
		4,
		192,
		0,
		2,
		1,
	};
	const char *name = (const char *)packet + 13;
	size_t size = dnspeer_question_end(packet, (size_t)len);

	packet[2] = 0x81;
	packet[3] = strncmp(name, "none", 4) == 0     ? 0x83
		    : strncmp(name, "fail", 4) == 0   ? 0x82
		    : strncmp(name, "refuse", 6) == 0 ? 0x85
						      : 0x80;
	memset(packet + 6, 0, 6);
	if (packet[3] == 0x80 && strncmp(name, "empty", 5) != 0) {
		packet[7] = 1;
		memcpy(packet + size, record, sizeof(record));
		size += sizeof(record);
	}
	(void)sendto(s->io.fd, packet, size, 0, (const struct sockaddr *)peer,
	    sizeof(*peer));
}

static void
on_query(struct ev_loop *loop, struct ev_io *io, int revents)
{
	struct server *s = io->data;
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	uint8_t packet[512];
	ssize_t len;

	(void)loop;
	(void)revents;
	while ((len = recvfrom(io->fd, packet, sizeof(packet) - 64, 0,
		    (struct sockaddr *)&peer, &peer_len)) > 12) {
		s->asked++;
		snprintf(
		    s->name, sizeof(s->name), "%.255s", (char *)packet + 12);
		if (strncmp((char *)packet + 13, "silent", 6) == 0)
			continue;
		if (strncmp((char *)packet + 13, "held", 4) == 0) {
			memcpy(s->held, packet, sizeof(packet));
			s->held_len = len;
			s->held_for = peer;
			continue;
		}
		answer(s, packet, len, &peer);
	}
}

static void
start_server(struct server *s, struct ev_loop *loop)
{
	int fd;

	memset(s, 0, sizeof(*s));
	fd = dnspeer_socket(SOCK_NONBLOCK, s->address);
	ev_io_init(&s->io, on_query, fd, EV_READ);
	s->io.data = s;
	ev_io_start(loop, &s->io);
}

/* With the name server at address, to be freed with free_config. */
static struct dns_config
make_config(const char *address, int64_t timeout_ms)
{
	char **servers = malloc(sizeof(*servers));

	if (servers == NULL)
		abort();
	servers[0] = strdup(address);
	return (struct dns_config){
		.nameservers = servers,
		.nameserver_count = 1,
		.trust_anchor_file = "",
		.question_timeout_ms = timeout_ms,
		.cache_bytes = 1 << 20,
	};
}

static void
free_config(const struct dns_config *config)
{
	char **servers = (char **)(uintptr_t)config->nameservers;

	free(servers[0]);
	free(servers);
}

static struct dns *
new_dns(const struct server *s, struct ev_loop *loop, int64_t timeout_ms)
{
	const struct dns_config config = make_config(s->address, timeout_ms);
	struct err err = { "" };
	struct dns *dns = dns_new(&config, loop, &err);

	check_str("a resolver", err.text, "");
	free_config(&config);
	return dns;
}

/* Returns what dns_configure returns, its sentence in err. */
static int
configure(
    struct dns *dns, const char *address, const char *anchors, struct err *err)
{
	struct dns_config config = make_config(address, 2000);
	int result;

	config.trust_anchor_file = anchors;
	err->text[0] = '\0';
	result = dns_configure(dns, &config, err);
	free_config(&config);
	return result;
}

static void ask(struct result *r, struct dns *dns, const char *name);

static void
on_answer(void *arg, const struct dns_answer *a)
{
	struct result *r = arg;

	r->calls++;
	r->early |= r->in_ask;
	r->status = a->status;
	r->found += a->status == DNS_FOUND;
	r->temporary += a->status == DNS_TEMPORARY;
	r->count = a->count;
	r->ttl = a->ttl;
	if (a->count > 0 && a->records[0].len < sizeof(r->data))
		memcpy(r->data, a->records[0].data, a->records[0].len);
	if (r->victim != NULL)
		dns_cancel(&r->victim);
	if (r->again > 0) {
		r->again--;
		ask(r, r->dns, "good.example");
	}
	if (r->calls == r->wanted)
		ev_break(r->loop, EVBREAK_ALL);
}

static void
ask(struct result *r, struct dns *dns, const char *name)
{
	r->in_ask = true;
	(void)dns_ask(dns, name, DNSPACKET_A, on_answer, r);
	r->in_ask = false;
}

/* Runs until r has had as many calls as it wants. */
static void
run(struct result *r, struct ev_loop *loop, int wanted)
{
	r->loop = loop;
	r->wanted = wanted;
	if (r->calls < wanted)
		ev_run(loop, 0);
}

static void
test_answers(struct server *s, struct ev_loop *loop)
{
	static const struct {
		const char *name;
		enum dns_status want;
		int asked;
	} rows[] = {
		{ "good.example", DNS_FOUND, 1 },
		{ "good.example", DNS_FOUND, 0 },
		{ "GOOD.example.", DNS_FOUND, 0 },
		{ "none.example", DNS_NO_NAME, 1 },
		{ "empty.example", DNS_NO_DATA, 1 },
		{ "good.test", DNS_FOUND, 1 },
		{ "good.invalid", DNS_FOUND, 1 },
		{ "1.0.0.10.in-addr.arpa", DNS_FOUND, 1 },
		{ "1.2.0.192.in-addr.arpa", DNS_FOUND, 1 },
		{ "1.0.8.b.d.0.1.0.0.2.ip6.arpa", DNS_FOUND, 1 },
		{ "", DNS_NO_NAME, 0 },
		{ "a..example", DNS_NO_NAME, 0 },
		{ "0123456789012345678901234567890123456789012345678901234567"
		  "8901234.example",
		    DNS_NO_NAME, 0 },
	};
	struct dns *dns = new_dns(s, loop, 2000);
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		struct result r = { .calls = 0 };
		int before = s->asked;

		ask(&r, dns, rows[i].name);
		run(&r, loop, 1);
		check_str(rows[i].name, dns_status_name(r.status),
		    dns_status_name(rows[i].want));
		check_int("asked", s->asked - before, rows[i].asked);
		check_false("before dns_ask returned", r.early);
		if (r.status == DNS_FOUND)
			check_mem("its data", r.data, 4, "\xc0\0\2\1", 4);
		check_bool(
		    "may be kept", r.ttl > 0 && r.ttl <= 60, r.count > 0);
	}
	check_uint("questions", dns_stats(dns)->questions, 13);
	check_uint("found", dns_stats(dns)->found, 8);
	check_uint("no data", dns_stats(dns)->no_data, 1);
	check_uint("no name", dns_stats(dns)->no_name, 4);
	check_int("none open", dns_stats(dns)->open, 0);
	dns_free(&dns);
}

static void
test_failures(struct server *s, struct ev_loop *loop)
{
	static const char *const names[] = {
		"fail.example",
		"refuse.example",
		"silent.example",
	};
	struct dns *dns = new_dns(s, loop, 300);
	struct result good = { .calls = 0 };
	size_t i;

	for (i = 0; i < CHECK_COUNT(names); i++) {
		struct result r = { .calls = 0 };

		ask(&r, dns, names[i]);
		run(&r, loop, 1);
		check_int(names[i], r.status, DNS_TEMPORARY);
		check_uint("no records", r.count, 0);
	}
	ask(&good, dns, "good.example");
	run(&good, loop, 1);
	check_int("a good name after these", good.status, DNS_FOUND);
	check_uint("temporary", dns_stats(dns)->temporary, 3);
	check_true("timed out", dns_stats(dns)->timeouts >= 1);
	dns_free(&dns);
}

static void
test_odd_name(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 2000);
	struct result r = { .calls = 0 };

	ask(&r, dns, "good \\\"\x01\xff;@\\065.example");
	run(&r, loop, 1);
	check_str("an odd name as the server sees it", s->name,
	    "\x0f"
	    "good \\\"\x01\xff;@\\065"
	    "\7example");
	dns_free(&dns);
}

/* Two in one turn; the second is in the cache, or under way. */
static void
test_equal(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 2000);
	struct result a = { .calls = 0 }, b = { .calls = 0 };
	int before = s->asked;

	ask(&a, dns, "good.example");
	ask(&a, dns, "good.example");
	ask(&a, dns, "Good.Example");
	check_int("three open", dns_stats(dns)->open, 3);
	run(&a, loop, 3);
	check_int("three found", a.found, 3);
	check_int("asked once", s->asked - before, 1);
	ask(&b, dns, "good.example");
	ask(&b, dns, "good.example");
	check_int("nobody is called back yet", b.calls, 0);
	run(&b, loop, 2);
	check_int("two from the cache", b.found, 2);
	check_false("never early", a.early || b.early);
	dns_free(&dns);
}

/* A callback that asks for what is in the cache. */
static void
test_chain(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 2000);
	struct result r = { .dns = dns, .again = CHAIN };

	ask(&r, dns, "good.example");
	run(&r, loop, CHAIN + 1);
	check_int("all found", r.found, CHAIN + 1);
	check_false("never early", r.early);
	dns_free(&dns);
}

static void
test_cancel(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 1000);
	struct result dead = { .calls = 0 }, r = { .calls = 0 };
	struct dns_question *q = NULL;

	dns_cancel(&q);
	q = dns_ask(dns, "silent.example", DNSPACKET_A, on_answer, &dead);
	dns_cancel(&q);
	check_true("set to NULL", q == NULL);
	q = dns_ask(dns, "good.example", DNSPACKET_A, on_answer, &dead);
	dns_cancel(&q);
	ask(&r, dns, "good.example");
	run(&r, loop, 1);
	check_int("an equal one goes on", r.found, 1);
	q = dns_ask(dns, "good.example", DNSPACKET_A, on_answer, &dead);
	dns_cancel(&q);
	/* The first one's callback cancels the second, already answered. */
	r.calls = 0;
	ask(&r, dns, "good.example");
	r.victim = dns_ask(dns, "good.example", DNSPACKET_A, on_answer, &dead);
	ask(&r, dns, "good.example");
	run(&r, loop, 2);
	check_int("cancelled in a callback", r.found, 3);
	/* By now the server has been asked for the first. */
	q = dns_ask(dns, "held.example", DNSPACKET_A, on_answer, &dead);
	r.calls = 0;
	ask(&r, dns, "none.example");
	run(&r, loop, 1);
	dns_cancel(&q);
	answer(s, s->held, s->held_len, &s->held_for);
	r.calls = 0;
	ask(&r, dns, "held2.example");
	run(&r, loop, 1);
	check_int("a late answer goes nowhere", dead.calls, 0);
	check_int("none open", dns_stats(dns)->open, 0);
	dns_free(&dns);
	check_true("freed", dns == NULL);
	dns_free(&dns);
}

/* Freed with questions asked, answered, cancelled and timed out. */
static void
test_free(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 50);
	struct result r = { .calls = 0 }, dead = { .calls = 0 };
	struct dns_question *q;

	ask(&r, dns, "silent.example");
	ask(&r, dns, "good.example");
	run(&r, loop, 2);
	q = dns_ask(dns, "silent2.example", DNSPACKET_A, on_answer, &dead);
	dns_cancel(&q);
	ask(&dead, dns, "silent3.example");
	ask(&dead, dns, "good.example");
	ask(&dead, dns, "");
	dns_free(&dns);
	ev_run(loop, EVRUN_NOWAIT);
	check_int("nobody is called back", dead.calls, 0);
}

/* Other settings while a question is under way. */
static void
test_configure(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 2000);
	struct result held = { .calls = 0 }, r = { .calls = 0 };
	struct server other;
	struct err err;
	int before;

	start_server(&other, loop);
	ask(&held, dns, "held3.example");
	ask(&r, dns, "good.example");
	run(&r, loop, 1);
	check_int("the same again", configure(dns, s->address, "", &err), 0);
	before = s->asked;
	ask(&r, dns, "good.example");
	run(&r, loop, 2);
	check_int("keeps the cache", s->asked, before);
	check_int("another server", configure(dns, other.address, "", &err), 0);
	ask(&r, dns, "good.example");
	run(&r, loop, 3);
	check_int("is asked", other.asked, 1);
	check_int("and the first no more", s->asked, before);
	check_int("who waits goes on waiting", held.calls, 0);
	answer(s, s->held, s->held_len, &s->held_for);
	run(&held, loop, 1);
	check_int("and is answered by the first", held.status, DNS_FOUND);
	check_int("not by the other", other.asked, 1);

	check_int("no server", configure(dns, "localhost", "", &err), -1);
	check_contains("says so", err.text, "neither ADDRESS");
	check_int("no anchors",
	    configure(dns, s->address, "/nonexistent/anchors", &err), -1);
	check_contains("says so", err.text, "cannot open /nonexistent/anchors");
	ask(&r, dns, "good.example");
	ask(&r, dns, "good2.example");
	run(&r, loop, 5);
	check_int("all found", r.found, 5);
	check_int("the old server and its cache stay", other.asked, 2);

	/* Freed while an old one has something under way. */
	ask(&held, dns, "silent4.example");
	ask(&r, dns, "good3.example");
	run(&r, loop, 6);
	check_int("back again", configure(dns, s->address, "", &err), 0);
	ask(&r, dns, "good.example");
	run(&r, loop, 7);
	ask(&held, dns, "silent5.example");
	dns_free(&dns);
	ev_run(loop, EVRUN_NOWAIT);
	check_int("nobody is called back", held.calls, 1);
	ev_io_stop(loop, &other.io);
	close(other.io.fd);
}

static void
test_crowd(struct server *s, struct ev_loop *loop)
{
	struct dns *dns = new_dns(s, loop, 8000);
	struct result r = { .calls = 0 };
	char name[64];
	int i;

	for (i = 0; i < CROWD; i++) {
		snprintf(name, sizeof(name), "good%d.example", i);
		ask(&r, dns, name);
		/* A socket's buffer takes a few hundred. */
		if (i % 100 == 0)
			ev_run(loop, EVRUN_NOWAIT);
	}
	run(&r, loop, CROWD);
	check_int("all found", r.found, CROWD);
	dns_free(&dns);
}

/* A daemon: each request asks for its sender and is answered with what came
 * out. "batch" is put off until the end of the turn. */
struct daemon {
	struct policysrv *srv;
	struct dns *dns;
	struct policysrv_call *call; /* one at a time */
	bool in_batch;
};

static void
on_sender(void *arg, const struct dns_answer *a)
{
	struct daemon *d = arg;

	policysrv_reply(d->call, dns_status_name(a->status));
}

static void
on_request(void *arg, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	const char *sender = request->attr[POLICYPROTO_SENDER];
	struct daemon *d = arg;

	d->call = call;
	d->in_batch = strcmp(sender, "batch") == 0;
	if (!d->in_batch)
		(void)dns_ask(d->dns, sender, DNSPACKET_A, on_sender, d);
}

static void
on_batch_end(void *arg)
{
	struct daemon *d = arg;

	if (d->in_batch)
		(void)dns_ask(
		    d->dns, "good.example", DNSPACKET_A, on_sender, d);
	d->in_batch = false;
}

static void
test_policysrv(void)
{
	static const struct policysrv_config config = {
		.max_connections = 1,
		.request_timeout_s = 10,
	};
	static const char requests[] =
	    "sender=good.example\n\nsender=good.example\n\n"
	    "sender=none.example\n\nsender=batch\n\n"
	    "sender=fail.example\n\nsender=a..b\n\n";
	struct daemon d = { .call = NULL };
	const struct policysrv_hooks hooks = {
		.request = on_request,
		.batch_end = on_batch_end,
		.arg = &d,
	};
	struct server server;
	char replies[1000] = "";
	int ends[2];

	d.srv = policysrv_new(&config, &hooks, NULL);
	start_server(&server, policysrv_loop(d.srv));
	d.dns = new_dns(&server, policysrv_loop(d.srv), 2000);
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0 ||
	    write(ends[1], requests, sizeof(requests) - 1) < 0)
		abort();
	shutdown(ends[1], SHUT_WR);
	policysrv_stdio(d.srv, ends[0], ends[0]);
	policysrv_run(d.srv);
	(void)!read(ends[1], replies, sizeof(replies) - 1);
	check_str("answers of the policy server", replies,
	    "action=found\n\naction=found\n\n"
	    "action=no such name\n\naction=found\n\n"
	    "action=temporary failure\n\naction=no such name\n\n");
	close(ends[0]);
	close(ends[1]);
	dns_free(&d.dns);
	ev_io_stop(policysrv_loop(d.srv), &server.io);
	close(server.io.fd);
	policysrv_free(&d.srv);
}

int
main(void)
{
	static const struct policysrv_config config = {
		.max_connections = 1,
		.request_timeout_s = 1,
	};
	static const struct policysrv_hooks hooks = { .arg = NULL };
	struct policysrv *srv = policysrv_new(&config, &hooks, NULL);
	struct ev_loop *loop = policysrv_loop(srv);
	struct server server;

	log_open("test_dns", LOG_SINK_STDERR, 0);
	start_server(&server, loop);
	test_answers(&server, loop);
	test_failures(&server, loop);
	test_odd_name(&server, loop);
	test_equal(&server, loop);
	test_chain(&server, loop);
	test_cancel(&server, loop);
	test_free(&server, loop);
	test_configure(&server, loop);
	test_crowd(&server, loop);
	test_policysrv();
	ev_io_stop(loop, &server.io);
	close(server.io.fd);
	policysrv_free(&srv);
	return check_done();
}
