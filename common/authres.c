/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>

#include "common/authres_int.h"

/* RFC 5322 section 2.1.1 allows 998 characters in a line. */
#define LINE_MAX_LEN 900
#define ID_MAX 255

bool
authres_is_keyword_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-';
}

bool
authres_is_token_char(char c)
{
	return c > ' ' && c < '\x7f' && strchr("()<>@,;:\\\"/[]?=", c) == NULL;
}

bool
authres_is_id_char(char c)
{
	return c == '/' || authres_is_token_char(c);
}

static bool
all(const char *text, bool (*is)(char))
{
	while (*text != '\0' && is(*text))
		text++;
	return *text == '\0';
}

bool
authres_id_ok(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && len <= ID_MAX && all(text, authres_is_token_char);
}

static void
add_text(struct str *s, const char *text, const char *escape)
{
	size_t left = strlen(text);

	while (left > 0) {
		struct header_cursor cursor = { .text = text, .len = left };
		size_t len = header_char(&cursor);

		if (len == 0 || *text == '\t' || *text == '\n') {
			str_add_char(s, '?');
			len = 1;
		} else {
			if (strchr(escape, *text) != NULL)
				str_add_char(s, '\\');
			str_add_bytes(s, text, len);
		}
		text += len;
		left -= len;
	}
}

static void
add_quoted(struct str *s, const char *text)
{
	str_add_char(s, '"');
	add_text(s, text, "\"\\");
	str_add_char(s, '"');
}

/* "local@domain" or "@domain" of atoms? */
static bool
is_address(const char *text)
{
	char before = '@';

	for (; *text != '\0' && *text != '@'; text++) {
		if (*text == '.' ? before == '.' || before == '@'
				 : !header_is_atext(*text))
			return false;
		before = *text;
	}
	return *text == '@' && before != '.' && text[1] != '\0' &&
	       all(text + 1, authres_is_token_char);
}

static void
add_value(struct str *s, const char *text)
{
	if ((*text != '\0' && all(text, authres_is_token_char)) ||
	    is_address(text))
		str_add(s, text);
	else
		add_quoted(s, text);
}

static void
add_keyword(struct str *s, const char *text)
{
	assert(*text != '\0' && all(text, authres_is_keyword_char));
	str_add(s, text);
}

/* Columns of the last line. */
static size_t
columns(const struct str *s)
{
	size_t n = 0;

	while (n < s->len && s->text[s->len - n - 1] != '\n')
		n++;
	return n;
}

static void
add_property(struct str *s, const struct authres_property *property)
{
	size_t len = strlen(property->type) + strlen(property->name) +
		     strlen(property->value);

	str_add(s, columns(s) + len > LINE_MAX_LEN ? "\n\t" : " ");
	add_keyword(s, property->type);
	str_add_char(s, '.');
	add_keyword(s, property->name);
	str_add_char(s, '=');
	add_value(s, property->value);
}

static void
add_result(struct str *s, const struct authres_result *result)
{
	str_add(s, ";\n\t");
	add_keyword(s, result->method);
	if (result->version != 1)
		str_addf(s, "/%u", result->version);
	str_add_char(s, '=');
	add_keyword(s, result->result);
	if (result->comment != NULL) {
		str_add(s, " (");
		add_text(s, result->comment, "()\\");
		str_add_char(s, ')');
	}
	if (result->reason != NULL) {
		str_add(s, " reason=");
		add_quoted(s, result->reason);
	}
	for (size_t i = 0; i < result->property_count; i++)
		add_property(s, &result->properties[i]);
}

void
authres_format(struct str *s, const struct authres *authres)
{
	const char *id = authres->authserv_id;

	if (*id != '\0' && all(id, authres_is_id_char))
		str_add(s, id);
	else
		add_quoted(s, id);
	if (authres->version != 1)
		str_addf(s, " %u", authres->version);
	if (authres->result_count == 0)
		str_add(s, "; none");
	for (size_t i = 0; i < authres->result_count; i++)
		add_result(s, &authres->results[i]);
}
