#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""dkimd behind a real Postfix: signing, verifying, and what goes wrong."""
import os
import re
import signal
import subprocess
import tempfile
import threading

from dkimworld import DkimServer, FaultDns, Key, fields, foreign_verify
from namespaces import MX4
from postfix import Postfix
from rig import DIR, PATIENCE, Client, run
from smtpclient import Reply

STRANGER, OURS = "198.51.100.10", "203.0.113.25"
ID = "mx.example.net"
MX, SUBMISSION, STRICT, HELD, DEAD, BUSY, SECOND, LOCAL = range(2501, 2509)
MAIL = ("From: Ann <ann@good.example>\r\nTo: bob@example.net\r\n"
        "Subject: a visit\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
        "Message-ID: <1@good.example>\r\n\r\nOn Sunday.\r\n")
OWN = MAIL.replace("good.example", "example.net")


def setup(rig):
    tempfile.tempdir = DIR
    rig.keys = {name: Key(domain, name, kind) for name, domain, kind in [
        ("rsa", "good.example", "rsa"), ("ed", "good.example", "ed25519"),
        ("list", "list.example", "rsa"), ("own", "example.net", "rsa"),
        ("own-ed", "example.net", "ed25519"), ("next", "example.net", "rsa")]}
    rig.dns = FaultDns("".join(k.zone() for k in rig.keys.values()) + """\
none._domainkey.good.example !nxdomain
gone._domainkey.good.example !never
""", "127.0.0.1", 53)
    os.mkdir(DIR + "/keys", 0o755)
    rig.files = {name: key.file(DIR + "/keys")
                 for name, key in rig.keys.items()}
    p = rig.postfix
    for port in MX, STRICT, HELD, DEAD, BUSY:
        p.smtpd(port, smtpd_milters=milter(port),
                milter_default_action="tempfail")
    p.smtpd(SUBMISSION, smtpd_milters=milter(SUBMISSION),
            milter_macro_daemon_name="ORIGINATING",
            smtpd_relay_restrictions="check_client_access static:permit,"
                                     " reject")
    p.smtpd(LOCAL, smtpd_milters=f"inet:localhost:{LOCAL + 7500}")
    p.main["non_smtpd_milters"] = milter(SUBMISSION)
    p.main["transport_maps"] = \
        f"inline:{{ other.example=smtp:[{MX4}]:{SECOND} }}"
    rig.second = Postfix(DIR + "/second", DIR + "/lmtp.sock")
    rig.second.main.update(myhostname="mx.other.example",
                           virtual_mailbox_domains="other.example",
                           syslog_name="second")
    rig.second.smtpd(SECOND, smtpd_milters=milter(SECOND),
                     milter_default_action="tempfail")
    rig.second.start()


def milter(port):
    return f"inet:127.0.0.1:{port + 7500}"


def server(rig, port, **options):
    return DkimServer(rig, f"dkimd{port}", port + 7500, **options).start()


def signer(rig, port, **options):
    """A dkimd that signs example.net with RSA and Ed25519."""
    keys = rig.file("keytable", "".join(
        f"both example.net:{rig.keys[k].selector}:{rig.files[k]}\n"
        for k in ("own", "own-ed")))
    table = rig.file("signingtable", "*@example.net both\n")
    return server(rig, port, **{
        "KeyTable": "file:" + keys, "SigningTable": "refile:" + table,
        "MTA": "ORIGINATING", **options})


def deliver(client, message, *to, sender="ann@good.example", words=""):
    """The first answer that is no success, else the one to the message."""
    lines = [f"MAIL FROM:<{sender}>{words}",
             *(f"RCPT TO:<{r}>" for r in to), "DATA"]
    for line in lines:
        reply = client.command(line)
        if reply.code >= 400:
            client.rset()
            return reply
    client.send(message.encode("latin-1") + b".\r\n")
    code, text = client.getreply()
    return Reply(code, text.decode(errors="replace"))


def send(port, message, *to, client=STRANGER, **options):
    with Client(client, port) as session:
        return deliver(session, message, *to, **options)


