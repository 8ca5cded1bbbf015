/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/dnspacket.h"
#include "tests/unit/check.h"

/* Pieces of packets. The question is for "a.b" and begins at byte 12. */
#define HEAD(flags, answers) "\x12\x34" flags "\0\1" answers "\0\0\0\0"
#define OK "\x81\x80"
#define NXDOMAIN "\x81\x83"
#define SERVFAIL "\x81\x82"
#define QUESTION "\1a\1b\0\0\1\0\1"
#define OWNER "\xc0\x0c"
#define IN "\0\1"
#define TTL "\0\0\0\x3c"
#define RR(type, len) OWNER "\0" type IN TTL "\0" len
#define T_A "\1"
#define T_CNAME "\5"
#define T_PTR "\x0c"
#define T_MX "\x0f"
#define T_TXT "\x10"
#define T_AAAA "\x1c"
#define ADDR "\xc0\0\2\1"
#define BYTES(text) text, sizeof(text) - 1

struct row {
	const char *name;
	enum dnspacket_type type;
	const char *packet;
	size_t len;
	enum dnspacket_status status;
	const char *want; /* of the first record */
	size_t want_len;
	size_t count;
};

#define FAILS(name, type, packet)                                              \
	{                                                                      \
		name, type, BYTES(packet), DNSPACKET_FAILED, BYTES(""), 0      \
	}
#define FOUND(name, type, packet, want, count)                                 \
	{                                                                      \
		name, type, BYTES(packet), DNSPACKET_FOUND, BYTES(want), count \
	}

