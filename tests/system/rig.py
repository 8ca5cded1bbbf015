# SPDX-License-Identifier: ISC
"""A private Postfix with a greylist server beside it, for real mail.

    #!/usr/bin/env python3
    from rig import run, send

    def setup(rig):
        rig.postfix.smtpd(2501, smtpd_recipient_restrictions=
                          "check_policy_service inet:127.0.0.1:10001")

    def first_contact(t, rig):
        '''a first contact is deferred'''
        rig.server("first", 10001).start()
        sent = send("198.51.100.10", "a@good.example", "u@example.net",
                    port=2501)
        t.equal(sent.code, 450, "RCPT")

    run(setup, [first_contact])

The server is build/bin/greylistd.  BINDIR names another directory, such as
build/san/bin, and GREYLIST_SERVER=postgrey runs the same tests against the
installed postgrey.  RIG_KEEP=DIR keeps the logs and mails of a run there.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import traceback

from capture import PATIENCE, Lmtp, Log, TimedOut
from namespaces import Unavailable, enter
from postfix import Postfix
from smtpclient import Client, Sent, send        # noqa: F401 (for the tests)
from tap import Tap

DIR = "/run/rig"                # private: see namespaces.py
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINDIR = os.path.abspath(os.environ.get("BINDIR", ROOT + "/build/bin"))
PROGRAM = os.environ.get("GREYLIST_SERVER", "greylistd")
POSTGREY = "/usr/sbin/postgrey"
TROUBLE = re.compile(r"warning:|fatal:|panic:|error:|Sanitizer|Traceback")
# The kernel stamps files with a finer clock than time(2) reads, and at the
# turn of a second Postfix takes notice.
HARMLESS = (re.compile("warning: (file system clock|resetting file time)"),)


class Rig:
    def __init__(self):
        self.dir = DIR
        self.log = Log(DIR + "/log")
        self.log.serve_syslog()
        self.lmtp = Lmtp(DIR + "/lmtp.sock", DIR + "/mail")
        self.postfix = Postfix(DIR + "/postfix", DIR + "/lmtp.sock")
        self.servers = []
        self.count = 0          # of state directories
        self._expected = []
        self._checked = 0
        self.program = POSTGREY
        if PROGRAM == "greylistd":
            self.program = self.binary("greylistd")

    def binary(self, name, alias=None):
        """Path of one of our programs, in a copy that every user may run
        (the checkout may be closed to them); alias is another name."""
        os.makedirs(DIR + "/bin", exist_ok=True)
        return shutil.copy(f"{BINDIR}/{name}", f"{DIR}/bin/{alias or name}")

    def server(self, name, *listen, program=None, **options):
        """A greylist server.

        listen: ports on 127.0.0.1, paths of sockets, or "stdio".
        program: its path, when it is not the usual one.
        options: in postgrey's spelling, with _ for -.
        """
        server = Server(self, name, program or self.program, listen, options)
        self.servers.append(server)
        return server

    def state(self, user):
        """A new directory for a database."""
        self.count += 1
        path = f"{DIR}/state{self.count}"
        os.mkdir(path)
        shutil.chown(path, user, user)
        return path

    def file(self, name, text):
        """A file that the servers may read; returns its path."""
        path = f"{DIR}/etc/{name}"
        with open(path, "w") as f:
            f.write(text)
        return path

    def expect(self, regex):
        """Log lines like this are no trouble in the running test."""
        self._expected.append(re.compile(regex))

    def tidy(self, t):
        """Stop all servers; what nobody expected is a failed test."""
        for server in self.servers:
            if not server.alive():
                continue
            if server.argv[0] == POSTGREY:  # it sleeps through some SIGTERMs
                server.stop(signal.SIGKILL)
            else:
                t.equal(server.stop(), 0, f"exit status of {server.name}")
        trouble = [line for line in self.log.lines[self._checked:]
                   if TROUBLE.search(line)
                   and not any(e.search(line)
                               for e in (*HARMLESS, *self._expected))]
        t.equal(trouble, [], "nothing unexpected is logged")
        self.servers, self._expected = [], []
        self._checked = self.log.mark()

    def wait_due(self, delay):
        """Wait until mail deferred before this call may pass."""
        due = int(time.time()) + delay + 0.02
        while time.time() < due:
            time.sleep(due - time.time())

    def keep(self, directory):
        """Copy logs and mails out of the private file system."""
        for name in "log", "mail":
            shutil.copytree(f"{DIR}/{name}", f"{directory}/{name}",
                            dirs_exist_ok=True)


class Server:
    def __init__(self, rig, name, program, listen, options):
        self.rig, self.name, self.listen = rig, name, listen
        user = os.path.basename(program)
        self.state = options.get("dbdir") or rig.state(user)
        empty = rig.file("empty", "")
        options = {"dbdir": self.state, "whitelist_clients": empty,
                   "whitelist_recipients": empty, **options}
        self.argv = [program]
        if user == "greylistd":
            self.argv += ["-c", rig.file(name + ".conf", "")]
        for where in listen:
            kind = ("listen" if len(listen) > 1 or where == "stdio" else
                    "inet" if isinstance(where, int) else "unix")
            if kind == "listen" and isinstance(where, int):
                where = f"inet:{where}@127.0.0.1"
            self.argv.append(f"--{kind}={where}")
        self.argv += [f"--{key.replace('_', '-')}={value}"
                      for key, value in options.items()]
        self.process = None

    def start(self, prefix=(), stdin=subprocess.DEVNULL):
        """Returns when it is ready to serve."""
        since = self.rig.log.mark()
        self.process = subprocess.Popen(
            [*prefix, *self.argv], stdin=stdin,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = self.rig.log.follow(self.name, self.process.stdout)
        for where in self.listen:
            self._wait_listening(where)
        if self.argv[0] != POSTGREY:    # its database comes after its socket
            self.rig.log.wait(" is ready$", since)
        return self

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self, number):
        self.process.send_signal(number)

    def stop(self, number=signal.SIGTERM):
        """End it by a signal; returns the exit status."""
        self.kill(number)
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise TimedOut(f"{self.name} ignores signal {number}") from None
        self._reader.join(PATIENCE)
        return status

    def _wait_listening(self, where):
        tcp = isinstance(where, int)
        address = ("127.0.0.1", where) if tcp else where
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            with socket.socket(socket.AF_INET if tcp
                               else socket.AF_UNIX) as probe:
                if probe.connect_ex(address) == 0:
                    return
            if not self.alive():
                break
            time.sleep(0.005)
        raise TimedOut(f"{self.name} does not listen on {where}")


def restart_under_load(t, server, clients, load):
    """Ends and starts server three times, while a thread for each client
    sends mail: load(client) yields the code of one after the other."""
    codes, enough, over = [], threading.Semaphore(0), threading.Event()

    def send_all(client):
        mails = load(client)
        while not over.is_set():
            codes.append(next(mails))
            enough.release()
        mails.close()

    threads = [threading.Thread(target=send_all, args=(c,)) for c in clients]
    for thread in threads:
        thread.start()
    for n in range(3):
        for _ in range(20):
            enough.acquire(timeout=20)
        t.equal(server.stop(), 0, f"exit status {n}")
        server.start()
    for _ in range(20):
        enough.acquire(timeout=20)
    over.set()
    for thread in threads:
        thread.join()
    t.equal(set(codes), {250}, f"{len(codes) // 80 * 80} mails and more pass")


def run(setup, tests):
    """Run a script's tests in a rig; prints TAP and ends the process."""
    try:
        enter()
    except Unavailable as why:
        print(f"1..0 # SKIP {why}")
        sys.exit(0)
    t, rig = Tap(), None
    try:
        rig = Rig()
        setup(rig)
        rig.postfix.start()
        for test in tests:
            t.begin(test.__doc__)
            attempt(t, rig, test)
    except Exception:
        t.begin("the rig")
        t.ok(False, "set-up", traceback.format_exc(limit=-3))
    if rig and "RIG_KEEP" in os.environ:
        rig.keep(os.environ["RIG_KEEP"])
    sys.exit(t.end())


def attempt(t, rig, test):
    """One test; whatever it raises is one failure and goes no further."""
    since = rig.log.mark()
    before = t.failed
    for step in (lambda: test(t, rig)), (lambda: rig.tidy(t)):
        try:
            step()
        except Exception:
            t.ok(False, "no exception", traceback.format_exc(limit=-3))
    if t.failed > before:
        t.note("the log:\n" + "\n".join(rig.log.lines[since:][-60:]))
