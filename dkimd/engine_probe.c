/* SPDX-License-Identifier: ISC */
/*
 * A signing at start, by a key of its own: shows that the library takes a
 * lent key, and whether it gives its reference to an Ed25519 key back. (It
 * has not done so since it learnt Ed25519.)
 */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "dkimd/engine_int.h"

static int ex_index = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void
on_free(void *key, void *flag, CRYPTO_EX_DATA *data, int index, long argl,
    void *argp)
{
	bool *is_freed = flag;

	(void)key;
	(void)data;
	(void)index;
	(void)argl;
	(void)argp;
	if (is_freed != NULL)
		*is_freed = true;
}

static void
get_index(void)
{
	ex_index = CRYPTO_get_ex_new_index(
	    CRYPTO_EX_INDEX_EVP_PKEY, 0, NULL, NULL, NULL, on_free);
}

static int
sign_once(struct engine *engine, const struct engine_key *key, struct err *err)
{
	const struct header_field from = { "From", 4, " probe@localhost", 16 };
	const struct header_field *fields[] = { &from };
	const struct engine_sign_config config = { .key = key,
		.domain = "localhost.localdomain",
		.selector = "probe",
		.timestamp = 1,
		.expires = -1 };
	struct engine_sign *sign =
	    engine_sign_new(engine, &config, fields, 1, err);
	int status =
	    sign != NULL && engine_sign_end(sign, err) != NULL ? 0 : -1;

	engine_sign_free(&sign);
	return status;
}

int
engine_probe(struct engine *engine, struct err *err)
{
	EVP_PKEY *parsed;
	struct engine_key *key;
	bool is_freed = false;
	int status;

	if (!engine_keycache_works())
		return 0;
	pthread_once(&once, get_index);
	parsed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	if (ex_index < 0 || parsed == NULL ||
	    EVP_PKEY_set_ex_data(parsed, ex_index, &is_freed) != 1) {
		EVP_PKEY_free(parsed);
		return err_set(err, "OpenSSL makes no Ed25519 key");
	}
	key = engine_key_take(parsed);
	status = sign_once(engine, key, err);
	engine_key_free(&key);
	if (status == 0 && !is_freed) {
		engine->keeps_ed25519 = true;
		EVP_PKEY_free(parsed);
	}
	return status;
}
