/* SPDX-License-Identifier: ISC */
/*
 * spfd - SPF policy server for Postfix
 *
 * Checks whether the client may send in the name that it says HELO with and
 * in the sender's domain (RFC 7208), and lets Postfix reject, defer or mark
 * the mail. Speaks the Postfix policy delegation protocol. Called as
 * "policyd-spf" it takes that program's place under spawn(8).
 *
 * Failure: what DNS does not answer is a temperror, which by default only
 * marks the mail; what cannot be checked at all is decided by OnError.
 *
 * Security: names, records and explanations are text that strangers chose.
 * Records reach libspf2 only through the guard in common/spf.h, texts reach
 * replies, headers and the log bounded and escaped.
 *
 * Read in this order: verdict.h (the decision), session.h, answer.h,
 * server.h.
 */
#include <string.h>

#include "common/daemon.h"
#include "common/policyengine.h"

#include "spfd/options.h"
#include "spfd/server.h"

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

static const struct daemon_spec spfd_spec = {
	.name = "spfd",
	.version = POSTERN_VERSION,
	.usage = "usage: spfd [-c FILE] [-tpfdv] [-o Name=Value] "
		 "[--name=value]",
	.options = options_table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.defaults = options_spfd_defaults,
	.args = { .config_file = OPTIONS_FILE },
	.engine = &policyengine_hooks,
	.check = options_check,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

static const struct daemon_spec policyd_spf_spec = {
	.name = "policyd-spf",
	.version = POSTERN_VERSION,
	.usage = "usage: policyd-spf [FILE] [-tpfdv] [-o Name=Value] "
		 "[--name=value]",
	.options = options_table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.defaults = options_policyd_spf_defaults,
	.args = { .config_file = OPTIONS_POLICYD_SPF_FILE,
	    .word_is_file = true },
	.engine = &policyengine_hooks,
	.check = options_check,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

int
main(int argc, char **argv)
{
	bool is_policyd_spf =
	    strcmp(args_program(argc, argv), "policyd-spf") == 0;

	return daemon_main(
	    argc, argv, is_policyd_spf ? &policyd_spf_spec : &spfd_spec);
}
