# SPDX-License-Identifier: ISC
"""What t_spfd.py asks, and the DNS and the configurations behind it."""
from typing import NamedTuple

ALLOWED, OTHER = "192.0.2.1", "203.0.113.9"


class Case(NamedTuple):
    name: str
    request: dict           # attributes other than BASE's
    configs: str = "c0 c1 c2 c3"


BASE = {
    "request": "smtpd_access_policy", "protocol_state": "RCPT",
    "protocol_name": "ESMTP", "client_address": ALLOWED,
    "client_name": "unknown", "reverse_client_name": "unknown",
    "helo_name": "host.none.example", "sender": "user@pass.example",
    "recipient": "rcpt@rcpt.example", "recipient_count": "0",
    "queue_id": "", "size": "0", "etrn_domain": "", "sasl_method": "",
    "sasl_username": "", "sasl_sender": "", "ccert_subject": "",
    "encryption_protocol": "", "policy_context": "",
}

# c0 is what Debian installs.
CONFIGS = {
    "c0": """\
debugLevel = 1
TestOnly = 1
HELO_reject = Fail
Mail_From_reject = Fail
PermError_reject = False
TempError_Defer = False
skip_addresses = 127.0.0.0/8,::ffff:127.0.0.0/104,::1
""",
    "c1": """\
HELO_reject = SPF_Not_Pass      # a comment
Mail_From_reject = SPF_Not_Pass
PermError_reject = True
TempError_Defer = True
Whitelist = 203.0.113.200,2001:db8:77::/48
HELO_Whitelist = helowhite.example,other.example
Lookup_Time = 2
Void_Limit = 1
""",
    "c2": """\
Header_Type = AR
Authserv_Id = mx.rcpt.example
Hide_Receiver = Yes
HELO_reject = Null
Mail_From_reject = Softfail
Domain_Whitelist = white.example
Domain_Whitelist_PTR = ptrwhite.example
Reason_Message = {rejectdefer}: {spf}
SPF_Enhanced_Status_Codes = No
Lookup_Time = 2
""",
    "c3": """\
HELO_reject = False
Mail_From_reject = False
Reject_Not_Pass_Domains = strict.example,neutral.example
Mail_From_pass_restriction = passed_spf
Lookup_Time = 2
""",
}

# For policyd-spf-perl alone, which has files in place of options.
FILES = {
    "exempt_spf_addresses": "203.0.113.200, 198.51.100.0/24\n2001:db8:9::/48\n",
    "exempt_spf_domains": "fail.example,other.example\nsoft.example\n",
}
CONFIGS["c4"] = """\
TempError_Defer yes
Whitelist_File /etc/postfix/exempt_spf_addresses
Exempt_Domains_File /etc/postfix/exempt_spf_domains
"""

