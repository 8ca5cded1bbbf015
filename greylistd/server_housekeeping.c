/* SPDX-License-Identifier: ISC */
#include <stdlib.h>

#include "common/log.h"
#include "common/now.h"

#include "greylistd/server_int.h"

/* A pass of expiry begins so often... */
#define PASS_INTERVAL_MS INT64_C(3600000)
/* ...and takes this much of each tick while it lasts. */
#define EXPIRE_BUDGET_US 3000
#define FLUSH_INTERVAL_MS 10000
#define RECOVER_INTERVAL_MS 1000
/* A clock that jumps further than this may be wrong: nothing is expired
 * until it has stood for a while. */
#define CLOCK_JUMP_S 3600
#define CLOCK_PAUSE_MS INT64_C(86400000)

/* Watches for steps of the wall clock against the monotonic one: a step
 * forward must not empty the database. */
static void
watch_clock(struct server *server, int64_t mono_ms)
{
	int64_t offset_s = now_wall_s() - mono_ms / 1000;
	int64_t step_s = offset_s - server->clock_offset_s;

	server->clock_offset_s = offset_s;
	if (server->settings.test_clock || llabs(step_s) < CLOCK_JUMP_S)
		return;
	log_warn("warning: the clock was set %lld seconds %s; nothing "
		 "is expired for a day",
	    (long long)llabs(step_s), step_s > 0 ? "forward" : "back");
	server->expiry_paused_until_ms = mono_ms + CLOCK_PAUSE_MS;
	server->pass_running = false;
}

static void
end_pass(struct server *server, int64_t mono_ms)
{
	server->pass_running = false;
	server->next_pass_ms = mono_ms + PASS_INTERVAL_MS;
	if (server->pass_removed > 0)
		log_info("cleaning main database finished. before: %lld, "
			 "after: %lld",
		    (long long)server->pass_before,
		    (long long)greystore_triplets(server->store));
}

static void
expire(struct server *server, int64_t mono_ms)
{
	struct err err;
	bool done;
	int64_t n;

	if (!server->pass_running) {
		if (mono_ms < server->next_pass_ms ||
		    mono_ms < server->expiry_paused_until_ms)
			return;
		server->pass_running = true;
		server->pass_before = greystore_triplets(server->store);
		server->pass_removed = 0;
	}
	n = greystore_expire(server->store, &server->settings.policy,
	    now_wall_s(), EXPIRE_BUDGET_US, &done, &err);
	if (n < 0) {
		server_store_failed(server, &err);
		return;
	}
	server->pass_removed += n;
	if (done)
		end_pass(server, mono_ms);
}

static void
recover(struct server *server, int64_t mono_ms)
{
	struct err note = { "" }, err;

	if (mono_ms < server->next_recover_ms)
		return;
	server->next_recover_ms = mono_ms + RECOVER_INTERVAL_MS;
	if (server->store == NULL && server_open_store(server, &err) != 0) {
		server_store_failed(server, &err);
		return;
	}
	if (greystore_recover(server->store, &note, &err) != 0) {
		server_store_failed(server, &err);
		return;
	}
	if (note.text[0] != '\0')
		log_warn("warning: %s", note.text);
	/* Proof that it works again, not only that it opens. */
	if (server_read_rules(server, &err) != 0 ||
	    greystore_flush(server->store, &err) != 0) {
		server_store_failed(server, &err);
		return;
	}
	log_info("%s works again", server->database);
	server->failed = false;
	server->read_again_ms = server->write_again_ms = 0;
}

void
server_housekeeping(void *arg)
{
	struct server *server = arg;
	int64_t mono_ms = now_mono_ms();
	struct err err;

	/* Within a turn its transaction is open: nothing of ours in there. */
	server->tick_due = server->in_turn;
	if (server->tick_due)
		return;
	watch_clock(server, mono_ms);
	if (server->failed) {
		recover(server, mono_ms);
		return;
	}
	greystore_rest(server->store);
	expire(server, mono_ms);
	if (!server->failed && mono_ms >= server->next_flush_ms) {
		server->next_flush_ms = mono_ms + FLUSH_INTERVAL_MS;
		if (greystore_flush(server->store, &err) != 0)
			server_store_failed(server, &err);
	}
}
