/* SPDX-License-Identifier: ISC */
/*
 * store_int.h - what store.c (statements, transactions), store_recover.c
 * (opening, and again after failures), store_open.c (the file, damage),
 * store_schema.c (migration), store_wal.c (when to checkpoint) and
 * store_checkpoint.c (the thread) share
 */
#ifndef POSTERN_COMMON_STORE_INT_H
#define POSTERN_COMMON_STORE_INT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/err.h"
#include "common/store.h"

struct sqlite3;
struct sqlite3_stmt;
struct store_checkpoint;

/* The WAL is copied into the database each time it has grown by this. */
#define STORE_CHECKPOINT_PAGES 4000
/* From this size on, a writer finishes the copy itself when no more than so
 * many pages are left: then the WAL begins anew, which it cannot while
 * something is uncopied. */
#define STORE_FINISH_FROM 4000
#define STORE_FINISH_PAGES 400
/* If that does not help (a reader of another program needs the old pages), it
 * is tried again after the WAL has grown by this. */
#define STORE_FINISH_STEP 1000
/* A WAL of this size makes its writer wait for the copy: 64 MiB of pages. */
#define STORE_WAL_PAGES_MAX 16384
/* What is kept of a WAL that had to grow beyond this, once it begins anew; in
 * text, for SQL. */
#define STORE_WAL_KEEP_BYTES "33554432"
/* A file up to this size is checked whole after an unclean end; that takes
 * a fraction of a second. Larger ones betray damage when it is met. */
#define STORE_CHECK_BYTES_MAX (64 * 1024 * 1024)

struct store_stmt {
	struct store *store;
	struct store_stmt *next;     /* in store->stmts */
	struct sqlite3_stmt *handle; /* NULL while the file is closed */
	char *sql;
};

/* The three files of a database. */
enum store_file_kind {
	STORE_FILE_DB,
	STORE_FILE_WAL,
	STORE_FILE_SHM,
	STORE_FILES
};

struct store_file {
	char *path;
	dev_t dev; /* which file the name led to; */
	ino_t ino; /* 0 = to none */
};

struct store {
	struct sqlite3 *db; /* NULL when (re)opening failed */
	const char *path;   /* that of files[STORE_FILE_DB] */
	struct store_file files[STORE_FILES];
	bool in_memory;
	enum store_mode mode;
	const char *const *migrations;
	int64_t cache_bytes;
	int busy_ms;

	struct store_stmt *stmts; /* all, also the following */
	struct store_stmt *begin_read;
	struct store_stmt *begin_write;
	struct store_stmt *commit;
	struct store_stmt *rollback;
	struct store_stmt *data_version;

	bool is_reading; /* in store_begin_read's snapshot */
	bool is_writing; /* in store_begin_write's transaction */
	bool is_lost;    /* SQLite rolled that back by itself */

	bool failed;       /* something did, none worked since */
	bool suspect;      /* it must be opened anew */
	bool damaged;      /* SQLite said so */
	bool moved;        /* the name leads elsewhere now */
	int64_t struck_ms; /* monotonic time of the last damage
					 * that a check did not confirm; 0 =
					 * never */
	struct err why;    /* the last failure */

	int64_t version_seen; /* data_version; -1 = unknown */
	int64_t next_look_ms; /* when to look at the names again */
	int64_t wal_pages;    /* set by SQLite at each commit */
	int64_t wake_pages;   /* wake the thread from here on */
	int64_t finish_pages; /* finish a checkpoint from here on */
	int64_t limit_pages;  /* wait for a checkpoint from here on */
	struct store_checkpoint *checkpoint; /* NULL in tools */
};

/* store.c */

/* Notes that SQLite returned code, sets the flags above, and err (may be
 * NULL) to a sentence for an admin. Returns -1. */
int store_failed(struct store *store, int code, struct err *err);

/* Runs SQL that returns no rows of interest. Returns 0 or -1. */
int store_run_sql(struct store *store, const char *sql, struct err *err);

/* Runs SQL that returns one integer. Returns 0 or -1. */
int store_get_int(
    struct store *store, const char *sql, int64_t *value_r, struct err *err);

/* Compiles the statement for the open file. Returns 0 or -1. */
int store_compile(struct store_stmt *stmt, struct err *err);

/* store_open.c */

/* Makes a store that is not open yet: config copied, path resolved. Returns
 * NULL with err. */
struct store *store_open_new(
    const struct store_config *config, struct err *err);

/* Opens the file (see store_open), compiles the statements anew and starts
 * the thread. A file that store->damaged tells of is moved aside first. check
 * asks for a check of the content, if the size allows. Returns 0, or -1 with
 * store->db NULL. */
int store_open_file(
    struct store *store, bool check, struct err *note_r, struct err *err);

/* Stops the thread and closes the file; statements stay, without handles. */
void store_open_undo(struct store *store);

/* Do the names still lead to the files that are open? Sets store->moved. */
void store_open_look(struct store *store);

/* store_schema.c */

/* Brings the schema up to date, or says in store->why why that cannot be.
 * Returns 0 or -1. */
int store_schema_migrate(struct store *store);

/* Does the open file hold all that the migrations make? Returns 0 or -1. */
int store_schema_verify(struct store *store, struct err *err);

/* Notes that the file is damaged, in store->why as well. Returns -1. */
int store_schema_damaged(struct store *store, const char *complaint);

/* store_wal.c */

/* The WAL is new: its pages are counted from zero. */
void store_wal_reset(struct store *store);

/* To be called when no transaction is open any more: sees to checkpoints. */
void store_after_commit(struct store *store);

/* store_checkpoint.c */

/* Starts the thread for the file at path (copied). Returns NULL with err. */
struct store_checkpoint *store_checkpoint_start(
    const char *path, struct err *err);

/* Ends the thread after the checkpoint under way; sets *checkpoint to NULL,
 * which it may be already. */
void store_checkpoint_stop(struct store_checkpoint **checkpoint);

/* Asks for a checkpoint and does not wait for it. */
void store_checkpoint_wake(struct store_checkpoint *checkpoint);

/* Waits for a checkpoint under way and keeps the thread from the next one.
 * checkpoint may be NULL. */
void store_checkpoint_hold(struct store_checkpoint *checkpoint);
/* Ends store_checkpoint_hold. checkpoint may be NULL. */
void store_checkpoint_release(struct store_checkpoint *checkpoint);

/* If a checkpoint has ended since the last call, how many pages of the WAL
 * are copied; else -1. */
int64_t store_checkpoint_copied(struct store_checkpoint *checkpoint);

/* Has the thread met damage? */
bool store_checkpoint_met_damage(struct store_checkpoint *checkpoint);

#endif
