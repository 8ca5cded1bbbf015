/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/args.h"
#include "common/str.h"

/* What a word of the command line asks for. */
enum action {
	ACT_CONFIG,
	ACT_SET, /* -o */
	ACT_CHECK,
	ACT_PRINT,
	ACT_FOREGROUND,
	ACT_DAEMONIZE,
	ACT_VERBOSE,
	ACT_QUIET,
	ACT_VERSION,
	ACT_HELP,
	ACT_OPTION, /* an option of the table */
};

struct reserved {
	char letter;
	const char *name; /* long, or NULL */
	enum action action;
};

static const struct reserved reserved[] = {
	{ 'c', "config", ACT_CONFIG },
	{ 'o', NULL, ACT_SET },
	{ 't', NULL, ACT_CHECK },
	{ 'p', NULL, ACT_PRINT },
	{ 'f', NULL, ACT_FOREGROUND },
	{ 'd', "daemonize", ACT_DAEMONIZE },
	{ 'v', "verbose", ACT_VERBOSE },
	{ 'q', "quiet", ACT_QUIET },
	{ 'V', "version", ACT_VERSION },
	{ 'h', "help", ACT_HELP },
	{ 0, "man", ACT_HELP },
};

#define RESERVED_COUNT (sizeof(reserved) / sizeof(*reserved))

/* The words are gone through twice: for their form and what concerns the
 * start, and, after the file was read, for the values. */
struct scan {
	const struct args_spec *spec;
	int argc;
	char **argv;
	int next; /* index of the word to read next */
	struct config *config;
	bool apply; /* the second time */
	struct args *args;
	struct err *err;
};

/* One option as found. */
struct found {
	const char *word; /* as typed, for messages */
	char name[CONFIG_NAME_SIZE + 64];
	const char *value; /* what follows "=", or NULL */
	enum action action;
	const struct config_option *option; /* for ACT_OPTION */
};

static int
unknown_long(const struct scan *s, const char *name)
{
	const struct config_option *option = config_nearest(s->config, name);
	char buf[CONFIG_NAME_SIZE];
	const char *nearest = config_long_name(option, buf);
	unsigned best = str_distance(option->name, name);

	for (size_t i = 0; i < RESERVED_COUNT; i++) {
		if (reserved[i].name != NULL &&
		    str_distance(reserved[i].name, name) < best) {
			nearest = reserved[i].name;
			best = str_distance(nearest, name);
		}
	}
	return err_set(s->err,
	    "unknown option \"--%.64s\"; the nearest known"
	    " is --%s",
	    name, nearest);
}

/* Resolves "--name" or "--name=value". */
static int
find_long(const struct scan *s, struct found *f)
{
	const char *name = f->word + 2;
	size_t len = strcspn(name, "=");
	struct str copy;

	str_init(&copy, f->name, sizeof(f->name));
	str_add_bytes(&copy, name, len);
	f->value = name[len] == '=' ? name + len + 1 : NULL;
	for (size_t i = 0; i < RESERVED_COUNT; i++) {
		if (reserved[i].name != NULL &&
		    str_equal_name(reserved[i].name, f->name)) {
			f->action = reserved[i].action;
			return 0;
		}
	}
	f->action = ACT_OPTION;
	f->option = config_find(s->config, f->name);
	return f->option != NULL ? 0 : unknown_long(s, f->name);
}

/* Resolves "-x". */
static int
find_short(const struct scan *s, struct found *f)
{
	const struct args_short *letter = s->spec->letters;
	char c = f->word[1];

	f->value = NULL;
	if (f->word[2] != '\0')
		return err_set(s->err,
		    "\"%.64s\": write -%c as a word of its"
		    " own (--help lists the options)",
		    f->word, c);
	for (size_t i = 0; i < RESERVED_COUNT; i++) {
		if (reserved[i].letter == c) {
			f->action = reserved[i].action;
			return 0;
		}
	}
	while (letter != NULL && letter->letter != 0 && letter->letter != c)
		letter++;
	if (letter == NULL || letter->letter == 0)
		return err_set(s->err,
		    "unknown option \"-%c\" (--help lists"
		    " the options)",
		    c);
	f->action = ACT_OPTION;
	f->option = config_find(s->config, letter->name);
	return f->option != NULL ? 0 : unknown_long(s, letter->name);
}

/* Gives f the next word as its value. */
static int
take_value(struct scan *s, struct found *f)
{
	if (f->value != NULL)
		return 0;
	if (s->next >= s->argc)
		return err_set(s->err, "%.64s needs a value", f->word);
	f->value = s->argv[s->next++];
	return 0;
}

static int
set_value(struct scan *s, const char *name, const char *value)
{
	if (!s->apply)
		return 0;
	s->args->config_error = true;
	if (config_set(s->config, name, value, s->err) < 0)
		return -1;
	s->args->config_error = false;
	return 0;
}

