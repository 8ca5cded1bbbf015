#!/usr/bin/env python3
"""The units are what systemd understands, and expose little."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))
# Tenths, as systemd-analyze counts exposure; postgrey's own unit has 96.
EXPOSURE_MAX = {"greylistd.service": 15, "postgrey.service": 50,
                "spfd.service": 14, "dkimd.service": 14,
                "opendkim.service": 50}
NAMES = ("greylistd.service", "greylistd.socket", "postgrey.service",
         "spfd.service", "dkimd.service", "dkimd.socket",
         "opendkim.service")

if shutil.which("systemd-analyze") is None:
    print("1..0 # SKIP no systemd-analyze")
    sys.exit(0)


def analyze(*args):
    run = subprocess.run(["systemd-analyze", "--no-pager", *args], text=True,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.returncode, run.stdout


results = []
with tempfile.TemporaryDirectory() as work:
    for name in NAMES:
        with open(os.path.join(ROOT, "systemd", name),
                  encoding="utf-8") as f:
            text = f.read()
        # verify wants a program that exists.
        text = re.sub(r"@SBINDIR@/\w+", "/bin/true", text)
        with open(os.path.join(work, name), "w", encoding="utf-8") as f:
            f.write(text)
    for name in NAMES:
        code, said = analyze("verify", "--man=no", os.path.join(work, name))
        # It reads the machine's own units too; only ours count.
        said = "\n".join(l for l in said.splitlines() if work in l
                         or name in l)
        results.append((code == 0 and not said, f"{name} is understood",
                        said))
    for name, limit in EXPOSURE_MAX.items():
        code, said = analyze("security", "--offline=true",
                             f"--threshold={limit}",
                             os.path.join(work, name))
        results.append((code == 0, f"{name} exposes at most {limit / 10}",
                        said.splitlines()[-1] if said else ""))

print(f"1..{len(results)}")
for number, (good, title, said) in enumerate(results, 1):
    print("ok" if good else "not ok", number, "-", title)
    if not good:
        print("# " + said.replace("\n", "\n# "))
sys.exit(not all(good for good, _, _ in results))
