#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""dkimctl: keys that opendkim-testkey and others accept, signatures that
dkimpy and Mail::DKIM verify, and files that nothing overwrites."""
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dns import dnsrig  # noqa: E402
from dns.dnsrig import ROOT, FaultDns  # noqa: E402
from dkimworld import VERIFY, python  # noqa: E402
from tap import Tap  # noqa: E402

DKIMCTL = pathlib.Path(os.environ.get("BINDIR", ROOT / "build/bin"), "dkimctl")
MESSAGE = """From: Alice <alice@example.org>
To: bob@example.net
Subject: a key
Date: Sat, 21 Nov 2026 10:00:00 +0000
Message-ID: <1@example.org>
List-Id:  folded
\tvalue

Hello  there

.
"""
MAIL_DKIM = """
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS;
my ($address, $port) = @ARGV;
Mail::DKIM::DNS::resolver(Net::DNS::Resolver->new(
    nameservers => [$address], port => $port));
my $d = Mail::DKIM::Verifier->new();
local $/; my $m = <STDIN>; $m =~ s/\\r?\\n/\\r\\n/g;
$d->PRINT($m); $d->CLOSE; print join " ", map { $_->result } $d->signatures;
"""


class World:
    """A directory of its own, and programs that run in it."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dkimctl-"))
        for name in ("opendkim-genkey", "opendkim-testkey"):
            os.symlink(DKIMCTL, self.folder / name)
        self.keys = []          # (domain, selector)

    def run(self, *words, data=None, name=DKIMCTL):
        """Exit code, standard output, standard error."""
        done = subprocess.run([name, *map(str, words)], cwd=self.folder,
                              input=data, capture_output=True, text=True,
                              errors="surrogateescape")
        return done.returncode, done.stdout, done.stderr

    def ctl(self, command, *words, data=None):
        """Of a configuration of its own, unless -c says otherwise."""
        config = () if "-c" in words or command == "genkey" \
            else ("-c", "/dev/null")
        return self.run(command, *config, *words, data=data)

    def path(self, name):
        return self.folder / name

    def write(self, name, text, mode=0o644):
        self.path(name).write_text(text)
        self.path(name).chmod(mode)
        return self.path(name)

    def read(self, name):
        return self.path(name).read_text()

    def genkey(self, selector, *words, domain="example.org"):
        code, _, err = self.ctl("genkey", "-a", "-s", selector, "-d", domain,
                                *words)
        if code:
            raise RuntimeError(err)
        self.keys.append((domain, selector))

    def record(self, selector):
        return joined(self.read(f"{selector}.txt"))

    def zone(self):
        """All keys, for FaultDns."""
        return "".join(
            f"{selector}._domainkey.{domain} TXT " + " ".join(
                strings(self.read(f"{selector}.txt"))) + "\n"
            for domain, selector in self.keys)

    def records(self):
        return {f"{selector}._domainkey.{domain}": self.record(selector)
                for domain, selector in self.keys}


def strings(zone_text):
    """The quoted strings of zone file text."""
    return re.findall(r'"(?:[^"\\]|\\.)*"', zone_text)


def joined(zone_text):
    return "".join(re.sub(r"\\(.)", r"\1", s[1:-1])
                   for s in strings(zone_text))


def mode_of(path):
    return path.stat().st_mode & 0o7777


def today(days=0):
    day = datetime.datetime.now(datetime.timezone.utc).date()
    return str(day + datetime.timedelta(days=days))


# ------------------------------------------------------------------ genkey

def test_genkey(tap, w):
    tap.begin("genkey")
    code, out, err = w.ctl("genkey")
    tap.equal((code, out, err), (0, "", ""), "says nothing")
    tap.equal(mode_of(w.path("default.private")), 0o600, "mode of the key")
    tap.equal(mode_of(w.path("default.txt")), 0o644, "mode of the record")
    text = w.read("default.txt")
    tap.ok(text.startswith("default._domainkey\tIN\tTXT\t( \"v=DKIM1;") and
           text.endswith("; ----- DKIM key default for localhost\n"),
           "relative to the zone", text)
    tap.ok(max(map(len, strings(text))) <= 257, "strings are short", text)
    bits = subprocess.run(
        ["openssl", "pkey", "-in", w.path("default.private"), "-noout",
         "-text"], capture_output=True, text=True).stdout
    tap.ok("2048 bit" in bits, "2048 bits", bits[:200])
    w.genkey("four", "-b", "4096")
    tap.ok(len(w.record("four")) > 700, "4096 bits")
    code, _, err = w.ctl("genkey", "-v", "-s", "loud")
    tap.equal(err.splitlines(),
              ["dkimctl: generating private key",
               "dkimctl: private key written to loud.private",
               "dkimctl: DNS TXT record written to loud.txt"], "-v")
    w.genkey("ed", "-k", "ed25519")
    tap.ok(re.fullmatch(r"v=DKIM1; h=sha256; k=ed25519; p=.{43}=",
                        w.record("ed")), "Ed25519", w.record("ed"))
    w.genkey("note", "-k", "ed25519", "-n", 'it\'s "ours"; p=x')
    tap.ok('n=it\'s "ours"=3B p=3Dx; ' in w.record("note"), "a note",
           w.record("note"))


