#!/usr/bin/env python3
"""The public SPF test suites, RFC 7208's and RFC 4408's, against libspf2
behind our guard and against the oracle of the fuzz tests, both on zones in
memory, and over real DNS through all of common/spf and common/dns. The
suites are read where Debian's package python3-spf puts them.

    tests/conformance/t_spf.py [guard|oracle|dns]
"""
import gzip
import os
import pathlib
import subprocess
import sys

import yaml

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "dns"))
from dnsrig import FaultDns

DOC = "/usr/share/doc/python3-spf"
SUITES = {"rfc7208": 203, "rfc4408": 191}
ENGINES = ("guard", "oracle", "dns")
SPFCASES = os.path.join(os.environ.get("TOOLDIR", "build/t"), "spfcases")


def read_suite(name):
    path = f"{DOC}/{name}-tests.yml"
    opener = open if os.path.exists(path) else gzip.open
    if opener is gzip.open:
        path += ".gz"
    with opener(path, "rt", encoding="utf-8") as f:
        return list(yaml.safe_load_all(f))


def hexed(text):
    raw = text if isinstance(text, bytes) else str(text).encode()
    return raw.hex() or "-"


def texts(value):
    return value if isinstance(value, list) else [value]


def records(name, entries):
    """(type, data) of one name of a zone. SPF records stand for TXT records
    unless there are some; "TXT: NONE" says that there are none."""
    types = {t for e in entries if isinstance(e, dict) for t in e}
    late = []
    for entry in entries:
        if entry == "TIMEOUT":
            yield "FAIL", ""
            continue
        for kind, value in entry.items():
            if kind == "SPF" and "TXT" not in types:
                late.append(("TXT", "".join(texts(value))))
            elif kind == "TXT" and value != "NONE":
                yield kind, "".join(texts(value))
            elif kind == "MX":
                yield kind, value[1]
            elif kind in ("A", "AAAA", "PTR", "CNAME"):
                yield kind, value
    yield from late


def resolved(zone, name, hops=0):
    """The records of a name, CNAMEs followed."""
    for kind, data in zone.get(name.lower().rstrip("."), []):
        if kind != "CNAME":
            yield kind, data
        elif hops < 8:
            yield from resolved(zone, data, hops + 1)


def zone_of(scenario):
    return {name.lower().rstrip("."): list(records(name, entries))
            for name, entries in scenario["zonedata"].items()}


def record_lines(zone):
    """The zone for spfcases."""
    yield "zone"
    for name in zone:
        for kind, data in resolved(zone, name):
            yield f"rr {hexed(name)} {kind} {hexed(data)}"


def case_lines(scenario):
    for case, test in scenario["tests"].items():
        yield (f"case {case} {test['host']} {hexed(test.get('helo', ''))} "
               f"{hexed(test.get('mailfrom', ''))}")


def escaped(text):
    return "".join(chr(b) if 0x21 <= b <= 0x7e and b not in b'"\\'
                   else f"\\{b:03}" for b in text.encode())


def on_wire(name):
    """Can a name be asked for at all?"""
    return all(0 < len(label) < 64 for label in name.split("."))


def server_lines(zone):
    """The zone for faultdns.py."""
    for name, entries in zone.items():
        if not on_wire(name):
            continue
        owner, kinds = escaped(name), {k for k, _ in entries}
        yield f"{owner} 65280# 00"
        for kind, data in entries:
            if kind == "TXT":
                raw = data.encode().decode("latin-1")
                strings = [raw[i:i + 255].encode("latin-1")
                           for i in range(0, len(raw), 255)] or [b""]
                data = " ".join('"' + "".join(f"\\{b:03}" for b in part)
                                + '"' for part in strings)
            elif kind == "MX":
                data = "10 " + (escaped(data) or ".")
            elif kind == "FAIL":
                continue
            else:
                data = escaped(data) or "."
            yield f"{owner} {kind} {data}"
        if "FAIL" in kinds:
            yield from (f"{owner}/{kind} !servfail"
                        for kind in ("A", "AAAA", "MX", "PTR", "TXT")
                        if kind not in kinds)


def run_cases(arguments, lines):
    done = subprocess.run([SPFCASES, *arguments], text=True, check=True,
                          input="".join(f"{line}\n" for line in lines),
                          stdout=subprocess.PIPE)
    results = {}
    for line in done.stdout.splitlines():
        case, result, explanation = line.split(" ")
        results[case] = (result, bytes.fromhex(explanation).decode())
    return results


def run(engine, scenario):
    zone = zone_of(scenario)
    if engine != "dns":
        return run_cases([engine], [*record_lines(zone),
                                    *case_lines(scenario)])
    with FaultDns("".join(f"{line}\n" for line in server_lines(zone))) as dns:
        return run_cases(["dns", str(dns.port)], case_lines(scenario))


def complaint(test, got):
    """What is wrong with a result, or None."""
    if got is None:
        return "no result"
    result, explanation = got
    if result not in texts(test["result"]):
        return f"got {result}, want {test['result']}"
    want = test.get("explanation")
    if want is not None and want != (explanation or "DEFAULT"):
        return f"explanation {explanation!r}, want {want!r}"
    return None


def judge(suite, engine):
    """Returns (cases that are right, complaints)."""
    right, complaints = 0, []
    for scenario in read_suite(suite):
        if scenario is None:
            continue
        results = run(engine, scenario)
        for case, test in scenario["tests"].items():
            what = complaint(test, results.get(case))
            right += what is None
            if what is not None:
                complaints.append(f"{scenario['description']}: {case}: {what}")
    return right, complaints


def main():
    engines = sys.argv[1:2] or ENGINES
    print(f"1..{len(SUITES) * len(engines)}")
    number = failed = 0
    for engine in engines:
        for suite, cases in SUITES.items():
            number += 1
            right, complaints = judge(suite, engine)
            good = right == cases and not complaints
            failed += not good
            print("ok" if good else "not ok", number, "-",
                  f"{suite}: {right} of {cases} cases by {engine}")
            for what in complaints:
                print("#", what)
    return failed != 0


sys.exit(main())
