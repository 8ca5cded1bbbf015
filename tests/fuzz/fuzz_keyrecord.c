/* SPDX-License-Identifier: ISC */
/*
 * fuzz_keyrecord.c - DKIM key records as strangers write them
 *
 * Input: a TXT record. What is accepted is a key for OpenSSL too, within
 * bounds, and its canonical form is accepted again and means the same.
 */
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <string.h>

#include "common/base64.h"
#include "common/xmem.h"

#include "dkimd/keyrecord.h"

#include "tests/fuzz/must.h"

static void
check_with_openssl(const struct keyrecord *record)
{
	const char *text = strstr(record->canonical, "p=") + 2;
	uint8_t bytes[KEYRECORD_CANONICAL_MAX];
	const unsigned char *at = bytes;
	EVP_PKEY *key;
	size_t len;

	must(base64_decode(text, strlen(text), bytes, sizeof(bytes), &len));
	if (record->type == KEYRECORD_RSA)
		key = d2i_PUBKEY(NULL, &at, (long)len);
	else
		key = EVP_PKEY_new_raw_public_key(
		    EVP_PKEY_ED25519, NULL, bytes, len);
	must(key != NULL);
	must(record->type == KEYRECORD_ED25519 || at == bytes + len);
	must(record->type == KEYRECORD_ED25519 ||
	     EVP_PKEY_bits(key) == (int)record->bits);
	EVP_PKEY_free(key);
}

static void
check_key(const struct keyrecord *record)
{
	struct keyrecord again;
	const char *reason;

	must(record->canonical_len == strlen(record->canonical));
	must(record->bits >= 256 && record->bits <= KEYRECORD_RSA_BITS_MAX);
	must(keyrecord_parse(record->canonical, record->canonical_len, &again,
		 &reason) == RESULT_NONE);
	must(strcmp(again.canonical, record->canonical) == 0);
	must(again.bits == record->bits && again.type == record->type);
	must(again.is_test == record->is_test);
	must(again.is_strict == record->is_strict);
	check_with_openssl(record);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of that size and no NUL: reading on would be seen. */
	char *text = xmem_alloc(size);
	struct keyrecord record;
	const char *reason = NULL;
	enum result result;

	if (size > 0)
		memcpy(text, data, size);
	result = keyrecord_parse(text, size, &record, &reason);
	must(reason != NULL);
	must((result == RESULT_NONE) == (reason[0] == '\0'));
	if (result == RESULT_NONE) {
		must(keyrecord_is(text, size));
		check_key(&record);
	}
	(void)keyrecord_is(text, size);
	xmem_free(&text);
	return 0;
}
