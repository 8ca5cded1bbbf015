#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""SPF behind a real Postfix, with DNS of its own."""
import re
import signal
from typing import NamedTuple

from namespaces import have_ipv6
from rig import Client, run
from spfworld import PROGRAM, USER, SpfServer, start_dns

GOOD, BAD = "198.51.100.10", "203.0.113.40"
SIX, BAD6 = "2001:db8:1::10", "2001:db8:66::66"
PLAIN, KNOWN = "host.plain.example", "mail.good.example"    # names for HELO
BEFORE = "reject_unauth_destination, check_policy_service "
SPAWNED, INET, UNIX, STRICT, AUTHRES, GREY, DEAD, RELOAD = range(2501, 2509)


class Row(NamedTuple):
    name: str
    client: str
    helo: str
    sender: str
    code: int
    want: str           # in the reply, or in the header of the mail


# What an untouched configuration does.
ROWS = [
    Row("pass", GOOD, PLAIN, "a@good.example", 250,
        r"Pass .*identity=mailfrom;.*helo=host\.plain\.example"),
    Row("fail", BAD, PLAIN, "a@good.example", 550, "^5.7.23 "),
    Row("fail, explained", GOOD, PLAIN, "a@explained.example", 550,
        r"^5.7.23 .*198\.51\.100\.10 may not send for explained\.example"),
    Row("softfail", BAD, PLAIN, "a@soft.example", 250,
        "Softfail .*identity=mailfrom"),
    Row("neutral", GOOD, PLAIN, "a@neutral.example", 250,
        "Neutral .*identity=mailfrom"),
    Row("none", GOOD, PLAIN, "a@plain.example", 250,
        "None .*identity=mailfrom"),
    Row("permerror", GOOD, PLAIN, "a@twice.example", 250,
        "Permerror .*identity=mailfrom"),
    Row("temperror", GOOD, PLAIN, "a@broken.example", 250,
        "Temperror .*identity=mailfrom"),
    Row("null sender, HELO passes", GOOD, KNOWN, "", 250,
        "Pass .*identity=helo;"),
    Row("null sender, HELO says nothing", GOOD, PLAIN, "", 250, "None "),
    Row("null sender, HELO fails", BAD, KNOWN, "", 550, "^5.7.23 "),
    Row("HELO fails, MAIL FROM would not", BAD, KNOWN, "a@plain.example",
        550, "^5.7.23 "),
    Row("IPv6, pass", SIX, PLAIN, "a@good.example", 250,
        r'Pass .*client-ip="?2001:db8:1::10"?;'),
    Row("IPv6, fail", BAD6, PLAIN, "a@good.example", 550, "^5.7.23 "),
]
STRICT_ROWS = [
    Row("softfail", BAD, PLAIN, "a@soft.example", 550, "^5.7.23 "),
    Row("neutral", GOOD, PLAIN, "a@neutral.example", 550, "^5.7.23 "),
    Row("permerror", GOOD, PLAIN, "a@twice.example", 550, "^5.7.24 "),
    Row("temperror", GOOD, PLAIN, "a@broken.example", 450, "^4.7.24 "),
    Row("none", GOOD, PLAIN, "a@plain.example", 250, "None "),
    Row("pass", GOOD, PLAIN, "a@good.example", 250, "Pass "),
]


def setup(rig):
    rig.dns = start_dns()
    p = rig.postfix
    p.smtpd(SPAWNED, smtpd_recipient_restrictions=BEFORE
            + "unix:private/policyd-spf")
    spawn(rig, "policyd-spf")
    for port in INET, STRICT, AUTHRES, DEAD, RELOAD:
        p.smtpd(port, smtpd_recipient_restrictions=BEFORE
                + f"inet:127.0.0.1:{port + 7500}")
    p.smtpd(UNIX, chroot=True, smtpd_recipient_restrictions=BEFORE
            + "unix:public/spf")
    p.smtpd(GREY, smtpd_recipient_restrictions=BEFORE
            + f"inet:127.0.0.1:{GREY + 7500}, "
              "check_policy_service inet:127.0.0.1:10099")


def spawn(rig, service):
    server = SpfServer(rig, service, "stdio")
    rig.postfix.service(f"{service} unix - n n - 0 spawn user={USER} argv="
                        + " ".join(server.argv))
    rig.postfix.main[service + "_time_limit"] = "3600"


def send(port, row, *recipients):
    with Client(row.client, port, row.helo) as client:
        return client.deliver(row.sender, *recipients)


def server(rig, port, *listen, **options):
    """spfd behind that port of Postfix."""
    return SpfServer(rig, f"port{port}", *(listen or [port + 7500]),
                     **options).start()


def headers(mail, name="Received-SPF"):
    """The bodies of all headers of that name, unfolded."""
    head = re.sub(r"\r?\n[ \t]", " ", mail.replace("\r\n", "\n"))
    return re.findall(rf"^{name}: *(.*)$", head.split("\n\n")[0], re.M)


def play(t, rig, port, rows):
    """Each row by one mail to a recipient of its own."""
    for number, row in enumerate(rows):
        if ":" in row.client and not have_ipv6():
            continue
        if row.name == "temperror" and PROGRAM != "spfd":
            continue                # it says None when all servers fail
        to = f"row{number}.{port}@example.net"
        sent = send(port, row, to)
        t.equal(sent.rcpt[0].code, row.code, f"{row.name}: RCPT")
        if row.code != 250:
            said = sent.rcpt[0].text
            what = re.search(row.want, said)
        else:
            said = headers(rig.lmtp.wait(to))
            what = len(said) == 1 and re.search(row.want, said[0])
        t.ok(what, f"{row.name}: {row.want}", f"got: {said}")


