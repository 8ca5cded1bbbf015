# SPDX-License-Identifier: ISC
"""DNS of the test world, and an SPF server for a rig.

The server is spfd. SPF_SERVER=policyd-spf runs the same tests against the
installed policyd-spf-python.
"""
import os
import sys
import tempfile

import rig as rigs

sys.path.insert(0, rigs.ROOT + "/tests/dns")
from dnsrig import FaultDns                                     # noqa: E402

PROGRAM = os.environ.get("SPF_SERVER", "spfd")
POLICYD_SPF = "/usr/bin/policyd-spf"
USER = "nobody"

# HELO with host.plain.example says nothing: it has no record.
ZONE = r"""
good.example TXT "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 -all"
explained.example TXT "v=spf1 -all exp=why.explained.example"
why.explained.example TXT "%{i} may not send for %{d}"
soft.example TXT "v=spf1 ip4:198.51.100.0/24 ~all"
neutral.example TXT "v=spf1 ?all"
plain.example A 198.51.100.10
host.plain.example A 198.51.100.10
twice.example TXT "v=spf1 -all"
twice.example TXT "v=spf1 +all"
broken.example !servfail
dead.example !never
mail.good.example TXT "v=spf1 ip4:198.51.100.10 -all"
mail.good.example A 198.51.100.10
"""


def start_dns(zone=ZONE):
    """The name server of resolv.conf."""
    tempfile.tempdir = rigs.DIR
    return FaultDns(zone, "127.0.0.1", 53)


class SpfServer(rigs.Server):
    """An SPF policy server; options are those of policyd-spf.conf.

    listen: ports on 127.0.0.1 and paths of sockets, or "stdio".
    """

    def __init__(self, rig, name, *listen, **options):
        self.rig, self.name, self.listen = rig, name, listen
        self.process = None
        lines = [f"{key} = {value}\n" for key, value in options.items()]
        if PROGRAM == "spfd":
            for where in listen:
                kind = f"inet:{where}@127.0.0.1" if isinstance(where, int) \
                    else where if where == "stdio" else f"unix:{where}"
                lines.append(f"Listen = {kind}\n")
            lines.append(f"User = {USER}\n")
        config = rig.file(name + ".conf", "".join(lines))
        self.argv = [POLICYD_SPF, config]
        if PROGRAM == "spfd":
            binary = rigs.DIR + "/bin/spfd"     # maybe it is running
            self.argv = [binary if os.path.exists(binary)
                         else rig.binary("spfd"), "-c", config]
        rig.servers.append(self)

    def rewrite(self, *lines):
        """Another configuration, for a reload."""
        self.rig.file(self.name + ".conf", "".join(
            line + "\n" for line in lines))
