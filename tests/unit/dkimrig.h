/* SPDX-License-Identifier: ISC */
/*
 * dkimrig.h - files for the tests of dkimd's tables: a scratch directory,
 * keys that sign for nobody, and settings made of a text
 *
 * Threads: one.
 */
#ifndef POSTERN_TESTS_UNIT_DKIMRIG_H
#define POSTERN_TESTS_UNIT_DKIMRIG_H

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/config.h"

/* PKCS#1. */
static const char dkimrig_rsa[] =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXAIBAAKBgQD0Mocwc84RXpHqOVjPx6lkZGWGDd5zPIPwyuI/yzD/aLwf/L0q\n"
    "48nn1Tm8+NS9M+3YrYO3Qa3blfrWtlqx/btkmOkVJVMJ0XqGvfs5XXOe/XOhj8HX\n"
    "UD5QWHxdMyj5EADWK8Xb1bYhvIbVB/+JJ7mgFtM70T2hBB2m6phh/XgTlQIDAQAB\n"
    "AoGBANJ2FeOhezGnIvUOdcemGg0HJiSyIU2KE2DdSr+WfOUzvCeJaPPlHKetMrT2\n"
    "dEuYzN3ZNdMkTRYanfSdd2898lkjIVEcaQUXa/spf7Xvx9Gdi8mjEHe/bz5S3CvY\n"
    "potUFioWBxTBXdoY4uxaWa+O8BkAVN1zPr9lUZKrsqWtJhAlAkEA+jgkuwEU7uNX\n"
    "Ag0YHCZZ9hhdLjIQ5tCwWb4ntS0OXt91Lt1Pzi275eKEdxLzA2aJGhccFnrph7UZ\n"
    "ucUn6GjxYwJBAPnWxPqHikYC96KbzXRYm5XtrKOdjLcy2clU6j9ADS4dzVP6dbN7\n"
    "ffzohVEWBYMetbiqDx0NcWlEu4YJQCpjtKcCQD/NZxhEC1lqoLoGKrqq0M+eoMvx\n"
    "ujuQxRbtFOTuyzZH1nKPvhS9tqbEnrBaJZsdXyJG+EOHLdsLw7aJ3kY11C8CQASA\n"
    "j0ooeSBr20SN5DTth9g60TqdkzSV8QDEy/fZ0qL7HIEf6VETr6CIHCbq66yCOCoc\n"
    "vmr6nAmWmH6A2iwpYc8CQEPLE8gAy9fH/+1M24I+yCTvtJe73a/BsixnDp70vjeI\n"
    "dVMEt72Lmt79kRbqg4/TmHxxF7h2jPNzGOZ71isfrCU=\n"
    "-----END RSA PRIVATE KEY-----\n";
