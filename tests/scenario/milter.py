# SPDX-License-Identifier: ISC
"""milter.py - plays a scenario against a milter: clients, messages, edits.

A message is built by "mail" and the statements that follow it, and delivered
before the next other statement.
"""
import os
import re
import shlex
import sys
import time

from scenario import story as language
from scenario.dkimkeys import Key, Signer, strings
from scenario.player import Player
from scenario.stage import PlayError

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))), "milter"))
import milterclient                                             # noqa: E402

CLIENT = {"address": "192.0.2.1", "name": "mail.good.example"}
DEFAULT = """From: Ann <{0}>
To: Bob <bob@example.net>
Subject: a visit
Date: Sat, 21 Nov 2026 12:00:00 +0000
Message-ID: <1@good.example>

On Sunday.""".split("\n")


class Message:
    """fields are (name, value), the value as it follows the colon, folds as
    "\\r\\n"; all texts are Latin-1."""

    def __init__(self, sender, recipients, lines):
        head, body = list(lines), []
        if "" in head:
            at = head.index("")
            head, body = head[:at], head[at + 1:]
        self.sender, self.recipients = sender, recipients
        self.body = "".join(line + "\r\n" for line in body)
        self.fields = []
        for line in head:
            self.add(line, len(self.fields))

    def add(self, line, at=0):
        """Puts in a field; a line that begins with a blank is a fold."""
        if line[:1] in (" ", "\t"):
            name, value = self.fields[-1]
            self.fields[-1] = name, f"{value}\r\n{line}"
            return
        found = [one.replace("\n", "\r\n").partition(":")
                 for one in re.split(r"\n(?![ \t])", line)]
        self.fields[at:at] = [(name, value) for name, _, value in found]

    def drop(self, name):
        self.fields = [f for f in self.fields if f[0].lower() != name.lower()]

    def swap(self, old, new):
        """Replaces a text; returns whether it is there."""
        fields = [(n, v.replace(old, new)) for n, v in self.fields]
        body = self.body.replace(old, new)
        found = (fields, body) != (self.fields, self.body)
        self.fields, self.body = fields, body
        return found

    def wire(self):
        """The fields as the protocol has them."""
        return [(wire(n), wire(v.replace("\r\n", "\n")))
                for n, v in self.fields]


def wire(text):
    return text.encode("latin-1").decode("utf-8", "surrogateescape")


def latin(text):
    return text.encode("utf-8", "surrogateescape").decode("latin-1")


def flat(name, value):
    """A field in one line."""
    text = latin(f"{name}:{value}" if value[:1] == " " else f"{name}: {value}")
    return re.sub(r"\s+", " ", text).strip()


def told(fields, edits):
    """Edits as lines: '+ Name: value' and '- Name: value'."""
    lines = []
    for edit in edits:
        if edit.kind in ("insert", "add"):
            lines.append("+ " + flat(edit.name, edit.value))
        elif edit.kind == "change":
            same = [f for f in fields
                    if f[0].rstrip(" \t").lower() == edit.name.lower()]
            if edit.index <= len(same):
                lines.append("- " + flat(*same[edit.index - 1]))
            if edit.value:
                lines.append("+ " + flat(edit.name, edit.value))
        elif edit.kind != "quarantine":
            lines.append(f"? {edit.kind} {edit.value}")
        fields = milterclient.apply(fields, [edit])
    return lines


def verdict(result):
    """What becomes of a message, as a "<" line has it."""
    if result.action == "accept" and result.quarantine is not None:
        return "quarantine " + result.quarantine
    return latin(f"{result.action} {result.reply}").strip()


