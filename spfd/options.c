/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/ip.h"
#include "common/str.h"

#include "spfd/lists.h"
#include "spfd/options.h"
#include "spfd/text.h"

/* A check per message for each of these. */
#define DOMAIN_WHITELIST_MAX 64

static const char *const on_error_names[] = { "pass", "tempfail", NULL };
static const char *const header_names[] = { "SPF", "AR", "None", "Both", NULL };
static const char *const softfail_names[] = { "header", "defer", "reject",
	NULL };
/* In the order of enum verdict_reject. */
static const char *const helo_names[] = { "SPF_Not_Pass", "Softfail", "Fail",
	"Null", "False", "No_Check", NULL };

static int
check_mailfrom_reject(const char *value, struct err *err)
{
	if (str_equal_name(value, "Null"))
		return err_set(err,
		    "Null is for HELO_reject; write "
		    "SPF_Not_Pass, Softfail, Fail, False or No_Check");
	return 0;
}

static int
check_address(const char *value, struct err *err)
{
	struct ip ip;

	if (str_equal_nocase(value, "None") || ip_parse(value, &ip))
		return 0;
	return err_set(err, "\"%.80s\" is no address", value);
}

static int
check_per_user(const char *value, struct err *err)
{
	if (value[0] == '/' || str_equal_nocase(value, "None"))
		return 0;
	if (!str_has_prefix_nocase(value, "text,") ||
	    value[5 + strspn(value + 5, " \t")] != '/')
		return err_set(err,
		    "\"%.80s\" is no table; write "
		    "text,/path/to/file",
		    value);
	return 0;
}

static int
check_authserv_id(const char *value, struct err *err)
{
	if (value[strcspn(value, " \t;()<>\"\\")] != '\0')
		return err_set(err,
		    "\"%.80s\" holds what an identifier "
		    "cannot; write a host name",
		    value);
	return 0;
}

/* policyd-spf's levels of the log as ours. */
static int
set_debug_level(struct config *config, const char *value, struct err *err)
{
	static const char *const levels[] = { "0", "1", "3", "3", "4", "4",
		"4" };
	unsigned long long level;

	if (strcmp(value, "-1") == 0)
		level = 0;
	else if (str_to_uint(value, 1000, &level))
		level = level > 5 ? 6 : level + 1;
	else
		return err_set(err,
		    "debugLevel: \"%.80s\" is no number from "
		    "-1 to 5",
		    value);
	return config_set(config, "LogLevel", levels[level], err);
}

/* The old name. */
static int
set_seed_only(struct config *config, const char *value, struct err *err)
{
	return config_set(config, "TestOnly", value, err);
}

#define FIELD(member) offsetof(struct options, member)

