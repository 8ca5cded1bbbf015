#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""t_dkimd.py - sends dkimd and opendkim the same mail; prints TAP.

    tests/reference/t_dkimd.py [-v] [CASE...]

Both read the same opendkim.conf, ask the same DNS and get the same messages
of dkimdcases.py over the milter protocol. What they reply, add, remove and log
in the words that admins search for must be the same, but for what
dkim-differences.txt, beside this file, lists and explains; a difference that
is not listed fails, and so does a listed one that does not show. Reasons and
comments within results are wording, enhanced status codes too, and what is
added to a message that is refused does not matter.

At the end miltertest, opendkim's own test client, plays dkimd.lua.
"""
import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [ROOT + "/tests/" + d for d in ("system", "dns", "milter")]
sys.dont_write_bytecode = True

import differences                                      # noqa: E402
from dnsrig import FaultDns                             # noqa: E402
from milterclient import Gone, Session                  # noqa: E402
from namespaces import Unavailable, enter               # noqa: E402

DKIMD = os.path.join(os.path.abspath(
    os.environ.get("BINDIR", ROOT + "/build/bin")), "dkimd")
OPENDKIM = "/usr/sbin/opendkim"
MILTERTEST = "/usr/bin/miltertest"
DIFFERENCES = HERE + "/dkim-differences.txt"
SOCKET = "/run/rig/sockets/milter"
PATIENCE = 60

# What is searched for in logs.
WORDS = (
    "DKIM-Signature field added", "DKIM verification successful",
    "bad signature data", "key retrieval failed", "key revoked",
    "external host", "can't parse From", "message has signatures",
    "can't determine message sender", "failed to parse",
    "no signature error")
# ... and that say why mail is not signed; one of them will do.
WHY = ("not internal", "not authenticated", "no signing domain match",
       "no signing subdomain match", "no signing table match")


class Syslog:
    """/dev/log, all of it."""

    def __init__(self):
        self.lines = []
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind("/dev/log")
        os.chmod("/dev/log", 0o666)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        while True:
            self.lines.append(self.sock.recv(65536).decode("utf-8",
                                                           "replace"))


class Server:
    """One of the two, with a configuration file."""

    def __init__(self, path, is_ours):
        self.name = "dkimd" if is_ours else "opendkim"
        self.log = f"{path}.{self.name}.log"
        if os.path.exists(SOCKET):
            os.unlink(SOCKET)
        argv = [DKIMD, "-c", path] if is_ours else \
            [OPENDKIM, "-f", "-x", path]
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        end = time.monotonic() + PATIENCE
        while not os.path.exists(SOCKET):
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, encoding="utf-8") as log:
                    sys.exit(f"{self.name} does not start:\n" + log.read())
            time.sleep(0.01)

    def send(self, case, number, message):
        """The Result of one message, in a session of its own."""
        fields, body = message
        try:
            with Session("unix:" + SOCKET, client=case.client,
                         macros=case.macros, patience=PATIENCE) as session:
                session.count = number - 1
                result = session.deliver(case.sender, ["u@example.net"],
                                         fields, body)
                result.removed = sorted(
                    f"{e.name} {e.index}" for e in result.edits
                    if e.kind == "change" and not e.value)
                return result
        except (Gone, OSError):
            return None

    def stop(self):
        self.process.terminate()
        self.process.wait()
        with open(self.log, encoding="utf-8", errors="replace") as log:
            return log.read().splitlines()


def results(value):
    """An Authentication-Results field without what is always different."""
    value = " ".join(value.split())
    value = re.sub(r" header\.b=\S+?(?=;| |$)", "", value)
    value = re.sub(r' reason="[^"\\]*(\\.[^"\\]*)*"', "", value)
    value = re.sub(r" \([^()]*\)", "", value)
    value = value.replace("; dkim-atps=neutral", "")
    return re.sub(r"^mx\.example\.net(/\S+)?; ?", "", value)


def signature(value):
    """The tags of a new signature that do not change from day to day."""
    tags = dict(re.findall(r"(\w+)=([^;]*)", re.sub(r"\s", "", value)))
    kept = [f"{k}={tags[k].lower() if k == 'h' else tags[k]}"
            for k in ("a", "c", "d", "s", "i", "h") if k in tags]
    if "x" in tags:
        kept.append("x=t+%d" % (int(tags["x"]) - int(tags["t"])))
    return " ".join(kept)


def meaning(result):
    """A result as a line."""
    if result is None:
        return "(connection lost)"
    reply = re.sub(r"^(\d+) \d\.\d+\.\d+", r"\1", result.reply)
    if result.action != "accept":
        return reply or result.action
    parts = ["accept"]
    for name, show in (("Authentication-Results", results),
                       ("DKIM-Signature", signature)):
        label = "ar" if show is results else "signed"
        parts += sorted(f"{label} {show(v)}" for v in result.inserted(name))
    parts += sorted(
        e.name for e in result.edits if e.kind in ("insert", "add")
        and e.name not in ("Authentication-Results", "DKIM-Signature"))
    parts += ["removed " + r for r in result.removed]
    if result.quarantine is not None:
        parts.append("quarantine")
    return " / ".join(parts)


def logged(lines, queue_id, is_own):
    """The known words in the lines about a message."""
    mine = [line for line in lines if queue_id in line]
    found = [w for w in WORDS if any(w in line for line in mine)]
    if is_own and any(w in line for w in WHY for line in mine):
        found.append("(why it is not signed)")
    return ", ".join(found)


class Run(differences.Run):
    def __init__(self, options, world, syslog):
        super().__init__(DIFFERENCES, options)
        self.world, self.syslog = world, syslog

    def compare(self, case, where, ours, theirs):
        notes = f"ours:   {ours}", f"theirs: {theirs}"
        passed = ours == theirs or \
            self.is_listed(case.name, where, theirs)
        self.result(passed, f"{where}: {case.name}", *notes,
                    f"not listed: {case.name} | {where} | {theirs} |")

    def config(self, name, path, cases):
        said = {}
        for is_ours in False, True:
            since = len(self.syslog.lines)
            server = Server(path, is_ours)
            got = {number: server.send(case, number, message)
                   for number, (case, message) in cases.items()}
            lines = server.stop() + self.syslog.lines[since:]
            for number, result in got.items():
                said.setdefault(number, []).append(
                    (meaning(result), logged(lines, f"4Ctest{number:04d}",
                                             cases[number][0].is_own)))
        for number, ((theirs, their_log), (ours, our_log)) in said.items():
            case = cases[number][0]
            self.compare(case, name, ours, theirs)
            self.compare(case, name + " log", our_log, their_log)

    def foreign_client(self, path):
        """miltertest plays dkimd.lua against dkimd."""
        server = Server(path, True)
        done = subprocess.run(
            [MILTERTEST, "-D", "socket=local:" + SOCKET, "-s",
             HERE + "/dkimd.lua"], capture_output=True, text=True)
        server.stop()
        self.result(done.returncode == 0, "miltertest",
                    done.stdout + done.stderr)


def set_up(configs, tables, world):
    """Writes files; returns the paths of the configurations."""
    os.makedirs("/run/rig/sockets")
    os.chmod("/run/rig/sockets", 0o777)
    for key in world.own, world.other:
        key.file("/run/rig")
    for name, text in {**tables, **{c + ".conf": t
                                    for c, t in configs.items()}}.items():
        with open("/run/rig/" + name, "w", encoding="utf-8") as f:
            f.write(text)
    return {name: f"/run/rig/{name}.conf" for name in configs}


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("-v", "--verbose", action="store_true")
    options.add_argument("cases", nargs="*")
    given = options.parse_args()
    given.verbose |= os.environ.get("HARNESS_IS_VERBOSE") == "1"
    missing = [p for p in (DKIMD, OPENDKIM, MILTERTEST)
               if not os.access(p, os.X_OK)]
    try:
        if missing:
            raise Unavailable("no " + " ".join(missing))
        enter(programs=("ip", "openssl"))
    except Unavailable as why:
        print(f"1..0 # SKIP {why}")
        return 0
    from dkimdcases import CASES, CONFIGS, TABLES, World, split
    tempfile.tempdir = "/run/rig"
    world = World()
    paths = set_up(CONFIGS, TABLES, world)
    messages = [c.message(world) if callable(c.message) else c.message
                for c in CASES]
    run = Run(given, world, Syslog())
    with FaultDns(world.zone(), "127.0.0.1", 53):
        for name, path in paths.items():
            run.config(name, path, {
                number: (case, split(messages[number - 1]))
                for number, case in enumerate(CASES, 1)
                if name in case.configs.split()
                and (not given.cases or case.name in given.cases)})
        run.foreign_client(paths["c0"])
    if not given.cases:
        run.vanished()
    print(f"1..{run.count}")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
