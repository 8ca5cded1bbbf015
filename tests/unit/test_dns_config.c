/* SPDX-License-Identifier: ISC */
/* What needs no name server: settings, and what answers say. */
#include <ev.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/dns.h"
#include "common/dns_int.h"
#include "common/ip.h"
#include "common/log.h"
#include "tests/unit/check.h"

static void
test_reverse(void)
{
	static const struct {
		const char *input, *want;
	} rows[] = {
		{ "192.0.2.1", "1.2.0.192.in-addr.arpa" },
		{ "255.255.255.255", "255.255.255.255.in-addr.arpa" },
		{ "::ffff:192.0.2.1", "1.2.0.192.in-addr.arpa" },
		{ "2001:db8::567:89ab",
		    "b.a.9.8.7.6.5.0.0.0.0.0.0.0.0.0."
		    "0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa" },
	};
	char buf[DNS_REVERSE_SIZE];
	struct ip ip;
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		(void)ip_parse(rows[i].input, &ip);
		check_str(
		    rows[i].input, dns_reverse_name(&ip, buf), rows[i].want);
	}
}

static void
test_has_address(void)
{
	static const struct dnspacket_record records[] = {
		{ .data = "\300\0\2\1", .len = 4 },
		{ .data = "\300\0\2\2", .len = 4 },
	};
	const struct dns_answer answer = { .status = DNS_FOUND,
		.count = CHECK_COUNT(records),
		.records = records },
				none = { .status = DNS_NO_DATA };
	struct ip ip;

	(void)ip_parse("192.0.2.2", &ip);
	check_true("it is", dns_has_address(&answer, &ip));
	check_false("nothing is", dns_has_address(&none, &ip));
	(void)ip_parse("192.0.2.3", &ip);
	check_false("another", dns_has_address(&answer, &ip));
	(void)ip_parse("c000:0202::", &ip);
	check_false("one that begins so", dns_has_address(&answer, &ip));
}

/* Writes a file in the directory of temporary files; the caller unlinks. */
static void
write_file(char *path, size_t cap, const char *text)
{
	const char *folder = getenv("TMPDIR");
	int fd;

	snprintf(path, cap, "%s/test_dns_config.XXXXXX",
	    folder != NULL ? folder : P_tmpdir);
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		abort();
	close(fd);
}

static void
test_resolv_conf(void)
{
	static const struct {
		const char *name, *input;
		size_t count;
		const char *first, *last;
	} rows[] = {
		{ "one", "nameserver 192.0.2.1\n", 1, "192.0.2.1",
		    "192.0.2.1" },
		{ "no line end", "nameserver 192.0.2.1", 1, "192.0.2.1",
		    "192.0.2.1" },
		{ "three among others",
		    "# x\nsearch example.org\n"
		    "nameserver 192.0.2.1\noptions ndots:1\n"
		    "nameserver\t192.0.2.2 # x\n  nameserver ::1\n",
		    3, "192.0.2.1", "::1" },
		{ "with a zone", "nameserver fe80::1%eth0\n", 1, "fe80::1%eth0",
		    "fe80::1%eth0" },
		{ "no address",
		    "nameserver localhost\nnameserver\n"
		    "nameserver 1.2.3\nnameserver 192.0.2.1@53\n"
		    "nameservers 192.0.2.1\n;nameserver 192.0.2.1\n",
		    0, "", "" },
		{ "nothing", "", 0, "", "" },
		{ "too many",
		    "nameserver 192.0.2.1\nnameserver 192.0.2.2\n"
		    "nameserver 192.0.2.3\nnameserver 192.0.2.4\n"
		    "nameserver 192.0.2.5\nnameserver 192.0.2.6\n"
		    "nameserver 192.0.2.7\nnameserver 192.0.2.8\n"
		    "nameserver 192.0.2.9\n",
		    8, "192.0.2.1", "192.0.2.8" },
	};
	struct dns_config_servers servers;
	struct err err;
	char path[256];
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		write_file(path, sizeof(path), rows[i].input);
		check_int(rows[i].name,
		    dns_config_read_servers(path, &servers, &err), 0);
		unlink(path);
		check_uint(rows[i].name, servers.count, rows[i].count);
		check_str("first", servers.text[0], rows[i].first);
		check_str("last",
		    servers.text[servers.count == 0 ? 0 : servers.count - 1],
		    rows[i].last);
	}
	check_int("no file", dns_config_read_servers(path, &servers, &err), 0);
	check_uint("names none", servers.count, 0);
	check_int("a directory",
	    dns_config_read_servers(P_tmpdir, &servers, &err), -1);
	check_contains("a directory", err.text, "cannot read");
}

static void
test_bad_config(struct ev_loop *loop)
{
	static const struct {
		const char *name, *server, *anchors, *want;
	} rows[] = {
		{ "a name", "localhost", "",
		    "name server \"localhost\" is"
		    " neither ADDRESS nor ADDRESS@PORT" },
		{ "no port", "192.0.2.1@", "", "neither" },
		{ "port 0", "192.0.2.1@0", "", "neither" },
		{ "a port too large", "192.0.2.1@65536", "", "neither" },
		{ "a port of letters", "192.0.2.1@domain", "", "neither" },
		{ "nothing", "", "", "neither" },
		{ "no such anchors", "192.0.2.1", "/nonexistent/anchors",
		    "TrustAnchorFile: cannot open /nonexistent/anchors: No "
		    "such file" },
		{ "no anchors in it", "192.0.2.1", "example. IN DS word",
		    "libunbound cannot start" },
	};
	struct err err;
	char path[256];
	size_t i;

	for (i = 0; i < CHECK_COUNT(rows); i++) {
		char *server = strdup(rows[i].server);
		struct dns_config config = {
			.nameservers = &server,
			.nameserver_count = 1,
			.question_timeout_ms = 1000,
			.cache_bytes = 1 << 20,
		};
		struct dns *dns;

		write_file(path, sizeof(path), rows[i].anchors);
		config.trust_anchor_file = rows[i].anchors[0] == '/'
					       ? rows[i].anchors
					   : rows[i].anchors[0] == '\0' ? ""
									: path;
		dns = dns_new(&config, loop, &err);
		check_true(rows[i].name, dns == NULL);
		check_contains(rows[i].name, err.text, rows[i].want);
		dns_free(&dns);
		unlink(path);
		free(server);
	}
}

int
main(void)
{
	struct ev_loop *loop = ev_loop_new(EVFLAG_AUTO);

	log_open("test_dns_config", LOG_SINK_STDERR, 0);
	test_reverse();
	test_has_address();
	test_resolv_conf();
	test_bad_config(loop);
	ev_loop_destroy(loop);
	return check_done();
}
