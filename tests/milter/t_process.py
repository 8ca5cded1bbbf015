#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The milter half as a process: signals, reload, drain, restart."""
import os
import signal
import socket
import threading
import time

from milterclient import Gone, Session, Wire
from milterrig import TOOLDIR, options, run

SENDER, RECIPIENT = "a@good.example", "u@example.net"
CLIENTS, RESTARTS, BETWEEN = 6, 4, 60
HUPS, USR1S = 3000, 1000


def do(*commands):
    return [("From", " a@good.example")] + [("X-Do", " " + c)
                                            for c in commands]


def deliver(session, *commands):
    return session.deliver(SENDER, [RECIPIENT], do(*commands))


class Load:
    """Clients that send mail all the time, in sessions of some messages."""

    def __init__(self, milter, *commands):
        self.milter, self.commands = milter, commands
        self.results = []
        self._enough, self._over = threading.Semaphore(0), threading.Event()
        self._threads = [threading.Thread(target=self._run)
                         for _ in range(CLIENTS)]
        for thread in self._threads:
            thread.start()

    def _run(self):
        while not self._over.is_set():
            try:
                with Session(self.milter.address) as session:
                    for _ in range(5):
                        result = deliver(session, *self.commands)
                        self.results.append(result.action)
                        self._enough.release()
            except (Gone, OSError) as why:
                self.results.append(repr(why))
                self._enough.release()

    def wait(self, count):
        for _ in range(count):
            if not self._enough.acquire(timeout=30):
                raise RuntimeError("no more mail")

    def end(self):
        self._over.set()
        for thread in self._threads:
            thread.join()
        return self.results


