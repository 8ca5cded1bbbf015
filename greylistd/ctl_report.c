/* SPDX-License-Identifier: ISC */
/*
 * The report reads the log first and asks the database afterwards, so that a
 * line "pass" counts wherever it stands.
 */
#include <errno.h>
#include <pwd.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "common/ip.h"
#include "common/regex.h"
#include "common/str.h"
#include "common/xmem.h"

#include "greylistd/ctl.h"
#include "greylistd/ctl_logline.h"
#include "greylistd/ctl_print.h"
#include "greylistd/ctl_report_print.h"
#include "greylistd/whitelist.h"

#define POSTGREY_DATABASE "/var/lib/postgrey/" OPTIONS_DATABASE_NAME

/* The command line. */
struct request {
	const char *user;
	const char *dbdir;
	const char *delay;
	const char *greylist_text;
	struct ctl_option_list skip_clients;
	struct ctl_option_list match_clients;
	struct ctl_option_list skip_dnsbl;
	const char *check_sender;
	bool skip_pool;
	bool help;
	bool version;
	struct ctl_report_style style;
};

struct report {
	struct ctl *ctl;
	const struct request *request;
	struct regex *text;
	struct whitelist *skip; /* NULL = none */
	struct whitelist *match;
	int64_t delay_s; /* 0 = --delay was not given */
	void *tree;      /* tsearch(3) of triplets, by key */
	struct ctl_report_triplet **all;
	size_t count;
	size_t room;
};

static int
compare_keys(const void *a, const void *b)
{
	const struct ctl_report_triplet *left = a, *right = b;

	return strcmp(left->key, right->key);
}

/* The triplet that line tells of, made when it is new. NULL when the line
 * names no IP address. */
static struct ctl_report_triplet *
find_triplet(struct report *report, const struct ctl_logline *line)
{
	const struct key_config by_host = { .by_host = true };
	struct ctl_report_triplet wanted, *new;
	void *node;

	if (!ip_parse(line->address, &wanted.ip))
		return NULL;
	key_make(&by_host, KEY_FOLD_ALL, &wanted.ip, line->sender,
	    line->recipient, wanted.key);
	node = tfind(&wanted, &report->tree, compare_keys);
	if (node != NULL)
		return *(struct ctl_report_triplet **)node;
	new = xmem_calloc(1, sizeof(*new));
	memcpy(new->key, wanted.key, sizeof(new->key));
	new->ip = wanted.ip;
	new->name = xmem_strdup(line->name);
	new->sender = xmem_strdup(line->sender);
	new->recipient = xmem_strdup(line->recipient);
	new->time = xmem_strdup(line->time);
	if (tsearch(new, &report->tree, compare_keys) == NULL)
		abort();
	if (report->count == report->room) {
		report->room = report->room == 0 ? 256 : 2 * report->room;
		report->all = xmem_realloc(
		    report->all, report->room, sizeof(report->all[0]));
	}
	report->all[report->count++] = new;
	return new;
}

static void
read_line(struct report *report, const char *text, size_t len)
{
	static struct ctl_logline line;
	enum ctl_logline_kind kind = ctl_logline_parse(text, len, &line);
	struct ctl_report_triplet *triplet;

	if (kind == CTL_LOGLINE_OTHER ||
	    (kind == CTL_LOGLINE_REFUSED &&
		regex_match(report->text, text, len) != REGEX_MATCH))
		return;
	triplet = find_triplet(report, &line);
	if (triplet == NULL)
		return;
	if (kind == CTL_LOGLINE_REFUSED)
		triplet->refused++;
	else if (kind == CTL_LOGLINE_DEFERRED)
		triplet->deferred++;
	else
		triplet->passed = true;
}

static int
read_log(struct report *report)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t len;

	while ((len = getline(&line, &cap, stdin)) > 0) {
		if (line[len - 1] == '\n')
			len--;
		read_line(report, line, (size_t)len);
	}
	free(line);
	return ferror(stdin) ? ctl_fail(EX_IOERR, "cannot read the log: %s",
				   strerror(errno))
			     : 0;
}

/* Do the last two numbers of the address stand in the host name, as in names
 * of dial-up pools? */
static bool
is_pool(const struct ctl_report_triplet *triplet)
{
	char number[2][4];

	if (triplet->ip.family != IP_V4)
		return false;
	for (int i = 0; i < 2; i++)
		snprintf(number[i], sizeof(number[i]), "%u",
		    (unsigned)triplet->ip.bytes[2 + i]);
	return strstr(triplet->name, number[0]) != NULL &&
	       strstr(triplet->name, number[1]) != NULL;
}

