/* SPDX-License-Identifier: ISC */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/str.h"
#include "common/xmem.h"
#include "tests/bench/milterwire.h"

enum {
	VERSION = 6,
	ALL_ACTIONS = 0x1ff,
	ALL_STEPS = 0x1fffff,
	REPLY_MAX = 1 << 20,
	BODY_CHUNK = 65535,
};

/* What a milter declines, and what it does not answer. */
enum {
	NO_CONNECT = 0x1,
	NO_HELO = 0x2,
	NO_MAIL = 0x4,
	NO_RCPT = 0x8,
	NO_BODY = 0x10,
	NO_HEADERS = 0x20,
	NO_EOH = 0x40,
	NO_DATA = 0x200,
	SILENT_HEADER = 0x80,
	SILENT_CONNECT = 0x1000,
	SILENT_HELO = 0x2000,
	SILENT_MAIL = 0x4000,
	SILENT_RCPT = 0x8000,
	SILENT_DATA = 0x10000,
	SILENT_EOH = 0x40000,
	SILENT_BODY = 0x80000,
	LEADING_SPACE = 0x100000,
};

struct bytes {
	uint8_t *data;
	size_t len, cap;
};

struct milterwire_message {
	struct bytes header[2]; /* values without, with the space in front */
	struct bytes body;
};

static void
add(struct bytes *bytes, const void *data, size_t len)
{
	if (bytes->cap - bytes->len < len) {
		bytes->cap = (bytes->len + len) * 2;
		bytes->data = xmem_realloc(bytes->data, bytes->cap, 1);
	}
	if (len > 0)
		memcpy(bytes->data + bytes->len, data, len);
	bytes->len += len;
}

static void
add_head(struct bytes *bytes, char command, size_t len)
{
	uint32_t size = htonl((uint32_t)len + 1);

	add(bytes, &size, sizeof(size));
	add(bytes, &command, 1);
}

/* A packet of len bytes of data. */
static void
add_packet(struct bytes *bytes, char command, const void *data, size_t len)
{
	add_head(bytes, command, len);
	add(bytes, data, len);
}

static void
add_field(struct bytes *bytes, const char *field, size_t len, bool leading)
{
	const char *colon = memchr(field, ':', len);
	size_t name_len = colon == NULL ? len : (size_t)(colon - field);
	const char *value = colon == NULL ? field + len : colon + 1;

	if (!leading && *value == ' ')
		value++;
	len -= (size_t)(value - field);
	add_head(bytes, 'L', name_len + 1 + len + 1);
	add(bytes, field, name_len);
	add(bytes, "", 1);
	add(bytes, value, len);
	add(bytes, "", 1);
}

/* Takes fields, folded with LF, up to the empty line. Returns the length of
 * all that. */
static size_t
add_fields(struct milterwire_message *message, const char *text, size_t len)
{
	size_t at = 0;

	while (at < len && text[at] != '\n') {
		size_t end = at;

		do {
			const char *line_end =
			    memchr(text + end, '\n', len - end);

			end = line_end == NULL ? len
					       : (size_t)(line_end - text) + 1;
		} while (end < len && (text[end] == ' ' || text[end] == '\t'));
		add_field(&message->header[0], text + at, end - at - 1, false);
		add_field(&message->header[1], text + at, end - at - 1, true);
		at = end;
	}
	return at < len ? at + 1 : len;
}

/* Takes the body, with CRLF. */
static void
add_body(struct milterwire_message *message, const char *text, size_t len)
{
	struct bytes lines = { NULL, 0, 0 };
	size_t at;

	for (at = 0; at < len;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line =
		    end == NULL ? len - at : (size_t)(end - text) - at;

		add(&lines, text + at, line);
		add(&lines, "\r\n", 2);
		at += line + 1;
	}
	for (at = 0; at < lines.len; at += BODY_CHUNK)
		add_packet(&message->body, 'B', lines.data + at,
		    lines.len - at < BODY_CHUNK ? lines.len - at : BODY_CHUNK);
	xmem_free(&lines.data);
}

struct milterwire_message *
milterwire_read(const char *path)
{
	struct milterwire_message *message;
	struct bytes text = { NULL, 0, 0 };
	FILE *file = fopen(path, "r");
	size_t head;
	int c;

	if (file == NULL) {
		fprintf(stderr, "cannot read %s: %s\n", path, strerror(errno));
		return NULL;
	}
	while ((c = getc_unlocked(file)) != EOF) {
		char byte = (char)c;

		if (c != '\r')
			add(&text, &byte, 1);
	}
	fclose(file);
	message = xmem_calloc(1, sizeof(*message));
	head = add_fields(message, (const char *)text.data, text.len);
	add_body(message, (const char *)text.data + head, text.len - head);
	xmem_free(&text.data);
	return message;
}

