/* SPDX-License-Identifier: ISC */
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "common/store_int.h"
#include "common/xmem.h"

/* SQLite needs some tens of KiB; the default of 8 MiB only looks bad. */
#define STACK_BYTES (512 * 1024)

struct store_checkpoint {
	pthread_t thread;
	char *path;
	sqlite3 *db; /* the thread's own */

	pthread_mutex_t pass; /* held during a checkpoint */

	pthread_mutex_t mutex; /* for what follows */
	pthread_cond_t wake;
	bool wanted;
	bool stopping;
	bool damaged;
	bool settled;   /* a checkpoint ended since asked */
	int64_t copied; /* pages of the WAL it had copied */
};

/* A connection that has read nothing yet does not know of the WAL, and its
 * checkpoints would do nothing. */
static sqlite3 *
connect(const char *path)
{
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
			  SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_EXRESCODE;
	sqlite3 *db = NULL;

	if (sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK &&
	    sqlite3_wal_autocheckpoint(db, 0) == SQLITE_OK &&
	    sqlite3_exec(db,
		"PRAGMA synchronous = NORMAL;"
		"PRAGMA mmap_size = 0; PRAGMA cache_size = 8;"
		"PRAGMA user_version",
		NULL, NULL, NULL) == SQLITE_OK)
		return db;
	sqlite3_close(db);
	return NULL;
}

/* Copies what it can without making anybody wait; twice, so that what came
 * during the first, long copy is little more than what comes during the
 * second. Failures need no word: the writer meets the same trouble, and
 * tells. */
static void
checkpoint(struct store_checkpoint *cp)
{
	int code = SQLITE_OK;
	int copied = 0;

	pthread_mutex_lock(&cp->pass);
	if (cp->db == NULL)
		cp->db = connect(cp->path);
	for (int i = 0; i < 2 && cp->db != NULL && code == SQLITE_OK; i++)
		code = sqlite3_wal_checkpoint_v2(
		    cp->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, &copied);
	pthread_mutex_unlock(&cp->pass);
	pthread_mutex_lock(&cp->mutex);
	if ((code & 0xff) == SQLITE_CORRUPT || (code & 0xff) == SQLITE_NOTADB)
		cp->damaged = true;
	cp->settled = true;
	cp->copied = copied;
	pthread_mutex_unlock(&cp->mutex);
}

static void *
run(void *arg)
{
	struct store_checkpoint *cp = arg;

	pthread_mutex_lock(&cp->mutex);
	while (!cp->stopping) {
		if (!cp->wanted) {
			pthread_cond_wait(&cp->wake, &cp->mutex);
			continue;
		}
		cp->wanted = false;
		pthread_mutex_unlock(&cp->mutex);
		checkpoint(cp);
		pthread_mutex_lock(&cp->mutex);
	}
	pthread_mutex_unlock(&cp->mutex);
	sqlite3_close(cp->db);
	return NULL;
}

static void
destroy(struct store_checkpoint **cp_p)
{
	struct store_checkpoint *cp = *cp_p;

	pthread_cond_destroy(&cp->wake);
	pthread_mutex_destroy(&cp->mutex);
	pthread_mutex_destroy(&cp->pass);
	xmem_free(&cp->path);
	xmem_free(cp_p);
}

struct store_checkpoint *
store_checkpoint_start(const char *path, struct err *err)
{
	struct store_checkpoint *cp = xmem_calloc(1, sizeof(*cp));
	pthread_attr_t attr;
	sigset_t all, old;
	int errnum;

	cp->path = xmem_strdup(path);
	pthread_mutex_init(&cp->pass, NULL);
	pthread_mutex_init(&cp->mutex, NULL);
	pthread_cond_init(&cp->wake, NULL);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	/* Signals are the main thread's business. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &old);
	errnum = pthread_create(&cp->thread, &attr, run, cp);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pthread_attr_destroy(&attr);
	if (errnum != 0) {
		err_set_errno(err, errnum, "cannot start a thread");
		destroy(&cp);
	}
	return cp;
}

void
store_checkpoint_stop(struct store_checkpoint **cp_p)
{
	struct store_checkpoint *cp = *cp_p;

	if (cp == NULL)
		return;
	pthread_mutex_lock(&cp->mutex);
	cp->stopping = true;
	pthread_cond_signal(&cp->wake);
	pthread_mutex_unlock(&cp->mutex);
	pthread_join(cp->thread, NULL);
	destroy(cp_p);
}

void
store_checkpoint_wake(struct store_checkpoint *cp)
{
	pthread_mutex_lock(&cp->mutex);
	cp->wanted = true;
	pthread_cond_signal(&cp->wake);
	pthread_mutex_unlock(&cp->mutex);
}

void
store_checkpoint_hold(struct store_checkpoint *cp)
{
	if (cp != NULL)
		pthread_mutex_lock(&cp->pass);
}

void
store_checkpoint_release(struct store_checkpoint *cp)
{
	if (cp != NULL)
		pthread_mutex_unlock(&cp->pass);
}

bool
store_checkpoint_met_damage(struct store_checkpoint *cp)
{
	bool damaged;

	if (cp == NULL)
		return false;
	pthread_mutex_lock(&cp->mutex);
	damaged = cp->damaged;
	pthread_mutex_unlock(&cp->mutex);
	return damaged;
}

int64_t
store_checkpoint_copied(struct store_checkpoint *cp)
{
	int64_t copied = -1;

	pthread_mutex_lock(&cp->mutex);
	if (cp->settled && !cp->wanted)
		copied = cp->copied;
	cp->settled = false;
	pthread_mutex_unlock(&cp->mutex);
	return copied;
}
