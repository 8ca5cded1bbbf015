/* SPDX-License-Identifier: ISC */
/*
 * selection.h - the options that need DNS, ready for use
 *
 * Shared by the settings and the requests under way, so that a reload takes
 * nothing from under them.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_SELECTION_H
#define POSTERN_GREYLISTD_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

#include "greylistd/dnslist.h"
#include "greylistd/options.h"
#include "greylistd/suspicion.h"

/* The most blacklists, and whitelists. */
#define SELECTION_LISTS_MAX 32

struct selection {
	unsigned holders;
	bool selective;
	int64_t threshold;
	struct suspicion_scores scores;
	int spf_keys; /* enum options_spf_keys */
	struct dnslist *black;
	size_t black_count;
	struct dnslist *white;
	size_t white_count;
	char **providers; /* domains */
	size_t provider_count;
	bool tests_lists;  /* see dnslist_checks.h */
	int64_t budget_ms; /* for all questions of a request */
};

/* Reads the options. The caller releases it. Returns NULL with err. */
struct selection *selection_load(
    const struct options *options, struct err *err);

/* Keeps it for one more holder; returns it. */
struct selection *selection_hold(struct selection *selection);

/* Frees it when this was the last holder; sets *selection to NULL, which it
 * may be already. */
void selection_release(struct selection **selection);

/* Does a request need facts? */
bool selection_needs_facts(const struct selection *selection);

/* Is a resolver needed at all? */
bool selection_needs_dns(const struct selection *selection);

#endif
