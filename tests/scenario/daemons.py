# SPDX-License-Identifier: ISC
"""daemons.py - what the player must know about each daemon, and no more.

A daemon is a class with the fields of Daemon below; DAEMONS finds it by the
name of the folder under tests/scenarios.
"""
import os
import re

BINDIR = os.path.abspath(os.environ.get("BINDIR", "build/bin"))
# A program in front of the daemon, with its options. The sandbox would not
# let it work.
WRAP = os.environ.get("SCENARIO_WRAP", "").split()
FOR_TESTS = ["-o", "TestClock=yes", *(["-o", "Sandbox=no"] if WRAP else [])]

# What Postfix 3.7 sends, in its order. instance is made for each request.
POSTFIX = [
    ("request", "smtpd_access_policy"), ("protocol_state", "RCPT"),
    ("protocol_name", "ESMTP"), ("client_address", "192.0.2.1"),
    ("client_name", "mx.example.org"), ("client_port", "41952"),
    ("reverse_client_name", "mx.example.org"),
    ("server_address", "198.51.100.25"), ("server_port", "25"),
    ("helo_name", "mx.example.org"), ("sender", "alice@example.org"),
    ("recipient", "bob@example.net"), ("recipient_count", "0"),
    ("queue_id", ""), ("instance", ""), ("size", "1024"),
    ("etrn_domain", ""), ("stress", ""), ("sasl_method", ""),
    ("sasl_username", ""), ("sasl_sender", ""), ("ccert_subject", ""),
    ("ccert_issuer", ""), ("ccert_fingerprint", ""),
    ("ccert_pubkey_fingerprint", ""), ("encryption_protocol", ""),
    ("encryption_cipher", ""), ("encryption_keysize", "0"),
    ("policy_context", ""),
]


class Daemon:
    """The defaults of a policy daemon of ours."""

    name = None             # program in BINDIR and section of scenarios
    is_milter = False       # or a policy server
    tools = {}              # program of "run" -> options put behind its name
    user = "nobody"         # runs as this user when the player is root
    # log lines that are decisions: they may stay unread
    decision = re.compile(r"(\S+: )?action=")
    # log lines that nobody has to expect: start, stop, reload
    chatter = re.compile(r"\w+ (\S+ is ready|has ended)|stopping: .*"
                         r"|reloaded")
    # the log line after which a SIGHUP has its effect
    reloaded = re.compile(r"reloaded")
    # what a log line may bear in front: a priority, the program's name
    prefix = re.compile(r"(<\d>)?((greylistd|postgrey|spfd|policyd-spf)(\[\d+\])?: )?"
                        r"(warning: |error: )?")
    notifies = True         # says READY=1 to NOTIFY_SOCKET, see sd_notify(3)
    stop_status = 0         # exit status after SIGTERM
    wait = float(os.environ.get("SCENARIO_WAIT", "10"))  # for any event
    log_wait = None         # for a log line, when that is another time

    def command(self, box, story):
        """The command line: writes the configuration into the box."""
        with open(box.path(self.name + ".conf"), "w", encoding="utf-8") as f:
            for name, value in self.settings(box, story):
                f.write(f"{name} {value}\n")
        return [*WRAP, os.path.join(BINDIR, self.name), "-f",
                "-c", box.path(self.name + ".conf"), *FOR_TESTS,
                *map(box.expand, story.args)]

    def settings(self, box, story):
        """The scenario's configuration and what every scenario needs."""
        out = [("Listen", "unix:" + box.socket), ("User", box.user or '""')]
        return out + [(n, box.expand(v)) for n, v in story.config]

    def tool(self, box, argv):
        """The command of a "run" line."""
        extra = [box.expand(word) for word in self.tools.get(argv[0], [])]
        if argv[0] in self.tools or argv[0] == self.name:
            return [os.path.join(BINDIR, argv[0]), *extra, *argv[1:]]
        return argv


class Greylistd(Daemon):
    name = "greylistd"
    database = "db/greylist.db"
    tools = {"greylistctl": ["-c", "$DIR/greylistd.conf"]}
    chatter = re.compile(Daemon.chatter.pattern +
                         r"|HUP received: reloading whitelists\.\.\."
                         r"|whitelisted: .*"
                         r"|cleaning main database finished.*")

    def settings(self, box, story):
        given = {canonical(name) for name, _ in story.config}
        out = super().settings(box, story)
        for name, value in (("Database", self.database),
                            ("WhitelistClients", "empty"),
                            ("WhitelistRecipients", "empty")):
            if canonical(name) not in given:
                out.append((name, box.path(value)))
        if "DNSPORT" in box.variables and "nameservers" not in given:
            out.append(("Nameservers",
                        "127.0.0.1@" + box.variables["DNSPORT"]))
        return out

    def tool(self, box, argv):
        if argv[0] == "postgrey":
            return [called_postgrey(box), *argv[1:]]
        return super().tool(box, argv)


def called_postgrey(box):
    """A link to greylistd by the name of postgrey, in the box."""
    link = box.path("postgrey")
    if not os.path.lexists(link):
        os.symlink(os.path.join(BINDIR, "greylistd"), link)
    return link


