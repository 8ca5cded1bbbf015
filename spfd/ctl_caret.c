/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdbool.h>
#include <string.h>

#include "common/str.h"

#include "spfd/ctl_caret.h"

static const char dots[] = "...";
#define DOTS_LEN (sizeof(dots) - 1)
/* So much of what stands before the place is shown at most. */
#define BEFORE_MAX 40

/* Columns of a byte once it is escaped, see str_add_escaped. */
static size_t
width(char c)
{
	return c < 0x20 || c > 0x7e ? 3 : 1;
}

/* Where the excerpt begins. */
static size_t
begin_of(const char *text, size_t offset)
{
	size_t columns = 0, begin = offset;

	while (begin > 0 && columns + width(text[begin - 1]) <= BEFORE_MAX) {
		begin--;
		columns += width(text[begin]);
	}
	return begin;
}

/* Where it ends, when it has so many columns. */
static size_t
end_of(const char *text, size_t len, size_t begin, size_t room)
{
	size_t columns = 0, end = begin, cut = begin;

	for (; end < len && columns + width(text[end]) <= room; end++) {
		if (columns + width(text[end]) + DOTS_LEN <= room)
			cut = end + 1;
		columns += width(text[end]);
	}
	return end == len ? len : cut;
}

void
ctl_caret_make(struct ctl_caret *caret, const char *text, size_t len,
    size_t offset, size_t count)
{
	size_t begin, end, mark_end;
	struct str shown, marks;

	assert(offset <= len);
	begin = begin_of(text, offset);
	end = end_of(
	    text, len, begin, CTL_CARET_COLUMNS - (begin > 0 ? DOTS_LEN : 0));
	mark_end = count > end - offset ? end : offset + count;
	str_init(&shown, caret->text, sizeof(caret->text));
	str_init(&marks, caret->marks, sizeof(caret->marks));
	if (begin > 0)
		str_add(&shown, dots);
	str_add_escaped(&shown, text + begin, offset - begin, "");
	for (size_t i = 0; i < shown.len; i++)
		str_add_char(&marks, ' ');
	str_add_char(&marks, '^');
	str_add_escaped(&shown, text + offset, mark_end - offset, "");
	while (marks.len < shown.len)
		str_add_char(&marks, '~');
	str_add_escaped(&shown, text + mark_end, end - mark_end, "");
	if (end < len)
		str_add(&shown, dots);
}