ZONE = r"""
pass.example TXT "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8:1::/48 -all"
helopass.example TXT "v=spf1 ip4:192.0.2.0/24 -all"
fail.example TXT "v=spf1 -all"
sub.fail.example TXT "v=spf1 -all"
explained.example TXT "v=spf1 -all exp=why.explained.example"
why.explained.example TXT "%{i} may not send for %{d}."
badwhy.example TXT "v=spf1 -all exp=why.badwhy.example"
why.badwhy.example TXT "%{i may not"
crlfwhy.example TXT "v=spf1 -all exp=why.crlfwhy.example"
why.crlfwhy.example TXT "first\013\010action=DUNNO\010\010"
soft.example TXT "v=spf1 ~all"
neutral.example TXT "v=spf1 ?all"
strict.example TXT "v=spf1 ~all"
sub.strict.example TXT "v=spf1 ~all"
unknown.example TXT "v=spf1 moo -all"
twice.example TXT "v=spf1 -all"
twice.example TXT "v=spf1 +all"
servfail.example !servfail
never.example !never
byinclude.example TXT "v=spf1 include:pass.example -all"
incnone.example TXT "v=spf1 include:nothing.example -all"
redirected.example TXT "v=spf1 redirect=pass.example"
bya.example TXT "v=spf1 a -all"
bya.example A 192.0.2.1
bymx.example TXT "v=spf1 mx -all"
bymx.example MX 10 mail.bymx.example
mail.bymx.example A 192.0.2.1
byptr.example TXT "v=spf1 ptr -all"
1.2.0.192.in-addr.arpa PTR host.byptr.example
host.byptr.example A 192.0.2.1
exists.example TXT "v=spf1 exists:%{ir}.%{v}.list.example -all"
1.2.0.192.in-addr.list.example A 127.0.0.2
loop.example TXT "v=spf1 include:loop.example -all"
cname.example CNAME pass.example
void.example TXT "v=spf1 a:v1.example a:v2.example ip4:192.0.2.1 -all"
ten.example TXT "v=spf1 exists:n1.example exists:n2.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:pass.example -all"
eleven.example TXT "v=spf1 include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:x1.example include:pass.example -all"
x1.example TXT "v=spf1 ip4:198.51.100.1"
big.example TXT "v=spf1 ip4:198.51.100.1 ip4:198.51.100.2 ip4:198.51.100.3 ip4:198.51.100.4 ip4:198.51.100.5 ip4:198.51.100.6 ip4:198.51.100.7 ip4:198.51.100.8 ip4:198.51.100.9 ip4:198.51.100.10" " ip4:198.51.100.11 ip4:198.51.100.12 ip4:198.51.100.13 ip4:198.51.100.14 ip4:198.51.100.15 ip4:198.51.100.16 ip4:198.51.100.17 ip4:198.51.100.18 ip4:198.51.100.19" " ip4:198.51.100.21 ip4:198.51.100.22 ip4:198.51.100.23 ip4:198.51.100.24 ip4:198.51.100.25 ip4:198.51.100.26 ip4:198.51.100.27 ip4:198.51.100.28 ip4:198.51.100.29" " ip4:198.51.100.31 ip4:198.51.100.32 ip4:198.51.100.33 ip4:198.51.100.34 ip4:198.51.100.35 ip4:198.51.100.36 ip4:198.51.100.37 ip4:198.51.100.38 ip4:198.51.100.39" " ip4:198.51.100.41 ip4:198.51.100.42 ip4:198.51.100.43 ip4:198.51.100.44 ip4:198.51.100.45 ip4:198.51.100.46 ip4:198.51.100.47 ip4:198.51.100.48 ip4:198.51.100.49" " ip4:198.51.100.51 ip4:198.51.100.52 ip4:198.51.100.53 ip4:198.51.100.54 ip4:198.51.100.55 ip4:198.51.100.56 ip4:198.51.100.57 ip4:198.51.100.58 ip4:198.51.100.59" " ip4:198.51.100.61 ip4:198.51.100.62 ip4:198.51.100.63 ip4:198.51.100.64 ip4:198.51.100.65 ip4:198.51.100.66 ip4:198.51.100.67 ip4:198.51.100.68 ip4:192.0.2.1 -all"
helowhite.example A 203.0.113.9
helowhite.example TXT "v=spf1 -all"
white.example TXT "v=spf1 ip4:203.0.113.77 -all"
77.113.0.203.in-addr.arpa PTR host.good.example
78.113.0.203.in-addr.arpa PTR mail.ptrwhite.example
mail.ptrwhite.example A 203.0.113.78
79.113.0.203.in-addr.arpa PTR mail.notptrwhite.example
80.113.0.203.in-addr.arpa PTR mail.ptrwhite.example
xn--bcher-kva.example TXT "v=spf1 ip4:192.0.2.1 -all"
"""


def sender(name, configs="c0 c1 c2 c3", **other):
    """A case of a sender in a domain whose name says it all."""
    return Case(name, {"sender": f"user@{name}.example", **other}, configs)


def _helo(name, helo, configs="c0 c1 c2 c3", **other):
    return Case(name, {"helo_name": helo, **other}, configs)


