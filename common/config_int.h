/* SPDX-License-Identifier: ISC */
/*
 * config_int.h - what the parts of config share, for config*.c alone
 *
 * config.c holds values, config_value.c knows their types, config_file.c reads
 * and prints files, config_help.c is for readers of --help.
 *
 * Threads: as config.h.
 */
#ifndef POSTERN_COMMON_CONFIG_INT_H
#define POSTERN_COMMON_CONFIG_INT_H

#include "common/config.h"

/* Where an option's value comes from; a higher one replaces a lower one. */
enum config_origin {
	CONFIG_INITIAL,   /* the table */
	CONFIG_DEFAULTED, /* config_default */
	CONFIG_READ,      /* a file */
	CONFIG_GIVEN,     /* the command line */
};

struct config {
	const struct config_option *options; /* borrowed */
	void *values;
	size_t values_size;
	enum config_origin *origins; /* one per option */
	bool is_defaulting; /* config_set is called by config_default */
	bool is_reading;    /* ... or by config_parse */
	enum config_style style;
	unsigned depth; /* of included files */
	char **notices;
	size_t notice_count;
};

/* Where option's value is in the daemon's struct. */
void *config_value_field(
    const struct config *config, const struct config_option *option);

/* Puts value into the field of an option that has one; replace: in place of a
 * list's elements, not behind them. Returns 0 or -1. */
int config_value_set(struct config *config, const struct config_option *option,
    const char *value, bool replace, struct err *err);

/* Appends an element; replace, or an empty one, takes all others away, and an
 * empty one is not kept. */
void config_value_add(
    struct config_list *list, const char *value, bool replace);

/* Frees all elements. */
void config_value_clear(struct config_list *list);

/* Writes option's value at index i of its list (0 for what is no list) as
 * config_set would take it into buf and returns it. */
const char *config_value_text(const struct config *config,
    const struct config_option *option, size_t i,
    char buf[static CONFIG_VALUE_MAX + 1]);

/* How many values does option hold: 1, or the length of its list; 0 for
 * options without a field. */
size_t config_value_count(
    const struct config *config, const struct config_option *option);

#endif
