#!/usr/bin/python3
"""DKIM as dkimd's engine does it, behind its guards: the vectors of RFC 6376
and RFC 8463, the messages of dkimtable.py, and signatures of the engine under
the eyes of dkimref.py, dkimpy and Mail::DKIM.

    tests/conformance/t_dkim.py [rfc|cases|sign] [-v]
"""
import os
import pathlib
import subprocess
import sys

import dkim

import dkimref
import dkimtable
from dkimtable import BODIES, CANONS, FIELDS, NOW

HERE = pathlib.Path(__file__).resolve().parent
DKIMCASES = os.path.join(os.environ.get("TOOLDIR", "build/t"), "dkimcases")
PIECES = (1, 7, 4096, 65536)


def hexed(data):
    return (data if isinstance(data, bytes) else data.encode()).hex() or "-"


def header_text(fields):
    """As a milter sees it: folds are LF."""
    return b"".join(n + b":" + v.replace(b"\r\n", b"\n") + b"\n"
                    for n, v in fields)


def message_text(fields, body):
    return b"".join(n + b":" + v + b"\r\n" for n, v in fields) + \
        b"\r\n" + body


def ask(lines):
    """The answers of dkimcases, each as words."""
    run = subprocess.run([DKIMCASES], input="\n".join(lines) + "\n",
                         text=True, capture_output=True)
    if run.returncode != 0:
        sys.exit(f"dkimcases: {run.returncode}: {run.stderr[:2000]}")
    return [line.split() for line in run.stdout.splitlines()]


class Tap:
    def __init__(self):
        self.number = self.failed = 0

    def check(self, name, got, want):
        self.number += 1
        held = got == want
        self.failed += not held
        name = name.replace("#", "").replace("\n", " ").replace("\r", "")
        print(f"{'' if held else 'not '}ok {self.number} - {name[:120]}")
        if not held:
            print(f"#  got: {got}\n# want: {want}")

    def done(self):
        print(f"1..{self.number}")
        return 1 if self.failed else 0


def decode(word):
    result, _, reason = word.partition(":")
    return result, bytes.fromhex(reason).decode()


def verify_lines(name, fields, body, records, piece):
    yield "zone"
    for owner, record in records.items():
        if record:
            yield f"txt {hexed(owner)} {hexed(record)}"
    yield (f"verify {name} {NOW} {piece} {hexed(header_text(fields))} "
           f"{hexed(body)}")


# ------------------------------------------------------------------- the RFCs
def check_rfc(tap):
    for name, want in (("rfc6376", ["pass"]), ("rfc8463", ["pass", "pass"])):
        raw = (HERE / f"{name}.eml").read_bytes().replace(b"\n", b"\r\n")
        head, body = raw.split(b"\r\n\r\n", 1)
        records = dict(line.split(" ", 1) for line in
                       (HERE / f"{name}.txt").read_text().splitlines())
        fields = []
        for line in head.split(b"\r\n"):
            if line[:1] in b" \t":
                fields[-1] += b"\r\n" + line
            else:
                fields.append(line)
        fields = [tuple(f.split(b":", 1)) for f in fields]
        for piece in PIECES:
            answer = ask(verify_lines(name, fields, body, records, piece))[0]
            tap.check(f"{name}, pieces of {piece}",
                      [decode(w)[0] for w in answer[1:]], want)


# ------------------------------------------------------------------- the cases
def check_cases(tap, verbose):
    cases = dkimtable.build()
    lines = []
    for i, case in enumerate(cases):
        big = len(case.body) > 10000
        for piece in PIECES[2:] if big else PIECES[i % 2::2]:
            lines += verify_lines(i, case.header, case.body, case.records,
                                  piece)
    answers = {}
    for words in ask(lines):
        answers.setdefault(int(words[0]), []).append(
            [decode(w) for w in words[1:]])
    wrong = 0
    for i, case in enumerate(cases):
        got = answers.get(i, [[]])
        reasons = "; ".join(reason for _, reason in got[0] if reason)
        for one in got[1:]:
            if one != got[0]:
                got[0] = [("chunks matter", "")]
        results = [result for result, _ in got[0]]
        name = case.name + (f" ({reasons})" if reasons else "")
        tap.check(name if verbose else case.name, results, case.want)
        wrong += sum("pass" in g and "pass" not in w
                     for g, w in zip(results, case.want))
    tap.check("wrongly accepted", wrong, 0)


