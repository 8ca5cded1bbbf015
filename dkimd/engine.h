/* SPDX-License-Identifier: ISC */
/*
 * engine.h - DKIM's arithmetic: hashes and signatures, by libopendkim
 *
 * Behind this interface stands the library, which sees only what the guards
 * (sigfield.h, keyrecord.h) let through, in canonical form, and whose word is
 * checked again. What it cannot do, or not safely, is said here as a result.
 *
 * Fields are those of header.h ("\n" folds); the body has CRLF line ends, and
 * a last line without one is completed. A CR or LF that is not half of CRLF,
 * and a line of more than ten megabytes, make a body that is not verified
 * (RESULT_PERMERROR) and not signed (an error).
 *
 * Sources: RFC 6376, RFC 8463.
 * Threads: one engine for all threads; a verification or a signing belongs to
 * one thread at a time.
 */
#ifndef POSTERN_DKIMD_ENGINE_H
#define POSTERN_DKIMD_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/header.h"

#include "dkimd/keyrecord.h"
#include "dkimd/result.h"
#include "dkimd/sigfield.h"

struct engine;
struct engine_verify;
struct engine_sign;
struct engine_key; /* a private key, parsed */

/* More signatures of one message are never verified. */
#define ENGINE_SIGNATURES_MAX 8

/* One per configuration. Returns NULL with err. */
struct engine *engine_new(struct err *err);
/* Frees it; nothing of it may be in use. Sets *engine to NULL. */
void engine_free(struct engine **engine);

/* One signature to verify. */
struct engine_signature {
	const struct header_field *field; /* passed sigfield_parse */
	const struct sigfield *parsed;
};

/* Begins to verify count (1..ENGINE_SIGNATURES_MAX) signatures of the message
 * with these fields; all of it is borrowed until engine_verify_free. Returns
 * NULL with err when the library cannot. */
struct engine_verify *engine_verify_new(struct engine *engine,
    const struct engine_signature *signatures, size_t count,
    const struct header_field *fields, size_t field_count, struct err *err);
/* The body, in pieces of any size. */
void engine_verify_body(
    struct engine_verify *verify, const void *bytes, size_t len);

/* Ends the body and verifies. keys[i] is signature i's, or NULL when it has
 * none (then results_r[i] becomes RESULT_TEMPERROR: the caller knows better).
 * Sets results_r[i] to RESULT_PASS, _FAIL, _PERMERROR or _TEMPERROR (library
 * out of resources) and reasons_r[i] to a static text, "" when it passed. */
void engine_verify_end(struct engine_verify *verify,
    const struct keyrecord *const *keys, enum result *results_r,
    const char **reasons_r);

/* Did signature i's l= cover the whole body? After the end. */
bool engine_verify_covers_body(const struct engine_verify *verify, size_t i);

/* Frees it, at any stage; sets *verify to NULL. */
void engine_verify_free(struct engine_verify **verify);

/* Parses a private key: PEM (PKCS#1, PKCS#8), RSA of at least 1024 bits or
 * Ed25519. Returns NULL with err. */
struct engine_key *engine_key_new(const char *pem, size_t len, struct err *err);
/* Frees it (and wipes it); sets *key to NULL. */
void engine_key_free(struct engine_key **key);
/* SIGFIELD_RSA_SHA256 or SIGFIELD_ED25519_SHA256. */
enum sigfield_algorithm engine_key_algorithm(const struct engine_key *key);
/* Of the modulus; Ed25519: 256. */
unsigned engine_key_bits(const struct engine_key *key);
/* Writes the base64 of p= for the key record (RFC 6376 SubjectPublicKeyInfo;
 * RFC 8463 raw) into buf. Returns its length, or 0 when it does not fit. */
size_t engine_key_public(const struct engine_key *key, char *buf, size_t cap);

/* What a new signature says. */
struct engine_sign_config {
	const struct engine_key *key;
	const char *domain; /* A-labels */
	const char *selector;
	const char *identity;             /* i=, NULL = none */
	enum sigfield_canon header_canon; /* Ed25519: always relaxed */
	enum sigfield_canon body_canon;
	int64_t timestamp; /* t= */
	int64_t expires;   /* x=, -1 = none */
	/* Names to sign once more than they occur, so that nobody can add
	 * one. */
	const char *const *oversign;
	size_t oversign_count;
};

/* Begins to sign: exactly these fields (which the caller chose), and the
 * body. config, its key and the fields are borrowed until engine_sign_free.
 * Returns NULL with err. */
struct engine_sign *engine_sign_new(struct engine *engine,
    const struct engine_sign_config *config,
    const struct header_field *const *fields, size_t field_count,
    struct err *err);
/* The body, in pieces. */
void engine_sign_body(struct engine_sign *sign, const void *bytes, size_t len);
/* Ends. Returns the value of the DKIM-Signature field (no leading space,
 * folds "\n\t"), valid until engine_sign_free, or NULL with err; so too when
 * our own guard would not let the signature pass (d=, s= no domains). */
const char *engine_sign_end(struct engine_sign *sign, struct err *err);
/* Frees it, at any stage; sets *sign to NULL. */
void engine_sign_free(struct engine_sign **sign);

#endif
