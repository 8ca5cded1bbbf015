/* SPDX-License-Identifier: ISC */
/*
 * privkey.h - private keys, from files that nobody else can touch
 *
 * A key is named as KeyFile and KeyTable do:
 *
 *     /PATH  ./PATH        a file, PEM or base64 DER; links are followed, and
 *                          what they lead to is checked
 *     credential:NAME      $CREDENTIALS_DIRECTORY/NAME (systemd)
 *     -----BEGIN ...       PEM itself, its line ends as blanks or "\n"
 *     MII...               base64 DER itself
 *
 * Unsafe is a file that group or others can write or others can read, that
 * belongs to neither root nor us, or that stands in a directory that group or
 * others can write to or that belongs to somebody else. A user id that stands
 * for "not known in this namespace" is nobody else.
 *
 * Threads: start-up and reload.
 */
#ifndef POSTERN_DKIMD_PRIVKEY_H
#define POSTERN_DKIMD_PRIVKEY_H

#include <stdbool.h>
#include <sys/types.h>

#include "common/err.h"

#include "dkimd/engine.h"

/* A key file is no larger. */
#define PRIVKEY_FILE_MAX 65536

struct privkey_config {
	const char *base;  /* for relative paths; "" = "/" */
	uid_t owner;       /* who we run as; root is always right */
	bool safe;         /* RequireSafeKeys: unsafe is an error, else only
			   * a warning */
	unsigned min_bits; /* of RSA keys: MinimumKeyBits */
	bool rereads;      /* owner reads it later: warn if only root can */
	/* Gets a sentence; may be NULL. */
	void (*warn)(void *arg, const char *text);
	void *arg;
};

/* Loads the key that text names. Returns NULL with err, which says path, mode
 * and what to type. */
struct engine_key *privkey_load(
    const char *text, const struct privkey_config *config, struct err *err);

/* Is text the path of a file (so that it can be named in messages), and no
 * key itself? */
bool privkey_is_path(const char *text);

#endif
