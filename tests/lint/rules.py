"""The rules of the house as checks: each takes the tree's root and returns a
list of complaints, empty when all is well. t_tree.py runs them on the tree,
t_violations.py shows that each one bites."""
import os
import re
import subprocess

DAEMONS = ("greylistd", "spfd", "policyd", "dkimd", "dmarcd", "avmilter")
FUNCTION_MAX, FILE_MAX, PARAMETERS_MAX, COLUMNS_MAX = 80, 800, 7, 80
# Prefixes that libraries of ours use: ours must not take their names over.
FOREIGN_PREFIXES = ("dkim_", "opendmarc_", "dmarc_", "SPF_", "cl_", "cli_",
                    "sds", "hi_", "db_", "event_", "ub_", "ev_", "sqlite3_",
                    "pcre2_", "nettle_", "seccomp_")
# Names that are exported to take the place of a library's own.
MEANT = {"common/milter_run.c": ("sigwait",),
         "dkimd/engine_keycache.c": ("PEM_read_bio_PrivateKey",
                                     "d2i_PUBKEY_bio")}
# Functions whose parameters a library prescribes.
PRESCRIBED = {"common/milter_session.c": ("on_negotiate",)}
BANNED = re.compile(r"\b(strcpy|strcat|sprintf|vsprintf|gets|atoi|atol|strtok"
                    r"|system|popen|tmpnam|mktemp|alloca)\s*\(")


def sources(root, *suffixes, folders=("common", *DAEMONS)):
    for folder in folders:
        for base, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith(suffixes):
                    yield os.path.relpath(os.path.join(base, name), root)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8") as f:
        return f.read()


def without_comments(text):
    blank = lambda m: re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r"/\*.*?\*/", blank, text, flags=re.S)


def table(root, columns):
    """Rows of the tables in common/README.md that have so many columns."""
    for line in read(root, "common/README.md").splitlines():
        cells = [c.strip() for c in line.strip("| ").split("|")]
        if len(cells) == columns and line.startswith("|") and "---" not in line:
            yield cells


def layers(root):
    layer = {m: int(n) for n, m, _ in table(root, 3) if n.isdigit()}
    found = []
    for path in sources(root, ".c", ".h"):
        folder, name = path.split("/", 1)
        for inc in re.findall(r'^#include "(.+?)"', read(root, path), re.M):
            target, _, header = inc.partition("/")
            if not header:
                found.append(f"{path}: {inc} is not named from the root")
            elif target not in ("common", folder):
                found.append(f"{path} includes {inc}: another daemon")
            elif folder == "common":
                mine = module_layer(layer, name)
                other = module_layer(layer, header)
                if mine is None or other is None:
                    found.append(f"{path}: no layer in common/README.md")
                elif other > mine:
                    found.append(f"{path} (layer {mine}) includes {inc} "
                                 f"(layer {other})")
    return found


def module_layer(layer, name):
    """store_open.c and store_int.h belong to the module store."""
    stem = name.rsplit(".", 1)[0]
    while stem not in layer and "_" in stem:
        stem = stem.rsplit("_", 1)[0]
    return layer.get(stem)


def foreign_headers(root):
    owners = {h: o.split() for h, o in
              ((c[0], c[1].replace(",", " ")) for c in table(root, 2))
              if h.endswith(".h")}
    found = []
    for path in sources(root, ".c", ".h"):
        for inc in re.findall(r"^#include <(.+?)>", read(root, path), re.M):
            if inc not in owners:
                continue
            if path.endswith(".h"):
                found.append(f"{path} includes <{inc}>: no header may")
            elif path not in owners[inc]:
                found.append(f"{path} includes <{inc}>, which belongs to "
                             + " ".join(owners[inc]))
    return found


def documented(root):
    """Every prototype in a header has a comment directly above it."""
    found = []
    for path in sources(root, ".h"):
        text = read(root, path)
        bare = without_comments(text)
        start = re.compile(
            r"^(?!typedef|#|extern\b|static\b|struct \w+ \{|enum|\}|\t| )"
            r"[A-Za-z_][\w\s\*]*?\b(\w+)\(", re.M)
        for m in start.finditer(bare):
            above = text[:m.start()].rstrip("\n")
            if text[:m.start()].endswith("\n\n") or not above.endswith("*/"):
                found.append(f"{path}: {m.group(1)} has no comment above")
    return found


