/* SPDX-License-Identifier: ISC */
/*
 * spfctl - explains SPF verdicts and checks SPF records
 *
 * It asks the same name servers as spfd and evaluates with the same code, so
 * what it says is what the daemon does. It needs no rights and changes
 * nothing.
 *
 * Read on in: ctl_query.c (a verdict, step by step); ctl_survey.h (a record
 * with all that it refers to), ctl_advice.h (what is wrong with it),
 * ctl_record.c (the report).
 */
#include <stdarg.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/dns_options.h"
#include "common/log.h"
#include "common/policysrv.h"
#include "common/str.h"
#include "common/tool.h"
#include "common/unit.h"
#include "common/xmem.h"

#include "spfd/ctl.h"

#define TIMEOUT_MAX_S 300
/* The most that the table of options allows for one question. */
#define QUESTION_TIMEOUT_MAX_S 60

struct command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *help;
	int (*run)(struct ctl *ctl, int count, char **words);
};

static const struct command commands[] = {
	{ "query", "IP SENDER [HELO]",
	    "explain what SPF says of a mail from "
	    "this client",
	    ctl_query },
	{ "record", "[--offline] DOMAIN | --text RECORD [DOMAIN]",
	    "check a record with all that it refers to", ctl_record },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int
ctl_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tool_tell("spfctl", format, args);
	va_end(args);
	return code;
}

int
ctl_finish(int code)
{
	return tool_finish("spfctl", code);
}

void
ctl_put(const char *bytes, size_t len)
{
	tool_put(stdout, bytes, len);
}

/* Nobody connects: the server is here for its loop. */
static void
on_request(void *arg, struct policysrv_call *call,
    const struct policyproto_request *request)
{
	(void)arg;
	(void)request;
	policysrv_drop(call);
}

int
ctl_open(struct ctl *ctl)
{
	static const struct policysrv_config server_config = {
		.max_connections = 1,
		.request_timeout_s = 1,
	};
	const struct policysrv_hooks hooks = { .request = on_request };
	const struct options *options = ctl->options;
	struct err err;

	ctl->dns_config = dns_options_config(&options->dns);
	ctl->srv = policysrv_new(&server_config, &hooks, &err);
	if (ctl->srv == NULL)
		return ctl_fail(EX_OSERR, "%s", err.text);
	ctl->dns = dns_new(ctl->dns_config, policysrv_loop(ctl->srv), &err);
	if (ctl->dns == NULL)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	ctl->spf = spf_new(ctl->dns, &err);
	if (ctl->spf == NULL)
		return ctl_fail(EX_SOFTWARE, "%s", err.text);
	return 0;
}

void
ctl_run(struct ctl *ctl)
{
	policysrv_run(ctl->srv);
}

void
ctl_stop(struct ctl *ctl)
{
	policysrv_stop(ctl->srv, 0);
}

static void
close_all(struct ctl *ctl)
{
	spf_free(&ctl->spf);
	dns_free(&ctl->dns);
	policysrv_free(&ctl->srv);
	dns_options_free(&ctl->dns_config);
	config_free(&ctl->config);
}

static int
help(void)
{
	puts("usage: spfctl [OPTIONS] COMMAND ...");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %s %s\n      %s\n", commands[i].name,
		    commands[i].usage, commands[i].help);
	puts("\n  -c FILE                  spfd's configuration "
	     "(default: " OPTIONS_FILE ")");
	puts("  -o Name=Value            another value for one of its options");
	puts("  --nameserver ADDR[@PORT] ask this one; may be given several "
	     "times");
	puts("  --timeout TIME           how long to wait for DNS");
	puts("  --json                   print JSON");
	puts("  -V, --help               version, this text");
	return ctl_finish(EX_OK);
}

/* The command line, taken apart. */
struct line {
	const char *config_file;
	struct tool_changes changes;
	const char *timeout;
	char **words; /* the command and its arguments */
	int count;
	bool help, version;
};

static int
add_change(struct line *line, const char *name, const char *value)
{
	if (!tool_change(&line->changes, name, value))
		return ctl_fail(EX_USAGE, "too many options");
	return 0;
}

/* Switches. Returns whether word is one. */
static bool
take_switch(struct ctl *ctl, struct line *line, const char *word)
{
	if (strcmp(word, "--json") == 0)
		ctl->json = true;
	else if (strcmp(word, "--offline") == 0)
		ctl->offline = true;
	else if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0)
		line->version = true;
	else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		line->help = true;
	else
		return false;
	return true;
}

/* Is word this option? *value_r then is what stands behind a "=", or NULL. */
static bool
is_option(const char *word, const char *name, const char **value_r)
{
	size_t len = strlen(name);

	if (strncmp(word, name, len) != 0 ||
	    (word[len] != '\0' && word[len] != '='))
		return false;
	*value_r = word[len] == '=' ? word + len + 1 : NULL;
	return true;
}

