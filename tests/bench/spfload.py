# SPDX-License-Identifier: ISC
"""Load for an SPF policy server: each connection asks, waits, asks again."""
import itertools
import os
import resource
import select
import statistics
import time
from types import SimpleNamespace

from measure import RUNS, fail

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
PATIENCE_S = 120
_number = itertools.count()

# What Postfix 3.7 sends, in its order.
REQUEST = """\
request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address={ip}
client_name=unknown
client_port=25000
reverse_client_name=unknown
server_address=192.0.2.250
server_port=25
helo_name={helo}
sender={sender}
recipient=someone@recipient.example
recipient_count=0
queue_id=
instance=bench.{number}
size=0
etrn_domain=
stress=
sasl_method=
sasl_username=
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=
ccert_pubkey_fingerprint=
encryption_protocol=
encryption_cipher=
encryption_keysize=0
policy_context=

"""


def request(ip, helo, sender, want):
    """(bytes, what the answer begins with in lower case)."""
    return REQUEST.format(ip=ip, helo=helo, sender=sender,
                          number=next(_number)).encode(), want


def cpu_s(pids):
    """User and system time of processes."""
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total * TICK_S


def rss_mib(pid):
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) for line in status
                    if line.startswith("VmRSS")) / 1024


class _Connection:
    def __init__(self, sock):
        self.sock, self.got, self.want, self.since = sock, b"", None, 0


class Load:
    """Asks what `requests` yields over sockets, until it or the time ends."""

    def __init__(self, sockets, requests, seconds=None):
        self.requests, self.seconds = iter(requests), seconds
        self.poll = select.epoll()
        self.open = {}
        self.latencies, self.wrong = [], []
        for sock in sockets:
            sock.setblocking(False)
            self.poll.register(sock, select.EPOLLIN)
            self.open[sock.fileno()] = _Connection(sock)

    def ask(self, fd):
        """The next request on this connection, if there is one."""
        connection = self.open[fd]
        item = None
        if self.end is None or time.monotonic() < self.end:
            item = next(self.requests, None)
        if item is None:
            self.drop(fd)
            return
        data, connection.want = item
        connection.got, connection.since = b"", time.monotonic()
        connection.sock.send(data)

    def drop(self, fd):
        self.poll.unregister(fd)
        del self.open[fd]

    def read(self, fd):
        connection = self.open[fd]
        try:
            some = connection.sock.recv(4096)
        except OSError:
            some = b""
        connection.got += some
        if not some:
            self.wrong.append("connection lost")
            self.drop(fd)
        elif connection.got.endswith(b"\n\n"):
            self.latencies.append(time.monotonic() - connection.since)
            said = connection.got[len("action="):].lower()
            if not said.startswith(connection.want):
                self.wrong.append(f"{connection.got!r} for "
                                  f"{connection.want!r}")
            self.ask(fd)

    def begin(self):
        self.started = time.monotonic()
        self.end = self.seconds and self.started + self.seconds
        for fd in list(self.open):
            self.ask(fd)

    def turn(self, pause):
        """Take what has come; False when all is done."""
        for fd, _ in self.poll.poll(pause):
            self.read(fd)
        return bool(self.open)

    def run(self):
        self.begin()
        while self.turn(1):
            if time.monotonic() > self.started + PATIENCE_S:
                self.wrong.append(f"{len(self.open)} answers are missing")
                break
        self.wall = time.monotonic() - self.started
        return self

    def percentile(self, share):
        ordered = sorted(self.latencies) or [0]
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def measure(server, label, sockets, pids, requests, seconds=None):
    """Run a load; returns its figures."""
    load = Load(sockets, requests, seconds)
    usage = resource.getrusage(resource.RUSAGE_SELF)
    own = usage.ru_utime + usage.ru_stime
    cpu = cpu_s(pids)
    load.run()
    cpu = cpu_s(pids) - cpu
    usage = resource.getrusage(resource.RUSAGE_SELF)
    own = usage.ru_utime + usage.ru_stime - own
    count = len(load.latencies) or 1
    if load.wrong:
        fail(f"{server}, {label}: {len(load.wrong)} wrong, such as "
             + load.wrong[0])
    figures = {
        "server": server, "label": label, "checks": len(load.latencies),
        "wall_s": load.wall, "rps": len(load.latencies) / load.wall,
        "cpu_us": cpu / count * 1e6, "generator_us": own / count * 1e6,
        "p50_us": statistics.median(load.latencies or [0]) * 1e6,
        "p99_us": load.percentile(0.99) * 1e6,
        "max_us": max(load.latencies or [0]) * 1e6}
    RUNS.append(figures)
    return SimpleNamespace(**figures)
