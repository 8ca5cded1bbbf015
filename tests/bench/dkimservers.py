# SPDX-License-Identifier: ISC
"""The DKIM milters that the benchmark compares, their keys and their DNS.

Everything runs in a network of its own, see tests/system/namespaces.py. All
read the same configuration, as far as they know its options.
"""
import base64
import os
import subprocess
import sys
import time

from servers import BINDIR, TOOLDIR
from spfservers import DIR, FAST, FastDns, Process, use_dns, write

SIGNER, STRANGER = "192.0.2.200", "192.0.2.7"   # who is signed for, who not
USER = "nobody:nogroup"
KEYS = {"rsa": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
        "ed": ["-algorithm", "ED25519"]}
ALGORITHM = {"rsa": "rsa-sha256", "ed": "ed25519-sha256"}

ZONE = """\
$TTL 3600
. SOA ns. root. 1 3600 3600 3600 3600
. NS ns.
ns. A 127.0.0.1
"""
CONFIG = """\
Mode sv
Canonicalization relaxed/simple
Domain example.org
{keys}InternalHosts {signer}
AuthservID mx.bench.example
UMask 000
UserID {user}
Syslog no
"""


def tool(*words):
    return subprocess.run([TOOLDIR + "/rawdkim", *words], check=True,
                          stdout=subprocess.PIPE).stdout


def make_key(name):
    """A fresh private key; returns its path."""
    path = f"{DIR}/{name}.private"
    subprocess.run(["openssl", "genpkey", *KEYS[name], "-out", path],
                   check=True, stderr=subprocess.DEVNULL)
    os.chown(path, 65534, 65534)
    os.chmod(path, 0o600)
    return path


def txt(name, text):
    """One record, its text in strings that fit."""
    pieces = [text[i:i + 200] for i in range(0, len(text), 200)]
    return f"{name}. TXT " + " ".join(f'"{p}"' for p in pieces) + "\n"


class Dns(FastDns):
    """nsd; records are pairs of a name and the text of its TXT."""

    def __init__(self, records):
        super().__init__(ZONE + "".join(txt(*r) for r in records))
        use_dns(FAST)


class Milter(Process):
    """One of them, signing with the key called `key`."""

    name = ""

    def __init__(self, key="rsa"):
        self.key = key
        self.path = f"{DIR}/sockets/{self.name}"
        self.log = f"{DIR}/{self.name}.log"
        for old in self.path, self.path + ".pid":
            if os.path.exists(old):
                os.unlink(old)
        config = CONFIG.format(keys=self.keys(), signer=SIGNER, user=USER)
        config += self.options()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                self.command(write(f"{self.name}.conf", config)),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(1000):
            if os.path.exists(self.path):
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        with open(self.log) as log:
            sys.exit(f"{self.name} does not start:\n" + log.read())

    def keys(self):
        return f"Selector {self.key}\nKeyFile {DIR}/{self.key}.private\n"

    def options(self):
        return f"Socket local:{self.path}\n"

    def pid(self):
        return self.process.pid


class Dkimd(Milter):
    name = "dkimd"

    def command(self, config):
        return [BINDIR + "/dkimd", "-c", config]


class Opendkim(Milter):
    name = "opendkim"
    program = "/usr/sbin/opendkim"

    def options(self):
        # It asks the root servers, whatever resolv.conf says.
        return (super().options() + "RequireSafeKeys no\n"
                f"Nameservers {FAST}\n"
                f"SignatureAlgorithm {ALGORITHM[self.key]}\n")

    def command(self, config):
        return [self.program, "-f", "-x", config]


class Dkimpy(Milter):
    """dkimpy-milter; its key of Ed25519 has options and a form of its own."""

    name = "dkimpy-milter"
    program = "/usr/bin/dkimpy-milter"

    def keys(self):
        if self.key == "rsa":
            return super().keys()
        seed = subprocess.run(
            ["openssl", "pkey", "-in", f"{DIR}/ed.private", "-outform",
             "DER"], check=True, stdout=subprocess.PIPE).stdout[-32:]
        path = write("ed.seed", base64.b64encode(seed).decode())
        os.chown(path, 65534, 65534)
        os.chmod(path, 0o600)
        return f"SelectorEd25519 ed\nKeyFileEd25519 {path}\n"

    def options(self):
        return super().options() + f"PidFile {self.path}.pid\n"

    def command(self, config):
        return [self.program, config]


class Floor(Milter):
    """Nothing but common/milter: what the protocol costs."""

    name = "floor"

    def command(self, config):
        return [TOOLDIR + "/testmilter", "--user=root",
                "--listen=unix:" + self.path]


def peers():
    """Those that are installed."""
    return [p for p in (Opendkim, Dkimpy) if os.access(p.program, os.X_OK)]
