#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The greylist server ends, dies and reloads under a live Postfix."""
import os
import signal
import subprocess
import time

from rig import PATIENCE, PROGRAM, Client, restart_under_load, run, send

GOOD, BUSY, PARTNER = "198.51.100.10", "203.0.113.40", "203.0.113.25"
SENDER = "a@good.example"
RETRIED, STRICT, OPTIONAL = 2501, 2502, 2503        # ports of Postfix


def setup(rig):
    p = rig.postfix
    ask = "reject_unauth_destination, check_policy_service "
    p.smtpd(RETRIED,
            smtpd_recipient_restrictions=ask + "inet:127.0.0.1:10001")
    p.smtpd(STRICT,
            smtpd_recipient_restrictions=ask + "inet:127.0.0.1:10002")
    p.smtpd(OPTIONAL, smtpd_recipient_restrictions=ask +
            "{ inet:127.0.0.1:10003, try_limit=1, default_action=DUNNO }")


def killed(t, rig):
    """after SIGKILL"""
    server = rig.server("killed", 10001, delay=1).start()
    recipients = [f"u{n}@example.net" for n in range(50)]
    with Client(GOOD, RETRIED) as client:
        client.command(f"MAIL FROM:<{SENDER}>")
        codes = {client.command(f"RCPT TO:<{r}>").code for r in recipients}
        t.equal(codes, {450}, "first contacts are deferred")
        t.equal(server.stop(signal.SIGKILL), -signal.SIGKILL, "exit status")
        server.start()
        rig.wait_due(1)
        codes = {client.command(f"RCPT TO:<{r}>").code for r in recipients}
        t.equal(codes, {250}, "the new server knows every one of them, "
                              "and the old session goes on")


def stopped(t, rig):
    """without a server"""
    rig.expect("warning: (connect to|problem talking to server) 127.0.0.1")
    sent = send(GOOD, SENDER, "down@example.net", port=STRICT)
    t.equal(sent.rcpt[0].code, 451, "Postfix defers all mail")
    t.ok("4.3.5" in sent.rcpt[0].text, "as a configuration problem",
         sent.rcpt[0].text)
    sent = send(GOOD, SENDER, "down@example.net", port=OPTIONAL)
    t.equal(sent.code, 250, "default_action=DUNNO lets it pass")
    rig.server("back", 10002).start()
    sent = send(GOOD, SENDER, "back@example.net", port=STRICT)
    t.equal(sent.rcpt[0].code, 450, "greylisted when the server is back")


def terminated(t, rig):
    """SIGTERM and restart, three times under load"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey sleeps through some of the signals")
    # Postfix tries again after a second: that bridges the gap, with words.
    rig.expect("warning: (connect to|problem talking to server) 127.0.0.1")
    server = rig.server("term", 10001, delay=1).start()
    clients = GOOD, BUSY, PARTNER
    for client in clients:
        send(client, SENDER, "term@example.net", port=RETRIED)
    rig.wait_due(1)

    def load(address):
        with Client(address, RETRIED) as client:
            while True:
                yield client.deliver(SENDER, "term@example.net").code

    restart_under_load(t, server, clients, load)


def reloaded(t, rig):
    """SIGHUP"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey sleeps through some of the signals")
    path = rig.file("reloaded", "")
    server = rig.server("hup", 10002, whitelist_clients=path).start()
    with Client(PARTNER, STRICT) as client:
        sent = client.deliver(SENDER, "hup@example.net")
        t.equal(sent.code, 450, "a client that is in no list")
        rig.file("reloaded", "partner.example\n")
        since = rig.log.mark()
        server.kill(signal.SIGHUP)
        rig.log.wait("(?i)reload", since)
        sent = client.deliver(SENDER, "hup@example.net")
        t.equal(sent.code, 250, "the new list holds")
        t.ok(not rig.log.find("warning: ", since), "on the old connection")
        rig.expect("warning: (.*reloaded line 1:|the old list)")
        rig.file("reloaded", "/(/\npartner.example\n")
        since = rig.log.mark()
        server.kill(signal.SIGHUP)
        rig.log.wait(r"reloaded(:| line )1\b", since)
        sent = client.deliver(SENDER, "other@example.net")
        t.equal(sent.code, 250, "a broken line harms no other")


def daemonized(t, rig):
    """in the background, with a pid file and syslog"""
    if PROGRAM == "postgrey":
        return t.skip("postgrey says it is ready before it is")
    server = rig.server("background", 10002, delay=1)
    path = server.state + "/pid"
    since = rig.log.mark()
    started = subprocess.run([*server.argv, "--daemonize",
                              "--pidfile=" + path], timeout=PATIENCE)
    t.equal(started.returncode, 0, "start")
    sent = send(GOOD, SENDER, "daemon@example.net", port=STRICT)
    t.equal(sent.rcpt[0].code, 450, "it serves when the starter returns")
    with open(path) as f:
        pid = int(f.read())
    rig.log.wait(rf"greylistd\[{pid}\]: action=greylist, reason=new", since)
    os.kill(pid, signal.SIGTERM)
    end = time.monotonic() + PATIENCE
    while os.path.exists(f"/proc/{pid}") and time.monotonic() < end:
        time.sleep(0.005)
    t.ok(not os.path.exists(f"/proc/{pid}"), "SIGTERM ends it")
    t.ok(not os.path.exists(path), "the pid file is gone")


run(setup, [killed, stopped, terminated, reloaded, daemonized])
