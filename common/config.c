/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"
#include "common/config_int.h"
#include "common/str.h"
#include "common/unit.h"
#include "common/xmem.h"

static size_t
index_of(const struct config *config, const struct config_option *option)
{
	return (size_t)(option - config->options);
}

static void *
field_of(const struct config *config, const struct config_option *option)
{
	return (char *)config->values + option->offset;
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

/* The one letter that counts in opendkim.conf. */
static bool
set_bool_by_letter(bool *field, const char *value)
{
	if (value[0] == '\0' || strchr("tTyY1fFnN0", value[0]) == NULL)
		return false;
	*field = strchr("tTyY1", value[0]) != NULL;
	return true;
}

static int
set_bool(bool *field, const char *name, const char *value, struct err *err)
{
	static const char *const words[2][5] = {
		{ "no", "false", "off", "0", NULL },
		{ "yes", "true", "on", "1", NULL },
	};

	for (size_t truth = 0; truth < 2; truth++)
		for (size_t i = 0; words[truth][i] != NULL; i++)
			if (str_equal_nocase(value, words[truth][i])) {
				*field = truth == 1;
				return 0;
			}
	return err_set(err, "%s: \"%s\" is neither yes nor no", name, value);
}

static int
set_enum(int *field, const struct config_option *option, const char *value,
    struct err *err)
{
	char buf[256];
	struct str list;

	str_init(&list, buf, sizeof(buf));
	for (int i = 0; option->choices[i] != NULL; i++) {
		if (str_equal_name(value, option->choices[i])) {
			*field = i;
			return 0;
		}
		str_addf(&list, "%s%s", i > 0 ? ", " : "", option->choices[i]);
	}
	return err_set(err, "%s: \"%s\" is not one of: %s", option->name, value,
	    list.text);
}

static int
parse_int(const char *value, int base, int64_t *number_r)
{
	const char *digits = value[0] == '-' ? value + 1 : value;
	const char *allowed = base == 8 ? "01234567" : "0123456789";
	intmax_t number;

	if (digits[0] == '\0' || digits[strspn(digits, allowed)] != '\0')
		return -1;
	errno = 0;
	number = strtoimax(value, NULL, base);
	if (errno != 0)
		return -1;
	*number_r = number;
	return 0;
}

static const char *
number_text(const struct config_option *option, int64_t number,
    char buf[static UNIT_TEXT_SIZE])
{
	struct str s;

	str_init(&s, buf, UNIT_TEXT_SIZE);
	if (option->type == CONFIG_TIME)
		return unit_format_time(number, buf);
	if (option->type == CONFIG_OCTAL) {
		str_addf(&s, "%04" PRIo64, (uint64_t)number);
	} else if (option->type == CONFIG_INT) {
		str_addf(&s, "%" PRId64, number);
	} else {
		(void)unit_format_size(number, buf);
		s.len = strlen(buf);
		/* A bare number would be read in the default unit. */
		if (strchr("0123456789", buf[s.len - 1]) != NULL)
			str_add_char(&s, 'b');
	}
	return buf;
}

static int
set_number(int64_t *field, const struct config_option *option,
    const char *value, struct err *err)
{
	bool has_range = option->min != 0 || option->max != 0;
	int64_t min = option->min;
	int64_t max = has_range ? option->max : INT64_MAX;
	char low[UNIT_TEXT_SIZE], high[UNIT_TEXT_SIZE];
	int64_t number = 0;
	int r = 0;

	if (option->type == CONFIG_TIME)
		r = unit_parse_time(value, option->unit, &number, err);
	else if (option->type == CONFIG_SIZE)
		r = unit_parse_size(value, option->unit, &number, err);
	else if (parse_int(
		     value, option->type == CONFIG_OCTAL ? 8 : 10, &number) < 0)
		r = err_set(err, "\"%s\" is not %s number", value,
		    option->type == CONFIG_OCTAL ? "an octal" : "a whole");
	if (r < 0)
		return err_prefix(err, "%s: ", option->name);
	if (number < min || number > max) {
		if (max == INT64_MAX)
			return err_set(err, "%s: %s is less than %s",
			    option->name, value, number_text(option, min, low));
		return err_set(err, "%s: %s is not within %s and %s",
		    option->name, value, number_text(option, min, low),
		    number_text(option, max, high));
	}
	*field = number;
	return 0;
}

static void
list_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		xmem_free(&list->items[i]);
	xmem_free(&list->items);
	list->count = 0;
}

static void
list_add(struct config_list *list, const char *value, bool replace)
{
	if (replace || value[0] == '\0')
		list_clear(list);
	if (value[0] == '\0')
		return;
	list->items =
	    xmem_realloc(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = xmem_strdup(value);
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
	void *field = field_of(config, option);
	char **text;

	switch (option->type) {
	case CONFIG_BOOL:
		if (config->style == CONFIG_STYLE_OPENDKIM &&
		    set_bool_by_letter(field, value))
			return 0;
		return set_bool(field, option->name, value, err);
	case CONFIG_INT:
	case CONFIG_OCTAL:
	case CONFIG_TIME:
	case CONFIG_SIZE:
		return set_number(field, option, value, err);
	case CONFIG_ENUM:
		return set_enum(field, option, value, err);
	case CONFIG_STRING:
		text = field;
		xmem_free(text);
		*text = xmem_strdup(value);
		return 0;
	case CONFIG_LIST:
		list_add(field, value,
		    config->origins[index_of(config, option)] < origin);
		return 0;
	case CONFIG_CALL:
		return option->set(config, value, err);
	case CONFIG_IGNORED:
		add_notice(config, option);
		return 0;
	case CONFIG_REFUSED:
		return refuse(option, value, err);
	}
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
		text = field_of(config, option);
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
		text = field_of(config, option);
		*text = xmem_strdup(*text);
	} else if (option->type == CONFIG_LIST) {
		list = field_of(config, option);
		shared = *list;
		*list = (struct config_list){ 0 };
		for (size_t i = 0; i < shared.count; i++)
			list_add(list, shared.items[i], false);
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
			xmem_free(field_of(c, o));
		else if (o->type == CONFIG_LIST)
			list_clear(field_of(c, o));
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

size_t
config_value_count(
    const struct config *config, const struct config_option *option)
{
	const struct config_list *list;

	if (option->type == CONFIG_CALL || option->type == CONFIG_IGNORED ||
	    option->type == CONFIG_REFUSED)
		return 0;
	if (option->type != CONFIG_LIST)
		return 1;
	list = field_of(config, option);
	return list->count;
}

const char *
config_value_text(const struct config *config,
    const struct config_option *option, size_t i,
    char buf[static CONFIG_VALUE_MAX + 1])
{
	const void *field = field_of(config, option);

	switch (option->type) {
	case CONFIG_BOOL:
		return *(const bool *)field ? "yes" : "no";
	case CONFIG_INT:
	case CONFIG_OCTAL:
	case CONFIG_TIME:
	case CONFIG_SIZE:
		return number_text(option, *(const int64_t *)field, buf);
	case CONFIG_ENUM:
		return option->choices[*(const int *)field];
	case CONFIG_STRING:
		return *(char *const *)field;
	case CONFIG_LIST:
		return ((const struct config_list *)field)->items[i];
	case CONFIG_CALL:
	case CONFIG_IGNORED:
	case CONFIG_REFUSED:
		break;
	}
	return "";
}
