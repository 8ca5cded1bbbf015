/* SPDX-License-Identifier: ISC */
/*
 * keyrecord_der.h - RSA public keys in DER
 *
 * Only the two shapes that a key record has are read, byte by byte, so that
 * no general ASN.1 reader sees what a stranger wrote:
 *
 *     PKCS#1  SEQUENCE { INTEGER n, INTEGER e }
 *     SPKI    SEQUENCE { SEQUENCE { OID rsaEncryption, NULL (optional) },
 *                        BIT STRING { PKCS#1 } }
 *
 * Sources: X.690 section 8 and 10, RFC 8017 appendix A.1.1, RFC 5280 section
 * 4.1, RFC 3279 section 2.3.1.
 * Threads: any; pure.
 */
#ifndef POSTERN_DKIMD_KEYRECORD_DER_H
#define POSTERN_DKIMD_KEYRECORD_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A non-negative number, big-endian, without leading zeros. */
struct keyrecord_number {
	const uint8_t *bytes;
	size_t len; /* 0: the number 0 */
};

struct keyrecord_rsa {
	struct keyrecord_number modulus, exponent;
};

/* Reads a key of either shape out of all len bytes; *key_r points into them.
 * Returns false when it is something else. */
bool keyrecord_der_read(
    const uint8_t *der, size_t len, struct keyrecord_rsa *key_r);

/* Bits of number, from its highest 1 on. */
unsigned keyrecord_der_bits(struct keyrecord_number number);

/* Writes key as SPKI, with NULL. Returns the length, or 0 when it is more
 * than cap. */
size_t keyrecord_der_write(
    const struct keyrecord_rsa *key, uint8_t *out, size_t cap);

#endif
