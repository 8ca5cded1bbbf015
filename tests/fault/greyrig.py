# SPDX-License-Identifier: ISC
"""A greylistd under our command: start, ask, wait for a line of its log."""
import os
import pathlib
import signal
import socket
import subprocess
import time

from storerig import ROOT

BINDIR = pathlib.Path(os.environ.get("BINDIR", ROOT / "build/bin"))
DELAY = 60
WAIT_S = 20


class Greylistd:
    """One daemon with its database in folder; its clock is ours to move."""

    def __init__(self, folder, *options, user="root"):
        self.folder = pathlib.Path(folder)
        self.database = self.folder / "db" / "greylist.db"
        self.socket_path = self.folder / "socket"
        self.log_path = self.folder / "log"
        self.now = 1_800_000_000
        self.options = [f"--listen=unix:{self.socket_path}",
                        f"--database={self.database}", f"--delay={DELAY}",
                        "--test-clock", f"--user={user}",
                        f"--whitelist-clients={self.folder}/none.local",
                        f"--whitelist-recipients={self.folder}/none.local",
                        *options]
        self.database.parent.mkdir(exist_ok=True)
        self.start()

    def start(self):
        seen = self.log().count(" is ready")
        self.process = subprocess.Popen(
            [BINDIR / "greylistd", *self.options], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=open(self.log_path, "ab"))
        self.wait(lambda: self.log().count(" is ready") > seen, "the start")
        self.connection = None

    def log(self):
        try:
            return self.log_path.read_text(errors="replace")
        except FileNotFoundError:
            return ""

    def wait(self, condition, what):
        """Until condition() holds; a daemon that ended will never fulfil it."""
        end = time.monotonic() + WAIT_S
        while not condition():
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"waited for {what}; the log:\n"
                                   + self.log())
            time.sleep(0.01)

    def wait_log(self, text, times=1):
        self.wait(lambda: self.log().count(text) >= times, f"'{text}'")

    def ask(self, who, address="192.0.2.1"):
        """The action for a message of sender `who`."""
        if self.connection is None:
            self.connection = socket.socket(socket.AF_UNIX)
            self.connection.settimeout(WAIT_S)
            self.connection.connect(str(self.socket_path))
        self.connection.sendall((
            "request=smtpd_access_policy\nprotocol_state=RCPT\n"
            f"client_address={address}\nclient_name=mx.example.com\n"
            f"sender={who}@example.com\nrecipient=b@example.net\n"
            f"etrn_domain=\ninstance={who}\npolicy_test_time={self.now}\n\n"
        ).encode())
        reply = b""
        while not reply.endswith(b"\n\n"):
            more = self.connection.recv(4096)
            if not more:
                raise ConnectionError("closed without a reply")
            reply += more
        return reply.decode().removeprefix("action=").strip()

    def deferred(self, who, **more):
        return self.ask(who, **more).startswith("DEFER_IF_PERMIT 4.2.0")

    def passed(self, who, **more):
        return self.ask(who, **more).split(" ")[0] in ("DUNNO", "PREPEND")

    def later(self, seconds=DELAY + 1):
        self.now += seconds

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.connection = None

    def stop(self):
        """Ends it in good order and returns its exit status."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(WAIT_S)
        self.connection = None
        return status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.kill()