def test_genkey_like_opendkim(tap, w):
    """The same text as Debian's program writes, but for the key."""
    tap.begin("genkey and opendkim-genkey")
    theirs = shutil.which("opendkim-genkey")
    if theirs is None:
        tap.skip("no opendkim-genkey")
        return
    rows = [
        (), ("-a",), ("-r",), ("-S",), ("-t",), ("-rStv",), ("-tS", "-r"),
        ("--append-domain", "--domain=example.net", "--selector=x.y"),
        ("--restrict", "--nosubdomains", "--testmode"),
        ("--hash-algorithms=sha1:sha256", "-b1024"),
        ("-at", "--noappend-domain", "--notestmode", "-b", "1024"),
        ("-d", ""),
    ]
    blank = lambda text: re.sub(r"[A-Za-z0-9+/]{60,}", "KEY", text)
    for number, row in enumerate(rows):
        made = []
        for name in (theirs, w.path("opendkim-genkey")):
            folder = w.path(f"{number}-{len(made)}")
            folder.mkdir()
            code, out, _ = w.run("-D", folder, *row, name=name)
            files = sorted(p.name for p in folder.iterdir())
            texts = [blank(re.sub(r"\)\s*", ")", p.read_text()))
                     for p in sorted(folder.glob("*.txt"))]
            made.append((code, out, files, texts))
        tap.equal(made[1], made[0], " ".join(row) or "no option")


def test_genkey_refuses(tap, w):
    tap.begin("genkey refuses")
    before = sorted(os.listdir(w.folder))
    rows = [
        ("too small a key", 64, ["-b", "512"], "-b 512: write a number"),
        ("too large a key", 64, ["-b", "8192"], "-b 8192: write a number"),
        ("no number", 64, ["-b", "x"], "-b x: write a number"),
        ("another kind", 64, ["-k", "dsa"], "-k dsa: write rsa or ed25519"),
        ("a selector with a path", 64, ["-s", "../x"], "-s ../x: a selector"),
        ("a selector with a blank", 64, ["-s", "a b"], "-s a b: a selector"),
        ("no domain", 64, ["-d", 'a"b'], '-d a"b: no domain'),
        ("-a without a domain", 64, ["-a", "-d", ""], "-a: a domain is"),
        ("hashes without sha256", 64, ["-h", "sha1"], "-h sha1: write names"),
        ("hashes with a tag", 64, ["-h", "sha256;t=y"], "write names"),
        ("a long note", 64, ["-n", "n" * 201], "-n: at most 200 bytes"),
        ("an unknown option", 64, ["-Z"], "-Z: no such option"),
        ("a word", 64, ["x"], "x is no option"),
        ("no directory", 73, ["-D", "nowhere"], "-D nowhere: No such file"),
        ("a key that exists", 73, ["-s", "ed"], "exists already"),
    ]
    for name, want, words, text in rows:
        code, out, err = w.ctl("genkey", *words)
        tap.ok(code == want and out == "" and text in err,
               name, f"{code} {err}")
    tap.equal(sorted(os.listdir(w.folder)), before, "no file was made")
    target = w.write("target", "mine")
    for name in ("link.private", "link.txt"):
        os.symlink(target, w.path(name))
        code, _, err = w.ctl("genkey", "-s", "link")
        w.path(name).unlink()
        tap.ok(code == 73 and "exists already" in err and
               target.read_text() == "mine", f"{name} is a link", err)
        left = [n for n in os.listdir(w.folder) if n.startswith("link")]
        tap.equal(left, [], f"{name} is a link: nothing is left")


# ----------------------------------------------------------------- testkey

def testkey(w, server, *words, name=DKIMCTL):
    command = ("testkey",) if name == DKIMCTL else ()
    return w.run(*command, "-c", "/dev/null", "--nameserver", server.address,
                 "-o", "QuestionTimeout=1", *words, name=name)


FAULTS = """
dead._domainkey.example.org !servfail
silent._domainkey.example.org !never
gone._domainkey.example.org TXT "v=DKIM1; p="
junk._domainkey.example.org TXT "v=DKIM1; k=rsa; p=!!"
test._domainkey.example.org TXT %s
two._domainkey.example.org TXT "v=DKIM1; p=%s"
two._domainkey.example.org TXT "v=DKIM1; p=%s"
"""


