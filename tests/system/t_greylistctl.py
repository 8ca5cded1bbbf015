#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""greylistctl by itself: what it prints, takes in, refuses and leaves behind.

What it does to a running daemon is told by the scenarios ctl-* and rules-*
and by t_ctl.py. Prints TAP.
"""
import json
import os
import pwd
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from tap import Tap  # noqa: E402

BINDIR = os.path.abspath(os.environ.get("BINDIR", "build/bin"))
HEAD = "postern-greylist 1\n"
NOW = int(time.time())
SECOND = "2026-11-21T10:43:1{} mx "


class Box:
    """A directory with a configuration and a database."""

    def __init__(self, *config):
        self.dir = tempfile.mkdtemp(prefix="ctl-")
        self.database = self.dir + "/greylist.db"
        with open(self.dir + "/conf", "w", encoding="utf-8") as f:
            f.write("\n".join((f"Database {self.database}", *config)) + "\n")

    def run(self, *words, stdin="", program="greylistctl"):
        """(exit status, standard output, standard error), all bytes."""
        env = dict(os.environ, TZ="UTC")
        if os.geteuid() == 0 and os.stat(self.dir).st_uid != 0:
            env["ASAN_OPTIONS"] = "detect_leaks=0"
        done = subprocess.run(
            [BINDIR + "/" + program, "-c", self.dir + "/conf", *words],
            capture_output=True, input=stdin.encode("utf-8",
                                                    "surrogateescape"),
            env=env)
        return done.returncode, done.stdout, done.stderr

    def fill(self, *records):
        """Import records of the export format."""
        text = HEAD + "".join(r + "\n" for r in records)
        return self.run("import", "-", stdin=f"{text}end {len(records)}\n")

    def json(self, *words, **more):
        status, out, err = self.run("--json", *words, **more)
        return json.loads(out) if status == 0 else (status, out, err)

    def remove(self):
        shutil.rmtree(self.dir)


def random_records(count):
    """Records of every kind with bytes of every kind, in export's order."""
    dice = random.Random(7)

    def text(least, most):
        raw = bytes(dice.choice(b"abc/@+=%-~\x01\x1b\x7f\xc3\xa4\xff ")
                    for _ in range(dice.randint(least, most)))
        raw = b"k" + raw
        return "".join(chr(b) if 0x21 <= b <= 0x7e and b != 0x25
                       else f"%{b:02X}" for b in raw)

    rules = sorted(
        f"rule {dice.choice(('allow', 'block'))} {NOW - n} "
        f"{dice.choice((0, NOW + 999))} domain d{n:03}.example "
        f"{dice.choice(('-', '%2D', text(0, 40)))}" for n in range(count // 9))
    rules.sort(key=lambda r: r.split()[5])
    keys = sorted({text(0, 80) for _ in range(count)}, key=bytes_of)
    clients = sorted({f"10.0.{n % 7}.{n}" for n in range(count // 4)})
    return (rules + [f"client {n} {NOW - n} {c}"
                     for n, c in enumerate(clients)]
            + [f"counter {20000 + n} {n * 3} new" for n in range(5)]
            + [f"triplet {NOW - 500} {NOW - dice.randint(0, 400)} "
               f"{dice.choice((0, 1, NOW - 100))} {k}" for k in keys])


def bytes_of(text):
    """What the %XX of a text stand for."""
    return urllib.parse.unquote_to_bytes(text)


def nothing_lost(t):
    """export and import lose nothing"""
    box, other = Box(), Box()
    records = random_records(2000)
    status, out, err = box.fill(*records)
    t.equal((status, err), (0, b""), "import")
    _, text, _ = box.run("export")
    t.equal(text.decode().splitlines()[1:-1], records, "export is the same")
    status, out, err = other.run("import", "-", stdin=text.decode())
    t.equal(other.run("export")[1], text, "and once more")
    box.run("export", box.dir + "/file")
    with open(box.dir + "/file", "rb") as f:
        t.equal(f.read(), text, "export to a file")
    t.equal(os.stat(box.dir + "/file").st_mode & 0o777, 0o600, "its mode")
    rows = sum(r.startswith("triplet") for r in records)
    found = box.json("check")
    t.equal([found[k] for k in ("sound", "triplets", "triplets_counted")],
            [True, rows, rows], "check")
    box.remove()
    other.remove()


def merged(t):
    """of two rows of a key the earlier first and the later last time count"""
    rows = [
        ("earlier first", "100 200 0", "90 150 0", "90 200 0"),
        ("later last", "100 200 0", "150 300 0", "100 300 0"),
        ("passing wins", "100 200 0", "100 200 150", "100 200 150"),
        ("and stays", "100 200 150", "100 200 0", "100 200 150"),
        ("a known time wins", "100 200 1", "100 200 150", "100 200 150"),
        ("the earlier pass wins", "100 200 180", "100 200 150",
         "100 200 150"),
    ]
    for name, old, new, want in rows:
        box = Box()
        box.fill(f"triplet {old} 10.0.0.0/a@b/c@d", "client 5 100 10.0.0.1",
                 "rule allow 50 0 domain x.example old")
        box.fill(f"triplet {new} 10.0.0.0/a@b/c@d", "client 3 200 10.0.0.1",
                 "rule block 40 0 domain x.example older")
        t.equal(box.run("export")[1].decode().splitlines()[1:-1],
                ["rule allow 50 0 domain x.example old",
                 "client 5 200 10.0.0.1", f"triplet {want} 10.0.0.0/a@b/c@d"],
                name)
        box.remove()


def refused(t):
    """what is wrong is refused, with what to type instead"""
    box = Box()
    box.fill()
    rows = [
        ((), 64, "a command is missing"),
        (("lst",), 64, "did you mean list?"),
        (("list", "--networks", "x"), 64, "no such option --networks"),
        (("list", "--limit", "0"), 64, "--limit 0"),
        (("list", "--network", "here"), 64, "write 192.0.2.1"),
        (("list", "--pending", "--passed"), 64, "exclude each other"),
        (("list", "mail"), 64, "list clients"),
        (("show",), 64, "show ADDRESS"),
        (("forget",), 64, "say what to forget"),
        (("forget", "--all"), 64, "forget --all --yes"),
        (("forget", "--client", "mx.example"), 64, "no IP address"),
        (("allow", "planet", "x"), 64, "client, network, domain"),
        (("allow", "domain"), 64, "allow domain example.com"),
        (("allow", "domain", "a b"), 64, ""),
        (("allow", "network", "10.0.0.0/33"), 64, ""),
        (("allow", "domain", "x.example", "--expires", "soon"), 64, "soon"),
        (("allow", "domain", "x.example", "--expires", "0"), 64, "30d"),
        (("remove-rule", "domain", "x.example"), 65, "list rules"),
        (("import", "/nonexistent"), 66, "/nonexistent"),
        (("import", "-"), 65, "the first line must be"),
        (("export", "/nonexistent/file"), 73, "/nonexistent/file"),
        (("import-postgrey", "/nonexistent", box.dir), 66, "--dbdir"),
        (("-D", "/nonexistent/x.db", "list"), 66, "-D FILE"),
        (("-D", box.dir + "/missing.db", "allow", "domain", "x.example"), 66,
         "-D FILE"),
    ]
    for words, status, said in rows:
        got, out, err = box.run(*words)
        t.ok(got == status and said in err.decode(),
             " ".join(words)[:60] or "nothing",
             f"status {got}, {out!r} {err!r}")
    for name, text in (
            ("a line that is none", "triplet x\nend 1\n"),
            ("a key too long", f"triplet 1 1 0 {'k' * 600}\nend 1\n"),
            ("last before first", "triplet 2 1 0 k\nend 1\n"),
            ("a rule that is none", "rule allow 1 0 domain ..%20 -\nend 1\n"),
            ("a cut file", "triplet 1 2 0 k\n"),
            ("a wrong number of rows", "triplet 1 2 0 k\nend 7\n"),
            ("a line too long", "x" * 100000 + "\n")):
        status, _, err = box.run("import", "-", stdin=HEAD + text)
        t.equal(status, 65, "import " + name)
    box.remove()


def hostile(t):
    """hostile bytes reach neither the terminal nor JSON"""
    box = Box()
    box.fill(f"triplet {NOW} {NOW} 0 10.0.0.0/%1B[31ma%0A@b/%C3%A4%FF@d",
             "rule allow 1 0 domain x.example %1B]0;pwned%07%22")
    for words in (("list",), ("list", "rules"), ("show", "10.0.0.1"),
                  ("stats",), ("export",), ("list", "--json"),
                  ("list", "rules", "--json"), ("show", "10.0.0.1", "--json"),
                  ("show", "\x1b[31m"), ("list", "\x1b[31m"),
                  ("forget", "\x1b[31m")):
        _, out, err = box.run(*words)
        raw = [b for b in out + err if (b < 0x20 and b != 0x0a) or b == 0x7f]
        t.equal(raw, [], ascii(" ".join(words)))
    row = box.json("list")[0]
    t.equal((row["sender"], row["recipient"]), ("\x1b[31ma\n@b", "ä%FF@d"),
            "JSON says what it is")
    status, out, _ = box.run("list")
    sender = out.decode().splitlines()[1].split()[-2]
    status, out, _ = box.run("forget", f"10.0.0.0/{sender}/%C3%A4%FF@d")
    t.equal(out, b"forgotten: 1 triplets, 0 clients\n",
            "what is printed can be typed")
    box.remove()


def searches(t):
    """list, show and forget find what is meant"""
    box = Box()
    old = NOW - 100000
    box.fill(f"triplet {NOW} {NOW} 0 10.0.0.0/a@x/r@d",
             f"triplet {old} {NOW} {old + 600} 10.0.0.0/b@x/r@d",
             f"triplet {NOW} {NOW} 0 10.0.1.0//s@d",
             f"triplet {NOW} {NOW} 0 2001:db8:0:0:0:0:0:0/a@y/s@e",
             f"client 5 {NOW} 10.0.0.9", f"client 1 {NOW} 10.0.1.9",
             f"rule allow {old} {NOW - 5} network 10.0.0.0/24 gone",
             f"rule allow {old} 0 client 10.0.0.9 -",
             f"rule block {old} 0 network 10.0.0.0/8 -",
             f"rule block {old} 0 domain x.example -")
    rows = [
        ((), ["a@x", "b@x", "", "a@y"]),
        (("--pending",), ["a@x", "", "a@y"]),
        (("--passed",), ["b@x"]),
        (("--network", "10.0.0.200"), ["a@x", "b@x"]),
        (("--network", "10.0.0.0/8"), ["a@x", "b@x", ""]),
        (("--network", "2001:db8::/32"), ["a@y"]),
        (("--sender", "<>"), [""]),
        (("--sender", "A+ext@x"), ["a@x"]),
        (("--recipient", "@d"), ["a@x", "b@x", ""]),
        (("--recipient", "s@*"), ["", "a@y"]),
        (("--limit", "1"), ["a@x"]),
    ]
    for words, want in rows:
        t.equal([r["sender"] for r in box.json("list", *words)], want,
                "list " + " ".join(words))
    t.equal([(c["address"], c["state"]) for c in box.json("list", "clients")],
            [("10.0.0.9", "known"), ("10.0.1.9", "counting")],
            "list clients")
    row = box.json("list", "--passed")[0]
    t.equal((row["state"], row["waited"], row["left"]), ("passed", 600, None),
            "what list says of one that passed")
    found = box.json("show", "10.0.0.9")
    t.equal(([r["sender"] for r in found["triplets"]],
             [c["count"] for c in found["clients"]],
             [r["kind"] for r in found["rules"]]),
            (["a@x", "b@x"], [5], ["client", "network"]), "show a client")
    t.equal([r["value"] for r in box.json("show", "a@sub.x.example")
             ["rules"]], ["x.example"], "show a sender")
    t.equal([r["sender"] for r in box.json("show", "10.0.0.1", "a@x", "r@d")
             ["triplets"]], ["a@x"], "show a triplet")
    figures = box.json("stats")
    t.equal((figures["stored"]["triplets"], figures["delays"],
             figures["delay_p50"], figures["top_networks"][0]),
            (4, 1, 600, {"network": "10.0.0.0", "triplets": 2,
                         "never_passed": 1}), "stats")
    t.equal(box.json("forget", "--network", "10.0.0.1", "--sender", "b@x",
                     "--client", "10.0.0.9"), {"triplets": 1, "clients": 1},
            "forget")
    t.equal(box.json("forget", "--all", "--yes"),
            {"triplets": 3, "clients": 1}, "forget all")
    t.equal(len(box.json("list", "rules")), 4, "the rules stay")
    box.remove()


def damaged(t):
    """a damaged file is recognised, and what to do is said"""
    box = Box()
    box.fill(*(f"triplet {NOW} {NOW} 0 10.0.{n}.0/a@x/r{n}@d"
               for n in range(2000)))
    base = sqlite3.connect(box.database)
    base.execute("UPDATE meta SET value = 7 WHERE name = 'triplets'")
    base.commit()
    base.close()
    status, out, err = box.run("check")
    t.ok(status == 0 and b"vacuum" in err, "a wrong count", repr(err))
    t.equal(box.run("vacuum")[0], 0, "vacuum")
    t.equal(box.json("check")["triplets_counted"], 2000, "counts anew")
    with open(box.database, "r+b") as f:
        f.seek(5 * 4096)
        f.write(b"\xff" * 8192)
    status, out, err = box.run("check")
    t.ok(status != 0 and b"damaged" in err, "damage",
         f"{status} {out!r} {err!r}")
    with open(box.database, "wb") as f:
        f.write(b"no database at all, but long enough for one" * 99)
    status, out, err = box.run("list")
    t.ok(status == 69, "no database", f"{status} {out!r} {err!r}")
    box.remove()


def impossible_times(t):
    """no time in the file leads out of a table"""
    box = Box()
    box.fill(f"triplet {NOW} {NOW} 0 10.0.0.0/a@x/b@d")
    for first, passed in ((-2**63, 2**63 - 1), (-2**62, 2**63 - 1),
                          (2**63 - 1, 0), (-2**63, 0), (-2**63, -2**63)):
        base = sqlite3.connect(box.database)
        base.execute("UPDATE triplet SET first = ?, last = ?, passed = ?",
                     (first, first, passed))
        base.execute("INSERT OR REPLACE INTO client VALUES('x', ?, ?)",
                     (first, first))
        base.commit()
        base.close()
        for words in (("stats",), ("list",), ("show", "10.0.0.1"),
                      ("list", "clients"), ("check",), ("stats", "--json")):
            status, _, err = box.run(*words)
            t.ok(status == 0 and b"runtime error" not in err,
                 f"{' '.join(words)}, {first} {passed}", f"{status} {err!r}")
    box.remove()


def owners(t):
    """what root does leaves no file that the daemon cannot open"""
    if os.geteuid() != 0:
        return t.skip("needs root")
    box = Box()
    os.chmod(box.dir, 0o755)
    nobody = pwd.getpwnam("nobody")
    os.chown(box.dir, nobody.pw_uid, nobody.pw_gid)
    t.equal(box.run("allow", "domain", "x.example")[0], 0, "make")
    # A reader in between, so that the files beside it stay.
    base = sqlite3.connect(box.database)
    base.execute("SELECT count(*) FROM rule").fetchall()
    box.run("allow", "domain", "y.example")
    strangers = [n for n in os.listdir(box.dir) if n != "conf"
                 and os.stat(f"{box.dir}/{n}").st_uid != nobody.pw_uid]
    t.equal(strangers, [], "all files are the daemon's")
    base.close()
    # A link to another's file is not followed with root's rights.
    target = tempfile.NamedTemporaryFile(prefix="ctl-")
    os.unlink(box.database)
    os.symlink(target.name, box.database)
    t.ok(box.run("allow", "domain", "z.example")[0] != 0, "a link")
    t.equal(os.path.getsize(target.name), 0, "its target stays")
    box.remove()


def log_line(second, action, client, recipient, reason="new"):
    name = "mx.example"
    return (SECOND.format(second) + f"greylistd[7]: action={action}, "
            f"reason={reason}, client_name={name}, client_address={client}, "
            f"sender=s@e, recipient={recipient}\n")


def refusal(second, client, recipient, sender="s@e"):
    return (SECOND.format(second) + "postfix/smtpd[9]: NOQUEUE: reject: RCPT "
            f"from mx.example[{client}]: 450 4.2.0 <{recipient}>: Recipient "
            f"address rejected: Greylisted, see x; from=<{sender}> "
            f"to=<{recipient}> proto=ESMTP helo=<mx>\n")


def report(t):
    """the report shows who never came back"""
    box = Box()
    log = (log_line(1, "greylist", "10.0.0.2", "never@d")
           + refusal(1, "10.0.0.2", "never@d")
           + log_line(2, "greylist", "10.0.0.2", "never@d", "early-retry (9s"
                      " missing)") + refusal(2, "10.0.0.2", "never@d")
           + refusal(3, "2001:db8::5", "v6@d", "")
           + log_line(4, "greylist", "10.0.0.9", "inlog@d")
           + refusal(5, "9.0.0.1", "indb@d")
           + refusal(6, "9.0.0.1", "pending@d")
           + log_line(7, "pass", "10.0.0.9", "inlog@d", "triplet found"))
    text = [line.split() for line in box.run(
        "report", stdin=log)[1].decode().splitlines()]
    t.equal([(w[0], w[3]) for w in text],
            [("9.0.0.1", "indb@d"), ("9.0.0.1", "pending@d"),
             ("10.0.0.2", "never@d"), ("2001:db8::5", "v6@d")],
            "without a database, sorted by address")
    box.fill(f"triplet {NOW - 900} {NOW} {NOW} 9.0.0.0/s@e/indb@d",
             f"triplet {NOW - 900} {NOW} 0 9.0.0.0/s@e/pending@d")
    rows = box.json("report", stdin=log)
    t.equal([(r["recipient"], r["tries"]) for r in rows],
            [("pending@d", 1), ("never@d", 2), ("v6@d", 1)],
            "with one; both lines of an attempt are one")
    rows = box.json("report", "--delay=600", stdin=log)
    t.equal([r["recipient"] for r in rows], ["never@d", "v6@d"], "--delay")
    with open(box.dir + "/list", "w", encoding="utf-8") as f:
        f.write("10.0.0.0/24\n/^nomatch/\n")
    for option, want in (("--skip_clients", ["pending@d", "v6@d"]),
                         ("--match-clients", ["never@d"])):
        rows = box.json("report", option, box.dir + "/list", stdin=log)
        t.equal([r["recipient"] for r in rows], want, option)
    _, out, _ = box.run("report", "--tab", "--show_tries", "--show_time",
                        stdin=log)
    t.equal(out.decode().splitlines()[1].split("\t"),
            ["2026-11-21T10:43:11", "2", "10.0.0.2", "mx.example", "s@e",
             "never@d"], "columns")
    _, out, _ = box.run("report", "--separate_by_subnet=--\\n", stdin=log)
    t.equal(out.decode().count("--\n"), 3, "a text before each network")
    os.symlink(BINDIR + "/greylistctl", box.dir + "/postgreyreport")
    done = subprocess.run(
        [box.dir + "/postgreyreport", "--dbdir=" + box.dir, "--nosingle_line"],
        input=log, capture_output=True, text=True)
    t.ok(done.returncode == 0 and "never@d" in done.stdout
         and "indb@d" not in done.stdout, "called postgreyreport",
         done.stdout + done.stderr)
    box.remove()


def main():
    t = Tap()
    for case in (nothing_lost, merged, refused, hostile, searches, damaged,
                 impossible_times, owners, report):
        t.begin(case.__doc__)
        case(t)
    return t.end()


if __name__ == "__main__":
    sys.exit(main())
