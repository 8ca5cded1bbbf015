/* SPDX-License-Identifier: ISC */
/*
 * procstat.h - what a process has used so far, from /proc
 */
#ifndef POSTERN_TESTS_BENCH_PROCSTAT_H
#define POSTERN_TESTS_BENCH_PROCSTAT_H

#include <stdint.h>
#include <sys/types.h>

struct procstat {
	int64_t user_us; /* CPU of all its threads */
	int64_t system_us;
	int64_t rss_kib;  /* resident now */
	int64_t peak_kib; /* resident at most */
};

/* Fill *stat for pid.  Returns 0, or -1 when there is no such process; then
 * *stat is all zeros.  Source: proc(5). */
int procstat_read(pid_t pid, struct procstat *stat);

#endif
