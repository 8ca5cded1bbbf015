/* SPDX-License-Identifier: ISC */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/spfidn.h"
#include "common/str.h"

#include "dkimd/keytable.h"
#include "dkimd/signplan.h"

/* Lines of SigningTable that are followed for one message. */
#define MATCHES_MAX 32
/* Addresses that are guessed at in a header that cannot be understood; with
 * more the message is taken for ours. */
#define GUESSES_MAX 16
/* Room for a reason. */
#define TEXT_SIZE 2048

/* A decision under way. */
struct work {
	const struct settings *settings;
	const struct signplan_facts *facts;
	struct arena *arena;
	struct signplan *plan;
	const struct mailbox *sender; /* domain in A-labels; NULL = unknown */
	const char *address;          /* sender as text */
	int guesses;                  /* at addresses, so far */
};

static const char *format(const struct work *w, const char *form, ...)
    __attribute__((format(printf, 2, 3)));

static const char *
format(const struct work *w, const char *form, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, form);
	(void)vsnprintf(text, sizeof(text), form, args);
	va_end(args);
	return arena_strdup(w->arena, text);
}

/* ---------------------------------------------------------------- sender */

static int
check_several(const struct settings *settings, const struct mailbox *list,
    int count, const char *name, struct err *err)
{
	if (count == 0)
		return err_set(err, "no address in %s", name);
	if (count > 1 && settings->only_own_from) {
		(void)err_set(err, "several addresses in %s", name);
		return 1;
	}
	for (int i = 1; i < count; i++) {
		if (str_equal_nocase(list[i].domain, list[0].domain))
			continue;
		(void)err_set(err, "addresses of several domains in %s", name);
		return 1;
	}
	return 0;
}

int
signplan_sender(const struct settings *settings,
    const struct header_field *fields, size_t field_count, struct arena *arena,
    const struct mailbox **sender_r, struct err *err)
{
	const struct header_field *field = NULL;
	const char *name = "From";
	struct mailbox *list;
	int count, several;

	for (size_t i = 0;
	     field == NULL && i < dataset_count(settings->sender_headers);
	     i++) {
		name = dataset_at(settings->sender_headers, i)->key;
		field = header_first(fields, field_count, name);
	}
	if (field == NULL)
		return err_set(err, "there is no %s field", name);
	if (header_count(fields, field_count, name) > 1)
		return err_set(err, "there are several %s fields", name);
	count = mailbox_parse_list(
	    field->value, field->value_len, arena, &list, err);
	if (count < 0)
		return err_prefix(err, "can't parse %s: ", name);
	several = check_several(settings, list, count, name, err);
	if (several == 0)
		*sender_r = list;
	return several;
}

/* Tables hold A-labels; what has none stays as it is, and matches nothing. */
static void
set_sender(struct work *w, const struct mailbox *sender)
{
	struct mailbox *own = arena_alloc(w->arena, sizeof(*own));
	char domain[SPFIDN_SIZE];

	*own = *sender;
	if (spfidn_to_ascii(sender->domain, domain))
		own->domain = arena_strdup(w->arena, domain);
	w->sender = own;
	w->address = format(w, "%s@%s", own->local, own->domain);
}

/* SenderMacro goes before the header. */
static void
find_sender(struct work *w)
{
	const struct settings *s = w->settings;
	const char *value = NULL;
	struct mailbox mailbox;

	if (s->options->sender_macro[0] != '\0' && w->facts->macro != NULL)
		value = w->facts->macro(
		    w->facts->macro_arg, s->macro_names[s->macro_count - 1]);
	if (value != NULL &&
	    mailbox_parse_address(value, w->arena, &mailbox, NULL) == 0)
		set_sender(w, &mailbox);
	else if (w->facts->sender != NULL)
		set_sender(w, w->facts->sender);
}

/* ---------------------------------------------------------------- origin */

/* Is value one of "a|b|c"? Any value is one of "". */
static bool
is_one_of(const char *value, const char *list)
{
	size_t len = strlen(value);

	if (list[0] == '\0')
		return true;
	for (;;) {
		size_t item = strcspn(list, "|");

		if (item == len && memcmp(list, value, len) == 0)
			return true;
		if (list[item] == '\0')
			return false;
		list += item + 1;
	}
}

static bool
has_macro(const struct work *w)
{
	const struct settings *s = w->settings;
	const char *value;

	if (w->facts->macro == NULL)
		return false;
	for (size_t i = 0; i < dataset_count(s->macros); i++) {
		value = w->facts->macro(w->facts->macro_arg, s->macro_names[i]);
		if (value != NULL && value[0] != '\0' &&
		    is_one_of(value, dataset_at(s->macros, i)->value))
			return true;
	}
	return false;
}

