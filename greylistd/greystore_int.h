/* SPDX-License-Identifier: ISC */
/*
 * greystore_int.h - what greystore.c (the file, its turns and counts),
 * greystore_rows.c (what is in it) and greystore_expire.c share; for these
 * files only
 */
#ifndef POSTERN_GREYLISTD_GREYSTORE_INT_H
#define POSTERN_GREYLISTD_GREYSTORE_INT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/err.h"
#include "common/store.h"

#include "greylistd/greystore.h"
#include "greylistd/key.h"

/* The prepared statements, see the table in greystore.c. */
enum greystore_sql {
	SQL_FIND,
	SQL_INSERT,
	SQL_UPDATE,
	SQL_REMOVE,
	SQL_FIND_CLIENT,
	SQL_PUT_CLIENT,
	SQL_COUNT,
	SQL_META_ADD,
	SQL_META_READ,
	SQL_WALK,
	SQL_WALK_CLIENT,
	SQL_REMOVE_CLIENT,
	SQL_EXPIRE_RULES,
	SQL_RULES,
	SQL_STMT_COUNT
};

/* Where a pass of expiry stands. */
enum greystore_phase {
	GREYSTORE_TRIPLETS,
	GREYSTORE_CLIENTS,
	GREYSTORE_RULES,
};

struct greystore {
	struct store *store;
	struct store_stmt *stmt[SQL_STMT_COUNT];
	bool is_open;          /* a snapshot or transaction */
	int64_t opened_ms;     /* monotonic; the snapshot */
	int64_t triplets;      /* rows, with those of this turn */
	int64_t turn_delta;    /* rows that this turn added */
	int64_t unsaved_delta; /* not yet in the file's count */
	/* Counts not yet in the file, of count_day. */
	int64_t count_day;
	int64_t counts[GREYSTORE_COUNTER_COUNT];
	enum greystore_phase phase;
	char cursor[KEY_SIZE]; /* the walk's last key */
	char evict_cursor[KEY_SIZE];
	/* Triplets that have not passed, about: counted by each pass of
	 * expiry and kept up to date in between; -1 = not known yet. */
	int64_t pending;
	int64_t walked_pending; /* by the pass under way */
	int64_t clients;        /* the same of clients, all of them */
	int64_t walked_clients;
};

/* After a failure no transaction may be left, and no counting of what it
 * would have added. Returns -1. */
int greystore_fail_turn(struct greystore *gs);

/* Opens the turn's snapshot if none is open. Returns 0 or -1. */
int greystore_begin_read(struct greystore *gs, struct err *err);

/* Opens the turn's transaction if none is open. Returns 0 or -1. */
int greystore_begin_write(struct greystore *gs, struct err *err);

/* Runs a statement of the turn; a failure ends the turn. Returns 0 or -1. */
int greystore_exec(
    struct greystore *gs, struct store_stmt *stmt, struct err *err);

/* Binds a key to parameter 1; it must stay valid until the reset. */
void greystore_bind_key(struct store_stmt *stmt, const char *key);

/* Accounts for triplets that the last statement deleted; returns how many. */
int64_t greystore_removed(struct greystore *gs);

/* Counts n at once, see greystore_count. */
void greystore_tally(struct greystore *gs, enum greystore_counter counter,
    int64_t n, int64_t now_s);

/* Copies a key from the file, whose length nobody vouches for. */
void greystore_copy_key(char to[static KEY_SIZE], const char *key);

#endif
