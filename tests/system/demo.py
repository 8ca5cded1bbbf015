#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Greylisting in front of a real Postfix, for the eye.

Starts a private Postfix with greylistd beside it, sends mail to it over SMTP
from several addresses and shows what became of each and why.  Nothing on this
machine changes; the logs and the delivered mails are kept in build/demo.
Status 0 when all went as it should, 1 when not, 77 when it cannot run here.
"""
import os
import re
import shutil
import sys
from typing import NamedTuple

from namespaces import SKIP, Unavailable, enter, have_ipv6
from rig import PROGRAM, ROOT, Rig, send

KEEP = ROOT + "/build/demo"
DELAY = 3                       # seconds; 300 in real life
RESTRICTIONS = ("reject_unauth_destination,\n"
                "    check_policy_service inet:127.0.0.1:10023")
ROW = "{:>2} {:<29} {:<14} {:<17} {:<10} {:<13} {}"


class Mail(NamedTuple):
    what: str
    client: str
    sender: str
    recipient: str
    code: int
    why: str                    # greylistd's reason, a regular expression


ALICE = "198.51.100.10", "ann@good.example", "alice"
DAVE = "198.51.100.10", "bert@good.example", "dave"
SIX = "2001:db8:1::10", "cleo@good.example", "alice"
BOUNCE = "203.0.113.40", "", "bob"

FIRST = [
    Mail("first contact", *ALICE, 450, "new"),
    Mail("first contact", *DAVE, 450, "new"),
    Mail("first contact, IPv6", *SIX, 450, "new"),
    Mail("a bounce (null sender)", *BOUNCE, 450, "new"),
    Mail("whitelisted client", "203.0.113.25", "x@partner.example", "alice",
         250, "client whitelist"),
    Mail("whitelisted recipient", "198.51.100.77", "y@new.example",
         "postmaster", 250, "recipient whitelist"),
    Mail("recipient who opted out", "198.51.100.77", "y@new.example", "carol",
         250, "recipient table"),
]
EARLY = [
    Mail("retry, too early", *ALICE, 450, r"early-retry \(\d+s missing\)"),
]
LATE = [
    Mail("retry", *ALICE, 250, r"triplet found, delay=\d+"),
    Mail("retry, other host of the /24", "198.51.100.11", *DAVE[1:], 250,
         r"triplet found, delay=\d+"),
    Mail("retry, other host of the /64", "2001:db8:1::11", *SIX[1:], 250,
         r"triplet found, delay=\d+"),
    Mail("the bounce again", *BOUNCE, 250, r"triplet found, delay=\d+"),
    Mail("known triplet, no delay", "198.51.100.77", *DAVE[1:], 250,
         "triplet found"),
    Mail("auto-whitelisted client", "198.51.100.10", "new@good.example",
         "erin", 250, "client AWL"),
]


def prepare(rig):
    """Postfix and greylistd, as an administrator sets them up."""
    rig.postfix.smtpd(25, smtpd_recipient_restrictions=RESTRICTIONS)
    options = {}
    if PROGRAM == "greylistd":
        options["recipient_table"] = rig.file("recipients_table",
                                              "carol@example.net off\n")
    rig.server(
        PROGRAM, 10023, delay=DELAY, auto_whitelist_clients=1,
        whitelist_clients=rig.file("clients", "partner.example\n"),
        whitelist_recipients=rig.file("recipients", "postmaster@\n"),
        **options).start()
    rig.postfix.start()


class Demo:
    def __init__(self, rig):
        self.rig = rig
        self.number = self.wrong = 0
        self.notes = []         # shown below the table

    def send(self, mails):
        for mail in mails:
            if ":" in mail.client and not have_ipv6():
                continue
            if mail.why == "recipient table" and PROGRAM == "postgrey":
                continue
            self.number += 1
            self.row(mail)

    def row(self, mail):
        """Send a mail, see what happens, print it."""
        rig, to = self.rig, mail.recipient + "@example.net"
        since, before = rig.log.mark(), len(rig.lmtp.received(to))
        sent = send(mail.client, mail.sender, to)
        answer = f"{sent.code} {sent.rcpt[0].text.split()[0]}"
        line = rig.log.wait(
            r"action=\w+, reason=(.*?), client_name=.*"
            rf"client_address={mail.client}, .*recipient={to}", since)
        outcome = "450 deferred" if sent.code == 450 else answer
        if sent.code == 250:
            rig.lmtp.wait(to, before + 1)
            outcome = "250 delivered"
        right = (sent.code == mail.code
                 and re.fullmatch(mail.why, line.group(1)))
        self.wrong += not right
        print(ROW.format(self.number, mail.what, mail.client,
                         mail.sender or "<>", mail.recipient, outcome,
                         line.group(1) + ("" if right else "   <== WRONG")),
              flush=True)
        self.note(mail, sent, line)

    def note(self, mail, sent, line):
        """The first of each kind in full."""
        if mail is FIRST[0]:
            self.notes += ["what Postfix told the client", str(sent.code)
                           + " " + sent.rcpt[0].text,
                           "what greylistd logged", line.string]
        elif mail is LATE[0]:
            text = self.rig.lmtp.wait(mail.recipient + "@example.net",
                                      2).splitlines()
            self.notes += ["the header of the delivered mail", next(
                (t for t in text if t.startswith("X-Greylist:")), "MISSING")]


def show(rig):
    """Run the demo; returns the exit status."""
    prepare(rig)
    print("main.cf:\n  smtpd_recipient_restrictions =\n    "
          + RESTRICTIONS + f"\ngreylistd: --delay={DELAY}"
          " --auto-whitelist-clients=1, whitelists, a recipient table\n")
    print(ROW.format("", "mail to Postfix, by SMTP", "from host", "sender",
                     "recipient", "answer", f"why ({PROGRAM}'s log)"))
    print("-" * 115)
    demo = Demo(rig)
    demo.send(FIRST)
    rig.wait_due(1)             # a retry within the same second is "new"
    demo.send(EARLY)
    print(f"    ... the clients wait for the delay of {DELAY} seconds ...",
          flush=True)
    rig.wait_due(DELAY - 1)
    demo.send(LATE)
    for number, (title, text) in enumerate(zip(demo.notes[::2],
                                               demo.notes[1::2])):
        demo.wrong += text == "MISSING"
        print(f"\n{'Row 1: ' if number < 2 else ''}{title}:\n  {text}")
    return demo


def main():
    try:
        enter()
    except Unavailable as why:
        print(f"demo: cannot run here: {why}", file=sys.stderr)
        sys.exit(SKIP)
    rig = Rig()
    try:
        demo = show(rig)
    finally:
        shutil.rmtree(KEEP, ignore_errors=True)
        rig.keep(KEEP)
        print(f"\nLogs:  {KEEP}/log/mail.log ({PROGRAM}: {PROGRAM}.log)\n"
              f"Mails: {KEEP}/mail/", flush=True)
    if demo.wrong:
        print(f"{demo.wrong} of {demo.number} WRONG")
        sys.exit(1)
    print(f"All {demo.number} mails were answered as they should be.")


if __name__ == "__main__":
    main()
