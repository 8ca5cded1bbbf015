/* SPDX-License-Identifier: ISC */
/*
 * dkimd - DKIM milter for Postfix
 *
 * Signs the mail of one's own users and verifies all other mail (RFC 6376,
 * RFC 8463), writes Authentication-Results and removes those that strangers
 * wrote in our name. Called as "opendkim" it takes that program's place.
 *
 * Failure: what DNS does not answer is a temperror; the On- options decide
 * what becomes of the message. Own mail that cannot be signed is refused by
 * default (On-SignatureError), so that somebody notices.
 *
 * Security: header, body and keys are text that strangers chose. Signatures
 * and keys reach libopendkim only through the guards sigfield.h and
 * keyrecord.h.
 *
 * Read in this order: signplan.h (sign or verify), verify.h, outcome.h,
 * action.h (what follows), session.h.
 */
#include <string.h>

#include "common/daemon.h"
#include "common/milter_engine.h"

#include "dkimd/options.h"
#include "dkimd/server.h"

static void *
hook_open(const struct config *config, uid_t uid, gid_t gid, struct err *err)
{
	return server_open(config, uid, gid, err);
}

static void *
hook_start(void *state, struct err *err)
{
	return server_start(state, err);
}

static int
hook_reload(void *state, const struct config *config, struct err *err)
{
	return server_reload(state, config, err);
}

static void
hook_close(void *state)
{
	struct server *server = state;

	server_free(&server);
}

static const struct daemon_spec dkimd_spec = {
	.name = "dkimd",
	.version = POSTERN_VERSION,
	.usage = "usage: dkimd [-c FILE] [-tpfdv] [-o Name=Value] "
		 "[--name=value]",
	.options = options_table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.defaults = options_dkimd_defaults,
	.args = { .config_file = OPTIONS_FILE, .style = OPTIONS_STYLE },
	.engine = &milter_engine,
	.is_background = options_is_background,
	.log_name = options_log_name,
	.check = options_check,
	.test = server_test,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

static const struct daemon_spec opendkim_spec = {
	.name = "opendkim",
	.version = POSTERN_VERSION,
	.usage = "usage: opendkim [-c FILE] [-tpfdv] [-o Name=Value] "
		 "[--name=value]",
	.options = options_table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.defaults = options_opendkim_defaults,
	.args = { .config_file = OPTIONS_OPENDKIM_FILE,
	    .style = OPTIONS_STYLE },
	.engine = &milter_engine,
	.is_background = options_is_background,
	.log_name = options_log_name,
	.check = options_check,
	.test = server_test,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

int
main(int argc, char **argv)
{
	bool is_opendkim = strcmp(args_program(argc, argv), "opendkim") == 0;

	return daemon_main(
	    argc, argv, is_opendkim ? &opendkim_spec : &dkimd_spec);
}
