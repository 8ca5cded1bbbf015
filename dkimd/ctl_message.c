/* SPDX-License-Identifier: ISC */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/xmem.h"

#include "dkimd/ctl_message.h"

struct parser {
	const char *text, *end;
	unsigned line; /* that text stands on */
	struct arena *arena;
	struct err *err;
	struct header_field *fields; /* grows */
	size_t count, room;
};

/* The next line, without its end. Returns false when there is none. */
static bool
next_line(struct parser *p, const char **line_r, size_t *len_r)
{
	const char *end;
	size_t left = (size_t)(p->end - p->text);

	if (left == 0)
		return false;
	end = memchr(p->text, '\n', left);
	*line_r = p->text;
	*len_r = end == NULL ? left : (size_t)(end - p->text);
	p->text += *len_r + (end != NULL);
	p->line++;
	if (*len_r > 0 && (*line_r)[*len_r - 1] == '\r')
		(*len_r)--;
	return true;
}

static int
check_line(const struct parser *p, const char *line, size_t len)
{
	if (memchr(line, '\0', len) != NULL)
		return err_set(
		    p->err, "line %u: a NUL byte in the header", p->line);
	if (memchr(line, '\r', len) != NULL)
		return err_set(p->err,
		    "line %u: a carriage return within a line of the header",
		    p->line);
	return 0;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* RFC 5322 section 2.2: printable but for the colon; blanks before it are
 * obsolete. */
static size_t
name_len(const char *line, size_t len)
{
	const char *colon = memchr(line, ':', len);
	size_t name = colon == NULL ? 0 : (size_t)(colon - line);
	size_t printable = 0;

	while (
	    printable < name && line[printable] > ' ' && line[printable] <= '~')
		printable++;
	for (size_t i = printable; i < name; i++)
		if (!is_blank(line[i]))
			return 0;
	return printable > 0 ? name : 0;
}

static int
begin_field(struct parser *p, const char *line, size_t len)
{
	size_t name = name_len(line, len);
	struct header_field *field;

	if (name == 0)
		return err_set(p->err,
		    "line %u: neither a field of the header nor an empty line "
		    "before the body",
		    p->line);
	if (p->count == CTL_MESSAGE_FIELDS_MAX)
		return err_set(p->err, "line %u: more than %d fields", p->line,
		    CTL_MESSAGE_FIELDS_MAX);
	if (p->count == p->room) {
		p->room = p->room == 0 ? 64 : 2 * p->room;
		p->fields =
		    xmem_realloc(p->fields, p->room, sizeof(*p->fields));
	}
	field = &p->fields[p->count++];
	field->name = arena_strndup(p->arena, line, name);
	field->name_len = name;
	field->value = line + name + 1;
	field->value_len = len - name - 1;
	return 0;
}

/* The field's value is a range of the text while lines are added; this makes
 * it a text of its own, folded by "\n". */
static void
finish_field(struct parser *p)
{
	struct header_field *field;
	char *value;
	size_t len = 0;

	if (p->count == 0)
		return;
	field = &p->fields[p->count - 1];
	value = arena_strndup(p->arena, field->value, field->value_len);
	for (size_t i = 0; i < field->value_len; i++)
		if (value[i] != '\r')
			value[len++] = value[i];
	value[len] = '\0';
	field->value = value;
	field->value_len = len;
}

static int
take_header(struct parser *p)
{
	const char *line;
	size_t len;

	while (next_line(p, &line, &len)) {
		if (check_line(p, line, len) != 0)
			return -1;
		if (len == 0)
			break;
		if (is_blank(line[0]) && p->count > 0) {
			struct header_field *field = &p->fields[p->count - 1];

			field->value_len = (size_t)(line + len - field->value);
			continue;
		}
		finish_field(p);
		if (begin_field(p, line, len) != 0)
			return -1;
	}
	finish_field(p);
	return 0;
}

/* "From x@y Mon ...", and not the field "From : x@y". */
static bool
is_mbox(const char *text, size_t len)
{
	size_t at = strlen("From ");

	if (len < at || memcmp(text, "From ", at) != 0)
		return false;
	while (at < len && is_blank(text[at]))
		at++;
	return at == len || text[at] != ':';
}

static void
take_body(struct parser *p, struct ctl_message *message)
{
	size_t left = (size_t)(p->end - p->text), lines = 0, len = 0;
	char *body;

	for (size_t i = 0; i < left; i++)
		lines += p->text[i] == '\n';
	body = arena_alloc(p->arena, left + lines + 1);
	for (size_t i = 0; i < left; i++) {
		if (p->text[i] == '\n' && (i == 0 || p->text[i - 1] != '\r'))
			body[len++] = '\r';
		body[len++] = p->text[i];
	}
	message->body = body;
	message->body_len = len;
}

int
ctl_message_parse(const char *text, size_t len, struct arena *arena,
    struct ctl_message *message_r, struct err *err)
{
	struct parser p = {
		.text = text, .end = text + len, .arena = arena, .err = err
	};
	const char *first_end = memchr(text, '\n', len);
	struct header_field *fields;
	const char *line;
	size_t line_len;
	int status;

	message_r->line_end =
	    first_end != NULL && first_end > text && first_end[-1] == '\r'
		? "\r\n"
		: "\n";
	if (is_mbox(text, len))
		(void)next_line(&p, &line, &line_len);
	message_r->start = (size_t)(p.text - text);
	status = take_header(&p);
	if (status == 0) {
		fields = arena_alloc(arena, (p.count + 1) * sizeof(*fields));
		if (p.count > 0)
			memcpy(fields, p.fields, p.count * sizeof(*fields));
		message_r->fields = fields;
		message_r->field_count = p.count;
		take_body(&p, message_r);
	}
	xmem_free(&p.fields);
	return status;
}
