# SPDX-License-Identifier: ISC
"""Tables of the differences that are known and explained, and the count of
what was compared."""
import os
import re
import sys


def read(path, head):
    """The rows of a table of four columns, named by head, in order: their
    texts and the number of the line."""
    rows = []
    with open(path, encoding="utf-8") as f:
        for number, line in enumerate(f, 1):
            if not line.strip() or line.startswith("#"):
                continue
            parts = [p.strip() for p in re.split(r" \|(?= )", line)]
            if len(parts) != 4:
                sys.exit(f"{path}:{number}: not {head}")
            rows.append((*parts, number))
    return rows


def matches(pattern, text):
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.S)


class Run:
    """Results as TAP. Rows of the table are CASE | WHO | SAYS | WHY; "*"
    stands for any text, and one with "?" before WHO need not show."""

    def __init__(self, path, options):
        self.path, self.verbose, self.only = \
            path, options.verbose, options.cases
        self.table = read(path, "CASE | WHO | SAYS | WHY")
        self.shown = set()
        self.count = self.failed = 0

    def result(self, passed, name, *notes):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        for note in notes if not passed or self.verbose else ():
            print("#   " + note.replace("\n", "\n#   "))
        sys.stdout.flush()

    def is_listed(self, case, who, says):
        hits = {number for name, whose, text, _, number in self.table
                if matches(name, case) and matches(whose.lstrip("?"), who)
                and matches(text, says)}
        self.shown |= hits
        return bool(hits)

    def vanished(self):
        left = [row for row in self.table
                if row[4] not in self.shown and not row[1].startswith("?")]
        self.result(not left, "every listed difference shows", *(
            f"{os.path.basename(self.path)}:{r[4]}: {r[0]} | {r[1]} | {r[2]}"
            for r in left))
