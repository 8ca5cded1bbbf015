/* SPDX-License-Identifier: ISC */
/*
 * greylistd - greylisting policy server for Postfix
 *
 * Defers mail of a client network, sender and recipient that were never seen
 * together, and lets it pass when the client comes back in time, as every
 * real mail server does (RFC 6647). Speaks the Postfix policy delegation
 * protocol. Called as "postgrey" it takes that program's place: defaults,
 * messages, exit codes.
 *
 * Failure: when the state cannot be read or written, OnError decides; by
 * default mail passes and the log says so once a minute. Mail is never lost,
 * at worst it is deferred once more.
 *
 * Security: requests carry text that any SMTP client chose. It reaches the
 * store through bound parameters, the log and replies escaped. Anyone who
 * can connect to the socket can ask; nobody can make the daemon end.
 *
 * Read in this order: greylist.h (the decision), key.h, server.h,
 * server_decide.c.
 */
#include <string.h>

#include "common/daemon.h"
#include "common/policyengine.h"

#include "greylistd/options.h"
#include "greylistd/server.h"

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

static const struct daemon_spec greylistd_spec = {
	.name = "greylistd",
	.version = POSTERN_VERSION,
	.usage = "usage: greylistd [-c FILE] [-tpfdv] [-o Name=Value] "
		 "[--name=value]",
	.options = options_table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.defaults = options_greylistd_defaults,
	.args = { .letters = options_letters, .config_file = OPTIONS_FILE },
	.engine = &policyengine_hooks,
	.check = options_check,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

static const struct daemon_spec postgrey_spec = {
	.name = "postgrey",
	.version = "1.37",
	.usage = "usage: postgrey [options...]",
	.options = options_table,
	.config_size = sizeof(struct options),
	.common_offset = offsetof(struct options, daemon),
	.defaults = options_postgrey_defaults,
	.args = { .letters = options_letters, .ignore_words = true },
	.exits = { .usage = 1,
	    .help = 1,
	    .config = 2,
	    .no_user = 255,
	    .open = 2 },
	.engine = &policyengine_hooks,
	.check = options_check_postgrey,
	.open = hook_open,
	.start = hook_start,
	.reload = hook_reload,
	.close = hook_close,
};

int
main(int argc, char **argv)
{
	bool is_postgrey = strcmp(args_program(argc, argv), "postgrey") == 0;

	return daemon_main(
	    argc, argv, is_postgrey ? &postgrey_spec : &greylistd_spec);
}
