/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/ctl_print.h"

/* Rows held back until the columns' widths are known. */
#define HELD_MAX 500
#define WIDTH_MAX 60

struct ctl_print {
	FILE *out;
	struct json *json;
	const struct ctl_print_column *columns;
	size_t count;
	size_t column; /* of the next cell */
	size_t rows;
	char **held; /* rows of count cells; NULL once flowing */
	size_t held_count;
	int width[CTL_PRINT_COLUMNS_MAX];
};

struct ctl_print *
ctl_print_new(FILE *out, struct json *json, const char *name,
    const struct ctl_print_column *columns, size_t count)
{
	struct ctl_print *print = xmem_calloc(1, sizeof(*print));

	assert(count > 0 && count <= CTL_PRINT_COLUMNS_MAX);
	print->out = out;
	print->json = json;
	print->columns = columns;
	print->count = count;
	if (json != NULL) {
		json_open(json, name, '[');
		return print;
	}
	print->held = xmem_calloc(HELD_MAX * count, sizeof(*print->held));
	for (size_t i = 0; i < count; i++)
		print->width[i] = (int)strlen(columns[i].title);
	return print;
}

/* Writes one cell for people; the last of a row has no blanks behind it. */
static void
put_cell(struct ctl_print *print, size_t column, const char *text)
{
	bool right = print->columns[column].type == CTL_PRINT_NUMBER;
	int width = print->width[column];

	if (column + 1 == print->count)
		fprintf(print->out, "%*s\n", right ? width : 0, text);
	else
		fprintf(print->out, "%*s  ", right ? width : -width, text);
}

static void
flush_held(struct ctl_print *print)
{
	if (print->held == NULL)
		return;
	if (print->held_count > 0) {
		for (size_t i = 0; i < print->count; i++)
			put_cell(print, i, print->columns[i].title);
	}
	for (size_t i = 0; i < print->held_count; i++) {
		put_cell(print, i % print->count, print->held[i]);
		xmem_free(&print->held[i]);
	}
	xmem_free(&print->held);
}

static void
add_cell(struct ctl_print *print, const char *text)
{
	int len = (int)strlen(text);

	if (print->held == NULL) {
		put_cell(print, print->column, text);
		return;
	}
	if (len > WIDTH_MAX)
		len = WIDTH_MAX;
	if (len > print->width[print->column])
		print->width[print->column] = len;
	print->held[print->held_count++] = xmem_strdup(text);
}

static void
next_cell(struct ctl_print *print)
{
	print->column++;
	if (print->column < print->count)
		return;
	print->column = 0;
	print->rows++;
	if (print->json != NULL)
		json_close(print->json);
	else if (print->held_count == HELD_MAX * print->count)
		flush_held(print);
}

void
ctl_print_text(struct ctl_print *print, const char *bytes, size_t len)
{
	if (print->json != NULL) {
		if (print->column == 0)
			json_open(print->json, NULL, '{');
		json_text(print->json, print->columns[print->column].name,
		    bytes, len);
	} else {
		size_t cap = len * 3 + 2;
		char *text = xmem_alloc(cap);
		struct str s;

		str_init(&s, text, cap);
		str_add_escaped(&s, bytes, len, "");
		add_cell(print, len == 0 ? "-" : text);
		xmem_free(&text);
	}
	next_cell(print);
}

static void
cell_int(struct ctl_print *print, int64_t value)
{
	const struct ctl_print_column *column = &print->columns[print->column];

	if (print->column == 0)
		json_open(print->json, NULL, '{');
	if ((column->type == CTL_PRINT_TIME && value == 0) ||
	    (column->type == CTL_PRINT_SPAN && value < 0))
		json_null(print->json, column->name);
	else
		json_int(print->json, column->name, value);
}

void
ctl_print_int(struct ctl_print *print, int64_t value)
{
	char buf[CTL_PRINT_TEXT_SIZE];

	if (print->json != NULL) {
		cell_int(print, value);
		next_cell(print);
		return;
	}
	switch (print->columns[print->column].type) {
	case CTL_PRINT_TIME:
		add_cell(print, ctl_print_time(value, buf));
		break;
	case CTL_PRINT_SPAN:
		add_cell(print, ctl_print_span(value, buf));
		break;
	case CTL_PRINT_NUMBER:
	case CTL_PRINT_TEXT:
		snprintf(buf, sizeof(buf), "%" PRId64, value);
		add_cell(print, buf);
		break;
	}
	next_cell(print);
}

size_t
ctl_print_end(struct ctl_print **print)
{
	size_t rows = (*print)->rows;

	assert((*print)->column == 0);
	if ((*print)->json != NULL)
		json_close((*print)->json);
	flush_held(*print);
	xmem_free(print);
	return rows;
}

const char *
ctl_print_time(int64_t time_s, char buf[static CTL_PRINT_TEXT_SIZE])
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (time_s == 0)
		snprintf(buf, CTL_PRINT_TEXT_SIZE, "-");
	else if (localtime_r(&t, &tm) == NULL ||
		 strftime(buf, CTL_PRINT_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm) ==
		     0)
		snprintf(buf, CTL_PRINT_TEXT_SIZE, "@%" PRId64, time_s);
	return buf;
}

const char *
ctl_print_span(int64_t seconds, char buf[static CTL_PRINT_TEXT_SIZE])
{
	static const struct {
		int64_t seconds;
		char unit;
	} units[] = {
		{ 86400, 'd' },
		{ 3600, 'h' },
		{ 60, 'm' },
		{ 1, 's' },
	};
	size_t i = 0;
	int64_t rest;

	if (seconds < 0) {
		snprintf(buf, CTL_PRINT_TEXT_SIZE, "-");
		return buf;
	}
	while (i < 3 && seconds < units[i].seconds)
		i++;
	rest = i < 3 ? seconds % units[i].seconds / units[i + 1].seconds : 0;
	if (rest == 0)
		snprintf(buf, CTL_PRINT_TEXT_SIZE, "%" PRId64 "%c",
		    seconds / units[i].seconds, units[i].unit);
	else
		snprintf(buf, CTL_PRINT_TEXT_SIZE,
		    "%" PRId64 "%c %" PRId64 "%c", seconds / units[i].seconds,
		    units[i].unit, rest, units[i + 1].unit);
	return buf;
}
