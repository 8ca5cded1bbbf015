/* SPDX-License-Identifier: ISC */
/*
 * fuzz_config.c - any text is a configuration or an error, never a crash;
 * what was accepted prints, and reads again as the same values.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/config.h"

#include "tests/fuzz/must.h"

struct values {
	bool flag;
	int64_t number, mode, days, weeks, bytes, kilo, mega;
	int color;
	char *text, *other;
	struct config_list list, files;
};

static const char *const colors[] = { "red", "green", "blue", NULL };

static int
set_alias(struct config *config, const char *value, struct err *err)
{
	return config_set(config, "List", value == NULL ? "bare" : value, err);
}

#define ROW(n, t, member)                                                      \
	.name = n, .type = t, .offset = offsetof(struct values, member)

static const struct config_option options[] = {
	{ ROW("Flag", CONFIG_BOOL, flag), .initial = "yes" },
	{ ROW("Number", CONFIG_INT, number), .min = INT64_MIN, .max = INT64_MAX,
	    .if_bare = "7" },
	{ ROW("Mode", CONFIG_OCTAL, mode), .max = 07777 },
	{ ROW("MaxAge", CONFIG_TIME, days), .unit = 'd' },
	{ ROW("MaxWeeks", CONFIG_TIME, weeks), .unit = 'w' },
	{ ROW("Bytes", CONFIG_SIZE, bytes), .unit = 'b' },
	{ ROW("Kilo", CONFIG_SIZE, kilo), .unit = 'k' },
	{ ROW("Mega", CONFIG_SIZE, mega), .unit = 'm', .initial = "1m" },
	{ ROW("Color", CONFIG_ENUM, color), .choices = colors },
	{ ROW("Text", CONFIG_STRING, text), .initial = "a # b" },
	{ ROW("Other", CONFIG_STRING, other) },
	{ ROW("List", CONFIG_LIST, list), .initial = "first" },
	{ ROW("Files", CONFIG_LIST, files) },
	{ .name = "Alias", .type = CONFIG_CALL, .set = set_alias },
	{ .name = "Obsolete", .type = CONFIG_IGNORED }, CONFIG_END
};

static bool
same_list(const struct config_list *a, const struct config_list *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	return true;
}

static void
compare(const struct values *a, const struct values *b)
{
	assert(a->flag == b->flag && a->color == b->color);
	assert(a->number == b->number && a->mode == b->mode);
	assert(a->days == b->days && a->weeks == b->weeks);
	assert(a->bytes == b->bytes && a->kilo == b->kilo);
	assert(a->mega == b->mega);
	assert(strcmp(a->text, b->text) == 0);
	assert(strcmp(a->other, b->other) == 0);
	assert(same_list(&a->list, &b->list));
	assert(same_list(&a->files, &b->files));
}

static char *
print(const struct config *config, size_t *size_r)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, size_r);

	assert(out != NULL);
	config_print(config, out);
	(void)fclose(out);
	return text;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config *first = config_new(options, sizeof(struct values));
	struct config *second = config_new(options, sizeof(struct values));
	struct err err = { "" };
	char *text, *again;
	size_t len, again_len;

	if (config_parse(first, "fuzz", (const char *)data, size, &err) < 0) {
		assert(strncmp(err.text, "fuzz:", 5) == 0);
		goto out;
	}
	text = print(first, &len);
	if (config_parse(second, "again", text, len, &err) < 0) {
		(void)fprintf(stderr, "%s\n%s\n", err.text, text);
		abort();
	}
	compare(config_values(first), config_values(second));
	again = print(second, &again_len);
	assert(len == again_len && memcmp(text, again, len) == 0);
	free(again);
	free(text);
out:
	config_free(&first);
	config_free(&second);
	return 0;
}
