/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/now.h"
#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#include "dkimd/ctl.h"
#include "dkimd/ctl_file.h"
#include "dkimd/ctl_newkey.h"
#include "dkimd/ctl_rotation.h"
#include "dkimd/ctl_txt.h"
#include "dkimd/privkey.h"

#define DAY_S INT64_C(86400)
/* Until the record is everywhere, caches of its absence included. */
#define DAYS_TO_PUBLISH 2
/* Until the last mail with an old signature has arrived: queues keep mail for
 * 5 days. */
#define DAYS_TO_ARRIVE 7
#define PATH_SIZE 4096
#define LINES_SIZE 8192
#define SELECTOR_MAX 200

struct request {
	const char *name;
	const char *selector; /* NULL = by the day */
	const char *type;     /* NULL = all that sign now */
	int64_t from, now;    /* UNIX times */
	unsigned bits;        /* 0 = as before, 2048 at least */
	bool write;
};

/* A key and the one that comes after it. */
struct successor {
	const struct keytable_key *old;
	char selector[SELECTOR_MAX + 1];
	char path[PATH_SIZE]; /* as the KeyTable names it */
	char *file;           /* where it is */
	bool made;            /* is it there already? */
};

static int
help(const struct ctl *ctl)
{
	puts(
	    "usage: dkimctl rotate [OPTIONS] NAME\n"
	    "  NAME                 of the KeyTable, or the domain of one key\n"
	    "  -s SELECTOR          of the new key (default: today)\n"
	    "  -k rsa|ed25519       only the key of this kind\n"
	    "  -b BITS              of an RSA key (default: as before)\n"
	    "  --from YYYY-MM-DD    when it begins to sign (default: in 2 "
	    "days)\n"
	    "  --write              add the line to the KeyTable\n"
	    "  -c FILE              configuration\n"
	    "makes the key and says what to do when");
	return ctl_finish(ctl, EX_OK);
}

/* ----------------------------------------------------------------- checks */

static bool
is_named(const struct keytable_key *key, const char *name, bool by_domain)
{
	return key->entry != NULL &&
	       str_equal_nocase(by_domain ? key->domain : key->name, name);
}

/* The table's name for what the user named. NULL after a message. */
static const char *
find_name(const struct ctl *ctl, const char *given)
{
	const struct keytable *keys = ctl->settings->keys;
	const char *name = NULL;

	for (int by_domain = 0; by_domain < 2 && name == NULL; by_domain++) {
		for (size_t i = 0; i < keytable_count(keys); i++) {
			const struct keytable_key *key = keytable_at(keys, i);

			if (!is_named(key, given, by_domain))
				continue;
			if (name != NULL &&
			    !str_equal_nocase(name, key->name)) {
				ctl_fail(ctl, EX_USAGE,
				    "%s has keys of several names: %s, %s; "
				    "say which",
				    given, name, key->name);
				return NULL;
			}
			name = key->name;
		}
	}
	if (name == NULL)
		ctl_fail(ctl, EX_CONFIG,
		    "the KeyTable has no key of that name: %s (a KeyFile or "
		    "KeyDirectory knows no dates; put the key into a KeyTable: "
		    "NAME DOMAIN:SELECTOR:PATH)",
		    given);
	return name;
}

/* Is another key of that kind going to take over already? */
static bool
has_successor(
    const struct ctl *ctl, const struct keytable_key *old, int64_t now)
{
	const struct keytable *keys = ctl->settings->keys;
	char date[CTL_ROTATION_DATE_SIZE];

	for (size_t i = 0; i < keytable_count(keys); i++) {
		const struct keytable_key *key = keytable_at(keys, i);

		if (key->from <= now || key->from == INT64_MAX ||
		    !str_equal_nocase(key->name, old->name) ||
		    strcmp(ctl_type(key->key), ctl_type(old->key)) != 0)
			continue;
		ctl_fail(ctl, EX_CONFIG,
		    "%s: selector %s is going to sign from %s on already",
		    key->name, key->selector,
		    ctl_rotation_date(key->from, date));
		return true;
	}
	return false;
}

static int
check_old(const struct ctl *ctl, const struct keytable_key *old, int64_t now)
{
	if (!privkey_is_path(old->path) || old->from_domain != NULL)
		return ctl_fail(ctl, EX_CONFIG,
		    "%s: selector %s is no file of its own, so its successor "
		    "has no place; make one with dkimctl genkey, and add a "
		    "line with its date",
		    old->name, old->selector);
	return has_successor(ctl, old, now) ? EX_CONFIG : 0;
}

