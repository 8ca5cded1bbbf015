# SPDX-License-Identifier: ISC
"""The stages of the benchmark. Each takes the directory to work in and the
sizes of this run, and prints one table."""

import contextlib
import os
import shutil
import sqlite3
import subprocess
import time
from types import SimpleNamespace

from measure import Load, fail, load, median, ms, number, ratio, table
from servers import TOOLDIR, Floor, Greylistd, Postgrey, peers

FULL = SimpleNamespace(
    rounds=5, connections=(1, 20, 100), requests_s=3, known=5000,
    stored=(10_000, 1_000_000, 10_000_000), stored_requests=50_000,
    expired=1_000_000, expiry_s=300, rate=2000, segment_s=10,
    restarts=4, gap_s=2, idle=5000, flood=200_000, flood_bound=20_000)
SHORT = SimpleNamespace(
    rounds=1, connections=(20,), requests_s=1, known=1000,
    stored=(10_000, 200_000), stored_requests=10_000,
    expired=20_000, expiry_s=6, rate=1000, segment_s=2,
    restarts=1, gap_s=1, idle=1000, flood=20_000, flood_bound=5_000)

RESTART_RATE = 300      # per second; postgrey keeps up on a busy machine too


@contextlib.contextmanager
def running(*servers):
    """Start servers, and end them whatever happens."""
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.stop()
            shutil.rmtree(server.dir, ignore_errors=True)


def mixed(size, *options):
    """The options of a run whose length is a time."""
    return ("-s", size.requests_s, *options)


def compare(parent, size):
    """CPU and throughput of all that is installed, in turns."""
    servers = [cls(parent) for cls in peers()]
    servers += [Greylistd(parent, on_unix=True)
                for cls in peers() if cls is Greylistd]
    floors = [Floor(parent), Floor(parent, on_unix=True)]
    runs = {}
    with running(*servers, *floors):
        for server in servers:
            load(server, "warm-up", "-w", server.warm, "-n", 100,
                 known=size.known)
        for _ in range(size.rounds):
            for n in size.connections:
                for server in servers:
                    runs.setdefault((server.name, n), []).append(
                        load(server, f"{n} connections",
                             *mixed(size, "-c", n), known=size.known))
                for server in floors:
                    runs.setdefault((server.name, n), []).append(
                        load(server, f"{n} connections", "-K", 100,
                             *mixed(size, "-c", n), known=size.known))
    rows = []
    for n in size.connections:
        base = runs.get((Postgrey.name, n), [])
        for server in servers + floors:
            mine = runs[server.name, n]
            rows.append([
                server.name, n, number(median(mine, "rps")),
                ratio(median(mine, "rps"), median(base, "rps")),
                number(median(mine, "cpu_us"), 1),
                ratio(median(mine, "cpu_us"), median(base, "cpu_us"),
                      "{:.4f}"),
                ratio(median(base, "cpu_us"), median(mine, "cpu_us"),
                      "1/{:.1f}"),
                ms(median(mine, "p50_us")), ms(median(mine, "p99_us")),
                number(mine[-1].get("rss_kib", 0) / 1024, 1),
                number(median(mine, "generator_us"), 1)])
    table("Requests, 80 % of them for known triplets",
          ["server", "conns", "req/s", "of postgrey", "CPU us/req",
           "of postgrey", "=", "p50 ms", "p99 ms", "RSS MiB",
           "generator us"], rows,
          "floor answers DUNNO to everything: what the kernel alone takes.")


def fill(server, count, *options):
    """Let the daemon make its tables, then add entries."""
    server.start()
    server.stop()
    subprocess.run([os.path.join(TOOLDIR, "filldb"), "-n", str(count),
                    *map(str, options), server.database], check=True)
    return server


