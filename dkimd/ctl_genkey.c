/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/str.h"
#include "common/xmem.h"

#include "dkimd/ctl.h"
#include "dkimd/ctl_file.h"
#include "dkimd/ctl_newkey.h"
#include "dkimd/ctl_txt.h"

#define SELECTOR_MAX 200
#define DOMAIN_MAX 253

struct request {
	const char *domain, *selector, *directory;
	struct ctl_txt txt; /* type and key: later */
	bool is_ed25519, is_absolute;
	unsigned bits;
};

enum genkey_option {
	OPTION_NO_APPEND = CTL_OPTION_OWN,
	OPTION_NO_RESTRICT,
	OPTION_NO_TEST,
	OPTION_SUBDOMAINS,
};

static const struct option long_options[] = {
	{ "append-domain", no_argument, NULL, 'a' },
	{ "noappend-domain", no_argument, NULL, OPTION_NO_APPEND },
	{ "no-append-domain", no_argument, NULL, OPTION_NO_APPEND },
	{ "bits", required_argument, NULL, 'b' },
	{ "directory", required_argument, NULL, 'D' },
	{ "domain", required_argument, NULL, 'd' },
	{ "hash-algorithms", required_argument, NULL, 'h' },
	{ "help", no_argument, NULL, CTL_OPTION_HELP },
	{ "key-type", required_argument, NULL, 'k' },
	{ "note", required_argument, NULL, 'n' },
	{ "restrict", no_argument, NULL, 'r' },
	{ "norestrict", no_argument, NULL, OPTION_NO_RESTRICT },
	{ "no-restrict", no_argument, NULL, OPTION_NO_RESTRICT },
	{ "selector", required_argument, NULL, 's' },
	{ "subdomains", no_argument, NULL, OPTION_SUBDOMAINS },
	{ "nosubdomains", no_argument, NULL, 'S' },
	{ "no-subdomains", no_argument, NULL, 'S' },
	{ "testmode", no_argument, NULL, 't' },
	{ "notestmode", no_argument, NULL, OPTION_NO_TEST },
	{ "no-testmode", no_argument, NULL, OPTION_NO_TEST },
	{ "verbose", no_argument, NULL, 'v' },
	{ "version", no_argument, NULL, 'V' },
	{ NULL, 0, NULL, 0 },
};

static int
help(const struct ctl *ctl)
{
	printf("usage: %s [OPTIONS]\n",
	    ctl->is_opendkim ? ctl->program : "dkimctl genkey");
	puts("  -s, --selector NAME         selector (default: default)\n"
	     "  -d, --domain NAME           domain (default: localhost)\n"
	     "  -D, --directory PATH        where to put SELECTOR.private and "
	     "SELECTOR.txt\n"
	     "  -k, --key-type rsa|ed25519  kind of key (default: rsa)\n"
	     "  -b, --bits N                of an RSA key (default: 2048)\n"
	     "  -a, --append-domain         write the whole name into the "
	     "record\n"
	     "  -h, --hash-algorithms LIST  hashes it is for (default: "
	     "sha256)\n"
	     "  -n, --note TEXT             a remark within the record\n"
	     "  -r, --restrict              for mail only: s=email\n"
	     "  -S, --nosubdomains          not for i= of subdomains: t=s\n"
	     "  -t, --testmode              only a test: t=y\n"
	     "  -v, --verbose               say what is done\n"
	     "  -V, --version               version");
	return ctl_finish(ctl, EX_OK);
}

static int
take_bits(const struct ctl *ctl, struct request *r, const char *text)
{
	unsigned long long bits;

	if (!str_to_uint(text, CTL_NEWKEY_BITS_MAX, &bits) ||
	    bits < CTL_NEWKEY_BITS_MIN)
		return ctl_fail(ctl, EX_USAGE,
		    "-b %s: write a number from %d to %d; other keys are not "
		    "accepted by verifiers (RFC 8301)",
		    text, CTL_NEWKEY_BITS_MIN, CTL_NEWKEY_BITS_MAX);
	r->bits = (unsigned)bits;
	return 0;
}

static int
take_type(const struct ctl *ctl, struct request *r, const char *text)
{
	r->is_ed25519 = str_equal_nocase(text, "ed25519");
	if (!r->is_ed25519 && !str_equal_nocase(text, "rsa"))
		return ctl_fail(
		    ctl, EX_USAGE, "-k %s: write rsa or ed25519", text);
	return 0;
}

/* Switches. Returns whether c is one. */
static bool
take_switch(struct ctl *ctl, struct request *r, int c)
{
	switch (c) {
	case 'a':
	case OPTION_NO_APPEND:
		r->is_absolute = c == 'a';
		return true;
	case 'r':
	case OPTION_NO_RESTRICT:
		r->txt.is_email = c == 'r';
		return true;
	case 'S':
	case OPTION_SUBDOMAINS:
		r->txt.is_strict = c == 'S';
		return true;
	case 't':
	case OPTION_NO_TEST:
		r->txt.is_test = c == 't';
		return true;
	case 'v':
		ctl->verbosity++;
		return true;
	default:
		return false;
	}
}

/* Returns 0, or EX_USAGE after a message. */
static int
take(struct ctl *ctl, struct request *r, int c, char **argv)
{
	switch (c) {
	case 'b':
		return take_bits(ctl, r, optarg);
	case 'k':
		return take_type(ctl, r, optarg);
	case 'd':
		r->domain = optarg;
		return 0;
	case 'D':
		r->directory = optarg;
		return 0;
	case 'h':
		r->txt.hashes = optarg;
		return 0;
	case 'n':
		r->txt.note = optarg;
		return 0;
	case 's':
		r->selector = optarg;
		return 0;
	default:
		return take_switch(ctl, r, c) ? 0 : ctl_take(ctl, '?', argv);
	}
}

