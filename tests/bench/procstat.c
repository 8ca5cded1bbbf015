/* SPDX-License-Identifier: ISC */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/procstat.h"

static int
slurp(pid_t pid, const char *name, char *buf, size_t cap)
{
	char path[64];
	size_t len;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	file = fopen(path, "re");
	if (file == NULL)
		return -1;
	len = fread(buf, 1, cap - 1, file);
	buf[len] = '\0';
	fclose(file);
	return len > 0 ? 0 : -1;
}

/* The command's name is in parentheses and may hold blanks: the fields are
 * counted from the last one.  utime and stime are fields 14 and 15. */
static int
read_cpu(const char *text, struct procstat *stat)
{
	const char *at = strrchr(text, ')');
	int64_t tick_us = 1000000 / sysconf(_SC_CLK_TCK);
	char *end;

	for (int field = 2; at != NULL && field < 14; field++)
		at = strchr(at + 1, ' ');
	if (at == NULL)
		return -1;
	stat->user_us = strtoll(at, &end, 10) * tick_us;
	stat->system_us = strtoll(end, NULL, 10) * tick_us;
	return 0;
}

static int64_t
read_kib(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoll(at + strlen(name), NULL, 10);
}

int
procstat_read(pid_t pid, struct procstat *stat)
{
	char text[4096];

	memset(stat, 0, sizeof(*stat));
	if (slurp(pid, "stat", text, sizeof(text)) != 0 ||
	    read_cpu(text, stat) != 0)
		return -1;
	if (slurp(pid, "status", text, sizeof(text)) != 0)
		return -1;
	stat->rss_kib = read_kib(text, "\nVmRSS:");
	stat->peak_kib = read_kib(text, "\nVmHWM:");
	return 0;
}
