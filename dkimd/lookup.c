/* SPDX-License-Identifier: ISC */
/*
 * Keys are parsed anew for each message: that takes a few microseconds, and
 * libunbound remembers the records as long as they may be.
 */
#include <assert.h>
#include <string.h>

#include "common/arena.h"
#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#include "dkimd/engine.h"
#include "dkimd/lookup.h"

struct entry {
	const char *name, *text;
	size_t len;
};

struct lookup_source {
	struct dns_thread *dns; /* NULL: the entries below */
	bool has_anchor;
	struct arena *arena;
	struct entry *entries;
	size_t entry_count;
};

/* One name. */
struct slot {
	char name[DNSPACKET_NAME_SIZE];
	struct dns_inquiry *inquiry; /* NULL: settled */
	struct lookup_answer answer;
	struct keyrecord key;
};

struct lookup {
	struct lookup_source *source;
	size_t count;
	struct slot *slot_of[ENGINE_SIGNATURES_MAX];
	size_t slot_count;
	struct slot slots[];
};

struct lookup_source *
lookup_source_dns(struct dns_thread *dns, bool has_anchor)
{
	struct lookup_source *source = xmem_calloc(1, sizeof(*source));

	source->dns = dns;
	source->has_anchor = has_anchor;
	return source;
}

static void
add_entry(struct lookup_source *source, const char *name, const char *text)
{
	struct entry *entry;

	source->entries = xmem_realloc(
	    source->entries, source->entry_count + 1, sizeof(*source->entries));
	entry = &source->entries[source->entry_count++];
	entry->name = arena_strdup(source->arena, name);
	entry->text = arena_strdup(source->arena, text);
	entry->len = strlen(text);
}

static int
read_entries(struct lookup_source *source, const char *path,
    struct textfile *file, struct err *err)
{
	enum textfile_line got;
	char *line, *blank;

	while ((got = textfile_next(file, &line)) != TEXTFILE_END) {
		if (got == TEXTFILE_BAD)
			return err_set(err, "%s:%u: line too long, or a NUL",
			    path, file->number);
		if (line[0] == '\0' || line[0] == '#')
			continue;
		blank = strpbrk(line, " \t");
		if (blank == NULL)
			return err_set(err,
			    "%s:%u: write a name, a blank and the text of its"
			    " key record",
			    path, file->number);
		*blank = '\0';
		add_entry(source, line, str_trim(blank + 1));
	}
	return 0;
}

struct lookup_source *
lookup_source_file(const char *path, struct err *err)
{
	struct lookup_source *source = xmem_calloc(1, sizeof(*source));
	struct textfile file = { .text = NULL };
	char *text = NULL;

	source->arena = arena_new();
	if (textfile_read(path, &text, &file.len, err) != TEXTFILE_OK) {
		lookup_source_free(&source);
		return NULL;
	}
	file.text = text;
	if (read_entries(source, path, &file, err) < 0)
		lookup_source_free(&source);
	xmem_free(&text);
	return source;
}

void
lookup_source_free(struct lookup_source **source)
{
	if (*source == NULL)
		return;
	arena_free(&(*source)->arena);
	xmem_free(&(*source)->entries);
	xmem_free(source);
}

static void
set_result(struct slot *slot, enum result result, const char *reason)
{
	slot->answer.result = result;
	slot->answer.reason = reason;
}

static void
set_not_found(struct slot *slot)
{
	set_result(slot, RESULT_PERMERROR, "key not found in DNS");
	slot->answer.not_found = true;
}

/* Takes the only record that means to be a key; when none does, the first
 * says what is wrong. */
static void
take_records(
    struct slot *slot, const struct dnspacket_record *records, size_t count)
{
	const struct dnspacket_record *record = &records[0];
	struct lookup_answer *answer = &slot->answer;
	size_t keys = 0, i;

	for (i = 0; i < count; i++) {
		if (!keyrecord_is(records[i].data, records[i].len))
			continue;
		record = &records[i];
		keys++;
	}
	if (keys > 1) {
		set_result(slot, RESULT_PERMERROR, "multiple keys found");
		return;
	}
	answer->result = keyrecord_parse(
	    record->data, record->len, &slot->key, &answer->reason);
	if (answer->result == RESULT_NONE)
		answer->key = &slot->key;
}

