#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""greylistctl changes what a running greylistd does to real mail."""
import json
import os
import subprocess
import sys
import time

from rig import POSTGREY, PROGRAM, run, send

GOOD, BUSY, PARTNER = "198.51.100.10", "203.0.113.40", "203.0.113.25"
SENDER = "a@good.example"


def setup(rig):
    for port in 2501, 2502, 2503, 2504:
        rig.postfix.smtpd(
            port, smtpd_recipient_restrictions="reject_unauth_destination,"
            f" check_policy_service inet:127.0.0.1:{port + 7500}")
    rig.binary("greylistctl")


def ctl(t, rig, *words):
    """Run greylistctl; returns its standard output."""
    # It changes its user: no debugger may look for leaks then.
    env = {**os.environ, "ASAN_OPTIONS": "detect_leaks=0"}
    done = subprocess.run([rig.dir + "/bin/greylistctl", *words], env=env,
                          capture_output=True, text=True)
    t.equal((done.returncode, done.stderr), (0, ""),
            "greylistctl " + next(w for w in words if w[0] not in "-/"))
    time.sleep(0.02)            # greylistd looks every 10 ms
    return done.stdout


def rules(t, rig):
    """rules hold at once"""
    server = rig.server("rules", 10001, delay=3600).start()
    database = server.state + "/greylist.db"
    rows = [
        (["allow", "client", GOOD], GOOD, SENDER, 250),
        (["remove-rule", "client", GOOD], GOOD, SENDER, 450),
        (["block", "domain", "bad.example"], BUSY, "x@bad.example", 554),
        (["allow", "network", "203.0.113.0/26"], BUSY, "x@bad.example", 554),
        (["remove-rule", "domain", "bad.example"], BUSY, "x@bad.example",
         250),
        (["block", "sender", SENDER], BUSY, SENDER, 554),
        (["allow", "recipient", "u@example.net"], PARTNER, "b@good.example",
         250),
    ]
    for words, client, sender, code in rows:
        ctl(t, rig, "-D", database, *words)
        sent = send(client, sender, "u@example.net", port=2501)
        t.equal(sent.rcpt[0].code, code, f"{client} {sender}")
    t.ok("5.7.1" in send(BUSY, SENDER, "u@example.net",
                         port=2501).rcpt[0].text, "the status of a refusal")


def forget(t, rig):
    """a forgotten triplet is new again"""
    server = rig.server("forget", 10002, delay=1).start()
    database = server.state + "/greylist.db"
    send(GOOD, SENDER, "u@example.net", port=2502)
    rig.wait_due(1)
    t.equal(send(GOOD, SENDER, "u@example.net", port=2502).code, 250,
            "it passed")
    listed = json.loads(ctl(t, rig, "-D", database, "--json", "list"))
    t.ok("u@example.net" in json.dumps(listed), "it is listed", repr(listed))
    ctl(t, rig, "-D", database, "forget", "--recipient", "u@example.net")
    t.equal(send(GOOD, SENDER, "u@example.net", port=2502).rcpt[0].code, 450,
            "it is deferred")


def switch(t, rig):
    """postgrey is replaced, and nobody is greylisted anew"""
    if not os.path.exists(POSTGREY):
        return t.skip("postgrey is not installed")
    old = rig.server("postgrey", 10003, program=POSTGREY, delay=1).start()
    for who in "known", "waiting":
        send(GOOD, SENDER, who + "@example.net", port=2503)
    rig.wait_due(1)
    t.equal(send(GOOD, SENDER, "known@example.net", port=2503).code, 250,
            "a mail passed postgrey")
    stop_postgrey(old)
    new = rig.state("postgrey")
    ctl(t, rig, "import-postgrey", "--delay", "1", old.state,
        new + "/greylist.db")
    # The old command line, but for the directory.
    rig.server("successor", 10003, delay=1, dbdir=new,
               program=rig.binary("greylistd", "postgrey")).start()
    since = rig.log.mark()
    for who, reason in (("known", "triplet found,"),
                        ("waiting", r"triplet found, delay=\d+,")):
        sent = send(GOOD, SENDER, who + "@example.net", port=2503)
        t.equal(sent.code, 250, f"{who}@ passes at once")
        rig.log.wait(f"action=pass, reason={reason} client_name=.*"
                     f"recipient={who}@", since)


def stop_postgrey(server):
    """It may sleep through a signal: say it until it is heard."""
    while server.alive():
        server.process.terminate()
        try:
            server.process.wait(0.2)
        except subprocess.TimeoutExpired:
            pass


if PROGRAM == "postgrey":
    print("1..0 # SKIP postgrey has no such program")
    sys.exit(0)
run(setup, [rules, forget, switch])
