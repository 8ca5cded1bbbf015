/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/arena.h"
#include "common/str.h"
#include "common/xmem.h"
#include "greylistd/namemap.h"
#include "greylistd/netmap.h"
#include "greylistd/rules.h"

/* No domain name is longer (RFC 1035 section 2.3.4). */
#define NAME_MAX_LEN 255
/* Longer senders and recipients have no rule: RULES_VALUE_SIZE. */
#define ADDRESS_MAX (RULES_VALUE_SIZE - 1)

static const char *const kind_names[RULES_KIND_COUNT] = {
	[RULES_CLIENT] = "client",
	[RULES_NETWORK] = "network",
	[RULES_DOMAIN] = "domain",
	[RULES_SENDER] = "sender",
	[RULES_RECIPIENT] = "recipient",
};

struct rule {
	enum rules_action action;
	int64_t expires;
	const char *comment;
};

struct rules {
	struct arena *arena;     /* of the rules and their comments */
	struct netmap *hosts;    /* RULES_CLIENT, addresses */
	struct namemap *clients; /* RULES_CLIENT, names */
	struct netmap *nets;
	struct namemap *domains;
	struct namemap *senders;
	struct namemap *recipients;
};

const char *
rules_kind_name(enum rules_kind kind)
{
	return kind_names[kind];
}

bool
rules_kind_parse(const char *name, enum rules_kind *kind_r)
{
	for (unsigned i = 0; i < RULES_KIND_COUNT; i++) {
		if (str_equal_nocase(name, kind_names[i])) {
			*kind_r = (enum rules_kind)i;
			return true;
		}
	}
	return false;
}

const char *
rules_action_name(enum rules_action action)
{
	switch (action) {
	case RULES_ALLOW:
		return "allow";
	case RULES_BLOCK:
		return "block";
	case RULES_NONE:
		break;
	}
	return "none";
}

bool
rules_action_parse(const char *name, enum rules_action *action_r)
{
	if (str_equal_nocase(name, "allow"))
		*action_r = RULES_ALLOW;
	else if (str_equal_nocase(name, "block"))
		*action_r = RULES_BLOCK;
	else
		return false;
	return true;
}

/* Copies value in lower case without the dots at its ends. */
static size_t
copy_lower(const char *value, size_t len, char out[static RULES_VALUE_SIZE])
{
	while (len > 0 && *value == '.') {
		value++;
		len--;
	}
	while (len > 0 && value[len - 1] == '.')
		len--;
	memcpy(out, value, len);
	out[len] = '\0';
	str_lower(out, len);
	return len;
}

static bool
has_blank_or_control(const char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return true;
	return false;
}

/* A host's or a domain's name. 8-bit bytes may be UTF-8 (RFC 6531). */
static int
canonical_name(const char *value, const char *example,
    char out[static RULES_VALUE_SIZE], struct err *err)
{
	if (strlen(value) > NAME_MAX_LEN || has_blank_or_control(value) ||
	    value[strcspn(value, "@/:,;<>\"*[]")] != '\0' ||
	    copy_lower(value, strlen(value), out) == 0)
		return err_set(err, "\"%s\" is not a name: write it as in %s",
		    value, example);
	return 0;
}

static int
canonical_client(
    const char *value, char out[static RULES_VALUE_SIZE], struct err *err)
{
	struct ip ip;

	if (ip_parse(value, &ip)) {
		ip_format(&ip, out);
		return 0;
	}
	if (strchr(value, '/') != NULL)
		return err_set(err,
		    "\"%s\" is not a client: for a network "
		    "use the kind \"network\"",
		    value);
	if (value[strspn(value, "0123456789.")] == '\0' ||
	    strchr(value, ':') != NULL)
		return err_set(err,
		    "\"%s\" is not an address: write it as in "
		    "192.0.2.1 or 2001:db8::1",
		    value);
	return canonical_name(value, "mx.example.org or 192.0.2.1", out, err);
}

