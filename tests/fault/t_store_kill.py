#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A writer that is killed loses nothing that it was told was committed.

STORE_KILLS=N sets the number of kills (20).
"""
import os
import random

from storerig import Folder, Store, Tap

KILLS = int(os.environ.get("STORE_KILLS", 20))
SEED = int(os.environ.get("STORE_SEED", random.randrange(2**32)))
ROWS = 3                        # per transaction


def main():
    tap = Tap()
    rng = random.Random(SEED)
    tap.note(f"STORE_SEED={SEED}")
    with Folder() as folder:
        path = folder / "k.db"
        for round_ in range(KILLS):
            writer = Store(path)
            # Rows of very different size, so that checkpoints run meanwhile.
            writer.send(f"run {ROWS} {rng.choice((10, 1000, 30000))}")
            for _ in range(rng.randrange(1, 1200)):
                last = writer.answer()
            writer.kill()
            acknowledged = int(last.removeprefix("ok "))
            with Store(path) as store:
                kept = store.number("last")
                sound = (store.opened == "ok " and kept >= acknowledged
                         and kept % ROWS == 0
                         and store.number("count") == kept
                         and store.ask("check") == "ok 0")
                tap.ok(sound, f"kill {round_}: {acknowledged} rows",
                       (store.opened, kept, store.ask("check")))
            if path.stat().st_size > 100e6:
                path.unlink()
    tap.done()


main()
