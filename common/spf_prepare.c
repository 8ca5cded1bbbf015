/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "common/now.h"
#include "common/spf_int.h"
#include "common/spfidn.h"

/* RFC 7208 section 4.3: the local part when there is none. */
#define NO_LOCAL "postmaster"
/* RFC 5321 allows 64; longer ones are cut, they only end up in macros. */
#define LOCAL_MAX 256

static const char *
host_name(const char *name, struct arena *arena)
{
	char ascii[SPFIDN_SIZE];

	/* One that cannot be converted is only good for a text. */
	return spfidn_to_ascii(name, ascii)
		   ? arena_strdup(arena, ascii)
		   : arena_strndup(arena, name, strnlen(name, SPFIDN_SIZE));
}

bool
spf_prepare(const struct spf_input *input, struct arena *arena,
    struct spfguard_input *guarded_r)
{
	bool by_helo =
	    input->identity == SPF_CHECK_HELO || input->sender[0] == '\0';
	const char *domain = by_helo ? input->helo : input->sender;
	const char *at = by_helo ? NULL : strrchr(input->sender, '@');
	char ascii[SPFIDN_SIZE];

	memset(guarded_r, 0, sizeof(*guarded_r));
	guarded_r->ip = input->ip;
	guarded_r->helo = host_name(input->helo, arena);
	guarded_r->receiver = host_name(input->receiver, arena);
	guarded_r->now_s = now_wall_s();
	guarded_r->void_limit = input->void_limit;
	guarded_r->sender_local = NO_LOCAL;
	guarded_r->sender_domain = "";
	if (at != NULL) {
		size_t len = (size_t)(at - input->sender);

		domain = at + 1;
		if (len > 0)
			guarded_r->sender_local = arena_strndup(arena,
			    input->sender, len < LOCAL_MAX ? len : LOCAL_MAX);
	}
	if (!spfidn_to_ascii(domain, ascii) || !spfrecord_domain_ok(ascii))
		return false;
	guarded_r->sender_domain = arena_strdup(arena, ascii);
	return true;
}