CASES = [
    # results
    sender("pass"), sender("fail"), sender("explained"), sender("soft"),
    sender("neutral"), sender("none"), sender("unknown"), sender("twice"),
    sender("servfail"), sender("never", "c1 c2 c3"),
    # the same message, another recipient
    Case("pass, first recipient", {"instance": "i1"}),
    Case("pass, second recipient", {"instance": "i1",
                                    "recipient": "two@rcpt.example"}),
    sender("fail", instance="i2")._replace(name="fail, first recipient"),
    sender("fail", instance="i2", recipient="two@rcpt.example")._replace(
        name="fail, second recipient"),
    # HELO
    _helo("HELO pass, null sender", "helopass.example", sender=""),
    _helo("HELO none, null sender", "host.none.example", sender=""),
    _helo("HELO fail, null sender", "fail.example", sender=""),
    _helo("HELO soft, null sender", "soft.example", sender=""),
    _helo("HELO twice, null sender", "twice.example", sender=""),
    _helo("HELO servfail, null sender", "servfail.example", sender=""),
    _helo("HELO fail, sender passes", "fail.example"),
    _helo("HELO soft, sender passes", "soft.example"),
    _helo("HELO neutral, sender passes", "neutral.example"),
    _helo("HELO twice, sender passes", "twice.example"),
    _helo("HELO pass, sender none", "helopass.example",
          sender="user@none.example"),
    _helo("HELO pass, sender fails", "helopass.example",
          sender="user@fail.example"),
    _helo("HELO is an address", "[192.0.2.1]"),
    _helo("HELO is one word", "localhost", sender=""),
    _helo("HELO is empty", "", sender=""),
    # records
    sender("byinclude"), sender("incnone"), sender("redirected"),
    sender("bya"), sender("bymx"), sender("byptr"), sender("exists"),
    sender("loop"), sender("cname"), sender("void"), sender("ten"),
    sender("eleven"), sender("big"), sender("badwhy"), sender("crlfwhy"),
    # senders
    Case("sender in capitals", {"sender": "User@PASS.example"}),
    Case("sender without domain", {"sender": "user"}),
    Case("sender without local part", {"sender": "@pass.example"}),
    Case("sender in quotes", {"sender": '"a b"@pass.example'}),
    Case("sender with two @", {"sender": '"a@fail.example"@pass.example'}),
    Case("sender in UTF-8", {"sender": "user@b\u00fccher.example"}),
    Case("sender with a semicolon", {"sender": "a;b=c@pass.example"}),
    # clients
    Case("IPv6 pass", {"client_address": "2001:db8:1::9"}),
    Case("IPv6 fail", {"client_address": "2001:db8:2::9"}),
    Case("IPv4 in IPv6", {"client_address": "::ffff:192.0.2.1"}),
    Case("local client", {"client_address": "127.0.0.1"}),
    Case("local client, IPv6", {"client_address": "::1"}),
    Case("client unknown", {"client_address": "unknown"}),
    Case("client empty", {"client_address": ""}),
    Case("user logged in", {"client_address": OTHER,
                            "sasl_username": "joe"}),
    # exceptions
    Case("whitelisted", {"client_address": "203.0.113.200"}),
    Case("whitelisted, IPv6", {"client_address": "2001:db8:77::1"}),
    Case("HELO whitelisted", {"client_address": OTHER,
                              "helo_name": "helowhite.example"}),
    Case("HELO whitelisted, other client",
         {"client_address": "203.0.113.10",
          "helo_name": "helowhite.example"}),
    Case("domain whitelisted", {"client_address": "203.0.113.77"}),
    Case("PTR whitelisted", {"client_address": "203.0.113.78"}),
    Case("PTR looks alike", {"client_address": "203.0.113.79"}),
    Case("PTR is a lie", {"client_address": "203.0.113.80"}),
    sender("strict"),
    # the files of policyd-spf-perl
    Case("exempt address", {"client_address": "203.0.113.200",
                            "sender": "a@explained.example"}, "c4"),
    Case("exempt network", {"client_address": "198.51.100.7",
                            "sender": "a@explained.example"}, "c4"),
    Case("exempt network, IPv6", {"client_address": "2001:db8:9::1"}, "c4"),
    Case("address not exempt", {"client_address": "203.0.113.201"}, "c4"),
    Case("exempt domain", {"sender": "a@fail.example"}, "c4"),
    Case("exempt domain, HELO fails", {"sender": "a@soft.example",
                                       "helo_name": "fail.example"}, "c4"),
    Case("below an exempt domain", {"sender": "a@sub.fail.example"}, "c4"),
    Case("exempt domain in capitals", {"sender": "a@FAIL.example"}, "c4"),
    Case("not exempt", {"sender": "a@explained.example"}, "c4"),
    Case("DNS fails, not exempt", {"sender": "a@servfail.example"}, "c4"),
    Case("local client, exempt domain",
         {"sender": "a@fail.example", "client_address": "127.0.0.1"}, "c4"),
    Case("below a strict domain", {"sender": "a@sub.strict.example"}),
    # the protocol
    Case("no recipient", {"protocol_state": "DATA", "recipient": ""}),
    Case("recipient without domain", {"recipient": "postmaster"}),
]
