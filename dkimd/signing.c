/* SPDX-License-Identifier: ISC */
#include "dkimd/signing.h"

struct signing {
	struct engine_sign *signs[SIGNPLAN_KEYS_MAX];
	struct engine_sign_config configs[SIGNPLAN_KEYS_MAX];
	size_t count;
};

static struct engine_sign_config
config_of(const struct settings *settings, const struct signplan_key *key,
    int64_t now)
{
	struct engine_sign_config config = {
		.key = key->key,
		.domain = key->domain,
		.selector = key->selector,
		.identity = key->identity,
		.header_canon = settings->header_canon,
		.body_canon = settings->body_canon,
		.timestamp = now,
		.expires = settings->options->signature_ttl_s > 0
			       ? now + settings->options->signature_ttl_s
			       : -1,
	};

	config.oversign_count =
	    signheaders_oversign(settings->signheaders, &config.oversign);
	return config;
}

struct signing *
signing_new(struct engine *engine, const struct settings *settings,
    const struct signplan *plan, const struct signing_message *message,
    struct err *err)
{
	struct signing *signing = arena_alloc(message->arena, sizeof(*signing));
	const struct header_field **chosen = arena_alloc(
	    message->arena, (message->field_count + 1) * sizeof(*chosen));
	size_t chosen_count = signheaders_choose(settings->signheaders,
	    message->fields, message->field_count, chosen);

	for (size_t i = 0; i < plan->key_count; i++) {
		signing->configs[i] =
		    config_of(settings, &plan->keys[i], message->now);
		signing->signs[i] = engine_sign_new(
		    engine, &signing->configs[i], chosen, chosen_count, err);
		signing->count++;
		if (signing->signs[i] == NULL) {
			signing_free(&signing);
			return NULL;
		}
	}
	return signing;
}

void
signing_body(struct signing *signing, const void *bytes, size_t len)
{
	for (size_t i = 0; i < signing->count; i++)
		engine_sign_body(signing->signs[i], bytes, len);
}

int
signing_end(struct signing *signing, const char **values_r, struct err *err)
{
	for (size_t i = 0; i < signing->count; i++) {
		values_r[i] = engine_sign_end(signing->signs[i], err);
		if (values_r[i] == NULL)
			return -1;
	}
	return (int)signing->count;
}

void
signing_free(struct signing **signing)
{
	if (*signing == NULL)
		return;
	for (size_t i = 0; i < (*signing)->count; i++)
		engine_sign_free(&(*signing)->signs[i]);
	*signing = NULL;
}