/* Options with values; next is the word behind. Returns 0, 1 when next was
 * the value, -1 after a message. */
static int
take_option(
    struct ctl *ctl, struct line *line, const char *word, const char *next)
{
	static const char *const names[] = { "-c", "--config", "-o",
		"--nameserver", "--timeout", "--text" };
	const char *value = NULL;
	bool taken;
	size_t i = 0;
	int status = 0;

	while (i < sizeof(names) / sizeof(names[0]) &&
	       !is_option(word, names[i], &value))
		i++;
	if (i == sizeof(names) / sizeof(names[0])) {
		ctl_fail(
		    EX_USAGE, "no such option %s; see spfctl --help", word);
		return -1;
	}
	taken = value == NULL;
	if (taken)
		value = next;
	if (value == NULL) {
		ctl_fail(EX_USAGE, "%s: a value must follow", word);
		return -1;
	}
	if (i <= 1)
		line->config_file = value;
	else if (i == 2)
		status = add_change(line, NULL, value);
	else if (i == 3)
		status = add_change(line, "Nameservers", value);
	else if (i == 4)
		line->timeout = value;
	else
		ctl->text = value;
	return status != 0 ? -1 : taken ? 1 : 0;
}

/* Options may stand anywhere before "--". Returns 0 or EX_USAGE. */
static int
take_line(struct ctl *ctl, struct line *line, int argc, char **argv)
{
	bool ended = false;

	line->words = argv;
	for (int i = 1; i < argc; i++) {
		int used;

		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			line->words[line->count++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		if (take_switch(ctl, line, argv[i]))
			continue;
		used = take_option(
		    ctl, line, argv[i], i + 1 < argc ? argv[i + 1] : NULL);
		if (used < 0)
			return EX_USAGE;
		i += used;
	}
	return 0;
}

static int
apply_timeout(struct ctl *ctl, const char *text, struct err *err)
{
	char value[UNIT_TEXT_SIZE];
	int64_t seconds;

	if (unit_parse_time(text, 's', &seconds, err) != 0)
		return err_prefix(err, "--timeout: ");
	if (seconds < 1 || seconds > TIMEOUT_MAX_S)
		return err_set(
		    err, "--timeout: write 1 to %d seconds", TIMEOUT_MAX_S);
	snprintf(value, sizeof(value), "%llds", (long long)seconds);
	if (config_set(ctl->config, "Lookup_Time", value, err) != 0)
		return -1;
	if (seconds > QUESTION_TIMEOUT_MAX_S)
		seconds = QUESTION_TIMEOUT_MAX_S;
	snprintf(value, sizeof(value), "%llds", (long long)seconds);
	return config_set(ctl->config, "QuestionTimeout", value, err);
}

/* Reads the configuration. Returns 0, or an exit code after a message. */
static int
configure(struct ctl *ctl, const struct line *line)
{
	const char *path = line->config_file;
	struct err err;

	ctl->config = config_new(options_table, sizeof(struct options));
	if (path == NULL && access(OPTIONS_FILE, F_OK) == 0)
		path = OPTIONS_FILE;
	if (path != NULL && config_read(ctl->config, path, &err) != 0)
		return ctl_fail(EX_CONFIG, "%s", err.text);
	if (tool_apply(&line->changes, ctl->config, &err) != 0)
		return ctl_fail(EX_USAGE, "%s", err.text);
	if (line->timeout != NULL &&
	    apply_timeout(ctl, line->timeout, &err) != 0)
		return ctl_fail(EX_USAGE, "%s", err.text);
	if (options_check(ctl->config, &err) != 0)
		return ctl_fail(EX_CONFIG, "%s", err.text);
	ctl->options = config_values(ctl->config);
	return 0;
}

/* Runs the command that the first word names. */
static int
run(struct ctl *ctl, const struct line *line)
{
	const struct command *nearest = &commands[0];
	const char *name = line->words[0];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(ctl, line->count, line->words);
		if (str_distance(commands[i].name, name) <
		    str_distance(nearest->name, name))
			nearest = &commands[i];
	}
	return ctl_fail(EX_USAGE,
	    "no such command %s; did you mean %s? see "
	    "spfctl --help",
	    name, nearest->name);
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .json = false };
	struct line line = { .count = 0 };
	int code;

	log_open("spfctl", LOG_SINK_STDERR, 0);
	if (take_line(&ctl, &line, argc, argv) != 0)
		return EX_USAGE;
	if (line.help)
		return help();
	if (line.version) {
		puts("spfctl " POSTERN_VERSION);
		return ctl_finish(EX_OK);
	}
	if (line.count == 0)
		return ctl_fail(EX_USAGE, "a command is missing; see spfctl "
					  "--help");
	code = configure(&ctl, &line);
	if (code == 0)
		code = run(&ctl, &line);
	close_all(&ctl);
	return code;
}
