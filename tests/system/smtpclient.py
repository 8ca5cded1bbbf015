# SPDX-License-Identifier: ISC
"""A mail client that speaks from any address of the test world."""
import smtplib
from typing import NamedTuple

from namespaces import MX4, MX6


class Reply(NamedTuple):
    code: int
    text: str


class Sent(NamedTuple):
    """What the server answered to one message."""
    mail: Reply
    rcpt: list                  # a Reply for each recipient
    data: Reply                 # to DATA, or to the message when that came

    @property
    def code(self):
        """The first answer that is not a success, else the last."""
        return next((r.code for r in (self.mail, *self.rcpt, self.data)
                     if r.code >= 400), self.data.code)


class Client(smtplib.SMTP):
    """One SMTP session from a client address to a port of our Postfix."""

    def __init__(self, address, port=25, helo="mail.good.example"):
        server = MX6 if ":" in address else MX4
        super().__init__(server, port, local_hostname=helo, timeout=60,
                         source_address=(address, 0))
        self.ehlo()

    def command(self, line):
        code, text = self.docmd(line)
        return Reply(code, text.decode(errors="replace"))

    def deliver(self, sender, *recipients, utf8=False):
        """Send one small message."""
        if utf8:
            self.command_encoding = "utf-8"
        mail = self.command(f"MAIL FROM:<{sender}>"
                            + (" SMTPUTF8" if utf8 else ""))
        rcpt = [self.command(f"RCPT TO:<{r}>") for r in recipients]
        data = self.command("DATA")
        if data.code == 354:
            self.send(b"Subject: test\r\n\r\nHello.\r\n.\r\n")
            code, text = self.getreply()
            data = Reply(code, text.decode(errors="replace"))
        else:
            self.rset()
        return Sent(mail, rcpt, data)


def send(address, sender, *recipients, port=25, **options):
    """One message in a session of its own."""
    with Client(address, port) as client:
        return client.deliver(sender, *recipients, **options)