def results(mail, ours=ID):
    """The results of the one field that is ours; more fields are wrong."""
    found = [f for f in fields(mail, "Authentication-Results")
             if f.lower().startswith(ours)]
    return re.findall(r"dkim=[^;]*", found[0]) if len(found) == 1 else found


def check(t, rig, port, message, to, *want, **options):
    """Send, see it delivered, compare each result with its pattern."""
    reply = send(port, message, to, **options)
    t.equal(reply.code, 250, f"{to}: {reply.text}")
    mail = rig.lmtp.wait(to)
    got = results(mail)
    t.ok(len(got) == len(want) and all(
        re.match(w, g) for w, g in zip(want, got)), f"{to}: results", got)
    return mail


def verifying(t, rig):
    """signatures of strangers"""
    server(rig, MX)
    rsa, ed = rig.keys["rsa"], rig.keys["ed"]
    both = ed.sign(rsa.sign(MAIL))
    mail = check(t, rig, MX, both, "both@example.net",
                 r"dkim=pass \(256-bit key.*header.a=ed25519-sha256",
                 r"dkim=pass \(2048-bit key.*header.d=good.example.*"
                 r"header.s=rsa.*header.b=")
    t.ok(mail.startswith("Authentication-Results: " + ID + ";"),
         "the field is on top", mail[:80])
    rig.log.wait(r"DKIM verification successful \(s=rsa, d=good\.example")
    check(t, rig, MX, rsa.sign(MAIL).replace("Sunday", "Monday"),
          "body@example.net", "dkim=fail .*body")
    check(t, rig, MX, rsa.sign(MAIL).replace("a visit", "a visa"),
          "header@example.net", "dkim=fail ")
    check(t, rig, MX, MAIL, "none@example.net", "dkim=none")
    listed = rsa.sign(MAIL).replace("a visit", "[list] a visit") + "-- \r\n"
    check(t, rig, MX, rig.keys["list"].sign(listed), "list@example.net",
          "dkim=pass .*header.d=list.example",
          "dkim=fail .*header.d=good.example")
    check(t, rig, MX, rsa.sign(MAIL, length=True) + "More.\r\n",
          "more@example.net", "dkim=policy .*in part")
    check(t, rig, MX, rsa.sign(MAIL).replace("s=rsa", "s=none"),
          "nokey@example.net", "dkim=permerror .*not found")
    check(t, rig, MX, "DKIM-Signature: what is this\r\n" + rsa.sign(MAIL),
          "broken@example.net", "dkim=permerror ", "dkim=pass ")
    check(t, rig, MX, rsa.sign(MAIL) .replace(
        "From: Ann", "From: Eve <eve@bad.example>\r\nFrom: Ann", 1),
          "two@example.net", r"dkim=permerror \(several From fields\)")


def several(t, rig):
    """several messages on one connection, and one that is broken off"""
    server(rig, MX)
    rsa = rig.keys["rsa"]
    with Client(STRANGER, MX) as client:
        for number in range(3):
            to = f"several{number}@example.net"
            message = rsa.sign(MAIL) if number != 1 else MAIL
            t.equal(deliver(client, message, to).code, 250, to)
            client.command("MAIL FROM:<x@good.example>")
            client.rset()
            got = results(rig.lmtp.wait(to))
            want = "dkim=none" if number == 1 else "dkim=pass"
            t.ok(got[0].startswith(want), to, got)


FORGED = [
    "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example",
    "authentication-results: MX.Example.NET; dkim=pass header.d=bank.example",
    'Authentication-Results: "mx.example.net"; dkim=pass header.d=b.example',
    "Authentication-Results: mx.example.net 1; dkim=pass header.d=b.example",
    "Authentication-Results:\r\n\tmx.example.net;\r\n\tdkim=pass header.d=b",
    "Authentication-Results: (x) mx.example.net; dkim=pass header.d=b.example",
    "Authentication-Results: mx.example.net; dkim/1=pass header.d=b.example",
    "Authentication-Results: mx.example.net/17; dkim=pass header.d=b.example",
    "Authentication-Results: mx.example.net; dkim=pass (",
    "Authentication-Results: mx.example.net; dkim=pass"
    + "".join(f"\r\n\theader.d=a{n}.example" for n in range(900)),
]
FOREIGN = "Authentication-Results: mx.good.example; dkim=pass header.d=a.b"


