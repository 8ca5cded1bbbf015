/* SPDX-License-Identifier: ISC */
#include <stddef.h>
#include <string.h>

#include "common/str.h"
#include "common/xmem.h"

#include "spfd/policy.h"

static const char *const option_names[] = {
	"HELO_reject",
	"Mail_From_reject",
	"SoftfailAction",
	"HELO_pass_restriction",
	"Mail_From_pass_restriction",
	"No_Mail",
	"Reject_Not_Pass_Domains",
	"PermError_reject",
	"TempError_Defer",
	"TestOnly",
	"defaultSeedOnly",
	"skip_addresses",
	"Whitelist",
	"Exempt_Domains",
	"Header_Type",
	"Hide_Receiver",
	"SPF_Enhanced_Status_Codes",
	"Reason_Message",
};

struct policy *
policy_new(const struct options *options)
{
	struct policy *policy = xmem_calloc(1, sizeof(*policy));

	policy->helo_restriction = xmem_strdup(options->helo_pass_restriction);
	policy->mailfrom_restriction =
	    xmem_strdup(options->mailfrom_pass_restriction);
	policy->verdict = (struct verdict_policy){
		.helo_reject = (enum verdict_reject)options->helo_reject,
		.mailfrom_reject =
		    (enum verdict_reject)options->mailfrom_reject,
		.softfail = (enum verdict_softfail)options->softfail_action,
		.permerror_reject = options->permerror_reject,
		.temperror_defer = options->temperror_defer,
		.no_mail = options->no_mail,
		.test_only = options->test_only == 0,
		.helo_restriction = policy->helo_restriction,
		.mailfrom_restriction = policy->mailfrom_restriction,
	};
	policy->not_pass = lists_names(&options->reject_not_pass_domains);
	policy->skip = lists_nets(&options->skip_addresses);
	policy->whitelist = lists_nets(&options->whitelist);
	policy->exempt = lists_names(&options->exempt_domains);
	policy->header_type = (enum options_header)options->header_type;
	policy->hide_receiver = options->hide_receiver;
	policy->enhanced_codes = options->enhanced_codes;
	policy->reason_message = xmem_strdup(options->reason_message);
	return policy;
}

void
policy_free(struct policy **policy)
{
	struct policy *p = *policy;

	if (p == NULL)
		return;
	xmem_free(&p->helo_restriction);
	xmem_free(&p->mailfrom_restriction);
	lists_free_names(&p->not_pass);
	lists_free_nets(&p->skip);
	lists_free_nets(&p->whitelist);
	lists_free_names(&p->exempt);
	xmem_free(&p->reason_message);
	xmem_free(policy);
}

bool
policy_has_option(const char *name)
{
	for (size_t i = 0; i < sizeof(option_names) / sizeof(*option_names);
	     i++)
		if (str_equal_name(option_names[i], name))
			return true;
	return false;
}

enum findings_bypass
policy_bypass(
    const struct policy *policy, const struct ip *ip, const char *sender)
{
	const char *at = strrchr(sender, '@');

	if (lists_has_ip(&policy->skip, ip))
		return FINDINGS_SKIPPED;
	if (lists_has_ip(&policy->whitelist, ip))
		return FINDINGS_WHITELIST;
	if (at != NULL && lists_has_name(&policy->exempt, at + 1))
		return FINDINGS_EXEMPT_DOMAIN;
	return FINDINGS_CHECKED;
}

static struct verdict_identity
identity(const struct policy *policy, const struct finding *finding)
{
	return (struct verdict_identity){
		.finding = finding,
		.is_listed =
		    finding->is_known &&
		    lists_covers_name(&policy->not_pass, finding->domain),
	};
}

struct verdict_facts
policy_facts(const struct policy *policy, const struct findings *findings,
    bool null_sender)
{
	return (struct verdict_facts){
		.helo = identity(policy, &findings->helo),
		.mailfrom = identity(policy, &findings->mailfrom),
		.null_sender = null_sender,
	};
}
