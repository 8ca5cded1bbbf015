/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/config_int.h"
#include "common/str.h"
#include "common/xmem.h"

static size_t
index_of(const struct config *config, const struct config_option *option)
{
	return (size_t)(option - config->options);
}

const struct config_option *
config_find(const struct config *config, const char *name)
{
	const struct config_option *option;

	for (option = config->options; option->name != NULL; option++)
		if (str_equal_name(option->name, name))
			return option;
	return NULL;
}

const struct config_option *
config_nearest(const struct config *config, const char *name)
{
	const struct config_option *nearest = config->options;
	const struct config_option *option;
	unsigned best = UINT32_MAX;

	assert(nearest->name != NULL);
	for (option = config->options; option->name != NULL; option++) {
		unsigned distance = str_distance(option->name, name);

		if (distance < best) {
			best = distance;
			nearest = option;
		}
	}
	return nearest;
}

bool
config_needs_value(const struct config_option *option)
{
	switch (option->type) {
	case CONFIG_BOOL:
		return false;
	case CONFIG_CALL:
	case CONFIG_IGNORED:
	case CONFIG_REFUSED:
		return option->argument != NULL && option->if_bare == NULL;
	case CONFIG_INT:
	case CONFIG_OCTAL:
	case CONFIG_TIME:
	case CONFIG_SIZE:
	case CONFIG_STRING:
	case CONFIG_ENUM:
	case CONFIG_LIST:
		break;
	}
	return option->if_bare == NULL;
}

static void
add_notice(struct config *config, const struct config_option *option)
{
	struct err text;

	if (config->origins[index_of(config, option)] >= CONFIG_READ)
		return;
	(void)err_set(&text,
	    "option %s is known but not needed: it has no"
	    " effect",
	    option->name);
	config->notices = xmem_realloc(config->notices,
	    config->notice_count + 1, sizeof(*config->notices));
	config->notices[config->notice_count++] = xmem_strdup(text.text);
}

static int
refuse(const struct config_option *option, const char *value, struct err *err)
{
	if (option->initial != NULL && value != NULL &&
	    str_equal_nocase(value, option->initial))
		return 0;
	return err_set(
	    err, "%s is not supported: %s", option->name, option->help);
}

static int
check_text(const char *name, const char *value, struct err *err)
{
	size_t len = strlen(value);

	if (len > CONFIG_VALUE_MAX)
		return err_set(err, "%s: the value is longer than %d bytes",
		    name, CONFIG_VALUE_MAX);
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)value[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return err_set(err,
			    "%s: the value holds a control"
			    " character (0x%02x)",
			    name, c);
	}
	return 0;
}

/* Puts value, which was checked to be there where it must, into the field. */
static int
store_value(struct config *config, const struct config_option *option,
    const char *value, enum config_origin origin, struct err *err)
{
	if (option->type == CONFIG_CALL)
		return option->set(config, value, err);
	if (option->type == CONFIG_REFUSED)
		return refuse(option, value, err);
	if (option->type != CONFIG_IGNORED)
		return config_value_set(config, option, value,
		    config->origins[index_of(config, option)] < origin, err);
	add_notice(config, option);
	return 0;
}

static int
assign(struct config *config, const struct config_option *option,
    const char *value, enum config_origin origin, struct err *err)
{
	enum config_origin *own = &config->origins[index_of(config, option)];

	if (value == NULL && config_needs_value(option))
		return err_set(err, "%s needs a value%s%s", option->name,
		    option->argument != NULL ? ": " : "",
		    option->argument != NULL ? option->argument : "");
	if (value == NULL)
		value = option->if_bare;
	if (value == NULL && option->type == CONFIG_BOOL)
		value = "yes";
	if (value != NULL && check_text(option->name, value, err) < 0)
		return -1;
	if (option->check != NULL && value != NULL && value[0] != '\0' &&
	    option->check(value, err) < 0)
		return err_prefix(err, "%s: ", option->name);
	if (store_value(config, option, value, origin, err) < 0)
		return -1;
	*own = origin;
	return 0;
}

int
config_set(
    struct config *config, const char *name, const char *value, struct err *err)
{
	const struct config_option *option = config_find(config, name);
	enum config_origin origin = config->is_defaulting ? CONFIG_DEFAULTED
				    : config->is_reading  ? CONFIG_READ
							  : CONFIG_GIVEN;

