/* SPDX-License-Identifier: ISC */
/*
 * settings.h - what a reload can replace, in the form that requests need
 *
 * A check that is under way keeps the settings it began with.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_SPFD_SETTINGS_H
#define POSTERN_SPFD_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/config.h"
#include "common/err.h"
#include "common/ip.h"

#include "spfd/lists.h"
#include "spfd/peruser.h"
#include "spfd/policy.h"

struct settings {
	unsigned refs;
	struct policy *policy;
	struct peruser *peruser;        /* NULL = none */
	struct lists_nets relays;       /* ExternalRelay */
	struct lists_names helo_names;  /* HELO_Whitelist */
	struct lists_names domains;     /* Domain_Whitelist */
	struct lists_names ptr_domains; /* Domain_Whitelist_PTR */
	bool has_prospective;
	struct ip prospective;
	bool skip_authenticated;
	bool mock;
	bool queue_id;
	bool test_clock;
	enum options_on_error on_error;
	int64_t max_sessions;
	int64_t lookup_ms;
	int64_t whitelist_lookup_ms;
	unsigned void_limit;
	char *authserv_id;
	char *hostname;
	char *reason_url;
};

/* Reads all that the options name; the caller holds the one reference.
 * Returns NULL with err. */
struct settings *settings_load(const struct config *config, struct err *err);

/* Takes one more reference and returns settings. */
struct settings *settings_hold(struct settings *settings);

/* Gives a reference back, the last one frees; sets *settings to NULL. */
void settings_release(struct settings **settings);

/* The policy of this recipient (NULL or "" = none named). */
const struct policy *settings_policy(
    const struct settings *settings, const char *recipient);

#endif
