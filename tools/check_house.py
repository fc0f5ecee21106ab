#!/usr/bin/env python3
"""check_house.py [--self-test]: the habits that a reader relies on, as tests. What may be broken with a reason is entered here with it."""
import os
import re
import sys
import tempfile

import sources

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# A file is about 400 lines, a function about 60. A longer file is entered here with what it has; it may shrink, not grow.
FILE_LINES = 400
LONG_FILES = {}
FUNCTION_LINES = 60  # longer ones are only named: judgement, not law

# (what, what to say instead, where it may stand after all). In code: comments and the insides of text are not looked at.
BANNED = [
    (r"\bstd::rand\b|\bs?rand\(|std::mt19937|std::random_device", "base/identifiers.hpp draws from the kernel", r"_test\.cpp$|^(bench|fuzz|tests)/"),
    (r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca)\(", "std::string, fmt::format", None),
    (r"\b(system|popen)\(", "nothing here runs a shell", r"^(bench|tests)/"),
    (r"\b(atoi|atol|atof|strtol|strtoul|strtoll)\(|\bstd::sto(i|l|ul|ll|ull|d)\(", "std::from_chars, which says what it could not read", r"_test\.cpp$|^(bench|fuzz|tests)/"),
    (r"\bstd::regex\b", "RE2, which cannot be made slow by its input", None),
    (r"\bstd::endl\b", r"'\n'", None),
    (r"\bstd::chrono::system_clock\b|\btime\((nullptr|NULL|0)\)|\bgettimeofday\(", "base::Clock: a call reads the clock once, and the sandbox moves it",
     r"^src/base/clock|_test\.cpp$|^(bench|fuzz|tests)/"),
    (r"\bstd::localtime\b|\b(localtime|gmtime)(_r)?\(", "base/time_text.hpp", None),
    (r"\bstd::(format|print|println)\b|#\s*include\s*<(format|print)>", "fmt: GCC 12 has neither", None),
    (r"\.reveal\(\)\s*[!=]=|[!=]=\s*[\w.]+\.reveal\(\)", "Secret::same_as, whose time tells nothing", r"_test\.cpp$"),
    (r"\bmemcmp\(", "base::constant_time_equal for secrets, == for the rest", None),
    (r"\.detach\(\)", "every thread is joined", r"_test\.cpp$"),
    (r"\busing namespace std;", "names with std::", None),
    (r"\b(class|struct|union)\s+\w*(Manager|Helper|Util|Utils|Impl)\b", "a name that says what it is", None),
    (r"^\s*#\s*ifndef\s+\w+_HPP\b", "#pragma once", None),
    (r"\bDISABLED_\w", "a test that does not run is no test", None),
]
# In every text of the repository: unfinished work, and where packages come from (spelled in pieces, so that this file passes).
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b(?!-)")
REGISTRIES = [".".join(name) for name in [
    ("registry", "npmjs", "org"), ("registry", "yarnpkg", "com"), ("registry", "npmmirror", "com"), ("pypi", "org"), ("files", "pythonhosted", "org"), ("crates", "io"),
    ("proxy", "golang", "org"), ("sum", "golang", "org"), ("repo1", "maven", "org"), ("repo", "maven", "apache", "org"), ("deb", "debian", "org"), ("rubygems", "org"),
    ("docker", "io"), ("ghcr", "io")]]

DECISION_NAME = re.compile(r"docs/decisions/\d{4}-[a-z0-9-]+\.md$")
DECISION_PARTS = ["Context", "Choice", "Rivals", "Consequences"]
ROOM = re.compile(r"src/operations/[a-z_]+/[a-z_0-9]+\.cpp$")  # that declares an operation; the others are what rooms share
LINK = re.compile(r"(?<!!)\[[^\]\n]*\]\(([^)\s]+)\)")


def cpp_faults(path, text):
    code = sources.code_only(text)
    for number, line in enumerate(code.split("\n"), 1):
        for what, instead, where in BANNED:
            found = re.search(what, line)
            if found and not (where and re.search(where, path)):
                yield f"{path}:{number}: {found[0].strip()}: say {instead}"
    lines = text.count("\n")
    if lines > max(FILE_LINES, LONG_FILES.get(path, 0)):
        yield f"{path}: {lines} lines; about {FILE_LINES} is the measure: split it, or enter it in LONG_FILES of tools/check_house.py"
    if path.endswith(".hpp") and "#pragma once" not in text:
        yield f"{path}: a header has #pragma once"
    if ROOM.match(path) and not sources.is_test(path) and "api::Operation<" in code and not text.startswith("//"):
        yield f"{path}: a room opens with one or two sentences that say what it is for"


def long_functions(path, text):
    """Functions at the left margin, as clang-format leaves them: from a line that ends in { to the } below it."""
    start = None
    for number, line in enumerate(text.split("\n"), 1):
        if start is None and re.match(r"[A-Za-z].*\)[^;]*\{$", line) and not re.match(r"(namespace|class|struct|enum|union|extern)\b", line):
            start = number
        elif line == "}" and start is not None:
            if number - start - 1 > FUNCTION_LINES:
                yield f"{path}:{start}: a function of {number - start - 1} lines"
            start = None


def anchors(markdown):
    """The names that a #link may use, as the usual renderers make them from headings."""
    found = set()
    for heading in re.findall(r"^#+\s+(.*?)\s*#*$", re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE), re.MULTILINE):
        found.add(re.sub(r"[^\w\- ]", "", re.sub(r"[`*_]|\]\([^)]*\)", "", heading).lower()).replace(" ", "-"))
    return found


