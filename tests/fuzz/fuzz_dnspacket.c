/* SPDX-License-Identifier: ISC */
/*
 * Packets from strangers. The first byte chooses the type that is asked for,
 * the rest is the packet. Also read as a name: what is written for a resolver
 * has nothing in it that would need care.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "common/dnspacket.h"

#include "tests/fuzz/must.h"

static const enum dnspacket_type types[] = {
	DNSPACKET_A,
	DNSPACKET_PTR,
	DNSPACKET_MX,
	DNSPACKET_TXT,
	DNSPACKET_AAAA,
};

static void
check_text(const char *text, size_t len, size_t max)
{
	size_t i;

	assert(len == strlen(text) && len <= max);
	for (i = 0; i < len; i++)
		assert(text[i] > 0x20 && text[i] < 0x7f);
}

static void
check_record(const struct dnspacket_record *record, enum dnspacket_type type,
    size_t packet_len)
{
	assert(record->data[record->len] == '\0');
	assert(record->ttl <= INT32_MAX);
	switch (type) {
	case DNSPACKET_A:
		assert(record->len == 4);
		break;
	case DNSPACKET_AAAA:
		assert(record->len == 16);
		break;
	case DNSPACKET_PTR:
	case DNSPACKET_MX:
		check_text(record->data, record->len, 4 * 253);
		break;
	case DNSPACKET_TXT:
		assert(record->len < packet_len);
		break;
	}
}

static void
check_packet(const uint8_t *packet, size_t len, enum dnspacket_type type)
{
	struct arena *arena = arena_new();
	struct dnspacket_answer answer =
	    dnspacket_parse(packet, len, type, arena);
	size_t i;

	assert((answer.status == DNSPACKET_FOUND) == (answer.count > 0));
	assert(answer.count <= DNSPACKET_RECORDS_MAX);
	for (i = 0; i < answer.count; i++)
		check_record(&answer.records[i], type, len);
	assert(arena_used(arena) <=
	       20 * len + 300 * sizeof(*answer.records) +
		   DNSPACKET_RECORDS_MAX * DNSPACKET_NAME_SIZE);
	arena_free(&arena);
}

static void
check_name(const char *name)
{
	char out[DNSPACKET_NAME_SIZE];
	bool fits = dnspacket_escape(name, out);

	if (fits)
		check_text(out, strlen(out), DNSPACKET_NAME_SIZE - 1);
	assert(fits || !dnspacket_name_ok(name));
	if (dnspacket_name_ok(name))
		assert(strlen(name) <= 254 && name[0] != '.');
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *packet;
	char *name;

	if (size < 1)
		return 0;
	/* Copies of exact size: a read past the end shows. */
	packet = malloc(size);
	memcpy(packet, data + 1, size - 1);
	packet = realloc(packet, size == 1 ? 1 : size - 1);
	check_packet(packet, size - 1,
	    types[data[0] % (sizeof(types) / sizeof(*types))]);
	free(packet);
	name = strndup((const char *)data, size);
	check_name(name);
	free(name);
	return 0;
}
