/* SPDX-License-Identifier: ISC */
#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "common/authres_int.h"
#include "common/xmem.h"

/* Of "dkim/1". */
#define VERSION_MAX 9999

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 8616 section 5 allows UTF-8. */
static bool
is_wire_id_char(char c)
{
	return (unsigned char)c >= 0x80 || authres_is_id_char(c);
}

/* What stands in a property's value without quotes: tokens, addresses, and
 * what many write so though it should be quoted (base64, IPv6). */
static bool
is_value_char(char c)
{
	return (unsigned char)c >= 0x80 || header_is_atext(c) ||
	       (c != '\0' && strchr(".:@[]", c) != NULL);
}

struct parser {
	struct header_cursor cursor;
	struct arena *arena;
	struct err *err;
	char *text; /* room for the longest text */
	struct authres_property properties[AUTHRES_PROPERTIES_MAX];
	struct authres_result results[AUTHRES_RESULTS_MAX];
};

static int
fault(const struct parser *p, const char *what)
{
	return err_set(p->err, "%s, at character %zu", what, p->cursor.at + 1);
}

/* The byte at the cursor, '\0' at the end and for what no field may hold. */
static char
peek(const struct header_cursor *cursor)
{
	return header_char(cursor) == 0 ? '\0' : cursor->text[cursor->at];
}

static int
skip(struct parser *p)
{
	return header_skip(&p->cursor) ? 0 : fault(p, "a broken comment");
}

/* Takes c and blanks around it. */
static int
expect(struct parser *p, char c, const char *what)
{
	if (skip(p) != 0)
		return -1;
	if (peek(&p->cursor) != c)
		return fault(p, what);
	p->cursor.at++;
	return skip(p);
}

/* Takes characters that is() allows; *text_r is in the arena. */
static int
take_run(
    struct parser *p, bool (*is)(char), const char **text_r, const char *what)
{
	size_t start = p->cursor.at;

	while (is(peek(&p->cursor)))
		p->cursor.at += header_char(&p->cursor);
	if (p->cursor.at == start)
		return fault(p, what);
	*text_r = arena_strndup(
	    p->arena, p->cursor.text + start, p->cursor.at - start);
	return 0;
}

static int
take_keyword(struct parser *p, const char **text_r, const char *what)
{
	char *text;

	if (take_run(p, authres_is_keyword_char, text_r, what) != 0)
		return -1;
	/* Keywords have no case, so that nobody has to fold them. */
	text = arena_strdup(p->arena, *text_r);
	str_lower(text, strlen(text));
	*text_r = text;
	return 0;
}

/* Tabs, which come from folds, become blanks. */
static int
take_quoted(struct parser *p, struct str *s)
{
	str_init(s, p->text, p->cursor.len + 1);
	if (!header_quoted(&p->cursor, s))
		return fault(p, "a quoted text that does not end, or an odd "
				"character in it");
	for (char *c = s->text; (c = strchr(c, '\t')) != NULL;)
		*c = ' ';
	return 0;
}

/* Takes a value: a quoted text, or a run of characters. */
static int
take_value(struct parser *p, bool (*is)(char), const char **text_r)
{
	struct str s;

	if (peek(&p->cursor) != '"')
		return take_run(p, is, text_r, "no value");
	if (take_quoted(p, &s) != 0)
		return -1;
	*text_r = arena_strndup(p->arena, s.text, s.len);
	return 0;
}

static bool
is_domain_char(char c)
{
	return c != '@' && is_value_char(c);
}

/* Takes a property's value: a quoted local part may have a domain behind
 * it. */
