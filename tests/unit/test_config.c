/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/config.h"
#include "tests/unit/check.h"

struct values {
	bool flag;
	int64_t number;
	int64_t mode;
	int64_t age_s;
	int64_t size;
	int64_t kilo;
	int color;
	char *text;
	char *other;
	struct config_list list;
	struct config_list files;
};

static const char *const colors[] = { "red", "light-blue", NULL };

static int
set_alias(struct config *config, const char *value, struct err *err)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "inet:%s", value);
	return config_set(config, "List", text, err);
}

static int
set_never(struct config *config, const char *value, struct err *err)
{
	(void)config;
	return err_set(
	    err, "Never: not today (%s)", value == NULL ? "no value" : value);
}

static int
check_not_bad(const char *value, struct err *err)
{
	if (strncmp(value, "bad", 3) != 0)
		return 0;
	return err_set(err, "\"%s\" is bad", value);
}

#define FIELD(member) offsetof(struct values, member)

static const struct config_option options[] = { { .name = "Flag",
						    .type = CONFIG_BOOL,
						    .offset = FIELD(flag),
						    .initial = "no",
						    .help = "a flag" },
	{ .name = "Number",
	    .type = CONFIG_INT,
	    .offset = FIELD(number),
	    .initial = "5",
	    .min = -10,
	    .max = 10,
	    .if_bare = "7",
	    .help = "a number" },
	{ .name = "Mode",
	    .type = CONFIG_OCTAL,
	    .offset = FIELD(mode),
	    .initial = "0666",
	    .min = 0,
	    .max = 0777,
	    .help = "a mode" },
	{ .name = "MaxAge",
	    .type = CONFIG_TIME,
	    .offset = FIELD(age_s),
	    .initial = "35d",
	    .min = 60,
	    .max = 8640000,
	    .unit = 'd',
	    .argument = "TIME",
	    .help = "how long something that nobody has"
		    " seen for a long time stays where it is, in days" },
	{ .name = "Size",
	    .type = CONFIG_SIZE,
	    .offset = FIELD(size),
	    .initial = "16k",
	    .unit = 'b',
	    .help = "a size" },
	{ .name = "Kilo",
	    .type = CONFIG_SIZE,
	    .offset = FIELD(kilo),
	    .initial = "100b",
	    .unit = 'k',
	    .help = "a size in k" },
	{ .name = "Color",
	    .type = CONFIG_ENUM,
	    .offset = FIELD(color),
	    .initial = "red",
	    .choices = colors,
	    .help = "a color" },
	{ .name = "Text",
	    .type = CONFIG_STRING,
	    .offset = FIELD(text),
	    .initial = "a # b",
	    .help = "a text" },
	{ .name = "Other",
	    .type = CONFIG_STRING,
	    .offset = FIELD(other),
	    .help = "another text" },
	{ .name = "List",
	    .type = CONFIG_LIST,
	    .offset = FIELD(list),
	    .initial = "first",
	    .argument = "WORD",
	    .help = "a list" },
	{ .name = "IPv4Files",
	    .type = CONFIG_LIST,
	    .offset = FIELD(files),
	    .check = check_not_bad,
	    .help = "files" },
	{ .name = "Alias",
	    .type = CONFIG_CALL,
	    .set = set_alias,
	    .argument = "PORT",
	    .help = "adds to List" },
	{ .name = "Never",
	    .type = CONFIG_CALL,
	    .set = set_never,
	    .help = "always an error" },
	{ .name = "Obsolete",
	    .type = CONFIG_IGNORED,
	    .argument = "X",
	    .help = "not needed" },
	CONFIG_END };

static struct config *
fresh(void)
{
	return config_new(options, sizeof(struct values));
}

/* The printed form of what was given explicitly: "Name value;Name value;". */
static const char *
given(const struct config *config)
{
	static char out[2 * CONFIG_LINE_MAX];
	char *text = NULL, *line, *save = NULL;
	size_t size, len = 0;
	FILE *f = open_memstream(&text, &size);

	config_print(config, f);
	(void)fclose(f);
	out[0] = '\0';
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (line[0] != '#')
			len += (size_t)snprintf(
			    out + len, sizeof(out) - len, "%s;", line);
	free(text);
	return out;
}

