/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/spfmacro.h"
#include "common/str.h"

/* What a letter stands for: a local part, "@" and a domain, or "t". */
#define VALUE_SIZE 1024
#define LABEL_MAX 63
#define NAME_MAX_LEN 253
/* Of a name only the end is kept (section 7.3), so characters in front of the
 * last so many do not matter. */
#define CHARACTERS_MAX 400
/* Nor do macros in front of so many, though each might expand to nothing: a
 * record of 64 KiB has room for thousands, and each costs a microsecond. */
#define MACROS_MAX 64
/* When so much of a name is collected, the first half goes away: what is left
 * is still longer than any name. */
#define COLLECT_SIZE 1024

static char
upper_hex(unsigned nibble)
{
	return "0123456789ABCDEF"[nibble & 15];
}

static struct spfrecord_text
skip(struct spfrecord_text text, size_t count)
{
	return (struct spfrecord_text){ text.start + count, text.len - count };
}

static bool
has_letter(struct spfrecord_text text, const char *letters)
{
	struct spfrecord_macro macro;

	while (text.len > 0) {
		size_t len = 1;

		if (*text.start == '%') {
			len =
			    spfrecord_macro(text.start, text.len, true, &macro);
			if (len == 0)
				return false;
			if (strchr(letters, macro.letter) != NULL)
				return true;
		}
		text = skip(text, len);
	}
	return false;
}

bool
spfmacro_needs_validated(struct spfrecord_text text)
{
	return has_letter(text, "p");
}

bool
spfmacro_needs_local(struct spfrecord_text text)
{
	return has_letter(text, "ls");
}

/* "%{i}" of IPv6: 32 nibbles with dots between (section 7.3). */
static void
add_nibbles(struct str *s, const struct ip *ip)
{
	for (size_t i = 0; i < sizeof(ip->bytes); i++) {
		if (i > 0)
			str_add_char(s, '.');
		str_add_char(s, upper_hex(ip->bytes[i] >> 4));
		str_add_char(s, '.');
		str_add_char(s, upper_hex(ip->bytes[i]));
	}
}

static void
note_use(char letter, const struct spfmacro_values *values)
{
	if (values->uses == NULL)
		return;
	if (strchr("lshr", letter) != NULL)
		*values->uses |= SPFMACRO_USE_SENDER;
	else if (letter == 't')
		*values->uses |= SPFMACRO_USE_TIME;
}

static void
add_value(struct str *s, char letter, const struct spfmacro_values *values)
{
	char ip[IP_TEXT_SIZE];

	note_use(letter, values);
	switch (letter) {
	case 's':
		str_add(s, values->sender_local);
		str_add_char(s, '@');
		str_add(s, values->sender_domain);
		break;
	case 'l':
		str_add(s, values->sender_local);
		break;
	case 'o':
		str_add(s, values->sender_domain);
		break;
	case 'd':
		str_add(s, values->domain);
		break;
	case 'i':
		if (values->ip->family == IP_V6)
			add_nibbles(s, values->ip);
		else
			str_add(s, ip_format(values->ip, ip));
		break;
	case 'p':
		str_add(s,
		    values->validated == NULL ? "unknown" : values->validated);
		break;
	case 'h':
		str_add(s, values->helo);
		break;
	case 'v':
		str_add(s, values->ip->family == IP_V6 ? "ip6" : "in-addr");
		break;
	case 'c':
		str_add(s, ip_format(values->ip, ip));
		break;
	case 'r':
		str_add(s, values->receiver);
		break;
	case 't':
		str_addf(s, "%lld", (long long)values->now_s);
		break;
	}
}

/* Unreserved characters of RFC 3986 section 2.3. */
static bool
is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

static void
add_part(struct str *out, const char *part, size_t len, bool url)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)part[i];

		if (url && !is_unreserved(part[i])) {
			str_add_char(out, '%');
			str_add_char(out, upper_hex(c >> 4));
			str_add_char(out, upper_hex(c));
		} else {
			str_add_char(out, part[i]);
		}
	}
}

/* Splits the value at the delimiters, takes parts from the right, perhaps in
 * reverse order, and joins them with dots (section 7.3). */
static void
transform(
    struct str *out, const char *value, const struct spfrecord_macro *macro)
{
	struct {
		uint16_t start, len;
	} parts[VALUE_SIZE];
	size_t count = 0, start = 0, first = 0;

	for (size_t i = 0;; i++) {
		if (value[i] != '\0' &&
		    strchr(macro->delimiters, value[i]) == NULL)
			continue;
		parts[count].start = (uint16_t)start;
		parts[count++].len = (uint16_t)(i - start);
		start = i + 1;
		if (value[i] == '\0')
			break;
	}
	if (macro->keep > 0 && macro->keep < count)
		first = count - macro->keep;
	for (size_t i = first; i < count; i++) {
		/* Reversing comes before taking from the right. */
		size_t at = macro->reverse ? count - 1 - i : i;

		if (i > first)
			str_add_char(out, '.');
		add_part(
		    out, value + parts[at].start, parts[at].len, macro->url);
	}
}

