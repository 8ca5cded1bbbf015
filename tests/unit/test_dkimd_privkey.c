/* SPDX-License-Identifier: ISC */
#include "common/str.h"
#include "tests/unit/check.h"
#include "tests/unit/dkimrig.h"

#include "dkimd/privkey.h"

/* Neither root nor we. */
#define STRANGER 54321

static struct err warning;

static void
on_warning(void *arg, const char *text)
{
	(void)arg;
	(void)err_set(&warning, "%s", text);
}

static struct privkey_config
config_of(bool safe)
{
	return (struct privkey_config){
		.base = "",
		.owner = geteuid(),
		.safe = safe,
		.min_bits = 1024,
		.warn = on_warning,
	};
}

/* "rsa 1024", "ed25519 256", or NULL. */
static const char *
load(const char *text, const struct privkey_config *config, struct err *err)
{
	static char buf[32];
	char *full = dkimrig_text(text);
	struct engine_key *key = privkey_load(full, config, err);

	free(full);
	if (key == NULL)
		return NULL;
	(void)snprintf(buf, sizeof(buf), "%s %u",
	    engine_key_algorithm(key) == SIGFIELD_RSA_SHA256 ? "rsa"
							     : "ed25519",
	    engine_key_bits(key));
	engine_key_free(&key);
	return buf;
}

/* text without its first and last line, with by for each line end. */
static const char *
inline_of(const char *text, const char *by, bool bare)
{
	static char buf[4096];
	const char *from = bare ? strchr(text, '\n') + 1 : text;
	const char *end = bare ? strstr(text, "-----END") : strchr(text, 0);
	struct str s;

	str_init(&s, buf, sizeof(buf));
	for (; from < end; from++) {
		if (*from == '\n')
			str_add(&s, by);
		else
			str_add_char(&s, *from);
	}
	return buf;
}

static void
test_forms(void)
{
	struct privkey_config config = config_of(true);
	struct err err = { "" };

	(void)dkimrig_write("rsa", 0600, dkimrig_rsa);
	(void)dkimrig_write("rsa2", 0640, dkimrig_rsa2);
	(void)dkimrig_write("ed", 0400, dkimrig_ed25519);
	(void)dkimrig_write(
	    "bare", 0400, inline_of(dkimrig_ed25519, "\r\n", 1));
	check_str("PKCS#1", load("$/rsa", &config, &err), "rsa 1024");
	check_str("PKCS#8", load("$/rsa2", &config, &err), "rsa 1024");
	check_str("Ed25519", load("$/ed", &config, &err), "ed25519 256");
	check_str(
	    "base64 in a file", load("$/bare", &config, &err), "ed25519 256");
	check_str("PEM with blanks",
	    load(inline_of(dkimrig_rsa, " ", false), &config, &err),
	    "rsa 1024");
	check_str("PEM with \\n",
	    load(inline_of(dkimrig_rsa2, "\\n", false), &config, &err),
	    "rsa 1024");
	check_str("base64 PKCS#1",
	    load(inline_of(dkimrig_rsa, "", true), &config, &err), "rsa 1024");
	check_str("base64 PKCS#8",
	    load(inline_of(dkimrig_rsa2, " ", true), &config, &err),
	    "rsa 1024");
	config.base = dkimrig_dir;
	check_str("relative", load("./rsa", &config, &err), "rsa 1024");
	(void)load("keys/rsa.private", &config, &err);
	check_contains("no path", err.text,
	    "\"keys/rsa.private\" is taken for the key itself, since a path "
	    "begins with / or ./");
	(void)load("c2VjcmV0", &config, &err);
	check_contains("what may be a key is not told", err.text, "\"...\" is");
	check_true("path", privkey_is_path("/x") && privkey_is_path("./x") &&
			       privkey_is_path("../x"));
	check_false("no path", privkey_is_path("MIIx/y"));
}

