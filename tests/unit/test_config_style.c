/* SPDX-License-Identifier: ISC */
/* Files in the style of opendkim.conf(5), and what such a table needs. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"
#include "tests/unit/check.h"

struct values {
	bool flag;
	int64_t number;
	char *text;
	struct config_list list;
};

#define FIELD(member) offsetof(struct values, member)

/* clang-format off */
static const struct config_option options[] = {
	{ .name = "Flag", .type = CONFIG_BOOL, .offset = FIELD(flag),
	  .initial = "no", .help = "a flag" },
	{ .name = "Number", .type = CONFIG_INT, .offset = FIELD(number),
	  .initial = "5", .help = "a number" },
	{ .name = "Text", .type = CONFIG_STRING, .offset = FIELD(text),
	  .initial = "", .help = "a text" },
	{ .name = "List", .type = CONFIG_LIST, .offset = FIELD(list),
	  .initial = "first", .help = "a list" },
	{ .name = "Include", .type = CONFIG_CALL, .set = config_include,
	  .argument = "PATH", .help = "another file" },
	{ .name = "Script", .type = CONFIG_REFUSED, .argument = "PATH",
	  .help = "there are no scripts here; write rules" },
	{ .name = "On-Script", .type = CONFIG_REFUSED, .argument = "WORD",
	  .initial = "no", .help = "there are no scripts here" },
	CONFIG_END
};
/* clang-format on */

static struct config *
fresh(void)
{
	struct config *config = config_new(options, sizeof(struct values));

	config_set_style(config, CONFIG_STYLE_OPENDKIM);
	return config;
}

static void
test_lines(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want; /* of Text, or the error */
	} rows[] = {
		{ "plain", "Text a b", "a b" },
		{ "tabs", "Text\t\ta", "a" },
		{ "comment within", "Text a#b", "a" },
		{ "comment at once", "Text a\nText#x\n", "f:2: Text needs a" },
		{ "comment in quotes", "Text \"a#b\"", "a#b" },
		{ "CR", "Text a\r\n", "a" },
		{ "case", "tEXT a", "a" },
		{ "the last one counts", "Text a\nText b", "b" },
		{ "no value", "Text", "f:1: Text needs a value" },
		{ "unknown", "Txt a", "f:1: unknown option \"Txt\"" },
		{ "refused", "Script /x",
		    "f:1: Script is not supported: there are no scripts here;"
		    " write rules" },
		{ "refused value", "On-Script yes", "f:1: On-Script is not" },
		{ "harmless value", "On-Script NO\nText a", "a" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config *config = fresh();
		struct values *values = config_values(config);
		struct err err = { "" };
		int r = config_parse(
		    config, "f", rows[i].input, strlen(rows[i].input), &err);

		if (r == 0)
			check_str(rows[i].name, values->text, rows[i].want);
		else
			check_contains(rows[i].name, err.text, rows[i].want);
		config_free(&config);
	}
}

static void
test_letters(void)
{
	static const struct {
		const char *input;
		int want; /* -1: an error */
	} rows[] = {
		{ "yes", 1 },
		{ "Y", 1 },
		{ "true", 1 },
		{ "T", 1 },
		{ "1", 1 },
		{ "yippie", 1 },
		{ "no", 0 },
		{ "N", 0 },
		{ "f", 0 },
		{ "FALSE", 0 },
		{ "0", 0 },
		{ "on", 1 },
		{ "off", 0 },
		{ "maybe", -1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config *config = fresh();
		struct values *values = config_values(config);
		struct err err;
		int r;

		values->flag = rows[i].want == 0;
		r = config_set(config, "Flag", rows[i].input, &err);
		check_int(
		    rows[i].input, r == 0 ? values->flag : r, rows[i].want);
		config_free(&config);
	}
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	if (f == NULL || fputs(text, f) < 0 || fclose(f) != 0)
		abort();
}

static void
test_include(void)
{
	char dir[] = "config-style.XXXXXX", path[512], main[1024], base[256];
	struct config *config = fresh();
	struct values *values = config_values(config);
	struct err err;

	if (mkdtemp(dir) == NULL || getcwd(base, sizeof(base)) == NULL)
		abort();
	(void)snprintf(path, sizeof(path), "%s/%s/one", base, dir);
	write_file(path, "Number 7\nText included # x\n");
	(void)snprintf(
	    main, sizeof(main), "Number 3\nInclude %s\nFlag y\n", path);
	check_int(
	    "included", config_parse(config, "f", main, strlen(main), &err), 0);
	check_int("its values", values->number, 7);
	check_str("its text", values->text, "included");
	check_true("what follows", values->flag);

	write_file(path, "Number x\n");
	check_int("fault within",
	    config_parse(config, "f", main, strlen(main), &err), -1);
	check_contains("names the outer line", err.text, "f:2: /");
	check_contains("and the inner one", err.text, "/one:1: Number: \"x\"");

	(void)snprintf(main, sizeof(main), "Include %s\n", path);
	write_file(path, main);
	check_int("endless", config_read(config, path, &err), -1);
	check_contains("endless", err.text, "more than 5 files include");
	check_int("relative", config_set(config, "Include", "x", &err), -1);
	check_contains("relative", err.text, "\"x\" is no path that begins");
	(void)unlink(path);
	(void)rmdir(dir);
	config_free(&config);
}

static void
test_copy(void)
{
	struct config *config = fresh();
	struct config *copy;
	struct values *values;
	struct err err;

	(void)config_set(config, "Text", "a", &err);
	(void)config_set(config, "List", "one", &err);
	(void)config_set(config, "List", "two", &err);
	copy = config_copy(config);
	(void)config_set(config, "Text", "b", &err);
	config_free(&config);
	values = config_values(copy);
	check_str("text", values->text, "a");
	check_uint("list", values->list.count, 2);
	check_str("list", values->list.items[1], "two");
	check_int("number", values->number, 5);
	check_true("given", config_is_set(copy, "Text"));
	check_false("not given", config_is_set(copy, "Number"));
	config_free(&copy);
}

static void
test_print(void)
{
	struct config *config = fresh();
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	struct err err;

	(void)config_set(config, "Text", "a#b", &err);
	config_print(config, f);
	config_help(options, f);
	(void)fclose(f);
	check_contains("quoted", text, "Text \"a#b\"\n");
	check_true("nothing refused is printed", strstr(text, "cript") == NULL);
	free(text);
	config_free(&config);
}

int
main(void)
{
	test_lines();
	test_letters();
	test_include();
	test_copy();
	test_print();
	return check_done();
}
