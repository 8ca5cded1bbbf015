/* SPDX-License-Identifier: ISC */
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests/unit/policysrv_rig.h"

#define FLOOD 2000

static void
test_exchange(void)
{
	static const struct {
		const char *name, *input, *want;
	} rows[] = {
		{ "one request", ECHO("a@b"), REPLY("a@b") },
		{ "CR LF", "request=echo\r\nsender=x\r\n\r\n", REPLY("x") },
		{ "an empty request", "\n", "action=no request\n\n" },
		{ "two requests at once", ECHO("1") ECHO("2"),
		    REPLY("1") REPLY("2") },
		{ "five requests at once",
		    ECHO("1") ECHO("2") ECHO("3") ECHO("4") ECHO("5"),
		    REPLY("1") REPLY("2") REPLY("3") REPLY("4") REPLY("5") },
		{ "a reply from the batch end", "request=late\n\n",
		    "action=DUNNO late\n\n" },
		{ "the whole and a half", ECHO("1") "request=echo",
		    REPLY("1") },
	};
	struct server s;
	size_t i;
	int fd;

	start_listening(&s, &defaults, AF_UNIX);
	for (i = 0; i < CHECK_COUNT(rows); i++) {
		fd = connect_to(&s);
		say(fd, rows[i].input);
		hear(rows[i].name, fd, rows[i].want);
		close(fd);
	}
	for (i = 0; i < CHECK_COUNT(rows); i++) {
		fd = connect_to(&s);
		say(fd, rows[i].input);
		shutdown(fd, SHUT_WR);
		hear("replies after our end of sending", fd, rows[i].want);
		hear_end("then the end", fd);
	}
	stop_server(&s);
	check_uint("requests counted", s.stats.requests, 24);
	check_int("none left open", s.stats.open, 0);
}

static void
test_split(void)
{
	static const char text[] = ECHO("a@b") ECHO("c@d");
	struct server s;
	char name[32];
	size_t i;
	int fd;

	start_listening(&s, &defaults, AF_INET);
	fd = connect_to(&s);
	for (i = 1; i < sizeof(text) - 1; i++) {
		snprintf(name, sizeof(name), "split at %zu", i);
		if (send(fd, text, i, 0) < 0)
			break;
		barrier(&s);
		say(fd, text + i);
		hear(name, fd, REPLY("a@b") REPLY("c@d"));
	}
	close(fd);
	stop_server(&s);
}

static void
test_too_much(void)
{
	char *line = malloc(20001), *lines = malloc(2001);
	struct server s;
	int i, fd;

	memset(line, 'x', 20000);
	line[20000] = '\0';
	for (i = 0; i < 500; i++)
		memcpy(lines + 4 * i, "a=b\n", 4);
	lines[2000] = '\0';
	start_listening(&s, &defaults, AF_UNIX);
	fd = connect_to(&s);
	say(fd, line);
	hear_end("a request without end is closed", fd);
	fd = connect_to(&s);
	say(fd, lines);
	say(fd, "\n");
	hear_end("too many attributes are closed", fd);
	fd = connect_to(&s);
	say(fd, "request=drop\n\n");
	hear_end("dropped without a reply", fd);
	fd = connect_to(&s);
	say(fd, ECHO("x"));
	hear("others are served", fd, REPLY("x"));
	close(fd);
	stop_server(&s);
	check_uint("both counted", s.stats.too_long, 2);
	free(line);
	free(lines);
}

static void
test_timeouts(void)
{
	struct policysrv_config config = defaults;
	struct server s;
	int half, idle, deaf;
	char request[2200], sender[2001];

	config.request_timeout_s = 1;
	config.idle_timeout_s = 1;
	memset(sender, 's', sizeof(sender) - 1);
	sender[sizeof(sender) - 1] = '\0';
	snprintf(
	    request, sizeof(request), "request=echo\nsender=%s\n\n", sender);
	start_listening(&s, &config, AF_UNIX);
	half = connect_to(&s);
	idle = connect_to(&s);
	deaf = connect_to(&s);
	say(half, "request=echo\nsend");
	/* In the end the replies fill the buffers, then the requests do. */
	while (send(deaf, request, strlen(request), MSG_NOSIGNAL) > 0)
		;
	check_true("one who never reads is closed",
	    errno == EPIPE || errno == ECONNRESET);
	close(deaf);
	hear_end("a half request is closed", half);
	hear_end("an idle connection is closed", idle);
	stop_server(&s);
	check_uint("two were in the middle of something", s.stats.timeouts, 2);
	check_uint("three connections", s.stats.accepted, 3);
}