static bool
is_wanted(const struct report *report, const struct ctl_report_triplet *triplet)
{
	/* Only lines "pass" named it. */
	if (triplet->refused == 0 && triplet->deferred == 0)
		return false;
	if (report->match != NULL &&
	    !whitelist_has_client(report->match, triplet->name, &triplet->ip))
		return false;
	if (report->skip != NULL &&
	    whitelist_has_client(report->skip, triplet->name, &triplet->ip))
		return false;
	return !report->request->skip_pool || !is_pool(triplet);
}

/* Looks the triplet up under the key that this configuration makes. Returns 1
 * when it came back, 0 when not, -1 with err. */
static int
came_back(const struct report *report, const struct key_config *key,
    const struct ctl_report_triplet *triplet, struct err *err)
{
	struct greylist_entry entry;
	char text[KEY_SIZE];

	key_make(key, KEY_FOLD_ALL, &triplet->ip, triplet->sender,
	    triplet->recipient, text);
	switch (greystore_find(report->ctl->gs, text, &entry, err)) {
	case GREYSTORE_FOUND:
		return entry.passed != 0 ||
		       (report->delay_s > 0 &&
			   greylist_age(entry.last, entry.first) >=
			       report->delay_s);
	case GREYSTORE_NONE:
		return 0;
	case GREYSTORE_FAILED:
		break;
	}
	return -1;
}

/* Drops the triplets that came back or are not wanted. */
static int
filter(struct report *report)
{
	struct key_config by_net = report->ctl->key;
	struct key_config by_host = report->ctl->key;
	size_t kept = 0;
	struct err err;

	by_net.by_host = false;
	by_host.by_host = true;
	for (size_t i = 0; i < report->count; i++) {
		struct ctl_report_triplet *triplet = report->all[i];
		int back = triplet->passed;

		if (!is_wanted(report, triplet))
			continue;
		if (back == 0 && report->ctl->gs != NULL) {
			back = came_back(report, &by_net, triplet, &err);
			if (back == 0)
				back =
				    came_back(report, &by_host, triplet, &err);
		}
		if (back < 0)
			return ctl_fail(EX_UNAVAILABLE, "%s", err.text);
		if (back == 0) {
			/* Kept ones move to the front; none is lost, as all
			 * are freed by the tree. */
			report->all[kept++] = triplet;
		}
	}
	report->count = kept;
	return 0;
}

static void
warn_line(void *arg, const char *text)
{
	(void)arg;
	ctl_note("%s", text);
}

static int
load_clients(const char *option, const struct ctl_option_list *list,
    struct whitelist **whitelist_r)
{
	char *files[CTL_OPTION_LIST_MAX];
	struct whitelist_faults faults;

	if (list->count == 0)
		return 0;
	for (size_t i = 0; i < list->count; i++) {
		if (access(list->items[i], R_OK) != 0)
			return ctl_fail(EX_NOINPUT, "--%s %s: %s", option,
			    list->items[i], strerror(errno));
		files[i] = xmem_strdup(list->items[i]);
	}
	*whitelist_r = whitelist_load(
	    WHITELIST_CLIENTS, files, list->count, warn_line, NULL, &faults);
	for (size_t i = 0; i < list->count; i++)
		xmem_free(&files[i]);
	return 0;
}

/* Opens the database; without one the log must do. */
static int
open_database(struct report *report)
{
	struct ctl *ctl = report->ctl;
	const struct request *request = report->request;

	if (request->dbdir != NULL &&
	    (size_t)snprintf(ctl->database, sizeof(ctl->database),
		"%s/" OPTIONS_DATABASE_NAME,
		request->dbdir) >= sizeof(ctl->database))
		return ctl_fail(
		    EX_USAGE, "the path %s is too long", request->dbdir);
	if (access(ctl->database, F_OK) != 0) {
		ctl_note("%s: %s; what came back is taken from the log alone",
		    ctl->database, strerror(errno));
		return 0;
	}
	return ctl_open(ctl, STORE_TOOL_READ);
}

static int
become_user(const char *name)
{
	struct passwd *pw = name == NULL ? NULL : getpwnam(name);
	struct err err;

	if (name == NULL || geteuid() != 0)
		return 0;
	if (pw == NULL)
		return ctl_fail(
		    EX_NOUSER, "--user %s: there is no such user", name);
	if (ctl_become(pw->pw_uid, pw->pw_gid, &err) != 0)
		return ctl_fail(EX_NOPERM, "%s", err.text);
	return 0;
}

static int
prepare(struct report *report)
{
	const struct request *request = report->request;
	const char *text = request->greylist_text != NULL
			       ? request->greylist_text
			       : "Greylisted";
	struct err err;
	int code;

	report->text = regex_new(text, false, &err);
	if (report->text == NULL)
		return ctl_fail(EX_USAGE, "--greylist-text: %s", err.text);
	if (request->skip_dnsbl.count > 0 || request->check_sender != NULL)
		ctl_note("--skip_dnsbl and --check_sender are not supported "
			 "yet and have no effect");
	code = ctl_number("delay", request->delay, INT32_MAX, &report->delay_s);
	if (code == 0)
		code = load_clients(
		    "skip_clients", &request->skip_clients, &report->skip);
	if (code == 0)
		code = load_clients(
		    "match_clients", &request->match_clients, &report->match);
	if (code == 0)
		code = become_user(request->user);
	return code == 0 ? open_database(report) : code;
}

