/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/ctl_message.h"

#include "tests/unit/check.h"

/* "[name][value]...|body", or the sentence. */
static const char *
render(const char *text, size_t len)
{
	static char buf[1024];
	struct arena *arena = arena_new();
	/* Reading on would be seen. */
	char *copy = xmem_alloc(len);
	struct ctl_message m;
	struct err err;
	struct str s;

	memcpy(copy, text, len);
	str_init(&s, buf, sizeof(buf));
	if (ctl_message_parse(copy, len, arena, &m, &err) != 0) {
		str_addf(&s, "error: %s", err.text);
	} else {
		for (size_t i = 0; i < m.field_count; i++) {
			const struct header_field *f = &m.fields[i];

			str_addf(&s, "[%s][%s]", f->name, f->value);
			if (f->name_len != strlen(f->name) ||
			    f->value_len != strlen(f->value))
				str_add(&s, "(length)");
		}
		str_add_char(&s, '|');
		str_add_bytes(&s, m.body, m.body_len);
	}
	xmem_free(&copy);
	arena_free(&arena);
	return buf;
}

static void
test_parse(void)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "a message", "A: b\nC:d\n\nbody\n",
		    "[A][ b][C][d]|body\r\n" },
		{ "with CRLF", "A: b\r\nC:d\r\n\r\nbody\r\n",
		    "[A][ b][C][d]|body\r\n" },
		{ "folds", "A: b\n c\r\n\td\n\n", "[A][ b\n c\n\td]|" },
		{ "a fold of blanks", "A: b\n \n c\n\n", "[A][ b\n \n c]|" },
		{ "an empty value", "A:\n\n", "[A][]|" },
		{ "blanks before the colon", "A \t: b\n\n", "[A \t][ b]|" },
		{ "colons in the value", "A: b:c\n\n", "[A][ b:c]|" },
		{ "8-bit", "A: \xc3\xbc\n\n\xff\n", "[A][ \xc3\xbc]|\xff\r\n" },
		{ "no header", "\nbody\n", "|body\r\n" },
		{ "no body", "A: b\n", "[A][ b]|" },
		{ "no line end at all", "A: b", "[A][ b]|" },
		{ "no line end of the body", "A: b\n\nbody", "[A][ b]|body" },
		{ "empty lines", "A: b\n\n\n\nx\n\n",
		    "[A][ b]|\r\n\r\nx\r\n"
		    "\r\n" },
		{ "a lone carriage return in the body", "A: b\n\nx\ry\n",
		    "[A][ b]|x\ry\r\n" },
		{ "nothing", "", "|" },
		{ "an mbox", "From x@y Mon\nA: b\n\nc\n", "[A][ b]|c\r\n" },
		{ "a field named From with blanks", "From  : b\n\nc\n",
		    "[From  ][ b]|c\r\n" },
		{ "a field named From", "From: b\n\nc\n", "[From][ b]|c\r\n" },
		{ "no colon", "A: b\nbody\n\n",
		    "error: line 2: neither a field" },
		{ "no name", ": b\n\n", "error: line 1: neither a field" },
		{ "a blank in a name", "A b: c\n\n",
		    "error: line 1: neither a field" },
		{ "8-bit in a name", "A\xc3\xbc: c\n\n",
		    "error: line 1: neither a field" },
		{ "a fold first", " b\nA: c\n\n",
		    "error: line 1: neither a field" },
		{ "a carriage return in the header", "A: b\rc\n\n",
		    "error: line 1: a carriage return" },
		{ "the same in a fold", "A: b\n c\r\r\n\n",
		    "error: line 2: a carriage return" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		const char *got = render(rows[i].text, strlen(rows[i].text));

		if (strncmp(rows[i].want, "error: ", 7) == 0)
			check_contains(rows[i].name, got, rows[i].want);
		else
			check_str(rows[i].name, got, rows[i].want);
	}
	check_contains(
	    "NUL", render("A: b\0c\n\n", 8), "error: line 1: a NUL byte");
	check_mem("NUL in the body", render("A: b\n\n\0\n", 8), 10,
	    "[A][ b]|\0\r", 10);
}

static void
test_facts(void)
{
	struct arena *arena = arena_new();
	struct ctl_message m;
	struct err err;

	(void)ctl_message_parse("A: b\r\n", 6, arena, &m, &err);
	check_str("CRLF", m.line_end, "\r\n");
	check_uint("it begins at once", m.start, 0);
	(void)ctl_message_parse("From x\nA: b\n", 12, arena, &m, &err);
	check_str("LF", m.line_end, "\n");
	check_uint("it begins behind the mbox line", m.start, 7);
	arena_free(&arena);
}

static void
test_limit(void)
{
	size_t len = 3 * (CTL_MESSAGE_FIELDS_MAX + 1);
	char *text = xmem_alloc(len);

	for (size_t i = 0; i < len; i += 3)
		memcpy(text + i, "A:\n", 3);
	check_contains("too many fields", render(text, len),
	    "error: line "
	    "100001");
	check_contains("so many fields", render(text, len - 3), "[A][]");
	xmem_free(&text);
}

int
main(void)
{
	test_parse();
	test_facts();
	test_limit();
	return check_done();
}
