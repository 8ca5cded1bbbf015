#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""t_import.py - from postgrey to greylistd without greylisting anyone anew.

The real postgrey is filled through its policy port with some hundred triplets
and clients, stopped (or killed), and its files are imported. Then greylistd
is asked the same questions. Both are told the time with each request
(policy_test_time), so nothing waits. Prints TAP; needs root and postgrey.
"""
import fcntl
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "system"))
sys.dont_write_bytecode = True

from tap import Tap  # noqa: E402

BINDIR = os.path.abspath(os.environ.get("BINDIR", "build/bin"))
POSTGREY = "/usr/sbin/postgrey"
NOW = int(time.time())
DELAY = 300


class Server:
    """A policy server on a Unix socket."""

    def __init__(self, argv, path):
        self.path = path
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL)
        limit = time.monotonic() + 30
        while True:
            self.socket = socket.socket(socket.AF_UNIX)
            try:
                self.socket.connect(path)
                break
            except OSError:
                self.socket.close()
                if self.process.poll() is not None:
                    raise RuntimeError(f"{argv[0]} ended") from None
                if time.monotonic() > limit:
                    raise
                time.sleep(0.02)        # there is no event for "bound"
        self.socket.settimeout(30)

    def ask(self, client, sender, recipient, at):
        """The answer's action."""
        self.socket.sendall(
            f"request=smtpd_access_policy\nprotocol_state=RCPT\n"
            f"client_address={client}\nclient_name=mx.example.org\n"
            f"sender={sender}\nrecipient={recipient}\ninstance=\n"
            f"policy_test_time={at}\n\n".encode("utf-8", "surrogateescape"))
        data = b""
        while not data.endswith(b"\n\n"):
            more = self.socket.recv(4096)
            if not more:
                raise RuntimeError("the server closed the connection")
            data += more
        return data.decode().strip().removeprefix("action=")

    def stop(self, sign=signal.SIGTERM):
        """postgrey may sleep through a signal: say it until it is heard."""
        self.socket.close()
        while self.process.poll() is None:
            self.process.send_signal(sign)
            try:
                self.process.wait(0.3)
            except subprocess.TimeoutExpired:
                pass


class Box:
    """A directory with postgrey's files and ours."""

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="import-")
        os.chmod(self.dir, 0o755)
        self.old, self.new = self.dir + "/old", self.dir + "/new"
        self.database = self.new + "/greylist.db"
        self.options = options
        open(self.dir + "/empty", "w").close()
        os.mkdir(self.old)
        user = pwd.getpwnam("postgrey")
        os.chown(self.old, user.pw_uid, user.pw_gid)

    def postgrey(self):
        return Server([POSTGREY, "--dbdir=" + self.old,
                       f"--unix={self.dir}/old.sock", f"--delay={DELAY}",
                       f"--whitelist-clients={self.dir}/empty",
                       f"--whitelist-recipients={self.dir}/empty",
                       *self.options], self.dir + "/old.sock")

    def greylistd(self):
        return Server([BINDIR + "/greylistd", "-c", self.config()],
                      self.dir + "/new.sock")

    def config(self):
        """greylistd's and greylistctl's, with a user that exists."""
        path = self.dir + "/conf"
        with open(path, "w", encoding="utf-8") as f:
            f.write(f"User nobody\nDatabase {self.database}\n"
                    f"Listen unix:{self.dir}/new.sock\nTestClock yes\n"
                    f"WhitelistClients {self.dir}/empty\n"
                    f"WhitelistRecipients {self.dir}/empty\n")
            for option in self.options:
                f.write(option.lstrip("-") + " yes\n")
        return path

    def ctl(self, *words):
        # Leaks cannot be looked for once root's rights are given up.
        env = dict(os.environ, ASAN_OPTIONS="detect_leaks=0")
        return subprocess.run([BINDIR + "/greylistctl", "-c", self.config(),
                               *words], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env=env)

    def imported(self, t, *words):
        """Import and return the figures."""
        done = self.ctl("--json", "import-postgrey", *words, self.old,
                        self.new)
        t.equal((done.returncode, done.stderr), (0, ""), "import-postgrey")
        return json.loads(done.stdout or "{}")

    def remove(self):
        shutil.rmtree(self.dir)


def owner(path):
    return pwd.getpwuid(os.stat(path).st_uid).pw_name


