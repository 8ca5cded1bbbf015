# SPDX-License-Identifier: ISC
"""pyspf on a zone in memory, and what it does otherwise than RFC 7208.

Each name in FIXES is one such thing, and Query can do it right: so a case in
which pyspf and we differ is explained by the fixes that make them agree, and
by nothing else. Why each is pyspf's mistake, or ours to choose, is in
spfrandom-differences.txt.
"""
import re
import socket
import sys

sys.path.append("/usr/lib/python3/dist-packages")
import spf                                              # noqa: E402

FIXES = ("self-include", "unknown-twice", "modifier-case", "ptr-void",
         "ptr-error", "macro-syntax", "percent-at-end", "unused-redirect",
         "sender-dot", "sender-local", "mx-all", "control-char",
         "joined-by", "reverse-case")
VALID_MACRO = re.compile(r"%(%|_|-|\{[A-Za-z]([1-9]\d*)?[rR]?[-.+,/_=]*\})")
PERCENT = "\x01"                # stands for what "%%" has become
JOINERS = spf.JOINERS
EVERY_DOT = dict.fromkeys("slodiphcrtv", ".")


class Unlike(str):
    """A text that is equal to none, so that nobody sees that it is."""
    __hash__ = str.__hash__

    def __eq__(self, other):
        return False


class Query(spf.query):
    def __init__(self, case, fixes):
        self.fixes, self.zone = frozenset(fixes), case.zone
        self.in_ptr = False
        sender = case.sender
        if "sender-dot" in self.fixes:
            sender = sender.rstrip(".")
        if "sender-local" in self.fixes and sender:
            local, _, domain = sender.rpartition("@")
            sender = (local or "postmaster") + "@" + domain
        super().__init__(i=case.client, s=sender, h=case.helo)
        self.set_default_explanation("DEFAULT")

    # ------------------------------------------------------------ the record

    def check0(self, record, recursion):
        if "control-char" in self.fixes and record and \
                re.search("[^ -~]", record):
            raise spf.PermError("not in the grammar", record)
        if "modifier-case" in self.fixes and record:
            record = " ".join(
                re.sub(r"(?i)^(redirect|exp)=", lambda m: m[0].lower(), term)
                for term in record.split(" "))
        return super().check0(record, recursion)

    def note_error(self, *msg):
        twice = re.fullmatch(r"(.*)= MUST appear at most once", msg[0])
        if "unknown-twice" in self.fixes and twice and \
                twice[1] not in ("exp", "redirect"):
            return None
        return super().note_error(*msg)

    def check_lookups(self):
        frame = sys._getframe(1).f_locals
        parsing = isinstance(frame.get("m"), list)
        if "unused-redirect" in self.fixes and parsing:
            return
        super().check_lookups()

    def check1(self, record, domain, recursion):
        frame = sys._getframe(1).f_locals
        if "unused-redirect" in self.fixes and frame.get("redirect_record"):
            super().check_lookups()
        return super().check1(record, domain, recursion)

    # ---------------------------------------------------------------- macros

    def expand_domain(self, arg):
        name = super().expand_domain(arg)
        return Unlike(name) if "self-include" in self.fixes and name else name

    def expand(self, text, stripdot=True):
        spf.JOINERS = EVERY_DOT if "joined-by" in self.fixes else JOINERS
        if "control-char" in self.fixes and re.search("[^ -~]", text) or \
                "macro-syntax" in self.fixes and \
                "%" in VALID_MACRO.sub("", text):
            raise spf.PermError("not in the grammar", text)
        if "reverse-case" in self.fixes:
            text = re.sub(r"(%\{[A-Za-z]\d*)R", r"\1r", text)
        if "percent-at-end" in self.fixes:
            text = re.sub("%%|%.", lambda m: PERCENT if m[0] == "%%"
                          else m[0], text)
        return super().expand(text, stripdot).replace(PERCENT, "%")

    # ------------------------------------------------------------------- DNS

    def dns_mx(self, domain):
        if "mx-all" not in self.fixes:
            return super().dns_mx(domain)
        hosts = self.dns(domain, "MX")
        if len(hosts) > spf.MAX_MX:
            raise spf.PermError("too many", domain)
        return (address for _, host in hosts
                for address in self.dns_a(host, self.A))

    def cidrmatch(self, addresses, bits):
        return any(super(Query, self).cidrmatch([address], bits)
                   for address in addresses)

    def getp(self):
        before = self.void_lookups
        if "ptr-void" in self.fixes:
            self.void_lookups = -1000
        try:
            return super().getp()
        finally:
            if "ptr-void" in self.fixes:
                self.void_lookups = before

    def validated_ptrs(self):
        self.in_ptr = True
        try:
            return super().validated_ptrs()
        finally:
            self.in_ptr = False

    def dns(self, name, qtype, cnames=None, ignore_void=False):
        if self.in_ptr and qtype != "PTR" and "ptr-void" in self.fixes:
            ignore_void = True
        try:
            return super().dns(name, qtype, cnames, ignore_void)
        except spf.TempError:
            if self.in_ptr and "ptr-error" in self.fixes:
                return []
            raise


def lookup(zone, name, qtype):
    entries = zone.get(name.lower().rstrip("."), [])
    found = [data for kind, data in entries if kind == qtype]
    if not found and any(kind == "FAIL" for kind, _ in entries):
        raise spf.TempError("DNS timeout")
    for data in found:
        if qtype == "AAAA":
            data = socket.inet_pton(socket.AF_INET6, data)
        elif qtype == "TXT":
            data = (data.encode(),)
        elif qtype == "MX":
            data = (10, data)
        yield (name, qtype), data


def check(case, fixes=()):
    """(result, explanation); "" is no explanation."""
    spf.DNSLookup = lambda name, qtype, strict=True, timeout=None: \
        lookup(case.zone, name, qtype)
    result, _, text = Query(case, fixes).check()
    return result, text if result == "fail" and text != "DEFAULT" else ""
