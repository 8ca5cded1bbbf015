#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Whatever happens to its files, the store serves again after a recovery.

STORE_DAMAGES=N sets the number of rounds (50).
"""
import os
import random
import sqlite3

from storerig import Folder, Store, Tap, asides

ROUNDS = int(os.environ.get("STORE_DAMAGES", 50))
SEED = int(os.environ.get("STORE_SEED", random.randrange(2**32)))


def spoil(rng, path):
    """Overwrites parts of a file with noise; its size stays."""
    size = path.stat().st_size
    with open(path, "r+b") as f:
        for _ in range(rng.randrange(1, 5)):
            # The first page holds most that can go wrong.
            f.seek(rng.randrange(min(size, rng.choice((100, 4096, size)))))
            room = size - f.tell()
            f.write(rng.randbytes(min(room, rng.choice((1, 16, 4096)))))


def serves(store):
    """Works a while; recovers when it fails. Returns the last answer."""
    answer = "never worked"
    for _ in range(6):
        for command in ("put 3 1000", "last", "count", "put 20 5000"):
            answer = store.ask(command)
            if not answer.startswith("ok"):
                break
        else:
            return answer
        if answer in ("gone", ""):
            break
        store.ask("recover")
    return answer


def put_some(rng, store):
    for _ in range(rng.randrange(1, 30)):
        store.ask(f"put 10 {rng.choice((10, 1000, 8000))}")


def one_round(rng, folder, kind, running):
    path = folder / "d.db"
    with Store(path) as store:
        put_some(rng, store)
    # Those rows are in the database now, the next ones stay in the WAL.
    store = Store(path)
    put_some(rng, store)
    if not running:
        store.kill()
    spoil(rng, folder / ("d.db" + kind))
    if not running:
        store = Store(path)
    opened = store.opened
    answer = serves(store)
    status = store.close()
    return opened, answer, status


def test_noise(tap, rng):
    moved = 0
    for round_ in range(ROUNDS):
        kind = rng.choice(("", "", "", "-wal", "-shm"))
        running = rng.random() < 0.3
        with Folder() as folder:
            opened, answer, status = one_round(rng, folder, kind, running)
            tap.ok(opened.startswith("ok") and answer.startswith("ok")
                   and status == 0,
                   f"noise {round_} in db{kind}"
                   f"{' while it is open' if running else ''}",
                   (opened, answer, status))
            moved += len(asides(folder))
    tap.note(f"moved aside in {moved} of {ROUNDS} rounds")
    tap.ok(moved > 0 or ROUNDS < 10, "some were moved aside")


def test_known(tap, folder):
    """Damage of which it is known what must come of it."""
    path = folder / "d.db"
    path.write_bytes(b"no database, but a text of some length\n" * 100)
    with Store(path, "tool") as store:
        tap.ok("is damaged" in store.opened, "a tool says so", store.opened)
        tap.ok(asides(folder) == [], "and leaves it alone")
    with Store(path) as store:
        names = asides(folder)
        tap.ok(len(names) == 1 and f"moved to {folder / names[0]}"
               in store.opened, "a daemon moves it aside", store.opened)
        tap.ok(store.ask("put 3 10") == "ok 0", "and goes on")
        tap.ok((folder / names[0]).read_bytes().startswith(b"no database"),
               "it is kept as it was")
    with open(path, "r+b") as file:     # the number of the format
        file.seek(47)
        file.write(b"\x7f")
    with Store(path) as store:
        tap.ok("moved to" in store.opened, "so is one of no known format",
               store.opened)
    for name in asides(folder):
        (folder / name).unlink()
    path.write_bytes(b"")
    with Store(path) as store:
        tap.ok(store.opened == "ok ", "an empty file is a new store")
        tap.ok(store.ask("put 3 10") == "ok 0", "that works")
    other = sqlite3.connect(path)
    other.execute("DROP INDEX item_body")
    other.commit()
    other.close()
    with Store(path) as store:
        tap.ok("its tables are not as they should" in store.opened,
               "a missing index is damage", store.opened)
    stranger = folder / "stranger.db"
    other = sqlite3.connect(stranger)
    other.execute("CREATE TABLE theirs(x)")
    other.commit()
    other.close()
    with Store(stranger) as store:
        tap.ok("holds the tables of another program" in store.opened,
               "another program's database is refused", store.opened)
    tap.ok(stranger.exists(), "and stays")


def test_replaced(tap, folder):
    path = folder / "d.db"
    store = Store(path)
    store.ask("put 5 10")
    path.unlink()
    for _ in range(10**6):
        answer = store.ask("look")
        if answer != "ok 0":
            break
    tap.ok("was removed or replaced" in answer, "a removal is noticed",
           answer)
    tap.ok(store.ask("recover") == "ok ", "recovery makes a new file")
    tap.ok(store.ask("count") == "ok 0", "which is empty")
    tap.ok(store.ask("put 7 10") == "ok 0", "and works")
    with Store(folder / "other.db") as other:
        other.ask("put 4 10")
    os.rename(folder / "other.db", path)
    tap.ok(store.ask("recover") == "ok ", "recovery takes another file")
    tap.ok(store.ask("count") == "ok 4", "with what is in it")
    for name in ("d.db-wal", "d.db-shm"):
        (folder / name).unlink()
        tap.ok(store.ask("recover") == "ok ", f"recovery without {name}")
        tap.ok(store.ask("put 1 10") == "ok 0", "writing works")
    tap.ok(store.ask("check") == "ok 0", "the file is sound")
    tap.ok(store.close() == 0, "closed")
    tap.ok(asides(folder) == [], "nothing was moved aside")


def main():
    tap = Tap()
    tap.note(f"STORE_SEED={SEED}")
    with Folder() as folder:
        test_known(tap, folder)
    with Folder() as folder:
        test_replaced(tap, folder)
    test_noise(tap, random.Random(SEED))
    tap.done()


main()
