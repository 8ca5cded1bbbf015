"""The cases of t_dkim.py: messages with signatures, the key records, and what
must become of each signature. A Case is signed when it is made."""
import base64
import itertools
import random
import re
import time

import dkimref

NOW = int(time.time())
RSA = dkimref.Key("rsa", 2048)
RSA1024 = dkimref.Key("rsa", 1024)
ED25519 = dkimref.Key("ed25519")
KEYS = {"rsa": RSA, "ed25519": ED25519}

FIELDS = [(b"Received", b" from a.example by b.example;\r\n\tnow"),
          (b"From", b" Alice <alice@example.org>"),
          (b"To", b" Bob <bob@example.net>,\r\n  Carol  <carol@example.net>"),
          (b"Subject", b"  two  blanks \t and a tab "),
          (b"Date", b" Mon, 01 Jan 2024 00:00:00 +0000")]
BODY = b"Hello  Bob,\r\n\r\nhow are you? \t\r\n\r\n\r\n"
H = "From:To:Subject:Date"
CANONS = ["simple/simple", "simple/relaxed", "relaxed/simple",
          "relaxed/relaxed"]


class Case:
    def __init__(self, name, want, header, body, records):
        self.name, self.want = name, want.split()
        self.header, self.body, self.records = header, body, records


CASES = []


def add(name, want="pass", fields=FIELDS, body=BODY, key=RSA, record=None,
        after=None, others=(), **signing):
    """Signs fields and body, lets after(fields, body) change them, and wants
    these results; others are signature fields below ours."""
    signing.setdefault("h", H)
    fields = list(fields)
    signature = dkimref.sign(fields, body, key, **signing)
    message = [signature, *others, *fields]
    if after is not None:
        message, body = after(message, body)
    d, s = signing.get("d", "example.org"), signing.get("s", "sel")
    records = {f"{s}._domainkey.{d}":
               key.record() if record is None else record}
    CASES.append(Case(name, want, message, body, records))


# ------------------------------------------------- forms of bodies, headers
BODIES = {
    "empty": b"", "one empty line": b"\r\n", "two": b"\r\n\r\n",
    "line": b"abc\r\n", "no line end": b"abc", "only a CR at the end":
    b"abc\r", "blank at the end, no line end": b"abc \t",
    "lines at the end": b"abc\r\n\r\n\r\n\r\n",
    "blanks at line ends": b"a \r\nb\t\r\nc \t \r\n",
    "blanks at line starts": b" a\r\n\tb\r\n",
    "blanks within": b"a  b\t\tc \t d\r\n",
    "lines at the start": b"\r\n\r\na\r\n", "lines within":
    b"a\r\n\r\n\r\nb\r\n", "lines of blanks": b" \r\n\t\r\n",
    "lines of blanks at the end": b"a\r\n \r\n\t\r\n",
    "8-bit": bytes(range(128, 256)) + b"\r\n",
    "controls": b"a\0b\x01\x0b\x0c\x7f\r\n", "dots": b".\r\n..\r\n",
    "long line": b"x" * 70000 + b"\r\n", "blanks without end":
    b"a" + b" " * 9000 + b"b" + b" \t" * 5000 + b"\r\n",
    "many lines": b"line  of text \r\n" * 5000,
    "many empty lines": b"a" + b"\r\n" * 5000 + b"b\r\n",
    "around the library's buffer": b"y" * 4094 + b"\r\n" + b"z" * 4095 +
    b"\r\n",
}


def add_bodies():
    for (name, body), c, kind in itertools.product(
            BODIES.items(), CANONS, KEYS):
        add(f"body: {name}, {c}, {kind}", body=body, c=c, key=KEYS[kind])


def add_random_bodies(count=100):
    """A random body, and another: the same in canonical form, or not."""
    dice = random.Random(6376)
    atoms = [b"a", b"b", b" ", b"\t", b"\r\n", b"\r\n\r\n", b"\n"]

    def some():
        return b"".join(dice.choices(atoms, k=dice.randint(0, 12)))

    for n in range(count):
        before, after, c = some(), some(), dice.choice(CANONS)
        if n % 2:
            cut = dice.randint(0, len(before))
            after = before[:cut] + dice.choice(atoms[2:]) + before[cut:]
        same = (dkimref.canon_body(before, c.split("/")[1]) ==
                dkimref.canon_body(after, c.split("/")[1]))
        stray = re.search(rb"\r(?!\n|$)|(?<!\r)\n", after)
        add(f"random body {n}, {c}", "permerror" if stray else
            "pass" if same else "fail", body=before, c=c,
            after=lambda m, b, after=after: (m, after))
    for n, body in enumerate((b"a\rb\r\n", b"\r\r\n", b"a\r\r\n", b"\ra",
                              b"a\nb\r\n", b"\n", b"a\r\n\n")):
        for c in CANONS:
            add(f"refused: stray CR or LF {n}, {c}", "permerror", body=body, c=c)


