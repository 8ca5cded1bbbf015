/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/selection.h"

/* The most domains whose records are expanded. */
#define PROVIDERS_MAX 64

/* Appends the words of one line of the configuration. */
static void
add_words(const char *text, char ***words, size_t *count)
{
	static const char separators[] = ", \t";

	for (text += strspn(text, separators); *text != '\0';
	     text += strspn(text, separators)) {
		size_t len = strcspn(text, separators);

		*words = xmem_realloc(*words, *count + 1, sizeof(**words));
		(*words)[(*count)++] = xmem_strndup(text, len);
		text += len;
	}
}

static void
free_words(char ***words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		xmem_free(&(*words)[i]);
	xmem_free(words);
}

static int
load_lists(const char *option, enum dnslist_kind kind,
    const struct config_list *from, struct dnslist **lists, size_t *count,
    struct err *err)
{
	if (from->count > SELECTION_LISTS_MAX)
		return err_set(
		    err, "%s: more than %d lists", option, SELECTION_LISTS_MAX);
	*lists = xmem_calloc(from->count + 1, sizeof(**lists));
	for (size_t i = 0; i < from->count; i++)
		if (dnslist_parse(from->items[i], kind, &(*lists)[i], err) != 0)
			return err_prefix(err, "%s: ", option);
	*count = from->count;
	return 0;
}

static int
load_providers(
    struct selection *s, const struct config_list *from, struct err *err)
{
	for (size_t i = 0; i < from->count; i++)
		add_words(from->items[i], &s->providers, &s->provider_count);
	if (s->provider_count > PROVIDERS_MAX)
		return err_set(err, "ProviderDomains: more than %d domains",
		    PROVIDERS_MAX);
	for (size_t i = 0; i < s->provider_count; i++)
		str_lower(s->providers[i], strlen(s->providers[i]));
	return 0;
}

static int
load(struct selection *s, const struct options *options, struct err *err)
{
	for (size_t i = 0; i < options->suspicion_scores.count; i++)
		if (suspicion_parse(options->suspicion_scores.items[i],
			&s->scores, err) != 0)
			return err_prefix(err, "SuspicionScores: ");
	if (load_lists("Dnsbl", DNSLIST_BLACK, &options->dnsbl, &s->black,
		&s->black_count, err) != 0 ||
	    load_lists("Dnswl", DNSLIST_WHITE, &options->dnswl, &s->white,
		&s->white_count, err) != 0)
		return -1;
	return load_providers(s, &options->provider_domains, err);
}

struct selection *
selection_load(const struct options *options, struct err *err)
{
	struct selection *s = xmem_calloc(1, sizeof(*s));

	s->holders = 1;
	s->selective = options->selective;
	s->threshold = options->suspicion_threshold;
	s->scores = suspicion_defaults;
	s->spf_keys = options->spf_keys;
	s->tests_lists = options->dns_list_tests;
	s->budget_ms = options->dns_budget_s * 1000;
	if (load(s, options, err) != 0)
		selection_release(&s);
	return s;
}

struct selection *
selection_hold(struct selection *selection)
{
	selection->holders++;
	return selection;
}

void
selection_release(struct selection **selection)
{
	struct selection *s = *selection;

	*selection = NULL;
	if (s == NULL || --s->holders > 0)
		return;
	xmem_free(&s->black);
	xmem_free(&s->white);
	free_words(&s->providers, s->provider_count);
	xmem_free(&s);
}

bool
selection_needs_facts(const struct selection *selection)
{
	return selection->selective || selection->white_count > 0 ||
	       selection->spf_keys != OPTIONS_SPF_KEYS_NO;
}

bool
selection_needs_dns(const struct selection *selection)
{
	return selection_needs_facts(selection) ||
	       selection->provider_count > 0;
}
