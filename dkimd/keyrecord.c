/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/base64.h"
#include "common/str.h"

#include "dkimd/keyrecord.h"
#include "dkimd/keyrecord_der.h"
#include "dkimd/tagtext.h"

#define ED25519_BYTES 32
#define ED25519_BITS 256
/* Less cannot hold a signature with SHA-256. */
#define RSA_BITS_MIN 512
/* A key of 4096 bits as SPKI has 550. */
#define SPKI_BYTES_MAX 640
#define UNUSABLE "unable to apply public key"

/* Is what is wanted in the list of tag name, which may be missing? */
static bool
allows(const struct tagtext *list, const char *name, const char *wanted,
    const char *all)
{
	const struct tagtext_tag *tag = tagtext_find(list, name);
	struct tagtext_piece rest, entry;

	if (tag == NULL)
		return true;
	rest = tag->value;
	while (tagtext_next(&rest, &entry)) {
		if (tagtext_is_nocase(entry, wanted) ||
		    (all != NULL && tagtext_is(entry, all)))
			return true;
	}
	return false;
}

static bool
has_flag(const struct tagtext *list, const char *flag)
{
	return tagtext_find(list, "t") != NULL && allows(list, "t", flag, NULL);
}

/* Returns what is wrong with the tags beside p=, or NULL. */
static const char *
check_tags(const struct tagtext *list, struct keyrecord *record)
{
	const struct tagtext_tag *version = tagtext_find(list, "v");
	const struct tagtext_tag *type = tagtext_find(list, "k");

	if (version != NULL &&
	    (version != &list->tags[0] || !tagtext_is(version->value, "DKIM1")))
		return "unknown key version";
	if (type == NULL || tagtext_is_nocase(type->value, "rsa"))
		record->type = KEYRECORD_RSA;
	else if (tagtext_is_nocase(type->value, "ed25519"))
		record->type = KEYRECORD_ED25519;
	else
		return "unknown key type";
	if (!allows(list, "h", "sha256", NULL))
		return "signature-key hash mismatch";
	if (!allows(list, "s", "email", "*"))
		return "not an e-mail key";
	record->is_test = has_flag(list, "y");
	record->is_strict = has_flag(list, "s");
	return NULL;
}

static void
write_canonical(struct keyrecord *record, const uint8_t *key, size_t len)
{
	char base64[BASE64_CHARS(SPKI_BYTES_MAX) + 1];
	struct str s;

	(void)base64_encode(key, len, base64, sizeof(base64));
	str_init(&s, record->canonical, sizeof(record->canonical));
	str_addf(&s, "v=DKIM1;k=%s;h=sha256;s=email;",
	    record->type == KEYRECORD_RSA ? "rsa" : "ed25519");
	if (record->is_test || record->is_strict)
		str_addf(&s, "t=%s%s%s;", record->is_test ? "y" : "",
		    record->is_test && record->is_strict ? ":" : "",
		    record->is_strict ? "s" : "");
	str_addf(&s, "p=%s", base64);
	record->canonical_len = s.len;
}

static enum result
check_ed25519(const uint8_t *bytes, size_t len, struct keyrecord *record,
    const char **reason_r)
{
	*reason_r = UNUSABLE;
	if (len != ED25519_BYTES)
		return RESULT_PERMERROR;
	record->bits = ED25519_BITS;
	write_canonical(record, bytes, len);
	return RESULT_NONE;
}

static enum result
check_rsa(const uint8_t *der, size_t len, struct keyrecord *record,
    const char **reason_r)
{
	uint8_t spki[SPKI_BYTES_MAX];
	struct keyrecord_rsa key;

	*reason_r = UNUSABLE;
	if (!keyrecord_der_read(der, len, &key))
		return RESULT_PERMERROR;
	record->bits = keyrecord_der_bits(key.modulus);
	if (record->bits < RSA_BITS_MIN) {
		*reason_r = "signing key too small";
		return RESULT_POLICY;
	}
	if (record->bits > KEYRECORD_RSA_BITS_MAX) {
		*reason_r = "signing key too large";
		return RESULT_POLICY;
	}
	if (keyrecord_der_bits(key.exponent) > KEYRECORD_EXPONENT_BITS_MAX) {
		*reason_r = "exponent of signing key too large";
		return RESULT_POLICY;
	}
	/* Both are odd, and an exponent of 1 would take any signature. */
	if (keyrecord_der_bits(key.exponent) < 2 ||
	    key.exponent.bytes[key.exponent.len - 1] % 2 == 0 ||
	    key.modulus.bytes[key.modulus.len - 1] % 2 == 0)
		return RESULT_PERMERROR;
	len = keyrecord_der_write(&key, spki, sizeof(spki));
	if (len == 0)
		return RESULT_PERMERROR;
	write_canonical(record, spki, len);
	return RESULT_NONE;
}

/* Decodes p= and judges the key. */
static enum result
check_key(const struct tagtext_tag *tag, struct keyrecord *record,
    const char **reason_r)
{
	char text[KEYRECORD_TEXT_MAX + 1];
	uint8_t bytes[KEYRECORD_TEXT_MAX];
	size_t len = tagtext_squeeze(tag->value, text, sizeof(text));

	*reason_r = UNUSABLE;
	if (!base64_decode(text, len, bytes, sizeof(bytes), &len))
		return RESULT_PERMERROR;
	return record->type == KEYRECORD_RSA
		   ? check_rsa(bytes, len, record, reason_r)
		   : check_ed25519(bytes, len, record, reason_r);
}

enum result
keyrecord_parse(const char *text, size_t len, struct keyrecord *record_r,
    const char **reason_r)
{
	const struct tagtext_tag *key;
	struct tagtext list;
	enum result result;

	memset(record_r, 0, sizeof(*record_r));
	*reason_r = "key record too long";
	if (len > KEYRECORD_TEXT_MAX)
		return RESULT_PERMERROR;
	if (!tagtext_parse(text, len, &list, reason_r)) {
		*reason_r = "key record syntax error";
		return RESULT_PERMERROR;
	}
	*reason_r = check_tags(&list, record_r);
	if (*reason_r != NULL)
		return RESULT_PERMERROR;
	key = tagtext_find(&list, "p");
	*reason_r = key == NULL ? "key missing" : "key revoked";
	if (key == NULL || key->value.len == 0)
		return RESULT_PERMERROR;
	result = check_key(key, record_r, reason_r);
	if (result == RESULT_NONE)
		*reason_r = "";
	return result;
}

bool
keyrecord_is(const char *text, size_t len)
{
	const struct tagtext_tag *version;
	const char *reason;
	struct tagtext list;

	if (len > KEYRECORD_TEXT_MAX)
		return false;
	(void)tagtext_parse(text, len, &list, &reason);
	version = tagtext_find(&list, "v");
	if (version != NULL)
		return tagtext_is(version->value, "DKIM1");
	return tagtext_find(&list, "p") != NULL;
}