static const char *
client_name(const struct signplan_facts *facts)
{
	if (facts->client_name[0] != '\0')
		return facts->client_name;
	return facts->client_ip == NULL ? "localhost" : "unknown";
}

/* The name, when Postfix has verified it. */
static const char *
known_name(const struct signplan_facts *facts)
{
	return str_equal_nocase(facts->client_name, "unknown")
		   ? NULL
		   : facts->client_name;
}

/* Without an address a client is this machine, but not one that even Postfix
 * calls unknown. */
static bool
is_host_of(const struct work *w, const struct hostlist *list)
{
	const char *name = known_name(w->facts);

	if (name == NULL && w->facts->client_ip == NULL)
		return false;
	return hostlist_has(list, name, w->facts->client_ip);
}

/* Does the message come from one of ours? If not, says why. */
static bool
is_own(const struct work *w, const char **why_r)
{
	const struct signplan_facts *f = w->facts;
	const struct settings *s = w->settings;
	char ip[IP_TEXT_SIZE] = "127.0.0.1";

	*why_r = "";
	if (is_host_of(w, s->internal_hosts) || f->auth_type[0] != '\0' ||
	    f->auth_login[0] != '\0' ||
	    dataset_find(s->mta, f->daemon_name) != NULL || has_macro(w))
		return true;
	if (f->client_ip != NULL)
		(void)ip_format(f->client_ip, ip);
	else if (known_name(f) == NULL)
		memcpy(ip, "unknown", sizeof("unknown"));
	*why_r = format(
	    w, "%s [%s] not internal; not authenticated", client_name(f), ip);
	if (s->mta != NULL)
		*why_r = format(w, "%s; no MTA name match (host=%s, MTA=%s)",
		    *why_r, client_name(f), f->daemon_name);
	if (s->macros != NULL)
		*why_r = format(w, "%s; no macros match", *why_r);
	return false;
}

/* ------------------------------------------------------------------ keys */

static bool
has_key(const struct signplan *plan, const struct signplan_key *key)
{
	for (size_t i = 0; i < plan->key_count; i++)
		if (plan->keys[i].key == key->key &&
		    strcmp(plan->keys[i].domain, key->domain) == 0 &&
		    strcmp(plan->keys[i].selector, key->selector) == 0)
			return true;
	return false;
}

/* The i= that a line wants, or NULL when it is not below d=. */
static const char *
make_identity(const struct work *w, const char *signer, const char *d)
{
	const char *at = strrchr(signer, '@');
	const char *host;
	char text[MAILBOX_LOCAL_MAX + 2 * MAILBOX_DOMAIN_MAX + 8];
	struct str s;
	size_t len, d_len = strlen(d);

	if (signer[0] == '\0')
		return NULL;
	str_init(&s, text, sizeof(text));
	if (at == NULL)
		str_add_char(&s, '@');
	for (; *signer != '\0'; signer++) {
		if (*signer == '%')
			str_add(&s, w->sender->domain);
		else
			str_add_char(&s, *signer);
	}
	if (s.truncated)
		return NULL;
	host = strrchr(s.text, '@') + 1;
	len = strlen(host);
	if (len < d_len || !str_equal_nocase(host + len - d_len, d) ||
	    (len > d_len && host[len - d_len - 1] != '.'))
		return NULL;
	return arena_strdup(w->arena, s.text);
}

/* Adds the keys of this name for mail of domain. Returns how many there are,
 * also when the plan had them already. */
static size_t
add_keys(
    struct work *w, const char *name, const char *domain, const char *signer)
{
	const struct keytable_key *found[KEYTABLE_FOUND_MAX];
	struct signplan *plan = w->plan;
	size_t count = keytable_find(
	    w->settings->keys, name, domain, w->facts->now, found);
	size_t usable = 0;

	for (size_t i = 0; i < count; i++) {
		struct signplan_key key = {
			.key = found[i]->key,
			.domain = strcmp(found[i]->domain, "%") == 0
				      ? arena_strdup(w->arena, domain)
				      : found[i]->domain,
			.selector = found[i]->selector,
		};

		if (!keytable_is_name(key.domain))
			continue;
		usable++;
		key.identity = make_identity(w, signer, key.domain);
		if (plan->key_count < SIGNPLAN_KEYS_MAX && !has_key(plan, &key))
			plan->keys[plan->key_count++] = key;
	}
	return usable;
}

/* By SigningTable. Returns whether a line matches; then plan has keys, or
 * why_r says why not. */