/* Is there a key of that selector in the domain? */
static bool
has_selector(const struct ctl *ctl, const char *domain, const char *selector)
{
	const struct keytable *keys = ctl->settings->keys;

	for (size_t i = 0; i < keytable_count(keys); i++) {
		const struct keytable_key *key = keytable_at(keys, i);

		if (str_equal_nocase(key->domain, domain) &&
		    str_equal_nocase(key->selector, selector))
			return true;
	}
	return false;
}

/* ------------------------------------------------------------------- plan */

static int
plan(const struct ctl *ctl, const struct request *r,
    const struct keytable_key *old, struct successor *next)
{
	int code = check_old(ctl, old, r->now);
	struct str s;

	if (code != 0)
		return code;
	next->old = old;
	str_init(&s, next->selector, sizeof(next->selector));
	if (r->selector != NULL)
		str_add(&s, r->selector);
	else
		ctl_rotation_selector(
		    &s, r->now, engine_key_algorithm(old->key));
	if (!ctl_txt_name_ok(next->selector, SELECTOR_MAX))
		return ctl_fail(
		    ctl, EX_USAGE, "-s %s: no selector", next->selector);
	if (has_selector(ctl, old->domain, next->selector))
		return ctl_fail(ctl, EX_USAGE,
		    "%s has a key with selector %s; name another with -s",
		    old->domain, next->selector);
	str_init(&s, next->path, sizeof(next->path));
	ctl_rotation_path(&s, old->path, old->selector, next->selector);
	if (s.truncated)
		return ctl_fail(ctl, EX_CONFIG, "the path is too long");
	next->file = dataset_path(next->path, ctl->options->base_directory);
	return 0;
}

/* Makes the key file, of the owner and permissions of the old one. */
static int
make_key(const struct ctl *ctl, const struct request *r, struct successor *next)
{
	char *old_file =
	    dataset_path(next->old->path, ctl->options->base_directory);
	unsigned bits = engine_key_bits(next->old->key);
	struct stat st;
	char *pem = NULL;
	int code = 0;
	struct err err;

	if (r->bits != 0)
		bits = r->bits;
	else if (bits < CTL_NEWKEY_BITS)
		bits = CTL_NEWKEY_BITS;
	else if (bits > CTL_NEWKEY_BITS_MAX)
		bits = CTL_NEWKEY_BITS_MAX;
	if (stat(old_file, &st) != 0) {
		code = ctl_fail(ctl, EX_NOINPUT, "cannot look at %s", old_file);
		goto out;
	}
	pem = ctl_newkey_make(engine_key_algorithm(next->old->key), bits, &err);
	if (pem == NULL)
		code = ctl_fail(ctl, EX_SOFTWARE, "%s", err.text);
	else if (ctl_file_create(next->file, st.st_mode & 0777, &st, pem,
		     strlen(pem), &err) != 0)
		code = ctl_fail(ctl, EX_CANTCREAT, "%s", err.text);
	else
		next->made = true;
out:
	ctl_newkey_free(&pem);
	xmem_free(&old_file);
	return code;
}

static void
add_lines(struct str *s, const struct request *r, const struct successor *next,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct ctl_rotation_line line = {
			.name = next[i].old->entry->key,
			.domain = next[i].old->domain,
			.selector = next[i].selector,
			.path = next[i].path,
			.algorithm = engine_key_algorithm(next[i].old->key),
			.from = r->from,
		};

		ctl_rotation_add_line(s, &line);
		str_add_char(s, '\n');
	}
}

/* --------------------------------------------------------------- KeyTable */

/* The file of the KeyTable; NULL after a message. The caller frees it. */
static char *
table_file(const struct ctl *ctl)
{
	const char *text = ctl->options->key_table;
	const char *colon = strchr(text, ':');

	if (str_has_prefix_nocase(text, "file:") ||
	    str_has_prefix_nocase(text, "refile:"))
		text = colon + 1;
	else if (text[0] != '/' && text[0] != '.') {
		ctl_fail(ctl, EX_CONFIG,
		    "--write: the KeyTable is no file, put the line there "
		    "yourself: %s",
		    text);
		return NULL;
	}
	return dataset_path(text, ctl->options->base_directory);
}

/* Would the daemon take the configuration with this KeyTable? */
static int
try_table(const struct ctl *ctl, const char *path)
{
	struct config *config = config_copy(ctl->config);
	char value[PATH_SIZE + 8];
	struct settings *settings = NULL;
	struct err err;

	snprintf(value, sizeof(value), "file:%s", path);
	if (config_set(config, "KeyTable", value, &err) == 0)
		settings = ctl_try_settings(ctl, config, &err);
	config_free(&config);
	if (settings == NULL)
		return ctl_fail(
		    ctl, EX_CONFIG, "the new KeyTable: %s", err.text);
	settings_release(&settings);
	return 0;
}

