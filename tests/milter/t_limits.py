#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Limits of the milter half, and peers that do not behave."""
import os
import random
import resource
import signal
import struct

from milterclient import Gone, Session, Wire
from milterrig import options, run

SENDER, RECIPIENT = "a@good.example", "u@example.net"
IDLE = 400


def do(*commands):
    return [("From", " a@good.example")] + [("X-Do", " " + c)
                                            for c in commands]


def works(t, milter, name):
    with Session(milter.address) as session:
        result = session.deliver(SENDER, [RECIPIENT], do())
    t.equal(result.action, "accept", name)


@options("--max-sessions=2")
def session_limit(t, milter):
    """sessions past the limit"""
    first, second, third = (Session(milter.address) for _ in range(3))
    for n in range(2):
        result = third.deliver(SENDER, [RECIPIENT], do())
        t.equal((result.step, result.reply), ("M",
                "451 4.3.2 Too many sessions at once - try again later"),
                f"the third is told so at MAIL, {n}")
    for session in first, second:
        result = session.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.action, "accept", "the others go on")
    first.close()
    milter.wait_figures(open=2, refused=1)
    result = third.deliver(SENDER, [RECIPIENT], do())
    t.equal(result.action, "accept", "and it too, when there is room")
    with Session(milter.address) as fourth:
        result = fourth.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.action, "tempfail", "its place counts")
    second.close()
    third.close()
    t.equal(milter.wait_figures(open=0)["sessions"], 4, "sessions")
    works(t, milter, "nothing is left")


@options("--max-messages=1")
def message_limit(t, milter):
    """messages past the limit"""
    with Session(milter.address) as busy, Session(milter.address) as other:
        busy.envelope(SENDER, [RECIPIENT])
        busy.send_header(do())
        milter.wait_figures(under_way=1)
        result = other.deliver(SENDER, [RECIPIENT], do(), b"x" * 500000)
        t.equal(result.reply, "451 4.3.2 Too many messages at once"
                              " - try again later", "the second")
        t.equal(result.edits, [], "without edits")
        busy.body(b"end")
        t.equal(busy.eom().action, "continue", "the first goes on")
        result = other.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.action, "accept", "then there is room")
        other.envelope(SENDER, [RECIPIENT])
        other.send_header(do())
        other.body(b"half")
    figures = milter.wait_figures(open=0, under_way=0)
    t.equal((figures["messages"], figures["refused"]), (3, 1), "figures")
    works(t, milter, "nothing is left")


@options("--max-fields=5", "--max-field-bytes=1000", "--max-recipients=2")
def message_limits(t, milter):
    """what a message may have"""
    with Session(milter.address) as session:
        def deliver(recipients, *fields):
            return session.deliver(SENDER, recipients, fields)
        fields = [("X-A", f" {n}") for n in range(7)]
        result = deliver([RECIPIENT], *fields[:5])
        t.equal(result.inserted("X-Header"), ["5"], "so many fields")
        result = deliver([RECIPIENT], *fields[:6])
        t.equal(result.inserted("X-Header"), ["5 CUT"], "one too many")
        long = ("Long", " " + "x" * 989)
        result = deliver([RECIPIENT], ("X-A", " 1"), long)
        t.equal(result.inserted("X-Header"), ["2"], "so many bytes")
        result = deliver([RECIPIENT], ("X-A", " 123"), long, ("X-B", " 3"))
        t.equal(result.inserted("X-Header"), ["1 CUT"],
                "all is missing from the first that does not fit")
        result = deliver(["a@b.test", "c@d.test", "e@f.test"])
        t.equal(result.inserted("X-Recipients"),
                ["<a@b.test><c@d.test> CUT"], "recipients")
        result = deliver(["a@b.test"], ("X-A", " " + "x" * 200000))
        t.equal(result.inserted("X-Header"), ["0 CUT"],
                "a field longer than Postfix's")


@options("--max-sessions=1000")
def idle_sessions(t, milter):
    """many sessions take few threads"""
    sessions = [Session(milter.address) for _ in range(IDLE)]
    figures = milter.reload()
    t.equal(figures["open"], IDLE, "open")
    t.ok(milter.threads() < 60, f"threads for {IDLE} sessions",
         str(milter.threads()))
    for session in sessions[::37]:
        result = session.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.action, "accept", "each is served")
    for session in sessions:
        session.close()
    milter.wait_figures(open=0)


def probes(t, milter):
    """peers that only connect"""
    for n in range(50):
        Wire(milter.address).close()
    works(t, milter, "served after them")
    t.equal(milter.wait_figures(open=0)["sessions"], 1, "they do not count")


