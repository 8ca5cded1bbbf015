/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "dkimd/tagtext.h"

static bool
is_alpha(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool
is_name(char c)
{
	return is_alpha(c) || (c >= '0' && c <= '9') || c == '_';
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool
is_white(char c)
{
	return is_blank(c) || c == '\n' || c == '\r';
}

/* Skips blanks and folds; anything else ends it, a line end without a blank
 * behind it as well. */
static size_t
skip_fws(const char *text, size_t len, size_t i)
{
	for (; i < len; i++) {
		size_t end = i;

		if (is_blank(text[i]))
			continue;
		if (text[end] == '\r' && end + 1 < len)
			end++;
		if (text[end] != '\n' || end + 1 >= len ||
		    !is_blank(text[end + 1]))
			break;
		i = end + 1;
	}
	return i;
}

static struct tagtext_piece
trim(struct tagtext_piece piece)
{
	while (piece.len > 0 && is_white(piece.start[0])) {
		piece.start++;
		piece.len--;
	}
	while (piece.len > 0 && is_white(piece.start[piece.len - 1]))
		piece.len--;
	return piece;
}

/* Reads up to ";" or the end. Returns false for what no value may hold. */
static bool
take_value(
    const char *text, size_t len, size_t *position, struct tagtext_tag *tag)
{
	size_t i = *position, start = i;

	tag->is_ascii = true;
	while (i < len && text[i] != ';') {
		unsigned char c = (unsigned char)text[i];
		size_t next = skip_fws(text, len, i);

		if (next == i && (c < 0x21 || c == 0x7f))
			return false;
		if (c >= 0x80)
			tag->is_ascii = false;
		i = next == i ? i + 1 : next;
	}
	tag->value = trim((struct tagtext_piece){ text + start, i - start });
	*position = i;
	return true;
}

/* Reads one tag. Returns NULL, or what is wrong. */
static const char *
take_tag(
    const char *text, size_t len, size_t *position, struct tagtext_tag *tag)
{
	size_t i = *position, start = i;

	if (i >= len || !is_alpha(text[i]))
		return i < len && text[i] == ';' ? "an empty tag"
						 : "a tag without a name";
	while (i < len && is_name(text[i]))
		i++;
	tag->name = (struct tagtext_piece){ text + start, i - start };
	i = skip_fws(text, len, i);
	if (i >= len || text[i] != '=')
		return "a tag without \"=\"";
	i = skip_fws(text, len, i + 1);
	if (!take_value(text, len, &i, tag))
		return "a control character in a tag";
	*position = i;
	return NULL;
}

static bool
is_known(const struct tagtext *list, struct tagtext_piece name)
{
	for (size_t i = 0; i < list->count; i++) {
		struct tagtext_piece other = list->tags[i].name;

		if (other.len == name.len &&
		    memcmp(other.start, name.start, name.len) == 0)
			return true;
	}
	return false;
}

bool
tagtext_parse(
    const char *text, size_t len, struct tagtext *list_r, const char **reason_r)
{
	size_t i = skip_fws(text, len, 0);

	list_r->count = 0;
	do {
		struct tagtext_tag tag;

		*reason_r = take_tag(text, len, &i, &tag);
		if (*reason_r == NULL && is_known(list_r, tag.name))
			*reason_r = "the same tag twice";
		else if (*reason_r == NULL && list_r->count == TAGTEXT_TAGS_MAX)
			*reason_r = "too many tags";
		if (*reason_r != NULL)
			return false;
		list_r->tags[list_r->count++] = tag;
		if (i < len)
			i = skip_fws(text, len, i + 1);
	} while (i < len);
	*reason_r = "";
	return true;
}

const struct tagtext_tag *
tagtext_find(const struct tagtext *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++) {
		if (tagtext_is(list->tags[i].name, name))
			return &list->tags[i];
	}
	return NULL;
}

bool
tagtext_is(struct tagtext_piece piece, const char *text)
{
	return strlen(text) == piece.len &&
	       memcmp(piece.start, text, piece.len) == 0;
}

bool
tagtext_is_nocase(struct tagtext_piece piece, const char *text)
{
	return strlen(text) == piece.len &&
	       strncasecmp(piece.start, text, piece.len) == 0;
}

size_t
tagtext_squeeze(struct tagtext_piece piece, char *buf, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < piece.len; i++) {
		if (is_white(piece.start[i]))
			continue;
		if (len + 1 >= cap) {
			buf[0] = '\0';
			return cap;
		}
		buf[len++] = piece.start[i];
	}
	buf[len] = '\0';
	return len;
}

bool
tagtext_next(struct tagtext_piece *rest, struct tagtext_piece *entry_r)
{
	const char *colon;

	if (rest->start == NULL)
		return false;
	colon = memchr(rest->start, ':', rest->len);
	*entry_r = *rest;
	if (colon == NULL) {
		*rest = (struct tagtext_piece){ NULL, 0 };
	} else {
		entry_r->len = (size_t)(colon - rest->start);
		rest->start = colon + 1;
		rest->len -= entry_r->len + 1;
	}
	*entry_r = trim(*entry_r);
	return true;
}