/* clang-format off */
const struct config_option options_table[] = {
	SOCKSET_OPTIONS(struct options, sockets, "inet:10029@127.0.0.1"),
	POLICYSRV_OPTIONS(struct options, policysrv),
	{ .name = "MaxSessions", .type = CONFIG_INT,
	  .offset = FIELD(max_sessions), .initial = "1000", .min = 1,
	  .max = 100000, .argument = "N",
	  .help = "checks at the same time; above it OnError decides" },
	{ .name = "OnError", .type = CONFIG_ENUM, .offset = FIELD(on_error),
	  .initial = "pass", .choices = on_error_names, .argument = "WORD",
	  .help = "pass or tempfail mail that cannot be checked" },

	DNS_OPTIONS(struct options, dns),

	{ .name = "TestOnly", .type = CONFIG_INT, .offset = FIELD(test_only),
	  .initial = "1", .min = 0, .max = 1, .argument = "0|1",
	  .help = "1 is live operation, 0 only adds headers" },
	{ .name = "defaultSeedOnly", .type = CONFIG_CALL,
	  .set = set_seed_only, .argument = "0|1",
	  .help = "the old name of TestOnly" },
	{ .name = "HELO_reject", .type = CONFIG_ENUM,
	  .offset = FIELD(helo_reject), .initial = "Fail",
	  .choices = helo_names, .argument = "WORD",
	  .help = "what HELO results are rejected" },
	{ .name = "Mail_From_reject", .type = CONFIG_ENUM,
	  .offset = FIELD(mailfrom_reject), .initial = "Fail",
	  .choices = helo_names, .check = check_mailfrom_reject,
	  .argument = "WORD", .help = "what MAIL FROM results are rejected" },
	{ .name = "SoftfailAction", .type = CONFIG_ENUM,
	  .offset = FIELD(softfail_action), .initial = "header",
	  .choices = softfail_names, .argument = "WORD",
	  .help = "header, defer or reject mail with a softfail" },
	{ .name = "HELO_pass_restriction", .type = CONFIG_STRING,
	  .offset = FIELD(helo_pass_restriction), .initial = "",
	  .argument = "NAME",
	  .help = "the answer when HELO passes: a restriction class" },
	{ .name = "Mail_From_pass_restriction", .type = CONFIG_STRING,
	  .offset = FIELD(mailfrom_pass_restriction), .initial = "",
	  .argument = "NAME", .help = "the same when MAIL FROM passes" },
	{ .name = "No_Mail", .type = CONFIG_BOOL, .offset = FIELD(no_mail),
	  .initial = "no",
	  .help = "reject only where the record is just \"v=spf1 -all\"" },
	{ .name = "Reject_Not_Pass_Domains", .type = CONFIG_LIST,
	  .offset = FIELD(reject_not_pass_domains),
	  .check = lists_check_names, .argument = "DOMAIN,...",
	  .help = "reject softfail and neutral too for these domains" },
	{ .name = "PermError_reject", .type = CONFIG_BOOL,
	  .offset = FIELD(permerror_reject), .initial = "no",
	  .help = "reject when the record has an error" },
	{ .name = "TempError_Defer", .type = CONFIG_BOOL,
	  .offset = FIELD(temperror_defer), .initial = "no",
	  .help = "defer when DNS has an error" },

	{ .name = "Prospective", .type = CONFIG_STRING,
	  .offset = FIELD(prospective), .initial = "", .check = check_address,
	  .argument = "ADDRESS",
	  .help = "check outgoing mail as if sent from here; no header" },
	{ .name = "SkipAuthenticated", .type = CONFIG_BOOL,
	  .offset = FIELD(skip_authenticated), .initial = "yes",
	  .help = "do not check users that have logged in" },
	{ .name = "ExternalRelay", .type = CONFIG_LIST,
	  .offset = FIELD(external_relay), .check = lists_check_nets,
	  .argument = "NET,...",
	  .help = "relays of ours, behind which the client is not known" },
	{ .name = "skip_addresses", .type = CONFIG_LIST,
	  .offset = FIELD(skip_addresses), .check = lists_check_nets,
	  .initial = "127.0.0.0/8,::ffff:127.0.0.0/104,::1",
	  .argument = "NET,...", .help = "local clients: not checked" },
	{ .name = "Whitelist", .type = CONFIG_LIST,
	  .offset = FIELD(whitelist), .check = lists_check_nets,
	  .argument = "NET,...", .help = "trusted relays: not checked" },
	{ .name = "HELO_Whitelist", .type = CONFIG_LIST,
	  .offset = FIELD(helo_whitelist), .check = lists_check_names,
	  .argument = "NAME,...",
	  .help = "not checked, if the name has the client's address" },
	{ .name = "Domain_Whitelist", .type = CONFIG_LIST,
	  .offset = FIELD(domain_whitelist), .check = lists_check_names,
	  .argument = "DOMAIN,...",
	  .help = "not checked, if the client passes SPF for one of these" },
	{ .name = "Domain_Whitelist_PTR", .type = CONFIG_LIST,
	  .offset = FIELD(domain_whitelist_ptr), .check = lists_check_names,
	  .argument = "DOMAIN,...",
	  .help = "not checked, if the client's own name is below these" },

	{ .name = "SPF_Enhanced_Status_Codes", .type = CONFIG_BOOL,
	  .offset = FIELD(enhanced_codes), .initial = "yes",
	  .help = "reply with codes of RFC 7372" },
	{ .name = "Header_Type", .type = CONFIG_ENUM,
	  .offset = FIELD(header_type), .initial = "SPF",
	  .choices = header_names, .argument = "WORD",
	  .help = "Received-SPF, Authentication-Results, both or none" },
	{ .name = "Hide_Receiver", .type = CONFIG_BOOL,
	  .offset = FIELD(hide_receiver), .initial = "no",
	  .help = "no recipient's domain in headers and replies" },
	{ .name = "Authserv_Id", .type = CONFIG_STRING,
	  .offset = FIELD(authserv_id), .initial = "HOSTNAME",
	  .check = check_authserv_id, .argument = "NAME",
	  .help = "who speaks in Authentication-Results" },
	{ .name = "Hostname", .type = CONFIG_STRING,
	  .offset = FIELD(hostname), .initial = "", .argument = "NAME",
	  .help = "our name in texts (default: this host's name)" },
	{ .name = "Reason_Message", .type = CONFIG_STRING,
	  .offset = FIELD(reason_message),
	  .initial = "Message {rejectdefer} due to: {spf}",
	  .check = text_check_template, .argument = "TEXT",
	  .help = "what the client is told" },
	{ .name = "ReasonURL", .type = CONFIG_STRING,
	  .offset = FIELD(reason_url),
	  .initial = "https://www.rfc-editor.org/rfc/rfc7208#section-8",
	  .check = text_check_template, .argument = "TEXT",
	  .help = "the {url} in Reason_Message" },

	{ .name = "Lookup_Time", .type = CONFIG_TIME, .unit = 's',
	  .offset = FIELD(lookup_time_s), .initial = "20s", .min = 1,
	  .max = 300, .argument = "TIME",
	  .help = "time for the check of an identity" },
	{ .name = "Whitelist_Lookup_Time", .type = CONFIG_TIME, .unit = 's',
	  .offset = FIELD(whitelist_lookup_time_s), .initial = "10s",
	  .min = 1, .max = 300, .argument = "TIME",
	  .help = "time for each whitelist that asks DNS" },
	{ .name = "Void_Limit", .type = CONFIG_INT,
	  .offset = FIELD(void_limit), .initial = "2", .min = 0, .max = 100,
	  .argument = "N", .help = "lookups of a check that may find nothing" },

	{ .name = "Mock", .type = CONFIG_BOOL, .offset = FIELD(mock),
	  .initial = "no", .help = "check nothing, always answer dunno" },
	{ .name = "QueueID", .type = CONFIG_BOOL, .offset = FIELD(queue_id),
	  .initial = "yes", .help = "begin log lines with the queue id" },
	{ .name = "Per_User", .type = CONFIG_STRING,
	  .offset = FIELD(per_user), .check = check_per_user,
	  .argument = "text,PATH", .help = "other settings per recipient" },
	{ .name = "debugLevel", .type = CONFIG_CALL, .set = set_debug_level,
	  .argument = "LEVEL", .help = "policyd-spf's name for LogLevel" },

	{ .name = "Socket", .type = CONFIG_IGNORED, .argument = "SOCKET",
	  .help = "of the milter; see Listen" },
	{ .name = "UserID", .type = CONFIG_IGNORED, .argument = "USER",
	  .help = "of the milter; see User" },
	{ .name = "UMask", .type = CONFIG_IGNORED, .argument = "MODE",
	  .help = "of the milter; see SocketMode" },
	{ .name = "InternalHosts", .type = CONFIG_IGNORED,
	  .argument = "LIST", .help = "of the milter; see skip_addresses" },
	{ .name = "IntHosts", .type = CONFIG_IGNORED, .argument = "LIST",
	  .help = "of the milter; see skip_addresses" },
	{ .name = "MacroList", .type = CONFIG_IGNORED, .argument = "LIST",
	  .help = "of the milter; see SkipAuthenticated" },
	{ .name = "MacroListVerify", .type = CONFIG_IGNORED,
	  .argument = "LIST", .help = "of the milter" },
	DAEMON_OPTIONS(struct options, daemon),
	CONFIG_END
};
/* clang-format on */

