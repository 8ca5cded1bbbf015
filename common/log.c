/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/log.h"
#include "common/now.h"
#include "common/str.h"

static enum log_sink open_sink = LOG_SINK_STDERR;
static bool is_journal;
static atomic_int max_level = LOG_LEVEL_INFO;

static int
priority(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return LOG_ERR;
	case LOG_LEVEL_WARN:
		return LOG_WARNING;
	case LOG_LEVEL_NOTICE:
		return LOG_NOTICE;
	case LOG_LEVEL_INFO:
		return LOG_INFO;
	case LOG_LEVEL_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_ERR;
}

/* systemd.exec(5): JOURNAL_STREAM is "DEVICE:INODE" of the journal's stream;
 * it is inherited, so only a match says that standard error leads there. */
static bool
stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	struct stat st;
	char own[64];

	if (stream == NULL || fstat(STDERR_FILENO, &st) < 0)
		return false;
	(void)snprintf(own, sizeof(own), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	return strcmp(own, stream) == 0;
}

void
log_open(const char *ident, enum log_sink sink, int facility)
{
	if (open_sink == LOG_SINK_SYSLOG)
		closelog();
	open_sink = sink;
	is_journal = sink == LOG_SINK_STDERR && stderr_is_journal();
	if (sink == LOG_SINK_SYSLOG)
		openlog(ident, LOG_PID | LOG_NDELAY, facility);
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

bool
log_enabled(enum log_level level)
{
	return (int)level <=
	       atomic_load_explicit(&max_level, memory_order_relaxed);
}

int
log_facility(const char *name)
{
	static const struct {
		const char *name;
		int number;
	} facilities[] = {
		{ "auth", LOG_AUTH },
		{ "authpriv", LOG_AUTHPRIV },
		{ "cron", LOG_CRON },
		{ "daemon", LOG_DAEMON },
		{ "ftp", LOG_FTP },
		{ "kern", LOG_KERN },
		{ "lpr", LOG_LPR },
		{ "mail", LOG_MAIL },
		{ "news", LOG_NEWS },
		{ "syslog", LOG_SYSLOG },
		{ "user", LOG_USER },
		{ "uucp", LOG_UUCP },
		{ "local0", LOG_LOCAL0 },
		{ "local1", LOG_LOCAL1 },
		{ "local2", LOG_LOCAL2 },
		{ "local3", LOG_LOCAL3 },
		{ "local4", LOG_LOCAL4 },
		{ "local5", LOG_LOCAL5 },
		{ "local6", LOG_LOCAL6 },
		{ "local7", LOG_LOCAL7 },
	};

	if (str_has_prefix_nocase(name, "LOG_"))
		name += strlen("LOG_");
	for (size_t i = 0; i < sizeof(facilities) / sizeof(*facilities); i++)
		if (str_equal_nocase(name, facilities[i].name))
			return facilities[i].number;
	return -1;
}

/* What cannot be written is lost: there is nobody to tell. */
static void
write_all(const char *text, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = write(STDERR_FILENO, text + done, len - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += (size_t)n;
	}
}

/* Lines that are held back, see log_hold. */
static char held[PIPE_BUF];
static size_t held_len;
static bool is_holding;

static void
write_held(void)
{
	write_all(held, held_len);
	held_len = 0;
}

/* One write(2) per line, so that lines of several processes on one pipe do
 * not mix. */
static void
write_stderr(enum log_level level, const char *text)
{
	char buf[LOG_LINE_MAX];
	struct str line;

	str_init(&line, buf, sizeof(buf) - 1);
	if (is_journal)
		str_addf(&line, "<%d>", priority(level));
	str_add_escaped(&line, text, strlen(text), "");
	buf[line.len++] = '\n';
	/* Where nobody holds, many threads may be here. */
	if (!is_holding) {
		write_all(buf, line.len);
		return;
	}
	if (held_len + line.len > sizeof(held) || level == LOG_LEVEL_ERROR)
		write_held();
	/* Errors go out at once: they may be the last word. */
	if (level != LOG_LEVEL_ERROR && line.len <= sizeof(held)) {
		memcpy(held + held_len, buf, line.len);
		held_len += line.len;
	} else {
		write_all(buf, line.len);
	}
}

void
log_hold(void)
{
	is_holding = true;
}

void
log_release(void)
{
	int saved = errno;

	is_holding = false;
	write_held();
	errno = saved;
}

static void
write_syslog(enum log_level level, const char *text)
{
	char buf[LOG_LINE_MAX];
	struct str line;

	str_init(&line, buf, sizeof(buf));
	str_add_escaped(&line, text, strlen(text), "");
	syslog(priority(level), "%s", line.text);
}

void
log_line(enum log_level level, const char *text)
{
	int saved = errno;

	if (!log_enabled(level))
		return;
	if (open_sink == LOG_SINK_SYSLOG)
		write_syslog(level, text);
	else
		write_stderr(level, text);
	errno = saved;
}

static void vwrite(enum log_level level, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

static void
vwrite(enum log_level level, const char *format, va_list args)
{
	char text[LOG_LINE_MAX];
	int saved = errno;

	if (!log_enabled(level))
		return;
	(void)vsnprintf(text, sizeof(text), format, args);
	errno = saved;
	log_line(level, text);
}

void
log_write(enum log_level level, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwrite(level, format, args);
	va_end(args);
}

void
log_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwrite(LOG_LEVEL_ERROR, format, args);
	va_end(args);
}

void
log_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwrite(LOG_LEVEL_WARN, format, args);
	va_end(args);
}

void
log_info(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwrite(LOG_LEVEL_INFO, format, args);
	va_end(args);
}

void
log_debug(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vwrite(LOG_LEVEL_DEBUG, format, args);
	va_end(args);
}

void
log_warn_rated(
    struct log_rate *rate, int64_t interval_s, const char *format, ...)
{
	int64_t mono_ms = now_mono_ms();
	char text[LOG_LINE_MAX];
	va_list args;

	/* next_ms 0 is a struct that was never used: the clock may well be
	 * below one interval after a boot. */
	if (rate->next_ms != 0 && mono_ms < rate->next_ms) {
		rate->dropped++;
		return;
	}
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (rate->dropped > 0)
		log_warn("%s (%lu more like this were held back)", text,
		    rate->dropped);
	else
		log_line(LOG_LEVEL_WARN, text);
	rate->next_ms = mono_ms + interval_s * 1000;
	rate->dropped = 0;
}
