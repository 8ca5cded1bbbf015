/* SPDX-License-Identifier: ISC */
/*
 * engine_int.h - what the files of the engine share
 *
 * The library's handles are named by their struct tags here, since no header
 * of ours includes a foreign one.
 *
 * Threads: as said at each.
 */
#ifndef POSTERN_DKIMD_ENGINE_INT_H
#define POSTERN_DKIMD_ENGINE_INT_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/err.h"
#include "common/header.h"

#include "dkimd/engine.h"

struct dkim;
struct dkim_lib;
struct dkim_siginfo;
struct evp_pkey_st;
struct engine_block;
struct engine_keycache;

/* Library handles at rest, for the next message. */
#define ENGINE_IDLE_MAX 64

struct engine {
	struct engine_keycache *keycache;
	bool keeps_ed25519; /* the library, its references to such keys */
	pthread_mutex_t lock;
	struct dkim_lib *idle[ENGINE_IDLE_MAX]; /* under lock */
	size_t idle_count;                      /* under lock */
};

/* A handle of the library that belongs to the caller alone until
 * engine_library_return: what the library keeps as options of such a handle
 * (times, the names to oversign) is different for each message. Returns NULL
 * with err. Threads: any. */
struct dkim_lib *engine_library_take(struct engine *engine, struct err *err);
/* Gives it back; *library may be NULL and becomes NULL. Threads: any. */
void engine_library_return(struct engine *engine, struct dkim_lib **library);

/* Sets the library's handle for verifying up: its keys come from us. */
void engine_verify_setup(struct dkim_lib *library);

/* Hands a field to the library: the name, the colon, the value with CRLF in
 * its folds. Returns the library's status, 0 = taken. */
int engine_feed(struct dkim *handle, const struct header_field *field);

/* Hands len bytes of the body over, which the library does not change.
 * Returns the library's status. */
int engine_feed_body(struct dkim *handle, const void *bytes, size_t len);

/* The lines of a body: the library wants the last one complete, and goes
 * wrong on a CR or LF that is not half of CRLF. */
struct engine_tail {
	bool is_open; /* bytes came, and the last two were not CRLF */
	bool has_stray;
	char last;
};

/* Takes note of the next bytes. */
void engine_tail_add(struct engine_tail *tail, const char *bytes, size_t len);
/* What completes the last line: "", "\n" or "\r\n". */
const char *engine_tail_end(const struct engine_tail *tail);

/* The library's memory of one message; zero at the start. */
struct engine_memory {
	struct engine_block *blocks;
	size_t used;
	bool is_exceeded; /* more than the bound was asked for */
};

/* The library's allocator; arg is a struct engine_memory. Returns NULL when
 * the message has had its share. */
void *engine_memory_alloc(void *arg, size_t size);
/* Frees what that returned; bytes may be NULL. */
void engine_memory_free(void *arg, void *bytes);
/* Frees all that is left. */
void engine_memory_release(struct engine_memory *memory);

/* Tries the library out, sets engine->keeps_ed25519. Returns 0, or -1 with
 * err when it cannot sign. */
int engine_probe(struct engine *engine, struct err *err);

/* Makes an Ed25519 key of a parsed one, and takes that over. */
struct engine_key *engine_key_take(struct evp_pkey_st *parsed);
/* Drops a reference that the library has kept. */
void engine_key_drop(const struct engine_key *key);

/* The parsed key, borrowed. */
struct evp_pkey_st *engine_key_parsed(const struct engine_key *key);
/* The text of the key for the library: the key itself only when it cannot be
 * lent (engine_keycache_works), else a placeholder. */
const char *engine_key_text(const struct engine_key *key);

/* A cache of parsed public keys; see engine_keycache.c. */
struct engine_keycache *engine_keycache_new(void);
/* Frees it, sets *cache to NULL; may be NULL already. */
void engine_keycache_free(struct engine_keycache **cache);

/* Do the calls of the library for parsed keys reach us? */
bool engine_keycache_works(void);

/* From now until engine_keycache_end this thread's calls of OpenSSL's two
 * functions take public keys from cache (may be NULL) and private_key (may be
 * NULL) as the private one. Both are borrowed. */
void engine_keycache_begin(
    struct engine_keycache *cache, struct evp_pkey_st *private_key);
/* Ends that. Returns whether the private key was taken. */
bool engine_keycache_end(void);

/* How many keys came from the cache so far. Threads: any. */
unsigned long engine_keycache_hits(struct engine_keycache *cache);

#endif