static void
test_values(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want; /* as given() prints */
	} rows[] = {
		{ "nothing", "", "" },
		{ "comments and empty lines", "# Flag yes\n\n \t\n  # x\n",
		    "" },
		{ "blank", "Flag yes\n", "Flag yes;" },
		{ "equals", "Flag=yes\n", "Flag yes;" },
		{ "blank equals blank", "Flag = yes\n", "Flag yes;" },
		{ "blanks in front and behind", "\t Flag  =\t on \t\n",
		    "Flag yes;" },
		{ "no line end", "Flag yes", "Flag yes;" },
		{ "CR LF", "Flag yes\r\nNumber 3\r\n", "Flag yes;Number 3;" },
		{ "name without case", "FLAG true\n", "Flag yes;" },
		{ "name with dash", "max-age 3\n", "MaxAge 3d;" },
		{ "name with underscore", "max_age 3\n", "MaxAge 3d;" },
		{ "the last one wins", "Number 1\nNumber 2\n", "Number 2;" },
		{ "false", "Flag off\n", "Flag no;" },
		{ "zero", "Flag 0\n", "Flag no;" },
		{ "bare flag", "Flag\n", "Flag yes;" },
		{ "bare flag, comment", "Flag # why\n", "Flag yes;" },
		{ "bare with a value of its own", "Number\n", "Number 7;" },
		{ "negative", "Number -10\n", "Number -10;" },
		{ "octal", "Mode 660\n", "Mode 0660;" },
		{ "default unit", "MaxAge 2\n", "MaxAge 2d;" },
		{ "other unit", "MaxAge 90s\n", "MaxAge 90s;" },
		{ "size", "Size 2k\n", "Size 2k;" },
		{ "odd size", "Size 2049\n", "Size 2049b;" },
		{ "odd size, other unit", "Kilo 2049b\n", "Kilo 2049b;" },
		{ "unit of its own", "Kilo 2\n", "Kilo 2k;" },
		{ "choice", "Color LightBlue\n", "Color light-blue;" },
		{ "text with blanks", "Text two words\n", "Text two words;" },
		{ "text, comment", "Text two # words\n", "Text two;" },
		{ "text with #", "Text two#words\n", "Text two#words;" },
		{ "# after equals", "Text=#1\n", "Text \"#1\";" },
		{ "second equals", "Text = =x\n", "Text \"=x\";" },
		{ "quoted", "Text \"two # words\"\n", "Text \"two # words\";" },
		{ "quoted without need", "Text \"two words\"\n",
		    "Text two words;" },
		{ "quoted blanks", "Text \" x \"\n", "Text \" x \";" },
		{ "quoted, comment", "Text \"x\" # y\n", "Text x;" },
		{ "escapes", "Text \"\\\"a\\\\ # \\b\"\n",
		    "Text \"\\\"a\\\\ # \\\\b\";" },
		{ "bare backslash", "Text a\\b\"c\n", "Text a\\b\"c;" },
		{ "empty", "Text =\n", "Text \"\";" },
		{ "empty in quotes", "Text \"\"\n", "Text \"\";" },
		{ "8 bit", "Text caf\xc3\xa9\n", "Text caf\xc3\xa9;" },
		{ "tab inside", "Text a\tb\n", "Text a\tb;" },
		{ "list", "List a\nList b\n", "List a;List b;" },
		{ "list, emptied", "List a\nList =\n", "List \"\";" },
		{ "list, begun anew", "List a\nList \"\"\nList b\n",
		    "List b;" },
		{ "list without default", "IPv4Files a b\n", "IPv4Files a b;" },
		{ "alias", "Alias 25\n", "List inet:25;" },
		{ "ignored", "Obsolete 1\n", "" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config *config = fresh();
		struct err err = { "" };

		check_int(rows[i].name,
		    config_parse(config, "f", rows[i].input,
			strlen(rows[i].input), &err),
		    0);
		check_str(rows[i].name, err.text, "");
		check_str(rows[i].name, given(config), rows[i].want);
		config_free(&config);
	}
}

