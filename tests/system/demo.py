#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""SPF, greylisting and DKIM at a real Postfix, for the eye.

Starts a private Postfix with spfd, greylistd and dkimd beside it, and DNS;
sends mail to it over SMTP from several addresses and shows what became of each and
why.  Nothing on this machine changes; the logs and the delivered mails are
kept in build/demo.
Status 0 when all went as it should, 1 when not, 77 when it cannot run here.
"""
import os
import re
import shutil
import sys
from typing import NamedTuple

import dkimdemo
from namespaces import SKIP, Unavailable, enter, have_ipv6
from rig import PROGRAM, ROOT, Rig, send
from spfworld import SpfServer, start_dns

KEEP = ROOT + "/build/demo"
DELAY = 3                       # seconds; 300 in real life
RESTRICTIONS = ("reject_unauth_destination,\n"
                "    check_policy_service inet:127.0.0.1:10029,\n"
                "    check_policy_service inet:127.0.0.1:10023")
ZONE = """\
good.example TXT "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 -all"
soft.example TXT "v=spf1 ip4:198.51.100.0/24 ~all"
2.0.0.127.bl.example A 127.0.0.2
40.113.0.203.bl.example A 127.0.0.2
"""
SELECTIVE = 2525                # a port where only suspects are greylisted
ROW = "{:>2} {:<29} {:<14} {:<17} {:<10} {:<13} {}"


class Mail(NamedTuple):
    what: str
    client: str
    sender: str
    recipient: str
    code: int
    why: str                    # by greylistd or SPF, a regular expression
    port: int = 25


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

# postmaster is not greylisted.
SPF = [
    Mail("SPF pass", "198.51.100.10", "ann@good.example", "postmaster", 250,
         "SPF Pass"),
    Mail("SPF pass, IPv6", "2001:db8:1::10", "ann@good.example",
         "postmaster", 250, "SPF Pass"),
    Mail("SPF fail: a forged sender", "203.0.113.40", "ann@good.example",
         "postmaster", 550, "SPF 5.7.23"),
    Mail("SPF softfail, only tagged", "203.0.113.40", "fred@soft.example",
         "postmaster", 250, "SPF Softfail"),
]

CHOSEN = [
    Mail("selective: a clean client", "198.51.100.10", "gus@good.example",
         "bob", 250, "not suspicious", SELECTIVE),
    Mail("selective: a listed one", "203.0.113.40", "x@busy.example", "bob",
         450, r"new, suspicious=bl\.example:2 .*", SELECTIVE),
]


def prepare(rig):
    """Postfix, spfd and greylistd, as an administrator sets them up."""
    rig.dns = start_dns(ZONE + dkimdemo.zone(rig))
    SpfServer(rig, "spfd", 10029).start()
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
    if PROGRAM == "greylistd":
        rig.postfix.smtpd(SELECTIVE, smtpd_recipient_restrictions=
                          "check_policy_service inet:127.0.0.1:10024")
        rig.server("selective", 10024, selective="yes", dnsbl="bl.example",
                   nameservers="127.0.0.1@53").start()
    dkimdemo.prepare(rig)
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
            self.row(mail)

    def row(self, mail):
        """Send a mail, see what happens, print it."""
        rig, to = self.rig, mail.recipient + "@example.net"
        since, before = rig.log.mark(), len(rig.lmtp.received(to))
        sent = send(mail.client, mail.sender, to, port=mail.port)
        answer = f"{sent.code} {sent.rcpt[0].text.split()[0]}"
        outcome = {250: "250 delivered", 450: "450 deferred",
                   550: "550 rejected"}.get(sent.code, answer)
        text = ""
        if sent.code == 250:
            text = rig.lmtp.wait(to, before + 1)
        if mail in SPF:
            line = None
            why = spf_reason(sent, text)
        else:
            line = rig.log.wait(
                r"action=\w+, reason=(.*?), client_name=.*"
                rf"client_address={mail.client}, .*recipient={to}"
                "(, suspicious=.*)?$", since)
            why = line.group(1) + (line.group(2) or "")
        self.line(mail.what, mail.client, mail.sender, mail.recipient,
                  outcome, why,
                  sent.code == mail.code and re.fullmatch(mail.why, why))
        self.note(mail, sent, line, text)

    def line(self, what, client, sender, recipient, outcome, why, right):
        """Print a row."""
        self.number += 1
        self.wrong += not right
        print(ROW.format(self.number, what, client, sender or "<>", recipient,
                         outcome, why + ("" if right else "   <== WRONG")),
              flush=True)

    def note(self, mail, sent, line, text):
        """The first of each kind in full."""
        if mail in SPF and mail.code != 250:
            self.notes += [mail.what + ", what Postfix told the client",
                           f"{sent.code} {sent.rcpt[0].text}"]
        elif mail in SPF and ":" not in mail.client:
            self.notes += [mail.what + ", the header of the delivered mail",
                           header(text, "Received-SPF")]
        elif mail is FIRST[0]:
            self.notes += ["Row 1: what Postfix told the client",
                           f"{sent.code} {sent.rcpt[0].text}",
                           "Row 1: what greylistd logged", line.string]
        elif mail is LATE[0]:
            self.notes += ["Its retry, the header of the delivered mail",
                           header(text, "X-Greylist")]


def header(text, name):
    """A header of a mail in one line."""
    found = re.search(rf"^{name}:.*(\r?\n[ \t].*)*", text, re.M)
    return " ".join(found.group().split()) if found else "MISSING"


def spf_reason(sent, text):
    """The code of a reject or the result in the header, as a reason."""
    if sent.code != 250:
        return "SPF " + sent.rcpt[0].text.split()[0]
    return "SPF " + (header(text, "Received-SPF").split() + [""])[1]


def show(rig):
    """Run the demo; returns the exit status."""
    prepare(rig)
    print("main.cf:\n  smtpd_recipient_restrictions =\n    "
          + RESTRICTIONS + "\n  smtpd_milters = inet:127.0.0.1:8891"
          f"\nspfd: as installed\ngreylistd: --delay={DELAY}"
          " --auto-whitelist-clients=1, whitelists, a recipient table\n"
          f"greylistd for port {SELECTIVE}: --selective=yes"
          " --dnsbl=bl.example\ndkimd: Domain example.net, a key by dkimctl"
          " genkey, MTA ORIGINATING\n"
          f"port {dkimdemo.SUBMISSION} (submission):"
          " -o milter_macro_daemon_name=ORIGINATING\n")
    print(ROW.format("", "mail to Postfix, by SMTP", "from host", "sender",
                     "recipient", "answer", "why"))
    print("-" * 115)
    demo = Demo(rig)
    demo.send(FIRST)
    rig.wait_due(1)             # a retry within the same second is "new"
    demo.send(EARLY)
    print(f"    ... the clients wait for the delay of {DELAY} seconds ...",
          flush=True)
    rig.wait_due(DELAY - 1)
    demo.send(LATE)
    demo.send(SPF)
    if PROGRAM == "greylistd":
        demo.send(CHOSEN)
    dkimdemo.show(demo)
    for title, text in zip(demo.notes[::2], demo.notes[1::2]):
        demo.wrong += text.endswith("MISSING")
        print(f"\n{title}:\n  {text}")
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