VALUES = {
    "empty": b"", "blank": b" ", "no blank": b"x", "blanks at the end":
    b" x \t ", "folds": b" a\r\n b\r\n\tc", "a fold first": b"\r\n a",
    "a fold of blanks": b" a\r\n \t\r\n b", "8-bit":
    " Grüße".encode(), "colons": b" a: b:", "long": b" y" * 20000,
    "semicolons": b" a; b=c", "DKIM-like": b" v=1; a=rsa-sha256; b=x",
}


def add_values():
    for (name, value), c in itertools.product(
            VALUES.items(), ("simple", "relaxed")):
        fields = FIELDS + [(b"X-Test", value)]
        add(f"header: {name}, {c}", fields=fields, c=c, h=H + ":X-Test")
        add(f"header: {name} changed, {c}", "fail", fields=fields, c=c,
            h=H + ":X-Test", after=lambda m, b: (m[:-1] + [
                (b"X-Test", m[-1][1] + b"!")], b))


def add_shapes(count=60):
    """Random fields, random lists of names, some twice, some absent."""
    dice = random.Random(20)
    pool = ["From", "To", "Subject", "X-A", "X-B", "Received"]
    for n in range(count):
        names = ["From"] + dice.choices(pool, k=dice.randint(0, 8))
        fields = [(b"From", b" alice@example.org")]
        for i in range(dice.randint(0, 8)):
            name = dice.choice(pool)
            name = dice.choice([name, name.upper(), name.lower()])
            fields.append((name.encode(), b" value  %d" % i))
        dice.shuffle(fields)
        add(f"shape {n}", fields=fields, h=":".join(names),
            c=dice.choice(CANONS), key=dice.choice([RSA, ED25519]))


def add_random_values(count=100):
    """The same with the value of a field."""
    dice = random.Random(5322)
    atoms = [b"a", b"B", b":", b" ", b"\t", b"\r\n ", b"\r\n\t", b"\xe4"]

    def some():
        return b"".join(dice.choices(atoms, k=dice.randint(0, 8)))

    for n in range(count):
        before, after, c = some(), some(), dice.choice(["simple", "relaxed"])
        if n % 4:
            cut = dice.randint(0, len(before))
            cut -= before[cut - 1:cut] in (b"\r", b"\n")
            cut -= before[cut - 1:cut] == b"\r"
            after = before[:cut] + dice.choice(atoms[3:7]) + before[cut:]
        name = b"X-Test"
        same = (dkimref.canon_field(name, before, c) ==
                dkimref.canon_field(name, after, c))
        add(f"random value {n}, {c}", "pass" if same else "fail", c=c,
            fields=FIELDS + [(name, before)], h=H + ":X-Test",
            after=lambda m, b, after=after: (
                m[:-1] + [(b"X-Test", after)], b))


# ----------------------------------------------------------- changed messages
def change_body(old, new):
    return lambda m, b: (m, b.replace(old, new))


def change_header(old, new):
    return lambda m, b: ([m[0]] + [
        (n, v) if n + b":" + v != old else tuple(new.split(b":", 1))
        for n, v in m[1:]], b)


