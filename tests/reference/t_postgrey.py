#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""t_postgrey.py - plays greylistd's scenarios against Debian's postgrey; prints TAP.

    tests/reference/t_postgrey.py [-v] [FILE | FOLDER]...

The expectations are greylistd's. differences.txt, beside this file, lists
where postgrey does otherwise and why; a difference that is not listed fails,
and so does a listed one that does not show. Scenarios of what postgrey has
not are skipped with their reason. The scenarios in reference/postgrey are of
what greylistd does only under postgrey's name.
"""
import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
sys.path.insert(0, TESTS)
sys.dont_write_bytecode = True

import differences  # noqa: E402
from scenario import daemons, player, story  # noqa: E402

POSTGREY = daemons.DAEMONS["postgrey"]


def read_differences(path):
    """{scenario: [[step, what postgrey says, why, line]]} from the file."""
    table = {}
    for name, *row in differences.read(path, "SCENARIO | STEP | SAYS | WHY"):
        table.setdefault(name, []).append(row)
    return table


def compare(mismatches, listed):
    """What is wrong: differences not listed, listed ones that do not show."""
    wrong, left = [], list(listed)
    for m in mismatches:
        hit = next((d for d in left if d[0] == m.ident
                    and story.matches(d[1], m.got)), None)
        if hit:
            left.remove(hit)
        else:
            wrong.append(f"line {m.line}: {m.ident} differs, not listed\n"
                         f"  ours:     {m.want}\n  postgrey: {m.got}")
    for step, says, _, number in left:
        wrong.append(f"differences.txt:{number}: {step} | {says}: "
                     "listed, does not show")
    return wrong


def play(path, table, trace):
    """Plays one file. Returns (title, reason to skip, what went wrong)."""
    try:
        tale = story.parse(path)
    except (OSError, story.StoryError) as e:
        return os.path.basename(path), None, [str(e)]
    listed = table.get(tale.name, [])
    if "greylistd" in tale.only:
        return tale.title, tale.only["greylistd"], []
    unknown = POSTGREY.unknown(tale)
    if unknown:
        return tale.title, None, [f"postgrey has no option {unknown}: "
                                  "mark it with only greylistd: REASON"]
    show = player.Player(tale, POSTGREY, trace=trace)
    return tale.title, None, compare(show.play(), listed)


def main():
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("-v", "--verbose", action="store_true")
    options.add_argument("files", nargs="*")
    given = options.parse_args()
    if not os.access(POSTGREY.program(None)[0], os.X_OK) or os.geteuid() != 0:
        print("1..0 # SKIP needs root and the package postgrey")
        return 0
    folders = [os.path.join(TESTS, "scenarios", "greylistd"),
               os.path.join(HERE, "postgrey")]
    paths = []
    for name in given.files or folders:
        paths += sorted(os.path.join(name, f) for f in os.listdir(name)
                        if f.endswith(".scn")) if os.path.isdir(name) \
            else [name]
    trace = None
    if given.verbose or os.environ.get("HARNESS_IS_VERBOSE") == "1":
        def trace(text):
            print(f"# {text}", flush=True)
    table = read_differences(os.path.join(HERE, "differences.txt"))
    names = {os.path.splitext(os.path.basename(p))[0] for p in paths}
    strangers = [] if given.files else sorted(set(table) - names)
    print(f"1..{len(paths) + 1}", flush=True)
    failed = bool(strangers)
    for number, path in enumerate(paths, 1):
        title, skip, wrong = play(path, table, trace)
        failed = failed or bool(wrong)
        print(f"{'not ok' if wrong else 'ok'} {number} - {title}"
              + (f" # SKIP {skip}" if skip else ""))
        for text in "\n".join(wrong).splitlines():
            print(f"# {text}")
        sys.stdout.flush()
    print(f"{'not ok' if strangers else 'ok'} {len(paths) + 1} - every "
          "listed difference belongs to a scenario")
    for name in strangers:
        print(f"# differences.txt: no scenario {name}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
