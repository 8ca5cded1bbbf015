/* SPDX-License-Identifier: ISC */
/*
 * fuzz_whitelist.c - the lists that an admin writes, against any subject
 *
 * Input: LIST NUL SUBJECT. Any text loads as either kind of whitelist, and
 * may load as a table of recipients; matching ends. A set of regular
 * expressions says what each of them says alone, and a rule's canonical value
 * is its own canonical value.
 */
#include <string.h>

#include "common/regex.h"
#include "common/xmem.h"
#include "greylistd/rcpttable.h"
#include "greylistd/regexset.h"
#include "greylistd/rules.h"
#include "greylistd/whitelist.h"

#include "tests/fuzz/must.h"

static void
count_warning(void *arg, const char *text)
{
	unsigned *count = arg;

	must(strchr(text, '\n') == NULL);
	(*count)++;
}

static void
try_whitelist(
    enum whitelist_kind kind, const char *text, size_t len, const char *subject)
{
	struct whitelist *list = whitelist_new(kind);
	struct whitelist_faults faults = { 0 };
	unsigned warnings = 0;
	struct ip ip;
	bool has_ip = ip_parse(subject, &ip);

	whitelist_parse(
	    list, "LIST", text, len, count_warning, &warnings, &faults);
	must(warnings == faults.lines && faults.regexes <= faults.lines);
	if (kind == WHITELIST_CLIENTS)
		must(
		    !whitelist_has_client(list, subject, has_ip ? &ip : NULL) ||
		    whitelist_count(list) > 0);
	else
		must(!whitelist_has_recipient(list, subject) ||
		     whitelist_count(list) > 0);
	whitelist_free(&list);
}

static void
try_table(const char *text, size_t len, const char *subject)
{
	struct err err;
	struct rcpttable *table = rcpttable_parse("TABLE", text, len, &err);
	struct rcpttable_action action = rcpttable_find(table, subject);

	must(action.delay_s >= -1);
	must(table != NULL || strncmp(err.text, "TABLE:", 6) == 0);
	rcpttable_free(&table);
}

static void
try_regex(const char *pattern, const char *subject)
{
	struct regexset *set = regexset_new();
	struct regex *alone;
	struct err err;
	size_t len = strlen(subject);

	alone = regex_new(pattern, true, &err);
	must((regexset_add(set, pattern, &err) == 0) == (alone != NULL));
	if (alone != NULL)
		must(regexset_matches(set, subject, len) ==
		     (regex_match(alone, subject, len) == REGEX_MATCH));
	regex_free(&alone);
	regexset_free(&set);
}

static void
try_rules(const char *value, const char *subject)
{
	char out[RULES_VALUE_SIZE], again[RULES_VALUE_SIZE];
	struct rules *rules = rules_new();
	struct rules_subject s = { NULL, subject, subject, subject };
	struct err err;

	for (unsigned kind = 0; kind < RULES_KIND_COUNT; kind++) {
		if (rules_canonical((enum rules_kind)kind, value, out, &err) <
		    0)
			continue;
		must(rules_canonical((enum rules_kind)kind, out, again, &err) ==
		     0);
		must(strcmp(out, again) == 0);
		must(rules_add(
		    rules, (enum rules_kind)kind, out, RULES_BLOCK, 0, ""));
	}
	rules_match(rules, &s, 1, NULL);
	rules_free(&rules);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	size_t len = strnlen(text, size);
	char *list = xmem_strndup(text, len);
	char *subject = len < size
			    ? xmem_strndup(text + len + 1,
				  strnlen(text + len + 1, size - len - 1))
			    : xmem_strdup("");

	try_whitelist(WHITELIST_CLIENTS, text, len, subject);
	try_whitelist(WHITELIST_RECIPIENTS, text, len, subject);
	/* With the NUL bytes as well. */
	try_whitelist(WHITELIST_CLIENTS, text, size, subject);
	try_table(text, len, subject);
	try_regex(list, subject);
	try_rules(list, subject);
	xmem_free(&list);
	xmem_free(&subject);
	return 0;
}
