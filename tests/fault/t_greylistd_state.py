#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""Whatever happens to greylistd's state, mail goes on as OnError says, the
log says so once, and service comes back without a restart."""
import os
import signal
import sqlite3
import subprocess
import threading

from greyrig import Greylistd
from storerig import Folder, Tap, fill, in_own_mounts

SIZE_KIB = 2048


def mount(folder, options):
    subprocess.run(["mount", *options, str(folder)], check=True)


def with_small_disk(folder):
    (folder / "db").mkdir()
    mount(folder / "db", ["-t", "tmpfs", "-o", f"size={SIZE_KIB}k", "tmpfs"])
    return folder / "db"


def learn(daemon, who):
    """Makes `who` known."""
    first = daemon.deferred(who)
    daemon.later()
    return first and daemon.passed(who)


def exhaust(daemon):
    """New mail until one is not deferred; returns its action."""
    for number in range(20000):
        action = daemon.ask(f"new{number:05}" + "x" * 300)
        if not action.startswith("DEFER_IF_PERMIT 4.2.0"):
            return action
    return "never"


def full_disk(tap, folder):
    disk = with_small_disk(folder)
    with Greylistd(folder) as daemon:
        tap.ok(learn(daemon, "known"), "a sender is known")
        fill(disk / "filler")
        action = exhaust(daemon)
        tap.ok(action == "DUNNO", "full disk: new mail passes", action)
        for number in range(50):
            daemon.ask(f"more{number}")
        tap.ok(daemon.log().count("is full") == 1,
               "and the log says so once", daemon.log().count("is full"))
        tap.ok(daemon.passed("known"), "known mail passes")
        (disk / "filler").unlink()
        daemon.wait_log("works again")
        tap.ok(daemon.deferred("after"), "with room again: greylisting")
        daemon.later()
        tap.ok(daemon.passed("after"), "which passes after its delay")
        tap.ok(daemon.stop() == 0, "a clean end")


def full_disk_tempfail(tap, folder):
    disk = with_small_disk(folder)
    with Greylistd(folder, "--on-error=tempfail") as daemon:
        tap.ok(learn(daemon, "known"), "a sender is known")
        fill(disk / "filler")
        action = exhaust(daemon)
        tap.ok(action.startswith("DEFER_IF_PERMIT 4.3.0"),
               "OnError tempfail: new mail is deferred", action)
        tap.ok(daemon.passed("known"), "known mail passes all the same")


def start_on_full_disk(tap, folder):
    disk = with_small_disk(folder)
    fill(disk / "filler")
    with Greylistd(folder) as daemon:
        tap.ok(daemon.ask("a") == "DUNNO", "started on a full disk: pass")
        (disk / "filler").unlink()
        daemon.wait_log("works again")
        tap.ok(daemon.deferred("a"), "with room: greylisting")


def read_only(tap, folder):
    disk = with_small_disk(folder)
    with Greylistd(folder) as daemon:
        tap.ok(learn(daemon, "known"), "a sender is known")
        # A file system with files open for writing cannot be remounted.
        tap.ok(daemon.stop() == 0, "stopped")
        mount(disk, ["-o", "remount,ro"])
        daemon.start()
        tap.ok(daemon.ask("new") == "DUNNO", "read-only: new mail passes")
        tap.ok("warning:" in daemon.log(), "with a warning")
        mount(disk, ["-o", "remount,rw"])
        daemon.wait_log("works again")
        tap.ok(daemon.deferred("new"), "writable again: greylisting")
        tap.ok(daemon.passed("known"), "and nothing is forgotten")


def locked(tap, folder):
    with Greylistd(folder) as daemon:
        tap.ok(learn(daemon, "known"), "a sender is known")
        other = sqlite3.connect(daemon.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        tap.ok(daemon.ask("new") == "DUNNO", "locked: new mail passes")
        tap.ok(daemon.passed("known"), "known mail passes")
        tap.ok("lock" in daemon.log(), "the log names the lock")
        other.execute("ROLLBACK")
        other.close()
        daemon.wait_log("works again")
        tap.ok(daemon.deferred("new"), "unlocked: greylisting")


def damaged(tap, folder):
    with Greylistd(folder) as daemon:
        tap.ok(learn(daemon, "known"), "a sender is known")
        daemon.stop()
        with open(daemon.database, "r+b") as f:
            f.write(os.urandom(8192))
        daemon.start()
        aside = list(daemon.database.parent.glob("*.damaged-*"))
        tap.ok(len(aside) > 0, "a damaged file is moved aside", aside)
        tap.ok("moved to" in daemon.log(), "and the log says where")
        tap.ok(daemon.deferred("known"), "an empty one takes its place")


def killed(tap, folder, rounds):
    """No acknowledged entry is missing after SIGKILL in the midst of it."""
    with Greylistd(folder) as daemon:
        acknowledged = []
        for number in range(rounds):
            # At some moment, while requests go on.
            timer = threading.Timer(0.02 + number % 10 * 0.005, os.kill,
                                    (daemon.process.pid, signal.SIGKILL))
            timer.start()
            try:
                while True:
                    who = f"k{len(acknowledged)}"
                    if daemon.deferred(who):
                        acknowledged.append(who)
            except OSError:
                pass
            timer.join()
            daemon.process.wait()
            daemon.start()
        daemon.later()
        lost = [who for who in acknowledged if not daemon.passed(who)]
        tap.ok(len(acknowledged) > rounds, "there was load",
               len(acknowledged))
        tap.ok(not lost, f"none of {len(acknowledged)} was lost in {rounds} "
               "kills", lost[:5])
        daemon.stop()
        sound = sqlite3.connect(daemon.database).execute(
            "PRAGMA integrity_check").fetchone()[0]
        tap.ok(sound == "ok", "the file is sound", sound)


def flood(tap, folder):
    """Strangers cannot push known senders out, nor fill the disk."""
    bound = 1000
    with Greylistd(folder, f"--max-entries={bound}") as daemon:
        tap.ok(learn(daemon, "known"), "a sender is known")
        for number in range(3 * bound):
            daemon.ask(f"flood{number}", address=f"10.{number % 200}.1.1")
        tap.ok(daemon.passed("known"), "the known one is still known")
        daemon.stop()
        rows = sqlite3.connect(daemon.database).execute(
            "SELECT count(*), min(first) FROM triplet").fetchone()
        tap.ok(rows[0] <= bound, f"at most {bound} entries", rows[0])


def main():
    in_own_mounts()
    tap = Tap()
    rounds = int(os.environ.get("KILLS", "12"))
    for test in (full_disk, full_disk_tempfail, start_on_full_disk, read_only,
                 locked, damaged, flood,
                 lambda t, f: killed(t, f, rounds)):
        with Folder() as folder:
            test(tap, folder)
            if os.path.ismount(folder / "db"):
                subprocess.run(["umount", folder / "db"], check=True)
    tap.done()


main()