def garbage(t, milter):
    """peers that speak something else"""
    junk = random.Random(4)
    for data in (b"GET / HTTP/1.0\r\n\r\n", b"EHLO x\r\n", b"\0" * 64,
                 b"\xff" * 64, struct.pack(">I", 0),
                 *(junk.randbytes(junk.randrange(1, 200))
                   for _ in range(100))):
        with Wire(milter.address) as wire:
            try:
                wire.raw(data)
            except Gone:
                pass
    works(t, milter, "served after them")
    milter.wait_figures(open=0)


def lies(t, milter):
    """wrong lengths and broken commands"""
    cases = {"a length over all limits": ("L", b"", 1 << 30),
             "a length with the sign bit": ("L", b"", 0xfffffff0),
             "a field without an end": ("L", b"Subject", None),
             "a field without a value": ("L", b"Subject\0", None),
             "a command that is none": ("x", b"abc", None),
             "no arguments": ("M", b"", None),
             "an address that is none": ("C", b"x\0004\0\1nonsense\0", None),
             "a family that is none": ("C", b"x\0009\0\1192.0.2.1\0", None),
             "a short negotiation": ("O", b"\0\0\0\6", None)}
    for name, (letter, data, length) in cases.items():
        with Wire(milter.address) as wire:
            if letter != "O":
                wire.negotiate()
            if letter == "L":
                wire.connect()
                wire.mail(f"<{SENDER}>")
                wire.rcpt(f"<{RECIPIENT}>")
            try:
                wire.packet(letter, data, length)
                if length is None:
                    wire.eom()
            except Gone:
                pass
            t.ok(wire.is_gone() or length, name + ": hung up")
    works(t, milter, "served after them")
    milter.wait_figures(open=0, under_way=0)


def cut_off(t, milter):
    """peers that go at any point"""
    recorded = []

    class Recorder(Session):
        def raw(self, data):
            recorded.append(data)
            super().raw(data)
    with Recorder(milter.address) as session:
        session.deliver(SENDER, [RECIPIENT], do())
    stream = b"".join(recorded[:-1])
    for end in range(1, len(stream), 7):
        with Wire(milter.address) as wire:
            try:
                wire.raw(stream[:end])
            except Gone:
                pass
    works(t, milter, "served after them")
    figures = milter.wait_figures(open=0, under_way=0)
    t.equal(figures["begun"], figures["done"], "no message is left")


@options("--timeout=1")
def half_command(t, milter):
    """a peer that stops in the middle of a command"""
    for data in b"\0", b"\0\0\0\x0dO\0\0\0":
        with Wire(milter.address) as wire:
            wire.raw(data)
            t.ok(wire.is_gone(), "hung up")
    works(t, milter, "served after them")


def no_negotiation(t, milter):
    """a peer that does not negotiate"""
    with Wire(milter.address) as wire:
        wire.macros("M", {"{mail_addr}": SENDER})
        wire.packet("M", b"<x>\0")
        t.equal(wire.answer().action, "continue", "MAIL")
        wire.macros("R", {"{rcpt_addr}": RECIPIENT})
        wire.packet("R", b"<x>\0")
        t.equal(wire.answer().action, "continue", "RCPT")
        wire.packet("N")
        t.equal(wire.answer().action, "continue", "end of header")
        t.equal(wire.eom().action, "tempfail",
                "nothing was agreed, so no edits, so no mail")
    milter.wait_figures(open=0, under_way=0)


def descriptors(t, milter):
    """more connections than descriptors, and SIGTERM then"""
    def used():
        return len(os.listdir(f"/proc/{milter.process.pid}/fd"))
    limit = used() + 20
    resource.prlimit(milter.process.pid, resource.RLIMIT_NOFILE,
                     (limit, limit))
    wires = [Wire(milter.address) for _ in range(50)]
    for wire in wires[:10]:
        wire.negotiate()
    for wire in wires[5:]:
        wire.close()
    with Session(milter.address) as session:
        result = session.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.action, "accept", "served when some are gone")
        wires += [Wire(milter.address) for _ in range(50)]
        while used() < limit:
            pass
        milter.kill(signal.SIGTERM)
        milter.wait_log("stopping")
        result = session.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.action, "accept", "an open session goes on")
    late = Wire(milter.address)
    for wire in wires:
        wire.close()
    t.equal(milter.wait(), 0, "exit status")
    milter.start()
    late.negotiate()
    t.ok(late.steps, "the successor serves who came last")
    late.close()


@options(tcp=True)
def over_tcp(t, milter):
    """over TCP"""
    works(t, milter, "served")


run([session_limit, message_limit, message_limits, idle_sessions, probes,
     garbage, lies, cut_off, half_command,
     no_negotiation, descriptors, over_tcp])
