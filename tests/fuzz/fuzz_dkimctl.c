/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dkimctl.c - messages from files, notes of keys, KeyTables
 *
 * Input: any bytes, as each of them. A message is made of fields as header.h
 * describes them and a body with CRLF, and it means the same after it was
 * written again; a record with such a note is still a good key, and the zone
 * file text still holds that record; a KeyTable gets its line and loses
 * nothing.
 */
#include <assert.h>
#include <string.h>

#include "common/xmem.h"

#include "dkimd/ctl_message.h"
#include "dkimd/ctl_rotation.h"
#include "dkimd/ctl_txt.h"
#include "dkimd/keyrecord.h"

#include "tests/fuzz/must.h"

/* Of RFC 8463, appendix A. */
#define KEY "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

static void
check_field(const struct header_field *field)
{
	assert(strlen(field->name) == field->name_len && field->name_len > 0);
	assert(strlen(field->value) == field->value_len);
	assert(strpbrk(field->name, ":\r\n") == NULL);
	assert(strchr(field->value, '\r') == NULL);
	for (const char *c = field->value; (c = strchr(c, '\n')) != NULL; c++)
		assert(c[1] == ' ' || c[1] == '\t');
}

static void
check_body(const struct ctl_message *m)
{
	for (size_t i = 0; i < m->body_len; i++)
		assert(m->body[i] != '\n' || (i > 0 && m->body[i - 1] == '\r'));
}

/* Writes the message as it was understood, and reads that. */
static void
check_again(const struct ctl_message *m, size_t size, struct arena *arena)
{
	size_t cap = size + m->body_len + 2 * m->field_count + 8;
	char *text = xmem_alloc(cap);
	struct ctl_message again;
	struct err err;
	struct str s;

	str_init(&s, text, cap);
	for (size_t i = 0; i < m->field_count; i++) {
		str_add(&s, m->fields[i].name);
		str_add_char(&s, ':');
		str_add(&s, m->fields[i].value);
		str_add_char(&s, '\n');
	}
	str_add_char(&s, '\n');
	str_add_bytes(&s, m->body, m->body_len);
	assert(!s.truncated);
	assert(ctl_message_parse(text, s.len, arena, &again, &err) == 0);
	assert(again.field_count == m->field_count);
	for (size_t i = 0; i < m->field_count; i++) {
		assert(strcmp(again.fields[i].name, m->fields[i].name) == 0);
		assert(strcmp(again.fields[i].value, m->fields[i].value) == 0);
	}
	assert(again.body_len == m->body_len);
	assert(memcmp(again.body, m->body, m->body_len) == 0);
	xmem_free(&text);
}

static void
check_message(const char *text, size_t size)
{
	struct arena *arena = arena_new();
	struct ctl_message m;
	struct err err = { "" };

	if (ctl_message_parse(text, size, arena, &m, &err) == 0) {
		assert(m.start <= size);
		for (size_t i = 0; i < m.field_count; i++)
			check_field(&m.fields[i]);
		check_body(&m);
		check_again(&m, size, arena);
	} else {
		assert(strncmp(err.text, "line ", 5) == 0);
	}
	arena_free(&arena);
}

/* What the strings of the zone file text say together. */
static void
join(struct str *s, const char *zone)
{
	bool in_string = false;

	for (; *zone != '\0' && (in_string || *zone != ';'); zone++) {
		if (*zone == '"')
			in_string = !in_string;
		else if (in_string)
			str_add_char(s, *zone == '\\' ? *++zone : *zone);
	}
	assert(!in_string);
}

static void
check_note(const char *bytes, size_t size)
{
	char *note = xmem_strndup(bytes,
	    strnlen(bytes, size < CTL_TXT_NOTE_MAX ? size : CTL_TXT_NOTE_MAX));
	const struct ctl_txt txt = {
		.type = "ed25519", .key = KEY, .hashes = "sha256", .note = note
	};
	char record[CTL_TXT_SIZE], zone[CTL_TXT_SIZE], joined[CTL_TXT_SIZE];
	struct keyrecord key;
	const char *reason;
	struct str s;

	str_init(&s, record, sizeof(record));
	ctl_txt_record(&s, &txt);
	assert(!s.truncated);
	assert(keyrecord_parse(record, s.len, &key, &reason) == RESULT_NONE);
	assert(key.type == KEYRECORD_ED25519 && !key.is_test && !key.is_strict);
	str_init(&s, zone, sizeof(zone));
	ctl_txt_zone(&s, "s", "example.org", true, record);
	assert(!s.truncated);
	str_init(&s, joined, sizeof(joined));
	join(&s, zone);
	assert(strcmp(joined, record) == 0);
	xmem_free(&note);
}

static void
check_table(const char *text, size_t size, unsigned after)
{
	static const char line[] = "a line\n";
	size_t len, at = 0;
	char *got = ctl_rotation_insert(text, size, after, line, &len);

	while (at < size && got[at] == text[at] && after > 0)
		after -= text[at++] == '\n';
	if (at > 0 && text[at - 1] != '\n')
		assert(got[at++] == '\n');
	assert(memcmp(got + at, line, strlen(line)) == 0);
	at += strlen(line);
	assert(len >= at && len - at <= size);
	assert(memcmp(got + at, text + size - (len - at), len - at) == 0);
	xmem_free(&got);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* A copy of that size and no NUL: reading on would be seen. */
	char *text = xmem_alloc(size > 0 ? size : 1);

	if (size > 0)
		memcpy(text, data, size);
	check_message(text, size);
	if (size > 0) {
		check_note(text, size);
		check_table(text, size, data[0] % 8);
	}
	xmem_free(&text);
	return 0;
}
