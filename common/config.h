/* SPDX-License-Identifier: ISC */
/*
 * config.h - the option table: one row per option, and all that follows
 *
 * A daemon describes its options once, in a table. From it come the parser
 * of the file and of the command line, "-p", "--help" and the check against
 * the manual page. Values land in a struct of the daemon's, at the offsets
 * that the rows name.
 *
 * File format: "Name value" or "Name = value", one per line; "#" starts a
 * comment at the start of a line or after a blank; a value may stand in
 * double quotes ("\"" and "\\" inside) to keep blanks and "#". Names are
 * compared without case, "-" and "_": MaxAge, max-age and max_age are one.
 * A later value replaces an earlier one, except for lists, which grow; an
 * empty value ("" or nothing after "=") empties a list. Values have at most
 * CONFIG_VALUE_MAX bytes and no control characters but tab.
 *
 * In the style of opendkim.conf(5) "#" begins a comment wherever it stands
 * outside of double quotes, only the first letter of a BOOL counts (t, y, 1;
 * f, n, 0), and "Include PATH" reads another file, CONFIG_INCLUDE_MAX deep.
 *
 * Threads: start-up and event loop only.
 */
#ifndef POSTERN_COMMON_CONFIG_H
#define POSTERN_COMMON_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/err.h"

/* What a value is, and the type of the field it fills. */
enum config_type {
	CONFIG_BOOL,    /* bool: yes no true false on off 1 0 */
	CONFIG_INT,     /* int64_t: decimal, min..max */
	CONFIG_OCTAL,   /* int64_t: octal mode, min..max */
	CONFIG_TIME,    /* int64_t seconds, min..max; unit = default unit */
	CONFIG_SIZE,    /* int64_t bytes, min..max; unit = default unit */
	CONFIG_STRING,  /* char *, owned by the configuration */
	CONFIG_ENUM,    /* int: index into choices */
	CONFIG_LIST,    /* struct config_list: one element per line */
	CONFIG_CALL,    /* no field: set() does the work (aliases) */
	CONFIG_IGNORED, /* no field: known but not needed, one notice */
	CONFIG_REFUSED, /* no field: known, and to ignore it would change
			 * what happens to mail: an error that ends in help.
			 * Only initial, when there is one, may be said */
};

/* How files are written. */
enum config_style {
	CONFIG_STYLE_OWN,
	CONFIG_STYLE_OPENDKIM,
};

struct config_list {
	char **items; /* count texts, owned by the configuration */
	size_t count;
};

struct config;

struct config_option {
	const char *name; /* canonical spelling: "MaxAge" */
	enum config_type type;
	size_t offset;              /* of the field in the daemon's struct */
	const char *initial;        /* default as text, NULL = zero/empty; for
				 * lists one element that the first explicit
				 * value replaces */
	int64_t min, max;           /* for numbers, in the base unit; both 0:
				 * any number that is not negative */
	char unit;                  /* default unit for TIME and SIZE, else 0 */
	const char *const *choices; /* NULL-terminated, for ENUM */
	/* for CALL: acts on config (mostly by config_set); value is NULL
	 * when none was given. Returns 0 or -1 with err. */
	int (*set)(struct config *config, const char *value, struct err *err);
	/* may be NULL: is this value one that can be used? Returns 0 or -1
	 * with err, which need not name the option. Not asked about "". */
	int (*check)(const char *value, struct err *err);
	const char *if_bare;  /* the value of "--name" without "=value"; NULL
				 * when a value is required ("yes" for BOOL
				 * goes without saying) */
	const char *argument; /* what --help calls the value: "SECONDS";
				 * CALL and IGNORED without it need no value */
	const char *help;     /* one line, lower case, no full stop */
};

/* Ends a table. */
#define CONFIG_END                                                             \
	{                                                                      \
		.name = NULL                                                   \
	}

/* Makes a configuration for the table and the struct of values_size bytes,
 * filled with the defaults. The table (ended by CONFIG_END) is borrowed.
 * Aborts when a default does not parse: that is our bug. */
struct config *config_new(
    const struct config_option *options, size_t values_size);

/* Frees the configuration with its struct; sets *config to NULL. */
void config_free(struct config **config);

/* From now on files and values are in this style; CONFIG_STYLE_OWN before. */
void config_set_style(struct config *config, enum config_style style);

/* A copy of config with its values: immutable, so to say. Its notices are not
 * copied. The caller frees it. */
struct config *config_copy(const struct config *config);

/* The daemon's struct, valid until config_free. */
void *config_values(const struct config *config);

/* Sets one option by name. value NULL means "without a value". Returns 0, or
 * -1 with a sentence that names the option, the text and what is allowed;
 * for an unknown name it names the nearest known one. */
int config_set(struct config *config, const char *name, const char *value,
    struct err *err);

/* Replaces a default (postgrey's differ from greylistd's): like config_set,
 * but the option still counts as not given. The first call replaces a list,
 * further ones add to it. Does nothing to an option that was given. */
int config_default(struct config *config, const char *name, const char *value,
    struct err *err);

/* Was the option given explicitly (file or command line)? */
bool config_is_set(const struct config *config, const char *name);

/* The table's row of name, or NULL. */
const struct config_option *config_find(
    const struct config *config, const char *name);

/* The row whose name is nearest to name, for "did you mean". The table must
 * not be empty. */
const struct config_option *config_nearest(
    const struct config *config, const char *name);

/* Must "--name" be followed by a value? */
bool config_needs_value(const struct config_option *option);

/* Room for any name of an option, of either spelling. */
#define CONFIG_NAME_SIZE 64

/* Writes the name as on the command line, without "--" ("max-age" for
 * MaxAge), and returns buf. */
const char *config_long_name(
    const struct config_option *option, char buf[static CONFIG_NAME_SIZE]);

/* Reads a file. Stops at the first fault: -1 and "FILE:LINE: what, and what
 * to write instead". Lines are at most CONFIG_LINE_MAX bytes. A list that the
 * file began is begun anew by the first config_set after it: the command line
 * wins over the file. */
int config_read(struct config *config, const char *path, struct err *err);

/* The same from text in memory of len bytes; name stands for the path. */
int config_parse(struct config *config, const char *name, const char *text,
    size_t len, struct err *err);

/* The same for a file that another one names ("Include"): a CALL of the
 * table. The path must be absolute. */
int config_include(struct config *config, const char *path, struct err *err);

/* So many files may include one another. */
#define CONFIG_INCLUDE_MAX 5

#define CONFIG_LINE_MAX 4096
/* The longest value: printed with each byte escaped it still fits a line. */
#define CONFIG_VALUE_MAX 2000

/* Prints the effective configuration in file format: every option with its
 * value, those left at their default marked as a comment. */
void config_print(const struct config *config, FILE *out);

/* Prints the options for --help, in at most 80 columns. */
void config_help(const struct config_option *options, FILE *out);

/* Number of notices about CONFIG_IGNORED options since config_new; text i
 * (0..count-1) is a sentence for the log, valid until config_free. */
size_t config_notice_count(const struct config *config);
/* Notice i, see config_notice_count. */
const char *config_notice(const struct config *config, size_t i);

#endif