void
milterwire_free(struct milterwire_message **message)
{
	if (*message == NULL)
		return;
	xmem_free(&(*message)->header[0].data);
	xmem_free(&(*message)->header[1].data);
	xmem_free(&(*message)->body.data);
	xmem_free(message);
}

static bool
write_all(int fd, const uint8_t *data, size_t len)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
	}
	return true;
}

static bool
read_all(int fd, void *data, size_t len)
{
	uint8_t *at = data;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

/* Reads the next reply. Returns its letter, or 0. */
static char
read_reply(struct milterwire *wire)
{
	uint32_t size;

	if (!read_all(wire->fd, &size, sizeof(size)))
		return 0;
	wire->reply_len = ntohl(size);
	if (wire->reply_len == 0 || wire->reply_len > REPLY_MAX)
		return 0;
	if (wire->reply_len >= wire->reply_cap) {
		wire->reply_cap = wire->reply_len + 1;
		wire->reply = xmem_realloc(wire->reply, wire->reply_cap, 1);
	}
	if (!read_all(wire->fd, wire->reply, wire->reply_len))
		return 0;
	wire->reply[wire->reply_len] = '\0';
	return (char)wire->reply[0];
}

/* The field of an insertion, which is name NUL value NUL. */
static void
take_field(
    struct milterwire *wire, size_t offset, struct milterwire_verdict *verdict)
{
	const char *name = (const char *)wire->reply + offset;
	size_t used = strlen(verdict->fields);
	struct str s;

	if (wire->reply_len < offset + strlen(name) + 2)
		return;
	str_init(&s, verdict->fields + used, sizeof(verdict->fields) - used);
	str_addf(&s, "%s: %s\n", name, name + strlen(name) + 1);
}

/* Reads replies up to one that decides. */
static char
read_decision(struct milterwire *wire, struct milterwire_verdict *verdict)
{
	for (;;) {
		char letter = read_reply(wire);

		if (letter == 'i')
			take_field(wire, 5, verdict);
		else if (letter == 'h')
			take_field(wire, 1, verdict);
		if (letter == 0 || strchr("actrdys", letter) != NULL)
			return letter;
		verdict->edits += letter != 'p';
	}
}

/* Sends the packets in bytes unless the milter declined them. Returns what
 * was decided: 'c' to go on. */
static char
send_packets(struct milterwire *wire, const struct bytes *bytes,
    uint32_t silent, struct milterwire_verdict *verdict)
{
	size_t at = 0;

	if ((wire->steps & silent) != 0)
		return write_all(wire->fd, bytes->data, bytes->len) ? 'c' : 0;
	while (at < bytes->len) {
		uint32_t size;
		char letter;

		memcpy(&size, bytes->data + at, sizeof(size));
		size = ntohl(size) + 4;
		if (!write_all(wire->fd, bytes->data + at, size))
			return 0;
		at += size;
		letter = read_decision(wire, verdict);
		if (letter != 'c')
			return letter;
	}
	return 'c';
}

/* The same for one that is made here: first its macros, name and value in
 * turn up to NULL, then the command with data. */
static char
send_step(struct milterwire *wire, char command, const struct bytes *data,
    const char *const *macros, uint32_t silent)
{
	struct bytes packets = { NULL, 0, 0 }, list = { NULL, 0, 0 };
	struct milterwire_verdict verdict = { .action = 0 };
	char letter = 'c';

	add(&list, &command, 1);
	for (; macros != NULL && *macros != NULL; macros++)
		add(&list, *macros, strlen(*macros) + 1);
	if (list.len > 1) {
		add_packet(&packets, 'D', list.data, list.len);
		if (!write_all(wire->fd, packets.data, packets.len))
			letter = 0;
		packets.len = 0;
	}
	add_packet(&packets, command, data->data, data->len);
	if (letter != 0)
		letter = send_packets(wire, &packets, silent, &verdict);
	xmem_free(&packets.data);
	xmem_free(&list.data);
	return letter;
}

static char
send_text(struct milterwire *wire, char command, const char *text,
    const char *const *macros, uint32_t silent)
{
	struct bytes data = { NULL, 0, 0 };
	char letter;

	add(&data, text, strlen(text) + 1);
	letter = send_step(wire, command, &data, macros, silent);
	xmem_free(&data.data);
	return letter;
}

static bool
negotiate(struct milterwire *wire)
{
	uint32_t offer[] = { htonl(VERSION), htonl(ALL_ACTIONS),
		htonl(ALL_STEPS) };
	struct bytes packet = { NULL, 0, 0 };
	bool ok;

	add_packet(&packet, 'O', offer, sizeof(offer));
	ok = write_all(wire->fd, packet.data, packet.len) &&
	     read_reply(wire) == 'O' && wire->reply_len >= 1 + sizeof(offer);
	xmem_free(&packet.data);
	if (!ok)
		return false;
	memcpy(&wire->steps, wire->reply + 9, sizeof(wire->steps));
	wire->steps = ntohl(wire->steps);
	return true;
}

static bool
greet(struct milterwire *wire, const char *address)
{
	static const char *const macros[] = { "j", "mx.bench.example",
		"{daemon_name}", "mx.bench.example", "v", "Postfix", NULL };
	struct bytes data = { NULL, 0, 0 };
	const uint16_t port = htons(25000);
	bool ok = true;

	add(&data, "client.bench.example", 21);
	add(&data, "4", 1);
	add(&data, &port, sizeof(port));
	add(&data, address, strlen(address) + 1);
	if ((wire->steps & NO_CONNECT) == 0)
		ok = send_step(wire, 'C', &data, macros, SILENT_CONNECT) == 'c';
	xmem_free(&data.data);
	if (ok && (wire->steps & NO_HELO) == 0)
		ok = send_text(wire, 'H', "client.bench.example", NULL,
			 SILENT_HELO) == 'c';
	return ok;
}

bool
milterwire_open(
    struct milterwire *wire, const struct target *target, const char *address)
{
	memset(wire, 0, sizeof(*wire));
	wire->fd = target_connect(target);
	if (wire->fd < 0)
		return false;
	if (fcntl(wire->fd, F_SETFL, 0) == 0 && negotiate(wire) &&
	    greet(wire, address))
		return true;
	milterwire_close(wire);
	errno = ECONNRESET;
	return false;
}

static char
send_envelope(struct milterwire *wire)
{
	static const char *const mail[] = { "i", "4BenchQueueId", "{mail_addr}",
		"alice@example.org", NULL };
	static const char *const rcpt[] = { "{rcpt_addr}", "bob@example.net",
		NULL };
	char letter = 'c';

	if ((wire->steps & NO_MAIL) == 0)
		letter = send_text(
		    wire, 'M', "<alice@example.org>", mail, SILENT_MAIL);
	if (letter == 'c' && (wire->steps & NO_RCPT) == 0)
		letter = send_text(
		    wire, 'R', "<bob@example.net>", rcpt, SILENT_RCPT);
	if (letter == 'c' && (wire->steps & NO_DATA) == 0)
		letter = send_step(wire, 'T', &(struct bytes){ NULL, 0, 0 },
		    NULL, SILENT_DATA);
	return letter;
}

static char
send_content(struct milterwire *wire, const struct milterwire_message *message,
    struct milterwire_verdict *verdict)
{
	const struct bytes end = { (uint8_t[]){ 0, 0, 0, 1, 'E' }, 5, 5 };
	const struct bytes eoh = { (uint8_t[]){ 0, 0, 0, 1, 'N' }, 5, 5 };
	char letter = 'c';

	if ((wire->steps & NO_HEADERS) == 0)
		letter = send_packets(wire,
		    &message->header[(wire->steps & LEADING_SPACE) != 0],
		    SILENT_HEADER, verdict);
	if (letter == 'c' && (wire->steps & NO_EOH) == 0)
		letter = send_packets(wire, &eoh, SILENT_EOH, verdict);
	if (letter == 'c' && (wire->steps & NO_BODY) == 0)
		letter =
		    send_packets(wire, &message->body, SILENT_BODY, verdict);
	/* 's': no more of the body. */
	if (letter != 'c' && letter != 's')
		return letter;
	return send_packets(wire, &end, 0, verdict);
}

bool
milterwire_send(struct milterwire *wire,
    const struct milterwire_message *message,
    struct milterwire_verdict *verdict_r)
{
	memset(verdict_r, 0, sizeof(*verdict_r));
	verdict_r->action = send_envelope(wire);
	if (verdict_r->action == 'c')
		verdict_r->action = send_content(wire, message, verdict_r);
	return verdict_r->action != 0;
}

void
milterwire_close(struct milterwire *wire)
{
	static const uint8_t quit[] = { 0, 0, 0, 1, 'Q' };

	if (wire->fd >= 0) {
		(void)write_all(wire->fd, quit, sizeof(quit));
		close(wire->fd);
	}
	wire->fd = -1;
	xmem_free(&wire->reply);
}
