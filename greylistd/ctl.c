/* SPDX-License-Identifier: ISC */
/*
 * greylistctl - looks into greylistd's database and changes it
 *
 * It opens the same SQLite file as the daemon, which may run or not, and
 * writes in small transactions, so that no mail waits for it. The daemon
 * sees that the file changed and reads its rules again. Whoever can write
 * the file is trusted; what is in it came from strangers, and is never
 * printed raw.
 *
 * Read on in: ctl.h, ctl_entry.h (keys and filters), ctl_list.c, ctl_rule.c,
 * ctl_text.h (the export format), ctl_postgrey.c, ctl_report.c.
 */
#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "common/args.h"
#include "common/now.h"
#include "common/str.h"
#include "common/tool.h"

#include "greylistd/ctl.h"

/* Between write transactions the file is left alone for so many times as long
 * as it was locked. */
#define PAUSE_FACTOR 2
#define PAUSE_MIN_US 2000
#define PAUSE_MAX_US 100000

struct command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *help;
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

static const struct command commands[] = {
	{ "list",
	    "[--pending|--passed] [--network NET] [--sender X] "
	    "[--recipient X] [--limit N]",
	    "show triplets", ctl_list },
	{ "list clients", "[--network NET] [--limit N]",
	    "show the auto-whitelist", NULL },
	{ "list rules", "", "show what was allowed or blocked", NULL },
	{ "show", "ADDRESS|KEY",
	    "tell all that is known of a client, a sender "
	    "or a recipient",
	    ctl_show },
	{ "forget",
	    "KEY... | [--network NET] [--sender X] [--recipient X] "
	    "[--client ADDRESS] | --all --yes",
	    "remove triplets and clients", ctl_forget },
	{ "allow", "KIND VALUE [--comment TEXT] [--expires TIME]",
	    "let mail pass (KIND: client network domain sender recipient)",
	    ctl_rule_allow },
	{ "block", "KIND VALUE [--comment TEXT] [--expires TIME]",
	    "refuse mail", ctl_rule_block },
	{ "remove-rule", "KIND VALUE", "undo allow or block", ctl_rule_remove },
	{ "stats", "[--days N]", "show figures", ctl_stats },
	{ "export", "[FILE]", "write everything to FILE or standard output",
	    ctl_export },
	{ "import", "FILE", "add what export wrote (\"-\" = standard input)",
	    ctl_import },
	{ "import-postgrey", "[--delay SECONDS] OLD NEW",
	    "turn postgrey's directory OLD into our database NEW",
	    ctl_postgrey },
	{ "report", "[OPTIONS] <MAILLOG", "show who never came back",
	    ctl_report },
	{ "check", "", "look for damage", ctl_maint_check },
	{ "vacuum", "", "give unused space back, count anew",
	    ctl_maint_vacuum },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int
ctl_fail(int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tool_tell("greylistctl", format, args);
	va_end(args);
	return code;
}

void
ctl_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tool_tell("greylistctl", format, args);
	va_end(args);
}

int
ctl_finish(int code)
{
	return tool_finish("greylistctl", code);
}

int
ctl_number(const char *name, const char *text, uint64_t max, int64_t *value_io)
{
	unsigned long long value;

	if (text == NULL)
		return 0;
	if (!str_to_uint(text, max, &value) || value == 0)
		return ctl_fail(EX_USAGE,
		    "--%s %s: write a number from 1 to "
		    "%llu",
		    name, text, (unsigned long long)max);
	*value_io = (int64_t)value;
	return 0;
}

/* Finds word ("--name" or "--name=value") in the options. */
static const struct ctl_option *
find_option(const struct ctl_option *options, const char *word)
{
	size_t len = strcspn(word, "=");

	char name[32];

	if (len >= sizeof(name))
		return NULL;
	memcpy(name, word, len);
	name[len] = '\0';
	for (; options->name != NULL; options++) {
		if (str_equal_name(options->name, name))
			return options;
	}
	return NULL;
}

/* Takes option argv[*i] with its value. */
static int
take_option(const struct ctl_option *option, int argc, char **argv, int *i)
{
	const char *value = strchr(argv[*i], '=');

	if (option->flag != NULL) {
		if (value != NULL)
			return ctl_fail(
			    EX_USAGE, "--%s takes no value", option->name);
		*option->flag = true;
		return 0;
	}
	if (value != NULL)
		value++;
	else if (*i + 1 < argc)
		value = argv[++*i];
	else
		return ctl_fail(
		    EX_USAGE, "--%s: a value must follow", option->name);
	if (option->value != NULL)
		*option->value = value;
	else if (option->list->count < CTL_OPTION_LIST_MAX)
		option->list->items[option->list->count++] = value;
	else
		return ctl_fail(EX_USAGE, "--%s: at most %d of these",
		    option->name, CTL_OPTION_LIST_MAX);
	return 0;
}

