#!/usr/bin/env python3
"""Random SPF cases: libspf2 behind our guard must say what the oracle of the
fuzz tests says, and what pyspf says but for the differences that
spfrandom-differences.txt explains.

    tests/conformance/t_spfrandom.py [SEED-NUMBER...]

SPFRANDOM_CASES is how many (1000), SPFRANDOM_SEED makes other ones; with
100,000 or more each listed difference must show. A case is named by its seed
and is made again from it: given as a word it is shown in full.
"""
import collections
import os
import re
import subprocess
import sys

import spfgrammar
import spfpeer

HERE = os.path.dirname(os.path.abspath(__file__))
SPFCASES = os.path.join(os.environ.get("TOOLDIR", "build/t"), "spfcases")
CASES = int(os.environ.get("SPFRANDOM_CASES", "1000"))
SEED = os.environ.get("SPFRANDOM_SEED", "postern")
ENOUGH = 100000
SHOWN = 10


def hexed(text):
    return text.encode().hex() or "-"


def lines(case):
    yield "zone"
    for name, entries in case.zone.items():
        for kind, data in entries:
            yield f"rr {hexed(name)} {kind} {hexed(data)}"
    yield (f"case {case.seed} {case.client} {hexed(case.helo)} "
           f"{hexed(case.sender)}")


def masked(result, explanation):
    """%{t} is the time."""
    return result, re.sub(r"\b\d{10}\b", "TIME", explanation)


def ours(engine, cases):
    """{seed: (result, explanation)}"""
    text = "".join(f"{line}\n" for case in cases for line in lines(case))
    done = subprocess.run([SPFCASES, engine], input=text, text=True,
                          stdout=subprocess.PIPE, check=True)
    rows = (line.split(" ") for line in done.stdout.splitlines())
    return {seed: masked(result, bytes.fromhex(text).decode())
            for seed, result, text in rows}


def theirs(case, fixes=()):
    try:
        return masked(*spfpeer.check(case, fixes))
    except Exception as error:      # it may say anything but a result
        return "died", repr(error)


def explain(case, want):
    """The fixes that it takes to make pyspf say want; None: none do."""
    needed = set(spfpeer.FIXES)
    if theirs(case, needed) != want:
        return None
    for fix in spfpeer.FIXES:
        if theirs(case, needed - {fix}) == want:
            needed.discard(fix)
    return needed


def read_differences():
    with open(HERE + "/spfrandom-differences.txt", encoding="utf-8") as f:
        rows = (line.split(" | ") for line in f
                if line.strip() and not line.startswith("#"))
        return {name for name, why in rows if why.strip()}


def show(case):
    print(f"# {case.seed}: client {case.client}, HELO {case.helo!r}, "
          f"sender {case.sender!r}")
    for name, entries in case.zone.items():
        for kind, data in entries:
            print(f"#   {name} {kind} {data!r}")


class Report:
    def __init__(self):
        self.count = self.failed = 0

    def result(self, bad, name):
        """bad: texts about what is wrong."""
        self.count += 1
        self.failed += bool(bad)
        print(f"{'not ok' if bad else 'ok'} {self.count} - {name}")
        for text in bad[:SHOWN]:
            print("#", text)
        if len(bad) > SHOWN:
            print(f"# and {len(bad) - SHOWN} more")


def compare(cases, report):
    guard, oracle = ours("guard", cases), ours("oracle", cases)
    seen, unlike, unexplained = collections.Counter(), [], []
    for case in cases:
        mine = guard.get(case.seed)
        if mine != oracle.get(case.seed):
            unlike.append(f"{case.seed}: guard {mine}, "
                          f"oracle {oracle.get(case.seed)}")
        peer = theirs(case)
        if mine == peer:
            continue
        fixes = explain(case, mine)
        if fixes is None:
            unexplained.append(f"{case.seed}: ours {mine}, pyspf {peer}")
        else:
            seen.update(fixes)
    report.result(unlike, f"{len(cases)} cases: guard and oracle agree")
    report.result(unexplained, f"{len(cases)} cases: pyspf agrees, or it is "
                  "known why not")
    return seen


def main():
    named = [spfgrammar.make(seed) for seed in sys.argv[1:]]
    for case in named:
        show(case)
    cases = named or [spfgrammar.make(f"{SEED}-{n}") for n in range(CASES)]
    report, listed = Report(), read_differences()
    seen = compare(cases, report)
    report.result([f"{name} is not listed" for name in seen
                   if name not in listed], "all differences are listed")
    if len(cases) >= ENOUGH:
        report.result([f"{name} does not show" for name in listed
                       if not seen[name]], "all listed differences show")
    for name, times in seen.most_common():
        print(f"# {name}: {times}")
    print(f"1..{report.count}")
    return report.failed != 0


sys.exit(main())