def add_changes():
    date = b":".join(FIELDS[4])
    rows = [
        ("a body byte", change_body(b"Bob", b"Bot"), "fail", "fail"),
        ("a body line more", lambda m, b: (m, b.rstrip() + b"\r\nP.S.\r\n"),
         "fail", "fail"),
        ("empty lines at the end", lambda m, b: (m, b + b"\r\n\r\n"),
         "pass", "pass"),
        ("empty lines at the start", lambda m, b: (m, b"\r\n" + b),
         "fail", "fail"),
        ("body blanks", change_body(b"Hello  Bob", b"Hello Bob"),
         "fail", "pass"),
        ("a body blank gone", change_body(b"Hello  Bob", b"HelloBob"),
         "fail", "fail"),
        ("blanks at a line end", change_body(b"? \t", b"?"), "fail", "pass"),
        ("body in capitals", lambda m, b: (m, b.upper()), "fail", "fail"),
        ("a field's value", change_header(date, b"Date: never"),
         "fail", "fail"),
        ("a field's case", change_header(date, date.replace(
            b"Date", b"DATE")), "fail", "pass"),
        ("a field's blanks", change_header(date, date.replace(b" ", b"  ")),
         "fail", "pass"),
        ("a field's folds", change_header(date, date.replace(
            b" Jan", b"\r\n\t Jan")), "fail", "pass"),
        ("a blank in front of the colon", change_header(date, date.replace(
            b"Date", b"Date ", 1)), "fail", "pass"),
        ("a field gone", lambda m, b: (m[:-1], b), "fail", "fail"),
        ("a field on top", lambda m, b: (
            [(b"Date", b" never")] + m, b), "pass", "pass"),
        ("a field at the end", lambda m, b: (
            m + [(b"Date", b" never")], b), "fail", "fail"),
        ("an unsigned field", lambda m, b: (
            [(b"X-New", b" x")] + m, b), "pass", "pass"),
        ("an unsigned field's value", lambda m, b: (
            m[:1] + [(b"Received", b" x")] + m[2:], b), "pass", "pass"),
        ("the order of fields", lambda m, b: (m[:1] + m[:0:-1], b),
         "pass", "pass"),
        ("the signature's folds", lambda m, b: (
            [(m[0][0], m[0][1].replace(b"; s=", b";\r\n s="))] + m[1:], b),
         "fail", "pass"),
        ("blanks in b=", lambda m, b: (
            [(m[0][0], m[0][1][:-4] + b" \r\n\t" + m[0][1][-4:] + b" ")] +
            m[1:], b), "pass", "pass"),
        ("the signature's name", lambda m, b: (
            [(b"dkim-signature", m[0][1])] + m[1:], b), "fail", "pass"),
    ]
    for (name, after, simple, relaxed), kind in itertools.product(rows, KEYS):
        add(f"changed: {name}, simple, {kind}", simple, after=after,
            c="simple/simple", key=KEYS[kind])
        add(f"changed: {name}, relaxed, {kind}", relaxed, after=after,
            c="relaxed/relaxed", key=KEYS[kind])


# --------------------------------------------------------- the signature's tags
def tags(template):
    return dict(template=template, c="relaxed/relaxed")


