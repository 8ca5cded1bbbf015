/* SPDX-License-Identifier: ISC */
#include "dkimd/verify_config.h"

static enum outcome_treatment
treatment_of(int trust)
{
	switch ((enum options_key_trust)trust) {
	case OPTIONS_KEY_FAIL:
		return OUTCOME_FAIL;
	case OPTIONS_KEY_NEUTRAL:
		return OUTCOME_NEUTRAL;
	case OPTIONS_KEY_NONE:
		break;
	}
	return OUTCOME_AS_IS;
}

static enum outcome_minimum
minimum_of(enum options_minimum kind)
{
	switch (kind) {
	case OPTIONS_MINIMUM_BYTES:
		return OUTCOME_MINIMUM_BYTES;
	case OPTIONS_MINIMUM_PERCENT:
		return OUTCOME_MINIMUM_PERCENT;
	case OPTIONS_MINIMUM_REST:
		return OUTCOME_MINIMUM_TAIL;
	case OPTIONS_MINIMUM_NONE:
		break;
	}
	return OUTCOME_MINIMUM_ALL;
}

static struct outcome_policy
policy_of(const struct settings *settings, struct arena *arena)
{
	const struct options *options = settings->options;
	size_t count = settings->must_be_signed == NULL
			   ? 0
			   : dataset_count(settings->must_be_signed);
	const char **names = arena_alloc(arena, (count + 1) * sizeof(*names));

	for (size_t i = 0; i < count; i++)
		names[i] = dataset_at(settings->must_be_signed, i)->key;
	return (struct outcome_policy){
		.minimum_key_bits = (unsigned)options->minimum_key_bits,
		.minimum = minimum_of(settings->minimum_kind),
		.minimum_value = (uint64_t)settings->minimum_number,
		.bogus_key = treatment_of(options->bogus_key),
		.unprotected_key = treatment_of(options->unprotected_key),
		.must_be_signed = names,
		.must_be_signed_count = count,
	};
}

static bool
trusts(void *arg, const char *domain)
{
	const struct settings *settings = arg;

	return dataset_find(settings->trusted_domains, domain) != NULL;
}

void
verify_config_fill(struct settings *settings, struct arena *arena,
    struct outcome_policy *policy_r, struct verify_config *config_r)
{
	const struct options *options = settings->options;

	*policy_r = policy_of(settings, arena);
	*config_r = (struct verify_config){
		.policy = policy_r,
		.maximum_signatures = (size_t)options->maximum_signatures,
		.clock_drift_s = options->clock_drift_s,
		.trusts = settings->trusted_domains == NULL ? NULL : trusts,
		.arg = settings,
	};
}
