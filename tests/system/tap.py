# SPDX-License-Identifier: ISC
"""Results in the Test Anything Protocol."""


class Tap:
    def __init__(self):
        self.count = self.failed = 0
        self.title = ""

    def begin(self, title):
        """A test begins; its title leads the name of each result."""
        self.title = title

    def ok(self, passed, name, note=""):
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count}"
              f" - {self.title}: {name}".replace("#", "\\#"), flush=True)
        if not passed and note:
            self.note(note)

    def equal(self, got, want, name):
        self.ok(got == want, name, f"got:  {got!r}\nwant: {want!r}")

    def skip(self, why):
        self.count += 1
        print(f"ok {self.count} - {self.title} # SKIP {why}", flush=True)

    def note(self, text):
        for line in text.splitlines():
            print("# " + line, flush=True)

    def end(self):
        """Print the plan; returns the exit status."""
        print(f"1..{self.count}", flush=True)
        return 1 if self.failed else 0
