#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Files and directories that may not be written, locks of other programs."""
import os
import sqlite3

from storerig import Folder, Store, Tap

NOBODY = 65534


def test_read_only(tap, folder):
    """As a user to whom the files do not belong."""
    if os.geteuid() != 0:
        tap.note("not root: read-only cases left out")
        return
    path = folder / "r.db"
    as_nobody = {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    with Store(path, **as_nobody) as store:
        tap.ok(store.opened.startswith(f"failed {path}: cannot be made: "),
               "a directory of others", store.opened)
    with Store(path) as store:
        store.ask("put 5 10")
    path.chmod(0o644)
    for mode in ("daemon", "tool"):
        with Store(path, mode, **as_nobody) as store:
            tap.ok("cannot be written; it and its directory must belong to "
                   "the daemon's user" in store.opened,
                   f"a file of others, as {mode}", store.opened)
    os.chown(path, NOBODY, NOBODY)
    with Store(path, **as_nobody) as store:
        tap.ok(store.opened.startswith("failed"),
               "our file in a directory of others", store.opened)
    os.chown(folder, NOBODY, NOBODY)
    with Store(path, **as_nobody) as store:
        tap.ok(store.ask("put 1 10") == "ok 0", "both ours")
        tap.ok(store.number("count") == 6, "nothing was lost")
        mode = path.stat().st_mode & 0o777
        tap.ok(mode == 0o644, "the mode stays", oct(mode))


def test_locked(tap, folder):
    path = folder / "l.db"
    with Store(path) as store:
        store.ask("put 5 10")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        answer = store.ask("put 1 10")
        tap.ok("another program holds the lock" in answer, "locked", answer)
        tap.ok(store.ask("count") == "ok 5", "reading goes on")
        answer = store.ask("recover")
        tap.ok("another program holds the lock" in answer,
               "no recovery while it is locked", answer)
        other.execute("ROLLBACK")
        tap.ok(store.ask("recover") == "ok ", "recovery when it is not")
        tap.ok(store.ask("put 1 10") == "ok 0", "writing goes on")
        other.close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA locking_mode = EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    with Store(path) as store:
        tap.ok("another program holds the lock" in store.opened,
               "locked while it is opened", store.opened)
    other.close()
    with Store(path) as store:
        tap.ok(store.ask("count") == "ok 6", "nothing was lost")


def main():
    tap = Tap()
    with Folder() as folder:
        test_read_only(tap, folder)
    with Folder() as folder:
        test_locked(tap, folder)
    tap.done()


main()
