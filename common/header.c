/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/header.h"

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

bool
header_is(const struct header_field *field, const char *name)
{
	size_t len = field->name_len;

	while (len > 0 && is_blank(field->name[len - 1]))
		len--;
	return len == strlen(name) && strncasecmp(field->name, name, len) == 0;
}

size_t
header_count(const struct header_field *fields, size_t count, const char *name)
{
	size_t found = 0;

	for (size_t i = 0; i < count; i++)
		found += header_is(&fields[i], name);
	return found;
}

const struct header_field *
header_first(const struct header_field *fields, size_t count, const char *name)
{
	for (size_t i = 0; i < count; i++)
		if (header_is(&fields[i], name))
			return &fields[i];
	return NULL;
}

size_t
header_char(const struct header_cursor *cursor)
{
	const char *p = cursor->text + cursor->at;
	size_t left = cursor->len - cursor->at, len;
	uint32_t code;

	if (left == 0)
		return 0;
	/* A line that goes on begins with a blank. */
	if (*p == '\n')
		return left > 1 && is_blank(p[1]) ? 1 : 0;
	if (*p == '\t' || (*p >= 0x20 && *p <= 0x7e))
		return 1;
	if ((unsigned char)*p < 0x80)
		return 0;
	len = str_utf8(p, left, &code);
	return len == 0 && cursor->takes_bytes ? 1 : len;
}

bool
header_is_atext(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

/* Skips a backslash and what it escapes. Returns false when that is nothing,
 * or a fold. */
static bool
skip_escape(struct header_cursor *cursor)
{
	size_t len;

	cursor->at++;
	len = header_char(cursor);
	if (len == 0 || cursor->text[cursor->at] == '\n')
		return false;
	cursor->at += len;
	return true;
}

/* Counts instead of calling itself: comments nest as deep as a field is
 * long. */
static bool
skip_comment(struct header_cursor *cursor)
{
	size_t depth = 0;

	do {
		char c;
		size_t len = header_char(cursor);

		if (len == 0)
			return false;
		c = cursor->text[cursor->at];
		if (c == '\\') {
			if (!skip_escape(cursor))
				return false;
			continue;
		}
		if (c == '(')
			depth++;
		else if (c == ')')
			depth--;
		cursor->at += len;
	} while (depth > 0);
	return true;
}

bool
header_skip(struct header_cursor *cursor)
{
	while (header_char(cursor) > 0) {
		char c = cursor->text[cursor->at];

		if (c == '(') {
			if (!skip_comment(cursor))
				return false;
		} else if (is_blank(c) || c == '\n') {
			cursor->at++;
		} else {
			break;
		}
	}
	return true;
}

bool
header_quoted(struct header_cursor *cursor, struct str *content)
{
	cursor->at++;
	for (;;) {
		size_t start = cursor->at, len = header_char(cursor);
		char c;

		if (len == 0)
			return false;
		c = cursor->text[start];
		if (c == '\\') {
			if (!skip_escape(cursor))
				return false;
			start++;
		} else {
			cursor->at += len;
		}
		if (c == '"')
			return true;
		if (c != '\n')
			str_add_bytes(
			    content, cursor->text + start, cursor->at - start);
	}
}
