# SPDX-License-Identifier: ISC
"""story.py - the scenario language: reads a .scn file into a list of steps.

A scenario is a text of at most 60 lines. Each line is a statement: a word and
its argument. Lines that begin with "| " belong to the statement above them.
tests/README.md has the table of statements.
"""
import os
import re

MAX_LINES = 60

# verb -> (needs an argument, may be followed by "| " lines)
VERBS = {
    "title": (True, False), "source": (True, False), "only": (True, False),
    "config": (True, False), "args": (True, False), "default": (True, False),
    "file": (True, True), "remove": (True, False), "chmod": (True, False),
    "dns": (False, True), "at": (True, False), "eol": (True, False), "chunk": (True, False),
    ">": (False, False), "<": (True, False), "raw": (True, False),
    "conn": (True, False), "hangup": (False, False), "closed": (False, False),
    "log": (True, False), "no": (True, False), "start": (False, False),
    "stop": (False, False), "restart": (False, False), "kill": (False, False),
    "reload": (False, False), "crowd": (True, False),
    "flood": (True, False), "set": (True, False),
    "lock": (False, False), "unlock": (False, False), "run": (True, True), "status": (True, False),
    # for milters only
    "key": (True, False), "client": (False, False), "mail": (False, True),
    "sign": (True, False), "field": (True, False), "drop": (True, False),
    "swap": (True, False), "body": (True, False), "+": (True, False),
    "-": (True, False), "signed": (True, False),
}
SETUP = ("title", "source", "only", "config", "args", "default")


class StoryError(Exception):
    """A scenario file that cannot be read; the text says where and why."""


class Step:
    """One statement: where it stands, its verb, argument and "|" lines."""

    def __init__(self, line, verb, arg):
        self.line, self.verb, self.arg, self.body = line, verb, arg, []

    def __str__(self):
        return f"{self.verb} {self.arg}".strip()


class Story:
    """A scenario: its head (title ... default) and the steps to play."""

    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.daemon = os.path.basename(os.path.dirname(os.path.abspath(path)))
        self.title = self.source = None
        self.only = {}
        self.config, self.args, self.default = [], [], []
        self.steps = []

    def take(self, step):
        """Adds one step, or fills the field of the head that it names."""
        if step.verb not in SETUP:
            self.steps.append(step)
        elif step.verb in ("title", "source"):
            setattr(self, step.verb, step.arg)
        elif step.verb == "only":
            name, _, why = step.arg.partition(":")
            if not why.strip():
                raise StoryError("only DAEMON: REASON")
            self.only[name.strip()] = why.strip()
        elif step.verb == "config":
            self.config.append(setting(step.arg))
        elif step.verb == "args":
            self.args += step.arg.split()
        else:
            self.default += words(step.arg)


def setting(text):
    """Splits 'Name value' or 'Name = value'."""
    m = re.fullmatch(r"([\w-]+)(?:\s*=\s*|\s+)(.*)", text)
    if not m:
        raise StoryError(f"'{text}' is no setting")
    return m.groups()


def parse(path):
    """Reads the scenario at path. Raises StoryError with file:line."""
    story, last = Story(path), None
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    if len(lines) - 1 > MAX_LINES:
        raise StoryError(f"{path}: longer than {MAX_LINES} lines")
    for number, line in enumerate(lines, 1):
        try:
            last = parse_line(story, number, line, last)
        except StoryError as e:
            raise StoryError(f"{path}:{number}: {e}") from None
    if not (story.title and story.source):
        raise StoryError(f"{path}: title and source are missing")
    return story


def parse_line(story, number, line, last):
    """Takes one line; returns the statement that "|" lines belong to."""
    if not line.strip() or line.startswith("#"):
        return last
    if line.startswith("|"):
        if last is None or not VERBS[last.verb][1]:
            raise StoryError("'|' line without a statement above it")
        last.body.append(line[2:])
        return last
    verb, _, arg = line.strip().partition(" ")
    if verb not in VERBS:
        raise StoryError(f"unknown statement '{verb}'")
    step = Step(number, verb, arg.strip())
    if VERBS[verb][0] and not step.arg:
        raise StoryError(f"'{verb}' needs an argument")
    story.take(step)
    return step


WORD = re.compile(r'([+-]?[\w-]+|\{\w+\})(?:=("(?:[^"\\]|\\.)*"|\S*))?(?:\s+|$)')


def words(text):
    """Splits 'a=b +c="d e" -f again' into [('a', 'b'), ('+c', 'd e'), ...];
    the value of a word without "=" is None. In quotes \\n \\t \\r \\" \\\\ \\xNN.
    """
    found, at = [], 0
    while at < len(text):
        m = WORD.match(text, at)
        if not m:
            raise StoryError(f"cannot read '{text[at:]}'")
        name, value = m.groups()
        if value is not None and value.startswith('"'):
            value = unescape(value[1:-1])
        found.append((name, value))
        at = m.end()
    return found


def unescape(text):
    """Replaces the escapes of a quoted string. Bytes come as U+0080..U+00FF."""
    names = {"n": "\n", "t": "\t", "r": "\r", "0": "\0"}

    def one(m):
        if m.group(1):
            return chr(int(m.group(1), 16))
        return names.get(m.group(2), m.group(2))
    return re.sub(r"\\(?:x([0-9a-fA-F]{2})|(.))", one, text)


def expand(text, variables, lookup):
    """Replaces $NAME by a variable, $(x*600) by 600 times x and {kind:name}
    by what lookup(kind, name) says, unless that is None."""
    text = re.sub(r"\$\(([^()*]+)\*(\d+)\)",
                  lambda m: m.group(1) * int(m.group(2)), text)
    text = re.sub(r"\$([A-Z]+)\b",
                  lambda m: variables.get(m.group(1), m.group(0)), text)
    return re.sub(r"\{(\w+):([\w.-]+)\}",
                  lambda m: lookup(*m.groups()) or m.group(0), text)


def seconds(text):
    """Turns '-90s', '5m' or '2d3h' into seconds."""
    if not re.fullmatch(r"-?(\d+[smhd])+", text):
        raise StoryError(f"'{text}' is no time: 90s, 5m, 2d3h")
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    total = sum(int(n) * unit[u] for n, u in re.findall(r"(\d+)([smhd])", text))
    return -total if text.startswith("-") else total


def matches(pattern, text):
    """Whether text fits pattern: /regular expression/, or a text in which
    only "*" is special. Both must fit from beginning to end."""
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        regex = pattern[1:-1]
    else:
        regex = ".*".join(re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(regex, text, re.DOTALL) is not None
