# SPDX-License-Identifier: ISC
"""player.py - plays one scenario against one daemon.

The player starts the daemon in a directory of its own, speaks to it over its
socket, and reads its log from a pipe. It never sleeps for an effect: it waits
for bytes, log lines, notifications or the end of the process, with one limit.
"""
import collections
import grp
import os
import pwd
import resource
import selectors
import shlex
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time

from scenario import daemons, story as language

Mismatch = collections.namedtuple("Mismatch", "line ident want got")


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

    def own(self, path):
        """Gives path to the daemon's user."""
        if self.user:
            entry = pwd.getpwnam(self.user)
            os.chown(path, entry.pw_uid, entry.pw_gid)

    def path(self, name):
        return os.path.join(self.dir, name)

    def expand(self, text):
        return language.expand(text, self.variables)


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


class Player:
    """Plays one story. After play(), mismatches holds what went wrong."""

    def __init__(self, story, daemon, keep=False, trace=None):
        self.story, self.daemon, self.keep = story, daemon, keep
        self.trace = trace or (lambda text: None)
        self.mismatches, self.counts = [], collections.Counter()
        self.box = Box(daemon)
        self.base = self.now = int(time.time())
        self.box.variables["NOW"] = str(self.now)
        self.process = self.command = None
        self.select = selectors.DefaultSelector()
        self.log_r, self.log_w = os.pipe()
        os.set_blocking(self.log_r, False)
        self.select.register(self.log_r, selectors.EVENT_READ, None)
        self.log, self.log_rest, self.log_mark = [], b"", 0
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(self.box.path("notify"))
        os.chmod(self.box.path("notify"), 0o777)
        self.notify.setblocking(False)
        self.select.register(self.notify, selectors.EVENT_READ, None)
        self.notified = []
        self.conns, self.conn, self.buffers = {}, "a", {}
        self.addresses = {"a": "unix:" + self.box.socket}
        self.pending, self.last, self.serial = b"", None, 0
        self.eol, self.chunk, self.forbidden = "\n", 0, []

    # ------------------------------------------------------------ the play

    def play(self):
        """Plays all steps, ends the daemon, looks for leftovers."""
        step = None
        try:
            for step in self.story.steps:
                self.trace(f"{step.line}: {step}")
                self.counts[step.verb] += 1
                if step.verb not in (">", "log", "no"):
                    self.flush()
                getattr(self, self.HANDLERS[step.verb])(step)
            self.flush()
            self.finish()
        except (PlayError, language.StoryError, OSError) as e:
            at_start = step is None or str(e).startswith("(ended")
            ident = "start" if at_start else self.ident(step)
            self.miss(step, ident, str(step or "start"), str(e))
            self.put_down()
        finally:
            self.clean()
        return self.mismatches

    def ident(self, step):
        """Names a step: its kind and how many of its kind came so far."""
        kind = {"<": "reply", ">": "request"}.get(step.verb, step.verb)
        return f"{kind} {self.counts[step.verb]}"

    def miss(self, step, ident, want, got):
        line = step.line if step else 0
        self.mismatches.append(Mismatch(line, ident, want, got))
        self.trace(f"   MISMATCH {ident}: got {got}")

    def wait(self, done, what):
        """Takes in events until done() is true."""
        limit = time.monotonic() + self.daemon.wait
        while not done():
            left = limit - time.monotonic()
            if left <= 0:
                raise PlayError(f"(no {what})")
            self.take_in(left)

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
        """Whether the daemon says that it is ready, or can be reached."""
        if "READY=1" in self.notified:
            return True
        try:
            dial(self.addresses["a"]).close()
            return True
        except OSError:
            pass
        if self.process.poll() is not None:
            raise PlayError(f"(ended with status {self.process.returncode})")
        self.take_in(0.005)
        return False

    def up(self):
        """Starts the daemon unless it runs."""
        if self.process is None:
            self.launch()
            self.wait(self.ready, "daemon")

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
            self.take_in(0.005)
            return self.process.poll() is not None
        self.wait(ended, "end of the daemon")
        status, self.process = self.process.returncode, None
        return status

    def poke(self):
        """Wakes a server that sleeps through signals."""
        try:
            dial(self.addresses["a"]).close()
        except OSError:
            pass

    def put_down(self):
        """Ends the daemon whatever it takes."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def finish(self):
        """Ends the daemon and looks for what nobody asked for."""
        self.stop(None)
        while self.select.select(0):
            self.take_in(0)
        for name, data in self.buffers.items():
            if data:
                self.miss(None, "leftover reply", "nothing",
                          f"{show(data)} on connection {name}")
        for text, read in self.log:
            if not (read or self.daemon.decision.match(text)
                    or self.daemon.chatter.fullmatch(text)):
                self.miss(None, "leftover log", "nothing", text)
            for step, pattern in self.forbidden:
                if language.matches(pattern, text):
                    self.miss(step, "no log", str(step), text)

    def clean(self):
        for s in self.conns.values():
            if s:
                s.close()
        self.select.close()
        self.notify.close()
        os.close(self.log_r)
        os.close(self.log_w)
        if not self.keep:
            shutil.rmtree(self.box.dir, ignore_errors=True)

    # ----------------------------------------------- statements: processes

    def start(self, step):
        """start, or: start fails STATUS"""
        if not step.arg:
            self.up()
            return
        self.launch()
        self.wait(lambda: self.take_in(0.005) or
                  self.process.poll() is not None, "end of the daemon")
        got, self.process = str(self.process.returncode), None
        if got != step.arg.split()[-1]:
            self.miss(step, self.ident(step), str(step), got)

    def stop(self, step):
        status = self.down()
        want = self.daemon.stop_status
        if status is not None and want is not None and status != want:
            self.miss(step, "exit status", str(want), str(status))

    def restart(self, step):
        self.up()
        self.stop(step)
        self.up()

    def kill(self, step):
        del step
        self.up()
        self.down(signal.SIGKILL)
        self.up()

    def reload(self, step):
        del step
        self.up()
        self.notified, mark = [], len(self.log)
        self.process.send_signal(signal.SIGHUP)

        def reloaded():
            if self.daemon.stop_status is None:
                self.poke()
                self.take_in(0.02)
            if self.process.poll() is not None:
                raise PlayError("(server died)")
            return "READY=1" in self.notified or any(
                self.daemon.reloaded.fullmatch(t) for t, _ in self.log[mark:])
        self.wait(reloaded, "reload")

    def run(self, step):
        """Runs a tool; the "|" lines must match its output, line by line."""
        argv = shlex.split(self.box.expand(step.arg))
        done = subprocess.run(
            self.daemon.tool(self.box, argv), cwd=self.box.dir, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=self.daemon.wait, check=False)
        self.exit_status = done.returncode
        following = [s for s in self.story.steps if s.line > step.line]
        if done.returncode and not (
                following and following[0].verb == "status"):
            self.miss(step, self.ident(step), "status 0",
                      f"status {done.returncode}: {done.stdout.strip()}")
        want = [self.box.expand(p) for p in step.body]
        if not output_fits(want, done.stdout.splitlines()):
            self.miss(step, self.ident(step), "\n".join(want),
                      done.stdout.rstrip("\n"))

    def status(self, step):
        if str(self.exit_status) != step.arg:
            self.miss(step, self.ident(step), step.arg, str(self.exit_status))

    # ------------------------------------------- statements: files and time

    def file(self, step):
        path = self.box.path(step.arg)
        with open(path, "wb") as f:
            for line in step.body:
                text = language.unescape(self.box.expand(line))
                f.write(text.encode("latin-1") + b"\n")
        self.box.own(path)

    def reconfigure(self, step):
        """set Name value: rewrites the configuration, for reload."""
        name, value = language.setting(step.arg)
        config = [(n, v) for n, v in self.story.config
                  if daemons.canonical(n) != daemons.canonical(name)]
        self.story.config = config + [(name, value)]
        self.daemon.command(self.box, self.story)

    def lock(self, step):
        """Holds the write lock of the daemon's database."""
        del step
        self.up()
        self.locked = sqlite3.connect(self.box.path(self.daemon.database),
                                      isolation_level=None)
        self.locked.execute("BEGIN IMMEDIATE")

    def unlock(self, step):
        del step
        self.locked.execute("ROLLBACK")
        self.locked.close()

    def remove(self, step):
        os.unlink(self.box.path(step.arg))

    def chmod(self, step):
        mode, name = step.arg.split()
        path = self.box.path(name)
        os.chmod(path, int(mode, 8))
        if self.box.user and os.path.isdir(path):
            os.chown(path, 0, 0)
            if int(mode, 8) & 0o200:
                self.box.own(path)

    def at(self, step):
        self.now = self.base + language.seconds(step.arg)
        self.box.variables["NOW"] = str(self.now)

    # ----------------------------------------- statements: the conversation

    def set_eol(self, step):
        self.eol = {"lf": "\n", "crlf": "\r\n"}[step.arg.lower()]

    def set_chunk(self, step):
        self.chunk = int(step.arg)

    def use(self, step):
        """conn NAME [ADDRESS]: what follows goes over that connection."""
        self.conn, _, address = step.arg.partition(" ")
        if address:
            self.addresses[self.conn] = self.box.expand(address.strip())
        self.connect()

    def connect(self):
        self.up()
        if self.conns.get(self.conn) is None:
            address = self.addresses.get(self.conn, self.addresses["a"])
            try:
                s = dial(address)
            except OSError:
                if self.dead():
                    raise PlayError("(server died)") from None
                raise
            self.conns[self.conn] = s
            self.buffers.setdefault(self.conn, b"")
            self.select.register(s, selectors.EVENT_READ, self.conn)

    def hangup(self, step):
        del step
        self.take_in(0)
        s = self.conns.pop(self.conn, None)
        if s:
            self.select.unregister(s)
            s.close()

    def request(self, step):
        """Composes a request; it is sent before the next other statement."""
        given = language.words(self.box.expand(step.arg))
        base = [(n, v) for n, v in daemons.POSTFIX
                if n not in dict(self.story.default)]
        base += [(n, self.box.expand(v)) for n, v in self.story.default]
        if given and given[0] == ("again", None):
            given, base = given[1:], self.last or base
        self.serial += 1
        changes = dict(given)
        changes.setdefault("instance", f"{self.base:x}.{self.serial}.0")
        changes.setdefault("policy_test_time", str(self.now))
        attributes = [(n, changes.pop(n, v)) for n, v in base
                      if "-" + n not in changes]
        extra = [(n.lstrip("+"), v) for n, v in changes.items()
                 if v is not None and "-" + n not in changes]
        self.last = attributes + [e for e in extra
                                  if e[0] != "policy_test_time"]
        text = "".join(f"{n}={v}{self.eol}" for n, v in attributes + extra)
        self.pending += (text + self.eol).encode("latin-1")
        self.log_mark = len(self.log)

    def crowd(self, step):
        """crowd N: N connections stay open; each one gets an answer."""
        limit_files(int(step.arg) + 200)
        home, answered = self.conn, 0
        for i in range(int(step.arg)):
            self.conn = f"crowd{i}"
            self.request(language.Step(step.line, ">", ""))
            try:
                self.flush()
                answered += self.read_reply().startswith("action=")
            except (PlayError, OSError):
                break
        self.conn = home
        if answered != int(step.arg):
            self.miss(step, self.ident(step), step.arg, f"{answered} answers")

    def flood(self, step):
        """flood N name=value ...: N requests, {N} counts; any replies."""
        count, _, text = step.arg.partition(" ")
        for i in range(int(count)):
            self.request(language.Step(0, ">", text.replace("{N}", str(i))))
            if i % 20 == 19 or i == int(count) - 1:
                self.flush()
                for _ in range(i % 20 + 1):
                    self.read_reply()

    def raw(self, step):
        text = self.box.expand(step.arg)
        self.send(language.unescape(text.strip('"')).encode("latin-1"))

    def flush(self):
        if self.pending:
            data, self.pending = self.pending, b""
            self.send(data)

    def send(self, data):
        self.connect()
        self.log_mark = len(self.log)
        size = self.chunk or len(data)
        s = self.conns[self.conn]
        try:
            for i in range(0, len(data), size):
                s.sendall(data[i:i + size])
        except ConnectionError:
            pass                # what is read next tells

    def reply(self, step):
        pattern = self.box.expand(step.arg)
        got = self.read_reply()
        if not language.matches(pattern, got):
            self.miss(step, self.ident(step), pattern, got)

    def read_reply(self):
        """Returns one reply without its empty line."""
        name = self.conn
        if name not in self.buffers:
            raise PlayError("(not connected)")
        self.wait(lambda: b"\n\n" in self.buffers[name]
                  or self.conns.get(name) is None, "reply")
        reply, end, rest = self.buffers[name].partition(b"\n\n")
        self.buffers[name] = rest
        if end:
            return show(reply)
        self.buffers[name] = b""
        if self.dead():
            raise PlayError("(server died)")
        return "(closed)" + (show(reply) and f" after {show(reply)}")

    def closed(self, step):
        name = self.conn
        self.wait(lambda: self.conns.get(name) is None, "end of connection")
        del step

    # --------------------------------------------------- statements: the log

    def expect_log(self, step):
        self.flush()
        self.up()
        pattern = self.box.expand(step.arg)

        def find():
            for i, entry in enumerate(self.log):
                fresh = i >= self.log_mark or not \
                    self.daemon.decision.match(entry[0])
                if fresh and not entry[1] and \
                        language.matches(pattern, entry[0]):
                    entry[1] = True
                    return True
            return False
        try:
            self.wait(find, "such log line")
        except PlayError as e:
            late = [t for t, read in self.log[self.log_mark:] if not
                    (read or self.daemon.chatter.fullmatch(t))]
            self.miss(step, self.ident(step), pattern,
                      " | ".join(late) or str(e))

    def forbid(self, step):
        """no log PATTERN: checked over the whole log at the end."""
        word, _, pattern = step.arg.partition(" ")
        if word != "log":
            raise PlayError("'no' is followed by: log PATTERN")
        self.forbidden.append((step, self.box.expand(pattern)))

    HANDLERS = {
        "start": "start", "stop": "stop", "restart": "restart",
        "kill": "kill", "reload": "reload", "run": "run", "status": "status",
        "file": "file", "remove": "remove", "chmod": "chmod", "at": "at",
        "eol": "set_eol", "chunk": "set_chunk", "conn": "use",
        "hangup": "hangup", ">": "request", "raw": "raw", "<": "reply",
        "crowd": "crowd", "flood": "flood", "set": "reconfigure",
        "lock": "lock", "unlock": "unlock",
        "closed": "closed", "log": "expect_log", "no": "forbid",
    }


def show(data):
    """Bytes as text; what is not printable as \\xNN."""
    return "".join(chr(b) if 0x20 <= b < 0x7f else f"\\x{b:02x}"
                   for b in data)


def output_fits(want, got):
    """Whether each line fits its pattern; "..." stands for any lines."""
    if not want:
        return not got
    if want[0] == "...":
        return any(output_fits(want[1:], got[i:])
                   for i in range(len(got) + 1))
    return bool(got) and language.matches(want[0], got[0]) and \
        output_fits(want[1:], got[1:])