def stored(parent, size):
    """The cost of many stored triplets, against a few."""
    servers, seconds = [], []
    for count in size.stored:
        begin = time.monotonic()
        server = Greylistd(parent, MaxEntries=2 * count)
        servers.append(fill(server, count, "-k", size.known))
        seconds.append(time.monotonic() - begin)
    runs = {server: [] for server in servers}
    with running(*servers):
        starts = [server.start_s for server in servers]
        for server in servers:
            load(server, "touch", "-W", "-n", 100, known=size.known)
        for _ in range(size.rounds):
            for server in servers:
                runs[server].append(load(
                    server, "stored", "-c", 20, "-n", size.stored_requests,
                    known=size.known))
        files = [server.file_mib() for server in servers]
    base = runs[servers[0]]
    table("greylistd with many stored triplets, 20 connections",
          ["stored", "CPU us/req", "of the first", "req/s", "of the first",
           "p99 ms", "start s", "RSS MiB", "peak MiB", "file MiB"],
          [[f"{count:,}",
            number(median(runs[s], "cpu_us"), 1),
            ratio(median(runs[s], "cpu_us"), median(base, "cpu_us"),
                  "{:.2f}"),
            number(median(runs[s], "rps")),
            ratio(median(runs[s], "rps"), median(base, "rps"), "{:.2f}"),
            ms(median(runs[s], "p99_us")), number(start, 3),
            number(runs[s][-1].get("rss_kib", 0) / 1024, 1),
            number(runs[s][-1].get("peak_kib", 0) / 1024, 1), number(mib)]
           for count, s, start, mib in zip(size.stored, servers, starts,
                                           files)],
          "Filled in " + ", ".join(f"{s:.0f} s" for s in seconds) + ".")


def delays(name, result):
    """The cells that tell how late replies were in an open loop."""
    median_us = result.get("p50_us")
    worst_us = result.get("max_us")
    beside = worst_us - median_us if worst_us is not None else None
    return [name, number(result.get("replies")), ms(median_us),
            ms(result.get("p99_us")), ms(result.get("p999_us")), ms(worst_us),
            ms(beside), result.get("late", "-"),
            result.get("reconnects", "-")]


DELAYS = ["while", "replies", "p50 ms", "p99 ms", "p99.9 ms", "worst ms",
          "worst - p50", "late 50 ms", "reconnects"]


def count_stored(server, where="1"):
    with contextlib.closing(sqlite3.connect(
            f"file:{server.database}?mode=ro", uri=True)) as db:
        return db.execute("SELECT count(*) FROM triplet"
                          f" WHERE {where}").fetchone()[0]


# By the daemon's defaults, MaxAge and RetryWindow.
EXPIRED = ("passed <> 0 AND last < unixepoch() - 35 * 86400"
           " OR passed = 0 AND first < unixepoch() - 2 * 86400")


def worst(results):
    """Several runs as one: the worst of each tail, the median's median."""
    merged = {"p50_us": median(results, "p50_us")}
    for figure in ("p99_us", "p999_us", "max_us"):
        merged[figure] = max((r.get(figure, 0) for r in results), default=0)
    for figure in ("replies", "late", "reconnects"):
        merged[figure] = sum(r.get(figure, 0) for r in results)
    return merged


def control_run(parent, *options):
    """The same load on a server that does nothing: the machine's own delays."""
    with running(Floor(parent)) as (server,):
        return load(server, "control", "-K", 100, *options)


