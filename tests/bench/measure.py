# SPDX-License-Identifier: ISC
"""Runs of the load generator, and tables of what they found."""

import json
import os
import statistics
import subprocess

from servers import TOOLDIR

PHASE_S = 120       # polload's own limit for each of its phases
FAILURES = []       # one text per wrong outcome, for the exit status
RUNS = []           # every result with its labels, for --json


class Load:
    """One run of polload in the background."""

    seed = 0        # each run has new triplets of its own

    def __init__(self, server, label, *options, known=5000):
        Load.seed += 1
        self.server, self.label = server, label
        self.process = subprocess.Popen(
            [os.path.join(TOOLDIR, "polload"), "-j", "-S", str(Load.seed),
             "-k", str(known), "-x", str(PHASE_S),
             "-p", str(server.process.pid),
             *map(str, options), server.target],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def result(self):
        try:
            out, errors = self.process.communicate(timeout=8 * PHASE_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            out, errors = self.process.communicate()
        if self.process.returncode != 0:
            fail(f"{self.server.name}, {self.label}: "
                 f"{errors.strip() or 'replies are missing'}")
        figures = json.loads(out) if out else {}
        RUNS.append({"server": self.server.name, "label": self.label,
                     **figures})
        return figures


def load(server, label, *options, known=5000):
    """Run polload and wait for it."""
    return Load(server, label, *options, known=known).result()


def fail(text):
    """What a peer gets wrong is shown; only ours fails the run."""
    print(f"WRONG: {text}", flush=True)
    if text.startswith(("greylistd", "spfd", "dkimd", "dead name")):
        FAILURES.append(text)


def median(results, figure):
    """The median of a figure over results, or None when none has it."""
    found = [r[figure] for r in results if figure in r]
    return statistics.median(found) if found else None


def ratio(a, b, form="{:.1f}x"):
    return form.format(a / b) if a and b else "-"


def number(value, digits=0):
    return "-" if value is None else f"{value:,.{digits}f}"


def ms(us):
    return "-" if us is None else f"{us / 1000:.2f}"


def table(title, head, rows, note=""):
    """Print rows of texts below head; the first column is words."""
    widths = [max(len(str(row[i])) for row in [head, *rows])
              for i in range(len(head))]
    print(f"\n{title}")
    for row in [head, ["-" * w for w in widths], *rows]:
        cells = [str(row[0]).ljust(widths[0])]
        cells += [str(c).rjust(w) for c, w in zip(row[1:], widths[1:])]
        print("  " + "  ".join(cells).rstrip())
    if note:
        print(f"  {note}")
    print(flush=True)