static void
test_late(void)
{
	const char *one = ECHO("0123456789");
	char *flood = malloc(FLOOD * strlen(one) + 1);
	struct server s;
	int a, b, i, bad = 0;

	start_listening(&s, &defaults, AF_UNIX);
	a = connect_to(&s);
	b = connect_to(&s);
	say(a, "request=hold\n\n" ECHO("after"));
	await(&s, 'h');
	say(b, ECHO("b"));
	hear("others go on meanwhile", b, REPLY("b"));
	command(&s, "r");
	hear("a late reply, then the next, in order", a,
	    REPLY("held") REPLY("after"));

	/* More than the buffer holds, behind a request in work. */
	for (i = 0; i < FLOOD; i++)
		memcpy(flood + (size_t)i * strlen(one), one, strlen(one));
	flood[FLOOD * strlen(one)] = '\0';
	say(a, "request=hold\n\n");
	await(&s, 'h');
	say(a, flood);
	barrier(&s);
	command(&s, "r");
	hear("held", a, REPLY("held"));
	for (i = 0; i < FLOOD; i++)
		bad += !reads_as(a, REPLY("0123456789"));
	check_int("all pipelined ones are answered", bad, 0);
	free(flood);
	close(a);
	close(b);
	stop_server(&s);
	check_uint("requests", s.stats.requests, FLOOD + 5);
}

static void
test_gone(void)
{
	const struct linger now = { .l_onoff = 1, .l_linger = 0 };
	struct server s;
	int fds[2], fd, i;

	start_listening(&s, &defaults, AF_INET);
	fd = connect_to(&s);
	say(fd, "request=hold\n\n");
	await(&s, 'h');
	close(fd);
	for (i = 0; i < 2; i++)
		fds[i] = new_socket(&s);
	fd = connect_to(&s);
	say(fd, "request=hold\n\n" ECHO("lost"));
	await(&s, 'h');
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	barrier(&s);
	/* These get the descriptors that became free. */
	for (i = 0; i < 2; i++) {
		if (connect(fds[i], (void *)&s.addr, s.addr_len) < 0)
			perror("connect");
	}
	barrier(&s);
	command(&s, "r");
	await(&s, 'r');
	for (i = 0; i < 2; i++) {
		say(fds[i], ECHO("x"));
		hear("no reply goes to the wrong peer", fds[i], REPLY("x"));
		close(fds[i]);
	}
	stop_server(&s);
	check_int("none left open", s.stats.open, 0);
}

static void
test_eviction(void)
{
	struct policysrv_config config = defaults;
	struct server s;
	int fds[4], i;
	char name[64];

	config.max_connections = 3;
	start_listening(&s, &config, AF_UNIX);
	for (i = 0; i < 3; i++) {
		fds[i] = connect_to(&s);
		say(fds[i], ECHO("x"));
		hear("room", fds[i], REPLY("x"));
	}
	/* The first has been idle longest, until now. */
	say(fds[0], ECHO("x"));
	hear("still there", fds[0], REPLY("x"));
	say(fds[2], "request=hold\n\n");
	await(&s, 'h');
	fds[3] = connect_to(&s);
	say(fds[3], ECHO("new"));
	hear("a fourth is served", fds[3], REPLY("new"));
	hear_end("the longest idle was closed for it", fds[1]);
	command(&s, "r");
	hear("one in work was not", fds[2], REPLY("held"));
	for (i = 0; i < 4; i += 3) {
		snprintf(name, sizeof(name), "number %d was not", i);
		say(fds[i], ECHO("y"));
		hear(name, fds[i], REPLY("y"));
	}
	close(fds[0]);
	close(fds[2]);
	close(fds[3]);
	stop_server(&s);
	check_uint("one evicted", s.stats.evicted, 1);
}