def forged(t, rig):
    """results in our name that strangers wrote"""
    server(rig, MX)
    for number, field in enumerate(FORGED):
        mail = check(t, rig, MX, field + "\r\n" + MAIL,
                     f"forged{number}@example.net", "dkim=none$")
        t.ok("header.d" not in mail, "nothing of it is left", mail[:300])
    t.ok(rig.log.find("removed 1 Authentication-Results field that claims"),
         "the log says so")
    many = "\r\n".join(FORGED * 3 + [FOREIGN] + FORGED) + "\r\n"
    mail = check(t, rig, MX, many + rig.keys["rsa"].sign(MAIL),
                 "many@example.net", "dkim=pass .*good.example")
    t.equal(len(fields(mail, "Authentication-Results")), 2,
            "ours and the foreign one are left")
    mail = check(t, rig, MX, many + MAIL.replace("From: Ann", "X: Ann"),
                 "nofrom@example.net", "dkim=permerror .*From field is")
    pad = "".join(f"X-Pad: {n}\r\n" for n in range(2000))
    mail = check(t, rig, MX, FORGED[0] + "\r\n" + pad
                 + "\r\n".join(FORGED[:8] + [MAIL]),
                 "behind@example.net", "dkim=permerror .*too much header")
    t.ok("b.example" not in mail, "nor behind the limit of fields")


def actions(t, rig):
    """the On- options"""
    rsa = rig.keys["rsa"]
    bad = rsa.sign(MAIL).replace("Sunday", "Monday")
    server(rig, STRICT, **{"On-BadSignature": "r", "On-NoSignature": "t",
                           "On-KeyNotFound": "reject"})
    reply = send(STRICT, bad, "strict@example.net")
    t.equal(reply, (550, "5.7.20 bad DKIM signature data"), "reject")
    reply = send(STRICT, MAIL, "strict@example.net")
    t.equal(reply, (451, "4.7.20 no DKIM signature data"), "tempfail")
    reply = send(STRICT, rsa.sign(MAIL).replace("s=rsa", "s=none"),
                 "strict@example.net")
    t.equal(reply.code, 550, "no key")
    check(t, rig, STRICT, rig.keys["list"].sign(bad), "saved@example.net",
          "dkim=pass", "dkim=fail")
    server(rig, HELD, **{"On-BadSignature": "q"})
    since = rig.log.mark()
    t.equal(send(HELD, bad, "held@example.net").code, 250, "quarantine")
    rig.log.wait("milter-hold: END-OF-MESSAGE", since)
    t.ok(rig.log.wait('action=quarantine cause="bad DKIM', since), "said")


def dns(t, rig):
    """DNS that does not answer"""
    server(rig, DEAD, DNSTimeout=1)
    rsa, other = rig.keys["rsa"], rig.keys["list"]
    dead = rsa.sign(MAIL).replace("s=rsa", "s=gone")
    reply = send(DEAD, dead, "dns@example.net")
    t.equal(reply, (451, "4.7.5 DKIM key retrieval failed"),
            "the author's key: later")
    check(t, rig, DEAD, other.sign(dead), "other@example.net",
          "dkim=pass .*list.example", "dkim=temperror .*good.example")
    check(t, rig, DEAD, dead.replace("ann@good", "ann@third"),
          "third@example.net", "dkim=temperror")


def signing(t, rig):
    """mail of ours, read by somebody else's Postfix"""
    signer(rig, SUBMISSION)
    server(rig, SECOND, AuthservID="mx.other.example")
    forged_field = FORGED[0].replace(ID, "MX.Example.net") + "\r\n"
    reply = send(SUBMISSION, forged_field + OWN, "carl@other.example",
                 "dora@example.net", sender="ann@example.net", client=OURS)
    t.equal(reply.code, 250, "submitted")
    mail = rig.lmtp.wait("carl@other.example")
    got = results(mail, "mx.other.example")
    t.ok(len(got) == 2 and all(g.startswith("dkim=pass") for g in got),
         "both signatures pass there", got)
    mail = rig.lmtp.wait("dora@example.net")
    t.ok(mail.startswith("DKIM-Signature: v=1; a="), "on top", mail[:60])
    t.ok("Authentication-Results" not in mail, "forged results are removed")
    t.equal(foreign_verify(mail, rig.keys.values()), [True, True],
            "dkimpy agrees")
    again = check_again(t, rig, mail)
    t.ok("header.s=own" in again, "after a forward", again)
    rig.log.wait(r"DKIM-Signature field added \(s=own, d=example\.net\)")