def faults(w):
    key = re.search("p=(.*)", w.record("rsa"))[1]
    record = w.record("rsa").replace("k=rsa;", "k=rsa; t=y;")
    pieces = " ".join(f'"{record[i:i + 200]}"'
                      for i in range(0, len(record), 200))
    return w.zone() + FAULTS % (pieces, key[:200], key[:200])


def test_testkey(tap, w, server):
    name = lambda selector: f"'{selector}._domainkey.example.org'"
    rows = [
        ("rsa", "rsa", 0, "", ""),
        ("ed", "ed", 0, "", ""),
        ("four", "four", 0, "", ""),
        ("rsa", None, 0, "", ""),
        ("rsa", "ed", 65, "dkimctl: keys do not match\n", ""),
        ("ed", "rsa", 65, "dkimctl: keys do not match\n", ""),
        ("none", "rsa", 69, "", f"{name('none')} record not found"),
        ("dead", "rsa", 69, "", f"{name('dead')} query failed"),
        ("silent", "rsa", 69, "", f"{name('silent')} query timed out"),
        ("gone", "rsa", 69, "", f"{name('gone')}: key revoked"),
        ("junk", "rsa", 69, "", f"{name('junk')}: "),
        ("two", "rsa", 69, "", f"{name('two')}: multiple keys found"),
    ]
    for selector, key, want, out, err in rows:
        tap.begin(f"testkey of {selector} with {key}")
        words = ("-k", f"{key}.private") if key else ()
        got = testkey(w, server, "-d", "example.org", "-s", selector, *words)
        tap.ok(got[0] == want and got[1] == out and err in got[2] and
               (err != "" or got[2] == ""), "code and words", repr(got))
    tap.begin("testkey")
    got = testkey(w, server, "-vvv", "-d", "example.org", "-s", "test",
                  "-k", "rsa.private")
    tap.equal(got, (0, "dkimctl: key OK\n", "dkimctl: key loaded from "
                    "rsa.private\ndkimctl: checking key "
                    "'test._domainkey.example.org'\ndkimctl: the record says "
                    "that it is a test (t=y)\n"), "-vvv")
    got = testkey(w, server, "-d", "example.org", "-s", "rsa", "-k", "nowhere")
    tap.ok(got[0] == 71 and "nowhere" in got[2], "no such file", repr(got))
    got = testkey(w, server, "-k", "rsa.private")
    tap.ok(got[0] == 64 and "-k: a domain" in got[2], "a key only", repr(got))
    got = testkey(w, server)
    tap.ok(got[0] == 78 and "has no such key" in got[2], "no key", repr(got))
    got = testkey(w, server, "-d", "a\nb", "-s", "x")
    tap.ok(got[0] == 64 and "a%0Ab" in got[2], "odd names", repr(got))


def test_testkey_table(tap, w, server):
    tap.begin("testkey of a KeyTable")
    w.write("table", f"""# keys
one example.org:rsa:{w.path('rsa.private')}
one example.org:ed:{w.path('ed.private')}
two example.org:four:{w.path('four.private')}
past example.org:none:{w.path('rsa.private')}:rsa-sha256:2020-01-01:2021-01-01
""")
    w.write("good.conf", f"KeyTable file:{w.path('table')}\n"
            "SigningTable *@example.org=one\n")
    use = ("-c", w.path("good.conf"))
    code, out, err = testkey(w, server, "-vvv", *use)
    tap.equal((code, out), (0, "dkimctl: key one: OK\ndkimctl: key one: OK\n"
                               "dkimctl: key two: OK\n"
                               "dkimctl: 3 keys checked; 3 pass, 0 fail\n"),
              "all good")
    tap.ok("selector none signs no longer, not checked" in err,
           "a key of the past", err)
    code, out, _ = testkey(w, server, "-v", "-s", "four", *use)
    tap.equal((code, out), (0, "dkimctl: 1 key checked; 1 pass, 0 fail\n"),
              "of one selector")
    w.write("table", w.read("table").replace(":four:", ":rsa:") +
            f"three example.net:none:{w.path('rsa.private')}\n")
    code, out, err = testkey(w, server, "-v", *use)
    tap.equal((code, out), (69, "dkimctl: 4 keys checked; 2 pass, 2 fail\n"),
              "two bad")
    tap.ok("dkimctl: key two: keys do not match\n" in err and
           "dkimctl: key three: 'none._domainkey.example.net' record not "
           "found\n" in err, "what is wrong", err)
    code, out, _ = testkey(w, server, "-d", "example.org", *use)
    tap.equal((code, out), (65, ""), "only a mismatch")
    w.write("single.conf", f"Domain example.org,example.net\nSelector rsa\n"
            f"KeyFile {w.path('rsa.private')}\n")
    code, out, err = testkey(w, server, "-v", "-c", w.path("single.conf"))
    tap.ok(code == 69 and "2 keys checked; 1 pass, 1 fail" in out and
           "dkimctl: 'rsa._domainkey.example.net' record not found" in err,
           "KeyFile, each Domain", f"{code} {out} {err}")


