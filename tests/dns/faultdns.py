#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""A DNS server that answers from a file and misbehaves where that says so.

    faultdns.py ADDRESS PORT ZONEFILE [QUERYLOG]

It answers as a resolver would, over UDP and TCP, and prints "ready ADDRESS
PORT" when it listens (PORT 0 takes a free one). SIGHUP reads the file again.
Each query goes to QUERYLOG as a line of JSON: name, type, tcp, do, fault.

The file has a record or a fault a line; "#" begins a comment line:

    NAME TYPE DATA      A, AAAA, CNAME, MX, NS, PTR, TXT; in a name and in
                        the "strings" of TXT, \\DDD is a byte
    NAME TXT *65000     a text of so many bytes
    NAME TYPE# HEX      any type by number with its data
    NAME !FAULT         for all types, or for one: NAME/TYPE; *.NAME is
                        everything below NAME
    $TTL SECONDS        of the records that follow; 60

Faults: delay SECONDS, never, truncated (UDP says so, TCP answers), cut (UDP
says so, TCP is closed), servfail, refused, formerr, garbage, wrongid,
nxdomain, empty. A CNAME loop needs no fault: it is data.
"""
import asyncio
import ipaddress
import json
import os
import re
import signal
import socket
import struct
import sys

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "MX": 15,
         "TXT": 16, "AAAA": 28, "OPT": 41}
TYPE_NAMES = {number: name for name, number in TYPES.items()}
RCODES = {"formerr": 1, "servfail": 2, "nxdomain": 3, "refused": 5}
QR, RD, RA, TC = 0x8000, 0x0100, 0x0080, 0x0200
SO_RCVBUFFORCE = 33
SOA = struct.pack(">BBIIIII", 0, 0, 1, 60, 60, 60, 60)


def unescape(text):
    """Bytes of a text with \\DDD and \\X in it."""
    raw = text.encode("utf-8", "surrogateescape")
    one = lambda m: bytes([int(m[1])]) if m[1].isdigit() else m[1]
    return re.sub(rb"\\(\d\d\d|.)", one, raw, flags=re.S)


def labels(name):
    """A name as a tuple of lower-case labels."""
    parts = re.findall(r"(?:\\\d\d\d|\\.|[^.\\])+", name)
    return tuple(unescape(p).lower() for p in parts)


def wire(name):
    return b"".join(bytes([len(p)]) + p for p in name) + b"\0"


def text_data(text):
    if text.startswith("*"):
        whole = (b"0123456789" * (int(text[1:]) // 10 + 1))[:int(text[1:])]
        strings = [whole[i:i + 255] for i in range(0, len(whole), 255)]
    else:
        strings = [unescape(s) for s in
                   re.findall(r'"((?:\\.|[^"\\])*)"', text)]
    return b"".join(bytes([len(s)]) + s for s in strings)


def data_of(kind, text):
    if kind in ("A", "AAAA"):
        return ipaddress.ip_address(text).packed
    if kind == "TXT":
        return text_data(text)
    if kind == "MX":
        preference, name = text.split()
        return struct.pack(">H", int(preference)) + wire(labels(name))
    if kind in ("CNAME", "NS", "PTR"):
        return wire(labels(text))
    return bytes.fromhex(text)


class Zone:
    def __init__(self, path):
        self.records, self.names, self.faults = {}, set(), {}
        ttl = 60
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            for line in file:
                words = line.split(None, 2)
                if not words or words[0].startswith("#"):
                    continue
                if words[0] == "$TTL":
                    ttl = int(words[1])
                elif words[1].startswith("!"):
                    self.add_fault(words)
                else:
                    self.add(words, ttl)

    def add_fault(self, words):
        name, _, kind = words[0].partition("/")
        self.faults[labels(name), kind] = [words[1][1:]] + words[2:]

    def add(self, words, ttl):
        name, kind = labels(words[0]), words[1]
        number = TYPES.get(kind) or int(kind.rstrip("#"))
        data = data_of(kind, words[2].strip() if len(words) > 2 else "")
        self.records.setdefault((name, number), []).append((ttl, data))
        for i in range(len(name) + 1):
            self.names.add(name[i:])

    def fault(self, name, kind):
        for i in range(len(name) + 1):
            at = (b"*",) + name[i:] if i else name
            for key in ((at, kind), (at, "")):
                if key in self.faults:
                    return self.faults[key]
        return [""]

    def find(self, name, number):
        """Records in the order of the chain, and whether its end exists."""
        found = []
        for _ in range(10):
            here = self.records.get((name, number))
            if here:
                return found + [(name, number, *r) for r in here], True
            alias = self.records.get((name, TYPES["CNAME"]))
            if not alias:
                break
            found.append((name, TYPES["CNAME"], *alias[0]))
            name = read_name(alias[0][1], 0)[0]
        return found, name in self.names


def read_name(packet, at):
    parts = []
    while packet[at]:
        parts.append(packet[at + 1:at + 1 + packet[at]].lower())
        at += 1 + packet[at]
    return tuple(parts), at + 1


class Query:
    def __init__(self, packet):
        self.id, self.flags, *counts = struct.unpack_from(">6H", packet)
        self.name, at = read_name(packet, 12)
        self.type, = struct.unpack_from(">H", packet, at)
        self.question = packet[12:at + 4]
        self.size, self.has_edns, self.wants_dnssec = 512, False, False
        if counts[3] and packet[at + 4:at + 7] == b"\0\0\x29":
            self.size, _, flags = struct.unpack_from(">HHH", packet, at + 7)
            self.has_edns, self.wants_dnssec = True, bool(flags & 0x8000)
        self.type_name = TYPE_NAMES.get(self.type, f"{self.type}#")

    def reply(self, rcode=0, answers=(), flags=0, change_id=0):
        body = b"".join(wire(name) + struct.pack(">HHIH", number, 1, ttl,
                                                 len(data)) + data
                        for name, number, ttl, data in answers)
        soa = b""
        if rcode in (0, 3) and self.type not in {a[1] for a in answers}:
            soa = b"\0" + struct.pack(">HHIH", 6, 1, 60, len(SOA)) + SOA
        edns = b"\0" + struct.pack(">HHIH", 41, 1232, 0, 0)
        return struct.pack(
            ">6H", self.id ^ change_id, QR | RD | RA | flags | rcode, 1,
            len(answers), bool(soa), self.has_edns,
        ) + self.question + body + soa + (edns if self.has_edns else b"")


class Server:
    def __init__(self, zone_file, log_file):
        self.zone_file = zone_file
        self.log = open(log_file, "a", buffering=1) if log_file else None
        self.load()

    def load(self):
        self.zone = Zone(self.zone_file)

    async def answer(self, packet, tcp):
        """The bytes of the reply, or None for silence."""
        query = Query(packet)
        fault, *words = self.zone.fault(query.name, query.type_name)
        if self.log:
            name = b".".join(query.name).decode("latin-1")
            print(json.dumps({
                "name": name, "type": query.type_name, "tcp": tcp,
                "do": query.wants_dnssec, "fault": fault}), file=self.log)
        if fault == "never" or (fault == "cut" and tcp):
            return None
        if fault == "delay":
            await asyncio.sleep(float(words[0]))
        if fault in RCODES:
            return query.reply(RCODES[fault])
        if fault in ("truncated", "cut") and not tcp:
            return query.reply(flags=TC)
        if fault == "garbage":
            return packet[:2] + b"\x81\x80" + os.urandom(30)
        if fault == "empty":
            return query.reply()
        answers, exists = self.zone.find(query.name, query.type)
        reply = query.reply(0 if exists else RCODES["nxdomain"], answers,
                            change_id=0x5555 if fault == "wrongid" else 0)
        if not tcp and len(reply) > min(query.size, 1232):
            return query.reply(flags=TC)
        return reply

    async def serve_udp(self, transport, packet, peer):
        reply = await self.answer(packet, False)
        if reply:
            transport.sendto(reply, peer)

    async def serve_tcp(self, reader, writer):
        try:
            while True:
                size, = struct.unpack(">H", await reader.readexactly(2))
                reply = await self.answer(await reader.readexactly(size),
                                          True)
                if not reply:
                    break
                writer.write(struct.pack(">H", len(reply)) + reply)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server):
        self.server, self.tasks = server, set()

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, addr):
        task = asyncio.ensure_future(
            self.server.serve_udp(self.transport, data, addr))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)


async def main(address, port, zone_file, log_file=None):
    server = Server(zone_file, log_file)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, server.load)
    done = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, done.set)
    tcp = await asyncio.start_server(server.serve_tcp, address, int(port),
                                     backlog=1000)
    port = tcp.sockets[0].getsockname()[1]
    udp, _ = await loop.create_datagram_endpoint(
        lambda: Datagrams(server), local_addr=(address, port))
    # A burst of questions must not be lost before it is read.
    sock = udp.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE if os.geteuid() == 0
                    else socket.SO_RCVBUF, 16 << 20)
    print("ready", address, port, flush=True)
    await done.wait()
    udp.close()
    tcp.close()


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    asyncio.run(main(*sys.argv[1:]))
