/* SPDX-License-Identifier: ISC */
/*
 * dnsserver.h - a name server in the test's own event loop
 *
 * The zone is a text of lines, as in tests/dns/faultdns.py:
 *
 *     NAME TYPE DATA     A, AAAA, MX, PTR, TXT (without quotes)
 *     NAME !FAULT        for all types: never, servfail, held
 *     $TTL SECONDS       of the records that follow; 0
 *
 * It is read anew for each question, so that the test may change it. Names
 * are lower case. Questions for what is held are kept for dnsserver_release.
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_UNIT_DNSSERVER_H
#define POSTERN_TESTS_UNIT_DNSSERVER_H

#include <ev.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/dnspeer.h"

#define DNSSERVER_HELD_MAX 8

struct dnsserver_query {
	uint8_t packet[512];
	size_t len; /* up to the end of the question */
	struct sockaddr_in peer;
	char name[256];
	unsigned type;
};

struct dnsserver {
	struct ev_io io;
	struct ev_loop *loop;
	const char *zone;
	unsigned asked; /* questions that came */
	char address[DNSPEER_ADDRESS_SIZE];
	struct dnsserver_query held[DNSSERVER_HELD_MAX];
	size_t held_count;
};

struct dnsserver_line {
	char name[256], type[16], data[512];
	unsigned ttl;
};

/* Reads the next line of a zone; returns what follows, or NULL at its end. */
static inline const char *
dnsserver_next(const char *zone, struct dnsserver_line *line)
{
	char text[800] = "";
	size_t len = strcspn(zone, "\n");

	if (*zone == '\0')
		return NULL;
	if (len >= sizeof(text))
		abort();
	memcpy(text, zone, len);
	line->name[0] = line->type[0] = line->data[0] = '\0';
	if (sscanf(text, "$TTL %u", &line->ttl) != 1)
		(void)sscanf(text, "%255s %15s %511[^\n]", line->name,
		    line->type, line->data);
	return zone + len + (zone[len] == '\n');
}

static inline size_t
dnsserver_put_name(uint8_t *to, const char *name)
{
	size_t at = 0;

	while (*name != '\0') {
		size_t len = strcspn(name, ".");

		to[at++] = (uint8_t)len;
		memcpy(to + at, name, len);
		at += len;
		name += len + (name[len] == '.');
	}
	to[at++] = 0;
	return at;
}

/* Writes a record's data; returns how many bytes. */
static inline size_t
dnsserver_put_data(uint8_t *to, const struct dnsserver_line *line)
{
	unsigned preference;
	int used = 0;

	if (strcmp(line->type, "A") == 0)
		return inet_pton(AF_INET, line->data, to) == 1 ? 4 : 0;
	if (strcmp(line->type, "AAAA") == 0)
		return inet_pton(AF_INET6, line->data, to) == 1 ? 16 : 0;
	if (strcmp(line->type, "PTR") == 0)
		return dnsserver_put_name(to, line->data);
	if (strcmp(line->type, "MX") == 0) {
		if (sscanf(line->data, "%u %n", &preference, &used) != 1)
			abort();
		to[0] = 0;
		to[1] = (uint8_t)preference;
		return 2 + dnsserver_put_name(to + 2, line->data + used);
	}
	to[0] = (uint8_t)strlen(line->data);
	memcpy(to + 1, line->data, to[0]);
	return 1U + to[0];
}

static inline unsigned
dnsserver_type(const char *name)
{
	static const struct {
		const char *name;
		unsigned number;
	} types[] = { { "A", 1 }, { "PTR", 12 }, { "MX", 15 }, { "TXT", 16 },
		{ "AAAA", 28 } };

	for (size_t i = 0; i < sizeof(types) / sizeof(*types); i++)
		if (strcmp(types[i].name, name) == 0)
			return types[i].number;
	return 0;
}

