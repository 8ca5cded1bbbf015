/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "tests/bench/text.h"

void
text_open(struct text *text, char *buf, size_t cap)
{
	text->at = buf;
	text->last = buf + cap - 1;
	*buf = '\0';
}

static void
append(struct text *text, const char *s, size_t len)
{
	size_t room = (size_t)(text->last - text->at);

	if (len > room)
		len = room;
	memcpy(text->at, s, len);
	text->at += len;
	*text->at = '\0';
}

void
text_str(struct text *text, const char *s)
{
	append(text, s, strlen(s));
}

static void
append_digits(struct text *text, uint64_t n, unsigned int base)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = "0123456789abcdef"[n % base];
		n /= base;
	} while (n > 0);
	append(text, digits + at, sizeof(digits) - at);
}

void
text_num(struct text *text, uint64_t n)
{
	append_digits(text, n, 10);
}

void
text_hex(struct text *text, uint64_t n)
{
	append_digits(text, n, 16);
}