static void
test_broken(void)
{
	static const struct {
		const char *name, *file, *text, *want;
	} rows[] = {
		{ "missing", NULL, "$/missing", "/missing: No such file" },
		{ "directory", NULL, "$", " is no file" },
		{ "empty", "", "$/k", "$/k: " },
		{ "rubbish", "Hello.\n", "$/k", "$/k: " },
		{ "no end", "-----BEGIN PRIVATE KEY-----\nabc\n", "$/k",
		    "$/k: the key's text has no end" },
		{ "half a line", "-----BEGIN PRIVATE", "$/k", "has no end" },
		{ "end first", "-----BEGIN -----END ", "$/k", "has no end" },
		{ "encrypted",
		    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nabc\n"
		    "-----END ENCRYPTED PRIVATE KEY-----\n",
		    "$/k", "the key is encrypted; type: openssl pkey" },
		{ "no text", NULL, "", "" },
		{ "no base64", NULL, "hello, world", "" },
		{ "endless", NULL, "/dev/zero", "/dev/zero is no file" },
	};
	struct privkey_config config = config_of(true);
	struct err err;

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char *want = dkimrig_text(rows[i].want);

		if (rows[i].file != NULL)
			(void)dkimrig_write("k", 0600, rows[i].file);
		check_true(
		    rows[i].name, load(rows[i].text, &config, &err) == NULL);
		check_contains(rows[i].name, err.text, want);
		free(want);
	}
	(void)dkimrig_write("k", 0600, dkimrig_rsa);
	check_int(
	    "set up", truncate(dkimrig_path("k"), PRIVKEY_FILE_MAX + 1), 0);
	check_true("too large", load("$/k", &config, &err) == NULL);
	check_contains("too large", err.text, "larger than 65536 bytes");
	check_int("set up", truncate(dkimrig_path("k"), 1000), 0);
	check_true("NUL bytes", load("$/k", &config, &err) == NULL);
	check_contains("NUL bytes", err.text, "holds NUL bytes: a key is text");
	config.min_bits = 2048;
	check_true("small", load("$/rsa", &config, &err) == NULL);
	check_contains("small", err.text,
	    "/rsa: the key has 1024 bits, MinimumKeyBits wants 2048");
	check_str("Ed25519 has other bits", load("$/ed", &config, &err),
	    "ed25519 256");
}

static void
test_modes(void)
{
	static const struct {
		mode_t file, dir;
		const char *want; /* "" = safe */
	} rows[] = {
		{ 0600, 0700, "" },
		{ 0400, 0555, "" },
		{ 0640, 0750, "" },
		{ 0440, 0755, "" },
		{ 0600, 01777, "" },
		{ 0644, 0755,
		    "has mode 0644: everyone can read the key; "
		    "type: chmod 0640 $/d/key" },
		{ 0604, 0700, "has mode 0604: everyone can read" },
		{ 0660, 0700,
		    "has mode 0660: its group can replace the key; "
		    "type: chmod 0640 $/d/key" },
		{ 0602, 0700,
		    "everyone can replace the key; "
		    "type: chmod 0600 $/d/key" },
		{ 0600, 0770,
		    "the directory $/d has mode 0770: its group can "
		    "replace the key in it; type: chmod 0750 $/d" },
		{ 0600, 0757,
		    "everyone can replace the key in it; "
		    "type: chmod 0755 $/d" },
	};
	struct err err;

	dkimrig_mkdir("d", 0700);
	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct privkey_config config = config_of(true);
		char *want = dkimrig_text(rows[i].want);
		char name[32];

		(void)snprintf(name, sizeof(name), "%04o in %04o", rows[i].file,
		    rows[i].dir);
		(void)chmod(dkimrig_path("d"), 0700);
		(void)dkimrig_write("d/key", 0600, dkimrig_ed25519);
		(void)chmod(dkimrig_path("d/key"), rows[i].file);
		(void)chmod(dkimrig_path("d"), rows[i].dir);
		check_bool(name, load("$/d/key", &config, &err) != NULL,
		    want[0] == '\0');
		if (want[0] != '\0')
			check_contains(name, err.text, want);
		config.safe = false;
		warning.text[0] = '\0';
		check_true(name, load("$/d/key", &config, &err) != NULL);
		check_contains(name, warning.text, want);
		check_bool(name, warning.text[0] == '\0', want[0] == '\0');
		free(want);
	}
	(void)chmod(dkimrig_path("d"), 0700);
}

