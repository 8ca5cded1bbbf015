/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/xmem.h"

#include "dkimd/tagtext.h"

#include "tests/unit/check.h"

/* A list as one line: "name=[value] ...". */
static const char *
render(const struct tagtext *list)
{
	static char buf[4096];
	size_t used = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < list->count && used < sizeof(buf); i++) {
		const struct tagtext_tag *tag = &list->tags[i];

		used += (size_t)snprintf(buf + used, sizeof(buf) - used,
		    "%s%.*s=[%.*s]%s", i > 0 ? " " : "", (int)tag->name.len,
		    tag->name.start, (int)tag->value.len, tag->value.start,
		    tag->is_ascii ? "" : "8");
	}
	return buf;
}

/* Parses a copy of that very size: reading on would be seen. */
static void
check_list(const char *name, const char *text, size_t len, const char *want,
    const char *want_reason)
{
	struct tagtext list;
	const char *reason = NULL;
	char *copy = xmem_alloc(len);
	bool good;

	if (len > 0)
		memcpy(copy, text, len);
	good = tagtext_parse(copy, len, &list, &reason);
	if (good == (want_reason[0] == '\0') &&
	    check_str(name, reason, want_reason))
		check_str(name, render(&list), want);
	else
		check_true(name, false);
	xmem_free(&copy);
}

static void
test_lists(void)
{
	static const struct {
		const char *name, *text, *want, *reason;
	} rows[] = {
		{ "one", "a=b", "a=[b]", "" },
		{ "a semicolon at the end", "a=b;", "a=[b]", "" },
		{ "and blanks behind it", "a=b; \t", "a=[b]", "" },
		{ "and a fold behind it", "a=b;\n\t", "a=[b]", "" },
		{ "blanks everywhere", " a \t= b  c ; d=\n e", "a=[b  c] d=[e]",
		    "" },
		{ "folds with CRLF", "a=b;\r\n c\r\n =\r\n d\r\n e\r\n ",
		    "a=[b] c=[d\r\n e]", "" },
		{ "an empty value", "a=; b= ;c=", "a=[] b=[] c=[]", "" },
		{ "an equals sign in the value", "a=b=c", "a=[b=c]", "" },
		{ "long names", "a_1=b; Zz9=c", "a_1=[b] Zz9=[c]", "" },
		{ "case makes a different name", "bh=1; bH=2", "bh=[1] bH=[2]",
		    "" },
		{ "8-bit bytes in a value", "n=\xc3\xa4; a=b",
		    "n=[\xc3\xa4]8 a=[b]", "" },
		{ "nothing", "", "", "a tag without a name" },
		{ "blanks only", "  ", "", "a tag without a name" },
		{ "a semicolon only", ";", "", "an empty tag" },
		{ "two semicolons", "a=b;;c=d", "a=[b]", "an empty tag" },
		{ "two semicolons at the end", "a=b; ;", "a=[b]",
		    "an empty tag" },
		{ "no equals sign", "a=b; c", "a=[b]", "a tag without \"=\"" },
		{ "a blank in the name", "a b=c", "", "a tag without \"=\"" },
		{ "a digit first", "1a=c", "", "a tag without a name" },
		{ "an underscore first", "_a=c", "", "a tag without a name" },
		{ "no name", "=c", "", "a tag without a name" },
		{ "a dash in the name", "a-b=c", "", "a tag without \"=\"" },
		{ "8-bit bytes in a name", "\xc3\xa4=c", "",
		    "a tag without a name" },
		{ "twice the same", "a=b; c=d; a=b", "a=[b] c=[d]",
		    "the same tag twice" },
		{ "a bare line end", "a=b\nc", "",
		    "a control character in a tag" },
		{ "a line end at the end", "a=b\n", "",
		    "a control character in a tag" },
		{ "a bare CR", "a=b\r c", "", "a control character in a tag" },
		{ "CR CR LF", "a=b\r\r\n c", "",
		    "a control character in a tag" },
		{ "a form feed", "a=b\fc", "", "a control character in a tag" },
		{ "delete", "a=b\x7f", "", "a control character in a tag" },
		{ "line end before the name", "\na=b", "",
		    "a tag without a name" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_list(rows[i].name, rows[i].text, strlen(rows[i].text),
		    rows[i].want, rows[i].reason);
	check_list("a NUL", "a=b\0c", 5, "", "a control character in a tag");
}

static void
test_count(void)
{
	char text[(TAGTEXT_TAGS_MAX + 1) * 6 + 1];
	struct tagtext list;
	const char *reason;
	size_t used = 0;

	for (unsigned i = 0; i <= TAGTEXT_TAGS_MAX; i++)
		used += (size_t)snprintf(
		    text + used, sizeof(text) - used, "t%03u=;", i);
	check_true("as many tags as may be",
	    tagtext_parse(text, used - 6, &list, &reason));
	check_uint("all of them", list.count, TAGTEXT_TAGS_MAX);
	check_false("one too many", tagtext_parse(text, used, &list, &reason));
	check_str("says so", reason, "too many tags");
}

static void
test_find(void)
{
	struct tagtext list;
	const char *reason, *text = "v=1; bh=x; b=y";

	check_true("parses", tagtext_parse(text, strlen(text), &list, &reason));
	check_true("finds", tagtext_find(&list, "b") == &list.tags[2]);
	check_true("case matters", tagtext_find(&list, "B") == NULL);
	check_true("not a part", tagtext_find(&list, "bhx") == NULL);
	check_true(
	    "case of a value", !tagtext_is(list.tags[1].value, "X") &&
				   tagtext_is_nocase(list.tags[1].value, "X"));
}

static void
test_squeeze(void)
{
	static const struct tagtext_piece piece = { " a b\r\n\tc ", 9 };
	char buf[4];

	check_uint("blanks go", tagtext_squeeze(piece, buf, sizeof(buf)), 3);
	check_str("the rest stays", buf, "abc");
	check_uint("does not fit", tagtext_squeeze(piece, buf, 3), 3);
	check_str("nothing then", buf, "");
}

static void
test_entries(void)
{
	static const struct {
		const char *name, *text, *want;
	} rows[] = {
		{ "one", "a", "[a]" },
		{ "none is one empty entry", "", "[]" },
		{ "blanks and folds", " a : b\n :\tc", "[a][b][c]" },
		{ "empty entries", ":a::", "[][a][][]" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct tagtext_piece rest = { rows[i].text,
			strlen(rows[i].text) };
		struct tagtext_piece entry;
		char got[64];
		size_t used = 0;

		while (tagtext_next(&rest, &entry))
			used += (size_t)snprintf(got + used, sizeof(got) - used,
			    "[%.*s]", (int)entry.len, entry.start);
		check_str(rows[i].name, got, rows[i].want);
	}
}

int
main(void)
{
	test_lists();
	test_count();
	test_find();
	test_squeeze();
	test_entries();
	return check_done();
}