/* -o Name=Value, or -o Name for what stands without a value. */
static int
set_pair(struct scan *s, struct found *f)
{
	size_t len = strcspn(f->value, "=");
	const char *value = f->value[len] == '=' ? f->value + len + 1 : NULL;
	const struct config_option *option;
	struct str copy;

	str_init(&copy, f->name, sizeof(f->name));
	str_add_bytes(&copy, f->value, len);
	option = config_find(s->config, f->name);
	if (option == NULL)
		return err_set(s->err,
		    "-o: unknown option \"%.64s\"; the"
		    " nearest known is %s",
		    f->name, config_nearest(s->config, f->name)->name);
	if (value == NULL && config_needs_value(option))
		return err_set(s->err, "-o %s needs a value: -o %s=VALUE",
		    f->name, f->name);
	return set_value(s, option->name, value);
}

static int
act_quiet(struct scan *s, const struct found *f)
{
	if (config_find(s->config, "Quiet") != NULL)
		return set_value(s, "Quiet", f->value);
	if (!s->apply)
		s->args->verbosity--;
	return 0;
}

/* Options that only change struct args. */
static void
act_flag(struct scan *s, enum action action)
{
	if (s->apply)
		return;
	if (action == ACT_CHECK)
		s->args->mode = ARGS_CHECK;
	else if (action == ACT_PRINT)
		s->args->mode = ARGS_PRINT;
	else if (action == ACT_VERSION)
		s->args->mode = ARGS_VERSION;
	else if (action == ACT_HELP)
		s->args->mode = ARGS_HELP;
	else if (action == ACT_VERBOSE)
		s->args->verbosity++;
	else
		s->args->daemonize = action == ACT_DAEMONIZE;
	if (action == ACT_DAEMONIZE || action == ACT_FOREGROUND)
		s->args->foreground = action == ACT_FOREGROUND;
}

static int
act(struct scan *s, struct found *f)
{
	switch (f->action) {
	case ACT_CONFIG:
		if (take_value(s, f) < 0)
			return -1;
		s->args->config_file = f->value;
		return 0;
	case ACT_SET:
		if (take_value(s, f) < 0)
			return -1;
		return set_pair(s, f);
	case ACT_OPTION:
		assert(f->option != NULL);
		if (config_needs_value(f->option) && take_value(s, f) < 0)
			return -1;
		return set_value(s, f->option->name, f->value);
	case ACT_QUIET:
		return act_quiet(s, f);
	case ACT_CHECK:
	case ACT_PRINT:
	case ACT_FOREGROUND:
	case ACT_DAEMONIZE:
	case ACT_VERBOSE:
	case ACT_VERSION:
	case ACT_HELP:
		if (f->value != NULL)
			return err_set(s->err, "--%s takes no value", f->name);
		act_flag(s, f->action);
		return 0;
	}
	return 0;
}

static int
scan_words(struct scan *s)
{
	bool options_ended = false;

	s->next = 1;
	while (s->next < s->argc) {
		struct found f = { .word = s->argv[s->next++] };
		bool is_long = strncmp(f.word, "--", 2) == 0;

		if (!options_ended && strcmp(f.word, "--") == 0) {
			options_ended = true;
			continue;
		}
		if (options_ended || f.word[0] != '-' || f.word[1] == '\0') {
			if (s->spec->word_is_file)
				s->args->config_file = f.word;
			if (s->spec->ignore_words || s->spec->word_is_file)
				continue;
			return err_set(s->err,
			    "unexpected word \"%.64s\":"
			    " options begin with \"-\"",
			    f.word);
		}
		if ((is_long ? find_long : find_short)(s, &f) < 0 ||
		    act(s, &f) < 0)
			return -1;
	}
	return 0;
}

static int
read_file(struct scan *s)
{
	struct args *args = s->args;
	const char *path = s->spec->config_file;

	if (args->config_file == NULL) {
		if (path == NULL || (access(path, F_OK) < 0 &&
					(errno == ENOENT || errno == ENOTDIR)))
			return 0;
		args->config_file = path;
	}
	args->config_error = true;
	if (config_read(s->config, args->config_file, s->err) < 0)
		return -1;
	args->config_error = false;
	return 0;
}

int
args_parse(const struct args_spec *spec, int argc, char **argv,
    struct config *config, struct args *args_r, struct err *err)
{
	struct scan s = {
		.spec = spec,
		.argc = argc,
		.argv = argv,
		.config = config,
		.args = args_r,
		.err = err,
	};

	*args_r = (struct args){ .mode = ARGS_RUN };
	config_set_style(config, spec->style);
	if (scan_words(&s) < 0)
		return -1;
	if (args_r->mode == ARGS_HELP || args_r->mode == ARGS_VERSION)
		return 0;
	if (read_file(&s) < 0)
		return -1;
	s.apply = true;
	return scan_words(&s);
}

const char *
args_program(int argc, char **argv)
{
	return argc > 0 ? str_base(argv[0]) : "";
}

void
args_help(FILE *out)
{
	(void)fputs(
	    "  -c, --config FILE           read this configuration file\n"
	    "  -o NAME=VALUE               set an option of the file\n"
	    "  -t                          check the configuration and end\n"
	    "  -p                          print the effective configuration\n"
	    "                              and end\n"
	    "  -f                          stay in the foreground (default)\n"
	    "  -d, --daemonize             run in the background, log to"
	    " syslog\n"
	    "  -v, --verbose               log more; may be repeated\n"
	    "  -q, --quiet                 log less\n"
	    "  -V, --version               print the version and end\n"
	    "  -h, --help                  print this text and end\n",
	    out);
}
