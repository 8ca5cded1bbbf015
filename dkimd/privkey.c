/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/str.h"
#include "common/textfile.h"
#include "common/xmem.h"

#include "dkimd/dataset.h"
#include "dkimd/privkey.h"

#define CREDENTIAL "credential:"
/* A user's name, or number, for a message. */
#define USER_SIZE 64

bool
privkey_is_path(const char *text)
{
	return text[0] == '/' || strncmp(text, "./", 2) == 0 ||
	       strncmp(text, "../", 3) == 0;
}

/* What is no key may be a path that does not look like one; only with a dot
 * in it, which base64 has not, is it told. */
static void
blame_inline(const char *text, struct err *err)
{
	err_prefix(err,
	    "\"%.40s\" is taken for the key itself, since a path begins with "
	    "/ or ./: ",
	    strchr(text, '.') != NULL ? text : "...");
}

static const char *
user_name(uid_t uid, char buf[static USER_SIZE])
{
	struct passwd entry, *found = NULL;
	char room[1024];
	struct str s;

	str_init(&s, buf, USER_SIZE);
	if (getpwuid_r(uid, &entry, room, sizeof(room), &found) == 0 &&
	    found != NULL)
		str_add(&s, found->pw_name);
	else
		str_addf(&s, "%lu", (unsigned long)uid);
	return buf;
}

/* Does uid stand for all users that a namespace does not know? The kernel's
 * file cannot be asked for one that it knows: "nobody" has the same number. */
static bool
is_unmapped(uid_t uid)
{
	static const char *const paths[] = { "/proc/self/uid_map",
		"/proc/sys/kernel/overflowuid" };
	unsigned long numbers[2][3] = { { 0 } };

	for (size_t i = 0; i < 2; i++) {
		char *text = NULL, *at, *end;
		size_t len;

		if (textfile_read(paths[i], &text, &len, NULL) != TEXTFILE_OK)
			return false;
		text = xmem_realloc(text, len + 1, 1);
		text[len] = '\0';
		at = text;
		for (size_t j = 0; j < 3; j++) {
			numbers[i][j] = strtoul(at, &end, 10);
			at = end;
		}
		xmem_free(&text);
	}
	return numbers[0][2] < UINT32_MAX && numbers[1][0] == uid;
}

static bool
is_trusted(uid_t uid, const struct privkey_config *config)
{
	return uid == 0 || uid == config->owner || is_unmapped(uid);
}

/* What is wrong with the file or its directory? Returns 0, or -1 with err. */
static int
check_file(const char *path, const struct stat *st,
    const struct privkey_config *config, struct err *err)
{
	const mode_t mode = st->st_mode & 07777;
	char owner[USER_SIZE], own[USER_SIZE];

	if ((mode & 0026) != 0)
		return err_set(err, "%s has mode %04o: %s; type: chmod %04o %s",
		    path, mode,
		    (mode & 0022) == 0   ? "everyone can read the key"
		    : (mode & 0002) != 0 ? "everyone can replace the key"
					 : "its group can replace the key",
		    mode & 0640, path);
	if (!is_trusted(st->st_uid, config))
		return err_set(err,
		    "%s belongs to user %s, not to %s%s; type: chown %s %s",
		    path, user_name(st->st_uid, owner),
		    config->owner != 0 ? "root or " : "",
		    user_name(config->owner, own), own, path);
	return 0;
}

static int
check_directory(
    const char *path, const struct privkey_config *config, struct err *err)
{
	size_t len = (size_t)(strrchr(path, '/') - path);
	char *dir = xmem_strndup(path, len > 0 ? len : 1);
	char owner[USER_SIZE], own[USER_SIZE];
	struct stat st;
	int r = 0;

	if (stat(dir, &st) < 0)
		r = err_set_errno(err, errno, "%s", dir);
	else if ((st.st_mode & 0022) != 0 && (st.st_mode & S_ISVTX) == 0)
		r = err_set(err,
		    "the directory %s has mode %04o: %s can replace the key "
		    "in it; type: chmod %04o %s",
		    dir, st.st_mode & 07777,
		    (st.st_mode & 0002) != 0 ? "everyone" : "its group",
		    st.st_mode & 07755, dir);
	else if (!is_trusted(st.st_uid, config))
		r = err_set(err,
		    "the directory %s belongs to user %s, who can replace the "
		    "key "
		    "in it; type: chown %s %s",
		    dir, user_name(st.st_uid, owner),
		    user_name(config->owner, own), dir);
	xmem_free(&dir);
	return r;
}

