#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Each way to plug the greylist server into Postfix takes effect."""
from rig import PROGRAM, Rig, run, send

GOOD, GOOD2 = "198.51.100.10", "198.51.100.11"
ASK = "reject_unauth_destination, check_policy_service "


def setup(rig):
    p = rig.postfix
    p.smtpd(2501, smtpd_recipient_restrictions=ASK + "inet:127.0.0.1:10001")


def inet(t, rig):
    """TCP in smtpd_recipient_restrictions"""
    rig.server("inet", 10001, delay=1).start()
    first = send(GOOD, "a@good.example", "u@example.net", port=2501)
    t.equal(first.code, 450, "first contact is deferred")
    t.ok("Greylisted" in first.rcpt[0].text, "and told why", str(first))
    rig.wait_due(1)
    again = send(GOOD, "a@good.example", "u@example.net", port=2501)
    t.equal(again.code, 250, "the retry passes")
    mail = rig.lmtp.wait("u@example.net")
    t.ok("X-Greylist: delayed " in mail, "and carries the header", mail)


run(setup, [inet])
