/* SPDX-License-Identifier: ISC */
#include <stddef.h>

#include "common/xmem.h"

#include "spfd/findings.h"

struct findings *
findings_new(void)
{
	return xmem_calloc(1, sizeof(struct findings));
}

static void
clear(struct finding *finding)
{
	xmem_free(&finding->domain);
	xmem_free(&finding->mechanism);
	xmem_free(&finding->problem);
	xmem_free(&finding->explanation);
}

void
findings_free(struct findings **findings)
{
	if (*findings == NULL)
		return;
	clear(&(*findings)->helo);
	clear(&(*findings)->mailfrom);
	xmem_free(findings);
}

void
findings_take(struct finding *finding, const struct spf_output *output)
{
	clear(finding);
	*finding = (struct finding){
		.is_known = true,
		.result = output->result,
		.domain = xmem_strdup(output->domain),
		.mechanism = xmem_strdup(output->mechanism),
		.problem = xmem_strdup(output->problem),
		.explanation = xmem_strdup(output->explanation),
		.lookups = output->lookups,
	};
}

const char *
findings_bypass_name(enum findings_bypass bypass)
{
	switch (bypass) {
	case FINDINGS_SKIPPED:
		return "skip_addresses";
	case FINDINGS_WHITELIST:
		return "Whitelist";
	case FINDINGS_HELO_WHITELIST:
		return "HELO_Whitelist";
	case FINDINGS_DOMAIN_WHITELIST:
		return "Domain_Whitelist";
	case FINDINGS_PTR_WHITELIST:
		return "Domain_Whitelist_PTR";
	case FINDINGS_CHECKED:
		break;
	}
	return "checked";
}
