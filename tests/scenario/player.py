# SPDX-License-Identifier: ISC
"""player.py - plays one scenario against one daemon: the statements."""
import collections
import os
import shlex
import signal
import sqlite3
import subprocess
import time

from scenario import daemons, story as language
from scenario.stage import PlayError, Resolver, Stage, limit_files

Mismatch = collections.namedtuple("Mismatch", "line ident want got")


class Player(Stage):
    """Plays one story. After play(), mismatches holds what went wrong."""

    # statements before which a request stays pending
    QUIET = (">", "log", "no")

    def __init__(self, story, daemon, keep=False, trace=None):
        super().__init__(story, daemon, trace or (lambda text: None))
        self.keep = keep
        self.mismatches, self.counts = [], collections.Counter()
        self.base = self.now = int(time.time())
        self.box.variables["NOW"] = str(self.now)
        self.log_mark, self.forbidden = 0, []
        self.conn, self.addresses = "a", {}
        self.pending, self.last, self.serial = b"", None, 0
        self.unread = collections.Counter()
        self.eol, self.chunk = "\n", 0
        self.exit_status = self.locked = None

    # ------------------------------------------------------------ the play

    def play(self):
        """Plays all steps, ends the daemon, looks for leftovers."""
        step = None
        try:
            for step in self.story.steps:
                self.trace(f"{step.line}: {step}")
                self.counts[step.verb] += 1
                if step.verb not in self.QUIET:
                    self.flush()
                if step.verb not in self.HANDLERS:
                    raise PlayError(f"{self.daemon.name} knows no such thing")
                getattr(self, self.HANDLERS[step.verb])(step)
            self.flush()
            self.finish()
        except (PlayError, language.StoryError, OSError) as e:
            at_start = step is None or str(e).startswith("(ended")
            ident = "start" if at_start else self.ident(step)
            self.miss(step, ident, str(step or "start"), str(e))
            self.put_down()
        finally:
            self.clean(self.keep)
        return self.mismatches

    def ident(self, step):
        """Names a step: its kind and how many of its kind came so far."""
        kind = {"<": "reply", ">": "request", "+": "added", "-": "removed",
                }.get(step.verb, step.verb)
        return f"{kind} {self.counts[step.verb]}"

    def miss(self, step, ident, want, got):
        line = step.line if step else 0
        self.mismatches.append(Mismatch(line, ident, want, got))
        self.trace(f"   MISMATCH {ident}: got {got}")

    def finish(self):
        """Ends the daemon and looks for what nobody asked for."""
        if self.daemon.stop_status is None:
            self.put_down()
        else:
            self.stop(None)
        if self.resolver:
            for question in self.resolver.stop():
                self.miss(None, "leftover dns", "names of the zone only",
                          question)
            self.resolver = None
        while self.select.select(0):
            self.take_in(0)
        for name, data in self.buffers.items():
            if data or self.unread[name]:
                self.miss(None, "leftover reply", "every reply is read",
                          f"connection {name}: {self.unread[name]} unread "
                          f"{show(data)}")
        for text, read in self.log:
            if not (read or self.daemon.decision.match(text)
                    or self.daemon.chatter.fullmatch(text)):
                self.miss(None, "leftover log", "nothing", text)
            for step, pattern in self.forbidden:
                if language.matches(pattern, text):
                    self.miss(step, "no log", str(step), text)

    # ----------------------------------------------- statements: processes

    def start(self, step):
        """start, or: start fails STATUS"""
        if not step.arg:
            self.up()
            return
        self.launch()
        self.wait(lambda: self.process.poll() is not None,
                  "end of the daemon", 0.005)
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
        before, mark = self.notified.count("READY=1"), len(self.log)
        self.process.send_signal(signal.SIGHUP)

        def reloaded():
            if self.daemon.stop_status is None:
                self.poke()
            if self.process.poll() is not None:
                raise PlayError("(server died)")
            # A log line may be late, and then be taken for the next one's.
            if self.daemon.notifies:
                return self.notified.count("READY=1") > before
            return any(self.daemon.reloaded.fullmatch(t)
                       for t, _ in self.log[mark:])
        self.wait(reloaded, "reload", 0.02)

    def run(self, step):
        """Runs a tool; the "|" lines must match its output, line by line."""
        argv = shlex.split(self.box.expand(step.arg))
        # A program that changed its user cannot be searched for leaks.
        env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
        done = subprocess.run(
            self.daemon.tool(self.box, argv), cwd=self.box.dir, text=True,
            env=env if self.box.user else None,
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

    def dns(self, step):
        """Starts a DNS server with the lines below as its zone."""
        if self.resolver or self.process:
            raise PlayError("dns stands once, before the daemon starts")
        self.resolver = Resolver(self.box,
                                 [self.box.expand(b) for b in step.body])

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
        path = self.box.path(self.daemon.database)
        if not os.path.exists(path):
            self.up()
        self.locked = sqlite3.connect(path, isolation_level=None)
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
        """Opens the connection in use, once; it may be closed by now."""
        self.up()
        if self.conn not in self.conns:
            self.join(self.conn, self.addresses.get(self.conn, self.home))

    def hangup(self, step):
        del step
        self.unread[self.conn] = 0
        self.part(self.conn)

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
        self.unread[self.conn] += 1
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
        self.take_in(0)
        s = self.conns[self.conn]
        if s is None:
            raise PlayError("(server died)" if self.dead() else "(closed)")
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
        self.unread[name] = max(0, self.unread[name] - 1)
        if end:
            return show(reply)
        self.buffers[name] = b""
        if self.dead():
            raise PlayError("(server died)")
        return "(closed)" + (show(reply) and f" after {show(reply)}")

    def closed(self, step):
        name = self.conn
        self.wait(lambda: self.conns.get(name) is None, "end of connection")
        self.unread[name] = 0
        del step

    # --------------------------------------------------- statements: the log

    def expect_log(self, step):
        self.flush()
        if self.command is None:
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
            self.wait(find, "such log line", limit=self.daemon.log_wait)
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
        "file": "file", "dns": "dns", "remove": "remove", "chmod": "chmod", "at": "at",
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