static int
take_pvalue(struct parser *p, const char **text_r)
{
	bool was_quoted = peek(&p->cursor) == '"';
	const char *local, *domain;
	struct str s;

	if (take_value(p, is_value_char, text_r) != 0)
		return -1;
	if (!was_quoted || peek(&p->cursor) != '@')
		return 0;
	local = *text_r;
	p->cursor.at++;
	if (take_run(p, is_domain_char, &domain, "no domain") != 0)
		return -1;
	str_init(&s, p->text, p->cursor.len + 1);
	str_add(&s, local);
	str_add_char(&s, '@');
	str_add(&s, domain);
	*text_r = arena_strndup(p->arena, s.text, s.len);
	return 0;
}

static int
take_version(struct parser *p, unsigned *version_r)
{
	*version_r = 0;
	if (!is_digit(peek(&p->cursor)))
		return fault(p, "no version");
	for (char c; is_digit(c = peek(&p->cursor)); p->cursor.at++) {
		*version_r = *version_r * 10 + (unsigned)(c - '0');
		if (*version_r > VERSION_MAX)
			return fault(p, "a version too high");
	}
	return skip(p);
}

static int
take_property(struct parser *p, struct authres_property *property)
{
	if (take_keyword(p, &property->type, "no property") != 0 ||
	    expect(p, '.', "no dot in a property") != 0 ||
	    take_keyword(p, &property->name, "no name of a property") != 0 ||
	    expect(p, '=', "no = after a property") != 0 ||
	    take_pvalue(p, &property->value) != 0)
		return -1;
	return skip(p);
}

/* Is "reason" next, and not a property that begins so? */
static bool
at_reason(const struct parser *p)
{
	struct header_cursor cursor = p->cursor;
	static const char word[] = "reason";

	if (cursor.len - cursor.at < strlen(word) ||
	    !str_has_prefix_nocase(cursor.text + cursor.at, word))
		return false;
	cursor.at += strlen(word);
	return header_skip(&cursor) && peek(&cursor) == '=';
}

/* Takes what stands between two semicolons; the method is taken already. */
static int
take_result(struct parser *p, struct authres_result *result)
{
	size_t count = 0;

	result->version = 1;
	if (skip(p) != 0)
		return -1;
	if (peek(&p->cursor) == '/' &&
	    (expect(p, '/', "") != 0 || take_version(p, &result->version) != 0))
		return -1;
	if (expect(p, '=', "no = after a method") != 0 ||
	    take_keyword(p, &result->result, "no result") != 0 || skip(p) != 0)
		return -1;
	if (at_reason(p)) {
		p->cursor.at += strlen("reason");
		if (expect(p, '=', "") != 0 ||
		    take_value(p, authres_is_token_char, &result->reason) !=
			0 ||
		    skip(p) != 0)
			return -1;
	}
	while (p->cursor.at < p->cursor.len && peek(&p->cursor) != ';') {
		if (count == AUTHRES_PROPERTIES_MAX)
			return fault(p, "too many properties");
		if (take_property(p, &p->properties[count++]) != 0)
			return -1;
	}
	if (count > 0) {
		void *copy =
		    arena_alloc(p->arena, count * sizeof(*p->properties));

		memcpy(copy, p->properties, count * sizeof(*p->properties));
		result->properties = copy;
		result->property_count = count;
	}
	return 0;
}

/* Takes the results, or "none"; the cursor stands behind the identifier. */
static int
take_results(struct parser *p, size_t *count_r)
{
	size_t count = 0;

	do {
		struct authres_result *result = &p->results[count];

		if (count == AUTHRES_RESULTS_MAX)
			return fault(p, "too many results");
		if (expect(p, ';', "no semicolon") != 0 ||
		    take_keyword(p, &result->method, "no method") != 0 ||
		    skip(p) != 0)
			return -1;
		if (count == 0 && strcmp(result->method, "none") == 0 &&
		    p->cursor.at == p->cursor.len)
			break;
		if (take_result(p, result) != 0)
			return -1;
		count++;
	} while (p->cursor.at < p->cursor.len);
	*count_r = count;
	return 0;
}