const struct daemon_default options_spfd_defaults[] = {
	{ "User", "spfd" },
	{ NULL, NULL },
};

const struct daemon_default options_policyd_spf_defaults[] = {
	{ "Listen", "stdio" },
	{ "User", "nobody" },
	{ NULL, NULL },
};

/* "None" is how policyd-spf's manual writes what is not set. */
static void
none_is_empty(char *text)
{
	if (str_equal_nocase(text, "None"))
		text[0] = '\0';
}

static size_t
count_names(const struct config_list *texts)
{
	struct lists_names names = lists_names(texts);
	size_t count = names.count;

	lists_free_names(&names);
	return count;
}

int
options_check(struct config *config, struct err *err)
{
	struct options *options = config_values(config);

	none_is_empty(options->prospective);
	none_is_empty(options->per_user);
	none_is_empty(options->helo_pass_restriction);
	none_is_empty(options->mailfrom_pass_restriction);
	if (sockset_check(&options->sockets, err) != 0)
		return -1;
	if (count_names(&options->domain_whitelist) > DOMAIN_WHITELIST_MAX)
		return err_set(err,
		    "Domain_Whitelist: more than %d domains "
		    "would be looked up for each message; use Whitelist",
		    DOMAIN_WHITELIST_MAX);
	return 0;
}

const char *
options_per_user_path(const struct options *options)
{
	const char *path = strchr(options->per_user, '/');

	return options->per_user[0] == '\0' ? NULL : path;
}
