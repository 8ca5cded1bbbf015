/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/tool.h"
#include "tests/unit/check.h"

struct values {
	struct config_list nameservers;
	char *mode;
};

static const struct config_option options[] = {
	{ .name = "Nameservers",
	    .type = CONFIG_LIST,
	    .offset = offsetof(struct values, nameservers),
	    .initial = "",
	    .help = "a list" },
	{ .name = "Mode",
	    .type = CONFIG_STRING,
	    .offset = offsetof(struct values, mode),
	    .initial = "",
	    .help = "a text" },
	{ .name = NULL },
};

static void
test_put(void)
{
	char *text = NULL, *bytes = malloc(1001);
	size_t size;
	FILE *f = open_memstream(&text, &size);

	tool_put(f, "a\033\0b\n", 5);
	(void)fflush(f);
	check_str("escaped", text, "a%1B%00b%0A");
	rewind(f);
	memset(bytes, '\n', 1000);
	bytes[1000] = '\0';
	tool_put(f, bytes, 1000);
	(void)fclose(f);
	check_uint("whole, however long", strlen(text), 3000);
	free(text);
	free(bytes);
}

/* Mode and the name servers, after these changes to a file. */
static void
check_apply(const char *name, const char *const pairs[][2], const char *want)
{
	struct config *config = config_new(options, sizeof(struct values));
	const struct values *values = config_values(config);
	static const char file[] = "Mode file\nNameservers 192.0.2.9\n";
	struct tool_changes changes = { .count = 0 };
	char buf[ERR_TEXT_SIZE];
	struct err err = { "" };
	int n = 0;

	check_int(name, config_parse(config, "f", file, strlen(file), &err), 0);
	for (; (*pairs)[1] != NULL; pairs++)
		check_true(
		    name, tool_change(&changes, (*pairs)[0], (*pairs)[1]));
	if (tool_apply(&changes, config, &err) != 0)
		snprintf(buf, sizeof(buf), "%s", err.text);
	else
		n = snprintf(buf, sizeof(buf), "%s", values->mode);
	for (size_t i = 0; n > 0 && i < values->nameservers.count; i++)
		n += snprintf(buf + n, sizeof(buf) - (size_t)n, " %s",
		    values->nameservers.items[i]);
	check_str(name, buf, want);
	config_free(&config);
}

static void
test_apply(void)
{
	static const char *const none[][2] = { { NULL, NULL } };
	static const char *const by_name[][2] = { { "Nameservers", "::1" },
		{ "Mode", "a" }, { "Nameservers", "::2" }, { NULL, NULL } };
	static const char *const pairs[][2] = { { NULL, "mode=b=c" },
		{ NULL, "Nameservers=::1" }, { NULL, NULL } };
	static const char *const no_pair[][2] = { { NULL, "Mode" },
		{ NULL, NULL } };
	static const char *const no_name[][2] = { { NULL, "=x" },
		{ NULL, NULL } };

	check_apply("nothing", none, "file 192.0.2.9");
	check_apply("by name", by_name, "a ::1 ::2");
	check_apply("as pairs", pairs, "b=c ::1");
	check_apply("no pair", no_pair, "-o Mode: write Name=Value");
	check_apply("no name", no_name, "-o =x: write Name=Value");
}

static void
test_bound(void)
{
	struct tool_changes changes = { .count = 0 };

	for (size_t i = 0; i < TOOL_CHANGES_MAX; i++)
		if (!tool_change(&changes, "Mode", "x"))
			check_uint("room for", i, TOOL_CHANGES_MAX);
	check_false("one too many", tool_change(&changes, "Mode", "x"));
	check_uint("is not kept", changes.count, TOOL_CHANGES_MAX);
}

int
main(void)
{
	test_put();
	test_apply();
	test_bound();
	return check_done();
}
