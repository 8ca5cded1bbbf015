#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""The milter half behind a real Postfix: tests/milter/testmilter."""
import os
import re
import signal
import socket
import subprocess

import rig as rigs
from rig import Client, restart_under_load, run
from smtpclient import Reply

GOOD, BUSY, UNKNOWN = "198.51.100.10", "203.0.113.40", "198.51.100.77"
SENDER = "ann@good.example"
PLAIN, ACTIVATED = 2501, 2502           # ports of Postfix
MILTER, SOCKET = 10001, "/run/rig/milter.sock"
TOOLDIR = os.environ.get("TOOLDIR", rigs.ROOT + "/build/t")


def setup(rig):
    p = rig.postfix
    p.main["non_smtpd_milters"] = f"inet:127.0.0.1:{MILTER}"
    p.smtpd(PLAIN, smtpd_milters=f"inet:127.0.0.1:{MILTER}")
    p.smtpd(ACTIVATED, smtpd_milters="unix:" + SOCKET)


class Milter(rigs.Server):
    """testmilter, on a port or with a socket handed over as descriptor 3."""

    def __init__(self, rig, name, listener=None, **options):
        self.rig, self.name, self.process = rig, name, None
        self.listener, self.listen = listener, []
        rigs.BINDIR, kept = TOOLDIR, rigs.BINDIR
        self.argv = [rig.binary("testmilter"), "--user=nobody"]
        rigs.BINDIR = kept
        if listener is None:
            self.listen = [MILTER]
            self.argv.append(f"--listen=inet:{MILTER}@127.0.0.1")
        self.argv += [f"--{key.replace('_', '-')}={value}"
                      for key, value in options.items()]
        rig.servers.append(self)

    def start(self):
        if self.listener is None:
            return super().start()
        since = self.rig.log.mark()
        self.process = subprocess.Popen(
            ["/bin/sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" "$@"',
             *self.argv], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, pass_fds=(3,),
            preexec_fn=lambda: os.dup2(self.listener.fileno(), 3))
        self._reader = self.rig.log.follow(self.name, self.process.stdout)
        self.rig.log.wait(" is ready$", since)
        return self


def deliver(client, to, *lines, mail=f"<{SENDER}>", do=()):
    """One message with these lines as header; the answer to it."""
    reply = client.command("MAIL FROM:" + mail)
    if reply.code != 250:
        return reply
    for recipient in to.split():
        client.command(f"RCPT TO:<{recipient}>")
    reply = client.command("DATA")
    if reply.code != 354:
        client.rset()
        return reply
    lines = [f"From: {SENDER}", *lines, *(f"X-Do: {d}" for d in do)]
    client.send(("\r\n".join(lines) + "\r\n\r\nHello.\r\n.\r\n")
                .encode("latin-1"))
    code, text = client.getreply()
    return Reply(code, text.decode(errors="replace"))


def field(mail, name):
    """The values of the fields of this name, as they stand in a mail."""
    head = mail.replace("\r\n", "\n").partition("\n\n")[0]
    return re.findall(rf"^{name}:(.*(?:\n[ \t].*)*)", head, re.M)


def told(t, rig):
    """what the milter is told"""
    Milter(rig, "told").start()
    with Client(GOOD, PLAIN, helo="helo.good.example") as client:
        t.equal(deliver(client, "one@example.net two@example.net").code, 250,
                "accepted")
        mail = rig.lmtp.wait("two@example.net")
        for name, want in {
                "X-Client": " mail.good.example helo.good.example " + GOOD,
                "X-Sender": f" <{SENDER}>",
                "X-Recipients": " <one@example.net><two@example.net>",
                "X-Body": " 8 8"}.items():
            t.equal(field(mail, name), [want], name)
        t.ok(re.fullmatch(r" [0-9A-F]+ mx\.example\.net mx\.example\.net - "
                          r"mail\.good\.example",
                          field(mail, "X-Macros")[0]), "X-Macros",
             field(mail, "X-Macros")[0])
        t.ok(mail.startswith("X-Client:") or
             mail.index("X-Client:") < mail.index("Received: from"),
             "above Postfix's own Received", mail[:300])
        deliver(client, "null@example.net", mail="<>")
        t.equal(field(rig.lmtp.wait("null@example.net"), "X-Sender"),
                [" <>"], "the null sender, after another one")
        deliver(client, "after@example.net x@elsewhere.example")
        t.equal(field(rig.lmtp.wait("after@example.net"), "X-Recipients"),
                [" <after@example.net>"], "refused recipients are not told")
    with Client(UNKNOWN, PLAIN) as client:
        deliver(client, "unknown@example.net")
    t.equal(field(rig.lmtp.wait("unknown@example.net"), "X-Client"),
            [f" unknown mail.good.example {UNKNOWN}"], "without a name")


def senders(t, rig):
    """the sender is who Postfix means, whatever the text says"""
    Milter(rig, "senders").start()
    rows = {"<(any@legit.test>": "", '<"b c"@legit.test>': '"b c"@legit.test',
            "<@relay.test:a@legit.test>": "a@legit.test",
            "<a@legit.test (c)>": "a@legit.test",
            "<(x)a@legit.test>": "a@legit.test",
            '<"a@b"@legit.test>': '"a@b"@legit.test',
            "a@legit.test": "a@legit.test", "<a>": "a@mx.example.net",
            "<a@legit.test> BODY=8BITMIME SIZE=100": "a@legit.test"}
    with Client(GOOD, PLAIN) as client:
        for n, (text, want) in enumerate(rows.items()):
            since = rig.log.mark()
            deliver(client, f"sender{n}@example.net", mail=text)
            mail = rig.lmtp.wait(f"sender{n}@example.net")
            t.equal(field(mail, "X-Sender"), [f" <{want}>"], text)
            t.ok(rig.log.find(re.escape(f"from=<{want}>, size="), since),
                 text + ": as the queue manager has it")