static void
free_triplet(void *node)
{
	struct ctl_report_triplet *triplet = node;

	xmem_free(&triplet->name);
	xmem_free(&triplet->sender);
	xmem_free(&triplet->recipient);
	xmem_free(&triplet->time);
	xmem_free(&triplet);
}

static int
run(struct ctl *ctl, const struct request *request)
{
	struct report report = { .ctl = ctl, .request = request };
	int code = prepare(&report);

	if (code == 0)
		code = read_log(&report);
	if (code == 0)
		code = filter(&report);
	if (code == 0)
		ctl_report_print(report.all, report.count, &ctl->key,
		    &request->style, ctl->json);
	tdestroy(report.tree, free_triplet);
	xmem_free(&report.all);
	whitelist_free(&report.skip);
	whitelist_free(&report.match);
	regex_free(&report.text);
	return ctl_finish(code);
}

static int
help(void)
{
	puts("usage: postgreyreport [OPTIONS] <MAILLOG\n"
	     "       greylistctl report [OPTIONS] <MAILLOG\n"
	     "Shows the triplets of the log that were greylisted and never "
	     "came back.\n\n"
	     "  --user=USER                run as USER\n"
	     "  --dbdir=DIR                the database is "
	     "DIR/" OPTIONS_DATABASE_NAME "\n"
	     "  --delay=N                  seen again after N seconds is "
	     "\"came back\"\n"
	     "  --greylist-text=REGEX      what Postfix's lines must hold "
	     "(Greylisted)\n"
	     "  --skip_clients=FILE        leave these clients out "
	     "(repeatable)\n"
	     "  --match_clients=FILE       only these clients (repeatable)\n"
	     "  --skip_pool                leave out names that look like "
	     "dial-up pools\n"
	     "  --show_tries --show_time   more columns\n"
	     "  --tab                      tabs between columns\n"
	     "  --nosingle_line            group by client\n"
	     "  --separate_by_subnet=TEXT  print TEXT before each network\n"
	     "  --separate_by_ip=TEXT      print TEXT before each client\n"
	     "  --skip_dnsbl --check_sender  accepted, without effect yet\n"
	     "  --json                     print JSON");
	return ctl_finish(EX_OK);
}

int
ctl_report(struct ctl *ctl, int argc, char **argv)
{
	static struct request request;
	bool single = true, multi = false;
	const struct ctl_option options[] = {
		{ "user", NULL, &request.user, NULL },
		{ "dbdir", NULL, &request.dbdir, NULL },
		{ "delay", NULL, &request.delay, NULL },
		{ "greylist-text", NULL, &request.greylist_text, NULL },
		{ "skip_pool", &request.skip_pool, NULL, NULL },
		{ "skip_dnsbl", NULL, NULL, &request.skip_dnsbl },
		{ "skip_clients", NULL, NULL, &request.skip_clients },
		{ "match_clients", NULL, NULL, &request.match_clients },
		{ "check_sender", NULL, &request.check_sender, NULL },
		{ "show_tries", &request.style.tries, NULL, NULL },
		{ "show_time", &request.style.time, NULL, NULL },
		{ "tab", &request.style.tab, NULL, NULL },
		{ "single_line", &single, NULL, NULL },
		{ "nosingle_line", &multi, NULL, NULL },
		{ "separate_by_subnet", NULL, &request.style.by_net, NULL },
		{ "separate_by_ip", NULL, &request.style.by_ip, NULL },
		{ "help", &request.help, NULL, NULL },
		{ "version", &request.version, NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	int code;

	if (ctl_options(ctl, options, &argc, argv) != 0)
		return EX_USAGE;
	if (request.help)
		return help();
	if (request.version) {
		puts("postgreyreport (postern) " POSTERN_VERSION);
		return ctl_finish(EX_OK);
	}
	if (argc > 1)
		return ctl_fail(EX_USAGE,
		    "%s: the log is read from standard "
		    "input: postgreyreport <%s",
		    argv[1], argv[1]);
	request.style.grouped = multi;
	if (ctl->config == NULL) {
		/* Called as postgreyreport. */
		code = ctl_configure(ctl, NULL,
		    access(POSTGREY_DATABASE, F_OK) == 0 ? POSTGREY_DATABASE
							 : NULL);
		if (code != 0)
			return code;
	}
	return run(ctl, &request);
}
