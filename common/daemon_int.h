/* SPDX-License-Identifier: ISC */
/*
 * daemon_int.h - what daemon.c hands to daemon_process.c, for these two alone
 *
 * Threads: main thread only.
 */
#ifndef POSTERN_COMMON_DAEMON_INT_H
#define POSTERN_COMMON_DAEMON_INT_H

#include <signal.h>
#include <stdbool.h>

#include "common/err.h"

/* Opens /dev/null for each of the descriptors 0..2 that is closed, so that
 * no socket gets the number of standard error. */
void daemon_process_keep_stdio(void);

/* Does standard error lead to the client that we serve on standard input, as
 * under spawn(8)? Whatever we said there would be taken for a reply. */
bool daemon_process_is_spawned(void);

/* Forks. In the child: a session of its own, "/" as directory, returns 0 and
 * *starter_fd_r, to be handed to daemon_process_ready. In the starter: waits
 * until the child is ready or ended (with mask as signal mask), returns 1
 * and *status_r, what to exit with. Returns -1 with err. */
int daemon_process_fork(
    const sigset_t *mask, int *starter_fd_r, int *status_r, struct err *err);

/* Lets the starter go and leaves its terminal: 0..2 become /dev/null. Sets
 * *starter_fd to -1; does nothing when it is -1 already. */
void daemon_process_ready(int *starter_fd);

/* A pid file; fd -1 = none. */
struct daemon_pid_file {
	int fd;
	const char *path; /* borrowed */
};

/* Writes our process id to path (must stay valid). Follows no link in the
 * place of the file. Returns 0 or -1. */
int daemon_process_pid_write(
    struct daemon_pid_file *file, const char *path, struct err *err);

/* Removes the file; empties it where the directory does not let us. */
void daemon_process_pid_remove(struct daemon_pid_file *file);

#endif
