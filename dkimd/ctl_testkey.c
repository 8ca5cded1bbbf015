/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/now.h"
#include "common/str.h"

#include "dkimd/ctl.h"
#include "dkimd/ctl_txt.h"

#define NAME_SIZE 512

/* One key to look for. */
struct probe {
	const char *name; /* of the KeyTable; "" = there is but one */
	const char *domain, *selector;
	const struct engine_key *key; /* NULL: only look at the record */
};

struct tally {
	unsigned checked, pass;
	int code; /* the worst */
};

static int
help(const struct ctl *ctl)
{
	printf("usage: %s [OPTIONS]\n",
	    ctl->is_opendkim ? ctl->program : "dkimctl testkey");
	puts("  -d DOMAIN    this domain's keys only\n"
	     "  -s SELECTOR  this selector only; with -d any key, whatever the "
	     "configuration\n"
	     "  -k KEYFILE   the private key that it should be\n"
	     "  -v           say more; may be given three times\n"
	     "  -x, -c FILE  configuration\n"
	     "without -d and -s: every key of the configuration");
	return ctl_finish(ctl, EX_OK);
}

/* "PROGRAM: key NAME: " */
static void
begin_line(const struct ctl *ctl, FILE *out, const struct probe *probe)
{
	fprintf(out, "%s: ", ctl->program);
	if (probe->name[0] != '\0')
		fprintf(out, "key %s: ", probe->name);
}

/* In opendkim-testkey's words. */
static void
print_dnssec(const struct ctl *ctl, const struct probe *probe,
    enum outcome_dnssec dnssec)
{
	const char *space = probe->name[0] != '\0' ? " " : "";
	const char *state = NULL;

	switch (dnssec) {
	case OUTCOME_UNKNOWN:
		return;
	case OUTCOME_INSECURE:
		state = "not secure";
		break;
	case OUTCOME_SECURE:
		state = "secure";
		break;
	case OUTCOME_BOGUS:
		state = "bogus (DNSSEC failed)";
		break;
	}
	if (dnssec == OUTCOME_BOGUS || ctl->verbosity > 0)
		fprintf(stderr, "%s: key%s%s %s\n", ctl->program, space,
		    probe->name, state);
}

/* What is wrong with the answer; "" when nothing is. */
static void
explain(struct str *s, const struct probe *probe,
    const struct lookup_answer *answer)
{
	char name[NAME_SIZE];
	struct str n;

	str_init(&n, name, sizeof(name));
	str_addf(&n, "%s._domainkey.%s", probe->selector, probe->domain);
	if (answer->not_found)
		str_addf(s, "'%s' record not found", name);
	else if (answer->result == RESULT_TEMPERROR)
		str_addf(s, "'%s' query %s", name,
		    strstr(answer->reason, "timed out") != NULL ? "timed out"
								: "failed");
	else if (answer->result != RESULT_NONE)
		str_addf(s, "'%s': %s", name, answer->reason);
}

static bool
is_same_key(const struct keyrecord *record, const struct engine_key *key)
{
	const char *p = strstr(record->canonical, ";p=");

	return p != NULL && strcmp(p + strlen(";p="), ctl_public(key)) == 0;
}

/* Returns 0, EX_UNAVAILABLE (no usable record) or EX_DATAERR (another key). */
static int
judge(const struct ctl *ctl, const struct probe *probe,
    const struct lookup_answer *answer)
{
	char text[NAME_SIZE + 256];
	struct str s;

	print_dnssec(ctl, probe, answer->dnssec);
	str_init(&s, text, sizeof(text));
	explain(&s, probe, answer);
	if (s.len > 0) {
		begin_line(ctl, stderr, probe);
		fprintf(stderr, "%s\n", text);
		return EX_UNAVAILABLE;
	}
	if (probe->key != NULL && !is_same_key(answer->key, probe->key)) {
		begin_line(
		    ctl, probe->name[0] != '\0' ? stderr : stdout, probe);
		fprintf(probe->name[0] != '\0' ? stderr : stdout,
		    "keys do not match\n");
		return EX_DATAERR;
	}
	if (answer->key->is_test && ctl->verbosity > 0) {
		begin_line(ctl, stderr, probe);
		fprintf(stderr, "the record says that it is a test (t=y)\n");
	}
	if (ctl->verbosity > 2) {
		begin_line(ctl, stdout, probe);
		fputs(probe->name[0] != '\0' ? "OK\n" : "key OK\n", stdout);
	}
	return 0;
}

static void
check(struct ctl *ctl, const struct probe *probe, struct tally *tally)
{
	const struct lookup_question question = { probe->selector,
		probe->domain };
	struct lookup *lookup;
	int code;

	if (ctl->verbosity > 1 && probe->name[0] != '\0')
		fprintf(stderr, "%s: checking key '%s'\n", ctl->program,
		    probe->name);
	else if (ctl->verbosity > 1)
		fprintf(stderr, "%s: checking key '%s._domainkey.%s'\n",
		    ctl->program, probe->selector, probe->domain);
	lookup = lookup_start(ctl->lookup, &question, 1);
	(void)lookup_wait(lookup,
	    now_mono_us() + ctl->options->dns.question_timeout_s * 1000000);
	code = judge(ctl, probe, lookup_answer(lookup, 0));
	lookup_free(&lookup);
	tally->checked++;
	tally->pass += code == 0;
	/* A record that is missing is worse than one that differs. */
	if (code != 0 && tally->code != EX_UNAVAILABLE)
		tally->code = code;
}

