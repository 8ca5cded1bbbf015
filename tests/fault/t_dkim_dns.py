#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""dkimd's look-ups of keys when DNS misbehaves, and with DNSSEC."""
import os
import re
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, TESTS + "/milter", TESTS + "/system"]
from dkimworld import Key  # noqa: E402
from dns.dnsrig import ROOT, FaultDns, Nsd, can_sign, sign  # noqa: E402
from fault.storerig import Tap  # noqa: E402
from milterclient import Session  # noqa: E402

DKIMD = os.environ.get("BINDIR", f"{ROOT}/build/bin") + "/dkimd"
PATIENCE = 30
TIMEOUT = 4                     # DNSTimeout
HEAD = ("From: a@signed.test\r\nTo: u@example.net\r\nSubject: hello\r\n"
        "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n\r\n")
BODY = "Hello.\r\n"


class Dkimd:
    """It verifies, and accepts whatever comes out."""

    def __init__(self, folder, nameserver, **options):
        self.path = f"{folder}/milter"
        with open(f"{folder}/dkimd.conf", "w", encoding="ascii") as f:
            for name, value in {
                    "Mode": "v", "Socket": "local:" + self.path,
                    "UserID": "root", "AuthservID": "mx.example.net",
                    "Nameservers": nameserver, "DNSTimeout": TIMEOUT,
                    "On-DNSError": "accept", **options}.items():
                f.write(f"{name} {value}\n")
        self.process = subprocess.Popen(
            [DKIMD, "-c", f"{folder}/dkimd.conf"],
            stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            if "ready" in line:
                break

    def ask(self, *messages):
        """The results of each, sent at once in sessions of their own."""
        sessions = [Session("unix:" + self.path, patience=PATIENCE)
                    for _ in messages]
        for session, message in zip(sessions, messages):
            head, _, body = message.partition("\r\n\r\n")
            lines = re.split(r"\n(?![ \t])", head.replace("\r\n", "\n"))
            session.envelope("a@signed.test", ["u@example.net"])
            session.send_header([tuple(x.split(":", 1)) for x in lines])
            session.body(body.encode())
            session.packet("E")
        said = []
        for session in sessions:
            values = session.answer().inserted("Authentication-Results")
            session.close()
            said.append(re.sub(r" header\.\w=\S+", "", " ".join(
                " ".join(values).split()).partition("; ")[2]))
        return said

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


def test_faults(tap, key):
    """Each selector has its own fault; all messages wait side by side."""
    good = key.zone().split(" TXT ")[1].strip()
    passes = "dkim=pass (2048-bit key)"
    rows = [
        ("good", f"@ TXT {good}", passes),
        ("cname", f"@ CNAME k.keys.example\nk.keys.example TXT {good}",
         passes),
        ("loop", "@ CNAME loop2.x\nloop2.x CNAME @",
         'dkim=temperror reason="key retrieval failed"'),
        ("slow", f"@ TXT {good}\n@ !delay 1", passes),
        ("tcp", f"@ TXT {good}\n@ !truncated", passes),
        ("servfail", "@ !servfail",
         'dkim=temperror reason="key retrieval failed"'),
        ("refused", "@ !refused",
         'dkim=temperror reason="key retrieval failed"'),
        ("never", "@ !never", "dkim=temperror reason=*"),
        ("garbage", "@ !garbage", "dkim=temperror reason=*"),
        ("none", "", 'dkim=permerror reason="key not found in DNS"'),
        ("empty", "@ A 192.0.2.1",
         'dkim=permerror reason="key not found in DNS"'),
        ("long", "@ TXT *60000", 'dkim=permerror reason="key*"'),
        # Others might share its connection, so it comes last and alone.
        ("cut", f"@ TXT {good}\n@ !cut",
         'dkim=temperror reason="key retrieval failed"'),
    ]
    zone = "".join(
        re.sub("^@|(?<=CNAME )@", f"{name}._domainkey.signed.test", text,
               flags=re.M) + "\n" for name, text, _ in rows)
    messages = []
    for name, _, _ in rows:
        key.selector = name
        messages.append(key.sign(HEAD + BODY))
    with FaultDns(zone) as server, \
            Dkimd(server.folder, server.address) as dkimd:
        begin = time.monotonic()
        said = dkimd.ask(*messages[:-1])
        tap.ok(time.monotonic() - begin < 2 * TIMEOUT + 5,
               "all together wait no longer than one")
        said += dkimd.ask(messages[-1])
        for (name, _, want), got in zip(rows, said):
            pattern = re.escape(want).replace(r"\*", ".*")
            # Which of the two limits comes first, nobody knows.
            tap.ok(re.fullmatch(pattern, got), f"{name}: {want}", got)
        again, = dkimd.ask(messages[0])
        tap.ok(again == passes, "a good one afterwards", again)


def test_dnssec(tap, key, folder):
    if not can_sign():
        tap.note("no nsd or no ldns-signzone: DNSSEC left out")
        return
    record = key.zone().split(" TXT ")[1].strip()
    zone = ("@ 60 SOA ns admin 1 60 60 600 60\n@ 60 NS ns\n"
            "ns 60 A 127.0.0.1\n"
            f"good._domainkey 60 TXT {record}\n"
            'forged._domainkey 60 TXT "v=DKIM1; n=original; p="\n')
    messages = []
    for name in "good", "forged", "none":
        key.selector = name
        messages.append(key.sign(HEAD + BODY))
    zone, anchor = sign(folder, zone, "n=original", "n=otherwise")
    with Nsd(folder, zone) as nsd, \
            Dkimd(folder, nsd.address, TrustAnchorFile=anchor) as dkimd:
        good, forged, none = dkimd.ask(*messages)
    tap.ok(good == "dkim=pass (2048-bit key; secure)", "secure", good)
    tap.ok("pass" not in forged and "bogus" in forged, "bogus", forged)
    tap.ok(none == 'dkim=permerror reason="key not found in DNS"',
           "securely not there", none)
    unsigned = key.zone().replace("signed.test", "other.test")
    key.domain, key.selector = "other.test", "good"
    message = key.sign(HEAD + BODY)
    with FaultDns(unsigned) as server, \
            Dkimd(folder, server.address, TrustAnchorFile=anchor) as dkimd:
        said, = dkimd.ask(message)
    tap.ok(said == "dkim=pass (2048-bit key; unprotected)",
           "insecure elsewhere", said)


def main():
    tap = Tap()
    key = Key("signed.test", "good")
    test_faults(tap, key)
    with FaultDns("") as server:        # its folder
        test_dnssec(tap, key, server.folder)
    tap.done()


main()
