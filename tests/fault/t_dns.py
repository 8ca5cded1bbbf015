#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""common/dns against name servers that misbehave."""
import os
import pathlib
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dns.dnsrig import (DNSASK, ROOT, Asker, FaultDns, Nsd,  # noqa: E402
                        can_sign, sign)
from fault.storerig import Tap  # noqa: E402

BINDIR = os.environ.get("BINDIR", ROOT / "build/bin")

ZONE = """
good.example A 192.0.2.1
good.example AAAA 2001:db8::1
good.example MX 10 mx.example
good.example TXT "v=spf1 " "-all"
nul.example TXT "a\\000b\\255"
mx.example MX 0 .
ptr.example PTR a\\000b\\.c.example
c1.example CNAME c2.example
c2.example CNAME good.example
gone.example CNAME nowhere.example
a.loop CNAME b.loop
b.loop CNAME a.loop
o\\032\\092d\\255d.example A 192.0.2.9
good.test A 192.0.2.2
good.signed.test A 192.0.2.1
1.0.0.10.in-addr.arpa PTR host.example
large.example TXT *3000
large64k.example TXT *64000
truncated.example !truncated
truncated.example A 192.0.2.3
cut.example !cut
cut.example A 192.0.2.4
servfail.example !servfail
refused.example !refused
formerr.example !formerr
garbage.example !garbage
wrongid.example !wrongid
wrongid.example A 192.0.2.5
nxdomain.example !nxdomain
nxdomain.example A 192.0.2.6
empty.example !empty
empty.example A 192.0.2.7
late.example !delay 1
late.example A 192.0.2.8
*.dead !never
*.slow !delay 0.1
"""

TEMPORARY = ("temporary failure",)
KINDS = [
    ("good.example", "A", ("found", "192.0.2.1")),
    ("good.example", "AAAA", ("found", "2001:db8::1")),
    ("good.example", "MX", ("found", "10 mx.example")),
    ("good.example", "TXT", ("found", "v=spf1 -all")),
    ("good.example", "PTR", ("no data",)),
    ("nul.example", "TXT", ("found", "a%00b%FF")),
    ("mx.example", "MX", ("found", "0 ")),
    ("ptr.example", "PTR", ("found", "a\\000b\\046c.example")),
    ("c1.example", "A", ("found", "192.0.2.1")),
    ("c1.example", "PTR", ("no data",)),
    ("gone.example", "A", ("no such name",)),
    ("o%20%5cd%ffd.example", "A", ("found", "192.0.2.9")),
    ("good.test", "A", ("found", "192.0.2.2")),
    ("none.test", "A", ("no such name",)),
    ("1.0.0.10.in-addr.arpa", "PTR", ("found", "host.example")),
    ("truncated.example", "A", ("found", "192.0.2.3")),
    ("nxdomain.example", "A", ("no such name",)),
    ("empty.example", "A", ("no data",)),
    ("late.example", "A", ("found", "192.0.2.8")),
    ("servfail.example", "A", TEMPORARY),
    ("refused.example", "A", TEMPORARY),
    ("formerr.example", "A", TEMPORARY),
    ("garbage.example", "A", TEMPORARY),
    ("wrongid.example", "A", TEMPORARY),
    ("cut.example", "A", TEMPORARY),
    ("a.loop", "A", TEMPORARY),
    ("one.dead", "A", TEMPORARY),
]


def test_kinds(tap, server):
    """One after the other: each must leave the next one alone."""
    with Asker(server.address, args=("-t", 3000)) as asker:
        for name, kind, want in KINDS:
            got = asker.ask(name, kind)
            tap.ok(got == want, f"{name} {kind}: {want[0]}", got)
        for name, size in (("large.example", 3000),
                           ("large64k.example", 64000)):
            got = asker.ask(name, "TXT")
            tap.ok(got[0] == "found" and len(got[1]) == size,
                   f"a text of {size}", got[0])
        tap.ok(any(q["tcp"] for q in server.queries("large64k.example")),
               "came by TCP")
        got = asker.ask("good.example", "A")
        tap.ok(got[0] == "found", "a good name after all that", got)
        got = asker.figures()
        tap.ok(got["open"] == 0 and got["temporary"] == 8,
               "the figures agree", got)
        status, said = asker.close()
        tap.ok((status, said) == (0, ""), "and it says nothing", said)


