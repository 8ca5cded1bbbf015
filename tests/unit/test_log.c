/* SPDX-License-Identifier: ISC */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "common/log.h"
#include "tests/unit/check.h"

/* Standard error during the test: a file in memory. */
static int captured_fd;

static void
capture(void)
{
	captured_fd = memfd_create("stderr", MFD_CLOEXEC);
	if (captured_fd < 0 || dup2(captured_fd, STDERR_FILENO) < 0)
		exit(1);
}

/* What was written since the last call. */
static const char *
captured(void)
{
	static char text[3 * LOG_LINE_MAX];
	ssize_t n = pread(captured_fd, text, sizeof(text) - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	if (ftruncate(captured_fd, 0) < 0 ||
	    lseek(captured_fd, 0, SEEK_SET) < 0)
		exit(1);
	return text;
}

static void
test_hold(void)
{
	log_hold();
	log_info("one");
	log_info("two");
	check_str("held lines wait", captured(), "");
	log_error("three");
	check_str("an error takes them along", captured(), "one\ntwo\nthree\n");
	log_info("four");
	log_release();
	check_str("the end of it brings the rest", captured(), "four\n");
	log_info("five");
	check_str("then lines go out at once", captured(), "five\n");
	log_hold();
	for (int i = 0; i < 1000; i++)
		log_info("0123456789");
	check_true("not too much is held", strlen(captured()) > 4000);
	log_release();
	(void)captured();
}

static void
test_lines(void)
{
	static const struct {
		const char *name;
		const char *input;
		const char *want;
	} rows[] = {
		{ "plain", "action=pass, a=b", "action=pass, a=b\n" },
		{ "empty", "", "\n" },
		{ "a line end cannot split", "a\nb\r", "a%0Ab%0D\n" },
		{ "an escape cannot reach the terminal", "\033[2J",
		    "%1B[2J\n" },
		{ "8 bit", "caf\xc3\xa9", "caf%C3%A9\n" },
		{ "what is escaped stays", "50%25 %s", "50%25 %s\n" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		log_line(LOG_LEVEL_NOTICE, rows[i].input);
		check_str(rows[i].name, captured(), rows[i].want);
	}
	log_warn("n=%d s=%s", 5, "x\ny");
	check_str("formatted", captured(), "n=5 s=x%0Ay\n");
}

static void
test_long(void)
{
	char text[2 * LOG_LINE_MAX];
	const char *got;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	log_line(LOG_LEVEL_ERROR, text);
	got = captured();
	check_true("a long line is cut", strlen(got) <= LOG_LINE_MAX);
	check_str("and ends", got + strlen(got) - 2, "x\n");
	memset(text, '\x80', sizeof(text) - 1);
	log_error("%s", text);
	got = captured();
	check_true("no cut within an escape",
	    strlen(got) % 3 == 1 && strlen(got) <= LOG_LINE_MAX);
}

static void
test_levels(void)
{
	static const struct {
		const char *name;
		enum log_level level;
		const char *want;
	} rows[] = {
		{ "errors", LOG_LEVEL_ERROR, "e\n" },
		{ "warnings", LOG_LEVEL_WARN, "e\nw\n" },
		{ "decisions", LOG_LEVEL_NOTICE, "e\nw\nn\n" },
		{ "information", LOG_LEVEL_INFO, "e\nw\nn\ni\n" },
		{ "everything", LOG_LEVEL_DEBUG, "e\nw\nn\ni\nd\n" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		log_set_level(rows[i].level);
		log_error("e");
		log_warn("w");
		log_write(LOG_LEVEL_NOTICE, "n");
		log_info("i");
		log_debug("d");
		check_str(rows[i].name, captured(), rows[i].want);
		check_bool(rows[i].name, log_enabled(LOG_LEVEL_INFO),
		    rows[i].level >= LOG_LEVEL_INFO);
	}
}

static void
test_journal(void)
{
	struct stat st;
	char stream[64];

	if (fstat(STDERR_FILENO, &st) < 0)
		exit(1);
	(void)snprintf(stream, sizeof(stream), "%llu:%llu",
	    (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	(void)setenv("JOURNAL_STREAM", stream, 1);
	log_open("test", LOG_SINK_STDERR, LOG_MAIL);
	log_set_level(LOG_LEVEL_DEBUG);
	log_error("e");
	log_warn("w");
	log_write(LOG_LEVEL_NOTICE, "n");
	log_info("i");
	log_debug("d");
	check_str("priorities for the journal", captured(),
	    "<3>e\n<4>w\n<5>n\n<6>i\n<7>d\n");
	(void)setenv("JOURNAL_STREAM", "1:1", 1);
	log_open("test", LOG_SINK_STDERR, LOG_MAIL);
	log_info("i");
	check_str("another process' journal", captured(), "i\n");
	(void)unsetenv("JOURNAL_STREAM");
}

static void
test_facility(void)
{
	static const struct {
		const char *name;
		int want;
	} rows[] = {
		{ "mail", LOG_MAIL },
		{ "MAIL", LOG_MAIL },
		{ "LOG_MAIL", LOG_MAIL },
		{ "log_daemon", LOG_DAEMON },
		{ "local0", LOG_LOCAL0 },
		{ "local7", LOG_LOCAL7 },
		{ "local8", -1 },
		{ "", -1 },
		{ "LOG_", -1 },
		{ "mailx", -1 },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_int(
		    rows[i].name, log_facility(rows[i].name), rows[i].want);
}

static void
test_rate(void)
{
	struct log_rate rate = { 0 };

	log_warn_rated(&rate, 3600, "no. %d", 1);
	check_str("the first at once", captured(), "no. 1\n");
	log_warn_rated(&rate, 3600, "no. %d", 2);
	log_warn_rated(&rate, 3600, "no. %d", 3);
	check_str("further ones not", captured(), "");
	rate.next_ms = 1;
	log_warn_rated(&rate, 3600, "no. %d", 4);
	check_str("after the interval, with their number", captured(),
	    "no. 4 (2 more like this were held back)\n");
	rate.next_ms = 1;
	log_warn_rated(&rate, 3600, "no. %d", 5);
	check_str("none were held back", captured(), "no. 5\n");
}

int
main(void)
{
	capture();
	log_info("early");
	check_str("before log_open", captured(), "early\n");
	log_open("test", LOG_SINK_STDERR, LOG_MAIL);
	test_lines();
	test_hold();
	test_long();
	test_journal();
	log_set_level(LOG_LEVEL_INFO);
	test_rate();
	test_levels();
	test_facility();
	errno = ENOENT;
	log_error("x");
	check_int("errno stays", errno, ENOENT);
	(void)close(STDERR_FILENO);
	log_error("nowhere");
	check_true("a closed standard error is survived", true);
	return check_done();
}
