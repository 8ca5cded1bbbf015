/* SPDX-License-Identifier: ISC */
/*
 * fuzz_ctl.c - lines that greylistctl reads: exports and mail logs
 *
 * A line of an export that is read is written back as something that reads
 * the same. A line of a log gives bounded texts. A key splits into parts that
 * lie within it.
 */
#include <string.h>

#include "common/xmem.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_logline.h"
#include "greylistd/ctl_text.h"

#include "tests/fuzz/must.h"

static void
try_text(const char *line, size_t len)
{
	static struct ctl_text record, again;
	static char buf[CTL_TEXT_LINE_SIZE];
	size_t written;

	if (ctl_text_parse(line, len, &record, NULL) != 0 ||
	    record.type == CTL_TEXT_NOTHING)
		return;
	written = ctl_text_format(&record, buf);
	must(written < sizeof(buf) && strlen(buf) == written);
	must(ctl_text_parse(buf, written, &again, NULL) == 0);
	must(again.type == record.type);
	must(memcmp(again.number, record.number, sizeof(again.number)) == 0);
	for (int i = 0; i < 4; i++)
		must(strcmp(again.text[i], record.text[i]) == 0);
}

static void
try_log(const char *line, size_t len)
{
	static struct ctl_logline parsed;

	if (ctl_logline_parse(line, len, &parsed) == CTL_LOGLINE_OTHER)
		return;
	must(strlen(parsed.time) < sizeof(parsed.time));
	must(strlen(parsed.name) < sizeof(parsed.name));
	must(strlen(parsed.address) < sizeof(parsed.address));
	must(strlen(parsed.sender) < sizeof(parsed.sender));
	must(strlen(parsed.recipient) < sizeof(parsed.recipient));
}

static void
try_key(char *key, size_t len)
{
	struct ctl_entry_parts parts;

	if (ctl_entry_split(key, len, &parts)) {
		must(parts.network.text == key && parts.network.len > 0);
		must(parts.sender.text == key + parts.network.len + 1);
		must(parts.recipient.text ==
		     parts.sender.text + parts.sender.len + 1);
		must(parts.recipient.text + parts.recipient.len == key + len);
	}
	if (ctl_entry_unescape(key))
		must(strlen(key) <= len);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Exactly as long as the line: reading on would be seen. */
	char *line = xmem_alloc(size);
	char *key;

	memcpy(line, data, size);
	try_text(line, size);
	try_log(line, size);
	key = xmem_strndup(line, strnlen(line, size));
	try_key(key, strlen(key));
	xmem_free(&key);
	xmem_free(&line);
	return 0;
}
