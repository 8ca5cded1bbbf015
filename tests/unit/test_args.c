/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/args.h"
#include "tests/unit/check.h"

#define WORDS_MAX 12

struct values {
	bool quiet;
	bool flag;
	int64_t count;
	char *path;
	char *file_only;
};

static int
refuse(struct config *config, const char *value, struct err *err)
{
	(void)config;
	(void)value;
	return err_set(err, "not supported");
}

#define FIELD(member) offsetof(struct values, member)

static const struct config_option options[] = {
	{ .name = "Quiet", .type = CONFIG_BOOL, .offset = FIELD(quiet) },
	{ .name = "Flag", .type = CONFIG_BOOL, .offset = FIELD(flag) },
	{ .name = "MaxCount",
	    .type = CONFIG_INT,
	    .offset = FIELD(count),
	    .if_bare = "5",
	    .max = 100 },
	{ .name = "Path", .type = CONFIG_STRING, .offset = FIELD(path) },
	{ .name = "FileOnly",
	    .type = CONFIG_STRING,
	    .offset = FIELD(file_only) },
	{ .name = "NoAction", .type = CONFIG_CALL, .set = refuse }, CONFIG_END
};

static const struct args_short letters[] = {
	{ 'u', "Path" },
	{ 'n', "NoAction" },
	{ 0, NULL },
};

/* A configuration file: "Path from-file", "FileOnly yes". */
static char good_file[32];
static char bad_file[32];