def add_tags():
    t = dkimref.TEMPLATE
    for name, template in {
            "b= first": " b={b}; v=1; a={a}; c={c}; d={d}; s={s}; h={h};"
            " bh={bh}",
            "b= within": " v=1; a={a}; c={c}; b={b}; d={d}; s={s}; h={h};"
            " bh={bh}",
            "bh= behind b=": " v=1;a={a};c={c};d={d};s={s};h={h};b={b};"
            "bh={bh};",
            "no blanks": "v=1;a={a};c={c};d={d};s={s};h={h};bh={bh};b={b}",
            "blanks": "  v = 1 ;\r\n\ta= {a} ; c ={c};d={d};s={s};h={h}"
            " ;bh\r\n = {bh} ;b=\r\n {b}\r\n ",
            "semicolon at the end": t + ";",
            "semicolon and fold at the end": t + ";\r\n ",
            "unknown tags": t + "; x9=y; r=y; zz=a:b|c",
            "copied header": t + "; z=From:alice|Subject:a=20b",
            "q=": t + "; q=dns/txt", "q= with others": t +
            "; q=x/y:dns/txt", "t=": t + f"; t={NOW - 60}",
            "t= just ahead": t + f"; t={NOW + 200}", "t=0": t + "; t=0",
            "x= ahead": t + f"; x={NOW + 60}", "x= just gone": t +
            f"; x={NOW - 100}", "t= and x=": t +
            f"; t={NOW - 10}; x={NOW + 10}",
            "large x=": t + "; x=999999999999",
            "i=": t + "; i=@example.org", "i= with a local part": t +
            "; i=alice@example.org", "i= below": t +
            "; i=alice@a.b.example.org", "i= encoded": t +
            "; i=al=69ce=3D@example.org", "i= encoded 8-bit": t +
            "; i=gr=C3=BC=C3=9Fe@example.org"}.items():
        add(f"tags: {name}", **tags(template))
    for name, want, template in [
            ("d= twice", "permerror", t + "; d={d}"),
            ("d= twice, another", "permerror", t + "; d=example.net"),
            ("another d= first", "permerror", " d=example.net;" + t),
            ("bh= in other case", "permerror", t + "; bH={bh}"),
            ("empty tag", "permerror", t + ";; q=dns/txt"),
            ("no name", "permerror", t + "; =x"),
            ("no value", "permerror", t + "; foo"),
            ("v=2", "permerror", t.replace("v=1", "v=2")),
            ("no v=", "permerror", t.replace("v=1;", "")),
            ("v=0.5", "permerror", t.replace("v=1", "v=0.5")),
            ("no d=", "permerror", t.replace("d={d};", "")),
            ("no s=", "permerror", t.replace("s={s};", "")),
            ("no h=", "permerror", t.replace("h={h};", "")),
            ("no bh=", "permerror", t.replace("bh={bh};", "")),
            ("no a=", "permerror", t.replace("a={a};", "")),
            ("unknown c=", "permerror", t.replace("c={c}", "c=nowsp")),
            ("q=http", "neutral", t + "; q=http"),
            ("junk in b=", "permerror", t + "!"),
            ("junk in bh=", "permerror", t.replace("{bh}", "{bh}!")),
            ("short bh=", "permerror", t.replace("{bh}", "AAAA")),
            ("t= in the future", "permerror", t + f"; t={NOW + 4000}"),
            ("t= a word", "permerror", t + "; t=now"),
            ("t= negative", "permerror", t + "; t=-1"),
            ("t= too long", "permerror", t + "; t=0000000000001"),
            ("expired", "permerror", t + f"; x={NOW - 4000}"),
            ("x= before t=", "permerror", t +
             f"; t={NOW - 50}; x={NOW - 60}"),
            ("x= near 2^64", "permerror", t + "; x=18446744073709551615"),
            ("l= negative", "permerror", t + "; l=-1"),
            ("l= 2^63", "permerror", t + "; l=9223372036854775808"),
            ("l= 2^64-2", "permerror", t + "; l=18446744073709551614"),
            ("l= a word", "permerror", t + "; l=all"),
            ("i= of another", "permerror", t + "; i=alice@example.net"),
            ("i= ends alike", "permerror", t + "; i=a@badexample.org"),
            ("i= no domain", "permerror", t + "; i=alice"),
            ("i= bad encoding", "permerror", t + "; i=a=4@example.org"),
            ("i= cut encoding", "permerror", t + "; i=@example.org="),
            ("i= encoded line end", "permerror", t +
             "; i=a=0D=0Ab@example.org"),
            ("i= long", "permerror", t + f"; i={'a' * 300}@example.org")]:
        add(f"tags: {name}", want, **tags(template))
    for d in ("legit.com(.example.org", "example.org.", "org",
              "exa mple.org", "example..org", "-x.example.org", "a/b.org",
              "x;.org", "example.org@", "*.org", "x" * 64 + ".org"):
        add(f"d={d}", "permerror", d=d, **tags(t))
    for s in ("a(b)", "a/b", "a.", ".a", "a b", "*", "x" * 64):
        add(f"s={s}", "permerror", s=s, **tags(t))
    for d, s in (("EXAMPLE.org", "SEL"), ("a-b.x_y.example.org", "s_1.s-2"),
                 ("xn--mnchen-3ya.example", "1")):
        add(f"d={d} s={s}", d=d, s=s, **tags(t))


def add_names():
    for name, want, h in [
            ("any case", "pass", "fROM:tO:SUBJECT"),
            ("blanks", "pass", " From : To\r\n : Subject "),
            ("absent ones", "pass", "From:Cc:X-None:To"),
            ("oversigned", "pass", H + ":From:To:Subject"),
            ("From alone", "pass", "From"),
            ("a field twice", "pass", "From:Received:Received"),
            ("no From", "permerror", "To:Subject"),
            ("almost From", "permerror", "To:Fro:xFrom"),
            ("empty name", "permerror", "From::To"),
            ("colon at the end", "permerror", "From:To:"),
            ("blank in a name", "permerror", "From:A B"),
            ("8-bit", "neutral", "From:Grüße"),
            ("too many", "permerror", "From" + ":x" * 600),
            ("too long", "permerror", "From" + f":{'x' * 100}" * 40),
            ("many", "pass", "From" + ":x" * 450)]:
        add(f"h= {name}", want, h=h, **tags(dkimref.TEMPLATE))
    for name in ("From", "To", "Subject"):
        add(f"oversigned, {name} added", "fail", h=H + f":{name}",
            after=lambda m, b, name=name: (
                [(name.encode(), b" mallory@example.net")] + m, b))
    add("no From in the message", "permerror", fields=FIELDS[2:])
    add("From is removed", "permerror", after=lambda m, b: (
        [f for f in m if f[0] != b"From"], b))


