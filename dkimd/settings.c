/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/hostname.h"
#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/settings.h"

/* What loading needs besides the settings. */
struct load {
	struct settings *s;
	const struct options *o;
	uid_t owner;
	void (*warn)(void *arg, const char *text);
	void *arg;
	struct err *err;
};

/* Without commas a list is one long name, which matches nothing. */
static void
warn_blanks(const struct load *l, const struct dataset *set, const char *name)
{
	struct err line;

	for (size_t i = 0; i < dataset_count(set); i++) {
		const struct dataset_entry *entry = dataset_at(set, i);

		if (strpbrk(entry->key, " \t") == NULL)
			continue;
		(void)err_set(&line,
		    "\"%.80s\" holds a blank; write commas between names",
		    entry->key);
		(void)dataset_blame(set, entry, &line);
		(void)err_prefix(&line, "%s: ", name);
		l->warn(l->arg, line.text);
	}
}

static int
load_set(const struct load *l, struct dataset **set, const char *name,
    const char *text)
{
	if (text[0] == '\0')
		return 0;
	*set = dataset_load(text, l->o->base_directory, 0, l->err);
	if (*set == NULL)
		return err_prefix(l->err, "%s: ", name);
	warn_blanks(l, *set, name);
	return 0;
}

/* Passes a sentence on with the name of the option. */
struct warning {
	const struct load *load;
	const char *name;
};

static void
warn_named(void *arg, const char *text)
{
	const struct warning *w = arg;
	struct err line;

	(void)err_set(&line, "%s: %s", w->name, text);
	w->load->warn(w->load->arg, line.text);
}

static int
load_hosts(const struct load *l, struct hostlist **list, const char *name,
    const char *text)
{
	struct warning w = { l, name };

	if (text[0] == '\0')
		return 0;
	*list =
	    hostlist_load(text, l->o->base_directory, warn_named, &w, l->err);
	return *list != NULL ? 0 : err_prefix(l->err, "%s: ", name);
}

static int
load_lists(const struct load *l)
{
	const struct options *o = l->o;
	struct settings *s = l->s;

	if (load_hosts(l, &s->internal_hosts, "InternalHosts",
		o->internal_hosts) < 0 ||
	    load_hosts(l, &s->external_ignore, "ExternalIgnoreList",
		o->external_ignore_list) < 0 ||
	    load_hosts(l, &s->peers, "PeerList", o->peer_list) < 0 ||
	    load_hosts(
		l, &s->remove_ar_from, "RemoveARFrom", o->remove_ar_from) < 0)
		return -1;
	if (load_set(l, &s->exempt_domains, "ExemptDomains",
		o->exempt_domains) < 0 ||
	    load_set(l, &s->mta, "MTA", o->mta) < 0 ||
	    load_set(l, &s->macros, "MacroList", o->macro_list) < 0 ||
	    load_set(l, &s->dont_sign_mail_to, "DontSignMailTo",
		o->dont_sign_mail_to) < 0 ||
	    load_set(l, &s->must_be_signed, "MustBeSigned", o->must_be_signed) <
		0 ||
	    load_set(l, &s->trusted_domains, "TrustSignaturesFrom",
		o->trust_signatures_from) < 0)
		return -1;
	return load_set(l, &s->sender_headers, "SenderHeaders",
	    o->sender_headers[0] != '\0' ? o->sender_headers : "From");
}

static int
load_owners(const struct load *l)
{
	const char *text = l->o->sign_only_own_from;

	if (text[0] == '\0' || str_equal_nocase(text, "no"))
		return 0;
	l->s->only_own_from = true;
	if (str_equal_nocase(text, "yes"))
		return 0;
	return load_set(l, &l->s->owners, "SignOnlyOwnFrom", text);
}

