/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "common/config_int.h"
#include "common/str.h"
#include "common/unit.h"
#include "common/xmem.h"

void *
config_value_field(
    const struct config *config, const struct config_option *option)
{
	return (char *)config->values + option->offset;
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

void
config_value_clear(struct config_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		xmem_free(&list->items[i]);
	xmem_free(&list->items);
	list->count = 0;
}

void
config_value_add(struct config_list *list, const char *value, bool replace)
{
	if (replace || value[0] == '\0')
		config_value_clear(list);
	if (value[0] == '\0')
		return;
	list->items =
	    xmem_realloc(list->items, list->count + 1, sizeof(*list->items));
	list->items[list->count++] = xmem_strdup(value);
}

int
config_value_set(struct config *config, const struct config_option *option,
    const char *value, bool replace, struct err *err)
{
	void *field = config_value_field(config, option);
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
		config_value_add(field, value, replace);
		return 0;
	case CONFIG_CALL:
	case CONFIG_IGNORED:
	case CONFIG_REFUSED:
		break;
	}
	return 0;
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
	list = config_value_field(config, option);
	return list->count;
}

const char *
config_value_text(const struct config *config,
    const struct config_option *option, size_t i,
    char buf[static CONFIG_VALUE_MAX + 1])
{
	const void *field = config_value_field(config, option);

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