static void
test_faults(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want; /* the beginning of the sentence */
	} rows[] = {
		{ "line number", "\n\nFlag maybe\n",
		    "f:3: Flag: \"maybe\" is neither yes nor no" },
		{ "unknown", "MaxAeg 3\n",
		    "f:1: unknown option \"MaxAeg\";"
		    " the nearest known is MaxAge" },
		{ "no value", "Text\n", "f:1: Text needs a value" },
		{ "no value but a comment", "Text # x\n",
		    "f:1: Text needs a value" },
		{ "no value: what is missing", "MaxAge\n",
		    "f:1: MaxAge needs a value: TIME" },
		{ "alias without value", "Alias\n",
		    "f:1: Alias needs a value: PORT" },
		{ "no name", "= 3\n",
		    "f:1: the name of the option is"
		    " missing" },
		{ "no number", "Number x\n",
		    "f:1: Number: \"x\" is not a whole number" },
		{ "number with more", "Number 3x\n",
		    "f:1: Number: \"3x\" is not a whole number" },
		{ "a sign only", "Number -\n",
		    "f:1: Number: \"-\" is not a whole number" },
		{ "empty number", "Number =\n",
		    "f:1: Number: \"\" is not a whole number" },
		{ "huge", "Number 99999999999999999999\n",
		    "f:1: Number: \"99999999999999999999\" is not a whole" },
		{ "too large", "Number 11\n",
		    "f:1: Number: 11 is not within -10 and 10" },
		{ "too small", "Number -11\n",
		    "f:1: Number: -11 is not within -10 and 10" },
		{ "not octal", "Mode 0689\n",
		    "f:1: Mode: \"0689\" is not an octal number" },
		{ "mode too large", "Mode 1777\n",
		    "f:1: Mode: 1777 is not within 0000 and 0777" },
		{ "time too small", "MaxAge 1s\n",
		    "f:1: MaxAge: 1s is not within 1m and 100d" },
		{ "no time", "MaxAge soon\n", "f:1: MaxAge: " },
		{ "no size", "Size 3x\n", "f:1: Size: " },
		{ "no choice", "Color green\n",
		    "f:1: Color: \"green\" is not"
		    " one of: red, light-blue" },
		{ "open quote", "Text \"a\n",
		    "f:1: the closing quote is missing" },
		{ "open quote, escaped", "Text \"a\\\"\n",
		    "f:1: the closing quote is missing" },
		{ "text after quote", "Text \"a\" b\n",
		    "f:1: text follows the closing quote" },
		{ "text at quote", "Text \"a\"b\n",
		    "f:1: text follows the closing quote" },
		{ "control character", "Text a\033b\n",
		    "f:1: Text: the value holds a control character (0x1b)" },
		{ "call", "Never\n", "f:1: Never: not today (no value)" },
		{ "call with value", "Never x\n", "f:1: Never: not today (x)" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config *config = fresh();
		struct err err = { "" };

		check_int(rows[i].name,
		    config_parse(config, "f", rows[i].input,
			strlen(rows[i].input), &err),
		    -1);
		err.text[strlen(rows[i].want)] = '\0';
		check_str(rows[i].name, err.text, rows[i].want);
		config_free(&config);
	}
}

/* A row's own check comes before the value is taken. */
static void
test_checked(void)
{
	static const char text[] = "IPv4Files ab\nIPv4Files\t=\n"
				   "IPv4Files = abcd\nIPv4Files bad\n";
	struct config *config = config_new(options, sizeof(struct values));
	const struct values *values = config_values(config);
	struct err err;

	check_int(
	    "checked", config_parse(config, "f", text, strlen(text), &err), -1);
	check_str(
	    "with file and line", err.text, "f:4: IPv4Files: \"bad\" is bad");
	check_uint("what was good is in", values->files.count, 1);
	check_str("the rest is not", values->files.items[0], "abcd");
	config_free(&config);
}

static void
test_limits(void)
{
	struct config *config = fresh();
	char line[CONFIG_LINE_MAX + 2] = "Text ";
	struct err err;

	check_int(
	    "NUL byte", config_parse(config, "f", "Text a\0b", 8, &err), -1);
	check_contains("NUL byte", err.text, "f:1: the line holds a NUL");
	memset(line + 5, 'x', CONFIG_VALUE_MAX);
	check_int("the longest value",
	    config_parse(config, "f", line, 5 + CONFIG_VALUE_MAX, &err), 0);
	memset(line + 5, 'x', CONFIG_VALUE_MAX + 1);
	check_int("one longer",
	    config_parse(config, "f", line, 6 + CONFIG_VALUE_MAX, &err), -1);
	check_contains("one longer", err.text, "longer than 2000 bytes");
	memset(line, ' ', CONFIG_LINE_MAX + 1);
	check_int("the longest line",
	    config_parse(config, "f", line, CONFIG_LINE_MAX, &err), 0);
	check_int("a longer line",
	    config_parse(config, "f", line, CONFIG_LINE_MAX + 1, &err), -1);
	check_contains("a longer line", err.text,
	    "f:1: the line is longer than 4096 bytes");
	config_free(&config);
	check_true("freed", config == NULL);
	config_free(&config);
}

