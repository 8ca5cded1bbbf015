# SPDX-License-Identifier: ISC
"""The servers that the benchmark compares, each in a directory of its own."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
BINDIR = os.environ.get("BINDIR", os.path.join(ROOT, "build/bin"))
TOOLDIR = os.environ.get("TOOLDIR", os.path.join(ROOT, "build/t"))
USER = pwd.getpwuid(os.geteuid()).pw_name
LISTS = "/etc/postgrey/whitelist_"      # Debian's, read by both

# A request that every server answers; its triplet is nobody else's.
HELLO = (b"request=smtpd_access_policy\nprotocol_state=RCPT\n"
         b"client_address=192.0.2.1\nclient_name=bench.example\n"
         b"sender=start@bench.example\nrecipient=start@bench.example\n\n")


def free_address():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()


class Server:
    """A server on a loopback port or, when on_unix, on a Unix socket;
    subclasses say how it is called."""

    name = ""
    delay = 1       # seconds until a retry passes
    warm = 1        # seconds that the generator waits for that
    START_S = 60    # how long it may take to answer
    END_S = 10      # and to end

    def __init__(self, parent, on_unix=False):
        self.dir = tempfile.mkdtemp(prefix=self.name + ".", dir=parent)
        if on_unix:
            self.name += " (Unix)"
            self.family, self.address = socket.AF_UNIX, self.path("socket")
            self.target = f"unix:{self.address}"
        else:
            self.family, self.address = socket.AF_INET, free_address()
            self.target = "inet:{}:{}".format(*self.address)
        self.process = None
        self.start_s = None     # from exec to the first reply

    def path(self, name):
        return os.path.join(self.dir, name)

    def command(self):
        raise NotImplementedError

    def spawn(self):
        with open(self.path("log"), "ab") as log:
            return subprocess.Popen(self.command(), stdin=subprocess.DEVNULL,
                                    stdout=log, stderr=log)

    def start(self):
        begin = time.monotonic()
        self.process = self.spawn()
        while not self.answers():
            if (self.process.poll() is not None
                    or time.monotonic() - begin > self.START_S):
                raise RuntimeError(f"{self.name} does not start:\n"
                                   + self.log_tail())
            time.sleep(0.001)
        self.start_s = time.monotonic() - begin
        return self

    def answers(self):
        try:
            with socket.socket(self.family) as s:
                s.settimeout(self.START_S)
                s.connect(self.address)
                s.sendall(HELLO)
                return s.recv(4096).startswith(b"action=")
        except OSError:
            return False

    def log_tail(self):
        with open(self.path("log"), errors="replace") as log:
            return "".join(log.readlines()[-10:])

    def stop(self):
        """Ask it to end; postgrey sleeps through some requests."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(self.END_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def reload(self):
        self.process.send_signal(signal.SIGHUP)

    def restart(self):
        self.stop()
        self.process = self.spawn()

    def file_mib(self):
        """The size of all that it keeps."""
        return sum(entry.stat().st_size for entry in os.scandir(self.dir)
                   if entry.name != "log") / 2**20


class Postgrey(Server):
    name = "postgrey"
    END_S = 1
    program = "/usr/sbin/postgrey"

    def command(self):
        return [self.program, "--inet={}:{}".format(*self.address),
                f"--dbdir={self.dir}", f"--delay={self.delay}",
                "--auto-whitelist-clients=0", f"--user={USER}",
                f"--group={USER}"]


class Sqlgrey(Server):
    name = "sqlgrey"
    program = "/usr/sbin/sqlgrey"
    warm = 2        # it compares whole seconds

    def command(self):
        with open(self.path("conf"), "w") as conf:
            conf.write("inet = {}:{}\n".format(*self.address) +
                       f"user = {USER}\ngroup = {USER}\n"
                       f"db_type = SQLite\ndb_name = {self.path('db')}\n"
                       # in minutes; and nothing whitelisted by domain
                       f"reconnect_delay = {self.delay / 60:.4f}\n"
                       "group_domain_level = 1000000000\n"
                       "admin_mail =\n")
        return [self.program, "-f", self.path("conf")]


class Greylistd(Server):
    name = "greylistd"
    program = os.path.join(BINDIR, "greylistd")

    def __init__(self, parent, on_unix=False, **options):
        super().__init__(parent, on_unix)
        self.options = options
        self.socket = None
        self.database = self.path("greylist.db")

    def hold_socket(self):
        """Listen on its behalf, as systemd does: a restart then lets
        connections wait instead of refusing them."""
        self.socket = socket.create_server(self.address, backlog=4096)
        return self

    def command(self):
        options = {"Listen": self.target, "Database": self.database,
                   "User": USER, "Delay": f"{self.delay}s",
                   "AutoWhitelistClients": 0, **self.options}
        command = [self.program, "-f"]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        for kind in ("clients", "recipients"):
            if os.path.exists(LISTS + kind):
                command += ["-o", f"Whitelist{kind}={LISTS}{kind}"]
        return command

    def spawn(self):
        if self.socket is None:
            return super().spawn()
        fd = self.socket.fileno()
        script = f'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&{fd}'
        if fd != 3:
            script += f" {fd}<&-"
        with open(self.path("log"), "ab") as log:
            return subprocess.Popen(
                ["/bin/sh", "-c", script, "sh", *self.command()],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[fd])


class Floor(Server):
    """Answers DUNNO to everything: what the kernel alone costs."""

    name = "floor"
    program = os.path.join(TOOLDIR, "floor")

    def command(self):
        return [self.program, self.target]


def peers():
    """The classes of what is installed, postgrey first."""
    return [cls for cls in (Postgrey, Sqlgrey, Greylistd)
            if shutil.which(cls.program)]