def expiry(parent, size):
    """A load of a fixed rate while expired entries are removed."""
    keep = size.expired // 10
    server = fill(Greylistd(parent,
                            MaxEntries=4 * size.expired),
                  size.expired + keep, "-k", size.known,
                  "-e", 100 * size.expired // (size.expired + keep))
    options = ("-r", size.rate, "-s", size.segment_s)
    before = count_stored(server)
    expired = left = count_stored(server, EXPIRED)
    during = []
    with running(server):
        begin = time.monotonic()
        while left and time.monotonic() - begin < size.expiry_s:
            during.append(load(server, "expiry", *options,
                               *([] if during else ["-W"]),
                               known=size.known))
            left = count_stored(server, EXPIRED)
        seconds = time.monotonic() - begin
        after = [load(server, "after expiry", *options, known=size.known)]
        rss = after[-1].get("peak_kib", 0) / 1024
    control = [control_run(parent, *options)]
    table(f"Expiry under a load of {size.rate}/s",
          DELAYS, [delays("expiring", worst(during)),
                   delays("afterwards", worst(after)),
                   delays("floor", worst(control))],
          f"{expired:,} of {before:,} had expired, {left:,} of them are left"
          f" after {seconds:.0f} s; peak RSS {rss:.1f} MiB.")


def disturbed(server, size, label, action):
    """A load of a fixed rate while action is done now and then."""
    run = Load(server, label, "-R", "-r", RESTART_RATE, "-c", 20,
               "-s", size.gap_s * (size.restarts + 1), known=size.known)
    for _ in range(size.restarts):
        time.sleep(size.gap_s)
        action()
    return run.result()


def restart(parent, size):
    """Reload and restart under load. greylistd's listening socket is held
    open, as systemd does it; postgrey cannot be given one."""
    rows = []
    for server in (Postgrey(parent),
                   Greylistd(parent).hold_socket()):
        if not shutil.which(server.program):
            continue
        with running(server):
            load(server, "warm-up", "-w", server.warm, "-n", 100,
                 known=size.known)
            for label, action in (("nothing else", lambda: None),
                                  ("reload", server.reload),
                                  ("restart", server.restart)):
                result = disturbed(server, size, label, action)
                rows.append(delays(f"{server.name}: {label}", result))
    rows.append(delays("floor: nothing else", control_run(
        parent, "-r", RESTART_RATE, "-s", size.gap_s * (size.restarts + 1))))
    table(f"Reload and restart, {size.restarts}x each, under a load of"
          f" {RESTART_RATE}/s", DELAYS, rows)


def idle(parent, size):
    """Many idle connections beside a load of a fixed rate."""
    rows = []
    for server, count in ((Postgrey(parent), size.idle // 10),
                          (Greylistd(parent), size.idle)):
        if not shutil.which(server.program):
            continue
        with running(server):
            load(server, "warm-up", "-w", server.warm, "-n", 100,
                 known=size.known)
            for n in (0, count):
                # postgrey cannot keep up with a rate then: a closed loop
                result = load(server, f"{n} idle", "-i", n, "-c", 20,
                              "-s", size.requests_s, known=size.known)
                rows.append([
                    server.name, n, result.get("idle_answered", "-"),
                    number(result.get("rps")),
                    number(result.get("cpu_us"), 1), ms(result.get("p50_us")),
                    ms(result.get("p99_us")), ms(result.get("p999_us")),
                    ms(result.get("max_us")),
                    number(result.get("rss_kib", 0) / 1024, 1)])
    table("Idle connections beside 20 busy ones",
          ["server", "idle", "answered", "req/s", "CPU us/req", "p50 ms",
           "p99 ms", "p99.9 ms", "worst ms", "RSS MiB"], rows,
          "Every idle connection is asked one question in the end.")


def flood(parent, size):
    """Nothing but new triplets, against a bound on entries."""
    server = Greylistd(parent, MaxEntries=size.flood_bound)
    rows = []
    with running(server):
        for part in range(1, 5):
            result = load(server, "flood", "-K", 0, "-c", 20,
                          "-n", size.flood // 4, known=size.known)
            rows.append([f"{part * size.flood // 4:,}",
                         number(count_stored(server)),
                         number(server.file_mib(), 1),
                         number(result.get("rps")),
                         number(result.get("cpu_us"), 1),
                         ms(result.get("p99_us")), ms(result.get("max_us")),
                         number(result.get("rss_kib", 0) / 1024, 1)])
        entries = count_stored(server)
    if entries > 1.02 * size.flood_bound:
        fail(f"greylistd: MaxEntries {size.flood_bound}, and {entries} are stored")
    table(f"A flood of new triplets against MaxEntries {size.flood_bound:,}",
          ["sent", "stored", "files MiB", "req/s", "CPU us/req", "p99 ms",
           "worst ms", "RSS MiB"], rows)


ALL = {"compare": compare, "stored": stored, "expiry": expiry,
       "restart": restart, "idle": idle, "flood": flood}
