/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/header.h"
#include "common/mailbox.h"
#include "common/str.h"

struct parser {
	struct header_cursor cursor;
	struct arena *arena;
	struct err *err;
	struct mailbox list[MAILBOX_COUNT_MAX];
	size_t count;
	bool has_group;
};

static int
fault(const struct parser *p, const char *what)
{
	return err_set(p->err, "%s, at character %zu", what, p->cursor.at + 1);
}

/* The byte at the cursor, '\0' at the end; what no field may hold is
 * '\x7f'. */
static char
peek(const struct parser *p)
{
	if (p->cursor.at == p->cursor.len)
		return '\0';
	return header_char(&p->cursor) == 0 ? '\x7f'
					    : p->cursor.text[p->cursor.at];
}

static int
skip(struct parser *p)
{
	return header_skip(&p->cursor)
		   ? 0
		   : fault(p, "a comment that does not end, or a "
			      "control or invalid UTF-8 character in it");
}

/* Is c of an atom? UTF-8 is (RFC 6532). */
static bool
is_atom_char(char c)
{
	return header_is_atext(c) || (unsigned char)c >= 0x80;
}

/* Takes one atom. */
static void
take_atom(struct parser *p, struct str *content)
{
	while (is_atom_char(peek(p))) {
		size_t len = header_char(&p->cursor);

		str_add_bytes(content, p->cursor.text + p->cursor.at, len);
		p->cursor.at += len;
	}
}

/* RFC 2047 forbids encoded words in addresses, and some programs decode them
 * all the same: to these the address is another. */
static bool
has_encoded_word(const char *text)
{
	const char *start = strstr(text, "=?");

	return start != NULL && strstr(start + 2, "?=") != NULL;
}

/* Words and dots: a display name, or a local part. */
struct phrase {
	char text[MAILBOX_LOCAL_MAX + 1]; /* as a local part */
	struct str s;
	size_t words;
	bool split; /* words without a dot between: no local part */
};

/* Takes words and dots up to anything else. */
static int
take_phrase(struct parser *p, struct phrase *phrase)
{
	bool after_word = false;

	str_init(&phrase->s, phrase->text, sizeof(phrase->text));
	phrase->words = 0;
	phrase->split = false;
	for (;;) {
		char c = peek(p);

		if (c == '.') {
			str_add_char(&phrase->s, c);
			p->cursor.at++;
			after_word = false;
		} else if (c == '"' || is_atom_char(c)) {
			phrase->split |= after_word;
			phrase->words++;
			after_word = true;
			if (c != '"')
				take_atom(p, &phrase->s);
			else if (!header_quoted(&p->cursor, &phrase->s))
				return fault(p, "a quoted text that does not "
						"end, or a control or invalid "
						"UTF-8 character in it");
		} else {
			return 0;
		}
		if (skip(p) != 0)
			return -1;
	}
}

/* Lower case only. */
static bool
is_label_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static bool
is_domain_char(char c)
{
	return is_label_char(c) || c == '-' || c == '_' ||
	       (unsigned char)c >= 0x80;
}

/* Labels of letters, digits, "-", "_" and UTF-8, single dots between. */
static bool
is_domain(const char *text)
{
	char before = '.';

	for (; *text != '\0'; text++) {
		if (*text == '.' ? before == '.' : !is_domain_char(*text))
			return false;
		before = *text;
	}
	return before != '.';
}

/* Takes "[192.0.2.1]", blanks within left out. RFC 5322 allows more than any
 * mail system knows; here it is what RFC 5321 section 4.1.3 makes of it. */
static int
take_literal(struct parser *p, struct str *domain)
{
	str_add_char(domain, '[');
	for (char c = '['; c != ']';) {
		p->cursor.at++;
		c = peek(p);
		if (c == ' ' || c == '\t' || c == '\n')
			continue;
		if (c == '\0' || strchr("]:.-", c) == NULL) {
			char folded = c;

			str_lower(&folded, 1);
			if (!is_label_char(folded))
				return fault(p, "a domain literal that does "
						"not end, or an odd character "
						"in it");
		}
		str_add_char(domain, c);
	}
	p->cursor.at++;
	return 0;
}

