# SPDX-License-Identifier: ISC
"""A milter's peer: plays Postfix's side of the milter protocol.

    with Session("unix:/run/x.sock") as session:        # or inet:HOST:PORT
        result = session.deliver(
            "a@good.example", ["u@example.net"],
            [("From", " a@good.example"), ("Subject", " hello")],
            b"Hello.\\r\\n")
        result.action       # accept reject tempfail discard
        result.reply        # "550 5.7.1 no", "" when the milter gave none
        result.edits        # what it asked for, see Edit
        result.header       # the fields after its edits, as in the delivery
        result.quarantine   # the reason, or None

A Session connects, negotiates as Postfix 3.7 does, and sends connection and
HELO; deliver() sends one whole message and may be called again and again.
The client is Session(..., client="198.51.100.10", name="mail.good.example",
helo=..., macros={"{auth_type}": "PLAIN"}): macros are sent where the milter
asks for them, else where Postfix sends them by default, over those that are
made from the arguments.  actions, steps and version are what the MTA offers.

Header values hold all that stands behind the colon, the space included, with
"\\n" as line end, as a milter sees them.

One step at a time, for tests of the protocol itself: Wire below has each
command; each returns a Result (of the step that had a reply) or None when
the milter said that it does not reply there, or does not want the step.
To misbehave: wire.raw(bytes), wire.packet(letter, data, length=N).
"""
import socket
import struct
from dataclasses import dataclass, field

PATIENCE = 30.0                 # seconds; then the machine is broken

ACTIONS = ("addhdrs", "chgbody", "addrcpt", "delrcpt", "chghdrs",
           "quarantine", "chgfrom", "addrcpt_par", "setsymlist")
STEPS = ("noconnect", "nohelo", "nomail", "norcpt", "nobody", "nohdrs",
         "noeoh", "nr_hdr", "nounknown", "nodata", "skip", "rcpt_rej",
         "nr_conn", "nr_helo", "nr_mail", "nr_rcpt", "nr_data", "nr_unkn",
         "nr_eoh", "nr_body", "hdr_leadspc")
ALL_ACTIONS, ALL_STEPS = 0x1ff, 0x1fffff
# Macros by step, as Postfix sends them when nobody asks, and the numbers
# under which a milter asks.
PLACES = ("C", "H", "M", "R", "T", "E", "N")
DEFAULT_MACROS = {
    "C": "j {daemon_name} {daemon_addr} v _",
    "H": "{tls_version} {cipher} {cipher_bits} {cert_subject} {cert_issuer}",
    "M": "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host}"
         " {mail_mailer}",
    "R": "i {rcpt_addr} {rcpt_host} {rcpt_mailer}",
    "T": "i", "N": "i", "E": "i"}
ACTION_OF = {"a": "accept", "c": "continue", "d": "discard", "r": "reject",
             "t": "tempfail", "s": "skip", "f": "fail", "4": "shutdown"}


class Gone(Exception):
    """The milter closed the connection."""


@dataclass(frozen=True)
class Edit:
    """kind: insert change add quarantine, or another letter of the
    protocol; index: where to insert, or the how-manieth of its name."""
    kind: str
    name: str = ""
    value: str = ""
    index: int = 0


@dataclass
class Result:
    action: str
    reply: str = ""
    edits: list = field(default_factory=list)
    progress: int = 0           # how often it said that it is at work
    step: str = ""              # the command that was answered
    header: list = field(default_factory=list)

    @property
    def quarantine(self):
        return next((e.value for e in self.edits if e.kind == "quarantine"),
                    None)

    def inserted(self, name):
        """Values that were added under this name, without the space."""
        return [e.value.lstrip(" ") for e in self.edits
                if e.kind in ("insert", "add")
                and e.name.lower() == name.lower()]


def flags(number, names):
    """The names of the bits that are set."""
    return {name for bit, name in enumerate(names) if number >> bit & 1}


def text(string):
    """A string as the protocol wants it."""
    return string.encode("utf-8", "surrogateescape") + b"\0"


def strings(data):
    return [s.decode("utf-8", "surrogateescape") for s in
            data.split(b"\0")[:-1]]


