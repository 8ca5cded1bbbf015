#!/usr/bin/env python3
# SPDX-License-Identifier: ISC
"""t_player.py - does the player see what is wrong? Prints TAP.

Each row is a story, played against fake.py or testmilter, and the steps that
must be found wrong (see Player.ident).
"""
import os
import re
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True

from scenario import daemons, milter, player, story  # noqa: E402


class Fake(daemons.Daemon):
    """fake.py, which waits for nobody."""

    name = "fake"
    wait = 1
    user = None
    notifies = False

    def command(self, box, tale):
        return [os.path.join(HERE, "fake.py"), box.socket]


class FakeMilter(daemons.Daemon):
    """milter/testmilter: "forget" makes it add nothing of its own."""

    name = "testmilter"
    is_milter = True
    wait = 2
    chatter = re.compile(daemons.Daemon.chatter.pattern
                         + r"|closed: .*|sessions=.*")

    def command(self, box, tale):
        return [os.path.abspath(os.environ.get("TOOLDIR", "build/t"))
                + "/testmilter", "--listen=unix:" + box.socket,
                "--user=" + (box.user or "")]


# A zone, and a program that asks for NAME.example.
ZONE = r"""dns
| a.example A 192.0.2.1
| *.c.example !never
file ask.py
| import socket, sys
| name = sys.argv[1] + ".example"
| parts = b"".join(bytes([len(p)]) + p.encode() for p in name.split("."))
| s = socket.create_connection(("127.0.0.1", int(sys.argv[2])))
| packet = b"xx\\1\\0\\0\\1" + bytes(6) + parts + b"\\0\\0\\1\\0\\1"
| s.sendall(bytes([0, len(packet)]) + packet)
| s.recv(2)
"""

# name, story, what must be found
ROWS = [
    ("all as told", "> say=ONE\n< action=ONE\n> again\n< action=ONE", []),
    ("star and regular expression",
     "> say=abc-12\n< action=a*c-*\n> say=abc-12\n< /action=abc-\\d+/", []),
    ("a star is the only special sign",
     "> say=abc\n< action=a?c\n> say=abc\n< action=[a]bc",
     ["reply 1", "reply 2"]),
    ("a pattern fits from end to end",
     "> say=abc\n< action=ab\n> say=abc\n< /action=ab/",
     ["reply 1", "reply 2"]),
    ("wrong reply, the rest is played",
     "> say=ONE\n< action=TWO\n> say=ONE\n< action=ONE", ["reply 1"]),
    ("no reply", '> say=""\n< action=*', ["reply 1"]),
    ("a reply nobody reads", "> say=ONE", ["leftover reply"]),
    ("two replies for one", "> say=ONE more=TWO\n< action=ONE",
     ["leftover reply"]),
    ("pipelined, in order",
     "> say=ONE\n> say=TWO\n< action=ONE\n< action=TWO", []),
    ("pipelined, out of order",
     "> say=ONE\n> say=TWO\n< action=TWO\n< action=ONE",
     ["reply 1", "reply 2"]),
    ("the log as told",
     "> log=action=pass\n< action=*\nlog action=pass", []),
    ("a log line that does not come",
     "> log=action=pass\n< action=*\nlog action=greylist", ["log 1"]),
    ("a log line of an earlier request",
     "> log=action=pass\n< action=*\n> log=action=other\n< action=*\n"
     "log action=pass", ["log 1"]),
    ("one log line counts once",
     "> log=action=pass\n< action=*\nlog action=pass\nlog action=pass",
     ["log 2"]),
    ("a warning nobody expects",
     '> log="warning: disk full"\n< action=*', ["leftover log"]),
    ("a warning that is expected",
     '> log="warning: disk full"\n< action=*\nlog *disk full', []),
    ("a decision may stay unread", "> log=action=pass\n< action=*", []),
    ("a line that must not come",
     "> log=action=pass\n< action=*\nno log action=pa*", ["no log"]),
    ("the connection ends", "> shut=1\n< action=DUNNO\nclosed", []),
    ("the connection does not end", "> \n< action=DUNNO\nclosed",
     ["closed 1"]),
    ("the server dies", "> die=3\n< action=DUNNO", ["reply 1"]),
    ("an exit status", "> shut=1\n< action=*\nstop\nstart\nkill\nrestart",
     []),
    ("reload", "> \n< action=*\nreload\n> \n< action=*", []),
    ("connections are apart",
     "> say=ONE\nconn b\n> say=TWO\n< action=TWO\nconn a\n< action=ONE", []),
    ("output of a tool", "run echo a b\n| a b\nrun echo c\n| d", ["run 2"]),
    ("status of a tool", "run false\nrun false\nstatus 1\nrun true\nstatus 2",
     ["run 1", "status 2"]),
    ("a crowd", "crowd 50", []),
    ("a question for a name of the zone", ZONE + "run python3 ask.py a "
     "$DNSPORT", []),
    ("a question for another name", ZONE + "run python3 ask.py b $DNSPORT",
     ["leftover dns"]),
    ("a name below one with a star", ZONE + "run python3 ask.py x.c "
     "$DNSPORT", []),
]

