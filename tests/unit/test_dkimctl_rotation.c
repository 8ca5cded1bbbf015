/* SPDX-License-Identifier: ISC */
#include "common/xmem.h"

#include "dkimd/ctl_rotation.h"

#include "tests/unit/check.h"

#define DAY INT64_C(1795219200) /* 2026-11-21 */

static void
test_days(void)
{
	static const struct {
		const char *name;
		int64_t time;
		const char *want;
	} rows[] = {
		{ "its first second", DAY, "2026-11-21" },
		{ "its last second", DAY + 86399, "2026-11-21" },
		{ "the next day", DAY + 86400, "2026-11-22" },
		{ "the beginning of time", 0, "1970-01-01" },
		{ "a leap day", INT64_C(1835395200), "2028-02-29" },
		{ "no time at all", INT64_MAX, "" },
	};
	char buf[CTL_ROTATION_DATE_SIZE];

	for (size_t i = 0; i < CHECK_COUNT(rows); i++)
		check_str(rows[i].name, ctl_rotation_date(rows[i].time, buf),
		    rows[i].want);
}

static void
test_selectors(void)
{
	char buf[32];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	ctl_rotation_selector(&s, DAY + 5, SIGFIELD_RSA_SHA256);
	check_str("RSA", buf, "20261121");
	str_init(&s, buf, sizeof(buf));
	ctl_rotation_selector(&s, DAY + 5, SIGFIELD_ED25519_SHA256);
	check_str("Ed25519", buf, "20261121e");
}

static void
test_paths(void)
{
	static const struct {
		const char *name, *path, *selector, *want;
	} rows[] = {
		{ "SELECTOR.private", "/k/s1.private", "s1", "/k/new.private" },
		{ "with a domain", "/k/b.org.s1.pem", "s1",
		    "/k/b.org.new.pem" },
		{ "the domain has it too", "/k/b.net.net.pem", "net",
		    "/k/b.net.new.pem" },
		{ "the directory has it too", "/s1/s1.key", "s1",
		    "/s1/new.key" },
		{ "only the directory has it", "/s1/key", "s1",
		    "/s1/new.private" },
		{ "part of a word", "/k/s10.private", "s1", "/k/new.private" },
		{ "end of a word", "/k/as1", "s1", "/k/new.private" },
		{ "the whole name", "/k/s1", "s1", "/k/new" },
		{ "relative", "./k/s1.pem", "s1", "./k/new.pem" },
		{ "no directory", "s1.pem", "s1", "new.pem" },
		{ "a selector with dots", "/k/a.b.pem", "a.b", "/k/new.pem" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		char buf[64];
		struct str s;

		str_init(&s, buf, sizeof(buf));
		ctl_rotation_path(&s, rows[i].path, rows[i].selector, "new");
		check_str(rows[i].name, buf, rows[i].want);
	}
}

static void
test_line(void)
{
	const struct ctl_rotation_line line = { "n", "b.org", "s2", "/k/s2",
		SIGFIELD_ED25519_SHA256, DAY };
	char buf[128];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	ctl_rotation_add_line(&s, &line);
	check_str("a line", buf, "n\tb.org:s2:/k/s2:ed25519-sha256:2026-11-21");
}

static void
test_insert(void)
{
	static const struct {
		const char *name, *text;
		unsigned after;
		const char *want;
	} rows[] = {
		{ "behind the first", "a\nb\n", 1, "a\nX\nb\n" },
		{ "behind the last", "a\nb\n", 2, "a\nb\nX\n" },
		{ "beyond the last", "a\nb\n", 9, "a\nb\nX\n" },
		{ "at the beginning", "a\n", 0, "X\na\n" },
		{ "into nothing", "", 1, "X\n" },
		{ "behind a line without end", "a\nb", 2, "a\nb\nX\n" },
		{ "before one", "a\nb", 1, "a\nX\nb" },
		{ "among empty lines", "\n\n", 1, "\nX\n\n" },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		size_t len = 0;
		char *got = ctl_rotation_insert(rows[i].text,
		    strlen(rows[i].text), rows[i].after, "X\n", &len);

		check_str(rows[i].name, got, rows[i].want);
		check_uint(rows[i].name, len, strlen(rows[i].want));
		xmem_free(&got);
	}
}

int
main(void)
{
	test_days();
	test_selectors();
	test_paths();
	test_line();
	test_insert();
	return check_done();
}