# --------------------------------------------------------------------- signing
def sign_lines(key):
    """(name, line, fields, body) of each message to sign with the key."""
    for c in CANONS:
        for name, body in BODIES.items():
            yield f"{name}, {c}", c, FIELDS, body
        for name, value in dkimtable.VALUES.items():
            yield (f"header {name}, {c}", c, FIELDS + [(b"X-Test", value)],
                   dkimtable.BODY)
        many = FIELDS + [(b"X-Field-%d" % i, b" x") for i in range(100)]
        yield f"many fields, {c}", c, many, dkimtable.BODY
        names = [(b"Received", b" one"), (b"received", b" two")]
        yield f"same names, {c}", c, FIELDS + names, dkimtable.BODY


def ask_signatures(key, todo, identity, oversign):
    lines = [f"key {hexed(key.pem())}"]
    for i, (_, c, fields, body) in enumerate(todo):
        lines.append(" ".join(
            ["sign", str(i), c, str(NOW), str(NOW + 3600 if i % 2 else -1),
             hexed("example.org"), hexed("sel" * (1 + i % 20)),
             hexed(identity), hexed(oversign), hexed(header_text(fields)),
             hexed(body)]))
    answers = ask(lines)
    return answers[0][1], [words[1] for words in answers[1:]]


def check_dkimpy(message, key):
    record = key.record().encode()
    try:
        return dkim.verify(message, minkey=1024,
                           dnsfunc=lambda name, timeout: record)
    except dkim.DKIMException as error:
        return str(error)


def check_perl(messages, key):
    """Mail::DKIM's results, by one process for all messages."""
    text = "".join(f"{hexed(key.record())} {hexed(m)}\n" for m in messages)
    run = subprocess.run([HERE / "maildkim"], input=text, text=True,
                         capture_output=True)
    if run.returncode != 0:
        sys.exit(f"maildkim: {run.stderr[:2000]}")
    return run.stdout.split("\n")[:-1]


def check_signing(tap):
    for kind, key in dkimtable.KEYS.items():
        todo = list(sign_lines(key))
        public, answers = ask_signatures(
            key, todo, "alice@mail.example.org", "From:Subject:Reply-To")
        tap.check(f"{kind}: p=", public, key.public())
        signed = []
        for (name, c, fields, body), answer in zip(todo, answers):
            if answer.startswith("!"):
                tap.check(f"{kind}: {name}", bytes.fromhex(answer[1:]), "")
                continue
            value = b" " + bytes.fromhex(answer)
            field = (b"DKIM-Signature", value.replace(b"\n", b"\r\n"))
            signed.append((name, field, fields, body))
        check_signed(tap, kind, key, signed)


def check_signed(tap, kind, key, signed):
    messages = []
    for name, field, fields, body in signed:
        # The others want a last line that is complete.
        if body and not body.endswith(b"\r\n"):
            body += b"\n" if body.endswith(b"\r") else b"\r\n"
        message = message_text([field] + fields, body)
        messages.append(message)
        verdicts = {"reference": dkimref.verifies(fields, body, key, field),
                    "dkimpy": check_dkimpy(message, key)}
        tap.check(f"{kind}: {name}", verdicts,
                  {"reference": True, "dkimpy": True})
        longest = max(map(len, field[1].split(b"\r\n")))
        if longest > 200:
            tap.check(f"{kind}: {name}: folded", longest, "200 at most")
    if kind == "rsa":
        results = check_perl(messages, key)
        for (name, *_), result in zip(signed, results):
            tap.check(f"Mail::DKIM: {name}", result, "pass")


def main():
    words = [w for w in sys.argv[1:] if not w.startswith("-")]
    tap = Tap()
    if not words or "rfc" in words:
        check_rfc(tap)
    if not words or "cases" in words:
        check_cases(tap, "-v" in sys.argv)
    if not words or "sign" in words:
        check_signing(tap)
    return tap.done()


if __name__ == "__main__":
    sys.exit(main())
