/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/str.h"

#include "greylistd/ctl_text.h"

/* The shape of a record: n = number, t = text, in the order of the line. */
static const struct {
	enum ctl_text_type type;
	const char *word;
	const char *fields;
} shapes[] = {
	{ CTL_TEXT_TRIPLET, "triplet", "nnnt" },
	{ CTL_TEXT_CLIENT, "client", "nnt" },
	{ CTL_TEXT_RULE, "rule", "tnnttt" },
	{ CTL_TEXT_COUNTER, "counter", "nnt" },
	{ CTL_TEXT_END, "end", "n" },
};

#define SHAPE_COUNT (sizeof(shapes) / sizeof(shapes[0]))

/* A place in the line. */
struct cursor {
	const char *p;
	const char *end;
};

/* Cuts the next word; words are parted by one blank. Returns its length, 0
 * when there is none. */
static size_t
next_word(struct cursor *cursor, const char **word_r)
{
	const char *blank;
	size_t len;

	*word_r = cursor->p;
	if (cursor->p >= cursor->end)
		return 0;
	blank = memchr(cursor->p, ' ', (size_t)(cursor->end - cursor->p));
	len = (size_t)((blank != NULL ? blank : cursor->end) - cursor->p);
	cursor->p += len;
	/* A blank at the very end would be an empty word: not allowed. */
	if (blank != NULL && blank + 1 < cursor->end)
		cursor->p++;
	return len;
}

static int
read_number(const char *word, size_t len, int64_t *number_r, struct err *err)
{
	char buf[24];
	unsigned long long value;

	if (len == 0 || len >= sizeof(buf))
		return err_set(err, "a number is missing or too long");
	memcpy(buf, word, len);
	buf[len] = '\0';
	if (!str_to_uint(buf, INT64_MAX, &value))
		return err_set(err, "%s is no number", buf);
	*number_r = (int64_t)value;
	return 0;
}

static int
read_text(const char *word, size_t len, char out[CTL_TEXT_VALUE_MAX + 1],
    struct err *err)
{
	size_t n = 0;

	if (len == 0)
		return err_set(err, "a text is missing (\"-\" stands for an "
				    "empty one)");
	if (len == 1 && word[0] == '-')
		len = 0;
	for (size_t i = 0; i < len; i++) {
		int byte = (unsigned char)word[i];

		if (byte <= 0x20 || byte >= 0x7f)
			return err_set(err,
			    "there is a byte that must be "
			    "written %%%02X",
			    (unsigned)byte);
		if (byte == '%') {
			int high =
			    i + 2 < len ? str_hex_digit(word[i + 1]) : -1;
			int low = i + 2 < len ? str_hex_digit(word[i + 2]) : -1;

			if (high < 0 || low < 0 || (high | low) == 0)
				return err_set(err, "%% must be followed by "
						    "two hex digits, not 00");
			byte = high << 4 | low;
			i += 2;
		}
		if (n == CTL_TEXT_VALUE_MAX)
			return err_set(err, "a text is longer than %d bytes",
			    CTL_TEXT_VALUE_MAX);
		out[n++] = (char)byte;
	}
	out[n] = '\0';
	return 0;
}

static int
read_fields(struct cursor *cursor, const char *fields, struct ctl_text *record,
    struct err *err)
{
	size_t numbers = 0, texts = 0;

	for (; *fields != '\0'; fields++) {
		const char *word;
		size_t len = next_word(cursor, &word);
		int result =
		    *fields == 'n'
			? read_number(
			      word, len, &record->number[numbers++], err)
			: read_text(word, len, record->text[texts++], err);

		if (result != 0)
			return -1;
	}
	if (cursor->p != cursor->end)
		return err_set(err, "there is more than belongs there");
	return 0;
}

int
ctl_text_parse(
    const char *line, size_t len, struct ctl_text *record_r, struct err *err)
{
	struct cursor cursor = { line, line + len };
	const char *word;

	record_r->type = CTL_TEXT_NOTHING;
	memset(record_r->number, 0, sizeof(record_r->number));
	for (size_t i = 0; i < 4; i++)
		record_r->text[i][0] = '\0';
	if (len == 0 || line[0] == '#')
		return 0;
	len = next_word(&cursor, &word);
	for (size_t i = 0; i < SHAPE_COUNT; i++) {
		if (strlen(shapes[i].word) != len ||
		    memcmp(shapes[i].word, word, len) != 0)
			continue;
		record_r->type = shapes[i].type;
		return read_fields(&cursor, shapes[i].fields, record_r, err);
	}
	return err_set(
	    err, "%.*s is no kind of record", (int)(len < 40 ? len : 40), word);
}

static void
add_text(struct str *s, const char *text)
{
	if (text[0] == '\0')
		str_add(s, "-");
	else if (strcmp(text, "-") == 0)
		str_add(s, "%2D");
	else
		str_add_escaped(s, text, strlen(text), " %");
}

size_t
ctl_text_format(
    const struct ctl_text *record, char buf[static CTL_TEXT_LINE_SIZE])
{
	size_t i = 0, numbers = 0, texts = 0;
	struct str s;

	while (shapes[i].type != record->type) {
		i++;
		assert(i < SHAPE_COUNT);
	}
	str_init(&s, buf, CTL_TEXT_LINE_SIZE);
	str_add(&s, shapes[i].word);
	for (const char *field = shapes[i].fields; *field != '\0'; field++) {
		str_add_char(&s, ' ');
		if (*field == 'n')
			str_addf(&s, "%" PRId64, record->number[numbers++]);
		else
			add_text(&s, record->text[texts++]);
	}
	return s.len;
}