/* Returns 0, or -1 with err; "" says that a message was printed already. */
static int
edit_table(const struct ctl *ctl, const char *path, const char *lines,
    unsigned after, struct err *err)
{
	char *text = NULL, *edited = NULL;
	struct ctl_file_draft draft = { .temp = NULL };
	size_t len;
	int status = -1;

	err->text[0] = '\0';
	if (textfile_read(path, &text, &len, err) != TEXTFILE_OK)
		goto out;
	edited = ctl_rotation_insert(text, len, after, lines, &len);
	if (ctl_file_draft(path, edited, len, &draft, err) != 0)
		goto out;
	if (try_table(ctl, draft.temp) == 0)
		status = ctl_file_commit(&draft, err);
out:
	ctl_file_drop(&draft);
	xmem_free(&edited);
	xmem_free(&text);
	return status;
}

static int
write_table(const struct ctl *ctl, const char *lines, unsigned after)
{
	char *path = table_file(ctl);
	int code = 0;
	struct err err;

	if (path == NULL)
		return EX_CONFIG;
	if (edit_table(ctl, path, lines, after, &err) != 0)
		code = err.text[0] == '\0'
			   ? EX_CONFIG
			   : ctl_fail(ctl, EX_CANTCREAT, "%s", err.text);
	xmem_free(&path);
	return code;
}

/* ----------------------------------------------------------------- report */

static int
print_records(const struct ctl *ctl, const struct successor *next, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct engine_key *key = ctl_load_key(ctl, next[i].file);
		char record[CTL_TXT_SIZE], zone[CTL_TXT_SIZE];
		struct ctl_txt txt = { .hashes = "sha256" };
		struct str s;

		if (key == NULL)
			return EX_SOFTWARE;
		txt.type = ctl_type(key);
		txt.key = ctl_public(key);
		str_init(&s, record, sizeof(record));
		ctl_txt_record(&s, &txt);
		str_init(&s, zone, sizeof(zone));
		ctl_txt_zone(&s, next[i].selector, next[i].old->domain,
		    strcmp(next[i].old->domain, "%") != 0, record);
		fputs(zone, stdout);
		engine_key_free(&key);
	}
	return 0;
}

static int
print_steps(const struct ctl *ctl, const struct request *r,
    const struct successor *next, size_t count, const char *lines)
{
	char from[CTL_ROTATION_DATE_SIZE], end[CTL_ROTATION_DATE_SIZE];
	int code;

	for (size_t i = 0; i < count; i++)
		printf("made %s\n", next[i].file);
	puts("\n1. now: publish");
	code = print_records(ctl, next, count);
	puts("\n2. as soon as DNS has it: check");
	for (size_t i = 0; i < count; i++)
		printf("dkimctl testkey -vvv -d %s -s %s -k %s\n",
		    next[i].old->domain, next[i].selector, next[i].file);
	printf("\n3. then %s\n%s",
	    r->write ? "reload dkimd; the KeyTable has it now:"
		     : "put this into the KeyTable and reload dkimd:",
	    lines);
	printf("\n4. %s, 0:00 UTC: the new key begins to sign, by itself\n",
	    ctl_rotation_date(r->from, from));
	printf("\n5. not before %s: remove the old line and its key, and "
	       "publish that it is revoked\n",
	    ctl_rotation_date(r->from + DAYS_TO_ARRIVE * DAY_S, end));
	for (size_t i = 0; i < count; i++)
		printf("%s._domainkey.%s.\tIN\tTXT\t( \"v=DKIM1; p=\" )\n",
		    next[i].old->selector, next[i].old->domain);
	return ctl_finish(ctl, code);
}

/* ---------------------------------------------------------------- command */

/* The keys that sign now; at most KEYTABLE_FOUND_MAX. Returns 0 or a code
 * after a message. */
