/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "dkimd/keyrecord_der.h"

enum {
	TAG_INTEGER = 0x02,
	TAG_BIT_STRING = 0x03,
	TAG_SEQUENCE = 0x30,
};

/* A bit string begins with the number of its unused bits. */
#define BIT_STRING_HEAD 1

/* SEQUENCE { OID 1.2.840.113549.1.1.1, NULL } */
static const uint8_t algorithm[] = { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48,
	0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00 };
/* What it holds, and that without NULL. */
#define ALGORITHM_OFFSET 2
#define ALGORITHM_LEN 13
#define ALGORITHM_SHORT_LEN 11

struct reader {
	const uint8_t *at;
	size_t left;
};

/* Reads a length in its shortest form. */
static bool
take_length(struct reader *in, size_t *len_r)
{
	size_t len, count;

	if (in->left == 0)
		return false;
	len = *in->at++;
	in->left--;
	if (len < 0x80) {
		*len_r = len;
		return true;
	}
	count = len & 0x7f;
	if (count < 1 || count > 2 || in->left < count || in->at[0] == 0)
		return false;
	for (len = 0; count > 0; count--, in->left--)
		len = len << 8 | *in->at++;
	*len_r = len;
	return len >= 0x80;
}

/* Takes the next element, which must have that tag. */
static bool
take(struct reader *in, uint8_t tag, struct reader *content_r)
{
	size_t len;

	if (in->left == 0 || *in->at != tag)
		return false;
	in->at++;
	in->left--;
	if (!take_length(in, &len) || len > in->left)
		return false;
	*content_r = (struct reader){ in->at, len };
	in->at += len;
	in->left -= len;
	return true;
}

static bool
take_number(struct reader *in, struct keyrecord_number *number_r)
{
	struct reader n;

	if (!take(in, TAG_INTEGER, &n) || n.left == 0 || n.at[0] >= 0x80)
		return false;
	if (n.at[0] == 0) {
		/* Only in front of what would be negative; or alone. */
		if (n.left > 1 && n.at[1] < 0x80)
			return false;
		n.at++;
		n.left--;
	}
	*number_r = (struct keyrecord_number){ n.at, n.left };
	return true;
}

/* Unwraps the key of an SPKI, whose SEQUENCE is opened already. */
static bool
take_wrapped(struct reader *in, struct reader *key_r)
{
	struct reader alg, bits;

	if (!take(in, TAG_SEQUENCE, &alg) ||
	    (alg.left != ALGORITHM_LEN && alg.left != ALGORITHM_SHORT_LEN) ||
	    memcmp(alg.at, algorithm + ALGORITHM_OFFSET, alg.left) != 0)
		return false;
	if (!take(in, TAG_BIT_STRING, &bits) || in->left > 0 ||
	    bits.left < BIT_STRING_HEAD || bits.at[0] != 0)
		return false;
	bits.at += BIT_STRING_HEAD;
	bits.left -= BIT_STRING_HEAD;
	return take(&bits, TAG_SEQUENCE, key_r) && bits.left == 0;
}

bool
keyrecord_der_read(const uint8_t *der, size_t len, struct keyrecord_rsa *key_r)
{
	struct reader in = { der, len }, outer, key;

	if (!take(&in, TAG_SEQUENCE, &outer) || in.left > 0 || outer.left == 0)
		return false;
	if (*outer.at == TAG_INTEGER)
		key = outer;
	else if (!take_wrapped(&outer, &key))
		return false;
	return take_number(&key, &key_r->modulus) &&
	       take_number(&key, &key_r->exponent) && key.left == 0;
}

unsigned
keyrecord_der_bits(struct keyrecord_number number)
{
	unsigned bits = (unsigned)number.len * 8;

	if (number.len == 0)
		return 0;
	for (unsigned top = number.bytes[0]; top < 0x80; top <<= 1)
		bits--;
	return bits;
}

static size_t
head_size(size_t len)
{
	return len < 0x80 ? 2 : len < 0x100 ? 3 : 4;
}

static uint8_t *
put_head(uint8_t *out, uint8_t tag, size_t len)
{
	*out++ = tag;
	if (len >= 0x80)
		*out++ = len < 0x100 ? 0x81 : 0x82;
	if (len >= 0x100)
		*out++ = (uint8_t)(len >> 8);
	*out++ = (uint8_t)len;
	return out;
}

/* As an INTEGER: a byte of zero keeps it from being negative. */
static size_t
number_len(struct keyrecord_number number)
{
	return number.len + (number.len == 0 || number.bytes[0] >= 0x80);
}

static uint8_t *
put_number(uint8_t *out, struct keyrecord_number number)
{
	out = put_head(out, TAG_INTEGER, number_len(number));
	if (number_len(number) > number.len)
		*out++ = 0;
	memcpy(out, number.bytes, number.len);
	return out + number.len;
}

size_t
keyrecord_der_write(const struct keyrecord_rsa *key, uint8_t *out, size_t cap)
{
	size_t n = number_len(key->modulus), e = number_len(key->exponent);
	size_t numbers = head_size(n) + n + head_size(e) + e;
	size_t bits = BIT_STRING_HEAD + head_size(numbers) + numbers;
	size_t all = sizeof(algorithm) + head_size(bits) + bits;

	if (all > 0xffff || head_size(all) + all > cap)
		return 0;
	out = put_head(out, TAG_SEQUENCE, all);
	memcpy(out, algorithm, sizeof(algorithm));
	out = put_head(out + sizeof(algorithm), TAG_BIT_STRING, bits);
	*out++ = 0;
	out = put_head(out, TAG_SEQUENCE, numbers);
	out = put_number(out, key->modulus);
	(void)put_number(out, key->exponent);
	return head_size(all) + all;
}
