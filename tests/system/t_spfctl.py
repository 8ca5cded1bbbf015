#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""spfctl against a name server with a zone, also one that misbehaves."""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from dns.dnsrig import ROOT, FaultDns  # noqa: E402
from tap import Tap  # noqa: E402

SPFCTL = os.environ.get("BINDIR", f"{ROOT}/build/bin") + "/spfctl"
ZONE = r"""
example.org TXT "v=spf1 include:_spf.example.net a mx ~all"
example.org TXT "v=spf10 is another thing"
example.org A 192.0.2.80
example.org AAAA 2001:db8::80
example.org MX 10 mx.example.org
mx.example.org A 192.0.2.25
mx.example.org AAAA 2001:db8::25
_spf.example.net TXT "v=spf1 ip4:203.0.113.0/24 exists:%{i}.ok.example.net"
9.2.0.192.ok.example.net A 127.0.0.2
192.0.2.9.ok.example.net A 127.0.0.2
hard.example TXT "v=spf1 ip4:192.0.2.1 -all exp=why.hard.example"
why.hard.example TXT "%{i} may not send for %{o}"
plain.example TXT "v=spf1 -all"
helo.example TXT "v=spf1 a -all"
helo.example A 192.0.2.1
soft.example TXT "v=spf1 ~all"
neutral.example TXT "v=spf1 ?all"
redirect.example TXT "v=spf1 redirect=hard.example"
syntax.example TXT "v=spf1 mx ip4:192.0.2.0/33 -all"
hostile.example TXT "v=spf1 a\027[31m\155\010 -all"
hostile.example TXT "\027]0;x\007"
two.example TXT "v=spf1 a -all"
two.example TXT "v=spf1 mx -all"
deep.example TXT "v=spf1 include:d1.example include:d1.example mx a -all"
deep.example A 192.0.2.4
deep.example MX 0 h.example
d1.example TXT "v=spf1 a:h.example a:h.example " "a:h.example mx ?all"
d1.example MX 0 h.example
h.example A 192.0.2.3
h.example AAAA 2001:db8::3
void.example TXT "v=spf1 a:v1.example a:v2.example mx:v3.example -all"
below.example TXT "v=spf1 include:void.example -all"
exists.example TXT "v=spf1 exists:v1.example exists:v2.example mx -all"
v4.example TXT "v=spf1 a:one.example a:two4.example a:three.example -all"
one.example A 192.0.2.11
two4.example A 192.0.2.12
three.example A 192.0.2.13
loop.example TXT "v=spf1 include:loop2.example -all"
loop2.example TXT "v=spf1 redirect=loop.example"
broken.example TXT "v=spf1 include:none.example include:syntax.example -all"
mx11.example TXT "v=spf1 mx -all"
mx11.example MX 1 h.example
nullmx.example TXT "v=spf1 mx -all"
nullmx.example MX 0 .
mxgone.example TXT "v=spf1 mx -all"
mxgone.example MX 10 gone.example
exp.example TXT "v=spf1 -all exp=badexp.example"
badexp.example TXT "50% off"
noexp.example TXT "v=spf1 -all exp=v1.example"
fails.example TXT "v=spf1 a:dead.example include:dead2.example -all"
dead.example !servfail
dead2.example !refused
silent.example !never
slow.example !delay 2
slow.example TXT "v=spf1 -all"
ptr.example TXT "v=spf1 ptr -all"
1.2.0.192.in-addr.arpa PTR host.ptr.example
1.2.0.192.in-addr.arpa PTR \027[31m.example
host.ptr.example A 192.0.2.1
""" + "".join(f"mx11.example MX {i} m{i}.example\nm{i}.example A 192.0.2.9\n"
              for i in range(10))