def test_testkey_like_opendkim(tap, w, server):
    """What Debian's program says of the same records."""
    tap.begin("testkey and opendkim-testkey")
    theirs = shutil.which("opendkim-testkey")
    if theirs is None:
        tap.skip("no opendkim-testkey")
        return
    w.write("unbound.conf", "server:\n  do-not-query-localhost: no\n"
            f"forward-zone:\n  name: \".\"\n  forward-addr: {server.address}\n")
    w.write("od.conf", f"ResolverConfiguration {w.path('unbound.conf')}\n")
    for selector, key in (("rsa", "rsa"), ("four", "four"), ("rsa", "four"),
                          ("none", "rsa")):
        words = ("-d", "example.org", "-s", selector, "-k", f"{key}.private")
        for loud in ((), ("-vvv",)):
            want = w.run("-x", w.path("od.conf"), *words, *loud, name=theirs)
            # It says so also where it does not look.
            want = (*want[:2], want[2].replace(
                "opendkim-testkey: key not secure\n", ""))
            got = w.run("-x", "/dev/null", "--nameserver", server.address,
                        *words, *loud, name=w.path("opendkim-testkey"))
            tap.equal(got, want, " ".join((selector, key) + loud))


def test_dnssec(tap, w):
    """The files of genkey in a real zone that is signed."""
    tap.begin("testkey with DNSSEC")
    if not dnsrig.can_sign():
        tap.skip("no nsd or no ldns-signzone")
        return
    signed, key = dnsrig.sign(
        w.folder, "$TTL 60\n@ SOA ns admin 1 60 60 600 60\n@ NS ns\n"
        "ns A 127.0.0.1\n" + w.read("default.txt") +
        w.read("loud.txt").replace("v=DKIM1", "v=DKIM1; n=forge"),
        "n=forge", "n=forgd")
    with dnsrig.Nsd(w.folder, signed) as nsd:
        words = ("-v", "-d", "signed.test", "-o", "QuestionTimeout=5")
        anchor = ("-o", f"TrustAnchorFile={key}")
        got = testkey(w, nsd, *words, *anchor, "-s", "default",
                      "-k", "default.private")
        tap.equal(got, (0, "", "dkimctl: key secure\n"), "secure")
        got = testkey(w, nsd, *words, *anchor, "-s", "loud",
                      "-k", "loud.private")
        tap.ok(got[0] == 69 and "dkimctl: key bogus (DNSSEC failed)\n" in
               got[2], "bogus", repr(got))
        got = testkey(w, nsd, *words[1:], *anchor, "-s", "loud")
        tap.ok("dkimctl: key bogus (DNSSEC failed)\n" in got[2],
               "bogus is said without -v", repr(got))
        got = testkey(w, nsd, *words, "-s", "default", "-k",
                      "default.private")
        tap.equal(got, (0, "", ""), "no trust anchor, nothing said")


# -------------------------------------------------------------------- show

def test_show(tap, w):
    tap.begin("show")
    code, out, _ = w.ctl("show", "-d", "example.org", "rsa.private",
                         "ed.private")
    tap.equal((code, out), (0, w.read("rsa.txt") + w.read("ed.txt")),
              "key files: what genkey wrote")
    code, out, _ = w.ctl("show", "--plain", "-s", "x", "ed.private")
    tap.equal((code, out), (0, f"x._domainkey\t{w.record('ed')}\n"),
              "--plain, another selector")
    w.write("table", f"""
one example.org:rsa:{w.path('rsa.private')}
one example.org:four:{w.path('four.private')}:rsa:{today(5)}
one example.org:ed:{w.path('ed.private')}:ed25519-sha256:2020-01-01:{today(5)}
two example.net:ed:{w.path('ed.private')}:ed25519-sha256:2020-01-01:2021-01-01
three example.net:rsa:{w.path('rsa.private')}
three example.net:four:{w.path('four.private')}:rsa-sha256:2020-01-01
""")
    w.write("show.conf", f"KeyTable {w.path('table')}\nSigningTable a=one\n")
    code, out, err = w.ctl("show", "-c", w.path("show.conf"))
    tap.equal([line for line in out.splitlines() if line.startswith("; ")], [
        "; one: rsa, 2048 bits, signs now",
        f"; one: rsa, 4096 bits, signs from {today(5)} on",
        f"; one: ed25519, 256 bits, signs now, until {today(5)}",
        "; two: ed25519, 256 bits, signs no longer since 2021-01-01",
        "; three: rsa, 2048 bits, signs no longer: a newer key does",
        "; three: rsa, 4096 bits, signs now"], "which key signs when")
    tap.ok(w.read("rsa.txt") in out and w.read("ed.txt") in out,
           "the records", err)
    code, out, _ = w.ctl("show", "--plain", "-c", w.path("show.conf"), "-d",
                         "example.net", "-s", "rsa")
    tap.equal(out, f"rsa._domainkey.example.net\t{w.record('rsa')}\n",
              "of one domain and selector")
    for words, want, text in (
            (("nowhere.private",), 66, "nowhere.private"),
            (("a b.private",), 64, "its name tells no selector"),
            (("-s", "a/b", "ed.private"), 64, "-s a/b: no selector"),
            (("-c", w.path("show.conf"), "-d", "nobody.example"), 78,
             "no such key"),
            (("rsa.txt",), 66, "no private key"),
            (("-c", w.path("none.conf")), 78, "none.conf")):
        code, _, err = w.ctl("show", *words)
        tap.ok(code == want and text in err, f"{words[-1]} fails", err)


