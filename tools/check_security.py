#!/usr/bin/env python3
"""check_security.py [--self-test]: docs/security.md names a test for each threat; this finds one that is not in the tree, and a threat
that is not in the table. A test is named in backticks: `Suite.Name` of GoogleTest, or `tests/chaos/crash.py`, a file that is run."""
import os
import re
import sys
import tempfile

import sources

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PAGE = "docs/security.md"
THREATS = 24

TEST = re.compile(r"\bTEST(?:_F|_P)?\(\s*(\w+)\s*,\s*(\w+)\s*\)")


def known_tests(root):
    """Every name that a row may give."""
    found = set()
    for path in sources.tracked(root):
        if re.match(r"tests/.+\.(py|mjs)$|tests/sdk/run$", path):
            found.add(path)
        if sources.is_cpp(path) and (path.startswith("tests/") or sources.is_test(path)):
            found.update(f"{suite}.{name}" for suite, name in TEST.findall(sources.text_of(root, path) or ""))
    return found


def check(root):
    text = sources.text_of(root, PAGE) if os.path.isfile(os.path.join(root, PAGE)) else None
    if text is None:
        return [f"{PAGE}: it is not there"]
    known, rows, faults = known_tests(root), set(), []
    for number, line in enumerate(text.split("\n"), 1):
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if not cells or not cells[0].isdigit():
            continue
        if len(cells) != 4:
            faults.append(f"{PAGE}:{number}: a row is | N | attack | defence | test |")
            continue
        rows.add(int(cells[0]))
        named = re.findall(r"`([^`]+)`", cells[3])
        if not named:
            faults.append(f"{PAGE}:{number}: threat {cells[0]} names no test")
        faults += [f"{PAGE}:{number}: there is no test {name}" for name in named if name not in known]
    faults += [f"{PAGE}: threat {n} is not in the table" for n in range(1, THREATS + 1) if n not in rows]
    return faults


def self_test():
    with tempfile.TemporaryDirectory() as root:
        def write(path, text):
            os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
            with open(f"{root}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        sources.subprocess.run(["git", "init", "-q", root], check=True)
        assert check(root) == [f"{PAGE}: it is not there"]
        write("src/base/a_test.cpp", "TEST(Clock, Ticks) {}\nTEST_F(\n    Clock, Stops) {}\n")
        write("tests/chaos/crash.py", "")
        rows = [f"| {n} | a | b | `Clock.Ticks`, `Clock.Stops`, `tests/chaos/crash.py` |" for n in range(1, THREATS + 1)]
        write(PAGE, "\n".join(["| N | attack | defence | test |", "|---|---|---|---|", *rows]))
        assert check(root) == [], check(root)
        for broken, said in [(rows[0].replace("Clock.Stops", "Clock.Runs"), "there is no test Clock.Runs"), (rows[0].replace("`", ""), "threat 1 names no test"),
                             ("| 1 | a | b |", "a row is"), ("", "threat 1 is not in the table")]:
            write(PAGE, "\n".join([broken, *rows[1:]]))
            assert said in check(root)[0], (broken, check(root))


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    faults = check(ROOT)
    print("\n".join(faults), file=sys.stderr, end="\n" if faults else "")
    sys.exit(bool(faults))


main()
