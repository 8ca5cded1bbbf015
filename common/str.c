/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/str.h"

/* RFC 1035 section 2.3.4. */
#define LABEL_MAX 63
#define NAME_MAX_LEN 253

/* The most that str_distance says, and the longest name it compares. */
#define DISTANCE_MAX 64

/* tolower(3) asks the locale. */
static char
lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

void
str_init(struct str *s, char *buf, size_t cap)
{
	assert(cap >= 1);
	s->text = buf;
	s->len = 0;
	s->cap = cap;
	s->truncated = false;
	buf[0] = '\0';
}

void
str_add_bytes(struct str *s, const char *bytes, size_t len)
{
	size_t room = s->cap - 1 - s->len;

	if (len > room) {
		len = room;
		s->truncated = true;
	}
	if (len == 0)
		return;
	memcpy(s->text + s->len, bytes, len);
	s->len += len;
	s->text[s->len] = '\0';
}

void
str_add(struct str *s, const char *text)
{
	str_add_bytes(s, text, strlen(text));
}

void
str_add_char(struct str *s, char c)
{
	str_add_bytes(s, &c, 1);
}

void
str_addf(struct str *s, const char *format, ...)
{
	size_t room = s->cap - s->len;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(s->text + s->len, room, format, args);
	va_end(args);
	if (n < 0) {
		s->text[s->len] = '\0';
		s->truncated = true;
	} else if ((size_t)n >= room) {
		s->len = s->cap - 1;
		s->truncated = true;
	} else {
		s->len += (size_t)n;
	}
}

/* One bit per byte value: must it be escaped? */
struct escape_set {
	uint64_t bits[4];
};

static void
escape_set_add(struct escape_set *set, uint8_t byte)
{
	set->bits[byte / 64] |= UINT64_C(1) << byte % 64;
}

static bool
escape_set_has(const struct escape_set *set, uint8_t byte)
{
	return (set->bits[byte / 64] >> byte % 64 & 1) != 0;
}

/* Are these eight bytes all within 0x20..0x7e? Without branches: most text
 * is, and all of a log line passes here. */
static bool
eight_printable(const char *bytes)
{
	const uint64_t ones = 0x0101010101010101, high = ones << 7;
	uint64_t x;

	memcpy(&x, bytes, sizeof(x));
	/* Below 0x80, + 0x60 sets the high bit from 0x20 on, + 1 at 0x7f. */
	return (x & high) == 0 &&
	       ((x + ones * 0x60) & ~(x + ones) & high) == high;
}

void
str_add_escaped(struct str *s, const char *bytes, size_t len, const char *also)
{
	static const char hex[] = "0123456789ABCDEF";
	bool nothing_else = *also == '\0';
	struct escape_set set = { { UINT32_MAX, 0, UINT64_MAX, UINT64_MAX } };
	size_t plain = 0;

	escape_set_add(&set, 0x7f);
	for (; *also != '\0'; also++)
		escape_set_add(&set, (uint8_t)*also);
	/* Runs of harmless bytes are copied at once: most values are one. */
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = (uint8_t)bytes[i];
		char escape[3] = { '%', hex[byte >> 4], hex[byte & 15] };

		if (nothing_else && len - i >= 8 &&
		    eight_printable(bytes + i)) {
			i += 7;
			continue;
		}
		if (!escape_set_has(&set, byte))
			continue;
		str_add_bytes(s, bytes + plain, i - plain);
		plain = i + 1;
		if (s->cap - 1 - s->len < sizeof(escape))
			s->truncated = true;
		if (s->truncated)
			return;
		str_add_bytes(s, escape, sizeof(escape));
	}
	str_add_bytes(s, bytes + plain, len - plain);
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

char *
str_trim(char *text)
{
	size_t len;

	while (is_blank(*text))
		text++;
	len = strlen(text);
	while (len > 0 && is_blank(text[len - 1]))
		len--;
	text[len] = '\0';
	return text;
}

void
str_lower(char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		text[i] = lower(text[i]);
}

bool
str_equal_nocase(const char *a, const char *b)
{
	for (; lower(*a) == lower(*b); a++, b++)
		if (*a == '\0')
			return true;
	return false;
}

bool
str_has_prefix_nocase(const char *text, const char *prefix)
{
	for (; *prefix != '\0'; text++, prefix++)
		if (lower(*text) != lower(*prefix))
			return false;
	return true;
}

bool
str_is_ascii(const char *text)
{
	while (*text != '\0' && (*text & 0x80) == 0)
		text++;
	return *text == '\0';
}

size_t
str_count(const char *text, char c)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == c;
	return count;
}

int
str_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool
is_label_char(char c)
{
	c = lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
	       c == '_';
}

size_t
str_labels(const char *name, size_t len, bool is_strict)
{
	size_t labels = 0, start = 0;

	if (len > NAME_MAX_LEN)
		return 0;
	for (size_t i = 0; i <= len; i++) {
		if (i < len && name[i] != '.') {
			if (!is_label_char(name[i]))
				return 0;
			continue;
		}
		if (i == start || i - start > LABEL_MAX ||
		    (is_strict && (name[start] == '-' || name[i - 1] == '-')))
			return 0;
		labels++;
		start = i + 1;
	}
	return labels;
}

const char *
str_base(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

/* The next character that counts in an option name, '\0' at the end. */
static char
next_in_name(const char **name_io)
{
	const char *p = *name_io;

	while (*p == '-' || *p == '_')
		p++;
	*name_io = *p == '\0' ? p : p + 1;
	return lower(*p);
}

bool
str_equal_name(const char *a, const char *b)
{
	for (;;) {
		char c = next_in_name(&a);

		if (c != next_in_name(&b))
			return false;
		if (c == '\0')
			return true;
	}
}

/* Writes what counts in an option name; returns its length, or
 * DISTANCE_MAX + 1 when it is longer than DISTANCE_MAX. */
static size_t
fold_name(const char *name, char folded[static DISTANCE_MAX])
{
	size_t len = 0;
	char c;

	while ((c = next_in_name(&name)) != '\0') {
		if (len == DISTANCE_MAX)
			return DISTANCE_MAX + 1;
		folded[len++] = c;
	}
	return len;
}

/* Levenshtein's distance, one row at a time. */
unsigned
str_distance(const char *a, const char *b)
{
	char x[DISTANCE_MAX], y[DISTANCE_MAX];
	unsigned row[DISTANCE_MAX + 1];
	size_t x_len = fold_name(a, x), y_len = fold_name(b, y);

	if (x_len > DISTANCE_MAX || y_len > DISTANCE_MAX)
		return str_equal_name(a, b) ? 0 : DISTANCE_MAX;
	for (size_t j = 0; j <= y_len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= x_len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= y_len; j++) {
			unsigned best = diagonal + (x[i - 1] != y[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[y_len];
}

size_t
str_utf8(const char *bytes, size_t len, uint32_t *code_r)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *s = (const unsigned char *)bytes;
	size_t need;
	uint32_t code;

	if (s[0] < 0x80) {
		*code_r = s[0];
		return 1;
	}
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	need = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;
	if (need > len)
		return 0;
	code = s[0] & (0x7fU >> need);
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	if (code < least[need] || code > 0x10ffff ||
	    (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*code_r = code;
	return need;
}

bool
str_to_uint(
    const char *text, unsigned long long max, unsigned long long *value_r)
{
	unsigned long long value = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		unsigned digit;

		if (*text < '0' || *text > '9')
			return false;
		digit = (unsigned)(*text - '0');
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*value_r = value;
	return true;
}
