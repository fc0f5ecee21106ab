"""What the checks have in common: the files of the repository, and C++ taken apart as far as they need it."""
import os
import re
import subprocess


def tracked(root):
    """Every file that is or would be committed, relative to root."""
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=root, check=True, capture_output=True).stdout
    return sorted(name for name in listed.decode().split("\0") if name and os.path.isfile(os.path.join(root, name)))


def is_cpp(path):
    return path.endswith((".cpp", ".hpp"))


def is_test(path):
    """Tests, and what only tests include, may do what the code may not."""
    name = os.path.basename(path)
    return not path.startswith("src/") or name.endswith(("_test.cpp", "_for_test.cpp", "_for_test.hpp")) or name.startswith("testing")


def text_of(root, path):
    """None for a file that is not text."""
    with open(os.path.join(root, path), "rb") as file:
        data = file.read()
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


TOKEN = re.compile(
    r"""//(?:[^\\\n]|\\.)*|/\*.*?\*/                                   # comments
      |(?:u8|[uUL])?R"(?P<mark>[^()\s\\]{0,16})\((?P<raw>.*?)\)(?P=mark)"   # raw text
      |"(?P<text>(?:[^"\\\n]|\\.)*)"
      |(?<![0-9A-Fa-f])'(?:[^'\\\n]|\\.)+'                             # a character, not the mark within 10'000
    """, re.DOTALL | re.VERBOSE)


def literals(cpp):
    """(line number, text) of every text literal."""
    for token in TOKEN.finditer(cpp):
        text = token["raw"] if token["raw"] is not None else token["text"]
        if text is not None:
            yield cpp.count("\n", 0, token.start()) + 1, text


def code_only(cpp):
    """The code with comments and the insides of literals blanked out, line numbers kept."""
    def blank(token):
        keep = '""' if token[0][0] != "/" and '"' in token[0][:20] else "' '" if token[0][0] == "'" else ""
        return keep + "\n" * token[0].count("\n")
    return TOKEN.sub(blank, cpp)