def exports(root):
    """foo.c and foo_bar.c export only foo_*; no name of a library of ours."""
    found = []
    for path in sources(root, ".c"):
        stem = os.path.basename(path)[:-2]
        obj = os.path.join(root, "build/obj", path[:-2] + ".o")
        if not os.path.exists(obj):
            found.append(f"{obj} is not built")
            continue
        out = subprocess.run(["nm", "-g", "--defined-only", obj], text=True,
                             capture_output=True, check=True).stdout
        for line in out.splitlines():
            name = line.split()[-1]
            if stem == "main" and name == "main":
                continue
            if name in MEANT.get(path, ()):
                continue
            own = name == "main" or name.startswith(stem.split("_")[0] + "_")
            if not own:
                found.append(f"{path} exports {name}")
            if name.startswith(FOREIGN_PREFIXES):
                found.append(f"{path} exports {name}: a library's prefix")
    return found


def functions(text):
    """(name, first line, lines) of each function: name at column 0."""
    lines = text.splitlines()
    i = 0
    while i < len(lines):
        if lines[i] == "{":
            end = next((j for j in range(i, len(lines)) if lines[j] == "}"),
                       len(lines) - 1)
            head = i - 1
            while head > 0 and lines[head].strip() and \
                    not re.match(r"^\w+\(", lines[head]):
                head -= 1
            m = re.match(r"^(\w+)\(", lines[head])
            if m:
                signature = " ".join(lines[head:i])
                yield m.group(1), head + 1, end - i - 1, signature
            i = end
        i += 1


def sizes(root):
    found = []
    for path in sources(root, ".c", ".h"):
        text = read(root, path)
        count = text.count("\n")
        if count > FILE_MAX:
            found.append(f"{path} has {count} lines, more than {FILE_MAX}")
        for name, line, length, signature in functions(text):
            if length > FUNCTION_MAX:
                found.append(f"{path}:{line}: {name} has {length} lines, "
                             f"more than {FUNCTION_MAX}")
            if signature.count(",") + 1 > PARAMETERS_MAX and \
                    name not in PRESCRIBED.get(path, ()):
                found.append(f"{path}:{line}: {name} has more than "
                             f"{PARAMETERS_MAX} parameters")
    return found


def form(root):
    """Licence line, line width, blanks at line ends, banned functions."""
    found = []
    for path in sources(root, ".c", ".h",
                        folders=("common", *DAEMONS, "tests")):
        text = read(root, path)
        if not text.startswith("/* SPDX-License-Identifier: ISC */\n"):
            found.append(f"{path}: no SPDX line")
        code = without_comments(text)
        for n, line in enumerate(text.splitlines(), 1):
            if len(line.expandtabs(8)) > COLUMNS_MAX:
                found.append(f"{path}:{n}: longer than {COLUMNS_MAX} columns")
            if line != line.rstrip():
                found.append(f"{path}:{n}: blank at the end of the line")
        for n, line in enumerate(code.splitlines(), 1):
            if BANNED.search(re.sub(r'"(\\.|[^"\\])*"', '""', line)):
                found.append(f"{path}:{n}: banned function")
            if '"/tmp' in line:
                found.append(f"{path}:{n}: a fixed name in /tmp")
    return found


def option_names(root, daemon):
    """Those of its own table, and of the macros whose headers it includes."""
    files = [f"{daemon}/options.c", f"{daemon}/options.h"]
    for path in files[:2]:
        if os.path.exists(os.path.join(root, path)):
            files += re.findall(r'^#include "(common/.+?)"', read(root, path),
                                re.M)
    names = set()
    for path in ("common/daemon.h", *files):
        if os.path.exists(os.path.join(root, path)):
            names.update(re.findall(r'\.name = "([\w-]+)"', read(root, path)))
    return names


def options_documented(root):
    """The option table and NAME.conf(5) name the same options."""
    found = []
    for daemon in DAEMONS:
        if not os.path.exists(os.path.join(root, daemon, "options.c")):
            continue
        table_names = option_names(root, daemon)
        page = f"{daemon}/{daemon}.conf.5"
        if not os.path.exists(os.path.join(root, page)):
            found.append(f"{page} is missing")
            continue
        page_names = set(re.findall(r"^\.It Cm ([\w-]+)", read(root, page), re.M))
        found += [f"{page} lacks {n}" for n in sorted(table_names - page_names)]
        found += [f"{page} describes {n}, which is no option"
                  for n in sorted(page_names - table_names)]
    return found


def manual_pages(root):
    found = []
    for path in sources(root, ".5", ".8"):
        run = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path],
                             cwd=root, text=True, capture_output=True)
        found += run.stdout.splitlines() + run.stderr.splitlines()
    return found


ALL = (layers, foreign_headers, documented, exports, sizes, form,
       options_documented, manual_pages)
