# SPDX-License-Identifier: ISC
"""What t_dkimd.py sends, and the keys, the DNS and the configurations behind
it."""
import re
import time
from typing import NamedTuple

from dkimworld import Key

STRANGER, OWN = "198.51.100.10", "192.0.2.200"
DIR = "/run/rig"

COMMON = f"""\
Socket local:{DIR}/sockets/milter
UMask 000
UserID nobody:nogroup
AuthservID mx.example.net
Nameservers 127.0.0.1
InternalHosts {OWN}
Canonicalization relaxed/simple
Syslog yes
SyslogSuccess yes
LogWhy yes
"""
# c0 is Debian's, with one domain; c1 and c3 judge; c2 signs by tables.
CONFIGS = {
    "c0": COMMON + f"""\
Mode sv
Domain own.example
Selector sel
KeyFile {DIR}/sel.own.example.private
OversignHeaders From
SubDomains no
""",
    "c1": COMMON + """\
Mode v
AlwaysAddARHeader yes
NoHeaderB yes
On-BadSignature reject
On-KeyNotFound reject
On-DNSError tempfail
On-SignatureError reject
MaximumSignaturesToVerify 2
RemoveARFrom other.example
LogResults yes
""",
    "c3": COMMON + """\
Mode v
On-NoSignature reject
On-KeyNotFound discard
MinimumKeyBits 4096
""",
    "c2": COMMON + f"""\
Mode s
KeyTable {DIR}/keytable
SigningTable refile:{DIR}/signingtable
OmitHeaders *,+x-secret
SignatureTTL 86400
RemoveOldSignatures yes
MultipleSignatures yes
SoftwareHeader yes
SubDomains yes
""",
}
TABLES = {
    "keytable": f"""\
own own.example:sel:{DIR}/sel.own.example.private
other other.example:key2:{DIR}/key2.other.example.private
any %:sel:{DIR}/sel.own.example.private
""",
    "signingtable": """\
*@own.example own
both@own.example other
*@*.own.example own
user@any.example any
""",
}


class Case(NamedTuple):
    name: str
    message: object             # text, or a function of the world
    configs: str = "c0 c1"
    client: str = STRANGER
    macros: dict = {}
    sender: str = "a@good.example"

    @property
    def is_own(self):
        return self.client == OWN


class World:
    """Keys and what DNS says of them."""

    def __init__(self):
        self.own = Key("own.example", "sel")
        self.other = Key("other.example", "key2")
        self.rsa = Key("good.example", "rsa")
        self.ed = Key("good.example", "ed", "ed25519")
        self.foreign = Key("third.example", "rsa")
        self.test = Key("good.example", "test")
        self.strict = Key("good.example", "strict")

    def zone(self):
        keys = (self.own, self.other, self.rsa, self.ed, self.foreign)
        tested = self.test.zone().replace("v=DKIM1;", "v=DKIM1; t=y;")
        strict = self.strict.zone().replace("v=DKIM1;", "v=DKIM1; t=s;")
        return "".join(k.zone() for k in keys) + tested + strict + r"""
revoked._domainkey.good.example TXT "v=DKIM1; p="
broken._domainkey.good.example TXT "v=DKIM1; k=rsa; p=%%%"
sha1._domainkey.good.example TXT "v=DKIM1; h=sha1; p=AAAA"
web._domainkey.good.example TXT "v=DKIM1; s=web; p=AAAA"
text._domainkey.good.example TXT "hello"
two._domainkey.good.example TXT "v=DKIM1; p="
two._domainkey.good.example TXT "v=DKIM1; k=rsa; p=AAAA"
tiny._domainkey.good.example TXT "v=DKIM1; p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJ\
BAMSHn845nwE2wuqWql91IL0s+LSBLYyq+fo59L5UrBHz+CVCKTXxGECuNy1TqoLcUqUaoJFmsV1ZRd\
QygA5aq/0CAwEAAQ=="
down._domainkey.good.example !servfail
""".replace("\\\n", "")


HEAD = ("From: Alice <a@good.example>\r\nTo: u@example.net\r\n"
        "Subject: hello\r\nDate: Sat, 21 Nov 2026 12:00:00 +0000\r\n"
        "Message-ID: <1@good.example>\r\n")