def spfctl(*words):
    """Exit code, standard output, standard error."""
    done = subprocess.run([SPFCTL, "-c", "/dev/null", *words],
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


class Rig:
    def __init__(self, server):
        self.server = server.address

    def run(self, *words):
        return spfctl("--nameserver", self.server, *words)

    def json(self, *words):
        code, out, err = self.run("--json", *words)
        return code, json.loads(out), err


def query_results(tap, rig):
    tap.begin("query")
    rows = [
        ("192.0.2.9", "u@example.org", "pass", 0),
        ("2001:db8::25", "u@example.org", "pass", 0),
        ("::ffff:203.0.113.9", "u@example.org", "pass", 0),
        ("192.0.2.7", "<u@hard.example>", "fail", 1),
        ("192.0.2.7", "u@soft.example", "softfail", 2),
        ("192.0.2.7", "u@neutral.example", "neutral", 3),
        ("192.0.2.7", "u@none.example", "none", 4),
        ("192.0.2.7", "no domain", "none", 4),
        ("192.0.2.7", "u@syntax.example", "permerror", 5),
        ("192.0.2.7", "u@fails.example", "temperror", 6),
    ]
    for ip, sender, result, want in rows:
        code, out, err = rig.json("query", ip, sender)
        checks = [(c["identity"], c["result"]) for c in out["checks"]]
        tap.equal((code, checks, err), (want, [("mailfrom", result)], ""),
                  f"{ip} {sender}")


def query_steps(tap, rig):
    tap.begin("query explains")
    _, out, _ = rig.json("query", "192.0.2.25", "u@example.org")
    check = out["checks"][0]
    got = [(s["depth"], s["kind"], s["what"], s["outcome"])
           for s in check["steps"]]
    tap.equal(got[1:], [
        (1, "lookup", "TXT _spf.example.net", "v=spf1 ip4:203.0.113.0/24 "
         "exists:%{i}.ok.example.net"),
        (1, "term", "ip4:203.0.113.0/24", "no match"),
        (1, "lookup", "A 192.0.2.25.ok.example.net", "no such name"),
        (1, "term", "exists:%{i}.ok.example.net", "no match"),
        (0, "term", "include:_spf.example.net", "no match"),
        (0, "lookup", "A example.org", "192.0.2.80"),
        (0, "term", "a", "no match"),
        (0, "lookup", "MX example.org", "mx.example.org"),
        (0, "lookup", "A mx.example.org", "192.0.2.25"),
        (0, "term", "mx", "match")], "each step")
    tap.equal([check[k] for k in ("lookups", "lookup_limit", "void_lookups",
                                  "void_limit", "mechanism")],
              [4, 10, 1, 2, "mx"], "the counts")
    _, out, _ = rig.json("query", "192.0.2.7", "u@redirect.example")
    check = out["checks"][0]
    tap.equal(check["explanation"],
              "192.0.2.7 may not send for redirect.example",
              "the domain owner's words")
    tap.equal([s["what"] for s in check["steps"]],
              ["TXT redirect.example", "redirect=hard.example",
               "TXT hard.example", "ip4:192.0.2.1", "-all",
               "TXT why.hard.example"], "a redirect")
    _, out, _ = rig.json("query", "192.0.2.7", "u@void.example")
    tap.equal(out["checks"][0]["steps"][-1]["outcome"],
              "the check ends here", "where an error was met")
    _, out, _ = rig.json("-o", "Void_Limit=5", "query", "192.0.2.7",
                         "u@void.example")
    tap.equal(out["checks"][0]["result"], "fail", "another limit")


def query_identities(tap, rig):
    tap.begin("identities")
    code, out, _ = rig.json("query", "192.0.2.1", "u@soft.example",
                            "helo.example")
    tap.equal((code, [(c["identity"], c["result"]) for c in out["checks"]]),
              (2, [("helo", "pass"), ("mailfrom", "softfail")]), "both")
    code, out, _ = rig.json("query", "192.0.2.7", "<>", "helo.example")
    tap.equal((code, [(c["identity"], c["result"]) for c in out["checks"]]),
              (1, [("helo", "fail")]), "a null sender")


def query_answer(tap, rig):
    tap.begin("spfd's answer")
    rows = [
        ([], "192.0.2.7", "u@hard.example", "550 5.7.23 "),
        (["-o", "TestOnly=0"], "192.0.2.7", "u@hard.example",
         "PREPEND Received-SPF: Fail"),
        (["-o", "No_Mail=yes"], "192.0.2.7", "u@hard.example", "PREPEND "),
        (["-o", "No_Mail=yes"], "192.0.2.7", "u@plain.example", "550 "),
        (["-o", "TempError_Defer=yes"], "192.0.2.7", "u@fails.example",
         "defer_if_permit 4.7.24 "),
        (["-o", "Whitelist=192.0.2.0/24"], "192.0.2.7", "u@hard.example",
         "PREPEND X-Comment: "),
    ]
    for options, ip, sender, want in rows:
        _, out, _ = rig.json(*options, "query", ip, sender)
        tap.equal(out["answer"][:len(want)].lower(), want.lower(),
                  f"{options} {sender}")


def findings(tap, rig):
    tap.begin("record")
    rows = [
        ("example.org", 0, []),
        ("none.example", 4, ["no-record"]),
        ("syntax.example", 5, ["syntax"]),
        ("two.example", 5, ["several-records"]),
        ("deep.example", 5, ["duplicate"] * 5 + ["too-many-lookups"]),
        ("void.example", 5, ["no-address", "no-address", "no-mx",
                             "too-many-voids"]),
        ("below.example", 5, ["no-address", "no-address", "no-mx",
                              "too-many-voids"]),
        ("exists.example", 5, ["no-address", "no-address", "no-mx",
                               "too-many-voids"]),
        ("v4.example", 10, ["too-many-voids"]),
        ("loop.example", 5, ["loop"]),
        ("broken.example", 5, ["no-record", "syntax"]),
        ("mx11.example", 5, ["too-many-mx", "too-many-voids"]),
        ("nullmx.example", 10, ["null-mx"]),
        ("mxgone.example", 10, ["mx-no-address"]),
        ("exp.example", 10, ["exp-syntax"]),
        ("noexp.example", 10, ["exp-missing"]),
        ("hard.example", 0, []),
        ("fails.example", 6, ["dns-failure"] * 3),
        ("dead.example", 6, ["dns-failure"]),
        ("neutral.example", 10, ["neutral-all"]),
        ("ptr.example", 10, ["ptr"]),
    ]
    for domain, want, codes in rows:
        code, out, err = rig.json("record", domain)
        tap.equal((code, [f["code"] for f in out["findings"]], err),
                  (want, codes, ""), domain)


def record_tree(tap, rig):
    tap.begin("record's tree")
    _, out, _ = rig.json("record", "example.org")
    tap.equal([(r["depth"], r["domain"], r["lookups"])
               for r in out["records"]],
              [(0, "example.org", 4), (1, "_spf.example.net", 1)],
              "records")
    tap.equal((out["verdict"], out["lookups"], out["void_lookups_ipv4"],
               out["void_lookups_ipv6"]), ("good", 4, 0, 0), "the counts")
    mx = out["records"][0]["terms"][2]
    tap.equal([(l["type"], l["name"], l["answer"]) for l in mx["lookups"]],
              [("MX", "example.org", "10 mx.example.org"),
               ("A", "mx.example.org", "192.0.2.25"),
               ("AAAA", "mx.example.org", "2001:db8::25")], "an mx")
    _, out, _ = rig.json("record", "deep.example")
    tap.equal(out["lookups"], 12, "an include counts as often as it stands")
    _, out, _ = rig.json("record", "loop.example")
    tap.equal([r["state"] for r in out["records"]],
              ["record", "record", "loop"], "a loop ends")


def record_people(tap, rig):
    tap.begin("record for people")
    _, out, _ = rig.run("record", "syntax.example")
    lines = out.splitlines()
    tap.ok("    v=spf1 mx ip4:192.0.2.0/33 -all" in lines and
           "              ^~~~~~~~~~~~~~~~" in lines, "a caret", out)
    _, out, _ = rig.run("record", "deep.example")
    tap.equal(out.count("  include:d1.example  (5 lookups)"), 2,
              "the cost of a term")
    tap.equal(out.splitlines()[-1],
              "The record is in error (permerror).", "the verdict")


def record_text(tap, rig):
    tap.begin("record from text")
    code, out, _ = rig.json("record", "--text",
                            "v=spf1 include:hard.example a -all", "h.example")
    tap.equal((code, out["lookups"], len(out["records"])), (0, 2, 2),
              "with what it refers to")
    code, out, _ = rig.json("record", "--text", "v=spf1 a -all")
    tap.equal((code, out["records"][0]["terms"]),
              (0, [{"term": "a", "name": None, "lookups": []}]),
              "without a domain")
    code, out, err = spfctl("--nameserver", "192.0.2.1", "record",
                            "--offline", "--text", "v=spf1 a:x.example")
    tap.equal((code, err), (10, ""), "offline")
    tap.ok("(1 lookup)" in out and "warning: the record ends" in out,
           "its report", out)


def hostile(tap, rig):
    """Nothing but printable ASCII reaches a terminal."""
    tap.begin("hostile bytes")
    for words in (["record", "hostile.example"],
                  ["query", "192.0.2.1", "u\033[31m\303@hostile.example",
                   "\007helo.example"],
                  ["query", "192.0.2.1", "u@ptr.example"],
                  ["record", "--offline", "--text", "v=spf1 \033]0;x\007"],
                  ["record", "\033[31m.example"],
                  ["query", "\033[31m", "a"],
                  ["record", "--text", "v=spf1 " + "a:" * 60000],
                  ["record", "--text", "v=spf1" + " a" * 5000],
                  ["\033[31m"], ["--\033[31m"], ["-o", "\033=\033"]):
        code, out, err = rig.run(*words)
        bad = [c for c in out + err if not (" " <= c <= "~" or c == "\n")]
        tap.ok(code in (0, 1, 5, 10, 64) and not bad, repr(words)[:60],
               f"{code}\n{out}{err}"[:2000])


def patience(tap, rig):
    tap.begin("time")
    code, out, _ = rig.json("--timeout", "1", "query", "192.0.2.1",
                            "u@silent.example")
    tap.equal((code, out["checks"][0]["result"]), (6, "temperror"), "query")
    code, out, _ = rig.json("--timeout=1s", "record", "silent.example")
    tap.equal((code, out["verdict"]), (6, "temperror"), "record")
    tap.equal([rig.run(*words, "record", "slow.example")[0]
               for words in (["--timeout=1s"], [])], [6, 0], "a slow name")


def nameservers(tap, rig):
    tap.begin("name servers")
    with FaultDns("") as other, tempfile.NamedTemporaryFile("w") as file:
        file.write(f"Nameservers {other.address}\n")
        file.flush()
        words = [SPFCTL, "-c", file.name, "record", "example.org"]
        done = subprocess.run(words, capture_output=True)
        tap.equal((done.returncode, len(other.queries())), (4, 1),
                  "those of the configuration")
        words[1:1] = ["--nameserver", rig.server]
        done = subprocess.run(words, capture_output=True)
        tap.equal((done.returncode, len(other.queries())), (0, 1),
                  "others instead")


def usage(tap, rig):
    tap.begin("command line")
    with tempfile.NamedTemporaryFile("w") as file:
        file.write(f"Nameservers {rig.server}\nVoid_Limit 7\n")
        file.flush()
        done = subprocess.run([SPFCTL, "-c", file.name, "--json", "record",
                               "void.example"], capture_output=True)
        tap.equal((done.returncode, json.loads(done.stdout)["void_limit"]),
                  (10, 7), "the configuration is spfd's")
    rows = [
        ([], 64, "a command is missing"),
        (["recrd", "x.example"], 64, "did you mean record?"),
        (["query", "192.0.2.1"], 64, "write IP SENDER"),
        (["query", "192.0.2.1", "a@b.example", "h", "more"], 64, "write IP"),
        (["query", "192.0.2.999", "a@b.example"], 64, "is no address"),
        (["query", "192.0.2.1", "<>"], 64, "HELO name"),
        (["record"], 64, "name a domain"),
        (["record", "org"], 64, "is no domain"),
        (["record", "a.example", "b.example"], 64, "one domain"),
        (["record", "--offline", "a.example"], 64, "--text"),
        (["record", "--wrong"], 64, "no such option --wrong"),
        (["record", "a.example", "--timeout"], 64, "a value must follow"),
        (["--timeout", "0", "record", "a.example"], 64, "--timeout"),
        (["--timeout", "1x", "record", "a.example"], 64, "--timeout"),
        (["-o", "Lookup_Time", "record", "a.example"], 64, "Name=Value"),
        (["-o", "Lookup_Tme=3", "record", "a.example"], 64, "Lookup_Time"),
        (["--nameserver", "ns.example", "record", "a.example"], 64,
         "no name server"),
        (["-c", "/nonexistent", "record", "a.example"], 78, "/nonexistent"),
    ]
    for words, want, text in rows:
        code, out, err = spfctl(*words)
        tap.ok(code == want and out == "" and err.startswith("spfctl: ") and
               err.count("\n") == 1 and text in err, " ".join(words),
               f"{code} {out}{err}")
    for word in "--help", "-V":
        code, out, err = spfctl(word)
        tap.ok(code == 0 and "spfctl" in out and err == "", word, out + err)
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [SPFCTL, "record", "--offline", "--text", "v=spf1 -all"],
            stdout=full, stderr=subprocess.PIPE, text=True)
    tap.ok(done.returncode == 74 and "standard output" in done.stderr,
           "a full disk", done.stderr)


def main():
    tap = Tap()
    with FaultDns(ZONE) as server:
        rig = Rig(server)
        for test in (query_results, query_steps, query_identities,
                     query_answer, findings, record_tree, record_people,
                     record_text, hostile, patience, nameservers, usage):
            test(tap, rig)
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
