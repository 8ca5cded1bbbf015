/* SPDX-License-Identifier: ISC */
#include "common/base64.h"

/* The value of a character, or -1. */
static int
value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Takes the padding off; returns false when it is wrong. */
static bool
trim_padding(const char *text, size_t *len)
{
	size_t whole = *len;

	while (*len > 0 && whole - *len < 2 && text[*len - 1] == '=')
		(*len)--;
	return *len % 4 != 1 && (whole == *len || whole % 4 == 0);
}

bool
base64_decode(
    const char *text, size_t len, uint8_t *out, size_t cap, size_t *len_r)
{
	size_t used = 0, i;
	unsigned held = 0;
	int bits = 0;

	if (!trim_padding(text, &len))
		return false;
	for (i = 0; i < len; i++) {
		int value = value_of(text[i]);

		if (value < 0)
			return false;
		held = (held << 6 | (unsigned)value) & 0xffffU;
		bits += 6;
		if (bits < 8)
			continue;
		bits -= 8;
		if (used == cap)
			return false;
		out[used++] = (uint8_t)(held >> bits);
	}
	*len_r = used;
	return true;
}

size_t
base64_encode(const void *bytes, size_t len, char *out, size_t cap)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";
	const uint8_t *in = bytes;
	size_t used = 0, i;

	if (cap <= BASE64_CHARS(len))
		return 0;
	for (i = 0; i < len; i += 3) {
		uint32_t group = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			group |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			group |= in[i + 2];
		out[used++] = alphabet[group >> 18];
		out[used++] = alphabet[group >> 12 & 63];
		out[used++] = i + 1 < len ? alphabet[group >> 6 & 63] : '=';
		out[used++] = i + 2 < len ? alphabet[group & 63] : '=';
	}
	out[used] = '\0';
	return used;
}
