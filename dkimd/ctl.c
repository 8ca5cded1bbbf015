/* SPDX-License-Identifier: ISC */
/*
 * dkimctl - makes, checks and rotates DKIM keys, signs and verifies messages
 *
 * It reads dkimd's configuration and uses the same code, so what it says is
 * what the daemon does. It does not talk to the daemon. Called as
 * opendkim-genkey or opendkim-testkey it takes the place of these.
 *
 * Read on in: ctl_genkey.c, ctl_testkey.c, ctl_show.c, ctl_sign.c,
 * ctl_verify.c, ctl_rotate.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/args.h"
#include "common/dns_options.h"
#include "common/log.h"
#include "common/sandbox.h"
#include "common/str.h"
#include "common/textfile.h"
#include "common/tool.h"
#include "common/xmem.h"

#include "dkimd/ctl.h"
#include "dkimd/privkey.h"

#define PATIENCE_MS 10000
/* Room for the p= of the largest key. */
#define PUBLIC_SIZE 4096

struct command {
	const char *name;
	const char *usage; /* what follows the name */
	const char *help;
	int (*run)(struct ctl *ctl, int argc, char **argv);
};

static const struct command commands[] = {
	{ "genkey", "[-s SELECTOR] [-d DOMAIN] [-k rsa|ed25519] ...",
	    "make a key and the record to publish", ctl_genkey },
	{ "testkey", "[-d DOMAIN -s SELECTOR [-k KEY]]",
	    "compare keys with what DNS has", ctl_testkey },
	{ "show", "[KEYFILE ...]", "print the records to publish", ctl_show },
	{ "sign", "[-d DOMAIN -s SELECTOR -k KEY] [-m] FILE", "sign a message",
	    ctl_sign },
	{ "verify", "[--keys KEYS] FILE ...",
	    "verify the signatures of messages", ctl_verify },
	{ "rotate", "[--from DATE] [--write] NAME",
	    "prepare the next key of a name", ctl_rotate },
};

#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

int
ctl_fail(const struct ctl *ctl, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	tool_tell(ctl->program, format, args);
	va_end(args);
	return code;
}

int
ctl_finish(const struct ctl *ctl, int code)
{
	return tool_finish(ctl->program, code);
}

void
ctl_put(const char *text)
{
	tool_put(stdout, text, strlen(text));
}

static int
add_change(struct ctl *ctl, const char *name, const char *value)
{
	if (!tool_change(&ctl->changes, name, value))
		return ctl_fail(ctl, EX_USAGE, "too many options");
	return 0;
}

int
ctl_take(struct ctl *ctl, int c, char **argv)
{
	switch (c) {
	case 'c':
	case 'x':
		ctl->config_file = optarg;
		return 0;
	case 'o':
		return add_change(ctl, NULL, optarg);
	case 'v':
		ctl->verbosity++;
		return 0;
	case CTL_OPTION_NAMESERVER:
		return add_change(ctl, "Nameservers", optarg);
	case CTL_OPTION_KEYS:
		ctl->keys_file = optarg;
		return 0;
	default:
		break;
	}
	return ctl_fail(ctl, EX_USAGE,
	    "%s: no such option, or a value is missing; see %s --help",
	    argv[optind - 1], ctl->is_opendkim ? ctl->program : "dkimctl");
}

/* The file that the daemon would read, or NULL. */
static const char *
default_file(const struct ctl *ctl)
{
	if (!ctl->is_opendkim && access(OPTIONS_FILE, F_OK) == 0)
		return OPTIONS_FILE;
	return access(OPTIONS_OPENDKIM_FILE, F_OK) == 0 ? OPTIONS_OPENDKIM_FILE
							: NULL;
}

int
ctl_configure(struct ctl *ctl)
{
	const char *path = ctl->config_file;
	struct err err;

	if (path == NULL)
		path = default_file(ctl);
	if (path != NULL && config_read(ctl->config, path, &err) != 0)
		return ctl_fail(ctl, EX_CONFIG, "%s", err.text);
	if (tool_apply(&ctl->changes, ctl->config, &err) != 0)
		return ctl_fail(ctl, EX_USAGE, "%s", err.text);
	if (options_check(ctl->config, &err) != 0)
		return ctl_fail(ctl, EX_CONFIG, "%s", err.text);
	return 0;
}