/* The fields of new signatures. */
static int
load_headers(const struct load *l)
{
	struct dataset *sign = NULL, *omit = NULL, *oversign = NULL;
	int r = -1;

	if (load_set(l, &sign, "SignHeaders", l->o->sign_headers) < 0 ||
	    load_set(l, &omit, "OmitHeaders", l->o->omit_headers) < 0 ||
	    load_set(l, &oversign, "OversignHeaders", l->o->oversign_headers) <
		0)
		goto out;
	l->s->signheaders = signheaders_new(sign, omit, oversign, l->err);
	r = l->s->signheaders != NULL
		? 0
		: err_prefix(
		      l->err, "SignHeaders, OmitHeaders or OversignHeaders: ");
out:
	dataset_free(&sign);
	dataset_free(&omit);
	dataset_free(&oversign);
	return r;
}

static int
load_key_table(const struct load *l)
{
	struct dataset *lines = NULL;

	if (load_set(l, &lines, "KeyTable", l->o->key_table) < 0)
		return -1;
	if (lines != NULL && keytable_add_table(l->s->keys, lines, l->err) < 0)
		return err_prefix(l->err, "KeyTable: ");
	return 0;
}

/* "*@example.com" says nothing in a mere file, and is often written there. */
static void
warn_patterns(const struct load *l, const struct dataset *lines)
{
	struct err doubt;

	for (size_t i = 0;
	     !dataset_has_patterns(lines) && i < dataset_count(lines); i++) {
		const struct dataset_entry *entry = dataset_at(lines, i);
		const char *star = strchr(entry->key, '*');

		if (star == NULL || strcmp(entry->key, "*") == 0 ||
		    (star > entry->key && strcmp(star - 1, "@*") == 0))
			continue;
		(void)err_set(&doubt,
		    "\"%.80s\" is no pattern here and matches nothing; "
		    "write SigningTable refile:PATH",
		    entry->key);
		(void)dataset_blame(lines, entry, &doubt);
		(void)err_prefix(&doubt, "SigningTable: ");
		l->warn(l->arg, doubt.text);
	}
}

static int
load_signing_table(const struct load *l)
{
	struct dataset *lines = NULL;

	if (load_set(l, &lines, "SigningTable", l->o->signing_table) < 0)
		return -1;
	if (lines == NULL)
		return load_set(l, &l->s->domains, "Domain", l->o->domain);
	warn_patterns(l, lines);
	l->s->signtable = signtable_new(lines, l->s->keys, l->err);
	return l->s->signtable != NULL ? 0
				       : err_prefix(l->err, "SigningTable: ");
}

static int
load_keys(const struct load *l)
{
	const struct options *o = l->o;
	struct warning w = { l, "KeyFile, KeyTable" };
	const struct privkey_config config = {
		.base = o->base_directory,
		.owner = l->owner,
		.safe = o->require_safe_keys,
		.min_bits = (unsigned)o->minimum_key_bits,
		.rereads = true,
		.warn = warn_named,
		.arg = &w,
	};
	struct keytable *keys = l->s->keys = keytable_new(&config);

	if (!l->s->signs)
		return 0;
	if (load_key_table(l) < 0)
		return -1;
	if (o->key_directory[0] != '\0' &&
	    keytable_add_directory(keys, o->key_directory, l->err) < 0)
		return err_prefix(l->err, "KeyDirectory: ");
	if (o->key_table[0] == '\0' && o->key_file[0] != '\0' &&
	    keytable_add_file(keys, "", "%", o->selector, o->key_file, l->err) <
		0)
		return err_prefix(l->err, "KeyFile: ");
	if (keytable_count(keys) == 0)
		l->warn(l->arg, "nothing will be signed: there is no KeyFile, "
				"KeyTable or KeyDirectory with a key");
	return load_signing_table(l);
}

/* "{name}", as a milter asks for it; a single letter goes bare. */
static void
add_macro(struct settings *s, const char *name)
{
	char text[128];
	struct str str;

	str_init(&str, text, sizeof(text));
	str_addf(&str, name[0] == '{' || name[1] == '\0' ? "%s" : "{%s}", name);
	s->macro_names[s->macro_count++] = xmem_strdup(text);
}