/* Root reads a key that the daemon's user cannot: said now, not by the first
 * reload. What a group or an access list may allow is left alone. */
static void
warn_if_closed(const char *path, const struct stat *st,
    const struct privkey_config *config)
{
	char *dir = xmem_strndup(path, (size_t)(strrchr(path, '/') - path) + 1);
	const char *closed = NULL;
	char own[USER_SIZE];
	struct stat above;
	struct err line;

	if (!config->rereads || config->warn == NULL || geteuid() != 0 ||
	    config->owner == 0)
		goto out;
	if (st->st_uid == 0 && (st->st_mode & 0044) == 0)
		closed = path;
	else if (stat(dir, &above) == 0 && above.st_uid == 0 &&
		 (above.st_mode & 0011) == 0)
		closed = dir;
	if (closed == NULL)
		goto out;
	user_name(config->owner, own);
	(void)err_set(&line,
	    "only root can read %s: as user %s a reload, or a start by "
	    "systemd, cannot; type: chown %s %s",
	    closed, own, own, closed);
	config->warn(config->arg, line.text);
out:
	xmem_free(&dir);
}

/* Unsafe is an error or a warning, as RequireSafeKeys wants. */
static int
judge(const char *path, const struct stat *st,
    const struct privkey_config *config, struct err *err)
{
	struct err doubt;

	if (check_file(path, st, config, &doubt) == 0 &&
	    check_directory(path, config, &doubt) == 0) {
		warn_if_closed(path, st, config);
		return 0;
	}
	(void)err_prefix(&doubt, "unsafe private key: ");
	if (config->safe)
		return err_set(err, "%s", doubt.text);
	if (config->warn != NULL)
		config->warn(config->arg, doubt.text);
	return 0;
}

/* Reads the file into buf. Returns its length or -1. */
static ssize_t
read_fd(int fd, const char *path, char buf[static PRIVKEY_FILE_MAX + 1],
    struct err *err)
{
	size_t len = 0;
	ssize_t n;

	do {
		n = read(fd, buf + len, PRIVKEY_FILE_MAX + 1 - len);
		if (n < 0 && errno != EINTR)
			return err_set_errno(
			    err, errno, "%s: cannot read", path);
		len += n > 0 ? (size_t)n : 0;
	} while (n != 0 && len <= PRIVKEY_FILE_MAX);
	if (len > PRIVKEY_FILE_MAX)
		return err_set(err, "%s: larger than %d bytes: no private key",
		    path, PRIVKEY_FILE_MAX);
	if (memchr(buf, '\0', len) != NULL)
		return err_set(err,
		    "%s: holds NUL bytes: a key is text here (PEM); type: "
		    "openssl pkey -in %s -inform DER",
		    path, path);
	buf[len] = '\0';
	return (ssize_t)len;
}

/* The reason in errno; for want of rights, who lacks them and what to type.
 * Returns -1. */
static int
cannot_open(
    const char *path, const struct privkey_config *config, struct err *err)
{
	char who[USER_SIZE], own[USER_SIZE];

	if (errno != EACCES)
		return err_set_errno(err, errno, "%s", path);
	return err_set(err,
	    "%s: user %s may not read it; type: chown %s %s, and see namei -l "
	    "%s",
	    path, user_name(geteuid(), who), user_name(config->owner, own),
	    path, path);
}

/* Reads the key's text from path; checked unless systemd vouches for it. */
static int
read_file(const char *path, const struct privkey_config *config, bool check,
    char buf[static PRIVKEY_FILE_MAX + 1], struct err *err)
{
	char *real = realpath(path, NULL);
	struct stat st;
	int fd = -1;
	int r = -1;

	if (real == NULL)
		return cannot_open(path, config, err);
	fd = open(real, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0)
		cannot_open(real, config, err);
	else if (!S_ISREG(st.st_mode))
		err_set(err, "%s is no file", real);
	else if (!check || judge(real, &st, config, err) == 0)
		r = read_fd(fd, real, buf, err) < 0 ? -1 : 0;
	if (fd >= 0)
		close(fd);
	free(real);
	return r;
}

