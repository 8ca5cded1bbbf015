# SPDX-License-Identifier: ISC
"""A stock Postfix with a configuration and a queue of its own."""
import os
import shutil
import subprocess
import time

from namespaces import MX4, MX6, have_ipv6

DOMAIN = "example.net"
# service, type, private, unprivileged, chroot, wakeup, processes, command.
# As the package's master.cf, less what a mail for a mailbox never meets.
MASTER = """\
pickup    unix  n  -  n  60     1  pickup
cleanup   unix  n  -  n  -      0  cleanup
qmgr      unix  n  -  n  300    1  qmgr
tlsmgr    unix  -  -  n  1000?  1  tlsmgr
rewrite   unix  -  -  n  -      -  trivial-rewrite
bounce    unix  -  -  n  -      0  bounce
defer     unix  -  -  n  -      0  bounce
trace     unix  -  -  n  -      0  bounce
proxymap  unix  -  -  n  -      -  proxymap
smtp      unix  -  -  n  -      -  smtp
showq     unix  n  -  n  -      -  showq
error     unix  -  -  n  -      -  error
retry     unix  -  -  n  -      -  error
lmtp      unix  -  -  n  -      -  lmtp
anvil     unix  -  -  n  -      1  anvil
scache    unix  -  -  n  -      1  scache
"""


class Postfix:
    """Settings and services are given before start()."""

    def __init__(self, directory, lmtp_socket):
        self.config = directory + "/etc"
        self.queue = directory + "/queue"
        self.data = directory + "/data"
        self.master = MASTER
        self.main = {
            "compatibility_level": "3.6",
            "queue_directory": self.queue,
            "data_directory": self.data,
            "meta_directory": self.config,      # no plug-ins of the host
            "myhostname": "mx." + DOMAIN,
            "mydestination": "",
            "inet_interfaces": f"{MX4}, {MX6}" if have_ipv6() else MX4,
            "inet_protocols": "all" if have_ipv6() else "ipv4",
            "mynetworks": "127.0.0.0/8",
            "alias_maps": "",
            "virtual_mailbox_domains": DOMAIN,
            "virtual_mailbox_maps": "static:any",
            "virtual_transport": "lmtp:unix:" + lmtp_socket,
            "smtpd_relay_restrictions": "reject_unauth_destination",
            "smtpd_hard_error_limit": "1000",
            "smtpd_error_sleep_time": "0",
        }
        os.makedirs(self.config)
        self._make_queue()

    def smtpd(self, port, chroot=False, **settings):
        """One more SMTP service; settings override main.cf there."""
        options = "".join(f"\n  -o {{ {name} = {value} }}"
                          for name, value in settings.items())
        self.service(f"{port} inet n - {'y' if chroot else 'n'} - - smtpd"
                     + options)

    def service(self, line):
        """A line of master.cf."""
        self.master += line + "\n"

    def file(self, name, text):
        """Write a table beside main.cf; returns its path."""
        path = f"{self.config}/{name}"
        with open(path, "w") as f:
            f.write(text)
        return path

    def start(self):
        self.file("main.cf", "".join(f"{name} = {value}\n"
                                     for name, value in self.main.items()))
        self.file("master.cf", self.master)
        self.file("dynamicmaps.cf", "")
        # Postfix waits for a file that changed within the last second to
        # settle, and without quick-start it checks the queue at length.
        for name in "main.cf", "master.cf":
            os.utime(f"{self.config}/{name}", (time.time() - 60,) * 2)
        open(self.queue + "/quick-start", "w").close()
        self.run("start")

    def stop(self):
        self.run("stop")

    def run(self, *words):
        done = subprocess.run(["postfix", "-c", self.config, *words],
                              capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"postfix {words}: {done.stderr}")

    def _make_queue(self):
        """What `postfix check` would make, and what a chroot needs."""
        def make(path, mode, user, group="root"):
            os.makedirs(path)
            os.chmod(path, mode)
            shutil.chown(path, user, group)
        make(self.queue, 0o755, "root")
        make(self.data, 0o700, "postfix")
        for name in ("active bounce corrupt defer deferred flush hold incoming"
                     " private saved trace").split():
            make(f"{self.queue}/{name}", 0o700, "postfix")
        make(self.queue + "/maildrop", 0o1730, "postfix", "postdrop")
        make(self.queue + "/public", 0o2710, "postfix", "postdrop")
        make(self.queue + "/pid", 0o755, "root")
        make(self.queue + "/etc", 0o755, "root")
        for name in "hosts", "nsswitch.conf", "resolv.conf", "services":
            if os.path.exists("/etc/" + name):
                shutil.copy("/etc/" + name, self.queue + "/etc/" + name)
