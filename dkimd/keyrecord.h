/* SPDX-License-Identifier: ISC */
/*
 * keyrecord.h - the guard of keys: a DKIM key record, parsed strictly
 *
 * Takes PKCS#1 and SubjectPublicKeyInfo RSA keys and raw Ed25519 keys, with
 * bounds on modulus and exponent (a huge exponent costs 150 times as much),
 * and makes the canonical record that libopendkim gets to see: tags v, k, h,
 * s, t, p without blanks, at most KEYRECORD_CANONICAL_MAX bytes.
 *
 * Sources: RFC 6376 sections 3.6.1 and 6.1.2, RFC 8301, RFC 8463.
 * Threads: any.
 */
#ifndef POSTERN_DKIMD_KEYRECORD_H
#define POSTERN_DKIMD_KEYRECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "dkimd/result.h"

#define KEYRECORD_TEXT_MAX 8192 /* of the record in DNS; longer: permerror */
/* libopendkim's buffer holds 1024. */
#define KEYRECORD_CANONICAL_MAX 1024
#define KEYRECORD_RSA_BITS_MAX 4096 /* what fits; more: policy */
#define KEYRECORD_EXPONENT_BITS_MAX 35

enum keyrecord_type {
	KEYRECORD_RSA,
	KEYRECORD_ED25519,
};

struct keyrecord {
	enum keyrecord_type type;
	unsigned bits;  /* of the modulus; Ed25519: 256 */
	bool is_test;   /* t=y */
	bool is_strict; /* t=s: no subdomains in i= */
	char canonical[KEYRECORD_CANONICAL_MAX + 1];
	size_t canonical_len;
};

/* Parses the joined strings of one TXT record (len bytes). Returns
 * RESULT_NONE when it is a key that may be used; else the result that every
 * signature by it has, and *reason_r a static text ("key revoked", ...). The
 * hash list (h=) must allow sha256, the service list (s=) email or "*". */
enum result keyrecord_parse(const char *text, size_t len,
    struct keyrecord *record_r, const char **reason_r);

/* Does this TXT record mean to be a key, sound or not? It says v=DKIM1, or
 * has no v= but p=. Other records may stand beside it. */
bool keyrecord_is(const char *text, size_t len);

#endif
