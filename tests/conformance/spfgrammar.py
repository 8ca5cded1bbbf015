# SPDX-License-Identifier: ISC
"""Random SPF cases: a zone, a client, a HELO, a sender.

What is made follows the grammar of RFC 7208 section 12, in a small world, so
that terms refer to each other and clients match; now and then something is
broken. The same seed makes the same case.
"""
import ipaddress
import random
from typing import NamedTuple

DOMAINS = [f"d{n}.example" for n in range(5)]
HOSTS = [f"h{n}.example" for n in range(4)]
ADDRESSES4 = ["192.0.2.1", "192.0.2.2", "192.0.2.129", "198.51.100.7"]
ADDRESSES6 = ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::9"]
LOCALS = ["u", "strong-bad", "a.b-c", "Mixed", "x+y=z", "p%q", '"a b"']
LETTERS = "slodiphvSLODIPHV"
# What macros in names often become.
EXPANDED = [f"{name}{end}" for end in (".example", ".d1.example")
            for name in ("u", "h1", "a-b", "1", "in-addr", "192.0.2.1", "d1",
                         "1.2.0.192", "unknown", "d1.example", "h1.example")]


class Case(NamedTuple):
    seed: str
    zone: dict          # name: [(type, data)]; FAIL stands for all else
    client: str
    helo: str
    sender: str