static int
canonical_network(
    const char *value, char out[static RULES_VALUE_SIZE], struct err *err)
{
	char text[IP_TEXT_SIZE];
	struct ip_net net;
	struct str s;

	if (!ip_net_parse(value, &net))
		return err_set(err,
		    "\"%s\" is not a network: write it as in "
		    "192.0.2.0/24 or 2001:db8::/32",
		    value);
	str_init(&s, out, RULES_VALUE_SIZE);
	str_addf(&s, "%s/%u", ip_format(&net.base, text), net.prefix);
	return 0;
}

static int
canonical_domain(
    const char *value, char out[static RULES_VALUE_SIZE], struct err *err)
{
	/* "@example.org" is how many a list writes it. */
	if (*value == '@')
		value++;
	return canonical_name(value, "example.org", out, err);
}

/* An address of a sender or a recipient, perhaps in angle brackets. */
static int
canonical_address(
    const char *value, char out[static RULES_VALUE_SIZE], struct err *err)
{
	size_t len = strlen(value);
	const char *at;

	if (len >= 2 && *value == '<' && value[len - 1] == '>') {
		value++;
		len -= 2;
	}
	if (len <= ADDRESS_MAX && len > 0) {
		len = copy_lower(value, len, out);
		/* A leading dot is the local part's own. */
		if (*value == '.')
			len = 0;
	}
	at = len == 0 || len > ADDRESS_MAX ? NULL : strrchr(out, '@');
	if (at == NULL || at == out || at[1] == '\0' ||
	    out[strcspn(out, "<>")] != '\0' || has_blank_or_control(out))
		return err_set(err,
		    "\"%s\" is not an address: write it as in "
		    "user@example.org",
		    value);
	return 0;
}

int
rules_canonical(enum rules_kind kind, const char *value,
    char out[static RULES_VALUE_SIZE], struct err *err)
{
	switch (kind) {
	case RULES_CLIENT:
		return canonical_client(value, out, err);
	case RULES_NETWORK:
		return canonical_network(value, out, err);
	case RULES_DOMAIN:
		return canonical_domain(value, out, err);
	case RULES_SENDER:
		if (*value == '\0' || strcmp(value, "<>") == 0) {
			memcpy(out, "<>", sizeof("<>"));
			return 0;
		}
		return canonical_address(value, out, err);
	case RULES_RECIPIENT:
		return canonical_address(value, out, err);
	case RULES_KIND_COUNT:
		break;
	}
	return err_set(err, "there is no such kind of rule");
}

struct rules *
rules_new(void)
{
	struct rules *rules = xmem_calloc(1, sizeof(*rules));

	rules->arena = arena_new();
	rules->hosts = netmap_new();
	rules->clients = namemap_new();
	rules->nets = netmap_new();
	rules->domains = namemap_new();
	rules->senders = namemap_new();
	rules->recipients = namemap_new();
	return rules;
}

void
rules_free(struct rules **rules)
{
	if (*rules == NULL)
		return;
	arena_free(&(*rules)->arena);
	netmap_free(&(*rules)->hosts);
	namemap_free(&(*rules)->clients);
	netmap_free(&(*rules)->nets);
	namemap_free(&(*rules)->domains);
	namemap_free(&(*rules)->senders);
	namemap_free(&(*rules)->recipients);
	xmem_free(rules);
}

/* The map of a kind whose values are text; not of addresses and networks. */
static struct namemap *
map_of(const struct rules *rules, enum rules_kind kind)
{
	switch (kind) {
	case RULES_CLIENT:
		return rules->clients;
	case RULES_DOMAIN:
		return rules->domains;
	case RULES_SENDER:
		return rules->senders;
	case RULES_RECIPIENT:
		return rules->recipients;
	case RULES_NETWORK:
	case RULES_KIND_COUNT:
		break;
	}
	return NULL;
}