# --------------------------------------------------------- sign and verify

def sign(w, selector, *words, message=MESSAGE):
    code, out, err = w.ctl("sign", "-m", "-d", "example.org", "-s", selector,
                           "-k", f"{selector}.private", *words, "-",
                           data=message)
    return out if code == 0 else f"{code} {err}"


def verify(w, message, *words):
    return w.ctl("verify", "--keys", "keys", *words, "-", data=message)


def test_sign(tap, w, server):
    for canon in ("simple/simple", "relaxed/simple", "relaxed/relaxed"):
        for selector in ("rsa", "four", "ed"):
            tap.begin(f"sign by {selector}, {canon}")
            signed = sign(w, selector, "-o", f"Canonicalization={canon}")
            tap.ok(signed.endswith("\n" + MESSAGE) and
                   signed.startswith("DKIM-Signature: v=1; a="),
                   "the field and the message", signed)
            job = {"message": signed, "zone": w.records()}
            tap.equal(python(VERIFY, job), "[true]\n", "dkimpy")
            tap.equal(verify(w, signed)[0], 0, "dkimctl")
            if selector == "ed":        # Mail::DKIM does not know it
                continue
            perl = subprocess.run(
                ["perl", "-e", MAIL_DKIM, server.ip, server.port],
                input=signed, capture_output=True, text=True)
            tap.equal(perl.stdout, "pass", "Mail::DKIM")


def test_sign_forms(tap, w):
    tap.begin("sign")
    crlf = MESSAGE.replace("\n", "\r\n")
    done = subprocess.run(
        [DKIMCTL, "sign", "-c", "/dev/null", "-m", "-d", "example.org", "-s",
         "rsa", "-k", w.path("rsa.private"), "-"], input=crlf.encode(),
        capture_output=True)
    tap.ok(done.stdout.endswith(crlf.encode()) and
           done.stdout.count(b"\n") == done.stdout.count(b"\r\n"),
           "CRLF stays", repr(done))
    path = w.path("crlf")
    path.write_bytes(done.stdout)
    tap.equal(w.ctl("verify", "--keys", "keys", path)[0], 0, "and verifies")
    signed = sign(w, "rsa", message="From x@y Mon Nov 21\n" + MESSAGE)
    tap.ok("From x@y" not in signed and verify(w, signed)[0] == 0,
           "of an mbox", signed)
    code, out, _ = w.ctl("sign", "-d", "example.org", "-s", "ed", "-k",
                         "ed.private", "-i", "u@mail.example.org", "-",
                         data=MESSAGE)
    tap.ok(code == 0 and "i=u@mail.example.org" in out and
           "Hello" not in out, "the field only, with i=", out)
    tap.equal(verify(w, out + MESSAGE)[0], 0, "the field in front")
    once = sign(w, "rsa")
    code, out, _ = verify(w, sign(w, "ed", message=once))
    tap.ok(code == 0 and out.count("result     pass") == 2, "twice", out)
    for name, words, data, want, text in (
            ("no From", (), "To: x@y.org\n\n", 65, "From"),
            ("no message", (), "hello\n", 65, "line 1: neither a field"),
            ("a NUL", (), "From: x@y.org\n\0:\n", 65, "line 2: a NUL"),
            ("-d alone", ("-d", "x.org"), "", 64, "given together"),
            ("an odd domain", ("-d", "x;y", "-s", "s", "-k", "k"), "", 64,
             "-d x;y: no domain"),
            ("no key", ("-d", "x.org", "-s", "s", "-k", "k"), "", 66, "k")):
        words = words or ("-d", "x.org", "-s", "s", "-k", "rsa.private")
        code, out, err = w.ctl("sign", *words, "-", data=data)
        tap.ok(code == want and text in err and out == "", name, err)


