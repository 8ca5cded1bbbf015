#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Each way to plug the greylist server into Postfix takes effect."""
import os
import shutil
import socket

from rig import PROGRAM, run, send

GOOD = "198.51.100.10"
SENDER = "a@good.example"
ASK = "reject_unauth_destination, check_policy_service "


def setup(rig):
    p = rig.postfix
    p.smtpd(2501, smtpd_recipient_restrictions=ASK + "inet:127.0.0.1:10001")
    # A relative path means the queue directory, in and out of a chroot.
    p.smtpd(2502, chroot=True,
            smtpd_recipient_restrictions=ASK + "unix:greylist/in-queue")
    table = p.file("recipient_access", "strict@example.net greylisting\n"
                                       "example.net permissive\n")
    p.main["smtpd_restriction_classes"] = "greylisting, permissive"
    p.main["greylisting"] = "check_policy_service inet:127.0.0.1:10003"
    p.main["permissive"] = "permit"
    p.smtpd(2503, smtpd_recipient_restrictions="reject_unauth_destination,"
            f" check_recipient_access texthash:{table}")
    p.smtpd(2504, smtpd_recipient_restrictions=ASK + "inet:127.0.0.1:10004")
    p.smtpd(2505, chroot=True,
            smtpd_recipient_restrictions=ASK + "unix:greylist/both")
    p.smtpd(2506, smtpd_recipient_restrictions=ASK + "unix:private/greylist")
    server = rig.server("spawned", "stdio", delay=1)
    p.service(f"greylist unix - n n - 0 spawn user={PROGRAM} argv="
              + " ".join(server.argv))
    p.smtpd(2507, smtpd_recipient_restrictions="reject_unauth_destination",
            smtpd_data_restrictions="check_policy_service "
                                    "inet:127.0.0.1:10007")
    p.smtpd(2508, smtpd_recipient_restrictions=ASK + "inet:127.0.0.1:10008")
    os.mkdir(p.queue + "/greylist")
    shutil.chown(p.queue + "/greylist", PROGRAM)


def defer_then_pass(t, rig, port, recipient):
    """The whole story of one mail, through the service on port."""
    def deliver():
        return send(GOOD, SENDER, recipient, port=port)
    first = deliver()
    t.equal(first.rcpt[0].code, 450, "first contact is deferred")
    t.ok("Greylisted" in first.rcpt[0].text, "and told why", str(first))
    rig.wait_due(1)
    t.equal(deliver().code, 250, "the retry passes")
    mail = rig.lmtp.wait(recipient)
    t.ok("X-Greylist: delayed " in mail, "and carries the header", mail)


def inet(t, rig):
    """TCP in smtpd_recipient_restrictions"""
    rig.server("inet", 10001, delay=1).start()
    defer_then_pass(t, rig, 2501, "inet@example.net")


def unix_in_chroot(t, rig):
    """a socket in the queue directory, smtpd in its chroot"""
    rig.server("unix", rig.postfix.queue + "/greylist/in-queue",
               delay=1).start()
    defer_then_pass(t, rig, 2502, "unix@example.net")


def restriction_class(t, rig):
    """a restriction class for some recipients"""
    rig.server("class", 10003, delay=1).start()
    sent = send(GOOD, SENDER, "relaxed@example.net", port=2503)
    t.equal(sent.code, 250, "a recipient of the permissive class")
    defer_then_pass(t, rig, 2503, "strict@example.net")


def both_sockets(t, rig):
    """one server on TCP and in the queue directory"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey listens on one socket")
    rig.server("both", 10004, rig.postfix.queue + "/greylist/both",
               delay=1).start()
    sent = send(GOOD, SENDER, "both@example.net", port=2504)
    t.equal(sent.code, 450, "first contact, by TCP")
    rig.wait_due(1)
    sent = send(GOOD, SENDER, "both@example.net", port=2505)
    t.equal(sent.code, 250, "retry, by the other socket")


def spawn(t, rig):
    """spawn(8) with its connection on standard input"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey cannot be spawned")
    defer_then_pass(t, rig, 2506, "spawn@example.net")


def data_stage(t, rig):
    """smtpd_data_restrictions"""
    rig.server("data", 10007, delay=1).start()
    first = send(GOOD, SENDER, "data@example.net", port=2507)
    t.equal([r.code for r in first.rcpt], [250], "RCPT is not asked about")
    t.equal(first.data.code, 450, "DATA of a first contact is deferred")
    rig.wait_due(1)
    again = send(GOOD, SENDER, "data@example.net", port=2507)
    t.equal(again.code, 250, "the retry passes")
    if PROGRAM == "postgrey":
        return
    # Then Postfix names no recipient at DATA: there is nothing to judge.
    both = send(GOOD, SENDER, "x@example.net", "y@example.net", port=2507)
    t.equal(both.code, 250, "two recipients are not judged as none")


def socket_activation(t, rig):
    """a socket that systemd made"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey takes no sockets")
    with socket.create_server(("127.0.0.1", 10008)) as sock:
        # As systemd does: on descriptor 3, and the pid in a variable.
        script = 'LISTEN_FDS=1 LISTEN_PID=$$ exec "$@" 3<&0 </dev/null'
        rig.server("activated", delay=1).start(("sh", "-c", script, "sh"),
                                               stdin=sock)
        defer_then_pass(t, rig, 2508, "activated@example.net")


run(setup, [inet, unix_in_chroot, restriction_class, both_sockets, spawn,
            data_stage, socket_activation])