static void
name_macros(struct settings *s)
{
	size_t count = dataset_count(s->macros);

	s->macro_names = xmem_calloc(count + 1, sizeof(*s->macro_names));
	for (size_t i = 0; i < count; i++)
		add_macro(s, dataset_at(s->macros, i)->key);
	if (s->options->sender_macro[0] != '\0')
		add_macro(s, s->options->sender_macro);
}

static char *
own_authserv_id(const char *id)
{
	return str_equal_nocase(id, "HOSTNAME") ? hostname_or_own("")
						: xmem_strdup(id);
}

/* What needs no file. */
static void
derive(struct settings *s)
{
	const struct options *o = s->options;
	const char *body = strchr(o->canonicalization, '/');

	s->signs = strchr(o->mode, 's') != NULL;
	s->verifies = strchr(o->mode, 'v') != NULL;
	s->headers_limit_is_given =
	    config_is_set(s->config, "MaximumHeaders") &&
	    o->maximum_headers < OPTIONS_HEADERS_MAX;
	s->authserv_id = own_authserv_id(o->authserv_id);
	s->header_canon = str_has_prefix_nocase(o->canonicalization, "relaxed")
			      ? SIGFIELD_RELAXED
			      : SIGFIELD_SIMPLE;
	s->body_canon = body != NULL && str_equal_nocase(body + 1, "relaxed")
			    ? SIGFIELD_RELAXED
			    : SIGFIELD_SIMPLE;
	(void)options_parse_minimum(
	    o->minimum, &s->minimum_kind, &s->minimum_number, NULL);
}

struct settings *
settings_load(const struct config *config, uid_t owner,
    void (*warn)(void *arg, const char *text), void *arg, struct err *err)
{
	struct settings *s = xmem_calloc(1, sizeof(*s));
	struct load l = {
		.s = s,
		.owner = owner,
		.warn = warn,
		.arg = arg,
		.err = err,
	};

	atomic_init(&s->refs, 1);
	s->config = config_copy(config);
	l.o = s->options = config_values(s->config);
	derive(s);
	if (load_lists(&l) < 0 || load_owners(&l) < 0 || load_headers(&l) < 0 ||
	    load_keys(&l) < 0)
		settings_release(&s);
	else
		name_macros(s);
	return s;
}

struct settings *
settings_hold(struct settings *settings)
{
	atomic_fetch_add(&settings->refs, 1);
	return settings;
}

static void
free_lists(struct settings *s)
{
	hostlist_free(&s->internal_hosts);
	hostlist_free(&s->external_ignore);
	hostlist_free(&s->peers);
	hostlist_free(&s->remove_ar_from);
	dataset_free(&s->exempt_domains);
	dataset_free(&s->mta);
	dataset_free(&s->macros);
	dataset_free(&s->dont_sign_mail_to);
	dataset_free(&s->sender_headers);
	dataset_free(&s->must_be_signed);
	dataset_free(&s->trusted_domains);
	dataset_free(&s->owners);
	dataset_free(&s->domains);
}

void
settings_release(struct settings **settings)
{
	struct settings *s = *settings;

	*settings = NULL;
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) > 1)
		return;
	free_lists(s);
	signtable_free(&s->signtable);
	keytable_free(&s->keys);
	signheaders_free(&s->signheaders);
	for (size_t i = 0; i < s->macro_count; i++)
		xmem_free(&s->macro_names[i]);
	xmem_free(&s->macro_names);
	xmem_free(&s->authserv_id);
	config_free(&s->config);
	xmem_free(&s);
}

size_t
settings_macros(const struct settings *settings, const char *const **names_r)
{
	*names_r = (const char *const *)settings->macro_names;
	return settings->macro_count;
}
