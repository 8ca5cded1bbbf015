/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/str.h"

#include "dkimd/engine.h"
#include "dkimd/options_int.h"

/* DNSTimeout 0 means to wait for ever, which is no good for mail. */
#define DNS_TIMEOUT_MAX 60

/* The last Socket counts, where Listen lines would add up. */
int
options_set_socket(struct config *config, const char *value, struct err *err)
{
	if (config_set(config, "Listen", "", err) < 0)
		return -1;
	return config_set(config, "Listen", value, err);
}

/* As strtol(3) would: a number that begins with 0 is octal. */
static int
parse_umask(const char *text, unsigned long long *mask_r)
{
	if (text[0] != '0')
		return str_to_uint(text, 0777, mask_r) ? 0 : -1;
	*mask_r = 0;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '7')
			return -1;
		*mask_r = *mask_r * 8 + (unsigned)(*text - '0');
		if (*mask_r > 0777)
			return -1;
	}
	return 0;
}

int
options_set_umask(struct config *config, const char *value, struct err *err)
{
	unsigned long long mask;
	char text[8];
	struct str s;

	if (parse_umask(value, &mask) < 0)
		return err_set(err,
		    "UMask: \"%.80s\" is no mask; write 007 (owner and group), "
		    "000 (all may connect) or SocketMode",
		    value);
	str_init(&s, text, sizeof(text));
	str_addf(&s, "%04o", 0666u & ~(unsigned)mask);
	return config_set(config, "SocketMode", text, err);
}

int
options_set_user_id(struct config *config, const char *value, struct err *err)
{
	size_t len = strcspn(value, ":");
	char user[128];
	struct str s;

	str_init(&s, user, sizeof(user));
	str_add_bytes(&s, value, len);
	if (len == 0 || s.truncated)
		return err_set(err,
		    "UserID: \"%.80s\" is no user; write USER or USER:GROUP",
		    value);
	if (config_set(config, "User", user, err) < 0)
		return -1;
	return config_set(
	    config, "Group", value[len] == ':' ? value + len + 1 : "", err);
}

int
options_set_dns_timeout(
    struct config *config, const char *value, struct err *err)
{
	unsigned long long seconds;

	if (str_to_uint(value, UINT32_MAX, &seconds) &&
	    (seconds == 0 || seconds > DNS_TIMEOUT_MAX))
		value = "60s";
	return config_set(config, "QuestionTimeout", value, err);
}

int
options_set_test_keys(struct config *config, const char *value, struct err *err)
{
	return config_set(config, "TestPublicKeys",
	    str_has_prefix_nocase(value, "file:") ? value + 5 : value, err);
}

int
options_set_algorithm(struct config *config, const char *value, struct err *err)
{
	(void)config;
	if (str_equal_nocase(value, "rsa-sha256") ||
	    str_equal_nocase(value, "ed25519-sha256"))
		return 0;
	return err_set(err,
	    "SignatureAlgorithm: \"%.80s\" is not supported (RFC 8301); "
	    "remove this line, the key says how it signs",
	    value);
}

int
options_check_absolute(const char *value, struct err *err)
{
	if (value[0] == '/')
		return 0;
	return err_set(
	    err, "\"%.200s\" is no path that begins with \"/\"", value);
}

int
options_check_mode(const char *value, struct err *err)
{
	if (value[strspn(value, "sv")] == '\0')
		return 0;
	return err_set(err,
	    "\"%.80s\" is no mode; write s (sign), v (verify) or sv", value);
}

int
options_check_canonicalization(const char *value, struct err *err)
{
	size_t len = strcspn(value, "/");
	const char *body = value[len] == '/' ? value + len + 1 : "simple";
	bool is_known = (len == 6 && strncasecmp(value, "simple", 6) == 0) ||
			(len == 7 && strncasecmp(value, "relaxed", 7) == 0);

	if (is_known && (str_equal_nocase(body, "simple") ||
			    str_equal_nocase(body, "relaxed")))
		return 0;
	return err_set(err,
	    "\"%.80s\" is unknown; write relaxed/relaxed, relaxed/simple, "
	    "simple/relaxed or simple/simple",
	    value);
}

