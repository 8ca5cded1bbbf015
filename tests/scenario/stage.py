# SPDX-License-Identifier: ISC
"""stage.py - where a scenario plays: a directory, a daemon, its events.

The player never sleeps for an effect: it waits for bytes, log lines,
notifications or the end of the process, all with one limit.
"""
import grp
import json
import os
import pwd
import resource
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

from scenario import story as language


class PlayError(Exception):
    """The play cannot go on."""


class Box:
    """The scenario's own directory and the names that it may use."""

    def __init__(self, daemon):
        self.dir = tempfile.mkdtemp(prefix="scn-")
        os.chmod(self.dir, 0o755)
        self.user = daemon.user if os.geteuid() == 0 else None
        if self.user:
            gid = pwd.getpwnam(self.user).pw_gid
            self.group = grp.getgrgid(gid).gr_name
        for name in ("db", "run"):
            os.mkdir(self.path(name))
            self.own(self.path(name))
        self.socket = self.path("run/socket")
        open(self.path("empty"), "w").close()
        self.variables = {"DIR": self.dir, "SOCKET": self.socket,
                          "PORT": str(free_port())}
        self.lookup = lambda kind, name: None

    def own(self, path):
        """Gives path to the daemon's user."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def path(self, name):
        return os.path.join(self.dir, name)

    def expand(self, text):
        return language.expand(text, self.variables, self.lookup)


def limit_files(count):
    """Sets the soft limit of open files, as a service gets it."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(count, hard), hard))


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def dial(address):
    """Connects to unix:PATH or inet:HOST:PORT."""
    kind, _, rest = address.partition(":")
    if kind == "unix":
        s, where = socket.socket(socket.AF_UNIX), rest
    else:
        host, _, port = rest.rpartition(":")
        host = host.strip("[]")
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        s, where = socket.socket(family), (host, int(port))
    try:
        s.connect(where)
    except OSError:
        s.close()
        raise
    return s