static int
check(const struct ctl *ctl, const struct request *r)
{
	if (!ctl_txt_name_ok(r->selector, SELECTOR_MAX))
		return ctl_fail(ctl, EX_USAGE,
		    "-s %s: a selector is made of letters, digits and \"-\", "
		    "perhaps with dots between",
		    r->selector);
	if (r->domain[0] != '\0' && !ctl_txt_name_ok(r->domain, DOMAIN_MAX))
		return ctl_fail(ctl, EX_USAGE,
		    "-d %s: no domain; write it in A-labels (xn--...)",
		    r->domain);
	if (r->is_absolute && r->domain[0] == '\0')
		return ctl_fail(ctl, EX_USAGE, "-a: a domain is missing (-d)");
	if (!ctl_txt_hashes_ok(r->txt.hashes))
		return ctl_fail(ctl, EX_USAGE,
		    "-h %s: write names with colons between, sha256 among "
		    "them, which is the only one that verifiers take",
		    r->txt.hashes);
	if (r->txt.note != NULL && strlen(r->txt.note) > CTL_TXT_NOTE_MAX)
		return ctl_fail(
		    ctl, EX_USAGE, "-n: at most %d bytes", CTL_TXT_NOTE_MAX);
	return 0;
}

/* The zone file text of the key. */
static int
make_txt(const struct ctl *ctl, struct request *r, const char *pem,
    char text[static CTL_TXT_SIZE])
{
	char record[CTL_TXT_SIZE];
	struct err err;
	struct engine_key *key = engine_key_new(pem, strlen(pem), &err);
	struct str s;

	if (key == NULL)
		return ctl_fail(ctl, EX_SOFTWARE, "the new key: %s", err.text);
	r->txt.type = ctl_type(key);
	r->txt.key = ctl_public(key);
	str_init(&s, record, sizeof(record));
	ctl_txt_record(&s, &r->txt);
	str_init(&s, text, CTL_TXT_SIZE);
	ctl_txt_zone(&s, r->selector, r->domain, r->is_absolute, record);
	engine_key_free(&key);
	return s.truncated ? ctl_fail(ctl, EX_SOFTWARE,
				 "the record is too "
				 "long")
			   : 0;
}

/* The record first: a private key alone would be in the way next time. */
static int
write_files(const struct ctl *ctl, const struct request *r, const char *pem,
    const char *txt)
{
	char key_path[SELECTOR_MAX + 16], txt_path[SELECTOR_MAX + 16];
	struct err err;

	snprintf(key_path, sizeof(key_path), "%s.private", r->selector);
	snprintf(txt_path, sizeof(txt_path), "%s.txt", r->selector);
	if (ctl_file_create(txt_path, 0644, NULL, txt, strlen(txt), &err) != 0)
		return ctl_fail(ctl, EX_CANTCREAT, "%s", err.text);
	if (ctl_file_create(key_path, 0600, NULL, pem, strlen(pem), &err) !=
	    0) {
		(void)unlink(txt_path);
		return ctl_fail(ctl, EX_CANTCREAT, "%s", err.text);
	}
	if (ctl->verbosity > 0) {
		ctl_fail(ctl, 0, "private key written to %s", key_path);
		ctl_fail(ctl, 0, "DNS TXT record written to %s", txt_path);
	}
	return 0;
}

static int
generate(struct ctl *ctl, struct request *r)
{
	char txt[CTL_TXT_SIZE];
	char *pem;
	int code;
	struct err err;

	if (chdir(r->directory) != 0)
		return ctl_fail(ctl, EX_CANTCREAT, "-D %s: %s", r->directory,
		    strerror(errno));
	if (ctl->verbosity > 0)
		ctl_fail(ctl, 0, "generating private key");
	pem = ctl_newkey_make(
	    r->is_ed25519 ? SIGFIELD_ED25519_SHA256 : SIGFIELD_RSA_SHA256,
	    r->bits, &err);
	if (pem == NULL)
		return ctl_fail(ctl, EX_SOFTWARE, "%s", err.text);
	code = make_txt(ctl, r, pem, txt);
	if (code == 0)
		code = write_files(ctl, r, pem, txt);
	ctl_newkey_free(&pem);
	return code;
}

int
ctl_genkey(struct ctl *ctl, int argc, char **argv)
{
	struct request r = {
		.domain = "localhost",
		.selector = "default",
		.directory = ".",
		.txt = { .hashes = "sha256" },
		.bits = CTL_NEWKEY_BITS,
	};
	int c, code = 0;

	while (code == 0 && (c = getopt_long(argc, argv, "ab:d:D:h:k:n:rs:StvV",
				 long_options, NULL)) != -1) {
		if (c == CTL_OPTION_HELP)
			return help(ctl);
		if (c == 'V') {
			printf("%s " POSTERN_VERSION "\n", ctl->program);
			return ctl_finish(ctl, EX_OK);
		}
		code = take(ctl, &r, c, argv);
	}
	if (code == 0 && optind < argc)
		code = ctl_fail(ctl, EX_USAGE, "%s is no option; see %s --help",
		    argv[optind],
		    ctl->is_opendkim ? ctl->program : "dkimctl genkey");
	if (code == 0)
		code = check(ctl, &r);
	return code != 0 ? code : generate(ctl, &r);
}
