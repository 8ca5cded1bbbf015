/* SPDX-License-Identifier: ISC */
#include "spfd/ctl_survey.h"

static bool
is_void(const struct ctl_survey_lookup *lookup)
{
	return lookup->asked &&
	       (lookup->status == DNS_NO_DATA || lookup->status == DNS_NO_NAME);
}

static void
add_lookup(struct ctl_survey_sum *sum, const struct ctl_survey_term *term,
    const struct ctl_survey_lookup *lookup)
{
	/* Only addresses to compare with the client's differ by family. */
	bool both = lookup->type == DNSPACKET_MX ||
		    term->term->mechanism == SPFRECORD_EXISTS;

	if (lookup->asked &&
	    (lookup->status == DNS_TEMPORARY || lookup->status == DNS_BOGUS))
		sum->temporary = true;
	if (!is_void(lookup))
		return;
	if (both || lookup->type == DNSPACKET_A)
		sum->voids[0]++;
	if (both || lookup->type == DNSPACKET_AAAA)
		sum->voids[1]++;
}

struct ctl_survey_sum
ctl_survey_sum(const struct ctl_survey_node *node)
{
	struct ctl_survey_sum sum = {
		.temporary = node->state == CTL_SURVEY_TEMPORARY,
	};

	for (size_t i = 0; i < node->count; i++) {
		const struct ctl_survey_term *term = &node->terms[i];
		const struct ctl_survey_lookup *lookup = term->lookups;

		sum.lookups++;
		for (; lookup != NULL; lookup = lookup->next)
			add_lookup(&sum, term, lookup);
		if (term->inner != NULL) {
			/* As deep as the survey went. */
			struct ctl_survey_sum inner =
			    ctl_survey_sum(term->inner);

			sum.lookups += inner.lookups;
			sum.voids[0] += inner.voids[0];
			sum.voids[1] += inner.voids[1];
			sum.temporary |= inner.temporary;
		}
	}
	return sum;
}