# What changes from one attempt to the next, in the sender, must not matter.
SENDERS = [
    ("alice@example.org",) * 2,
    ("list-bounces-1234-5678@example.org", "list-bounces-99-1@example.org"),
    ("prvs=0123456789=bob@example.org", "prvs=9876543210=bob@example.org"),
    ("carol+tag@example.org", "carol+other@example.org"),
    ("", ""),
    ("no-domain",) * 2,
    ("a/b\\c@example.org",) * 2,
    ("SRS0=Xy1z=QQ=orig.example=dave@relay.example",) * 2,
    ("bounce-1a2b3c4d5e6f7a8b@example.org",) * 2,
    ("UPPER@Example.ORG", "upper@example.org"),
    ("l" * 490 + "@example.org",) * 2,
    ("sm\udcc3\udcb6rg\udcc3\udca5s@example.org",) * 2,
]


def triplets(kind, count):
    """(client, sender then, sender later, recipient), all different."""
    for n in range(count):
        then, later = SENDERS[n % len(SENDERS)]
        client = (f"2001:db8:{n:x}::{n + 1:x}" if n % 3 == 0
                  else f"10.{n // 200}.{n % 200}.7")
        tail = "r" * 400 if n % 17 == 0 else ""
        yield client, then, later, f"{kind}{n}{tail}@example.net"


def fill(server, passed, pending, clients):
    """Passed: came back after an hour. Pending: first seen 100 s ago."""
    for client, sender, _, recipient in passed:
        server.ask(client, sender, recipient, NOW - 9000)
    wrong = [p for p in passed
             if not server.ask(p[0], p[1], p[3], NOW - 5400)
             .startswith(("PREPEND", "DUNNO"))]
    for client, sender, _, recipient in pending:
        server.ask(client, sender, recipient, NOW - 100)
    # A client counts one triplet in an hour.
    for n in range(5):
        start = NOW - 40000 + n * 4000
        for client in clients:
            server.ask(client, f"x{chr(97 + n)}@example.org", "awl@x", start)
            server.ask(client, f"x{chr(97 + n)}@example.org", "awl@x",
                       start + 400)
    return wrong


def check_known(t, server, passed, clients):
    """Who passed, and who is known as a whole, passes."""
    wrong = [p for p in passed
             if server.ask(p[0], p[2], p[3], NOW) != "DUNNO"]
    t.equal(wrong, [], f"{len(passed)} triplets that had passed are known")
    wrong = [c for c in clients if server.ask(
        c, "never@seen.example", "nor@this.example", NOW) != "DUNNO"]
    t.equal(wrong, [], f"{len(clients)} clients are known")


def check_pending(t, server, pending):
    """The delay of who waits goes on where it was."""
    wrong = [p for p in pending if not server.ask(
        p[0], p[2], p[3], NOW - 100 + DELAY - 1).startswith("DEFER")]
    t.equal(wrong, [], f"{len(pending)} pending ones wait to the end")
    wrong = [p for p in pending if server.ask(
        p[0], p[2], p[3], NOW - 100 + DELAY).startswith("DEFER")]
    t.equal(wrong, [], "and pass then")


