#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""What a daemon on common/milter is told, and what it may do."""
from milterclient import ALL_ACTIONS, ALL_STEPS, STEPS, Session, Wire
from milterrig import options, run

SENDER, RECIPIENT = "a@good.example", "u@example.net"
FROM = ("From", " a@good.example")


def do(*commands):
    return [FROM] + [("X-Do", " " + c) for c in commands]


def told(t, milter):
    """envelope, client, macros and body are told"""
    with Session(milter.address, name="client.example", helo="helo.example",
                 macros={"{auth_type}": "PLAIN", "{auth_authen}": "alice",
                         "{client_ptr}": "ptr.example"}) as session:
        result = session.deliver(SENDER, [RECIPIENT, "v@example.net"],
                                 do(), b"x" * 150000, ["SMTPUTF8"])
    t.equal(result.action, "accept", "action")
    for name, want in {
            "X-Client": "client.example helo.example 198.51.100.10",
            "X-Sender": "<a@good.example> SMTPUTF8",
            "X-Recipients": "<u@example.net><v@example.net>",
            "X-Header": "1", "X-Body": "150000 150000",
            "X-Macros": "4Ctest0001 mx.example.net smtpd alice ptr.example",
            }.items():
        t.equal(result.inserted(name), [want], name)
    t.equal([name for name, _ in result.header[:3]],
            ["X-Client", "X-Sender", "X-Recipients"],
            "insertions stand on top in the order of the calls")
    t.equal(result.header[0][1][0], " ", "the space is supplied")


def clients(t, milter):
    """clients of all kinds"""
    for options_, want in (
            ({"client": "2001:db8:1::7"}, "mail.good.example 2001:db8:1::7"),
            ({"client": "::ffff:192.0.2.7"}, "mail.good.example 192.0.2.7"),
            ({"name": "unknown", "client": "203.0.113.67"},
             "unknown 203.0.113.67"),
            ({"client": None}, "mail.good.example none")):
        with Session(milter.address, helo="", **options_) as session:
            got = session.deliver(SENDER, [RECIPIENT], do())
        t.equal(got.inserted("X-Client")[0].replace("  ", " "), want,
                str(options_))


def sender(t, milter):
    """who sends: the macro, or a plain argument"""
    rows = [("<(any@legit.test>", '"(any"@legit.test', '"(any"@legit.test'),
            ("<>", "", ""), ("a@b.test", "a@b.test", "a@b.test"),
            ("<a@b.test>", None, "a@b.test"), ("<>", None, ""),
            ("<(any@b.test>", None, None), ("a@b.test", None, None),
            ("<@relay.test:a@b.test>", None, None)]
    for argument, macro, want in rows:
        with Session(milter.address) as session:
            session.macros("M", {} if macro is None else
                           {"{mail_addr}": macro})
            session.mail(argument)
            session.macros("R", {} if macro is None else
                           {"{rcpt_addr}": macro})
            session.rcpt(argument)
            session.eoh()
            result = session.eom()
        name = f"{argument} {macro}"
        if want is None:
            t.equal(result.reply, "451 4.3.2 The mail server does not tell"
                                  " who sends this", name)
        else:
            t.equal(result.inserted("X-Sender"), [f"<{want}>"], name)
            t.equal(result.inserted("X-Recipients"), [f"<{want}>"],
                    name + ": recipient")


def edits(t, milter):
    """removals and insertions"""
    fields = [("X-A", " 1"), ("x-a", " 2"), ("X-B", " 3"), ("X-A ", " 4"),
              ("Subject", " a\n\tb"), *do("forget", "remove X-A",
                                          "remove-nth X-Do 2",
                                          "insert X-N a;\\n\tb\\nc")]
    with Session(milter.address) as session:
        result = session.deliver(SENDER, [RECIPIENT], fields)
        t.equal([(e.name, e.index) for e in result.edits],
                [("X-Do", 2), ("X-A", 3), ("X-A", 2), ("X-A", 1),
                 ("X-N", 0)], "from the last to the first, then insertions")
        t.equal([f for f in result.header if f[0] != "X-Do"],
                [("X-N", " a;\n\tb\n\tc"), ("X-B", " 3"),
                 ("Subject", " a\n\tb"), FROM], "the header then")
        result = session.deliver(SENDER, [RECIPIENT],
                                 do("forget", "remove X-None"))
        t.equal(result.edits, [], "nothing to remove is no edit")


