/* SPDX-License-Identifier: ISC */
/*
 * libopendkim parses the key again for each message, which costs it three
 * quarters of a signing and four fifths of a verification. It has no call
 * that takes a parsed key, but it finds OpenSSL's parsers by name at run
 * time, and finds those of the program first: the two functions below, which
 * for a thread within engine_keycache_begin and _end answer with a key that
 * is parsed already, and are OpenSSL's own for everybody else.
 */
#include <dlfcn.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <string.h>

#include "common/xmem.h"

#include "dkimd/engine_int.h"

#define ENTRIES_MAX 512
/* Longer keys are parsed each time; no DKIM key is. */
#define DER_MAX 1024

struct entry {
	unsigned long hash;
	unsigned long used; /* time of the last use, in uses */
	unsigned char *der;
	size_t len;
	EVP_PKEY *key;
};

struct engine_keycache {
	pthread_mutex_t lock; /* over all of it */
	struct entry entries[ENTRIES_MAX];
	size_t count;
	unsigned long uses, hits;
};

static _Thread_local struct engine_keycache *active_cache;
static _Thread_local EVP_PKEY *active_private_key;
static _Thread_local bool is_taken;

static EVP_PKEY *(*next_private)(BIO *, EVP_PKEY **, pem_password_cb *, void *);
static EVP_PKEY *(*next_public)(BIO *, EVP_PKEY **);
static pthread_once_t next_once = PTHREAD_ONCE_INIT;

/* POSIX has functions and objects of one size; ISO C has no cast. */
static void
find(const char *name, void *function)
{
	void *address = dlsym(RTLD_NEXT, name);

	memcpy(function, &address, sizeof(address));
}

static void
find_next(void)
{
	find("PEM_read_bio_PrivateKey", &next_private);
	find("d2i_PUBKEY_bio", &next_public);
}

/* FNV-1a */
static unsigned long
hash_of(const unsigned char *der, size_t len)
{
	unsigned long hash = 14695981039346656037UL;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ der[i]) * 1099511628211UL;
	return hash;
}

/* The caller's reference to the cached key, or NULL. */
static EVP_PKEY *
look_up(struct engine_keycache *cache, const unsigned char *der, size_t len)
{
	unsigned long hash = hash_of(der, len);
	EVP_PKEY *key = NULL;

	pthread_mutex_lock(&cache->lock);
	for (size_t i = 0; i < cache->count && key == NULL; i++) {
		struct entry *entry = &cache->entries[i];

		if (entry->hash != hash || entry->len != len ||
		    memcmp(entry->der, der, len) != 0 ||
		    EVP_PKEY_up_ref(entry->key) != 1)
			continue;
		key = entry->key;
		entry->used = ++cache->uses;
		cache->hits++;
	}
	pthread_mutex_unlock(&cache->lock);
	return key;
}

static void
drop(struct entry *entry)
{
	EVP_PKEY_free(entry->key);
	xmem_free(&entry->der);
}

/* A free place, or that of the key used longest ago. */
static struct entry *
make_room(struct engine_keycache *cache)
{
	struct entry *oldest = &cache->entries[0];

	if (cache->count < ENTRIES_MAX)
		return &cache->entries[cache->count++];
	for (size_t i = 1; i < cache->count; i++) {
		if (cache->entries[i].used < oldest->used)
			oldest = &cache->entries[i];
	}
	drop(oldest);
	return oldest;
}

/* Two threads may put the same key in: one of them will age. */
static void
keep(struct engine_keycache *cache, const unsigned char *der, size_t len,
    EVP_PKEY *key)
{
	struct entry *entry;

	if (EVP_PKEY_up_ref(key) != 1)
		return;
	pthread_mutex_lock(&cache->lock);
	entry = make_room(cache);
	*entry = (struct entry){ .hash = hash_of(der, len),
		.used = ++cache->uses,
		.der = xmem_alloc(len),
		.len = len,
		.key = key };
	memcpy(entry->der, der, len);
	pthread_mutex_unlock(&cache->lock);
}

__attribute__((visibility("default"))) EVP_PKEY *
PEM_read_bio_PrivateKey(
    BIO *bio, EVP_PKEY **key_r, pem_password_cb *callback, void *arg)
{
	if (active_private_key != NULL && key_r == NULL &&
	    EVP_PKEY_up_ref(active_private_key) == 1) {
		is_taken = true;
		return active_private_key;
	}
	pthread_once(&next_once, find_next);
	return next_private == NULL ? NULL
				    : next_private(bio, key_r, callback, arg);
}

__attribute__((visibility("default"))) EVP_PKEY *
d2i_PUBKEY_bio(BIO *bio, EVP_PKEY **key_r)
{
	struct engine_keycache *cache = active_cache;
	char *bytes = NULL;
	long len = cache == NULL ? 0 : BIO_get_mem_data(bio, &bytes);
	unsigned char der[DER_MAX];
	EVP_PKEY *key;

	pthread_once(&next_once, find_next);
	if (next_public == NULL)
		return NULL;
	if (len <= 0 || len > DER_MAX || key_r != NULL)
		return next_public(bio, key_r);
	/* Parsing takes the bytes out of the BIO. */
	memcpy(der, bytes, (size_t)len);
	key = look_up(cache, der, (size_t)len);
	if (key == NULL) {
		key = next_public(bio, NULL);
		if (key != NULL)
			keep(cache, der, (size_t)len, key);
	}
	return key;
}

struct engine_keycache *
engine_keycache_new(void)
{
	struct engine_keycache *cache = xmem_calloc(1, sizeof(*cache));

	pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

void
engine_keycache_free(struct engine_keycache **cache)
{
	if (*cache == NULL)
		return;
	for (size_t i = 0; i < (*cache)->count; i++)
		drop(&(*cache)->entries[i]);
	pthread_mutex_destroy(&(*cache)->lock);
	xmem_free(cache);
}

/* The library resolves names as dlsym does without a library of its own. */
bool
engine_keycache_works(void)
{
	EVP_PKEY *(*private)(BIO *, EVP_PKEY **, pem_password_cb *, void *) =
	    PEM_read_bio_PrivateKey;
	EVP_PKEY *(*public)(BIO *, EVP_PKEY **) = d2i_PUBKEY_bio;
	void *found_private = dlsym(RTLD_DEFAULT, "PEM_read_bio_PrivateKey");
	void *found_public = dlsym(RTLD_DEFAULT, "d2i_PUBKEY_bio");

	pthread_once(&next_once, find_next);
	return memcmp(&found_private, &private, sizeof(private)) == 0 &&
	       memcmp(&found_public, &public, sizeof(public)) == 0 &&
	       next_private != NULL && next_public != NULL;
}

void
engine_keycache_begin(struct engine_keycache *cache, EVP_PKEY *private_key)
{
	active_cache = cache;
	active_private_key = private_key;
	is_taken = false;
}

bool
engine_keycache_end(void)
{
	bool was_taken = is_taken;

	engine_keycache_begin(NULL, NULL);
	return was_taken;
}

unsigned long
engine_keycache_hits(struct engine_keycache *cache)
{
	unsigned long hits;

	pthread_mutex_lock(&cache->lock);
	hits = cache->hits;
	pthread_mutex_unlock(&cache->lock);
	return hits;
}
