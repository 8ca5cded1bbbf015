# SPDX-License-Identifier: ISC
"""dkimd's part of the demo: mail of a user of ours is signed, comes back from
outside as it was, damaged, and with forged results."""
import re
import subprocess
from typing import NamedTuple

from dkimworld import USER, DkimServer, fields
from rig import DIR, Client

SUBMISSION = 2587               # in real life 587, with a login
OURS, STRANGER = "203.0.113.25", "198.51.100.10"
SENDER = "ann@example.net"
LETTER = """\
From: Ann <ann@example.net>\r
To: Bob <bob@example.net>\r
Subject: a visit\r
Date: Sat, 21 Nov 2026 12:00:00 +0000\r
Message-ID: <1@example.net>\r
\r
On Sunday.\r
"""
FORGED = ("Authentication-Results: MX.example.net (x);\r\n"
          "\tdkim=pass header.d=bank.example\r\n")


class Row(NamedTuple):
    what: str
    client: str
    recipient: str
    port: int
    change: object              # what becomes of the signed mail before
    why: str                    # a regular expression
    note: str                   # the field to show


ROWS = [
    Row("own mail, submitted", OURS, "bob", SUBMISSION, lambda mail: LETTER,
        "DKIM signed", "DKIM-Signature"),
    Row("the same, from outside", STRANGER, "postmaster", 25,
        lambda mail: mail, "DKIM pass", "Authentication-Results"),
    Row("the same, damaged on its way", STRANGER, "postmaster", 25,
        lambda mail: mail.replace("Sunday", "Monday"), "DKIM fail",
        "Authentication-Results"),
    Row("forged results, no signature", STRANGER, "postmaster", 25,
        lambda mail: FORGED + LETTER, "DKIM none, forged ones removed",
        "Authentication-Results"),
]


def make_key():
    """A key of example.net as dkimctl makes it; returns its line for the
    zone."""
    subprocess.run([f"{DIR}/bin/dkimctl", "genkey", "-d", "example.net", "-s",
                    "demo", "-D", DIR + "/etc"], check=True)
    subprocess.run(["chown", USER, DIR + "/etc/demo.private"], check=True)
    with open(DIR + "/etc/demo.txt", encoding="ascii") as f:
        record = " ".join(re.findall('"[^"]*"', f.read()))
    return f"demo._domainkey.example.net TXT {record}\n"


def zone(rig):
    """What the name server has to know."""
    rig.binary("dkimctl")
    return make_key()


def prepare(rig):
    """dkimd for all mail, and the service for our users' mail."""
    DkimServer(rig, "dkimd", 8891, Domain="example.net", Selector="demo",
               KeyFile=DIR + "/etc/demo.private", MTA="ORIGINATING").start()
    rig.postfix.main["smtpd_milters"] = "inet:127.0.0.1:8891"
    rig.postfix.smtpd(SUBMISSION, milter_macro_daemon_name="ORIGINATING",
                      smtpd_relay_restrictions="check_client_access"
                                               " static:permit, reject")


def send(row, message):
    """Send it; returns the code and the text of the last answer."""
    with Client(row.client, row.port) as client:
        for line in (f"MAIL FROM:<{SENDER}>",
                     f"RCPT TO:<{row.recipient}@example.net>", "DATA"):
            reply = client.command(line)
            if reply.code >= 400:
                return reply
        client.send(message.encode("latin-1") + b".\r\n")
        return client.getreply()


def reason(row, mail):
    """What dkimd made of the mail."""
    if row.note == "DKIM-Signature":
        return "DKIM signed" if fields(mail, row.note) else "DKIM unsigned"
    found = fields(mail, row.note)
    why = "DKIM " + " ".join(re.findall(r"\bdkim=(\w+)", " ".join(found)))
    return why + (", forged ones removed" if "forged" in row.what
                  and len(found) == 1 else "")


def show(demo):
    """Plays the rows; demo prints them and keeps the notes."""
    rig, mail = demo.rig, ""
    for row in ROWS:
        to = row.recipient + "@example.net"
        before = len(rig.lmtp.received(to))
        code, answer = send(row, row.change(mail))
        text, why = "", f"{code} {answer}"
        if code == 250:
            text = rig.lmtp.wait(to, before + 1)
            why = reason(row, text)
        demo.line(row.what, row.client, SENDER, row.recipient,
                  "250 delivered" if code == 250 else str(code), why,
                  re.fullmatch(row.why, why))
        demo.notes += [f"{row.what}, the header of the delivered mail",
                       f"{row.note}: "
                       + (fields(text, row.note) or ["MISSING"])[0]]
        if row is ROWS[0]:
            mail = re.sub(r"(?<!\r)\n", "\r\n", text)