int
options_parse_minimum(const char *text, enum options_minimum *kind_r,
    int64_t *number_r, struct err *err)
{
	size_t len = strspn(text, "0123456789");
	unsigned long long number = 0;
	char digits[24];
	struct str s;

	*kind_r = OPTIONS_MINIMUM_NONE;
	*number_r = 0;
	if (text[0] == '\0')
		return 0;
	str_init(&s, digits, sizeof(digits));
	str_add_bytes(&s, text, len);
	if (strcmp(text + len, "%") == 0)
		*kind_r = OPTIONS_MINIMUM_PERCENT;
	else if (strcmp(text + len, "+") == 0)
		*kind_r = OPTIONS_MINIMUM_REST;
	else if (text[len] == '\0')
		*kind_r = OPTIONS_MINIMUM_BYTES;
	if (*kind_r == OPTIONS_MINIMUM_NONE || s.truncated ||
	    !str_to_uint(digits, INT64_MAX, &number) ||
	    (*kind_r == OPTIONS_MINIMUM_PERCENT && number > 100))
		return err_set(err,
		    "\"%.80s\" is no amount; write 1000 (bytes), 90%% or "
		    "100+ (at most so many bytes not signed)",
		    text);
	*number_r = (int64_t)number;
	return 0;
}

int
options_check_minimum(const char *value, struct err *err)
{
	enum options_minimum kind;
	int64_t number;

	return options_parse_minimum(value, &kind, &number, err);
}

int
options_check_authserv_id(const char *value, struct err *err)
{
	if (value[strcspn(value, " \t;()<>\"\\=/,")] == '\0')
		return 0;
	return err_set(err,
	    "\"%.80s\" holds what an identifier cannot; write a host name",
	    value);
}

/* Abbreviated actions are the same ones; On-Default is that of all that were
 * not given. */
static void
settle_actions(const struct config *config, struct options *options)
{
	const struct {
		const char *name;
		int *action;
	} rows[] = {
		{ "On-Default", &options->on_default },
		{ "On-BadSignature", &options->on_bad_signature },
		{ "On-DNSError", &options->on_dns_error },
		{ "On-InternalError", &options->on_internal_error },
		{ "On-KeyNotFound", &options->on_key_not_found },
		{ "On-NoSignature", &options->on_no_signature },
		{ "On-Security", &options->on_security },
		{ "On-SignatureError", &options->on_signature_error },
	};
	bool has_default = config_is_set(config, rows[0].name);

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		*rows[i].action %= OPTIONS_TEMPFAIL + 1;
		if (has_default && !config_is_set(config, rows[i].name))
			*rows[i].action = options->on_default;
	}
}

/* One key, or tables: half of either is a mistake. */
static int
check_keys(const struct options *options, struct err *err)
{
	const bool has_file = options->key_file[0] != '\0';
	const bool has_table = options->key_table[0] != '\0';

	if (has_table && options->signing_table[0] == '\0')
		return err_set(err,
		    "KeyTable: no SigningTable says which key signs for whom; "
		    "write SigningTable refile:PATH with lines like "
		    "\"*@example.com NAME\"");
	if (options->signing_table[0] != '\0' && !has_table &&
	    options->key_directory[0] == '\0')
		return err_set(err,
		    "SigningTable: no KeyTable says where the keys are; write "
		    "KeyTable PATH with lines like \"NAME "
		    "example.com:SELECTOR:/path/to/key\"");
	if (has_table || options->signing_table[0] != '\0')
		return 0;
	if (has_file && options->domain[0] == '\0')
		return err_set(err,
		    "KeyFile: which mail shall this key sign? Write Domain");
	if (has_file && options->selector[0] == '\0')
		return err_set(err,
		    "KeyFile: under which name is this key in DNS? "
		    "Write Selector");
	if (!has_file && options->domain[0] != '\0' &&
	    options->key_directory[0] == '\0' &&
	    strchr(options->mode, 's') != NULL)
		return err_set(err,
		    "Domain: no key to sign with; write KeyFile and Selector, "
		    "or Mode v");
	return 0;
}

int
options_check(struct config *config, struct err *err)
{
	struct options *options = config_values(config);

	settle_actions(config, options);
	if (options->maximum_headers == 0)
		options->maximum_headers = OPTIONS_HEADERS_MAX;
	if (options->maximum_signatures > ENGINE_SIGNATURES_MAX)
		options->maximum_signatures = ENGINE_SIGNATURES_MAX;
	if (!options->syslog && !config_is_set(config, "LogLevel"))
		options->daemon.log_level = 0;
	if (sockset_check(&options->sockets, err) < 0)
		return -1;
	if (options->sockets.listen.count == 1 &&
	    str_equal_nocase(options->sockets.listen.items[0], "stdio"))
		return err_set(err, "Listen: a milter cannot work on stdio; "
				    "write inet:PORT@HOST or unix:PATH");
	if (options->sockets.listen.count > 1)
		return err_set(err,
		    "Listen: a milter has one socket, but %zu are named",
		    options->sockets.listen.count);
	return check_keys(options, err);
}

bool
options_is_background(const struct config *config)
{
	const struct options *options = config_values(config);

	return options->background;
}

const char *
options_log_name(const struct config *config)
{
	const struct options *options = config_values(config);

	return options->syslog_name;
}
