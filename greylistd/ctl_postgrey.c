/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <libgen.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/ip.h"
#include "common/json.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/btree.h"
#include "greylistd/ctl.h"
#include "greylistd/ctl_dbcopy.h"
#include "greylistd/ctl_entry.h"
#include "greylistd/ctl_merge.h"

#define DELAY_MAX_S 86400
/* A time beyond the year 3000 is none. */
#define TIME_MAX INT64_C(32503680000)
#define VALUE_SIZE 64

/* What became of the rows of one file. */
struct tally {
	int64_t read;
	int64_t added;
	int64_t merged;
	int64_t bad_key;
	int64_t bad_value;
	int64_t expired;
	int64_t damaged; /* not even readable */
};

struct source {
	struct ctl *ctl;
	int64_t delay_s;
	struct ctl_dbcopy_file triplets;
	struct ctl_dbcopy_file clients;
	struct tally triplet_tally;
	struct tally client_tally;
	int64_t digests; /* keys that --privacy made */
	int64_t texts;
	struct btree btree;
};

/* Splits "A,B" or "A,B,more" into two numbers. */
static bool
read_value(const struct btree_bytes *bytes, int64_t *a_r, int64_t *b_r)
{
	char text[VALUE_SIZE];
	char *comma, *second;
	unsigned long long a, b;

	if (bytes->len >= sizeof(text))
		return false;
	memcpy(text, bytes->bytes, bytes->len);
	text[bytes->len] = '\0';
	comma = strchr(text, ',');
	if (comma == NULL)
		return false;
	*comma = '\0';
	second = comma + 1;
	comma = strchr(second, ',');
	if (comma != NULL)
		*comma = '\0';
	if (!str_to_uint(text, TIME_MAX, &a) ||
	    !str_to_uint(second, TIME_MAX, &b))
		return false;
	*a_r = (int64_t)a;
	*b_r = (int64_t)b;
	return true;
}

/* Brings a key of 40 hex digits into out. Returns false for other keys. */
static bool
read_digest(const struct btree_bytes *bytes, char out[static KEY_SIZE])
{
	if (bytes->len != 40)
		return false;
	memcpy(out, bytes->bytes, bytes->len);
	out[bytes->len] = '\0';
	str_lower(out, bytes->len);
	return ctl_entry_is_digest(out, bytes->len);
}

static bool
read_key(struct source *source, const struct btree_bytes *bytes,
    char out[static KEY_SIZE])
{
	char text[KEY_SIZE];

	if (read_digest(bytes, out)) {
		source->digests++;
		return true;
	}
	if (bytes->len == 0 || memchr(bytes->bytes, '\0', bytes->len) != NULL ||
	    !key_refold((const char *)bytes->bytes, bytes->len, text))
		return false;
	source->texts++;
	if (source->ctl->key.privacy)
		key_sha1_hex(text, strlen(text), out);
	else
		memcpy(out, text, strlen(text) + 1);
	return true;
}

static int
add_triplet(struct source *source, struct ctl_merge *merge,
    const struct btree_bytes *key_bytes, const struct btree_bytes *value,
    struct err *err)
{
	struct ctl *ctl = source->ctl;
	struct tally *tally = &source->triplet_tally;
	struct greylist_entry entry = { .passed = 0 };
	char key[KEY_SIZE];

	if (!read_value(value, &entry.first, &entry.last) || entry.first == 0 ||
	    entry.last < entry.first) {
		tally->bad_value++;
		return 0;
	}
	if (!read_key(source, key_bytes, key)) {
		tally->bad_key++;
		return 0;
	}
	if (entry.last - entry.first >= source->delay_s)
		entry.passed = GREYLIST_PASSED_UNKNOWN;
	/* The clock was wrong once: such an entry would never expire. */
	if (entry.last > ctl->now_s)
		entry.last = ctl->now_s;
	if (entry.first > entry.last)
		entry.first = entry.last;
	if (greylist_expired(&ctl->policy, &entry, ctl->now_s)) {
		tally->expired++;
		return 0;
	}
	return ctl_merge_triplet(merge, key, &entry, err);
}

static int
add_client(struct source *source, struct ctl_merge *merge,
    const struct btree_bytes *key_bytes, const struct btree_bytes *value,
    struct err *err)
{
	struct ctl *ctl = source->ctl;
	struct tally *tally = &source->client_tally;
	struct greylist_client client;
	char key[KEY_SIZE], text[IP_TEXT_SIZE];
	struct ip ip;