def check_again(t, rig, mail):
    """What was delivered, sent to us from outside."""
    server(rig, MX)
    message = mail.split("Message-ID", 1)
    text = re.sub(r"(?<!\r)\n", "\r\n", "Message-ID".join(message))
    reply = send(MX, text, "again@example.net")
    t.equal(reply.code, 250, "comes back")
    return " ".join(results(rig.lmtp.wait("again@example.net")))


UTF8 = OWN.replace("a visit", "Zürich".encode().decode("latin-1")).replace(
    "Ann <ann@", "Ann <ä@".encode().decode("latin-1"))
EIGHT = OWN.replace("On Sunday", "Gr\xfc\xdfe") + "..dots\r\n. \r\n\r\n\r\n"


def shapes(t, rig):
    """8-bit, internationalised, long and odd mail, and sendmail(1)"""
    signer(rig, SUBMISSION)
    shapes_of = {
        "eight": (EIGHT, " BODY=8BITMIME"),
        "utf8": (UTF8, " SMTPUTF8"),
        "empty": (OWN.split("\r\n\r\n")[0] + "\r\n\r\n", ""),
        "long": (OWN + ("x" * 900 + "\r\n") * 2000, ""),
        "folded": (OWN.replace("a visit", "a\r\n  visit\t \r\n to you"), ""),
        "bounce": (OWN, ""),
    }
    for name, (message, words) in shapes_of.items():
        to = f"{name}@example.net"
        reply = send(SUBMISSION, message, to, client=OURS, words=words,
                     sender="" if name == "bounce" else "ann@example.net")
        t.equal(reply.code, 250, f"{name}: {reply.text}")
        mail = rig.lmtp.wait(to)
        raw = mail.encode("utf-8", "surrogateescape").decode("latin-1")
        t.equal(foreign_verify(raw, rig.keys.values()), [True, True], name)
    subprocess.run(["sendmail", "-C", rig.postfix.config, "-f",
                    "ann@example.net", "sendmail@example.net"], check=True,
                   input=OWN.replace("\r\n", "\n").encode())
    mail = rig.lmtp.wait("sendmail@example.net")
    t.equal(foreign_verify(mail, rig.keys.values()), [True, True],
            "sendmail(1)")


def unsigned(t, rig):
    """mail that is not signed, and why"""
    for domain, mta, why in [
            ("example.net", "ELSEWHERE", "not internal"),
            ("third.example", "ORIGINATING", "no signing table match for")]:
        daemon = signer(rig, SUBMISSION, MTA=mta)
        since = rig.log.mark()
        to = f"unsigned.{domain}@example.net"
        send(SUBMISSION, MAIL.replace("good.example", domain), to,
             client=OURS, sender="ann@" + domain)
        mail = rig.lmtp.wait(to)
        t.equal(fields(mail, "DKIM-Signature"), [], domain)
        t.ok(rig.log.wait(f"not signed: .*{why}", since), why)
        daemon.stop()


