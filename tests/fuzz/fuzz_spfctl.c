/* SPDX-License-Identifier: ISC */
/*
 * fuzz_spfctl.c - what spfctl says of any text
 *
 * Input: a record. The advice points into it, a good one has no syntax error,
 * sentences and excerpts are printable and fit.
 */
#include <stdlib.h>
#include <string.h>

#include "spfd/ctl_advice.h"
#include "spfd/ctl_caret.h"

#include "tests/fuzz/must.h"

static void
check_printable(const char *text)
{
	for (; *text != '\0'; text++)
		must(*text >= 0x20 && *text <= 0x7e);
}

static void
check_advice(const struct ctl_advice *advice)
{
	const struct ctl_survey_node *node = advice->node;
	bool is_syntax = strcmp(advice->code, "syntax") == 0;
	struct ctl_caret caret;

	must(is_syntax == (node->state == CTL_SURVEY_BROKEN));
	must(advice->text[0] != '\0');
	check_printable(advice->text);
	check_printable(ctl_advice_level_name(advice->level));
	must(advice->offset <= node->len);
	must(is_syntax || advice->len <= node->len - advice->offset);
	ctl_caret_make(
	    &caret, node->text, node->len, advice->offset, advice->len);
	check_printable(caret.text);
	must(strlen(caret.text) <= CTL_CARET_COLUMNS);
	must(strlen(caret.marks) <= CTL_CARET_COLUMNS);
	must(strlen(caret.marks) <= strlen(caret.text) + 1);
}

static void
never(void *arg)
{
	(void)arg;
	abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	struct ctl_survey *survey = ctl_survey_text(
	    NULL, "example.org", (const char *)data, size, never, NULL);
	const struct ctl_survey_node *root = ctl_survey_root(survey);
	const struct ctl_advice *advice = ctl_advice_make(root, 2, arena);

	must(ctl_survey_is_done(survey));
	must(ctl_survey_sum(root).lookups == root->count);
	for (; advice != NULL; advice = advice->next)
		check_advice(advice);
	ctl_survey_free(&survey);
	arena_free(&arena);
	return 0;
}
