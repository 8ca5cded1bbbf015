#!/usr/bin/env python3
"""Each rule of the house bites: broken on purpose in a copy of the tree, it
complains about that very place."""
import os
import re
import shutil
import sys
import tempfile

import rules

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__))))


def append(path, text):
    def change(root):
        with open(os.path.join(root, path), "a", encoding="utf-8") as f:
            f.write(text)
    return change


def remove(path, pattern):
    def change(root):
        full = os.path.join(root, path)
        with open(full, encoding="utf-8") as f:
            text = f.read()
        changed, count = re.subn(pattern, "", text, count=1, flags=re.M | re.S)
        assert count == 1, f"{pattern} is not in {path}"
        with open(full, "w", encoding="utf-8") as f:
            f.write(changed)
    return change


def foreign_object(root):
    """An object that exports what its file name does not allow."""
    source = os.path.join(root, "x.c")
    with open(source, "w", encoding="utf-8") as f:
        f.write("int dkim_mail_parse;\n")
    obj = os.path.join(root, "build/obj/common/str.o")
    assert os.system(f"cc -c -o '{obj}' '{source}'") == 0


LONG = "\nvoid\nstr_long(void)\n{\n" + "\tfoo();\n" * 81 + "}\n"
MANY = "\nvoid\nstr_many(int a, int b, int c, int d, int e, int f, int g, " \
       "int h)\n{\n\tfoo();\n}\n"
CASES = (
    (rules.layers, append("common/str.c", '#include "common/daemon.h"\n'),
     "common/str.c (layer 0) includes common/daemon.h"),
    (rules.layers, append("common/str.c", '#include "greylistd/key.h"\n'),
     "common/str.c includes greylistd/key.h"),
    (rules.layers, append("greylistd/key.c", '#include "key.h"\n'),
     "greylistd/key.c: key.h is not named from the root"),
    (rules.foreign_headers, append("greylistd/key.c",
                                   "#include <sqlite3.h>\n"),
     "greylistd/key.c includes <sqlite3.h>"),
    (rules.foreign_headers, append("common/store.h", "#include <sqlite3.h>\n"),
     "common/store.h includes <sqlite3.h>"),
    (rules.documented, append("common/str.h", "\nvoid str_bare(void);\n"),
     "common/str.h: str_bare"),
    (rules.exports, foreign_object, "common/str.c exports dkim_mail_parse"),
    (rules.sizes, append("common/str.c", LONG), "str_long has 81 lines"),
    (rules.sizes, append("common/str.c", MANY), "str_many has more than"),
    (rules.sizes, append("common/str.c", "\n" * 800), "common/str.c has"),
    (rules.form, remove("common/str.c", r"\A[^\n]*\n"),
     "common/str.c: no SPDX"),
    (rules.form, append("common/str.c", "int x;" + " " * 80 + "int y;\n"),
     "longer than 80"),
    (rules.form, append("common/str.c", "int x; \n"), "blank at the end"),
    (rules.form, append("common/str.c", "\tstrcpy(a, b);\n"), "banned"),
    (rules.form, append("common/str.c", 'char *p = "/tmp/x";\n'), "/tmp"),
    (rules.options_documented,
     remove("greylistd/greylistd.conf.5", r"^\.It Cm MaxAge[^\n]*\n"),
     "greylistd/greylistd.conf.5 lacks MaxAge"),
    (rules.options_documented,
     remove("spfd/spfd.conf.5", r"^\.It Cm Nameservers[^\n]*\n"),
     "spfd/spfd.conf.5 lacks Nameservers"),
    (rules.options_documented,
     append("greylistd/greylistd.conf.5", ".It Cm NoSuchOption\n"),
     "NoSuchOption, which is no option"),
    (rules.manual_pages, append("greylistd/greylistd.8", ".Nosuch macro\n"),
     "greylistd.8"),
)

failed = 0
print(f"1..{len(CASES)}")
for number, (rule, change, expected) in enumerate(CASES, 1):
    with tempfile.TemporaryDirectory() as work:
        copy = os.path.join(work, "tree")
        shutil.copytree(ROOT, copy, symlinks=True, ignore=lambda d, names: [
            n for n in names if n in (".git", "san", "tsan", "cov", "fuzz",
                                      "bin", "t", "__pycache__")])
        before = set(rule(copy))
        change(copy)
        after = [c for c in rule(copy) if c not in before]
    good = any(expected in c for c in after)
    failed += not good
    print("ok" if good else "not ok", number, "-",
          f"{rule.__name__} sees: {expected}")
    if not good:
        print("# it said:", after)
sys.exit(failed != 0)