def test_sign_by_settings(tap, w):
    tap.begin("sign by the configuration")
    w.write("table", f"both example.org:rsa:{w.path('rsa.private')}\n"
            f"both example.org:ed:{w.path('ed.private')}\n")
    w.write("signing", "*@example.org both\n")
    config = w.write("sign.conf", f"KeyTable {w.path('table')}\n"
                     f"SigningTable refile:{w.path('signing')}\n"
                     "InternalHosts 192.0.2.1\n")
    code, out, err = w.ctl("sign", "-c", config, "-m", "-", data=MESSAGE)
    tap.ok(code == 0 and out.count("DKIM-Signature:") == 2, "two keys", err)
    code, out, _ = verify(w, out)
    tap.ok(code == 0 and out.count("result     pass") == 2, "both pass", out)
    code, out, err = w.ctl("sign", "-c", config, "-",
                           data=MESSAGE.replace("example.org", "example.com"))
    tap.ok(code == 78 and "no signing table match" in err and out == "",
           "somebody else's mail", err)


def test_verify(tap, w):
    rsa, ed = sign(w, "rsa"), sign(w, "ed")
    swap = lambda text, old, new: text.replace(old, new, 1)
    rows = [
        ("as signed", rsa, 0, "pass", ["rsa, 2048 bits", "fits its hash"]),
        ("Ed25519", ed, 0, "pass", ["ed25519, 256 bits"]),
        ("another body", swap(rsa, "Hello", "Hallo"), 1, "fail",
         ["body       differs", "header     fits", "body hash mismatch"]),
        ("another subject", swap(rsa, "a key", "two"), 1, "fail",
         ["header     does not fit", "signature verification failed"]),
        ("one From more", "From: x@example.org\n" + rsa, 5, "permerror", []),
        ("no signature", MESSAGE, 4, "none", []),
        ("no such key", swap(rsa, "s=rsa", "s=no"), 5, "permerror",
         ["key        not found in DNS"]),
        ("a tag missing", swap(rsa, "v=1; ", ""), 5, "permerror", []),
        ("rsa-sha1", swap(rsa, "a=rsa-sha256", "a=rsa-sha1"), None, None, []),
        ("a tag more", swap(rsa, "v=1;", "v=1; v=1;"), 5, "permerror", []),
        ("another's domain", swap(rsa, "From: Alice <alice@example.org>",
                                  "From: x@example.net"), 1, "fail",
         ["author     another domain"]),
        ("one good, one bad", sign(w, "ed", message=swap(rsa, "a key", "two")),
         0, "pass", ["result     pass", "result     fail"]),
    ]
    for name, message, want, result, lines in rows:
        tap.begin(f"verify: {name}")
        code, out, err = verify(w, message)
        if want is None:
            tap.ok(code != 0 and "dkim=pass" not in out, "no pass", out + err)
            continue
        tap.equal(code, want, "exit status")
        tap.ok(out.endswith(f"dkim={result}\n"), "the last line", out + err)
        for line in lines:
            tap.ok(line in out, line, out)


def test_verify_more(tap, w, server):
    tap.begin("verify")
    rsa = sign(w, "rsa")
    dns = ("--nameserver", server.address, "-o", "QuestionTimeout=1")
    code, out, _ = w.ctl("verify", *dns, "-", data=rsa)
    tap.equal((code, out[-10:]), (0, "dkim=pass\n"), "by DNS")
    for selector in ("dead", "silent"):
        code, out, _ = w.ctl("verify", *dns, "-",
                             data=rsa.replace("s=rsa", f"s={selector}"))
        tap.ok(code == 6 and "dkim=temperror" in out, f"{selector} DNS", out)
    w.write("one", rsa)
    w.write("two", MESSAGE)
    code, out, err = w.ctl("verify", "--keys", "keys", "one", "two", "three")
    tap.ok(code == 66 and "one:\nsignature 1" in out and
           "two:\ndkim=none" in out and "three" in err, "several files",
           f"{code} {out} {err}")
    evil = "DKIM-Signature: v=1; d=\x1b[31mx; s=\x9b\x07; i=\xff; b=\x00"
    code, out, _ = verify(w, evil[:-1] + "\n" + rsa)
    tap.ok(code == 0 and out.isascii() and
           all(c.isprintable() or c == "\n" for c in out),
           "hostile bytes are escaped", repr(out))
    w.write("a\x1b[m", MESSAGE)
    _, out, _ = w.ctl("verify", "--keys", "keys", "a\x1b[m", "two")
    tap.ok(out.startswith("a%1B[m:\n"), "a hostile name of a file", repr(out))
    code, _, err = w.ctl("verify")
    tap.ok(code == 64 and "a file must be named" in err, "no file", err)
    code, _, err = w.ctl("verify", "--keys", "nowhere", "one")
    tap.ok(code == 66 and "nowhere" in err, "no such file of keys", err)


# ------------------------------------------------------------------ rotate