class MilterPlayer(Player):
    """Plays one story against a milter."""

    QUIET = ("sign", "field", "drop", "swap", "body", "hangup", "log", "no")

    def __init__(self, *args, **words):
        super().__init__(*args, **words)
        self.keys, self.signer = {}, Signer()
        self.about, self.session = dict(CLIENT), None
        self.message = self.delivered = None
        self.replies, self.edits = [], []
        self.box.lookup = self.lookup

    # ------------------------------------------------------------- the end

    def stop(self, step):
        self.end_session()
        super().stop(step)

    def kill(self, step):
        self.end_session()
        super().kill(step)

    def end_session(self):
        if self.session:
            self.session.close()
            self.session = None

    def finish(self):
        for text in self.replies:
            self.miss(None, "leftover reply", "every reply is read", text)
        self.no_edits_left()
        super().finish()

    def no_edits_left(self):
        for text in self.edits:
            self.miss(None, "leftover edit", "every edit is told", text)
        self.edits = []

    def clean(self, keep):
        if self.session:
            self.session.sock.close()
        self.signer.stop()
        super().clean(keep)

    # ---------------------------------------------------------------- keys

    def make_key(self, step):
        """key SELECTOR DOMAIN [KIND]: also as the file SELECTOR.key"""
        selector, domain, *kind = step.arg.split()
        key = self.keys[selector] = Key(selector, domain,
                                        kind[0] if kind else "1024")
        path = self.box.path(selector + ".key")
        with open(path, "w", encoding="ascii",
                  opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(key.pem)
        self.box.own(path)

    def lookup(self, kind, name):
        """What {key:NAME} and the like stand for, or None."""
        key = self.keys.get(name)
        return key and {"key": strings(key.record), "record": key.record,
                        "public": key.public, "pem": "".join(
                            key.pem.split("\n")[1:-2])}.get(kind)

    # ------------------------------------------------------------- messages

    def use_client(self, step):
        """client name=value ...: the next messages come from there."""
        self.end_session()
        self.about = dict(CLIENT, **dict(language.words(
            self.box.expand(step.arg))))

    def connect(self):
        self.up()
        if self.session:
            return
        about = dict(self.about)
        macros = {"{daemon_name}": about.pop("daemon", "smtpd")}
        login = about.pop("login", None)
        if login is not None:
            macros["{auth_type}"] = about.pop("auth", "PLAIN")
            macros["{auth_authen}"] = login
        address, name = about.pop("address"), about.pop("name")
        try:
            self.session = milterclient.Session(
                self.home, client=address or None, name=name,
                helo=about.pop("helo", name), macros={**macros, **about},
                patience=self.daemon.wait)
        except (milterclient.Gone, OSError) as e:
            raise self.lost(e) from None

    def lost(self, why):
        self.session = None
        return PlayError("(server died)" if self.dead() else
                         f"(connection lost: {why or 'closed'})")

    def mail(self, step):
        """mail [from=A] [to=B,C]: a message, of the "|" lines or by default;
        mail again: the one before, as it was sent."""
        given = dict(language.words(self.box.expand(step.arg)))
        if "again" in given:
            del given["again"]
            sender, to, fields, body = self.last
        else:
            sender, to, fields, body = ("ann@good.example",
                                        "bob@example.net", None, None)
        sender, to = given.pop("from", sender), given.pop("to", to)
        if given:
            raise PlayError(f"mail has no '{' '.join(given)}'")
        lines = [language.unescape(self.box.expand(b)) for b in step.body]
        author = sender or "ann@good.example"
        self.message = Message(sender, to, lines or [
            line.replace("{0}", author) for line in DEFAULT])
        if fields is not None:
            self.message.fields, self.message.body = list(fields), body

    def building(self):
        if self.message is None:
            raise PlayError("this belongs to a message that begins by mail")
        return self.message

    def sign(self, step):
        """sign KEY tag=value ...: a signature on top"""
        name, *words = shlex.split(self.box.expand(step.arg))
        key, m = self.keys[name], self.building()
        tags = {"d": key.domain, "s": key.selector}
        for word in words:
            tag, is_set, value = word.partition("=")
            if tag in ("t", "x") and value[:1] in ("+", "-"):
                value = str(int(time.time()) + int(value))
            tags[tag] = language.unescape(value) if is_set else None
        value = self.signer.ask(do="sign", fields=m.fields, body=m.body,
                                pem=key.pem, tags=tags)
        m.add(f"DKIM-Signature:{value}".replace("\r\n", "\n"))

    def field(self, step):
        """field NAME: VALUE, on top; \\n and a blank fold it"""
        self.building().add(language.unescape(self.box.expand(step.arg)))

    def drop(self, step):
        self.building().drop(step.arg)

    def swap(self, step):
        """swap OLD => NEW: the message is changed under way"""
        old, _, new = language.unescape(
            self.box.expand(step.arg)).partition(" =>")
        if not self.building().swap(old, new.removeprefix(" ")):
            raise PlayError(f"the message has no '{old}'")

    def add_body(self, step):
        """body TEXT: at the end, nothing is added to it"""
        self.building().body += language.unescape(self.box.expand(step.arg))

    def flush(self):
        """Delivers the message."""
        m, self.message = self.message, None
        if m is None:
            return
        self.no_edits_left()
        self.connect()
        self.take_in(0)
        self.log_mark = len(self.log)
        self.last = m.sender, m.recipients, m.fields, m.body
        fields = m.wire()
        try:
            result = self.session.deliver(
                m.sender, m.recipients.split(","), fields,
                m.body.encode("latin-1"), chunk=self.chunk or 65535)
        except (milterclient.Gone, OSError) as e:
            raise self.lost(e) from None
        self.delivered = result.header, m.body
        self.replies.append(verdict(result))
        self.edits = told(fields, result.edits)
        for line in self.edits:
            self.trace(f"   {line}")

    def hangup(self, step):
        """Breaks off the message, or just the connection."""
        m, self.message = self.message, None
        self.connect()
        if m is not None:
            self.session.envelope(m.sender, m.recipients.split(","))
            self.session.send_header(m.wire())
            self.session.body(m.body.encode("latin-1"))
            self.session.sock.close()
            self.session = None
        self.end_session()

    # --------------------------------------------------- what is expected

    def reply(self, step):
        if not self.replies:
            raise PlayError("(no reply left)")
        pattern, got = self.box.expand(step.arg), self.replies.pop(0)
        if not language.matches(pattern, got):
            self.miss(step, self.ident(step), pattern, got)

    def expect_edit(self, step):
        """+ NAME: PATTERN and - NAME: PATTERN, the field in one line"""
        pattern = self.box.expand(step.arg)
        for line in self.edits:
            if line[0] == step.verb and language.matches(pattern, line[2:]):
                self.edits.remove(line)
                return
        self.miss(step, self.ident(step), pattern,
                  "\n        ".join(self.edits) or "no edit left")

    def signed(self, step):
        """signed KEY ...: the signatures of the delivered message, from the
        top, and each is right. "signed nobody" is a message without."""
        fields, body = self.delivered
        text = "".join(latin(f"{n}:{v}").replace("\n", "\r\n") + "\r\n"
                       for n, v in fields)
        got = self.signer.ask(
            do="verify", message=text + "\r\n" + body,
            zone={key.name: key.record for key in self.keys.values()})
        want = [] if step.arg == "nobody" else [
            [self.keys[name].name, True] for name in step.arg.split()]
        if got != want:
            self.miss(step, self.ident(step), str(want), str(got))

    HANDLERS = {
        verb: name for verb, name in Player.HANDLERS.items()
        if verb not in (">", "raw", "eol", "conn", "crowd", "flood", "closed")
    }
    HANDLERS.update({
        "key": "make_key", "client": "use_client", "mail": "mail",
        "sign": "sign", "field": "field", "drop": "drop", "swap": "swap",
        "body": "add_body", "+": "expect_edit", "-": "expect_edit",
        "signed": "signed",
    })
