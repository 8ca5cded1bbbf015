/* SPDX-License-Identifier: ISC */
#include "dkimd/bodylen.h"

static void
count_char(struct bodylen *body)
{
	body->len += 2 * body->empty_lines + (body->has_blank ? 1 : 0) + 1;
	body->empty_lines = 0;
	body->has_blank = false;
	body->in_line = true;
}

static void
end_line(struct bodylen *body)
{
	if (body->in_line)
		body->len += 2;
	else
		body->empty_lines++;
	body->in_line = false;
	body->has_blank = false;
}

void
bodylen_add(struct bodylen *body, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char c = bytes[i];
		bool had_cr = body->has_cr;

		body->has_cr = c == '\r';
		if (had_cr && c == '\n') {
			end_line(body);
			continue;
		}
		if (had_cr) /* a stray one */
			count_char(body);
		if (c == '\r')
			continue;
		if (body->canon == SIGFIELD_RELAXED && (c == ' ' || c == '\t'))
			body->has_blank = true;
		else
			count_char(body);
	}
}

int64_t
bodylen_total(const struct bodylen *body)
{
	/* An empty body is one line end in the simple form. */
	if (body->len == 0 && body->canon == SIGFIELD_SIMPLE)
		return 2;
	return body->len;
}