/* A key for the domain of From is checked for each domain of Domain. */
static void
check_key(struct ctl *ctl, const struct keytable_key *key, const char *domain,
    struct tally *tally)
{
	struct probe probe = { key->name, key->domain, key->selector,
		key->key };
	const struct dataset *domains = ctl->settings->domains;

	if (strcmp(key->domain, "%") != 0 || key->from_domain != NULL) {
		if (key->from_domain != NULL)
			probe.domain = key->from_domain;
		if (domain == NULL || str_equal_nocase(domain, probe.domain))
			check(ctl, &probe, tally);
		return;
	}
	for (size_t i = 0; i < dataset_count(domains); i++) {
		probe.domain = dataset_at(domains, i)->key;
		if (strchr(probe.domain, '*') == NULL &&
		    (domain == NULL || str_equal_nocase(domain, probe.domain)))
			check(ctl, &probe, tally);
	}
}

static int
check_all(struct ctl *ctl, const char *domain, const char *selector)
{
	struct tally tally = { .code = EX_OK };
	const struct keytable *keys;
	int code = ctl_load(ctl, "s");

	if (code == 0)
		code = ctl_ask(ctl);
	if (code != 0)
		return code;
	keys = ctl->settings->keys;
	for (size_t i = 0; i < keytable_count(keys); i++) {
		const struct keytable_key *key = keytable_at(keys, i);

		if (selector != NULL &&
		    !str_equal_nocase(selector, key->selector))
			continue;
		/* Its record may be gone, and should. */
		if (key->until <= now_wall_s()) {
			if (ctl->verbosity > 0)
				ctl_fail(ctl, 0,
				    "key %s: selector %s signs no "
				    "longer, not checked",
				    key->name, key->selector);
			continue;
		}
		check_key(ctl, key, domain, &tally);
	}
	if (tally.checked == 0)
		return ctl_fail(ctl, EX_CONFIG,
		    "the configuration has no such key; name one with -d, -s "
		    "and -k");
	if (ctl->verbosity > 0)
		printf("%s: %u key%s checked; %u pass, %u fail\n", ctl->program,
		    tally.checked, tally.checked == 1 ? "" : "s", tally.pass,
		    tally.checked - tally.pass);
	return ctl_finish(ctl, tally.code);
}

static int
check_given(struct ctl *ctl, const char *domain, const char *selector,
    const char *key_file)
{
	struct probe probe = { "", domain, selector, NULL };
	struct tally tally = { .code = EX_OK };
	struct engine_key *key = NULL;
	int code;

	if (!ctl_txt_name_ok(domain, NAME_SIZE / 2) ||
	    !ctl_txt_name_ok(selector, NAME_SIZE / 2))
		return ctl_fail(ctl, EX_USAGE,
		    "-d %s, -s %s: no domain and selector; write A-labels "
		    "(xn--...)",
		    domain, selector);
	code = ctl_configure(ctl);
	if (code == 0)
		code = ctl_ask(ctl);
	if (code != 0)
		return code;
	if (key_file != NULL) {
		key = ctl_load_key(ctl, key_file);
		if (key == NULL)
			return EX_OSERR;
		if (ctl->verbosity > 1)
			ctl_fail(ctl, 0, "key loaded from %s", key_file);
	}
	probe.key = key;
	check(ctl, &probe, &tally);
	engine_key_free(&key);
	return ctl_finish(ctl, tally.code);
}

int
ctl_testkey(struct ctl *ctl, int argc, char **argv)
{
	static const struct option long_options[] = { CTL_LONG,
		{ NULL, 0, NULL, 0 } };
	const char *domain = NULL, *selector = NULL, *key_file = NULL;
	int c;

	while ((c = getopt_long(argc, argv, CTL_LETTERS "d:k:s:", long_options,
		    NULL)) != -1) {
		if (c == CTL_OPTION_HELP)
			return help(ctl);
		if (c == 'd')
			domain = optarg;
		else if (c == 'k')
			key_file = optarg;
		else if (c == 's')
			selector = optarg;
		else if (ctl_take(ctl, c, argv) != 0)
			return EX_USAGE;
	}
	if (optind < argc)
		return ctl_fail(
		    ctl, EX_USAGE, "%s is no option; see --help", argv[optind]);
	if (domain != NULL && selector != NULL)
		return check_given(ctl, domain, selector, key_file);
	if (key_file != NULL)
		return ctl_fail(ctl, EX_USAGE,
		    "-k: a domain (-d) and selector (-s) must "
		    "be given as well");
	return check_all(ctl, domain, selector);
}
