/* SPDX-License-Identifier: ISC */
/*
 * fuzz_sigfield.c - DKIM-Signature fields as strangers write them
 *
 * Input: the value of one. What is accepted is all that the library relies
 * on, and means the same to tagtext and in other memory; what is refused has
 * a reason.
 */
#include <string.h>
#include <strings.h>

#include "common/xmem.h"

#include "dkimd/sigfield.h"
#include "dkimd/tagtext.h"

#include "tests/fuzz/must.h"

#define NOW 1800000000

static void
check_domain(const char *name, bool is_refused)
{
	const char *set = "abcdefghijklmnopqrstuvwxyz0123456789-_.";
	size_t len = strlen(name);

	must(len <= 253 && strspn(name, set) == len);
	must(is_refused || len > 0);
	must(len == 0 || (name[0] != '.' && name[len - 1] != '.'));
	must(strstr(name, "..") == NULL);
}

static void
check_accepted(const struct sigfield *sig)
{
	const char *at = strchr(sig->identity, '@');
	bool has_from = false;

	must(strchr(sig->domain, '.') != NULL);
	must(at != NULL && strlen(at + 1) >= strlen(sig->domain));
	must(strcasecmp(at + 1 + strlen(at + 1) - strlen(sig->domain),
		 sig->domain) == 0);
	must(sig->algorithm == SIGFIELD_RSA_SHA256 ||
	     sig->algorithm == SIGFIELD_ED25519_SHA256);
	must(sig->name_count > 0 && sig->b_start[0] != '\0');
	for (size_t i = 0; i < sig->name_count; i++)
		has_from = has_from || strcmp(sig->names[i], "from") == 0;
	must(has_from);
	must(sig->timestamp < NOW + 301);
	must(sig->expires == -1 || sig->expires > sig->timestamp);
	must(sig->length >= -1);
}

static void
check_tagtext(const char *value, size_t len)
{
	struct tagtext list;
	const char *reason;

	if (!tagtext_parse(value, len, &list, &reason))
		return;
	must(list.count > 0 && list.count <= TAGTEXT_TAGS_MAX);
	for (size_t i = 0; i < list.count; i++) {
		struct tagtext_piece text = list.tags[i].value;

		must(text.start >= value && text.start <= value + len);
		must(text.len <= (size_t)(value + len - text.start));
		must(memchr(text.start, ';', text.len) == NULL);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = strnlen((const char *)data, size);
	/* A copy of that size: reading on would be seen. */
	char *value = xmem_strndup((const char *)data, len);
	struct header_field field = { "DKIM-Signature", 14, value, len };
	struct arena *arena = arena_new();
	struct sigfield sig;
	const char *reason = NULL;
	enum result result =
	    sigfield_parse(&field, NOW, 300, arena, &sig, &reason);

	must((result == RESULT_NONE) == (reason[0] == '\0'));
	must(result == RESULT_NONE || result == RESULT_PERMERROR ||
	     result == RESULT_POLICY || result == RESULT_NEUTRAL);
	check_domain(sig.domain, result != RESULT_NONE);
	check_domain(sig.selector, result != RESULT_NONE);
	must(sig.name_count <= SIGFIELD_NAMES_MAX);
	must(strlen(sig.b_start) <= 8 && strlen(sig.identity) <= 255);
	for (const char *c = sig.identity; *c != '\0'; c++)
		must((unsigned char)*c >= 0x20 && *c != 0x7f);
	if (result == RESULT_NONE)
		check_accepted(&sig);
	check_tagtext(value, len);
	arena_free(&arena);
	xmem_free(&value);
	return 0;
}
