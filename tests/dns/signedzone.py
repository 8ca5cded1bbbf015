# SPDX-License-Identifier: ISC
"""A zone that is signed, and a name server that has it."""
import os
import shutil
import socket
import subprocess

NSD = "/usr/sbin/nsd"


def is_possible():
    return os.path.exists(NSD) and shutil.which("ldns-signzone")


def sign(folder):
    """Signs the zone in folder / "signed.test". Returns the paths of the
    signed zone and of its key."""
    run = lambda *command: subprocess.run(
        command, cwd=folder, check=True, text=True, capture_output=True).stdout
    key = run("ldns-keygen", "-a", "ECDSAP256SHA256", "signed.test").strip()
    run("ldns-signzone", "-o", "signed.test", "signed.test", key)
    return folder / "signed.test.signed", folder / f"{key}.key"


class Nsd:
    """Debian's nsd with that zone on a free port."""

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