static void
warn(void *arg, const char *text)
{
	ctl_fail(arg, 0, "warning: %s", text);
}

/* Who the daemon runs as; ourselves where that cannot be told, and where
 * somebody who is not root tries something out. */
static uid_t
owner_of(const struct ctl *ctl)
{
	uid_t uid = geteuid(), found;
	gid_t gid;
	struct err err;

	if (uid != 0 && !config_is_set(ctl->config, "User"))
		return uid;
	return sandbox_lookup(ctl->options->daemon.user,
		   ctl->options->daemon.group, &found, &gid, &err) == 0
		   ? found
		   : uid;
}

struct settings *
ctl_try_settings(
    const struct ctl *ctl, const struct config *config, struct err *err)
{
	return settings_load(
	    config, owner_of(ctl), warn, (void *)(uintptr_t)ctl, err);
}

int
ctl_load(struct ctl *ctl, const char *mode)
{
	struct err err;
	int code;

	/* Before the check, which may find no fault with the other mode. */
	if (mode != NULL && add_change(ctl, "Mode", mode) != 0)
		return EX_USAGE;
	code = ctl_configure(ctl);
	if (code != 0)
		return code;
	ctl->settings = ctl_try_settings(ctl, ctl->config, &err);
	if (ctl->settings == NULL)
		return ctl_fail(ctl, EX_CONFIG, "%s", err.text);
	return 0;
}

int
ctl_ask(struct ctl *ctl)
{
	const char *file = ctl->keys_file != NULL
			       ? ctl->keys_file
			       : ctl->options->test_public_keys;
	struct err err;

	if (file[0] != '\0') {
		ctl->lookup = lookup_source_file(file, &err);
		if (ctl->lookup == NULL)
			return ctl_fail(ctl, EX_NOINPUT, "%s", err.text);
		return 0;
	}
	ctl->dns_config = dns_options_config(&ctl->options->dns);
	/* We are who loses patience: the resolver would not say that it did. */
	ctl->dns_config->question_timeout_ms += PATIENCE_MS;
	ctl->dns = dns_thread_new(ctl->dns_config, &err);
	if (ctl->dns == NULL)
		return ctl_fail(ctl, EX_UNAVAILABLE, "%s", err.text);
	ctl->lookup = lookup_source_dns(
	    ctl->dns, ctl->options->dns.trust_anchor_file[0] != 0);
	return 0;
}

int
ctl_read(struct ctl *ctl, const char *path, struct ctl_message *message_r)
{
	bool is_stdin = strcmp(path, "-") == 0;
	struct err err;

	xmem_free(&ctl->text);
	if (textfile_read(is_stdin ? "/dev/stdin" : path, &ctl->text,
		&ctl->text_len, &err) != TEXTFILE_OK)
		return ctl_fail(ctl, EX_NOINPUT, "%s", err.text);
	if (ctl_message_parse(
		ctl->text, ctl->text_len, ctl->arena, message_r, &err) != 0)
		return ctl_fail(ctl, EX_DATAERR, "%s: %s",
		    is_stdin ? "standard input" : path, err.text);
	return 0;
}

struct engine_key *
ctl_load_key(const struct ctl *ctl, const char *path)
{
	const struct privkey_config config = {
		.base = ".",
		.owner = owner_of(ctl),
		.min_bits = 0,
		.warn = warn,
		.arg = (void *)(uintptr_t)ctl,
	};
	/* A bare name would be taken for a key itself. */
	const char *here = privkey_is_path(path) ? "" : "./";
	size_t size = strlen(here) + strlen(path) + 1;
	char *full = xmem_alloc(size);
	struct engine_key *key;
	struct err err;

	snprintf(full, size, "%s%s", here, path);
	key = privkey_load(full, &config, &err);
	xmem_free(&full);
	if (key == NULL)
		ctl_fail(ctl, EX_NOINPUT, "%s", err.text);
	return key;
}

const char *
ctl_public(const struct engine_key *key)
{
	static char text[PUBLIC_SIZE];

	if (engine_key_public(key, text, sizeof(text)) == 0)
		text[0] = '\0';
	return text;
}

