/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/xmem.h"

#include "spfd/findings.h"

struct findings *
findings_new(void)
{
	return xmem_calloc(1, sizeof(struct findings));
}

void
findings_drop(struct finding *finding)
{
	xmem_free(&finding->domain);
	memset(finding, 0, sizeof(*finding));
}

void
findings_free(struct findings **findings)
{
	if (*findings == NULL)
		return;
	findings_drop(&(*findings)->helo);
	findings_drop(&(*findings)->mailfrom);
	xmem_free(findings);
}

void
findings_take(struct finding *finding, const struct spf_output *output)
{
	const char *const texts[] = { output->domain, output->mechanism,
		output->problem, output->explanation };
	char **const places[] = { &finding->domain, &finding->mechanism,
		&finding->problem, &finding->explanation };
	size_t lens[4], size = 0;
	char *to;

	findings_drop(finding);
	finding->is_known = true;
	finding->result = output->result;
	finding->lookups = output->lookups;
	for (size_t i = 0; i < 4; i++) {
		lens[i] = strlen(texts[i]) + 1;
		size += lens[i];
	}
	to = xmem_alloc(size);
	for (size_t i = 0; i < 4; i++) {
		memcpy(to, texts[i], lens[i]);
		*places[i] = to;
		to += lens[i];
	}
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
	case FINDINGS_EXEMPT_DOMAIN:
		return "Exempt_Domains";
	case FINDINGS_CHECKED:
		break;
	}
	return "checked";
}