/* Takes atoms and dots, blanks and comments around the dots. */
static int
take_name(struct parser *p, struct str *domain)
{
	bool after_atom = false;

	for (;;) {
		char c = peek(p);

		if (c == '.') {
			str_add_char(domain, c);
			p->cursor.at++;
			after_atom = false;
		} else if (is_atom_char(c) && !after_atom) {
			take_atom(p, domain);
			after_atom = true;
		} else if (is_atom_char(c)) {
			return fault(p, "a blank or comment in a domain");
		} else {
			return 0;
		}
		if (skip(p) != 0)
			return -1;
	}
}

/* Takes what follows the "@". */
static int
take_domain(struct parser *p, const char **domain_r)
{
	char text[MAILBOX_DOMAIN_MAX + 2]; /* and a final dot */
	struct str s;
	size_t start;

	if (skip(p) != 0)
		return -1;
	start = p->cursor.at;
	str_init(&s, text, sizeof(text));
	if (peek(p) == '[') {
		if (take_literal(p, &s) != 0 || skip(p) != 0)
			return -1;
	} else {
		if (take_name(p, &s) != 0)
			return -1;
		if (s.len > 1 && text[s.len - 1] == '.')
			text[--s.len] = '\0';
	}
	str_lower(text, s.len);
	if (s.truncated || s.len > MAILBOX_DOMAIN_MAX ||
	    (text[0] != '[' && !is_domain(text))) {
		p->cursor.at = start;
		return fault(p, s.len == 0 ? "no domain after the @"
					   : "what follows the @ is no domain");
	}
	*domain_r = arena_strndup(p->arena, text, s.len);
	return 0;
}

static bool
is_utf8(const char *text)
{
	size_t left = strlen(text), len;
	uint32_t code;

	for (; left > 0; text += len, left -= len) {
		len = str_utf8(text, left, &code);
		if (len == 0)
			return false;
	}
	return true;
}

/* The phrase was a local part, and the cursor stands on its "@". */
static int
take_address(struct parser *p, const struct phrase *local)
{
	struct mailbox *mailbox = &p->list[p->count];

	if (local->words == 0)
		return fault(p, "nothing before the @");
	if (local->split)
		return fault(p, "several words before the @");
	if (local->s.truncated)
		return fault(p, "too much before the @");
	if (has_encoded_word(local->text))
		return fault(p, "an encoded word before the @");
	if (p->count == MAILBOX_COUNT_MAX)
		return fault(p, "too many addresses");
	mailbox->local = arena_strndup(p->arena, local->text, local->s.len);
	p->cursor.at++;
	if (take_domain(p, &mailbox->domain) != 0)
		return -1;
	/* In names 8-bit text of any kind does no harm, here it does. */
	if (!is_utf8(mailbox->local) || !is_utf8(mailbox->domain))
		return fault(p, "invalid UTF-8 in the address before this");
	p->count++;
	return 0;
}

/* The cursor stands on the "<". */
static int
take_angle(struct parser *p)
{
	struct phrase local;
	char c;

	p->cursor.at++;
	if (skip(p) != 0 || take_phrase(p, &local) != 0)
		return -1;
	c = peek(p);
	if (local.words == 0 && (c == '@' || c == ','))
		return fault(p, "a route in <>");
	if (c != '@')
		return fault(p, "no address in <>");
	if (take_address(p, &local) != 0)
		return -1;
	if (peek(p) != '>')
		return fault(p, "a > is missing");
	p->cursor.at++;
	return skip(p);
}

/* Takes an address; some write it twice, without quotes: "a@b <a@b>". That
 * has one meaning as long as both are the same. */
static int
take_bare(struct parser *p, const struct phrase *local)
{
	const struct mailbox *first = &p->list[p->count];
	size_t at;

	if (take_address(p, local) != 0)
		return -1;
	if (peek(p) != '<')
		return 0;
	at = p->cursor.at;
	if (take_angle(p) != 0)
		return -1;
	if (str_equal_nocase(first[0].local, first[1].local) &&
	    strcmp(first[0].domain, first[1].domain) == 0) {
		p->count--;
		return 0;
	}
	p->cursor.at = at;
	return fault(p, "another address before the <>");
}

/* Takes one address, or a group's name and ":"; the cursor stands on its
 * first character. */