static bool
match_table(struct work *w, const char **why_r)
{
	const struct settings *s = w->settings;
	struct signtable_match matches[MATCHES_MAX];
	size_t count =
	    signtable_find(s->signtable, w->sender->local, w->sender->domain,
		matches, s->options->multiple_signatures ? MATCHES_MAX : 1);

	for (size_t i = 0; i < count; i++)
		if (add_keys(w, matches[i].key_name, w->sender->domain,
			matches[i].signer) == 0)
			*why_r =
			    format(w, "no key '%s' can sign for '%s' today",
				matches[i].key_name, w->sender->domain);
	if (count == 0)
		*why_r =
		    format(w, "no signing table match for '%s'", w->address);
	return count > 0;
}

/* By Domain, KeyFile and KeyDirectory: the same for one domain. */
static bool
match_domain(struct work *w, const char *domain)
{
	const struct settings *s = w->settings;

	if (s->domains != NULL && dataset_find(s->domains, domain) == NULL &&
	    dataset_find(s->domains, "*") == NULL)
		return false;
	if (keytable_has(s->keys, domain))
		(void)add_keys(w, domain, domain, "");
	else if (s->domains != NULL && keytable_has(s->keys, ""))
		(void)add_keys(w, "", domain, "");
	return w->plan->key_count > 0;
}

static bool
match_domains(struct work *w, const char **why_r)
{
	const bool deep = w->settings->options->sub_domains;
	const char *domain = w->sender->domain;

	while (!match_domain(w, domain)) {
		domain = deep ? strchr(domain, '.') : NULL;
		if (domain == NULL) {
			*why_r = format(w, "no signing %s match for '%s'",
			    deep ? "subdomain" : "domain", w->sender->domain);
			return false;
		}
		domain++;
	}
	return true;
}

/* ---------------------------------------------------------------- owners */

/* Is address one of "a@x, @y, *"? */
static bool
owns(const char *list, const char *address)
{
	static const char separators[] = ",:; \t";
	const char *host = strrchr(address, '@');

	for (list += strspn(list, separators); *list != '\0';
	     list += strspn(list, separators)) {
		size_t len = strcspn(list, separators);

		if ((len == 1 && *list == '*') ||
		    (len == strlen(address) &&
			strncasecmp(list, address, len) == 0) ||
		    (len == strlen(host) && strncasecmp(list, host, len) == 0))
			return true;
		list += len;
	}
	return false;
}

/* May this login sign the sender's address? A host without a login may. */
static bool
is_owner(const struct work *w)
{
	const struct settings *s = w->settings;
	const char *login = w->facts->auth_login;
	const struct dataset_entry *entry = NULL;

	if (!s->only_own_from ||
	    (login[0] == '\0' && w->facts->auth_type[0] == '\0') ||
	    str_equal_nocase(login, w->address))
		return true;
	while ((entry = dataset_find_next(s->owners, login, entry)) != NULL)
		if (owns(entry->value, w->address))
			return true;
	return false;
}

/* -------------------------------------------------------------- decision */

/* Is the address in set, by itself, its domain, a parent domain or "*"? */
static bool
has_address(const struct dataset *set, const char *address)
{
	const char *at = strrchr(address, '@');

	if (set == NULL)
		return false;
	if (dataset_find(set, address) != NULL)
		return true;
	if (at == NULL || dataset_has_patterns(set))
		return false;
	if (dataset_find(set, at + 1) != NULL)
		return true;
	for (at = strchr(at, '.'); at != NULL; at = strchr(at + 1, '.'))
		if (dataset_find(set, at) != NULL)
			return true;
	return dataset_find(set, "*") != NULL;
}

static const char *
unsigned_recipient(const struct work *w)
{
	for (size_t i = 0; i < w->facts->recipient_count; i++)
		if (has_address(w->settings->dont_sign_mail_to,
			w->facts->recipients[i]))
			return w->facts->recipients[i];
	return NULL;
}

/* For what will not be signed. */
static void
set_unsigned(struct work *w, enum signplan_action action, const char *why)
{
	w->plan->action = action;
	w->plan->reason = why;
	w->plan->key_count = 0;
}

static void
notice_foreigner(struct work *w)
{
	if (is_host_of(w, w->settings->external_ignore))
		return;
	w->plan->notice = format(w, "external host %s attempted to send as %s",
	    client_name(w->facts), w->sender->domain);
}

/* ------------------------------------------------------- doubtful senders */

static bool
match(struct work *w, const char **why_r)
{
	return w->settings->signtable != NULL ? match_table(w, why_r)
					      : match_domains(w, why_r);
}

