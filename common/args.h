/* SPDX-License-Identifier: ISC */
/*
 * args.h - the command line that all daemons share
 *
 *     -c FILE  -o Name=Value  -t  -p  -f  -d  -v  -V  -h  --help  --version
 *     --name  --name=value  --name value     any option of the table
 *
 * Short options stand alone ("-vi" and "-i10023" are errors). Names are
 * never abbreviated. An option that needs a value takes the next word, also
 * one that begins with "-"; others take a value only after "=". "--" ends
 * the options. The last of several -c wins. The file is read first, whatever
 * the order of the words, so that the command line wins.
 *
 * Long names for what is no option of a table: --help --man --version
 * --verbose --quiet --daemonize --config.
 *
 * Threads: start-up only.
 */
#ifndef POSTERN_COMMON_ARGS_H
#define POSTERN_COMMON_ARGS_H

#include <stdbool.h>
#include <stdio.h>

#include "common/config.h"
#include "common/err.h"

/* One letter that stands for a long option of the table. */
struct args_short {
	char letter;      /* 0 ends a list of these */
	const char *name; /* "Unix" */
};

/* What to do besides running. */
enum args_mode {
	ARGS_RUN,
	ARGS_CHECK,   /* -t */
	ARGS_PRINT,   /* -p */
	ARGS_HELP,    /* -h, --help, --man */
	ARGS_VERSION, /* -V, --version */
};

struct args_spec {
	const struct args_short *letters; /* may be NULL */
	bool ignore_words;       /* skip words that are no options (postgrey);
				 * else they are an error */
	bool word_is_file;       /* a word that is no option names the
				 * configuration file, as -c does
				 * (policyd-spf) */
	const char *config_file; /* read when it exists and no -c was
					 * given; NULL = none */
	enum config_style style; /* of the file and of all values */
};

struct args {
	enum args_mode mode;
	bool daemonize;          /* the last of -d/--daemonize and -f wins */
	bool foreground;         /* it was -f */
	int verbosity;           /* -v/--verbose counts up; -q/--quiet sets the
				 * option Quiet where the table has one, and
				 * counts down where it has not */
	const char *config_file; /* what was read, or NULL; borrowed */
	bool config_error;       /* the fault lies in a value or in the file,
				 * not in the form of the command line */
};

/* Reads argv (argc words, argv[0] is skipped) and the configuration file
 * into config; for ARGS_HELP and ARGS_VERSION neither the file nor any value
 * is looked at. Returns 0, or -1 with err (and args_r->config_error).
 * args_r borrows from argv and spec. */
int args_parse(const struct args_spec *spec, int argc, char **argv,
    struct config *config, struct args *args_r, struct err *err);

/* The name that a program was called by, without the folder; "" when there is
 * none. */
const char *args_program(int argc, char **argv);

/* Prints the lines of --help about the options of this file. */
void args_help(FILE *out);

#endif