	if (!read_value(value, &client.count, &client.last)) {
		tally->bad_value++;
		return 0;
	}
	if (read_digest(key_bytes, key)) {
		source->digests++;
	} else {
		size_t len = key_bytes->len < sizeof(text) ? key_bytes->len : 0;

		memcpy(text, key_bytes->bytes, len);
		text[len] = '\0';
		if (!ip_parse(text, &ip)) {
			tally->bad_key++;
			return 0;
		}
		key_client(&ctl->key, &ip, key);
	}
	if (client.last > ctl->now_s)
		client.last = ctl->now_s;
	if (ctl->now_s - client.last > ctl->policy.max_age_s) {
		tally->expired++;
		return 0;
	}
	return ctl_merge_client(merge, key, &client, err);
}

typedef int add_fn(struct source *source, struct ctl_merge *merge,
    const struct btree_bytes *key, const struct btree_bytes *value,
    struct err *err);

/* Imports one file. Returns 0 or -1 with err. */
static int
import_rows(struct source *source, const struct ctl_dbcopy_file *file,
    add_fn *add, struct tally *tally, struct err *err)
{
	struct ctl_merge merge = { .ctl = source->ctl };
	struct btree_bytes key, value;
	int result = 0;

	if (file->size == 0)
		return 0;
	if (btree_open(&source->btree, file->data, file->size, err) != 0)
		return -1;
	while (result == 0 && btree_next(&source->btree, &key, &value)) {
		tally->read++;
		result = add(source, &merge, &key, &value, err);
	}
	if (result == 0)
		result = ctl_merge_flush(&merge, err);
	tally->added = merge.added;
	tally->merged = merge.merged;
	tally->damaged = (int64_t)source->btree.damaged;
	return result;
}

static void
report_tally(const char *what, const struct tally *tally)
{
	printf("%s: %lld read, %lld imported, %lld merged with others\n", what,
	    (long long)tally->read, (long long)tally->added,
	    (long long)tally->merged);
	if (tally->expired > 0)
		printf("  %lld skipped: expired\n", (long long)tally->expired);
	if (tally->bad_key > 0)
		printf("  %lld skipped: the key is none\n",
		    (long long)tally->bad_key);
	if (tally->bad_value > 0)
		printf("  %lld skipped: the times are none\n",
		    (long long)tally->bad_value);
	if (tally->damaged > 0)
		printf("  %lld skipped: cannot be read, the file is damaged "
		       "there\n",
		    (long long)tally->damaged);
}

static void
json_tally(struct json *json, const char *name, const struct tally *tally)
{
	json_open(json, name, '{');
	json_int(json, "read", tally->read);
	json_int(json, "imported", tally->added);
	json_int(json, "merged", tally->merged);
	json_int(json, "skipped_expired", tally->expired);
	json_int(json, "skipped_bad_key", tally->bad_key);
	json_int(json, "skipped_bad_value", tally->bad_value);
	json_int(json, "skipped_damaged", tally->damaged);
	json_close(json);
}

static void
report(const struct source *source)
{
	struct ctl *ctl = source->ctl;
	struct json json;

	if (ctl->json) {
		json_init(&json, stdout);
		json_open(&json, NULL, '{');
		json_text(
		    &json, "database", ctl->database, strlen(ctl->database));
		json_tally(&json, "triplets", &source->triplet_tally);
		json_tally(&json, "clients", &source->client_tally);
		json_close(&json);
	} else {
		printf("database: %s\n", ctl->database);
		report_tally("triplets", &source->triplet_tally);
		report_tally("clients", &source->client_tally);
	}
	if (source->digests > 0 && !ctl->key.privacy)
		ctl_note("postgrey ran with --privacy: set \"Privacy yes\" in "
			 "greylistd.conf, or the imported entries are never "
			 "found");
	if (source->digests > 0 && source->texts > 0)
		ctl_note("there were %lld digests and %lld plain keys",
		    (long long)source->digests, (long long)source->texts);
}

/* Makes the directory of the new database, for the user that greylistd runs
 * as. */