/* Leaves room for one more descriptor in the process. */
static void
use_up_descriptors(int *fillers, int *count)
{
	struct rlimit tight;

	getrlimit(RLIMIT_NOFILE, &tight);
	tight.rlim_cur = 64;
	setrlimit(RLIMIT_NOFILE, &tight);
	*count = 0;
	while ((fillers[*count] = dup(STDERR_FILENO)) >= 0)
		(*count)++;
	close(fillers[--*count]);
}

/* The only connection is in work, no descriptor is left: who comes now has
 * to wait. */
static void
test_no_descriptors(void)
{
	struct server s;
	struct rlimit old;
	int fds[3], fillers[64], filler_count, i;
	long turns;
	const char *preload = getenv("LD_PRELOAD");

	if (preload != NULL && strstr(preload, "vgpreload") != NULL) {
		check_skip("no descriptors", "valgrind accepts, and closes");
		return;
	}
	make_server(&s, &defaults);
	policysrv_listen(s.srv, make_listener(&s, AF_UNIX));
	policysrv_every(s.srv, 20, on_interval, &s);
	start_server(&s);
	for (i = 0; i < 3; i++)
		fds[i] = new_socket(&s);
	getrlimit(RLIMIT_NOFILE, &old);
	use_up_descriptors(fillers, &filler_count);
	for (i = 0; i < 3; i++) {
		if (connect(fds[i], (void *)&s.addr, s.addr_len) < 0)
			perror("connect");
	}
	say(fds[0], "request=hold\n\n");
	say(fds[1], ECHO("second"));
	say(fds[2], ECHO("third"));
	await(&s, 'h');
	turns = s.turns;
	for (i = 0; i < 10; i++)
		await(&s, 't');
	turns = s.turns - turns;
	check_true("the loop does not spin", turns < 100);
	check_note("%ld turns in 10 ticks", turns);
	command(&s, "r");
	hear("the one in work is answered", fds[0], REPLY("held"));
	hear("then the second, in its place", fds[1], REPLY("second"));
	check_end("which was taken from the first", fds[0]);
	hear("then the third", fds[2], REPLY("third"));
	check_end("in the place of the second", fds[1]);
	setrlimit(RLIMIT_NOFILE, &old);
	while (filler_count > 0)
		close(fillers[--filler_count]);
	for (i = 0; i < 3; i++)
		close(fds[i]);
	stop_server(&s);
	check_true("accepting paused", s.stats.accept_pauses > 0);
}

static void
test_drain(void)
{
	struct server s;
	int idle, half, busy, arrived, fd;

	start_listening(&s, &defaults, AF_UNIX);
	idle = connect_to(&s);
	half = connect_to(&s);
	busy = connect_to(&s);
	arrived = connect_to(&s);
	say(half, "request=echo\nsender=ha");
	say(busy, "request=hold\n\n");
	await(&s, 'h');
	barrier(&s);
	command(&s, "q");
	await(&s, 'q');
	say(arrived, ECHO("arrived"));
	(void)!write(s.release[1], "x", 1);
	hear("what had arrived is answered", arrived, REPLY("arrived"));
	hear_end("idle connections are closed", idle);
	fd = new_socket(&s);
	check_int(
	    "nobody is let in", connect(fd, (void *)&s.addr, s.addr_len), -1);
	close(fd);
	say(half, "lf\n\n");
	hear("a half request may be finished", half, REPLY("half"));
	hear_end("and is the last", half);
	command(&s, "r");
	hear("a held one is answered", busy, REPLY("held"));
	hear_end("and is the last", busy);
	hear_end("closed after its reply", arrived);
	join_server(&s);
	check_int("none left open", s.stats.open, 0);
}

static void
test_grace(void)
{
	struct server s;
	int busy, half;

	start_listening(&s, &defaults, AF_UNIX);
	busy = connect_to(&s);
	half = connect_to(&s);
	say(half, "request=ec");
	say(busy, "request=hold\n\n");
	await(&s, 'h');
	barrier(&s);
	command(&s, "k");
	join_server(&s);
	hear_end("a request in work does not keep us for ever", busy);
	hear_end("nor a half one", half);

	start_listening(&s, &defaults, AF_UNIX);
	stop_server(&s);
	check_int("nothing to drain", s.stats.open, 0);
}

/* The clients' ends are in this process: at the end of the batch the hook
 * looks whether a reply of this turn has come out already. */
