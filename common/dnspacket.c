/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/dnspacket.h"

#define HEADER_SIZE 12
/* Name of one byte, type, class, TTL, length. */
#define RECORD_SIZE_MIN 11
#define CLASS_IN 1
#define TYPE_SOA 6
/* Serial, refresh, retry and expire of an SOA, in front of its minimum. */
#define SOA_NUMBERS_SIZE 16
#define LABEL_MAX 63
/* Of a name on the wire, with all its length bytes. */
#define WIRE_NAME_MAX 255
#define TEXT_NAME_MAX 253
#define RCODE_OK 0
#define RCODE_NO_NAME 3

/* Where reading stands. Every read checks against size. */
struct reader {
	const uint8_t *packet;
	size_t size;
	size_t pos;
};

/* The part of a record in front of its data. */
struct head {
	uint16_t type, class;
	uint32_t ttl;
	size_t data; /* position */
	size_t len;
};

static bool
read_u16(struct reader *r, uint16_t *value_r)
{
	if (r->size - r->pos < 2)
		return false;
	*value_r = (uint16_t)(r->packet[r->pos] << 8 | r->packet[r->pos + 1]);
	r->pos += 2;
	return true;
}

static bool
read_u32(struct reader *r, uint32_t *value_r)
{
	uint16_t high, low;

	if (!read_u16(r, &high) || !read_u16(r, &low))
		return false;
	*value_r = (uint32_t)high << 16 | low;
	return true;
}

/* Writes one byte of a name, as it is or as \DDD; returns what follows. */
static char *
put_byte(char *to, uint8_t byte, bool plain)
{
	if (plain) {
		*to++ = (char)byte;
		return to;
	}
	*to++ = '\\';
	*to++ = (char)('0' + byte / 100);
	*to++ = (char)('0' + byte / 10 % 10);
	*to++ = (char)('0' + byte % 10);
	return to;
}

static char *
put_label(char *to, const uint8_t *label, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		to = put_byte(to, label[i],
		    label[i] > 0x20 && label[i] < 0x7f && label[i] != '\\' &&
			label[i] != '.');
	return to;
}

/* Reads a name (RFC 1035 section 4.1.4) and stands behind it then. text may
 * be NULL; it has room for DNSPACKET_NAME_SIZE: each of at most 253 bytes
 * takes at most 4. A pointer must point before where its name began, so there
 * is no loop. */
static bool
read_name(struct reader *r, char *text)
{
	char *to = text;
	size_t pos = r->pos, low = r->pos, total = 1;
	bool jumped = false;

	for (;;) {
		size_t len;

		if (pos >= r->size)
			return false;
		len = r->packet[pos++];
		if (!jumped)
			r->pos = pos;
		if (len == 0)
			break;
		if ((len & 0xc0) == 0xc0) {
			if (pos >= r->size)
				return false;
			if (!jumped)
				r->pos = pos + 1;
			jumped = true;
			pos = (len & 0x3f) << 8 | r->packet[pos];
			if (pos >= low)
				return false;
			low = pos;
			continue;
		}
		total += len + 1;
		if (len > LABEL_MAX || total > WIRE_NAME_MAX ||
		    r->size - pos < len)
			return false;
		if (to != NULL) {
			if (to != text)
				*to++ = '.';
			to = put_label(to, r->packet + pos, len);
		}
		pos += len;
		if (!jumped)
			r->pos = pos;
	}
	if (to != NULL)
		*to = '\0';
	return true;
}

static bool
skip_questions(struct reader *r, uint16_t count)
{
	for (; count > 0; count--) {
		if (!read_name(r, NULL) || r->size - r->pos < 4)
			return false;
		r->pos += 4;
	}
	return true;
}

/* Reads a record up to its data and steps over that. */
static bool
read_head(struct reader *r, struct head *head)
{
	uint16_t len;

	if (!read_name(r, NULL) || !read_u16(r, &head->type) ||
	    !read_u16(r, &head->class) || !read_u32(r, &head->ttl) ||
	    !read_u16(r, &len) || r->size - r->pos < len)
		return false;
	/* RFC 2181 section 8: the top bit set means 0. */
	if (head->ttl > INT32_MAX)
		head->ttl = 0;
	head->data = r->pos;
	head->len = len;
	r->pos += len;
	return true;
}

static bool
take_address(const struct reader *r, const struct head *head, size_t want,
    struct arena *arena, struct dnspacket_record *record)
{
	if (head->len != want)
		return false;
	record->data =
	    arena_strndup(arena, (const char *)r->packet + head->data, want);
	record->len = want;
	return true;
}

/* The name must end where the data does. */
static bool
take_name(const struct reader *r, const struct head *head, size_t skip,
    struct arena *arena, struct dnspacket_record *record)
{
	struct reader name = *r;
	char text[DNSPACKET_NAME_SIZE];

	if (head->len < skip)
		return false;
	name.pos = head->data + skip;
	name.size = head->data + head->len;
	if (!read_name(&name, text) || name.pos != name.size)
		return false;
	record->len = strlen(text);
	record->data = arena_strndup(arena, text, record->len);
	return true;
}

static bool
take_text(const struct reader *r, const struct head *head, struct arena *arena,
    struct dnspacket_record *record)
{
	const uint8_t *p = r->packet + head->data, *end = p + head->len;
	char *text = arena_alloc(arena, head->len + 1);
	size_t len = 0;

	while (p < end) {
		size_t piece = *p++;

		if ((size_t)(end - p) < piece)
			return false;
		memcpy(text + len, p, piece);
		len += piece;
		p += piece;
	}
	text[len] = '\0';
	record->data = text;
	record->len = len;
	return true;
}