def switch(t, options, sign, count):
    """Fill, end with sign, import, ask."""
    box = Box(*options)
    passed = list(triplets("passed", count))
    pending = list(triplets("pending", count // 3))
    clients = [f"172.16.{n}.1" for n in range(20)] + ["2001:db8:ffff::a"]
    server = box.postgrey()
    t.equal(fill(server, passed, pending, clients), [],
            "postgrey lets them pass")
    server.stop(sign)
    found = box.imported(t)
    rows = len(passed) + len(pending) + 5 * len(clients)
    t.equal([found["triplets"][k] for k in (
        "read", "imported", "merged", "skipped_expired", "skipped_bad_key",
        "skipped_bad_value", "skipped_damaged")],
        [rows, rows, 0, 0, 0, 0, 0], "figures of the triplets")
    # Each network above that passed counts for its client, too.
    t.ok(found["clients"]["imported"] >= len(clients), "clients are imported",
         repr(found["clients"]))
    t.equal(owner(box.database), "nobody", "the file's owner")
    t.equal([n for n in os.listdir(tempfile.gettempdir())
             if n.startswith("greylistctl.")], [], "no copy is left")
    server = box.greylistd()
    check_known(t, server, passed, clients)
    check_pending(t, server, pending)
    t.ok(server.ask("192.0.2.99", "new@example.org", "new@example.net",
                    NOW).startswith("DEFER"), "a stranger waits")
    server.stop()
    box.remove()


def running(t):
    """a running postgrey is refused"""
    box = Box()
    server = box.postgrey()
    server.ask("192.0.2.1", "a@example.org", "b@example.net", NOW)
    done = box.ctl("import-postgrey", box.old, box.new)
    t.equal(done.returncode, os.EX_TEMPFAIL, "exit status")
    t.ok("postgrey is running" in done.stderr
         and "systemctl stop postgrey" in done.stderr, "what to do",
         done.stderr)
    t.ok(not os.path.exists(box.new), "nothing is made")
    server.stop()
    t.equal(box.imported(t)["triplets"]["imported"], 1, "when it has ended")
    with open(box.old + "/postgrey.lock", "rb") as f:
        fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
        t.ok(True, "the lock is given back")
    box.remove()


def twice(t):
    """importing again adds nothing and loses nothing"""
    box = Box()
    server = box.postgrey()
    rows = list(triplets("x", 30))
    fill(server, rows, [], [])
    server.stop()
    box.imported(t)
    before = box.ctl("export").stdout
    again = box.imported(t)["triplets"]
    t.equal((again["imported"], again["merged"]), (0, 30), "figures")
    t.equal(box.ctl("export").stdout, before, "contents")
    box.remove()


def folded(t):
    """senders that we take for one become one"""
    box = Box()
    server = box.postgrey()
    for n, tag in enumerate(("Ab1c=QQ", "Xy2z=QR")):
        server.ask("192.0.2.1", f"SRS0={tag}=orig.example=dave@relay.example",
                   "r@example.net", NOW - 200 + 50 * n)
    server.stop()
    found = box.imported(t)["triplets"]
    t.equal([found[k] for k in ("read", "imported", "merged")], [2, 1, 1],
            "figures")
    row = json.loads(box.ctl("--json", "list").stdout)[0]
    t.equal((row["first"], row["last"]), (NOW - 200, NOW - 150),
            "the earliest first, the latest last")
    box.remove()


def damaged(t):
    """a damaged file gives what can be read, and no crash"""
    box = Box()
    server = box.postgrey()
    fill(server, list(triplets("x", 200)), [], [])
    server.stop()
    for name in os.listdir(box.old):        # no help from the log files
        if name.startswith(("log.", "__db")):
            os.unlink(box.old + "/" + name)
    path = box.old + "/postgrey.db"
    with open(path, "r+b") as f:
        size = os.path.getsize(path)
        f.seek(size // 2)
        f.write(os.urandom(4096))
        f.truncate(size - 5000)
    found = box.imported(t)["triplets"]
    t.ok(0 < found["imported"] < 200, "some are imported", repr(found))
    with open(path, "r+b") as f:
        f.write(bytes(512))
    done = box.ctl("import-postgrey", box.old, box.new)
    t.equal(done.returncode, os.EX_DATAERR, "exit status without a head")
    t.ok("not a Berkeley DB btree" in done.stderr, "message", done.stderr)
    done = box.ctl("import-postgrey", box.dir, box.new)
    t.equal(done.returncode, os.EX_NOINPUT, "exit status of a wrong OLD")
    box.remove()


def main():
    if os.geteuid() != 0 or not os.access(POSTGREY, os.X_OK):
        print("1..0 # SKIP needs root and the package postgrey")
        return 0
    t = Tap()
    recover = os.access("/usr/bin/db5.3_recover", os.X_OK)
    for title, options, sign, count in (
            ("a stopped postgrey", (), signal.SIGTERM, 300),
            ("with --privacy", ("--privacy",), signal.SIGTERM, 100),
            ("with --lookup-by-host", ("--lookup-by-host",), signal.SIGTERM,
             50),
            ("a killed postgrey", (), signal.SIGKILL, 300)):
        t.begin(title)
        if sign == signal.SIGKILL and not recover:
            t.skip("needs the package db5.3-util")
            continue
        switch(t, options, sign, count)
    for case in running, twice, folded, damaged:
        t.begin(case.__doc__)
        case(t)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