def markdown_faults(root, path, text):
    prose = re.sub(r"^```.*?^```", lambda block: "\n" * block[0].count("\n"), text, flags=re.DOTALL | re.MULTILINE)
    for link in LINK.finditer(prose):
        target, _, anchor = link[1].partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        where = f"{path}:{prose.count(chr(10), 0, link.start()) + 1}"
        file = os.path.normpath(os.path.join(os.path.dirname(path), target)) if target else path
        if not os.path.exists(os.path.join(root, file)):
            yield f"{where}: the link to {link[1]} leads nowhere"
        elif anchor and file.endswith(".md") and anchor not in anchors(sources.text_of(root, file)):
            yield f"{where}: {file} has no heading #{anchor}"
    if path.startswith("docs/decisions/"):
        if not DECISION_NAME.match(path):
            yield f"{path}: a decision is called NNNN-what-was-decided.md"
        missing = [part for part in DECISION_PARTS if not re.search(rf"^##+ {part}\b", text, re.MULTILINE)]
        if missing:
            yield f"{path}: a decision has the headings {', '.join(DECISION_PARTS)}; missing: {', '.join(missing)}"


def check(root):
    """(faults, notes)"""
    faults, notes = [], []
    numbers = {}
    for path in sources.tracked(root):
        text = sources.text_of(root, path)
        if text is None:
            continue
        for number, line in enumerate(text.split("\n"), 1):
            found = UNFINISHED.search(line) if not path.startswith("contract/") else None
            if found:
                faults.append(f"{path}:{number}: {found[0]}: finish it, or file an issue")
            faults += [f"{path}:{number}: names a package registry ({name})" for name in REGISTRIES if name in line]
        if sources.is_cpp(path):
            faults += cpp_faults(path, text)
            notes += long_functions(path, text)
        if path.endswith(".md"):
            faults += markdown_faults(root, path, text)
        if DECISION_NAME.match(path):
            numbers.setdefault(os.path.basename(path)[:4], []).append(path)
    faults += [f"{' and '.join(paths)}: two decisions of one number" for paths in numbers.values() if len(paths) > 1]
    return faults, notes


GOOD = {
    "src/base/a.cpp": "// rand() is not used; see gets(\nauto a = \"system(\"; int n = 10'000; auto b = x.same_as(y.reveal());\n",
    "src/operations/sts/a.cpp": "// What the room is for.\n#include <string>\n",
    "src/operations/sts/shared.cpp": "#include <string>\n",
    "src/operations/sts/a_test.cpp": "#include <random>\nstd::mt19937 noise;\n",
    "docs/decisions/0001-one.md": "# One\n## Context\n## Choice\n## Rivals\n## Consequences\n",
    "README.md": "# A\n[one](docs/decisions/0001-one.md) [two](#b-c-d) [three](docs/decisions/0001-one.md#rivals) [four](https://example.org/x)\n```\n[no](nowhere)\n```\n## B `c`, d\n",
}
BAD = {
    "src/base/b.cpp": ("int n = std::rand();\n", "b.cpp:1: std::rand: say base/identifiers.hpp"),
    "src/base/c.cpp": ("\nauto a = x.reveal() == y;\n", "c.cpp:2: .reveal() ==: say Secret::same_as"),
    "src/base/d.hpp": ("int n;\n", "#pragma once"),
    "src/base/e.cpp": ("\n" * 401, "401 lines"),
    "src/base/f.cpp": ("class OutboxManager {};\n", "class OutboxManager: say a name"),
    "src/operations/sts/b.cpp": ("constexpr api::Operation<Request, Answer> operation{};\n", "a room opens with"),
    "src/api/g.cpp": ("// TO" + "DO: later\n", "finish it"),
    "docs/a.md": ("[one](b.md)\n", "a.md:1: the link to b.md leads nowhere"),
    "docs/c.md": ("\n[one](../README.md#x)\n", "c.md:2: README.md has no heading #x"),
    "docs/decisions/0002-two.md": ("## Context\n## Choice\n## Consequences\n", "missing: Rivals"),
    "docs/decisions/three.md": (GOOD["docs/decisions/0001-one.md"], "is called NNNN-"),
    "docs/decisions/0001-again.md": (GOOD["docs/decisions/0001-one.md"], "two decisions of one number"),
    "package-lock.json": ("https://" + ".".join(("registry", "npmjs", "org")) + "/a\n", "names a package registry"),
}


def self_test():
    with tempfile.TemporaryDirectory() as root:
        def write(path, text):
            os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
            with open(f"{root}/{path}", "w", encoding="utf-8") as file:
                file.write(text)
        sources.subprocess.run(["git", "init", "-q", root], check=True)
        for path, text in GOOD.items():
            write(path, text)
        assert check(root) == ([], []), check(root)
        for path, (text, said) in BAD.items():
            write(path, text)
            faults, _ = check(root)
            assert len(faults) == 1 and said in faults[0], (path, said, faults)
            os.remove(f"{root}/{path}")
    body = "".join(f"    line({n});\n" for n in range(61))
    assert list(long_functions("a.cpp", f"namespace x {{\nint run(const Request& r) {{\n{body}}}\n}}\n")) == ["a.cpp:2: a function of 61 lines"]


def main():
    if "--self-test" in sys.argv[1:]:
        return self_test()
    faults, notes = check(ROOT)
    for line in faults:
        print(line, file=sys.stderr)
    for line in notes:
        print(f"note: {line}", file=sys.stderr)
    sys.exit(bool(faults))


main()