def edits(t, rig):
    """removals and insertions"""
    Milter(rig, "edits").start()
    with Client(GOOD, PLAIN) as client:
        deliver(client, "edits@example.net", "X-A: 1", "X-B: 2", "x-a: 3",
                "X-A : 4", "X-AB: 5", "X-A:6", "\t7",
                do=["remove X-A", "remove-nth X-Do 2", "remove X-None",
                    "insert X-One a;\\n\tb", "insert X-Two a\\nX-Evil: b",
                    "insert X-Three x"])
        mail = rig.lmtp.wait("edits@example.net")
        t.equal(re.findall("(?im)^x-a[ :].*", mail), [],
                "all of one name are gone")
        t.equal((field(mail, "X-B"), field(mail, "X-AB")), ([" 2"], [" 5"]),
                "others are not")
        t.ok("X-Do: remove-nth" not in mail, "the second of several")
        t.equal(re.findall("^X-(?:One|Two|Three)", mail, re.M),
                ["X-One", "X-Two", "X-Three"],
                "insertions in the order of the calls")
        t.equal(field(mail, "X-One"), [" a;\n\tb"], "folded")
        t.equal(field(mail, "X-Two"), [" a\n\tX-Evil: b"], "nothing smuggled")
        t.ok("\r\r" not in mail, "no stray CR")
        deliver(client, "nobody@example.net", do=["nobody"])
        mail = rig.lmtp.wait("nobody@example.net")
        t.ok(mail.endswith("Hello.\r\n"), "a skipped body is delivered")


def verdicts(t, rig):
    """verdicts"""
    rig.expect("milter-(reject|hold|discard)")
    Milter(rig, "verdicts").start()
    with Client(GOOD, PLAIN) as client:
        for command, code, text in (
                ("reject 554 5.6.0 50% no", 554, "5.6.0 50% no"),
                ("tempfail 450 4.7.9 later", 450, "4.7.9 later"),
                ("reject", 550, "5.7.1 Message rejected")):
            reply = deliver(client, "v@example.net", do=[command])
            t.equal((reply.code, reply.text), (code, text), command)
        since = rig.log.mark()
        t.equal(deliver(client, "v@example.net", do=["discard"]).code, 250,
                "discard")
        rig.log.wait("milter-discard: END-OF-MESSAGE", since)
        t.equal(deliver(client, "v@example.net",
                        do=["quarantine look at it"]).code, 250,
                "quarantine")
        rig.log.wait("milter-hold: END-OF-MESSAGE", since)
        deliver(client, "last@example.net", do=["progress 3"])
        rig.lmtp.wait("last@example.net")
        t.equal(rig.lmtp.received("v@example.net"), [], "none is delivered")


def local(t, rig):
    """mail of sendmail(1)"""
    Milter(rig, "local").start()
    for sender, to in ("who@mx.example.net", "local1@example.net"), \
                      ("<>", "local2@example.net"):
        subprocess.run(["sendmail", "-C", rig.postfix.config, "-f", sender,
                        to], input=b"Subject: x\n\nHello.\n", check=True)
        mail = rig.lmtp.wait(to)
        t.equal(field(mail, "X-Sender"), [f" <{sender.strip('<>')}>"],
                "from " + sender)
        t.equal(field(mail, "X-Recipients"), [f" <{to}>"], "recipient")
        t.equal(field(mail, "X-Client"), [" localhost localhost 127.0.0.1"],
                "client")


def restarted(t, rig):
    """restarts under real mail, the socket handed over"""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(SOCKET)
    os.chmod(SOCKET, 0o666)
    listener.listen(128)
    milter = Milter(rig, "handed", listener).start()

    def load(address):
        while True:
            with Client(address, ACTIVATED) as client:
                for _ in range(3):
                    yield deliver(client, "load@example.net",
                                  do=["late 10"]).code

    restart_under_load(t, milter, (GOOD, BUSY, UNKNOWN), load)
    listener.close()


def reloaded(t, rig):
    """SIGHUP while a session is open"""
    milter = Milter(rig, "hup").start()
    with Client(GOOD, PLAIN) as client:
        t.equal(deliver(client, "hup@example.net").code, 250, "before")
        since = rig.log.mark()
        milter.kill(signal.SIGHUP)
        rig.log.wait("^reloaded", since)
        t.equal(deliver(client, "hup@example.net").code, 250, "after")


def limited(t, rig):
    """past a limit mail waits at the sender"""
    rig.expect("milter-reject")
    Milter(rig, "limited", max_sessions=1).start()
    with Client(GOOD, PLAIN) as first, Client(BUSY, PLAIN) as second:
        t.equal(deliver(first, "first@example.net").code, 250, "the first")
        reply = deliver(second, "second@example.net")
        t.equal((reply.code, reply.text), (451, "4.3.2 Too many sessions at"
                                                " once - try again later"),
                "the second")
        first.quit()
        rig.log.wait("disconnect from mail.good.example")
        end = [deliver(second, "second@example.net").code for _ in range(20)]
        t.equal(end[-1], 250, "when there is room, in the same session")


run(setup, [told, senders, edits, verdicts, limited, local, reloaded,
            restarted])
