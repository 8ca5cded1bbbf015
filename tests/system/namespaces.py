# SPDX-License-Identifier: ISC
"""A machine of our own for a test: private network, mounts, processes.

enter() moves the calling script into new network, mount, PID, UTS and IPC
namespaces.  In there lo carries the addresses of HOSTS, so that a client can
speak from any of them; /run, /dev (so also /dev/log), resolv.conf, hosts,
passwd and group are private.  Everything that a test writes lives in a tmpfs
below /run, and every process in there dies with the script: nothing is left
behind on the host, whatever way the script ends.

It needs root.  Without it, a user with a range in /etc/subuid can say
    unshare --map-root-user --map-auto prove tests/system/
"""
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys

MX4, MX6 = "192.0.2.25", "2001:db8:25::25"
# Who exists in the test world.  An address without a name has no PTR record.
HOSTS = [
    (MX4, "mx.example.net"),
    (MX6, "mx.example.net"),
    ("198.51.100.10", "mail.good.example"),
    ("198.51.100.11", "mail2.good.example"),
    ("198.51.100.77", None),
    ("203.0.113.25", "out.partner.example"),
    ("203.0.113.40", "relay.busy.example"),
    ("2001:db8:1::10", "six.good.example"),
    ("2001:db8:1::11", "six2.good.example"),
    ("2001:db8:66::66", None),
]
USER = "greylistd"              # exists inside even when the host lacks it

SKIP = 77                       # exit status: this machine cannot do it
CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC = 0x20000, 0x4000000, 0x8000000
CLONE_NEWPID, CLONE_NEWNET = 0x20000000, 0x40000000
MS_BIND, MS_MOVE, MS_REC, MS_PRIVATE = 4096, 8192, 16384, 1 << 18
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """This machine cannot run the rig; the text says why."""


def enter(programs=("postfix", "ip")):
    """Go on inside new namespaces: returns in a child there, and only there.

    The process that called it waits, and ends with the child's status.
    Raises Unavailable, possibly in a child: the caller reports it and ends.
    """
    os.environ["PATH"] += ":/usr/local/sbin:/usr/sbin:/sbin"
    for name in programs:
        if not shutil.which(name):
            raise Unavailable(f"{name} is not installed")
    if os.geteuid() != 0:
        raise Unavailable("needs root to make namespaces")
    _call("unshare", CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC
          | CLONE_NEWPID | CLONE_NEWNET)
    _fork_and_wait()
    # Process 1 of the new namespace: when it goes, all the others go.
    _call("prctl", PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    _private_mounts()
    _private_net()
    _fork_and_wait()


def have_ipv6():
    try:
        with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6") as f:
            return f.read().strip() == "0"
    except OSError:
        return False


def _fork_and_wait():
    """Return in a child; the parent reaps everything until the child ends."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def _call(function, *args):
    if getattr(_libc, function)(*args):
        raise Unavailable(f"{function}: {os.strerror(ctypes.get_errno())}")


def _mount(source, target, flags=MS_BIND, fstype=None, options=None):
    # The system call, because mount(8) wants more rights than it needs.
    def arg(text):
        return text.encode() if text is not None else None
    if _libc.mount(arg(source), arg(target), arg(fstype), flags,
                   arg(options)):
        raise Unavailable(f"mount {target}: "
                          + os.strerror(ctypes.get_errno()))


def _private_mounts():
    _mount(None, "/", MS_REC | MS_PRIVATE)
    _mount("proc", "/proc", 0, "proc")
    _mount("run", "/run", 0, "tmpfs", "mode=755")
    os.makedirs("/run/rig/etc")
    _private_dev()
    _private_etc()


def _private_dev():
    """The host's /dev is shared by all: a socket made there would be seen."""
    new = "/run/dev"
    os.mkdir(new)
    _mount("dev", new, 0, "tmpfs", "mode=755")
    for name in ("null", "zero", "full", "random", "urandom", "tty", "ptmx"):
        if os.path.exists("/dev/" + name):
            open(f"{new}/{name}", "w").close()
            _mount("/dev/" + name, f"{new}/{name}")
    for name in ("pts", "shm"):
        if os.path.isdir("/dev/" + name):
            os.mkdir(f"{new}/{name}")
            _mount("/dev/" + name, f"{new}/{name}", MS_BIND | MS_REC)
    os.symlink("/proc/self/fd", new + "/fd")
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        os.symlink(f"fd/{number}", f"{new}/{name}")
    _mount(new, "/dev", MS_MOVE)
    os.rmdir(new)


def _private_etc():
    names = "".join(f"{a} {n}\n" for a, n in HOSTS if n)
    files = {
        "hosts": "127.0.0.1 localhost\n::1 localhost\n" + names,
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n"
                         "services: files\nprotocols: files\n",
        # Nobody listens there: a stray question fails at once.
        "resolv.conf": "nameserver 127.0.0.1\noptions timeout:1\n",
    }
    try:
        pwd.getpwnam(USER)
    except KeyError:
        used = {p.pw_uid for p in pwd.getpwall()}
        uid = next(n for n in range(990, 100, -1) if n not in used)
        with open("/etc/passwd") as f:
            files["passwd"] = f.read() + f"{USER}:x:{uid}:{uid}::/:/bin/sh\n"
        with open("/etc/group") as f:
            files["group"] = f.read() + f"{USER}:x:{uid}:\n"
    for name, text in files.items():
        source = "/run/rig/etc/" + name
        with open(source, "w") as f:
            f.write(text)
        target = os.path.realpath("/etc/" + name)
        if target.startswith("/run/"):      # resolv.conf may be a link
            os.makedirs(os.path.dirname(target), exist_ok=True)
            open(target, "w").close()
        if os.path.exists(target):
            _mount(source, target)


def _private_net():
    socket.sethostname("mx.example.net")
    batch = ["link set lo up"]
    try:
        with open("/proc/sys/net/ipv6/conf/lo/disable_ipv6", "w") as f:
            f.write("0")
    except OSError:
        pass                    # no IPv6 here; have_ipv6() says so
    for address, _ in HOSTS:
        if ":" not in address:
            batch.append(f"addr add {address}/32 dev lo")
        elif have_ipv6():
            batch.append(f"addr add {address}/128 dev lo nodad")
    done = subprocess.run(["ip", "-batch", "-"], input="\n".join(batch) + "\n",
                          capture_output=True, text=True)
    if done.returncode:
        raise Unavailable("ip: " + done.stderr.strip())
