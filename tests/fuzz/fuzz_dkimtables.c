/* SPDX-License-Identifier: ISC */
/*
 * fuzz_dkimtables.c - dkimd's configuration and tables, as an administrator
 * may mistype them, and the decision by them
 *
 * Input: sections that end with a NUL byte: configuration, a list of hosts,
 * KeyTable, SigningTable, sender, login. "$" in the KeyTable is a key.
 * Whatever it is, it is loaded or it is an error with a text; a plan to sign
 * has keys, any other has a reason.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/signplan.h"

#include "tests/fuzz/must.h"

#define SECTIONS 6

/* Ed25519, PKCS#8. */
static const char key[] =
    "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";

static void
on_warning(void *arg, const char *text)
{
	(void)arg;
	must(text[0] != '\0');
}

/* A file of this text; returns its descriptor and its path. */
static int
make_file(const char *text, char path[static 64])
{
	int fd = memfd_create("table", MFD_CLOEXEC);
	char *full = xmem_alloc(strlen(text) * sizeof(key) + 1);
	struct str s;

	str_init(&s, full, strlen(text) * sizeof(key) + 1);
	for (; *text != '\0'; text++) {
		if (*text == '$')
			str_add(&s, key);
		else
			str_add_char(&s, *text);
	}
	must(fd >= 0 && write(fd, s.text, s.len) == (ssize_t)s.len);
	(void)snprintf(path, 64, "/proc/self/fd/%d", fd);
	xmem_free(&full);
	return fd;
}

static void
decide(const struct settings *settings, const char *from, const char *login)
{
	struct arena *arena = arena_new();
	const struct mailbox *sender = NULL;
	const struct header_field field = { "From", 4, from, strlen(from) };
	struct err err = { "" };
	struct signplan plan;
	struct signplan_facts facts = {
		.client_name = login,
		.daemon_name = "smtpd",
		.auth_type = "",
		.auth_login = login,
		.recipients = &from,
		.recipient_count = 1,
		.now = 1768435200,
	};

	if (signplan_sender(settings, &field, 1, arena, &sender, &err) == 0)
		facts.sender = sender;
	facts.sender_error = err.text;
	must((sender != NULL) == (err.text[0] == '\0'));
	signplan_decide(settings, &facts, arena, &plan);
	must((plan.action == SIGNPLAN_SIGN) == (plan.key_count > 0));
	must(plan.key_count <= SIGNPLAN_KEYS_MAX);
	must(plan.action == SIGNPLAN_SIGN || !settings->signs ||
	     plan.reason[0] != '\0');
	for (size_t i = 0; i < plan.key_count; i++)
		must(keytable_is_name(plan.keys[i].domain) &&
		     keytable_is_name(plan.keys[i].selector));
	arena_free(&arena);
}

static void
set(struct config *config, const char *name, const char *kind, const char *path)
{
	char value[128];
	struct err err;

	(void)snprintf(value, sizeof(value), "%s%s", kind, path);
	must(config_set(config, name, value, &err) == 0);
}

static void
try_all(const char *const sections[static SECTIONS])
{
	struct config *config =
	    config_new(options_table, sizeof(struct options));
	struct settings *settings = NULL;
	struct err err = { "" };
	char paths[3][64];
	int fds[3];

	for (int i = 0; i < 3; i++)
		fds[i] = make_file(sections[i + 1], paths[i]);
	config_set_style(config, OPTIONS_STYLE);
	/* Other files are none of its business. */
	if (strchr(sections[0], '/') == NULL &&
	    strcasestr(sections[0], "file") == NULL &&
	    config_parse(config, "f", sections[0], strlen(sections[0]), &err) ==
		0) {
		set(config, "InternalHosts", "refile:", paths[0]);
		set(config, "PeerList", "file:", paths[0]);
		set(config, "KeyTable", "file:", paths[1]);
		set(config, "SigningTable", "refile:", paths[2]);
		if (options_check(config, &err) == 0)
			settings = settings_load(
			    config, geteuid(), on_warning, NULL, &err);
	}
	if (settings != NULL)
		decide(settings, sections[4], sections[5]);
	settings_release(&settings);
	config_free(&config);
	for (int i = 0; i < 3; i++)
		(void)close(fds[i]);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xmem_alloc(size + 1);
	const char *sections[SECTIONS];
	size_t at = 0;

	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	for (size_t i = 0; i < SECTIONS; i++) {
		sections[i] = text + at;
		at += strlen(text + at) + 1;
		if (at > size)
			at = size;
	}
	try_all(sections);
	xmem_free(&text);
	return 0;
}
