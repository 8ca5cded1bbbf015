#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""fake.py - a policy server that does what a request tells it, for t_player.py.

    fake.py SOCKET

Attributes: say=TEXT (the reply; none when empty), more=TEXT (a second one),
log=TEXT (a log line), die=STATUS (ends at once), shut=1 (closes after it).
"""
import os
import signal
import socketserver
import sys


def log(text):
    os.write(2, text.encode() + b"\n")


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        wish = {}
        for line in self.rfile:
            name, _, value = line.decode("latin-1").rstrip("\n").partition("=")
            if name:
                wish[name] = value
                continue
            if "die" in wish:
                os._exit(int(wish["die"]))
            if "log" in wish:
                log(wish["log"])
            replies = wish.get("say", "DUNNO"), wish.get("more", "")
            self.wfile.write("".join(f"action={text}\n\n" for text in replies
                                     if text).encode())
            if "shut" in wish:
                return
            wish = {}


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


def main():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGHUP, lambda *_: log("reloaded"))
    if os.path.exists(sys.argv[1]):
        os.unlink(sys.argv[1])
    Server(sys.argv[1], Session).serve_forever(poll_interval=0.02)


if __name__ == "__main__":
    main()
