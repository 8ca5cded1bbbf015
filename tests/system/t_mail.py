#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What becomes of mail of every kind, behind a real Postfix."""
from namespaces import have_ipv6
from rig import PROGRAM, Client, run, send

GOOD, GOOD2 = "198.51.100.10", "198.51.100.11"      # of one /24
NAMELESS = "198.51.100.77"
PARTNER, BUSY = "203.0.113.25", "203.0.113.40"
SIX, SIX2 = "2001:db8:1::10", "2001:db8:1::11"      # of one /64
NAMELESS6 = "2001:db8:66::66"
SENDER = "a@good.example"
RETRIED, STRICT, LENIENT = 2501, 2502, 2503         # ports of Postfix


def setup(rig):
    p = rig.postfix
    p.main["smtpd_authorized_xclient_hosts"] = PARTNER
    for port in RETRIED, STRICT, LENIENT:
        p.smtpd(port, smtpd_recipient_restrictions="reject_unauth_destination,"
                f" check_policy_service inet:127.0.0.1:{port + 7500}")


def server(rig, port, **options):
    """One behind RETRIED lets a retry pass after a second; behind the other
    ports nobody lives to see it."""
    options.setdefault("delay", 1 if port == RETRIED else 3600)
    return rig.server(f"port{port}", port + 7500, **options).start()


def early(t, rig):
    """an early retry is deferred"""
    server(rig, STRICT)
    since = rig.log.mark()
    for reason in "reason=new,", r"reason=early-retry \(\d+s missing\),":
        sent = send(GOOD, SENDER, "early@example.net", port=STRICT)
        t.equal(sent.code, 450, reason[:12])
        rig.log.wait(f"action=greylist, {reason} "
                     "client_name=mail.good.example, "
                     "client_address=198.51.100.10, sender=a@good.example, "
                     "recipient=early@example.net", since)
        rig.wait_due(1)         # within a second it is still "new"


def networks(t, rig):
    """a retry from another host of the network passes"""
    if not have_ipv6():
        return t.skip("no IPv6")
    server(rig, RETRIED)
    for client in GOOD, SIX:
        sent = send(client, SENDER, "net@example.net", port=RETRIED)
        t.equal(sent.code, 450, f"first contact from {client}")
    rig.wait_due(1)
    for client in GOOD2, SIX2:
        sent = send(client, SENDER, "net@example.net", port=RETRIED)
        t.equal(sent.code, 250, f"retry from {client}")
    rig.lmtp.wait("net@example.net", 2)
    mails = rig.lmtp.received("net@example.net")
    t.equal(["X-Greylist: delayed " in m for m in mails], [True, True],
            "both carry the header")
    t.equal(sorted("[IPv6:" in m for m in mails), [False, True],
            "one came by IPv6")


def nameless(t, rig):
    """a client without a name is treated like the others"""
    server(rig, RETRIED)
    clients = [NAMELESS] + [NAMELESS6] * have_ipv6()
    since = rig.log.mark()
    for client in clients:
        sent = send(client, SENDER, "nameless@example.net", port=RETRIED)
        t.equal(sent.code, 450, f"first contact from {client}")
        rig.log.wait("client_name=unknown, client_address=" + client, since)
    rig.wait_due(1)
    for client in clients:
        sent = send(client, SENDER, "nameless@example.net", port=RETRIED)
        t.equal(sent.code, 250, f"retry from {client}")


def one_of_two(t, rig):
    """one known and one new recipient in a message"""
    server(rig, RETRIED)
    send(GOOD, SENDER, "known@example.net", port=RETRIED)
    rig.wait_due(1)
    sent = send(GOOD, SENDER, "known@example.net", "new@example.net",
                port=RETRIED)
    t.equal([r.code for r in sent.rcpt], [250, 450], "RCPT")
    t.equal(sent.data.code, 250, "the message is taken for one of them")
    rig.lmtp.wait("known@example.net")
    t.equal(rig.lmtp.received("new@example.net"), [], "the other gets none")


def one_header(t, rig):
    """two greylisted recipients in a message"""
    server(rig, RETRIED)
    both = "one@example.net", "two@example.net"
    sent = send(GOOD, SENDER, *both, port=RETRIED)
    t.equal([r.code for r in sent.rcpt], [450, 450], "first contact")
    rig.wait_due(1)
    with Client(GOOD, RETRIED) as client:
        t.equal(client.deliver(SENDER, *both).code, 250, "retry")
        t.equal(rig.lmtp.wait("two@example.net").count("X-Greylist:"), 1,
                "one header")
        t.equal(client.deliver(SENDER, *both).code, 250, "the next message")
        t.equal(rig.lmtp.wait("two@example.net", 2).count("X-Greylist:"), 0,
                "no header")


