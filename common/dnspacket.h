/* SPDX-License-Identifier: ISC */
/*
 * dnspacket.h - DNS answers, from bytes to records
 *
 * Everything in a packet was written by a stranger: lengths, pointers and
 * counts are checked, names are bounded, loops end.
 *
 * Sources: RFC 1035 section 4, RFC 3596.
 * Threads: any; pure.
 */
#ifndef POSTERN_COMMON_DNSPACKET_H
#define POSTERN_COMMON_DNSPACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"

/* The types that we ask for, with their numbers on the wire. */
enum dnspacket_type {
	DNSPACKET_A = 1,
	DNSPACKET_PTR = 12,
	DNSPACKET_MX = 15,
	DNSPACKET_TXT = 16,
	DNSPACKET_AAAA = 28,
};

/* Room for a name as text: 253 characters, escapes of odd bytes, NUL. */
#define DNSPACKET_NAME_SIZE 1024
/* The most records of an answer that are kept. */
#define DNSPACKET_RECORDS_MAX 256

/* One record of the type asked for.
 *   A, AAAA   4 or 16 bytes of address
 *   MX, PTR   the name as text, odd bytes as \DDD, no dot at the end
 *   TXT       all its strings joined (RFC 7208 section 3.3); may hold NUL
 * data is followed by a NUL that len does not count. */
struct dnspacket_record {
	const char *data;
	size_t len;
	uint16_t preference; /* MX only */
	uint32_t ttl;        /* seconds */
};

enum dnspacket_status {
	DNSPACKET_FOUND,
	DNSPACKET_NO_DATA, /* the name exists, not with this type */
	DNSPACKET_NO_NAME, /* NXDOMAIN */
	DNSPACKET_FAILED,  /* another response code, or no sound packet */
};

struct dnspacket_answer {
	enum dnspacket_status status;
	/* Seconds that the answer may be kept: the smallest TTL of its chain,
	 * and where nothing was found what the SOA says (RFC 2308 section 5).
	 * 0 = not at all, also when it does not say. */
	uint32_t ttl;
	size_t count;
	const struct dnspacket_record *records;
};

/* Reads the records of type out of the answer section (wherever they stand
 * in a chain of CNAMEs) of the len bytes at packet, into arena. */
struct dnspacket_answer dnspacket_parse(const uint8_t *packet, size_t len,
    enum dnspacket_type type, struct arena *arena);

/* "A", "AAAA", "MX", "PTR", "TXT"; "?" for what is none of these. */
const char *dnspacket_type_name(enum dnspacket_type type);

/* Can name be asked for at all: labels of 1..63 bytes, 253 in all, a dot at
 * the end does not matter. "" (the root) cannot. */
bool dnspacket_name_ok(const char *name);

/* Writes name for a resolver: bytes outside 0x21..0x7e and backslashes as
 * \DDD. Returns false when it does not fit. */
bool dnspacket_escape(const char *name, char out[static DNSPACKET_NAME_SIZE]);

#endif