def apply(fields, edits):
    """The header after these edits, as Postfix carries them out."""
    fields = [tuple(f) for f in fields]
    for edit in edits:
        if edit.kind == "insert":
            fields.insert(edit.index, (edit.name, edit.value))
        elif edit.kind == "add":
            fields.append((edit.name, edit.value))
        elif edit.kind == "change":
            where = [i for i, (name, _) in enumerate(fields)
                     if name.rstrip(" \t").lower() == edit.name.lower()]
            if edit.index > len(where):
                if edit.value:
                    fields.append((edit.name, edit.value))
            elif edit.value:
                fields[where[edit.index - 1]] = (edit.name, edit.value)
            else:
                del fields[where[edit.index - 1]]
    return fields


class Wire:
    """The protocol, command by command."""

    def __init__(self, address, patience=PATIENCE):
        self.sock = open_socket(address, patience)
        self.steps = self.actions = 0
        self.asked = {}         # macros by the letter of a step
        self._buffer = b""

    # ------------------------------------------------------------- bytes

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            raise Gone from None

    def packet(self, letter, data=b"", length=None):
        """length: a lie about it."""
        if length is None:
            length = len(data) + 1
        self.raw(struct.pack(">I", length) + letter.encode() + data)

    def read(self):
        """The next packet: (letter, data)."""
        size, = struct.unpack(">I", self._exactly(4))
        data = self._exactly(size)
        return chr(data[0]), data[1:]

    def _exactly(self, count):
        while len(self._buffer) < count:
            try:
                got = self.sock.recv(65536)
            except ConnectionResetError:
                got = b""
            if not got:
                raise Gone
            self._buffer += got
        got, self._buffer = self._buffer[:count], self._buffer[count:]
        return got

    def answer(self, step=""):
        """Read up to the reply that ends a step."""
        result = Result("", step=step)
        while True:
            letter, data = self.read()
            if letter == "p":
                result.progress += 1
            elif letter == "y":
                result.reply = strings(data)[0].replace("%%", "%")
                result.action = ("reject" if result.reply[0] == "5"
                                 else "tempfail")
                return result
            elif letter in ACTION_OF:
                result.action = ACTION_OF[letter]
                return result
            else:
                result.edits.append(edit_of(letter, data))

    def is_gone(self):
        """Wait until the milter has closed the connection."""
        try:
            while True:
                self.read()
        except Gone:
            return True
        except TimeoutError:
            return False

    def close(self):
        self.sock.close()

    # ---------------------------------------------------------- commands

    def negotiate(self, version=6, actions=ALL_ACTIONS, steps=ALL_STEPS):
        self.packet("O", struct.pack(">III", version, actions, steps))
        letter, data = self.read()
        assert letter == "O", letter
        self.version, self.actions, self.steps = struct.unpack(
            ">III", data[:12])
        data = data[12:]
        while data:
            place, = struct.unpack(">I", data[:4])
            names, _, data = data[4:].partition(b"\0")
            self.asked[PLACES[place]] = names.decode()
        return flags(self.actions, ACTIONS), flags(self.steps, STEPS)

    def macros(self, letter, values):
        """values: {"i": "4AB", "{mail_addr}": "a@b"}."""
        data = b"".join(text(name) + text(value)
                        for name, value in values.items())
        self.packet("D", letter.encode() + data)

    def connect(self, name="mail.good.example", address="198.51.100.10",
                port=25025):
        if address is None:
            return self._step("C", text(name) + b"U", 0, 12)
        family = b"6" if ":" in address else b"4"
        return self._step("C", text(name) + family + struct.pack(">H", port)
                          + text(address), 0, 12)

    def helo(self, name):
        return self._step("H", text(name), 1, 13)

    def mail(self, *arguments):
        return self._step("M", b"".join(map(text, arguments)), 2, 14)

    def rcpt(self, *arguments):
        return self._step("R", b"".join(map(text, arguments)), 3, 15)

    def data(self):
        return self._step("T", b"", 9, 16)

    def header(self, name, value):
        return self._step("L", text(name) + text(value), 5, 7)

    def eoh(self):
        return self._step("N", b"", 6, 18)

    def body(self, data):
        return self._step("B", data, 4, 19)

    def eom(self):
        return self._step("E", b"", -1, -1)

    def abort(self):
        self.packet("A")

    def quit(self):
        self.packet("Q")

    def _step(self, letter, data, no_step, no_reply):
        """The bits say which steps and replies are left out."""
        if no_step >= 0 and self.steps >> no_step & 1:
            return None
        self.packet(letter, data)
        if no_reply >= 0 and self.steps >> no_reply & 1:
            return None
        return self.answer(letter)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Session(Wire):
    """A client's session with Postfix, as the milter meets it."""

    def __init__(self, where, *, client="198.51.100.10",
                 name="mail.good.example", helo="mail.good.example",
                 macros=None, version=6, actions=ALL_ACTIONS,
                 steps=ALL_STEPS, patience=PATIENCE):
        super().__init__(where, patience)
        self.count = 0          # of messages
        self.values = {
            "j": "mx.example.net", "{daemon_name}": "smtpd",
            "{daemon_addr}": "192.0.2.25", "v": "Postfix 3.7.11",
            "_": f"{name} [{client}]", "{client_addr}": client or "",
            "{client_name}": name, "{client_ptr}": name,
            "{client_port}": "25025", "{client_resolve}": "OK",
            "{mail_mailer}": "smtp", "{rcpt_mailer}": "smtp",
            **(macros or {})}
        self.offers_macros = actions >> 8 & 1
        self.negotiate(version, actions, steps)
        self._tell("C")
        self.first = self.connect(
            name if name != "unknown" else f"[{client}]", client)
        self._tell("H")
        self.helo(helo)

    def _tell(self, letter, **more):
        """Send the macros of a step."""
        names = DEFAULT_MACROS[letter]
        if self.offers_macros:
            names = self.asked.get(letter, names)
        values = {**self.values,
                  **{"{%s}" % name: value for name, value in more.items()}}
        if self.queue_id and letter != "M":
            values["i"] = self.queue_id
        self.macros(letter, {name: values[name] for name in names.split()
                             if name in values})

    queue_id = ""

    def envelope(self, sender, recipients, *parameters):
        """MAIL and RCPT; returns what ends the message already, or None."""
        self.count += 1
        self.queue_id = ""
        self._tell("M", mail_addr=sender)
        result = self.mail(f"<{sender}>", *parameters)
        if result and result.action != "continue":
            return result
        for recipient in recipients:
            self._tell("R", rcpt_addr=recipient)
            self.rcpt(f"<{recipient}>")
        self.queue_id = f"4Ctest{self.count:04d}"
        return None

    def deliver(self, sender, recipients, fields, body=b"Hello.\r\n",
                parameters=(), chunk=65535):
        """One message; the Result of its end, or of what ended it."""
        result = self.envelope(sender, recipients, *parameters)
        if result:
            return result
        result = self.send_header(fields)
        if result and result.action != "continue":
            return result
        for at in range(0, len(body), chunk):
            result = self.body(body[at:at + chunk])
            if result and result.action == "skip":
                break
            if result and result.action != "continue":
                return result
        self._tell("E")
        result = self.eom()
        if result.action == "continue":
            result.action = "accept"
        result.header = apply(fields, result.edits)
        return result

    def send_header(self, fields):
        """DATA, header and its end; what was said to the end, if anything."""
        self._tell("T")
        self.data()
        for name, value in fields:
            if not self.steps >> 20 & 1 and value.startswith(" "):
                value = value[1:]
            self.header(name, value)
        self._tell("N")
        return self.eoh()

    def close(self):
        """QUIT, as Postfix says it at the end of a session."""
        try:
            self.quit()
        except (Gone, OSError):
            pass
        super().close()


def edit_of(letter, data):
    if letter in "im":
        index, = struct.unpack(">I", data[:4])
        name, value = strings(data[4:])
        return Edit("insert" if letter == "i" else "change", name, value,
                    index)
    if letter == "h":
        return Edit("add", *strings(data))
    if letter == "q":
        return Edit("quarantine", value=strings(data)[0])
    return Edit(letter, value=data.decode("latin-1"))


def open_socket(where, patience):
    """where: unix:PATH, local:PATH, inet:HOST:PORT or inet:PORT@HOST."""
    kind, _, rest = where.partition(":")
    if kind in ("unix", "local") or where.startswith("/"):
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(patience)
        sock.connect(where if where.startswith("/") else rest)
        return sock
    if "@" in rest:
        port, host = rest.split("@")
    else:
        host, _, port = rest.rpartition(":")
    return socket.create_connection((host.strip("[]"), int(port)), patience)
