#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A DNS server that takes its time, for thousands of questions at once.

    slowdns.py ADDRESS PORT DELAY_MS

Every answer comes DELAY_MS after its question, over UDP. It follows from the
name: cN.REST has the record "v=spf1 include:cM.REST -all" where M is N - 1,
c0.REST ends the chain with "v=spf1 ip4:192.0.2.0/24 -all"; a name with the
label "dead" gets no answer, any other name has no records. It prints "ready"
when it listens.
"""
import collections
import os
import select
import socket
import struct
import sys
import time

SO_RCVBUFFORCE = 33
TXT = 16
SOA = (b"\0\0\6\0\1\0\0\0\x3c\0\x16" + b"\0\0"
       + struct.pack(">5I", 1, 60, 60, 60, 60))
OPT = b"\0\0\x29\x04\xd0\0\0\0\0\0\0"


def record(labels):
    """The text for a name, or None."""
    first = labels[0]
    if first[:1] != b"c" or not first[1:].isdigit():
        return None
    left = int(first[1:])
    if left == 0:
        return b"v=spf1 ip4:192.0.2.0/24 -all"
    return (b"v=spf1 include:c%d." % (left - 1) + b".".join(labels[1:])
            + b" -all")


def answer(packet):
    """The reply to a question, or None for silence."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].lower())
        at += 1 + packet[at]
    kind, = struct.unpack_from(">H", packet, at + 1)
    if b"dead" in labels:
        return None
    text = record(labels) if kind == TXT and labels else None
    edns = OPT if packet[11] else b""
    head = packet[:2] + struct.pack(">5H", 0x8580, 1, text is not None,
                                    text is None, bool(edns))
    if text is None:
        body = SOA
    else:
        body = (b"\xc0\x0c" + struct.pack(">HHIHB", TXT, 1, 3600,
                                          len(text) + 1, len(text)) + text)
    return head + packet[12:at + 5] + body + edns


def serve(sock, delay_s):
    waiting = collections.deque()       # the delay is the same for all
    while True:
        pause = None
        if waiting:
            pause = max(0, waiting[0][0] - time.monotonic())
        if select.select([sock], [], [], pause)[0]:
            due = time.monotonic() + delay_s
            try:
                for _ in range(100):
                    packet, peer = sock.recvfrom(4096)
                    reply = answer(packet)
                    if reply:
                        waiting.append((due, reply, peer))
            except BlockingIOError:
                pass
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            sock.sendto(*waiting.popleft()[1:])


def main(address, port, delay_ms):
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE if os.geteuid() == 0
                    else socket.SO_RCVBUF, 16 << 20)
    sock.bind((address, int(port)))
    sock.setblocking(False)
    print("ready", flush=True)
    serve(sock, float(delay_ms) / 1000)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