class Resolver:
    """A DNS server (tests/dns/faultdns.py) with the scenario's own zone."""

    PROGRAM = os.path.join(os.path.dirname(os.path.dirname(
        os.path.abspath(__file__))), "dns", "faultdns.py")

    def __init__(self, box, lines):
        self.names = {line.split()[0].split("/")[0].lower()
                      for line in lines if line.strip()}
        self.log = box.path("dns.log")
        with open(box.path("zone"), "w", encoding="latin-1") as f:
            f.write("\n".join(lines) + "\n")
        self.process = subprocess.Popen(
            [sys.executable, self.PROGRAM, "127.0.0.1", "0",
             box.path("zone"), self.log], stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words:
            raise PlayError("(no DNS server)")
        box.variables["DNSPORT"] = words[-1]

    def stop(self):
        """Ends the server; returns the questions for names that the zone
        does not mention."""
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        with open(self.log, encoding="utf-8") as f:
            asked = [json.loads(line) for line in f]
        return [f"{q['name']} {q['type']}" for q in asked
                if not self.mentions(q["name"].lower())]

    def mentions(self, name):
        labels = name.split(".")
        return name in self.names or any(
            "*." + ".".join(labels[i:]) in self.names
            for i in range(1, len(labels)))


class Stage:
    """A daemon in its box, its log and the connections to it."""

    def __init__(self, story, daemon, trace):
        self.story, self.daemon, self.trace = story, daemon, trace
        self.box = Box(daemon)
        self.process = self.command = self.resolver = None
        self.select = selectors.DefaultSelector()
        self.log_r, self.log_w = os.pipe()
        os.set_blocking(self.log_r, False)
        self.select.register(self.log_r, selectors.EVENT_READ, None)
        self.log, self.log_rest = [], b""
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.box.path("notify"))
        os.chmod(self.box.path("notify"), 0o777)
        self.notify.setblocking(False)
        self.select.register(self.notify, selectors.EVENT_READ, None)
        self.notified = []
        self.conns, self.buffers = {}, {}
        self.home = "unix:" + self.box.socket

    def wait(self, done, what, every=None, limit=None):
        """Takes in events until done() is true, for at most limit seconds.
        What shows without an event (a process, a socket that can be reached)
        is looked at every so many seconds."""
        limit = time.monotonic() + (limit or self.daemon.wait)
        while not done():
            left = limit - time.monotonic()
            if left <= 0:
                raise PlayError(f"(no {what})")
            self.take_in(min(left, every or left))

    def take_in(self, timeout):
        """Reads what log, notifications and connections have to give."""
        for key, _ in self.select.select(timeout):
            if key.fileobj == self.log_r:
                self.take_log()
            elif key.fileobj is self.notify:
                self.notified += self.notify.recv(4096).decode().split("\n")
            else:
                self.take_bytes(key.data)

    def take_log(self):
        try:
            self.log_rest += os.read(self.log_r, 65536)
        except BlockingIOError:
            return
        *lines, self.log_rest = self.log_rest.split(b"\n")
        for line in lines:
            text = line.decode("utf-8", "backslashreplace")
            text = self.daemon.prefix.sub("", text, count=1)
            self.trace(f"   log: {text}")
            self.log.append([text, False])

    def join(self, name, address):
        """Opens the connection of that name."""
        try:
            s = dial(address)
        except OSError:
            if self.dead():
                raise PlayError("(server died)") from None
            raise
        self.conns[name] = s
        self.buffers.setdefault(name, b"")
        self.select.register(s, selectors.EVENT_READ, name)

    def part(self, name):
        """Closes the connection of that name, if it is open."""
        self.take_in(0)
        s = self.conns.pop(name, None)
        if s:
            self.select.unregister(s)
            s.close()

    def take_bytes(self, name):
        try:
            data = self.conns[name].recv(65536)
        except ConnectionError:
            data = b""
        if data:
            self.buffers[name] += data
        else:
            self.select.unregister(self.conns[name])
            self.conns[name].close()
            self.conns[name] = None

    # ------------------------------------------------------------ process

    def launch(self):
        """Starts the process; does not wait for it."""
        env = {k: v for k, v in os.environ.items()
               if k not in ("JOURNAL_STREAM", "LISTEN_FDS", "POSTGREY_TEXT")}
        env.update(NOTIFY_SOCKET=self.box.path("notify"), TZ="UTC")
        self.command = self.daemon.command(self.box, self.story)
        self.notified = []
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=self.log_w,
            stderr=self.log_w, env=env, cwd=self.box.dir,
            preexec_fn=lambda: limit_files(1024))

    def ready(self):
        """Whether the daemon says that it is ready, or, when it would not
        say so, can be reached."""
        if self.process.poll() is not None:
            raise PlayError(f"(ended with status {self.process.returncode})")
        if self.daemon.notifies:
            return "READY=1" in self.notified
        try:
            dial(self.home).close()
            return True
        except OSError:
            return False

    def up(self):
        """Starts the daemon unless it runs."""
        if self.process is None:
            self.launch()
            self.wait(self.ready, "daemon", 0.005)

    def dead(self):
        """Whether the daemon ended by itself."""
        if self.process is None:
            return False
        try:
            self.process.wait(0.2)
        except subprocess.TimeoutExpired:
            return False
        return True

    def down(self, signum=signal.SIGTERM):
        """Ends the daemon by a signal; returns its exit status or None."""
        if self.process is None:
            return None
        self.process.send_signal(signum)

        def ended():
            if self.daemon.stop_status is None:
                self.poke()
            return self.process.poll() is not None
        self.wait(ended, "end of the daemon", 0.005)
        status, self.process = self.process.returncode, None
        return status

    def poke(self):
        """Wakes a server that sleeps through signals."""
        try:
            dial(self.home).close()
        except OSError:
            pass

    def put_down(self):
        """Ends the daemon whatever it takes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def clean(self, keep):
        """Closes everything; removes the box unless it is to be kept."""
        if self.resolver:
            self.resolver.stop()
        for s in self.conns.values():
            if s:
                s.close()
        self.select.close()
        self.notify.close()
        os.close(self.log_r)
        os.close(self.log_w)
        if not keep:
            shutil.rmtree(self.box.dir, ignore_errors=True)