def verdicts(t, milter):
    """verdicts and their replies"""
    with Session(milter.address) as session:
        for command, action, reply in (
                ("reject 554 5.6.0 50% \x01no", "reject",
                 "554 5.6.0 50% ?no"),
                ("reject", "reject", "550 5.7.1 Message rejected"),
                ("tempfail 450 4.7.9 later", "tempfail", "450 4.7.9 later"),
                ("tempfail 550 5.7.9 later", "tempfail", "451 4.7.1 later"),
                ("discard", "discard", "")):
            result = session.deliver(SENDER, [RECIPIENT], do(command))
            t.equal((result.action, result.reply), (action, reply), command)
            t.equal(result.edits, [], command + ": no edits")
        result = session.deliver(SENDER, [RECIPIENT],
                                 do("quarantine why\x01not"))
        t.equal((result.action, result.quarantine), ("accept", "why?not"),
                "quarantine")
        t.equal(len(result.inserted("X-Sender")), 1, "with its edits")
        result = session.deliver(SENDER, [RECIPIENT], do("progress 3"))
        t.equal((result.action, result.progress), ("accept", 3), "progress")


def sessions(t, milter):
    """several messages, RSET, QUIT at any point"""
    with Session(milter.address) as session:
        for n in range(3):
            result = session.deliver(f"a{n}@b.test", [RECIPIENT], do())
            t.equal(result.inserted("X-Sender"), [f"<a{n}@b.test>"],
                    f"message {n}")
        session.envelope("old@b.test", ["old@example.net"])
        session.abort()
        session.abort()
        session.envelope("old@b.test", ["old@example.net"])
        session.send_header(do() + [("X-Old", " 1")])
        session.abort()
        result = session.deliver("", [RECIPIENT], do())
        t.equal(result.inserted("X-Sender"), ["<>"],
                "the null sender after others")
        t.equal(result.inserted("X-Recipients"), [f"<{RECIPIENT}>"],
                "nothing is left of an aborted one")
        t.equal(result.inserted("X-Header"), ["1"], "no field either")
        session.envelope("next@b.test", [RECIPIENT])
        result = session.deliver("last@b.test", [RECIPIENT], do())
        t.equal(result.inserted("X-Sender"), ["<last@b.test>"],
                "MAIL after MAIL")
        session.envelope("open@b.test", [RECIPIENT])
        session.send_header(do())
        session.body(b"half")
    figures = milter.wait_figures(open=0, under_way=0)
    t.equal((figures["begun"], figures["done"], figures["aborted"]),
            (7, 7, 2), "each was ended once")


def no_body(t, milter):
    """a body that is not wanted is skipped"""
    with Session(milter.address) as session:
        result = session.deliver(SENDER, [RECIPIENT], do("nobody"),
                                 b"x" * 500000)
        t.equal(result.inserted("X-Body"), ["65535 0"],
                "after the first piece")
        result = session.deliver(SENDER, [RECIPIENT], do(), b"")
        t.equal(result.inserted("X-Body"), ["0 0"], "no body at all")


@options("--wants-body=no")
def never_body(t, milter):
    """a daemon that wants no bodies gets none"""
    with Session(milter.address) as session:
        t.ok("nobody" in
             {n for b, n in enumerate(STEPS) if session.steps >> b & 1},
             "negotiated")
        result = session.deliver(SENDER, [RECIPIENT], do())
        t.equal(result.inserted("X-Body"), ["0 0"], "not a byte")


def old_servers(t, milter):
    """mail servers that know less"""
    for version, actions, steps in (
            (2, 0x3f, 0x7f), (2, 0, 0), (3, 0x3f, 0x1ff), (4, 0x3f, 0x3ff),
            (6, 0x3f, ALL_STEPS & ~(1 << 20)),
            (6, ALL_ACTIONS, ALL_STEPS & ~(1 << 10)),
            (6, ALL_ACTIONS, 0x7f)):
        name = f"version {version}, {actions:#x} {steps:#x}"
        with Session(milter.address, version=version, actions=actions,
                     steps=steps) as session:
            result = session.deliver(
                SENDER, [RECIPIENT],
                [("X-A", " 1"), *do("remove X-A", "insert X-N a")],
                b"x" * 70000)
            t.equal((result.action, result.inserted("X-Body")),
                    ("tempfail", []) if actions == 0 else
                    ("accept", ["70000 70000"]) if actions else None, name)
            if not session.steps >> 20 & 1 and result.edits:
                t.equal(result.edits[-1].value[:1], "m",
                        name + ": no space but the server's")


def steps_left_out(t, milter):
    """steps that do not come"""
    with Wire(milter.address) as wire:
        wire.negotiate()
        wire.connect()
        wire.macros("M", {"{mail_addr}": SENDER})
        wire.mail(f"<{SENDER}>")
        wire.rcpt(f"<{RECIPIENT}>")
        result = wire.eom()
        t.equal(result.inserted("X-Header"), ["0"],
                "without header and body")
        wire.mail(f"<{SENDER}>")
        wire.rcpt(f"<{RECIPIENT}>")
        wire.body(b"abc")
        t.equal(wire.eom().inserted("X-Body"), ["3 3"],
                "a body without a header")


run([told, clients, sender, edits, verdicts, sessions, no_body, never_body,
     old_servers, steps_left_out])