def test_one_turn(tap, server):
    """A cached answer comes after dns_ask has returned, not before."""
    with Asker(server.address) as asker:
        asker.ask("good.example", "A")
        asker.send("ask a good.example A", "ask b good.example A", "echo c")
        got = [asker.answer() for _ in range(3)]
        tap.ok(got == [("echo", "c"), ("a", "found", "192.0.2.1"),
                       ("b", "found", "192.0.2.1")],
               "cached, asked twice in one turn", got)
        asker.send("again 2000 a good.example A")
        got = asker.answer()
        tap.ok(got == ("a", "found", "192.0.2.1"),
               "2000 questions, each from the callback before", got)
        before = len(server.queries("late.example"))
        asker.send(*(f"ask {i} late.example A" for i in range(20)))
        got = {asker.answer()[1:] for _ in range(20)}
        tap.ok(got == {("found", "192.0.2.8")}, "20 equal questions", got)
        got = len(server.queries("late.example")) - before
        tap.ok(got == 1, "asked once", got)
        asker.send("ask a x.dead A", "ask b good.example A", "cancel a",
                   "cancel b", "ask c good.example A")
        got = asker.answer()
        tap.ok(got[0] == "c", "cancelled ones do not answer", got)
        tap.ok(asker.figures()["open"] == 0, "none is open")


def test_crowd(tap, server):
    """More at once than libunbound takes by default, each 0.1 s late."""
    with Asker(server.address) as asker:
        got = asker.figures("many 3000 slow A")
        tap.ok(got["no_name"] == 3000, "3000 questions at once", got)


def good_after_dead(asker):
    """Answers to six good names that nobody knows yet."""
    asker.send(*(f"ask good {i}.slow A" for i in range(6)))
    got = []
    while len(got) < 6 and (answer := asker.answer()):
        got += [answer[1:]] if answer[0] == "good" else []
    return got


def test_dead_names(tap, server, other):
    """Names that never answer. The forwarders would be taken for dead after
    20 s of these, and good names would fail unasked."""
    args = ("-t", 10000)
    with Asker(server.address, args=args) as one, \
            Asker(server.address, other.address, args=args) as two:
        for asker in (one, two):
            asker.ask("good.example", "A")
        for i in range(88):
            for asker in (one, two):
                asker.send(f"ask dead {i}.dead A")
            time.sleep(0.25)
        for asker, name in ((one, "the forwarder"), (two, "both")):
            got = good_after_dead(asker)
            tap.ok(got == [("no such name",)] * 6,
                   f"dead names do not count against {name}", got)