static int
find_old(const struct ctl *ctl, const struct request *r, const char *name,
    const struct keytable_key **old_r, size_t *count_r)
{
	const struct keytable_key *found[KEYTABLE_FOUND_MAX];
	size_t count;

	/* Of a "%" no domain is needed: its path cannot be rotated. */
	count = keytable_find(ctl->settings->keys, name, "%", r->now, found);
	*count_r = 0;
	for (size_t i = 0; i < count; i++) {
		if (r->type == NULL ||
		    strcmp(r->type, ctl_type(found[i]->key)) == 0)
			old_r[(*count_r)++] = found[i];
	}
	if (*count_r == 0)
		return ctl_fail(ctl, EX_CONFIG, "no %s%skey of %s signs today",
		    r->type != NULL ? r->type : "", r->type != NULL ? " " : "",
		    name);
	if (*count_r > 1 && r->selector != NULL)
		return ctl_fail(ctl, EX_USAGE,
		    "-s: %s has an RSA and an Ed25519 key; say which with -k",
		    name);
	return 0;
}

static int
rotate(const struct ctl *ctl, const struct request *r)
{
	const struct keytable_key *old[KEYTABLE_FOUND_MAX];
	struct successor next[KEYTABLE_FOUND_MAX] = { { .file = NULL } };
	const char *name = find_name(ctl, r->name);
	char lines[LINES_SIZE];
	unsigned after = 0;
	size_t count = 0;
	int code = EX_CONFIG;
	struct str s;

	if (name != NULL)
		code = find_old(ctl, r, name, old, &count);
	for (size_t i = 0; code == 0 && i < count; i++)
		code = plan(ctl, r, old[i], &next[i]);
	for (size_t i = 0; code == 0 && i < count; i++) {
		code = make_key(ctl, r, &next[i]);
		if (old[i]->entry->line > after)
			after = old[i]->entry->line;
	}
	if (code == 0) {
		str_init(&s, lines, sizeof(lines));
		add_lines(&s, r, next, count);
		if (r->write)
			code = write_table(ctl, lines, after);
	}
	if (code == 0) {
		/* From here on somebody knows of the files. */
		for (size_t i = 0; i < count; i++)
			next[i].made = false;
		code = print_steps(ctl, r, next, count, lines);
	}
	for (size_t i = 0; i < count; i++) {
		/* Nobody knows of it, and it would be in the way next time. */
		if (code != 0 && next[i].made)
			(void)unlink(next[i].file);
		xmem_free(&next[i].file);
	}
	return code;
}

static int
take(struct ctl *ctl, struct request *r, int c, char **argv)
{
	unsigned long long bits;

	switch (c) {
	case 's':
		r->selector = optarg;
		return 0;
	case 'k':
		r->type =
		    str_equal_nocase(optarg, "ed25519") ? "ed25519" : "rsa";
		if (!str_equal_nocase(optarg, r->type))
			return ctl_fail(ctl, EX_USAGE,
			    "-k %s: write rsa or ed25519", optarg);
		return 0;
	case 'b':
		if (!str_to_uint(optarg, CTL_NEWKEY_BITS_MAX, &bits) ||
		    bits < CTL_NEWKEY_BITS_MIN)
			return ctl_fail(ctl, EX_USAGE,
			    "-b %s: write a number from %d to %d", optarg,
			    CTL_NEWKEY_BITS_MIN, CTL_NEWKEY_BITS_MAX);
		r->bits = (unsigned)bits;
		return 0;
	default:
		return ctl_take(ctl, c, argv);
	}
}

int
ctl_rotate(struct ctl *ctl, int argc, char **argv)
{
	enum {
		OPTION_FROM = CTL_OPTION_OWN,
		OPTION_WRITE,
	};
	static const struct option long_options[] = { CTL_LONG,
		{ "from", required_argument, NULL, OPTION_FROM },
		{ "write", no_argument, NULL, OPTION_WRITE },
		{ NULL, 0, NULL, 0 } };
	struct request r = { .now = now_wall_s() };
	int c, code = 0;

	r.from = (r.now / DAY_S + DAYS_TO_PUBLISH) * DAY_S;
	while (code == 0 && (c = getopt_long(argc, argv, CTL_LETTERS "b:k:s:",
				 long_options, NULL)) != -1) {
		if (c == CTL_OPTION_HELP)
			return help(ctl);
		if (c == OPTION_WRITE)
			r.write = true;
		else if (c != OPTION_FROM)
			code = take(ctl, &r, c, argv);
		else if (keytable_parse_date(optarg, &r.from) != 0 ||
			 r.from <= r.now)
			code = ctl_fail(ctl, EX_USAGE,
			    "--from %s: write a day to come: YYYY-MM-DD",
			    optarg);
	}
	if (code == 0 && optind + 1 != argc)
		code = ctl_fail(
		    ctl, EX_USAGE, "one name of the KeyTable must be given");
	if (code == 0)
		code = ctl_load(ctl, "s");
	if (code != 0)
		return code;
	r.name = argv[optind];
	return rotate(ctl, &r);
}