bool
rules_add(struct rules *rules, enum rules_kind kind, const char *value,
    enum rules_action action, int64_t expires, const char *comment)
{
	char canonical[RULES_VALUE_SIZE];
	struct ip_net net;
	struct rule *rule;

	if (action == RULES_NONE ||
	    rules_canonical(kind, value, canonical, NULL) < 0 ||
	    strcmp(canonical, value) != 0)
		return false;
	rule = arena_alloc(rules->arena, sizeof(*rule));
	rule->action = action;
	rule->expires = expires;
	rule->comment = arena_strdup(rules->arena, comment);
	/* As a client, an address is a network of one. */
	if (kind == RULES_NETWORK && ip_net_parse(value, &net))
		netmap_put(rules->nets, &net, rule);
	else if (kind == RULES_CLIENT && ip_net_parse(value, &net))
		netmap_put(rules->hosts, &net, rule);
	else
		namemap_put(map_of(rules, kind), value, strlen(value), rule);
	return true;
}

static bool
is_alive(const void *value, const void *arg)
{
	const struct rule *rule = value;
	const int64_t *now_s = arg;

	return rule->expires == 0 || rule->expires > *now_s;
}

static const struct rule *
find_address(
    const struct namemap *map, const char *address, const int64_t *now_s)
{
	char lower[RULES_VALUE_SIZE];
	size_t len = strlen(address);
	const struct rule *rule;

	if (namemap_count(map) == 0 || len > ADDRESS_MAX)
		return NULL;
	/* Only the dots at the end: those in front are the local part's. */
	memcpy(lower, address, len);
	str_lower(lower, len);
	while (len > 0 && lower[len - 1] == '.')
		len--;
	rule = namemap_get(map, lower, len);
	return rule != NULL && is_alive(rule, now_s) ? rule : NULL;
}

static const struct rule *
find_name(const struct namemap *map, const char *name, const int64_t *now_s)
{
	char lower[RULES_VALUE_SIZE];
	size_t len = strlen(name);

	if (namemap_count(map) == 0 || len > NAME_MAX_LEN)
		return NULL;
	len = copy_lower(name, len, lower);
	return namemap_suffix(map, lower, len, is_alive, now_s);
}

static const struct rule *
find_kind(const struct rules *rules, enum rules_kind kind,
    const struct rules_subject *subject, const int64_t *now_s)
{
	const struct rule *rule = NULL;
	const char *at;

	switch (kind) {
	case RULES_CLIENT:
		if (subject->ip != NULL)
			rule = netmap_find(
			    rules->hosts, subject->ip, is_alive, now_s);
		return rule != NULL ? rule
				    : find_name(rules->clients,
					  subject->client_name, now_s);
	case RULES_NETWORK:
		return subject->ip == NULL ? NULL
					   : netmap_find(rules->nets,
						 subject->ip, is_alive, now_s);
	case RULES_DOMAIN:
		at = strrchr(subject->sender, '@');
		return at == NULL ? NULL
				  : find_name(rules->domains, at + 1, now_s);
	case RULES_SENDER:
		return find_address(rules->senders,
		    *subject->sender == '\0' ? "<>" : subject->sender, now_s);
	case RULES_RECIPIENT:
		return find_address(
		    rules->recipients, subject->recipient, now_s);
	case RULES_KIND_COUNT:
		break;
	}
	return NULL;
}

enum rules_action
rules_match(const struct rules *rules, const struct rules_subject *subject,
    int64_t now_s, const char **comment_r)
{
	const struct rule *found = NULL;

	for (unsigned i = 0; i < RULES_KIND_COUNT; i++) {
		const struct rule *rule =
		    find_kind(rules, (enum rules_kind)i, subject, &now_s);

		if (rule != NULL &&
		    (found == NULL || (found->action != RULES_BLOCK &&
					  rule->action == RULES_BLOCK)))
			found = rule;
	}
	if (comment_r != NULL)
		*comment_r = found == NULL ? "" : found->comment;
	return found == NULL ? RULES_NONE : found->action;
}
