/* SPDX-License-Identifier: ISC */
/* Options one by one, and configurations as they are found on servers. */
#include "tests/unit/check.h"

#include "dkimd/options.h"

static struct config *
fresh(void)
{
	struct config *config =
	    config_new(options_table, sizeof(struct options));
	const struct daemon_default *d = options_opendkim_defaults;
	struct err err;

	config_set_style(config, OPTIONS_STYLE);
	for (; d->name != NULL; d++)
		if (config_default(config, d->name, d->value, &err) < 0)
			check_str(d->name, err.text, "");
	return config;
}

/* The configuration of this text, or NULL with err. */
static struct config *
load(const char *text, struct err *err)
{
	struct config *config = fresh();

	if (config_parse(config, "f", text, strlen(text), err) < 0 ||
	    options_check(config, err) < 0)
		config_free(&config);
	return config;
}

/* What Debian's package comes with. */
static const char debian[] = "# a comment\n"
			     "\n"
			     "Syslog\t\t\tyes\n"
			     "SyslogSuccess\t\tyes\n"
			     "#LogWhy\t\t\tno\n"
			     "Canonicalization\trelaxed/simple\n"
			     "OversignHeaders\t\tFrom\n"
			     "#Domain\t\t\texample.com\n"
			     "UserID\t\t\topendkim\n"
			     "UMask\t\t\t007\n"
			     "Socket\t\t\tlocal:/run/opendkim/opendkim.sock\n"
			     "PidFile\t\t\t/run/opendkim/opendkim.pid\n"
			     "TrustAnchorFile\t\t/usr/share/dns/root.key\n";

/* A single domain that also verifies, on a port. */
static const char handbook[] = "Domain\texample.com\n"
			       "KeyFile\t/etc/dkimkeys/mail.private\n"
			       "Selector\tmail\n"
			       "Canonicalization\trelaxed/relaxed\n"
			       "Mode\tsv\n"
			       "On-BadSignature\tq\n"
			       "SubDomains\tyes\n"
			       "Socket\tinet:12345@localhost\n"
			       "UserID\topendkim\n";

/* A mail server in one piece. */
static const char box[] =
    "Syslog yes\n"
    "UMask 002\n"
    "OversignHeaders From\n"
    "MinimumKeyBits          1024\n"
    "ExternalIgnoreList      refile:/etc/opendkim/TrustedHosts\n"
    "InternalHosts           refile:/etc/opendkim/TrustedHosts\n"
    "KeyTable                refile:/etc/opendkim/KeyTable\n"
    "SigningTable            refile:/etc/opendkim/SigningTable\n"
    "Socket                  inet:8891@127.0.0.1\n"
    "RequireSafeKeys         false\n";

/* One in a container. */
static const char container[] =
    "AutoRestart             Yes\n"
    "AutoRestartRate         10/1h\n"
    "Syslog                  Yes\n"
    "SyslogSuccess           Yes\n"
    "LogWhy                  Yes\n"
    "Canonicalization        relaxed/simple\n"
    "ExternalIgnoreList      refile:/etc/opendkim/TrustedHosts\n"
    "InternalHosts           refile:/etc/opendkim/TrustedHosts\n"
    "KeyTable                refile:/etc/opendkim/KeyTable\n"
    "SigningTable            refile:/etc/opendkim/SigningTable\n"
    "Mode                    sv\n"
    "PidFile                 /var/run/opendkim/opendkim.pid\n"
    "SignatureAlgorithm      rsa-sha256\n"
    "UserID                  opendkim:opendkim\n"
    "Socket                  inet:8891@localhost\n"
    "RequireSafeKeys No\n"
    "OmitHeaders             Return-Path,Received,Comments,Keywords\n";

/* As a distribution's pages teach. */
static const char wiki[] =
    "UserID                  opendkim:mail\n"
    "UMask                   002\n"
    "Domain                  example.com, example.org\n"
    "KeyFile                 /etc/opendkim/default.private\n"
    "Selector                default\n"
    "Socket                  local:/run/opendkim/opendkim.sock\n"
    "BaseDirectory           /var/lib/opendkim\n"
    "ReportAddress           root@example.com\n"
    "SendReports             no\n"
    "SoftwareHeader          yes\n"
    "Canonicalization        relaxed\n"
    "Background              no\n"
    "Nameservers             127.0.0.1\n"
    "DNSTimeout              10\n"
    "AlwaysAddARHeader       t\n"
    "ADSPAction              continue\n"
    "X-Header                yes\n"
    "TemporaryDirectory      /run/opendkim\n";

