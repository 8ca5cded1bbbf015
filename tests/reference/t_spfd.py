#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""t_spfd.py - asks spfd, policyd-spf-python and -perl the same; prints TAP.

    tests/reference/t_spfd.py [-v] [CASE...]

All are started as spawn(8) does, spfd under the name of policyd-spf, with the
same configuration file and the same DNS. What their answers mean must be the
same, but for what spf-differences.txt, beside this file, lists and explains;
a difference that is not listed fails, and so does a listed one that does not
show, unless "?" begins its second column. spfd is also asked over a socket, with the very same answers.
"""
import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [ROOT + "/tests/system", ROOT + "/tests/dns"]
sys.dont_write_bytecode = True

import differences                                      # noqa: E402
from dnsrig import FaultDns                             # noqa: E402
from namespaces import Unavailable, enter               # noqa: E402
from spfcases import BASE, CASES, CONFIGS, FILES, ZONE  # noqa: E402

SPFD = os.path.join(os.path.abspath(
    os.environ.get("BINDIR", ROOT + "/build/bin")), "spfd")
PYTHON = "/usr/bin/policyd-spf"
PERL = "/usr/sbin/postfix-policyd-spf-perl"
DIFFERENCES = HERE + "/spf-differences.txt"
PATIENCE = 60

# How each says that there is no explanation by the domain's owner.
OWN_WORDS = re.compile(
    r"SPF fail - not authorized|SPF (Permanent|Temporary) Error: .*"
    r"|domain owner discourages use of this host"
    r"|access neither permitted nor denied|Receiver policy for SPF \w+"
    r"|\S+ is (probably )?not allowed to send for \S+"
    r"|\S+ does not say whether \S+ may send for it")


class Server:
    """A policy server on a socket: its standard input or its own."""

    def __init__(self, argv, executable=None, path=None):
        self.argv, self.executable, self.path = argv, executable, path
        self.process = None

    def start(self):
        here, there = socket.socketpair()
        self.process = subprocess.Popen(
            self.argv, executable=self.executable, stdin=there, stdout=there,
            stderr=subprocess.DEVNULL)
        there.close()
        if self.path:
            here = self.connect()
        here.settimeout(PATIENCE)
        self.socket = here

    def connect(self):
        while True:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(self.path)
                return sock
            except OSError:
                sock.close()
                if self.process.poll() is not None:
                    sys.exit(f"{self.argv} does not start")
                time.sleep(0.005)

    def ask(self, request):
        """The text of the action, or what went wrong in parentheses."""
        if self.process is None:
            self.start()
        got = b""
        try:
            self.socket.sendall(request)
            while not got.endswith(b"\n\n"):
                some = self.socket.recv(65536)
                if not some:
                    break
                got += some
        except socket.timeout:
            got = b"action=(no answer)\n\n"
        except OSError:
            pass
        if not got:
            self.stop()
            return "(died)"
        text = got.decode("utf-8", "backslashreplace")
        if not re.fullmatch(r"action=[^\n]*\n\n", text):
            return f"(malformed) {text!r}"
        return text[len("action="):-2]

    def stop(self):
        if self.process:
            self.socket.close()
            self.process.terminate()
            self.process.wait()
            self.process = None


def encode(case, number):
    request = {**BASE, "instance": f"n{number}", **case.request}
    lines = [f"{name}={value}\n" for name, value in request.items()]
    return ("".join(lines) + "\n").encode()


def uncomment(text):
    """Without (comments), but what is in quotes stays."""
    kept, depth = [], 0
    for token in re.findall(r'"(?:\\.|[^"\\])*"|.', text):
        if token == "(":
            depth += 1
        elif token == ")" and depth:
            depth -= 1
        elif not depth:
            kept.append(token)
    return " ".join("".join(kept).split())


def unquote(value):
    if len(value) > 1 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    return value


def received_spf(text):
    """The meaning of a Received-SPF header; keys that only one has go."""
    words = uncomment(text).split(None, 1)
    pairs = dict(re.findall(r'([\w-]+)=("(?:\\.|[^"\\])*"|[^;]*)',
                            words[1] if len(words) > 1 else ""))
    keys = "identity", "client-ip", "helo", "envelope-from", "receiver"
    return f"spf={words[0].lower()} " + " ".join(
        f"{k}={unquote(pairs[k].strip())}" for k in keys if k in pairs)


def meaning(text):
    """An answer without what is wording only."""
    word, _, rest = text.partition(" ")
    word = word.lower()
    if word == "prepend":
        name, _, value = rest.partition(": ")
        if name == "Received-SPF":
            return received_spf(value)
        if name == "Authentication-Results":
            return "ar " + uncomment(value)
        return "comment " + value.partition(" - ")[0]
    if word == "550" or word == "defer_if_permit":
        code, sep, reason = rest.partition(" ")
        if not re.fullmatch(r"\d\.\d\.\d+", code):
            code, reason = "", rest
        reason = re.sub(r"[.] Please see .*", "", reason)
        head, due, tail = reason.partition(": ")
        tail = re.sub(r".*; \S+ explains: ", "", tail)
        reason = head + due + tail
        if OWN_WORDS.fullmatch(tail):
            reason = head + due + "(own words)"
        return " ".join(f"{word} {code} {reason}".split())
    return word if word == "dunno" else text


def coarse(text):
    """What there is to compare with policyd-spf-perl."""
    mean = meaning(text)
    kind = mean.split()[0]
    if kind.startswith("spf="):
        return kind + " " + (re.findall(r"identity=\w+", mean) + [""])[0]
    if kind in ("ar", "comment"):
        return "exempt"
    return kind


class Run(differences.Run):
    def compare(self, case, who, ours, theirs, view):
        """ours and theirs are answers, view what of them must agree."""
        a, b = view(ours), view(theirs)
        name = f"{who}: {case.name}"
        notes = f"ours:   {ours}", f"theirs: {theirs}"
        if a == b:
            self.result(True, name, *notes)
        else:
            self.result(self.is_listed(case.name, who, b), name,
                        *notes, "not listed: "
                        f"{case.name} | {who} | {b} |",
                        f"ours means:   {a}")

    def config(self, name, path):
        servers = {"spfd": Server(["policyd-spf", path], SPFD),
                   "socket": Server(
                       [SPFD, "-c", path, "-o", "User=nobody", "-o",
                        f"Listen=unix:{path}.socket"], path=path + ".socket")}
        if name != "c4":
            servers["python"] = Server([PYTHON, path])
        if name in ("c0", "c4"):
            servers["perl"] = Server([PERL])
        for number, case in enumerate(CASES):
            if name not in case.configs.split() or \
                    self.only and case.name not in self.only:
                continue
            said = {who: server.ask(encode(case, number))
                    for who, server in servers.items()}
            if "python" in said:
                self.compare(case, f"{name} python", said["spfd"],
                             said["python"], meaning)
            if "perl" in said:
                self.compare(case, f"{name} perl", said["spfd"],
                             said["perl"], coarse)
            self.result(said["socket"] == said["spfd"],
                        f"{name} socket: {case.name}",
                        "spawned: " + said["spfd"],
                        "socket:  " + said["socket"])
        for server in servers.values():
            server.stop()


def exempt():
    """The files of policyd-spf-perl, in a directory of this namespace."""
    subprocess.run(["mount", "-t", "tmpfs", "none", "/etc/postfix"],
                   check=True)
    for name, text in FILES.items():
        with open("/etc/postfix/" + name, "w") as f:
            f.write(text)


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("-v", "--verbose", action="store_true")
    options.add_argument("cases", nargs="*")
    given = options.parse_args()
    given.verbose |= os.environ.get("HARNESS_IS_VERBOSE") == "1"
    missing = [p for p in (SPFD, PYTHON, PERL, "/etc/postfix")
               if not os.access(p, os.X_OK)]
    try:
        if missing:
            raise Unavailable("no " + " ".join(missing))
        enter(programs=("ip",))
    except Unavailable as why:
        print(f"1..0 # SKIP {why}")
        return 0
    tempfile.tempdir = "/run/rig"
    run = Run(DIFFERENCES, given)
    with FaultDns(ZONE, "127.0.0.1", 53):
        for name, text in CONFIGS.items():
            path = f"/run/rig/{name}.conf"
            with open(path, "w") as f:
                f.write(text)
            if name == "c4":
                exempt()
            run.config(name, path)
    if not given.cases:
        run.vanished()
    print(f"1..{run.count}")
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