static int
take_all(struct parser *p, struct authres *authres)
{
	void *copy;

	if (skip(p) != 0 ||
	    take_value(p, is_wire_id_char, &authres->authserv_id) != 0 ||
	    skip(p) != 0)
		return -1;
	authres->version = 1;
	if (is_digit(peek(&p->cursor)) &&
	    take_version(p, &authres->version) != 0)
		return -1;
	if (take_results(p, &authres->result_count) != 0)
		return -1;
	if (authres->result_count == 0)
		return 0;
	copy =
	    arena_alloc(p->arena, authres->result_count * sizeof(*p->results));
	memcpy(copy, p->results, authres->result_count * sizeof(*p->results));
	authres->results = copy;
	return 0;
}

int
authres_parse(const char *value, size_t len, struct arena *arena,
    struct authres *authres_r, struct err *err)
{
	struct parser p = {
		.cursor = { value, len, 0 }, .arena = arena, .err = err
	};
	int status;

	memset(authres_r, 0, sizeof(*authres_r));
	if (len > AUTHRES_VALUE_MAX)
		return err_set(err, "longer than %d bytes", AUTHRES_VALUE_MAX);
	p.text = xmem_alloc(len + 1);
	status = take_all(&p, authres_r);
	xmem_free(&p.text);
	return status;
}

/* -------------------------------------------------------------- claims */

/* Is the identifier, of len bytes, this one? What follows a "/" (a job's
 * number) and dots at the end do not count. */
static bool
is_same_id(const char *text, size_t len, const char *id)
{
	const char *slash = memchr(text, '/', len);
	size_t id_len = strcspn(id, "/");

	if (slash != NULL)
		len = (size_t)(slash - text);
	while (len > 0 && text[len - 1] == '.')
		len--;
	while (id_len > 0 && id[id_len - 1] == '.')
		id_len--;
	return len == id_len && strncasecmp(text, id, len) == 0;
}

/* Is it beyond doubt who speaks? Only then another program cannot take it for
 * another one either. The identifier is *len_r bytes at *id_r. */
static bool
is_clear(struct header_cursor *cursor, const char **id_r, size_t *len_r)
{
	bool is_quoted;
	size_t start;

	if (!header_skip(cursor))
		return false;
	is_quoted = peek(cursor) == '"';
	if (is_quoted)
		cursor->at++;
	start = cursor->at;
	while (authres_is_id_char(peek(cursor)))
		cursor->at++;
	*id_r = cursor->text + start;
	*len_r = cursor->at - start;
	if (*len_r == 0)
		return false;
	/* Quotes around anything but a plain word hide something. */
	if (is_quoted && peek(cursor) != '"')
		return false;
	if (is_quoted)
		cursor->at++;
	if (!header_skip(cursor))
		return false;
	while (is_digit(peek(cursor)))
		cursor->at++;
	return header_skip(cursor) &&
	       (cursor->at == cursor->len || peek(cursor) == ';');
}

bool
authres_claims(const struct header_field *field, const char *authserv_id)
{
	struct header_cursor cursor = { .text = field->value,
		.len = field->value_len };
	const char *id;
	size_t len;

	if (!header_is(field, AUTHRES_NAME))
		return false;
	return field->value_len > AUTHRES_VALUE_MAX ||
	       !is_clear(&cursor, &id, &len) ||
	       is_same_id(id, len, authserv_id);
}

bool
authres_speaker(const struct header_field *field, struct str *s)
{
	struct header_cursor cursor = { .text = field->value,
		.len = field->value_len };
	const char *id, *slash;
	size_t len;

	if (!header_is(field, AUTHRES_NAME) ||
	    field->value_len > AUTHRES_VALUE_MAX ||
	    !is_clear(&cursor, &id, &len))
		return false;
	slash = memchr(id, '/', len);
	if (slash != NULL)
		len = (size_t)(slash - id);
	while (len > 0 && id[len - 1] == '.')
		len--;
	str_add_bytes(s, id, len);
	return true;
}