def test_dead_forwarder(tap, server):
    """One of two is dead: each question is answered in time."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        dead = f"127.0.0.1@{silent.getsockname()[1]}"
        with Asker(dead, server.address) as asker:
            got = [asker.ask(f"{i}.slow", "A") for i in range(10)]
            got += good_after_dead(asker)
    tap.ok(set(got) == {("no such name",)}, "a dead one of two forwarders",
           got)


def test_dead_server(tap):
    """Nobody answers: every question fails in time, memory is bounded."""
    with FaultDns("* !never\n*.a !never\n") as server, \
            Asker(server.address, args=("-t", 500)) as asker:
        asker.ask("x.a", "A")
        small = asker.memory()
        for _ in range(3):
            got = asker.figures("many 15000 a A")
        tap.ok(got["temporary"] == 45001 and got["open"] == 0,
               "45,000 questions to a dead server", got)
        grown = asker.memory() - small
        tap.note(f"{grown // 1024} MiB more")
        tap.ok(grown < 256 * 1024, "memory is bounded", grown)


def test_server_returns(tap):
    with FaultDns(ZONE) as server, \
            Asker(server.address, args=("-t", 3000)) as asker:
        server.stop()
        got = asker.ask("good.example", "A")
        tap.ok(got == TEMPORARY, "a server that is gone", got)
        server.restart()
        got = asker.ask("good.example", "A")
        tap.ok(got[0] == "found", "is back at once when it is back", got)


def test_cache(tap, server):
    with Asker(server.address, args=("-c", 1 << 20)) as asker:
        asker.ask("good.example", "A")
        for i in range(20):
            asker.figures(f"many 250 {i}.fill A")
        small = asker.memory()
        for i in range(20, 80):
            asker.figures(f"many 250 {i}.fill A")
        grown = asker.memory() - small
        tap.ok(grown < 4096, "15,000 more names in a cache of 1 MiB", grown)
        before = len(server.queries("good.example"))
        asker.ask("good.example", "A")
        got = len(server.queries("good.example")) - before
        tap.ok(got == 1, "the oldest were forgotten", got)


def output(*command, **env):
    return subprocess.run(command, env=dict(os.environ, **env), text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT).stdout


def test_symbols(tap):
    """libev's copies of libevent's names must not reach libunbound."""
    got = [line for line in
           output("nm", "-D", "--defined-only", DNSASK).splitlines()
           if " event_" in line or " ev_" in line or " evbuffer" in line]
    tap.ok(not got, "dnsask exports nothing of libev", got)
    got = output("ldd", DNSASK)
    tap.ok("libunbound" in got and "libev.so" not in got,
           "libunbound is shared, libev is not", got)
    got = [line for line in
           output(DNSASK, "-s", "127.0.0.1", LD_DEBUG="bindings").splitlines()
           if "libunbound" in line.partition(" to ")[0] and
           "`event_" in line and "libevent" not in
           line.partition(" to ")[2].partition(":")[0]]
    tap.ok(not got, "libunbound's event_* come from libevent", got[:3])
    for path in sorted(pathlib.Path(BINDIR).iterdir()):
        tap.ok("libev.so" not in output("ldd", path) and
               " event_" not in output("nm", "-D", "--defined-only", path),
               f"nor does {path.name}")
    got = output("ldd", DNSASK.parent / "storetool")
    tap.ok("libunbound" not in got, "who asks no names loads no libunbound",
           got)


def test_silence(tap, server):
    """What libunbound has to say does not go to standard error."""
    path = server.folder / "anchors"
    path.write_text("example. IN DS what\n")
    with Asker(server.address, args=("-a", path)) as asker:
        status, said = asker.close()
    tap.ok(status == 1 and said.count("\n") == 1 and
           said.startswith("dnsask: libunbound cannot start: "),
           "a broken file of trust anchors", said)


SIGNED = """
@ 60 SOA ns admin 1 60 60 600 60
@ 60 NS ns
ns 60 A 127.0.0.1
good 60 A 192.0.2.1
forged 60 A 192.0.2.66
alias 60 CNAME good
"""


def test_dnssec(tap, server):
    if not can_sign():
        tap.note("no nsd or no ldns-signzone: DNSSEC left out")
        return
    zone, key = sign(server.folder, SIGNED, "192.0.2.66", "192.0.2.67")
    with Nsd(server.folder, zone) as nsd, \
            Asker(nsd.address, args=("-a", key, "-t", 5000)) as asker:
        for name, kind, want in (
                ("good", "A", ("found", "secure", "192.0.2.1")),
                ("alias", "A", ("found", "secure", "192.0.2.1")),
                ("good", "TXT", ("no data", "secure")),
                ("nowhere", "A", ("no such name", "secure")),
                ("forged", "A", ("bogus",))):
            got = asker.ask(f"{name}.signed.test", kind)
            tap.ok(got == want, f"{name}.signed.test {kind}: {want}", got)
    with Asker(server.address, args=("-a", key, "-t", 5000)) as asker:
        got = asker.ask("good.signed.test", "A")
        tap.ok(got == ("bogus",), "without signatures: bogus", got)
        got = asker.ask("good.test", "A")
        tap.ok(got == ("found", "192.0.2.2"), "elsewhere: insecure", got)
        status, said = asker.close()
        tap.ok((status, said) == (0, ""), "and it says nothing", said)


def main():
    tap = Tap()
    test_symbols(tap)
    with FaultDns(ZONE) as server:
        test_silence(tap, server)
        test_kinds(tap, server)
        test_one_turn(tap, server)
        test_crowd(tap, server)
        test_dnssec(tap, server)
        test_cache(tap, server)
        test_dead_forwarder(tap, server)
        with FaultDns(ZONE) as other:
            test_dead_names(tap, server, other)
    test_server_returns(tap)
    test_dead_server(tap)
    tap.done()


main()
