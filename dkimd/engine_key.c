/* SPDX-License-Identifier: ISC */
#include <limits.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <string.h>

#include "common/xmem.h"

#include "dkimd/engine_int.h"

#define RSA_BITS_MIN 1024
#define RSA_BITS_MAX 8192
#define ED25519_BITS 256
#define ED25519_BYTES 32
#define PUBLIC_DER_MAX 2048
/* What the library looks at before it asks for the parsed key. */
#define LENT_KEY "-----BEGIN LENT KEY-----\n"

struct engine_key {
	EVP_PKEY *parsed;
	enum sigfield_algorithm algorithm;
	unsigned bits;
	char *pem; /* NULL when the key is lent */
};

/* Else OpenSSL would ask on the terminal. */
static int
no_password(char *buf, int size, int writing, void *arg)
{
	bool *asked = arg;

	(void)buf;
	(void)size;
	(void)writing;
	*asked = true;
	return -1;
}

static EVP_PKEY *
parse(const char *pem, size_t len, struct err *err)
{
	bool asked = false;
	EVP_PKEY *parsed = NULL;
	BIO *bio = len > INT_MAX ? NULL : BIO_new_mem_buf(pem, (int)len);

	if (bio != NULL)
		parsed =
		    PEM_read_bio_PrivateKey(bio, NULL, no_password, &asked);
	if (parsed == NULL)
		err_set(err, "%s",
		    asked ? "the key is encrypted; remove its passphrase: "
			    "openssl pkey -in KEY -out NEWKEY"
			  : "no private key in PEM form");
	BIO_free(bio);
	ERR_clear_error();
	return parsed;
}

static int
classify(struct engine_key *key, struct err *err)
{
	key->bits = (unsigned)EVP_PKEY_get_bits(key->parsed);
	if (EVP_PKEY_get_base_id(key->parsed) == EVP_PKEY_ED25519) {
		key->algorithm = SIGFIELD_ED25519_SHA256;
		key->bits = ED25519_BITS;
		return 0;
	}
	key->algorithm = SIGFIELD_RSA_SHA256;
	if (EVP_PKEY_get_base_id(key->parsed) != EVP_PKEY_RSA)
		return err_set(err, "the key is neither RSA nor Ed25519");
	if (key->bits < RSA_BITS_MIN || key->bits > RSA_BITS_MAX)
		return err_set(err,
		    "an RSA key of %u bits; %d to %d are usable", key->bits,
		    RSA_BITS_MIN, RSA_BITS_MAX);
	return 0;
}

/* The library wants no text in front of it. */
static char *
copy_pem(const char *pem, size_t len)
{
	const char *begin = memmem(pem, len, "-----", 5);

	if (begin == NULL)
		begin = pem;
	return xmem_strndup(begin, (size_t)(pem + len - begin));
}

struct engine_key *
engine_key_new(const char *pem, size_t len, struct err *err)
{
	struct engine_key *key = xmem_calloc(1, sizeof(*key));

	key->parsed = parse(pem, len, err);
	if (key->parsed == NULL || classify(key, err) != 0)
		engine_key_free(&key);
	else if (!engine_keycache_works())
		key->pem = copy_pem(pem, len);
	return key;
}

struct engine_key *
engine_key_take(EVP_PKEY *parsed)
{
	struct engine_key *key = xmem_calloc(1, sizeof(*key));

	*key = (struct engine_key){ .parsed = parsed,
		.algorithm = SIGFIELD_ED25519_SHA256,
		.bits = ED25519_BITS };
	return key;
}

void
engine_key_drop(const struct engine_key *key)
{
	EVP_PKEY_free(key->parsed);
}

void
engine_key_free(struct engine_key **key)
{
	if (*key == NULL)
		return;
	EVP_PKEY_free((*key)->parsed);
	if ((*key)->pem != NULL)
		OPENSSL_cleanse((*key)->pem, strlen((*key)->pem));
	xmem_free(&(*key)->pem);
	xmem_free(key);
}

enum sigfield_algorithm
engine_key_algorithm(const struct engine_key *key)
{
	return key->algorithm;
}

unsigned
engine_key_bits(const struct engine_key *key)
{
	return key->bits;
}

EVP_PKEY *
engine_key_parsed(const struct engine_key *key)
{
	return key->parsed;
}

const char *
engine_key_text(const struct engine_key *key)
{
	return key->pem != NULL ? key->pem : LENT_KEY;
}

size_t
engine_key_public(const struct engine_key *key, char *buf, size_t cap)
{
	unsigned char der[PUBLIC_DER_MAX], *end = der;
	size_t len = sizeof(der);

	if (key->algorithm == SIGFIELD_ED25519_SHA256) {
		if (EVP_PKEY_get_raw_public_key(key->parsed, der, &len) != 1 ||
		    len != ED25519_BYTES)
			len = 0;
	} else {
		int need = i2d_PUBKEY(key->parsed, NULL);

		len = need > 0 && (size_t)need <= sizeof(der)
			  ? (size_t)i2d_PUBKEY(key->parsed, &end)
			  : 0;
	}
	if (len == 0 || cap < (len + 2) / 3 * 4 + 1)
		return 0;
	return (size_t)EVP_EncodeBlock((unsigned char *)buf, der, (int)len);
}
