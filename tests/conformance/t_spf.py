#!/usr/bin/env python3
"""The public SPF test suites, RFC 7208's and RFC 4408's, against libspf2
behind our guard, against the oracle of the fuzz tests, and over real DNS.
The suites are read where Debian's package python3-spf puts them.

    tests/conformance/t_spf.py [ENGINE [CASE]]
"""
import gzip
import os
import subprocess
import sys

import yaml

DOC = "/usr/share/doc/python3-spf"
SUITES = {"rfc7208": 203, "rfc4408": 191}
ENGINES = ("guard", "oracle")
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


def scenario_lines(scenario):
    zone = zone_of(scenario)
    yield "zone"
    for name in zone:
        for kind, data in resolved(zone, name):
            yield f"rr {hexed(name)} {kind} {hexed(data)}"
    for case, test in scenario["tests"].items():
        yield (f"case {case} {test['host']} {hexed(test.get('helo', ''))} "
               f"{hexed(test.get('mailfrom', ''))}")


def run(engine, lines):
    done = subprocess.run([SPFCASES, engine], text=True, check=True,
                          input="".join(f"{line}\n" for line in lines),
                          stdout=subprocess.PIPE)
    results = {}
    for line in done.stdout.splitlines():
        case, result, explanation = line.split(" ")
        results[case] = (result, bytes.fromhex(explanation).decode())
    return results


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
        results = run(engine, scenario_lines(scenario))
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