# What a message is that adds nothing of testmilter's own, and keys.
QUIET = "mail\nfield X-Do: forget\n"
KEYS = "key a a.example\nkey b b.example ed25519\n"

# The same for milters.
MILTER_ROWS = [
    ("all as told", QUIET + "field X-Do: insert X-New one two\n"
     "field X-Old: 1\nfield X-Do: remove X-Old\n< accept\n"
     "+ X-New: one *\n- X-Old: 1", []),
    ("an edit nobody tells", QUIET + "field X-Do: insert X-New one\n"
     "< accept\nmail\nfield X-Do: forget\n< accept", ["leftover edit"]),
    ("a removal nobody tells, at the end", QUIET + "field X-Old: 1\n"
     "field X-Do: remove X-Old\n< accept", ["leftover edit"]),
    ("an edit that does not come", QUIET + "< accept\n+ X-New: *\n"
     "- X-New: *", ["added 1", "removed 1"]),
    ("an edit counts once", QUIET + "field X-Do: insert X-New one\n"
     "< accept\n+ X-New: *\n+ X-New: *", ["added 2"]),
    ("the field that was removed", QUIET + "field X-Old: 2\nfield X-Old: 1\n"
     "field X-Do: remove-nth X-Old 2\n< accept\n- X-Old: 2", []),
    ("another field was removed", QUIET + "field X-Old: 2\nfield X-Old: 1\n"
     "field X-Do: remove-nth X-Old 1\n< accept\n- X-Old: 2",
     ["removed 1", "leftover edit"]),
    ("replies", QUIET + "field X-Do: reject 550 5.7.1 no\n"
     "< reject 550 5.7.1 no\n" + QUIET +
     "field X-Do: quarantine 550 5.7.1 hm\n< quarantine hm\n" + QUIET +
     "field X-Do: discard 550 5.7.1 hm\n< accept", ["reply 3"]),
    ("a reply nobody reads", QUIET, ["leftover reply"]),
    ("the client", "client address=::1 name=x.example\nmail from=a@b to=c,d\n"
     "< accept\n+ X-Client: x.example x.example ::1\n+ X-Sender: <a@b>\n"
     "+ X-Recipients: <c><d>\n+ X-Header: 5\n+ X-Body: *\n"
     "+ X-Macros: *", []),
    ("a message of one's own", "mail\n| A: 1\n|  2\n|\n| b\n< accept\n"
     "+ X-Client: *\n+ X-Sender: *\n+ X-Recipients: *\n+ X-Header: 1\n"
     "+ X-Body: 3 3\n+ X-Macros: *", []),
    ("broken off, and the next one", QUIET + "hangup\n" + QUIET
     + "< accept\nreload", []),
    ("signatures", KEYS + QUIET + "sign a\nsign b c=simple/simple\n"
     "< accept\nsigned b a\nsigned a b\nsigned nobody",
     ["signed 2", "signed 3"]),
    ("a signature that is broken", KEYS + QUIET + "sign a\n"
     "swap Sunday => Monday\n< accept\nsigned a", ["signed 1"]),
    ("a milter is no policy server", "> sender=a", ["request 1"]),
]

# text of a file that must be refused, and what is said about it
REFUSED = [
    ("source s\n", "title and source are missing"),
    ("title t\nsource s\nsay hello\n", "unknown statement"),
    ("title t\nsource s\n<\n", "needs an argument"),
    ("title t\nsource s\n| x\n", "without a statement"),
    ("title t\nsource s\n" + "# x\n" * 60, "longer than 60"),
    ("title t\nsource s\nonly other\n", "REASON"),
]


def main():
    print(f"1..{len(ROWS) + len(MILTER_ROWS) + len(REFUSED)}")
    failed, number = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "story.scn")

        def tell(text):
            with open(path, "w", encoding="utf-8") as f:
                f.write(text)
            return story.parse(path)

        shows = [(row, player.Player, Fake) for row in ROWS] + \
            [(row, milter.MilterPlayer, FakeMilter) for row in MILTER_ROWS]
        for (name, text, want), show, daemon in shows:
            tale = tell(f"title t\nsource s\n{text}\n")
            got = [m.ident for m in show(tale, daemon()).play()]
            number += 1
            failed += got != want
            print(f"{'ok' if got == want else 'not ok'} {number} - {name}")
            if got != want:
                print(f"# want {want}\n# got  {got}")
        for text, want in REFUSED:
            try:
                tell(text)
                got = "accepted"
            except story.StoryError as e:
                got = str(e)
            number += 1
            failed += want not in got
            print(f"{'ok' if want in got else 'not ok'} {number} - "
                  f"refused: {want}")
            if want not in got:
                print(f"# got {got}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
