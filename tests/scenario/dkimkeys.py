# SPDX-License-Identifier: ISC
"""dkimkeys.py - the keys of a scenario, and who signs with them."""
import base64
import json
import os
import subprocess

from scenario.stage import PlayError

PYTHON = "/usr/bin/python3"     # the one that has Debian's modules
SIGNER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "signer.py")


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, check=True,
                          capture_output=True).stdout


class Key:
    """A key pair, made by openssl(1); kind is bits of RSA, or ed25519."""

    def __init__(self, selector, domain, kind):
        how = ["-algorithm", "ed25519"] if kind == "ed25519" else [
            "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + kind]
        self.selector, self.domain = selector, domain
        self.name = f"{selector}._domainkey.{domain}"
        self.pem = openssl("genpkey", *how).decode()
        public = openssl("pkey", "-pubout", "-outform", "DER",
                         data=self.pem.encode())
        if kind == "ed25519":
            public = public[-32:]
        self.public = base64.b64encode(public).decode()
        kind = "ed25519" if kind == "ed25519" else "rsa"
        self.record = f"v=DKIM1; k={kind}; p={self.public}"


def strings(record):
    """A record as the strings of TXT, as a zone file has them."""
    return " ".join(f'"{record[i:i + 200]}"'
                    for i in range(0, len(record), 200))


class Signer:
    """signer.py, started when it is needed."""

    def __init__(self):
        self.process = None

    def ask(self, **job):
        if self.process is None:
            self.process = subprocess.Popen(
                [PYTHON, SIGNER], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            print(json.dumps(job), file=self.process.stdin, flush=True)
        except BrokenPipeError:
            pass                # what it says tells why
        line = self.process.stdout.readline()
        if not line:
            why = self.process.stderr.read().strip().split("\n")[-1]
            raise PlayError(f"(signer.py: {why})")
        return json.loads(line)

    def stop(self):
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()
            self.process.stdout.close()
            self.process.stderr.close()
