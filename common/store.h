/* SPDX-License-Identifier: ISC */
/*
 * store.h - an SQLite file that outlives crashes and full disks
 *
 * WAL, synchronous=NORMAL, prepared statements only. One connection belongs
 * to one thread. A daemon opens with STORE_DAEMON: the file is made when
 * missing, checked after an unclean end, moved aside when damaged (state may
 * be lost; mail may not), and checkpointed by a thread of the store's own,
 * so that no reply waits for the disk. Tools open with STORE_TOOL.
 *
 * Once writing fails, the store says why; when the cause is gone (space,
 * permissions, the lock of a tool) it works again without a restart.
 *
 * The WAL does not outgrow 64 MiB: a writer that is faster than the thread
 * has to wait for it then. Only a reader that never ends can make it larger.
 *
 * The file is made with mode 0600. It must not be a symbolic link; its
 * directory may. A database with another program's tables is refused; one
 * that lacks some of ours counts as damaged.
 *
 * Sources: sqlite.org wal.html, rescode.html.
 * Threads: one thread per struct store.
 */
#ifndef POSTERN_COMMON_STORE_H
#define POSTERN_COMMON_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/err.h"

struct store;
struct store_stmt;

enum store_mode {
	STORE_DAEMON,    /* create, check, recover, checkpoint */
	STORE_TOOL,      /* must exist; waits for locks a while */
	STORE_TOOL_READ, /* must exist; never writes */
};

/* One step of the schema: SQL that leads from version n to n+1. */
struct store_config {
	const char *path; /* ":memory:" works for tests */
	enum store_mode mode;
	const char *const *migrations; /* NULL-terminated; migration i leads
					 * from user_version i to i+1; borrowed
					 * until store_close */
	int64_t cache_bytes;           /* page cache */
	int busy_ms;                   /* how long to wait for a lock */
};

enum store_step {
	STORE_ROW,
	STORE_DONE,
	STORE_FAILED, /* err is set */
};

/* Opens the store. Returns NULL with err (which names the path and what to
 * do). A damaged file is renamed to PATH.damaged-UNIXTIME and *note_r (may
 * be NULL; else an ERR_TEXT_SIZE text, "" when nothing happened) says so. */
struct store *store_open(
    const struct store_config *config, struct err *note_r, struct err *err);

/* Finishes, checkpoints and closes; frees all its statements. */
void store_close(struct store **store);

/* Prepares a statement that lives as long as the store. Aborts on SQL that
 * does not compile on a sound database (our bug); returns NULL with err
 * when the database cannot be read. */
struct store_stmt *store_prepare(
    struct store *store, const char *sql, struct err *err);

/* Binds parameter index (1..). text (len bytes) must stay valid until
 * store_reset. */
void store_bind_text(
    struct store_stmt *stmt, int index, const char *text, size_t len);
/* Binds an integer parameter. */
void store_bind_int(struct store_stmt *stmt, int index, int64_t value);

/* Advances. After ROW, columns can be read until the next step or reset;
 * after DONE or FAILED the statement was reset already. A failure can undo
 * the whole write transaction (full disk): all steps fail then until its
 * end. */
enum store_step store_step(struct store_stmt *stmt, struct err *err);

/* Makes the statement ready for new parameters; the old ones are gone. */
void store_reset(struct store_stmt *stmt);

/* Column (0..) as integer; 0 for NULL. */
int64_t store_column_int(struct store_stmt *stmt, int column);
/* Column as NUL-terminated text, "" for NULL; valid until step or reset.
 * len_r may be NULL. */
const char *store_column_text(
    struct store_stmt *stmt, int column, size_t *len_r);

/* Steps a statement that returns no rows. Returns 0 or -1. */
int store_exec(struct store_stmt *stmt, struct err *err);

/* Rows changed by the last store_exec. */
int64_t store_changes(struct store *store);

/* Makes one snapshot for all reads until store_end; cheap, repeatable.
 * Reads outside work too, each on its own. Returns 0 or -1; that the file was
 * removed or replaced is noticed here and in store_begin_write, within a
 * second. */
int store_begin_read(struct store *store, struct err *err);
/* Starts writing (replaces a read snapshot: statements are reset, and what
 * was read may have changed meanwhile). Returns 0, or -1
 * when another writer does not let go within busy_ms or the disk refuses;
 * the transaction is then rolled back and none is open. */
int store_begin_write(struct store *store, struct err *err);
/* Commits what was written, or just ends the snapshot. Returns 0, or -1
 * with nothing of the transaction kept; none is open afterwards. */
int store_end(struct store *store, struct err *err);
/* Undoes what was written since store_begin_write. */
void store_rollback(struct store *store);
/* Is a write transaction open? */
bool store_is_writing(const struct store *store);

/* Is the disk behind with what was written? Work that can wait (expiry) should
 * then, so that it does not make requests wait. Looks after the rest of the
 * checkpoint meanwhile; not within a transaction. */
bool store_is_behind(struct store *store);

/* Did another connection (greylistctl) change the file since the last call?
 * Costs a look at shared memory; within a snapshot, where the answer is that
 * of the snapshot, next to nothing. True after store_recover opened anew. */
bool store_changed_elsewhere(struct store *store);

/* Closes and opens the file anew when it has been replaced, removed or
 * damaged under us: damage found by a failed step is handled as in
 * store_open; when a check does not confirm it, the file stays until the
 * second time. After other failures it tries to write. An open transaction is
 * rolled back. Statements stay valid. Returns 0 when the store works again;
 * call it from a timer after failures (without any it costs three calls of
 * stat(2)). note_r as in store_open. */
int store_recover(struct store *store, struct err *note_r, struct err *err);

/* Runs PRAGMA integrity_check. Returns 0 when sound, else -1 with the first
 * complaint. Slow on large files. */
int store_check(struct store *store, struct err *err);

/* Rebuilds the file without free pages (tools only). Returns 0 or -1. */
int store_vacuum(struct store *store, struct err *err);

#endif