static void
test_origins(void)
{
	struct config *config = fresh();
	const struct values *v = config_values(config);
	struct err err;

	check_int("initial time", v->age_s, 35 * 86400);
	check_str("initial text", v->text, "a # b");
	check_str("no initial text", v->other, "");
	check_uint("initial list", v->list.count, 1);
	check_uint("no initial list", v->files.count, 0);
	check_int("default", config_default(config, "Number", "6", &err), 0);
	check_int("default is there", v->number, 6);
	check_false("default is not given", config_is_set(config, "number"));
	check_int(
	    "default of a list", config_default(config, "List", "a", &err), 0);
	check_int(
	    "second default", config_default(config, "Alias", "b", &err), 0);
	check_uint("both are there", v->list.count, 2);
	check_str("the first", v->list.items[0], "a");
	check_str("the second, by an alias", v->list.items[1], "inet:b");
	check_false("still not given", config_is_set(config, "List"));
	check_int("given", config_set(config, "List", "c", &err), 0);
	check_uint("defaults make room", v->list.count, 1);
	check_true("now it is given", config_is_set(config, "LIST"));
	check_int(
	    "a late default", config_default(config, "List", "d", &err), 0);
	check_str("changes nothing", v->list.items[0], "c");
	check_uint("at all", v->list.count, 1);
	check_int("a file",
	    config_parse(config, "f", "IPv4Files a\nIPv4Files b\n", 24, &err),
	    0);
	check_uint("has both", v->files.count, 2);
	check_true("is given", config_is_set(config, "IPv4Files"));
	check_int(
	    "the command line", config_set(config, "IPv4Files", "c", &err), 0);
	check_int("twice", config_set(config, "IPv4Files", "d", &err), 0);
	check_uint("wins over the file", v->files.count, 2);
	check_str("altogether", v->files.items[0], "c");
	check_int(
	    "bad default", config_default(config, "Number", "x", &err), -1);
	check_int("a fault leaves the value", v->number, 6);
	check_false("unknown", config_is_set(config, "Nothing"));
	check_int("unknown default",
	    config_default(config, "Nothing", "x", &err), -1);
	config_free(&config);
}

static void
test_notices(void)
{
	struct config *config = fresh();
	const char *text = "Obsolete 1\nobsolete 2\n";
	struct err err;

	check_int(
	    "ignored", config_parse(config, "f", text, strlen(text), &err), 0);
	check_uint("one notice", config_notice_count(config), 1);
	check_contains(
	    "names the option", config_notice(config, 0), "Obsolete");
	config_free(&config);
}

static void
test_names(void)
{
	static const struct {
		const char *input;
		const char *want;
	} rows[] = {
		{ "Flag", "flag" },
		{ "MaxAge", "max-age" },
		{ "IPv4Files", "ipv4files" },
		{ "XGreylistHeader", "xgreylist-header" },
		{ "ListenQueueSize", "listen-queue-size" },
	};
	struct config *config = fresh();
	char buf[CONFIG_NAME_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config_option option = { .name = rows[i].input };

		check_str(rows[i].input, config_long_name(&option, buf),
		    rows[i].want);
	}
	check_str("nearest", config_nearest(config, "colour")->name, "Color");
	check_true("found", config_find(config, "m-A-x_age") == &options[3]);
	check_true("not found", config_find(config, "Max") == NULL);
	config_free(&config);
}

static void
test_help(void)
{
	char *text = NULL, *line, *save = NULL;
	size_t size, longest = 0;
	FILE *f = open_memstream(&text, &size);

	config_help(options, f);
	(void)fclose(f);
	check_contains("flag", text, "  --flag                      a flag\n");
	check_contains("optional value", text, "  --number[=NUMBER]  ");
	check_contains("default", text, "a size (default: 16k)\n");
	check_contains("choices", text, "a color: red, light-blue (default:");
	check_contains("call without value", text, "  --never   ");
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strlen(line) > longest)
			longest = strlen(line);
	check_true("lines fit 80 columns", longest < 80 && longest > 60);
	free(text);
}

static void
test_file(void)
{
	static const char text[] = "Number 3\nNumber x\n";
	int fd = memfd_create("config", MFD_CLOEXEC);
	struct config *config = fresh();
	char path[64];
	struct err err;

	check_int("missing", config_read(config, "/nonexistent/x", &err), -1);
	check_str("missing", err.text,
	    "cannot open /nonexistent/x: No such file or directory");
	check_int("directory", config_read(config, "/", &err), -1);
	check_str("directory", err.text, "cannot read /: Is a directory");
	check_int("endless", config_read(config, "/dev/zero", &err), -1);
	check_contains("endless", err.text, "/dev/zero is larger than");
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	check_int(
	    "file in memory", write(fd, text, strlen(text)), strlen(text));
	check_int("faulty", config_read(config, path, &err), -1);
	check_contains("faulty", err.text, ":2: Number: \"x\"");
	check_int("read until there",
	    ((struct values *)config_values(config))->number, 3);
	(void)close(fd);
	config_free(&config);
}

int
main(void)
{
	test_values();
	test_faults();
	test_checked();
	test_limits();
	test_origins();
	test_notices();
	test_names();
	test_help();
	test_file();
	return check_done();
}