def null_sender(t, rig):
    """a bounce"""
    server(rig, RETRIED)
    sent = send(GOOD, "", "null@example.net", port=RETRIED)
    t.equal(sent.code, 450, "first contact")
    rig.wait_due(1)
    sent = send(GOOD, "", "null@example.net", port=RETRIED)
    t.equal(sent.code, 250, "retry")
    rig.lmtp.wait("null@example.net")


def changing_sender(t, rig):
    """a list whose sender address counts"""
    server(rig, RETRIED)
    sent = send(GOOD, "list-1-u=example.net@good.example", "u@example.net",
                port=RETRIED)
    t.equal(sent.code, 450, "first contact")
    rig.wait_due(1)
    sent = send(GOOD, "list-2-u=example.net@good.example", "u@example.net",
                port=RETRIED)
    t.equal(sent.code, 250, "retry")


def utf8_sender(t, rig):
    """a sender outside ASCII"""
    server(rig, RETRIED)
    for code in 450, 250:
        sent = send(GOOD, "jürgen@bücher.example", "utf8@example.net",
                    port=RETRIED, utf8=True)
        t.equal(sent.code, code, "first contact" if code == 450 else "retry")
        rig.wait_due(1)
    # Its bytes are escaped in the log.
    rig.log.wait("sender=j%C3%BCrgen@b%C3%BCcher.example")


def no_address(t, rig):
    """a client whose address Postfix does not know"""
    if PROGRAM == "postgrey":
        return t.skip("it kills postgrey")
    # The port goes with the address, and Postfix minds its absence.
    greylistd = server(rig, STRICT)
    with Client(PARTNER, STRICT) as client:
        client.command("XCLIENT NAME=[UNAVAILABLE] ADDR=[UNAVAILABLE]")
        client.ehlo()
        sent = client.deliver(SENDER, "where@example.net")
    t.equal(sent.code, 250, "the mail passes")
    t.ok(greylistd.alive(), "the server lives on")
    rig.log.wait("reason=no client address")
    sent = send(GOOD, SENDER, "where@example.net", port=STRICT)
    t.equal(sent.code, 450, "and greylists the next one")


def whitelists(t, rig):
    """whitelisted clients and recipients"""
    clients = rig.file("clients", "partner.example\n203.0.113.40\n"
                                  "2001:db8:1::/48\n")
    recipients = rig.file("recipients", "postmaster@\nopen.example.net\n")
    rig.postfix.main["relay_domains"] = "open.example.net"
    server(rig, STRICT, whitelist_clients=clients,
           whitelist_recipients=recipients)
    rows = [(GOOD, "u@example.net", 450),
            (PARTNER, "u@example.net", 250),
            (BUSY, "u@example.net", 250),
            (GOOD, "postmaster@example.net", 250),
            (GOOD, "postmaster+x@example.net", 250)]
    if have_ipv6():
        rows.append((SIX, "u@example.net", 250))
    for client, recipient, want in rows:
        sent = send(client, SENDER, recipient, port=STRICT)
        t.equal(sent.code, want, f"{client} to {recipient}")


def auto_whitelist(t, rig):
    """a client that came back often enough"""
    server(rig, RETRIED, auto_whitelist_clients=1)
    send(BUSY, SENDER, "awl@example.net", port=RETRIED)
    rig.wait_due(1)
    sent = send(BUSY, SENDER, "awl@example.net", port=RETRIED)
    t.equal(sent.code, 250, "retry")
    since = rig.log.mark()
    sent = send(BUSY, "someone@else.example", "new@example.net", port=RETRIED)
    t.equal(sent.code, 250, "its next mail is not delayed")
    rig.log.wait("action=pass, reason=client AWL, "
                 "client_name=relay.busy.example", since)


def shadow(t, rig):
    """a server that only watches"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey cannot")
    server(rig, LENIENT, dry_run="yes")
    since = rig.log.mark()
    sent = send(GOOD, SENDER, "shadow@example.net", port=LENIENT)
    t.equal(sent.code, 250, "first contact passes")
    rig.log.wait("action=dry-run-greylist, .*recipient=shadow@", since)


def recipient_table(t, rig):
    """recipients with a choice of their own"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey has no such table")
    table = rig.file("table", "off@example.net off\nsoon@example.net 1s\n")
    server(rig, STRICT, recipient_table=table)
    rows = [("off@example.net", 250), ("soon@example.net", 450),
            ("later@example.net", 450)]
    for recipient, want in rows:
        sent = send(GOOD, SENDER, recipient, port=STRICT)
        t.equal(sent.code, want, f"first contact with {recipient}")
    rig.wait_due(1)
    rows[1] = "soon@example.net", 250
    for recipient, want in rows:
        sent = send(GOOD, SENDER, recipient, port=STRICT)
        t.equal(sent.code, want, f"second contact with {recipient}")


run(setup, [early, networks, nameless, one_of_two, one_header, null_sender,
            changing_sender, utf8_sender, no_address, whitelists,
            auto_whitelist, shadow, recipient_table])
