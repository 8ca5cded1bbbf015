# SPDX-License-Identifier: ISC
"""The SPF policy servers that the benchmark compares, and their DNS.

Everything runs in a network of its own, see tests/system/namespaces.py.
"""
import os
import signal
import socket
import subprocess
import sys
import time

from servers import BINDIR

HERE = os.path.dirname(os.path.abspath(__file__))
DIR = "/run/rig"
FAST, SLOW = "127.0.0.1", "127.0.0.2"       # name servers, on port 53
PYTHON = "/usr/bin/policyd-spf"
PERL = "/usr/sbin/postfix-policyd-spf-perl"

# Any name below these has the record; no other name exists.
ZONE = """\
$TTL 3600
. SOA ns. root. 1 3600 3600 3600 3600
. NS ns.
ns. A 127.0.0.1
*.direct.example. TXT "v=spf1 ip4:192.0.2.0/24 -all"
*.include.example. TXT "v=spf1 include:one.include.example ~all"
$ORIGIN include.example.
one TXT "v=spf1 include:two.include.example a:a.include.example -all"
two TXT "v=spf1 ip4:198.51.100.0/24 mx:mx.include.example -all"
$ORIGIN .
a.include.example. A 192.0.2.1
mx.include.example. MX 10 host.mx.include.example.
host.mx.include.example. A 198.51.100.1
"""
NSD = """\
server:
  ip-address: 127.0.0.1
  username: ""
  zonesdir: {dir}
  pidfile: ""
  database: ""
  zonelistfile: {dir}/zones
  xfrdfile: {dir}/xfrd
  xfrdir: {dir}
  server-count: 1
  rrl-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: "."
  zonefile: root.zone
"""
# As Debian installs it.
CONFIG = """\
debugLevel = 1
TestOnly = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1
"""


def write(name, text):
    path = f"{DIR}/{name}"
    with open(path, "w") as f:
        f.write(text)
    return path


def use_dns(address):
    """What the next programs find in resolv.conf."""
    write("etc/resolv.conf", f"nameserver {address}\noptions timeout:5\n")


class Process:
    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class FastDns(Process):
    """nsd with a zone."""

    def __init__(self, zone=ZONE):
        write("root.zone", zone)
        self.process = subprocess.Popen(
            ["nsd", "-d", "-c", write("nsd.conf", NSD.format(dir=DIR))],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        question = (b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"\2ns\0" + b"\0\1\0\1")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.05)
            sock.connect((FAST, 53))
            for _ in range(200):
                try:
                    sock.send(question)
                    sock.recv(512)
                    return
                except OSError:
                    time.sleep(0.02)
        sys.exit("nsd does not answer")


class SlowDns(Process):
    def __init__(self, delay_ms):
        self.process = subprocess.Popen(
            [HERE + "/slowdns.py", SLOW, "53", str(delay_ms)],
            stdout=subprocess.PIPE)
        self.process.stdout.readline()


class Spawned:
    """A policy server that needs a process for each connection."""

    def __init__(self, name, argv, count):
        self.name = name
        self.processes, self.sockets = [], []
        for _ in range(count):
            here, there = socket.socketpair()
            self.processes.append(subprocess.Popen(
                argv, stdin=there, stdout=there, stderr=subprocess.DEVNULL))
            there.close()
            self.sockets.append(here)

    def connections(self, count):
        """(sockets, process ids) of so many."""
        return self.sockets[:count], [p.pid for p in self.processes[:count]]

    def stop(self):
        for sock in self.sockets:
            sock.close()
        for process in self.processes:
            process.terminate()
            process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


class Spfd(Process):
    name = "spfd"
    serial = 0

    def __init__(self, **options):
        Spfd.serial += 1
        self.path = f"{DIR}/spfd{Spfd.serial}.socket"
        options = {"Listen": "unix:" + self.path, "User": "nobody",
                   **options}
        argv = [BINDIR + "/spfd", "-c", write("policyd-spf.conf", CONFIG)]
        for name, value in options.items():
            argv += ["-o", f"{name}={value}"]
        with open(f"{DIR}/spfd.log", "ab") as log:
            self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        self.sockets = []
        for _ in range(1000):
            if self.connect():
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        with open(f"{DIR}/spfd.log") as log:
            sys.exit("spfd does not start:\n" + log.read())

    def connect(self):
        sock = socket.socket(socket.AF_UNIX)
        try:
            sock.connect(self.path)
        except OSError:
            sock.close()
            return False
        self.sockets.append(sock)
        return True

    def connections(self, count):
        while len(self.sockets) < count:
            if not self.connect():
                sys.exit("spfd takes no more connections")
        return self.sockets[:count], [self.process.pid]

    def stop(self):
        for sock in self.sockets:
            sock.close()
        super().stop()


def python(count):
    return Spawned("policyd-spf-python",
                   [PYTHON, write("policyd-spf.conf", CONFIG)], count)


def perl(count):
    return Spawned("policyd-spf-perl", [PERL], count)


def peers():
    """What is installed, as functions of a number of processes."""
    return [make for make, path in ((python, PYTHON), (perl, PERL))
            if os.access(path, os.X_OK)]
