/* SPDX-License-Identifier: ISC */
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/str.h"

#define COLUMNS 80
#define TEXT_COLUMN 30

static bool
is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

const char *
config_long_name(
    const struct config_option *option, char buf[static CONFIG_NAME_SIZE])
{
	const char *name = option->name;
	struct str s;

	str_init(&s, buf, CONFIG_NAME_SIZE);
	for (size_t i = 0; name[i] != '\0'; i++) {
		if (i > 0 && is_upper(name[i]) && is_lower(name[i - 1]))
			str_add_char(&s, '-');
		str_add_char(&s, name[i]);
	}
	str_lower(buf, s.len);
	return buf;
}

/* What stands for the value when the table names nothing better. */
static const char *
argument_of(const struct config_option *option)
{
	if (option->argument != NULL)
		return option->argument;
	switch (option->type) {
	case CONFIG_INT:
		return "NUMBER";
	case CONFIG_OCTAL:
		return "MODE";
	case CONFIG_TIME:
		return "TIME";
	case CONFIG_SIZE:
		return "SIZE";
	case CONFIG_STRING:
	case CONFIG_LIST:
		return "TEXT";
	case CONFIG_ENUM:
		return "WORD";
	case CONFIG_BOOL:
	case CONFIG_CALL:
	case CONFIG_IGNORED:
	case CONFIG_REFUSED:
		break;
	}
	return NULL;
}

/* "  --name=VALUE", and blanks up to the column of the text. */
static void
print_head(const struct config_option *option, FILE *out)
{
	const char *argument = argument_of(option);
	char buf[CONFIG_NAME_SIZE], line[256];
	struct str s;

	str_init(&s, line, sizeof(line));
	str_addf(&s, "  --%s", config_long_name(option, buf));
	if (argument != NULL)
		str_addf(
		    &s, config_needs_value(option) ? "=%s" : "[=%s]", argument);
	(void)fputs(line, out);
	if (s.len >= TEXT_COLUMN - 1) {
		(void)fputc('\n', out);
		s.len = 0;
	}
	(void)fprintf(out, "%*s", (int)(TEXT_COLUMN - s.len), "");
}

/* Prints words of text from the column of the text on; a word that is longer
 * than the room stands on a line of its own. */
static void
print_wrapped(const char *text, FILE *out)
{
	size_t column = TEXT_COLUMN;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > TEXT_COLUMN && column + 1 + len >= COLUMNS) {
			(void)fprintf(out, "\n%*s", TEXT_COLUMN, "");
			column = TEXT_COLUMN;
		} else if (column > TEXT_COLUMN) {
			(void)fputc(' ', out);
			column++;
		}
		(void)fprintf(out, "%.*s", (int)len, text);
		column += len;
		text += len;
		text += strspn(text, " ");
	}
	(void)fputc('\n', out);
}

static bool
has_default(const struct config_option *option)
{
	return option->initial != NULL && option->initial[0] != '\0' &&
	       !(option->type == CONFIG_BOOL &&
		   str_equal_nocase(option->initial, "no"));
}

static void
print_option(const struct config_option *option, FILE *out)
{
	char buf[1024];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	str_add(&s, option->help != NULL ? option->help : "");
	if (option->type == CONFIG_ENUM) {
		str_add(&s, ": ");
		for (size_t i = 0; option->choices[i] != NULL; i++)
			str_addf(
			    &s, "%s%s", i > 0 ? ", " : "", option->choices[i]);
	}
	if (has_default(option))
		str_addf(&s, " (default: %s)", option->initial);
	print_head(option, out);
	print_wrapped(buf, out);
}

void
config_help(const struct config_option *options, FILE *out)
{
	for (; options->name != NULL; options++)
		if (options->type != CONFIG_REFUSED)
			print_option(options, out);
}