static const struct row rows[] = {
	FOUND("an address", DNSPACKET_A,
	    HEAD(OK, "\0\1") QUESTION RR(T_A, "\4") ADDR, ADDR, 1),
	FOUND("two addresses", DNSPACKET_A,
	    HEAD(OK, "\0\2") QUESTION RR(T_A, "\4") "\1\2\3\4" RR(T_A, "\4")
		ADDR,
	    "\1\2\3\4", 2),
	FOUND("an IPv6 address", DNSPACKET_AAAA,
	    HEAD(OK, "\0\1") QUESTION RR(T_AAAA, "\x10") "0123456789abcdef",
	    "0123456789abcdef", 1),
	FOUND("behind a CNAME", DNSPACKET_A,
	    HEAD(OK, "\0\2") QUESTION RR(T_CNAME, "\4") "\1c\xc0\x0e"
							"\1c\1b\0"
							"\0" T_A IN TTL
							"\0\4" ADDR,
	    ADDR, 1),
	FOUND("a class that is not IN is passed over", DNSPACKET_A,
	    HEAD(OK, "\0\2") QUESTION OWNER "\0\1\0\3" TTL "\0\4"
					    "\1\1\1\1" RR(T_A, "\4") ADDR,
	    ADDR, 1),
	FOUND("a text", DNSPACKET_TXT,
	    HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\7") "\6v=spf1", "v=spf1", 1),
	FOUND("strings are joined", DNSPACKET_TXT,
	    HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\x8") "\3v=s\0\2pf", "v=spf",
	    1),
	FOUND("a text with NUL", DNSPACKET_TXT,
	    HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\4") "\3a\0b", "a\0b", 1),
	FOUND("a text of nothing", DNSPACKET_TXT,
	    HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\1") "\0", "", 1),
	FOUND("a text without strings", DNSPACKET_TXT,
	    HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\0"), "", 1),
	FOUND("a name", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\5") "\1x\1Y\0", "x.Y", 1),
	FOUND("a name with a pointer", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\4") "\1x\xc0\x0c", "x.a.b",
	    1),
	FOUND("only a pointer", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\2") "\xc0\x0e", "b", 1),
	FOUND("odd bytes of a name", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\x09") "\7.\\ \0\xff"
							"a\"\0",
	    "\\046\\092\\032\\000\\255a\"", 1),
	FOUND("the root", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\1") "\0", "", 1),
	FOUND("a mail server", DNSPACKET_MX,
	    HEAD(OK, "\0\1") QUESTION RR(T_MX, "\5") "\1\2\1m\0", "m", 1),
	FOUND("bytes behind the answers do not matter", DNSPACKET_A,
	    HEAD(OK, "\0\1") QUESTION RR(T_A, "\4") ADDR "xyz", ADDR, 1),
	{ "no data", DNSPACKET_A, BYTES(HEAD(OK, "\0\0") QUESTION),
	    DNSPACKET_NO_DATA, BYTES(""), 0 },
	{ "only a CNAME", DNSPACKET_A,
	    BYTES(HEAD(OK, "\0\1") QUESTION RR(T_CNAME, "\3") "\1c\0"),
	    DNSPACKET_NO_DATA, BYTES(""), 0 },
	{ "another type", DNSPACKET_A,
	    BYTES(HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\0")), DNSPACKET_NO_DATA,
	    BYTES(""), 0 },
	{ "no name", DNSPACKET_A, BYTES(HEAD(NXDOMAIN, "\0\0") QUESTION),
	    DNSPACKET_NO_NAME, BYTES(""), 0 },
	{ "a CNAME to no name", DNSPACKET_A,
	    BYTES(HEAD(NXDOMAIN, "\0\1") QUESTION RR(T_CNAME, "\3") "\1c\0"),
	    DNSPACKET_NO_NAME, BYTES(""), 0 },
	FAILS("no name and yet a record", DNSPACKET_A,
	    HEAD(NXDOMAIN, "\0\1") QUESTION RR(T_A, "\4") ADDR),
	FAILS("SERVFAIL", DNSPACKET_A, HEAD(SERVFAIL, "\0\0") QUESTION),
	FAILS("REFUSED", DNSPACKET_A, HEAD("\x81\x85", "\0\0") QUESTION),
	FAILS("a query", DNSPACKET_A, HEAD("\1\0", "\0\0") QUESTION),
	FAILS("another operation", DNSPACKET_A,
	    HEAD("\x89\x80", "\0\0") QUESTION),
	FAILS("truncated", DNSPACKET_A,
	    HEAD("\x83\x80", "\0\1") QUESTION RR(T_A, "\4") ADDR),
	FAILS("nothing", DNSPACKET_A, ""),
	FAILS("half a header", DNSPACKET_A, "\x12\x34\x81\x80\0\1"),
	FAILS("no question", DNSPACKET_A, HEAD(OK, "\0\0")),
	FAILS("half a question", DNSPACKET_A, HEAD(OK, "\0\0") "\1a\1b\0\0"),
	FAILS("more answers than bytes", DNSPACKET_A,
	    HEAD(OK, "\xff\xff") QUESTION RR(T_A, "\4") ADDR),
	FAILS("an answer is missing", DNSPACKET_A,
	    HEAD(OK, "\0\2") QUESTION RR(T_A, "\4") ADDR "0123456789ab"),
	FAILS("a short address", DNSPACKET_A,
	    HEAD(OK, "\0\1") QUESTION RR(T_A, "\3") "\1\2\3"),
	FAILS("a long address", DNSPACKET_A,
	    HEAD(OK, "\0\1") QUESTION RR(T_A, "\5") "\1\2\3\4\5"),
	FAILS("a short IPv6 address", DNSPACKET_AAAA,
	    HEAD(OK, "\0\1") QUESTION RR(T_AAAA, "\4") ADDR),
	FAILS("data beyond the end", DNSPACKET_A,
	    HEAD(OK, "\0\1") QUESTION RR(T_A, "\4") "\1\2\3"),
	FAILS("a string beyond its record", DNSPACKET_TXT,
	    HEAD(OK, "\0\1") QUESTION RR(T_TXT, "\3") "\3ab"
						      "cdef"),
	FAILS("a name beyond its record", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\2") "\1x\0"),
	FAILS("a name and more in its record", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\4") "\1x\0y"),
	FAILS("no preference", DNSPACKET_MX,
	    HEAD(OK, "\0\1") QUESTION RR(T_MX, "\1") "\1"),
	FAILS("a preference alone", DNSPACKET_MX,
	    HEAD(OK, "\0\1") QUESTION RR(T_MX, "\2") "\1\2"),
	FAILS("a pointer to itself", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\2") "\xc0\x21"),
	FAILS("a pointer forward", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\4") "\xc0\x23\xc0\x0c"),
	FAILS("a pointer back to itself by a label", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\4") "\1x\xc0\x21"),
	FAILS("half a pointer at the end", DNSPACKET_A,
	    HEAD(OK, "\0\1") QUESTION "0123456789\xc0"),
	FAILS("an unknown kind of label", DNSPACKET_PTR,
	    HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\3") "\x41x\0"),
};

/* A copy of exact size, so that sanitizers see a read past its end. */
static struct dnspacket_answer
parse(const char *packet, size_t len, enum dnspacket_type type,
    struct arena *arena)
{
	struct dnspacket_answer answer;
	uint8_t *copy = malloc(len == 0 ? 1 : len);

	memcpy(copy, packet, len);
	answer = dnspacket_parse(copy, len, type, arena);
	free(copy);
	return answer;
}

static void
test_parse(void)
{
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		const struct row *row = &rows[i];
		struct arena *arena = arena_new();
		struct dnspacket_answer answer =
		    parse(row->packet, row->len, row->type, arena);

		check_int(row->name, answer.status, row->status);
		check_uint(row->name, answer.count, row->count);
		if (answer.count > 0) {
			check_mem(row->name, answer.records[0].data,
			    answer.records[0].len, row->want, row->want_len);
			check_int("NUL behind",
			    answer.records[0].data[answer.records[0].len],
			    '\0');
			check_uint("TTL", answer.records[0].ttl, 60);
		}
		arena_free(&arena);
	}
}

/* An SOA; its TTL and its minimum are to follow. */
#define SOA(ttl, minimum)                                                      \
	OWNER "\0\6" IN ttl "\0\x1a"                                           \
	      "\1n\0\1h\0"                                                     \
	      "0123456789abcdef" minimum
#define HEAD2(flags, answers, authorities)                                     \
	"\x12\x34" flags "\0\1" answers authorities "\0\0"

/* How long an answer may be kept. */
static void
test_ttl(void)
{
	static const struct {
		const char *name, *packet;
		size_t len;
		enum dnspacket_status status;
		uint32_t want;
	} ttls[] = {
		{ "the shorter of two",
		    BYTES(HEAD(OK, "\0\2") QUESTION RR(T_A, "\4") ADDR OWNER
			"\0" T_A IN "\0\0\0\5\0\4" ADDR),
		    DNSPACKET_FOUND, 5 },
		{ "a CNAME counts",
		    BYTES(HEAD(OK, "\0\2") QUESTION OWNER
			"\0" T_CNAME IN "\0\0\0\7\0\3\1c\0" RR(T_A, "\4") ADDR),
		    DNSPACKET_FOUND, 7 },
		{ "as it is, with an authority",
		    BYTES(HEAD2(OK, "\0\1", "\0\1") QUESTION RR(T_A, "\4")
			    ADDR SOA("\0\0\0\1", "\0\0\0\1")),
		    DNSPACKET_FOUND, 60 },
		{ "the SOA's minimum",
		    BYTES(HEAD2(NXDOMAIN, "\0\0", "\0\1")
			    QUESTION SOA(TTL, "\0\0\0\x9")),
		    DNSPACKET_NO_NAME, 9 },
		{ "the SOA's TTL",
		    BYTES(HEAD2(OK, "\0\0", "\0\1")
			    QUESTION SOA(TTL, "\0\0\1\0")),
		    DNSPACKET_NO_DATA, 60 },
		{ "a CNAME in front",
		    BYTES(HEAD2(NXDOMAIN, "\0\1", "\0\1") QUESTION OWNER
			"\0" T_CNAME IN
			"\0\0\0\7\0\3\1c\0" SOA(TTL, "\0\0\0\x9")),
		    DNSPACKET_NO_NAME, 7 },
		{ "behind another record",
		    BYTES(HEAD2(OK, "\0\0", "\0\2") QUESTION RR(T_TXT, "\0")
			    SOA(TTL, "\0\0\0\x9")),
		    DNSPACKET_NO_DATA, 9 },
		{ "no SOA", BYTES(HEAD(NXDOMAIN, "\0\0") QUESTION),
		    DNSPACKET_NO_NAME, 0 },
		{ "half an SOA",
		    BYTES(HEAD2(NXDOMAIN, "\0\0", "\0\1")
			    QUESTION SOA(TTL, "\0\0")),
		    DNSPACKET_NO_NAME, 0 },
		{ "one whose numbers are cut",
		    BYTES(HEAD2(NXDOMAIN, "\0\0", "\0\1") QUESTION OWNER
			"\0\6" IN TTL "\0\x18"
			"\1n\0\1h\0"
			"0123456789abcdef"
			"\0\0"
			"\0\0"),
		    DNSPACKET_NO_NAME, 0 },
		{ "a failure",
		    BYTES(HEAD2(SERVFAIL, "\0\0", "\0\1")
			    QUESTION SOA(TTL, "\0\0\0\x9")),
		    DNSPACKET_FAILED, 0 },
		{ "a contradiction",
		    BYTES(HEAD(NXDOMAIN, "\0\1") QUESTION RR(T_A, "\4") ADDR),
		    DNSPACKET_FAILED, 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(ttls); i++) {
		struct arena *arena = arena_new();
		struct dnspacket_answer answer =
		    parse(ttls[i].packet, ttls[i].len, DNSPACKET_A, arena);

		check_int(ttls[i].name, answer.status, ttls[i].status);
		check_uint(ttls[i].name, answer.ttl, ttls[i].want);
		arena_free(&arena);
	}
}

/* Every beginning of every packet above is no sound packet, or one that
 * lacks only what stands behind the answers. */
static void
test_cut(void)
{
	size_t i, len, found = 0;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		for (len = 0; len < rows[i].len; len++) {
			struct arena *arena = arena_new();

			if (parse(rows[i].packet, len, rows[i].type, arena)
				.status != DNSPACKET_FAILED)
				found++;
			arena_free(&arena);
		}
	}
	check_uint("cut packets that count", found, 3);
}

static void
test_fields(void)
{
	struct arena *arena = arena_new();
	struct dnspacket_answer answer =
	    parse(BYTES(HEAD(OK, "\0\1") QUESTION RR(T_MX, "\5") "\1\2\1m\0"),
		DNSPACKET_MX, arena);

	check_uint("preference", answer.records[0].preference, 258);
	answer =
	    parse(BYTES(HEAD(OK, "\0\1") QUESTION OWNER "\0" T_A IN "\x80\0\0\0"
							"\0\4" ADDR),
		DNSPACKET_A, arena);
	check_uint("a TTL with its top bit set is 0", answer.records[0].ttl, 0);
	arena_free(&arena);
}

static void
test_many(void)
{
	static const char record[] = RR(T_A, "\4") ADDR;
	const size_t head = sizeof(HEAD(OK, "\1\x2c") QUESTION) - 1;
	char packet[sizeof(HEAD(OK, "\1\x2c") QUESTION) +
		    300 * (sizeof(record) - 1)] = HEAD(OK, "\1\x2c") QUESTION;
	struct arena *arena = arena_new();
	struct dnspacket_answer answer;
	size_t i;

	for (i = 0; i < 300; i++)
		memcpy(packet + head + i * (sizeof(record) - 1), record,
		    sizeof(record) - 1);
	answer = parse(packet, sizeof(packet) - 1, DNSPACKET_A, arena);
	check_uint("300 records", answer.count, DNSPACKET_RECORDS_MAX);
	arena_free(&arena);
}

/* Names of more than 255 bytes on the wire, by labels and by pointers. */
static void
test_long_names(void)
{
	static const char label[] = "\x3f"
				    "012345678901234567890123456789"
				    "012345678901234567890123456789012";
	char packet[512] = HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\xff");
	size_t at = sizeof(HEAD(OK, "\0\1") QUESTION RR(T_PTR, "\xff")) - 1;
	struct arena *arena = arena_new();
	struct dnspacket_answer answer;
	size_t i, len = at;

	for (i = 0; i < 4; i++, len += 64)
		memcpy(packet + len, label, 64);
	packet[len - 64] = 61;
	packet[len - 2] = '\0';
	answer = parse(packet, at + 255, DNSPACKET_PTR, arena);
	check_int("255 bytes", answer.status, DNSPACKET_FOUND);
	check_uint("255 bytes", answer.records[0].len, 253);
	packet[len - 64] = 62;
	packet[len - 2] = 'x';
	packet[len - 1] = '\0';
	packet[at - 2] = 1;
	packet[at - 1] = 0;
	answer = parse(packet, at + 256, DNSPACKET_PTR, arena);
	check_int("256 bytes", answer.status, DNSPACKET_FAILED);
	arena_free(&arena);
}

static void
test_names(void)
{
#define L63                                                                    \
	"abcdefghijklmnopqrstuvwxyz0123456789"                                 \
	"abcdefghijklmnopqrstuvwxyz0"
#define L61 "abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxy"
	static const struct {
		const char *name, *input;
		bool want;
	} names[] = {
		{ "a name", "example.org", true },
		{ "a dot at the end", "example.org.", true },
		{ "one label", "org", true },
		{ "odd bytes", "a b\\\xff\x01.org", true },
		{ "a label of 63", L63 ".org", true },
		{ "a label of 64", L63 "x.org", false },
		{ "a last label of 64", "org." L63 "x", false },
		{ "253", L63 "." L63 "." L63 "." L61, true },
		{ "253 and a dot", L63 "." L63 "." L63 "." L61 ".", true },
		{ "254", L63 "." L63 "." L63 "." L61 "x", false },
		{ "far too long", L63 "." L63 "." L63 "." L63 "." L63, false },
		{ "nothing", "", false },
		{ "the root", ".", false },
		{ "a dot in front", ".org", false },
		{ "two dots", "a..org", false },
		{ "two dots at the end", "org..", false },
	};
	size_t i;

	for (i = 0; i < CHECK_COUNT(names); i++)
		check_bool(names[i].name, dnspacket_name_ok(names[i].input),
		    names[i].want);
}

static void
test_escape(void)
{
	static const struct {
		const char *name, *input, *want;
	} names[] = {
		{ "a name", "Example.org.", "Example.org." },
		{ "a blank", "a b", "a\\032b" },
		{ "a backslash", "a\\.b", "a\\092.b" },
		{ "the ends of the range", "\x20!~\x7f", "\\032!~\\127" },
		{ "bytes", "\x01\xff", "\\001\\255" },
		{ "nothing", "", "" },
	};
	char out[DNSPACKET_NAME_SIZE], input[600];
	size_t i;

	for (i = 0; i < CHECK_COUNT(names); i++) {
		check_true(
		    names[i].name, dnspacket_escape(names[i].input, out));
		check_str(names[i].name, out, names[i].want);
	}
	memset(input, '\xff', sizeof(input));
	input[253] = '\0';
	check_true("253 odd bytes", dnspacket_escape(input, out));
	check_uint("253 odd bytes", strlen(out), 4 * 253);
	input[253] = '\xff';
	input[599] = '\0';
	check_false("too long", dnspacket_escape(input, out));
}

static void
test_type_names(void)
{
	static const struct {
		enum dnspacket_type type;
		const char *want;
	} types[] = {
		{ DNSPACKET_A, "A" },
		{ DNSPACKET_AAAA, "AAAA" },
		{ DNSPACKET_MX, "MX" },
		{ DNSPACKET_PTR, "PTR" },
		{ DNSPACKET_TXT, "TXT" },
		{ 0, "?" },
	};

	for (size_t i = 0; i < CHECK_COUNT(types); i++)
		check_str(types[i].want, dnspacket_type_name(types[i].type),
		    types[i].want);
}

int
main(void)
{
	test_parse();
	test_ttl();
	test_cut();
	test_fields();
	test_many();
	test_long_names();
	test_names();
	test_escape();
	test_type_names();
	return check_done();
}
