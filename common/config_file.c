/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/config.h"
#include "common/config_int.h"
#include "common/str.h"
#include "common/xmem.h"

/* No configuration is larger; a device or a log by mistake is. */
#define FILE_SIZE_MAX ((size_t)1024 * 1024)

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Takes a value in double quotes that starts at text apart, in place. */
static int
parse_quoted(char *text, char **value_r, struct err *err)
{
	const char *in = text + 1;
	char *out = text;

	for (; *in != '"'; in++) {
		if (*in == '\\' && (in[1] == '"' || in[1] == '\\'))
			in++;
		if (*in == '\0')
			return err_set(err, "the closing quote is missing");
		*out++ = *in;
	}
	in++;
	if (*in != '\0' && !is_blank(*in))
		return err_set(err, "text follows the closing quote; write"
				    " \\\" for a quote inside of quotes");
	in += strspn(in, " \t");
	if (*in != '\0' && *in != '#')
		return err_set(err, "text follows the closing quote; write"
				    " \\\" for a quote inside of quotes");
	*out = '\0';
	*value_r = text;
	return 0;
}

/* Ends text where a comment begins; before tells whether a blank stands in
 * front of text. */
static void
cut_comment(char *text, bool before, enum config_style style)
{
	for (char *p = text; *p != '\0'; p++) {
		if (*p == '#' && (before || style == CONFIG_STYLE_OPENDKIM)) {
			*p = '\0';
			return;
		}
		before = is_blank(*p);
	}
}

/* Takes one trimmed line apart, in place. *name_r is NULL when there is
 * nothing but a comment, *value_r when there is only a name. */
static int
parse_line(char *line, enum config_style style, char **name_r, char **value_r,
    struct err *err)
{
	bool is_loose = style == CONFIG_STYLE_OPENDKIM;
	size_t len = strcspn(line, is_loose ? " \t=#" : " \t=");
	char *rest = line + len;
	bool after_blank = is_blank(*rest);
	bool has_equals;

	*name_r = NULL;
	*value_r = NULL;
	if (*line == '\0' || *line == '#')
		return 0;
	if (len == 0)
		return err_set(err, "the name of the option is missing before"
				    " \"=\"");
	if (*rest == '#')
		*rest = '\0';
	rest += strspn(rest, " \t");
	has_equals = *rest == '=';
	line[len] = '\0';
	*name_r = line;
	if (has_equals) {
		rest++;
		after_blank = is_blank(*rest);
		rest += strspn(rest, " \t");
	}
	if (*rest == '"')
		return parse_quoted(rest, value_r, err);
	cut_comment(rest, after_blank, style);
	rest = str_trim(rest);
	if (*rest != '\0' || has_equals)
		*value_r = rest;
	return 0;
}

/* Reads one line of len bytes without its line end. */
static int
read_line(struct config *config, const char *text, size_t len, struct err *err)
{
	char line[CONFIG_LINE_MAX + 1];
	char *name, *value;

	if (len > CONFIG_LINE_MAX)
		return err_set(
		    err, "the line is longer than %d bytes", CONFIG_LINE_MAX);
	if (memchr(text, '\0', len) != NULL)
		return err_set(err, "the line holds a NUL byte; is this a"
				    " text file?");
	memcpy(line, text, len);
	line[len] = '\0';
	if (parse_line(str_trim(line), config->style, &name, &value, err) < 0)
		return -1;
	if (name == NULL)
		return 0;
	return config_set(config, name, value, err);
}

int
config_parse(struct config *config, const char *name, const char *text,
    size_t len, struct err *err)
{
	unsigned long number = 0;
	bool outer = config->is_reading;
	int r = 0;

	config->is_reading = true;
	while (len > 0 && r == 0) {
		const char *end = memchr(text, '\n', len);
		size_t line_len = end != NULL ? (size_t)(end - text) : len;
		size_t used = line_len + (end != NULL ? 1 : 0);

		number++;
		r = read_line(config, text, line_len, err);
		if (r < 0)
			(void)err_prefix(err, "%.200s:%lu: ", name, number);
		text += used;
		len -= used;
	}
	config->is_reading = outer;
	return r;
}

/* Reads the whole of fd into buf. Returns the length, or -1 with errno. */
static ssize_t
read_all(int fd, char *buf, size_t cap)
{
	size_t len = 0;

	while (len < cap) {
		ssize_t n = read(fd, buf + len, cap - len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

int
config_read(struct config *config, const char *path, struct err *err)
{
	char *buf = NULL;
	ssize_t len;
	int fd, r = -1;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set_errno(err, errno, "cannot open %s", path);
	buf = xmem_alloc(FILE_SIZE_MAX + 1);
	len = read_all(fd, buf, FILE_SIZE_MAX + 1);
	if (len < 0) {
		(void)err_set_errno(err, errno, "cannot read %s", path);
		goto out;
	}
	if ((size_t)len > FILE_SIZE_MAX) {
		(void)err_set(err,
		    "%s is larger than %zu bytes: is this a"
		    " configuration file?",
		    path, FILE_SIZE_MAX);
		goto out;
	}
	r = config_parse(config, path, buf, (size_t)len, err);
out:
	xmem_free(&buf);
	(void)close(fd);
	return r;
}

int
config_include(struct config *config, const char *path, struct err *err)
{
	int r;

	if (path[0] != '/')
		return err_set(err,
		    "Include: \"%.200s\" is no path that begins with \"/\"",
		    path);
	if (config->depth >= CONFIG_INCLUDE_MAX)
		return err_set(err,
		    "Include: more than %d files include one another",
		    CONFIG_INCLUDE_MAX);
	config->depth++;
	r = config_read(config, path, err);
	config->depth--;
	return r;
}

/* Would text, written bare, be read as something else? */
static bool
needs_quotes(const char *text, enum config_style style)
{
	size_t len = strlen(text);

	if (len == 0 || strchr("\"#= \t", text[0]) != NULL ||
	    is_blank(text[len - 1]))
		return true;
	for (size_t i = 1; i < len; i++)
		if (text[i] == '#' &&
		    (is_blank(text[i - 1]) || style == CONFIG_STYLE_OPENDKIM))
			return true;
	return false;
}

static void
print_value(const char *text, enum config_style style, FILE *out)
{
	if (!needs_quotes(text, style)) {
		(void)fputs(text, out);
		return;
	}
	(void)fputc('"', out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			(void)fputc('\\', out);
		(void)fputc(*text, out);
	}
	(void)fputc('"', out);
}

static void
print_option(
    const struct config *config, const struct config_option *option, FILE *out)
{
	const char *mark = config_is_set(config, option->name) ? "" : "# ";
	size_t count = config_value_count(config, option);
	char buf[CONFIG_VALUE_MAX + 1];

	if (option->type == CONFIG_LIST && count == 0)
		(void)fprintf(out, "%s%s \"\"\n", mark, option->name);
	for (size_t i = 0; i < count; i++) {
		(void)fprintf(out, "%s%s ", mark, option->name);
		print_value(config_value_text(config, option, i, buf),
		    config->style, out);
		(void)fputc('\n', out);
	}
}

void
config_print(const struct config *config, FILE *out)
{
	const struct config_option *option;

	for (option = config->options; option->name != NULL; option++)
		print_option(config, option, out);
}
