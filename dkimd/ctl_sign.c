/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "common/now.h"
#include "common/str.h"

#include "dkimd/ctl.h"
#include "dkimd/ctl_txt.h"
#include "dkimd/signing.h"
#include "dkimd/signplan.h"

#define NAME_MAX_LEN 253

struct request {
	const char *domain, *selector, *key_file; /* all or none */
	const char *identity;                     /* NULL = none */
	bool whole;                               /* print the message */
};

static int
help(const struct ctl *ctl)
{
	puts("usage: dkimctl sign [OPTIONS] FILE\n"
	     "  -d DOMAIN    d=\n"
	     "  -s SELECTOR  s=\n"
	     "  -k KEYFILE   private key\n"
	     "  -i IDENTITY  i=\n"
	     "  -m           print the whole message, not only the field\n"
	     "  -c FILE      configuration: what is signed, and how\n"
	     "without -d, -s and -k: by the configuration's keys, as mail of a "
	     "user with login;\nFILE may be -, standard input");
	return ctl_finish(ctl, EX_OK);
}

/* What the daemon would do with mail of somebody who logged in. */
static int
plan_by_settings(
    struct ctl *ctl, const struct ctl_message *message, struct signplan *plan)
{
	struct signplan_facts facts = {
		.client_name = "",
		.daemon_name = "",
		.auth_type = "dkimctl",
		.auth_login = "",
		.sender_error = "",
		.now = now_wall_s(),
	};
	const char *login = "";
	struct err err;

	if (signplan_sender(ctl->settings, message->fields,
		message->field_count, ctl->arena, &facts.sender, &err) != 0)
		return ctl_fail(ctl, EX_DATAERR, "%s", err.text);
	/* SignOnlyOwnFrom is about logins, and there is none here. */
	if (facts.sender != NULL) {
		size_t size = strlen(facts.sender->local) +
			      strlen(facts.sender->domain) + 2;
		char *text = arena_alloc(ctl->arena, size);

		snprintf(text, size, "%s@%s", facts.sender->local,
		    facts.sender->domain);
		login = text;
	}
	facts.auth_login = login;
	signplan_decide(ctl->settings, &facts, ctl->arena, plan);
	if (plan->action != SIGNPLAN_SIGN)
		return ctl_fail(ctl, EX_CONFIG, "not signed: %s", plan->reason);
	return 0;
}

/* Prints the fields, and the message if that is wanted, with its own line
 * ends. */
static void
print(const struct request *r, const struct ctl *ctl,
    const struct ctl_message *message, const char *const *values, int count)
{
	for (int i = 0; i < count; i++) {
		fputs("DKIM-Signature: ", stdout);
		for (const char *c = values[i]; *c != '\0'; c++) {
			if (*c == '\n' && r->whole)
				fputs(message->line_end, stdout);
			else
				putchar(*c);
		}
		fputs(r->whole ? message->line_end : "\n", stdout);
	}
	if (r->whole)
		(void)fwrite(ctl->text + message->start, 1,
		    ctl->text_len - message->start, stdout);
}

static int
sign(struct ctl *ctl, const struct request *r, const struct signplan *plan,
    const struct ctl_message *message)
{
	const char *values[SIGNPLAN_KEYS_MAX];
	struct signing *signing;
	int count = -1;
	struct err err;

	ctl->engine = engine_new(&err);
	if (ctl->engine == NULL)
		return ctl_fail(ctl, EX_SOFTWARE, "%s", err.text);
	signing = signing_new(ctl->engine, ctl->settings, plan,
	    &(const struct signing_message){ .fields = message->fields,
		.field_count = message->field_count,
		.now = now_wall_s(),
		.arena = ctl->arena },
	    &err);
	if (signing != NULL) {
		signing_body(signing, message->body, message->body_len);
		count = signing_end(signing, values, &err);
	}
	if (count >= 0)
		print(r, ctl, message, values, count);
	signing_free(&signing);
	return count < 0 ? ctl_fail(ctl, EX_DATAERR, "%s", err.text)
			 : ctl_finish(ctl, EX_OK);
}

/* With the key of the command line the configuration says only how. */
static int
sign_by_key(
    struct ctl *ctl, const struct request *r, const struct ctl_message *message)
{
	struct signplan plan = { .action = SIGNPLAN_SIGN };
	struct engine_key *key = ctl_load_key(ctl, r->key_file);
	int code;

	if (key == NULL)
		return EX_NOINPUT;
	plan.keys[plan.key_count++] = (struct signplan_key){
		.key = key,
		.domain = r->domain,
		.selector = r->selector,
		.identity = r->identity,
	};
	code = sign(ctl, r, &plan, message);
	engine_key_free(&key);
	return code;
}

static int
check(const struct ctl *ctl, const struct request *r)
{
	int given =
	    (r->domain != NULL) + (r->selector != NULL) + (r->key_file != NULL);

	if (given != 0 && given != 3)
		return ctl_fail(ctl, EX_USAGE,
		    "-d, -s and -k must be given together, or none of them");
	if (given == 0 && r->identity != NULL)
		return ctl_fail(
		    ctl, EX_USAGE, "-i: -d, -s and -k must be given as well");
	if (given == 3 && !ctl_txt_name_ok(r->domain, NAME_MAX_LEN))
		return ctl_fail(ctl, EX_USAGE,
		    "-d %s: no domain; write it in A-labels (xn--...)",
		    r->domain);
	if (given == 3 && !ctl_txt_name_ok(r->selector, NAME_MAX_LEN))
		return ctl_fail(
		    ctl, EX_USAGE, "-s %s: no selector", r->selector);
	return 0;
}

int
ctl_sign(struct ctl *ctl, int argc, char **argv)
{
	static const struct option long_options[] = { CTL_LONG,
		{ "message", no_argument, NULL, 'm' }, { NULL, 0, NULL, 0 } };
	struct request r = { .whole = false };
	struct signplan plan = { .key_count = 0 };
	struct ctl_message message;
	int c, code;

	while ((c = getopt_long(argc, argv,
		    CTL_LETTERS "d:i:k:ms:", long_options, NULL)) != -1) {
		if (c == CTL_OPTION_HELP)
			return help(ctl);
		if (c == 'd')
			r.domain = optarg;
		else if (c == 'i')
			r.identity = optarg;
		else if (c == 'k')
			r.key_file = optarg;
		else if (c == 's')
			r.selector = optarg;
		else if (c == 'm')
			r.whole = true;
		else if (ctl_take(ctl, c, argv) != 0)
			return EX_USAGE;
	}
	if (optind + 1 != argc)
		return ctl_fail(ctl, EX_USAGE,
		    "one file must be named; - is standard "
		    "input");
	code = check(ctl, &r);
	if (code == 0)
		code = ctl_load(ctl, r.key_file != NULL ? "v" : "s");
	if (code == 0)
		code = ctl_read(ctl, argv[optind], &message);
	if (code != 0)
		return code;
	if (r.key_file != NULL)
		return sign_by_key(ctl, &r, &message);
	code = plan_by_settings(ctl, &message, &plan);
	return code != 0 ? code : sign(ctl, &r, &plan, &message);
}
