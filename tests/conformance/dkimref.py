"""DKIM once more, as plainly as RFC 6376 says it: canonical forms, signing and
verifying by Python's cryptography. It writes the messages of dkimtable.py and
checks what the engine signs; it shares nothing with the engine.

A field is a pair of bytes (name, value): the value as it follows the colon,
folds as CRLF. A body has whatever line ends it has."""
import base64
import hashlib
import re

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa

CRLF = b"\r\n"


def canon_field(name, value, mode):
    if mode == "simple":
        return name + b":" + value
    value = re.sub(rb"\r\n(?=[ \t])", b"", value)
    value = re.sub(rb"[ \t]+", b" ", value).strip(b" ")
    return name.rstrip(b" \t").lower() + b":" + value


def canon_body(body, mode):
    if body and not body.endswith(CRLF):
        body += b"\n" if body.endswith(b"\r") else CRLF
    lines = body.split(CRLF)[:-1]
    if mode == "relaxed":
        lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ")
                 for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return CRLF if mode == "simple" else b""
    return b"".join(line + CRLF for line in lines)


def select(fields, names):
    """Section 5.4.2: each name takes the last field that is left."""
    left = list(fields)
    for name in names:
        for i in range(len(left) - 1, -1, -1):
            if left[i][0].rstrip(b" \t").lower() == name.lower():
                yield left.pop(i)
                break


def hashed_header(fields, names, mode, sig_name, sig_value):
    data = b"".join(canon_field(*f, mode) + CRLF
                    for f in select(fields, names))
    return data + canon_field(sig_name, sig_value, mode)


def body_hash(body, mode, length=None, hash_name="sha256"):
    return hashlib.new(hash_name, canon_body(body, mode)[:length]).digest()


class Key:
    """A private key, and how its record in DNS looks."""

    def __init__(self, kind, bits=2048, public_exponent=65537):
        self.kind = kind
        self.private = (ed25519.Ed25519PrivateKey.generate()
                        if kind == "ed25519" else
                        rsa.generate_private_key(public_exponent, bits))

    def sign(self, data, hash_name="sha256"):
        if self.kind == "ed25519":
            return self.private.sign(hashlib.sha256(data).digest())
        algorithm = getattr(hashes, hash_name.upper())()
        return self.private.sign(data, padding.PKCS1v15(), algorithm)

    def verifies(self, signature, data):
        public = self.private.public_key()
        try:
            if self.kind == "ed25519":
                public.verify(signature, hashlib.sha256(data).digest())
            else:
                public.verify(signature, data, padding.PKCS1v15(),
                              hashes.SHA256())
        except InvalidSignature:
            return False
        return True

    def pem(self):
        form = serialization.PrivateFormat.PKCS8
        return self.private.private_bytes(
            serialization.Encoding.PEM, form, serialization.NoEncryption())

    def public(self, pkcs1=False):
        """p=: SubjectPublicKeyInfo, or the bare RSA key; raw Ed25519."""
        forms, encoding = serialization.PublicFormat, serialization.Encoding
        if self.kind == "ed25519":
            raw = self.private.public_key().public_bytes(
                encoding.Raw, forms.Raw)
        else:
            raw = self.private.public_key().public_bytes(
                encoding.DER,
                forms.PKCS1 if pkcs1 else forms.SubjectPublicKeyInfo)
        return base64.b64encode(raw).decode()

    def record(self):
        return f"v=DKIM1; k={self.kind}; p={self.public()}"


TEMPLATE = " v=1; a={a}; c={c}; d={d}; s={s}; h={h}; bh={bh}; b={b}"


def sign(fields, body, key, template=TEMPLATE, sig_name="DKIM-Signature",
         length=None, hash_name="sha256", **tags):
    """A DKIM-Signature field. The template's {b} and {bh} are filled in, and
    other tags from the arguments; a, c, d, s and h have values by default,
    and c and h must say what is meant."""
    tags = {"a": f"{key.kind}-{hash_name}", "c": "simple/simple",
            "d": "example.org", "s": "sel",
            "h": ":".join(name.decode() for name, _ in fields)} | tags
    c = tags["c"].lower().split("/") + ["simple"]
    names = [n.strip().encode() for n in tags["h"].split(":")]
    bh = body_hash(body, c[1], length, hash_name)
    text = template.format(bh=base64.b64encode(bh).decode(), b="\0", **tags)
    empty = re.sub(rb"[ \t\r\n]*\0[ \t\r\n]*", b"", text.encode())
    data = hashed_header(fields, names, c[0], sig_name.encode(), empty)
    signature = base64.b64encode(key.sign(data, hash_name)).decode()
    folded = "\r\n\t".join(re.findall(".{1,64}", signature))
    return sig_name.encode(), text.replace("\0", folded).encode()


def verifies(fields, body, key, signature):
    """Is that field a valid signature of the rest by the key?"""
    name, value = signature
    tags = dict(re.sub(r"\s+", "", tag).split("=", 1)
                for tag in value.decode().split(";") if tag.strip())
    c = tags.get("c", "simple/simple").split("/") + ["simple"]
    length = int(tags["l"]) if "l" in tags else None
    bh = base64.b64encode(body_hash(body, c[1], length)).decode()
    empty = re.sub(rb"(^|;)([ \t\r\n]*b=)[^;]*", rb"\1\2", value)
    names = [n.encode() for n in tags["h"].split(":")]
    data = hashed_header(fields, names, c[0], name, empty)
    return bh == tags["bh"] and key.verifies(
        base64.b64decode(tags["b"]), data)