	if (option == NULL)
		return err_set(err,
		    "unknown option \"%.64s\"; the nearest"
		    " known is %s",
		    name, config_nearest(config, name)->name);
	if (config->is_defaulting &&
	    config->origins[index_of(config, option)] >= CONFIG_READ)
		return 0;
	return assign(config, option, value, origin, err);
}

int
config_default(
    struct config *config, const char *name, const char *value, struct err *err)
{
	bool outer = config->is_defaulting;
	int r;

	/* A CALL acts by config_set: what it sets is a default as well. */
	config->is_defaulting = true;
	r = config_set(config, name, value, err);
	config->is_defaulting = outer;
	return r;
}

bool
config_is_set(const struct config *config, const char *name)
{
	const struct config_option *option = config_find(config, name);

	return option != NULL &&
	       config->origins[index_of(config, option)] >= CONFIG_READ;
}

static void
set_initial(struct config *config, const struct config_option *option)
{
	struct err err;
	char **text;

	assert(strlen(option->name) < CONFIG_NAME_SIZE);
	if (option->type == CONFIG_REFUSED)
		return;
	if (option->type == CONFIG_STRING) {
		text = config_value_field(config, option);
		*text = xmem_strdup("");
	}
	if (option->initial == NULL)
		return;
	if (assign(config, option, option->initial, CONFIG_INITIAL, &err) < 0) {
		(void)fprintf(stderr, "bad default: %s\n", err.text);
		abort();
	}
}

void
config_set_style(struct config *config, enum config_style style)
{
	config->style = style;
}

struct config *
config_new(const struct config_option *options, size_t values_size)
{
	struct config *config = xmem_calloc(1, sizeof(*config));
	size_t count = 0;

	while (options[count].name != NULL)
		count++;
	config->options = options;
	config->values = xmem_calloc(1, values_size);
	config->values_size = values_size;
	config->origins = xmem_calloc(count + 1, sizeof(*config->origins));
	for (size_t i = 0; i < count; i++)
		set_initial(config, &options[i]);
	return config;
}

/* Makes the text or the list that option's field shares with another
 * configuration config's own. */
static void
copy_field(struct config *config, const struct config_option *option)
{
	struct config_list *list, shared;
	char **text;

	if (option->type == CONFIG_STRING) {
		text = config_value_field(config, option);
		*text = xmem_strdup(*text);
	} else if (option->type == CONFIG_LIST) {
		list = config_value_field(config, option);
		shared = *list;
		*list = (struct config_list){ 0 };
		for (size_t i = 0; i < shared.count; i++)
			config_value_add(list, shared.items[i], false);
	}
}

struct config *
config_copy(const struct config *config)
{
	struct config *copy = xmem_calloc(1, sizeof(*copy));
	size_t count = 0;

	while (config->options[count].name != NULL)
		count++;
	copy->options = config->options;
	copy->style = config->style;
	copy->values_size = config->values_size;
	copy->values = xmem_alloc(config->values_size);
	memcpy(copy->values, config->values, config->values_size);
	copy->origins = xmem_calloc(count + 1, sizeof(*copy->origins));
	memcpy(copy->origins, config->origins, count * sizeof(*copy->origins));
	for (size_t i = 0; i < count; i++)
		copy_field(copy, &config->options[i]);
	return copy;
}

void
config_free(struct config **config)
{
	struct config *c = *config;

	if (c == NULL)
		return;
	for (const struct config_option *o = c->options; o->name != NULL; o++) {
		if (o->type == CONFIG_STRING)
			xmem_free(config_value_field(c, o));
		else if (o->type == CONFIG_LIST)
			config_value_clear(config_value_field(c, o));
	}
	for (size_t i = 0; i < c->notice_count; i++)
		xmem_free(&c->notices[i]);
	xmem_free(&c->notices);
	xmem_free(&c->origins);
	xmem_free(&c->values);
	xmem_free(config);
}

void *
config_values(const struct config *config)
{
	return config->values;
}

size_t
config_notice_count(const struct config *config)
{
	return config->notice_count;
}

const char *
config_notice(const struct config *config, size_t i)
{
	assert(i < config->notice_count);
	return config->notices[i];
}