TABLE = """# the keys
main\texample.org:old:{0}/old.private
 # more
main example.org:olde:{0}/olde.private:ed25519-sha256
other example.net:net:{0}/example.net.net.pem
"""


class Rotation:
    """A KeyTable with keys in a directory of its own."""

    def __init__(self, w):
        self.w = w
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=w.folder))
        for name, source in (("old.private", "rsa"), ("olde.private", "ed"),
                             ("example.net.net.pem", "rsa")):
            shutil.copy(w.path(f"{source}.private"), self.folder / name)
        os.chmod(self.folder / "old.private", 0o640)
        self.text = TABLE.format(self.folder)
        self.table = self.folder / "table"
        self.table.write_text(self.text)
        self.table.chmod(0o604)
        self.config = self.folder / "conf"
        self.configure(f"KeyTable {self.table}")
        self.before = set(os.listdir(self.folder))

    def configure(self, text, tables="SigningTable example.org=main\n"):
        self.config.write_text(f"{text}\n{tables}RequireSafeKeys no\n")

    def run(self, *words):
        return self.w.run("rotate", "-c", self.config, *words)

    def new(self):
        return sorted(set(os.listdir(self.folder)) - self.before)


def test_rotate(tap, w):
    tap.begin("rotate without --write")
    r = Rotation(w)
    code, out, err = r.run("-k", "rsa", "-s", "new", "--from", today(9),
                           "main")
    line = (f"main\texample.org:new:{r.folder}/new.private:rsa-sha256:"
            f"{today(9)}\n")
    tap.equal((code, r.new()), (0, ["new.private"]), "makes one key")
    tap.equal(mode_of(r.folder / "new.private"), 0o640, "mode of the old one")
    tap.equal(r.table.read_text(), r.text, "leaves the KeyTable alone")
    tap.ok(line in out, "tells the line", out + err)
    code, shown, _ = w.ctl("show", "-d", "example.org",
                           r.folder / "new.private")
    tap.ok(shown in out, "tells the record", out)
    tap.ok('old._domainkey.example.org.\tIN\tTXT\t( "v=DKIM1; p=" )' in out and
           f"not before {today(16)}" in out, "tells the end", out)

    tap.begin("rotate --write")
    r = Rotation(w)
    link = r.folder / "link"
    link.symlink_to(r.table)
    r.configure(f"KeyTable file:{link}")
    code, out, err = r.run("--write", "main")
    day = today().replace("-", "")
    lines = [f"main\texample.org:{day}:{r.folder}/{day}.private:rsa-sha256:"
             f"{today(2)}",
             f"main\texample.org:{day}e:{r.folder}/{day}e.private:"
             f"ed25519-sha256:{today(2)}"]
    want = r.text.splitlines()
    want[4:4] = lines
    tap.equal((code, err), (0, ""), "both keys")
    tap.equal(r.table.read_text().splitlines(), want, "below the old lines")
    tap.equal((mode_of(r.table), link.is_symlink()), (0o604, True),
              "keeps mode and link")
    tap.equal(sorted(set(r.new()) - {"link"}),
              [f"{day}.private", f"{day}e.private"], "and no other file")
    _, out, _ = w.ctl("show", "-c", r.config)
    tap.equal(out.count("signs now") - 1, 2, "the old keys sign today")
    tap.equal(out.count(f"signs from {today(2)} on"), 2, "the new ones later")
    code, _, err = r.run("--write", "-s", "third", "-k", "rsa", "main")
    tap.ok(code == 78 and "is going to sign from" in err and
           "third.private" not in r.new(), "not a second time", err)


def test_rotate_names(tap, w):
    tap.begin("rotate by domain")
    r = Rotation(w)
    code, out, _ = r.run("--write", "-s", "next", "-b", "3072", "example.net")
    tap.equal((code, r.new()), (0, ["example.net.next.pem"]),
              "the name of the file")
    tap.ok(r.table.read_text().endswith(
        f"{r.folder}/example.net.net.pem\nother\texample.net:next:{r.folder}/"
        f"example.net.next.pem:rsa-sha256:{today(2)}\n"), "the end", out)
    _, out, _ = w.ctl("show", "-c", r.config, "-s", "next")
    tap.ok("3072 bits" in out, "its size", out)