static void
make_file(const char *text, char *path, size_t cap)
{
	int fd = memfd_create("config", MFD_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(1);
	(void)snprintf(path, cap, "/proc/self/fd/%d", fd);
}

static const struct args_spec plain = { .letters = letters };

static int
parse(const struct args_spec *spec, const char *const *words,
    struct config **config_r, struct args *args_r, struct err *err)
{
	char *argv[WORDS_MAX + 2] = { (char *)(uintptr_t) "prog" };
	int argc = 1;

	for (; words[argc - 1] != NULL; argc++)
		argv[argc] = (char *)(uintptr_t)words[argc - 1];
	*config_r = config_new(options, sizeof(struct values));
	err->text[0] = '\0';
	return args_parse(spec, argc, argv, *config_r, args_r, err);
}

/* "mode daemonize verbosity file | quiet flag count path file_only" */
static const char *
describe(const struct args *args, const struct config *config)
{
	static const char *const modes[] = {
		"run",
		"check",
		"print",
		"help",
		"version",
	};
	const struct values *v = config_values(config);
	static char text[512];

	(void)snprintf(text, sizeof(text), "%s %s %d|%d %d %" PRId64 " %s %s",
	    modes[args->mode], args->daemonize ? "back" : "front",
	    args->verbosity, v->quiet, v->flag, v->count, v->path,
	    v->file_only);
	return text;
}

static void
test_good(void)
{
	static const struct {
		const char *name;
		const char *words[WORDS_MAX];
		const char *want;
	} rows[] = {
		{ "nothing", { NULL }, "run front 0|0 0 0  " },
		{ "check", { "-t" }, "check front 0|0 0 0  " },
		{ "print", { "-p" }, "print front 0|0 0 0  " },
		{ "the last mode", { "-p", "-t" }, "check front 0|0 0 0  " },
		{ "help", { "-h" }, "help front 0|0 0 0  " },
		{ "--help", { "--help" }, "help front 0|0 0 0  " },
		{ "--man", { "--man" }, "help front 0|0 0 0  " },
		{ "-V", { "-V" }, "version front 0|0 0 0  " },
		{ "--version", { "--version" }, "version front 0|0 0 0  " },
		{ "-d", { "-d" }, "run back 0|0 0 0  " },
		{ "--daemonize", { "--daemonize" }, "run back 0|0 0 0  " },
		{ "-f -d", { "-f", "-d" }, "run back 0|0 0 0  " },
		{ "-d -f", { "-d", "-f" }, "run front 0|0 0 0  " },
		{ "verbose", { "-v", "--verbose" }, "run front 2|0 0 0  " },
		{ "quiet", { "-q" }, "run front 0|1 0 0  " },
		{ "--quiet", { "--quiet" }, "run front 0|1 0 0  " },
		{ "--quiet=no", { "-q", "--quiet=no" }, "run front 0|0 0 0  " },
		{ "flag", { "--flag" }, "run front 0|0 1 0  " },
		{ "flag=no", { "--flag", "--flag=no" }, "run front 0|0 0 0  " },
		{ "any case", { "--FLAG" }, "run front 0|0 1 0  " },
		{ "=value", { "--path=x" }, "run front 0|0 0 0 x " },
		{ "= in value", { "--path=a=b" }, "run front 0|0 0 0 a=b " },
		{ "empty value", { "--path=x", "--path=" },
		    "run front 0|0 0 0  " },
		{ "next word", { "--path", "x" }, "run front 0|0 0 0 x " },
		{ "next word with dash", { "--path", "-t" },
		    "run front 0|0 0 0 -t " },
		{ "letter", { "-u", "x" }, "run front 0|0 0 0 x " },
		{ "bare", { "--max-count", "-t" }, "check front 0|0 0 5  " },
		{ "bare takes =", { "--max-count=9" }, "run front 0|0 0 9  " },
		{ "dashes do not matter", { "--max_count=9" },
		    "run front 0|0 0 9  " },
		{ "-o", { "-o", "MaxCount=8" }, "run front 0|0 0 8  " },
		{ "-o, bare", { "-o", "flag" }, "run front 0|0 1 0  " },
		{ "the last one wins",
		    { "-o", "path=a", "--path", "b", "-o", "Path=c" },
		    "run front 0|0 0 0 c " },
		{ "file", { "-c", good_file },
		    "run front 0|0 0 0 from-file yes" },
		{ "--config", { "--config", good_file },
		    "run front 0|0 0 0 from-file yes" },
		{ "the last file", { "-c", "/nonexistent", "-c", good_file },
		    "run front 0|0 0 0 from-file yes" },
		{ "the line beats the file", { "--path=x", "-c", good_file },
		    "run front 0|0 0 0 x yes" },
		{ "help needs no sound file", { "-c", bad_file, "-h" },
		    "help front 0|0 0 0  " },
		{ "end of options", { "-t", "--" }, "check front 0|0 0 0  " },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config *config;
		struct args args;
		struct err err;

		check_int(rows[i].name,
		    parse(&plain, rows[i].words, &config, &args, &err), 0);
		check_str(rows[i].name, err.text, "");
		check_str(rows[i].name, describe(&args, config), rows[i].want);
		config_free(&config);
	}
}

static void
test_bad(void)
{
	static const struct {
		const char *name;
		const char *words[WORDS_MAX];
		const char *want;
		bool config_error;
	} rows[] = {
		{ "unknown", { "--max-cuont=3" },
		    "unknown option"
		    " \"--max-cuont\"; the nearest known is --max-count",
		    false },
		{ "abbreviated", { "--pat=x" },
		    "unknown option \"--pat\";"
		    " the nearest known is --path",
		    false },
		{ "nearest is reserved", { "--hepl" },
		    "unknown option"
		    " \"--hepl\"; the nearest known is --help",
		    false },
		{ "unknown letter", { "-x" }, "unknown option \"-x\"", false },
		{ "letters together", { "-vt" },
		    "\"-vt\": write -v as a word"
		    " of its own",
		    false },
		{ "letter with value", { "-upath" }, "\"-upath\": write -u",
		    false },
		{ "value is missing", { "--path" }, "--path needs a value",
		    false },
		{ "value of a letter is missing", { "-u" }, "-u needs a value",
		    false },
		{ "file is missing", { "-c" }, "-c needs a value", false },
		{ "pair is missing", { "-o" }, "-o needs a value", false },
		{ "pair without value", { "-o", "Path" },
		    "-o Path needs a value: -o Path=VALUE", false },
		{ "unknown pair", { "-o", "Pth=x" },
		    "-o: unknown"
		    " option \"Pth\"; the nearest known is Path",
		    false },
		{ "unknown pair near a reserved name", { "-o", "Hlp=x" },
		    "-o: unknown option \"Hlp\"; the nearest known is ",
		    false },
		{ "value for what takes none", { "--help=x" },
		    "--help takes no value", false },
		{ "word", { "word" }, "unexpected word \"word\"", false },
		{ "word after the end", { "--", "-t" },
		    "unexpected word \"-t\"", false },
		{ "a dash", { "-" }, "unexpected word \"-\"", false },
		{ "bad value", { "--max-count=x" },
		    "MaxCount: \"x\" is not a"
		    " whole number",
		    true },
		{ "refused", { "-n" }, "not supported", true },
		{ "no such file", { "-c", "/nonexistent" },
		    "cannot open /nonexistent", true },
		{ "bad file", { "-c", bad_file }, bad_file, true },
		{ "form goes first", { "-c", bad_file, "-x" },
		    "unknown option \"-x\"", false },
		{ "form after values", { "--max-count=x", "-x" },
		    "unknown option \"-x\"", false },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct config *config;
		struct args args;
		struct err err;

		check_int(rows[i].name,
		    parse(&plain, rows[i].words, &config, &args, &err), -1);
		err.text[strlen(rows[i].want)] = '\0';
		check_str(rows[i].name, err.text, rows[i].want);
		check_bool(
		    rows[i].name, args.config_error, rows[i].config_error);
		config_free(&config);
	}
}

static void
test_spec(void)
{
	static const struct config_option few[] = {
		{ .name = "Flag", .type = CONFIG_BOOL, .offset = FIELD(flag) },
		CONFIG_END
	};
	static const char *const words[] = { "a", "-t", "b", NULL };
	static const char *const none[] = { NULL };
	const char *const file_words[] = { good_file, "-t", NULL };
	struct args_spec spec = { .ignore_words = true };
	char *quiet[] = { (char *)(uintptr_t) "prog", (char *)(uintptr_t) "-q",
		NULL };
	struct config *config;
	struct args args;
	struct err err;

	check_int(
	    "words are ignored", parse(&spec, words, &config, &args, &err), 0);
	check_int("options among them are not", args.mode, ARGS_CHECK);
	config_free(&config);
	spec = (struct args_spec){ .word_is_file = true,
		.config_file = "/nonexistent" };
	check_int("a word is a file",
	    parse(&spec, file_words, &config, &args, &err), 0);
	check_str("that file", args.config_file, good_file);
	config_free(&config);
	spec = (struct args_spec){ .ignore_words = true };
	spec.config_file = good_file;
	check_int(
	    "file of the spec", parse(&spec, none, &config, &args, &err), 0);
	check_str("is named", args.config_file, good_file);
	check_str("and read", describe(&args, config),
	    "run front 0|0 0 0 from-file yes");
	config_free(&config);
	spec.config_file = "/nonexistent/x";
	check_int(
	    "it may be missing", parse(&spec, none, &config, &args, &err), 0);
	check_true("then there is none", args.config_file == NULL);
	config_free(&config);
	spec.config_file = bad_file;
	check_int(
	    "but not be wrong", parse(&spec, none, &config, &args, &err), -1);
	config_free(&config);
	config = config_new(few, sizeof(struct values));
	check_int("no option Quiet",
	    args_parse(&plain, 2, quiet, config, &args, &err), 0);
	check_int("-q counts down", args.verbosity, -1);
	config_free(&config);
}

static void
test_help(void)
{
	char *text = NULL, *line, *save = NULL;
	size_t size, longest = 0;
	FILE *f = open_memstream(&text, &size);

	args_help(f);
	(void)fclose(f);
	check_contains("help", text, "  -c, --config FILE  ");
	for (line = strtok_r(text, "\n", &save); line != NULL;
	     line = strtok_r(NULL, "\n", &save))
		if (strlen(line) > longest)
			longest = strlen(line);
	check_true("lines fit 80 columns", longest < 80);
	free(text);
}

static void
test_program(void)
{
	char path[] = "/usr/sbin/postgrey", name[] = "greylistd";
	char *by_path[] = { path, NULL }, *by_name[] = { name, NULL };
	char *nothing[] = { NULL };

	check_str("a path", args_program(1, by_path), "postgrey");
	check_str("a name", args_program(1, by_name), "greylistd");
	check_str("nothing", args_program(0, nothing), "");
}

int
main(void)
{
	make_file(
	    "Path from-file\nFileOnly yes\n", good_file, sizeof(good_file));
	make_file("\nPath\n", bad_file, sizeof(bad_file));
	test_good();
	test_bad();
	test_spec();
	test_help();
	test_program();
	return check_done();
}