def storm(t, milter):
    """thousands of SIGHUP and SIGUSR1"""
    load = Load(milter)
    for _ in range(HUPS // 3):
        for number in (signal.SIGHUP, signal.SIGHUP, signal.SIGHUP,
                       signal.SIGUSR1):
            os.kill(milter.process.pid, number)
    load.wait(50)
    results = load.end()
    t.equal(set(results), {"accept"}, "mail passes meanwhile")
    t.ok(milter.process.poll() is None, "it lives")
    since = milter.mark()
    milter.kill(signal.SIGHUP)
    milter.wait_log("^reloaded", since)
    t.ok(True, "it reloads")
    figures = milter.wait_figures(open=0)
    t.ok(figures["sessions"] > 0, "and serves")


def drain(t, milter):
    """SIGTERM with a session open, and its successor"""
    session = Session(milter.address)
    session.envelope(SENDER, [RECIPIENT])
    session.send_header(do())
    milter.wait_figures(under_way=1)
    milter.kill(signal.SIGTERM)
    milter.wait_log("stopping")
    waiting = []

    def later():
        with Session(milter.address) as late:
            waiting.append(deliver(late).action)
    thread = threading.Thread(target=later)
    thread.start()
    session.body(b"Hello.\r\n")
    result = session.eom()
    t.equal(result.inserted("X-Body"), ["8 8"], "the message is finished")
    t.equal(deliver(session).action, "accept", "and one more")
    t.equal(waiting, [], "a new connection waits")
    session.close()
    t.equal(milter.wait(), 0, "exit status")
    milter.start()
    thread.join()
    t.equal(waiting, ["accept"], "the successor serves it")


def silent(t, milter):
    """SIGTERM with a connection that has not spoken"""
    def descriptors():
        return len(os.listdir(f"/proc/{milter.process.pid}/fd"))
    with Session(milter.address) as session:
        deliver(session)
    milter.wait_figures(open=0)
    before = descriptors()
    with Wire(milter.address) as wire:
        while descriptors() == before:
            pass
        milter.kill(signal.SIGTERM)
        milter.wait_log("stopping")
        time.sleep(0.5)     # nothing is to happen
        wire.negotiate()
        wire.quit()
    t.equal(milter.wait(), 0, "it was waited for")


silent_tcp = options(tcp=True)(lambda *all: silent(*all))
silent_tcp.__doc__ = silent.__doc__ + ", over TCP"


@options("--max-messages=1000")
def restarts(t, milter):
    """restarts under load, the socket handed over"""
    load = Load(milter, "late 10")
    for n in range(RESTARTS):
        load.wait(BETWEEN)
        t.equal(milter.stop(), 0, f"exit status {n}")
        milter.start()
    load.wait(BETWEEN)
    results = load.end()
    t.equal([r for r in results if r != "accept"], [],
            f"none of {len(results) // 100 * 100} and more is deferred")


def progress(t, milter):
    """a slow end says that it is at work"""
    with Session(milter.address) as session:
        session.envelope(SENDER, [RECIPIENT])
        session.send_header(do("wait"))
        session.packet("E")
        letters = [session.read()[0] for _ in range(5)]
        t.equal(letters, ["p"] * 5, "meanwhile")
        milter.reload()
        result = session.answer()
        t.equal(result.action, "continue", "the verdict in the end")
        session.envelope(SENDER, [RECIPIENT])
        session.send_header(do("wait"))
        since = milter.mark()
        session.packet("E")
        milter.wait_log("waiting for a reload", since)
    milter.wait_log("nobody waits any more", since)
    t.ok(True, "it learns that the server is gone")
    milter.wait_figures(open=0, under_way=0)


def twice(t, milter):
    """SIGTERM twice does not wait for sessions"""
    with Session(milter.address) as idle, Session(milter.address) as half, \
            Session(milter.address) as busy:
        deliver(idle)
        half.envelope(SENDER, [RECIPIENT])
        half.send_header(do())
        half.body(b"half")
        busy.envelope(SENDER, [RECIPIENT])
        busy.send_header(do("wait", "late 300"))
        busy.packet("E")
        milter.wait_log("waiting for a reload")
        milter.kill(signal.SIGTERM)
        milter.wait_log("stopping")
        milter.kill(signal.SIGTERM)
        milter.wait_log("nobody waits any more")
        try:
            deliver(idle)
            t.ok(False, "nothing new is begun")
        except Gone:
            t.ok(True, "nothing new is begun")
        result = busy.answer()
        t.equal(result.action, "continue", "what is being judged is finished")
        t.equal(milter.wait(), 0, "exit status")
        t.equal(milter.find("closed: begun=(.) done=(.)")[0].groups(),
                ("3", "3"), "the half message was ended")
        t.ok(half.is_gone() and idle.is_gone(), "the others are cut off")


def watchdog(t, milter):
    """systemd's watchdog is fed"""
    t.equal(milter.stop(), 0, "exit status")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
        notices.bind(milter.folder + "/notify")
        notices.settimeout(30)
        milter.start(NOTIFY_SOCKET=milter.folder + "/notify",
                     WATCHDOG_USEC="20000")
        got = [notices.recv(4096).decode() for _ in range(4)]
    t.ok(got[0].startswith("READY=1"), "ready", str(got))
    t.equal(got[1:], ["WATCHDOG=1"] * 3, "again and again")


def before_the_loop(t, milter):
    """each signal that ends it"""
    for number in signal.SIGINT, signal.SIGQUIT, signal.SIGTERM:
        with Session(milter.address) as session:
            deliver(session)
        t.equal(milter.stop(number), 0, signal.Signals(number).name)
        milter.start()


def interposed(t, milter):
    """libmilter finds our sigwait before the C library's"""
    with open(TOOLDIR + "/testmilter", "rb") as f:
        t.ok(b"\0sigwait\0" in f.read(), "it is among the dynamic symbols")
    with open(f"/proc/{milter.process.pid}/task/{milter.process.pid}/status",
              encoding="ascii") as f:
        blocked = next(int(line.split()[1], 16) for line in f
                       if line.startswith("SigBlk"))
    for number in signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1:
        t.ok(blocked >> (number - 1) & 1, f"{number.name} is for signalfd")


run([storm, drain, silent, silent_tcp, restarts, progress, twice,
     watchdog, before_the_loop, interposed])
