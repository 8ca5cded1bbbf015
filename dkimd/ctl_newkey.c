/* SPDX-License-Identifier: ISC */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/xmem.h"

#include "dkimd/ctl_newkey.h"

/* The PEM of a key, NUL-terminated; NULL when OpenSSL fails. */
static char *
to_pem(EVP_PKEY *key)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text, *pem = NULL;
	long len;

	if (bio != NULL && PEM_write_bio_PKCS8PrivateKey(
			       bio, key, NULL, NULL, 0, NULL, NULL) == 1) {
		len = BIO_get_mem_data(bio, &text);
		if (len > 0)
			pem = xmem_strndup(text, (size_t)len);
		OPENSSL_cleanse(text, len > 0 ? (size_t)len : 0);
	}
	BIO_free(bio);
	return pem;
}

char *
ctl_newkey_make(
    enum sigfield_algorithm algorithm, unsigned bits, struct err *err)
{
	EVP_PKEY *key =
	    algorithm == SIGFIELD_ED25519_SHA256
		? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
		: EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	char *pem = key == NULL ? NULL : to_pem(key);

	EVP_PKEY_free(key);
	if (pem == NULL)
		err_set(err, "OpenSSL cannot make a key: %s",
		    ERR_reason_error_string(ERR_peek_last_error()));
	ERR_clear_error();
	return pem;
}

void
ctl_newkey_free(char **pem)
{
	if (*pem != NULL)
		OPENSSL_cleanse(*pem, strlen(*pem));
	xmem_free(pem);
}
