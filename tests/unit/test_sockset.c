/* SPDX-License-Identifier: ISC */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/sockset.h"
#include "tests/unit/check.h"

/* A folder of the test's own for Unix sockets. */
static char folder[64];

/* Options of one or two specifications; NULL for no second one. */
static struct sockset_options
options_of(const char *first, const char *second)
{
	static char texts[2][128];
	static char *items[2] = { texts[0], texts[1] };

	(void)snprintf(texts[0], sizeof(texts[0]), "%s", first);
	if (second != NULL)
		(void)snprintf(texts[1], sizeof(texts[1]), "%s", second);
	return (struct sockset_options){
		.listen = { items, second != NULL ? 2 : 1 },
		.mode = 0600,
	};
}

static struct sockset *
open_set(const struct sockset_options *options, struct err *err)
{
	return sockset_open(options, (uid_t)-1, (gid_t)-1, err);
}

static bool
listens(int fd)
{
	int on = 0;
	socklen_t len = sizeof(on);

	return fd >= 0 &&
	       getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &on, &len) == 0 &&
	       on != 0;
}

static void
test_check(void)
{
	static const struct {
		const char *name, *first, *second;
		const char *want; /* NULL = fine */
	} rows[] = {
		{ "one", "inet:0@127.0.0.1", NULL, NULL },
		{ "two", "inet:0@127.0.0.1", "unix:/run/a", NULL },
		{ "stdio", "stdio", NULL, NULL },
		{ "stdio is alone", "stdio", "unix:/run/a",
		    "Listen: stdio must be the only socket" },
		{ "no socket", "10029", NULL, "Listen: " },
	};

	for (size_t i = 0; i < CHECK_COUNT(rows); i++) {
		struct sockset_options options =
		    options_of(rows[i].first, rows[i].second);
		struct err err = { "" };

		check_int(rows[i].name, sockset_check(&options, &err),
		    rows[i].want == NULL ? 0 : -1);
		check_contains(rows[i].name, err.text,
		    rows[i].want == NULL ? "" : rows[i].want);
	}
}

static void
test_take(void)
{
	char path[100];
	struct sockset_options options;
	struct sockset *set;
	struct err err = { "" };
	int first, second;

	(void)snprintf(path, sizeof(path), "unix:%s/a", folder);
	options = options_of("inet:0@127.0.0.1", path);
	set = open_set(&options, &err);
	check_str("opens", err.text, "");
	check_int("both", sockset_count(set), 2);
	check_false("no stdio", sockset_is_stdio(set));
	first = sockset_take(set);
	check_true("the first", listens(first));
	check_int("one is left", sockset_count(set), 1);
	second = sockset_take(set);
	check_true("the second", listens(second) && second != first);
	check_int("no third", sockset_take(set), -1);
	check_int("the file is there", access(path + 5, F_OK), 0);
	sockset_free(&set);
	check_true("set to NULL", set == NULL);
	check_int("the file is gone", access(path + 5, F_OK), -1);
	check_true("what was taken stays open", listens(first));
	(void)close(first);
	(void)close(second);
	sockset_free(&set);
}

/* What nobody takes is closed; a file that is not ours any more stays. */
static void
test_left(void)
{
	char path[100], other[100];
	struct sockset_options options;
	struct sockset *set, *next;
	struct err err = { "" };
	int before = dup(0), after;

	(void)close(before);
	(void)snprintf(path, sizeof(path), "unix:%s/b", folder);
	(void)snprintf(other, sizeof(other), "%s/old", folder);
	options = options_of(path, NULL);
	set = open_set(&options, &err);
	check_int("moved away", rename(path + 5, other), 0);
	next = open_set(&options, &err);
	check_str("a successor's", err.text, "");
	sockset_free(&set);
	check_int("stays", access(path + 5, F_OK), 0);
	sockset_free(&next);
	check_int("until it ends", access(path + 5, F_OK), -1);
	after = dup(0);
	check_int("all are closed", after, before);
	(void)close(after);
	(void)unlink(other);
}

static void
test_faults(void)
{
	char path[100];
	struct sockset_options options;
	struct sockset *set;
	struct err err = { "" };

	(void)snprintf(path, sizeof(path), "unix:%s/c", folder);
	options = options_of(path, "unix:/nonexistent/socket");
	set = open_set(&options, &err);
	check_true("no folder", set == NULL);
	check_contains("says so", err.text,
	    "Listen: cannot listen on /nonexistent/socket: ");
	check_int("the first is gone again", access(path + 5, F_OK), -1);
	options = options_of("10029", NULL);
	check_true("no socket", open_set(&options, &err) == NULL);
	check_contains("says what", err.text, "Listen: ");
	options = options_of("stdio", NULL);
	set = open_set(&options, &err);
	check_true("stdio", set != NULL && sockset_is_stdio(set));
	check_int("has none to take", sockset_take(set), -1);
	sockset_free(&set);
}

/* systemd's sockets stand for all of ours. */
static void
test_systemd(void)
{
	struct sockset_options options;
	char path[100], pid[32];
	struct sockset *set;
	struct err err = { "" };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	(void)snprintf(path, sizeof(path), "unix:%s/d", folder);
	options = options_of(path, NULL);
	(void)dup2(fd, 3);
	(void)listen(3, 1);
	(void)snprintf(pid, sizeof(pid), "%ld", (long)getpid());
	(void)setenv("LISTEN_PID", pid, 1);
	(void)setenv("LISTEN_FDS", "1", 1);
	set = open_set(&options, &err);
	check_str("opens", err.text, "");
	check_int("the passed one", set != NULL ? sockset_take(set) : -1, 3);
	check_int("none of ours", access(path + 5, F_OK), -1);
	sockset_free(&set);
	(void)close(3);
	if (fd != 3)
		(void)close(fd);
}

int
main(void)
{
	const char *base = getenv("TMPDIR");

	(void)snprintf(folder, sizeof(folder), "%.40s/sockset.XXXXXX",
	    base != NULL && strlen(base) <= 40 ? base : P_tmpdir);
	if (mkdtemp(folder) == NULL)
		return 1;
	test_check();
	test_take();
	test_left();
	test_faults();
	test_systemd();
	check_int("nothing is left over", rmdir(folder), 0);
	return check_done();
}