def reloaded(t, rig):
    """a key is rotated by SIGHUP, a broken table changes nothing"""
    daemon = signer(rig, SUBMISSION)
    rig.file("keytable", f"both example.net:next:{rig.files['next']}\n")
    since = rig.log.mark()
    daemon.kill(signal.SIGHUP)
    rig.log.wait("reloaded", since)
    send(SUBMISSION, OWN, "next@example.net", client=OURS)
    mail = rig.lmtp.wait("next@example.net")
    t.ok("s=next;" in fields(mail, "DKIM-Signature")[0], "the new key signs")
    rig.file("keytable", "both example.net\n")
    rig.expect("not reloaded")
    since = rig.log.mark()
    daemon.kill(signal.SIGHUP)
    found = rig.log.wait("not reloaded.*", since).group()
    t.ok("keytable:1" in found, "the line is named", found)
    done = subprocess.run([*daemon.argv, "-t"], capture_output=True,
                          text=True, check=False)
    t.equal(done.returncode, 78, "-t finds it as well")
    t.ok("keytable:1" in done.stderr, "and names it", done.stderr)
    send(SUBMISSION, OWN, "still@example.net", client=OURS)
    mail = rig.lmtp.wait("still@example.net")
    t.ok("s=next;" in fields(mail, "DKIM-Signature")[0], "it goes on")


def handbook(t, rig):
    """the files of the handbook, as opendkim, at localhost"""
    DkimServer(rig, "opendkim", LOCAL + 7500, alias="opendkim", **{
        "Domain": "example.net", "KeyFile": rig.files["own"],
        "Selector": "own", "Canonicalization": "relaxed/relaxed",
        "Mode": "sv", "On-BadSignature": "q", "SubDomains": "yes",
        "InternalHosts": OURS,
        "Socket": f"inet:{LOCAL + 7500}@localhost"}).start()
    for number in range(4):     # Postfix may try each address of localhost
        to = f"handbook{number}@example.net"
        message = OWN.replace("ann@example.net", "ann@sub.example.net")
        t.equal(send(LOCAL, message, to, client=OURS).code, 250, to)
        mail = rig.lmtp.wait(to)
        field = "".join(fields(mail, "DKIM-Signature"))
        t.ok("d=example.net; s=own;" in field, "signed for the subdomain",
             field)
        t.equal(foreign_verify(mail, rig.keys.values()), [True], "right")


def busy(t, rig):
    """reloads under load: every message is signed, none deferred"""
    daemon = signer(rig, BUSY, InternalHosts=OURS)
    codes, enough, over = [], threading.Semaphore(0), threading.Event()

    def load():
        with Client(OURS, BUSY) as client:
            while not over.is_set():
                codes.append(deliver(client, OWN, "busy@example.net").code)
                enough.release()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(5):
        for _ in range(8):
            enough.acquire(timeout=PATIENCE)
        since = rig.log.mark()
        daemon.kill(signal.SIGHUP)
        rig.log.wait("reloaded", since)
    over.set()
    for thread in threads:
        thread.join()
    t.equal(set(codes), {250}, f"{len(codes)} messages")
    rig.lmtp.wait("busy@example.net", len(codes))
    mails = rig.lmtp.received("busy@example.net")
    t.equal({len(fields(m, "DKIM-Signature")) for m in mails}, {2},
            "all are signed twice")


def killed(t, rig):
    """SIGKILL under load: what was accepted is signed, the rest is retried"""
    rig.expect("warning: (connect to|milter inet:|.*Milter service)")
    daemon = signer(rig, BUSY, InternalHosts=OURS)
    codes, enough, over = [], threading.Semaphore(0), threading.Event()

    def load():
        while not over.is_set():
            with Client(OURS, BUSY) as client:
                codes.append(deliver(client, OWN, "killed@example.net").code)
            enough.release()

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        for _ in range(8):
            enough.acquire(timeout=PATIENCE)
        t.equal(daemon.stop(signal.SIGKILL), -signal.SIGKILL, "killed")
        daemon.start()
    over.set()
    for thread in threads:
        thread.join()
    t.ok(set(codes) <= {250, 451}, "nothing but 250 and 451", set(codes))
    accepted = codes.count(250)
    rig.lmtp.wait("killed@example.net", accepted)
    mails = rig.lmtp.received("killed@example.net")
    t.equal(len(mails), accepted, "each accepted message arrives")
    t.equal({len(fields(m, "DKIM-Signature")) for m in mails}, {2},
            "and is signed twice")


if __name__ == "__main__":
    run(setup, [verifying, several, forged, actions, dns, signing, shapes,
                unsigned, reloaded, handbook, busy, killed])