static void
expand(struct str *out, const struct spfrecord_macro *macro,
    const struct spfmacro_values *values)
{
	char buf[VALUE_SIZE];
	struct str value;

	switch (macro->letter) {
	case '%':
		str_add_char(out, '%');
		return;
	case '_':
		str_add_char(out, ' ');
		return;
	case '-':
		str_add(out, "%20");
		return;
	}
	str_init(&value, buf, sizeof(buf));
	add_value(&value, macro->letter, values);
	transform(out, buf, macro);
}

/* How long the piece is that text begins with, and what it is. */
static size_t
piece(struct spfrecord_text text, bool in_explanation,
    struct spfrecord_macro *macro_r)
{
	*macro_r = (struct spfrecord_macro){ .letter = '\0' };
	if (*text.start != '%')
		return 1;
	return spfrecord_macro(text.start, text.len, in_explanation, macro_r);
}

/* Is it a macro with a value, not a character? */
static bool
has_value(const struct spfrecord_macro *macro)
{
	return macro->letter >= 'a' && macro->letter <= 'z';
}

/* The part of text that the end of the name comes from. */
static struct spfrecord_text
needed_end(struct spfrecord_text text)
{
	struct spfrecord_macro macro;
	size_t count[2] = { 0, 0 }, len;

	for (struct spfrecord_text t = text; t.len > 0; t = skip(t, len)) {
		len = piece(t, false, &macro);
		if (len == 0)
			return (struct spfrecord_text){ text.start, 0 };
		count[has_value(&macro)]++;
	}
	for (; count[false] > CHARACTERS_MAX || count[true] > MACROS_MAX;
	     text = skip(text, len)) {
		len = piece(text, false, &macro);
		count[has_value(&macro)]--;
	}
	return text;
}

/* Makes room for one more piece; the end stays. */
static void
make_room(struct str *s)
{
	size_t keep = COLLECT_SIZE / 2;

	if (s->len < COLLECT_SIZE)
		return;
	memmove(s->text, s->text + (s->len - keep), keep + 1);
	s->len = keep;
}

static bool
askable(const char *name)
{
	size_t label = 0;

	for (; *name != '\0'; name++) {
		if (*name != '.') {
			if (++label > LABEL_MAX)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
	}
	return label > 0;
}

bool
spfmacro_domain(struct spfrecord_text text,
    const struct spfmacro_values *values, char out[static SPFMACRO_DOMAIN_SIZE])
{
	/* A piece can be three times as long as its value. */
	char buf[COLLECT_SIZE + 3 * VALUE_SIZE];
	struct str name;
	struct spfrecord_macro macro;
	const char *start;
	size_t len;

	str_init(&name, buf, sizeof(buf));
	for (text = needed_end(text); text.len > 0; text = skip(text, len)) {
		len = piece(text, false, &macro);
		if (macro.letter == '\0')
			str_add_char(&name, *text.start);
		else
			expand(&name, &macro, values);
		make_room(&name);
	}
	if (name.len > 0 && name.text[name.len - 1] == '.')
		name.text[--name.len] = '\0';
	for (start = name.text; strlen(start) > NAME_MAX_LEN; start++) {
		start = strchr(start, '.');
		if (start == NULL)
			break;
	}
	out[0] = '\0';
	if (start == NULL || !askable(start))
		return false;
	memcpy(out, start, strlen(start) + 1);
	return true;
}

static bool
explanation_ok(struct spfrecord_text text)
{
	struct spfrecord_macro macro;
	size_t len;

	for (; text.len > 0; text = skip(text, len)) {
		if (*text.start < 0x20 || *text.start > 0x7e)
			return false;
		len = piece(text, true, &macro);
		if (len == 0)
			return false;
	}
	return true;
}

bool
spfmacro_explanation(const char *text, size_t len,
    const struct spfmacro_values *values, char out[static SPFMACRO_TEXT_SIZE])
{
	struct spfrecord_text rest = { text, len };
	struct spfrecord_macro macro;
	struct str s;
	size_t used;

	out[0] = '\0';
	if (!explanation_ok(rest))
		return false;
	str_init(&s, out, SPFMACRO_TEXT_SIZE);
	for (; rest.len > 0 && !s.truncated; rest = skip(rest, used)) {
		used = piece(rest, true, &macro);
		if (macro.letter == '\0')
			str_add_char(&s, *rest.start);
		else
			expand(&s, &macro, values);
	}
	for (char *c = out; *c != '\0'; c++) {
		if (*c < 0x20 || *c > 0x7e)
			*c = '?';
	}
	return true;
}
