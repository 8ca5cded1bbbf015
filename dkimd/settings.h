/* SPDX-License-Identifier: ISC */
/*
 * settings.h - one generation of the configuration, with all that it names
 *
 * Made at start and at each reload; nothing in it changes afterwards. Each
 * message holds the generation it began with.
 *
 * Threads: made by one thread; then any.
 */
#ifndef POSTERN_DKIMD_SETTINGS_H
#define POSTERN_DKIMD_SETTINGS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/config.h"
#include "common/err.h"

#include "dkimd/dataset.h"
#include "dkimd/hostlist.h"
#include "dkimd/keytable.h"
#include "dkimd/options.h"
#include "dkimd/sigfield.h"
#include "dkimd/signheaders.h"
#include "dkimd/signtable.h"

struct settings {
	atomic_uint refs;
	struct config *config;         /* a copy, ours */
	const struct options *options; /* config's values */

	bool signs;                  /* Mode */
	bool verifies;               /* Mode */
	bool headers_limit_is_given; /* MaximumHeaders was set: On-Security */

	char *authserv_id; /* "" = Postfix's myhostname */
	enum sigfield_canon header_canon, body_canon; /* to sign */
	enum options_minimum minimum_kind;
	int64_t minimum_number;

	/* NULL = empty, where nothing else is said. */
	struct hostlist *internal_hosts, *external_ignore, *peers;
	struct hostlist *remove_ar_from;
	struct dataset *exempt_domains, *mta, *macros, *dont_sign_mail_to;
	struct dataset *sender_headers; /* never NULL: From at least */
	struct dataset *must_be_signed;
	struct dataset *trusted_domains; /* NULL = all */
	struct dataset *owners;          /* SignOnlyOwnFrom: logins */
	bool only_own_from;

	char **macro_names; /* "{name}" of macros, in their order, and last
			     * that of SenderMacro when there is one */
	size_t macro_count;

	struct keytable *keys;           /* never NULL */
	struct dataset *domains;         /* Domain, without SigningTable */
	struct signtable *signtable;     /* NULL = by Domain */
	struct signheaders *signheaders; /* never NULL */
};

/* Reads all that the options name; owner is who the daemon runs as. warn gets
 * a sentence for what is doubtful. The caller holds the one reference.
 * Returns NULL with err, which names option, file and line. */
struct settings *settings_load(const struct config *config, uid_t owner,
    void (*warn)(void *arg, const char *text), void *arg, struct err *err);

/* Takes one more reference and returns settings. */
struct settings *settings_hold(struct settings *settings);

/* Gives a reference back, the last one frees; sets *settings to NULL, which
 * it may be already. */
void settings_release(struct settings **settings);

/* The names of the macros that milter_config must ask for (MacroList,
 * SenderMacro), as "{name}". Returns how many; they live as long as
 * settings. */
size_t settings_macros(
    const struct settings *settings, const char *const **names_r);

#endif