class Spfd(Daemon):
    name = "spfd"

    def settings(self, box, story):
        given = {canonical(name) for name, _ in story.config}
        out = super().settings(box, story)
        port = box.variables.get("DNSPORT", "9")
        for name, value in (("Nameservers", "127.0.0.1@" + port),
                            ("Hostname", "mx.example.net")):
            if canonical(name) not in given:
                out.append((name, value))
        return out

    def tool(self, box, argv):
        if argv[0] == "policyd-spf":
            link = box.path("policyd-spf")
            if not os.path.lexists(link):
                os.symlink(os.path.join(BINDIR, "spfd"), link)
            return [link, *argv[1:]]
        return super().tool(box, argv)


class Dkimd(Daemon):
    name = "dkimd"
    is_milter = True
    tools = {"dkimctl": []}
    decision = re.compile(r"DKIM verification successful|bad signature data"
                          r"|key retrieval failed|signature not used"
                          r"|DKIM-Signature field added")
    prefix = re.compile(r"(<\d>)?((dkimd|opendkim)(\[\d+\])?: )?"
                        r"(warning: |error: )?(4Ctest\d+: )?")

    def settings(self, box, story):
        given = {canonical(name) for name, _ in story.config}
        out = super().settings(box, story)
        if "nameservers" not in given:
            port = box.variables.get("DNSPORT", "9")
            out.append(("Nameservers", "127.0.0.1@" + port))
        return out

    def tool(self, box, argv):
        if argv[0] == "opendkim":
            link = box.path("opendkim")
            if not os.path.lexists(link):
                os.symlink(os.path.join(BINDIR, "dkimd"), link)
            return [link, *argv[1:]]
        return super().tool(box, argv)


class Postgrey(Daemon):
    """Debian's postgrey, for the reference runs of greylistd's scenarios."""

    name = "postgrey"
    user = "postgrey"
    chatter = re.compile(r"\S+ postgrey .* starting!.*|Binding to .*"
                         r"|Setting [gu]id to .*|\S+ Server closing!"
                         r"|HUP received.*|whitelisted: .*"
                         r"|cleaning .*|rm /.*|\S+ CONNECT .*")
    reloaded = re.compile(r"HUP received: reloading whitelists\.\.\.")
    prefix = re.compile("")
    notifies = False
    stop_status = None
    wait, log_wait = 1.5, 0.4   # it logs before it replies
    # option -> how postgrey wants its value
    options = {
        "delay": lambda v: unit(v, 1), "maxage": lambda v: unit(v, 86400),
        "retrywindow": lambda v: unit(v, 3600) + "h",
        "greylistaction": str, "greylisttext": str, "ipv4cidr": str,
        "ipv6cidr": str, "autowhitelistclients": str, "hostname": str,
        "whitelistclients": str, "whitelistrecipients": str,
        "xgreylistheader": str, "lookupbyhost": None, "lookupbysubnet": None,
        "privacy": None, "exim": None,
    }
    spelled = {
        "maxage": "max-age", "retrywindow": "retry-window",
        "greylistaction": "greylist-action", "greylisttext": "greylist-text",
        "autowhitelistclients": "auto-whitelist-clients",
        "whitelistclients": "whitelist-clients",
        "whitelistrecipients": "whitelist-recipients",
        "xgreylistheader": "x-greylist-header",
        "lookupbyhost": "lookup-by-host", "lookupbysubnet": "lookup-by-subnet",
    }

    def program(self, box):
        """The command without postgrey's options."""
        del box
        return ["/usr/sbin/postgrey"]

    def command(self, box, story):
        argv = [*self.program(box), "--unix=" + box.socket,
                "--dbdir=" + box.path("db")]
        given = set()
        for name, value in story.config:
            name = canonical(name)
            given.add(name)
            form = self.options[name]
            long = "--" + self.spelled.get(name, name)
            if form:
                argv.append(f"{long}={form(box.expand(value))}")
            elif value.lower() in ("yes", "on", "true", "1"):
                argv.append(long)
        for name in ("whitelistclients", "whitelistrecipients"):
            if name not in given:
                argv.append(f"--{self.spelled[name]}={box.path('empty')}")
        return argv + [box.expand(word) for word in story.args]

    def unknown(self, story):
        """The first option of the scenario that postgrey has not, or None."""
        return next((n for n, _ in story.config
                     if canonical(n) not in self.options), None)

    def tool(self, box, argv):
        del box
        return argv


class AsPostgrey(Postgrey):
    """greylistd called by the name of postgrey, with postgrey's options."""

    chatter, prefix = Greylistd.chatter, Greylistd.prefix
    user, stop_status, notifies = Daemon.user, 0, True
    wait, log_wait = Daemon.wait, None

    def program(self, box):
        who = ["--user=" + box.user,
               "--group=" + box.group] if box.user else ["--user="]
        return [*WRAP, called_postgrey(box), *FOR_TESTS, *who]

    def tool(self, box, argv):
        if argv[0] == "postgrey":
            return [called_postgrey(box), *argv[1:]]
        return argv


def canonical(name):
    """An option's name as it is compared: without case, "-" and "_"."""
    return name.replace("-", "").replace("_", "").lower()


def unit(text, size):
    """'5m' as a number of units of size seconds."""
    each = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    if text[-1:] in each:
        return str(int(text[:-1]) * each[text[-1]] // size)
    return text


DAEMONS = {"greylistd": Greylistd(), "postgrey": Postgrey(), "spfd": Spfd(),
           "dkimd": Dkimd()}
AS_POSTGREY = AsPostgrey()
