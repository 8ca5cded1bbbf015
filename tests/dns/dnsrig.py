# SPDX-License-Identifier: ISC
"""A misbehaving name server and a dnsask process under our command."""
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAULTDNS = ROOT / "tests/dns/faultdns.py"
DNSASK = pathlib.Path(os.environ.get("TOOLDIR", ROOT / "build/t")) / "dnsask"

NSD = "/usr/sbin/nsd"


class FaultDns:
    """faultdns.py with a zone; address is ADDRESS@PORT."""

    def __init__(self, zone, ip="127.0.0.1", port=0):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="dns-"))
        self.log = self.folder / "queries"
        (self.folder / "zone").write_text(zone)
        self.start(ip, port)

    def start(self, ip, port):
        self.process = subprocess.Popen(
            [FAULTDNS, ip, str(port), self.folder / "zone", self.log],
            stdout=subprocess.PIPE, text=True)
        _, self.ip, self.port = self.process.stdout.readline().split()
        self.address = f"{self.ip}@{self.port}"

    def stop(self):
        self.process.terminate()
        self.process.communicate()

    def restart(self):
        self.start(self.ip, self.port)

    def zone(self, text):
        """Another zone; the old one may answer for a moment."""
        (self.folder / "zone").write_text(text)
        self.process.send_signal(signal.SIGHUP)

    def queries(self, name=None):
        """What it was asked, all or about one name."""
        with open(self.log) as file:
            asked = [json.loads(line) for line in file]
        return [q for q in asked if name in (None, q["name"])]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder)


def can_sign():
    """Are there nsd and ldns-signzone?"""
    return os.path.exists(NSD) and shutil.which("ldns-signzone")


def sign(folder, text, old, new):
    """Makes a signed zone "signed.test" of text and the file of its key; the
    words old become new afterwards. Returns the names of both files."""
    zone = folder / "signed.test"
    zone.write_text("$ORIGIN signed.test.\n" + text)
    run = lambda *command: subprocess.run(
        command, cwd=folder, check=True, text=True, capture_output=True).stdout
    key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "signed.test").strip()
    run("ldns-signzone", "-o", "signed.test", zone.name, key)
    zone = folder / "signed.test.signed"
    zone.write_text(zone.read_text().replace(old, new))
    return zone, folder / f"{key}.key"


class Nsd:
    """Debian's nsd with one zone on a free port."""

    def __init__(self, folder, zone):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.address = f"127.0.0.1@{port}"
        (folder / "nsd.conf").write_text(f"""
server:
    ip-address: {self.address}
    username: ""
    zonesdir: "{folder}"
    database: ""
    pidfile: ""
    xfrdir: "{folder}"
    zonelistfile: "{folder}/zones"
    xfrdfile: "{folder}/xfrd"
    server-count: 1
remote-control:
    control-enable: no
zone:
    name: signed.test
    zonefile: "{zone}"
""")
        self.process = subprocess.Popen(
            [NSD, "-d", "-c", folder / "nsd.conf"], stderr=subprocess.PIPE,
            text=True)
        for line in self.process.stderr:
            if "nsd started" in line:
                break

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


class Asker:
    """A dnsask process. Answers are tuples of words."""

    def __init__(self, *servers, args=(), wait=30):
        words = [w for s in servers for w in ("-s", s)]
        self.wait = wait
        self.process = subprocess.Popen(
            [*os.environ.get("DNSASK_WRAP", "").split(), DNSASK, *words,
             *map(str, args)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE)
        self.bytes = b""

    def send(self, *commands):
        """All in one piece, so in one turn of the loop."""
        os.write(self.process.stdin.fileno(),
                 "".join(c + "\n" for c in commands).encode())

    def answer(self, wait=None):
        """The next answer, or None when there is none in time."""
        out = self.process.stdout
        while b"\n" not in self.bytes:
            if not select.select([out], [], [], wait or self.wait)[0]:
                return None
            some = os.read(out.fileno(), 1 << 20)
            if not some:
                return None
            self.bytes += some
        line, self.bytes = self.bytes.split(b"\n", 1)
        return tuple(line.decode().split("\t"))

    def ask(self, name, kind):
        """The answer to one question, without its ID."""
        self.send(f"ask x {name} {kind}")
        return (self.answer() or ("x", "none"))[1:]

    def figures(self, command="stats"):
        self.send(command)
        words = self.answer() or ("none",)
        return {k: int(v) for k, v in (w.split("=") for w in words[1:])}

    def memory(self):
        """Resident KiB; 0 under tools that need memory themselves."""
        if "DNSASK_WRAP" in os.environ or b"__asan" in DNSASK.read_bytes():
            return 0
        path = f"/proc/{self.process.pid}/status"
        return next(int(line.split()[1]) for line in open(path)
                    if line.startswith("VmRSS"))

    def close(self):
        """Ends it; returns the exit status and what it said."""
        _, said = self.process.communicate()
        return self.process.returncode, said.decode()

    def __enter__(self):
        return self

    def __exit__(self, error, *_):
        if self.process.returncode is not None:
            return
        status, said = self.close()
        if (status or said) and not error:
            raise RuntimeError(f"dnsask ended with {status}: {said}")
