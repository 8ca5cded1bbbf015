# SPDX-License-Identifier: ISC
"""A storetool under our command, and TAP."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
TOOL = pathlib.Path(os.environ.get("TOOLDIR", ROOT / "build/t")) / "storetool"


class Tap:
    """Counts checks; done() prints the plan and ends the script."""

    def __init__(self):
        self.count = self.bad = 0

    def ok(self, held, name, got=None):
        self.count += 1
        self.bad += not held
        print(f"{'' if held else 'not '}ok {self.count} - {name}", flush=True)
        if not held:
            print(f"#    got: {got!r}", flush=True)
        return held

    def note(self, text):
        print(f"# {text}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(bool(self.bad) or not self.count)


def skip(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def in_own_mounts():
    """Runs this script again where it may mount."""
    if os.environ.get("STORE_MOUNTS"):
        return
    can = subprocess.run(["unshare", "-m", "true"], capture_output=True)
    if can.returncode != 0:
        skip("no private mounts: " + can.stderr.decode().strip())
    os.environ["STORE_MOUNTS"] = "1"
    os.execvp("unshare", ["unshare", "-m", sys.executable, *sys.argv])


def fill(path):
    """Takes all room that is left."""
    with open(path, "wb", buffering=0) as f:
        try:
            while f.write(bytes(4096)):
                pass
        except OSError:
            pass


class Store:
    """A storetool process. Answers are texts: "ok ..." or "failed ..."."""

    def __init__(self, path, mode="daemon", **popen):
        self.process = subprocess.Popen(
            [TOOL, path, mode], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1, **popen)
        self.opened = self.answer()

    def answer(self):
        return self.process.stdout.readline().rstrip("\n")

    def send(self, command):
        self.process.stdin.write(command + "\n")

    def ask(self, command):
        try:
            self.send(command)
        except BrokenPipeError:
            return "gone"
        return self.answer()

    def number(self, command):
        return int(self.ask(command).removeprefix("ok "))

    def kill(self):
        self.process.kill()
        self.process.communicate()

    def close(self):
        """Ends it in good order and returns its exit status."""
        self.process.communicate()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.close()


class Folder:
    """A temporary directory that anybody may enter."""

    def __init__(self):
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="store-"))
        self.path.chmod(0o755)

    def __enter__(self):
        return self.path

    def __exit__(self, *_):
        shutil.rmtree(self.path)


def asides(folder):
    """Names of databases that were moved aside, without their WALs."""
    return sorted(p.name for p in folder.glob("*.damaged-*")
                  if not p.name.endswith(("-wal", "-shm")))
