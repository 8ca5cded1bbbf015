/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/now.h"
#include "common/str.h"

#include "dkimd/ctl.h"
#include "dkimd/ctl_rotation.h"
#include "dkimd/ctl_txt.h"

#define SELECTOR_MAX 200

struct request {
	const char *domain, *selector; /* NULL = all, or not known */
	bool plain;
};

/* One record to publish. */
struct entry {
	const char *domain, *selector;
	const struct engine_key *key;
};

static int
help(const struct ctl *ctl)
{
	puts("usage: dkimctl show [OPTIONS] [KEYFILE ...]\n"
	     "  -d DOMAIN    of the key files; else: this domain's keys only\n"
	     "  -s SELECTOR  of the key file; else: this selector only\n"
	     "  --plain      names and records, not as zone file\n"
	     "  -c FILE      configuration\n"
	     "without KEYFILE: every key of the configuration");
	return ctl_finish(ctl, EX_OK);
}

static void
print_entry(const struct request *r, const struct entry *entry)
{
	const struct ctl_txt txt = {
		.type = ctl_type(entry->key),
		.key = ctl_public(entry->key),
		.hashes = "sha256",
	};
	char record[CTL_TXT_SIZE], zone[CTL_TXT_SIZE];
	struct str s;

	str_init(&s, record, sizeof(record));
	ctl_txt_record(&s, &txt);
	if (r->plain) {
		printf("%s._domainkey%s%s\t%s\n", entry->selector,
		    entry->domain[0] != '\0' ? "." : "", entry->domain, record);
		return;
	}
	str_init(&s, zone, sizeof(zone));
	ctl_txt_zone(&s, entry->selector, entry->domain,
	    entry->domain[0] != '\0', record);
	fputs(zone, stdout);
}

/* Does this key sign now, when keytable_find has the last word? */
static bool
is_signing(const struct ctl *ctl, const struct keytable_key *key,
    const char *domain, int64_t now)
{
	const struct keytable_key *found[KEYTABLE_FOUND_MAX];
	size_t count =
	    keytable_find(ctl->settings->keys, key->name, domain, now, found);

	for (size_t i = 0; i < count; i++)
		if (found[i] == key)
			return true;
	return false;
}

/* A comment: what the key is, and when it signs. */
static void
print_state(const struct ctl *ctl, const struct keytable_key *key,
    const char *domain, int64_t now)
{
	char date[CTL_ROTATION_DATE_SIZE];

	printf("; %s%s%s, %u bits, ", key->name,
	    key->name[0] != '\0' ? ": " : "", ctl_type(key->key),
	    engine_key_bits(key->key));
	if (key->until <= now)
		printf("signs no longer since %s",
		    ctl_rotation_date(key->until, date));
	else if (key->from > now)
		printf("signs from %s on", ctl_rotation_date(key->from, date));
	else if (is_signing(ctl, key, domain, now))
		fputs("signs now", stdout);
	else
		fputs("signs no longer: a newer key does", stdout);
	if (key->until > now && key->until != INT64_MAX)
		printf(", until %s", ctl_rotation_date(key->until, date));
	putchar('\n');
}

/* Is it one that is asked for? */
static bool
show_key(const struct ctl *ctl, const struct request *r,
    const struct keytable_key *key, const char *domain)
{
	const struct entry entry = { domain, key->selector, key->key };

	if (r->domain != NULL && !str_equal_nocase(r->domain, domain))
		return false;
	if (!r->plain)
		print_state(ctl, key, domain, now_wall_s());
	print_entry(r, &entry);
	return true;
}

/* A key for any domain of From has a record in each domain of Domain. Returns
 * whether there was one. */
static bool
show_domains(const struct ctl *ctl, const struct request *r,
    const struct keytable_key *key)
{
	const struct dataset *domains = ctl->settings->domains;
	bool found = false;

	if (strcmp(key->domain, "%") != 0 || key->from_domain != NULL)
		return show_key(ctl, r, key,
		    key->from_domain != NULL ? key->from_domain : key->domain);
	for (size_t i = 0; i < dataset_count(domains); i++)
		if (strchr(dataset_at(domains, i)->key, '*') == NULL)
			found |=
			    show_key(ctl, r, key, dataset_at(domains, i)->key);
	return found;
}

static int
show_all(struct ctl *ctl, const struct request *r)
{
	int code = ctl_load(ctl, "s");
	const struct keytable *keys;
	bool found = false;

	if (code != 0)
		return code;
	keys = ctl->settings->keys;
	for (size_t i = 0; i < keytable_count(keys); i++) {
		const struct keytable_key *key = keytable_at(keys, i);

		if (r->selector == NULL ||
		    str_equal_nocase(r->selector, key->selector))
			found |= show_domains(ctl, r, key);
	}
	if (!found)
		return ctl_fail(ctl, EX_CONFIG,
		    "the configuration has no such key; name its file: "
		    "dkimctl show -d DOMAIN KEYFILE");
	return ctl_finish(ctl, EX_OK);
}

/* SELECTOR.private says its selector by its name. */
static int
show_file(struct ctl *ctl, const struct request *r, const char *path)
{
	const char *base = str_base(path);
	char selector[SELECTOR_MAX + 1];
	struct engine_key *key;
	struct str s;

	str_init(&s, selector, sizeof(selector));
	str_add_bytes(&s, base, strlen(base));
	if (s.len > 8 && strcmp(selector + s.len - 8, ".private") == 0)
		selector[s.len - 8] = '\0';
	if (r->selector == NULL && !ctl_txt_name_ok(selector, SELECTOR_MAX))
		return ctl_fail(ctl, EX_USAGE,
		    "%s: its name tells no selector; say -s SELECTOR", path);
	key = ctl_load_key(ctl, path);
	if (key == NULL)
		return EX_NOINPUT;
	print_entry(r, &(struct entry){
			   r->domain != NULL ? r->domain : "",
			   r->selector != NULL ? r->selector : selector,
			   key,
		       });
	engine_key_free(&key);
	return ctl_finish(ctl, EX_OK);
}

static int
check(const struct ctl *ctl, const struct request *r)
{
	if (r->domain != NULL && !ctl_txt_name_ok(r->domain, SELECTOR_MAX))
		return ctl_fail(ctl, EX_USAGE,
		    "-d %s: no domain; write it in A-labels (xn--...)",
		    r->domain);
	if (r->selector != NULL && !ctl_txt_name_ok(r->selector, SELECTOR_MAX))
		return ctl_fail(
		    ctl, EX_USAGE, "-s %s: no selector", r->selector);
	return 0;
}

int
ctl_show(struct ctl *ctl, int argc, char **argv)
{
	enum { OPTION_PLAIN = CTL_OPTION_OWN };
	static const struct option long_options[] = { CTL_LONG,
		{ "plain", no_argument, NULL, OPTION_PLAIN },
		{ NULL, 0, NULL, 0 } };
	struct request r = { .plain = false };
	int c, code = 0;

	while ((c = getopt_long(argc, argv, CTL_LETTERS "d:s:", long_options,
		    NULL)) != -1) {
		if (c == CTL_OPTION_HELP)
			return help(ctl);
		if (c == 'd')
			r.domain = optarg;
		else if (c == 's')
			r.selector = optarg;
		else if (c == OPTION_PLAIN)
			r.plain = true;
		else if (ctl_take(ctl, c, argv) != 0)
			return EX_USAGE;
	}
	code = check(ctl, &r);
	if (code == 0 && optind == argc)
		return show_all(ctl, &r);
	for (; code == 0 && optind < argc; optind++)
		code = show_file(ctl, &r, argv[optind]);
	return code;
}
