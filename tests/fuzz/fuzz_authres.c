/* SPDX-License-Identifier: ISC */
/*
 * fuzz_authres.c - results as strangers forge them, and ours of what they say
 *
 * Input: the value of a field. What can be parsed says the same after it was
 * built again, and is known as ours by its identifier in any case; what we
 * build of hostile texts is parsed to these texts and known as ours.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/authres.h"
#include "common/xmem.h"

#include "tests/fuzz/must.h"

#define BUILT_MAX (4 * AUTHRES_VALUE_MAX)

static bool
is_claimed(const char *value, size_t len, const char *id)
{
	struct header_field field = { AUTHRES_NAME, strlen(AUTHRES_NAME), value,
		len };

	return authres_claims(&field, id);
}

static bool
is_same(const char *a, const char *b)
{
	return (a == NULL) == (b == NULL) && (a == NULL || strcmp(a, b) == 0);
}

static void
check_same(const struct authres *a, const struct authres *b)
{
	assert(is_same(a->authserv_id, b->authserv_id));
	assert(a->version == b->version && a->result_count == b->result_count);
	for (size_t i = 0; i < a->result_count; i++) {
		const struct authres_result *x = &a->results[i];
		const struct authres_result *y = &b->results[i];

		assert(is_same(x->method, y->method));
		assert(x->version == y->version);
		assert(is_same(x->result, y->result));
		assert(is_same(x->reason, y->reason));
		assert(x->property_count == y->property_count);
		for (size_t k = 0; k < x->property_count; k++) {
			const struct authres_property *p = &x->properties[k];
			const struct authres_property *q = &y->properties[k];

			assert(is_same(p->type, q->type));
			assert(is_same(p->name, q->name));
			assert(is_same(p->value, q->value));
		}
	}
}

/* Builds it and parses that. */
static void
check_again(const struct authres *authres, struct arena *arena)
{
	char *text = xmem_alloc(BUILT_MAX);
	struct authres again;
	struct err err;
	struct str s;

	str_init(&s, text, BUILT_MAX);
	authres_format(&s, authres);
	assert(!s.truncated);
	if (s.len <= AUTHRES_VALUE_MAX) {
		assert(authres_parse(text, s.len, arena, &again, &err) == 0);
		check_same(authres, &again);
	}
	assert(is_claimed(text, s.len, authres->authserv_id));
	xmem_free(&text);
}

static void
check_value(const char *value, size_t len, struct arena *arena)
{
	struct err err = { "" };
	struct authres authres;
	char *id;

	if (authres_parse(value, len, arena, &authres, &err) != 0) {
		assert(err.text[0] != '\0');
		return;
	}
	assert(authres.result_count <= AUTHRES_RESULTS_MAX);
	id = arena_strdup(arena, authres.authserv_id);
	assert(is_claimed(value, len, id));
	str_lower(id, strlen(id));
	id[strcspn(id, "/")] = '\0';
	assert(is_claimed(value, len, id));
	if (authres_id_ok(id))
		assert(is_claimed(value, len, arena_strdup(arena, id)));
	check_again(&authres, arena);
}

/* What authres_format makes of a hostile text. */
static char *
clean(const char *bytes, size_t len, struct arena *arena)
{
	char *text = arena_alloc(arena, len + 1);
	size_t used = 0;

	while (len > 0) {
		uint32_t code = 0;
		size_t n = str_utf8(bytes, len, &code);

		if (n == 0 || code < 0x20 || code == 0x7f) {
			text[used++] = '?';
			n = 1;
		} else {
			memcpy(text + used, bytes, n);
			used += n;
		}
		bytes += n;
		len -= n;
	}
	return text;
}

/* The bytes as what we say about a mail. */
static void
check_built(const char *bytes, size_t size, struct arena *arena)
{
	static const char id[] = "mx.example.org";
	size_t len = strnlen(bytes, size < 4096 ? size : 4096);
	char *raw = arena_strndup(arena, bytes, len), *text;
	struct authres_property property = { "smtp", "mailfrom", raw };
	struct authres_result results[] = {
		{ .method = "spf",
		    .version = 1,
		    .result = "fail",
		    .comment = raw,
		    .properties = &property,
		    .property_count = 1 },
		{ .method = "dkim",
		    .version = 1,
		    .result = "fail",
		    .reason = raw },
	};
	struct authres authres = { id, 1, results, 2 }, again;
	struct err err;
	struct str s;

	text = arena_alloc(arena, BUILT_MAX);
	str_init(&s, text, BUILT_MAX);
	authres_format(&s, &authres);
	assert(strchr(text, '\r') == NULL);
	assert(authres_parse(text, s.len, arena, &again, &err) == 0);
	property.value = clean(raw, len, arena);
	results[1].reason = property.value;
	check_same(&authres, &again);
	assert(is_claimed(text, s.len, "MX.example.org."));
	assert(!is_claimed(text, s.len, "example.org"));
}

/* Our identifier, and whatever may follow. */
static void
check_claimed(const char *value, size_t len, struct arena *arena)
{
	char *text = arena_alloc(arena, len + 20);
	int n;

	if (len > 0 && value[0] != ' ' && value[0] != ';')
		return;
	n = snprintf(text, 20, "\n (;) Mx.Test");
	memcpy(text + n, value, len);
	assert(is_claimed(text, (size_t)n + len, "mx.test"));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new();
	/* A copy of that size and no NUL: reading on would be seen. */
	char *text = xmem_alloc(size);

	if (size > 0)
		memcpy(text, data, size);
	check_value(text, size, arena);
	check_built(text, size, arena);
	check_claimed(text, size, arena);
	xmem_free(&text);
	arena_free(&arena);
	return 0;
}