static void
test_found(void)
{
	static const struct {
		const char *name, *text;
		const char *listen;
		int64_t mode;
		const char *user, *group;
		size_t notices;
	} rows[] = {
		{ "package", debian, "local:/run/opendkim/opendkim.sock", 0660,
		    "opendkim", "", 0 },
		{ "handbook", handbook, "inet:12345@localhost", 0660,
		    "opendkim", "", 0 },
		{ "box", box, "inet:8891@127.0.0.1", 0664, "opendkim", "", 0 },
		{ "container", container, "inet:8891@localhost", 0660,
		    "opendkim", "opendkim", 2 },
		{ "wiki", wiki, "local:/run/opendkim/opendkim.sock", 0664,
		    "opendkim", "mail", 5 },
		{ "empty", "", "inet:8891@localhost", 0660, "opendkim", "", 0 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		struct config *config = load(rows[i].text, &err);
		const struct options *o;

		check_str(rows[i].name, err.text, "");
		if (config == NULL)
			continue;
		o = config_values(config);
		check_uint("one socket", o->sockets.listen.count, 1);
		check_str("socket", o->sockets.listen.items[0], rows[i].listen);
		check_int("mode", o->sockets.mode, rows[i].mode);
		check_str("user", o->daemon.user, rows[i].user);
		check_str("group", o->daemon.group, rows[i].group);
		check_uint(
		    "notices", config_notice_count(config), rows[i].notices);
		config_free(&config);
	}
}

static void
test_values(void)
{
	struct err err = { "" };
	struct config *config = load(handbook, &err);
	struct options *o = config_values(config);

	check_int("q", o->on_bad_signature, OPTIONS_QUARANTINE);
	check_true("SubDomains", o->sub_domains);
	check_str("KeyFile", o->key_file, "/etc/dkimkeys/mail.private");
	config_free(&config);

	config = load(wiki, &err);
	o = config_values(config);
	check_int("DNSTimeout", o->dns.question_timeout_s, 10);
	check_true("t", o->always_add_ar_header);
	check_false("Background", o->background);
	check_str("a list as it is", o->domain, "example.com, example.org");
	config_free(&config);

	config = load("MaximumHeaders 0\n"
		      "DNSTimeout 0\nMaximumSignaturesToVerify 20\nSyslog no\n"
		      "Domain a\nDomain b#c\nMode v\nTestDNSData file:/k\n"
		      "Background N\nSyslogName signer\n",
	    &err);
	check_str("odd values", err.text, "");
	o = config_values(config);
	check_int("no end", o->dns.question_timeout_s, 60);
	check_int("no limit but ours", o->maximum_headers, 16 * 1048576);
	check_int("no more", o->maximum_signatures, 8);
	check_int("silence", o->daemon.log_level, 0);
	check_str("the last one", o->domain, "b");
	check_false("foreground", options_is_background(config));
	check_str("own name", options_log_name(config), "signer");
	check_str("test keys", o->test_public_keys, "/k");
	config_free(&config);
}

static void
test_actions(void)
{
	static const struct {
		const char *text;
		int bad, dns, none, error;
	} rows[] = {
		{ "", OPTIONS_ACCEPT, OPTIONS_TEMPFAIL, OPTIONS_ACCEPT,
		    OPTIONS_REJECT },
		{ "On-Default d\n", OPTIONS_DISCARD, OPTIONS_DISCARD,
		    OPTIONS_DISCARD, OPTIONS_DISCARD },
		{ "On-BadSignature reject\nOn-Default t\nOn-NoSignature "
		  "Accept\n",
		    OPTIONS_REJECT, OPTIONS_TEMPFAIL, OPTIONS_ACCEPT,
		    OPTIONS_TEMPFAIL },
		{ "On-DNSError a\nOn-SignatureError quarantine\n",
		    OPTIONS_ACCEPT, OPTIONS_ACCEPT, OPTIONS_ACCEPT,
		    OPTIONS_QUARANTINE },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err;
		struct config *config = load(rows[i].text, &err);
		const struct options *o = config_values(config);

		check_int(rows[i].text, o->on_bad_signature, rows[i].bad);
		check_int(rows[i].text, o->on_dns_error, rows[i].dns);
		check_int(rows[i].text, o->on_no_signature, rows[i].none);
		check_int(rows[i].text, o->on_signature_error, rows[i].error);
		config_free(&config);
	}
}

static void
test_faults(void)
{
	static const struct {
		const char *text, *want;
	} rows[] = {
		{ "Mode x", "f:1: Mode: \"x\" is no mode; write s (sign)" },
		{ "Canonicalization strict", "\"strict\" is unknown; write" },
		{ "Canonicalization relaxed/", "is unknown" },
		{ "Canonicalization relaxed/simple/simple", "is unknown" },
		{ "Minimum 10x", "\"10x\" is no amount; write 1000" },
		{ "Minimum 101%", "is no amount" },
		{ "Minimum %", "is no amount" },
		{ "UMask 0888", "UMask: \"0888\" is no mask" },
		{ "UMask 01000", "is no mask" },
		{ "UMask 600", "is no mask" },
		{ "UserID :x", "UserID: \":x\" is no user; write USER or" },
		{ "SignatureAlgorithm rsa-sha1", "is not supported (RFC 8301" },
		{ "MinimumKeyBits 512", "512 is not within 1024 and 4096" },
		{ "BaseDirectory x", "is no path that begins" },
		{ "AuthservID a b", "holds what an identifier cannot" },
		{ "On-BadSignature maybe", "\"maybe\" is not one of: accept" },
		{ "Include x", "f:1: Include: \"x\" is no path" },
		{ "BodyLengthDB csl:a", "f:1: BodyLengthDB is not supported: "
					"part of a message" },
		{ "ResignAll yes", "ResignAll is not supported" },
		{ "ChangeRootDirectory /x", "write RootDirectory= into" },
		{ "ResolverConfiguration /x", "write Nameservers and Trust" },
		{ "Lister x", "unknown option \"Lister\"; the nearest known" },
		{ "Socket 12345", "Listen: \"12345\" is no socket" },
		{ "Socket stdio", "a milter cannot work on stdio" },
		{ "Listen inet:1\nListen inet:2", "has one socket, but 2" },
		{ "KeyTable /x", "KeyTable: no SigningTable says which" },
		{ "SigningTable /x", "SigningTable: no KeyTable says where" },
		{ "KeyFile /x", "KeyFile: which mail shall this key sign?" },
		{ "KeyFile /x\nDomain a", "Write Selector" },
		{ "Domain a", "Domain: no key to sign with; write KeyFile" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		struct config *config = load(rows[i].text, &err);

		check_true(rows[i].text, config == NULL);
		check_contains(rows[i].text, err.text, rows[i].want);
		config_free(&config);
	}
}

static void
test_harmless(void)
{
	static const char *const rows[] = { "Domain a\nMode v\n",
		"KeyDirectory /x\n", "KeyDirectory /x\nDomain a\n",
		"KeyDirectory /x\nSigningTable /y\n", "ResignAll no\n",
		"IdentityHeaderRemove no\n", "Socket inet:1\nSocket inet:2\n",
		"Minimum 90%\n", "Minimum 100+\n", "Minimum 1000\n",
		"UMask 7\n", "SignatureAlgorithm ed25519-sha256\n",
		"VBR-Type all\nLDAPTimeout 3\nOn-PolicyError x\n" };

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct err err = { "" };
		struct config *config = load(rows[i], &err);

		check_str(rows[i], err.text, "");
		config_free(&config);
	}
}

/* Every name that opendkim 2.11 knows in Debian, and the older ones. */
static void
test_names(void)
{
	static const char *const names[] = { "AllowSHA1Only",
		"AlwaysAddARHeader", "AuthservID", "AuthservIDWithJobID",
		"AutoRestart", "AutoRestartCount", "AutoRestartRate",
		"Background", "BaseDirectory", "BodyLengthDB", "BogusKey",
		"Canonicalization", "CaptureUnknownErrors",
		"ChangeRootDirectory", "ClockDrift", "Diagnostics",
		"DiagnosticDirectory", "DisableCryptoInit", "DNSConnect",
		"DNSTimeout", "Domain", "DomainKeysCompat", "DontSignMailTo",
		"EnableCoredumps", "ExemptDomains", "ExternalIgnoreList",
		"FinalPolicyScript", "FixCRLF", "IdentityHeader",
		"IdentityHeaderRemove", "IgnoreMalformedMail", "Include",
		"InternalHosts", "KeepAuthResults", "KeepTemporaryFiles",
		"KeyFile", "KeyTable", "LDAPAuthMechanism", "LDAPAuthName",
		"LDAPAuthRealm", "LDAPAuthUser", "LDAPBindPassword",
		"LDAPBindUser", "LDAPDisableCache", "LDAPKeepaliveIdle",
		"LDAPKeepaliveInterval", "LDAPKeepaliveProbes", "LDAPTimeout",
		"LDAPUseTLS", "LogResults", "LogWhy", "MacroList",
		"MaximumHeaders", "MaximumSignaturesToVerify",
		"MaximumSignedBytes", "MilterDebug", "Minimum",
		"MinimumKeyBits", "Mode", "MTA", "MTACommand",
		"MultipleSignatures", "MustBeSigned", "Nameservers",
		"NoHeaderB", "OmitHeaders", "On-BadSignature", "On-Default",
		"On-DNSError", "On-InternalError", "On-KeyNotFound",
		"On-NoSignature", "On-Security", "On-SignatureError",
		"OversignHeaders", "PeerList", "PidFile", "POPDBFile",
		"Quarantine", "QueryCache", "RedirectFailuresTo", "RemoveARAll",
		"RemoveARFrom", "RemoveOldSignatures", "ReplaceHeaders",
		"ReplaceRules", "ReportAddress", "ReportBccAddress",
		"RequestReports", "RequiredHeaders", "RequireSafeKeys",
		"ResignAll", "ResignMailTo", "ResolverConfiguration",
		"ResolverTracing", "ScreenPolicyScript",
		"SelectCanonicalizationHeader", "Selector", "SenderHeaders",
		"SenderMacro", "SendReports", "SetupPolicyScript",
		"SignatureAlgorithm", "SignatureTTL", "SignHeaders",
		"SigningTable", "SMTPURI", "Socket", "SoftStart",
		"SoftwareHeader", "Statistics", "StatisticsName",
		"StatisticsPolicyScript", "StatisticsPrefix", "StrictHeaders",
		"StrictTestMode", "SubDomains", "Syslog", "SyslogFacility",
		"SyslogName", "SyslogSuccess", "TemporaryDirectory",
		"TestDNSData", "TestPublicKeys", "TrustAnchorFile",
		"TrustSignaturesFrom", "UMask", "UnprotectedKey", "UserID",
		"VBR-Certifiers", "VBR-PurgeFields", "VBR-TrustedCertifiers",
		"VBR-TrustedCertifiersOnly", "VBR-Type", "WeakSyntaxChecks",
		"X-Header", "ADSPAction", "ADSPNoSuchDomain",
		"AddAllSignatureResults", "DisableADSP", "LDAPSoftStart",
		"LocalADSP", "NoDiscardableMailTo", "On-PolicyError",
		"SendADSPReports", "BogusPolicy", "UnprotectedPolicy",
		"ATPSDomains", "ATPSHashAlgorithm", "AnonymousStatistics",
		"ConditionalSignatures", "DefaultSender", "LuaOnlySigning",
		"RateLimits", "FlowData", "FlowDataTTL", "ReputationTest" };
	struct config *config = fresh();

	for (size_t i = 0; i < CHECK_COUNT(names); i++)
		check_true(names[i], config_find(config, names[i]) != NULL);
	config_free(&config);
}

int
main(void)
{
	test_found();
	test_values();
	test_actions();
	test_faults();
	test_harmless();
	test_names();
	return check_done();
}