/* Adds base64 text in lines, without what stands between its letters. */
static void
add_base64(struct str *s, const char *text, size_t len)
{
	size_t column = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\' && i + 1 < len && text[i + 1] == 'n') {
			i++;
			continue;
		}
		if (strchr(" \t\r\n", text[i]) != NULL)
			continue;
		str_add_char(s, text[i]);
		if (++column % 64 == 0)
			str_add_char(s, '\n');
	}
	/* An empty line would end the key for OpenSSL. */
	if (column % 64 != 0)
		str_add_char(s, '\n');
}

/* Takes what may be PEM in one line, or mere base64, as PEM with label (only
 * for the latter). */
static struct engine_key *
parse_as(const char *text, const char *label, struct err *err)
{
	const size_t cap = strlen(text) * 2 + 256;
	const char *begin = strstr(text, "-----BEGIN ");
	const char *body, *end;
	char *pem = xmem_alloc(cap);
	struct engine_key *key = NULL;
	struct str s;

	str_init(&s, pem, cap);
	if (begin == NULL) {
		str_addf(&s, "-----BEGIN %s-----\n", label);
		add_base64(&s, text, strlen(text));
		str_addf(&s, "-----END %s-----\n", label);
	} else {
		body = strstr(begin + 11, "-----");
		end = strstr(begin + 11, "-----END ");
		if (body == NULL || end == NULL || end <= body) {
			err_set(err, "the key's text has no end");
			goto out;
		}
		str_add_bytes(&s, begin, (size_t)(body + 5 - begin));
		str_add_char(&s, '\n');
		add_base64(&s, body + 5, (size_t)(end - body) - 5);
		str_add(&s, "-----END ");
		str_add_bytes(&s, begin + 11, (size_t)(body + 5 - begin) - 11);
		str_add_char(&s, '\n');
	}
	key = engine_key_new(s.text, s.len, err);
out:
	explicit_bzero(pem, cap);
	xmem_free(&pem);
	return key;
}

static struct engine_key *
parse(const char *text, struct err *err)
{
	struct engine_key *key;

	if (strstr(text, "Proc-Type:") != NULL ||
	    strstr(text, "ENCRYPTED") != NULL) {
		err_set(err, "the key is encrypted; type: openssl pkey -in "
			     "FILE -out NEWFILE");
		return NULL;
	}
	key = parse_as(text, "PRIVATE KEY", err);
	if (key == NULL && strstr(text, "-----BEGIN ") == NULL)
		key = parse_as(text, "RSA PRIVATE KEY", err);
	return key;
}

static char *
credential_path(const char *name, struct err *err)
{
	const char *dir = getenv("CREDENTIALS_DIRECTORY");

	if (name[0] == '\0' || strchr(name, '/') != NULL || name[0] == '.') {
		err_set(
		    err, "credential:%.80s is no name of a credential", name);
		return NULL;
	}
	if (dir == NULL || dir[0] != '/') {
		err_set(err,
		    "credential:%.80s: systemd gave no credentials; write "
		    "LoadCredential=%.80s:/path/to/key into the unit",
		    name, name);
		return NULL;
	}
	return dataset_path(name, dir);
}

struct engine_key *
privkey_load(
    const char *text, const struct privkey_config *config, struct err *err)
{
	const bool is_credential =
	    strncmp(text, CREDENTIAL, strlen(CREDENTIAL)) == 0;
	struct engine_key *key = NULL;
	char *buf = NULL, *path = NULL;

	if (is_credential)
		path = credential_path(text + strlen(CREDENTIAL), err);
	else if (privkey_is_path(text))
		path = dataset_path(text, config->base);
	if (path == NULL && is_credential)
		return NULL;
	if (path != NULL) {
		buf = xmem_alloc(PRIVKEY_FILE_MAX + 1);
		if (read_file(path, config, !is_credential, buf, err) < 0)
			goto out;
		text = buf;
	}
	key = parse(text, err);
	if (key == NULL) {
		if (path != NULL)
			err_prefix(err, "%s: ", path);
		else
			blame_inline(text, err);
		goto out;
	}
	if (engine_key_algorithm(key) == SIGFIELD_RSA_SHA256 &&
	    engine_key_bits(key) < config->min_bits) {
		err_set(err,
		    "%s%sthe key has %u bits, MinimumKeyBits wants %u; make a "
		    "new one with dkimctl genkey",
		    path != NULL ? path : "", path != NULL ? ": " : "",
		    engine_key_bits(key), config->min_bits);
		engine_key_free(&key);
	}
out:
	if (buf != NULL)
		explicit_bzero(buf, PRIVKEY_FILE_MAX + 1);
	xmem_free(&buf);
	xmem_free(&path);
	return key;
}
