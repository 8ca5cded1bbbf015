/* SPDX-License-Identifier: ISC */
/*
 * rules.h - what an admin allowed or blocked with greylistctl
 *
 *     client     a host name (and all below it) or an address
 *     network    ADDRESS/PREFIX
 *     domain     the sender's domain (and all below it)
 *     sender     the sender's address; "<>" is the null sender
 *     recipient  the recipient's address
 *
 * Within a kind the most specific rule counts (longest prefix, longest name).
 * Across kinds "block" wins over "allow". Expired rules do not count.
 *
 * Threads: event loop only.
 */
#ifndef POSTERN_GREYLISTD_RULES_H
#define POSTERN_GREYLISTD_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"
#include "common/ip.h"

/* Room for a rule's value in canonical form. */
#define RULES_VALUE_SIZE 400

enum rules_kind {
	RULES_CLIENT,
	RULES_NETWORK,
	RULES_DOMAIN,
	RULES_SENDER,
	RULES_RECIPIENT,
	RULES_KIND_COUNT
};

enum rules_action {
	RULES_NONE,
	RULES_ALLOW,
	RULES_BLOCK,
};

/* "client", "network" and so on. */
const char *rules_kind_name(enum rules_kind kind);
/* Finds a kind by its name, without regard to case. */
bool rules_kind_parse(const char *name, enum rules_kind *kind_r);
/* "allow" or "block". */
const char *rules_action_name(enum rules_action action);
/* Finds an action by its name, without regard to case. */
bool rules_action_parse(const char *name, enum rules_action *action_r);

/* Checks value for kind and brings it into canonical form (lower case, no
 * dots at the ends, masked network). Returns 0, or -1 with what to write
 * instead. */
int rules_canonical(enum rules_kind kind, const char *value,
    char out[static RULES_VALUE_SIZE], struct err *err);

struct rules;

/* An empty set. */
struct rules *rules_new(void);

/* Frees the set; sets *rules to NULL. */
void rules_free(struct rules **rules);

/* Adds a rule; value in canonical form (others are dropped: false). expires
 * is a UNIX time, 0 = never. comment (may be "") is copied. A rule of the
 * same kind and value is replaced. */
bool rules_add(struct rules *rules, enum rules_kind kind, const char *value,
    enum rules_action action, int64_t expires, const char *comment);

/* What a request is judged by; texts may be "" but not NULL, ip may be. */
struct rules_subject {
	const struct ip *ip;
	const char *client_name;
	const char *sender;
	const char *recipient;
};

/* Returns the action for subject at now_s; *comment_r (may be NULL) is the
 * deciding rule's comment, "" when none, valid until rules_free. */
enum rules_action rules_match(const struct rules *rules,
    const struct rules_subject *subject, int64_t now_s, const char **comment_r);

#endif