def spawned(t, rig):
    """run by spawn(8)"""
    play(t, rig, SPAWNED, ROWS)


def inet(t, rig):
    """TCP"""
    server(rig, INET)
    play(t, rig, INET, ROWS)


def unix_in_chroot(t, rig):
    """a Unix socket, smtpd in its chroot"""
    # The directory is Postfix's; the socket is made before root is given up.
    server(rig, UNIX, rig.postfix.queue + "/public/spf")
    play(t, rig, UNIX, ROWS[:4])


def strict(t, rig):
    """rejecting all that is not a pass"""
    server(rig, STRICT, HELO_reject="SPF_Not_Pass",
           Mail_From_reject="SPF_Not_Pass", PermError_reject="True",
           TempError_Defer="True")
    play(t, rig, STRICT, STRICT_ROWS)


def authres(t, rig):
    """Authentication-Results"""
    server(rig, AUTHRES, Header_Type="AR", Authserv_Id="mx.example.net")
    for name, sender, want in [
            ("pass", "a@good.example",
             r"spf=pass .*smtp\.mailfrom=(a@)?good\.example"),
            ("softfail", "a@soft.example", "spf=softfail "),
            ("permerror", "a@twice.example", "spf=permerror ")]:
        to = name + ".ar@example.net"
        client = BAD if name == "softfail" else GOOD
        send(AUTHRES, Row("", client, PLAIN, sender, 250, ""), to)
        mail = rig.lmtp.wait(to)
        got = headers(mail, "Authentication-Results")
        t.ok(len(got) == 1
             and re.match(r"mx\.example\.net; ?" + want, got[0]),
             name, f"got: {got}")
        t.equal(headers(mail), [], f"{name}: no Received-SPF")


def recipients(t, rig):
    """several recipients"""
    port = SPAWNED
    both = "one@example.net", "two@example.net", "three@example.net"
    with Client(GOOD, port, PLAIN) as client:
        for count in 1, 2:          # the second mail has its header too
            sent = client.deliver("a@good.example", *both)
            t.equal([r.code for r in sent.rcpt], [250] * 3, "RCPT of a pass")
            for to in both:
                t.equal(len(headers(rig.lmtp.wait(to, count))), 1,
                        f"mail {count}, {to}: one header")
    sent = send(port, ROWS[1], *both)
    t.equal([r.code for r in sent.rcpt], [550] * 3,
            "a fail is said to each recipient")


def greylisting(t, rig):
    """greylistd behind it"""
    server(rig, GREY)
    rig.server("grey", 10099, delay=1).start()
    since = rig.log.mark()
    sent = send(GREY, ROWS[1], "grey@example.net")
    t.equal(sent.rcpt[0].code, 550, "a fail is rejected")
    sent = send(GREY, ROWS[0], "grey@example.net")
    t.equal(sent.rcpt[0].code, 450, "a pass is greylisted")
    rig.log.wait("action=greylist, reason=new, .*recipient=grey@", since)
    t.ok(not rig.log.find(f"reason=new, .*client_address={BAD}", since),
         "greylistd never sees what SPF rejects")
    rig.wait_due(1)
    t.equal(send(GREY, ROWS[0], "grey@example.net").code, 250, "the retry")
    mail = rig.lmtp.wait("grey@example.net")
    t.equal([len(headers(mail)), len(headers(mail, "X-Greylist"))], [1, 1],
            "it carries both headers")


def dead_dns(t, rig):
    """a name server that never answers"""
    server(rig, DEAD, Lookup_Time="1")
    dead = Row("", GOOD, PLAIN, "a@dead.example", 250, "")
    t.equal(send(DEAD, dead, "dead@example.net").code, 250, "mail passes")
    got = headers(rig.lmtp.wait("dead@example.net"))
    t.ok(len(got) == 1 and got[0].startswith("Temperror "), "temperror",
         f"got: {got}")
    t.equal(send(DEAD, ROWS[1], "dead@example.net").code, 550,
            "others are judged as ever")


def reload(t, rig):
    """another configuration by SIGHUP, in the middle of a session"""
    daemon = server(rig, RELOAD)
    fail = "a@good.example"
    with Client(BAD, RELOAD, PLAIN) as client:
        t.equal(client.deliver(fail, "hup@example.net").code, 550, "before")
        daemon.rewrite(f"Listen = inet:{RELOAD + 7500}@127.0.0.1",
                       f"User = {USER}", "Mail_From_reject = False")
        since = rig.log.mark()
        daemon.kill(signal.SIGHUP)
        rig.log.wait("reload", since)
        t.equal(client.deliver(fail, "hup@example.net").code, 250, "after")
    got = headers(rig.lmtp.wait("hup@example.net"))
    t.ok(got and got[0].startswith("Fail "), "the header tells",
         f"got: {got}")


SOCKETS = [inet, unix_in_chroot, strict, authres, greylisting, dead_dns,
           reload]          # policyd-spf has none
run(setup, [spawned, recipients] + SOCKETS * (PROGRAM == "spfd"))
