#!/usr/bin/env python3
"""check_store_tests.py [--self-test]: every function that src/store/ offers is named in the conformance suite (tests/store/), which
runs on every engine."""
import os
import re
import sys
import tempfile

import sources

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# All of them take the transaction first.
OFFERED = re.compile(r"^[\w:<>, &*]*?\b(\w+)\(db::Transaction&", re.MULTILINE)


def check(root):
    named = set()
    offered = []
    for path in sources.tracked(root):
        if path.startswith("tests/store/") and sources.is_cpp(path):
            named.update(re.findall(r"\w+", sources.code_only(sources.text_of(root, path))))
        if path.startswith("src/store/") and path.endswith(".hpp") and not sources.is_test(path):
            code = sources.code_only(sources.text_of(root, path))
            offered += [(path, code.count("\n", 0, found.start(1)) + 1, found[1]) for found in OFFERED.finditer(code)]
    return [f"{path}:{line}: {name}() is not named in tests/store/: it is untested on the other engine" for path, line, name in offered if name not in named]


def self_test():
    with tempfile.TemporaryDirectory() as root:
        sources.subprocess.run(["git", "init", "-q", root], check=True)
        for path, text in {
            "src/store/a.hpp": "// not_one(db::Transaction&)\nstd::optional<std::vector<A>> find_a(db::Transaction&, int id);\n\nvoid put_a(db::Transaction& tx);\nint plain();\n",
            "src/store/testing.hpp": "void only_for_tests(db::Transaction&);\n",
            "tests/store/a_test.cpp": "// put_a\nauto a = store::find_a(tx, 1);\nauto b = \"put_a\";\n",
        }.items():
            os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
            with open(f"{root}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        found = check(root)
        assert len(found) == 1 and found[0].startswith("src/store/a.hpp:4: put_a() is not named"), found


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    found = check(ROOT)
    print("\n".join(found), file=sys.stderr, end="\n" if found else "")
    sys.exit(bool(found))


main()