int
ctl_options(
    struct ctl *ctl, const struct ctl_option *options, int *argc, char **argv)
{
	const struct ctl_option everywhere[] = {
		{ "json", &ctl->json, NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	int words = 1;
	bool ended = false;

	for (int i = 1; i < *argc; i++) {
		const struct ctl_option *option;

		if (ended || argv[i][0] != '-' || argv[i][1] == '\0') {
			argv[words++] = argv[i];
			continue;
		}
		if (strcmp(argv[i], "--") == 0) {
			ended = true;
			continue;
		}
		option = strncmp(argv[i], "--", 2) != 0
			     ? NULL
			     : find_option(options, argv[i] + 2);
		if (option == NULL && strncmp(argv[i], "--", 2) == 0)
			option = find_option(everywhere, argv[i] + 2);
		if (option == NULL)
			return ctl_fail(EX_USAGE,
			    "%s: no such option %s; see "
			    "greylistctl --help",
			    argv[0], argv[i]);
		if (take_option(option, *argc, argv, &i) != 0)
			return EX_USAGE;
	}
	*argc = words;
	return 0;
}

int
ctl_configure(struct ctl *ctl, const char *path, const char *database)
{
	struct err err;
	const struct options *options;

	ctl->config = config_new(options_table, sizeof(struct options));
	for (const struct daemon_default *d = options_greylistd_defaults;
	     d->name != NULL; d++) {
		if (config_default(ctl->config, d->name, d->value, &err) != 0)
			return ctl_fail(EX_SOFTWARE, "%s", err.text);
	}
	if (path == NULL && access(OPTIONS_FILE, F_OK) == 0)
		path = OPTIONS_FILE;
	if (path != NULL && config_read(ctl->config, path, &err) != 0)
		return ctl_fail(EX_CONFIG, "%s", err.text);
	options = config_values(ctl->config);
	ctl->named = database != NULL;
	if (database == NULL)
		database = options->database;
	if (strlen(database) >= sizeof(ctl->database))
		return ctl_fail(EX_USAGE, "the database's path is too long");
	memcpy(ctl->database, database, strlen(database) + 1);
	ctl->options = options;
	ctl->key.by_host = options->lookup_by_host;
	ctl->key.ipv4_prefix = (unsigned)options->ipv4_cidr;
	ctl->key.ipv6_prefix = (unsigned)options->ipv6_cidr;
	ctl->key.privacy = options->privacy;
	ctl->policy.delay_s = options->delay_s;
	ctl->policy.retry_window_s = options->retry_window_s;
	ctl->policy.max_age_s = options->max_age_s;
	ctl->policy.client_threshold = options->auto_whitelist_clients;
	ctl->now_s = now_wall_s();
	return 0;
}

int
ctl_owner(const char *path, uid_t *uid_r, gid_t *gid_r, struct err *err)
{
	char copy[PATH_MAX];
	struct stat st;

	if (strlen(path) >= sizeof(copy))
		return err_set(err, "the path %s is too long", path);
	memcpy(copy, path, strlen(path) + 1);
	if (stat(dirname(copy), &st) != 0)
		return err_set_errno(err, errno, "%s", copy);
	/* Who owns the directory can put any file there, so that one's rights
	 * are all that opening it deserves. */
	if (st.st_uid == 0 && stat(path, &st) != 0 && errno != ENOENT)
		return err_set_errno(err, errno, "%s", path);
	*uid_r = st.st_uid;
	*gid_r = st.st_gid;
	return 0;
}

int
ctl_become(uid_t uid, gid_t gid, struct err *err)
{
	if (geteuid() != 0 || uid == 0)
		return 0;
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return err_set_errno(
		    err, errno, "cannot become user %lu", (unsigned long)uid);
	return 0;
}

int
ctl_open(struct ctl *ctl, enum store_mode mode)
{
	struct err err, note;
	uid_t uid;
	gid_t gid;

	if (ctl->gs != NULL)
		return 0;
	if (access(ctl->database, F_OK) != 0 && errno == ENOENT &&
	    mode != STORE_DAEMON)
		return ctl_fail(EX_NOINPUT,
		    "there is no database %s; name it "
		    "with -D FILE, or start greylistd, which makes it",
		    ctl->database);
	if (ctl_owner(ctl->database, &uid, &gid, &err) != 0)
		return ctl_fail(EX_NOINPUT, "%s", err.text);
	if (ctl_become(uid, gid, &err) != 0)
		return ctl_fail(EX_NOPERM, "%s", err.text);
	ctl->gs = greystore_open(ctl->database, mode, &note, &err);
	if (ctl->gs == NULL)
		return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
	ctl->writes = mode != STORE_TOOL_READ;
	ctl->made = mode == STORE_DAEMON;
	if (note.text[0] != '\0')
		ctl_note("%s", note.text);
	return 0;
}

int
ctl_open_or_make(struct ctl *ctl)
{
	/* A name on the command line may be a slip of the hand. */
	bool make =
	    !ctl->named && access(ctl->database, F_OK) != 0 && errno == ENOENT;

	return ctl_open(ctl, make ? STORE_DAEMON : STORE_TOOL);
}

void
ctl_pause(const struct ctl *ctl, int64_t began_us)
{
	int64_t us = PAUSE_FACTOR * (now_mono_us() - began_us);
	struct timespec pause;

	if (ctl->made)
		return;
	if (us < PAUSE_MIN_US)
		us = PAUSE_MIN_US;
	if (us > PAUSE_MAX_US)
		us = PAUSE_MAX_US;
	pause.tv_sec = 0;
	pause.tv_nsec = us * 1000;
	nanosleep(&pause, NULL);
}

void
ctl_close(struct ctl *ctl)
{
	const struct timespec turn = { .tv_nsec = (GREYSTORE_SNAPSHOT_MS + 2) *
						  INT64_C(1000000) };

	greystore_close(&ctl->gs);
	/* When the shell has its prompt back the change is in force. */
	if (ctl->writes)
		nanosleep(&turn, NULL);
	config_free(&ctl->config);
}

static int
help(void)
{
	puts("usage: greylistctl [-c FILE] [-D DATABASE] [--json] COMMAND ...");
	puts("  -c FILE      greylistd's configuration (default: " OPTIONS_FILE
	     ")");
	puts("  -D DATABASE  the database, instead of the configured one");
	puts("  --json       print JSON");
	puts("  -V, --help   version, this text\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %s %s\n      %s\n", commands[i].name,
		    commands[i].usage, commands[i].help);
	return ctl_finish(EX_OK);
}

/* Runs the command that argv[0] names. */
static int
run(struct ctl *ctl, int argc, char **argv)
{
	const struct command *nearest = &commands[0];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		const struct command *command = &commands[i];

		if (command->run == NULL)
			continue;
		if (strcmp(command->name, argv[0]) == 0)
			return command->run(ctl, argc, argv);
		if (str_distance(command->name, argv[0]) <
		    str_distance(nearest->name, argv[0]))
			nearest = command;
	}
	return ctl_fail(EX_USAGE,
	    "no such command %s; did you mean %s? see "
	    "greylistctl --help",
	    argv[0], nearest->name);
}

struct globals {
	const char *config_file;
	const char *database;
	bool help;
	bool version;
};

/* Takes the options before the command. Returns the index of the command (argc
 * when there is none), or -1 after a message. */
static int
take_globals(struct ctl *ctl, struct globals *globals, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		const char **value = NULL;

		if (word[0] != '-')
			return i;
		if (strcmp(word, "-c") == 0 || strcmp(word, "--config") == 0)
			value = &globals->config_file;
		else if (strcmp(word, "-D") == 0 ||
			 strcmp(word, "--database") == 0)
			value = &globals->database;
		else if (strcmp(word, "--json") == 0)
			ctl->json = true;
		else if (strcmp(word, "-V") == 0 ||
			 strcmp(word, "--version") == 0)
			globals->version = true;
		else if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
			globals->help = true;
		else {
			ctl_fail(EX_USAGE,
			    "no such option %s; see greylistctl "
			    "--help",
			    word);
			return -1;
		}
		if (value != NULL) {
			if (i + 1 >= argc) {
				ctl_fail(
				    EX_USAGE, "%s: a value must follow", word);
				return -1;
			}
			*value = argv[++i];
		}
	}
	return argc;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .json = false };
	struct globals globals = { .config_file = NULL };
	int first, code;

	if (strcmp(args_program(argc, argv), "postgreyreport") == 0) {
		code = ctl_report(&ctl, argc, argv);
		goto out;
	}
	first = take_globals(&ctl, &globals, argc, argv);
	if (first < 0)
		return EX_USAGE;
	if (globals.help)
		return help();
	if (globals.version) {
		puts("greylistctl " POSTERN_VERSION);
		return ctl_finish(EX_OK);
	}
	if (first == argc)
		return ctl_fail(EX_USAGE, "a command is missing; see "
					  "greylistctl --help");
	code = ctl_configure(&ctl, globals.config_file, globals.database);
	if (code == 0)
		code = run(&ctl, argc - first, argv + first);
out:
	ctl_close(&ctl);
	return code;
}