static void
test_owners(void)
{
	struct privkey_config config = config_of(true);
	struct err err;

	(void)dkimrig_write("d/key", 0600, dkimrig_ed25519);
	check_int(
	    "set up", symlink(dkimrig_path("d/key"), dkimrig_path("link")), 0);
	check_true("link", load("$/link", &config, &err) != NULL);
	if (chown(dkimrig_path("d/key"), STRANGER, (gid_t)-1) != 0) {
		check_skip("owners", "needs root");
		return;
	}
	check_true("file", load("$/d/key", &config, &err) == NULL);
	check_contains("file", err.text,
	    "/d/key belongs to user 54321, not to root; "
	    "type: chown root /");
	check_true("by a link", load("$/link", &config, &err) == NULL);
	config.owner = STRANGER;
	check_true("who we are", load("$/d/key", &config, &err) != NULL);
	check_int("set up", chown(dkimrig_path("d/key"), 0, (gid_t)-1), 0);
	warning.text[0] = '\0';
	check_true("root is right", load("$/d/key", &config, &err) != NULL);
	check_str("it is read but once", warning.text, "");
	config.rereads = true;
	check_true("root alone", load("$/d/key", &config, &err) != NULL);
	check_contains("root alone", warning.text, "only root can read /");
	check_contains("root alone", warning.text, "; type: chown 54321 /");
	(void)chmod(dkimrig_path("d/key"), 0640);
	warning.text[0] = '\0';
	check_true("its group", load("$/d/key", &config, &err) != NULL);
	check_contains("directory of root", warning.text, "/d/: as user 54321");
	(void)chmod(dkimrig_path("d"), 0755);
	warning.text[0] = '\0';
	check_true("all may", load("$/d/key", &config, &err) != NULL);
	check_str("all may", warning.text, "");
	check_int(
	    "set up", chown(dkimrig_path("d"), STRANGER + 1, (gid_t)-1), 0);
	check_true("directory", load("$/d/key", &config, &err) == NULL);
	check_contains("directory", err.text,
	    "/d belongs to user 54322, who can replace the key in it; type: "
	    "chown 54321 /");
	check_int("set up", chown(dkimrig_path("d"), 0, (gid_t)-1), 0);
}

static void
test_credentials(void)
{
	struct privkey_config config = config_of(true);
	struct err err;

	(void)unsetenv("CREDENTIALS_DIRECTORY");
	check_true("none", load("credential:mail", &config, &err) == NULL);
	check_contains("none", err.text,
	    "credential:mail: systemd gave no credentials; write "
	    "LoadCredential=mail:/path/to/key");
	(void)setenv("CREDENTIALS_DIRECTORY", dkimrig_path("d"), 1);
	(void)dkimrig_write("d/mail", 0644, dkimrig_rsa);
	check_str(
	    "credential", load("credential:mail", &config, &err), "rsa 1024");
	check_true("no path", load("credential:../rsa", &config, &err) == NULL);
	check_contains("no path", err.text, "is no name of a credential");
	check_true("below", load("credential:x/mail", &config, &err) == NULL);
	check_contains("below", err.text, "is no name of a credential");
	check_true("no name", load("credential:", &config, &err) == NULL);
}

int
main(void)
{
	dkimrig_begin();
	test_forms();
	test_broken();
	test_modes();
	test_owners();
	test_credentials();
	return check_done();
}
