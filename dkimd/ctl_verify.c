/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/mailbox.h"
#include "common/now.h"
#include "common/str.h"

#include "dkimd/ctl.h"
#include "dkimd/required.h"
#include "dkimd/verify_config.h"

static int
help(const struct ctl *ctl)
{
	puts("usage: dkimctl verify [OPTIONS] FILE ...\n"
	     "  --keys FILE         key records from this file: NAME TEXT\n"
	     "  --nameserver ADDR   ask this one; may be given several times\n"
	     "  -c FILE             configuration\n"
	     "FILE may be -, standard input. Exit status: 0 pass, 1 fail, 4 no "
	     "signature,\n5 permanent error, 6 temporary error");
	return ctl_finish(ctl, EX_OK);
}

static void
step(const char *name, const char *text)
{
	printf("  %-10s ", name);
	ctl_put(text);
	putchar('\n');
}

static const char *
canon_name(enum sigfield_canon canon)
{
	return canon == SIGFIELD_RELAXED ? "relaxed" : "simple";
}

static const char *
dnssec_name(enum outcome_dnssec dnssec)
{
	switch (dnssec) {
	case OUTCOME_UNKNOWN:
		break;
	case OUTCOME_INSECURE:
		return ", DNS not secure";
	case OUTCOME_SECURE:
		return ", DNS secure";
	case OUTCOME_BOGUS:
		return ", DNS forged";
	}
	return "";
}

/* The field itself. */
static void
print_field(const struct sigfield *sig, size_t number)
{
	printf("signature %zu: d=", number);
	ctl_put(sig->domain);
	fputs(" s=", stdout);
	ctl_put(sig->selector);
	fputs(" i=", stdout);
	ctl_put(sig->identity);
	printf(" a=%s c=%s/%s\n", sigfield_algorithm_name(sig->algorithm),
	    canon_name(sig->header_canon), canon_name(sig->body_canon));
}

/* What it signs of the header, by names that occur. */
static void
print_names(const struct sigfield *sig)
{
	if (sig->name_count == 0)
		return;
	printf("  %-10s ", "fields");
	for (size_t i = 0; i < sig->name_count; i++) {
		fputs(i > 0 ? ":" : "", stdout);
		ctl_put(sig->names[i]);
	}
	putchar('\n');
}

static void
print_key(const struct outcome *o)
{
	char text[128];

	if (o->key == NULL) {
		snprintf(text, sizeof(text), "%s%s",
		    o->key_not_found ? "not found in DNS" : "none",
		    dnssec_name(o->dnssec));
	} else {
		snprintf(text, sizeof(text), "%s, %u bits%s%s%s",
		    o->key->type == KEYRECORD_RSA ? "rsa" : "ed25519",
		    o->key->bits, o->key->is_test ? ", for tests (t=y)" : "",
		    o->key->is_strict ? ", not for subdomains (t=s)" : "",
		    dnssec_name(o->dnssec));
	}
	step("key", text);
}

/* Which of the sums was right, as far as the result tells. */
static void
print_sums(const struct outcome *o)
{
	const struct sigfield *sig = o->sig;
	char text[128];

	if (o->result == RESULT_PASS || o->result == RESULT_POLICY) {
		step("header", "fits the signature");
		if (sig->length < 0)
			step("body", "fits its hash");
		else {
			snprintf(text, sizeof(text),
			    "the first %lld bytes fit their hash; %s",
			    (long long)sig->length,
			    o->covers_body ? "that is all of it"
					   : "more follows that nobody signed");
			step("body", text);
		}
	} else if (strcmp(o->reason, "body hash mismatch") == 0) {
		step("header", "fits the signature");
		step("body", "differs from what was signed");
	} else if (strcmp(o->reason, "signature verification failed") == 0) {
		step("header", "does not fit the signature: a field that it "
			       "signs was changed, or the key is another");
	}
}

static void
print_outcome(const struct outcome *o, size_t number)
{
	/* A key was looked for unless the field was refused at once. */
	bool was_looked_up =
	    o->key != NULL || o->key_not_found || o->result == RESULT_TEMPERROR;
	char text[256];

	print_field(o->sig, number);
	print_names(o->sig);
	if (was_looked_up)
		print_key(o);
	print_sums(o);
	if (!o->is_aligned)
		step("author", "another domain than that of From");
	snprintf(text, sizeof(text), "%s%s%s", result_name(o->result),
	    o->reason[0] != '\0' ? ": " : "", o->reason);
	step("result", text);
}

