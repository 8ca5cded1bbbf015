/* SPDX-License-Identifier: ISC */
/*
 * fuzz_spfrecord.c - SPF records as strangers write them
 *
 * Input: a TXT record. What is accepted lies within the text, in bounds, and
 * its terms are accepted again one by one; what is refused says where.
 */
#include <string.h>

#include "common/spfrecord.h"
#include "common/xmem.h"

#include "tests/fuzz/must.h"

static void
check_text(struct spfrecord_text text, const char *record, size_t len)
{
	if (text.start == NULL)
		return;
	must(text.start >= record && text.start <= record + len);
	must(text.len > 0 && text.len <= (size_t)(record + len - text.start));
	must(memchr(text.start, ' ', text.len) == NULL);
}

/* One term by itself means the same. */
static void
check_again(const struct spfrecord_term *term)
{
	struct arena *arena = arena_new();
	char *text = xmem_alloc(term->source.len + 7);
	const struct spfrecord *record;
	struct spfrecord_fault fault;

	memcpy(text, "v=spf1 ", 7);
	memcpy(text + 7, term->source.start, term->source.len);
	record = spfrecord_parse(text, term->source.len + 7, arena, &fault);
	must(record != NULL && record->count == 1);
	must(record->terms[0].mechanism == term->mechanism);
	must(record->terms[0].qualifier == term->qualifier);
	must(record->terms[0].cidr4 == term->cidr4);
	must(record->terms[0].cidr6 == term->cidr6);
	must(record->terms[0].domain.len == term->domain.len);
	xmem_free(&text);
	arena_free(&arena);
}

static void
check_record(const struct spfrecord *record, const char *text, size_t len)
{
	must(record->count <= SPFRECORD_TERMS_MAX);
	check_text(record->redirect, text, len);
	check_text(record->exp, text, len);
	for (size_t i = 0; i < record->count; i++) {
		const struct spfrecord_term *term = &record->terms[i];

		check_text(term->source, text, len);
		check_text(term->domain, text, len);
		must(term->cidr4 <= 32 && term->cidr6 <= 128);
		must(strchr("+-~?", term->qualifier) != NULL);
		must(spfrecord_mechanism_name(term->mechanism) != NULL);
		must(term->net.prefix <= 128);
		if (i < 16)
			check_again(term);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	/* A copy of that size and no NUL: reading on would be seen. */
	char *text = xmem_alloc(size), *name;
	const struct spfrecord *record;
	struct spfrecord_fault fault = { .text = "" };

	if (size > 0)
		memcpy(text, data, size);
	record = spfrecord_parse(text, size, arena, &fault);
	if (record != NULL) {
		must(spfrecord_is(text, size));
		check_record(record, text, size);
	} else {
		must(fault.offset <= size && fault.text[0] != '\0');
		for (const char *c = fault.text; *c != '\0'; c++)
			must(*c >= 0x20 && *c <= 0x7e);
	}
	name =
	    xmem_strndup((const char *)data, strnlen((const char *)data, size));
	if (spfrecord_domain_ok(name))
		must(strlen(name) <= 254 && strchr(name, '.') != NULL);
	xmem_free(&name);
	xmem_free(&text);
	arena_free(&arena);
	return 0;
}