def add_lengths():
    t = dkimref.TEMPLATE + "; l={l}"
    for c in CANONS:
        total = len(dkimref.canon_body(BODY, c.split("/")[1]))
        for l, want in ((0, "pass+"), (5, "pass+"), (total - 1, "pass+"),
                        (total, "pass"), (total + 1, "fail")):
            add(f"l={l} of {total}, {c}", want, template=t, length=l, l=l,
                c=c)
        add(f"l= and more lines, {c}", "pass+", template=t, length=total,
            l=total, c=c, after=lambda m, b: (m, b + b"more\r\n"))
        add(f"l= and empty lines, {c}", template=t, length=total, l=total,
            c=c, after=lambda m, b: (m, b + b"\r\n\r\n"))
        add(f"l=0, no body, {c}", "pass+" if "/simple" in c else "pass",
            template=t, length=0, l=0, c=c, body=b"")


# ---------------------------------------------------------------------- keys
def add_keys():
    public = RSA.public()
    folded = "\t" + " ".join(public[i:i + 30]
                             for i in range(0, len(public), 30)) + " "
    for name, record in {
            "p= only": f"p={public}", "blanks in p=": f"v=DKIM1; p={folded}",
            "semicolon at the end": f"v=DKIM1; k=rsa; p={public};",
            "test mode": f"v=DKIM1; t=y; p={public}",
            "t=s": f"v=DKIM1; t=s; p={public}",
            "flags": f"v=DKIM1; t=y : s:z; p={public}",
            "sha256": f"v=DKIM1; h=sha256; p={public}",
            "hashes": f"v=DKIM1; h=sha1:sha256:sha9; p={public}",
            "email": f"v=DKIM1; s=email; p={public}",
            "all services": f"v=DKIM1; s=tls:*; p={public}",
            "notes": f"v=DKIM1; n=a note; p={public}",
            "8-bit notes": f"v=DKIM1; n=Schlüssel; p={public}",
            "long notes": f"v=DKIM1; n={'x' * 2000}; p={public}",
            "unknown tags": f"v=DKIM1; g=*; foo=bar; p={public}",
            "PKCS#1": f"v=DKIM1; p={RSA.public(pkcs1=True)}"}.items():
        add(f"key: {name}", record=record)
    for name, want, record in [
            ("v=DKIM2", "permerror", f"v=DKIM2; p={public}"),
            ("twice p=", "permerror", f"v=DKIM1; p={public}; p={public}"),
            ("revoked", "permerror", "v=DKIM1; p="),
            ("no p=", "permerror", "v=DKIM1; k=rsa"),
            ("junk p=", "permerror", "v=DKIM1; p=AAAA"),
            ("no base64", "permerror", f"v=DKIM1; p={public[:-8]}!{public}"),
            ("sha1 only", "permerror", f"v=DKIM1; h=sha1; p={public}"),
            ("other service", "permerror", f"v=DKIM1; s=tls; p={public}"),
            ("unknown type", "permerror", f"v=DKIM1; k=dsa; p={public}"),
            ("k=ed25519", "permerror", f"v=DKIM1; k=ed25519; p={public}"),
            ("an Ed25519 key", "permerror", ED25519.record()),
            ("another key", "fail", RSA1024.record()),
            ("no key", "permerror", "")]:
        add(f"key: {name}", want, record=record)
    add("key: 1024 bits", key=RSA1024)
    add("key: 3072 bits", key=dkimref.Key("rsa", 3072))
    add("key: 4096 bits", key=dkimref.Key("rsa", 4096))
    add("key: exponent 3", key=dkimref.Key("rsa", 1024, 3))
    add("key: 512 bits", "policy", key=dkimref.Key("rsa", 512))
    raw = ED25519.public()
    for name, want, record in [
            ("k= missing", "permerror", f"v=DKIM1; p={raw}"),
            ("k=rsa", "permerror", f"v=DKIM1; k=rsa; p={raw}"),
            ("an RSA key", "permerror", RSA.record()),
            ("an RSA key's bytes", "permerror", f"k=ed25519; p={public}"),
            ("31 bytes", "permerror", "k=ed25519; p=" + base64.b64encode(
                base64.b64decode(raw)[1:]).decode()),
            ("test mode", "pass", f"k=ed25519; t=y; p={raw}")]:
        add(f"Ed25519 key: {name}", want, record=record, key=ED25519)
    for name, want, i in [("within", "permerror", "a@x.example.org"),
                          ("same", "pass", "a@example.org"),
                          ("same, other case", "pass", "a@EXAMPLE.org")]:
        add(f"t=s, i= {name}", want, template=dkimref.TEMPLATE + "; i={i}",
            i=i, record=f"v=DKIM1; t=s; p={public}")


