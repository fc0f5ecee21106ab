#!/usr/bin/env python3
"""check_includes.py [--self-test]: who may include whom, and who may speak to a database, a socket or a gateway.

The table is the direction of the arrows (ARCHITECTURE.md). A folder may include itself, base, and what stands here. Tests may
include anything. To add an arrow is a decision: docs/decisions/ says why."""
import os
import re
import subprocess
import sys
import tempfile

import sources

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

MAY_INCLUDE = {
    "base": [],
    "keys": [],
    "wire": [],
    "policy": [],
    "phone": [],
    "db": [],
    "api": [],  # db::Transaction and keys::Ring are declared there, not included
    "store": ["keys", "phone", "db"],
    "audit": ["keys", "db", "store"],
    "delivery": ["keys", "wire", "phone", "db", "store"],
    "operations": ["keys", "phone", "api", "store", "policy/document.hpp"],  # a room cannot authorize; it may parse a policy
    "pipeline": ["keys", "wire", "policy", "api", "db", "store"],
    "net": ["pipeline"],
    "sandbox": ["keys", "api", "db", "store", "audit", "delivery", "pipeline"],
    "openrd": ["keys", "wire", "policy", "phone", "db", "api", "store", "audit", "delivery", "operations", "pipeline", "net", "sandbox"],
}

# Headers of others that have one home: (what, where it may be included, why there).
HOMES = [
    (r"boost/(asio|beast)\b", r"src/net/", "sockets are net/'s"),
    (r"sqlite3\.h$", r"src/db/sqlite/", "SQLite is named in db/sqlite/ only"),
    (r"(postgresql/)?libpq-fe\.h$", r"src/db/postgres/", "PostgreSQL is named in db/postgres/ only"),
    (r"curl/", r"src/(delivery/|openrd/call)", "requests leave from delivery/, and from `openrd call`"),
]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.MULTILINE)
SQL = re.compile(r"\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|WITH|PRAGMA)\s+\S")


def faults(path, cpp):
    """The faults of one file of src/."""
    if sources.is_test(path):
        return
    parts = path.split("/")
    folder = parts[1] if len(parts) > 2 else ""
    if folder not in MAY_INCLUDE:
        yield f"{path}: src/{folder} is not in the table of tools/check_includes.py"
        return
    for include in INCLUDE.finditer(cpp):
        where = f"{path}:{cpp.count(chr(10), 0, include.start(2)) + 1}"
        quote, name = include[1], include[2]
        if quote == '"':
            target = name.split("/")[0]
            if "/" not in name or target not in MAY_INCLUDE:
                yield f'{where}: "{name}": our own headers are named from src/ on, as in "base/text.hpp"'
            elif sources.is_test("src/" + name):
                yield f"{where}: {name} is for tests only"
            elif target not in ("base", folder) and target not in MAY_INCLUDE[folder] and name not in MAY_INCLUDE[folder]:
                yield f"{where}: {folder}/ may not include {name} (it may: {', '.join(['base', *MAY_INCLUDE[folder]])})"
        for what, home, why in HOMES:
            if re.match(what, name) and not re.match(home, path):
                yield f"{where}: {name} may not be included here: {why}"
    if folder not in ("store", "db"):
        for line, text in sources.literals(cpp):
            if SQL.match(text):
                yield f"{path}:{line}: SQL stands under src/store/ (and db/migrations/) only: {text.strip()[:60]}"


def check(root):
    found = []
    for path in sources.tracked(root):
        if path.startswith("src/") and sources.is_cpp(path):
            text = sources.text_of(root, path)
            found += [f"{path}: not UTF-8 text"] if text is None else faults(path, text)
    return found


GOOD = {
    "src/base/a.hpp": '#pragma once\n#include <string>\n',
    "src/store/a.cpp": '#include "store/a.hpp"\n#include "db/engine.hpp"\nauto a = "SELECT 1";\n',
    "src/operations/sts/a.cpp": '#include "policy/document.hpp"\n#include "base/text.hpp"\n// SELECT a FROM b\nint n = 10\'000; auto a = "WITHOUT a doubt"; auto b = "Update it";\n',
    "src/net/a.cpp": '#include "pipeline/handler.hpp"\n#include <boost/asio.hpp>\n',
    "src/db/sqlite/a.cpp": "#include <sqlite3.h>\n",
    "src/openrd/call_command.cpp": "#include <curl/curl.h>\n",
    "src/api/a_test.cpp": '#include "net/server.hpp"\n#include <sqlite3.h>\nauto a = "DELETE FROM a";\n',
    "src/net/testing_server.hpp": '#include "store/a.hpp"\n',
}
BAD = {
    "src/base/a.cpp": ('#include "api/call.hpp"\n', "base/ may not include api/call.hpp"),
    "src/operations/sts/a.cpp": ('#include "policy/decide.hpp"\n', "operations/ may not include policy/decide.hpp"),
    "src/operations/sts/b.cpp": ('\n\n#  include "db/engine.hpp"\n', "b.cpp:3: operations/ may not include db/engine.hpp"),
    "src/operations/sts/c.cpp": ('auto sql = R"(\n  DELETE FROM members)";\n', "c.cpp:1: SQL stands under"),
    "src/pipeline/a.cpp": ('auto sql = "WITH RECURSIVE a";\n', "a.cpp:1: SQL stands under"),
    "src/pipeline/b.cpp": ("#include <boost/asio/post.hpp>\n", "sockets are net/'s"),
    "src/db/engine.cpp": ("#include <sqlite3.h>\n", "SQLite is named in"),
    "src/db/sqlite/a.cpp": ("#include <libpq-fe.h>\n", "PostgreSQL is named in"),
    "src/pipeline/c.cpp": ("#include <curl/curl.h>\n", "requests leave from"),
    "src/net/b.cpp": ('#include "server.hpp"\n', "named from src/ on"),
    "src/net/c.cpp": ('#include "net/testing_server.hpp"\n', "for tests only"),
    "src/elsewhere/a.cpp": ("", "src/elsewhere is not in the table"),
}


def self_test():
    for path, text in GOOD.items():
        assert not list(faults(path, text)), list(faults(path, text))
    for path, (text, said) in BAD.items():
        found = list(faults(path, text))
        assert len(found) == 1 and said in found[0], (path, said, found)
    with tempfile.TemporaryDirectory() as root:  # the whole way, from the files to the exit code
        os.makedirs(f"{root}/src/base")
        subprocess.run(["git", "init", "-q", root], check=True)
        with open(f"{root}/src/base/a.cpp", "w", encoding="utf-8") as file:
            file.write(BAD["src/base/a.cpp"][0])
        assert len(check(root)) == 1


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    found = check(ROOT)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(bool(found))


main()