static bool
take_record(const struct reader *r, const struct head *head,
    struct arena *arena, struct dnspacket_record *record)
{
	struct reader data = *r;

	record->ttl = head->ttl;
	data.pos = head->data;
	switch ((enum dnspacket_type)head->type) {
	case DNSPACKET_A:
		return take_address(r, head, 4, arena, record);
	case DNSPACKET_AAAA:
		return take_address(r, head, 16, arena, record);
	case DNSPACKET_PTR:
		return take_name(r, head, 0, arena, record);
	case DNSPACKET_MX:
		return read_u16(&data, &record->preference) &&
		       take_name(r, head, 2, arena, record);
	case DNSPACKET_TXT:
		return take_text(r, head, arena, record);
	}
	return false;
}

/* Takes the records of type; answer says how many and for how long. Returns
 * NULL when the section is damaged. */
static const struct dnspacket_record *
read_answers(struct reader *r, uint16_t count, enum dnspacket_type type,
    struct arena *arena, struct dnspacket_answer *answer)
{
	struct dnspacket_record *records;
	size_t kept = 0, room = (r->size - r->pos) / RECORD_SIZE_MIN;
	struct head head;

	if (count > room)
		return NULL;
	room = count < DNSPACKET_RECORDS_MAX ? count : DNSPACKET_RECORDS_MAX;
	records = arena_alloc(arena, room * sizeof(*records));
	answer->ttl = UINT32_MAX;
	for (; count > 0; count--) {
		if (!read_head(r, &head))
			return NULL;
		if (head.ttl < answer->ttl)
			answer->ttl = head.ttl;
		if (head.type != type || head.class != CLASS_IN || kept == room)
			continue;
		if (!take_record(r, &head, arena, &records[kept]))
			return NULL;
		kept++;
	}
	answer->count = kept;
	return records;
}

/* How long it holds that there is nothing: says the SOA in the authority
 * section, where r stands. 0 when there is none. */
static uint32_t
read_negative_ttl(struct reader *r, uint16_t count)
{
	struct head head;
	uint32_t minimum;

	for (; count > 0 && read_head(r, &head); count--) {
		struct reader soa = { r->packet, head.data + head.len,
			head.data };

		if (head.type != TYPE_SOA || head.class != CLASS_IN)
			continue;
		if (!read_name(&soa, NULL) || !read_name(&soa, NULL) ||
		    soa.size - soa.pos < SOA_NUMBERS_SIZE)
			return 0;
		soa.pos += SOA_NUMBERS_SIZE;
		if (!read_u32(&soa, &minimum))
			return 0;
		return minimum < head.ttl ? minimum : head.ttl;
	}
	return 0;
}

struct dnspacket_answer
dnspacket_parse(const uint8_t *packet, size_t len, enum dnspacket_type type,
    struct arena *arena)
{
	struct dnspacket_answer answer = { .status = DNSPACKET_FAILED };
	struct reader r = { packet, len, 4 };
	uint16_t questions, answers, authorities;
	unsigned rcode;

	if (len < HEADER_SIZE)
		return answer;
	/* It must be a response to a standard query and not be cut off: half
	 * a set of records says something else than the whole. */
	if ((packet[2] & 0xfa) != 0x80)
		return answer;
	rcode = packet[3] & 0x0fU;
	if (rcode != RCODE_OK && rcode != RCODE_NO_NAME)
		return answer;
	if (!read_u16(&r, &questions) || !read_u16(&r, &answers) ||
	    !read_u16(&r, &authorities))
		return answer;
	r.pos = HEADER_SIZE;
	if (!skip_questions(&r, questions))
		return answer;
	answer.records = read_answers(&r, answers, type, arena, &answer);
	/* No name and yet a record: it contradicts itself. */
	if (answer.records == NULL ||
	    (answer.count > 0 && rcode == RCODE_NO_NAME))
		return (struct dnspacket_answer){ .status = DNSPACKET_FAILED };
	if (answer.count > 0) {
		answer.status = DNSPACKET_FOUND;
	} else {
		uint32_t ttl = read_negative_ttl(&r, authorities);

		if (ttl < answer.ttl)
			answer.ttl = ttl;
		answer.status = rcode == RCODE_NO_NAME ? DNSPACKET_NO_NAME
						       : DNSPACKET_NO_DATA;
	}
	return answer;
}

bool
dnspacket_name_ok(const char *name)
{
	const char *label = name, *p;

	for (p = name;; p++) {
		if (*p != '.' && *p != '\0')
			continue;
		if (p == label)
			return *p == '\0' && p != name;
		if (p - label > LABEL_MAX || p - name > TEXT_NAME_MAX)
			return false;
		if (*p == '\0')
			return true;
		label = p + 1;
	}
}

bool
dnspacket_escape(const char *name, char out[static DNSPACKET_NAME_SIZE])
{
	char *to = out;

	for (; *name != '\0'; name++) {
		uint8_t byte = (uint8_t)*name;

		if (out + DNSPACKET_NAME_SIZE - to < 5)
			return false;
		to = put_byte(
		    to, byte, byte > 0x20 && byte < 0x7f && byte != '\\');
	}
	*to = '\0';
	return true;
}

const char *
dnspacket_type_name(enum dnspacket_type type)
{
	switch (type) {
	case DNSPACKET_A:
		return "A";
	case DNSPACKET_AAAA:
		return "AAAA";
	case DNSPACKET_MX:
		return "MX";
	case DNSPACKET_PTR:
		return "PTR";
	case DNSPACKET_TXT:
		return "TXT";
	}
	return "?";
}
