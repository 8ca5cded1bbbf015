/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <string.h>
#include <sysexits.h>

#include "common/str.h"
#include "common/tool.h"

#define MESSAGE_SIZE 2048
/* So many bytes are escaped at a time. */
#define PIECE 512

void
tool_put(FILE *out, const char *bytes, size_t len)
{
	char escaped[3 * PIECE + 1];
	struct str s;

	while (len > 0) {
		size_t piece = len < PIECE ? len : PIECE;

		str_init(&s, escaped, sizeof(escaped));
		str_add_escaped(&s, bytes, piece, "");
		fputs(escaped, out);
		bytes += piece;
		len -= piece;
	}
}

void
tool_tell(const char *program, const char *format, va_list args)
{
	char text[MESSAGE_SIZE];

	vsnprintf(text, sizeof(text), format, args);
	fprintf(stderr, "%s: ", program);
	tool_put(stderr, text, strlen(text));
	putc('\n', stderr);
}

int
tool_finish(const char *program, int code)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return code;
	fprintf(stderr, "%s: cannot write to standard output: %s\n", program,
	    strerror(errno));
	return EX_IOERR;
}

bool
tool_change(struct tool_changes *changes, const char *name, const char *value)
{
	if (changes->count == TOOL_CHANGES_MAX)
		return false;
	changes->list[changes->count].name = name;
	changes->list[changes->count].value = value;
	changes->count++;
	return true;
}

/* "Name=Value". */
static int
apply_pair(struct config *config, const char *pair, struct err *err)
{
	const char *equals = strchr(pair, '=');
	char name[CONFIG_NAME_SIZE];
	size_t len;

	len = equals == NULL ? 0 : (size_t)(equals - pair);
	if (len == 0 || len >= sizeof(name))
		return err_set(err, "-o %.80s: write Name=Value", pair);
	memcpy(name, pair, len);
	name[len] = '\0';
	return config_set(config, name, equals + 1, err);
}

int
tool_apply(
    const struct tool_changes *changes, struct config *config, struct err *err)
{
	bool is_replaced = false;

	for (size_t i = 0; i < changes->count; i++) {
		const char *name = changes->list[i].name;
		const char *value = changes->list[i].value;

		if (name == NULL) {
			if (apply_pair(config, value, err) != 0)
				return -1;
			continue;
		}
		if (!is_replaced && strcmp(name, "Nameservers") == 0) {
			is_replaced = true;
			if (config_set(config, name, "", err) != 0)
				return -1;
		}
		if (config_set(config, name, value, err) != 0)
			return -1;
	}
	return 0;
}