static int
take_element(struct parser *p, bool *in_group_io)
{
	struct phrase phrase;
	char c;

	if (take_phrase(p, &phrase) != 0)
		return -1;
	c = peek(p);
	if (c == '@')
		return take_bare(p, &phrase);
	if (c == '<')
		return take_angle(p);
	if (c == '\x7f')
		return fault(p, "a control or invalid UTF-8 character");
	if (c != ':' || *in_group_io || phrase.words == 0)
		return fault(p, "no address");
	p->cursor.at++;
	p->has_group = true;
	*in_group_io = true;
	return 0;
}

/* Takes elements and the commas between; empty ones say nothing (RFC 5322
 * section 4.4). */
static int
take_list(struct parser *p)
{
	bool in_group = false, want_comma = false;

	for (;;) {
		char c;

		if (skip(p) != 0)
			return -1;
		c = peek(p);
		if (c == '\0')
			return in_group ? fault(p, "a group that does not end")
					: 0;
		if (c == ',') {
			p->cursor.at++;
			want_comma = false;
		} else if (c == ';' && in_group) {
			p->cursor.at++;
			in_group = false;
			want_comma = true;
		} else if (want_comma) {
			return fault(p, "no comma after an address");
		} else {
			bool was_in_group = in_group;

			if (take_element(p, &in_group) != 0)
				return -1;
			want_comma = in_group == was_in_group;
		}
	}
}

int
mailbox_parse_list(const char *value, size_t len, struct arena *arena,
    struct mailbox **list_r, struct err *err)
{
	struct parser p = {
		.cursor = { .text = value, .len = len, .takes_bytes = true },
		.arena = arena,
		.err = err
	};

	if (len > MAILBOX_FIELD_MAX)
		return err_set(err, "longer than %d bytes", MAILBOX_FIELD_MAX);
	if (take_list(&p) != 0)
		return -1;
	if (p.count == 0 && !p.has_group)
		return err_set(err, "no address");
	*list_r = arena_alloc(arena, p.count * sizeof(*p.list));
	memcpy(*list_r, p.list, p.count * sizeof(*p.list));
	return (int)p.count;
}

/* Takes a local part as SMTP knows it: quoted, or what stands before the "@",
 * from which a mail system may have taken the quotes off blanks. */
static int
take_local(struct parser *p, struct phrase *local)
{
	str_init(&local->s, local->text, sizeof(local->text));
	local->words = 1;
	local->split = false;
	if (peek(p) == '"')
		return header_quoted(&p->cursor, &local->s)
			   ? 0
			   : fault(p, "a quoted text that does not end");
	for (char c; (c = peek(p)) != '@';) {
		if (is_atom_char(c)) {
			take_atom(p, &local->s);
			continue;
		}
		if (c != ' ' && c != '.')
			return fault(
			    p, c == '\0' ? "no @" : "an odd character");
		str_add_char(&local->s, c);
		p->cursor.at++;
	}
	return local->s.len > 0 ? 0 : fault(p, "nothing before the @");
}

int
mailbox_parse_address(const char *text, struct arena *arena,
    struct mailbox *mailbox_r, struct err *err)
{
	struct parser p = { .cursor = { .text = text, .len = strlen(text) },
		.arena = arena,
		.err = err };
	struct phrase local;
	size_t end;

	if (p.cursor.len > MAILBOX_FIELD_MAX)
		return err_set(err, "longer than %d bytes", MAILBOX_FIELD_MAX);
	p.cursor.at = strcspn(text, "\n\t");
	if (p.cursor.at < p.cursor.len)
		return fault(&p, "a control character");
	p.cursor.at = 0;
	if (take_local(&p, &local) != 0)
		return -1;
	if (peek(&p) != '@')
		return fault(&p, "no @ after the quoted text");
	/* Blanks and comments are no part of it, as in a header. */
	end = p.cursor.at;
	p.cursor.at += strcspn(text + end, " (");
	if (p.cursor.at < p.cursor.len)
		return fault(&p, "a blank or comment after the @");
	p.cursor.at = end;
	if (take_address(&p, &local) != 0)
		return -1;
	if (peek(&p) != '\0')
		return fault(&p, "an odd character after the domain");
	*mailbox_r = p.list[0];
	return 0;
}