/* PKCS#8. */
static const char dkimrig_rsa2[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAJsv/eU7FlnaZxaY\n"
    "OyQ0Xj9RRhrB75lGU9nZYKrctz7jS1Xi3Rux5EDNhWJe0DJ49fY5wMBHNlbGDjri\n"
    "MshINtnTjfAhUo15SeK5LzdFkwlhlY2Wji4C6YjLQAHhTuT/T3uoSoHdcY08mZMp\n"
    "AT3p1eNBnfLyxkQzZk8/hogYlOtLAgMBAAECgYArg/yU78mnrndjvZIv58NZy+d1\n"
    "j1YpS7AtkSfrIXL83m18it3nay2PAlJZsC5/SK3nunATOqTBFk5dMpp80MsYP8L0\n"
    "wTY9+uzwi0PXTl2pEpKPflfAnO+HClvxVGgXN2oouOaC1x5Uh9QX9NorXbqj8G9n\n"
    "vvKR+7eUcPf3WqDkcQJBAM4YnPAaw8vr705S2xfs+cA/Z3DHINSHwaFPBK8WwxOM\n"
    "R+9Tood41cV+1RuMeDFgTpNNfrlZNhsYo9Grc2td9GMCQQDAw601YheIPlJ528ft\n"
    "cZQ0AGDWgoOmbsLxybWha5U68CA4E5YxMVlOnSX9C1f2wZcIu2jWlcLE2iRkwOak\n"
    "YR35AkEAm8ibCBsTGRdUIj4bAjDMb/b9N5AtTrj3MflKrxZjimklDtCHMCO0Yr6G\n"
    "U3aQe7IycsHHIk8+yKiNW7VfXy77xQJBAJhYTcT58GUx9Bbw1xJWiG2MuvvtjER2\n"
    "F0XmR9D6aKd67cvD1xiryswxsLtLQsr29vnku5eUJqlTSh4CwoW5Z2kCQQCOl8iG\n"
    "OW3cGkE8yC2+UHk9/1J7qX/dU3ymqSeS/pBAciwD/ZSXZnyu2RKNr6GBHWo43XCD\n"
    "DeQyJzdGWuIyh9CL\n"
    "-----END PRIVATE KEY-----\n";
static const char dkimrig_ed25519[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIBUT+9CqRvbpdMfQTcXLEeAzCpN7l4H73eK350gQn6oU\n"
    "-----END PRIVATE KEY-----\n";
static const char dkimrig_ed25519_2[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MC4CAQAwBQYDK2VwBCIEIJw7D8D7CcIW13irBy963XNqhMPIP4B+IfQZb3nJuhXA\n"
    "-----END PRIVATE KEY-----\n";

/* The scratch directory's absolute path; "" before dkimrig_begin. */
static char dkimrig_dir[256];

static inline int
dkimrig_remove(
    const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

static inline void
dkimrig_end(void)
{
	(void)nftw(dkimrig_dir, dkimrig_remove, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes the directory, which goes at the end of the program. */
static inline void
dkimrig_begin(void)
{
	const char *base = getenv("TMPDIR");
	char *real = realpath(base != NULL ? base : P_tmpdir, NULL);

	if (real == NULL ||
	    snprintf(dkimrig_dir, sizeof(dkimrig_dir), "%s/dkim.XXXXXX",
		real) >= (int)sizeof(dkimrig_dir) ||
	    mkdtemp(dkimrig_dir) == NULL)
		abort();
	free(real);
	(void)atexit(dkimrig_end);
}

/* The path of a file of ours; in one of four buffers that take turns. */
static inline const char *
dkimrig_path(const char *name)
{
	static char buf[4][512];
	static unsigned turn;
	char *to = buf[turn++ % 4];

	(void)snprintf(to, sizeof(buf[0]), "%s/%s", dkimrig_dir, name);
	return to;
}

static inline void
dkimrig_mkdir(const char *name, mode_t mode)
{
	const char *path = dkimrig_path(name);

	if (mkdir(path, mode) != 0 || chmod(path, mode) != 0)
		abort();
}

/* Writes text, "$" as our directory, into the file of this name and mode. */
static inline const char *
dkimrig_write(const char *name, mode_t mode, const char *text)
{
	const char *path = dkimrig_path(name);
	FILE *f = fopen(path, "we");

	if (f == NULL)
		abort();
	for (; *text != '\0'; text++)
		if (*text == '$')
			(void)fputs(dkimrig_dir, f);
		else
			(void)fputc(*text, f);
	if (fclose(f) != 0 || chmod(path, mode) != 0)
		abort();
	return path;
}

/* The same text in memory, for the caller to free. */
static inline char *
dkimrig_text(const char *text)
{
	char *out = NULL;
	size_t len;
	FILE *f = open_memstream(&out, &len);

	for (; *text != '\0'; text++)
		if (*text == '$')
			(void)fputs(dkimrig_dir, f);
		else
			(void)fputc(*text, f);
	(void)fclose(f);
	return out;
}

#endif