static int
make_directory(const struct ctl *ctl, const char *path)
{
	const char *user = ctl->options->daemon.user;
	struct passwd *pw = user[0] == '\0' ? NULL : getpwnam(user);

	if (mkdir(path, 0750) != 0)
		return ctl_fail(
		    EX_CANTCREAT, "cannot make %s: %s", path, strerror(errno));
	if (geteuid() != 0)
		return 0;
	if (pw == NULL)
		ctl_note("there is no user %s yet: give %s to it before "
			 "greylistd starts",
		    user, path);
	else if (chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return ctl_fail(EX_CANTCREAT, "cannot give %s to %s: %s", path,
		    user, strerror(errno));
	return 0;
}

/* The directory that holds the database: makes it when it is missing, and
 * says when the daemon could not write there. */
static int
prepare_directory(const struct ctl *ctl, const char *path)
{
	const char *user = ctl->options->daemon.user;
	struct passwd *pw = user[0] == '\0' ? NULL : getpwnam(user);
	struct stat st;

	if (stat(path, &st) != 0)
		return make_directory(ctl, path);
	if (geteuid() == 0 && st.st_uid == 0 && pw != NULL && pw->pw_uid != 0)
		ctl_note("%s is root's, but greylistd runs as %s; write: "
			 "chown -R %s %s",
		    path, user, user, path);
	return 0;
}

/* Sets ctl->database from NEW: a file, or the directory that holds it. */
static int
find_new(struct ctl *ctl, const char *new)
{
	char parent[PATH_MAX];
	size_t len = strlen(new);
	struct stat st;
	bool exists = stat(new, &st) == 0;
	bool is_dir = exists ? S_ISDIR(st.st_mode)
			     : len < 3 || strcmp(new + len - 3, ".db") != 0;

	if (len + sizeof(OPTIONS_DATABASE_NAME) + 1 > sizeof(ctl->database))
		return ctl_fail(EX_USAGE, "the path %s is too long", new);
	if (!is_dir) {
		memcpy(ctl->database, new, len + 1);
		memcpy(parent, new, len + 1);
		return prepare_directory(ctl, dirname(parent));
	}
	while (len > 1 && new[len - 1] == '/')
		len--;
	memcpy(ctl->database, new, len);
	ctl->database[len] = '\0';
	if (prepare_directory(ctl, ctl->database) != 0)
		return EX_CANTCREAT;
	memcpy(ctl->database + len, "/" OPTIONS_DATABASE_NAME,
	    sizeof("/" OPTIONS_DATABASE_NAME));
	return 0;
}

static void
warn_about_recovery(enum ctl_dbcopy_recovery recovery)
{
	switch (recovery) {
	case CTL_DBCOPY_NO_LOGS:
	case CTL_DBCOPY_RECOVERED:
		break;
	case CTL_DBCOPY_NO_PROGRAM:
		ctl_note("if postgrey was killed, its latest entries are only "
			 "in its log files; to have them too: apt-get install "
			 "db5.3-util, then import again");
		break;
	case CTL_DBCOPY_FAILED:
		ctl_note("db5.3_recover failed on a copy of the files; the "
			 "latest entries may be missing");
		break;
	}
}

/* Reads postgrey's files into memory; what is needed of them stays mapped. */
static int
read_old(struct source *source, const char *old)
{
	static struct ctl_dbcopy copy;
	struct err err;
	int code = ctl_dbcopy_make(&copy, old, &err);

	if (code == 0) {
		warn_about_recovery(copy.recovery);
		if (ctl_dbcopy_map(
			&copy, "postgrey.db", &source->triplets, &err) != 0 ||
		    ctl_dbcopy_map(&copy, "postgrey_clients.db",
			&source->clients, &err) != 0)
			code = EX_IOERR;
	}
	ctl_dbcopy_remove(&copy);
	return code == 0 ? 0 : ctl_fail(code, "%s", err.text);
}

static int
import_all(struct source *source, const char *old)
{
	struct err err;
	int code = EX_OK;

	if (import_rows(source, &source->triplets, add_triplet,
		&source->triplet_tally, &err) != 0)
		code =
		    ctl_fail(EX_DATAERR, "%s/postgrey.db: %s", old, err.text);
	else if (import_rows(source, &source->clients, add_client,
		     &source->client_tally, &err) != 0)
		code = ctl_fail(
		    EX_DATAERR, "%s/postgrey_clients.db: %s", old, err.text);
	report(source);
	return code;
}

int
ctl_postgrey(struct ctl *ctl, int argc, char **argv)
{
	const char *delay = NULL;
	const struct ctl_option options[] = {
		{ "delay", NULL, &delay, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	struct source *source;
	int code;

	source = xmem_calloc(1, sizeof(*source));
	source->ctl = ctl;
	source->delay_s = ctl->policy.delay_s;
	code = ctl_options(ctl, options, &argc, argv);
	if (code == 0)
		code =
		    ctl_number("delay", delay, DELAY_MAX_S, &source->delay_s);
	if (code == 0 && argc != 3)
		code = ctl_fail(EX_USAGE,
		    "write: greylistctl import-postgrey "
		    "OLD NEW, as in: greylistctl import-postgrey "
		    "/var/lib/postgrey %s",
		    ctl->database);
	if (code == 0)
		code = read_old(source, argv[1]);
	if (code == 0)
		code = find_new(ctl, argv[2]);
	if (code == 0)
		code = ctl_open(ctl, access(ctl->database, F_OK) == 0
					 ? STORE_TOOL
					 : STORE_DAEMON);
	if (code == 0)
		code = ctl_finish(import_all(source, argv[1]));
	ctl_dbcopy_unmap(&source->triplets);
	ctl_dbcopy_unmap(&source->clients);
	xmem_free(&source);
	return code;
}
