/* SPDX-License-Identifier: ISC */
/*
 * ctl.h - dkimctl: what its commands share
 *
 * Read ctl.c first. Pure parts, with tests of their own: ctl_txt.h (records
 * to publish), ctl_message.h (mail from files), ctl_rotation.h (new lines for
 * a KeyTable). Texts from mail and DNS are hostile: they reach a terminal only
 * escaped.
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_DKIMD_CTL_H
#define POSTERN_DKIMD_CTL_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/config.h"
#include "common/dns_thread.h"
#include "common/tool.h"

#include "dkimd/ctl_message.h"
#include "dkimd/engine.h"
#include "dkimd/keytable.h"
#include "dkimd/lookup.h"
#include "dkimd/options.h"
#include "dkimd/settings.h"

/* Exit codes beside those of sysexits.h. */
enum ctl_code { /* of verify */
	CTL_PASS = 0,
	CTL_FAIL = 1, /* also policy, neutral */
	CTL_NONE = 4,
	CTL_PERMERROR = 5,
	CTL_TEMPERROR = 6,
};

struct ctl {
	const char *program; /* "dkimctl", or the name it was called by */
	bool is_opendkim;    /* called by a name of opendkim's */
	int verbosity;

	/* As given. */
	const char *config_file;
	const char *keys_file;
	struct tool_changes changes;

	/* Made when they are needed. */
	struct config *config;
	const struct options *options;
	struct settings *settings;
	struct dns_config *dns_config;
	struct dns_thread *dns;
	struct lookup_source *lookup;
	struct engine *engine;
	char *text; /* of a message, as it was read */
	size_t text_len;
	struct arena *arena;
};

/* Prints "PROGRAM: text" on standard error, hostile bytes escaped, and returns
 * code. */
int ctl_fail(const struct ctl *ctl, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Flushes standard output. Returns code, or EX_IOERR after a message when
 * something could not be written. */
int ctl_finish(const struct ctl *ctl, int code);

/* Writes a hostile text, escaped, to standard output. */
void ctl_put(const char *text);

/* The options of all commands that read the configuration, for getopt_long;
 * "v" may be given several times. */
#define CTL_LETTERS "c:x:o:v"
enum ctl_option {
	CTL_OPTION_HELP = 1000,
	CTL_OPTION_NAMESERVER,
	CTL_OPTION_KEYS,
	CTL_OPTION_OWN, /* a command's own begin here */
};
/* clang-format off */
#define CTL_LONG                                                              \
	{ "config", required_argument, NULL, 'c' },                           \
	{ "verbose", no_argument, NULL, 'v' },                                \
	{ "nameserver", required_argument, NULL, CTL_OPTION_NAMESERVER },     \
	{ "keys", required_argument, NULL, CTL_OPTION_KEYS },                 \
	{ "help", no_argument, NULL, CTL_OPTION_HELP }
/* clang-format on */

/* Takes one of them, c being getopt_long's answer. Returns 0, or EX_USAGE
 * after a message (also for what getopt_long did not know). */
int ctl_take(struct ctl *ctl, int c, char **argv);

/* Reads the configuration into ctl->options. Returns 0, or an exit code after
 * a message. */
int ctl_configure(struct ctl *ctl);

/* And all that it names into ctl->settings. mode is what the daemon's Mode
 * shall be: private keys are loaded only with "s" in it; NULL = as it is. */
int ctl_load(struct ctl *ctl, const char *mode);

/* The settings of another configuration; the caller releases them. Returns NULL
 * with err. */
struct settings *ctl_try_settings(
    const struct ctl *ctl, const struct config *config, struct err *err);

/* Makes ctl->lookup: of --keys, else DNS. After ctl_configure. */
int ctl_ask(struct ctl *ctl);

/* Reads the message in the file ("-" = standard input); it lives as long as
 * ctl. Returns 0, or an exit code after a message. */
int ctl_read(struct ctl *ctl, const char *path, struct ctl_message *message_r);

/* Loads the private key of a file, of any owner and permissions; doubtful ones
 * are told. Returns NULL after a message. */
struct engine_key *ctl_load_key(const struct ctl *ctl, const char *path);

/* The p= of a key, in a buffer of its own that the next call uses again. */
const char *ctl_public(const struct engine_key *key);

/* "rsa" or "ed25519": k= of its record. */
const char *ctl_type(const struct engine_key *key);

/* The commands: argv[0] is the command. They return an exit code. */
/* dkimctl genkey, opendkim-genkey: a new key and its record */
int ctl_genkey(struct ctl *ctl, int argc, char **argv);
/* dkimctl testkey, opendkim-testkey: do DNS and our keys match? */
int ctl_testkey(struct ctl *ctl, int argc, char **argv);
/* dkimctl show: what to publish */
int ctl_show(struct ctl *ctl, int argc, char **argv);
/* dkimctl sign: the signature of a message */
int ctl_sign(struct ctl *ctl, int argc, char **argv);
/* dkimctl verify: the signatures of a message, step by step */
int ctl_verify(struct ctl *ctl, int argc, char **argv);
/* dkimctl rotate: the next key of a name */
int ctl_rotate(struct ctl *ctl, int argc, char **argv);

#endif