class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def chance(self, percent):
        return self.random.randrange(100) < percent

    def pick(self, *of):
        return self.random.choice(of)

    def some(self, least, most, make):
        return [make() for _ in range(self.random.randint(least, most))]

    def address(self):
        return self.random.choice(self.pick(ADDRESSES4, ADDRESSES4,
                                            ADDRESSES6))

    # ------------------------------------------------------------ records

    def macro(self, letters=LETTERS):
        text = "%{" + self.random.choice(letters)
        if self.chance(30):
            text += str(self.random.choice([1, 1, 2, 3, 10, 128]))
        if self.chance(20):
            text += self.pick("r", "r", "R")
        if self.chance(15):
            text += "".join(self.some(1, 2, lambda: self.pick(*".-+,/_=")))
        return text + "}"

    def domain(self):
        """A domain-spec."""
        if self.chance(70):
            return self.random.choice(DOMAINS + HOSTS)
        parts = self.some(1, 2, lambda: self.pick(
            self.macro(), self.macro(), "h1", "%%", "%_", "%-", "a-b"))
        return ".".join(parts) + self.pick(".example", ".d1.example",
                                           ".%{d}", ".%{d2}", ".example.")

    def cidr(self):
        four = f"/{self.pick(0, 24, 25, 31, 32, 32)}"
        six = f"//{self.pick(0, 32, 64, 127, 128)}"
        return self.pick("", "", "", four, six, four + six)

    def net4(self):
        return self.random.choice(ADDRESSES4) + self.pick(
            "", "", "/32", "/24", "/25", "/31", "/0")

    def net6(self):
        return self.random.choice(ADDRESSES6) + self.pick(
            "", "", "/128", "/64", "/127", "/32", "/0")

    def mechanism(self):
        kind = self.pick("ip4", "ip4", "ip6", "a", "a", "mx", "mx", "ptr",
                         "exists", "include", "include", "all")
        if kind == "ip4":
            return "ip4:" + self.net4()
        if kind == "ip6":
            return "ip6:" + self.net6()
        if kind in ("exists", "include"):
            return f"{kind}:{self.domain()}"
        if kind == "all":
            return "all"
        text = kind + (":" + self.domain() if self.chance(60) else "")
        return text + (self.cidr() if kind != "ptr" else "")

    def modifier(self):
        kind = self.pick("redirect", "redirect", "exp", "exp", "other")
        if kind == "other":
            return self.pick("foo=", "x-y.z_1=%{d}", "a1=bar", "ra=100")
        if kind == "exp":
            return "exp=" + self.pick("why.example", self.domain())
        return "redirect=" + self.domain()

    def broken(self, text):
        """Something that mostly is wrong."""
        at = self.random.randrange(len(text) + 1)
        return self.pick(
            text[:at] + text[at + 1:],
            text[:at] + self.pick(*"%{}/:=.-+~ 0aZ\u00e9\t\t\t\t") + text[at:],
            text[:at] + text[at:].upper(),
            text + self.pick("/33", "//129", "/08", ":", "=", ".", "%", "%{",
                             "%{d", "%{z}", "%{d0}", "%{d-1}", "/", "//"))

    def term(self):
        if self.chance(18):
            text = self.modifier()
        else:
            text = self.pick("", "", "", "+", "-", "~", "?") \
                + self.mechanism()
        return self.broken(text) if self.chance(4) else text

    def record(self):
        terms = self.some(0, 6, self.term)
        if self.chance(60):
            terms.append(self.pick("-all", "-all", "~all", "?all", "+all"))
        if self.chance(10):
            terms.append(self.modifier())
        space = self.pick(" ", " ", " ", "  ")
        return self.pick(*["v=spf1"] * 30, "V=SPF1", "v=spf10", "v=spf2.0") \
            + "".join(space + t for t in terms) + self.pick("", "", "", " ")

    # --------------------------------------------------------------- zones

    def reverse(self, address):
        return ipaddress.ip_address(address).reverse_pointer

    def host(self):
        entries = [self.pick(("A", self.random.choice(ADDRESSES4)),
                             ("AAAA", self.random.choice(ADDRESSES6)))
                   for _ in range(self.random.randint(0, 3))]
        if self.chance(30):
            entries += [("MX", self.random.choice(HOSTS))
                        for _ in range(self.random.randint(1, 3))]
        if self.chance(4):
            entries.append(("FAIL", ""))
        return entries

    def explanation(self):
        text = " ".join(self.some(1, 4, lambda: self.pick(
            self.macro(), self.macro(LETTERS + "crtCRT"), "%{s}", "%{v-}",
            "may", "not", "%_send%%")))
        return self.broken(text) if self.chance(10) else text

    def zone(self):
        zone = {name: self.host() for name in DOMAINS + HOSTS
                if not self.chance(15)}
        for name in DOMAINS:
            if self.chance(85):
                zone.setdefault(name, []).insert(0, ("TXT", self.record()))
            if self.chance(3):
                zone.setdefault(name, []).insert(0, ("TXT", self.pick(
                    self.record(), "another text", "v=spf1x -all")))
        zone["why.example"] = [("TXT", self.explanation())
                               for _ in range(self.pick(1, 1, 1, 1, 2))]
        for name in EXPANDED:
            if self.chance(40):
                zone[name] = [("A", "127.0.0.2")]
        for address in ADDRESSES4 + ADDRESSES6:
            if self.chance(60):
                zone[self.reverse(address)] = [
                    ("PTR", self.random.choice(HOSTS + DOMAINS))
                    for _ in range(self.random.randint(1, 3))]
        return zone

    def case(self, seed):
        zone = self.zone()
        client, domain = self.address(), self.random.choice(DOMAINS)
        sender = self.random.choice(LOCALS) + "@" + domain
        helo = self.random.choice(HOSTS + DOMAINS)
        if self.chance(8):
            sender, helo = "", domain
        if self.chance(6):
            sender = self.pick("@" + domain, domain, domain.upper(),
                               f"u@{domain}.", "u@nodots", "u@a..b")
        if self.chance(3):
            # As many terms that ask as may be, or one more.
            count = self.pick(4, 5)
            zone[domain] = [("TXT", "v=spf1 " + " ".join(
                ["include:d9.example"] * count) + " " + self.term()
                + self.pick("", " redirect=d9.example", " -all"))]
            zone["d9.example"] = [("TXT", "v=spf1 a:h0.example"),
                                  ("A", "203.0.113.9")]
            zone["h0.example"] = [("A", "203.0.113.9"),
                                  ("AAAA", "2001:db8:9::9")]
        return Case(seed, zone, client, helo, sender)


def make(seed):
    return Maker(seed).case(seed)
