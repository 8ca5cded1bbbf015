# SPDX-License-Identifier: ISC
"""Keys, DNS and signed mail of the test world, and a dkimd for a rig.

Mail of strangers is signed by dkimpy (Debian's python3-dkim), keys are made
by openssl(1): a mistake of ours is not made twice.
"""
import base64
import json
import os
import re
import subprocess

import rig as rigs
from spfworld import FaultDns                                   # noqa: F401

PYTHON = "/usr/bin/python3"     # the one that has Debian's modules
USER = "nobody"
SIGN = """
import json, sys, dkim
job = json.load(sys.stdin)
field = dkim.sign(job["message"].encode("latin-1"), job["selector"].encode(),
                  job["domain"].encode(), job["key"].encode(),
                  canonicalize=(b"relaxed", b"relaxed"),
                  signature_algorithm=job["algorithm"].encode(),
                  include_headers=[n.encode() for n in job["headers"]] or None,
                  length=job["length"])
sys.stdout.write(field.decode())
"""
VERIFY = """
import json, sys, dkim
job = json.load(sys.stdin)
def txt(name, timeout=5):
    return job["zone"].get(name.decode().rstrip("."), "").encode() or None
d = dkim.DKIM(job["message"].encode("latin-1"))
count = sum(h[0].lower() == b"dkim-signature" for h in d.headers)
print(json.dumps([bool(d.verify(idx=i, dnsfunc=txt)) for i in range(count)]))
"""


def python(program, job):
    done = subprocess.run([PYTHON, "-c", program], input=json.dumps(job),
                          capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return done.stdout


def openssl(*words, data=None):
    return subprocess.run(["openssl", *words], input=data, check=True,
                          capture_output=True).stdout


class Key:
    """A key pair and its record."""

    def __init__(self, domain, selector, kind="rsa"):
        self.domain, self.selector, self.kind = domain, selector, kind
        how = ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"] \
            if kind == "rsa" else ["-algorithm", "ed25519"]
        self.pem = openssl("genpkey", *how).decode()
        public = openssl("pkey", "-pubout", "-outform", "DER",
                         data=self.pem.encode())
        if kind == "ed25519":
            public = public[-32:]
        self.record = (f"v=DKIM1; k={kind}; p="
                       + base64.b64encode(public).decode())
        self.name = f"{selector}._domainkey.{domain}"

    def zone(self):
        strings = " ".join(f'"{self.record[i:i + 200]}"'
                           for i in range(0, len(self.record), 200))
        return f"{self.name} TXT {strings}\n"

    def file(self, directory):
        """The private key, for the daemon alone."""
        path = f"{directory}/{self.selector}.{self.domain}.private"
        with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as f:
            f.write(self.pem)
        subprocess.run(["chown", USER, path], check=True)
        return path

    def sign(self, message, headers=(), length=False):
        """The message with one more signature on top."""
        pem = self.pem
        if self.kind == "ed25519":      # dkimpy wants the bare seed
            seed = openssl("pkey", "-outform", "DER", data=pem.encode())[-32:]
            pem = base64.b64encode(seed).decode()
        algorithm = "rsa-sha256" if self.kind == "rsa" else "ed25519-sha256"
        return python(SIGN, {
            "message": message, "selector": self.selector, "length": length,
            "domain": self.domain, "key": pem, "algorithm": algorithm,
            "headers": list(headers)}) + message


def foreign_verify(message, keys):
    """What dkimpy says to each signature, from the top."""
    zone = {key.name: key.record for key in keys}
    return json.loads(python(VERIFY, {"message": message, "zone": zone}))


class DkimServer(rigs.Server):
    """dkimd on a port of 127.0.0.1; options are those of opendkim.conf.
    alias is another name for the program."""

    def __init__(self, rig, name, port, alias=None, **options):
        self.rig, self.name, self.listen = rig, name, [port]
        self.process = None
        self.options = {"Socket": f"inet:{port}@127.0.0.1", "UserID": USER,
                        "AuthservID": "mx.example.net", **options}
        self.argv = [binary(rig, "dkimd", alias), "-f", "-c",
                     self.configure(**options)]
        rig.servers.append(self)

    def configure(self, **options):
        """Write the file, perhaps with other options, for a reload."""
        self.options.update(options)
        return self.rig.file(self.name + ".conf", "".join(
            f"{key.replace('_', '-')} {value}\n"
            for key, value in self.options.items()))


def binary(rig, name, alias=None):
    """One of our programs, in a copy that may be running already."""
    path = f"{rigs.DIR}/bin/{alias or name}"
    return path if os.path.exists(path) else rig.binary(name, alias)


def fields(mail, name):
    """The bodies of all fields of that name, unfolded."""
    head = mail.replace("\r\n", "\n").split("\n\n")[0]
    head = re.sub(r"\n[ \t]+", " ", head)
    return re.findall(rf"^{name}: *(.*)$", head, re.M | re.I)
