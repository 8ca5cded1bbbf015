#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Who owns postgrey's files owns their copy too while root imports them, and
may put a link in its place: nothing behind that link is touched."""
import os
import subprocess

from greyrig import BINDIR
from storerig import Folder, Tap, skip

NOBODY = 65534


def swap(folder, victim):
    """In a process of that user: as soon as the copy's directory is given
    away, a link to victim takes its name."""
    os.setgid(NOBODY)
    os.setuid(NOBODY)
    parent = os.getppid()
    while os.getppid() == parent:
        for name in os.listdir(folder):
            try:
                os.rename(folder / name, folder / "away")
                os.symlink(victim, folder / name)
                return
            except OSError:
                pass


def main():
    if os.geteuid() != 0:
        skip("only root gives files away")
    tap = Tap()
    with Folder() as folder:
        old, copies, victim = (folder / n for n in ("old", "copies", "victim"))
        for path in folder, old, copies, victim:
            path.mkdir(exist_ok=True)
            path.chmod(0o755)
        copies.chmod(0o1777)
        (victim / "precious").write_text("x")
        (old / "postgrey.db").write_bytes(bytes(4096))
        # Enough for the copying to take a while.
        with open(old / "log.0000000001", "wb") as log:
            log.truncate(1 << 28)
        for path in old, *old.iterdir():
            os.chown(path, NOBODY, NOBODY)
        attacker = os.fork()
        if attacker == 0:
            swap(copies, victim)
            os._exit(0)
        subprocess.run([BINDIR / "greylistctl", "import-postgrey", old,
                        folder / "new.db"], capture_output=True,
                       env={"TMPDIR": str(copies),
                            "ASAN_OPTIONS": "detect_leaks=0"})
        os.kill(attacker, 9)
        os.waitpid(attacker, 0)
        tap.ok((copies / "away").is_dir(), "the directory was swapped")
        found = sorted(p.name for p in victim.iterdir())
        tap.ok(found == ["precious"], "nothing behind the link changed",
               found)
        left = list((copies / "away").iterdir())
        tap.ok(not left, "the copy was deleted", left)
    tap.done()


main()
