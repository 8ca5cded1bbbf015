/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "common/json.h"
#include "common/str.h"

void
json_init(struct json *json, FILE *out)
{
	memset(json, 0, sizeof(*json));
	json->out = out;
}

/* Control characters, line separators, and what reorders or hides text. */
static bool
is_unsafe(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f) ||
	       (code >= 0x200b && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) ||
	       (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

static void
write_string(FILE *out, const char *bytes, size_t len)
{

	putc('"', out);
	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t n = str_utf8(bytes + i, len - i, &code);

		if (n == 0) {
			fprintf(out, "%%%02X", (unsigned char)bytes[i]);
			n = 1;
		} else if (code == '"' || code == '\\') {
			fprintf(out, "\\%c", (int)code);
		} else if (is_unsafe(code)) {
			fprintf(out, "\\u%04" PRIx32, code);
		} else {
			fwrite(bytes + i, 1, n, out);
		}
		i += n;
	}
	putc('"', out);
}

/* Does all of what is open now stand on one line? */
static bool
is_inline(const struct json *json)
{
	for (unsigned i = 1; i < json->depth; i++) {
		if (json->close[i - 1] == ']')
			return true;
	}
	return false;
}

/* Writes what stands before a value: comma, line end, name. */
static void
begin(struct json *json, const char *name)
{
	if (json->depth > 0) {
		bool *some = &json->some[json->depth - 1];

		if (is_inline(json))
			fputs(*some ? ", " : "", json->out);
		else
			fprintf(json->out, "%s\n%*s", *some ? "," : "",
			    (int)json->depth, "");
		*some = true;
	}
	if (name != NULL) {
		write_string(json->out, name, strlen(name));
		fputs(": ", json->out);
	}
}

void
json_open(struct json *json, const char *name, char bracket)
{
	assert(json->depth < JSON_DEPTH);
	begin(json, name);
	putc(bracket, json->out);
	json->close[json->depth] = bracket == '{' ? '}' : ']';
	json->some[json->depth] = false;
	json->depth++;
}

void
json_close(struct json *json)
{
	bool on_line = is_inline(json);

	assert(json->depth > 0);
	json->depth--;
	if (json->some[json->depth] && !on_line)
		fprintf(json->out, "\n%*s", (int)json->depth, "");
	putc(json->close[json->depth], json->out);
	if (json->depth == 0)
		putc('\n', json->out);
}

void
json_text(struct json *json, const char *name, const char *bytes, size_t len)
{
	begin(json, name);
	write_string(json->out, bytes, len);
}

void
json_int(struct json *json, const char *name, int64_t value)
{
	begin(json, name);
	fprintf(json->out, "%" PRId64, value);
}

void
json_bool(struct json *json, const char *name, bool value)
{
	begin(json, name);
	fputs(value ? "true" : "false", json->out);
}

void
json_null(struct json *json, const char *name)
{
	begin(json, name);
	fputs("null", json->out);
}
