/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/spfanswers.h"
#include "common/xmem.h"

struct question {
	const char *name; /* without a dot at the end */
	size_t len;
	enum dnspacket_type type;
	struct spfanswers_answer answer;
};

/* At most some hundred questions: a list that is searched does. */
struct spfanswers {
	struct arena *arena;
	size_t max, count;
	size_t awaited;
	int64_t fresh_until;
	struct question *questions;
	spfanswers_fetch *fetch; /* or NULL */
	void *fetch_arg;
};

struct spfanswers *
spfanswers_new(size_t max)
{
	struct spfanswers *answers = xmem_calloc(1, sizeof(*answers));

	answers->arena = arena_new();
	answers->max = max;
	answers->fresh_until = INT64_MAX;
	return answers;
}

void
spfanswers_free(struct spfanswers **answers)
{
	if (*answers == NULL)
		return;
	arena_free(&(*answers)->arena);
	xmem_free(&(*answers)->questions);
	xmem_free(answers);
}

void
spfanswers_set_fetch(
    struct spfanswers *answers, spfanswers_fetch *fetch, void *arg)
{
	answers->fetch = fetch;
	answers->fetch_arg = arg;
}

/* Finds the question or adds it. Returns NULL when there is no room. */
static struct question *
enter(struct spfanswers *answers, const char *name, enum dnspacket_type type)
{
	size_t len = strlen(name);
	struct question *q;

	if (len > 0 && name[len - 1] == '.')
		len--;
	for (size_t i = 0; i < answers->count; i++) {
		q = &answers->questions[i];
		if (q->type == type && q->len == len &&
		    strncasecmp(q->name, name, len) == 0)
			return q;
	}
	if (answers->count == answers->max)
		return NULL;
	/* Grows by eights: most checks ask less. */
	if (answers->count % 8 == 0)
		answers->questions = xmem_realloc(answers->questions,
		    answers->count + 8, sizeof(*answers->questions));
	q = &answers->questions[answers->count++];
	q->name = arena_strndup(answers->arena, name, len);
	q->len = len;
	q->type = type;
	q->answer = (struct spfanswers_answer){ .status = SPFANSWERS_MISSING };
	return q;
}

struct spfanswers_answer
spfanswers_get(
    struct spfanswers *answers, const char *name, enum dnspacket_type type)
{
	const struct question *q = enter(answers, name, type);

	if (q == NULL)
		return (
		    struct spfanswers_answer){ .status = SPFANSWERS_TOO_MANY };
	if (q->answer.status == SPFANSWERS_MISSING) {
		answers->awaited = (size_t)(q - answers->questions);
		if (answers->fetch != NULL)
			answers->fetch(answers->fetch_arg);
	}
	if (q->answer.status != SPFANSWERS_MISSING &&
	    q->answer.fresh_until < answers->fresh_until)
		answers->fresh_until = q->answer.fresh_until;
	return q->answer;
}

int64_t
spfanswers_fresh_until(const struct spfanswers *answers)
{
	return answers->fresh_until;
}

void
spfanswers_want(
    struct spfanswers *answers, const char *name, enum dnspacket_type type)
{
	enter(answers, name, type);
}

size_t
spfanswers_awaited(const struct spfanswers *answers)
{
	return answers->awaited;
}

size_t
spfanswers_count(const struct spfanswers *answers)
{
	return answers->count;
}

const char *
spfanswers_name(const struct spfanswers *answers, size_t number)
{
	assert(number < answers->count);
	return answers->questions[number].name;
}

enum dnspacket_type
spfanswers_type(const struct spfanswers *answers, size_t number)
{
	assert(number < answers->count);
	return answers->questions[number].type;
}

void
spfanswers_put(struct spfanswers *answers, size_t number,
    const struct spfanswers_answer *answer)
{
	struct dnspacket_record *records;
	struct question *q;

	assert(number < answers->count);
	q = &answers->questions[number];
	assert(q->answer.status == SPFANSWERS_MISSING);
	q->answer = *answer;
	q->answer.records = NULL;
	if (answer->count == 0)
		return;
	records = arena_alloc(answers->arena, answer->count * sizeof(*records));
	for (size_t i = 0; i < answer->count; i++) {
		records[i] = answer->records[i];
		records[i].data = arena_strndup(answers->arena,
		    answer->records[i].data, answer->records[i].len);
	}
	q->answer.records = records;
}
