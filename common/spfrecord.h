/* SPDX-License-Identifier: ISC */
/*
 * spfrecord.h - the strict parser of SPF records
 *
 * Takes exactly what RFC 7208 section 12 (the collected ABNF, with erratum
 * 5550 style corrections where the public test suite follows them) allows;
 * everything else is a permerror with a position. libspf2 never sees text
 * that did not pass here.
 *
 * Threads: any; pure.
 */
#ifndef POSTERN_COMMON_SPFRECORD_H
#define POSTERN_COMMON_SPFRECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/arena.h"
#include "common/ip.h"

/* The most terms of a record; the largest real ones have some hundred. */
#define SPFRECORD_TERMS_MAX 2000

enum spfrecord_mechanism {
	SPFRECORD_ALL,
	SPFRECORD_INCLUDE,
	SPFRECORD_A,
	SPFRECORD_MX,
	SPFRECORD_PTR,
	SPFRECORD_IP4,
	SPFRECORD_IP6,
	SPFRECORD_EXISTS,
};

/* A stretch of the record's text, not NUL-terminated. */
struct spfrecord_text {
	const char *start; /* NULL = absent */
	size_t len;
};

struct spfrecord_term {
	enum spfrecord_mechanism mechanism;
	char qualifier;               /* '+' '-' '~' '?' */
	unsigned cidr4, cidr6;        /* A, MX: 0..32, 0..128 */
	struct ip_net net;            /* IP4, IP6 */
	struct spfrecord_text domain; /* domain-spec with its macros; absent
					 * = the current domain */
	struct spfrecord_text source; /* the whole term, for explanations */
};

struct spfrecord {
	const struct spfrecord_term *terms;
	size_t count;
	struct spfrecord_text redirect; /* domain-spec, or absent */
	struct spfrecord_text exp;      /* domain-spec, or absent */
};

struct spfrecord_fault {
	size_t offset;  /* byte in the record */
	char text[160]; /* what is wrong, printable */
};

/* Does text (len bytes) announce itself as an SPF record: "v=spf1" alone or
 * followed by a space (RFC 7208 section 4.5)? */
bool spfrecord_is(const char *text, size_t len);

/* Parses a record. The result lies in arena and points into text, which must
 * stay. Returns NULL with fault_r for anything that is a permerror. */
const struct spfrecord *spfrecord_parse(const char *text, size_t len,
    struct arena *arena, struct spfrecord_fault *fault_r);

/* May this domain be checked at all (RFC 7208 section 4.3): a sane, fully
 * qualified name of at least two labels, after conversion to A-labels? */
bool spfrecord_domain_ok(const char *domain);

/* One macro-expand of section 7.1: "%{d2r.}", "%%", "%_" or "%-". */
struct spfrecord_macro {
	char letter; /* in lower case; '%' '_' '-' for these */
	bool url;    /* the letter was upper case: URL-escape */
	bool reverse;
	unsigned keep;      /* how many parts on the right; 0 = all */
	char delimiters[8]; /* "." when none were given; no duplicates */
};

/* Reads the macro-expand that the text of len bytes begins with (a '%').
 * c, r and t are only good in an explanation. Returns its length, 0 when it
 * has a fault. */
size_t spfrecord_macro(const char *text, size_t len, bool in_explanation,
    struct spfrecord_macro *macro_r);

/* "include", "ip4" and so on. */
const char *spfrecord_mechanism_name(enum spfrecord_mechanism mechanism);

#endif
