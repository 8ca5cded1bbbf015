/* SPDX-License-Identifier: ISC */
#include <string.h>
#include <strings.h>

#include "common/spf_int.h"
#include "common/xmem.h"

#include "tests/oracle/spforacle.h"
#include "tests/oracle/spfzone.h"

/* As libunbound's answers are cut. */
#define ANSWER_MAX DNSPACKET_RECORDS_MAX

struct spfzone_record {
	char *name;
	bool fails;
	enum dnspacket_type type;
	char *data;
	size_t len;
};

static const struct {
	const char *name;
	enum dnspacket_type type;
} types[] = {
	{ "A", DNSPACKET_A },
	{ "AAAA", DNSPACKET_AAAA },
	{ "MX", DNSPACKET_MX },
	{ "PTR", DNSPACKET_PTR },
	{ "TXT", DNSPACKET_TXT },
	{ "FAIL", 0 },
};

static char *
copy_name(const char *name, size_t len)
{
	if (len > 0 && name[len - 1] == '.')
		len--;
	return xmem_strndup(name, len);
}

static bool
set_data(struct spfzone_record *record, const char *data, size_t len)
{
	struct ip ip = { .family = IP_V4 };

	switch (record->type) {
	case DNSPACKET_A:
	case DNSPACKET_AAAA:
		if (!ip_parse(data, &ip))
			return false;
		record->len = ip_bits(ip.family) / 8;
		record->data =
		    xmem_strndup((const char *)ip.bytes, record->len);
		return true;
	case DNSPACKET_MX:
	case DNSPACKET_PTR:
		record->data = copy_name(data, len);
		record->len = strlen(record->data);
		return true;
	case DNSPACKET_TXT:
		break;
	}
	record->data = xmem_strndup(data, len);
	record->len = len;
	return true;
}

bool
spfzone_add(struct spfzone *zone, const char *name, const char *type,
    const char *data, size_t len)
{
	struct spfzone_record *record;
	size_t i = 0;

	while (i < sizeof(types) / sizeof(*types) &&
	       strcmp(types[i].name, type) != 0)
		i++;
	if (i == sizeof(types) / sizeof(*types))
		return false;
	zone->records = xmem_realloc(
	    zone->records, zone->count + 1, sizeof(*zone->records));
	record = &zone->records[zone->count];
	memset(record, 0, sizeof(*record));
	record->type = types[i].type;
	record->fails = record->type == 0;
	if (!set_data(record, data, len))
		return false;
	record->name = copy_name(name, strlen(name));
	zone->count++;
	return true;
}

void
spfzone_clear(struct spfzone *zone)
{
	for (size_t i = 0; i < zone->count; i++) {
		xmem_free(&zone->records[i].name);
		xmem_free(&zone->records[i].data);
	}
	xmem_free(&zone->records);
	zone->count = 0;
}

struct spfanswers_answer
spfzone_answer(
    const struct spfzone *zone, const char *name, enum dnspacket_type type)
{
	static struct dnspacket_record found[ANSWER_MAX];
	struct spfanswers_answer answer = { .status = SPFANSWERS_NO_NAME,
		.records = found };

	for (size_t i = 0; i < zone->count; i++) {
		const struct spfzone_record *record = &zone->records[i];

		if (strcasecmp(record->name, name) != 0)
			continue;
		if (answer.status == SPFANSWERS_NO_NAME)
			answer.status = SPFANSWERS_NO_DATA;
		if (record->fails && answer.count == 0) {
			answer.status = SPFANSWERS_TEMPORARY;
			return answer;
		}
		if (record->type == type && answer.count < ANSWER_MAX) {
			found[answer.count++] =
			    (struct dnspacket_record){ .data = record->data,
				    .len = record->len };
			answer.status = SPFANSWERS_FOUND;
		}
	}
	if (answer.status == SPFANSWERS_NO_NAME &&
	    strncasecmp(name, "error.", 6) == 0)
		answer.status = SPFANSWERS_TEMPORARY;
	return answer;
}

/* Answers the questions that are new. */
static void
answer_all(
    const struct spfzone *zone, struct spfanswers *answers, size_t *answered)
{
	for (; *answered < spfanswers_count(answers); ++*answered) {
		struct spfanswers_answer answer =
		    spfzone_answer(zone, spfanswers_name(answers, *answered),
			spfanswers_type(answers, *answered));

		spfanswers_put(answers, *answered, &answer);
	}
}

void
spfzone_check(struct spfzone *zone, struct spfguard *guard,
    const struct spfguard_input *input, struct spfguard_output *output_r)
{
	struct arena *arena = arena_new();
	struct spfanswers *answers =
	    spfanswers_new(arena, SPF_CHECK_QUESTIONS_MAX);
	size_t answered = 0;

	zone->runs = 1;
	while (guard == NULL
		   ? !spforacle_check(input, answers, output_r)
		   : !spfguard_check(guard, input, answers, output_r)) {
		answer_all(zone, answers, &answered);
		zone->runs++;
	}
	zone->questions = spfanswers_count(answers);
	spfanswers_free(&answers);
	arena_free(&arena);
}