BODY = "Hello,\r\n\r\nas  you asked. \r\n\r\n\r\n"
PLAIN = HEAD + "\r\n" + BODY


def by(key, message=PLAIN, **options):
    """Signed with world's key of that name."""
    return lambda world: getattr(world, key).sign(message, **options)


def then(make, old, new):
    """The same, altered afterwards."""
    def altered(world):
        text = make(world)
        assert old in text, old
        return text.replace(old, new)
    return altered


def made(**tags):
    """A signature that is no more than well-formed; None leaves a tag out."""
    tags = {"v": "1", "a": "rsa-sha256", "c": "relaxed/simple",
            "d": "good.example", "s": "rsa", "h": "from:to:subject",
            "bh": "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=",
            "b": "AAAA" * 86, **tags}
    return "DKIM-Signature: " + "; ".join(
        f"{k}={v}" for k, v in tags.items() if v is not None) + \
        "\r\n" + PLAIN


def own(header="From: Bob <b@own.example>\r\n", more=""):
    return header + "To: u@example.net\r\nSubject: hello\r\n" \
        "Date: Sat, 21 Nov 2026 12:00:00 +0000\r\n" \
        "Message-ID: <2@own.example>\r\n" + more + "\r\n" + BODY


AR = "Authentication-Results: mx.example.net; dkim=pass header.d=bank.example"
NOW = int(time.time())

