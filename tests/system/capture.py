# SPDX-License-Identifier: ISC
"""What the programs of a rig say and deliver, kept and waited for.

Log takes the lines of all programs, from /dev/log and from their standard
error; Lmtp is where Postfix delivers.  Both run in threads of the test, so
that a test waits for a line or a mail by a condition variable.
"""
import os
import re
import socket
import socketserver
import threading
import time

PATIENCE = 20.0                 # seconds; then the machine is broken


class TimedOut(Exception):
    pass


class Log:
    """All log lines in order of arrival, and a file for each source."""

    def __init__(self, directory):
        self.directory = directory
        self.lines = []
        self._arrived = threading.Condition()
        os.makedirs(directory, exist_ok=True)

    def add(self, source, line):
        stamp = time.strftime("%H:%M:%S", time.localtime())
        with self._arrived:
            self.lines.append(line)
            with open(f"{self.directory}/{source}.log", "a") as f:
                f.write(f"{stamp} {line}\n")
            self._arrived.notify_all()

    def mark(self):
        """A position for the `since` of the others: only what comes later."""
        return len(self.lines)

    def find(self, regex, since=0):
        """The first match of regex in a line, or None."""
        found = re.compile(regex)
        return next((m for m in map(found.search, self.lines[since:]) if m),
                    None)

    def wait(self, regex, since=0):
        """As find(), but wait for it."""
        with self._arrived:
            if not self._arrived.wait_for(lambda: self.find(regex, since),
                                          PATIENCE):
                raise TimedOut(f"no log line /{regex}/")
            return self.find(regex, since)

    def follow(self, source, stream):
        """Take each line of a binary stream, such as a pipe, until it ends."""
        def run():
            for line in stream:
                self.add(source, line.decode(errors="replace").rstrip("\n"))
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def serve_syslog(self, path="/dev/log"):
        """Be the machine's syslog daemon; all goes to mail.log."""
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        sock.bind(path)
        os.chmod(path, 0o666)
        head = re.compile(rb"^<\d+>(?:\w{3} [ \d]\d \d\d:\d\d:\d\d )?")

        def run():
            while True:
                text = head.sub(b"", sock.recv(65536)).rstrip(b"\0\n")
                self.add("mail", text.decode(errors="replace"))
        threading.Thread(target=run, daemon=True).start()


class Lmtp:
    """An LMTP server that accepts and keeps everything."""

    def __init__(self, path, directory):
        self.directory = directory
        self.mails = []         # (recipient, message as text), oldest first
        self._arrived = threading.Condition()
        os.makedirs(directory, exist_ok=True)
        server = _LmtpServer(path, _LmtpSession)
        server.sink = self
        os.chmod(path, 0o666)
        threading.Thread(target=server.serve_forever, daemon=True).start()

    def add(self, recipient, message):
        text = message.decode("utf-8", "surrogateescape")
        with self._arrived:
            self.mails.append((recipient, text))
            name = f"{self.directory}/{len(self.mails):03d}.eml"
            with open(name, "wb") as f:
                f.write(message)
            self._arrived.notify_all()

    def received(self, recipient):
        return [text for to, text in self.mails if to == recipient]

    def wait(self, recipient, count=1):
        """The count-th mail that was delivered to recipient."""
        with self._arrived:
            if not self._arrived.wait_for(
                    lambda: len(self.received(recipient)) >= count, PATIENCE):
                raise TimedOut(f"no mail number {count} for {recipient}")
            return self.received(recipient)[count - 1]


class _LmtpServer(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True
    request_queue_size = 128


class _LmtpSession(socketserver.StreamRequestHandler):
    def handle(self):
        self.say("220 sink LMTP")
        recipients = []
        for raw in self.rfile:
            line = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
            verb = line[:4].upper()
            if verb == "LHLO":
                self.say("250-sink\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"
                         "250 PIPELINING")
            elif verb == "RCPT":
                recipients.append(line[line.index("<") + 1:line.index(">")])
                self.say("250 ok")
            elif verb == "DATA":
                self.data(recipients)
                recipients = []
            elif verb == "QUIT":
                return self.say("221 bye")
            else:
                self.say("250 ok")

    def data(self, recipients):
        self.say("354 go on")
        lines = []
        for line in self.rfile:
            if line == b".\r\n":
                break
            lines.append(line[1:] if line.startswith(b".") else line)
        for recipient in recipients:
            self.server.sink.add(recipient, b"".join(lines))
            self.say("250 kept")

    def say(self, text):
        self.wfile.write(text.encode() + b"\r\n")