static void
test_batch(void)
{
	struct server s;
	int fds[2], stall, i;

	start_listening(&s, &defaults, AF_UNIX);
	for (i = 0; i < 2; i++)
		fds[i] = connect_to(&s);
	stall = connect_to(&s);
	barrier(&s);
	s.peek_fd = fds[0];
	say(stall, "request=stall\nsender=x\n\n");
	await(&s, 's');
	for (i = 0; i < 2; i++)
		say(fds[i], ECHO("batch"));
	(void)!write(s.release[1], "x", 1);
	/* Nobody reads before both turns have ended. */
	await(&s, 'b');
	await(&s, 'b');
	for (i = 0; i < 2; i++)
		hear("answered", fds[i], REPLY("batch"));
	hear("answered", stall, REPLY("x"));
	for (i = 0; i < 2; i++)
		close(fds[i]);
	close(stall);
	stop_server(&s);
	check_false("no reply before the batch ends", s.reply_was_early);
}

static void
test_close_after_reply(void)
{
	struct policysrv_config config = defaults;
	struct server s;
	int fd;

	config.close_after_reply = true;
	start_listening(&s, &config, AF_UNIX);
	fd = connect_to(&s);
	say(fd, ECHO("1") ECHO("2"));
	hear("exim's way: a reply", fd, REPLY("1"));
	hear_end("and the end", fd);
	stop_server(&s);
}

static void
test_stdio(void)
{
	struct server s;
	int in[2], out[2], file;

	if (pipe(in) < 0 || pipe(out) < 0)
		exit(1);
	make_server(&s, &defaults);
	policysrv_stdio(s.srv, in[0], out[1]);
	start_server(&s);
	(void)!write(in[1], ECHO("1"), strlen(ECHO("1")));
	hear("over pipes", out[0], REPLY("1"));
	(void)!write(in[1], "request=hold\n\n", 14);
	await(&s, 'h');
	close(in[1]);
	command(&s, "r");
	hear("also after the end of input", out[0], REPLY("held"));
	join_server(&s);
	check_int("then the server ends", s.stats.open, 0);
	close(in[0]);
	close(out[0]);
	close(out[1]);

	file = memfd_create("requests", 0);
	(void)!write(file, ECHO("1") ECHO("2"), 2 * strlen(ECHO("1")));
	lseek(file, 0, SEEK_SET);
	if (pipe(out) < 0)
		exit(1);
	make_server(&s, &defaults);
	policysrv_stdio(s.srv, file, out[1]);
	start_server(&s);
	hear("from a file", out[0], REPLY("1") REPLY("2"));
	join_server(&s);
	close(file);

	/* Nobody reads any more: the daemon ignores SIGPIPE, as we do. */
	if (pipe(in) < 0)
		exit(1);
	close(out[0]);
	make_server(&s, &defaults);
	policysrv_stdio(s.srv, in[0], out[1]);
	start_server(&s);
	(void)!write(in[1], ECHO("1"), strlen(ECHO("1")));
	join_server(&s);
	check_int("the reader is gone, the server ends", s.stats.open, 0);
	close(in[0]);
	close(in[1]);
	close(out[1]);
}

static void
test_many(void)
{
	struct policysrv_config config = defaults;
	struct server s;
	int fds[300], i, round, bad = 0;

	config.max_connections = 300;
	start_listening(&s, &config, AF_UNIX);
	for (i = 0; i < 300; i++)
		fds[i] = connect_to(&s);
	for (round = 0; round < 10; round++) {
		for (i = 0; i < 300; i++)
			say(fds[i], ECHO("many"));
		for (i = 0; i < 300; i++)
			bad += !reads_as(fds[i], REPLY("many"));
	}
	check_int("300 connections, 10 requests each", bad, 0);
	for (i = 0; i < 300; i++)
		close(fds[i]);
	stop_server(&s);
	check_uint("requests", s.stats.requests, 3000);
	check_uint("nobody evicted", s.stats.evicted, 0);
}

int
main(void)
{
	signal(SIGPIPE, SIG_IGN);
	/* What is waited for may never come. */
	alarm(300);
	test_exchange();
	test_split();
	test_too_much();
	test_timeouts();
	test_late();
	test_gone();
	test_eviction();
	test_no_descriptors();
	test_drain();
	test_grace();
	test_batch();
	test_close_after_reply();
	test_stdio();
	test_many();
	return check_done();
}
