/* SPDX-License-Identifier: ISC */
#include <assert.h>
#include <string.h>
#include <strings.h>

#include "common/arena.h"
#include "common/spfanswers.h"
#include "common/xmem.h"

struct question {
	const char *name;	/* without a dot at the end */
	size_t len;
	enum dnspacket_type type;
	struct spfanswers_answer answer;
};

/* At most some hundred questions: a list that is searched does. */
struct spfanswers {
	struct arena *arena;
	size_t max, count;
	struct question *questions;
};

struct spfanswers *
spfanswers_new(size_t max)
{
	struct spfanswers *answers = xmem_calloc(1, sizeof(*answers));

	answers->arena = arena_new();
	answers->max = max;
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

static struct question *
find(const struct spfanswers *answers, const char *name, size_t len,
	enum dnspacket_type type)
{
	for (size_t i = 0; i < answers->count; i++) {
		struct question *q = &answers->questions[i];

		if (q->type == type && q->len == len &&
		    strncasecmp(q->name, name, len) == 0)
			return q;
	}
	return NULL;
}

struct spfanswers_answer
spfanswers_get(struct spfanswers *answers, const char *name,
	enum dnspacket_type type)
{
	size_t len = strlen(name);
	struct question *q;

	if (len > 0 && name[len - 1] == '.')
		len--;
	q = find(answers, name, len, type);
	if (q != NULL)
		return q->answer;
	if (answers->count == answers->max)
		return (struct spfanswers_answer){
		    .status = SPFANSWERS_TOO_MANY };
	/* Grows by eights: most checks ask less. */
	if (answers->count % 8 == 0)
		answers->questions = xmem_realloc(answers->questions,
		    answers->count + 8, sizeof(*answers->questions));
	q = &answers->questions[answers->count++];
	q->name = arena_strndup(answers->arena, name, len);
	q->len = len;
	q->type = type;
	q->answer = (struct spfanswers_answer){ .status = SPFANSWERS_MISSING };
	return q->answer;
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
	records = arena_alloc(answers->arena,
	    answer->count * sizeof(*records));
	for (size_t i = 0; i < answer->count; i++) {
		records[i] = answer->records[i];
		records[i].data = arena_strndup(answers->arena,
		    answer->records[i].data, answer->records[i].len);
	}
	q->answer.records = records;
}
