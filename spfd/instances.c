/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/memo.h"
#include "common/xmem.h"

#include "spfd/instances.h"

/* How many texts a message is known by. */
#define TEXTS 4

struct instances {
	struct memo *memo;
};

static void
free_findings(void *value)
{
	struct findings *findings = value;

	findings_free(&findings);
}

struct instances *
instances_new(void)
{
	struct instances *instances = xmem_calloc(1, sizeof(*instances));

	instances->memo =
	    memo_new(INSTANCES_MAX, INSTANCES_AGE_S, free_findings);
	return instances;
}

void
instances_free(struct instances **instances)
{
	if (*instances != NULL)
		memo_free(&(*instances)->memo);
	xmem_free(instances);
}

/* Returns false when this message is not to be remembered. */
static bool
make_key(const struct instances_key *key, const char *texts[static TEXTS])
{
	size_t len = 0;

	if (key->instance == NULL || key->instance[0] == '\0')
		return false;
	texts[0] = key->instance;
	texts[1] = key->client_address;
	texts[2] = key->helo;
	texts[3] = key->sender;
	for (size_t i = 0; i < TEXTS; i++) {
		if (texts[i] == NULL)
			texts[i] = "";
		len += strlen(texts[i]) + 1;
	}
	return len <= INSTANCES_KEY_MAX;
}

struct findings *
instances_take(
    struct instances *instances, const struct instances_key *key, int64_t now_s)
{
	const char *texts[TEXTS];

	if (!make_key(key, texts))
		return NULL;
	return memo_take(instances->memo, texts, TEXTS, now_s);
}

void
instances_put(struct instances *instances, const struct instances_key *key,
    struct findings **findings, int64_t now_s)
{
	const char *texts[TEXTS];

	if (!make_key(key, texts)) {
		findings_free(findings);
		return;
	}
	memo_put(instances->memo, texts, TEXTS, *findings, now_s);
	*findings = NULL;
}

size_t
instances_count(const struct instances *instances)
{
	return memo_count(instances->memo);
}
