/* SPDX-License-Identifier: ISC */
/*
 * ctl_newkey.h - new private keys
 *
 * Sources: RFC 6376 section 3.3.3, RFC 8301, RFC 8463.
 * Threads: main thread only.
 */
#ifndef POSTERN_DKIMD_CTL_NEWKEY_H
#define POSTERN_DKIMD_CTL_NEWKEY_H

#include "common/err.h"

#include "dkimd/sigfield.h"

/* What verifiers take of RSA. */
#define CTL_NEWKEY_BITS_MIN 1024
#define CTL_NEWKEY_BITS_MAX 4096
#define CTL_NEWKEY_BITS 2048

/* Makes a key of this algorithm (SIGFIELD_RSA_SHA256 with so many bits, or
 * SIGFIELD_ED25519_SHA256). Returns it as PEM (PKCS#8), to be freed by
 * ctl_newkey_free, or NULL with err. */
char *ctl_newkey_make(
    enum sigfield_algorithm algorithm, unsigned bits, struct err *err);

/* Wipes and frees; sets *pem to NULL, which it may be already. */
void ctl_newkey_free(char **pem);

#endif