CASES = [
    Case("no signature", PLAIN, "c0 c1 c3"),
    Case("good", by("rsa"), "c0 c1 c3"),
    Case("good, Ed25519", by("ed")),
    Case("good, both kinds", lambda w: w.ed.sign(w.rsa.sign(PLAIN))),
    Case("good, by somebody else", by("foreign")),
    Case("good, two strangers and the author", lambda w: w.foreign.sign(
        w.foreign.sign(w.rsa.sign(PLAIN)))),
    Case("body changed", then(by("rsa"), "as  you asked", "as they asked")),
    Case("trailing blank lines gone", then(by("rsa"), "\r\n\r\n\r\n",
                                           "\r\n")),
    Case("subject changed", then(by("rsa"), "Subject: hello",
                                 "Subject: hullo")),
    Case("a field added", then(by("rsa"), "\r\n\r\nHello",
                               "\r\nX-More: y\r\n\r\nHello")),
    Case("one bad, one good", lambda w: then(by("ed"), "as  you", "as you")(w)
         .split("From:")[0] + w.rsa.sign(PLAIN)),
    Case("key missing", made(s="missing"), "c0 c1 c3"),
    Case("key revoked", made(s="revoked")),
    Case("key broken", made(s="broken")),
    Case("key for sha1", made(s="sha1")),
    Case("key for the web", made(s="web")),
    Case("other text for a key", made(s="text")),
    Case("two keys", made(s="two")),
    Case("key of 512 bits", made(s="tiny", b="AAAA" * 21 + "AA==")),
    Case("key of another kind", made(s="ed")),
    Case("DNS is down", made(s="down")),
    Case("test mode, good", by("test")),
    Case("test mode, bad", made(s="test")),
    Case("strict key, subdomain", made(s="strict", i="@sub.good.example")),
    Case("expired", made(t=NOW - 99999, x=NOW - 86400)),
    Case("from the future", made(t=NOW + 86400)),
    Case("expires before it begins", made(t=NOW - 10, x=NOW - 20)),
    Case("version 2", made(v="2")),
    Case("no version", made(v=None)),
    Case("no domain", made(d=None)),
    Case("no b", made(b=None)),
    Case("d twice", made(s="rsa; d=bank.example")),
    Case("SHA-1", made(a="rsa-sha1",
                       bh="2jmj7l5rSw0yVb/vlWAYkK/YBwk=")),
    Case("algorithm unknown", made(a="rsa-sha512")),
    Case("canonicalisation unknown", made(c="loose/simple")),
    Case("From not signed", made(h="to:subject")),
    Case("identity elsewhere", made(i="@bank.example")),
    Case("query method unknown", made(q="http")),
    Case("part of the body", by("rsa", length=True)),
    Case("part of the body, and more behind",
         lambda w: w.rsa.sign(PLAIN, length=True) + "Buy!\r\n"),
    Case("no list of tags", "DKIM-Signature: hello there\r\n" + PLAIN),
    Case("a broken one above a good one", lambda w:
         "DKIM-Signature: hello there\r\n" + w.rsa.sign(PLAIN)),
    Case("three bad ones", lambda w: "".join(
        made(s=s).split("From:")[0] for s in ("missing", "revoked", "rsa"))
         + PLAIN),
    Case("results in our name", AR + "\r\n" + PLAIN),
    Case("results in our name, signed mail",
         lambda w: AR + "\r\n" + w.rsa.sign(PLAIN)),
    Case("results in our name, in capitals",
         AR.replace("mx.example", "MX.Example") + "\r\n" + PLAIN),
    Case("results in our name, broken", AR + " (\r\n" + PLAIN),
    Case("results in our name, with versions",
         AR.replace("net;", "net 1;").replace("dkim=", "dkim/1=")
         + "\r\n" + PLAIN),
    Case("results in our name, after a comment",
         AR.replace("mx.", "(hi) mx.") + "\r\n" + PLAIN),
    Case("results of others",
         AR.replace("mx.example.net", "mx.third.example") + "\r\n" + PLAIN),
    Case("results of other.example",
         AR.replace("mx.example.net", "other.example") + "\r\n" + PLAIN),
    Case("no From", PLAIN.split("\r\n", 1)[1]),
    Case("no From, signed", then(by("rsa"), "From: Alice <a@good.example>\r\n",
                                 "")),
    Case("From broken", PLAIN.replace("Alice <a@good.example>", "Alice <a@")),
    Case("two From", "From: x@bank.example\r\n" + PLAIN),
    Case("two authors", by("rsa", PLAIN.replace(
        "Alice <a@good.example>", "a@good.example, b@good.example"))),
    Case("own domain from outside", own()),
    Case("empty body", by("rsa", HEAD + "\r\n")),
    Case("null sender", by("rsa"), sender=""),

    Case("own mail", own(), "c0 c2", OWN),
    Case("own mail, signed already", made().replace("good.example",
                                                    "own.example"),
         "c0 c2", OWN),
    Case("own mail, null sender", own(), "c0 c2", OWN, sender=""),
    Case("own mail, results in our name", own(more=AR + "\r\n"), "c0 c2",
         OWN),
    Case("own mail, a subdomain",
         own("From: b@sub.own.example\r\n"), "c0 c2", OWN),
    Case("own mail, another domain",
         own("From: b@elsewhere.example\r\n"), "c0 c2", OWN),
    Case("own mail, domain in capitals",
         own("From: b@OWN.Example\r\n"), "c0 c2", OWN),
    Case("own mail, no From", own(""), "c0 c2", OWN),
    Case("own mail, From broken", own("From: Bob <b@\r\n"), "c0 c2", OWN),
    Case("own mail, two authors",
         own("From: b@own.example, c@elsewhere.example\r\n"), "c0 c2", OWN),
    Case("own mail, two From",
         own("From: b@own.example\r\nFrom: c@elsewhere.example\r\n"),
         "c0 c2", OWN),
    Case("logged in", own(), "c0 c2",
         macros={"{auth_type}": "PLAIN", "{auth_authen}": "bob"}),
    Case("stranger in our name", own(), "c2"),
    Case("by two tables",
         own("From: both@own.example\r\n"), "c2", OWN),
    Case("by the domain itself",
         own("From: user@any.example\r\n"), "c2", OWN),
    Case("fields of all kinds", own(
        more="X-Secret: s\r\nX-Other: o\r\nReceived: from x\r\n"
        "Comments: c\r\nReply-To: r@own.example\r\nBcc: q@own.example\r\n"
        "Return-Path: <p@own.example>\r\nCc: c@example.net\r\n"), "c0 c2",
         OWN),
    Case("folded fields", own(
        more="Cc: c@example.net,\r\n\td@example.net\r\n"), "c0 c2", OWN),
    Case("empty own mail", own().split("\r\n\r\n")[0] + "\r\n\r\n", "c0 c2",
         OWN),
]


def split(message):
    """Fields as a milter has them, and the body."""
    head, _, body = message.partition("\r\n\r\n")
    head = re.sub(r"\r\n([ \t])", r"\n\1", head.replace("\n", "\r\n")
                  .replace("\r\r", "\r"))
    fields = [line.partition(":") for line in head.split("\r\n")]
    return [(name, value) for name, _, value in fields], body.encode()