static void
take_answer(const struct lookup_source *source, struct slot *slot,
    const struct dns_answer *answer)
{
	if (answer->status == DNS_BOGUS)
		slot->answer.dnssec = OUTCOME_BOGUS;
	else if (answer->status != DNS_TEMPORARY && source->has_anchor)
		slot->answer.dnssec =
		    answer->secure ? OUTCOME_SECURE : OUTCOME_INSECURE;
	switch (answer->status) {
	case DNS_FOUND:
		take_records(slot, answer->records, answer->count);
		break;
	case DNS_NO_DATA:
	case DNS_NO_NAME:
		set_not_found(slot);
		break;
	case DNS_TEMPORARY:
		set_result(slot, RESULT_TEMPERROR, "key retrieval failed");
		break;
	case DNS_BOGUS:
		set_result(slot, RESULT_TEMPERROR, "key is bogus");
		break;
	}
}

/* From the file, as DNS would answer. */
static void
take_entries(const struct lookup_source *source, struct slot *slot)
{
	struct dnspacket_record records[DNSPACKET_RECORDS_MAX];
	struct dns_answer answer = { .status = DNS_NO_NAME };
	size_t i;

	for (i = 0; i < source->entry_count; i++) {
		const struct entry *entry = &source->entries[i];

		if (!str_equal_nocase(entry->name, slot->name) ||
		    answer.count == DNSPACKET_RECORDS_MAX)
			continue;
		records[answer.count++] =
		    (struct dnspacket_record){ .data = entry->text,
			    .len = entry->len };
	}
	if (answer.count > 0)
		answer.status = DNS_FOUND;
	answer.records = records;
	take_answer(source, slot, &answer);
}

/* The slot of that name, which may be new. */
static struct slot *
find_slot(struct lookup *lookup, const struct lookup_question *question)
{
	struct slot *slot = &lookup->slots[lookup->slot_count];
	struct str s;
	size_t i;

	str_init(&s, slot->name, sizeof(slot->name));
	str_addf(&s, "%s._domainkey.%s", question->selector, question->domain);
	for (i = 0; i < lookup->slot_count; i++)
		if (str_equal_nocase(lookup->slots[i].name, slot->name))
			return &lookup->slots[i];
	lookup->slot_count++;
	slot->answer.reason = "";
	if (s.truncated)
		set_not_found(slot);
	else if (lookup->source->dns == NULL)
		take_entries(lookup->source, slot);
	else
		slot->inquiry = dns_thread_ask(
		    lookup->source->dns, slot->name, DNSPACKET_TXT);
	return slot;
}

struct lookup *
lookup_start(struct lookup_source *source,
    const struct lookup_question *questions, size_t count)
{
	struct lookup *lookup =
	    xmem_calloc(1, sizeof(*lookup) + count * sizeof(lookup->slots[0]));
	size_t i;

	assert(count <= ENGINE_SIGNATURES_MAX);
	lookup->source = source;
	lookup->count = count;
	for (i = 0; i < count; i++)
		lookup->slot_of[i] = find_slot(lookup, &questions[i]);
	return lookup;
}

/* Returns whether the slot is settled. */
static bool
settle(struct lookup *lookup, struct slot *slot, int64_t deadline_us)
{
	const struct dns_answer *answer;

	if (slot->inquiry == NULL)
		return true;
	answer = dns_thread_wait(slot->inquiry, deadline_us);
	if (answer == NULL)
		return false;
	take_answer(lookup->source, slot, answer);
	dns_thread_drop(&slot->inquiry);
	return true;
}

bool
lookup_wait(struct lookup *lookup, int64_t deadline_us)
{
	for (size_t i = 0; i < lookup->slot_count; i++)
		if (!settle(lookup, &lookup->slots[i], deadline_us))
			return false;
	return true;
}

const struct lookup_answer *
lookup_answer(struct lookup *lookup, size_t i)
{
	struct slot *slot;

	assert(i < lookup->count);
	slot = lookup->slot_of[i];
	if (!settle(lookup, slot, 0)) {
		dns_thread_drop(&slot->inquiry);
		set_result(slot, RESULT_TEMPERROR, "key retrieval timed out");
	}
	return &slot->answer;
}

void
lookup_free(struct lookup **lookup)
{
	if (*lookup == NULL)
		return;
	for (size_t i = 0; i < (*lookup)->slot_count; i++)
		dns_thread_drop(&(*lookup)->slots[i].inquiry);
	xmem_free(lookup);
}
