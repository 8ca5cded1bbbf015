#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Compares our keys and whitelists with those of Debian's postgrey.

    TOOLDIR=build/t tests/reference/t_keys.py

Some hundred requests, made from the pieces that matter, go to postgrey; the
keys in its database must be the ones that build/t/keytool makes of the same
words. Then a whitelist of each kind of pattern: whom postgrey passes at once,
ours must list too. Left out are the known differences: IPv4-mapped addresses,
"a.b" networks, dots at the ends of names, "::/0" for IPv4, the name
"unknown". Prints TAP.
"""
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, os.path.join(TESTS, "system"))
sys.dont_write_bytecode = True

from tap import Tap  # noqa: E402

POSTGREY = "/usr/sbin/postgrey"
KEYTOOL = os.path.join(os.environ.get("TOOLDIR", "build/t"), "keytool")
NOW = 1800000000

ADDRESSES = [
    b"192.0.2.1", b"192.0.2.130", b"198.51.100.255", b"10.1.2.3",
    b"203.0.113.77", b"2001:db8::1", b"2001:DB8:1:2:3:4:5:6", b"::1",
    b"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", b"fe80::ab:0:1",
    b"2001:0db8:0000:0000:0001:0000:0000:0001",
]
SENDERS = [
    b"", b"joe@x.example", b"JOE@X.Example", b"joe", b"@", b"@x", b"a@", b"@@",
    b"a+b@c+d@1", b"+x@y", b"a+@x", b"a++b@x", b"bounce-123-456@x",
    b"1@x", b"12.34@5.6", b"a1-1a-_1-1_-1@x", b"0x1F@x", b"-1-@x",
    b"prvs=0123abcdef=joe@x", b"prvs=joe=0123abcdef@x",
    b"prvs=0123abcdef=joe+list@x", b"prvs=joe=tagtagtagt0@x",
    b"prvs=0123ABCDEF=joe@x", b"PRVS=0123abcdef=joe@x",
    b"prvs=newsletters=0123abcdef@x", b"prvs=a=b@x", b"prvs==b@x",
    b"prvs=a=@x", b"prvs=a==@x", b"prvs=a=b=@x", b"prvs=a=b==@x",
    b"prvs==@x", b"prvs=@x", b"prvs@x", b"prvs=a=b=c@x", b"prvs==b=c@x",
    b"prvs=a=b+c=d@x", b"prvs=0123abcdef=12@x", b"xprvs=a=b@x",
    b"prvs=joe/0123abcdef@x", b"btv1==0123ab==joe@x", b"prvs=a+b=c@x",
    b"SRS0=HaSh=4T=y.example=joe@x", b"SRS0+HaSh=4T=y.example=joe@x",
    b"SRS1=HaSh=f.example==HaSh=4T=y.example=joe@x",
    b"550e8400-e29b-41d4-a716-446655440000@x", b"deadbeef00@x",
    b"\xc3\x84\xc3\xa4" b"12\xff34@\xd6.x", b"a b 1 @x", b"'\"1\\2\"@x",
    b"a/b/1@x", b"%41%@x", b"a,b@x", b"#1#@x", b"=@x", b"a=b=1@x",
    b"x" * 600 + b"@y", b"x" * 300 + b"@" + b"y" * 300, b"1-" * 300 + b"@y",
    b"x" * 511 + b"@y", b"x" * 512 + b"@y", b"prvs=" + b"x" * 502 + b"=1234",
]
# What postgrey cut away or chose, no import can bring back: the triplet is
# greylisted once more.
LOST = {
    b"prvs=newsletters=0123abcdef@x", b"SRS0+HaSh=4T=y.example=joe@x",
}
PIECES = [
    b"prvs=", b"=", b"=", b"+", b"-", b"_", b".", b"@", b"/", b"#", b" ",
    b"0", b"12", b"345", b"a", b"Bc", b"def", b"0123abcdef", b"tagtagtagt",
    b"TAGTAGTAGT", b"\xe4", b"\xc3\x84", b"joe", b"bounces", b"\x01", b"%",
]
CONFIGS = [
    ("default", [], []),
    ("cidr", ["--ipv4cidr=27", "--ipv6cidr=45"], ["-4", "27", "-6", "45"]),
    ("whole addresses", ["--ipv4cidr=32", "--ipv6cidr=128"],
     ["-4", "32", "-6", "128"]),
    ("by host", ["--lookup-by-host"], ["-h"]),
    ("privacy", ["--privacy"], ["-p"]),
    ("privacy by host", ["--privacy", "--lookup-by-host"], ["-p", "-h"]),
]

CLIENT_PATTERNS = b"""\
# each kind
example.org
MX.Example.NET   # with a comment
a-b_c.example
/^mx\\d+\\.pool\\.example$/
/^smtp\\d+.wild.example$/
/\\bdsl\\b/
/^(?:out|relay)[0-9]+-g[0-9]+\\.prov\\.example$/
/(a)\\1\\.back\\.example$/
/^x|y\\.alt\\.example$/
/^(?i)inline\\.example$/
/^[[:alpha:]]{3}\\.class\\.example$/
192.0.2.7
198.51.100.77/26
203.0.113
10.20.0.0/14
2001:db8:1::/48
2001:db8::99
2001:db8:2:3:ffff::1/64
"""
CLIENT_NAMES = [
    b"example.org", b"mx.example.org", b"badexample.org", b"example.org.bad",
    b"EXAMPLE.ORG", b"org", b"mx.example.net", b"a.mx.example.net",
    b"example.net", b"a-b_c.example", b"x.A-B_C.example", b"mx1.pool.example",
    b"MX22.POOL.EXAMPLE", b"mx.pool.example", b"amx1.pool.example",
    b"smtp5.wild.example", b"smtp5xwildyexample", b"smtp.wild.example",
    b"host.dsl.isp.example", b"hostdsl.isp.example", b"dsl", b"a-dsl-b.c",
    b"out1-g20.prov.example", b"relay12-g3.prov.example",
    b"relay-g3.prov.example", b"xaa.back.example", b"xa.back.example",
    b"xyz", b"z.y.alt.example", b"zy.alt.example", b"alt.example",
    b"inline.example", b"INLINE.example", b"abc.class.example",
    b"ab1.class.example", b"", b"localhost", b"\xc3\xa4.example.org",
]
CLIENT_ADDRESSES = [
    b"192.0.2.7", b"192.0.2.8", b"198.51.100.64", b"198.51.100.127",
    b"198.51.100.128", b"203.0.113.0", b"203.0.113.255", b"203.0.114.1",
    b"10.20.0.1", b"10.23.255.255", b"10.24.0.0", b"2001:db8:1:ffff::1",
    b"2001:db8:2::1", b"2001:db8::99", b"2001:DB8:0::0099", b"2001:db8::9a",
    b"2001:db8:2:3::", b"2001:db8:2:4::",
]
RECIPIENT_PATTERNS = b"""\
joe@example.org
Jane+List@Example.org
postmaster@
abuse+x@
sub.example.net   # and below
/^list-.*@lists\\.example$/
/@re\\d\\.example$/
"""
RECIPIENTS = [
    b"joe@example.org", b"JOE@Example.ORG", b"joe+x@example.org",
    b"joe+x+y@example.org", b"joe+@example.org", b"joe++@example.org",
    b"joe+x@example.net", b"joe@mx.example.org", b"jjoe@example.org",
    b"jane@example.org", b"jane+list@example.org", b"jane+list+x@example.org",
    b"jane+other@example.org", b"postmaster@a.example", b"Postmaster+x@b",
    b"thepostmaster@a.example", b"postmaster", b"postmaster@", b"abuse@a",
    b"abuse+x@a", b"abuse+x+y@a", b"abuse+y@a", b"a@sub.example.net",
    b"a@x.sub.EXAMPLE.net", b"a@xsub.example.net", b"a@example.net",
    b"sub.example.net", b"list-a@lists.example", b"LIST-@lists.example",
    b"list@lists.example", b"a@re1.example", b"a@re.example", b"", b"@",
    b"@sub.example.net", b"a@b@sub.example.net", b"joe@example.org@x",
]


class Postgrey:
    """One postgrey with a database of its own."""

    def __init__(self, folder, options):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as s:
            self.port = s.getsockname()[1]
        user = []
        if os.getuid() == 0:
            shutil.chown(folder, "postgrey", "postgrey")
        else:
            user = [f"--user={os.getuid()}", f"--group={os.getgid()}"]
        self.process = subprocess.Popen(
            [POSTGREY, f"--inet=127.0.0.1:{self.port}", f"--dbdir={folder}",
             "--delay=1", "--quiet", *user, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.socket = self.connect()

    def connect(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), 20)
            except OSError:
                if time.monotonic() > deadline or self.process.poll():
                    raise
                time.sleep(0.05)

    def ask(self, when=NOW, **attributes):
        """Sends one request and returns the action."""
        lines = [b"request=smtpd_access_policy", b"protocol_state=RCPT",
                 b"policy_test_time=%d" % when]
        lines += [n.encode() + b"=" + v for n, v in attributes.items()]
        self.socket.sendall(b"\n".join(lines) + b"\n\n")
        reply = b""
        while not reply.endswith(b"\n\n"):
            got = self.socket.recv(4096)
            if not got:
                raise EOFError(f"no reply to {attributes}")
            reply += got
        return reply.strip().removeprefix(b"action=")

    def stop(self):
        """Ends it; a connection wakes it up, should it sleep through that."""
        self.process.send_signal(signal.SIGTERM)
        while self.process.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                self.process.wait(0.2)
            except (OSError, subprocess.TimeoutExpired):
                pass
        self.socket.close()
        return self.process.stderr.read().decode(errors="replace")

    def keys(self, name):
        """The keys of a database, after stop()."""
        dump = subprocess.run(
            ["db5.3_dump", os.path.join(self.folder, name)],
            check=True, capture_output=True).stdout.split(b"HEADER=END\n")[1]
        lines = dump.split(b"DATA=END")[0].split()
        return {bytes.fromhex(key.decode()) for key in lines[::2]}


def keytool(arguments, rows):
    """What ours says to the rows, tuples of bytes."""
    text = b"".join(b"\t".join(row) + b"\n" for row in rows)
    done = subprocess.run([KEYTOOL, *arguments], input=text, check=True,
                          capture_output=True)
    return done.stdout.split(b"\n")[:-1], done.stderr.decode()


def triplets():
    """Rows of address, sender, recipient; each recipient is another."""
    dice = random.Random(1)
    senders = list(SENDERS)
    for _ in range(400):
        senders.append(b"".join(dice.choices(PIECES, k=dice.randint(1, 9)))
                       + dice.choice([b"", b"@x.example", b"@y", b"+1@z"]))
    rows = []
    for i, sender in enumerate(senders):
        recipient = b"R%d+x-%d.\xc4@Example.org" % (i, i)
        if i % 50 == 49:
            recipient += b"y" * 600
        rows.append((ADDRESSES[i % len(ADDRESSES)], sender, recipient))
    return rows


def compare_keys(tap, folder, options, arguments):
    rows = triplets()
    server = Postgrey(folder, ["--whitelist-clients=/dev/null",
                               "--whitelist-recipients=/dev/null", *options])
    # The second time it passes, which enters the client in the other database.
    for when in NOW, NOW + 10:
        for address, sender, recipient in rows:
            server.ask(when, client_address=address, client_name=b"unknown",
                       sender=sender, recipient=recipient)
    tap.equal(server.stop(), "", "postgrey has no complaints")
    theirs = server.keys("postgrey.db")
    output, _ = keytool(arguments, rows)
    ours = [line.rsplit(b"\t", 1) for line in output]

    # A longer key is cut by us, never by postgrey.
    cut = [key for key, _ in ours if key[-34:-32] == b"/#"]
    wrong = [f"{row}\n  ours {key}" for row, (key, _) in zip(rows, ours)
             if key not in theirs and key not in cut]
    tap.ok(not wrong, f"all {len(rows)} keys are postgrey's",
           "\n".join(wrong[:10]))
    tap.equal(len(theirs), len({key for key, _ in ours}),
              "postgrey has no others")
    tap.ok(len(cut) == 0 or len(cut) < 20, f"{len(cut)} keys are cut")

    if "-p" not in arguments:
        compare_import(tap, rows, [key for key, _ in ours], arguments)
    clients = server.keys("postgrey_clients.db")
    if "-p" not in arguments:
        clients = {key.lower() for key in clients}
    tap.equal({client for _, client in ours}, clients, "clients' keys")


def compare_import(tap, rows, theirs, arguments):
    """An imported key must be the one that the same mail makes from now on."""
    rows, theirs = zip(*[
        (row, key) for row, key in zip(rows, theirs)
        if row[1] in SENDERS and row[1] not in LOST
        and key[-34:-32] != b"/#"])
    imported, _ = keytool(["-i"], [(key,) for key in theirs])
    output, _ = keytool(["-a", *arguments], rows)
    wrong = [f"{key}\n  imported {got}\n  made     {want}"
             for key, got, want in zip(theirs, imported,
                                       (o.rsplit(b"\t", 1)[0] for o in output))
             if got != want]
    tap.ok(not wrong, f"{len(theirs)} keys are the same after an import",
           "\n".join(wrong[:10]))


def compare_lists(tap, folder, option, letter, patterns, rows, attributes):
    """attributes turns a row into those of a request."""
    path = os.path.join(folder, "list")
    with open(path, "wb") as f:
        f.write(patterns)
    os.chmod(folder, 0o755)
    server = Postgrey(folder, ["--whitelist-clients=/dev/null",
                               "--whitelist-recipients=/dev/null",
                               f"--whitelist-{option}={path}",
                               "--auto-whitelist-clients=0"])
    theirs = [server.ask(sender=b"a%d@b" % i, **attributes(row)) == b"DUNNO"
              for i, row in enumerate(rows)]
    complaints = server.stop()
    output, warnings = keytool([letter, path], rows)
    tap.equal(warnings, "", "ours has no complaints")
    tap.equal(complaints, "", "nor has postgrey")
    wrong = [f"{row}: postgrey {want}, ours {got == b'1'}"
             for row, want, got in zip(rows, theirs, output)
             if want != (got == b"1")]
    tap.ok(not wrong, f"{sum(theirs)} of {len(rows)} are listed, the same",
           "\n".join(wrong[:10]))
    tap.ok(0 < sum(theirs) < len(rows), "some are, some are not")


def client(row):
    return {"client_name": row[0], "client_address": row[1],
            "recipient": b"r@unlisted.example"}


def recipient(row):
    return {"client_name": b"unlisted.example",
            "client_address": b"192.0.2.1", "recipient": row[0]}


def names_like(patterns):
    """Host names that the patterns of a list may fit, or just miss."""
    rows = []
    for line in patterns.splitlines():
        word = line.split(b"#")[0].strip()
        name = (word.strip(b"/^$").replace(b"\\d+", b"12")
                .replace(b".*?", b"z").replace(b".*", b"-y9").replace(b"\\", b"")
                .replace(b"p?", b"p").replace(b"[12]", b"2"))
        if not word or not name.strip(b"0123456789./:abcdef"):
            continue
        rows += [(n, b"203.0.113.9") for n in
                 (name, b"x." + name, b"x" + name, name + b".x", name[1:],
                  name.replace(b".", b"-", 1))]
    return rows


def main():
    tap = Tap()
    if not os.path.exists(POSTGREY) or not shutil.which("db5.3_dump"):
        tap.skip("postgrey and db5.3-util are needed")
        return tap.end()
    with tempfile.TemporaryDirectory() as top:
        os.chmod(top, 0o755)
        work = (os.path.join(top, str(i)) for i in range(100))

        def folder():
            path = next(work)
            os.mkdir(path)
            return path

        for title, options, arguments in CONFIGS:
            tap.begin("keys, " + title)
            compare_keys(tap, folder(), options, arguments)
        with open("/etc/postgrey/whitelist_clients", "rb") as f:
            debian = f.read()
        unlisted = b"unlisted.example"
        tap.begin("clients")
        compare_lists(tap, folder(), "clients", "-c", CLIENT_PATTERNS,
                      [(n, b"203.0.114.9") for n in CLIENT_NAMES] +
                      [(unlisted, a) for a in CLIENT_ADDRESSES], client)
        tap.begin("Debian's clients")
        compare_lists(tap, folder(), "clients", "-c", debian,
                      names_like(debian), client)
        tap.begin("recipients")
        compare_lists(tap, folder(), "recipients", "-r", RECIPIENT_PATTERNS,
                      [(r,) for r in RECIPIENTS], recipient)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