static int
code_of(enum result result)
{
	switch (result) {
	case RESULT_NONE:
		return CTL_NONE;
	case RESULT_PASS:
		return CTL_PASS;
	case RESULT_TEMPERROR:
		return CTL_TEMPERROR;
	case RESULT_PERMERROR:
		return CTL_PERMERROR;
	case RESULT_FAIL:
	case RESULT_POLICY:
	case RESULT_NEUTRAL:
		break;
	}
	return CTL_FAIL;
}

/* The authors by which signatures are aligned; none when From is odd, which
 * is said. */
static size_t
find_authors(struct ctl *ctl, const struct ctl_message *message,
    struct mailbox **authors_r)
{
	const struct header_field *from =
	    header_first(message->fields, message->field_count, "From");
	const char *problem =
	    required_author_problem(message->fields, message->field_count);
	struct err err = { "" };
	int count = -1;

	if (problem == NULL && from != NULL) {
		count = mailbox_parse_list(
		    from->value, from->value_len, ctl->arena, authors_r, &err);
		problem = err.text;
	}
	if (count >= 0)
		return (size_t)count;
	fputs("From: ", stdout);
	ctl_put(problem != NULL ? problem : "");
	putchar('\n');
	return 0;
}

static int
verify_message(struct ctl *ctl, const struct ctl_message *message)
{
	struct mailbox *authors = NULL;
	size_t author_count = find_authors(ctl, message, &authors), count;
	struct outcome_policy policy;
	struct verify_config config;
	const struct outcome *outcomes;
	struct verify *verify;
	enum result best;

	verify_config_fill(ctl->settings, ctl->arena, &policy, &config);
	config.engine = ctl->engine;
	config.lookup = ctl->lookup;
	config.now = now_wall_s();
	verify = verify_new(&config, message->fields, message->field_count,
	    authors, author_count, ctl->arena);
	verify_body(verify, message->body, message->body_len);
	outcomes = verify_end(verify, message->body_len,
	    now_mono_us() + ctl->options->dns.question_timeout_s * 1000000,
	    NULL, NULL, &count);
	for (size_t i = 0; i < count; i++)
		print_outcome(&outcomes[i], i + 1);
	best = outcome_best(outcomes, count);
	if (required_author_problem(message->fields, message->field_count) !=
	    NULL)
		best = RESULT_PERMERROR;
	printf("dkim=%s\n", result_name(best));
	verify_free(&verify);
	return code_of(best);
}

static int
verify_files(struct ctl *ctl, int count, char **paths)
{
	int worst = CTL_PASS;

	for (int i = 0; i < count; i++) {
		struct ctl_message message;
		int code = ctl_read(ctl, paths[i], &message);

		if (code == 0) {
			if (count > 1) {
				ctl_put(paths[i]);
				puts(":");
			}
			code = verify_message(ctl, &message);
		}
		if (code > worst)
			worst = code;
		arena_free(&ctl->arena);
		ctl->arena = arena_new();
	}
	return ctl_finish(ctl, worst);
}

int
ctl_verify(struct ctl *ctl, int argc, char **argv)
{
	static const struct option long_options[] = { CTL_LONG,
		{ NULL, 0, NULL, 0 } };
	struct err err;
	int c, code;

	while ((c = getopt_long(argc, argv, CTL_LETTERS, long_options, NULL)) !=
	       -1) {
		if (c == CTL_OPTION_HELP)
			return help(ctl);
		if (ctl_take(ctl, c, argv) != 0)
			return EX_USAGE;
	}
	if (optind == argc)
		return ctl_fail(ctl, EX_USAGE,
		    "a file must be named; - is "
		    "standard input");
	code = ctl_load(ctl, "v");
	if (code == 0)
		code = ctl_ask(ctl);
	if (code != 0)
		return code;
	ctl->engine = engine_new(&err);
	if (ctl->engine == NULL)
		return ctl_fail(ctl, EX_SOFTWARE, "%s", err.text);
	return verify_files(ctl, argc - optind, argv + optind);
}
