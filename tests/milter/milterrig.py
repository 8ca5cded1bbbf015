# SPDX-License-Identifier: ISC
"""testmilter under our command, with a socket handed over as by systemd.

    with Milter("--max-sessions=2") as milter:
        with Session(milter.address) as session: ...
        milter.kill(signal.SIGHUP)
        milter.wait_log("reloaded")

The listening socket is ours and lives through restart().  At the end the
milter must exit with status 0, have called done for every message, and have
said nothing that a sanitizer says.
"""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
sys.path.insert(0, ROOT + "/tests/system")
from tap import Tap                                         # noqa: E402

TOOLDIR = os.environ.get("TOOLDIR", ROOT + "/build/t")
PATIENCE = 30.0                 # seconds; then the machine is broken
TROUBLE = re.compile(r"Sanitizer|runtime error|Assertion|giving up")


class Milter:
    def __init__(self, *options, tcp=False):
        self.folder = tempfile.mkdtemp()
        self.options = options
        self.lines = []
        self._arrived = threading.Condition()
        if tcp:
            self.listener = socket.create_server(("127.0.0.1", 0))
            self.address = "inet:127.0.0.1:%d" % self.listener.getsockname()[1]
        else:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(self.folder + "/socket")
            self.listener.listen(512)
            self.address = f"unix:{self.folder}/socket"
        self.start()

    def start(self, **environment):
        """Returns when it is ready; the socket is descriptor 3."""
        since = len(self.lines)
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"',
             TOOLDIR + "/testmilter", "--user=root", *self.options],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, pass_fds=(3,),
            env={**os.environ, **environment},
            preexec_fn=lambda: os.dup2(self.listener.fileno(), 3))
        self._reader = threading.Thread(
            target=self._read, args=(self.process.stderr,), daemon=True)
        self._reader.start()
        self.wait_log("is ready", since)

    def _read(self, stream):
        for line in stream:
            with self._arrived:
                self.lines.append(line.decode(errors="replace").rstrip())
                self._arrived.notify_all()
        with self._arrived:
            self._arrived.notify_all()

    def mark(self):
        return len(self.lines)

    def find(self, regex, since=0):
        return [m for m in map(re.compile(regex).search, self.lines[since:])
                if m]

    def wait_log(self, regex, since=0, times=1):
        """Until so many lines match; returns the last match."""
        with self._arrived:
            if not self._arrived.wait_for(
                    lambda: len(self.find(regex, since)) >= times, PATIENCE):
                raise RuntimeError(f"no /{regex}/ in\n"
                                   + "\n".join(self.lines))
            return self.find(regex, since)[times - 1]

    def kill(self, number):
        self.process.send_signal(number)

    def reload(self):
        """Reload; returns the figures that it logs."""
        since = self.mark()
        self.kill(signal.SIGUSR1)
        self.wait_log("^reloaded", since)
        line = self.wait_log("sessions=.*", since).group()
        return {name: int(value) for name, value in
                (pair.split("=") for pair in line.split())}

    def wait_figures(self, **wanted):
        """Until the figures are these; returns the last ones."""
        end = time.monotonic() + PATIENCE
        while True:
            figures = self.reload()
            if all(figures[name] == value for name, value in wanted.items()):
                return figures
            if time.monotonic() > end:
                raise RuntimeError(f"{wanted} wanted, {figures} got")
            time.sleep(0.02)

    def threads(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(r"Threads:\s+(\d+)", f.read()).group(1))

    def stop(self, number=signal.SIGTERM):
        """Ends it; returns the exit status."""
        if self.process.poll() is None:
            self.kill(number)
        return self.wait()

    def wait(self):
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status

    def verdict(self, status):
        """What is wrong after the end, as text; "" when nothing is."""
        wrong = [] if status == 0 else [f"exit status {status}"]
        wrong += [line for line in self.lines if TROUBLE.search(line)]
        wrong += [f"begun {m.group(1)}, done {m.group(2)}" for m in
                  self.find(r"closed: begun=(\d+) done=(\d+)")
                  if m.group(1) != m.group(2)]
        return "\n".join(wrong)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.wait()
        self.listener.close()
        shutil.rmtree(self.folder)


def run(tests):
    """Each test is (t, milter) with its options in test.options; TAP."""
    t = Tap()
    for test in tests:
        t.begin(test.__doc__)
        with Milter(*getattr(test, "options", ()),
                    tcp=getattr(test, "tcp", False)) as milter:
            try:
                test(t, milter)
                wrong = milter.verdict(milter.stop())
                t.ok(not wrong, "a clean end", wrong)
            except Exception as why:
                t.ok(False, "no exception", f"{type(why).__name__}: {why}")
                t.note("\n".join(milter.lines[-40:]))
    sys.exit(t.end())


def options(*words, tcp=False):
    """The milter's options for a test."""
    def mark(test):
        test.options, test.tcp = words, tcp
        return test
    return mark
