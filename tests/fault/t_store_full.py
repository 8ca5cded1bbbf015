#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A full disk stops writing, not reading, and passes without a restart."""
import pathlib
import subprocess

from storerig import Folder, Store, Tap, fill, in_own_mounts

SIZE = 2 * 1024 * 1024


def put_until_failed(store):
    for _ in range(10000):
        answer = store.ask("put 5 2000")
        if not answer.startswith("ok"):
            return answer
    return "never failed"


def test_running(tap, folder):
    store = Store(folder / "f.db")
    for filler in (None, folder / "filler"):
        # Without a filler the store itself fills the disk.
        if filler:
            fill(filler)
        answer = put_until_failed(store)
        tap.ok("the disk or the quota is full" in answer,
               "a full disk is called that", answer)
        rows = store.number("count")
        tap.ok(rows % 5 == 0, "no half transactions", rows)
        answer = store.ask("recover")
        tap.ok(filler is None or "full" in answer,
               "recovery fails while it is full", answer)
        if filler:
            filler.unlink()
        else:
            subprocess.run(["mount", "-o", f"remount,size={2 * SIZE}",
                            folder], check=True)
        answer = store.ask("recover")
        tap.ok(answer == "ok ", "recovery when there is room", answer)
        tap.ok(store.ask("put 5 2000") == "ok 0", "writing goes on")
        tap.ok(store.number("count") == rows + 5, "nothing was lost")
        tap.ok(store.ask("check") == "ok 0", "the file is sound")
    tap.ok(store.close() == 0, "closed")
    with Store(folder / "f.db") as again:
        tap.ok(again.number("count") == rows + 5, "all there after a restart")


def test_opening(tap, folder):
    fill(folder / "filler")
    with Store(folder / "new.db") as store:
        tap.ok("full" in store.opened, "no store can be made on a full disk",
               store.opened)
    with Store(folder / "f.db") as store:
        tap.ok(store.opened.startswith(("ok", "failed")),
               "an existing one opens, or says why not", store.opened)
        tap.note(store.opened)


def main():
    in_own_mounts()
    tap = Tap()
    with Folder() as folder:
        subprocess.run(["mount", "--make-rprivate", "/"], check=True)
        mount = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SIZE}",
                                "none", folder], capture_output=True)
        if mount.returncode != 0:
            skip("no tmpfs: " + mount.stderr.decode().strip())
        try:
            test_running(tap, pathlib.Path(folder))
            test_opening(tap, pathlib.Path(folder))
        finally:
            subprocess.run(["umount", folder], check=True)
    tap.done()


main()