/* Answers from the zone, or does what its fault says. */
static inline void
dnsserver_answer(struct dnsserver *s, struct dnsserver_query *q)
{
	struct dnsserver_line line = { .ttl = 0 };
	uint8_t out[4096];
	size_t size = q->len, count = 0;
	uint8_t rcode = 3;

	memcpy(out, q->packet, q->len);
	for (const char *zone = s->zone;
	     (zone = dnsserver_next(zone, &line)) != NULL;) {
		size_t len;

		if (strcmp(line.name, q->name) != 0)
			continue;
		if (strcmp(line.type, "!never") == 0)
			return;
		if (strcmp(line.type, "!held") == 0) {
			if (s->held_count == DNSSERVER_HELD_MAX)
				abort();
			s->held[s->held_count++] = *q;
			return;
		}
		rcode = strcmp(line.type, "!servfail") == 0 ? 2 : 0;
		if (dnsserver_type(line.type) != q->type)
			continue;
		len = dnsserver_put_data(out + size + 12, &line);
		memcpy(out + size,
		    (uint8_t[]){ 0xc0, 12, 0, (uint8_t)q->type, 0, 1,
			(uint8_t)(line.ttl >> 24), (uint8_t)(line.ttl >> 16),
			(uint8_t)(line.ttl >> 8), (uint8_t)line.ttl, 0,
			(uint8_t)len },
		    12);
		size += 12 + len;
		count++;
	}
	out[2] = 0x81;
	out[3] = 0x80 | rcode;
	memset(out + 6, 0, 6);
	out[7] = (uint8_t)count;
	if (count == 0 && rcode != 2) {
		/* Without a SOA, whose times are 0, resolvers choose. */
		static const uint8_t soa[11 + 22] = { 0, 0, 6, 0,
			1, [10] = 22 };

		out[9] = 1;
		memcpy(out + size, soa, sizeof(soa));
		size += sizeof(soa);
	}
	(void)sendto(s->io.fd, out, size, 0, (const struct sockaddr *)&q->peer,
	    sizeof(q->peer));
}

/* Answers what was held, by the zone of now. */
static inline void
dnsserver_release(struct dnsserver *s)
{
	size_t count = s->held_count;

	s->held_count = 0;
	for (size_t i = 0; i < count; i++)
		dnsserver_answer(s, &s->held[i]);
}

static inline void
dnsserver_on_query(struct ev_loop *loop, struct ev_io *io, int revents)
{
	struct dnsserver *s = io->data;
	struct dnsserver_query q;
	socklen_t peer_len = sizeof(q.peer);
	ssize_t got;

	(void)loop;
	(void)revents;
	while ((got = recvfrom(io->fd, q.packet, sizeof(q.packet), 0,
		    (struct sockaddr *)&q.peer, &peer_len)) > 12) {
		size_t at = 12, len = 0;

		while (at < (size_t)got && q.packet[at] != 0) {
			memcpy(q.name + len, q.packet + at + 1, q.packet[at]);
			len += q.packet[at];
			q.name[len++] = '.';
			at += q.packet[at] + 1U;
		}
		q.name[len > 0 ? len - 1 : 0] = '\0';
		q.type = q.packet[at + 2];
		q.len = at + 5;
		s->asked++;
		dnsserver_answer(s, &q);
	}
}

/* Starts to answer from zone, which is borrowed. */
static inline void
dnsserver_start(struct dnsserver *s, struct ev_loop *loop, const char *zone)
{
	int fd;

	memset(s, 0, sizeof(*s));
	s->loop = loop;
	s->zone = zone;
	fd = dnspeer_socket(SOCK_NONBLOCK, s->address);
	ev_io_init(&s->io, dnsserver_on_query, fd, EV_READ);
	s->io.data = s;
	ev_io_start(loop, &s->io);
}

static inline void
dnsserver_stop(struct dnsserver *s)
{
	ev_io_stop(s->loop, &s->io);
	(void)close(s->io.fd);
}

#endif