const char *
ctl_type(const struct engine_key *key)
{
	return engine_key_algorithm(key) == SIGFIELD_ED25519_SHA256 ? "ed25519"
								    : "rsa";
}

static void
close_all(struct ctl *ctl)
{
	settings_release(&ctl->settings);
	lookup_source_free(&ctl->lookup);
	dns_thread_free(&ctl->dns);
	dns_options_free(&ctl->dns_config);
	engine_free(&ctl->engine);
	config_free(&ctl->config);
	xmem_free(&ctl->text);
	arena_free(&ctl->arena);
}

static int
help(const struct ctl *ctl)
{
	puts("usage: dkimctl COMMAND [OPTIONS] ...");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		printf("  %s %s\n      %s\n", commands[i].name,
		    commands[i].usage, commands[i].help);
	puts("\nof all commands but genkey:\n"
	     "  -c FILE                  dkimd's configuration "
	     "(default: " OPTIONS_FILE ")\n"
	     "  -o Name=Value            another value for one of its options\n"
	     "  --nameserver ADDR[@PORT] ask this one; may be given several "
	     "times\n"
	     "  --keys FILE              records from this file, not DNS: "
	     "NAME TEXT\n"
	     "  --help, dkimctl -V       options of a command; version");
	return ctl_finish(ctl, EX_OK);
}

/* Runs the command that argv[0] names. */
static int
run(struct ctl *ctl, int argc, char **argv)
{
	const struct command *nearest = &commands[0];

	for (size_t i = 0; i < COMMAND_COUNT; i++) {
		if (strcmp(commands[i].name, argv[0]) == 0)
			return commands[i].run(ctl, argc, argv);
		if (str_distance(commands[i].name, argv[0]) <
		    str_distance(nearest->name, argv[0]))
			nearest = &commands[i];
	}
	return ctl_fail(ctl, EX_USAGE,
	    "no such command %s; did you mean %s? see dkimctl --help", argv[0],
	    nearest->name);
}

/* As dkimctl: what stands before the command. */
static int
run_words(struct ctl *ctl, int argc, char **argv)
{
	const char *word = argc > 1 ? argv[1] : "";

	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
		puts("dkimctl " POSTERN_VERSION);
		return ctl_finish(ctl, EX_OK);
	}
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0)
		return help(ctl);
	if (word[0] == '\0' || word[0] == '-')
		return ctl_fail(ctl, EX_USAGE,
		    "a command must come first; "
		    "see dkimctl --help");
	return run(ctl, argc - 1, argv + 1);
}

/* The configuration with the daemon's defaults, which its file may change. */
static int
prepare(struct ctl *ctl)
{
	const struct daemon_default *d = ctl->is_opendkim
					     ? options_opendkim_defaults
					     : options_dkimd_defaults;
	struct err err;

	ctl->config = config_new(options_table, sizeof(struct options));
	config_set_style(ctl->config, OPTIONS_STYLE);
	for (; d->name != NULL; d++)
		if (config_default(ctl->config, d->name, d->value, &err) < 0)
			return ctl_fail(ctl, EX_SOFTWARE, "%s", err.text);
	ctl->options = config_values(ctl->config);
	return 0;
}

int
main(int argc, char **argv)
{
	const char *name = args_program(argc, argv);
	struct ctl ctl = { .program = "dkimctl" };
	int code;

	log_open("dkimctl", LOG_SINK_STDERR, 0);
	ctl.arena = arena_new();
	/* Unknown options get a message of ours. */
	opterr = 0;
	if (str_has_prefix_nocase(name, "opendkim-")) {
		ctl.program = name;
		ctl.is_opendkim = true;
	}
	code = prepare(&ctl);
	if (code != 0)
		goto out;
	if (strcmp(name, "opendkim-genkey") == 0)
		code = ctl_genkey(&ctl, argc, argv);
	else if (strcmp(name, "opendkim-testkey") == 0)
		code = ctl_testkey(&ctl, argc, argv);
	else
		code = run_words(&ctl, argc, argv);
out:
	close_all(&ctl);
	return code;
}