def add_algorithms():
    add("rsa-sha1", "policy", hash_name="sha1")
    add("rsa-sha1, said sha256", "permerror", hash_name="sha1",
        a="rsa-sha256")
    add("rsa-sha256, said ed25519", "permerror", a="ed25519-sha256")
    add("ed25519, said rsa", "permerror", key=ED25519, a="rsa-sha256")
    add("in capitals", a="RSA-SHA256", c="Relaxed/RELAXED")
    for a in ("rsa-sha512", "rsa", "sha256", "ed25519-sha256x"):
        add(f"a={a}", "neutral", a=a)
    for c in ("relaxed", "simple"):
        add(f"c={c} alone", c=c)
    t = dkimref.TEMPLATE.replace(" c={c};", "")
    add("no c=", template=t)


def add_several():
    def other(key=RSA, **signing):
        return dkimref.sign(FIELDS, BODY, key, h=H, **signing)

    bad = (b"DKIM-Signature", b" v=1; a=rsa-sha256; nonsense")
    stale = other(c="relaxed/relaxed")
    stale = (stale[0], stale[1].replace(b"bh=", b"bh=AAAA", 1))
    add("two good ones", "pass pass", others=[other(c="relaxed/relaxed")])
    add("a broken one below", "pass permerror", others=[bad])
    add("a broken one above", "permerror pass", after=lambda m, b: (
        [bad] + m, b))
    add("an invalid one below", "pass permerror", others=[stale])
    add("another form of body", "pass pass pass", others=[
        other(c="simple/relaxed"), other(c="relaxed/simple")])
    add("without a key", "pass permerror", others=[other(d="example.net")])
    add("ten", " ".join(["pass"] * 8 + ["neutral"] * 2), others=[
        other(c=c) for c in (CANONS * 3)[:9]])
    add("eight and a broken one", " ".join(
        ["pass", "permerror"] + ["pass"] * 7), others=[bad] + [
            other(c=c) for c in (CANONS * 2)[:7]])


# What libopendkim, or the guard in front of it, refuses though it is right:
# seldom or never seen in real mail.
def add_refused():
    t = dkimref.TEMPLATE
    for name, want, template in [
            ("a blank in front of b's \"=\"", "neutral",
             t.replace("b={b}", "b ={b}")),
            ("an unknown tag that ends in b", "neutral", t + "; xb=1"),
            ("quoted \"@\" in i=", "neutral", t +
             '; i="a=40b"@example.org'),
            ("8-bit i=", "neutral", t + "; i=grüße@example.org"),
            ("l= with zeros", "permerror", t + "; l=" + "0" * 20 + "5")]:
        add(f"refused: {name}", want, length=5 if "l=" in name else None,
            **tags(template))
    for c in ("relaxed", "simple"):
        want = "permerror" if c == "relaxed" else "pass"
        add(f"refused: form feed in a field, {c}", want, c=c,
            fields=FIELDS + [(b"X-Test", b" a \x0c b")], h=H + ":X-Test")
    add("refused: tab in front of a colon", "permerror", fields=FIELDS + [
        (b"X-Test\t", b" x")], h=H + ":X-Test")
    add("refused: a signed signature", "neutral", fields=FIELDS + [
        (b"DKIM-Signature", b" v=1; x")], h=H + ":DKIM-Signature",
        after=lambda m, b: (m[:-1], b))
    add("refused: tab in front of the signature's colon", "neutral",
        sig_name="DKIM-Signature\t")
    add("refused: more than 16 KB", "permerror", template=t + "; z=" +
        "x" * 17000)
    add("refused: d= in U-labels", "neutral", d="grüße.example")


def build():
    if not CASES:
        for step in (add_bodies, add_random_bodies, add_values,
                     add_random_values, add_shapes, add_changes, add_tags,
                     add_names, add_lengths, add_keys, add_algorithms,
                     add_several, add_refused):
            step()
    return CASES