/* What stands around the "@" at at, as an address; nothing of it is sure. */
static struct mailbox
guess(const struct work *w, const char *start, const char *at)
{
	const char *local = at, *end = at + 1;
	char *domain;

	while (local > start && at - local < MAILBOX_LOCAL_MAX &&
	       (local[-1] == '.' || header_is_atext(local[-1])))
		local--;
	while (end - at <= MAILBOX_DOMAIN_MAX &&
	       (*end == '.' || header_is_atext(*end) ||
		   (unsigned char)*end >= 0x80))
		end++;
	while (end > at + 1 && end[-1] == '.')
		end--;
	domain = arena_strndup(w->arena, at + 1, (size_t)(end - at) - 1);
	str_lower(domain, strlen(domain));
	return (struct mailbox){
		.local = arena_strndup(w->arena, local, (size_t)(at - local)),
		.domain = domain,
	};
}

/* Would we sign for what seems to be an address in text? Where nothing does,
 * it says no more than a field that is missing. */
static bool
is_ours(struct work *w, const char *text)
{
	const char *at = text, *why;
	bool found = strchr(text, '@') == NULL;

	for (; !found && (at = strchr(at, '@')) != NULL; at++) {
		struct mailbox mailbox = guess(w, text, at);

		set_sender(w, &mailbox);
		found = w->guesses++ == GUESSES_MAX || match(w, &why);
	}
	w->sender = NULL;
	w->plan->key_count = 0;
	return found;
}

/* There is no sender that can be understood: might it be one of ours? Others'
 * mail comes from our hosts too, by lists, filters and gateways. */
static bool
may_be_ours(struct work *w)
{
	const struct signplan_facts *f = w->facts;
	bool found = false;

	for (size_t i = 0; i < dataset_count(w->settings->sender_headers); i++)
		for (size_t k = 0; k < f->field_count; k++) {
			const char *name =
			    dataset_at(w->settings->sender_headers, i)->key;

			if (!header_is(&f->fields[k], name))
				continue;
			if (is_ours(w, f->fields[k].value))
				return true;
			found = true;
		}
	return !found;
}

/* The message may be one to sign; otherwise is what happens if not. */
static void
decide_to_sign(struct work *w, enum signplan_action otherwise)
{
	const char *why_not_own, *why = "", *recipient;
	bool own = is_own(w, &why_not_own);
	bool matches;

	if (w->sender == NULL) {
		bool is_error =
		    own && !w->facts->has_several_senders && may_be_ours(w);

		set_unsigned(w, is_error ? SIGNPLAN_ERROR : otherwise,
		    own ? w->facts->sender_error : why_not_own);
		return;
	}
	matches = match(w, &why);
	recipient = own && matches ? unsigned_recipient(w) : NULL;
	if (!own) {
		if (matches)
			notice_foreigner(w);
		set_unsigned(w, otherwise, why_not_own);
	} else if (!matches) {
		set_unsigned(w, otherwise, why);
	} else if (recipient != NULL) {
		set_unsigned(w, SIGNPLAN_PASS,
		    format(w, "mail to '%s' is not signed", recipient));
	} else if (!is_owner(w)) {
		set_unsigned(w, otherwise,
		    format(w, "login '%s' does not own '%s'",
			w->facts->auth_login, w->address));
	} else if (w->plan->key_count == 0) {
		set_unsigned(w, SIGNPLAN_ERROR, why);
	} else {
		w->plan->action = SIGNPLAN_SIGN;
	}
}

void
signplan_decide(const struct settings *settings,
    const struct signplan_facts *facts, struct arena *arena,
    struct signplan *plan_r)
{
	struct work w = {
		.settings = settings,
		.facts = facts,
		.arena = arena,
		.plan = plan_r,
	};
	const enum signplan_action otherwise =
	    settings->verifies ? SIGNPLAN_VERIFY : SIGNPLAN_PASS;

	*plan_r = (struct signplan){ .reason = "", .notice = "" };
	find_sender(&w);
	if (is_host_of(&w, settings->peers)) {
		plan_r->is_peer = true;
		set_unsigned(&w, SIGNPLAN_PASS, "client is in PeerList");
	} else if (w.sender != NULL && dataset_find(settings->exempt_domains,
					   w.sender->domain) != NULL) {
		set_unsigned(&w, SIGNPLAN_PASS,
		    format(&w, "'%s' is in ExemptDomains", w.sender->domain));
	} else if (settings->signs) {
		decide_to_sign(&w, otherwise);
	} else {
		set_unsigned(&w, otherwise, "");
	}
}
