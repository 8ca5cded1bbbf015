#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""signer.py - signs and verifies for the scenarios, a job a line.

Runs under Debian's Python, which has the modules. A job is JSON on standard
input, its answer JSON on standard output; texts are Latin-1.

    {"do": "sign", "fields": [[name, value], ...], "body": TEXT, "pem": TEXT,
     "tags": {"d": ..., "h": ..., ...}}      the value of DKIM-Signature
    {"do": "verify", "message": TEXT, "zone": {NAME: RECORD}}
                                             what dkimpy says to each one

It signs by conformance/dkimref.py, so that any tag can be any text.
"""
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "conformance"))
sys.dont_write_bytecode = True

import dkim                                                     # noqa: E402
from cryptography.hazmat.primitives import serialization       # noqa: E402

import dkimref                                                  # noqa: E402

ORDER = "v a c d s t x i q l h bh b".split()


class Key(dkimref.Key):
    def __init__(self, pem):
        self.private = serialization.load_pem_private_key(pem.encode(), None)
        self.kind = "rsa" if hasattr(self.private, "key_size") else "ed25519"


def sign(job):
    """The value of a DKIM-Signature over fields and body. A tag that is null
    is left out; l is a number of bytes of the body."""
    fields = [(n.encode("latin-1"), v.encode("latin-1"))
              for n, v in job["fields"]]
    key, given = Key(job["pem"]), job["tags"]
    tags = {"v": "1", "a": f"{key.kind}-sha256", "c": "relaxed/relaxed",
            "h": "From:To:Subject:Date", **given}
    computed = {"bh": tags.pop("bh", "{bh}"), "b": "{b}"}
    tags = {name: text for name, text in tags.items() if text is not None}
    names = sorted({**tags, **computed},
                   key=lambda n: ORDER.index(n) if n in ORDER else 9)
    template = " " + "; ".join(
        f"{n}={computed.get(n, '{' + n + '}')}" for n in names)
    length = int(tags["l"]) if "l" in tags else None
    how = "sha1" if tags["a"] == "rsa-sha1" else "sha256"
    return dkimref.sign(fields, job["body"].encode("latin-1"), key, template,
                        length=length, hash_name=how,
                        **tags)[1].decode("latin-1")


def verify(job):
    """[signer's name in DNS, whether dkimpy accepts it] for each."""
    def txt(name, timeout=5):
        del timeout
        return job["zone"].get(name.decode().rstrip("."), "").encode() or None
    one = dkim.DKIM(job["message"].encode("latin-1"))
    found = []
    for i, (name, value) in enumerate(
            h for h in one.headers if h[0].lower() == b"dkim-signature"):
        tags = dict(t.split("=", 1) for t in re.sub(
            r"\s+", "", value.decode("latin-1")).split(";") if "=" in t)
        found.append([f"{tags.get('s')}._domainkey.{tags.get('d')}",
                      bool(one.verify(idx=i, dnsfunc=txt))])
    return found


def main():
    for line in sys.stdin:
        job = json.loads(line)
        answer = sign(job) if job["do"] == "sign" else verify(job)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
