/* SPDX-License-Identifier: ISC */
/*
 * fuzz_spfmacro.c - macros of strangers with values of strangers
 *
 * Input: a byte of options, then three texts with NUL between them: local
 * part, HELO name, and the text to expand: as a domain-spec if the parser
 * takes it, as an explanation, and with no more respect than that.
 */
#include <string.h>

#include "common/spfmacro.h"
#include "common/xmem.h"

#include "tests/fuzz/must.h"

/* Takes the bytes up to a NUL as a text of its own. */
static char *
take(const uint8_t **data, size_t *size)
{
	size_t len = strnlen((const char *)*data, *size);
	char *text = xmem_strndup((const char *)*data, len);

	len += len < *size;
	*data += len;
	*size -= len;
	return text;
}

static void
check_name(const char *name)
{
	size_t len = strlen(name), label = 0;

	must(len > 0 && len <= 253);
	for (; *name != '\0'; name++) {
		label = *name == '.' ? 0 : label + 1;
		must(label <= 63);
	}
	must(label > 0);
}

static void
try_domain(struct spfrecord_text text, const struct spfmacro_values *values)
{
	char out[SPFMACRO_DOMAIN_SIZE], again[SPFMACRO_DOMAIN_SIZE];
	bool good = spfmacro_domain(text, values, out);

	if (!good) {
		must(out[0] == '\0');
		return;
	}
	check_name(out);
	must(spfmacro_domain(text, values, again));
	must(strcmp(out, again) == 0);
}

static void
try_explanation(
    struct spfrecord_text text, const struct spfmacro_values *values)
{
	char out[SPFMACRO_TEXT_SIZE];

	if (!spfmacro_explanation(text.start, text.len, values, out))
		must(out[0] == '\0');
	must(strlen(out) < SPFMACRO_TEXT_SIZE);
	for (const char *c = out; *c != '\0'; c++)
		must(*c >= 0x20 && *c <= 0x7e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ip ip;
	struct spfmacro_values values;
	char *local, *helo, *text;
	struct spfrecord_text spec;
	uint8_t options;

	if (size == 0)
		return 0;
	options = *data++;
	size--;
	must(ip_parse(options & 1 ? "192.0.2.77" : "2001:db8::ab:1", &ip));
	local = take(&data, &size);
	helo = take(&data, &size);
	text = xmem_alloc(size);
	if (size > 0)
		memcpy(text, data, size);
	values = (struct spfmacro_values){ .sender_local = local,
		.sender_domain = "mail.example.org",
		.domain = "example.org",
		.ip = &ip,
		.validated = options & 2 ? "mx.example.org" : NULL,
		.helo = helo,
		.receiver = helo,
		.now_s = options };
	spec = (struct spfrecord_text){ text, size };
	spfmacro_needs_validated(spec);
	spfmacro_needs_local(spec);
	try_domain(spec, &values);
	try_explanation(spec, &values);
	xmem_free(&text);
	xmem_free(&helo);
	xmem_free(&local);
	return 0;
}