def test_rotate_refuses(tap, w):
    r = Rotation(w)
    day = today().replace("-", "")
    rows = [
        ("no name", [], 64, "one name"),
        ("an unknown name", ["nobody"], 78, "no key of that name: nobody"),
        ("a day that was", ["--from", today(), "main"], 64, "a day to come"),
        ("no day", ["--from", "2027-02-30", "main"], 64, "a day to come"),
        ("one selector for two", ["-s", "x", "main"], 64, "say which with -k"),
        ("a selector that is there", ["-k", "rsa", "-s", "old", "main"], 64,
         "has a key with selector old"),
        ("an odd selector", ["-k", "rsa", "-s", "a/b", "main"], 64,
         "-s a/b: no selector"),
        ("no key of that kind", ["-k", "ed25519", "other"], 78,
         "no ed25519 key of other signs today"),
        ("too few bits", ["-b", "1000", "main"], 64, "-b 1000"),
    ]
    for name, words, want, text in rows:
        tap.begin(f"rotate: {name}")
        code, out, err = r.run("--write", *words)
        tap.ok(code == want and text in err and out == "", "is refused",
               f"{code} {err}")
    tap.begin("rotate: a file that is there")
    (r.folder / f"{day}e.private").write_text("mine")
    code, _, err = r.run("--write", "main")
    tap.ok(code == 73 and "exists already" in err, "is refused", err)
    tap.equal((r.folder / f"{day}e.private").read_text(), "mine", "and left")
    tap.equal(r.new(), [f"{day}e.private"], "the other key is gone again")
    tap.equal(r.table.read_text(), r.text, "the KeyTable as before")
    tap.begin("rotate: a key that the daemon would refuse")
    r = Rotation(w)
    r.configure(f"KeyTable {r.table}\nMinimumKeyBits 2048")
    code, _, err = r.run("--write", "-s", "x", "-k", "rsa", "-b", "1024",
                         "main")
    tap.ok(code == 78 and "the new KeyTable: " in err and "1024 bits" in err,
           "is told", f"{code} {err}")
    tap.equal((r.table.read_text(), r.new()), (r.text, []), "and undone")
    tap.begin("rotate: nobody reads what to do")
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [DKIMCTL, "rotate", "-c", r.config, "--write", "-s", "x", "-k",
             "rsa", "main"], stdout=full, stderr=subprocess.PIPE, text=True)
    tap.ok(done.returncode == 74 and r.new() == ["x.private"] and
           ":x:" in r.table.read_text(), "the key of the new line stays",
           done.stderr)
    tap.begin("rotate: a KeyTable that is no file")
    r.configure(f"KeyTable csl:main=example.org:old:{r.folder}/old.private")
    code, _, err = r.run("--write", "-s", "y", "main")
    tap.ok(code == 78 and "is no file" in err and "y.private" not in r.new(),
           "is refused", err)
    tap.begin("rotate: a KeyFile")
    r.configure("Domain example.org\nSelector old\n"
                f"KeyFile {r.folder}/old.private", tables="")
    code, _, err = r.run("example.org")
    tap.ok(code == 78 and "put the key into a KeyTable" in err,
           "is refused", err)


# -------------------------------------------------------------------- words

def test_words(tap, w):
    tap.begin("command line")
    for words, want, text in (
            ((), 64, "a command must come first"),
            (("-x",), 64, "a command must come first"),
            (("shwo",), 64, "did you mean show"),
            (("verify", "-Q"), 64, "-Q: no such option"),
            (("show", "-c"), 64, "-c: no such option, or a value is missing"),
            (("show", "-o", "x"), 64, "write Name=Value"),
            (("show", "-o", "Selectr=x"), 64, "Selector")):
        code, _, err = w.run(*words)
        tap.ok(code == want and text in err, " ".join(words) or "nothing", err)
    for words in (("-V",), ("--help",), ("genkey", "--help"),
                  ("testkey", "--help"), ("show", "--help"),
                  ("sign", "--help"), ("verify", "--help"),
                  ("rotate", "--help"), ("genkey", "-V")):
        code, out, err = w.run(*words)
        tap.ok(code == 0 and out != "" and err == "", " ".join(words), err)
    with open("/dev/full", "w") as full:
        done = subprocess.run([DKIMCTL, "--help"], stdout=full,
                              stderr=subprocess.PIPE, text=True)
    tap.ok(done.returncode == 74 and "cannot write" in done.stderr,
           "a full disk", done.stderr)


def main():
    tap = Tap()
    w = World()
    try:
        test_genkey(tap, w)
        w.genkey("rsa")
        test_genkey_refuses(tap, w)
        test_genkey_like_opendkim(tap, w)
        w.write("keys", "".join(f"{n} {r}\n" for n, r in w.records().items()))
        with FaultDns(faults(w)) as server:
            test_testkey(tap, w, server)
            test_testkey_table(tap, w, server)
            test_testkey_like_opendkim(tap, w, server)
            test_sign(tap, w, server)
            test_verify_more(tap, w, server)
        test_dnssec(tap, w)
        test_show(tap, w)
        test_sign_forms(tap, w)
        test_sign_by_settings(tap, w)
        test_verify(tap, w)
        test_rotate(tap, w)
        test_rotate_names(tap, w)
        test_rotate_refuses(tap, w)
        test_words(tap, w)
    finally:
        shutil.rmtree(w.folder)
    return tap.end()


sys.exit(main())
